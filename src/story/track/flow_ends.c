/* Which socket is which end of a flow. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/flow_own.h"
#include "story/track/track.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

struct flow *flow_find(struct teller *teller, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    struct flow_key key = flow_key_of(a, b, protocol, netns);
    struct flow *flow = table_get(teller->flows, &key);
    bool is_elsewhere = flow && flow->networks.count && !networks_have(&flow->networks, netns);
    if (!key.netns && protocol == IPPROTO_TCP && (is_elsewhere || teller->apart_flows))
        return networks_choose(teller, &key, netns, NULL);
    if (flow || netns) return flow;
    /* A call knows its socket's addresses but not always its namespace: one namespace in the run is no ambiguity. */
    for (size_t i = 0; i < teller->vantage_count && !flow; i++) {
        key = flow_key_of(a, b, protocol, teller->vantages[i].netns);
        flow = table_get(teller->flows, &key);
    }
    for (size_t i = 0; i < teller->marked_count && !flow; i++) {
        key = flow_key_of(a, b, protocol, teller->marked[i]);
        flow = table_get(teller->flows, &key);
    }
    return flow;
}

struct flow *flow_find_packet(struct teller *teller, const struct event_packet_header *header, uint64_t netns)
{
    const struct flow_key key = flow_key_of(&header->src, &header->dst, header->protocol, netns);
    if (key.netns || header->protocol != IPPROTO_TCP) return flow_find(teller, &header->src, &header->dst, header->protocol, netns);
    return networks_choose(teller, &key, netns, header);
}

bool flow_covers(const struct event_packet_header *whole, const struct event_packet_header *part)
{
    if (whole->protocol != part->protocol || !address_equal(&whole->src, &part->src) || !address_equal(&whole->dst, &part->dst))
        return false;
    if (whole->protocol != IPPROTO_TCP) return whole->length_bytes == part->length_bytes;
    /* In the segments that GSO cuts from a large one, FIN and PSH are on the last alone, CWR on the first. */
    const uint8_t cut = TCP_FIN | TCP_PSH | TCP_CWR;
    if ((whole->flags & ~cut) != (part->flags & ~cut) || (part->flags & ~whole->flags)) return false;
    if (segment_space(whole) == segment_space(part))
        return whole->seq == part->seq && (whole->ack == part->ack || !(part->flags & TCP_ACK));
    int32_t at = seq_diff(whole->seq, part->seq);
    return segment_space(part) != 0 && at >= 0 && (uint32_t)at + segment_space(part) <= segment_space(whole);
}

bool flow_is_end(const struct flow *flow, enum story_side side, const struct sock *sock)
{
    const struct address *own = &flow->end[side], *peer = &flow->end[side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT];
    if (!address_equal(&sock->remote, peer)) return false;
    return address_equal(&sock->local, own) || (address_is_any(&sock->local) && sock->local.port == own->port);
}

/* After a refused connect() the kernel has forgotten the local address already; the port is still there. The newest. */
static struct flow *find_by_port(struct teller *teller, const struct sock *sock)
{
    struct ends_key key = ends_key(sock->local.port, &sock->remote);
    struct list *list = table_get(teller->clients, &key);
    for (struct list_link *link = list ? list->last : NULL; link; link = link->before) {
        struct flow *flow = LIST_OF(link, struct flow, client_link);
        if (flow_is_end(flow, STORY_CLIENT, sock) && !flow->sock[STORY_CLIENT] && networks_may_be(teller, flow, sock->netns))
            return flow;
    }
    return NULL;
}

bool flow_is_taken(const struct teller *teller, const struct sock *sock, uint8_t protocol)
{
    struct flow_key key = flow_key_of(&sock->local, &sock->remote, protocol, 0);
    return table_get(teller->flows, &key) != NULL;
}

void flow_set_sock(struct teller *teller, struct flow *flow, enum story_side side, struct sock *sock)
{
    flow->sock[side] = sock;
    sock->flow = flow;
    sock->side = side;
    (void)sockets_file(teller, sock); /* it only leaves lists */
    sockets_touch(teller, sock);
}

void flow_unset_sock(struct teller *teller, struct flow *flow, enum story_side side)
{
    struct sock *sock = flow->sock[side];
    flow->sock[side] = NULL;
    sock->flow = NULL;
    (void)sockets_file(teller, sock); /* out of memory: it is not found again */
    sockets_touch(teller, sock);
}

void flow_bind(struct teller *teller, struct sock *sock)
{
    if (sock->flow || sock->local.port == 0 || sock->remote.port == 0) return;
    struct flow *flow = address_is_any(&sock->local) ? find_by_port(teller, sock)
                                                     : flow_find(teller, &sock->local, &sock->remote,
                                                                 sock->protocol ? sock->protocol : IPPROTO_TCP, sock->netns);
    if (!flow && sock->netns && flow_is_loopback(&sock->local)) { /* seen where nobody says which network that is */
        struct flow_key key = flow_key_of(&sock->local, &sock->remote, sock->protocol ? sock->protocol : IPPROTO_TCP, 0);
        flow = table_get(teller->flows, &key);
    }
    if (!flow) return;
    enum story_side side = flow_is_end(flow, STORY_CLIENT, sock) ? STORY_CLIENT : STORY_SERVER;
    if (flow->sock[side] && flow->sock[side] != sock) return;
    flow_set_sock(teller, flow, side, sock);
    for (size_t i = 0; i < sock->change_count; i++) {
        struct change *change = track_grow((void **)&flow->changes, &flow->change_count, &flow->change_room, sizeof(*change));
        if (!change) break;
        *change = sock->changes[i];
        change->side = side;
    }
    free(sock->changes);
    sock->changes = NULL;
    sock->change_count = sock->change_room = 0;
}

void flow_note_ender(struct teller *teller, struct flow *flow, const struct event_mark *mark)
{
    const struct event_context *context = &mark->context;
    if (!(mark->header.flags & (TCP_FIN | TCP_RST)) || chain_known(teller, context->chain).meaning != CHAIN_EXIT) return;
    struct process *process = table_get(teller->processes, &context->current.pid);
    for (size_t i = 0; process && i < 2 && flow->ender[i] != process; i++) {
        if (flow->ender[i]) continue;
        flow->ender[i] = process_ref(process);
        flow->ender_end[i] = mark->header.src;
        return;
    }
}
