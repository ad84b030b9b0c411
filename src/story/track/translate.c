#include "story/track/translate.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "event/extent.h"
#include "story/track/join_own.h"
#include "story/track/track.h"
#include "tcp/segment.h"

/* Of more the oldest is forgotten: what still comes of its connection is then one under other addresses. */
enum { TRANSLATIONS_MAX = 4096 };

/* Two ends in the network in which that is said of them, the lower first. */
struct view_key {
    struct address low, high;
    uint64_t netns;
};

struct known {
    struct translation ends;
    struct view_key socket, half, wire; /* under which it stands in the two tables */
};

struct translations {
    struct known known[TRANSLATIONS_MAX]; /* the newest over the oldest */
    size_t count;                         /* that there ever were */
    struct table *by_socket, *by_wire;    /* view_key → known */
};

static struct view_key key_of(const struct address *a, const struct address *b, uint64_t netns)
{
    struct view_key key;
    memset(&key, 0, sizeof(key));
    bool swap = memcmp(a, b, sizeof(*a)) > 0;
    key.low = swap ? *b : *a;
    key.high = swap ? *a : *b;
    key.netns = netns;
    return key;
}

void translations_free(struct translations *translations)
{
    if (!translations) return;
    table_free(translations->by_socket);
    table_free(translations->by_wire);
    free(translations);
}

static struct translations *translations_new(void)
{
    struct translations *translations = calloc(1, sizeof(*translations));
    if (!translations) return NULL;
    translations->by_socket = table_new(sizeof(struct view_key));
    translations->by_wire = table_new(sizeof(struct view_key));
    if (translations->by_socket && translations->by_wire) return translations;
    translations_free(translations);
    return NULL;
}

static void forget(struct translations *translations, struct known *known)
{
    if (table_get(translations->by_socket, &known->socket) == known) table_remove(translations->by_socket, &known->socket);
    if (table_get(translations->by_socket, &known->half) == known) table_remove(translations->by_socket, &known->half);
    if (table_get(translations->by_wire, &known->wire) == known) table_remove(translations->by_wire, &known->wire);
}

/* What answers comes back in two steps, first to its local address, then from its remote one (nf_nat: PREROUTING, then INPUT):
 * between them it is seen half translated. Out of memory: it is not known, and the two sides are two connections. */
static void learn(struct teller *teller, const struct translation *ends, uint64_t netns)
{
    if (!teller->translations && !(teller->translations = translations_new())) return;
    struct translations *translations = teller->translations;
    struct known *known = &translations->known[translations->count++ % TRANSLATIONS_MAX];
    if (translations->count > TRANSLATIONS_MAX) forget(translations, known);
    *known = (struct known){.ends = *ends,
                            .socket = key_of(&ends->local, &ends->remote, netns),
                            .half = key_of(&ends->local, &ends->target, netns),
                            .wire = key_of(&ends->source, &ends->target, netns)};
    bool has_half = memcmp(&known->half, &known->wire, sizeof(known->wire)) != 0;
    if ((has_half && table_put(translations->by_socket, &known->half, known)) ||
        table_put(translations->by_socket, &known->socket, known) || table_put(translations->by_wire, &known->wire, known))
        forget(translations, known);
}

/* *a and *b are two ends, in this order or in the other; `netns` 0: in any network where packets were marked. */
static bool put_ends(const struct teller *teller, struct address *a, struct address *b, uint64_t netns)
{
    if (!a->port || !b->port) return false;
    const struct known *known = NULL;
    for (size_t i = 0; !known && i < (netns ? 1 : teller->marked_count); i++) {
        struct view_key key = key_of(a, b, netns ? netns : teller->marked[i]);
        known = table_get(teller->translations->by_socket, &key);
    }
    if (!known) return false;
    bool is_from_socket = address_equal(a, &known->ends.local);
    if (is_from_socket && address_equal(b, &known->ends.local)) return false; /* a socket that is connected to itself */
    *a = is_from_socket ? known->ends.source : known->ends.target;
    *b = is_from_socket ? known->ends.target : known->ends.source;
    return true;
}

static bool put_header(const struct teller *teller, struct event_packet_header *header, uint64_t netns)
{
    return header->protocol == IPPROTO_TCP && put_ends(teller, &header->src, &header->dst, netns);
}

static bool put_context(const struct teller *teller, struct event_context *context, uint64_t netns)
{
    return context->receiving && put_header(teller, &context->received, netns);
}

/* A call does not say in which network its socket is; what the kernel said of it before does. */
static bool put_socket(const struct teller *teller, struct event_socket *socket, uint64_t netns)
{
    if (socket->protocol != IPPROTO_TCP) return false;
    const struct sock *sock = netns || !socket->cookie ? NULL : table_get(teller->sockets, &socket->cookie);
    return put_ends(teller, &socket->local, &socket->remote, sock && sock->netns ? sock->netns : netns);
}

static bool put_event(const struct teller *teller, struct event *event)
{
    switch (event->kind) {
    case EVENT_PACKET: {
        uint64_t netns = join_netns(teller, event->packet.vantage);
        return netns && put_header(teller, &event->packet.header, netns);
    }
    case EVENT_ENTER:
        return put_socket(teller, &event->call.socket, 0);
    case EVENT_EXIT:
        return put_socket(teller, &event->call.socket, 0) | put_socket(teller, &event->call.other, 0);
    case EVENT_MARK:
        return put_header(teller, &event->mark.header, event->mark.netns) |
               put_socket(teller, &event->mark.socket, event->mark.netns) |
               put_context(teller, &event->mark.context, event->mark.netns);
    case EVENT_STATE:
        return put_socket(teller, &event->state.socket, event->state.netns) |
               put_context(teller, &event->state.context, event->state.netns);
    case EVENT_RESET:
        return put_socket(teller, &event->reset.socket, event->reset.netns) |
               put_context(teller, &event->reset.context, event->reset.netns);
    case EVENT_TIMER:
        return put_socket(teller, &event->timer.socket, event->timer.netns) |
               put_context(teller, &event->timer.context, event->timer.netns);
    case EVENT_DROP:
        return put_header(teller, &event->drop.header, event->drop.netns) |
               put_socket(teller, &event->drop.socket, event->drop.netns) |
               put_context(teller, &event->drop.context, event->drop.netns);
    case EVENT_QUEUE:
        return put_header(teller, &event->queue.header, event->queue.netns);
    case EVENT_WAKE:
        return put_context(teller, &event->wake.context, 0);
    default:
        return false;
    }
}

/* Whether the socket that sends this has both its addresses, of which the packet has at least one no more. */
static bool is_translated(const struct event_mark *mark)
{
    const struct event_socket *socket = &mark->socket;
    const struct event_packet_header *header = &mark->header;
    if (!mark->netns || !socket->cookie || socket->protocol != IPPROTO_TCP || header->protocol != IPPROTO_TCP) return false;
    if (!socket->local.port || !socket->remote.port || address_is_any(&socket->local)) return false;
    if (address_equal(&socket->local, &header->dst) || address_equal(&socket->remote, &header->src))
        return false; /* its receiver's */
    return !address_equal(&socket->local, &header->src) || !address_equal(&socket->remote, &header->dst);
}

/* A SYN that leaves as its socket wants it: what was known of these two ends was of another connection. */
static void unlearn(struct teller *teller, const struct event_mark *mark)
{
    if ((mark->header.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || !teller->translations) return;
    struct view_key key = key_of(&mark->header.src, &mark->header.dst, mark->netns);
    struct known *known = table_get(teller->translations->by_socket, &key);
    if (known) forget(teller->translations, known);
    known = table_get(teller->translations->by_wire, &key);
    if (known) forget(teller->translations, known);
}

/* The socket as the kernel has it, whose ends become those of what it sends here. */
static void learn_mark(struct teller *teller, const struct event_socket *own, struct event_mark *mark)
{
    const struct translation ends = {
        .local = own->local, .remote = own->remote, .source = mark->header.src, .target = mark->header.dst};
    learn(teller, &ends, mark->netns);
    mark->socket.local = mark->header.src;
    mark->socket.remote = mark->header.dst;
}

const struct event *translate(struct teller *teller, const struct event *event, struct event *room)
{
    bool is_mark = event->kind == EVENT_MARK, is_other = is_mark && is_translated(&event->mark);
    if (is_mark && !is_other && event->mark.socket.cookie) unlearn(teller, &event->mark);
    if (!is_other && !teller->translations) return event;
    struct event_socket own = is_mark ? event->mark.socket : (struct event_socket){.cookie = 0};
    if (event != room) event_assign(room, event);
    bool changed = teller->translations && put_event(teller, room);
    if (is_other && is_translated(&room->mark)) {
        learn_mark(teller, &own, &room->mark);
        changed = true;
    }
    return changed ? room : event;
}

const struct translation *translation_of(const struct teller *teller, const struct address *source, const struct address *target,
                                         uint64_t netns)
{
    if (!teller->translations || !netns) return NULL;
    struct view_key key = key_of(source, target, netns);
    const struct known *known = table_get(teller->translations->by_wire, &key);
    return known ? &known->ends : NULL;
}
