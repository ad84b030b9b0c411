/* Who answers SYNs: against "nobody is there" speaks what another connection met at the same place. In bounded memory: of two
 * servers that share a slot the newer is known. */
#include "story/track/track.h"
#include "tcp/segment.h"

static struct answered *slot_of(const struct teller *teller, const struct address *server)
{
    return &teller->answered[table_hash(0, server, sizeof(*server)) % ANSWERED_SLOTS];
}

void answered_note(struct teller *teller, const struct flow *flow, const struct event_packet_header *header)
{
    if ((header->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK)) return;
    struct answered *slot = slot_of(teller, &header->src);
    bool is_same = slot->number && address_equal(&slot->server, &header->src);
    bool elsewhere = is_same && (slot->elsewhere || !networks_meet(&slot->networks, &flow->networks));
    *slot = (struct answered){.server = header->src,
                              .t_ns = teller->now_ns,
                              .number = flow_shown_number(flow),
                              .networks = flow->networks,
                              .elsewhere = elsewhere};
}

const struct answered *answered_find(const struct teller *teller, const struct address *server)
{
    const struct answered *found = slot_of(teller, server);
    return found->number && !found->elsewhere && address_equal(&found->server, server) ? found : NULL;
}
