/* Connections of which the calls alone are known: nobody captured their packets, because nobody was allowed to, or not there. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/track.h"
#include "tcp/segment.h"

static bool has_connected(const struct sock *sock)
{
    for (size_t i = 0; i < sock->call_count; i++)
        if (sock->calls[i]->traits & CALL_CONNECTS) return true;
    return false;
}

static bool was_accepted(const struct sock *sock)
{
    for (size_t i = 0; i < sock->call_count; i++)
        if (sock->calls[i]->traits & CALL_ACCEPTS) return true;
    return false;
}

/* Who called connect() on it is the client; what accept() gave out is the server's. Of what was open before anybody looked neither
 * is known: roles are chosen as for a segment in mid-life. */
static struct flow *flow_for(struct teller *teller, const struct sock *sock, uint8_t protocol)
{
    if (was_accepted(sock)) return flow_make(teller, &sock->remote, &sock->local, protocol, true);
    return flow_make(teller, &sock->local, &sock->remote, protocol, has_connected(sock));
}

/* Of UDP without a peer nothing says to whom it talks. */
static bool has_ends(const struct sock *sock)
{
    return sock->local.port && sock->remote.port && !sock->listening;
}

/* So many SYNs that did not leave their host are remembered until it is known whose they were: the newest over the oldest. */
enum { STUCK_MAX = 256 };

int calls_alone_keep_drop(struct teller *teller, const struct event *event)
{
    const struct event_packet_header *header = &event->drop.header;
    bool is_stuck = event->drop.outgoing && header->protocol == IPPROTO_TCP && (header->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    if (!is_stuck) return 0;
    if (!teller->stuck && !(teller->stuck = calloc(STUCK_MAX, sizeof(*teller->stuck)))) return -ENOMEM;
    teller->stuck[teller->stuck_count++ % STUCK_MAX] = (struct drop_note){.t_ns = event->t_ns, .drop = event->drop};
    return 0;
}

/* What did not leave since this socket's first call. */
static int take_stuck(struct teller *teller, struct flow *flow, const struct sock *sock)
{
    size_t from = teller->stuck_count > STUCK_MAX ? teller->stuck_count - STUCK_MAX : 0;
    int64_t first_ns = sock->call_count ? sock->calls[0]->enter_ns : INT64_MAX; /* 0: it was open before */
    for (size_t i = from; i < teller->stuck_count; i++) {
        const struct drop_note *stuck = &teller->stuck[i % STUCK_MAX];
        const struct event_packet_header *header = &stuck->drop.header;
        if (stuck->t_ns < first_ns || !address_equal(&header->src, &sock->local) || !address_equal(&header->dst, &sock->remote))
            continue;
        struct drop_note *note = track_grow((void **)&flow->drops, &flow->drop_count, &flow->drop_room, sizeof(*note));
        if (!note) return -ENOMEM;
        *note = *stuck;
    }
    return 0;
}

static int bind_alone(struct teller *teller, struct sock *sock)
{
    uint8_t protocol = sock->protocol ? sock->protocol : IPPROTO_TCP;
    struct flow *flow = flow_find(teller, &sock->local, &sock->remote, protocol, sock->netns);
    if (!flow && flow_is_taken(teller, sock, protocol)) return 0; /* by one of other networks, or nobody can tell which it is of */
    if (flow) { /* its ends are another socket's: an earlier connection of the same two addresses */
        int code = open_tell(teller, flow);
        if (code) return code;
    }
    flow = flow_for(teller, sock, protocol);
    if (!flow) return -ENOMEM;
    flow_bind(teller, sock);
    return take_stuck(teller, flow, sock);
}

/* They are captured, or the kernel marks them: the flow comes with them, although it has not yet. */
static bool packets_come(const struct teller *teller)
{
    return teller->vantage_count || (teller->trace.recorder && strcmp(teller->trace.recorder, "bpf") == 0);
}

int calls_alone_bind(struct teller *teller, struct sock *sock)
{
    return packets_come(teller) || sock->flow || !has_ends(sock) ? 0 : bind_alone(teller, sock);
}

/* Opened before our eyes: of what was open already nothing says that a packet should have been seen. That accept() returned it is
 * not enough, it is its listener's call: where one connection was chosen and saved, those of all others stand there. */
static bool was_opened(const struct sock *sock)
{
    bool accepted = false, used = false;
    for (size_t i = 0; i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        bool accepts = call->traits & CALL_ACCEPTS;
        if (!call->told && call->traits & CALL_CONNECTS) return true;
        accepted |= accepts && !call->told && call->exited && call->ret >= 0 && call->other.cookie == sock->cookie;
        used |= !accepts;
    }
    return accepted && used;
}

static bool is_unseen(const struct sock *sock)
{
    bool is_tcp = !sock->protocol || sock->protocol == IPPROTO_TCP;
    return !sock->flow && is_tcp && has_ends(sock) && was_opened(sock);
}

int calls_alone_find_all(struct teller *teller)
{
    size_t count;
    int code = 0;
    if (!packets_come(teller)) return 0;
    uint64_t *cookies = sockets_in_order(teller, is_unseen, &count);
    if (!cookies) return -ENOMEM;
    for (size_t i = 0; i < count && !code; i++) {
        struct sock *sock = table_get(teller->sockets, &cookies[i]); /* to tell an earlier connection may forget it */
        if (!sock || sock->flow) continue;
        flow_bind(teller, sock); /* its other end may have been found before */
        if (!sock->flow) code = bind_alone(teller, sock);
    }
    free(cookies);
    return code;
}
