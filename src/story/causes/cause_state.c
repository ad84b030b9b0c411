/* Why a state changed: what the kernel showed of the same transition, else the segment or call that the RFC 9293 table took. */
#include <string.h>

#include "base/lang.h"
#include "event/call_traits.h"
#include "story/causes/cause.h"
#include "story/track/call_story.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* Where the kernel reported the same transition, and its own context names the segment, the evidence is the kernel's. */
static enum story_evidence kernel_witness(const struct telling *telling, const struct tale_state *state,
                                          const struct tale_packet *packet)
{
    static const uint8_t kernel_of[STATE_COUNT] = {
        [STATE_CLOSED] = KERNEL_CLOSE,
        [STATE_ESTABLISHED] = KERNEL_ESTABLISHED,
        [STATE_FIN_WAIT_2] = KERNEL_FIN_WAIT2,
        [STATE_CLOSE_WAIT] = KERNEL_CLOSE_WAIT,
        [STATE_CLOSING] = KERNEL_CLOSING,
        [STATE_TIME_WAIT] = KERNEL_CLOSE, /* the socket goes, a timewait socket stays (tcp_time_wait) */
    };
    for (size_t i = 0; i < telling->flow->change_count; i++) {
        const struct change *change = &telling->flow->changes[i];
        if (change->side != state->story->side || change->to != kernel_of[state->story->to_state] || change->t_ns < packet->sent_ns)
            continue;
        struct chain_verdict verdict = chain_known(telling->teller, change->context.chain);
        /* The chain says that a backlogged segment did it; which one is sure only where no later one had come. */
        if (verdict.meaning == CHAIN_BACKLOG)
            return cause_last_arrival(telling, state->story->side, change->t_ns) == packet ? EVIDENCE_STACK : EVIDENCE_CONTEXT;
        bool names_it = change->context.receiving && flow_covers(&change->context.received, &packet->seen->packet.header);
        if (verdict.meaning == CHAIN_RECEIVE && names_it) return EVIDENCE_STACK;
        if ((verdict.meaning == CHAIN_SILENT || verdict.meaning == CHAIN_OTHER) && names_it) return EVIDENCE_CONTEXT;
    }
    return EVIDENCE_RULE;
}

/* An end that answered a FIN has taken it: an ACK that covers the FIN, made by that very FIN, is as good a witness of the step as
 * it is sure of its own cause. A timewait socket, for which the kernel reports no state, has no other. */
static enum story_evidence answer_witness(const struct telling *telling, const struct tale_state *state,
                                          const struct tale_packet *fin)
{
    const struct event_packet_header *header = &fin->seen->packet.header;
    if (!(header->flags & TCP_FIN)) return EVIDENCE_RULE;
    for (const struct tale_packet *answer = fin + 1; answer < telling->packets + telling->packet_count; answer++) {
        if (answer->side != state->story->side || !answer->segment) continue;
        bool covers = answer->segment->flags & TCP_ACK &&
                      seq_at_or_before(header->seq + segment_space(header), answer->seen->packet.header.ack);
        if (covers && answer->cause->kind == CAUSE_SEGMENT && answer->cause->step == fin->step) return answer->cause->evidence;
        if (covers) return EVIDENCE_RULE; /* something else made the first answer */
    }
    return EVIDENCE_RULE;
}

/* A segment that made the kernel cancel the timer of a request or timewait socket ended that socket (tcp_check_req,
 * tcp_timewait_state_process): the kernel reports no state of these. */
static enum story_evidence cancel_witness(const struct telling *telling, const struct tale_state *state,
                                          const struct tale_packet *packet)
{
    static const uint8_t mini_of[STATE_COUNT] = {
        [STATE_SYN_RCVD] = KERNEL_NEW_SYN_RECV,
        [STATE_FIN_WAIT_2] = KERNEL_FIN_WAIT2,
        [STATE_TIME_WAIT] = KERNEL_TIME_WAIT,
    };
    uint8_t mini = mini_of[state->story->from_state];
    const struct event_packet_header *header = &packet->seen->packet.header;
    for (size_t i = 0; mini && header->flags & TCP_RST && i < telling->flow->expiry_count; i++) {
        const struct expiry *cancel = &telling->flow->expiries[i];
        const struct event_context *context = &cancel->context;
        if (!cancel->cancelled || cancel->side != state->story->side || cancel->state != mini || cancel->t_ns < packet->sent_ns)
            continue;
        if (!context->receiving || !flow_covers(&context->received, header)) continue;
        struct chain_verdict verdict = chain_known(telling->teller, context->chain);
        if (verdict.notes & CHAIN_REARM) continue;
        if (verdict.meaning == CHAIN_RECEIVE) return EVIDENCE_STACK;
        if (!context->chain && context->softirq) return EVIDENCE_CONTEXT;
    }
    return EVIDENCE_RULE;
}

/* What was worked off when a call let go of the socket, as `change` was reported: the last that had come, but a FIN where only a
 * FIN makes this change (tcp_fin()). NULL: nothing had come. */
static struct tale_packet *worked_off(struct telling *telling, const struct change *change)
{
    struct tale_packet *last = cause_last_arrival(telling, change->side, change->t_ns);
    bool by_fin = change->to == KERNEL_CLOSE_WAIT || change->to == KERNEL_CLOSING;
    if (!last || !by_fin || last->seen->packet.header.flags & TCP_FIN) return last;
    uint32_t fin = telling->fin[telling_receiver(telling, change->side)];
    return fin && arrival_ns(&telling->packets[fin - 1]) <= change->t_ns ? &telling->packets[fin - 1] : NULL;
}

/* The call that was under way in the thread: on this end's side, and the one that the chain names. */
static bool is_call_of(const struct telling *telling, const struct chain_verdict *verdict, const struct tale_call *call,
                       const struct tale_state *state)
{
    if (!call || call->story->side != state->story->side) return false;
    if (verdict->meaning == CHAIN_DEFERRED) return call_story_can_let_go(call->call, telling->flow->sock[state->story->side]);
    return call_is_of_system_call(call->story->name, verdict->name);
}

static void kernel_change_cause(struct telling *telling, const struct tale_state *state)
{
    const struct change *change = state->change;
    struct story_cause *cause = &state->story->cause;
    struct chain_verdict verdict = chain_known(telling->teller, change->context.chain);
    cause->evidence = EVIDENCE_STACK;
    if (state->story->kernel) cause->why = tr("reported by the kernel (inet_sock_set_state)");
    struct tale_packet *by =
        change->context.receiving ? telling_find_packet(telling, &change->context.received, change->t_ns) : NULL;
    struct tale_call *call = telling_find_call(telling, change->call);
    if (verdict.meaning == CHAIN_RECEIVE && by) {
        cause->kind = CAUSE_SEGMENT;
        cause->step = by->step;
    } else if ((verdict.meaning == CHAIN_CALL || verdict.meaning == CHAIN_DEFERRED) && is_call_of(telling, &verdict, call, state)) {
        cause->kind = CAUSE_CALL;
        cause->step = telling_call_step(call);
        cause->name = call->story->name;
    } else if (verdict.meaning == CHAIN_CALL) {
        cause->kind = CAUSE_CALL; /* that was not recorded, or that names no descriptor of this socket */
        cause->name = telling_printf(telling, "%s", verdict.name);
    } else if (verdict.meaning == CHAIN_TIMER) {
        cause->kind = CAUSE_TIMER;
        cause->name = verdict.name;
    } else if (verdict.meaning == CHAIN_KERNEL) {
        cause->kind = CAUSE_KERNEL;
        cause->name = verdict.name;
        if (by && strcmp(verdict.name, CHAIN_ICMP_ERROR) == 0) cause->step = by->step;
    } else if (verdict.meaning == CHAIN_EXIT) {
        cause->kind = CAUSE_EXIT;
        cause->step = cause_exit_step(telling, change->context.current.pid);
        cause->name = cause->step == STORY_NO_STEP ? "exit" : telling->story->steps[cause->step].exit->name;
    } else if (verdict.meaning == CHAIN_BACKLOG && (by = worked_off(telling, change))) {
        cause->kind = CAUSE_SEGMENT;
        cause->evidence = EVIDENCE_CONTEXT;
        cause->step = by->step;
    } else {
        cause->kind = CAUSE_KERNEL;
        cause->name = "set_state";
        cause->evidence = EVIDENCE_CONTEXT;
    }
}

/* It had closed, and a RST answers what came for it then. Before that a RST has other reasons: a full queue, a wrong number. */
static bool answers_for_nobody(const struct telling *telling, const struct tale_state *state)
{
    const struct tale_packet *packet = &telling->packets[state->packet];
    if (!(packet->segment->flags & TCP_RST) || packet->cause->kind != CAUSE_SEGMENT) return false;
    switch (state->story->from_state) {
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_CLOSING:
    case STATE_LAST_ACK:
    case STATE_TIME_WAIT:
        return state->story->to_state == STATE_CLOSED;
    default:
        return false;
    }
}

/* So does who is taken to be connected, and is not: it has forgotten that, or never was. */
static bool answers_a_stranger(const struct telling *telling, const struct tale_state *state)
{
    const struct tale_packet *packet = &telling->packets[state->packet];
    bool stands = state->story->from_state == STATE_ESTABLISHED || state->story->from_state == STATE_CLOSE_WAIT;
    return stands && state->story->to_state == STATE_CLOSED && packet->segment->flags & TCP_RST &&
           !(packet->segment->flags & TCP_ACK) && packet->cause->kind == CAUSE_SEGMENT;
}

void cause_find_state(struct telling *telling, struct tale_state *state)
{
    struct story_cause *cause = &state->story->cause;
    const char *why = cause->why;
    cause->step = STORY_NO_STEP;
    if (state->change) {
        kernel_change_cause(telling, state);
        return;
    }
    if (state->doubt) {
        cause->kind = CAUSE_UNKNOWN;
        cause->why = state->doubt;
    } else if (state->call) {
        cause->kind = CAUSE_CALL;
        cause->evidence = EVIDENCE_INTERVAL;
        cause->step = telling_call_step(state->call);
        cause->name = state->call->story->name;
    } else if (state->packet == STORY_NO_STEP) {
        cause->kind = CAUSE_TIMER;
        cause->evidence = state->timer_ran ? EVIDENCE_CONTEXT : EVIDENCE_RULE;
        cause->name = state->timer;
    } else if (state->goes_on) {
        cause->kind = CAUSE_SEGMENT;
        cause->evidence = EVIDENCE_RULE;
        cause->step = telling->packets[state->packet].step;
    } else if (state->proved) {
        cause->kind = CAUSE_SEGMENT;
        cause->evidence = EVIDENCE_RULE;
        cause->step = telling->packets[state->packet].step;
        bool captured = telling->requests[!state->story->side].syn_acks && state->story->from_state == STATE_SYN_SENT;
        cause->why = telling_printf(telling,
                                    captured ? tr("shown by what was said later: %s")
                                             : tr("shown by what was said later, and not captured itself: %s"),
                                    tr(why));
    } else if (state->sent) {
        *cause = *telling->packets[state->packet].cause; /* what made it send made it change */
        cause->why = answers_for_nobody(telling, state) ? tr("it answers with RST: nobody held this end of the connection any more")
                     : answers_a_stranger(telling, state) ? tr("it answers with RST: to this end there is no such connection")
                                                          : why;
    } else {
        const struct tale_packet *packet = &telling->packets[state->packet];
        cause->kind = CAUSE_SEGMENT;
        cause->step = packet->step;
        cause->evidence = kernel_witness(telling, state, packet);
        if (cause->evidence == EVIDENCE_RULE) cause->evidence = cancel_witness(telling, state, packet);
        if (cause->evidence == EVIDENCE_RULE) cause->evidence = answer_witness(telling, state, packet);
    }
}
