/* Connections of which the calls alone are known: nobody captured their packets, because nobody was allowed to, or not there. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "story/track/track.h"

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

static int bind_alone(struct teller *teller, struct sock *sock)
{
    uint8_t protocol = sock->protocol ? sock->protocol : IPPROTO_TCP;
    struct flow *flow = flow_find(teller, &sock->local, &sock->remote, protocol, 0);
    if (flow) { /* its ends are another socket's: an earlier connection of the same two addresses */
        int code = open_tell(teller, flow);
        if (code) return code;
    }
    flow = flow_for(teller, sock, protocol);
    if (!flow) return -ENOMEM;
    flow_bind(teller, sock);
    return 0;
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

int calls_alone_find_all(struct teller *teller)
{
    void *value;
    int code = 0;
    for (size_t cursor = 0; !code && packets_come(teller) && table_next(teller->sockets, &cursor, NULL, &value);) {
        struct sock *sock = value;
        bool is_tcp = !sock->protocol || sock->protocol == IPPROTO_TCP;
        if (sock->flow || !is_tcp || !has_ends(sock) || !was_opened(sock)) continue;
        flow_bind(teller, sock); /* its other end may have been found before */
        if (!sock->flow) code = bind_alone(teller, sock);
    }
    return code;
}
