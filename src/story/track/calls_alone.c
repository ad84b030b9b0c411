/* Connections of which the calls alone are known: nobody captured their packets, because nobody was allowed to, or not there. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "story/track/track.h"

/* Who called connect() on it is the client; what accept() gave out is the server's. */
static enum story_side side_of(const struct sock *sock)
{
    for (size_t i = 0; i < sock->call_count; i++)
        if (sock->calls[i]->traits & CALL_CONNECTS) return STORY_CLIENT;
    return STORY_SERVER;
}

/* Of UDP without a peer nothing says to whom it talks. */
static bool has_ends(const struct sock *sock)
{
    return sock->local.port && sock->remote.port && !sock->listening;
}

static int bind_alone(struct teller *teller, struct sock *sock)
{
    enum story_side side = side_of(sock);
    uint8_t protocol = sock->protocol ? sock->protocol : IPPROTO_TCP;
    struct flow *flow = flow_find(teller, &sock->local, &sock->remote, protocol, 0);
    if (flow) { /* its ends are another socket's: an earlier connection of the same two addresses */
        int code = open_tell(teller, flow);
        if (code) return code;
    }
    flow = side == STORY_CLIENT ? flow_make(teller, &sock->local, &sock->remote, protocol)
                                : flow_make(teller, &sock->remote, &sock->local, protocol);
    if (!flow) return -ENOMEM;
    flow_bind(teller, sock);
    return 0;
}

int calls_alone_bind(struct teller *teller, struct sock *sock)
{
    return teller->vantage_count || sock->flow || !has_ends(sock) ? 0 : bind_alone(teller, sock);
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
    for (size_t cursor = 0; !code && teller->vantage_count && table_next(teller->sockets, &cursor, NULL, &value);) {
        struct sock *sock = value;
        bool is_tcp = !sock->protocol || sock->protocol == IPPROTO_TCP;
        if (sock->flow || !is_tcp || !has_ends(sock) || !was_opened(sock)) continue;
        flow_bind(teller, sock); /* its other end may have been found before */
        if (!sock->flow) code = bind_alone(teller, sock);
    }
    return code;
}
