/* The summary: who opened, who closed, how the time of the handshake was spent. */
#include <string.h>

#include "story/findings.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

enum { MISSED_MOST = 1 << 30 }; /* bytes: the largest window (RFC 7323 section 2.3) */

/* One side's payload by its numbers: where it begins, and how far it is known to go. */
struct extent {
    bool begun, has_fin;
    uint32_t first, end, fin;
};

static void reach(struct extent *extent, uint32_t first, uint32_t end)
{
    if (!extent->begun || seq_before(first, extent->first)) extent->first = first;
    if (!extent->begun || seq_before(extent->end, end)) extent->end = end;
    extent->begun = true;
}

/* An ACK from an end whose SYN nobody saw, of a peer's whose SYN was seen, may be of another connection (a challenge ACK). */
static bool speaks_of_this(const struct flow *flow, const struct tale_packet *packet)
{
    return flow->has_isn[packet->side] || !flow->has_isn[finding_other(packet->side)];
}

static void take_numbers(const struct flow *flow, struct extent extents[STORY_SIDES], const struct tale_packet *packet)
{
    const struct event_packet_header *header = &packet->seen->packet.header;
    struct extent *own = &extents[packet->side], *peer = &extents[finding_other(packet->side)];
    if (header->flags & TCP_RST) return;
    uint32_t first = header->seq + (header->flags & TCP_SYN ? 1 : 0), end = first + header->length_bytes;
    /* A bare ACK may be a keepalive probe: one below. */
    if (header->flags & TCP_SYN || header->length_bytes) reach(own, first, end);
    if (header->flags & TCP_FIN) {
        own->has_fin = true;
        own->fin = end;
    }
    if (header->flags & TCP_ACK && speaks_of_this(flow, packet)) reach(peer, header->ack, header->ack);
}

/* What numbers and ACKs tell of payload that nobody captured. One number alone is rather a FIN that nobody captured either. Numbers
 * that are further apart than any window tell nothing. */
static void count_missed(struct telling *telling)
{
    struct extent extents[STORY_SIDES] = {0};
    for (size_t i = 0; i < telling->packet_count; i++)
        if (telling->packets[i].segment) take_numbers(telling->flow, extents, &telling->packets[i]);
    for (int side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        struct story_end *end = &telling->story->end[side];
        struct extent *extent = &extents[side];
        if (!extent->begun || end->bytes_sent > MISSED_MOST) continue; /* the numbers have gone round */
        if (extent->has_fin && seq_before(extent->fin, extent->end)) extent->end = extent->fin;
        int32_t known = seq_diff(extent->first, extent->end);
        if (known <= 0 || known > MISSED_MOST || (uint64_t)known <= end->bytes_sent + !extent->has_fin) continue;
        end->bytes_missed = (uint64_t)known - end->bytes_sent;
    }
}

void summary_make(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    const struct tale_packet *syn = finding_segment(telling, -1, "SYN", 0);
    summary->opened_by = syn ? (int32_t)syn->side : -1;
    if (telling->story->udp && telling->packet_count) summary->opened_by = (int32_t)telling->packets[0].side;
    summary->closed_first_by = -1;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (summary->closed_first_by < 0 && packet->segment && packet->segment->flags & (TCP_FIN | TCP_RST))
            summary->closed_first_by = (int32_t)packet->side;
        if (packet->cause->kind == CAUSE_UNKNOWN)
            summary->causes_unknown++;
        else
            summary->causes_by_evidence[packet->cause->evidence]++;
    }
    handshake_time_find(telling);
    count_missed(telling);
}
