/* What became of a request socket: the end behind SYN_RCVD after a passive OPEN, of which the kernel reports no state. */
#include "story/steps/telling.h"

bool tale_is_answered_with_reset(const struct telling *telling, size_t index, enum story_side side)
{
    const struct tale_packet *packet = &telling->packets[index];
    const struct event_packet_header *header = &packet->seen->packet.header;
    for (uint32_t i = packet->next[side]; i; i = telling->packets[i - 1].next[side]) {
        const struct event_packet_header *reset = &telling->packets[i - 1].seen->packet.header;
        if (telling->packets[i - 1].sent_ns < packet->received_ns) continue;
        return reset->flags & TCP_RST && !(reset->flags & TCP_ACK) && reset->seq == header->ack;
    }
    return false;
}

bool tale_is_forgotten(const struct telling *telling, size_t index, enum story_side side)
{
    const struct conn_end *end = telling_end_now(telling, side);
    enum { DOUBLED_MAX = 16 }; /* more than any tcp_synack_retries that a host waits for */
    static const int64_t TIMEOUT_INIT_NS = 1000000000, LATE_NS = 200000000; /* TCP_TIMEOUT_INIT; how late that timer may be */
    int64_t came_ns = telling->packets[index].received_ns ? telling->packets[index].received_ns : telling->packets[index].sent_ns;
    if (end->state != STATE_SYN_RCVD || !(end->flags & END_PASSIVE) || !tale_is_answered_with_reset(telling, index, side))
        return false;
    const struct request *request = &telling->requests[side];
    if (!request->syn_acks) return false;
    int64_t due_ns =
        request->last_ns + (TIMEOUT_INIT_NS << (request->syn_acks > DOUBLED_MAX ? DOUBLED_MAX : request->syn_acks - 1));
    return came_ns > due_ns + LATE_NS;
}

bool tale_is_too_late(const struct telling *telling, size_t index, enum story_side side)
{
    const struct conn_end *end = telling_end_now(telling, side);
    if (end->state != STATE_CLOSED || !(end->flags & END_PASSIVE) || !telling->flow->expiry_count ||
        !tale_is_answered_with_reset(telling, index, side))
        return false;
    for (size_t i = 0; i < telling->flow->expiry_count; i++) {
        const struct expiry *expiry = &telling->flow->expiries[i];
        if (expiry->side == side && expiry->state == KERNEL_NEW_SYN_RECV && !expiry->cancelled) return true;
    }
    return false;
}

bool tale_was_completed(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->flow->change_count; i++)
        if (telling->flow->changes[i].side == side && telling->flow->changes[i].to == KERNEL_ESTABLISHED) return true;
    return false;
}
