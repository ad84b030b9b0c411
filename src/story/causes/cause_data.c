/* What a program queued, from the wire alone: whether it can only have left in the call that queued it (RFC 9293's OPEN, SEND,
 * CLOSE), or may have been held back (congestion, the peer's window, Nagle, pacing, small queues) and let go by something else. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* What could leave when an ACK came leaves within this, on a busy machine too. */
static const int64_t HELD_NS = 10000000;
/* Without a round trip to go by, in a capture from one place. */
static const int64_t HELD_UNKNOWN_NS = 1000000000;
/* So little does neither pacing nor a small queue hold back: two segments of an Ethernet. */
enum { LITTLE_BYTES = 2920 };

/* A SYN of this side asked for Fast Open: what it carried, and the server did not take, comes again. */
static bool asks_fast_open(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->sweep.syn[side]; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->side != side || !is_tcp(packet) || (header_of(packet)->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) continue;
        if (packet->seen->packet.options.present & OPTION_FASTOPEN || header_of(packet)->length_bytes) return true;
    }
    return false;
}

static int64_t round_ns(const struct telling *telling)
{
    return telling->conn.flags & CONN_TIMED ? (int64_t)telling->conn.round_us * 1024 : HELD_UNKNOWN_NS;
}

int64_t cause_held_ns(const struct telling *telling)
{
    return HELD_NS + (telling->conn.flags & CONN_TWO_PLACES ? 0 : round_ns(telling));
}

/* A segment that is not full may have been held on purpose (TCP_CORK, MSG_MORE) until the persist timer ran out, which begins when
 * nothing is under way any more (tcp_check_probe_timer). */
static bool may_have_been_corked(const struct telling *telling, const struct tale_packet *packet)
{
    int64_t calm_ns = telling->sweep.calm_ns[packet->side];
    return calm_ns == INT64_MIN || packet->sent_ns - calm_ns >= CAUSE_RTO_MIN_MS * 1000000LL;
}

/* Nothing that this end had queued before can have waited until now: all that it had sent was acknowledged, and that is a while
 * ago. */
static bool nothing_was_held(const struct telling *telling, const struct tale_packet *packet)
{
    const struct conn_verdict *verdict = &packet->verdict;
    const struct sweep *sweep = &telling->sweep;
    enum story_side side = packet->side;
    if (!verdict->has_next || !verdict->has_acked || verdict->next != verdict->acked) return false;
    if (verdict->has_peer_window && !verdict->peer_window) return false;
    const struct tale_packet *data = sweep->last_data[side];
    /* Behind what was not captured: when that was sent, and what held it, nobody knows. */
    if (header_of(packet)->seq != verdict->next) return false;
    if (!data && packet->from == 1) return !asks_fast_open(telling, side);
    if (!data && sweep->released_ns[side] == INT64_MIN) return false;
    /* Pacing spreads data over a round trip. */
    bool little = data && header_of(data)->length_bytes <= LITTLE_BYTES;
    if (data && packet->sent_ns - data->sent_ns < (little ? 0 : 2 * round_ns(telling))) return false;
    return sweep->released_ns[side] == INT64_MIN || packet->sent_ns - sweep->released_ns[side] >= cause_held_ns(telling);
}

static const struct tale_packet *releaser(const struct telling *telling, const struct tale_packet *packet)
{
    const struct sweep *sweep = &telling->sweep;
    if (sweep->released_ns[packet->side] == INT64_MIN || sweep->released_ns[packet->side] > packet->sent_ns) return NULL;
    const struct tale_packet *by = sweep->released_by[packet->side];
    /* What acknowledges it let nothing of it go: it was captured late. */
    return seq_before(header_of(packet)->seq, header_of(by)->ack) ? NULL : by;
}

/* Data or a FIN outside of any call: a call queued it, and the ACK of the little that was under way let it go (Nagle). */
bool cause_rule_released(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->segment->retransmission || packet->seen->copy) return false;
    const struct event_packet_header *header = header_of(packet);
    bool fin = header->flags & TCP_FIN;
    if ((!fin && !header->length_bytes) || header->flags & (TCP_SYN | TCP_RST)) return false;
    if (cause_speaks_mptcp(telling, packet) != CAUSE_MPTCP_NO) return false;
    int64_t queued_ns = (fin ? telling->sweep.fin_queued_ns : telling->sweep.data_queued_ns)[packet->side];
    if (queued_ns > packet->sent_ns) return false;
    struct tale_packet *last = cause_last_before(telling, packet);
    const struct tale_packet *data = telling->sweep.last_data[packet->side];
    const struct conn_verdict *verdict = &packet->verdict;
    bool little = verdict->has_acked && verdict->next == verdict->acked && data && header_of(data)->length_bytes <= LITTLE_BYTES;
    if (last && last == releaser(telling, packet) && little && cause_follows_at_once(telling, packet, last))
        return cause_set_segment(telling, packet, last, EVIDENCE_RULE);
    if (queued_ns == packet->sent_ns)
        return cause_set_unknown(packet,
                                 "queued by a call that returned at this very moment: it left at once, or was let go just then");
    return cause_set_unknown(packet, "queued before by a call, and let go by an ACK, by pacing or by a device that had room");
}

/* A FIN by itself is made at once, since nothing waited before it (tcp_send_fin); it leaves at once where the window has room and
 * next to nothing is under way, or was before the last ACK came. */
static bool fin_was_free(const struct telling *telling, const struct tale_packet *packet)
{
    const struct conn_verdict *verdict = &packet->verdict;
    if (header_of(packet)->length_bytes || !verdict->has_next || header_of(packet)->seq != verdict->next) return false;
    if (!verdict->has_acked) return !(telling->conn.flags & CONN_TWO_PLACES) && !telling->sweep.last_data[packet->side];
    const struct sweep *sweep = &telling->sweep;
    enum story_side side = packet->side;
    if (sweep->has_repeated[side]) return false; /* the congestion window may be as small as one segment */
    bool just = sweep->has_held_from[side] && packet->sent_ns - sweep->released_ns[side] < cause_held_ns(telling);
    uint32_t under_way = verdict->next - (just ? sweep->held_from[side] : verdict->acked);
    return verdict->has_peer_window && under_way <= LITTLE_BYTES && under_way < verdict->peer_window;
}

static bool unknown_queued(struct telling *telling, struct tale_packet *packet, const char *call)
{
    const struct tale_packet *by = releaser(telling, packet);
    if (!by || !by->segment)
        return cause_set_unknown(
            packet,
            telling_printf(telling, "a %s, or queued before and held back (small queues, pacing): the wire can't tell", call));
    return cause_set_unknown(
        packet, telling_printf(telling, "a %s, or queued before and released when #%" PRIu32 " arrived: the wire can't tell", call,
                               by->segment->number));
}

/* A way lies between its sender and the place of the capture: what was lost on it was not captured, and what comes again by a timer
 * looks like the first. A loss probe waits for two round trips at least (RFC 8985 section 7.2), a retransmission timer for
 * TCP_RTO_MIN: sooner after its sender's last word it is the first. */
static bool may_come_again(const struct telling *telling, const struct tale_packet *packet)
{
    static const int64_t NEAR_NS = 1000000;
    int64_t turn_ns = telling->sweep.turn_ns[packet->side];
    if (telling->conn.flags & CONN_TWO_PLACES || packet->received_ns || turn_ns <= NEAR_NS) return false;
    size_t i = (size_t)(packet - telling->packets), newest = i ? telling->packets[i - 1].since[packet->side] : 0;
    if (!newest) return true;
    int64_t silent_ns = packet->sent_ns - telling->packets[newest - 1].sent_ns;
    return silent_ns >= turn_ns || silent_ns >= CAUSE_RTO_MIN_MS * 1000000LL;
}

/* The same SYN came next only when a doubled timer had run out (the first waits for a second: TCP_TIMEOUT_INIT, RFC 6298 section
 * 2.1): others may lie before the capture. */
static bool is_late_in_its_row(const struct telling *telling, const struct tale_packet *packet)
{
    static const int64_t DOUBLED_NS = 1900000000;
    uint32_t next = packet->next[packet->side];
    if (!(packet->segment->flags & TCP_SYN) || !next) return false;
    const struct tale_packet *again = &telling->packets[next - 1];
    if (!again->segment || !again->segment->retransmission || !(again->segment->flags & TCP_SYN)) return false;
    return again->segment->seq_absolute == packet->segment->seq_absolute && again->sent_ns - packet->sent_ns >= DOUBLED_NS;
}

/* Captured behind the SYN,ACK that answers it, and later than by disorder: it was sent before, and that was not captured. */
static bool was_answered_before(const struct telling *telling, const struct tale_packet *packet)
{
    static const int64_t DISORDER_NS = 3000000;
    if (!(packet->segment->flags & TCP_SYN)) return false;
    for (const struct tale_packet *at = telling->packets; at < packet; at++)
        if (at->segment && at->side != packet->side && at->segment->flags & TCP_SYN && at->segment->flags & TCP_ACK &&
            at->segment->ack_absolute == packet->segment->seq_absolute + 1 && packet->sent_ns - at->sent_ns >= DISORDER_NS)
            return true;
    return false;
}

static bool unknown_again(struct telling *telling, struct tale_packet *packet, const char *call)
{
    return cause_set_unknown(packet, telling_printf(telling,
                                                    "%s, or that once more, if the first was lost on its way here: from this place "
                                                    "the wire can't tell",
                                                    call));
}

/* Where no call of this end was recorded, the wire still shows which user call of RFC 9293 section 3.9.1 there must have been. */
bool cause_rule_user_call(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->segment->retransmission || telling->sweep.any_call[packet->side]) return false;
    const struct event_packet_header *header = header_of(packet);
    const char *name = NULL, *why = NULL;
    enum cause_mptcp mptcp = header->flags & TCP_SYN ? CAUSE_MPTCP_NO : cause_speaks_mptcp(telling, packet);
    if (header->flags & TCP_RST || (header->flags & TCP_SYN && header->flags & TCP_ACK)) return false;
    if (packet->verdict.class != CONN_NEW && packet->verdict.class != CONN_OUT_OF_ORDER) return false;
    if ((header->length_bytes || header->flags & TCP_FIN) && telling->sweep.fin[packet->side] &&
        telling->sweep.has_reach[packet->side] && !seq_before(header->seq, telling->sweep.reach[packet->side]))
        return cause_set_unknown(packet,
                                 "it lies behind a FIN, and nothing follows that (RFC 9293 section 3.5): a box between made one of "
                                 "the two, or they were made by hand");
    if (header->flags & TCP_SYN && header->flags & TCP_FIN)
        return cause_set_unknown(packet, "SYN and FIN in one: no call asks Linux for that; a scan, or made by hand");
    if (header->flags & TCP_SYN) {
        name = "OPEN";
        why = tr("an active OPEN: connect(), or sendto() with Fast Open; no call of this end was recorded");
    } else if (header->flags & TCP_FIN) {
        if (mptcp == CAUSE_MPTCP_YES) return false;
        if (!fin_was_free(telling, packet) && !nothing_was_held(telling, packet)) return unknown_queued(telling, packet, "CLOSE");
        name = "CLOSE";
        why = tr("a CLOSE: close(), shutdown() or the end of the process; no call of this end was recorded");
    } else if (header->length_bytes) {
        if (mptcp == CAUSE_MPTCP_YES) return false;
        if (telling->sweep.persists[packet->side] || !nothing_was_held(telling, packet))
            return unknown_queued(telling, packet, "SEND");
        if (may_have_been_corked(telling, packet))
            return cause_set_unknown(packet,
                                     "a SEND, or held back on purpose (TCP_CORK, MSG_MORE) until the persist timer ran out: "
                                     "the wire can't tell");
        name = "SEND";
        why = tr("a SEND: write(), send() or the like; no call of this end was recorded");
    } else {
        return false;
    }
    if (mptcp == CAUSE_MPTCP_MAYBE)
        return cause_set_unknown(packet, telling_printf(telling,
                                                        "a %s, or Multipath TCP's worker: the capture ends before the option that "
                                                        "would show which",
                                                        name));
    if (may_come_again(telling, packet) || is_late_in_its_row(telling, packet) || was_answered_before(telling, packet))
        return unknown_again(telling, packet, name);
    cause_set_named(telling, packet, CAUSE_CALL, name, EVIDENCE_RULE);
    packet->cause->why = why;
    return true;
}
