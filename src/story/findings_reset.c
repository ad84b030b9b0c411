/* Connections that ended with a RST, and what the processes saw of it. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "story/findings.h"

static const char *number_text(struct telling *telling, const struct tale_packet *packet)
{
    return telling_printf(telling, "%s #%" PRIu32, packet->segment->label, packet->segment->number);
}

/* A RST that a call of its own end sent: close() in one of its abrupt forms, or connect(AF_UNSPEC). */
static void find_reset_by_call(struct telling *telling, const struct tale_packet *reset)
{
    const struct tale_call *call = finding_call_at(telling, reset->cause->step);
    uint32_t proof[3] = {reset->cause->step, reset->step, STORY_NO_STEP};
    if (reset->chain.notes & CHAIN_LISTEN_STOP || (call && call->story->listener && strcmp(call->call->name, "close") == 0)) {
        finding_add(
            telling, "closed-listener", "warning",
            "the listening socket was closed while this connection waited in its accept queue: the kernel reset it; accept() "
            "what has come, or shutdown() in order, before closing the listener",
            proof, 2);
        return;
    }
    if (!call) return;
    if (strcmp(call->call->name, "connect") == 0) {
        finding_add(telling, "reset-by-disconnect", "note",
                    "connect() with AF_UNSPEC dissolved the connection: the socket can be used again, and the peer got a RST",
                    proof, 2);
        return;
    }
    bool lingers = telling_option(telling, reset->side, SOL_SOCKET, SO_LINGER, &proof[2]) == 1;
    for (size_t i = 0; lingers && i < telling->call_count; i++) {
        const struct call *set = telling->calls[i].call;
        if (telling->calls[i].story->exit_step == proof[2] && set->value[1] != 0) lingers = false;
    }
    /* tcp_disconnect() alone is the abort of SO_LINGER 0; with unread data __tcp_close() sends the RST itself. */
    if (lingers && (!reset->seen->context.chain || reset->chain.notes & CHAIN_DISCONNECT)) {
        finding_add(
            telling, "linger-zero", "warning",
            telling_printf(telling,
                           "%s() sent RST, not FIN: SO_LINGER with timeout 0 asks for an abort; what the peer had not read yet "
                           "may be lost, and there is no TIME_WAIT that keeps old segments out",
                           call->story->name),
            proof, 3);
        return;
    }
    if (!call->call->unread_bytes) return;
    finding_add(telling, "reset-unread-data", "warning",
                telling_printf(telling,
                               "%s() sent RST, not FIN: %u received byte%s never read; read until end of file, or shutdown() first",
                               call->story->name, call->call->unread_bytes, call->call->unread_bytes == 1 ? " was" : "s were"),
                proof, 2);
}

/* A RST that answers a segment: this host has no such connection, any more or at all. */
static void find_reset_by_segment(struct telling *telling, const struct tale_packet *reset)
{
    const struct story_step *by = &telling->story->steps[reset->cause->step];
    if (by->kind != STEP_SEGMENT || by->segment->flags & TCP_SYN) return;
    uint32_t proof[3] = {reset->cause->step, reset->step, STORY_NO_STEP};
    bool fin = false, gone = false;
    for (const struct tale_packet *packet = telling->packets; packet < reset; packet++) {
        if (packet->side != reset->side || !packet->segment) continue;
        if (packet->segment->flags & TCP_FIN) fin = true;
        if (packet->segment->flags & TCP_RST && telling_is_lost(telling, packet)) {
            gone = true;
            proof[2] = packet->step;
        }
    }
    bool timed_out = false;
    for (size_t i = 0; i < telling->state_count; i++)
        if (telling->states[i].timer && strcmp(telling->states[i].timer, FIN_WAIT_2_TIMER) == 0 &&
            telling->states[i].story->side == reset->side)
            timed_out = true;
    if (gone && !fin)
        finding_add(
            telling, "half-open-rst", "error",
            telling_printf(telling,
                           "half-open connection: the %s had forgotten it (it was aborted or its host restarted, and the wire "
                           "carried nothing of that), so the next segment of the %s was answered with RST",
                           story_side_name(reset->side), story_side_name(finding_other(reset->side))),
            proof, 3);
    else if (timed_out && by->segment->flags & TCP_FIN)
        finding_add(
            telling, "fin-wait-2-timeout", "warning",
            telling_printf(telling,
                           "the FIN came too late: nobody held the %s's socket any more, and the kernel keeps such an orphan in "
                           "FIN_WAIT_2 for net.ipv4.tcp_fin_timeout only; what came after that was answered with RST",
                           story_side_name(reset->side)),
            proof, 2);
    else if (by->segment->length_bytes && fin)
        finding_add(telling, "reset-late-data", "warning",
                    "data reached a socket that was closed already, so the kernel answered with RST", proof, 2);
}

static void find_assassination(struct telling *telling)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct story_state *state = telling->states[i].story;
        if (state->kernel || state->from_state != STATE_TIME_WAIT || state->to_state != STATE_CLOSED) continue;
        if (telling->states[i].packet == STORY_NO_STEP) continue;
        const struct tale_packet *reset = &telling->packets[telling->states[i].packet];
        if (!(reset->segment->flags & TCP_RST)) continue;
        uint32_t proof[2] = {reset->cause->step, reset->step};
        finding_add(
            telling, "time-wait-assassination", "warning",
            telling_printf(telling, "a RST ended the TIME_WAIT of the %s early (RFC 1337): %s; net.ipv4.tcp_rfc1337=1 ignores it",
                           story_side_name(state->side),
                           reset->cause->kind == CAUSE_SEGMENT ? "an old segment was answered by TIME_WAIT's ACK, and the peer, "
                                                                 "which knows nothing any more, answered that with RST"
                                                               : "the peer aborted after both FINs had come"),
            proof, 2);
        return;
    }
}

/* What a process got to see of a RST: ECONNRESET once, then EPIPE. */
static void find_broken_pipe(struct telling *telling)
{
    for (size_t side = 0; side < STORY_SIDES; side++) {
        const struct tale_call *call = finding_call(telling, (int)side, "", -EPIPE);
        if (!call || call->story->exit_step == STORY_NO_STEP) continue;
        const struct tale_packet *reset = finding_segment(telling, (int)finding_other((enum story_side)side), "RST", 0);
        if (!reset || reset->sent_ns > call->story->exit_ns) continue;
        uint32_t proof[2] = {reset->step, call->story->exit_step};
        finding_add(
            telling, "epipe-after-rst", "error",
            telling_printf(telling,
                           "%s() failed with EPIPE because the %s had come before: the connection was gone already when it was "
                           "called, and nothing was sent; the call before it may have seemed to work",
                           call->story->name, number_text(telling, reset)),
            proof, 2);
        return;
    }
}

void findings_reset(struct telling *telling)
{
    if (telling->story->udp) return;
    for (size_t i = 0; i < telling->packet_count && telling->story->outcome != OUTCOME_REFUSED; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !(packet->segment->flags & TCP_RST) || packet->seen->copy) continue;
        if (packet->cause->kind == CAUSE_CALL) find_reset_by_call(telling, packet);
        if (packet->cause->kind == CAUSE_SEGMENT) find_reset_by_segment(telling, packet);
    }
    find_assassination(telling);
    find_broken_pipe(telling);
}
