/* ICMP errors about a connection: found by what they quote, and kept with what is rare of it. */
#include <string.h>

#include "ledger/own.h"

void ledger_icmp_note(struct ledger_icmp *to, const struct event_packet *error)
{
    to->count++;
    to->last = segment_icmp_of(error);
}

uint32_t ledger_icmp(struct ledger *ledger, const struct event_packet *error)
{
    const struct address *src = &error->icmp.src, *dst = &error->icmp.dst;
    if (!error->icmp.quotes || src->version != dst->version) return 0;
    struct ledger_segment quoted = {.src_port = src->port, .dst_port = dst->port, .version = src->version};
    memcpy(quoted.src, src->ip, sizeof(quoted.src));
    memcpy(quoted.dst, dst->ip, sizeof(quoted.dst));
    int side = 0;
    uint32_t found = index_find(ledger, &quoted, index_hash(ledger, &quoted), &side);
    if (!found) return 0;
    struct flow *flow = flow_at(ledger, found - 1);
    struct trouble *trouble = flow_trouble(ledger, flow);
    if (!trouble) return 0;
    ledger_icmp_note(&trouble->icmp, error);
    if (segment_icmp_is_unreachable(error->header.protocol, error->icmp.type, error->icmp.code))
        conn_unreachable(&flow->conn, (unsigned)side, error->icmp.seq);
    return flow->number;
}
