/* Connections that ended with a RST, and what the processes saw of it. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/seq.h"

/* Of one id the first is kept: a stream of resets is not gone through again and again. */
enum { RESETS_MAX = 64 };

static const char *number_text(struct telling *telling, const struct tale_packet *packet)
{
    return telling_printf(telling, "%s #%" PRIu32, story_label_word(packet->segment), packet->segment->number);
}

/* A RST that a call of its own end sent: close() in one of its abrupt forms, or connect(AF_UNSPEC). */
static void find_reset_by_call(struct telling *telling, const struct tale_packet *reset)
{
    const struct tale_call *call = finding_call_at(telling, reset->cause->step);
    uint32_t proof[2] = {reset->cause->step, reset->step};
    bool on_listener = call && call->story->listener && call->call->traits & (CALL_CLOSES | CALL_SHUTS_DOWN);
    if (reset->chain.notes & CHAIN_LISTEN_STOP || on_listener) {
        finding_add(
            telling, "closed-listener", "warning",
            call && call->call->traits & CALL_SHUTS_DOWN
                ? tr("the listening socket was shut down while this connection waited in its accept queue: the kernel reset it; "
                     "accept() what has come, and only then close the listener (shutdown() of it resets what waits, too)")
                : tr("the listening socket was closed while this connection waited in its accept queue: the kernel reset it; "
                     "accept() what has come, and only then close the listener (shutdown() of it resets what waits, too)"),
            FINDING_PROOF(proof));
        return;
    }
    if (!call) return;
    if (call->call->traits & CALL_CONNECTS) {
        finding_add(telling, "reset-by-disconnect", "note",
                    "connect() with AF_UNSPEC dissolved the connection: the socket can be used again, and the peer got a RST",
                    FINDING_PROOF(proof));
        return;
    }
    uint32_t option_step = STORY_NO_STEP;
    bool lingers = telling_option(telling, reset->side, SOL_SOCKET, SO_LINGER, &option_step) == 1;
    for (size_t i = 0; lingers && i < telling->call_count; i++) {
        const struct call *set = telling->calls[i].call;
        if (telling->calls[i].story->exit_step == option_step && set->value[1] != 0) lingers = false;
    }
    /* tcp_disconnect() alone is the abort of SO_LINGER 0; with unread data __tcp_close() sends the RST itself. */
    if (lingers && (!reset->seen->context.chain || reset->chain.notes & CHAIN_DISCONNECT)) {
        uint32_t with_option[3] = {reset->cause->step, reset->step, option_step};
        finding_add(
            telling, "linger-zero", "warning",
            telling_printf(telling,
                           "%s() sent RST, not FIN: SO_LINGER with timeout 0 asks for an abort; what the peer had not read yet "
                           "may be lost, and there is no TIME_WAIT that keeps old segments out",
                           call->story->name),
            FINDING_PROOF(with_option));
        return;
    }
    if (!call->call->unread_bytes) return;
    finding_add(
        telling, "reset-unread-data", "warning",
        telling_printf(telling,
                       ntr("%s() sent RST, not FIN: %u received byte was never read; shutdown(SHUT_WR), read until that returns 0, "
                           "and then close()",
                           "%s() sent RST, not FIN: %u received bytes were never read; shutdown(SHUT_WR), read until that returns "
                           "0, and then close()",
                           call->call->unread_bytes),
                       call->story->name, call->call->unread_bytes),
        FINDING_PROOF(proof));
}

/* Before this RST its end had sent a FIN. */
static const struct tale_packet *fin_before(const struct telling *telling, const struct tale_packet *reset)
{
    for (const struct tale_packet *packet = telling->packets; packet < reset; packet++)
        if (finding_is_own(packet, reset->side) && packet->segment->flags & TCP_FIN) return packet;
    return NULL;
}

static const struct tale_packet *lost_reset_before(const struct telling *telling, const struct tale_packet *reset)
{
    for (const struct tale_packet *packet = telling->packets; packet < reset; packet++)
        if (finding_is_own(packet, reset->side) && packet->segment->kind == STORY_RST && telling_is_lost(telling, packet))
            return packet;
    return NULL;
}

/* The segment that this RST answers: its cause, where the kernel showed it; else the one of the other end that came last before it
 * with the ACK number that it carries (RFC 9293 section 3.10.7.1). NULL: not known. */
static const struct tale_packet *answered_by(const struct telling *telling, const struct tale_packet *reset)
{
    bool shown = reset->cause->kind == CAUSE_SEGMENT && reset->cause->evidence > EVIDENCE_RULE;
    bool numbered = !shown && (reset->cause->kind == CAUSE_UNKNOWN || reset->cause->kind == CAUSE_SEGMENT);
    const struct tale_packet *found = NULL;
    for (const struct tale_packet *packet = telling->packets; packet < reset; packet++) {
        if (!packet->segment || packet->side == reset->side || packet->segment->flags & TCP_RST) continue;
        if (shown && packet->step == reset->cause->step) return packet;
        if (!numbered || reset->segment->flags & TCP_ACK || !(packet->segment->flags & TCP_ACK)) continue;
        if (packet->segment->ack_absolute != reset->segment->seq_absolute || telling_is_untaken(telling, packet)) continue;
        if (finding_arrival_ns(packet) > reset->sent_ns || (found && finding_arrival_ns(packet) < finding_arrival_ns(found)))
            continue;
        found = packet;
    }
    return found;
}

/* An orphan's wait for the FIN was over: the kernel was seen to end it, or so long had passed that it must have (a second is the
 * least that net.ipv4.tcp_fin_timeout and TCP_LINGER2 can say). */
static bool timed_out_in_fin_wait_2(const struct telling *telling, enum story_side side, const struct tale_packet *fin)
{
    static const int64_t LEAST_NS = 1000000000;
    const struct tale_state *entered = finding_state(telling, (int)side, STATE_FIN_WAIT_2);
    uint32_t step = entered ? finding_state_step(telling, entered) : STORY_NO_STEP;
    if (step == STORY_NO_STEP) return false;
    int64_t waited_ns = finding_arrival_ns(fin) - telling->story->steps[step].t_ns;
    for (size_t i = 0; i < telling->state_count; i++)
        if (telling->states[i].timer && strcmp(telling->states[i].timer, FIN_WAIT_2_TIMER) == 0 &&
            telling->states[i].story->side == side)
            return telling->states[i].timer_ran || waited_ns >= LEAST_NS;
    return false;
}

/* Data that came to a closed end with, or shortly before, what the RST was found to answer, under the same ACK number: the first
 * RST answers the first of them. NULL: none. */
static const struct tale_packet *first_data_answered(const struct tale_packet *fin, const struct tale_packet *by)
{
    for (const struct tale_packet *at = fin + 1; at <= by; at++)
        if (at->segment && at->side == by->side && at->segment->length_bytes && at->segment->kind != STORY_RST &&
            at->segment->ack_absolute == by->segment->ack_absolute && finding_arrival_ns(at) > fin->sent_ns)
            return at;
    return NULL;
}

/* This end had acknowledged all of it when it came: it was sent again meanwhile, and that was taken. */
static bool was_taken_before(const struct tale_packet *data, const struct tale_packet *reset)
{
    uint32_t end = data->segment->seq_absolute + data->segment->length_bytes;
    for (const struct tale_packet *at = data + 1; at < reset; at++)
        if (finding_is_own(at, reset->side) && at->segment->flags & TCP_ACK && !seq_before(at->segment->ack_absolute, end) &&
            at->sent_ns < finding_arrival_ns(data))
            return true;
    return false;
}

/* This end has acknowledged all of it before that RST: it was taken, and the RST answers something else. */
static bool was_acknowledged(const struct tale_packet *data, const struct tale_packet *reset)
{
    uint32_t end = data->segment->seq_absolute + data->segment->length_bytes;
    for (const struct tale_packet *at = data + 1; at < reset; at++)
        if (finding_is_own(at, reset->side) && at->segment->flags & TCP_ACK && !seq_before(at->segment->ack_absolute, end))
            return true;
    return false;
}

/* What left later than a round trip behind the FIN did not cross it: that was lost on its way, or came late. */
static bool fin_was_missed(const struct telling *telling, const struct tale_packet *fin, const struct tale_packet *data)
{
    static const int64_t ROUND_UNKNOWN_NS = 1000000000, DISORDER_NS = 3000000;
    int64_t rounds_ns = telling->conn.flags & CONN_TIMED ? 2 * (int64_t)telling->conn.round_us * 1024 : ROUND_UNKNOWN_NS;
    if (rounds_ns < DISORDER_NS) rounds_ns = DISORDER_NS;
    return telling_is_lost(telling, fin) || data->sent_ns - fin->sent_ns > rounds_ns;
}

/* Data for a socket that its process had closed. Its ACK number tells whether its sender had had the FIN. */
static void find_late_data(struct telling *telling, const struct tale_packet *reset, const struct tale_packet *data,
                           const struct tale_packet *fin)
{
    uint32_t end = fin->segment->seq_absolute + fin->segment->length_bytes + 1;
    const char *writer = story_side_word(data->side), *closer = story_side_word(reset->side);
    uint32_t proof[3] = {fin->step, data->step, reset->step};
    if (data->segment->ack_absolute == end)
        finding_add(
            telling, "reset-late-data", "warning",
            telling_printf(
                telling,
                "data reached a socket that was closed already, so the kernel answered with RST: the FIN of the %s had come %s "
                "before, and the kernel of the %s knew (#%" PRIu32 " acknowledges it). A read there would have returned 0: look "
                "before writing on a connection that was idle, and open a new one",
                closer, finding_time(telling, data->sent_ns - finding_arrival_ns(fin)), writer, data->segment->number),
            FINDING_PROOF(proof));
    else if (fin_was_missed(telling, fin, data))
        finding_add(
            telling, "reset-crossed", "warning",
            telling_printf(telling,
                           "the %s's FIN (#%" PRIu32 ") had not come when the %s sent data (#%" PRIu32
                           ") %s later, which does not acknowledge it: the FIN was lost on its way, or late. So the %s could "
                           "not know, and its data met a closed socket and was answered with RST; nobody read it. Send it "
                           "again on a new connection",
                           closer, fin->segment->number, writer, data->segment->number,
                           finding_time(telling, data->sent_ns - fin->sent_ns), writer),
            FINDING_PROOF(proof));
    else
        finding_add(
            telling, "reset-crossed", "warning",
            telling_printf(
                telling,
                "the %s's FIN (#%" PRIu32 ") and the %s's data (#%" PRIu32 ") crossed: that data does not acknowledge the "
                "FIN, so the %s could not know, and its data met a closed socket and was answered with RST; nobody read it. "
                "Send it again on a new connection, and let the %s close idle connections first",
                closer, fin->segment->number, writer, data->segment->number, writer, writer),
            FINDING_PROOF(proof));
}

/* A RST that answers a segment: this host has no such connection, any more or at all. */
static void find_reset_by_segment(struct telling *telling, const struct tale_packet *reset)
{
    const struct tale_packet *by = answered_by(telling, reset);
    if (!by || by->segment->flags & TCP_SYN) return;
    const struct tale_packet *fin = fin_before(telling, reset), *gone = lost_reset_before(telling, reset);
    const struct tale_packet *data = fin ? first_data_answered(fin, by) : NULL;
    if (fin && !data && by->segment->length_bytes) data = by; /* sent before the FIN came: they crossed */
    uint32_t proof[2] = {by->step, reset->step};
    if (gone && !fin) {
        uint32_t with_gone[3] = {by->step, reset->step, gone->step};
        finding_add(
            telling, "half-open-rst", "error",
            telling_printf(telling,
                           "half-open connection: the %s had ended it with RST #%" PRIu32 ", which was lost on the way, so the "
                           "next segment of the %s was answered with RST",
                           story_side_word(reset->side), gone->segment->number, story_side_word(finding_other(reset->side))),
            FINDING_PROOF(with_gone));
    } else if (by->segment->flags & TCP_FIN && !data && timed_out_in_fin_wait_2(telling, reset->side, by))
        finding_add(
            telling, "fin-wait-2-timeout", "warning",
            telling_printf(telling,
                           "the FIN came too late: nobody held the %s's socket any more, and the kernel keeps such an orphan in "
                           "FIN_WAIT_2 for a while only (net.ipv4.tcp_fin_timeout, or TCP_LINGER2); what came after that was "
                           "answered with RST",
                           story_side_word(reset->side)),
            FINDING_PROOF(proof));
    else if (by->segment->length_bytes && fin && was_taken_before(by, reset))
        finding_add(
            telling, "reset-old-duplicate", "note",
            telling_printf(telling,
                           "#%" PRIu32
                           " came late, when what it carries had been sent again and taken and the connection was over: the "
                           "%s's kernel knew of none and answered with RST. Nothing was lost",
                           by->segment->number, story_side_word(reset->side)),
            FINDING_PROOF(proof));
    else if (data && !was_acknowledged(data, reset))
        find_late_data(telling, reset, data, fin);
}

static const char *why_assassinated(const struct telling *telling, const struct tale_packet *reset)
{
    const struct tale_packet *by = NULL;
    for (const struct tale_packet *at = telling->packets; at < reset && reset->cause->kind == CAUSE_SEGMENT; at++)
        if (at->segment && at->step == reset->cause->step) by = at;
    if (!by && reset->segment->flags & TCP_ACK) return tr("the peer aborted after both FINs had come");
    if (!by || by->segment->length_bytes || by->segment->flags & TCP_FIN)
        return tr("the peer, which knew nothing of the connection any more, answered something with it");
    if (by->verdict.class == CONN_ACK)
        return tr("the ACK of the peer's FIN was answered with RST, since the peer had forgotten the connection by then");
    return tr("an old segment was answered by TIME_WAIT's ACK, and the peer, which knows nothing any more, answered that with RST");
}

static void find_assassination(struct telling *telling)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct story_state *state = telling->states[i].story;
        if (state->kernel || state->from_state != STATE_TIME_WAIT || state->to_state != STATE_CLOSED) continue;
        if (telling->states[i].packet == STORY_NO_STEP) continue;
        const struct tale_packet *reset = &telling->packets[telling->states[i].packet];
        if (!(reset->segment->flags & TCP_RST) || reset->side == state->side) continue; /* by its own: nobody held it */
        bool shown = state->cause.evidence > EVIDENCE_RULE;
        if (!shown && telling_sees_timers(telling)) continue; /* it changed nothing: net.ipv4.tcp_rfc1337 */
        bool took =
            telling->conn.flags & CONN_TWO_PLACES || telling->flow->sequel || telling_acknowledged_fin(telling, state->side);
        if (!shown && !took) continue; /* from one place a FIN that nobody acknowledged may not have got there */
        uint32_t proof[2] = {reset->cause->step, reset->step};
        finding_add(telling, "time-wait-assassination", "warning",
                    telling_printf(telling,
                                   shown ? tr("a RST ended the TIME_WAIT of the %s early (RFC 1337): %s; net.ipv4.tcp_rfc1337=1 "
                                              "ignores it")
                                         : tr("a RST ends the TIME_WAIT of the %s early (RFC 1337): %s; not on a host with "
                                              "net.ipv4.tcp_rfc1337=1, which ignores it"),
                                   story_side_word(state->side), why_assassinated(telling, reset)),
                    FINDING_PROOF(proof));
        return;
    }
}

/* This end had ended its own direction by then: then EPIPE is that, whatever the peer did. */
static const struct tale_call *shut_before(const struct telling *telling, enum story_side side, int64_t at_ns)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story->side == side && !tale->story->listener && tale->call->traits & CALL_SHUTS_DOWN && tale->call->exited &&
            tale->call->ret == 0 && tale->call->how != SHUT_RD && tale->call->exit_ns <= at_ns)
            return tale;
    }
    return NULL;
}

/* What a process got to see of a RST: ECONNRESET once, then EPIPE. */
static void find_broken_pipe(struct telling *telling)
{
    for (size_t side = 0; side < STORY_SIDES; side++) {
        const struct tale_call *call = finding_call(telling, (int)side, 0, -EPIPE);
        if (!call || call->story->exit_step == STORY_NO_STEP) continue;
        const struct tale_call *shut = shut_before(telling, (enum story_side)side, call->story->exit_ns);
        if (shut) {
            uint32_t proof[2] = {shut->story->exit_step, call->story->exit_step};
            finding_add(telling, "epipe-after-shutdown", "error",
                        telling_printf(
                            telling, "%s() failed with EPIPE because %s[%d] itself had said with shutdown() that it sends no more",
                            call->story->name, shut->story->comm, shut->story->pid),
                        FINDING_PROOF(proof));
            continue;
        }
        const struct tale_packet *reset = finding_segment(telling, (int)finding_other((enum story_side)side), STORY_RST);
        while (reset && telling_is_untaken(telling, reset)) reset = finding_next(telling, reset, (int)reset->side, STORY_RST);
        if (!reset || finding_arrival_ns(reset) > call->story->exit_ns) continue;
        uint32_t proof[2] = {reset->step, call->story->exit_step};
        finding_add(
            telling, "epipe-after-rst", "error",
            telling_printf(telling,
                           "%s() failed with EPIPE because the %s had come before: the connection was gone already when it was "
                           "called, and nothing was sent; the call before it may have seemed to work",
                           call->story->name, number_text(telling, reset)),
            FINDING_PROOF(proof));
        return;
    }
}

/* tcp_abort() sent it, for somebody who asked the kernel to (sock_diag's SOCK_DESTROY, a BPF program): no call of the connection's
 * own processes. */
static void find_destroyed(struct telling *telling, const struct tale_packet *reset)
{
    if (!reset->cause->name || strcmp(reset->cause->name, CHAIN_DESTROYED) != 0) return;
    const struct tale_call *aborted = finding_call(telling, (int)reset->side, 0, -ECONNABORTED);
    uint32_t proof[2] = {reset->step, aborted ? aborted->story->exit_step : STORY_NO_STEP};
    finding_add(
        telling, "destroyed-from-outside", "error",
        telling_printf(telling,
                       "neither end ended this connection: somebody with CAP_NET_ADMIN on the %s's host destroyed it (as ss -K "
                       "does), and the kernel sent RST #%" PRIu32 "%s; look for what cleans up connections there",
                       story_side_word(reset->side), reset->segment->number,
                       aborted ? telling_printf(telling, "; %s() of %s[%d] failed with ECONNABORTED", aborted->story->name,
                                                aborted->story->comm, aborted->story->pid)
                               : ""),
        FINDING_PROOF(proof));
}

/* A process that held it last ended, and called nothing: its kernel closed the socket, and says why it aborts (Linux 6.10). */
static void find_reset_by_exit(struct telling *telling, const struct tale_packet *reset)
{
    const struct event_thread *who = &reset->seen->context.current; /* in do_exit(), by the chain */
    const struct story_step *step = reset->cause->step == STORY_NO_STEP ? NULL : &telling->story->steps[reset->cause->step];
    if (!reset->segment->reset_reason || strcmp(reset->segment->reset_reason, "TCP_ABORT_ON_CLOSE") != 0 || !who->pid) return;
    if (step && step->kind == STEP_PROCESS_EXIT && step->exit->signal) return; /* a signal is told by itself */
    finding_add(telling, "reset-unread-data", "warning",
                telling_printf(telling,
                               "%s[%d] ended while received data lay unread in its socket: its kernel sent RST, not FIN, and what "
                               "was under way to the peer may be lost; read until that returns 0 before it ends",
                               who->comm, who->pid),
                (const uint32_t[]){reset->cause->step, reset->step}, 2);
}

/* A rule refused a segment of a connection that stood, in the other end's name. */
static void find_reset_by_rule(struct telling *telling, const struct tale_packet *reset)
{
    const char *place = telling_rule_place(telling, reset);
    uint32_t proof[2] = {reset->cause->step, reset->step};
    if (!place) return;
    const char *text =
        telling_printf(telling,
                       "a firewall's rule on %s made RST #%" PRIu32 " in the %s's name, which did not send it and was not told: it "
                       "ended a connection that stood. The rule is newer than that, or its connection tracking has forgotten it; "
                       "look at the rules there (nft list ruleset)",
                       place, reset->segment->number, story_side_word(reset->side));
    finding_add(telling, "reset-by-firewall", "error", text, FINDING_PROOF(proof));
}

void findings_reset(struct telling *telling)
{
    bool refused = telling->story->outcome == OUTCOME_REFUSED;
    for (size_t i = 0, looked = 0; i < telling->packet_count && !refused && looked < RESETS_MAX; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->kind != STORY_RST || packet->seen->copy) continue;
        looked++;
        if (packet->cause->kind == CAUSE_CALL) find_reset_by_call(telling, packet);
        if (packet->cause->kind == CAUSE_EXIT) find_reset_by_exit(telling, packet);
        if (packet->cause->kind == CAUSE_KERNEL) find_destroyed(telling, packet);
        if (packet->cause->kind == CAUSE_KERNEL) find_reset_by_rule(telling, packet);
        find_reset_by_segment(telling, packet);
    }
    find_assassination(telling);
    find_broken_pipe(telling);
}
