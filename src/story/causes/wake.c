/* What a call was waiting for: what the waker's context shows, else what the call must have needed and when that arrived. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/err.h"
#include "base/lang.h"
#include "story/causes/cause.h"
#include "story/causes/wake_own.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static bool is_read(const struct tale_call *call)
{
    return call->call->traits & CALL_READS;
}

static bool is_accept(const struct tale_call *call)
{
    return call->call->traits & CALL_ACCEPTS;
}

bool wake_waits_for_many(const struct tale_call *call)
{
    return call->call->traits & CALL_WAITS_FOR_MANY;
}

/* The first packet of the peer that is of this kind and not older than `from`. */
static struct tale_packet *first_of_kind(const struct telling *telling, enum story_side to, enum story_kind kind)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        if (telling_receiver(telling, packet->side) == to && packet->segment && !telling_is_lost(telling, packet) &&
            packet->segment->kind == kind)
            return packet;
    }
    return NULL;
}

/* The RST that ended it: one whose number does not fit is answered and changes nothing (RFC 5961 section 3.2). */
static struct tale_packet *ending_reset(const struct telling *telling, enum story_side to)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct tale_state *state = &telling->states[i];
        if (state->story->side == to && !state->sent && state->packet != STORY_NO_STEP &&
            telling->packets[state->packet].seen->packet.header.flags & TCP_RST)
            return &telling->packets[state->packet];
    }
    return first_of_kind(telling, to, STORY_RST);
}

/* The segment that completed the server's handshake: its first ACK of the SYN,ACK. */
static struct tale_packet *handshake_ack(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        if (packet->side == STORY_CLIENT && packet->segment && packet->segment->handshake && !telling_is_lost(telling, packet) &&
            packet->segment->kind != STORY_SYN)
            return packet;
    }
    return NULL;
}

/* The first segment that brought the stream's next byte to this end. */
static struct tale_packet *bringer(struct telling *telling, enum story_side to)
{
    struct reading *reading = &telling->reading[to];
    bool passing = true; /* what ends at the wanted byte brings none that is read later */
    enum story_side from = to == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    if (!(telling_end(telling, from)->flags & END_SYN_SEEN)) return NULL;
    uint32_t wanted = telling_end(telling, from)->base + 1 + (uint32_t)reading->bytes;
    for (size_t i = reading->from; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        const struct event_packet_header *header = header_of(packet);
        bool brings = packet->side == from && packet->segment && header->length_bytes && !telling_is_lost(telling, packet);
        uint32_t data = header->seq + (header->flags & TCP_SYN ? 1 : 0);
        passing = passing && (!brings || seq_at_or_before(data + header->length_bytes, wanted));
        if (passing) reading->from = i + 1;
        if (!brings) continue;
        if (seq_at_or_before(data, wanted) && seq_before(wanted, data + header->length_bytes)) return packet;
    }
    return NULL;
}

/* What it carries had come before: not where that was lost, on its way or before the place of the capture. */
static bool comes_again(struct telling *telling, const struct tale_packet *packet)
{
    if (!packet->segment->retransmission || packet->verdict.is_unseen) return false;
    const struct tale_packet *before = cause_previous_with_same_space(telling, packet);
    return !before || !telling_is_lost(telling, before);
}

/* Which segments brought what a read returned: all of its bytes, in whatever order, before it returned. Asked in the order of
 * reads, each looks at the packets from the one before it on. */
static void find_taken(struct telling *telling, struct tale_call *tale)
{
    enum story_side to = tale->story->side, from = to == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    struct tale_packet *first = NULL, *last = NULL;
    if (!bringer(telling, to)) return;
    uint32_t wanted = telling_end(telling, from)->base + 1 + (uint32_t)telling->reading[to].bytes;
    uint32_t left = (uint32_t)tale->call->ret, end = wanted + left, count = 0;
    for (size_t i = telling->reading[to].from; i < telling->packet_count && !last; i++) {
        struct tale_packet *packet = &telling->packets[i];
        const struct event_packet_header *header = header_of(packet);
        if (packet->sent_ns > tale->call->exit_ns) break;
        if (packet->side != from || !packet->segment || !header->length_bytes || telling_is_lost(telling, packet)) continue;
        uint32_t data = header->seq + (header->flags & TCP_SYN ? 1 : 0), behind = data + header->length_bytes;
        if (!seq_before(wanted, behind) || !seq_before(data, end) || comes_again(telling, packet)) continue;
        if (!count++) first = packet;
        uint32_t brings = (seq_before(end, behind) ? end : behind) - (seq_before(data, wanted) ? wanted : data);
        left = brings < left ? left - brings : 0;
        if (!left) last = packet;
    }
    if (!last) return;
    tale->story->took_count = count;
    tale->story->took_first = first->step;
    tale->story->took_last = last->step;
}

/* A datagram a read, in the order of arrival. The kernel may have dropped some without a word (a full buffer): one of another
 * length is not it. */
static struct tale_packet *next_datagram(struct telling *telling, const struct tale_call *call)
{
    enum story_side to = call->story->side;
    struct reading *reading = &telling->reading[to];
    const struct back_arrival *arrivals = telling->back.arrivals[to];
    for (; reading->from < telling->back.arrival_count[to]; reading->from++) {
        struct tale_packet *packet = &telling->packets[arrivals[reading->from].packet];
        if (!packet->datagram || packet->datagram->icmp || telling_is_untaken(telling, packet)) continue;
        if (reading->passed == reading->datagrams) {
            bool several = call->call->traits & CALL_TAKES_SEVERAL;
            return several || header_of(packet)->length_bytes == (uint64_t)call->call->ret ? packet : NULL;
        }
        reading->passed++;
    }
    return NULL;
}

static struct tale_packet *first_icmp(const struct telling *telling, enum story_side to)
{
    for (size_t i = 0; i < telling->packet_count; i++)
        if (telling->packets[i].side != to && telling->packets[i].datagram && telling->packets[i].datagram->icmp)
            return &telling->packets[i];
    return NULL;
}

/* What the call could not return as it did without. NULL: nothing that shows on the wire, or not to be told. */
struct tale_packet *wake_needed(struct telling *telling, const struct tale_call *call)
{
    enum story_side side = call->story->side;
    int64_t ret = call->call->ret;
    if (telling->story->udp) {
        if (ret == -ECONNREFUSED) return first_icmp(telling, side);
        return is_read(call) && ret >= 0 ? next_datagram(telling, call) : NULL;
    }
    if (call->call->traits & CALL_CONNECTS) {
        if (strstr(call->call->args, "AF_UNSPEC")) return NULL; /* it dissolves, and waits for nobody */
        if (ret == 0) return first_of_kind(telling, side, STORY_SYN_ACK);
        return ret == -ECONNREFUSED ? first_of_kind(telling, side, STORY_RST) : NULL;
    }
    if (is_accept(call)) {
        if (ret < 0) return NULL;
        bool deferred = telling_option(telling, STORY_SERVER, IPPROTO_TCP, TCP_DEFER_ACCEPT, NULL) > 0;
        return deferred ? first_of_kind(telling, STORY_SERVER, STORY_DATA) : handshake_ack(telling);
    }
    if (is_read(call)) {
        if (ret > 0) return bringer(telling, side);
        if (ret == 0) return first_of_kind(telling, side, STORY_FIN);
        return ret == -ECONNRESET ? ending_reset(telling, side) : NULL;
    }
    return NULL;
}

const char *wake_what(struct telling *telling, const struct tale_packet *packet)
{
    if (packet->datagram)
        return packet->datagram->icmp ? tr("the ICMP error") : telling_printf(telling, "datagram #%u", packet->datagram->number);
    return telling_printf(telling, "the %s (#%u)", story_label_word(packet->segment), packet->segment->number);
}

void wake_set(struct tale_call *call, enum story_wake_kind kind, enum story_evidence evidence, const struct tale_packet *packet,
              const char *why)
{
    struct story_wake *wake = &call->story->wake;
    wake->kind = kind;
    wake->evidence = evidence;
    wake->step = packet ? packet->step : STORY_NO_STEP;
    wake->why = why;
}

/* What each call wanted of the packet, for a sentence. */
static const char *wanted(const struct tale_call *call, const struct tale_packet *packet)
{
    const struct story_segment *segment = packet->segment;
    if (is_accept(call)) return tr("completed the handshake");
    if (is_read(call) && call->call->ret > 0 && segment) return segment->kind == STORY_DATA ? tr("came") : tr("brought the data");
    if (call->call->traits & CALL_CONNECTS) return call->call->ret == 0 ? tr("answered the SYN") : tr("refused the connection");
    if (segment && segment->kind == STORY_FIN) return tr("ended the stream");
    if (segment && segment->kind == STORY_RST) return tr("aborted the connection");
    if (packet->datagram && packet->datagram->icmp) return tr("reported the error");
    return tr("brought the data");
}

/* It came back with nothing: it may not wait, or its time was over (SO_RCVTIMEO, SO_SNDTIMEO), which may be as short as the rest of
 * a tick. */
static void by_no_result(const struct telling *telling, struct tale_call *tale)
{
    const struct call *call = tale->call;
    if (call->slept_ns > 0)
        wake_set(tale, WAKE_TIMER, EVIDENCE_RULE, NULL, tr("woken by its timeout"));
    else if (strstr(call->args, "MSG_DONTWAIT"))
        wake_set(tale, WAKE_NEVER_SLEPT, EVIDENCE_RULE, NULL, tr("it was told not to wait (MSG_DONTWAIT)"));
    else if (call->slept_ns == 0 || telling_sets_no_timeout(telling, tale->story->side))
        wake_set(tale, WAKE_NEVER_SLEPT, EVIDENCE_RULE, NULL, tr("the socket is non-blocking"));
    else
        wake_set(tale, WAKE_UNKNOWN, EVIDENCE_NONE, NULL,
                 tr("its time was over (SO_RCVTIMEO, SO_SNDTIMEO), or the socket is non-blocking: whether it slept was not seen"));
}

static bool by_return_code(const struct telling *telling, struct tale_call *tale)
{
    int64_t ret = tale->call->ret;
    if (ret == -EINTR || err_is_restart(ret)) {
        wake_set(tale, WAKE_SIGNAL, EVIDENCE_RULE, NULL, tr("interrupted by a signal"));
        return true;
    }
    if (wake_waits_for_many(tale) && ret == 0) {
        wake_set(tale, WAKE_TIMER, EVIDENCE_RULE, NULL, tr("nothing happened within its timeout"));
        return true;
    }
    if (ret == -EAGAIN || ret == -EINPROGRESS) {
        by_no_result(telling, tale);
        return true;
    }
    if (ret == -ETIMEDOUT && tale->call->slept_ns == 0) { /* it read what a timer had left on the socket before (sk_err) */
        wake_set(tale, WAKE_NEVER_SLEPT, EVIDENCE_RULE, NULL,
                 tr("the kernel had given the connection up before: no answer came in time"));
        return true;
    }
    if (ret == -ETIMEDOUT) {
        wake_set(tale, WAKE_TIMER, EVIDENCE_RULE, NULL, tr("the kernel gave the connection up: no answer came in time"));
        return true;
    }
    return false;
}

/* The kernel itself reported, inside this very call, the state that the call was waiting for. */
static bool witnessed(const struct telling *telling, const struct tale_call *tale)
{
    for (size_t i = 0; i < telling->flow->change_count; i++) {
        const struct change *change = &telling->flow->changes[i];
        if (change->call != tale->call || change->side != tale->story->side || change->to != KERNEL_ESTABLISHED) continue;
        if (chain_known(telling->teller, change->context.chain).meaning == CHAIN_BACKLOG) return true;
    }
    return false;
}

/* What it needed, and whether that came before or during the call. */
static bool by_need(struct telling *telling, struct tale_call *tale)
{
    const struct call *call = tale->call;
    struct tale_packet *by = wake_needed(telling, tale);
    if (!by) return false;
    enum story_evidence evidence = witnessed(telling, tale) ? EVIDENCE_STACK : call->entered ? EVIDENCE_INTERVAL : EVIDENCE_RULE;
    if (call->entered && arrival_ns(by) <= call->enter_ns) {
        if (call->slept_ns > 0) return false; /* then it was not that */
        wake_set(tale, WAKE_NEVER_SLEPT, evidence, by, telling_printf(telling, "%s was there already", wake_what(telling, by)));
        return true;
    }
    if (arrival_ns(by) > call->exit_ns) return false;
    if (call->slept_ns == 0) {
        wake_set(tale, WAKE_SEGMENT, evidence, by,
                 telling_printf(telling, "%s %s while the call was still at work: it never had to sleep", wake_what(telling, by),
                                wanted(tale, by)));
        return true;
    }
    wake_set(tale, WAKE_SEGMENT, evidence, by, telling_printf(telling, "%s %s", wake_what(telling, by), wanted(tale, by)));
    return true;
}

/* A waiting call that reported this one socket: the one packet that reached this end meanwhile. */
static bool by_only_arrival(struct telling *telling, struct tale_call *tale)
{
    const struct call *call = tale->call;
    if (!wake_waits_for_many(tale) || call->ret != 1 || !call->entered || call->woken) return false;
    struct tale_packet *found = NULL;
    for (size_t i = telling_sent_by(telling, call->exit_ns); i--;) {
        struct tale_packet *packet = &telling->packets[i];
        if (call->enter_ns - packet->sent_ns >= telling->longest_flight_ns) break; /* it and all before had arrived */
        if (packet->side == tale->story->side || arrival_ns(packet) <= call->enter_ns || arrival_ns(packet) > call->exit_ns ||
            telling_is_untaken(telling, packet))
            continue;
        /* A SYN readies nobody: the handshake's ACK does. */
        if (packet->segment && packet->segment->kind == STORY_SYN) continue;
        if (found) return false;
        found = packet;
    }
    if (found && call->slept_ns != 0) {
        wake_set(tale, WAKE_SEGMENT, EVIDENCE_INTERVAL, found,
                 telling_printf(telling, "%s made a descriptor ready", wake_what(telling, found)));
        return true;
    }
    return false;
}

static void find_wake(struct telling *telling, struct tale_call *tale)
{
    const struct call *call = tale->call;
    if (!tale->story->waits) return;
    if (!call->exited && call->overtaken) {
        wake_set(tale, WAKE_UNKNOWN, EVIDENCE_NONE, NULL, tr("its return was not seen"));
        return;
    }
    if (!call->exited) {
        wake_set(tale, WAKE_NOT_YET, EVIDENCE_NONE, NULL,
                 call->ended       ? tr("its process was killed before it was seen to return")
                 : telling->so_far ? tr("it has not returned so far")
                                   : tr("it had not returned when recording ended"));
        return;
    }
    if (wake_by_waker(telling, tale) || by_return_code(telling, tale) || by_need(telling, tale) || by_only_arrival(telling, tale))
        return;
    if (call->slept_ns > 0)
        wake_set(tale, WAKE_UNKNOWN, EVIDENCE_NONE, NULL, tr("nothing that was recorded shows what woke it"));
    else if (call->slept_ns == 0)
        wake_set(tale, WAKE_NEVER_SLEPT, EVIDENCE_CONTEXT, NULL,
                 wake_waits_for_many(tale) ? tr("something was ready already") : tr("it did not have to wait"));
}

/* What calls had read that are told no more, before this one. */
static void pass_folded(struct telling *telling, const struct call *call)
{
    for (size_t side = 0; side < STORY_SIDES; side++) {
        const struct sock *sock = telling->flow->sock[side];
        struct reading *reading = &telling->reading[side];
        if (!sock || !sock->folded_calls || reading->passed_folded || call->order <= sock->folded_order) continue;
        reading->bytes += sock->folded_read_bytes;
        reading->passed_folded = true;
    }
}

void wake_find_all(struct telling *telling)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        pass_folded(telling, tale->call);
        find_wake(telling, &telling->calls[i]);
        if (!is_read(tale) || !tale->call->exited || tale->call->ret < 0) continue;
        if (strstr(tale->call->args, "MSG_PEEK")) continue; /* it stays where it is */
        find_taken(telling, &telling->calls[i]);
        bool several = tale->call->traits & CALL_TAKES_SEVERAL;
        telling->reading[tale->story->side].bytes += (uint64_t)tale->call->ret;
        telling->reading[tale->story->side].datagrams += several ? (uint64_t)tale->call->ret : 1;
    }
}
