#include "story/track/networks.h"

#include <netinet/in.h>

#include "story/track/flow_own.h"

/* Of more with the same ends at once, the rest is not looked at. */
enum { CANDIDATES_MAX = 16 };
/* What comes from elsewhere was seen as it left, among so many of the flow's newest packets. */
static const size_t SEEN_DEPTH = 512;
/* So far from what is expected next may the numbers be of a connection that was found running. */
static const int32_t FITS_BYTES = 1 << 20;

struct candidates {
    struct flow *flows[CANDIDATES_MAX];
    size_t count;
};

void networks_note(struct networks *networks, uint64_t netns)
{
    if (networks->count < NETWORKS_MAX && !networks_have(networks, netns)) networks->seen[networks->count++] = netns;
}

bool networks_meet(const struct networks *a, const struct networks *b)
{
    for (unsigned i = 0; i < a->count; i++)
        if (networks_have(b, a->seen[i])) return true;
    return !a->count || !b->count;
}

static void add_those_of(const struct teller *teller, const struct address *client, const struct address *server,
                         const struct flow_key *key, struct candidates *candidates)
{
    struct ends_key ends = ends_key(client->port, server);
    struct list *list = table_get(teller->clients, &ends);
    for (struct list_link *link = list ? list->first : NULL; link && candidates->count < CANDIDATES_MAX; link = link->behind) {
        struct flow *flow = LIST_OF(link, struct flow, client_link);
        bool same = address_equal(&flow->key.low, &key->low) && address_equal(&flow->key.high, &key->high);
        if (same && flow->key.protocol == key->protocol && !flow->key.connection) candidates->flows[candidates->count++] = flow;
    }
}

static struct candidates all_of(const struct teller *teller, const struct flow_key *key)
{
    struct candidates candidates = {.count = 0};
    if (teller->apart_flows) {
        add_those_of(teller, &key->low, &key->high, key, &candidates);
        if (!address_equal(&key->low, &key->high)) add_those_of(teller, &key->high, &key->low, key, &candidates);
        return candidates;
    }
    struct flow *flow = table_get(teller->flows, key);
    if (flow) candidates.flows[candidates.count++] = flow;
    return candidates;
}

static const struct conn_end *end_of(const struct flow *flow, const struct address *address)
{
    return &flow->conn.end[flow_conn_end(flow->first_side, flow_side(flow, address))];
}

static bool is_next(const struct conn_end *end, uint32_t number)
{
    return end->flags & END_ANY && number == end->next;
}

/* The numbers show that it is of this one: they are its SYN's, go on from where it stands, or are those of a segment that was seen
 * before. */
static bool is_known(const struct flow *flow, const struct event_packet_header *header)
{
    const struct conn_end *sender = end_of(flow, &header->src), *peer = end_of(flow, &header->dst);
    bool acks = header->flags & TCP_ACK, opens = header->flags & TCP_SYN && !acks;
    if (opens) return sender->flags & END_SYN_SEEN && header->seq == sender->base;
    if (acks && is_next(peer, header->ack) && (!(sender->flags & END_ANY) || is_next(sender, header->seq))) return true;
    if (header->flags & TCP_SYN && peer->flags & END_SYN_SEEN && header->ack == peer->base + 1) return true;
    size_t start = flow->packet_count > SEEN_DEPTH ? flow->packet_count - SEEN_DEPTH : 0;
    for (size_t i = flow->packet_count; i-- > start;)
        if (flow_covers(&flow->packets[i].packet.header, header)) return true;
    return false;
}

static bool is_near(uint32_t number, uint32_t next)
{
    int32_t apart = seq_diff(next, number);
    return apart <= FITS_BYTES && apart >= -FITS_BYTES;
}

/* Nothing speaks against it. Of a SYN, or what answers one, the numbers would be equal. */
static bool fits(const struct flow *flow, const struct event_packet_header *header)
{
    const struct conn_end *sender = end_of(flow, &header->src), *peer = end_of(flow, &header->dst);
    const struct conn_end *opener = header->flags & TCP_ACK ? peer : sender;
    if (header->flags & TCP_SYN && opener->flags & END_SYN_SEEN) return false;
    if (sender->flags & END_ANY && !is_near(header->seq, sender->next)) return false;
    return !(header->flags & TCP_ACK) || !(peer->flags & END_ANY) || is_near(header->ack, peer->next);
}

static bool has_one_network(const struct flow *flow, const struct event_packet_header *header)
{
    (void)header;
    return flow->networks.count < 2;
}

/* Those for which it holds stay, if there are any: true. `test` NULL: that were seen in this network. */
static bool narrow(struct candidates *candidates, uint64_t netns, const struct event_packet_header *header,
                   bool (*test)(const struct flow *flow, const struct event_packet_header *header))
{
    struct candidates kept = {.count = 0};
    for (size_t i = 0; i < candidates->count; i++) {
        struct flow *flow = candidates->flows[i];
        bool holds = test ? test(flow, header) : !flow->networks.count || networks_have(&flow->networks, netns);
        if (holds) kept.flows[kept.count++] = flow;
    }
    if (kept.count) *candidates = kept;
    return kept.count;
}

/* One that was told is known by its network. */
static bool was_told(const struct teller *teller, const struct flow_key *key, uint64_t netns)
{
    struct flow_key apart = *key;
    struct tomb tomb;
    apart.netns = netns;
    return (tombs_find(teller->tombs, tombs_key(teller->tombs, key, sizeof(*key)), &tomb) && tomb.networks.count &&
            networks_have(&tomb.networks, netns)) ||
           (teller->any_apart && tombs_find(teller->tombs, tombs_key(teller->tombs, &apart, sizeof(apart)), &tomb));
}

struct flow *networks_choose(struct teller *teller, const struct flow_key *key, uint64_t netns,
                             const struct event_packet_header *header)
{
    struct candidates candidates = all_of(teller, key);
    bool found = header && narrow(&candidates, netns, header, is_known);
    if (netns && narrow(&candidates, netns, header, NULL)) found = true;
    if (!found && netns && !was_told(teller, key, netns))
        found = narrow(&candidates, netns, header, header ? fits : has_one_network);
    if (!found && netns) return NULL;
    return candidates.count == 1 || (candidates.count && header) ? candidates.flows[0] : NULL;
}

/* The flow of this key as it is seen from this network; NULL, and another key where that one is another network's: there is none.
 */
struct flow *networks_flow(struct teller *teller, struct flow_key *key, const struct event_packet *packet, uint64_t netns)
{
    struct flow *flow = table_get(teller->flows, key);
    if (key->netns || packet->connection || packet->same || packet->header.protocol != IPPROTO_TCP) return flow;
    if (!teller->apart_flows && (!flow || !flow->networks.count || networks_have(&flow->networks, netns))) return flow;
    struct flow *chosen = networks_choose(teller, key, netns, &packet->header);
    if (!chosen && flow) {
        key->netns = netns;
        chosen = table_get(teller->flows, key); /* which passes through here as well */
    }
    if (chosen) *key = chosen->key;
    return chosen;
}

bool networks_may_be(struct teller *teller, const struct flow *flow, uint64_t netns)
{
    const struct networks *networks = &flow->networks;
    if (flow->key.netns && flow_is_loopback(&flow->key.low)) return !netns || netns == flow->key.netns;
    if (!networks->count || networks_have(networks, netns)) return true;
    return networks->count == 1 && all_of(teller, &flow->key).count < 2;
}
