/* Why a segment was sent: rules in the order of the strength of their evidence; the first that answers, answers.
 *
 * The first group reads what the kernel itself showed while it sent the segment. The second group has only the calls' spans and
 * the wire; it prefers `unknown` to a guess wherever two answers are possible. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "story/telling.h"
#include "story/words.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* Linux's bounds (include/net/tcp.h): TCP_RTO_MIN and TCP_DELACK_MIN, less a little for clocks. */
static const int64_t RTO_MIN_NS = 190000000, DELACK_MIN_NS = 38000000;
/* What a call left to its return to user space is done within this (the thread's next call ends the wait sooner). */
static const int64_t DEFERRED_NS = 5000000;
/* The end of a process and the FINs of its sockets are one piece of work. */
static const int64_t EXIT_NS = 50000000;

static const struct event_packet_header *header_of(const struct tale_packet *packet)
{
    return &packet->seen->packet.header;
}

static int64_t arrival_ns(const struct tale_packet *packet)
{
    return packet->received_ns ? packet->received_ns : packet->sent_ns;
}

static bool is_tcp(const struct tale_packet *packet)
{
    return packet->segment != NULL;
}

/* ---- what a cause is made of ---- */

static bool set_call(struct telling *telling, struct tale_packet *packet, struct tale_call *call, const char *name,
                     enum story_evidence evidence)
{
    struct story_cause *cause = packet->cause;
    cause->kind = CAUSE_CALL;
    cause->evidence = evidence;
    cause->step = call ? telling_call_step(call) : STORY_NO_STEP;
    cause->name = call ? call->story->name : telling_printf(telling, "%s", name);
    cause->why = words_sent_by_call(telling, packet, call);
    return true;
}

static bool set_segment(struct telling *telling, struct tale_packet *packet, const struct tale_packet *by,
                        enum story_evidence evidence)
{
    struct story_cause *cause = packet->cause;
    cause->kind = CAUSE_SEGMENT;
    cause->evidence = evidence;
    cause->step = by->step;
    cause->why = words_sent_by_packet(telling, packet, by);
    return true;
}

static bool set_named(struct telling *telling, struct tale_packet *packet, enum story_cause_kind kind, const char *name,
                      enum story_evidence evidence)
{
    struct story_cause *cause = packet->cause;
    cause->kind = kind;
    cause->evidence = evidence;
    cause->step = STORY_NO_STEP;
    cause->name = name;
    cause->why = words_sent_by_itself(telling, packet);
    return true;
}

static bool set_exit(struct telling *telling, struct tale_packet *packet, uint32_t step, enum story_evidence evidence)
{
    const struct story_exit *exit = telling->story->steps[step].exit;
    struct story_cause *cause = packet->cause;
    cause->kind = CAUSE_EXIT;
    cause->evidence = evidence;
    cause->step = step;
    cause->name = exit->name;
    cause->why = words_sent_by_exit(telling, packet, exit);
    return true;
}

/* ---- looking back ---- */

struct tale_packet *cause_last_arrival(const struct telling *telling, enum story_side side, int64_t at_ns)
{
    struct tale_packet *best = NULL;
    size_t i = telling_sent_by(telling, at_ns);
    while ((i = telling_sent_to(telling, side, i))) {
        struct tale_packet *packet = &telling->packets[--i];
        /* Nothing flies longer than the longest flight: what was sent before this arrived before the best. */
        if (best && packet->sent_ns + telling->longest_flight_ns < arrival_ns(best)) break;
        if (arrival_ns(packet) > at_ns) continue;
        if (telling_is_lost(telling, packet) || (telling->flow->to_itself && packet->sent_ns >= at_ns)) continue;
        if (!best || arrival_ns(packet) > arrival_ns(best)) best = packet;
    }
    return best;
}

/* The first packet of the peer that ends exactly where this segment's ACK points, and had arrived: what it acknowledges. */
static struct tale_packet *acknowledged(const struct telling *telling, const struct tale_packet *packet)
{
    if (!(header_of(packet)->flags & TCP_ACK)) return NULL;
    size_t i = telling_sent_by(telling, packet->sent_ns);
    while ((i = telling_sent_to(telling, packet->side, i))) {
        struct tale_packet *other = &telling->packets[--i];
        if (other == packet || !is_tcp(other) || !segment_space(header_of(other)) || header_of(other)->flags & TCP_RST) continue;
        if (arrival_ns(other) > packet->sent_ns || telling_is_lost(telling, other)) continue;
        uint32_t end = header_of(other)->seq + segment_space(header_of(other));
        if (end == header_of(packet)->ack) return other;
        /* Before a segment that was new, and ended before that point, there was nothing that reached it. */
        if (!other->segment->retransmission && !other->seen->copy && seq_before(end, header_of(packet)->ack)) return NULL;
    }
    return NULL;
}

static struct tale_packet *previous_with_same_space(const struct telling *telling, const struct tale_packet *packet)
{
    for (size_t i = (size_t)(packet - telling->packets); i-- > 0;) {
        struct tale_packet *other = &telling->packets[i];
        if (other->side == packet->side && is_tcp(other) && segment_space(header_of(other)) &&
            seq_at_or_before(header_of(other)->seq, header_of(packet)->seq) &&
            seq_before(header_of(packet)->seq, header_of(other)->seq + segment_space(header_of(other))))
            return other;
    }
    return NULL;
}

static struct tale_call *marked_call(const struct telling *telling, const struct tale_packet *packet)
{
    return telling_find_call(telling, packet->seen->call);
}

/* ---- evidence from the kernel ---- */

static bool has_chain(const struct tale_packet *packet, enum chain_meaning meaning)
{
    return packet->seen->marked && packet->chain.meaning == meaning;
}

/* The network's doing, not the sender's: it was sent once and arrived twice. */
static bool network_copy(struct telling *telling, struct tale_packet *packet)
{
    return packet->seen->copy && set_named(telling, packet, CAUSE_KERNEL, "duplicated", EVIDENCE_RULE);
}

static bool chain_call(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_CALL)) return false;
    struct tale_call *call = marked_call(telling, packet);
    /* The thread's own call, unless its beginning was lost and an older one is all that is known. */
    if (call && (packet->seen->call_over || strcmp(call->story->name, packet->chain.name) != 0)) call = NULL;
    return set_call(telling, packet, call, packet->chain.name, EVIDENCE_STACK);
}

static bool chain_receive(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_RECEIVE)) return false;
    const struct event_context *context = &packet->seen->context;
    struct tale_packet *by = context->receiving ? telling_find_packet(telling, &context->received, packet->sent_ns) : NULL;
    if (by && telling_receiver(telling, by->side) == packet->side) return set_segment(telling, packet, by, EVIDENCE_STACK);
    /* The chain says that some segment was being received; which, only the order of arrival tells. */
    by = cause_last_arrival(telling, packet->side, packet->sent_ns);
    return by && set_segment(telling, packet, by, EVIDENCE_RULE);
}

static bool chain_backlog(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_BACKLOG) || !is_tcp(packet)) return false;
    struct tale_packet *by = acknowledged(telling, packet);
    if (packet->chain.notes & CHAIN_LEFT_OVER && !(packet->chain.notes & CHAIN_INPUT)) {
        if (segment_space(header_of(packet))) return set_named(telling, packet, CAUSE_KERNEL, "small-queues", EVIDENCE_STACK);
        return by && set_segment(telling, packet, by, EVIDENCE_STACK);
    }
    struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    /* Worked off in order of arrival: exact where the newest arrival is the one acknowledged, or the only one to choose from. */
    if (by && segment_space(header_of(packet)) == 0) return set_segment(telling, packet, by, EVIDENCE_STACK);
    return last && set_segment(telling, packet, last, EVIDENCE_CONTEXT);
}

static bool chain_timer(struct telling *telling, struct tale_packet *packet)
{
    return has_chain(packet, CHAIN_TIMER) && set_named(telling, packet, CAUSE_TIMER, packet->chain.name, EVIDENCE_STACK);
}

static bool chain_deferred(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_DEFERRED)) return false;
    struct tale_call *call = marked_call(telling, packet);
    return call && set_call(telling, packet, call, NULL, EVIDENCE_STACK);
}

uint32_t cause_exit_step(const struct telling *telling, int32_t pid)
{
    for (size_t i = 0; i < telling->story->step_count; i++)
        if (telling->story->steps[i].kind == STEP_PROCESS_EXIT && telling->story->steps[i].exit->process.pid == pid)
            return (uint32_t)i;
    return STORY_NO_STEP;
}

static bool chain_exit(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_EXIT)) return false;
    uint32_t step = cause_exit_step(telling, packet->seen->context.current.pid);
    if (step != STORY_NO_STEP) return set_exit(telling, packet, step, EVIDENCE_STACK);
    set_named(telling, packet, CAUSE_EXIT, "exit", EVIDENCE_STACK);
    packet->cause->why =
        telling_printf(telling, "%s ended: the kernel closed its sockets, no call was made", packet->seen->context.current.comm);
    return true;
}

static bool chain_kernel(struct telling *telling, struct tale_packet *packet)
{
    return has_chain(packet, CHAIN_KERNEL) && set_named(telling, packet, CAUSE_KERNEL, packet->chain.name, EVIDENCE_STACK);
}

static bool context_receive(struct telling *telling, struct tale_packet *packet)
{
    const struct event_context *context = &packet->seen->context;
    if (!packet->seen->marked || context->chain || !context->softirq || !context->receiving) return false;
    struct tale_packet *by = telling_find_packet(telling, &context->received, packet->sent_ns);
    /* A timer that runs after the receiving of this CPU's last segment looks the same: only an answer that fits counts. */
    if (!by || telling_receiver(telling, by->side) != packet->side || (is_tcp(packet) && acknowledged(telling, packet) != by))
        return false;
    return set_segment(telling, packet, by, EVIDENCE_CONTEXT);
}

/* Which calls can send what: a blocked read() that spans a FIN did not send it. */
static bool can_send(const struct call *call, const struct tale_packet *packet)
{
    const char *name = call->name;
    bool writes = strncmp(name, "send", 4) == 0 || strncmp(name, "write", 5) == 0;
    if (!is_tcp(packet)) return writes;
    const char *label = packet->segment->label;
    if (strcmp(label, "SYN") == 0) return strcmp(name, "connect") == 0 || strncmp(name, "send", 4) == 0;
    bool closes = strcmp(name, "close") == 0 || strcmp(name, "close_range") == 0;
    if (strcmp(label, "FIN") == 0) return closes || (strcmp(name, "shutdown") == 0 && call->how != SHUT_RD);
    /* Whoever aborts acknowledges (tcp_send_active_reset); a RST without ACK answers a segment (RFC 9293 section 3.10.7.1). */
    if (strcmp(label, "RST") == 0) return header_of(packet)->flags & TCP_ACK && (closes || strcmp(name, "connect") == 0);
    return strcmp(label, "data") == 0 && writes;
}

static bool context_call(struct telling *telling, struct tale_packet *packet)
{
    const struct sighting *seen = packet->seen;
    if (!seen->marked || seen->context.chain || seen->context.softirq || seen->call_over) return false;
    struct tale_call *call = marked_call(telling, packet);
    return call && can_send(call->call, packet) && set_call(telling, packet, call, NULL, EVIDENCE_CONTEXT);
}

/* ---- evidence from the calls' spans, and from the wire alone ---- */

static bool spans(const struct call *call, int64_t t_ns)
{
    return call->entered && call->enter_ns <= t_ns && (!call->exited || t_ns <= call->exit_ns);
}

/* The one call of this end that spans the packet and can send such; NULL when there is none, or more than one. */
static struct tale_call *one_spanning(const struct telling *telling, const struct tale_packet *packet, bool *ret_several)
{
    struct tale_call *found = NULL;
    *ret_several = false;
    for (size_t i = 0; i < telling->call_count; i++) {
        struct tale_call *call = &telling->calls[i];
        if (call->story->side != packet->side || !spans(call->call, packet->sent_ns) || !can_send(call->call, packet)) continue;
        if (found) *ret_several = true;
        found = call;
    }
    return *ret_several ? NULL : found;
}

static bool set_unknown(struct tale_packet *packet, const char *why)
{
    packet->cause->kind = CAUSE_UNKNOWN;
    packet->cause->why = why;
    return true;
}

/* Both ends agreed on Multipath TCP: its worker in the kernel closes the subflows, whatever call runs meanwhile. */
static bool speaks_mptcp(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count && i < 8; i++) {
        const struct event_packet *packet = &telling->packets[i].seen->packet;
        if ((packet->header.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) return packet->options.present & OPTION_MPTCP;
    }
    return false;
}

static bool span_call(struct telling *telling, struct tale_packet *packet)
{
    if (is_tcp(packet) && packet->segment->retransmission) return false;
    if (is_tcp(packet) && header_of(packet)->flags & TCP_FIN && speaks_mptcp(telling))
        return set_unknown(packet, "Multipath TCP: its worker in the kernel may have sent it as well as a call");
    bool several;
    struct tale_call *call = one_spanning(telling, packet, &several);
    if (several)
        return set_unknown(packet, "several calls were under way on this socket: their spans can't tell which one sent it");
    if (!call) return false;
    if (is_tcp(packet) && strcmp(packet->segment->label, "data") == 0) {
        const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
        if (last && arrival_ns(last) > call->call->enter_ns)
            return set_unknown(packet, "sent while the call ran and ACKs arrived: either may have released it");
    }
    return set_call(telling, packet, call, NULL, EVIDENCE_INTERVAL);
}

/* A first FIN, or a RST that does not answer a segment (those carry no ACK). */
static bool closes_or_aborts(const struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->segment->retransmission) return false;
    uint8_t flags = header_of(packet)->flags;
    return flags & TCP_RST ? flags & TCP_ACK : flags & TCP_FIN;
}

/* dup2, execve and older close() drop a descriptor only on their way back to user space: after the call's exit was seen. */
static bool span_deferred(struct telling *telling, struct tale_packet *packet)
{
    if (!closes_or_aborts(packet)) return false;
    for (const struct tale_packet *other = telling->packets; other < packet; other++) /* a descriptor closes once */
        if (other->side == packet->side && is_tcp(other) && header_of(other)->flags & (TCP_FIN | TCP_RST)) return false;
    struct tale_call *found = NULL;
    for (size_t i = 0; i < telling->call_count; i++) {
        struct tale_call *call = &telling->calls[i];
        const char *name = call->call->name;
        bool defers = strncmp(name, "dup", 3) == 0 || strncmp(name, "execve", 6) == 0 || strncmp(name, "close", 5) == 0;
        if (!defers || !call->call->exited || call->story->side != packet->side) continue;
        int64_t from = call->call->entered ? call->call->enter_ns : call->call->exit_ns;
        if (packet->sent_ns < from || packet->sent_ns > call->call->exit_ns + DEFERRED_NS) continue;
        if (found) return false;
        found = call;
    }
    return found && set_call(telling, packet, found, NULL, EVIDENCE_INTERVAL);
}

static bool rule_exit(struct telling *telling, struct tale_packet *packet)
{
    if (!closes_or_aborts(packet)) return false;
    uint32_t found = STORY_NO_STEP;
    for (size_t i = 0; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind != STEP_PROCESS_EXIT || step->side != packet->side) continue;
        int64_t apart = step->t_ns - packet->sent_ns;
        if (apart > EXIT_NS || apart < -EXIT_NS) continue;
        if (found != STORY_NO_STEP) return set_unknown(packet, "several processes that held this socket ended at this time");
        found = (uint32_t)i;
    }
    return found != STORY_NO_STEP && set_exit(telling, packet, found, EVIDENCE_RULE);
}

static bool rule_retransmission(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || !packet->segment->retransmission) return false;
    const struct tale_packet *before = previous_with_same_space(telling, packet);
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    bool syn_ack = strcmp(packet->segment->label, "SYN-ACK") == 0;
    if (syn_ack && before && last && arrival_ns(last) > before->sent_ns && header_of(last)->flags & TCP_SYN)
        return set_segment(telling, packet, last, EVIDENCE_RULE);
    if (!before || packet->sent_ns - before->sent_ns < RTO_MIN_NS)
        return set_unknown(packet, "sent again sooner than the retransmission timer can: the wire can't tell what asked for it");
    return set_named(telling, packet, CAUSE_TIMER, syn_ack ? "syn-ack" : "retransmit", EVIDENCE_RULE);
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
        return set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
    if (!is_tcp(packet) || strcmp(packet->segment->label, "ACK") != 0) return false;
    size_t i = (size_t)(packet - telling->packets);
    const struct event_packet_header *last = NULL;
    while (i-- > 0 && !last) {
        const struct tale_packet *other = &telling->packets[i];
        if (other->side == packet->side && is_tcp(other) && segment_space(header_of(other))) last = header_of(other);
    }
    if (!last || header_of(packet)->seq + 1 != last->seq + segment_space(last)) return false;
    return set_named(telling, packet, CAUSE_TIMER, "keepalive", EVIDENCE_RULE);
}

static bool rule_syn_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "SYN-ACK") != 0) return false;
    struct tale_packet *syn = acknowledged(telling, packet);
    return syn && set_segment(telling, packet, syn, EVIDENCE_RULE);
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
    return fits && set_segment(telling, packet, last, EVIDENCE_RULE);
}

static bool rule_delayed_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "ACK") != 0) return false;
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (!last || !is_tcp(last) || !segment_space(header_of(last)) || header_of(last)->flags & TCP_SYN) return false;
    /* Only where its arrival was seen: else the way there and back looks like a delay. */
    if (!last->received_ns || acknowledged(telling, packet) != last) return false;
    if (packet->sent_ns - arrival_ns(last) < DELACK_MIN_NS) return false;
    return set_named(telling, packet, CAUSE_TIMER, "delayed-ack", EVIDENCE_RULE);
}

/* Linux may put off the ACK of data, and of a FIN that moves it to CLOSE_WAIT, by anything from a clock tick to 200 ms
 * (tcp_send_delayed_ack); what it answers at once leaves within this. */
static const int64_t AT_ONCE_NS = 300000;

static bool may_be_delayed(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    if (!by->received_ns || header_of(by)->flags & TCP_SYN || packet->sent_ns - by->received_ns <= AT_ONCE_NS) return false;
    for (const struct tale_packet *other = telling->packets; other < packet; other++)
        if (other->side == packet->side && is_tcp(other) && header_of(other)->flags & TCP_FIN) return false;
    return true;
}

static bool rule_ack(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || strcmp(packet->segment->label, "ACK") != 0) return false;
    struct tale_packet *by = acknowledged(telling, packet);
    for (size_t i = (size_t)(packet - telling->packets); by && i-- > 0;) {
        const struct tale_packet *other = &telling->packets[i];
        if (other->sent_ns < arrival_ns(by)) break;
        if (other->side == packet->side && is_tcp(other) && header_of(other)->flags & TCP_ACK &&
            header_of(other)->ack == header_of(packet)->ack)
            return false; /* acknowledged before: this one says something else (a window, a probe's answer) */
    }
    const struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    if (by && last && last != by && is_tcp(last) && segment_space(header_of(last)) && arrival_ns(last) > arrival_ns(by))
        return set_unknown(packet,
                           "another segment that asks for an ACK came after the one it acknowledges: either may have made it");
    if (by && may_be_delayed(telling, packet, by))
        return set_unknown(packet,
                           "it came later than an immediate ACK and sooner than a full delayed one: put off by the delayed-ACK "
                           "timer, or worked off late; the wire can't tell");
    return by && set_segment(telling, packet, by, EVIDENCE_RULE);
}

/* Data or a FIN outside of any call: a call queued it, and what arrived last let it go. */
static bool rule_released(struct telling *telling, struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->segment->retransmission) return false;
    if (strcmp(packet->segment->label, "data") != 0 && strcmp(packet->segment->label, "FIN") != 0) return false;
    if (telling->packets[0].seen->packet.options.present & OPTION_MPTCP) return false; /* a worker of the kernel sends, too */
    bool queued = false;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        queued |= telling->calls[i].story->side == packet->side && call->exited && call->exit_ns <= packet->sent_ns &&
                  can_send(call, packet);
    }
    struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    return queued && last && is_tcp(last) && set_segment(telling, packet, last, EVIDENCE_RULE);
}

static bool rule_icmp(struct telling *telling, struct tale_packet *packet)
{
    if (is_tcp(packet) || !packet->datagram->icmp) return false;
    struct tale_packet *last = cause_last_arrival(telling, packet->side, packet->sent_ns);
    return last && set_segment(telling, packet, last, EVIDENCE_RULE);
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
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story->side == packet->side) return false;
    for (size_t i = 0; i < sizeof(user_calls) / sizeof(user_calls[0]); i++) {
        if (strcmp(user_calls[i].label, packet->segment->label) != 0) continue;
        set_named(telling, packet, CAUSE_CALL, user_calls[i].name, EVIDENCE_RULE);
        packet->cause->why = user_calls[i].why;
        return true;
    }
    return false;
}

static const struct {
    const char *name;
    bool (*explain)(struct telling *telling, struct tale_packet *packet);
} rules[] = {
    {"network-copy", network_copy},
    {"chain-call", chain_call},
    {"chain-receive", chain_receive},
    {"chain-backlog", chain_backlog},
    {"chain-timer", chain_timer},
    {"chain-deferred", chain_deferred},
    {"chain-exit", chain_exit},
    {"chain-kernel", chain_kernel},
    {"context-receive", context_receive},
    {"context-call", context_call},
    {"span-call", span_call},
    {"rule-exit", rule_exit},
    {"span-deferred", span_deferred},
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

size_t cause_rule_count(void)
{
    return sizeof(rules) / sizeof(rules[0]);
}

const char *cause_rule_name(size_t rule)
{
    return rules[rule].name;
}

/* The frames up to the one that decided: the rest is the way into the kernel. */
static void keep_chain(struct telling *telling, const struct tale_packet *packet)
{
    const struct event_chain *chain = packet->seen->context.chain;
    if (!chain || packet->cause->evidence != EVIDENCE_STACK) return;
    size_t count = packet->chain.decided_at + 1;
    const char **names = arena_alloc(telling->arena, count * sizeof(char *));
    for (size_t i = 0; names && i < count; i++) names[i] = telling_printf(telling, "%s", chain->names[i]);
    packet->cause->chain = names;
    packet->cause->chain_count = names ? count : 0;
}

static void find_packet_cause(struct telling *telling, struct tale_packet *packet)
{
    packet->cause->step = STORY_NO_STEP;
    packet->cause->why = "nothing that was recorded explains it";
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (telling->teller->rules_off >> i & 1) continue;
        if (rules[i].explain(telling, packet)) break;
    }
    keep_chain(telling, packet);
}

void cause_find_all(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) find_packet_cause(telling, &telling->packets[i]);
    for (size_t i = 0; i < telling->state_count; i++) cause_find_state(telling, &telling->states[i]);
}
