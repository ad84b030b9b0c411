/* Why an ACK of something new was sent, from the wire alone: at once, or put off, or by a read(); and what it answers. */
#include <inttypes.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* A delayed ACK is surely its timer's from about TCP_DELACK_MIN (40 ms, a tick less as ticks fall) to TCP_DELACK_MAX (200 ms) and a
 * little more. The timer may run out sooner, at the next clock tick even (tcp_send_delayed_ack: the estimate is short), but so late
 * a busy host may also answer at once: a process that holds the socket's lock was put aside, and the segment waited in its backlog.
 */
static const int64_t DELACK_MIN_NS = 36000000, DELACK_MAX_NS = 215000000;
/* What Linux answers at once leaves within this. */
static const int64_t AT_ONCE_NS = 300000;

/* A call of this end that takes data out of the buffer was under way, or had just been: it may have sent an ACK (tcp_cleanup_rbuf).
 */
static bool may_have_read(struct telling *telling, const struct tale_packet *packet, int64_t since_ns)
{
    struct sweep *sweep = &telling->sweep;
    if (!sweep->any_call[packet->side]) return true;
    cause_sweep_calls(telling, packet->sent_ns);
    if (sweep->read_ns[packet->side] >= since_ns) return true;
    for (size_t i = 0; i < sweep->open_count; i++) {
        const struct tale_call *call = &telling->calls[sweep->open[i]];
        if (call->story->side == packet->side && cause_can_acknowledge(call->call)) return true;
    }
    return false;
}

/* Linux acknowledges the first segments of a stream at once, until its end answers with data (tcp_incr_quickack: as many as half
 * the window that it began with holds of its largest segments, sixteen at most; one is sure; pingpong mode). */
static bool acknowledges_at_once(const struct telling *telling, const struct tale_packet *packet)
{
    /* From one place that is counted only where the stream's beginning was captured, and all of it. */
    if (!(telling->conn.flags & (CONN_OPENED | CONN_TWO_PLACES)) || telling->sweep.any_gap) return false;
    static const uint32_t LEAST_MSS = 536;
    const struct sweep *sweep = &telling->sweep;
    uint32_t largest = sweep->largest[telling_receiver(telling, packet->side)];
    if (largest < LEAST_MSS) largest = LEAST_MSS;
    uint32_t budget = sweep->first_window[packet->side] / (2 * largest);
    if (budget > 15) budget = 15;
    if (budget < 1) budget = 1;
    return !sweep->has_replied[packet->side] && !sweep->is_full[packet->side] && sweep->data_acks[packet->side] < budget;
}

/* The right edge of its window has not moved on: nobody took data out of the buffer. A read() that sends the ACK of one segment has
 * emptied the buffer, which opens the window again; that of more than one segment, any read() sends, and need not make any room
 * (tcp_cleanup_rbuf). */
static bool edge_stays(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    const struct sweep *sweep = &telling->sweep;
    enum story_side side = packet->side;
    if (!sweep->has_acked[side] || sweep->is_first_window[side]) return false;
    if (header_of(packet)->ack - sweep->acked[side] > header_of(by)->length_bytes) return false;
    unsigned shift = sweep->scaled ? sweep->scale[side] : 0;
    uint32_t was = sweep->acked[side] + ((uint32_t)sweep->window[side] << shift);
    uint32_t is = header_of(packet)->ack + ((uint32_t)header_of(packet)->window << shift);
    return seq_at_or_before(is, was);
}

static bool rule_ack_of_data(struct telling *telling, struct tale_packet *packet, const struct tale_packet *by)
{
    int64_t gap_ns = packet->sent_ns - arrival_ns(by);
    bool read = !edge_stays(telling, packet, by) && may_have_read(telling, packet, arrival_ns(by));
    if (by->received_ns && gap_ns >= DELACK_MIN_NS && gap_ns <= DELACK_MAX_NS) {
        if (!read) return cause_set_named(telling, packet, CAUSE_TIMER, "delayed-ack", EVIDENCE_RULE);
        return cause_set_unknown(packet, "put off: the delayed-ACK timer ran out, or a read() made room; the wire can't tell");
    }
    if (by->received_ns && gap_ns > DELACK_MAX_NS)
        return cause_set_unknown(packet,
                                 "it came later than Linux puts one off: by another system's delayed-ACK timer, let go by a "
                                 "read(), or worked off late; the wire can't tell");
    if (by->received_ns && gap_ns > AT_ONCE_NS)
        return cause_set_unknown(
            packet, "it came later than an immediate ACK and sooner than a full delayed one: put off by the delayed-ACK "
                    "timer, let go by a read(), or worked off late; the wire can't tell");
    /* From one place the round trip lies between at most. */
    if (!by->received_ns && gap_ns >= cause_held_ns(telling) + DELACK_MIN_NS)
        return cause_set_unknown(packet, "so late after what it acknowledges: put off (a delayed ACK), let go by a read(), or the "
                                         "way took longer than before; the wire can't tell");
    if (read && !acknowledges_at_once(telling, packet))
        return cause_set_unknown(packet, "the kernel acknowledges at once, or when a read() makes room: the wire can't tell which");
    return cause_set_segment(telling, packet, by, EVIDENCE_RULE);
}

/* Of an end that has not closed yet, Linux puts the ACK of a FIN off (tcp_fin enters pingpong mode): its timer runs out 40 ms later
 * or, where no data had come, at the next clock tick, which may be as soon as an answer. Others answer at once (RFC 9293 section
 * 3.10.7.4). */
static bool rule_ack_of_fin(struct telling *telling, struct tale_packet *packet, const struct tale_packet *by)
{
    bool more = telling->sweep.has_acked[packet->side] && header_of(packet)->ack - telling->sweep.acked[packet->side] > 1;
    int64_t gap_ns = packet->sent_ns - arrival_ns(by);
    if (telling->sweep.fin[packet->side]) return cause_set_segment(telling, packet, by, EVIDENCE_RULE); /* tcp_time_wait */
    /* Data that came before it was acknowledged at once, or its acknowledgement was put off too, or not captured. */
    if (more && !by->received_ns && !header_of(by)->length_bytes)
        return cause_set_unknown(packet,
                                 "it acknowledges the FIN, and data before it: at once, or when the delayed-ACK timer ran out; "
                                 "the wire can't tell which");
    if (more) return rule_ack_of_data(telling, packet, by);
    if (by->received_ns && gap_ns >= DELACK_MIN_NS &&
        gap_ns <= DELACK_MAX_NS) /* reading the end takes no bytes: tcp_cleanup_rbuf */
        return cause_set_named(telling, packet, CAUSE_TIMER, "delayed-ack", EVIDENCE_RULE);
    if (by->received_ns && gap_ns > AT_ONCE_NS)
        return cause_set_unknown(packet, "the ACK of the FIN was put off, or worked off late; the wire can't tell");
    return cause_set_unknown(packet, "it acknowledges the FIN: at once, or when the delayed-ACK timer ran out, as Linux puts that "
                                     "off; the wire can't tell which");
}

/* A duplicate ACK that this side sent just before, when `by` may have come already: something is missing before that. */
static const struct tale_packet *asked_for_more(const struct telling *telling, const struct tale_packet *packet,
                                                const struct tale_packet *by)
{
    size_t i = (size_t)(packet - telling->packets);
    size_t before = i ? telling->packets[i - 1].since[packet->side] : 0;
    const struct tale_packet *own = before ? &telling->packets[before - 1] : NULL;
    bool asks = own && is_tcp(own) && own->side == packet->side && own->verdict.class == CONN_DUPLICATE_ACK;
    return asks && arrival_ns(by) <= own->sent_ns ? own : NULL;
}

/* Karn's question: which of two segments that carry the same was acknowledged. The time stamp that it echoes is that of the newest
 * that had come (RFC 7323 section 4.3); without, nobody knows but who saw them come. NULL: there is no such other one, or it shows.
 */
static const struct tale_packet *maybe_for(const struct telling *telling, const struct tale_packet *packet,
                                           const struct tale_packet *by)
{
    const struct tale_packet *before = by->segment->retransmission ? cause_previous_with_same_space(telling, by) : NULL;
    if (!before || by->received_ns || telling_is_lost(telling, before)) return NULL;
    const struct event_options *echo = &packet->seen->packet.options, *first = &before->seen->packet.options,
                               *again = &by->seen->packet.options;
    bool stamped = echo->present & first->present & again->present & OPTION_TIMESTAMPS;
    return stamped && first->ts_value != again->ts_value && echo->ts_echo == again->ts_value ? NULL : before;
}

/* With TCP_QUICKACK off, TCP_DEFER_ACCEPT set or data waiting in the call that connects, Linux puts off the handshake's last ACK,
 * by TCP_DELACK_MAX (tcp_rcv_synsent_state_process); else it leaves at once. */
static bool rule_ack_of_syn(struct telling *telling, struct tale_packet *packet, struct tale_packet *by)
{
    static const int64_t PUT_OFF_NS = 190000000; /* 200 ms, a tick less as ticks fall */
    if (by->received_ns && packet->sent_ns - by->received_ns >= PUT_OFF_NS)
        return cause_set_unknown(packet, "so late after the SYN-ACK: put off, to go along with data (TCP_QUICKACK off, or "
                                         "TCP_DEFER_ACCEPT at the client), or worked off late; the wire can't tell");
    return cause_set_segment(telling, packet, by, EVIDENCE_RULE);
}

/* The kernel was seen to send it while it received another segment of this connection that asks this end for an ACK. */
static bool was_receiving_another(const struct tale_packet *packet, const struct tale_packet *by)
{
    const struct event_packet_header *received = &packet->seen->context.received, *own = header_of(packet);
    if (!packet->seen->marked || !packet->seen->context.receiving || received->protocol != own->protocol) return false;
    if (!address_equal(&received->dst, &own->src) || !address_equal(&received->src, &own->dst)) return false;
    return segment_space(received) && !flow_covers(received, header_of(by));
}

bool cause_rule_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->verdict.class != CONN_ACK || segment_space(header_of(packet))) return false;
    if (header_of(packet)->flags & TCP_RST) return false;
    struct tale_packet *by = cause_acknowledged_within(telling, packet);
    if (!by) return false;
    const struct tale_packet *last = cause_last_before(telling, packet);
    if (last && last != by && is_tcp(last) && segment_space(header_of(last)) && arrival_ns(last) >= arrival_ns(by))
        return cause_set_unknown(
            packet, "another segment that asks for an ACK came after the one it acknowledges: either may have made it");
    if (was_receiving_another(packet, by))
        return cause_set_unknown(packet,
                                 "made while the kernel received another segment of this connection, not what it acknowledges");
    uint8_t opens = header_of(by)->flags & (TCP_SYN | TCP_ACK);
    if (opens == TCP_SYN) /* that is answered with SYN,ACK */
        return cause_set_unknown(packet, "its SYN-ACK was not captured, nor maybe what it answers");
    if (opens & TCP_SYN && header_of(packet)->seq != header_of(by)->ack)
        return cause_set_unknown(packet, "its sender had said more by then than was captured: what it answers is not known");
    if (opens & TCP_SYN) return rule_ack_of_syn(telling, packet, by);
    const struct tale_packet *before = maybe_for(telling, packet, by), *own = asked_for_more(telling, packet, by);
    if (before && before->segment)
        return cause_set_unknown(packet, telling_printf(telling,
                                                        "it acknowledges #%" PRIu32 " or #%" PRIu32
                                                        ", which carry the same; the wire can't tell which came",
                                                        before->segment->number, by->segment->number));
    if (own)
        return cause_set_unknown(packet,
                                 telling_printf(telling,
                                                "what the duplicate ACK #%" PRIu32 " asked for has come: which segment that "
                                                "was, the wire can't tell",
                                                own->segment->number));
    if (header_of(by)->flags & TCP_FIN && header_of(by)->seq + segment_space(header_of(by)) == header_of(packet)->ack)
        return rule_ack_of_fin(telling, packet, by);
    return rule_ack_of_data(telling, packet, by);
}
