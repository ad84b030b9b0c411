/* What a server's kernel made of the handshake's last ACK. RFC 9293 takes it; Linux may drop it (a full accept queue,
 * TCP_DEFER_ACCEPT) or answer it with RST (tcp_abort_on_overflow), and then there is still no more than a request socket. */
#include <string.h>

#include "story/steps/telling.h"

/* A clock's and a capture's difference; equal ACKs are a second or more apart (the SYN-ACK's retransmission asks for them). */
static const int64_t CLOCKS_NS = 1000000;
/* A kernel answers what fits nothing at once; what comes later than this, the way and a capture's delay reckoned in, is no answer.
 */
static const int64_t ANSWER_NS = 1000000000;

/* The segment that made this end ESTABLISHED in the kernel's own report; NULL where none is reported, or none named. */
static const struct tale_packet *completed_by(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->flow->change_count; i++) {
        const struct change *change = &telling->flow->changes[i];
        if (change->side != side || change->to != KERNEL_ESTABLISHED) continue;
        if (!change->context.receiving) return NULL;
        return telling_find_packet(telling, &change->context.received, change->t_ns + CLOCKS_NS);
    }
    return NULL;
}

static bool was_accepted(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *call = &telling->calls[i];
        if (call->story->side == side && call->call->traits & CALL_ACCEPTS && call->call->exited && call->call->ret >= 0)
            return true;
    }
    return false;
}

/* The next that this end sent is the RST of a host that knows no such connection (RFC 9293 section 3.10.7.1), and it answers this
 * very segment: nothing else came before it. A RST that an established end sends of its own accord carries an ACK. */
static bool was_answered_by_nobody(const struct telling *telling, size_t index, enum story_side side)
{
    const struct tale_packet *ack = &telling->packets[index];
    if (was_accepted(telling, side) || !tale_is_answered_with_reset(telling, index, side)) return false;
    const struct tale_packet *reset = ack;
    do reset = &telling->packets[reset->next[side] - 1];
    while (reset->sent_ns < arrival_ns(ack));
    int64_t apart_ns;
    if (reset->seen->marked && chain_is_in_a_name(&reset->chain)) return false; /* a firewall's: that end had no part in it */
    if (__builtin_sub_overflow(reset->sent_ns, arrival_ns(ack), &apart_ns) || apart_ns > ANSWER_NS) return false;
    for (uint32_t i = ack->next[ack->side]; i; i = telling->packets[i - 1].next[ack->side]) {
        const struct tale_packet *other = &telling->packets[i - 1];
        if (other->sent_ns > reset->sent_ns) break;
        if (!telling_is_lost(telling, other) && arrival_ns(other) <= reset->sent_ns) return false;
    }
    for (uint32_t i = reset->next[side]; i; i = telling->packets[i - 1].next[side]) {
        const struct tale_packet *later = &telling->packets[i - 1];
        if (later->segment && !(later->segment->flags & (TCP_SYN | TCP_RST)))
            return false; /* it is there: that RST was another's */
    }
    return true;
}

/* Later the kernel dealt with the request as one that is still unanswered: it sent the SYN,ACK again by its timer, it gave up by
 * that timer, or it refused the very segment while looking for what it would complete (tcp_check_req). */
static bool was_only_a_request_after(const struct telling *telling, size_t index, enum story_side side)
{
    const struct tale_packet *ack = &telling->packets[index];
    for (size_t i = 0; i < telling->flow->expiry_count; i++) {
        const struct expiry *expiry = &telling->flow->expiries[i];
        if (expiry->side == side && expiry->state == KERNEL_NEW_SYN_RECV && !expiry->cancelled && expiry->t_ns > arrival_ns(ack))
            return true;
    }
    for (size_t i = index + 1; telling->marked && i < telling->packet_count; i++) {
        const struct tale_packet *sent = &telling->packets[i];
        if (sent->side != side || !sent->segment || !sent->seen->marked || sent->sent_ns < arrival_ns(ack)) continue;
        const struct event_context *context = &sent->seen->context;
        bool again = (sent->segment->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && sent->chain.meaning == CHAIN_TIMER &&
                     strcmp(sent->chain.name, "syn-ack") == 0;
        bool refused = sent->segment->flags & TCP_RST && context->receiving &&
                       flow_covers(&context->received, &ack->seen->packet.header) && sent->chain.notes & CHAIN_REQUEST;
        if (again || refused) return true;
    }
    return false;
}

/* The request went with its listening socket: the kernel found none for the ACK, or the calls and processes show that none was
 * left, and the answer is CLOSED's (RFC 9293 section 3.10.7.1). */
static bool has_no_socket(const struct telling *telling, size_t index, enum story_side side)
{
    const struct tale_packet *ack = &telling->packets[index];
    const struct process_end *end;
    const struct call *call;
    if (ack->segment->dropped && strcmp(ack->segment->dropped->reason, "NO_SOCKET") == 0) return true;
    return side == STORY_SERVER && tale_is_answered_with_reset(telling, index, side) &&
           tale_listener_gone(telling, arrival_ns(ack), &end, &call);
}

bool tale_is_handshake_unmoved(const struct telling *telling, size_t index, enum story_side side)
{
    const struct tale_packet *packet = &telling->packets[index];
    if (!packet->segment || packet->segment->flags & (TCP_SYN | TCP_RST)) return false;
    const struct tale_packet *by = completed_by(telling, side);
    if (by) return arrival_ns(packet) < arrival_ns(by);
    if (tale_was_completed(telling, side)) return false;
    return has_no_socket(telling, index, side) || was_only_a_request_after(telling, index, side) ||
           was_answered_by_nobody(telling, index, side);
}
