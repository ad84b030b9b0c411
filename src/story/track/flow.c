/* Flows: which connection a packet belongs to, and what the kernel reported of it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/flow_own.h"
#include "story/track/track.h"
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

struct flow_key flow_key_of(const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    struct flow_key key;
    memset(&key, 0, sizeof(key));
    bool swap = memcmp(a, b, sizeof(*a)) > 0;
    key.low = swap ? *b : *a;
    key.high = swap ? *a : *b;
    key.netns = flow_is_loopback(a) || flow_is_loopback(b) ? netns : 0; /* such an address never leaves its network */
    key.protocol = protocol;
    return key;
}

enum story_side flow_side(const struct flow *flow, const struct address *source)
{
    return address_equal(source, &flow->end[STORY_CLIENT]) ? STORY_CLIENT : STORY_SERVER;
}

/* The recording names its port, or a socket was seen to listen there. `netns`: of both ends, where it is known to be of both. */
static bool is_server(struct teller *teller, const struct address *address, uint8_t protocol, uint64_t netns)
{
    for (size_t i = 0; i < sizeof(teller->server_ports) / sizeof(teller->server_ports[0]) && teller->server_ports[i]; i++)
        if (teller->server_ports[i] == address->port) return true;
    return protocol == IPPROTO_TCP &&
           (socket_serving(teller, address, protocol, netns, 0) || listeners_serve(teller, address, netns));
}

/* Who is the client: the sender of the first SYN; else who talks to a known server, answers a SYN-ACK, or has the higher port. */
static void choose_roles(struct teller *teller, struct flow *flow, const struct event_packet_header *header)
{
    bool sender_is_client, asks = header->protocol != IPPROTO_TCP || !(header->flags & TCP_SYN);
    bool to_server = asks && is_server(teller, &header->dst, header->protocol, flow->key.netns);
    bool of_server = asks && is_server(teller, &header->src, header->protocol, flow->key.netns);
    flow->roles_sure = true;
    if (!asks) {
        sender_is_client = !(header->flags & TCP_ACK);
    } else if (to_server != of_server) {
        sender_is_client = to_server;
    } else {
        sender_is_client = header->protocol == IPPROTO_UDP || header->src.port >= header->dst.port;
        flow->roles_sure = header->protocol == IPPROTO_UDP;
    }
    flow->end[STORY_CLIENT] = sender_is_client ? header->src : header->dst;
    flow->end[STORY_SERVER] = sender_is_client ? header->dst : header->src;
}

static int file(struct teller *teller, struct flow *flow)
{
    flow->client_key = ends_key(flow->end[STORY_CLIENT].port, &flow->end[STORY_SERVER]);
    struct list *list = table_get(teller->clients, &flow->client_key);
    if (!list) {
        list = calloc(1, sizeof(*list));
        if (!list || table_put(teller->clients, &flow->client_key, list)) {
            free(list);
            return -ENOMEM;
        }
    }
    list_add(list, &flow->client_link);
    flow->filed = true;
    return 0;
}

static void take_out(struct teller *teller, struct flow *flow)
{
    struct list *list = flow->filed ? table_get(teller->clients, &flow->client_key) : NULL;
    flow->filed = false;
    if (!list) return;
    list_remove(list, &flow->client_link);
    if (list->count) return;
    table_remove(teller->clients, &flow->client_key);
    free(list);
}

void flow_touch(struct teller *teller, struct flow *flow)
{
    flow->last_ns = teller->now_ns;
    open_touch(teller, flow);
}

/* Its key names a network, though its addresses are no loopback's: there is another one. */
static void note_apart(struct teller *teller, struct flow *flow)
{
    flow->apart = flow->key.netns && !flow_is_loopback(&flow->key.low) && !flow_is_loopback(&flow->key.high);
    teller->apart_flows += flow->apart;
    teller->any_apart |= flow->apart;
}

static struct flow *flow_new(struct teller *teller, const struct flow_key *key, const struct event_packet_header *header)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    if (!flow) return NULL;
    flow->key = *key;
    flow->udp = header->protocol == IPPROTO_UDP;
    choose_roles(teller, flow, header);
    flow->to_itself = address_equal(&header->src, &header->dst) && !flow->udp;
    if (file(teller, flow) || table_put(teller->flows, key, flow)) {
        take_out(teller, flow);
        free(flow);
        return NULL;
    }
    flow->number = ++teller->flow_count;
    note_apart(teller, flow);
    flow_touch(teller, flow);
    return flow;
}

struct flow *flow_make(struct teller *teller, const struct address *client, const struct address *server, uint8_t protocol,
                       bool roles_sure)
{
    const struct event_packet_header header = {
        .src = *client, .dst = *server, .protocol = protocol, .flags = roles_sure ? TCP_SYN : TCP_ACK};
    struct flow_key key = flow_key_of(client, server, protocol, 0);
    struct flow *flow = flow_new(teller, &key, &header);
    if (flow) flow->calls_alone = true;
    return flow;
}

struct conn_segment flow_segment(const struct event_packet *packet, int64_t t_ns)
{
    const struct event_packet_header *header = &packet->header;
    return (struct conn_segment){
        .t_ns = t_ns,
        .seq = header->seq,
        .ack = header->ack,
        .length_bytes = header->length_bytes,
        .window = packet->window_cut ? UINT16_MAX : header->window, /* not captured: surely no zero window */
        .flags = header->flags,
        .sack = packet->options.present & OPTION_SACK,
    };
}

struct conn_more *flow_own_more(void *owner, struct conn *conn, bool make)
{
    (void)owner, (void)make;
    return &((struct flow *)((char *)conn - offsetof(struct flow, conn)))->more;
}

static bool begins_anew(const struct flow *flow, const struct event_packet *packet)
{
    if (flow->udp) return false;
    if (packet->connection && flow->connection) return packet->connection != flow->connection;
    const struct conn_segment segment = flow_segment(packet, 0);
    bool closing = flow->conn.end[0].flags & flow->conn.end[1].flags & END_FIN;
    if (!(segment.flags & TCP_SYN) && !closing) return false;
    return conn_begins_anew(&flow->conn, &segment, flow_conn_end(flow->first_side, flow_side(flow, &packet->header.src)));
}

/* Linux: TCP_TIMEWAIT_LEN. */
static const int64_t TIME_WAIT_NS = 60000000000;

/* Who of the ended connection holds TIME_WAIT, if its addresses are used again before that is over. */
static void note_time_wait(struct flow *flow, const struct flow *before, int64_t now_ns)
{
    int64_t apart;
    if (__builtin_sub_overflow(now_ns, before->last_ns, &apart) || apart >= TIME_WAIT_NS) return;
    for (unsigned i = 0; i < 2; i++) {
        if (before->conn.end[i].state != STATE_TIME_WAIT) continue;
        enum story_side side = i == 0 ? before->first_side : before->first_side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
        flow->after_time_wait = true;
        flow->after_number = flow_shown_number(before);
        flow->after_side = flow_side(flow, &before->end[side]);
        flow->after_role = side;
        return;
    }
}

bool flow_is_over(const struct flow *flow)
{
    /* Whose packets are numbered by the list is over when that says so: until then more of it may come. */
    bool closing = flow->conn.end[0].flags & flow->conn.end[1].flags & END_FIN;
    return conn_is_done(&flow->conn) || (closing && !flow->connection) || flow->attempt_over;
}

static void queue_when_over(struct teller *teller, struct flow *flow)
{
    if (!flow->queued && flow_is_over(flow)) flow_queue(teller, flow);
}

/* What had been told of these two ends goes on, or is known to have ended before this one. */
static struct flow *rise(struct teller *teller, const struct flow_key *key, const struct event_packet *packet, uint64_t netns,
                         struct flow *before)
{
    bool used;
    struct flow *flow = flow_rise(teller, key, packet, netns, &used);
    if (!flow) return NULL;
    if (begins_anew(flow, packet)) {
        *before = *flow;
        free(flow);
        return NULL;
    }
    if (!file(teller, flow) && !table_put(teller->flows, key, flow)) {
        note_apart(teller, flow);
        queue_when_over(teller, flow);
        return flow;
    }
    flow_free(teller, flow);
    return NULL;
}

static unsigned end_of(const struct flow *flow, const struct event_packet *packet)
{
    return flow_conn_end(flow->first_side, flow_side(flow, &packet->header.src));
}

/* A SYN comes again after a second (RFC 6298 section 2.1). */
static const int64_t SYN_AGAIN_NS = 500000000;

/* The SYN of another connection has come to who holds this one. */
static void note_question(struct flow *elder, const struct flow *young, const struct event_packet *packet, int64_t t_ns)
{
    uint32_t count = elder->question_count;
    if ((packet->header.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || count == QUESTIONS_MAX) return;
    if (count && t_ns - elder->questions_ns[count - 1] < SYN_AGAIN_NS) return; /* its mark, or another sight of it */
    elder->questioned_by = flow_shown_number(young);
    elder->questioned = flow_side(elder, &packet->header.dst);
    elder->questions_ns[elder->question_count++] = t_ns;
}

/* A connection whose place another took before it was over (conn_is_set_aside) may go on. Where a capture's list has numbered the
 * packets, these say whose each is; else the judge does. */
static struct flow *find_elder(struct teller *teller, const struct flow_key *key, struct flow *young,
                               const struct event_packet *packet)
{
    struct flow_key aside = *key;
    const struct conn *conn = &young->conn;
    const struct conn_segment segment = flow_segment(packet, teller->now_ns);
    bool is_youngs = packet->connection && packet->connection == flow_shown_number(young);
    aside.connection = packet->connection && !is_youngs ? packet->connection : young->elder;
    struct flow *elder = aside.connection ? table_get(teller->flows, &aside) : NULL;
    if (!elder && packet->beside && !is_youngs && packet->connection < flow_shown_number(young)) {
        elder = flow_new(teller, &aside, &packet->header); /* its own beginning was before this one's */
        if (elder) elder->beside = true, elder->connection = packet->connection;
    }
    if (!elder) return NULL;
    if (!packet->connection)
        is_youngs = !conn_is_elders(&elder->conn, end_of(elder, packet), conn, end_of(young, packet), &segment);
    if (is_youngs) {
        note_question(elder, young, packet, teller->now_ns);
        return NULL;
    }
    bool asks = conn->end[0].state == STATE_SYN_SENT && !conn->end[1].segments;
    if (asks && !address_equal(&packet->header.src, &young->end[young->first_side]))
        young->challenged_by = flow_shown_number(elder);
    return elder;
}

/* Told, or kept: then *ret_kept is it. */
static int put_aside(struct teller *teller, const struct flow_key *key, struct flow *flow, struct flow **ret_kept)
{
    table_remove(teller->flows, key);
    flow->succeeded = true;
    bool kept = flow->connection ? !conn_is_done(&flow->conn) : conn_is_set_aside(&flow->conn);
    if (!kept) return teller->tell(teller, flow);
    flow->key.connection = flow_shown_number(flow);
    *ret_kept = flow;
    return table_put(teller->flows, &flow->key, flow);
}

/* The flow a packet belongs to, made when it is new. NULL: out of memory. */
struct flow *flow_of_packet(struct teller *teller, const struct event_packet *packet, uint64_t netns)
{
    const struct event_packet_header *header = &packet->header;
    struct flow_key key = flow_key_of(&header->src, &header->dst, header->protocol, netns);
    struct flow *flow = networks_flow(teller, &key, packet, netns);
    struct flow before = {0}, *elder = flow ? find_elder(teller, &key, flow, packet) : NULL;
    if (elder) return elder;
    if (flow && begins_anew(flow, packet)) {
        before = *flow;
        if (put_aside(teller, &key, flow, &elder)) return NULL;
        tombs_forget(teller->tombs, tombs_key(teller->tombs, &key, sizeof(key)));
        flow = NULL;
    } else if (!flow) {
        flow = rise(teller, &key, packet, netns, &before);
    }
    if (!flow) {
        flow = flow_new(teller, &key, header);
        if (!flow) return NULL;
        if (before.number) note_time_wait(flow, &before, teller->now_ns);
        flow->elder = elder ? flow_shown_number(elder) : before.elder;
        flow->networks = before.networks;
    }
    networks_note(&flow->networks, netns);
    if (packet->connection) flow->connection = packet->connection;
    if (!flow->packet_count) flow->beside = packet->beside;
    if (elder) note_question(elder, flow, packet, teller->now_ns);
    return flow;
}

/* Who was taken for the client is the server. */
static void turn_roles(struct teller *teller, struct flow *flow)
{
    take_out(teller, flow);
    struct address end = flow->end[STORY_CLIENT];
    struct sock *sock = flow->sock[STORY_CLIENT];
    flow->end[STORY_CLIENT] = flow->end[STORY_SERVER];
    flow->end[STORY_SERVER] = end;
    flow->sock[STORY_CLIENT] = flow->sock[STORY_SERVER];
    flow->sock[STORY_SERVER] = sock;
    for (size_t i = 0; i < STORY_SIDES; i++)
        if (flow->sock[i]) flow->sock[i]->side = (enum story_side)i;
    for (size_t i = 0; i < flow->change_count; i++) flow->changes[i].side = !flow->changes[i].side;
    for (size_t i = 0; i < flow->expiry_count; i++) flow->expiries[i].side = !flow->expiries[i].side;
    flow->first_side = !flow->first_side;
    flow->after_side = !flow->after_side;
    (void)file(teller, flow); /* out of memory: it is not found by its port */
}

void flow_take_listener(struct teller *teller, struct flow *flow, const struct address *own, uint64_t netns)
{
    if (flow->roles_sure || flow->udp || flow->conn.flags & CONN_OPENED || !listeners_serve(teller, own, netns)) return;
    flow->roles_sure = true;
    if (flow_side(flow, own) == STORY_SERVER) return;
    if (flow->conn.end[0].segments) flow->conn.client = !flow->conn.client;
    turn_roles(teller, flow);
}

void flow_judge(struct teller *teller, struct flow *flow, const struct event_packet *packet, int64_t t_ns)
{
    const struct conn_segment segment = flow_segment(packet, t_ns);
    enum story_side side = flow_side(flow, &packet->header.src);
    if (flow->udp) return;
    if (flow_hold_reset(teller, flow, packet, &segment)) return;
    answered_note(teller, flow, &packet->header);
    if (!flow->conn.end[0].segments) {
        flow->first_side = side;
        if (flow->to_itself) flow->conn.flags |= CONN_TO_ITSELF;
        conn_begin(&flow->conn, &segment, side == STORY_CLIENT);
    } else if (conn_settle_roles(&flow->conn, &segment, flow_conn_end(flow->first_side, side)) && !flow->roles_sure) {
        turn_roles(teller, flow);
    }
    struct conn_verdict verdict = {.move_count = 0};
    conn_take(&teller->judge, &flow->conn, flow_conn_end(flow->first_side, flow_side(flow, &packet->header.src)), &segment,
              &verdict);
    queue_when_over(teller, flow);
}

void flow_free(struct teller *teller, struct flow *flow)
{
    if (!flow) return;
    take_out(teller, flow);
    open_leave(flow);
    teller->apart_flows -= flow->apart;
    for (size_t i = 0; i < flow->packet_count; i++) {
        free((void *)(uintptr_t)flow->packets[i].packet.bytes);
        call_unref(flow->packets[i].call);
    }
    for (size_t i = 0; i < flow->change_count; i++) call_unref(flow->changes[i].call);
    for (size_t i = 0; i < 2; i++) process_unref(flow->ender[i]);
    for (size_t i = 0; i < STORY_SIDES; i++)
        if (flow->sock[i]) flow->sock[i]->flow = NULL;
    table_free(flow->compared);
    free(flow->packets);
    free(flow->changes);
    for (size_t i = 0; i < flow->extra_count; i++) call_unref(flow->extra[i].call);
    free(flow->extra);
    free(flow->expiries);
    free(flow->resets);
    free(flow->drops);
    free(flow->queues);
    free(flow);
}
