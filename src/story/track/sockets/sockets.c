/* Sockets by what is asked of them: who serves an address, who waits for the connection of its two addresses; and how long one that
 * has no connection stays. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/apart.h"
#include "story/track/call_story.h"
#include "story/track/track.h"

static struct list *bucket(struct table *table, const void *key, bool make)
{
    struct list *list = table_get(table, key);
    if (list || !make) return list;
    list = calloc(1, sizeof(*list));
    if (!list || !table_put(table, key, list)) return list;
    free(list);
    return NULL;
}

static void take_out(struct table *table, const void *key, struct list_link *link)
{
    struct list *list = table_get(table, key);
    list_remove(list, link);
    if (list->count) return;
    table_remove(table, key);
    free(list);
}

static struct port_key port_key(uint16_t port, uint8_t protocol)
{
    return (struct port_key){.port = port, .protocol = protocol};
}

struct ends_key ends_key(uint16_t local_port, const struct address *remote)
{
    struct ends_key key;
    memset(&key, 0, sizeof(key));
    key.remote = *remote;
    key.local_port = local_port;
    return key;
}

static int file_by_port(struct teller *teller, struct sock *sock)
{
    bool serves = sock->local.port && (sock->listening || (sock->protocol == IPPROTO_UDP && sock->remote.port == 0));
    struct port_key key = port_key(sock->local.port, sock->protocol);
    if (sock->serves && serves && memcmp(&sock->port_key, &key, sizeof(key)) == 0) return 0;
    if (sock->serves) take_out(teller->serving, &sock->port_key, &sock->serves_link);
    sock->serves = false;
    struct list *list = serves ? bucket(teller->serving, &key, true) : NULL;
    if (!list) return serves ? -ENOMEM : 0;
    sock->serves = true;
    sock->port_key = key;
    list_add(list, &sock->serves_link);
    return 0;
}

static int file_by_ends(struct teller *teller, struct sock *sock)
{
    bool waits = !sock->flow && sock->local.port && sock->remote.port;
    struct ends_key key = ends_key(sock->local.port, &sock->remote);
    if (sock->waits && waits && memcmp(&sock->ends_key, &key, sizeof(key)) == 0) return 0;
    if (sock->waits) take_out(teller->waiting, &sock->ends_key, &sock->waits_link);
    sock->waits = false;
    struct list *list = waits ? bucket(teller->waiting, &key, true) : NULL;
    if (!list) return waits ? -ENOMEM : 0;
    sock->waits = true;
    sock->ends_key = key;
    list_add(list, &sock->waits_link);
    return 0;
}

int sockets_file(struct teller *teller, struct sock *sock)
{
    int code = file_by_port(teller, sock);
    return code ? code : file_by_ends(teller, sock);
}

void sockets_take_out(struct teller *teller, struct sock *sock)
{
    if (sock->serves) take_out(teller->serving, &sock->port_key, &sock->serves_link);
    if (sock->waits) take_out(teller->waiting, &sock->ends_key, &sock->waits_link);
    if (sock->loose) list_remove(sock->loose, &sock->loose_link);
    sock->serves = sock->waits = false;
    sock->loose = NULL;
}

/* When listen() was called on it; 0: before recording, or it never was. */
static int64_t listening_since(const struct sock *sock)
{
    for (size_t i = 0; i < sock->call_count; i++)
        if (sock->calls[i]->traits & CALL_LISTENS && sock->calls[i]->exited && sock->calls[i]->ret == 0)
            return sock->calls[i]->exit_ns;
    return 0;
}

/* A server that was started again has had several: the newest that listened by then; else the first that did later; else any. */
static bool serves_better(const struct sock *so_far, const struct sock *sock, const struct address *local, int64_t at_ns)
{
    if (!so_far) return true;
    int64_t since_ns = listening_since(sock), had_ns = listening_since(so_far);
    if (at_ns && (since_ns <= at_ns) != (had_ns <= at_ns)) return since_ns <= at_ns;
    bool exact = address_equal(&sock->local, local), had_exact = address_equal(&so_far->local, local);
    if (exact != had_exact) return exact;
    /* "::" serves IPv4 too (unless IPV6_V6ONLY, then IPv4 has a socket of its own that matches better or comes later). */
    if ((sock->local.version == local->version) != (so_far->local.version == local->version))
        return sock->local.version == local->version;
    return at_ns && since_ns > at_ns ? since_ns < had_ns : since_ns > had_ns;
}

struct sock *sockets_next_serving(const struct teller *teller, uint16_t port, uint8_t protocol, const struct sock *behind)
{
    struct port_key key = port_key(port, protocol);
    struct list *list = behind ? NULL : table_get(teller->serving, &key);
    struct list_link *link = behind ? behind->serves_link.behind : list ? list->first : NULL;
    return link ? LIST_OF(link, struct sock, serves_link) : NULL;
}

static bool serves(const struct sock *sock, const struct address *local)
{
    return address_equal(&sock->local, local) || address_is_any(&sock->local);
}

struct sock *socket_serving(struct teller *teller, const struct address *local, uint8_t protocol, uint64_t netns, int64_t at_ns)
{
    struct sock *best = NULL;
    for (struct sock *sock = NULL; (sock = sockets_next_serving(teller, local->port, protocol, sock)) != NULL;) {
        if (!serves(sock, local) || (netns && sock->netns && sock->netns != netns)) continue;
        if (serves_better(best, sock, local, at_ns)) best = sock;
    }
    return best;
}

bool sockets_serve_twice(const struct teller *teller, const struct address *local, uint8_t protocol)
{
    uint64_t netns = 0;
    for (struct sock *sock = NULL; (sock = sockets_next_serving(teller, local->port, protocol, sock)) != NULL;) {
        if (!sock->netns || !address_equal(&sock->local, local)) continue;
        if (netns && netns != sock->netns) return true;
        netns = sock->netns;
    }
    return false;
}

struct sock *sockets_waiting(struct teller *teller, const struct flow *flow, enum story_side side)
{
    const struct address *peer = &flow->end[side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT];
    struct ends_key key = ends_key(flow->end[side].port, peer);
    struct list *list = table_get(teller->waiting, &key);
    for (struct list_link *link = list ? list->first : NULL; link; link = link->behind) {
        struct sock *sock = LIST_OF(link, struct sock, waits_link);
        if (flow_is_end(flow, side, sock) && networks_may_be(teller, flow, sock->netns)) return sock;
    }
    return NULL;
}

void sockets_touch(struct teller *teller, struct sock *sock)
{
    struct list *list = sock->flow ? NULL : sock->gone ? &teller->gone_sockets : &teller->loose_sockets;
    if (sock->loose) list_remove(sock->loose, &sock->loose_link);
    sock->loose = list;
    if (list) list_add(list, &sock->loose_link);
}

/* What it has to say that stands in no story is kept. */
static int forget_socket(struct teller *teller, struct sock *sock)
{
    int code = apart_take_socket(teller, sock);
    table_remove(teller->sockets, &sock->cookie);
    sock_free(teller, sock);
    return code;
}

static struct sock *first_of(const struct list *list)
{
    return LIST_OF(list->first, struct sock, loose_link);
}

int sockets_pass(struct teller *teller)
{
    int code = 0;
    while (!code && teller->gone_sockets.count > SOCKETS_GONE_MAX) code = forget_socket(teller, first_of(&teller->gone_sockets));
    for (int looked_at = 0; !code && teller->loose_sockets.count > SOCKETS_LOOSE_MAX;) {
        struct sock *sock = first_of(&teller->loose_sockets);
        if (sock->listening && looked_at++ < 64) { /* nothing may come to it for hours */
            sockets_touch(teller, sock);
            continue;
        }
        code = forget_socket(teller, sock);
        teller->forgotten.sockets++;
    }
    return code;
}

/* ---- a bind() that was refused, because its port is another's; a connect() that found no port, by its peer's ---- */

struct refused {
    struct list_link link;
    struct call *call; /* a reference */
    uint64_t netns;    /* where; 0 not known */
};

static void drop_refused(struct teller *teller, uint16_t port, struct refused *refused)
{
    take_out(teller->refused, &port, &refused->link);
    call_unref(refused->call);
    free(refused);
}

int sockets_note_refused(struct teller *teller, struct sock *sock, struct call *call, uint16_t port)
{
    struct refused *refused = calloc(1, sizeof(*refused));
    struct list *list = refused ? bucket(teller->refused, &port, true) : NULL;
    if (!list) {
        free(refused);
        return -ENOMEM;
    }
    refused->call = call_ref(call);
    refused->netns = sock->netns;
    list_add(list, &refused->link);
    sock->has_refused = true;
    if (list->count > REFUSED_MAX) drop_refused(teller, port, LIST_OF(list->first, struct refused, link));
    return 0;
}

struct call *sockets_next_refused(const struct teller *teller, uint16_t port, uint64_t netns, const void **at)
{
    struct list *list = *at ? NULL : table_get(teller->refused, &port);
    struct list_link *link = *at ? ((const struct refused *)*at)->link.behind : list ? list->first : NULL;
    for (; link; link = link->behind) {
        struct refused *refused = LIST_OF(link, struct refused, link);
        if (netns && refused->netns && refused->netns != netns) continue;
        *at = refused;
        return refused->call;
    }
    *at = NULL;
    return NULL;
}

void sockets_forget_refused(struct teller *teller, const struct sock *sock)
{
    for (size_t i = 0; i < sock->call_count; i++) {
        uint16_t port = call_story_address(sock->calls[i]).port;
        const void *at = NULL;
        bool noted = sock->calls[i]->traits & CALL_BINDS || call_story_found_no_port(sock->calls[i]);
        struct list *list = noted ? table_get(teller->refused, &port) : NULL;
        while (list && sockets_next_refused(teller, port, 0, &at) != NULL)
            if (((const struct refused *)at)->call == sock->calls[i]) {
                drop_refused(teller, port, (struct refused *)(uintptr_t)at);
                break;
            }
    }
}

struct opened {
    int64_t t_ns; /* of its first call */
    uint64_t cookie;
};

static int by_time(const void *a, const void *b)
{
    const struct opened *x = a, *y = b;
    if (x->t_ns != y->t_ns) return x->t_ns < y->t_ns ? -1 : 1;
    return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

uint64_t *sockets_in_order(const struct teller *teller, bool (*is_wanted)(const struct sock *sock), size_t *ret_count)
{
    struct opened *list = calloc(table_count(teller->sockets) + 1, sizeof(*list));
    uint64_t *cookies = list ? calloc(table_count(teller->sockets) + 1, sizeof(*cookies)) : NULL;
    void *value;
    *ret_count = 0;
    for (size_t cursor = 0; cookies && table_next(teller->sockets, &cursor, NULL, &value);) {
        const struct sock *sock = value;
        if (!is_wanted(sock)) continue;
        list[(*ret_count)++] = (struct opened){call_story_begin_ns(sock->calls[0]), sock->cookie};
    }
    if (cookies) qsort(list, *ret_count, sizeof(*list), by_time);
    for (size_t i = 0; i < *ret_count; i++) cookies[i] = list[i].cookie;
    free(list);
    return cookies;
}
