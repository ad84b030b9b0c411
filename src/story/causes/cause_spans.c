/* Causes from the calls' spans and the ends of processes: what was under way on this very socket when the packet left. */
#include <string.h>

#include "story/causes/cause.h"

/* What a call left to its return to user space is done within this (the thread's next call ends the wait sooner). */
static const int64_t DEFERRED_NS = 5000000;
/* The end of a process and the FINs of its sockets are one piece of work. */
static const int64_t EXIT_NS = 50000000;
static const int64_t CLOCKS_NS = 1000000;

/* A first FIN, or a RST that does not answer a segment: such a one carries no ACK, or, to a SYN, sequence number 0 (RFC 9293
 * section 3.10.7.1). */
static bool closes_or_aborts(const struct tale_packet *packet)
{
    if (!is_tcp(packet) || packet->segment->retransmission) return false;
    uint8_t flags = header_of(packet)->flags;
    return flags & TCP_RST ? flags & TCP_ACK && header_of(packet)->seq != 0 : flags & TCP_FIN;
}

/* It closed a descriptor and left another one of the same socket open: that ends nothing. */
static bool leaves_a_copy(const struct call *call, const struct tale_packet *packet)
{
    return call->traits & CALL_CLOSES && call->still.pid && closes_or_aborts(packet);
}

/* The one call of this end that spans the packet and can send such; NULL when there is none, or more than one. */
static struct tale_call *one_spanning(struct telling *telling, const struct tale_packet *packet, bool *ret_several)
{
    struct tale_call *found = NULL;
    *ret_several = false;
    cause_sweep_calls(telling, packet->sent_ns);
    for (size_t i = 0; i < telling->sweep.open_count; i++) {
        struct tale_call *call = &telling->calls[telling->sweep.open[i]];
        if (call->story->side != packet->side || !cause_can_send(call->call, packet)) continue;
        if (leaves_a_copy(call->call, packet)) continue;
        if (found) *ret_several = true;
        found = call;
    }
    return *ret_several ? NULL : found;
}

/* Multipath TCP closes its subflows itself, whatever call runs meanwhile. */
static bool span_call(struct telling *telling, struct tale_packet *packet)
{
    if (is_tcp(packet) && packet->segment->retransmission) return false;
    if (is_tcp(packet) && header_of(packet)->flags & TCP_FIN && cause_speaks_mptcp(telling, packet) == CAUSE_MPTCP_YES)
        return cause_set_unknown(packet, "Multipath TCP: its worker in the kernel may have sent it as well as a call");
    bool several;
    struct tale_call *call = one_spanning(telling, packet, &several);
    if (several)
        return cause_set_unknown(packet, "several calls were under way on this socket: their spans can't tell which one sent it");
    if (!call) return false;
    if (is_tcp(packet) && packet->segment->kind == STORY_DATA) {
        const struct tale_packet *last = cause_last_before(telling, packet);
        if (last && arrival_ns(last) > call->call->enter_ns)
            return cause_set_unknown(packet, "sent while the call ran and ACKs arrived: either may have released it");
    }
    return cause_set_call(telling, packet, call, NULL, EVIDENCE_INTERVAL);
}

/* dup2, execve and older close() drop a descriptor only on their way back to user space: after the call's exit was seen. The one
 * that may have sent this; NULL: none, or more than one. */
static struct tale_call *one_deferring(const struct telling *telling, const struct tale_packet *packet)
{
    uint32_t first = telling->back.first_close[packet->side];
    if (first && first - 1 < packet - telling->packets) return NULL; /* a descriptor closes once */
    struct tale_call *found = NULL;
    for (size_t i = 0; i < telling->call_count; i++) {
        struct tale_call *call = &telling->calls[i];
        bool defers = call->call->traits & (CALL_RUNS | CALL_CLOSES | CALL_CLOSES_RANGE);
        bool replaces = call->call->traits & CALL_COPIES && call->call->other.cookie;
        if ((!defers && !replaces) || !call->call->exited || call->story->side != packet->side) continue;
        if (leaves_a_copy(call->call, packet)) continue;
        if (call->story->listener && header_of(packet)->flags & TCP_FIN) continue; /* what it held was in no descriptor yet */
        int64_t from = call->call->entered ? call->call->enter_ns : call->call->exit_ns;
        if (packet->sent_ns < from || packet->sent_ns > call->call->exit_ns + DEFERRED_NS) continue;
        if (found) return NULL;
        found = call;
    }
    return found;
}

static bool one_left_a_copy(const struct telling *telling, const struct tale_packet *packet)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *call = &telling->calls[i];
        if (call->story->side != packet->side || !call->call->exited || !leaves_a_copy(call->call, packet)) continue;
        int64_t from = call->call->entered ? call->call->enter_ns : call->call->exit_ns;
        if (packet->sent_ns >= from && packet->sent_ns <= call->call->exit_ns + DEFERRED_NS) return true;
    }
    return false;
}

static bool span_deferred(struct telling *telling, struct tale_packet *packet)
{
    if (!closes_or_aborts(packet)) return false;
    struct tale_call *found = one_deferring(telling, packet);
    if (found) return cause_set_call(telling, packet, found, NULL, EVIDENCE_INTERVAL);
    return one_left_a_copy(telling, packet) &&
           cause_set_unknown(packet,
                             "the close() at this time had left another descriptor of the socket open: what closed that, or "
                             "shut the socket down, was not recorded");
}

/* How much later than what it sent a process may be seen to end. The kernel says that it ends before it closes what it held
 * (do_exit); the clocks of packets and of events agree to some microseconds, and of a whole host they are one. Who waits for a
 * process sees it end behind all that. */
static int64_t exit_after_ns(const struct teller *teller)
{
    if (strcmp(teller->trace.recorder, "bpf") != 0) return EXIT_NS;
    return teller->course_only ? 0 : CLOCKS_NS;
}

/* A process of this end hands operations to the kernel by a ring, and what closes in there this recorder does not see. */
static bool may_close_unseen(const struct telling *telling, const struct tale_packet *packet)
{
    if (strcmp(telling->teller->trace.recorder, "bpf") == 0) return false;
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story->side == packet->side && telling->calls[i].call->process->submits) return true;
    return false;
}

static bool rule_exit(struct telling *telling, struct tale_packet *packet)
{
    if (!closes_or_aborts(packet)) return false;
    uint32_t found = STORY_NO_STEP;
    int64_t latest_ns = exit_after_ns(telling->teller);
    for (size_t i = 0; i < telling->exit_count; i++) {
        const struct story_step *step = &telling->story->steps[telling->exits[i]];
        if (step->side != packet->side) continue;
        int64_t apart = step->t_ns - packet->sent_ns;
        if (apart > latest_ns || apart < -EXIT_NS) continue;
        if (found != STORY_NO_STEP) return cause_set_unknown(packet, "several processes that held this socket ended at this time");
        found = telling->exits[i];
    }
    if (found == STORY_NO_STEP) return false;
    if (telling->story->steps[found].t_ns > packet->sent_ns && one_deferring(telling, packet))
        return cause_set_unknown(
            packet, "a call that closes had just returned, and a process that held this socket ended: either may have sent it");
    if (telling->story->steps[found].t_ns > packet->sent_ns && may_close_unseen(telling, packet))
        return cause_set_unknown(packet, "a process that held this socket ended later, and may have closed it before by io_uring, "
                                         "which this recorder does not see");
    return cause_set_exit(telling, packet, found, EVIDENCE_RULE);
}

static const struct cause_rule rules[] = {
    {"span-call", span_call},
    {"rule-exit", rule_exit},
    {"span-deferred", span_deferred},
};

const struct cause_rule *cause_span_rules(size_t *ret_count)
{
    *ret_count = sizeof(rules) / sizeof(rules[0]);
    return rules;
}
