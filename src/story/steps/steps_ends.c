/* How ends end where no segment shows it: timers, processes, TIME_WAIT. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "story/steps/moments.h"
#include "story/steps/steps_own.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static const int64_t TWO_MSL_NS = 60000000000; /* Linux: TCP_TIMEWAIT_LEN, whatever the RFC's MSL */

/* Ends that nothing on the wire shows: a timer gave up, or a socket went while its SYN was still unanswered. */
void steps_silent_end(struct telling *telling, struct walk *walk, const struct change *change)
{
    if (change->to != KERNEL_CLOSE) return;
    uint8_t state = telling_end(telling, change->side)->state;
    struct chain_verdict verdict = chain_known(telling->teller, change->context.chain);
    enum chain_meaning meaning = verdict.meaning;
    bool closes = meaning == CHAIN_CALL || meaning == CHAIN_EXIT || meaning == CHAIN_DEFERRED;
    enum tcp_input input = INPUT_COUNT;
    /* Not where a timewait socket takes its place. */
    if (meaning == CHAIN_TIMER && !(verdict.notes & CHAIN_TIME_WAIT)) input = INPUT_TIMEOUT_GIVE_UP;
    if (closes && state == STATE_SYN_SENT && change->from == KERNEL_SYN_SENT) input = INPUT_CALL_CLOSE;
    if (input == INPUT_COUNT) return;
    steps_take_input(telling, walk, change->side, change->t_ns, input,
                     (struct tale_state){.packet = STORY_NO_STEP, .change = change});
}

/* A request socket's timer ran and was not set again: the end of SYN_RCVD after a passive OPEN. On another CPU the handshake's last
 * ACK may have come at that very moment. */
static void steps_request_expiry(struct telling *telling, struct walk *walk, const struct expiry *expiry)
{
    const struct conn_end *end = telling_end(telling, expiry->side);
    if (end->state != STATE_SYN_RCVD || !(end->flags & END_PASSIVE) || tale_was_completed(telling, expiry->side)) return;
    steps_take_input(telling, walk, expiry->side, expiry->t_ns, INPUT_TIMEOUT_GIVE_UP,
                     (struct tale_state){.packet = STORY_NO_STEP, .timer = SYN_ACK_TIMER, .timer_ran = true});
}

/* Both hold it where both FINs crossed: then the later end is told. */
static void note_time_wait(struct telling *telling, enum story_side side, int64_t until_ns)
{
    struct story_summary *summary = &telling->story->summary;
    bool other = summary->time_wait_side >= 0 && summary->time_wait_side != (int32_t)side;
    summary->time_wait_side = other ? STORY_SIDES : (int32_t)side;
    if (until_ns > summary->time_wait_until_ns) summary->time_wait_until_ns = until_ns;
}

/* A timewait socket's timer ran: the end of TIME_WAIT, or of an orphan's FIN_WAIT_2. */
void steps_expiry(struct telling *telling, struct walk *walk, const struct expiry *expiry)
{
    if (expiry->state == KERNEL_NEW_SYN_RECV) {
        steps_request_expiry(telling, walk, expiry);
        return;
    }
    bool time_wait = expiry->state == KERNEL_TIME_WAIT;
    enum tcp_input input = time_wait ? INPUT_TIMEOUT_2MSL : INPUT_TIMEOUT_GIVE_UP;
    if (telling_end(telling, expiry->side)->state != (time_wait ? STATE_TIME_WAIT : STATE_FIN_WAIT_2)) return;
    if (time_wait) {
        note_time_wait(telling, expiry->side, expiry->t_ns);
    }
    steps_take_input(
        telling, walk, expiry->side, expiry->t_ns, input,
        (struct tale_state){.packet = STORY_NO_STEP, .timer = time_wait ? TIME_WAIT_TIMER : FIN_WAIT_2_TIMER, .timer_ran = true});
}

void steps_process(struct telling *telling, struct walk *walk, const struct process_end *end)
{
    enum story_side side;
    if (!moments_process_is_here(telling, end, &side)) return;
    uint32_t at = (uint32_t)telling->story->step_count;
    uint32_t *kept = track_grow((void **)&telling->exits, &telling->exit_count, &telling->exit_room, sizeof(*kept));
    struct story_exit *exit = arena_alloc(telling->arena, sizeof(*exit));
    struct story_step *step = steps_add(telling, &walk->room, STEP_PROCESS_EXIT, end->t_ns, side);
    if (!exit || !step || !kept) {
        telling->failed = true;
        return;
    }
    *kept = at;
    exit->side = side;
    exit->process.pid = end->thread.pid;
    exit->process.comm = telling_printf(telling, "%s", end->thread.comm);
    exit->status = end->status;
    exit->signal = end->signal;
    const char *abbreviation = end->signal ? sigabbrev_np(end->signal) : NULL;
    exit->name = abbreviation  ? telling_printf(telling, "SIG%s", abbreviation)
                 : end->signal ? telling_printf(telling, "signal %d", end->signal)
                               : telling_printf(telling, "status %d", end->status);
    step->exit = exit;
}

/* When the wait of 2MSL began, or began anew: what arrives with an ACK restarts it (RFC 9293 section 3.10.7.4 for a FIN; Linux for
 * all, tcp_timewait_state_process). */
static int64_t time_wait_since(const struct telling *telling, enum story_side side)
{
    int64_t since_ns = telling->flow->sequel ? telling->flow->told_conn.last_ns : 0;
    bool began = telling->flow->sequel;
    size_t from = 0; /* the first packet behind the one that began it */
    for (size_t i = 0; i < telling->state_count; i++) {
        if (telling->states[i].story->side != side || telling->states[i].story->to_state != STATE_TIME_WAIT) continue;
        from = (size_t)telling->states[i].packet + 1;
        since_ns = telling->packets[telling->states[i].packet].sent_ns;
        began = true;
    }
    for (size_t i = from; began && i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        int64_t at_ns = packet->received_ns ? packet->received_ns : packet->sent_ns;
        if (tale_is_datagram(packet->seen) || telling_receiver(telling, packet->side) != side) continue;
        if (at_ns <= since_ns || telling_is_lost(telling, packet)) continue;
        if ((packet->segment->flags & (TCP_ACK | TCP_RST)) == TCP_ACK) since_ns = at_ns;
    }
    return since_ns;
}

bool telling_acknowledged_fin(const struct telling *telling, enum story_side side)
{
    const struct conn_end *end = telling_end_now(telling, side), *peer = telling_end_now(telling, !side);
    return peer->flags & END_FIN && end->flags & END_ACKS && seq_at_or_before(peer->fin_end, end->ack);
}

bool telling_fin_never_came(const struct telling *telling, enum story_side side)
{
    if (telling->conn.flags & (CONN_TWO_PLACES | CONN_TO_ITSELF) || telling->marked || telling->flow->sequel) return false;
    if (telling_acknowledged_fin(telling, side)) return false;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->side != side && packet->segment->flags & TCP_FIN && packet->verdict.class == CONN_AGAIN)
            return true;
    }
    return false;
}

/* Where the kernel's timers are not seen, the end of TIME_WAIT shows only in the clock: it is told where recording went on so long.
 * Where they are, one that did not run although a minute has gone by is no end: the clock was set, or the machine slept, which the
 * kernel's timers do not count. */
void steps_end_time_wait(struct telling *telling, struct walk *walk, enum story_side side)
{
    if (telling_fin_never_came(telling, side)) return;
    int64_t until_ns = time_wait_since(telling, side) + TWO_MSL_NS;
    note_time_wait(telling, side, until_ns);
    /* Of a capture nobody knows how long its host kept it. */
    if (strcmp(telling->teller->trace.recorder, "none") == 0) return;
    if (telling_sees_timers(telling) || telling->now_ns < until_ns) return;
    steps_take_input(telling, walk, side, until_ns, INPUT_TIMEOUT_2MSL,
                     (struct tale_state){.packet = STORY_NO_STEP, .timer = TIME_WAIT_TIMER});
}
