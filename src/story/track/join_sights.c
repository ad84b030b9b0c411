/* Sights of one segment in several places: which are the same, and what one of them shows of where it was sent. */
#include <netinet/in.h>
#include <string.h>

#include "base/moment.h"
#include "story/track/join_own.h"
#include "tcp/segment.h"

/* A packet finds its mark, or its other sight, among so many of the flow's newest: joins stay cheap on long transfers. */
static const size_t JOIN_DEPTH = 512;

bool join_near(int64_t a, int64_t b, int64_t window_ns)
{
    return moment_apart(a, b) <= window_ns;
}

size_t join_start(const struct flow *flow)
{
    return flow->packet_count > JOIN_DEPTH ? flow->packet_count - JOIN_DEPTH : 0;
}

uint64_t join_netns(const struct teller *teller, uint32_t number)
{
    for (size_t i = 0; i < teller->vantage_count; i++)
        if (teller->vantages[i].number == number) return teller->vantages[i].netns;
    return 0;
}

bool join_on_other_host(const struct teller *teller, uint32_t a, uint32_t b)
{
    uint64_t netns_a = join_netns(teller, a), netns_b = join_netns(teller, b);
    return netns_a && netns_b && netns_a != netns_b;
}

bool join_has_arrived(const struct sighting *seen, uint32_t vantage)
{
    return seen->arrived_at >> (vantage & 63) & 1;
}

bool join_is_same(const struct event_packet *a, const struct event_packet *b)
{
    if (!flow_covers(&a->header, &b->header) || !flow_covers(&b->header, &a->header)) return false;
    if (!(a->options.present & b->options.present & OPTION_TIMESTAMPS)) return true;
    return a->options.ts_value == b->options.ts_value && a->options.ts_echo == b->options.ts_echo;
}

static bool has_same_bytes(const struct event_packet *a, const struct event_packet *b)
{
    return a->bytes && b->bytes && a->captured_bytes == b->captured_bytes && memcmp(a->bytes, b->bytes, a->captured_bytes) == 0;
}

bool join_is_better(const struct sighting *so_far, const struct sighting *seen, const struct event_packet *arrival)
{
    if (!so_far) return true;
    bool same = has_same_bytes(&seen->packet, arrival), was_same = has_same_bytes(&so_far->packet, arrival);
    if (same != was_same) return same;
    bool arrived = join_has_arrived(seen, arrival->vantage), had_arrived = join_has_arrived(so_far, arrival->vantage);
    if (arrived != had_arrived) return !arrived;
    return arrival->header.protocol == IPPROTO_TCP && !(seen->packet.options.present & OPTION_TIMESTAMPS);
}

struct sighting *join_find_far(const struct teller *teller, struct flow *flow, const struct event *event)
{
    struct sighting *found = NULL;
    for (size_t i = join_start(flow); i-- > 0;) {
        struct sighting *seen = &flow->packets[i];
        if (seen->captured && !join_near(seen->captured_ns, event->t_ns, SAME_SEGMENT_NS)) break;
        if (seen->captured && seen->origin != event->packet.vantage && join_is_same(&seen->packet, &event->packet) &&
            join_on_other_host(teller, seen->origin, event->packet.vantage) && join_is_better(found, seen, &event->packet))
            found = seen;
    }
    return found;
}

struct sighting *join_find_uncaptured(struct flow *flow, const struct event *event, uint64_t netns)
{
    struct sighting *found = NULL;
    for (size_t i = join_start(flow); netns && flow->has_marks && i < flow->packet_count; i++) {
        struct sighting *seen = &flow->packets[i];
        if (seen->captured || seen->stuck || !seen->netns || seen->netns == netns || seen->mark_ns > event->t_ns) continue;
        if (flow_covers(&seen->packet.header, &event->packet.header) && flow_covers(&event->packet.header, &seen->packet.header) &&
            join_near(seen->mark_ns, event->t_ns, JOIN_WINDOW_NS))
            found = seen;
    }
    return found;
}

/* Where only the course of connections is recorded, no capture says whose hosts these are: the kernel's marks do, of each SYN, FIN
 * and RST that leaves any of its networks. The network of the sender's own socket, out of which its segments were seen to leave,
 * where its peer's own socket is in the one to which this came; 0: not known, or what it sent need not have been recorded. */
static uint64_t marked_sender(const struct teller *teller, const struct flow *flow, const struct event_packet_header *header,
                              uint64_t netns)
{
    if (!teller->course_only || !(header->flags & (TCP_SYN | TCP_FIN | TCP_RST))) return 0;
    enum story_side side = address_equal(&flow->end[STORY_CLIENT], &header->src) ? STORY_CLIENT : STORY_SERVER;
    const struct sock *from = flow->sock[side], *to = flow->sock[side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT];
    if (!from || !to || !from->netns || from->netns == netns || to->netns != netns) return 0;
    for (size_t i = 0; i < flow->reset_count; i++) /* its own mark may be what was lost */
        if (header->flags & TCP_RST && flow->resets[i].sent && flow->resets[i].side == side) return 0;
    for (size_t i = join_start(flow); i < flow->packet_count; i++) {
        const struct sighting *seen = &flow->packets[i];
        if (seen->marked && seen->netns == from->netns && address_equal(&seen->packet.header.src, &header->src)) return from->netns;
    }
    return 0;
}

bool join_was_never_sent(const struct teller *teller, const struct flow *flow, const struct event *event, uint64_t netns)
{
    const struct event_packet_header *header = &event->packet.header;
    uint64_t sender = marked_sender(teller, flow, header, netns);
    bool arrives = sender != 0;
    for (size_t i = 0; i < teller->vantage_count; i++) {
        const struct vantage *vantage = &teller->vantages[i];
        if (vantage->number == event->packet.vantage) arrives |= netns && vantage_is_at(vantage, &header->dst);
        if (vantage->netns != netns && vantage_is_at(vantage, &header->src)) sender = vantage->netns;
    }
    if (!arrives || !sender) return false;
    for (size_t i = flow->packet_count; flow->has_marks && i-- > 0;) {
        const struct sighting *seen = &flow->packets[i];
        int64_t at_ns = seen->captured ? seen->captured_ns : seen->mark_ns;
        if (!join_near(at_ns, event->t_ns, SAME_SEGMENT_NS)) break;
        if (!seen->captured && seen->netns == sender && join_near(seen->mark_ns, event->t_ns, SAME_SEGMENT_NS) &&
            flow_covers(&seen->packet.header, header))
            return false; /* the capture there lacks it */
    }
    return true;
}
