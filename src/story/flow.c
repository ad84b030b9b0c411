/* Flows: which connection a packet belongs to, and what the kernel reported of it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

void *track_grow(void **array, size_t *count, size_t *room, size_t element_bytes)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 8;
        void *bigger = realloc(*array, more * element_bytes);
        if (!bigger) return NULL;
        *array = bigger;
        *room = more;
    }
    void *element = (char *)*array + *count * element_bytes;
    memset(element, 0, element_bytes);
    (*count)++;
    return element;
}

bool flow_is_loopback(const struct address *address)
{
    static const uint8_t one[16] = {[15] = 1};
    return address->version == 4 ? address->ip[0] == 127 : memcmp(address->ip, one, sizeof(one)) == 0;
}

static struct flow_key key_of(const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    struct flow_key key;
    memset(&key, 0, sizeof(key));
    bool swap = memcmp(a, b, sizeof(*a)) > 0;
    key.low = swap ? *b : *a;
    key.high = swap ? *a : *b;
    key.netns = flow_is_loopback(a) && flow_is_loopback(b) ? netns : 0;
    key.protocol = protocol;
    return key;
}

struct flow *flow_find(struct teller *teller, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    struct flow_key key = key_of(a, b, protocol, netns);
    struct flow *flow = table_get(teller->flows, &key);
    if (flow || netns) return flow;
    /* A call knows its socket's addresses but not always its namespace: one namespace in the run is no ambiguity. */
    for (size_t i = 0; i < teller->vantage_count && !flow; i++) {
        key = key_of(a, b, protocol, teller->vantages[i].netns);
        flow = table_get(teller->flows, &key);
    }
    return flow;
}

enum story_side flow_side(const struct flow *flow, const struct address *source)
{
    return address_equal(source, &flow->end[STORY_CLIENT]) ? STORY_CLIENT : STORY_SERVER;
}

static bool is_server_port(const struct teller *teller, uint16_t port)
{
    for (size_t i = 0; i < 8 && teller->server_ports[i]; i++)
        if (teller->server_ports[i] == port) return true;
    return false;
}

/* Who is the client: the sender of the first SYN; else who talks to a known server port, answers a SYN-ACK, or has the higher port.
 */
static void choose_roles(const struct teller *teller, struct flow *flow, const struct event_packet_header *header)
{
    bool sender_is_client;
    flow->roles_sure = true;
    if (header->protocol == IPPROTO_TCP && header->flags & TCP_SYN) {
        sender_is_client = !(header->flags & TCP_ACK);
    } else if (is_server_port(teller, header->dst.port) != is_server_port(teller, header->src.port)) {
        sender_is_client = is_server_port(teller, header->dst.port);
    } else {
        sender_is_client = header->protocol == IPPROTO_UDP || header->src.port >= header->dst.port;
        flow->roles_sure = header->protocol == IPPROTO_UDP;
    }
    flow->end[STORY_CLIENT] = sender_is_client ? header->src : header->dst;
    flow->end[STORY_SERVER] = sender_is_client ? header->dst : header->src;
}

static struct flow *flow_new(struct teller *teller, const struct flow_key *key, const struct event_packet_header *header)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    if (!flow) return NULL;
    flow->key = *key;
    flow->udp = header->protocol == IPPROTO_UDP;
    choose_roles(teller, flow, header);
    flow->to_itself = address_equal(&header->src, &header->dst) && !flow->udp;
    if (table_put(teller->flows, key, flow)) {
        free(flow);
        return NULL;
    }
    flow->number = ++teller->flow_count;
    return flow;
}

/* A SYN with a sequence number of its own is a new incarnation, unless it is the other half of a simultaneous open. */
static bool begins_anew(const struct flow *flow, const struct event_packet_header *header)
{
    if (header->protocol != IPPROTO_TCP || (header->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) return false;
    enum story_side side = flow_side(flow, &header->src);
    if (flow->has_isn[side]) return flow->isn[side] != header->seq;
    return flow->reset || (flow->fin[STORY_CLIENT] && flow->fin[STORY_SERVER]);
}

/* The flow a packet belongs to, made when it is new. NULL: out of memory. */
struct flow *flow_of_packet(struct teller *teller, const struct event_packet_header *header, uint64_t netns)
{
    struct flow_key key = key_of(&header->src, &header->dst, header->protocol, netns);
    struct flow *flow = table_get(teller->flows, &key);
    struct flow before = {0};
    if (flow && begins_anew(flow, header)) {
        before = *flow;
        table_remove(teller->flows, &key);
        if (tell_flow(teller, flow)) return NULL;
        flow = NULL;
    }
    if (flow) return flow;
    flow = flow_new(teller, &key, header);
    /* The first FIN's sender waits; a RST leaves nobody waiting. */
    if (flow && before.fin[STORY_CLIENT] && before.fin[STORY_SERVER] && !before.reset) {
        flow->after_time_wait = true;
        flow->after_number = before.number;
        flow->after_side = flow_side(flow, &before.end[before.fin_first]);
    }
    return flow;
}

/* Remembers what decides about incarnations and about when the flow is finished. */
void flow_note_header(struct teller *teller, struct flow *flow, const struct event_packet_header *header)
{
    flow->last_ns = teller->now_ns;
    if (header->protocol != IPPROTO_TCP) return;
    enum story_side side = flow_side(flow, &header->src);
    if (header->flags & TCP_SYN) {
        flow->has_isn[side] = true;
        flow->isn[side] = header->seq;
    }
    if (header->flags & TCP_FIN && !flow->fin[STORY_CLIENT] && !flow->fin[STORY_SERVER]) flow->fin_first = side;
    if (header->flags & TCP_FIN) flow->fin[side] = true;
    if (header->flags & TCP_RST) flow->reset = true;
    if (!flow->queued && (flow->reset || (flow->fin[0] && flow->fin[1]))) {
        flow->queued = true;
        if (teller->closed_tail)
            teller->closed_tail->next_closed = flow;
        else
            teller->closed_head = flow;
        teller->closed_tail = flow;
    }
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

/* After a refused connect() the kernel has forgotten the local address already; the port is still there. */
static struct flow *find_by_port(struct teller *teller, const struct sock *sock)
{
    void *value;
    for (size_t cursor = 0; table_next(teller->flows, &cursor, NULL, &value);)
        if (flow_is_end(value, STORY_CLIENT, sock)) return value;
    return NULL;
}

void flow_bind(struct teller *teller, struct sock *sock)
{
    if (sock->flow || sock->local.port == 0 || sock->remote.port == 0) return;
    struct flow *flow = address_is_any(&sock->local)
                            ? find_by_port(teller, sock)
                            : flow_find(teller, &sock->local, &sock->remote, sock->protocol ? sock->protocol : IPPROTO_TCP, 0);
    if (!flow) return;
    enum story_side side = flow_is_end(flow, STORY_CLIENT, sock) ? STORY_CLIENT : STORY_SERVER;
    if (flow->sock[side] && flow->sock[side] != sock) return;
    flow->sock[side] = sock;
    sock->flow = flow;
    sock->side = side;
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

int flow_take_state(struct teller *teller, const struct event *event)
{
    struct sock *sock = socket_get(teller, &event->state.socket);
    if (!sock) return 0;
    if (event->state.to == KERNEL_LISTEN) sock->listening = true;
    flow_bind(teller, sock);
    struct thread *thread = socket_thread(teller, &event->state.context.current);
    struct change change = {
        .t_ns = event->t_ns,
        .order = event->order,
        .side = sock->side,
        .from = event->state.from,
        .to = event->state.to,
        .context = event->state.context,
        .call = call_ref(thread ? (thread->current ? thread->current : thread->last) : NULL),
    };
    struct flow *flow = sock->flow;
    struct change *kept = flow ? track_grow((void **)&flow->changes, &flow->change_count, &flow->change_room, sizeof(*kept))
                               : track_grow((void **)&sock->changes, &sock->change_count, &sock->change_room, sizeof(*kept));
    if (!kept) {
        call_unref(change.call);
        return -ENOMEM;
    }
    *kept = change;
    return 0;
}

int flow_take_reset(struct teller *teller, const struct event *event)
{
    const struct event_socket *socket = &event->reset.socket;
    if (!socket->local.port || !socket->remote.port) return 0;
    struct flow *flow = flow_find(teller, &socket->local, &socket->remote, IPPROTO_TCP, event->reset.netns);
    if (!flow) return 0;
    struct reset_note *note = track_grow((void **)&flow->resets, &flow->reset_count, &flow->reset_room, sizeof(*note));
    if (!note) return -ENOMEM;
    note->t_ns = event->t_ns;
    note->side = flow_side(flow, &socket->local);
    note->sent = event->reset.sent;
    memcpy(note->reason, event->reset.reason, sizeof(note->reason));
    return 0;
}

int flow_take_timer(struct teller *teller, const struct event *event)
{
    const struct event_socket *socket = &event->timer.socket;
    if (!socket->local.port || !socket->remote.port) return 0;
    struct flow *flow = flow_find(teller, &socket->local, &socket->remote, IPPROTO_TCP, event->timer.netns);
    if (!flow) return 0;
    enum story_side side = flow_side(flow, &socket->local);
    const struct sock *sock = flow->sock[side];
    if (sock && socket->cookie && sock->cookie != socket->cookie) return 0; /* of an earlier connection between these ends */
    struct expiry *expiry = track_grow((void **)&flow->expiries, &flow->expiry_count, &flow->expiry_room, sizeof(*expiry));
    if (!expiry) return -ENOMEM;
    *expiry = (struct expiry){
        .t_ns = event->t_ns,
        .order = event->order,
        .side = side,
        .state = socket->state,
        .cancelled = event->timer.cancelled,
        .context = event->timer.context,
    };
    return 0;
}

void flow_free(struct flow *flow)
{
    if (!flow) return;
    for (size_t i = 0; i < flow->packet_count; i++) {
        free((void *)(uintptr_t)flow->packets[i].packet.bytes);
        call_unref(flow->packets[i].call);
    }
    for (size_t i = 0; i < flow->change_count; i++) call_unref(flow->changes[i].call);
    for (size_t i = 0; i < STORY_SIDES; i++)
        if (flow->sock[i]) flow->sock[i]->flow = NULL;
    table_free(flow->compared);
    free(flow->packets);
    free(flow->changes);
    for (size_t i = 0; i < flow->extra_count; i++) call_unref(flow->extra[i].call);
    free(flow->extra);
    free(flow->expiries);
    free(flow->resets);
    free(flow);
}
