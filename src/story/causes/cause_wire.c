/* Causes from the wire alone: what arrived asks for an answer, a timer that is the only one that can. `rule` is said where nothing
 * else is possible; where two causes are, it is unknown, and named (TCP on Linux: net/ipv4/tcp_input.c, tcp_output.c, tcp_timer.c).
 * What is sent again: cause_repeat.c; what a program queued: cause_data.c; acknowledgements: cause_ack.c. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

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
    if ((header_of(packet)->flags & (TCP_RST | TCP_ACK)) != (TCP_RST | TCP_ACK)) return false;
    const struct tale_packet *last = cause_last_before(telling, packet);
    size_t before = (size_t)(packet - telling->packets);
    size_t newest = before ? telling->packets[before - 1].since[packet->side] : 0;
    const struct tale_packet *probe = newest ? &telling->packets[newest - 1] : NULL;
    return probe && is_tcp(probe) && probe->verdict.class == CONN_KEEPALIVE && (!last || arrival_ns(last) < probe->sent_ns);
}

/* The keepalive timer waits a second at least (TCP_KEEPIDLE, TCP_KEEPINTVL); before that only the persist timer can ask. */
static const int64_t KEEPALIVE_MIN_NS = 900000000;

/* The persist timer waits as long as a retransmission timer does (tcp_probe0_base), from when the window's end was learnt at the
 * soonest; in a capture from one place a round trip may lie between. */
static bool is_too_soon_to_persist(const struct telling *telling, const struct tale_packet *packet)
{
    int64_t shut_ns = telling->sweep.shut_ns[packet->side], way_ns = 0;
    bool far = telling->conn.flags & CONN_TIMED && !(telling->conn.flags & CONN_TWO_PLACES);
    if (far) way_ns = (int64_t)telling->conn.round_us * 1024;
    return shut_ns != INT64_MIN && packet->sent_ns - shut_ns < CAUSE_RTO_MIN_MS * 1000000LL + way_ns;
}

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
    if (keepalive && packet->verdict.is_last_byte)
        return cause_set_unknown(packet, "a keepalive probe with a byte, or the last byte that was sent, once more, as its ACK was "
                                         "lost: the wire can't tell");
    if (keepalive && !goes_on && !soon) return cause_set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
    if (keepalive && !goes_on)
        return cause_set_unknown(packet, "too soon for Linux' keepalive timer, and the peer's window is open: the wire can't tell");
    if (!soon && !goes_on)
        return cause_set_unknown(packet, "the peer's window is shut: the persist timer, if data waits, or the keepalive timer");
    if (is_too_soon_to_persist(telling, packet))
        return cause_set_unknown(packet, "so soon after the peer shut its window: the persist timer, where its least time was set "
                                         "lower than usual (rto_min), or sent before that was known; the wire can't tell");
    telling->sweep.persists[packet->side] = true;
    return cause_set_named(telling, packet, CAUSE_TIMER, "zero-window-probe", EVIDENCE_RULE);
}

struct tale_packet *cause_acknowledged_within(struct telling *telling, const struct tale_packet *packet)
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
static struct tale_packet *bare_syn(struct telling *telling, struct tale_packet *syn)
{
    if ((header_of(syn)->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) return syn;
    size_t newest = telling->sweep.syn[syn->side];
    return newest ? &telling->packets[newest - 1] : NULL;
}

/* Its timer waits for a second (TCP_TIMEOUT_INIT), a tick less as ticks fall. */
static const int64_t SYN_ACK_AGAIN_NS = 990000000;

static bool rule_syn_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || (header_of(packet)->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK)) return false;
    struct tale_packet *syn = cause_acknowledged_within(telling, packet);
    if (!syn || !(header_of(syn)->flags & TCP_SYN)) return false;
    if (packet->verdict.class == CONN_STRAY)
        return cause_set_unknown(packet,
                                 "it answers the SYN once more, with another number: another listener did (a load balancer's), "
                                 "or one that had forgotten; the wire can't tell");
    syn = bare_syn(telling, syn);
    if (syn && !syn->received_ns && packet->sent_ns - telling->sweep.syn_ns[syn->side] >= SYN_ACK_AGAIN_NS)
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

/* What had come and this RST may answer; `second` and `oldest` are NULL where it can only be the newest. */
struct reset_asked {
    struct tale_packet *newest, *second, *oldest;
    size_t count;
};

/* Its answer comes at once, so what had come long before the newest was taken. */
static bool may_answer_older(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *newest,
                             const struct tale_packet *other)
{
    bool near = newest->received_ns && packet->sent_ns - newest->received_ns <= AT_ONCE_NS;
    if (was_taken(telling, other) || (near && packet->sent_ns - arrival_ns(other) > AT_ONCE_NS)) return false;
    if (arrival_ns(other) < telling->sweep.abort_ns[packet->side]) return false;
    /* Who has just closed was there: data for nobody is what ends it, no ACK. */
    if (telling->sweep.fin[packet->side] && !telling->sweep.resets[packet->side] && !segment_space(header_of(other))) return false;
    /* From one place: within a round trip, where the newest came so. */
    int64_t held_ns = cause_held_ns(telling);
    return packet->sent_ns - arrival_ns(other) <= held_ns || packet->sent_ns - arrival_ns(newest) > held_ns;
}

static struct reset_asked asked_by_reset(const struct telling *telling, const struct tale_packet *packet)
{
    enum { DEPTH = 64 }; /* more lie between a segment and its answer in no exchange */
    struct tale_packet *may[DEPTH];
    struct reset_asked asked = {.count = 1};
    size_t count = 0, i = telling_sent_by(telling, packet->sent_ns);
    for (size_t looked = 0; looked < DEPTH && (i = telling_sent_to(telling, packet->side, i)); looked++) {
        struct tale_packet *other = &telling->packets[--i];
        if (arrival_ns(other) > packet->sent_ns || telling_is_lost(telling, other)) continue;
        if (arrival_ns(other) < telling->sweep.asked_ns[packet->side] || !may_be_answered_by(header_of(packet), other)) continue;
        may[count++] = other;
        if (!asked.newest || arrival_ns(other) > arrival_ns(asked.newest)) asked.newest = other;
    }
    for (size_t at = 0; at < count; at++) {
        if (may[at] == asked.newest || !may_answer_older(telling, packet, asked.newest, may[at])) continue;
        asked.count++;
        if (!asked.second || arrival_ns(may[at]) > arrival_ns(asked.second)) asked.second = may[at];
        if (!asked.oldest || arrival_ns(may[at]) <= arrival_ns(asked.oldest)) asked.oldest = may[at];
    }
    return asked;
}

static void note_asked(struct telling *telling, enum story_side side, struct tale_packet *asked)
{
    asked->is_answered_by_reset = true;
    telling->sweep.asked_ns[side] = arrival_ns(asked);
}

/* Each that comes where nobody is is answered, and in order (RFC 9293 section 3.10.7.1): so this one answers the oldest of them or
 * what came later, and the next one none before that. */
static bool set_one_of(struct telling *telling, struct tale_packet *packet, const struct reset_asked *asked)
{
    note_asked(telling, packet->side, asked->oldest);
    struct reset_doubts *doubts = &telling->sweep.doubts[packet->side];
    bool goes_on = doubts->newest == asked->newest && doubts->left == asked->count && doubts->count < RESET_DOUBTS_MAX;
    if (!goes_on) *doubts = (struct reset_doubts){.newest = asked->newest};
    doubts->reset[doubts->count] = packet;
    doubts->asked[doubts->count++] = asked->oldest;
    doubts->left = asked->count - 1;
    return cause_set_unknown(
        packet,
        asked->oldest == asked->second
            ? telling_printf(telling, "it answers #%" PRIu32 " or #%" PRIu32 ", which both came before; the wire can't tell which",
                             asked->second->segment->number, asked->newest->segment->number)
            : telling_printf(telling,
                             "it answers one of what came before, from #%" PRIu32 " to #%" PRIu32 "; the wire can't tell which",
                             asked->oldest->segment->number, asked->newest->segment->number));
}

/* A firewall refuses in the same words. TCP itself does so instead of opening a connection, and of who has closed what comes is
 * late; in the middle of a connection it has no reason that the wire shows. */
static bool may_be_a_firewalls(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *answered)
{
    const struct sweep *sweep = &telling->sweep;
    if (telling->teller->unfiltered || sweep->fin[packet->side]) return false;
    return sweep->speaks[packet->side] || !(header_of(answered)->flags & TCP_ACK);
}

static bool set_answer(struct telling *telling, struct tale_packet *packet, struct tale_packet *found)
{
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

/* As many were answered as had come, the newest among them: each answers its own. */
static void settle_doubts(struct telling *telling, enum story_side side, const struct tale_packet *newest)
{
    struct reset_doubts *doubts = &telling->sweep.doubts[side];
    if (doubts->newest != newest || doubts->left != 1) return;
    for (size_t i = 0; i < doubts->count; i++) set_answer(telling, doubts->reset[i], doubts->asked[i]);
    doubts->newest = NULL;
}

/* The newest of this side before this one. */
static const struct tale_packet *own_before(const struct telling *telling, const struct tale_packet *packet)
{
    size_t i = (size_t)(packet - telling->packets);
    size_t newest = i ? telling->packets[i - 1].since[packet->side] : 0;
    return newest ? &telling->packets[newest - 1] : NULL;
}

/* After this had come its receiver, who sent that RST, acknowledged it: it knew the connection then. */
static bool was_taken_since(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *reset)
{
    enum { DEPTH = 64 };
    uint32_t end = header_of(packet)->seq + segment_space(header_of(packet));
    const struct tale_packet *own = own_before(telling, reset);
    for (size_t looked = 0; own && looked < DEPTH && own->sent_ns > arrival_ns(packet); looked++, own = own_before(telling, own))
        if ((header_of(own)->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && seq_at_or_before(end, header_of(own)->ack)) return true;
    return false;
}

static bool rule_reset(struct telling *telling, struct tale_packet *packet)
{
    if (!(header_of(packet)->flags & TCP_RST)) return false;
    if (packet->not_its_own)
        return cause_set_unknown(packet,
                                 "the end in whose name it came went on afterwards: a box between or an attacker made it, or "
                                 "it is an old connection's of the same ports; the wire can't tell which");
    struct reset_asked asked = asked_by_reset(telling, packet);
    struct tale_packet *found = asked.newest;
    if (!found) {
        telling->sweep.abort_ns[packet->side] = packet->sent_ns;
        return false;
    }
    bool late = found->verdict.is_acked || (found->received_ns && packet->sent_ns - found->received_ns <= AT_ONCE_NS);
    bool taken = was_taken(telling, found) && (!late || was_taken_since(telling, found, packet));
    if (taken) /* nor what came before it */
        return cause_set_unknown(packet,
                                 "it answers something that was not captured, or a box between or an attacker made it: what "
                                 "came last had been acknowledged, and no TCP resets for that; the wire can't tell");
    if (asked.second) return set_one_of(telling, packet, &asked);
    note_asked(telling, packet->side, found);
    settle_doubts(telling, packet->side, found);
    return set_answer(telling, packet, found);
}

/* Its receiver had had a newer time stamp by then, which it echoes (PAWS, RFC 7323 section 5.3). */
bool cause_is_too_old(const struct tale_packet *answer, const struct tale_packet *asks)
{
    const struct event_options *own = &answer->seen->packet.options, *its = &asks->seen->packet.options;
    bool stamped = own->present & its->present & OPTION_TIMESTAMPS && segment_space(header_of(asks));
    return stamped && !(header_of(asks)->flags & TCP_SYN) && seq_before(its->ts_value, own->ts_echo);
}

/* What asked for it, where its kind alone says what that must have been. */
static bool rule_answer(struct telling *telling, struct tale_packet *packet)
{
    enum conn_class class = packet->verdict.class;
    bool answers = class == CONN_PROBE_ANSWER || class == CONN_CHALLENGE_ACK || class == CONN_DUPLICATE_ACK;
    struct tale_packet *last = answers ? cause_last_before(telling, packet) : NULL;
    if (!last || !is_tcp(last)) return false;
    const struct event_packet_header *asks = header_of(last);
    bool same_window = header_of(packet)->window == telling->sweep.window[packet->side];
    bool questions = asks->flags & (TCP_RST | TCP_SYN);
    bool probes = last->verdict.class == CONN_KEEPALIVE || last->verdict.class == CONN_WINDOW_PROBE;
    switch (class) {
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
    if (!cause_follows_at_once(telling, packet, last)) return false;
    /* One ACK answered that already: this one is a further sight of it, or a read() made it. */
    const struct tale_packet *own = own_before(telling, packet);
    if (own && own->sent_ns >= arrival_ns(last) && header_of(own)->flags & TCP_ACK && !(header_of(own)->flags & TCP_RST))
        return false;
    /* Behind a hole, old, outside the window, or of an old time stamp: each is answered at once (RFC 9293 section 3.10.7.4, RFC
     * 5681 section 4.2). */
    uint32_t ack = header_of(packet)->ack, end = asks->seq + segment_space(asks);
    bool ahead = segment_space(asks) && seq_before(ack, asks->seq), old = segment_space(asks) && seq_at_or_before(end, ack);
    return (ahead || old || cause_is_too_old(packet, last)) && cause_set_segment(telling, packet, last, EVIDENCE_RULE);
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
    {"rule-ack", cause_rule_ack},
    {"rule-released", cause_rule_released},
    {"rule-icmp", rule_icmp},
    {"rule-user-call", cause_rule_user_call},
};

const struct cause_rule *cause_wire_rules(size_t *ret_count)
{
    *ret_count = sizeof(rules) / sizeof(rules[0]);
    return rules;
}
