/* Causes from the wire alone: what arrived asks for an answer, a timer that is the only one that can. `rule` is said where nothing
 * else is possible; where two causes are, it is unknown, and named (TCP on Linux: net/ipv4/tcp_input.c, tcp_output.c, tcp_timer.c).
 * What is sent again: cause_repeat.c; what a program queued: cause_data.c. */
#include <inttypes.h>
#include <string.h>

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
/* In a capture from one place the way to the answering host and back lies between, unless the place is that host's. */
static const int64_t NEAR_NS = 1000000;

bool cause_follows_at_once(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *last)
{
    int64_t gap_ns = packet->sent_ns - arrival_ns(last);
    if (gap_ns < 0) return false;
    if (last->received_ns) return gap_ns <= AT_ONCE_NS;
    bool timed = telling->conn.flags & CONN_TIMED;
    return gap_ns <= NEAR_NS && timed && gap_ns / 1024 * 4 <= (int64_t)telling->conn.round_us;
}

/* A RST right after a probe that nobody answered: the timer gave up (tcp_keepalive_timer). */
static bool gives_up_probing(const struct telling *telling, const struct tale_packet *packet)
{
    if (!(header_of(packet)->flags & TCP_RST) || !(header_of(packet)->flags & TCP_ACK)) return false;
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    size_t before = (size_t)(packet - telling->packets);
    size_t newest = before ? telling->packets[before - 1].since[packet->side] : 0;
    const struct tale_packet *probe = newest ? &telling->packets[newest - 1] : NULL;
    return probe && is_tcp(probe) && probe->verdict.class == CONN_KEEPALIVE && (!last || arrival_ns(last) < probe->sent_ns);
}

/* The keepalive timer waits a second at least (TCP_KEEPIDLE, TCP_KEEPINTVL); before that only the persist timer can ask. */
static const int64_t KEEPALIVE_MIN_NS = 900000000;

static bool rule_probe(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet)) return false;
    if (gives_up_probing(telling, packet)) return cause_set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
    bool keepalive = packet->verdict.class == CONN_KEEPALIVE;
    if (!keepalive && packet->verdict.class != CONN_WINDOW_PROBE) return false;
    size_t before = (size_t)(packet - telling->packets);
    const struct tale_packet *newest = before ? &telling->packets[before - 1] : NULL;
    bool soon = newest && packet->sent_ns - newest->sent_ns < KEEPALIVE_MIN_NS;
    bool goes_on = telling->sweep.persists[packet->side]; /* data waits still: the keepalive timer doesn't ask */
    if (keepalive && !goes_on && !soon) return cause_set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
    if (keepalive && !goes_on)
        return cause_set_unknown(packet, "too soon for Linux' keepalive timer, and the peer's window is open: the wire can't tell");
    if (!soon && !goes_on)
        return cause_set_unknown(packet, "the peer's window is shut: the persist timer, if data waits, or the keepalive timer");
    telling->sweep.persists[packet->side] = true;
    return cause_set_named(telling, packet, CAUSE_TIMER, "zero-window-probe", EVIDENCE_RULE);
}

/* What it acknowledges, or a part of: a SYN whose data was not taken (RFC 7413), a large segment that the network card cut. */
static struct tale_packet *acknowledged_within(struct telling *telling, const struct tale_packet *packet)
{
    struct tale_packet *exact = cause_acknowledged(telling, packet);
    if (exact || !(header_of(packet)->flags & TCP_ACK)) return exact;
    enum { DEPTH = 64 };
    size_t i = telling_sent_by(telling, packet->sent_ns);
    for (size_t looked = 0; looked < DEPTH && (i = telling_sent_to(telling, packet->side, i)); looked++) {
        struct tale_packet *other = &telling->packets[--i];
        if (!is_tcp(other) || header_of(other)->flags & TCP_RST || arrival_ns(other) > packet->sent_ns) continue;
        if (telling_is_lost(telling, other)) continue;
        uint32_t at = header_of(packet)->ack - header_of(other)->seq;
        if (at && at < segment_space(header_of(other))) return other;
    }
    return NULL;
}

/* A SYN,ACK answers a SYN. The peer's SYN,ACK, where both ends opened at once, gets an ACK (RFC 9293 figure 7): then the SYN before
 * it was meant. NULL: that was not captured. */
static struct tale_packet *bare_syn(const struct telling *telling, struct tale_packet *syn)
{
    enum { DEPTH = 64 };
    enum story_side side = syn->side;
    for (unsigned i = 0; i < DEPTH; i++, syn--) {
        if (is_tcp(syn) && syn->side == side && (header_of(syn)->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) return syn;
        if (syn == telling->packets) break;
    }
    return NULL;
}

/* The same SYN when it was sent first. */
static const struct tale_packet *first_like(const struct telling *telling, const struct tale_packet *syn)
{
    enum { DEPTH = 16 };
    for (size_t i = 0; i < DEPTH && &telling->packets[i] < syn; i++) {
        const struct tale_packet *other = &telling->packets[i];
        if (is_tcp(other) && other->side == syn->side && (header_of(other)->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
            header_of(other)->seq == header_of(syn)->seq)
            return other;
    }
    return syn;
}

/* Its timer waits for a second (TCP_TIMEOUT_INIT), a tick less as ticks fall. */
static const int64_t SYN_ACK_AGAIN_NS = 990000000;

static bool rule_syn_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || (header_of(packet)->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK)) return false;
    struct tale_packet *syn = acknowledged_within(telling, packet);
    if (!syn || !(header_of(syn)->flags & TCP_SYN)) return false;
    if (packet->verdict.class == CONN_STRAY)
        return cause_set_unknown(packet,
                                 "it answers the SYN once more, with another number: another listener did (a load balancer's), "
                                 "or one that had forgotten; the wire can't tell");
    syn = bare_syn(telling, syn);
    if (syn && !syn->received_ns && packet->sent_ns - first_like(telling, syn)->sent_ns >= SYN_ACK_AGAIN_NS)
        return cause_set_unknown(packet, "so late after the SYN it is its answer, or that was lost before it came here, and the "
                                         "SYN-ACK's timer sent it again; the wire can't tell which");
    return syn && cause_set_segment(telling, packet, syn, EVIDENCE_RULE);
}

/* A RST without a socket behind it takes its numbers from the segment that it answers (RFC 9293 section 3.10.7.1). */
static bool may_be_answered_by(const struct event_packet_header *reset, const struct tale_packet *other)
{
    if (!is_tcp(other) || header_of(other)->flags & TCP_RST || other->is_answered_by_reset) return false;
    const struct event_packet_header *cause = header_of(other);
    if (cause->flags & TCP_ACK) return reset->seq == cause->ack && !(reset->flags & TCP_ACK);
    return reset->seq == 0 && reset->flags & TCP_ACK && reset->ack == cause->seq + segment_space(cause);
}

/* What its receiver has acknowledged it had taken, before there was nobody to take it. */
static bool was_taken(const struct telling *telling, const struct tale_packet *packet)
{
    enum story_side to = telling_receiver(telling, packet->side);
    uint32_t space = segment_space(header_of(packet));
    return space && telling->sweep.has_acked[to] && seq_at_or_before(header_of(packet)->seq + space, telling->sweep.acked[to]);
}

/* The newest that had come and that this RST may answer; and another, where it may as well be that one's. */
static struct tale_packet *answered_by_reset(const struct telling *telling, const struct tale_packet *packet,
                                             const struct tale_packet **ret_second)
{
    enum { DEPTH = 64 }; /* more lie between a segment and its answer in no exchange */
    struct tale_packet *found = NULL, *second = NULL;
    size_t i = telling_sent_by(telling, packet->sent_ns);
    for (size_t looked = 0; looked < DEPTH && (i = telling_sent_to(telling, packet->side, i)); looked++) {
        struct tale_packet *other = &telling->packets[--i];
        if (arrival_ns(other) > packet->sent_ns || telling_is_lost(telling, other)) continue;
        if (!may_be_answered_by(header_of(packet), other)) continue;
        if (!found || arrival_ns(other) > arrival_ns(found)) {
            second = found;
            found = other;
        } else if (!second || arrival_ns(other) > arrival_ns(second)) {
            second = other;
        }
    }
    /* It is answered at once: what had come long before was taken. */
    bool near = found && found->received_ns && packet->sent_ns - found->received_ns <= AT_ONCE_NS;
    if (second && (was_taken(telling, second) || (near && packet->sent_ns - arrival_ns(second) > AT_ONCE_NS))) second = NULL;
    /* From one place: within a round trip, where the newest came so. */
    if (second && arrival_ns(second) < telling->sweep.reset_ns[packet->side]) second = NULL; /* it came before an abort */
    bool long_before = second && packet->sent_ns - arrival_ns(second) > cause_held_ns(telling);
    if (long_before && packet->sent_ns - arrival_ns(found) <= cause_held_ns(telling)) second = NULL;
    *ret_second = second;
    return found;
}

/* A firewall refuses in the same words. TCP itself does so instead of opening a connection, and of who has closed what comes is
 * late; in the middle of a connection it has no reason that the wire shows. */
static bool may_be_a_firewalls(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *answered)
{
    const struct sweep *sweep = &telling->sweep;
    if (telling->teller->unfiltered || sweep->fin[packet->side]) return false;
    return sweep->speaks[packet->side] || !(header_of(answered)->flags & TCP_ACK);
}

static bool rule_reset(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || !(header_of(packet)->flags & TCP_RST)) return false;
    const struct tale_packet *second;
    struct tale_packet *found = answered_by_reset(telling, packet, &second);
    if (!found) return false;
    bool late = found->verdict.is_acked || (found->received_ns && packet->sent_ns - found->received_ns <= AT_ONCE_NS);
    if (!late && was_taken(telling, found)) /* nor what came before it */
        return cause_set_unknown(packet,
                                 "it answers something that was not captured, or a box between or an attacker made it: what "
                                 "came last had been acknowledged, and no TCP resets for that; the wire can't tell");
    found->is_answered_by_reset = true;
    if (second)
        return cause_set_unknown(packet, telling_printf(telling,
                                                        "it answers #%" PRIu32 " or #%" PRIu32
                                                        ", which both came before; the wire can't tell which",
                                                        second->segment->number, found->segment->number));
    if (may_be_a_firewalls(telling, packet, found))
        return cause_set_unknown(
            packet,
            (header_of(found)->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN
                ? tr("it refuses the SYN: nobody listens there, or a firewall answers in this way; the wire can't tell")
                : telling_printf(telling,
                                 "it answers #%" PRIu32
                                 ": that host has no such connection, or a firewall answers in this way; the wire can't tell",
                                 found->segment->number));
    return cause_set_segment(telling, packet, found, EVIDENCE_RULE);
}

/* What asked for it, where its kind alone says what that must have been. */
static bool rule_answer(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || segment_space(header_of(packet)) || header_of(packet)->flags & TCP_RST) return false;
    struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (!last || !is_tcp(last)) return false;
    const struct event_packet_header *asks = header_of(last);
    bool same_window = header_of(packet)->window == telling->sweep.window[packet->side];
    bool questions = asks->flags & (TCP_RST | TCP_SYN);
    bool probes = last->verdict.class == CONN_KEEPALIVE || last->verdict.class == CONN_WINDOW_PROBE;
    switch (packet->verdict.class) {
    case CONN_PROBE_ANSWER:
        if (!probes) return false;
        if (!same_window && !cause_follows_at_once(telling, packet, last))
            return cause_set_unknown(packet, "it answers the probe, or data was read and the window has changed");
        return cause_set_segment(telling, packet, last, EVIDENCE_RULE);
    case CONN_CHALLENGE_ACK:
        return questions && cause_set_segment(telling, packet, last, EVIDENCE_RULE);
    default:
        break;
    }
    if (packet->verdict.class != CONN_DUPLICATE_ACK || !cause_follows_at_once(telling, packet, last)) return false;
    /* Behind a hole, old, or outside the window: each is answered at once (RFC 9293 section 3.10.7.4, RFC 5681 section 4.2). */
    uint32_t ack = header_of(packet)->ack, end = asks->seq + segment_space(asks);
    bool ahead = segment_space(asks) && seq_before(ack, asks->seq), old = segment_space(asks) && seq_at_or_before(end, ack);
    return (ahead || old) && cause_set_segment(telling, packet, last, EVIDENCE_RULE);
}

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
    const struct sweep *sweep = &telling->sweep;
    uint32_t largest = sweep->largest[telling_receiver(telling, packet->side)],
             budget = sweep->first_window[packet->side] / (2 * (largest > 536 ? largest : 536));
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
    if (by->received_ns && gap_ns > AT_ONCE_NS)
        return cause_set_unknown(
            packet, "it came later than an immediate ACK and sooner than a full delayed one: put off by the delayed-ACK "
                    "timer, let go by a read(), or worked off late; the wire can't tell");
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

static bool rule_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->verdict.class != CONN_ACK || segment_space(header_of(packet))) return false;
    if (header_of(packet)->flags & TCP_RST) return false;
    struct tale_packet *by = acknowledged_within(telling, packet);
    if (!by) return false;
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (last && last != by && is_tcp(last) && segment_space(header_of(last)) && arrival_ns(last) > arrival_ns(by))
        return cause_set_unknown(
            packet, "another segment that asks for an ACK came after the one it acknowledges: either may have made it");
    uint8_t opens = header_of(by)->flags & (TCP_SYN | TCP_ACK);
    if (opens == TCP_SYN) /* that is answered with SYN,ACK */
        return cause_set_unknown(packet, "its SYN-ACK was not captured, nor maybe what it answers");
    if (opens & TCP_SYN && header_of(packet)->seq != header_of(by)->ack)
        return cause_set_unknown(packet, "its sender had said more by then than was captured: what it answers is not known");
    if (opens & TCP_SYN) return cause_set_segment(telling, packet, by, EVIDENCE_RULE);
    const struct tale_packet *own = asked_for_more(telling, packet, by);
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

static bool rule_icmp(struct telling *telling, struct tale_packet *packet)
{
    if (is_tcp(packet) || !packet->datagram->icmp) return false;
    struct tale_packet *quoted = tale_quoted(telling, (size_t)(packet - telling->packets));
    return quoted && cause_set_segment(telling, packet, quoted, EVIDENCE_RULE);
}

static const struct cause_rule rules[] = {
    {"rule-repeat", cause_rule_repeat},
    {"rule-probe", rule_probe},
    {"rule-syn-ack", rule_syn_ack},
    {"rule-reset", rule_reset},
    {"rule-answer", rule_answer},
    {"rule-ack", rule_ack},
    {"rule-released", cause_rule_released},
    {"rule-icmp", rule_icmp},
    {"rule-user-call", cause_rule_user_call},
};

const struct cause_rule *cause_wire_rules(size_t *ret_count)
{
    *ret_count = sizeof(rules) / sizeof(rules[0]);
    return rules;
}
