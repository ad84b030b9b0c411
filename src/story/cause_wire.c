/* Causes from the wire alone, by what RFC 9293 and Linux's timers leave to choose from. */
#include <string.h>

#include "story/cause.h"
#include "tcp/segment.h"

/* Linux's bounds (include/net/tcp.h): TCP_RTO_MIN and TCP_DELACK_MIN, less a little for clocks. */
static const int64_t RTO_MIN_NS = 190000000, DELACK_MIN_NS = 38000000;

/* Whoever has sent a SYN of its own answers another with a socket of its own: no request socket's timer repeats that SYN,ACK. */
static bool has_sent_syn(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->packet_count; i++)
        if (telling->packets[i].side == side && is_tcp(&telling->packets[i]) &&
            (header_of(&telling->packets[i])->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
            return true;
    return false;
}

static bool rule_retransmission(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || !packet->segment->retransmission) return false;
    const struct tale_packet *before = cause_previous_with_same_space(telling, packet);
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    bool syn_ack = strcmp(packet->segment->label, "SYN-ACK") == 0;
    bool is_request = syn_ack && !has_sent_syn(telling, packet->side);
    if (syn_ack && before && last && arrival_ns(last) > before->sent_ns && header_of(last)->flags & TCP_SYN)
        return cause_set_segment(telling, packet, last, EVIDENCE_RULE);
    if (!before || packet->sent_ns - before->sent_ns < RTO_MIN_NS)
        return cause_set_unknown(packet,
                                 "sent again sooner than the retransmission timer can: the wire can't tell what asked for it");
    return cause_set_named(telling, packet, CAUSE_TIMER, is_request ? "syn-ack" : "retransmit", EVIDENCE_RULE);
}

/* A RST right after a probe that nobody answered: the timer gave up (tcp_keepalive_timer). */
static bool gives_up_probing(const struct telling *telling, const struct tale_packet *packet)
{
    if (strcmp(packet->segment->label, "RST") != 0 || !(header_of(packet)->flags & TCP_ACK)) return false;
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns), *probe = NULL;
    for (const struct tale_packet *other = telling->packets; other < packet; other++)
        if (other->side == packet->side) probe = other;
    return probe && is_tcp(probe) && probe->cause->kind == CAUSE_TIMER && strcmp(probe->cause->name, "keepalive") == 0 &&
           (!last || arrival_ns(last) < probe->sent_ns);
}

static bool rule_keepalive(struct telling *telling, struct tale_packet *packet)
{
    if (is_tcp(packet) && gives_up_probing(telling, packet))
        return cause_set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
    if (!is_tcp(packet) || strcmp(packet->segment->label, "ACK") != 0) return false;
    const struct tale_packet *last = telling->sweep.last_space[packet->side];
    if (!last || header_of(packet)->seq + 1 != header_of(last)->seq + segment_space(header_of(last))) return false;
    return cause_set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
}

static bool rule_syn_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "SYN-ACK") != 0) return false;
    struct tale_packet *syn = cause_acknowledged(telling, packet);
    return syn && cause_set_segment(telling, packet, syn, EVIDENCE_RULE);
}

/* A RST that no call spans answers a segment (RFC 9293 section 3.10.7.1): its numbers are taken from that segment. */
static bool rule_reset(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "RST") != 0) return false;
    struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (!last || !is_tcp(last)) return false;
    const struct event_packet_header *reset = header_of(packet), *cause = header_of(last);
    bool fits = cause->flags & TCP_ACK
                    ? reset->seq == cause->ack && !(reset->flags & TCP_ACK)
                    : reset->seq == 0 && reset->flags & TCP_ACK && reset->ack == cause->seq + segment_space(cause);
    return fits && cause_set_segment(telling, packet, last, EVIDENCE_RULE);
}

static bool rule_delayed_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "ACK") != 0) return false;
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (!last || !is_tcp(last) || !segment_space(header_of(last)) || header_of(last)->flags & TCP_SYN) return false;
    /* Only where its arrival was seen: else the way there and back looks like a delay. */
    if (!last->received_ns || cause_acknowledged(telling, packet) != last) return false;
    if (packet->sent_ns - arrival_ns(last) < DELACK_MIN_NS) return false;
    return cause_set_named(telling, packet, CAUSE_TIMER, "delayed-ack", EVIDENCE_RULE);
}

/* Linux may put off the ACK of data, and of a FIN that moves it to CLOSE_WAIT, by anything from a clock tick to 200 ms
 * (tcp_send_delayed_ack); what it answers at once leaves within this. */
static const int64_t AT_ONCE_NS = 300000;

static bool may_be_delayed(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    if (!by->received_ns || header_of(by)->flags & TCP_SYN || packet->sent_ns - by->received_ns <= AT_ONCE_NS) return false;
    return !telling->sweep.fin[packet->side];
}

static bool rule_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "ACK") != 0) return false;
    struct tale_packet *by = cause_acknowledged(telling, packet);
    for (size_t i = (size_t)(packet - telling->packets); by && i-- > 0;) {
        const struct tale_packet *other = &telling->packets[i];
        if (other->sent_ns < arrival_ns(by)) break;
        if (other->side == packet->side && is_tcp(other) && header_of(other)->flags & TCP_ACK &&
            header_of(other)->ack == header_of(packet)->ack)
            return false; /* cause_acknowledged before: this one says something else (a window, a probe's answer) */
    }
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (by && last && last != by && is_tcp(last) && segment_space(header_of(last)) && arrival_ns(last) > arrival_ns(by))
        return cause_set_unknown(
            packet, "another segment that asks for an ACK came after the one it acknowledges: either may have made it");
    if (by && may_be_delayed(telling, packet, by))
        return cause_set_unknown(
            packet, "it came later than an immediate ACK and sooner than a full delayed one: put off by the delayed-ACK "
                    "timer, or worked off late; the wire can't tell");
    return by && cause_set_segment(telling, packet, by, EVIDENCE_RULE);
}

/* Data or a FIN outside of any call: a call queued it, and what arrived last let it go. */
static bool rule_released(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->segment->retransmission) return false;
    if (strcmp(packet->segment->label, "data") != 0 && strcmp(packet->segment->label, "FIN") != 0) return false;
    if (telling->packets[0].seen->packet.options.present & OPTION_MPTCP) return false; /* a worker of the kernel sends, too */
    bool fin = strcmp(packet->segment->label, "FIN") == 0;
    bool queued = (fin ? telling->sweep.fin_queued_ns : telling->sweep.data_queued_ns)[packet->side] <= packet->sent_ns;
    struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    return queued && last && is_tcp(last) && cause_set_segment(telling, packet, last, EVIDENCE_RULE);
}

static bool rule_icmp(struct telling *telling, struct tale_packet *packet)
{
    if (is_tcp(packet) || !packet->datagram->icmp) return false;
    struct tale_packet *quoted = tale_quoted(telling, (size_t)(packet - telling->packets));
    return quoted && cause_set_segment(telling, packet, quoted, EVIDENCE_RULE);
}

/* Where no call of this end was recorded, the wire still shows which user call of RFC 9293 section 3.9.1 there must have been. */
static bool rule_user_call(struct telling *telling, struct tale_packet *packet)
{
    static const struct {
        const char *label, *name, *why;
    } user_calls[] = {
        {"SYN", "OPEN", "an active OPEN: connect(), or sendto() with Fast Open; no call of this end was recorded"},
        {"data", "SEND", "a SEND: write(), send() or the like; no call of this end was recorded"},
        {"FIN", "CLOSE", "a CLOSE: close(), shutdown() or the end of the process; no call of this end was recorded"},
    };
    if (!is_tcp(packet) || packet->segment->retransmission) return false;
    if (telling->sweep.any_call[packet->side]) return false;
    for (size_t i = 0; i < sizeof(user_calls) / sizeof(user_calls[0]); i++) {
        if (strcmp(user_calls[i].label, packet->segment->label) != 0) continue;
        cause_set_named(telling, packet, CAUSE_CALL, user_calls[i].name, EVIDENCE_RULE);
        packet->cause->why = user_calls[i].why;
        return true;
    }
    return false;
}

static const struct cause_rule rules[] = {
    {"rule-retransmission", rule_retransmission},
    {"rule-keepalive", rule_keepalive},
    {"rule-syn-ack", rule_syn_ack},
    {"rule-reset", rule_reset},
    {"rule-delayed-ack", rule_delayed_ack},
    {"rule-ack", rule_ack},
    {"rule-released", rule_released},
    {"rule-icmp", rule_icmp},
    {"rule-user-call", rule_user_call},
};

const struct cause_rule *cause_wire_rules(size_t *ret_count)
{
    *ret_count = sizeof(rules) / sizeof(rules[0]);
    return rules;
}
