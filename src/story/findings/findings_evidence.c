/* What the record says for, and against, an explanation. Everything here answers "known to be so" or "not known": no answer is
 * proof of the contrary. */
#include <errno.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"

bool finding_is_filter(const char *reason)
{
    static const char *const reasons[] = {
        "NETFILTER_DROP", "IPTABLES_DROP", "BPF_CGROUP_EGRESS", "BPF_CGROUP_INGRESS", "TC_INGRESS", "TC_EGRESS", "XDP"};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reason, reasons[i]) == 0) return true;
    return false;
}

/* The network where it was seen to arrive is its receiver's, and not that of a router: it has the address, or the socket. */
static bool is_at_receiver(const struct telling *telling, const struct tale_packet *packet)
{
    const struct sighting *seen = packet->seen;
    const struct teller *teller = telling->teller;
    enum story_side receiver = telling_receiver(telling, packet->side);
    const struct sock *socks[] = {telling->flow->sock[receiver], receiver == STORY_SERVER ? telling->listener : NULL};
    if (flow_is_loopback(&seen->packet.header.dst)) return true;
    if (seen->packet.same) return false; /* of captures that were compared nothing says whose host each is of */
    for (size_t i = 0; i < teller->vantage_count; i++) {
        const struct vantage *vantage = &teller->vantages[i];
        if (!(seen->arrived_at >> (vantage->number & 63) & 1)) continue;
        if (vantage_is_at(vantage, &seen->packet.header.dst)) return true;
        for (size_t k = 0; k < 2; k++)
            if (socks[k] && socks[k]->netns && socks[k]->netns == vantage->netns) return true;
    }
    return false;
}

bool finding_left_here(const struct telling *telling, const struct tale_packet *packet)
{
    const struct teller *teller = telling->teller;
    for (size_t i = 0; i < teller->vantage_count; i++)
        if (vantage_is_at(&teller->vantages[i], &packet->seen->packet.header.src)) return true;
    return packet->received_ns != 0;
}

/* This vantage is in the network of that end: it has its address, or its socket. */
static bool is_of_end(const struct telling *telling, const struct vantage *vantage, enum story_side side)
{
    const struct sock *sock = telling->flow->sock[side];
    return vantage_is_at(vantage, &telling->flow->end[side]) || (sock && sock->netns && sock->netns == vantage->netns);
}

/* Where it was seen as well; else where it was to be seen: at its receiver's, or, of what its sender never sent, there. NULL:
 * nobody knows which of several that is. */
static const struct vantage *other_place(const struct telling *telling, const struct sighting *seen)
{
    const struct teller *teller = telling->teller;
    const struct vantage *at_end = NULL, *any = NULL;
    size_t count = 0;
    enum story_side side = address_equal(&telling->flow->end[STORY_CLIENT], &seen->packet.header.src) ? STORY_CLIENT : STORY_SERVER;
    if (!seen->unsent) side = telling_receiver(telling, side);
    for (size_t i = 0; i < teller->vantage_count; i++) {
        const struct vantage *vantage = &teller->vantages[i];
        if (vantage->number == seen->packet.vantage) continue;
        if (!seen->unsent && !seen->packet.same && seen->arrived_at >> (vantage->number & 63) & 1) return vantage;
        if (!at_end && is_of_end(telling, vantage, side)) at_end = vantage;
        if (!count++) any = vantage;
    }
    if (seen->packet.same) return any; /* two captures that were compared, whichever host each is of */
    return at_end || count > 1 ? at_end : any;
}

const char *finding_place(const struct telling *telling, const struct sighting *seen, bool other)
{
    const struct teller *teller = telling->teller;
    const struct vantage *place = other ? other_place(telling, seen) : NULL;
    for (size_t i = 0; !other && !place && i < teller->vantage_count; i++)
        if (teller->vantages[i].number == seen->packet.vantage) place = &teller->vantages[i];
    if (place) return arena_text(telling->arena, place->name);
    return other && teller->vantage_count > 1 ? tr("another network that was captured") : "?";
}

enum finding_way finding_way(const struct telling *telling, const struct tale_packet *packet)
{
    const struct story_drop *dropped = packet->segment ? packet->segment->dropped : packet->datagram->dropped;
    if (dropped && finding_is_filter(dropped->reason)) return WAY_FILTERED;
    if (dropped && dropped->untaken) return WAY_DROPPED;
    if (telling_is_lost(telling, packet)) return WAY_LOST;
    if (!packet->received_ns) return WAY_UNKNOWN;
    return is_at_receiver(telling, packet) ? WAY_ARRIVED : WAY_SEEN;
}

const char *finding_dropper(struct telling *telling, const struct tale_packet *packet)
{
    const struct story_drop *dropped = packet->segment ? packet->segment->dropped : packet->datagram->dropped;
    if (dropped->by == STORY_DROPPED_BETWEEN) return tr("a host between");
    enum story_side side = dropped->by == STORY_DROPPED_BY_SENDER ? packet->side : telling_receiver(telling, packet->side);
    return telling_printf(telling, "the %s's host", story_side_word(side));
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
    return call->traits & CALL_ACCEPTS && call->entered && call->enter_ns < at_ns && (!call->exited || call->exit_ns > at_ns);
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
    const struct tale_call *call = finding_call(telling, (int)side, 0, -ETIMEDOUT);
    if (!call || call->story->exit_step == STORY_NO_STEP) return false;
    *ret_step = call->story->exit_step;
    *ret_ns = call->call->exit_ns;
    return true;
}
