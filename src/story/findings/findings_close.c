/* How a connection ends, or fails to: FINs, the last descriptor, CLOSE_WAIT, TIME_WAIT. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/seq.h"

static const int64_t MS_NS = 1000000;

static void find_both_close(struct telling *telling)
{
    const struct tale_state *closing = finding_state(telling, -1, STATE_CLOSING);
    if (!closing || telling->flow->to_itself) return;
    const struct tale_packet *fin[STORY_SIDES];
    for (size_t side = 0; side < STORY_SIDES; side++) fin[side] = finding_segment(telling, (int)side, STORY_FIN);
    uint32_t proof[3] = {fin[0] ? fin[0]->step : STORY_NO_STEP, fin[1] ? fin[1]->step : STORY_NO_STEP,
                         finding_state_step(telling, closing)};
    bool both_wait = true, both_cross = true;
    for (int side = 0; side < STORY_SIDES; side++) {
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

/* The process whose call, or end, sent this, as the kernel's chain shows; NULL: not known. */
static const struct event_thread *ended_by(const struct tale_packet *packet)
{
    const struct story_cause *cause = packet->cause;
    if (!packet->seen->marked || cause->evidence != EVIDENCE_STACK) return NULL;
    bool is_shown = cause->kind == CAUSE_EXIT || (cause->kind == CAUSE_CALL && packet->chain.meaning == CHAIN_CALL);
    return is_shown && packet->seen->context.current.pid ? &packet->seen->context.current : NULL;
}

static bool sent_its_end(const struct telling *telling, const struct tale_call *close)
{
    static const int64_t LATER_NS = 5000000; /* an older kernel's close() works on the way back to user space */
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->side != close->story->side || !packet->segment || !(packet->segment->flags & (TCP_FIN | TCP_RST))) continue;
        if (packet->cause->step != STORY_NO_STEP && packet->cause->step != telling_call_step(close)) continue; /* another's */
        const struct event_thread *by = ended_by(packet);
        if (by && by->pid != close->story->pid) continue;
        if (packet->sent_ns >= close->call->enter_ns && packet->sent_ns <= close->call->exit_ns + LATER_NS) return true;
    }
    return false;
}

/* The first close() of this end that left another descriptor behind. */
static const struct tale_call *close_not_last(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story->side == side && tale->call->still.pid && !tale->story->listener && tale->call->ret == 0 &&
            !sent_its_end(telling, tale))
            return tale;
    }
    return NULL;
}

/* A close() that sent nothing, and another process by which the FIN left: it had a descriptor that nobody saw it get. */
static void find_unseen_holder(struct telling *telling, enum story_side side)
{
    const struct tale_packet *fin = finding_segment(telling, (int)side, STORY_FIN);
    const struct event_thread *holder = fin ? ended_by(fin) : NULL;
    for (size_t i = 0; i < telling->call_count && holder; i++) {
        const struct tale_call *tale = &telling->calls[i];
        const struct story_call *call = tale->story;
        if (call->side != side || call->listener || !(call->traits & CALL_CLOSES) || !call->exit_ns || call->ret) continue;
        if (call->pid == holder->pid || call->exit_ns > fin->sent_ns || sent_its_end(telling, tale)) continue;
        uint32_t proof[2] = {call->exit_step, fin->step};
        finding_add(
            telling, "close-not-last", "note",
            telling_printf(telling,
                           "close(%d) of %s[%d] sent nothing: %s[%d] had a descriptor of the same socket, too, and nobody saw "
                           "how it came by that (SCM_RIGHTS, or before recording); the FIN left %s later, with that one",
                           call->fd, call->comm, call->pid, holder->comm, holder->pid,
                           finding_time(telling, fin->sent_ns - call->exit_ns)),
            FINDING_PROOF(proof));
        return;
    }
}

/* What made the copy; NULL: nobody saw that. */
static const char *copied_by(const struct call *close)
{
    static const char *const calls[] = {
        [HOLDER_MADE_FIRST] = NULL, [HOLDER_MADE_DUP] = "dup", [HOLDER_MADE_FORK] = "fork", [HOLDER_MADE_TAKEN] = "pidfd_getfd"};
    return calls[close->copied];
}

/* Who closed has another descriptor. */
static const char *still_its_own(struct telling *telling, const struct story_call *close, const struct holder *still,
                                 const char *by)
{
    if (!by)
        return telling_printf(telling,
                              "close(%d) of %s[%d] sent nothing: it still holds the same socket as descriptor %d (nobody saw how "
                              "the copy was made); a FIN goes out with the last descriptor only",
                              close->fd, close->comm, close->pid, still->fd);
    return telling_printf(telling,
                          "close(%d) of %s[%d] sent nothing: it still holds the same socket as descriptor %d (a copy made by "
                          "%s()); a FIN goes out with the last descriptor only",
                          close->fd, close->comm, close->pid, still->fd, by);
}

static const char *still_anothers(struct telling *telling, const struct story_call *close, const struct holder *still,
                                  const char *by)
{
    if (!by)
        return telling_printf(telling,
                              "close(%d) of %s[%d] sent nothing: %s[%d] still holds the same socket as descriptor %d (nobody saw "
                              "how the copy was made: SCM_RIGHTS, or before recording); a FIN goes out with the last descriptor "
                              "only",
                              close->fd, close->comm, close->pid, still->comm, still->pid, still->fd);
    return telling_printf(telling,
                          "close(%d) of %s[%d] sent nothing: %s[%d] still holds the same socket as descriptor %d (a copy made by "
                          "%s()); a FIN goes out with the last descriptor only",
                          close->fd, close->comm, close->pid, still->comm, still->pid, still->fd, by);
}

static void find_last_descriptor(struct telling *telling)
{
    for (size_t i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        const struct tale_call *tale = close_not_last(telling, side);
        if (!tale) find_unseen_holder(telling, side);
        if (!tale) continue;
        const struct story_call *close = tale->story;
        const struct holder *still = &tale->call->still;
        const char *by = copied_by(tale->call);
        uint32_t proof[1] = {close->exit_step};
        finding_add(telling, "close-not-last", "note",
                    still->pid == tale->call->thread.pid ? still_its_own(telling, close, still, by)
                                                         : still_anothers(telling, close, still, by),
                    FINDING_PROOF(proof));
    }
}

/* " (and worker[12] as 7, worker[13] as 7)"; "" where nobody else holds it. */
static const char *other_holders(struct telling *telling, const struct sock *sock, const struct holder *holder)
{
    enum { NAMED = 3 };
    const char *list = "";
    size_t named = 0, more = 0;
    for (size_t i = 0; sock && i < sock->holder_count; i++) {
        const struct holder *other = &sock->holders[i];
        if (other->pid == holder->pid && other->fd == holder->fd) continue;
        if (named == NAMED) {
            more++;
            continue;
        }
        list = telling_printf(telling, "%s%s%s[%d] as %d", list, named++ ? ", " : "", other->comm, other->pid, other->fd);
    }
    if (!named) return "";
    return more ? telling_printf(telling, " (and %s and %zu more)", list, more) : telling_printf(telling, " (and %s)", list);
}

/* CLOSE_WAIT is left by this host's own close() alone: one that lasts is a descriptor that somebody forgot. */
static void find_close_wait(struct telling *telling)
{
    for (size_t i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        const struct tale_state *entered = finding_state(telling, (int)side, STATE_CLOSE_WAIT);
        if (!entered) continue;
        uint32_t from = finding_state_step(telling, entered);
        if (from == STORY_NO_STEP) continue;
        bool still = telling->story->end[side].state == STATE_CLOSE_WAIT;
        const struct tale_packet *fin = finding_segment(telling, (int)side, STORY_FIN);
        bool by_exit = fin && fin->cause->kind == CAUSE_EXIT;
        const struct tale_call *call = close_not_last(telling, side);
        const struct sock *sock = telling->flow->sock[side];
        const struct holder *holder = call ? &call->call->still : still && sock && sock->holder_count ? &sock->holders[0] : NULL;
        /* A process that simply had no time to close yet is not a leak: somebody has closed a copy, or the peer waited long. */
        static const int64_t LEAK_NS = 1000000000;
        int64_t until_ns = still ? telling->now_ns : by_exit ? fin->sent_ns : 0;
        int64_t lasted_ns = until_ns - telling->story->steps[from].t_ns;
        if (!holder || !until_ns || (!call && lasted_ns < LEAK_NS)) continue;
        const char *others = other_holders(telling, still ? sock : NULL, holder);
        uint32_t proof[3] = {from, call ? call->story->exit_step : STORY_NO_STEP, by_exit ? fin->step : STORY_NO_STEP};
        finding_add(telling, "close-wait-leak", "error",
                    telling_printf(
                        telling,
                        !still ? tr("the %s stayed in CLOSE_WAIT for %" PRId64
                                    " ms after the peer's FIN: %s[%d] holds the socket as descriptor %d%s and never closed it (its "
                                    "end did, at last); no timer ends CLOSE_WAIT, close() that descriptor too")
                        : telling->so_far
                            ? tr("the %s stays in CLOSE_WAIT for %" PRId64
                                 " ms after the peer's FIN: %s[%d] holds the socket as descriptor %d%s and has not closed it so "
                                 "far; no timer ends CLOSE_WAIT, close() that descriptor too")
                            : tr("the %s stays in CLOSE_WAIT for %" PRId64
                                 " ms after the peer's FIN: %s[%d] holds the socket as descriptor %d%s and never closed it; no "
                                 "timer ends CLOSE_WAIT, close() that descriptor too"),
                        story_side_word(side), lasted_ns / MS_NS, holder->comm, holder->pid, holder->fd, others),
                    FINDING_PROOF(proof));
    }
}

/* Where no call is recorded: the peer has ended its direction, and this end neither sends nor closes as long as the capture lasts.
 */
static void find_idle_close_wait(struct telling *telling)
{
    enum story_side missing;
    if (finding_is_one_way(telling, &missing) || telling->flow->succeeded) return;
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct tale_state *entered = finding_state(telling, side, STATE_CLOSE_WAIT);
        if (!entered || telling->story->end[side].state != STATE_CLOSE_WAIT || telling->flow->sock[side]) continue;
        const struct tale_packet *last = NULL,
                                 *fin = finding_segment(telling, (int)finding_other((enum story_side)side), STORY_FIN);
        for (size_t i = 0; i < telling->packet_count; i++)
            if (finding_is_own(&telling->packets[i], (enum story_side)side)) last = &telling->packets[i];
        static const int64_t IDLE_NS = 1000000000;
        if (!last || !fin || last->sent_ns < fin->sent_ns || telling->now_ns - last->sent_ns < IDLE_NS) continue;
        uint32_t proof[3] = {fin->step, finding_state_step(telling, entered), last->step};
        finding_add(telling, "close-wait-idle", "warning",
                    telling_printf(telling,
                                   "the %s ended its direction (FIN #%" PRIu32
                                   "), and the %s acknowledged that and then neither sent anything nor "
                                   "closed for %s, %s: its process has not called close() in that time. No timer ends "
                                   "CLOSE_WAIT; look for a descriptor that nobody closes after reading the end of the stream",
                                   story_side_word(fin->side), fin->segment->number, story_side_word((enum story_side)side),
                                   finding_time(telling, telling->now_ns - last->sent_ns),
                                   telling->so_far ? tr("so far") : tr("as long as was captured")),
                    FINDING_PROOF(proof));
    }
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
        /* On the wire alone: it was sent knowing of the FIN, and taken. */
        if (!shut &&
            (!ack || !(data->segment->flags & TCP_ACK) || data->segment->ack < fin->segment->seq + fin->segment->length_bytes + 1))
            continue;
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

static void find_killed(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->cause->kind != CAUSE_EXIT || packet->cause->step == STORY_NO_STEP) continue;
        const struct story_step *step = &telling->story->steps[packet->cause->step];
        if (step->kind != STEP_PROCESS_EXIT || !step->exit->signal) continue;
        uint32_t proof[2] = {packet->cause->step, packet->step};
        finding_add(
            telling, "closed-by-signal", "note",
            telling_printf(telling,
                           "%s was killed by %s and called nothing: the kernel closed its sockets, and to the peer this %s looks "
                           "like any other",
                           step->exit->process.comm, step->exit->name, story_label_word(packet->segment)),
            FINDING_PROOF(proof));
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
        if (!closed) continue;
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
    find_last_descriptor(telling);
    find_close_wait(telling);
    find_idle_close_wait(telling);
    find_time_wait_answer(telling);
    find_closed_by_exec(telling);
    find_killed(telling);
    find_orphan(telling);
}
