/* What calls promise, and what they don't: bytes are no messages, "sent" is not "arrived", a part may be taken, SHUT_RD says
 * nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static bool is_one(const struct tale_call *tale, enum story_side side, uint32_t traits)
{
    return tale->story->side == side && !tale->story->listener && tale->call->traits & traits && tale->call->exited;
}

static bool reads(const struct tale_call *tale, enum story_side side)
{
    return is_one(tale, side, CALL_READS) && tale->call->ret > 0;
}

static bool writes(const struct tale_call *tale, enum story_side side)
{
    return is_one(tale, side, CALL_WRITES);
}

/* How far the calls of one side were gone through, and up to which byte of its stream they write. */
struct writing {
    size_t next;
    uint64_t at;
    bool broken; /* a call whose beginning was not seen: how much came before it nobody knows */
};

/* How many writes of this side lie whole within bytes `from` to `to` of its stream; 0: its writes were not all seen. Asked in
 * order. */
static uint32_t writes_within(const struct telling *telling, enum story_side side, uint64_t from, uint64_t to,
                              struct writing *writing)
{
    uint32_t count = 0;
    for (; writing->next < telling->call_count && writing->at < to && !writing->broken; writing->next++) {
        const struct tale_call *tale = &telling->calls[writing->next];
        if (!writes(tale, side) || tale->call->ret <= 0) continue;
        writing->broken = !tale->call->entered;
        count += writing->at >= from && writing->at + (uint64_t)tale->call->ret <= to;
        writing->at += (uint64_t)tale->call->ret;
    }
    return writing->at >= to && !writing->broken ? count : 0;
}

/* The reader's side, call by call: which segments' bytes it took. Only where each of its reads was seen and the stream has no gap.
 */
static void find_joined(struct telling *telling, enum story_side side)
{
    const struct conn_end *peer = telling_end_now(telling, finding_other(side));
    if (!(peer->flags & END_SYN_SEEN) || !peer->segments) return;
    uint64_t taken = 0, sent = 0;
    struct writing writing = {0};
    size_t at = 0;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (!reads(tale, side) || !tale->call->entered) continue;
        uint64_t end = taken + (uint64_t)tale->call->ret;
        const struct tale_packet *first = NULL, *last = NULL;
        bool whole = true;
        uint32_t count = 0;
        for (; at < telling->packet_count; at++) {
            const struct tale_packet *packet = &telling->packets[at];
            if (packet->side == side || !packet->segment || packet->segment->copy || !packet->segment->length_bytes) continue;
            if (packet->verdict.class != CONN_NEW) return; /* its order is another */
            if (sent >= end) break;
            if (!first) whole = sent == taken, first = packet;
            last = packet;
            count++;
            sent += packet->segment->length_bytes;
            if (sent > end) break;
        }
        if (sent < end) return; /* not all was captured */
        uint32_t written = writes_within(telling, finding_other(side), taken, end, &writing);
        if (written > 1 && count > 1 && whole && sent == end) {
            uint32_t proof[3] = {first->step, last->step, tale->story->exit_step};
            finding_add(
                telling, "stream-joined", "note",
                telling_printf(
                    telling,
                    count == 2
                        ? tr("%s(%d) took what %" PRIu32 " segments brought (#%" PRIu32 " and #%" PRIu32 "), written by %" PRIu32
                             " calls: TCP is a stream of bytes and keeps no borders of writes; a length or a mark has to say where "
                             "a message ends")
                        : tr("%s(%d) took what %" PRIu32 " segments brought (#%" PRIu32 " to #%" PRIu32 "), written by %" PRIu32
                             " calls: TCP is a stream of bytes and keeps no borders of writes; a length or a mark has to say where "
                             "a message ends"),
                    tale->story->name, tale->story->fd, count, first->segment->number, last->segment->number, written),
                FINDING_PROOF(proof));
            return;
        }
        if (sent != end) return; /* a part of a segment: the next call's count would be a guess about where it begins */
        taken = end;
    }
}

/* A write returned, and nothing of it was ever acknowledged. */
static void find_unconfirmed(struct telling *telling, enum story_side side)
{
    static const size_t ASKED_MAX = 64; /* each goes through the calls */
    size_t asked = 0;
    static const int64_t LONG_NS = 200000000; /* Linux's least retransmission timeout: a way that works has answered by then */
    const struct conn_end *end = telling_end_now(telling, side);
    enum story_side missing;
    if (finding_is_one_way(telling, &missing) || !(end->flags & END_ACKED)) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, side) || !packet->segment->length_bytes || packet->segment->retransmission) continue;
        if (packet->cause->kind != CAUSE_CALL || seq_before(packet->segment->seq_absolute, end->acked)) continue;
        if (asked++ == ASKED_MAX) return;
        const struct tale_call *call = finding_call_at(telling, packet->cause->step);
        if (!call || !writes(call, side) || call->call->ret <= 0 || telling->last_ns - packet->sent_ns < LONG_NS) continue;
        const struct tale_packet *heard = finding_arrival(telling, finding_other(side), packet->sent_ns, true);
        if (heard && heard->segment && heard->segment->kind != STORY_RST) return;
        uint32_t proof[2] = {call->story->exit_step, packet->step};
        finding_add(
            telling, "send-unconfirmed", "note",
            telling_printf(
                telling,
                "%s(%d) returned %" PRId64 ", and nothing of it (#%" PRIu32 ") was acknowledged %s: it only "
                "says that the kernel has taken the bytes. What the peer's program got, only an answer of the program tells",
                call->story->name, call->story->fd, call->call->ret, packet->segment->number, telling_so_long(telling)),
            FINDING_PROOF(proof));
        return;
    }
}

/* "4, ..., 65536, MSG_NOSIGNAL": how much it was to write; -1 where the text doesn't say (the bytes themselves may stand there). */
static int64_t asked_bytes(const struct call *call)
{
    const char *at = strstr(call->args, ", ...");
    if (!at || !(call->traits & CALL_TELLS_LENGTH)) return -1;
    at = strchr(at + 2, ',');
    if (!at || at[1] != ' ' || at[2] < '0' || at[2] > '9') return -1;
    return strtoll(at + 2, NULL, 10);
}

/* One that slept may wait: it was let go before there was room for all. */
static const char *why_partial(const struct tale_call *tale)
{
    if (!tale->call->slept_ns) return tr("a write that may not wait takes a part");
    if (tale->call->slept_ns > 0 && tale->story->wake.kind == WAKE_SIGNAL) return tr("a signal ended its wait for room");
    return tale->call->slept_ns > 0 ? tr("its wait for room was cut short (a signal, SO_SNDTIMEO, the end of the connection)")
                                    : tr("a write that may not wait takes a part, as does one whose wait is cut short (a signal, "
                                         "SO_SNDTIMEO, the end of "
                                         "the connection)");
}

/* A write that took a part: the send buffer was full. */
static void find_partial(struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (!writes(tale, side) || tale->call->ret <= 0 || tale->call->ret >= asked_bytes(tale->call)) continue;
        uint32_t proof[1] = {tale->story->exit_step};
        bool waited = tale->call->slept_ns != 0;
        finding_add(telling, "partial-write", "note",
                    telling_printf(telling,
                                   "%s(%d) took %" PRId64 " of %" PRId64
                                   " bytes: the send buffer was full, and %s. The rest is still the program's: %s",
                                   tale->story->name, tale->story->fd, tale->call->ret, asked_bytes(tale->call), why_partial(tale),
                                   waited ? tr("write from there on") : tr("poll() for POLLOUT, and write from there on")),
                    FINDING_PROOF(proof));
        return;
    }
}

/* shutdown(SHUT_RD) tells the peer nothing (net/ipv4/tcp.c: tcp_shutdown() looks at SEND_SHUTDOWN alone). */
static void find_shut_read(struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (!is_one(tale, side, CALL_SHUTS_DOWN) || tale->call->how != SHUT_RD || tale->call->ret) continue;
        const struct tale_packet *data = NULL, *ack = NULL;
        for (size_t k = telling_sent_by(telling, tale->call->exit_ns); k < telling->packet_count && !ack; k++) {
            const struct tale_packet *packet = &telling->packets[k];
            if (!data && finding_is_own(packet, finding_other(side)) && packet->segment->length_bytes) data = packet;
            if (data && finding_is_own(packet, side) && packet->segment->flags & TCP_ACK && !(packet->segment->flags & TCP_RST) &&
                seq_before(data->segment->seq_absolute, packet->segment->ack_absolute))
                ack = packet;
        }
        uint32_t proof[3] = {tale->story->exit_step, data ? data->step : STORY_NO_STEP, ack ? ack->step : STORY_NO_STEP};
        finding_add(telling, "shutdown-read", "note",
                    telling_printf(telling, "shutdown(%d, SHUT_RD) sends nothing, so the %s is not told%s", tale->story->fd,
                                   story_side_word(finding_other(side)),
                                   ack ? telling_printf(telling,
                                                        ": its data (#%" PRIu32
                                                        ") was acknowledged all the same, and Linux even lets it be read; "
                                                        "to refuse more, close()",
                                                        data->segment->number)
                                       : ""),
                    FINDING_PROOF(proof));
        return;
    }
}

void findings_calls(struct telling *telling)
{
    for (int side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        find_joined(telling, (enum story_side)side);
        find_unconfirmed(telling, (enum story_side)side);
        find_partial(telling, (enum story_side)side);
        find_shut_read(telling, (enum story_side)side);
    }
}
