/* How a connection ends, or fails to: FINs, half-close, TIME_WAIT. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/seq.h"

/* Both FINs were captured as they were sent first, and neither knew of the other: what a FIN that was not captured acknowledged is
 * not known. */
static bool crossed_as_seen(const struct telling *telling)
{
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct tale_packet *fin = finding_segment(telling, side, STORY_FIN);
        const struct tale_packet *other = finding_segment(telling, !side, STORY_FIN);
        if (!fin || !other || fin->verdict.class == CONN_AGAIN) return false;
        uint32_t end = other->segment->seq_absolute + other->segment->length_bytes + 1;
        if (!seq_before(fin->segment->ack_absolute, end)) return false;
    }
    return true;
}

static void find_both_close(struct telling *telling)
{
    const struct tale_state *closing = finding_state(telling, -1, STATE_CLOSING);
    if (!closing || telling->flow->to_itself || !crossed_as_seen(telling)) return;
    const struct tale_packet *fin[STORY_SIDES];
    for (size_t side = 0; side < STORY_SIDES; side++) fin[side] = finding_segment(telling, (int)side, STORY_FIN);
    uint32_t proof[3] = {fin[0] ? fin[0]->step : STORY_NO_STEP, fin[1] ? fin[1]->step : STORY_NO_STEP,
                         finding_state_step(telling, closing)};
    bool both_wait = true, both_cross = true;
    for (int side = 0; side < STORY_SIDES; side++) {
        if (telling_fin_never_came(telling, (enum story_side)side)) return; /* it may have been lost, and not crossed */
        both_wait = both_wait && finding_state(telling, side, STATE_TIME_WAIT);
        both_cross = both_cross && finding_state(telling, side, STATE_CLOSING);
    }
    finding_add(telling, "simultaneous-close", "note",
                telling_printf(telling, "simultaneous close: both ends sent a FIN before the other's came, so %s",
                               both_wait && both_cross ? tr("both pass through CLOSING and both hold TIME_WAIT")
                               : both_cross            ? tr("both pass through CLOSING")
                               : closing->story->side == STORY_CLIENT
                                   ? tr("the client, whose own was not acknowledged yet, passes through CLOSING")
                                   : tr("the server, whose own was not acknowledged yet, passes through CLOSING")),
                FINDING_PROOF(proof));
}

/* The end of TIME_WAIT at this end, seen from the step at which it begins: STORY_NO_STEP where it lasts to the end of the story. */
static bool is_in_time_wait(const struct telling *telling, enum story_side side, uint32_t step)
{
    const struct tale_state *entered = finding_state(telling, (int)side, STATE_TIME_WAIT);
    if (!entered || finding_state_step(telling, entered) > step) return false;
    return finding_state_before(telling, side, step) == STATE_TIME_WAIT;
}

static int64_t entered_ns(const struct telling *telling, enum story_side side)
{
    return telling->story->steps[finding_state_step(telling, finding_state(telling, (int)side, STATE_TIME_WAIT))].t_ns;
}

/* TIME_WAIT exists for this: the last ACK was lost, the FIN comes again and is answered. */
static void find_time_wait_answer(struct telling *telling)
{
    if (!finding_state(telling, -1, STATE_TIME_WAIT)) return;
    for (size_t i = 0, asked = 0; i < telling->packet_count; i++) {
        const struct tale_packet *ack = &telling->packets[i];
        static const size_t ASKED_MAX = 64; /* each question goes through the story */
        if (!finding_is(ack, -1, STORY_ACK) || ack->cause->kind != CAUSE_SEGMENT) continue;
        const struct story_step *by = &telling->story->steps[ack->cause->step];
        if (by->kind != STEP_SEGMENT || !(by->segment->flags & TCP_FIN) || !(by->segment->retransmission || by->segment->copy))
            continue;
        if (ack->verdict.class == CONN_ACK) continue; /* the first: nothing had been lost of it */
        if (asked++ == ASKED_MAX) return;
        if (!is_in_time_wait(telling, ack->side, ack->step)) continue;
        uint32_t proof[2] = {ack->cause->step, ack->step};
        finding_add(telling, "time-wait-answers", "note",
                    telling_printf(telling,
                                   "TIME_WAIT at work: the FIN came again, and the %s, done with the connection %s before, could "
                                   "still acknowledge it",
                                   story_side_word(ack->side),
                                   finding_time(telling, ack->sent_ns - entered_ns(telling, ack->side))),
                    FINDING_PROOF(proof));
        return;
    }
}

/* New data that reaches an end after its FIN, and the ACK with which that end takes it, if there is one. */
static const struct tale_packet *data_after(const struct telling *telling, const struct tale_packet *fin,
                                            const struct tale_packet **ret_ack)
{
    const struct tale_packet *data = NULL;
    for (const struct tale_packet *at = fin + 1; at < telling->packets + telling->packet_count; at++) {
        if (!at->segment) continue;
        if (!data && finding_is_own(at, finding_other(fin->side)) && at->segment->length_bytes && !at->segment->retransmission &&
            at->sent_ns > finding_arrival_ns(fin))
            data = at;
        if (!data || at->side != fin->side || at->sent_ns < finding_arrival_ns(data)) continue;
        if (at->segment->kind == STORY_RST) return NULL; /* it was closed, not half-closed */
        uint32_t end = data->segment->seq_absolute + data->segment->length_bytes;
        if (at->segment->flags & TCP_ACK && !seq_before(at->segment->ack_absolute, end)) {
            *ret_ack = at;
            return data;
        }
    }
    return data;
}

/* One direction ended, the other went on: shutdown(SHUT_WR), where its call is known; else what only such a socket does. */
static void find_half_close(struct telling *telling)
{
    for (size_t side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        const struct tale_packet *fin = finding_segment(telling, (int)side, STORY_FIN), *ack = NULL;
        const struct tale_packet *data = fin ? data_after(telling, fin, &ack) : NULL;
        if (!data) continue;
        const struct tale_call *call = finding_call_at(telling, fin->cause->kind == CAUSE_CALL ? fin->cause->step : STORY_NO_STEP);
        bool shut = call && call->call->traits & CALL_SHUTS_DOWN;
        if ((call && !shut) || (shut && call->call->how != SHUT_WR)) continue; /* the kernel alone took it; nobody will read it */
        /* On the wire alone, it was sent knowing of the FIN, and taken. Where a segment is recorded once, as it left, nobody knows
         * when the FIN came, if not by that. */
        bool knew = data->segment->flags & TCP_ACK &&
                    seq_at_or_before(fin->segment->seq_absolute + fin->segment->length_bytes + 1, data->segment->ack_absolute);
        if (!knew && (!shut || telling->teller->course_only)) continue;
        if (!shut && !ack) continue;
        uint32_t proof[4] = {shut ? fin->cause->step : STORY_NO_STEP, fin->step, data->step, ack ? ack->step : STORY_NO_STEP};
        const char *name = story_side_word((enum story_side)side), *other = story_side_word(finding_other((enum story_side)side));
        finding_add(
            telling, "half-close", "note",
            shut ? telling_printf(
                       telling,
                       "half-close: after shutdown(SHUT_WR) the %s sends no more, but it still receives, and the %s went on "
                       "sending",
                       name, other)
                 : telling_printf(telling,
                                  "half-close: after its FIN the %s sends no more, but it still took what the %s sent (as after "
                                  "shutdown(SHUT_WR))",
                                  name, other),
            FINDING_PROOF(proof));
        return;
    }
}

static void find_closed_by_exec(struct telling *telling)
{
    for (const struct tale_packet *fin = NULL; (fin = finding_next(telling, fin, -1, STORY_FIN));) {
        if (fin->cause->kind != CAUSE_CALL || !fin->cause->name || !(call_traits(fin->cause->name) & CALL_RUNS)) continue;
        uint32_t proof[2] = {fin->cause->step, fin->step};
        finding_add(
            telling, "closed-by-exec", "note",
            "the descriptor had FD_CLOEXEC, so starting another program closed it: the FIN is execve()'s, no close() was called",
            FINDING_PROOF(proof));
        return;
    }
}

/* What the peer had sent last, after which this end sent nothing but its end (`last`): NULL where this end had the last word. */
static const struct tale_packet *unanswered_before(const struct telling *telling, const struct tale_packet *last)
{
    const struct tale_packet *question = NULL;
    for (const struct tale_packet *at = telling->packets; at <= last; at++) {
        if (!at->segment || !at->segment->length_bytes || at->segment->retransmission || at->segment->copy) continue;
        if (at->sent_ns > last->sent_ns) break;
        question = at->side == last->side ? NULL : at;
    }
    return question && finding_arrival_ns(question) <= last->sent_ns ? question : NULL;
}

static void find_killed(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->cause->kind != CAUSE_EXIT || packet->cause->step == STORY_NO_STEP) continue;
        const struct story_step *step = &telling->story->steps[packet->cause->step];
        if (step->kind != STEP_PROCESS_EXIT || !step->exit->signal) continue;
        const struct tale_packet *question = unanswered_before(telling, packet);
        uint32_t proof[3] = {question ? question->step : STORY_NO_STEP, packet->cause->step, packet->step};
        const char *said = telling_printf(
            telling,
            "%s was killed by %s and called nothing: the kernel closed its sockets, and to the peer this %s looks like any other",
            step->exit->process.comm, step->exit->name, story_label_word(packet->segment));
        if (question)
            said = telling_printf(telling, "%s; what the %s had sent last (#%" PRIu32 ", %s before) was not answered any more",
                                  said, story_side_word(question->side), question->segment->number,
                                  finding_time(telling, packet->sent_ns - question->sent_ns));
        finding_add(telling, "closed-by-signal", question ? "warning" : "note", said, FINDING_PROOF(proof));
        return;
    }
}

/* At the end of the recording nobody holds it, and its FIN is not through. */
static void find_orphan(struct telling *telling)
{
    for (size_t i = 0; i < STORY_SIDES; i++) {
        enum tcp_state state = telling->story->end[i].state;
        if (state != STATE_FIN_WAIT_1 && state != STATE_LAST_ACK && state != STATE_CLOSING && state != STATE_FIN_WAIT_2) continue;
        const struct tale_packet *fin = finding_segment(telling, (int)i, STORY_FIN);
        bool closed =
            fin && (fin->cause->kind == CAUSE_EXIT || (fin->cause->kind == CAUSE_CALL && fin->cause->name &&
                                                       call_traits(fin->cause->name) & (CALL_CLOSES | CALL_CLOSES_RANGE)));
        const struct sock *sock = telling->flow->sock[i];
        bool held = sock && sock->holder_count && fin && fin->cause->evidence < EVIDENCE_STACK; /* a copy is known */
        if (!closed || held) continue;
        uint32_t proof[2] = {fin->cause->step, fin->step};
        finding_add(
            telling, "orphaned-socket", "note",
            telling_printf(telling,
                           "no process holds the %s's socket any more, but the connection is in %s: the kernel alone goes on "
                           "with it (net.ipv4.tcp_orphan_retries, tcp_fin_timeout)",
                           story_side_word((enum story_side)i), tcp_state_name(state)),
            FINDING_PROOF(proof));
    }
}

void findings_close(struct telling *telling)
{
    find_both_close(telling);
    find_half_close(telling);
    findings_held(telling);
    find_time_wait_answer(telling);
    find_closed_by_exec(telling);
    find_killed(telling);
    find_orphan(telling);
}
