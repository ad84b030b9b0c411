/* SYNs that did not leave their host: a rule for what goes out dropped or rejected them. */
#include <netinet/in.h>
#include <string.h>

#include "story/reports/reports.h"

/* The kernel's own sending led there, and no device had it yet: what waited for a link address, or in a device's queue, is let go
 * by somebody else, and at another time. */
static bool is_being_sent(const struct event_chain *chain)
{
    bool sends = false;
    for (size_t i = 0; chain && i < chain->count; i++) {
        if (strcmp(chain->names[i], "__dev_queue_xmit") == 0) return false;
        sends |= strncmp(chain->names[i], "__tcp_transmit_skb", strlen("__tcp_transmit_skb")) == 0;
    }
    return sends;
}

int stuck_take_drop(struct teller *teller, const struct event *event)
{
    const struct event_drop *drop = &event->drop;
    bool opens = drop->header.protocol == IPPROTO_TCP && (drop->header.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (!drop->outgoing || !opens || !is_being_sent(drop->context.chain)) return 0;
    struct event mark = {.kind = EVENT_MARK, .t_ns = event->t_ns, .order = event->order};
    mark.mark = (struct event_mark){.header = drop->header, .netns = drop->netns, .socket = drop->socket, .context = drop->context};
    int code = flow_take_mark(teller, &mark);
    if (code) return code;
    struct flow *flow = flow_find(teller, &drop->header.src, &drop->header.dst, IPPROTO_TCP, drop->netns);
    struct sighting *seen = flow && flow->packet_count ? &flow->packets[flow->packet_count - 1] : NULL;
    if (seen && !seen->captured && seen->mark_ns == event->t_ns) seen->stuck = true;
    return 0;
}
