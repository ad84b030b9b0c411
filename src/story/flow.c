/* Flows: which connection a packet, a kernel mark or a kernel transition belongs to, and which mark belongs to which packet. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/chain.h"
#include "story/track.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* A mark and its packet are microseconds apart; the clocks of two sources may disagree by less than this. */
static const int64_t JOIN_WINDOW_NS = 1000000000;
/* A packet finds its mark, or its other sight, among so many of the flow's newest: joins stay cheap on long transfers. */
static const size_t JOIN_DEPTH = 512;
/* The same segment seen at a second vantage: further apart than any wire delay a lesson uses, it is a retransmission. */
static const int64_t SAME_SEGMENT_NS = 10000000000;
/* At two interfaces of one host it only passes through: less than the shortest retransmission timeout of Linux (TCP_RTO_MIN). */
static const int64_t SAME_HOST_NS = 100000000;

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

static bool is_loopback(const struct address *address)
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
    key.netns = is_loopback(a) && is_loopback(b) ? netns : 0;
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
static struct flow *flow_for(struct teller *teller, const struct event_packet_header *header, uint64_t netns)
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
static void note_header(struct teller *teller, struct flow *flow, const struct event_packet_header *header)
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

static bool near(int64_t a, int64_t b, int64_t window_ns)
{
    return a > b ? a - b <= window_ns : b - a <= window_ns;
}

static size_t join_start(const struct flow *flow)
{
    return flow->packet_count > JOIN_DEPTH ? flow->packet_count - JOIN_DEPTH : 0;
}

static struct sighting *add_sighting(struct flow *flow, const struct event *event)
{
    struct sighting *sighting = track_grow((void **)&flow->packets, &flow->packet_count, &flow->packet_room, sizeof(*sighting));
    if (sighting) sighting->order = event->order;
    return sighting;
}

static void take_mark(struct sighting *sighting, const struct sighting *mark)
{
    sighting->marked = true;
    sighting->mark_ns = mark->mark_ns;
    sighting->context = mark->context;
    sighting->call = call_ref(mark->call);
    sighting->call_over = mark->call_over;
    if (!sighting->netns) sighting->netns = mark->netns;
}

static uint64_t vantage_netns(const struct teller *teller, uint32_t number)
{
    for (size_t i = 0; i < teller->vantage_count; i++)
        if (teller->vantages[i].number == number) return teller->vantages[i].netns;
    return 0;
}

/* Two vantages are on two hosts where both say so; of captures that say nothing nobody knows, and nothing is concluded. */
static bool on_other_host(const struct teller *teller, uint32_t a, uint32_t b)
{
    uint64_t netns_a = vantage_netns(teller, a), netns_b = vantage_netns(teller, b);
    return netns_a && netns_b && netns_a != netns_b;
}

static int64_t join_window(const struct teller *teller, uint32_t a, uint32_t b)
{
    return on_other_host(teller, a, b) ? SAME_SEGMENT_NS : SAME_HOST_NS;
}

/* One more sight of it, at another vantage. */
static void add_sight(const struct teller *teller, struct sighting *seen, const struct event *event)
{
    uint32_t vantage = event->packet.vantage;
    seen->arrived_at |= (uint64_t)1 << (vantage & 63);
    if (on_other_host(teller, seen->origin, vantage)) seen->arrived_ns = event->t_ns; /* of several places on its way, the last */
    if (event->packet.comments) seen->further_comments = event->packet.comments;
}

static bool has_arrived_at(const struct sighting *seen, uint32_t vantage)
{
    return seen->arrived_at >> (vantage & 63) & 1;
}

static int keep_captured(struct sighting *sighting, const struct event *event)
{
    sighting->packet = event->packet;
    sighting->packet.bytes = NULL;
    if (event->packet.bytes && event->packet.captured_bytes) {
        uint8_t *copy = malloc(event->packet.captured_bytes);
        if (!copy) return -ENOMEM;
        memcpy(copy, event->packet.bytes, event->packet.captured_bytes);
        sighting->packet.bytes = copy;
    }
    sighting->captured = true;
    sighting->captured_ns = event->t_ns;
    return 0;
}

static int take_icmp(struct teller *teller, const struct event *event, uint64_t netns)
{
    const struct event_icmp *icmp = &event->packet.icmp;
    if (!icmp->quotes) return 0;
    struct flow *flow = flow_find(teller, &icmp->src, &icmp->dst, icmp->protocol, netns);
    if (!flow) return 0;
    for (size_t i = flow->packet_count; i-- > 0;) { /* the same error at a second vantage */
        struct sighting *seen = &flow->packets[i];
        if (seen->packet.header.protocol == event->packet.header.protocol && seen->packet.vantage != event->packet.vantage &&
            seen->arrived_ns == 0 && !has_arrived_at(seen, event->packet.vantage) &&
            near(seen->captured_ns, event->t_ns, join_window(teller, seen->packet.vantage, event->packet.vantage))) {
            add_sight(teller, seen, event);
            return 0;
        }
    }
    struct sighting *sighting = add_sighting(flow, event);
    if (!sighting) return -ENOMEM;
    flow->last_ns = event->t_ns;
    sighting->netns = netns;
    for (size_t i = 0; i < teller->icmp_mark_count; i++) {
        struct sighting *mark = &teller->icmp_marks[i];
        const struct event_packet_header *a = &mark->packet.header, *b = &event->packet.header;
        if (mark->marked || a->protocol != b->protocol || memcmp(a->src.ip, b->src.ip, 16) != 0 ||
            memcmp(a->dst.ip, b->dst.ip, 16) != 0 || !near(mark->mark_ns, event->t_ns, JOIN_WINDOW_NS))
            continue;
        mark->marked = true; /* used */
        take_mark(sighting, mark);
        break;
    }
    return keep_captured(sighting, event);
}

/* A segment that is sent again has the same numbers, but another timestamp: without that, what was lost would seem to arrive when
 * its repetition does. */
static bool is_same_packet(const struct event_packet *a, const struct event_packet *b)
{
    if (!flow_covers(&a->header, &b->header) || !flow_covers(&b->header, &a->header)) return false;
    if (!(a->options.present & b->options.present & OPTION_TIMESTAMPS)) return true;
    return a->options.ts_value == b->options.ts_value && a->options.ts_echo == b->options.ts_echo;
}

static bool has_same_bytes(const struct event_packet *a, const struct event_packet *b)
{
    return a->bytes && b->bytes && a->captured_bytes == b->captured_bytes && memcmp(a->bytes, b->bytes, a->captured_bytes) == 0;
}

/* Which of two earlier sights an arrival is of: the one whose very bytes it has (IPv4 numbers what is sent again anew); else one
 * that has not arrived there; of equals with timestamps the oldest (a wire keeps the order), without them the newest (an older one
 * would have come before: it was lost). */
static bool is_better_sight(const struct sighting *so_far, const struct sighting *seen, const struct event_packet *arrival)
{
    if (!so_far) return true;
    bool same = has_same_bytes(&seen->packet, arrival), was_same = has_same_bytes(&so_far->packet, arrival);
    if (same != was_same) return same;
    bool arrived = has_arrived_at(seen, arrival->vantage), had_arrived = has_arrived_at(so_far, arrival->vantage);
    if (arrived != had_arrived) return !arrived;
    return arrival->header.protocol == IPPROTO_TCP && !(seen->packet.options.present & OPTION_TIMESTAMPS);
}

/* A mark and a packet of the same host; where no packets are captured on the mark's host, the first place where they are. */
static bool may_be_its_mark(const struct teller *teller, uint64_t mark_netns, uint64_t packet_netns)
{
    if (!mark_netns || !packet_netns || mark_netns == packet_netns) return true;
    for (size_t i = 0; i < teller->vantage_count; i++)
        if (teller->vantages[i].netns == mark_netns) return false;
    return true;
}

/* Whether the host that this goes to has a vantage of its own, other than the sender's: what does not arrive there was lost. */
static bool is_awaited(const struct teller *teller, const struct address *to, uint64_t sender_netns)
{
    struct address host = *to;
    host.port = 0;
    for (size_t i = 0; i < teller->vantage_count && sender_netns; i++) {
        const struct vantage *vantage = &teller->vantages[i];
        if (!vantage->netns || vantage->netns == sender_netns) continue;
        if (address_equal(&vantage->v4, &host) || address_equal(&vantage->v6, &host)) return true;
    }
    return false;
}

int flow_take_packet(struct teller *teller, const struct event *event)
{
    const struct event_packet_header *header = &event->packet.header;
    uint64_t netns = vantage_netns(teller, event->packet.vantage);
    if (header->protocol != IPPROTO_TCP && header->protocol != IPPROTO_UDP) return take_icmp(teller, event, netns);
    struct flow *flow = flow_for(teller, header, netns);
    if (!flow) return -ENOMEM;
    note_header(teller, flow, header);

    struct sighting *earlier = NULL; /* the sight of this very segment at another vantage */
    struct sighting *waiting = NULL; /* a mark that still lacks its packet */
    struct sighting whole = {0};     /* or the mark of a larger packet that this was cut from */
    for (size_t i = join_start(flow); i < flow->packet_count; i++) {
        struct sighting *seen = &flow->packets[i];
        if (seen->captured) {
            if (is_same_packet(&seen->packet, &event->packet) && seen->origin != event->packet.vantage &&
                near(seen->captured_ns, event->t_ns, join_window(teller, seen->origin, event->packet.vantage)) &&
                is_better_sight(earlier, seen, &event->packet))
                earlier = seen;
            continue;
        }
        if (!waiting && flow_covers(&seen->packet.header, header) && near(seen->mark_ns, event->t_ns, JOIN_WINDOW_NS) &&
            may_be_its_mark(teller, seen->netns, netns))
            waiting = seen;
    }
    if (earlier && !has_arrived_at(earlier, event->packet.vantage)) {
        add_sight(teller, earlier, event);
        if (on_other_host(teller, earlier->origin, event->packet.vantage)) flow->at_both_ends = true;
        return 0;
    }
    /* Sent once, and arrived before: the network made another of it. */
    bool copy = earlier && !waiting && on_other_host(teller, earlier->origin, event->packet.vantage);
    uint32_t origin = copy ? earlier->origin : event->packet.vantage;
    if (waiting && segment_space(&waiting->packet.header) > segment_space(header)) {
        whole = *waiting;
        uint32_t end = whole.packet.header.seq + segment_space(&whole.packet.header);
        if (header->seq + segment_space(header) == end) {
            waiting->captured = true; /* its last part: the slot becomes this segment */
        } else {
            waiting = NULL;
        }
    }
    if (!waiting) {
        waiting = add_sighting(flow, event);
        if (!waiting) return -ENOMEM;
        if (whole.marked) take_mark(waiting, &whole);
    }
    waiting->netns = netns;
    waiting->origin = origin;
    waiting->copy = copy;
    if (is_awaited(teller, &header->dst, netns)) flow->at_both_ends = true;
    if (copy) {
        waiting->arrived_ns = event->t_ns;
        waiting->arrived_at = (uint64_t)1 << (event->packet.vantage & 63);
    }
    int code = keep_captured(waiting, event);
    if (!code && flow->udp) code = socket_take_datagram(teller, flow, header, waiting->call_over ? NULL : waiting->call);
    if (is_loopback(&header->src) && is_loopback(&header->dst)) waiting->arrived_ns = event->t_ns;
    return code;
}

int flow_take_mark(struct teller *teller, const struct event *event)
{
    const struct event_mark *mark = &event->mark;
    teller->any_mark = true;
    if (chain_read(mark->context.chain).meaning == CHAIN_FORWARD) return 0;

    struct thread *thread = socket_thread(teller, &mark->context.current);
    struct sighting seen = {
        .packet = {.header = mark->header},
        .mark_ns = event->t_ns,
        .netns = mark->netns,
        .context = mark->context,
        .call = thread ? (thread->current ? thread->current : thread->last) : NULL,
        .call_over = thread && !thread->current,
    };
    if (mark->header.protocol != IPPROTO_TCP && mark->header.protocol != IPPROTO_UDP) {
        struct sighting *kept =
            track_grow((void **)&teller->icmp_marks, &teller->icmp_mark_count, &teller->icmp_mark_room, sizeof(*kept));
        if (!kept) return -ENOMEM;
        *kept = seen;
        call_ref(kept->call);
        return 0;
    }
    struct flow *flow = flow_for(teller, &mark->header, mark->netns);
    if (!flow) return -ENOMEM;
    note_header(teller, flow, &mark->header);

    /* skb->sk may be a control socket that sends for nobody (resets, TIME_WAIT): only a socket with these very ends is the
     * sender's. */
    if (mark->socket.cookie) {
        struct sock *sock = socket_get(teller, &mark->socket);
        if (sock && address_equal(&sock->local, &mark->header.src) && address_equal(&sock->remote, &mark->header.dst))
            flow_bind(teller, sock);
    }
    struct sighting *slot = NULL;
    for (size_t i = join_start(flow); i < flow->packet_count && !slot; i++) { /* the packet came first: clocks differ by a little */
        struct sighting *packet = &flow->packets[i];
        if (packet->captured && !packet->marked && !packet->copy && may_be_its_mark(teller, mark->netns, packet->netns) &&
            near(packet->captured_ns, event->t_ns, JOIN_WINDOW_NS) && flow_covers(&mark->header, &packet->packet.header) &&
            flow_covers(&packet->packet.header, &mark->header))
            slot = packet;
    }
    if (!slot) {
        slot = add_sighting(flow, event);
        if (!slot) return -ENOMEM;
        slot->packet.header = mark->header;
        slot->netns = mark->netns;
    }
    take_mark(slot, &seen);
    return 0;
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
    note->sent = event->reset.sent;
    memcpy(note->reason, event->reset.reason, sizeof(note->reason));
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
    free(flow->packets);
    free(flow->changes);
    for (size_t i = 0; i < flow->extra_count; i++) call_unref(flow->extra[i].call);
    free(flow->extra);
    free(flow->resets);
    free(flow);
}
