/* What the record says for, and against, an explanation. Everything here answers "known to be so" or "not known": no answer is
 * proof of the contrary. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "story/findings.h"

/* Kernel's words for a rule of somebody's that threw it away (enum skb_drop_reason). */
static bool is_filter(const char *reason)
{
    static const char *const reasons[] = {
        "NETFILTER_DROP", "IPTABLES_DROP", "BPF_CGROUP_EGRESS", "BPF_CGROUP_INGRESS", "TC_INGRESS", "TC_EGRESS", "XDP"};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reason, reasons[i]) == 0) return true;
    return false;
}

enum finding_way finding_way(const struct telling *telling, const struct tale_packet *packet)
{
    const struct story_drop *dropped = packet->segment ? packet->segment->dropped : packet->datagram->dropped;
    if (dropped && is_filter(dropped->reason)) return WAY_FILTERED;
    if (dropped && dropped->untaken) return WAY_DROPPED;
    if (telling_is_lost(telling, packet)) return WAY_LOST;
    return packet->received_ns ? WAY_ARRIVED : WAY_UNKNOWN;
}

const char *finding_dropper(struct telling *telling, const struct tale_packet *packet)
{
    const struct story_drop *dropped = packet->segment ? packet->segment->dropped : packet->datagram->dropped;
    if (dropped->by == STORY_DROPPED_BETWEEN) return "a host between";
    enum story_side side = dropped->by == STORY_DROPPED_BY_SENDER ? packet->side : telling_receiver(telling, packet->side);
    return telling_printf(telling, "the %s's host", story_side_name(side));
}

const struct tale_packet *finding_arrival(const struct telling *telling, enum story_side from, int64_t at_ns, bool after)
{
    const struct tale_packet *found = NULL;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->side != from || telling_is_untaken(telling, packet)) continue;
        if ((finding_arrival_ns(packet) > at_ns) != after) continue;
        if (after) return packet;
        found = packet;
    }
    return found;
}

static bool is_asleep_accept(const struct call *call, int64_t at_ns)
{
    return strncmp(call->name, "accept", 6) == 0 && call->entered && call->enter_ns < at_ns &&
           (!call->exited || call->exit_ns > at_ns);
}

const struct call *finding_asleep_accept(const struct telling *telling, int64_t at_ns)
{
    for (size_t i = 0; telling->listener && i < telling->listener->call_count; i++)
        if (is_asleep_accept(telling->listener->calls[i], at_ns)) return telling->listener->calls[i];
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story->side == STORY_SERVER && is_asleep_accept(telling->calls[i].call, at_ns))
            return telling->calls[i].call;
    return NULL;
}

bool finding_is_queue_full(const struct tale_packet *packet)
{
    const struct story_queue *queue = packet->segment ? packet->segment->queue : NULL;
    return queue && queue->accept_length > queue->accept_most; /* sk_acceptq_is_full */
}

static const struct call *listen_of(const struct sock *sock, int64_t at_ns)
{
    const struct call *found = NULL;
    for (size_t i = 0; sock && i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        if (strcmp(call->name, "listen") == 0 && call->exited && call->ret == 0 && call->exit_ns <= at_ns) found = call;
    }
    return found;
}

/* A close() that left no other descriptor, or a shutdown(), ends a listener. */
static const struct call *ended_by_call(const struct sock *sock, int64_t at_ns)
{
    for (size_t i = 0; i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        if (!call->exited || call->ret || call->exit_ns > at_ns) continue;
        if ((strcmp(call->name, "close") == 0 && !call->still.pid) || strcmp(call->name, "shutdown") == 0) return call;
    }
    return NULL;
}

static const struct process_end *ended_by_process(const struct sock *sock, const struct process *process, int64_t at_ns)
{
    if (sock->holder_count > 1) return NULL; /* another process may hold it still */
    for (size_t i = 0; i < process->end_count; i++)
        if (process->ends[i].t_ns <= at_ns) return &process->ends[i];
    return NULL;
}

bool finding_listener_gone(const struct telling *telling, int64_t at_ns, const struct process_end **ret_end,
                           const struct call **ret_call)
{
    const struct call *listen = listen_of(telling->listener, at_ns);
    *ret_end = NULL;
    *ret_call = NULL;
    if (!listen) return false;
    *ret_end = ended_by_process(telling->listener, listen->process, at_ns);
    *ret_call = ended_by_call(telling->listener, at_ns);
    return *ret_end || *ret_call;
}

const struct call *finding_listening(const struct telling *telling, int64_t at_ns)
{
    const struct process_end *end;
    const struct call *call;
    const struct call *listen = listen_of(telling->listener, at_ns);
    return listen && !finding_listener_gone(telling, at_ns, &end, &call) ? listen : NULL;
}

const struct sock *finding_listens_elsewhere(const struct telling *telling, uint64_t netns, int64_t at_ns,
                                             const struct call **ret_listen)
{
    const struct address *server = &telling->flow->end[STORY_SERVER];
    const struct sock *sock = NULL;
    while (netns && (sock = sockets_next_serving(telling->teller, server->port, IPPROTO_TCP, sock)) != NULL) {
        if (sock->netns != netns) continue;
        if (address_is_any(&sock->local) || address_equal(&sock->local, server) || ended_by_call(sock, at_ns)) continue;
        const struct call *listen = listen_of(sock, at_ns);
        if (!listen || ended_by_process(sock, listen->process, at_ns)) continue;
        *ret_listen = listen;
        return sock;
    }
    return NULL;
}

bool finding_is_one_way(const struct telling *telling, enum story_side *ret_missing)
{
    for (int side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        const struct conn_end *end = telling_end_now(telling, (enum story_side)side);
        if (end->segments || !(end->flags & END_ANY)) continue;
        bool seen = false;
        for (size_t i = 0; i < telling->packet_count && !seen; i++) seen = telling->packets[i].side == (enum story_side)side;
        if (seen) continue;
        *ret_missing = (enum story_side)side;
        return true;
    }
    return false;
}

bool finding_gave_up(const struct telling *telling, enum story_side side, uint32_t *ret_step, int64_t *ret_ns)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct story_state *state = telling->states[i].story;
        if (state->side != side || state->kernel || state->to_state != STATE_CLOSED || state->cause.kind != CAUSE_TIMER) continue;
        if (state->from_state == STATE_TIME_WAIT || state->from_state == STATE_FIN_WAIT_2) continue; /* nothing was unanswered */
        *ret_step = finding_state_step(telling, &telling->states[i]);
        if (*ret_step == STORY_NO_STEP) continue;
        *ret_ns = telling->story->steps[*ret_step].t_ns;
        return true;
    }
    const struct tale_call *call = finding_call(telling, (int)side, "", -ETIMEDOUT);
    if (!call || call->story->exit_step == STORY_NO_STEP) return false;
    *ret_step = call->story->exit_step;
    *ret_ns = call->call->exit_ns;
    return true;
}
