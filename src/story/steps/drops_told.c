/* What the kernel threw away, and how full a listener's queues were: told of the segments that it concerns. */
#include <netinet/in.h>
#include <string.h>

#include "story/steps/telling.h"

/* Pieces that the receiving kernel had joined (GRO) and threw away together came within this time: less than the shortest
 * retransmission timeout of Linux (TCP_RTO_MIN). */
static const int64_t JOINED_NS = 100000000;

static bool chain_names(const struct event_chain *chain, const char *const *names)
{
    for (size_t i = 0; chain && i < chain->count; i++)
        for (size_t k = 0; names[k]; k++)
            if (strcmp(chain->names[i], names[k]) == 0) return true;
    return false;
}

/* Neither end's: a host between them, or this one as that. */
static bool is_forwarding(const struct event_drop *drop)
{
    static const char *const names[] = {"ip_forward", "ip6_forward", "br_forward", "__br_forward", "br_handle_frame", NULL};
    return chain_names(drop->context.chain, names);
}

/* A socket that goes takes with it what nobody had read: that had come, and been acknowledged. A FIN lies among that, too. */
static bool is_purged(const struct event_drop *drop)
{
    return drop->header.protocol == IPPROTO_TCP && !drop->outgoing && strcmp(drop->reason, "QUEUE_PURGE") == 0;
}

/* Whether TCP's state machine had it before. Its entrance (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c) throws away what no state
 * has seen; but where there is no socket, what RFC 9293 says of CLOSED was done. */
static bool is_untaken(const struct event_drop *drop)
{
    static const char *const inside[] = {"tcp_v4_do_rcv",         "tcp_v6_do_rcv",     "tcp_rcv_established",
                                         "tcp_rcv_state_process", "tcp_child_process", NULL};
    if (strcmp(drop->reason, "NO_SOCKET") == 0) return false;
    if (is_purged(drop)) return false;
    if (drop->outgoing || drop->header.protocol != IPPROTO_TCP) return true;
    if (chain_names(drop->context.chain, inside)) return false;
    if (strcmp(drop->function, "tcp_v4_rcv") == 0 || strcmp(drop->function, "tcp_v6_rcv") == 0) return true;
    return drop->function[0] && strncmp(drop->function, "tcp_", 4) != 0;
}

static void tell_drop(struct telling *telling, struct tale_packet *packet, const struct drop_note *note)
{
    const struct story_drop **place = packet->segment ? &packet->segment->dropped : &packet->datagram->dropped;
    struct story_drop *drop = arena_alloc(telling->arena, sizeof(*drop));
    if (!drop) {
        telling->failed = true;
        return;
    }
    drop->t_ns = note->t_ns;
    drop->reason = arena_text(telling->arena, note->drop.reason);
    drop->function = arena_text(telling->arena, note->drop.function);
    drop->by = is_forwarding(&note->drop) ? STORY_DROPPED_BETWEEN
               : note->drop.outgoing      ? STORY_DROPPED_BY_SENDER
                                          : STORY_DROPPED_BY_RECEIVER;
    drop->untaken = is_untaken(&note->drop);
    if (!drop->reason || !drop->function) telling->failed = true;
    *place = drop;
}

/* The segment that did not leave its host, of which this drop told. */
static struct tale_packet *find_stuck(const struct telling *telling, const struct drop_note *note)
{
    bool opens = note->drop.outgoing && note->drop.header.flags & TCP_SYN;
    for (size_t i = 0; opens && i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        if (packet->seen->stuck && packet->seen->mark_ns == note->t_ns) return packet;
        if (packet->sent_ns > note->t_ns) break;
    }
    return NULL;
}

static void attach_drop(struct telling *telling, const struct drop_note *note)
{
    const struct event_packet_header *header = &note->drop.header;
    struct tale_packet *found = find_stuck(telling, note);
    if (!found) found = telling_find_packet(telling, header, note->t_ns);
    if (!found || (is_purged(&note->drop) && !header->length_bytes)) return;
    tell_drop(telling, found, note);
    for (size_t i = (size_t)(found - telling->packets); i-- > 0;) { /* what it had been joined with */
        struct tale_packet *packet = &telling->packets[i];
        const struct event_packet_header *own = &packet->seen->packet.header;
        if (note->t_ns - packet->sent_ns > JOINED_NS) break;
        if (!packet->segment || packet->segment->dropped || own->seq == found->seen->packet.header.seq) continue;
        if (header->length_bytes > own->length_bytes && flow_covers(header, own)) tell_drop(telling, packet, note);
    }
}

/* A queue is looked at as its SYN comes in, before a capture has that: by its clock it may come a little later. Equal SYNs are a
 * second apart. */
static const int64_t CAPTURE_NS = 1000000;

static void attach_queue(struct telling *telling, const struct queue_note *note)
{
    struct tale_packet *found = telling_find_packet(telling, &note->queue.header, note->t_ns + CAPTURE_NS);
    struct story_queue *queue = found && found->segment ? arena_alloc(telling->arena, sizeof(*queue)) : NULL;
    if (!found || !found->segment) return;
    if (!queue) {
        telling->failed = true;
        return;
    }
    queue->t_ns = note->t_ns;
    queue->listener_cookie = note->queue.socket.cookie;
    queue->dropped = note->queue.dropped;
    queue->accept_length = note->queue.accept_length;
    queue->accept_most = note->queue.accept_most;
    queue->request_length = note->queue.request_length;
    found->segment->queue = queue;
}

void tale_attach_drops(struct telling *telling)
{
    const struct flow *flow = telling->flow;
    for (size_t i = 0; i < flow->drop_count && !telling->failed; i++) attach_drop(telling, &flow->drops[i]);
    for (size_t i = 0; i < flow->queue_count && !telling->failed; i++) attach_queue(telling, &flow->queues[i]);
}
