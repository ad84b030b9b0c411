/* Causes from what the kernel showed while it sent the packet: its call chain, or what was running and being received. */
#include <inttypes.h>
#include <string.h>

#include "event/call_traits.h"
#include "story/causes/cause.h"
#include "story/causes/words.h"
#include "story/track/call_story.h"
#include "tcp/segment.h"

static struct tale_call *marked_call(const struct telling *telling, const struct tale_packet *packet)
{
    return telling_find_call(telling, packet->seen->call);
}

static bool has_chain(const struct tale_packet *packet, enum chain_meaning meaning)
{
    return packet->seen->marked && packet->chain.meaning == meaning;
}

/* The network's doing, not the sender's: it was sent once and arrived twice. */
static bool network_copy(struct telling *telling, struct tale_packet *packet)
{
    const char *name = packet->seen->unsent ? "made-on-the-way" : "duplicated";
    if (packet->seen->unsent && telling->teller->trace.dropped && !telling->flow->has_marks)
        return cause_set_unknown(packet,
                                 "it came, and was not seen to leave its sender's host: somebody between the two made it, or "
                                 "the capture there dropped it, as it did others; the wire can't tell");
    /* Of captures that are read from files nobody knows what they dropped. */
    if (packet->seen->unsent && strcmp(telling->teller->trace.recorder, "none") == 0 && !telling->flow->has_marks)
        return cause_set_unknown(packet,
                                 "it came, and was not seen to leave its sender's host: somebody between the two made it, or "
                                 "the capture there dropped it; the wire can't tell");
    return packet->seen->copy && cause_set_named(telling, packet, CAUSE_KERNEL, name, EVIDENCE_RULE);
}

/* The side of a call is the side of the segment: a call that works on the other end's socket, in whatever chain it stands, did not
 * send this. dup2 works on two sockets; execve, close_range and io_uring_enter on none that they name. */
static bool is_of_other_end(const struct telling *telling, const struct tale_packet *packet, const struct tale_call *call)
{
    if (telling->flow->to_itself || call->story->side == packet->side || call->call->fd < 0) return false;
    const struct sock *own = telling->flow->sock[packet->side];
    return !own || (call->call->socket.cookie != own->cookie && call->call->other.cookie != own->cookie);
}

/* The same of a call that is known by the running process alone. */
static bool runs_other_end(const struct telling *telling, const struct tale_packet *packet)
{
    int32_t pid = packet->seen->context.current.pid;
    enum story_side peer = packet->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    const struct story_end *end = telling->story->end;
    return !telling->flow->to_itself && pid && end[packet->side].process.pid && end[packet->side].process.pid != pid &&
           end[peer].process.pid == pid;
}

static bool chain_call(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_CALL)) return false;
    struct tale_call *call = marked_call(telling, packet);
    /* The thread's own call, unless its beginning was lost and an older one is all that is known. */
    if (call && (packet->seen->call_over || !call_is_of_system_call(call->story->name, packet->chain.name))) call = NULL;
    if (call ? is_of_other_end(telling, packet, call) : runs_other_end(telling, packet)) return false;
    return cause_set_call(telling, packet, call, packet->chain.name, EVIDENCE_STACK);
}

/* What was being received is known, and is no segment of this connection that went to this end: an ICMP message, or a segment of
 * another connection whose data the kernel passes on (sockmap, kTLS, a file server in the kernel). */
static bool receives_another(const struct tale_packet *packet)
{
    const struct event_packet_header *received = &packet->seen->context.received, *own = header_of(packet);
    if (!packet->seen->context.receiving) return false;
    return received->protocol != own->protocol || !address_equal(&received->dst, &own->src) ||
           !address_equal(&received->src, &own->dst);
}

bool cause_is_of_question(const struct telling *telling, const struct tale_packet *packet)
{
    const struct flow *flow = telling->flow;
    int64_t asked_ns = INT64_MIN;
    for (uint32_t i = 0; i < flow->question_count && flow->questions_ns[i] <= packet->sent_ns; i++)
        asked_ns = flow->questions_ns[i];
    return asked_ns != INT64_MIN && packet->side == flow->questioned && packet->sent_ns - asked_ns <= cause_held_ns(telling);
}

/* The SYN that was being received is of another connection between the same ends. */
static bool answers_other_syn(struct telling *telling, struct tale_packet *packet)
{
    const struct event_context *context = &packet->seen->context;
    if (!context->receiving || (context->received.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) return false;
    if (segment_space(header_of(packet)) || !cause_is_of_question(telling, packet)) return false;
    cause_set_named(telling, packet, CAUSE_KERNEL, "challenge-ack", EVIDENCE_STACK);
    packet->cause->why = telling_printf(telling,
                                        "the kernel questions the SYN of connection %" PRIu32
                                        ", which came between the same ends while this one is held (challenge ACK)",
                                        telling->flow->questioned_by);
    return true;
}

static bool chain_receive(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_RECEIVE)) return false;
    const struct event_context *context = &packet->seen->context;
    struct tale_packet *by = context->receiving ? telling_find_packet(telling, &context->received, packet->sent_ns) : NULL;
    if (by && telling_receiver(telling, by->side) == packet->side) return cause_set_segment(telling, packet, by, EVIDENCE_STACK);
    if (is_tcp(packet) && receives_another(packet))
        return cause_set_unknown(packet, "made while the kernel received a packet that is not of this connection");
    if (is_tcp(packet) && answers_other_syn(telling, packet)) return true;
    if (is_tcp(packet) && context->receiving && segment_space(&context->received))
        return cause_set_unknown(packet, "made while the kernel received a segment of this connection that was not captured");
    /* The chain says that some segment was being received; which, only the order of arrival tells. */
    by = cause_last_before(telling, packet);
    if (by) return cause_set_segment(telling, packet, by, EVIDENCE_RULE);
    return is_tcp(packet) &&
           cause_set_unknown(packet, "made while the kernel received a segment of this connection that was not captured");
}

/* The chain shows that a segment off the backlog made this ACK; which one, only numbers and the order of arrival tell. They are as
 * good as the chain where nothing else could be meant: nothing came behind `by`, and it came once. */
static enum story_evidence backlog_evidence(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    if (cause_last_before(telling, packet) != by || by->seen->copy) return EVIDENCE_CONTEXT;
    if (!by->segment->retransmission) return EVIDENCE_STACK;
    const struct tale_packet *before = cause_previous_with_same_space(telling, by);
    return before && telling_is_lost(telling, before) ? EVIDENCE_STACK : EVIDENCE_CONTEXT;
}

static bool chain_backlog(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_BACKLOG) || !is_tcp(packet)) return false;
    /* What says nothing new answers what came behind a gap, or twice, not what it acknowledges. */
    bool repeats = packet->verdict.class == CONN_DUPLICATE_ACK || packet->verdict.class == CONN_PROBE_ANSWER;
    struct tale_packet *by = cause_acknowledged(telling, packet), *last = cause_last_before(telling, packet);
    if (repeats) return last && cause_set_segment(telling, packet, last, EVIDENCE_CONTEXT);
    if (packet->chain.notes & CHAIN_LEFT_OVER && !(packet->chain.notes & CHAIN_INPUT)) {
        if (segment_space(header_of(packet))) return cause_set_named(telling, packet, CAUSE_KERNEL, "held-back", EVIDENCE_STACK);
        return by && cause_set_segment(telling, packet, by, backlog_evidence(telling, packet, by));
    }
    if (by && segment_space(header_of(packet)) == 0)
        return cause_set_segment(telling, packet, by, backlog_evidence(telling, packet, by));
    return last && cause_set_segment(telling, packet, last, EVIDENCE_CONTEXT);
}

static bool chain_timer(struct telling *telling, struct tale_packet *packet)
{
    return has_chain(packet, CHAIN_TIMER) && cause_set_named(telling, packet, CAUSE_TIMER, packet->chain.name, EVIDENCE_STACK);
}

static bool chain_deferred(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_DEFERRED)) return false;
    struct tale_call *call = marked_call(telling, packet);
    if (!call || !call_story_can_let_go(call->call, telling->flow->sock[packet->side]))
        return cause_set_unknown(packet, "its last descriptor was let go at the return of a call that was not recorded");
    if (is_of_other_end(telling, packet, call)) return false;
    return cause_set_call(telling, packet, call, NULL, EVIDENCE_STACK);
}

static bool chain_exit(struct telling *telling, struct tale_packet *packet)
{
    if (!has_chain(packet, CHAIN_EXIT)) return false;
    uint32_t step = cause_exit_step(telling, packet->seen->context.current.pid);
    if (step != STORY_NO_STEP) return cause_set_exit(telling, packet, step, EVIDENCE_STACK);
    cause_set_named(telling, packet, CAUSE_EXIT, "exit", EVIDENCE_STACK);
    packet->cause->why =
        telling_printf(telling, "%s ended: the kernel closed its sockets, no call was made", packet->seen->context.current.comm);
    return true;
}

/* A firewall answers a packet that it met on its way to somebody else: it refers to that one. */
static bool chain_firewall(struct telling *telling, struct tale_packet *packet)
{
    const struct event_context *context = &packet->seen->context;
    const struct tale_packet *by = context->receiving ? telling_find_packet(telling, &context->received, packet->sent_ns) : NULL;
    if (by && telling_receiver(telling, by->side) != packet->side) by = NULL;
    cause_set_named(telling, packet, CAUSE_KERNEL, packet->chain.name, EVIDENCE_STACK);
    packet->cause->why = words_sent_by_firewall(telling, packet, by);
    if (by) packet->cause->step = by->step;
    return true;
}

static bool chain_kernel(struct telling *telling, struct tale_packet *packet)
{
    if (has_chain(packet, CHAIN_OTHER)) /* the name is the event log's, the story's has to be its own */
        return cause_set_named(telling, packet, CAUSE_KERNEL, telling_printf(telling, "%s", packet->chain.name), EVIDENCE_STACK);
    if (!has_chain(packet, CHAIN_KERNEL)) return false;
    if (strcmp(packet->chain.name, CHAIN_FIREWALL) == 0) return chain_firewall(telling, packet);
    cause_set_named(telling, packet, CAUSE_KERNEL, packet->chain.name, EVIDENCE_STACK);
    bool by_icmp = strcmp(packet->chain.name, CHAIN_PATH_MTU_NAME) == 0 || strcmp(packet->chain.name, CHAIN_ICMP_ERROR) == 0;
    const struct event_context *context = &packet->seen->context;
    const struct tale_packet *by =
        by_icmp && context->receiving ? telling_find_packet(telling, &context->received, packet->sent_ns) : NULL;
    if (by) packet->cause->step = by->step;
    return true;
}

static bool context_receive(struct telling *telling, struct tale_packet *packet)
{
    const struct event_context *context = &packet->seen->context;
    if (!packet->seen->marked || context->chain || !context->softirq || !context->receiving) return false;
    struct tale_packet *by = telling_find_packet(telling, &context->received, packet->sent_ns);
    /* A timer that runs after the receiving of this CPU's last segment looks the same: only an answer that fits counts. */
    if (!by || telling_receiver(telling, by->side) != packet->side || (is_tcp(packet) && cause_acknowledged(telling, packet) != by))
        return false;
    return cause_set_segment(telling, packet, by, EVIDENCE_CONTEXT);
}

static bool context_call(struct telling *telling, struct tale_packet *packet)
{
    const struct sighting *seen = packet->seen;
    if (!seen->marked || seen->context.chain || seen->context.softirq || seen->call_over) return false;
    struct tale_call *call = marked_call(telling, packet);
    return call && cause_can_send(call->call, packet) && cause_set_call(telling, packet, call, NULL, EVIDENCE_CONTEXT);
}

static const struct cause_rule rules[] = {
    {"network-copy", network_copy},   {"chain-call", chain_call},     {"chain-receive", chain_receive},
    {"chain-backlog", chain_backlog}, {"chain-timer", chain_timer},   {"chain-deferred", chain_deferred},
    {"chain-exit", chain_exit},       {"chain-kernel", chain_kernel}, {"context-receive", context_receive},
    {"context-call", context_call},
};

const struct cause_rule *cause_kernel_rules(size_t *ret_count)
{
    *ret_count = sizeof(rules) / sizeof(rules[0]);
    return rules;
}
