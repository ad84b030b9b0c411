/* Why a segment was sent again, from the wire alone: which of TCP's timers had the time to run out, and what had asked for it. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static const int64_t RTO_MIN_NS = CAUSE_RTO_MIN_MS * 1000000LL;
/* RACK's reordering timer waits for a clock tick at least (tcp_rack_mark_lost): what leaves sooner the ACK itself let go. */
static const int64_t AT_ONCE_NS = 500000;

/* Data that left so recently may have the pacing timer hold back what comes next. */
static const int64_t PACED_NS = 1000000;

/* Whoever has sent a SYN of its own answers another with a socket of its own: no request socket's timer repeats that SYN,ACK. */
static bool has_sent_syn(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->packet_count && i < 16; i++)
        if (telling->packets[i].side == side && is_tcp(&telling->packets[i]) &&
            (header_of(&telling->packets[i])->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
            return true;
    return false;
}

static bool repeat_of_syn(struct telling *telling, struct tale_packet *packet, const struct tale_packet *before)
{
    bool syn_ack = header_of(packet)->flags & TCP_ACK;
    const struct tale_packet *last = cause_last_before(telling, packet);
    if (packet->verdict.goes_on)
        return cause_set_unknown(
            packet,
            "the same SYN again although it had been refused: RFC 9293 ends the attempt there, but Windows, for one, tries on");
    bool fast_open =
        telling->conn.end[flow_conn_end(telling->first_side, telling_receiver(telling, packet->side))].flags & END_SYN_DATA;
    if (telling->sweep.speaks[packet->side] && !fast_open)
        return cause_set_unknown(packet, "once more after its sender had gone on: an old duplicate, or these packets were played "
                                         "again; no TCP repeats its SYN then");
    bool asked =
        syn_ack && before && last && is_tcp(last) && arrival_ns(last) > before->sent_ns && header_of(last)->flags & TCP_SYN;
    bool is_timers = before && packet->sent_ns - before->sent_ns >= RTO_MIN_NS && has_sent_syn(telling, packet->side);
    if (asked && is_timers)
        return cause_set_unknown(packet,
                                 "the SYN that crossed it had come again, and the retransmission timer may have run out: the "
                                 "wire can't tell which made it");
    if (asked) return cause_set_segment(telling, packet, last, EVIDENCE_RULE);
    if (!before || packet->sent_ns - before->sent_ns < RTO_MIN_NS)
        return cause_set_unknown(packet, "sent again sooner than the retransmission timer can");
    bool is_request = syn_ack && !has_sent_syn(telling, packet->side);
    return cause_set_named(telling, packet, CAUSE_TIMER, is_request ? "syn-ack" : "retransmit", EVIDENCE_RULE);
}

/* What the SYN carried, and its answer did not take, or took in part (RFC 7413 section 4.2.2): that answer sends it again
 * (tcp_rcv_fastopen_synack), unless it is so late that a timer may have run out. */
static bool repeat_of_syn_data(struct telling *telling, struct tale_packet *packet, const struct tale_packet *before)
{
    struct tale_packet *last = cause_last_before(telling, packet);
    if (!before || !(header_of(before)->flags & TCP_SYN) || !last || !is_tcp(last)) return false;
    const struct event_packet_header *answer = header_of(last);
    if ((answer->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) || answer->flags & TCP_RST) return false;
    uint32_t taken = answer->ack - header_of(before)->seq - 1;
    if (taken >= header_of(before)->length_bytes || packet->sent_ns - arrival_ns(last) >= RTO_MIN_NS) return false;
    packet->segment->repeat = STORY_REPEAT_FAST_OPEN;
    return cause_set_segment(telling, packet, last, EVIDENCE_RULE);
}

static bool speaks_sack(const struct telling *telling)
{
    unsigned seen = 0, agreed = 0;
    for (size_t i = 0; i < telling->packet_count && i < 16; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!is_tcp(packet) || !(header_of(packet)->flags & TCP_SYN)) continue;
        if (tale_options_cut(packet)) return true;
        seen |= 1u << packet->side;
        if (packet->seen->packet.options.present & OPTION_SACK_OK) agreed |= 1u << packet->side;
    }
    return seen != 3 || agreed == 3; /* unseen: it may */
}

/* An ICMP error that this is too big for the path, just before. What went out with the same bytes `before` (NULL: they were part of
 * a larger one) and fits into the error's MTU, or into the least that there is (RFC 791 section 3.2), is not what it is about. */
static bool follows_too_big(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *before)
{
    enum { HEADERS_LEAST = 40, MTU_LEAST = 68 };
    const struct tale_packet *last = cause_last_before(telling, packet);
    if (!last || is_tcp(last) || !last->datagram->icmp) return false;
    bool too_big = strstr(last->datagram->icmp, "fragmentation needed") || strstr(last->datagram->icmp, "too big");
    uint32_t mtu = last->datagram->error.mtu ? last->datagram->error.mtu : MTU_LEAST;
    if (before && before->segment->length_bytes + HEADERS_LEAST <= mtu) return false;
    /* And what is sent for it is smaller, and fits. */
    if (before && packet->segment->length_bytes >= before->segment->length_bytes) return false;
    if (last->datagram->error.mtu && packet->segment->length_bytes + HEADERS_LEAST > mtu) return false;
    return too_big && packet->sent_ns - arrival_ns(last) <= 2 * AT_ONCE_NS;
}

/* The last of what was sent goes out for the first time again: the loss probe's place (RFC 8985 section 7.3), and the timer's. */
static bool may_be_loss_probe(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *before)
{
    const struct conn_verdict *verdict = &packet->verdict;
    bool tail = header_of(packet)->seq + segment_space(header_of(packet)) == verdict->next;
    return tail && before && !before->segment->retransmission && speaks_sack(telling);
}

static bool repeat_at_once(struct telling *telling, struct tale_packet *packet, bool tail)
{
    struct tale_packet *last = cause_last_before(telling, packet);
    struct sweep *sweep = &telling->sweep;
    bool recovers = sweep->in_recovery[packet->side], asked = packet->verdict.is_asked_for;
    if ((asked || recovers) && !tail) packet->segment->repeat = STORY_REPEAT_FAST;
    /* What follows in a recovery may be paced. */
    const struct tale_packet *data = sweep->last_data[packet->side];
    if (!asked || recovers || !last || !data || packet->sent_ns - data->sent_ns < PACED_NS || !is_tcp(last) ||
        !(header_of(last)->flags & TCP_ACK) || segment_space(header_of(last)))
        return false;
    if (!cause_follows_at_once(telling, packet, last) || packet->sent_ns - arrival_ns(last) > AT_ONCE_NS) return false;
    packet->segment->repeat = STORY_REPEAT_FAST;
    if (!sweep->in_recovery[packet->side]) sweep->recovery_to[packet->side] = packet->verdict.next;
    sweep->in_recovery[packet->side] = true;
    return cause_set_segment(telling, packet, last, EVIDENCE_RULE);
}

/* Of equal time stamps the order of capture tells. */
static bool came_behind(const struct tale_packet *last, const struct tale_packet *before)
{
    return arrival_ns(last) > before->sent_ns || (arrival_ns(last) == before->sent_ns && last > before);
}

/* What came last before it may have let it go: an ACK that opened the window, or that took a part. Duplicate ACKs ask in numbers.
 */
static bool repeat_too_soon(struct telling *telling, struct tale_packet *packet, const struct tale_packet *before)
{
    const struct tale_packet *last = cause_last_before(telling, packet);
    bool after = last && is_tcp(last) && last->segment && (!before || came_behind(last, before));
    bool just = after && packet->sent_ns - arrival_ns(last) <= cause_held_ns(telling);
    bool acks = just && !(header_of(last)->flags & TCP_SYN) && !packet->verdict.is_acked &&
                (header_of(last)->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && last->verdict.class != CONN_DUPLICATE_ACK;
    /* Nothing came between the two, and they may be one: IPv6 numbers no packets, nor does everybody with IPv4. */
    static const int64_t SIGHT_NS = 10000000;
    bool alone = before && (!last || arrival_ns(last) < before->sent_ns) && packet->sent_ns - before->sent_ns <= SIGHT_NS;
    bool same = alone && header_of(packet)->length_bytes == header_of(before)->length_bytes &&
                header_of(packet)->flags == header_of(before)->flags && header_of(packet)->ack == header_of(before)->ack;
    if (same && strcmp(telling->teller->trace.recorder, "none") == 0 && !(telling->conn.flags & CONN_TWO_PLACES))
        return cause_set_unknown(packet,
                                 "the same once more, sooner than the retransmission timer can: a timer for losses (tail loss "
                                 "probe, RACK), or one packet that the capture shows twice; the wire can't tell which");
    if (!acks)
        return cause_set_unknown(
            packet, "sent again sooner than the retransmission timer can: duplicate ACKs, or a timer for losses (RACK, "
                    "tail loss probe); the wire can't tell which");
    bool opens = last->verdict.class == CONN_WINDOW_UPDATE ||
                 (telling->sweep.released_by[packet->side] == last && telling->sweep.releases_by_window[packet->side]);
    return cause_set_unknown(
        packet,
        telling_printf(telling,
                       opens ? tr("sent again sooner than the retransmission timer can: let go by #%" PRIu32
                                  ", which had just opened the window, or by duplicate ACKs, or a timer for losses (RACK, tail "
                                  "loss probe); the wire can't tell which")
                             : tr("sent again sooner than the retransmission timer can: let go by #%" PRIu32
                                  ", which had just come, or by duplicate ACKs, or a timer for losses (RACK, tail loss probe); "
                                  "the wire can't tell which"),
                       last->segment->number));
}

/* On a long way the timer has had its time when duplicate ACKs come: they may have asked as well. */
static bool has_just_been_asked(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *before)
{
    const struct tale_packet *last = cause_last_before(telling, packet);
    bool duplicate = last && is_tcp(last) && last->verdict.class == CONN_DUPLICATE_ACK && arrival_ns(last) >= before->sent_ns;
    return duplicate && packet->sent_ns - arrival_ns(last) < cause_held_ns(telling);
}

/* The timer sends the first of what is not acknowledged (tcp_retransmit_timer), and only then what lies behind. */
static bool lies_behind_the_first(const struct telling *telling, const struct tale_packet *packet)
{
    return packet->verdict.has_acked && seq_before(packet->verdict.acked, header_of(packet)->seq) &&
           !telling->sweep.has_repeated[packet->side];
}

/* Its sender had had an ACK of all of it: it echoes a time stamp that is newer than any that came without (RFC 7323 section 4.3).
 */
static bool knew_of_its_ack(const struct telling *telling, const struct tale_packet *packet)
{
    enum { DEPTH = 64 };
    uint32_t end = header_of(packet)->seq + segment_space(header_of(packet)), newest = 0;
    bool has_newest = false;
    size_t i = telling_sent_by(telling, packet->sent_ns);
    for (size_t looked = 0; looked < DEPTH && (i = telling_sent_to(telling, packet->side, i)); looked++) {
        const struct tale_packet *other = &telling->packets[--i];
        if (!is_tcp(other) || !(other->seen->packet.options.present & OPTION_TIMESTAMPS)) continue;
        newest = other->seen->packet.options.ts_value;
        has_newest = true;
        if (header_of(other)->flags & TCP_ACK && seq_before(header_of(other)->ack, end)) break;
    }
    const struct event_options *own = &packet->seen->packet.options;
    return has_newest && own->present & OPTION_TIMESTAMPS && seq_before(newest, own->ts_echo);
}

static bool repeat_of_acknowledged(struct telling *telling, struct tale_packet *packet)
{
    if (knew_of_its_ack(telling, packet))
        return cause_set_unknown(packet, "its sender knew that it had been acknowledged (its time stamp echoes what came behind "
                                         "that): no TCP sends it again then, somebody between made it");
    return cause_set_unknown(packet, "it had been acknowledged here before: that acknowledgment was lost or late and a timer had "
                                     "this sent again, or an old duplicate came; the wire can't tell which");
}

bool cause_rule_repeat(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || !packet->segment->retransmission) return false;
    const struct tale_packet *before = cause_previous_with_same_space(telling, packet);
    if (header_of(packet)->flags & TCP_SYN) return repeat_of_syn(telling, packet, before);
    if (repeat_of_syn_data(telling, packet, before)) return true;
    if (follows_too_big(telling, packet, before)) {
        packet->segment->repeat = STORY_REPEAT_PATH_MTU;
        return cause_set_named(telling, packet, CAUSE_KERNEL, "path-mtu", EVIDENCE_RULE);
    }
    if (packet->verdict.is_acked) return repeat_of_acknowledged(telling, packet);
    bool tail = may_be_loss_probe(telling, packet, before);
    /* An ACK of something new sets the retransmission timer anew. */
    int64_t since_ns = before ? before->sent_ns : INT64_MIN, released_ns = telling->sweep.released_ns[packet->side];
    if (released_ns > since_ns && released_ns <= packet->sent_ns) since_ns = released_ns;
    bool late = before && packet->sent_ns - since_ns >= RTO_MIN_NS;
    if (!late && repeat_at_once(telling, packet, tail)) return true;
    if (!late) return repeat_too_soon(telling, packet, before);
    if (has_just_been_asked(telling, packet, before) || lies_behind_the_first(telling, packet))
        return repeat_at_once(telling, packet, tail) ||
               cause_set_unknown(packet,
                                 "sent again when the retransmission timer may have run out, and as duplicate ACKs or a timer "
                                 "for losses (RACK, tail loss probe) may have asked; the wire can't tell which");
    if (tail)
        return cause_set_unknown(packet,
                                 "the last of what was sent, for the first time again: the loss probe or the retransmission timer; "
                                 "the wire can't tell which");
    if (!telling->conn.end[flow_conn_end(telling->first_side, telling_receiver(telling, packet->side))].segments)
        return cause_set_unknown(packet, "nothing of the other direction was captured: the retransmission timer ran out, or ACKs "
                                         "asked for it or let it go; the wire can't tell");
    packet->segment->repeat = STORY_REPEAT_RTO;
    return cause_set_named(telling, packet, CAUSE_TIMER, "retransmit", EVIDENCE_RULE);
}
