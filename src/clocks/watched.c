/* Flows that are in one capture alone. A capture may have been made with a filter, or on a host that has nothing to do with them;
 * but where it holds others between the same two hosts, to the same port, it would hold these too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "clocks/match_own.h"

struct service_key {
    struct address low, high; /* without ports */
    uint16_t port;
};

static struct service_key key_of(const struct match_flow *flow, uint16_t port)
{
    struct service_key key;
    memset(&key, 0, sizeof(key));
    key.low = flow->low;
    key.high = flow->high;
    key.low.port = key.high.port = 0;
    if (memcmp(&key.low, &key.high, sizeof(key.low)) > 0) {
        struct address swap = key.low;
        key.low = key.high;
        key.high = swap;
    }
    key.port = port;
    return key;
}

int match_find_watched(struct match *match)
{
    static char present;
    struct table *services = table_new(sizeof(struct service_key));
    int code = services ? 0 : -ENOMEM;
    for (size_t i = 0; i < match->flow_count && !code; i++) {
        const struct match_flow *flow = &match->flow[i];
        if (!flow->pairs[0] && !flow->pairs[1]) continue;
        struct service_key low = key_of(flow, flow->low.port), high = key_of(flow, flow->high.port);
        code = table_put(services, &low, &present);
        if (!code) code = table_put(services, &high, &present);
    }
    for (int capture = 0; capture < MATCH_CAPTURES && !code; capture++)
        for (size_t i = 0; i < match->count[capture]; i++) {
            const struct match_packet *packet = &match->packet[capture][i];
            struct match_flow *flow = &match->flow[packet->flow];
            if (flow->packets[!capture] || (packet->header.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || flow->guessed) continue;
            struct service_key key = key_of(flow, packet->header.dst.port);
            flow->watched = packet->sender_side && table_get(services, &key);
        }
    table_free(services);
    return code;
}
