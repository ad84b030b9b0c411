#include "story/times/spent.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

void spent_claim(struct spent_claims *claims, enum story_spent spent, int64_t from_ns, int64_t to_ns)
{
    if (from_ns < claims->start_ns) from_ns = claims->start_ns;
    if (to_ns > claims->end_ns) to_ns = claims->end_ns;
    if (from_ns >= to_ns || claims->failed) return;
    if (claims->count == claims->room) {
        size_t room = claims->room ? claims->room * 2 : 64;
        struct spent_claim *list = realloc(claims->list, room * sizeof(*list));
        if (!list) {
            claims->failed = true;
            return;
        }
        claims->list = list;
        claims->room = room;
    }
    claims->list[claims->count++] = (struct spent_claim){from_ns, to_ns, (uint8_t)spent};
}

/* Where a claim begins or ends. */
struct border {
    int64_t t_ns;
    int32_t step; /* 1, -1 */
    uint8_t spent;
};

static int by_time(const void *a, const void *b)
{
    const struct border *x = a, *y = b;
    return (x->t_ns > y->t_ns) - (x->t_ns < y->t_ns);
}

void spent_add_up(struct spent_claims *claims, int64_t ret_spent_ns[static SPENTS])
{
    int64_t open[SPENTS] = {0}, at_ns = claims->start_ns;
    memset(ret_spent_ns, 0, SPENTS * sizeof(*ret_spent_ns));
    struct border *borders = calloc(2 * claims->count + 1, sizeof(*borders));
    if (!borders) {
        claims->failed = true;
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < claims->count; i++) {
        borders[count++] = (struct border){claims->list[i].from_ns, 1, claims->list[i].spent};
        borders[count++] = (struct border){claims->list[i].to_ns, -1, claims->list[i].spent};
    }
    borders[count++] = (struct border){claims->end_ns, 0, SPENT_UNKNOWN};
    sort_items(borders, count, sizeof(*borders), by_time);
    for (size_t i = 0; i < count; i++) {
        int what = 0;
        while (what < SPENT_UNKNOWN && !open[what]) what++;
        ret_spent_ns[what] += borders[i].t_ns - at_ns;
        at_ns = borders[i].t_ns;
        open[borders[i].spent] += borders[i].step;
    }
    free(borders);
}

/* It was never more than a SYN: until the client's end gave up or was refused, and what had waited for that went on. */
static int64_t unopened_at(const struct telling *telling, int64_t over_ns)
{
    int64_t end_ns = over_ns;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (call->side == STORY_CLIENT && !call->listener && call->enter_ns <= over_ns && call->exit_ns > end_ns)
            end_ns = call->exit_ns;
    }
    return end_ns;
}

static bool is_beyond_syn(enum tcp_state state)
{
    return state != STATE_CLOSED && state != STATE_LISTEN && state != STATE_SYN_SENT && state != STATE_UNKNOWN;
}

/* When both ends had nothing more to do: closed, or in TIME_WAIT. INT64_MAX: they have not. */
static int64_t over_at(const struct telling *telling)
{
    int64_t over_ns[STORY_SIDES] = {INT64_MAX, INT64_MAX};
    bool began = false; /* either end was ever more than asking */
    for (uint32_t i = 0; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind != STEP_STATE || step->state->kernel) continue;
        bool over =
            step->state->to_state == STATE_TIME_WAIT || step->state->to_state == STATE_CLOSED ||
            (step->state->to_state == STATE_LISTEN && step->state->from_state == STATE_SYN_RCVD); /* RFC 9293 3.10.7.4: a RST */
        began |= is_beyond_syn(step->state->from_state) || is_beyond_syn(step->state->to_state);
        if (!over)
            over_ns[step->side] = INT64_MAX; /* of a RST that ended nothing */
        else if (over_ns[step->side] == INT64_MAX)
            over_ns[step->side] = step->t_ns;
    }
    if (!began && over_ns[STORY_CLIENT] != INT64_MAX) return unopened_at(telling, over_ns[STORY_CLIENT]);
    return over_ns[0] > over_ns[1] ? over_ns[0] : over_ns[1];
}

/* The last thing that either end did: of a connection that is over neither what strays behind it nor the end of TIME_WAIT. */
static int64_t end_of(const struct telling *telling)
{
    int64_t end_ns = over_at(telling);
    if (end_ns != INT64_MAX) return end_ns;
    end_ns = INT64_MIN;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->sent_ns > end_ns) end_ns = packet->sent_ns;
        if (packet->received_ns > end_ns) end_ns = packet->received_ns;
    }
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (call->listener) continue;
        if (call->enter_ns > end_ns) end_ns = call->enter_ns;
        if (call->exit_ns > end_ns) end_ns = call->exit_ns;
    }
    for (uint32_t i = 0; i < telling->story->step_count; i++)
        if (telling->story->steps[i].kind == STEP_PROCESS_EXIT && telling->story->steps[i].t_ns > end_ns)
            end_ns = telling->story->steps[i].t_ns;
    return end_ns;
}

static int64_t time_wait(const struct telling *telling)
{
    int64_t from_ns[STORY_SIDES], longest_ns = -1;
    bool in[STORY_SIDES] = {false, false};
    for (uint32_t i = 0; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind != STEP_STATE || step->state->kernel) continue;
        if (in[step->side] && step->state->to_state == STATE_CLOSED && step->t_ns - from_ns[step->side] > longest_ns)
            longest_ns = step->t_ns - from_ns[step->side];
        in[step->side] = step->state->to_state == STATE_TIME_WAIT;
        if (in[step->side]) from_ns[step->side] = step->t_ns;
    }
    return longest_ns;
}

static int64_t first_byte(const struct telling *telling)
{
    int64_t asked_ns = 0;
    bool asked = false;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->copy) continue;
        if (packet->side == STORY_CLIENT && packet->segment->length_bytes && !packet->segment->retransmission && !asked)
            asked = true, asked_ns = packet->sent_ns;
        if (packet->side == STORY_CLIENT && packet->segment->handshake && packet->segment->kind != STORY_SYN && !asked)
            asked_ns = packet->sent_ns; /* complete, as the client sees it */
        if (packet->side == STORY_SERVER && packet->segment->length_bytes)
            return asked_ns && finding_arrival_ns(packet) >= asked_ns ? finding_arrival_ns(packet) - asked_ns : -1;
    }
    return -1;
}

/* What its process looked up before it called connect(). */
static const struct lookup *find_lookup(const struct telling *telling)
{
    for (size_t i = 0; i < telling->call_count && !telling->story->udp; i++) {
        const struct lookup *lookup = telling->calls[i].call->lookup;
        if (lookup && telling->calls[i].story->side == STORY_CLIENT && lookup->to_ns <= telling->story->start_ns) return lookup;
    }
    return NULL;
}

static void note_lookup(const struct lookup *lookup, int64_t start_ns, struct story_time *time)
{
    if (!lookup) return;
    time->before_ns = start_ns - lookup->from_ns;
    time->asked_ns = lookup->to_ns - lookup->from_ns;
    time->asked = lookup->server;
    time->questions = lookup->questions;
}

void spent_find(struct telling *telling)
{
    struct story_time *time = &telling->story->time;
    const int64_t start_ns = telling->story->start_ns;
    const struct lookup *lookup = telling->flow->sequel ? NULL : find_lookup(telling);
    struct spent_claims claims = {.start_ns = lookup ? lookup->from_ns : start_ns, .end_ns = end_of(telling)};
    time->total_ns = time->time_wait_ns = time->first_byte_ns = -1;
    note_lookup(lookup, start_ns, time);
    if (telling->story->udp || !telling->packet_count || telling->flow->sequel) return;
    if (lookup) {
        spent_claim(&claims, SPENT_LOOKUP, lookup->from_ns, lookup->to_ns);
        spent_claim(&claims, SPENT_CLIENT, lookup->to_ns, start_ns);
    }
    if (claims.end_ns < claims.start_ns) claims.end_ns = claims.start_ns;
    spent_of_handshake(telling, &claims);
    spent_of_segments(telling, &claims);
    spent_of_calls(telling, &claims);
    spent_add_up(&claims, time->spent_ns);
    time->total_ns = claims.end_ns - claims.start_ns;
    time->time_wait_ns = time_wait(telling);
    time->first_byte_ns = first_byte(telling);
    telling->failed |= claims.failed;
    free(claims.list);
}
