#include "viz/plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/plan/plan_own.h"

enum {
    FLIGHT_NS = 1000000,      /* a flight this long is worth two rows */
    SHORT_FLIGHT_NS = 100000, /* one this short is not, whatever happened meanwhile: a loopback, a cable */
    STATE_SEARCH_ROWS = 8
};

bool plan_packet_times(const struct story_step *step, int64_t *ret_sent_ns, int64_t *ret_received_ns)
{
    *ret_sent_ns = *ret_received_ns = 0;
    if (step->kind == STEP_SEGMENT) {
        *ret_sent_ns = step->segment->sent_ns;
        *ret_received_ns = step->segment->received_ns;
        return true;
    }
    if (step->kind == STEP_DATAGRAM) {
        *ret_sent_ns = step->datagram->sent_ns;
        *ret_received_ns = step->datagram->received_ns;
        return true;
    }
    return false;
}

/* The step that it was taken behind; STORY_NO_STEP: it is no such FIN, or that is not told. */
static uint32_t taken_behind(const struct story *story, size_t i)
{
    const struct story_step *step = &story->steps[i];
    bool is_taken = step->kind == STEP_SEGMENT && !step->segment->lost && step->segment->taken_behind;
    return is_taken && step->segment->taken_behind <= story->step_count ? step->segment->taken_behind - 1 : STORY_NO_STEP;
}

bool plan_flight_times(const struct story *story, size_t step, int64_t *ret_sent_ns, int64_t *ret_received_ns)
{
    if (!plan_packet_times(&story->steps[step], ret_sent_ns, ret_received_ns)) return false;
    uint32_t behind = taken_behind(story, step);
    if (behind != STORY_NO_STEP && *ret_received_ns < story->steps[behind].t_ns) *ret_received_ns = story->steps[behind].t_ns;
    return true;
}

/* Whether something else of note happened while the packet of step i was under way. */
static bool flight_is_eventful(const struct story *story, size_t i)
{
    int64_t sent, received;
    if (!plan_flight_times(story, i, &sent, &received) || received <= sent) return false;
    if (taken_behind(story, i) != STORY_NO_STEP) return true;
    if (received - sent >= FLIGHT_NS) return true;
    if (received - sent < SHORT_FLIGHT_NS) return false;
    for (size_t k = i + 1; k < story->step_count && story->steps[k].t_ns < received; k++)
        if (story->steps[k].kind != STEP_STATE && story->steps[k].t_ns > sent) return true;
    return false;
}

static int compare_arrivals(const void *a, const void *b)
{
    const struct plan_row *left = a, *right = b;
    if (left->t_ns != right->t_ns) return left->t_ns < right->t_ns ? -1 : 1;
    return left->step < right->step ? -1 : left->step > right->step;
}

static struct plan_row row_of(const struct story *story, size_t i, enum plan_kind kind)
{
    const struct story_step *step = &story->steps[i];
    return (struct plan_row){.kind = kind,
                             .step = (uint32_t)i,
                             .t_ns = step->t_ns,
                             .side = step->side,
                             .states = {STORY_NO_STEP, STORY_NO_STEP},
                             .further = {STORY_NO_STEP, STORY_NO_STEP},
                             .call = PLAN_NONE};
}

/* Whether an arrival's row comes before that of step i. What was taken behind a step comes behind the states that were that step's.
 */
static bool arrives_before(const struct story *story, const struct plan_row *arrival, size_t i)
{
    const struct story_step *step = &story->steps[i];
    if (arrival->t_ns > step->t_ns || arrival->step >= i) return false;
    if (taken_behind(story, arrival->step) == STORY_NO_STEP || arrival->t_ns < step->t_ns) return true;
    return i > taken_behind(story, arrival->step) && (step->kind != STEP_STATE || step->state->cause.step == arrival->step);
}

/* A row a step (hidden ones left out), with the arrivals where they belong in time. Room is for two rows a step. */
static size_t lay_rows(const struct story *story, const struct view_options *options, struct plan_row *rows,
                       struct plan_row *arrivals)
{
    static const enum plan_kind kinds[] = {
        [STEP_ENTER] = PLAN_ENTER,     [STEP_EXIT] = PLAN_EXIT,   [STEP_SEGMENT] = PLAN_PACKET,
        [STEP_DATAGRAM] = PLAN_PACKET, [STEP_STATE] = PLAN_STATE, [STEP_PROCESS_EXIT] = PLAN_END};
    size_t arriving = 0, count = 0, next = 0;
    for (size_t i = options->from_step; i < story->step_count; i++) {
        int64_t sent, received;
        if (!flight_is_eventful(story, i)) continue;
        plan_flight_times(story, i, &sent, &received);
        arrivals[arriving] = row_of(story, i, PLAN_ARRIVE);
        arrivals[arriving++].t_ns = received;
    }
    qsort(arrivals, arriving, sizeof(*arrivals), compare_arrivals);
    for (size_t i = options->from_step; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        while (next < arriving && arrives_before(story, &arrivals[next], i)) rows[count++] = arrivals[next++];
        enum plan_kind kind = kinds[step->kind];
        if (step->kind == STEP_STATE && step->state->kernel) {
            if (options->verbose < 1) continue;
            kind = PLAN_KERNEL;
        }
        if (kind == PLAN_PACKET && flight_is_eventful(story, i)) kind = PLAN_DEPART;
        rows[count++] = row_of(story, i, kind);
    }
    while (next < arriving) rows[count++] = arrivals[next++];
    return count;
}

bool plan_is_packet(const struct plan_row *row)
{
    return row->kind == PLAN_PACKET || row->kind == PLAN_DEPART || row->kind == PLAN_ARRIVE;
}

bool plan_is_call(const struct plan_row *row)
{
    return row->kind == PLAN_ENTER || row->kind == PLAN_EXIT || row->kind == PLAN_CALL || row->kind == PLAN_UNRETURNED;
}

/* Whether the state at `row` may stand on `host`: its own side has room, and the host is what changed it. */
static bool can_stand_on(const struct story *story, const struct plan_row *row, const struct plan_row *host)
{
    if (host->states[row->side] != STORY_NO_STEP && (!plan_is_packet(host) || host->further[row->side] != STORY_NO_STEP))
        return false;
    if (plan_is_call(host) && host->side != row->side) return false;
    if (host->kind == PLAN_DEPART && host->side != row->side) return false;
    if (host->kind == PLAN_ARRIVE && host->side == row->side) return false;
    if (!plan_is_call(host) && !plan_is_packet(host) && host->kind != PLAN_END) return false;
    const struct story_state *state = story->steps[row->step].state;
    if (host->t_ns == row->t_ns || state->cause.step == host->step) return true;
    const struct story_call *call = plan_is_call(host) ? story->steps[host->step].call : NULL;
    return call && state->cause.step != STORY_NO_STEP &&
           (state->cause.step == call->enter_step || state->cause.step == call->exit_step);
}

/* The packet that changed this state, where it is on one row and other rows came between it and its arrival. */
static struct plan_row *short_flight(const struct story *story, const struct plan_row *row, struct plan_row *rows, size_t count)
{
    for (size_t back = 1; back <= STATE_SEARCH_ROWS && back <= count; back++) {
        struct plan_row *host = &rows[count - back];
        bool is_it = host->kind == PLAN_PACKET && host->step == story->steps[row->step].state->cause.step;
        if (is_it && row->t_ns - host->t_ns < SHORT_FLIGHT_NS) return can_stand_on(story, row, host) ? host : NULL;
    }
    return NULL;
}

/* Moves states onto the rows of what changed them: the packet sent at that very time, the row before, or a packet not long before.
 */
static size_t place_states(const struct story *story, struct plan_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == PLAN_STATE) {
            size_t next = i + 1;
            while (next < count && rows[next].kind == PLAN_STATE) next++;
            struct plan_row *host = NULL;
            if (next < count && plan_is_packet(&rows[next]) && rows[next].side == rows[i].side && rows[next].t_ns == rows[i].t_ns &&
                can_stand_on(story, &rows[i], &rows[next]))
                host = &rows[next];
            else if (kept > 0 && can_stand_on(story, &rows[i], &rows[kept - 1]))
                host = &rows[kept - 1];
            else
                host = short_flight(story, &rows[i], rows, kept);
            if (host) {
                uint32_t *place = &host->states[rows[i].side];
                if (*place != STORY_NO_STEP) place = &host->further[rows[i].side];
                *place = rows[i].step;
                continue;
            }
            rows[i].states[rows[i].side] = rows[i].step;
        }
        rows[kept++] = rows[i];
    }
    return kept;
}

static size_t join_calls(const struct story *story, struct plan_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct plan_row *before = kept > 0 ? &rows[kept - 1] : NULL;
        if (rows[i].kind == PLAN_EXIT && before && before->kind == PLAN_ENTER &&
            story->steps[before->step].call == story->steps[rows[i].step].call && before->states[before->side] == STORY_NO_STEP) {
            before->kind = PLAN_CALL;
            before->states[before->side] = rows[i].states[rows[i].side];
            continue;
        }
        rows[kept++] = rows[i];
    }
    return kept;
}

/* Behind all others: what had not returned when recording ended. */
static size_t add_unreturned(const struct story *story, struct plan_row *rows, size_t count)
{
    int64_t end_ns = count ? rows[count - 1].t_ns : 0;
    for (size_t i = 0; i < story->step_count; i++) {
        if (story->steps[i].kind != STEP_ENTER || story->steps[i].call->exit_step != STORY_NO_STEP) continue;
        rows[count] = row_of(story, i, PLAN_UNRETURNED);
        rows[count++].t_ns = end_ns;
    }
    return count;
}

static void fold_pauses(struct plan_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int64_t pause_ns = rows[i].t_ns - rows[i - 1].t_ns;
        if (pause_ns < PLAN_SILENCE_NS || rows[i].kind == PLAN_UNRETURNED) continue;
        rows[rows[i - 1].kind == PLAN_SKIP ? i - 1 : i].pause_ns += pause_ns; /* what was left out says it with the rest */
    }
}

int plan_make(const struct story *story, const struct view_options *options, struct plan *ret_plan)
{
    *ret_plan = (struct plan){.story = story, .options = options};
    if (story->step_count == 0) return 0;
    struct plan_row *rows = calloc(story->step_count, 2 * sizeof(*rows));
    struct plan_row *arrivals = calloc(story->step_count, sizeof(*arrivals));
    if (!rows || !arrivals) {
        free(rows);
        free(arrivals);
        return -ENOMEM;
    }
    size_t count = lay_rows(story, options, rows, arrivals);
    free(arrivals);
    count = place_states(story, rows, count);
    count = join_calls(story, rows, count);
    count = add_unreturned(story, rows, count);
    count = plan_choose(story, options, rows, count);
    if (count == PLAN_FAILED) {
        free(rows);
        return -ENOMEM;
    }
    fold_pauses(rows, count);
    ret_plan->rows = rows;
    ret_plan->count = count;
    int code = plan_lay_calls(ret_plan);
    if (code) plan_free(ret_plan);
    return code;
}

void plan_free(struct plan *plan)
{
    free(plan->rows);
    free(plan->calls);
    *plan = (struct plan){0};
}
