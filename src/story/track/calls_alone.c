/* Connections of which the calls alone are known: nobody captured packets, because nobody was allowed to. */
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

int calls_alone_bind(struct teller *teller, struct sock *sock)
{
    if (teller->vantage_count || sock->flow || !has_ends(sock)) return 0;
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
