/* Segmentation offload: one large packet at a host's capture, several on the wire; or several joined into one where they came in.
 *
 * What was sent is what its sender's capture shows. Packets of the receiver's side that hold bytes of it are its pieces: it has
 * arrived when the last of its bytes has. */
#include <errno.h>
#include <stdlib.h>

#include "clocks/match_own.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* A packet holds at most so many bytes, and of those that begin where it could overlap so many are looked at. */
enum { LARGEST = 1 << 19, OVERLAPS_MAX = 512, HELD_MAX = 64 };

struct sent {
    struct match_packet *packet;
    uint32_t at; /* its first sequence number, from that of the flow's first */
};

static int by_place(const void *left, const void *right)
{
    const struct sent *a = left, *b = right;
    if (a->packet->flow != b->packet->flow) return a->packet->flow < b->packet->flow ? -1 : 1;
    if (a->packet->from_low != b->packet->from_low) return a->packet->from_low ? 1 : -1;
    if (a->at != b->at) return a->at < b->at ? -1 : 1;
    return (a->packet->number > b->packet->number) - (a->packet->number < b->packet->number);
}

static bool is_open(const struct match_packet *packet)
{
    return packet->twin == MATCH_NONE && !packet->doubled && packet->header.length_bytes &&
           !(packet->header.flags & (TCP_SYN | TCP_RST));
}

/* Numbers are counted from a little before the first of each direction, so that what comes late doesn't lie 4 GB behind. */
static int find_bases(const struct match *match, uint32_t (**ret_bases)[2])
{
    uint32_t(*bases)[2] = calloc(match->flow_count + 1, sizeof(*bases));
    bool(*known)[2] = calloc(match->flow_count + 1, sizeof(*known));
    for (int capture = 0; bases && known && capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < match->count[capture]; i++) {
            const struct match_packet *packet = &match->packet[capture][i];
            if (known[packet->flow][packet->from_low]) continue;
            bases[packet->flow][packet->from_low] = packet->header.seq - (1u << 28);
            known[packet->flow][packet->from_low] = true;
        }
    free(known);
    if (!bases) return -ENOMEM;
    *ret_bases = bases;
    return 0;
}

/* The first of the sent ones at or behind this place. */
static size_t first_from(const struct sent *sent, size_t count, const struct match_packet *packet, uint32_t at)
{
    struct match_packet key = {.flow = packet->flow, .from_low = packet->from_low};
    const struct sent wanted = {&key, at};
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (by_place(&sent[middle], &wanted) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* What a sent packet and one that arrived have in common. */
static bool may_hold(const struct match *match, const struct match_packet *sent, const struct match_packet *came)
{
    if (sent->has_ts != came->has_ts) return false;
    if (sent->has_ts && (sent->ts_value != came->ts_value || sent->ts_echo != came->ts_echo)) return false;
    if (sent->header.ack != came->header.ack) return false;
    int64_t delay_ns = came->common_ns - sent->common_ns;
    uint64_t order = came->number;
    return delay_ns <= MATCH_FLIGHT_NS && delay_ns >= -match_tolerance(match, order);
}

static int add_cover(struct match *match, size_t *room, const struct match_cover *cover)
{
    if (match->cover_count == *room) {
        size_t more = *room ? *room * 2 : 256;
        struct match_cover *grown = reallocarray(match->cover, more, sizeof(*grown));
        if (!grown) return -ENOMEM;
        match->cover = grown;
        *room = more;
    }
    match->cover[match->cover_count++] = *cover;
    return 0;
}

static bool overlap(const struct sent *a, const struct sent *b)
{
    return a->at < b->at + b->packet->header.length_bytes && b->at < a->at + a->packet->header.length_bytes;
}

/* Finds the sent packets that hold bytes of this one. Of those that hold the same (they were sent again) the newest is meant. */
static int place(struct match *match, size_t *room, const struct sent *sent, size_t count, struct match_packet *came, uint32_t at)
{
    const struct sent *held[HELD_MAX];
    size_t held_count = 0, asked = 0;
    uint32_t end = at + came->header.length_bytes;
    if (end < at) return 0;
    for (size_t i = first_from(sent, count, came, at > LARGEST ? at - LARGEST : 0); i < count && asked < OVERLAPS_MAX; i++) {
        const struct match_packet *packet = sent[i].packet;
        if (packet->flow != came->flow || packet->from_low != came->from_low || sent[i].at >= end) break;
        if (sent[i].at + packet->header.length_bytes <= at) continue;
        asked++;
        if (!may_hold(match, packet, came)) continue;
        size_t same = 0;
        while (same < held_count && !overlap(held[same], &sent[i])) same++;
        if (same == held_count && held_count < HELD_MAX)
            held[held_count++] = &sent[i];
        else if (same < held_count && packet->common_ns > held[same]->packet->common_ns)
            held[same] = &sent[i];
    }
    for (size_t i = 0; i < held_count; i++) {
        const struct sent *whole = held[i];
        uint32_t whole_end = whole->at + whole->packet->header.length_bytes;
        struct match_cover cover = {.sent = whole->packet, .came = came};
        cover.from = at > whole->at ? at - whole->at : 0;
        cover.to = (end < whole_end ? end : whole_end) - whole->at;
        came->is_piece = true;
        int code = add_cover(match, room, &cover);
        if (code) return code;
    }
    return 0;
}

static int by_sent(const void *left, const void *right)
{
    const struct match_cover *a = left, *b = right;
    if (a->sent != b->sent) return (uintptr_t)a->sent < (uintptr_t)b->sent ? -1 : 1;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    return (a->came->common_ns > b->came->common_ns) - (a->came->common_ns < b->came->common_ns);
}

static void number_covers(struct match *match)
{
    if (match->cover_count) qsort(match->cover, match->cover_count, sizeof(*match->cover), by_sent);
    for (size_t i = 0; i < match->cover_count; i++) {
        struct match_packet *packet = match->cover[i].sent;
        if (!packet->covers++) packet->first_cover = (uint32_t)i;
    }
}

int match_pieces(struct match *match)
{
    size_t count = 0, total = match->count[MATCH_A] + match->count[MATCH_B];
    uint32_t(*bases)[2] = NULL;
    struct sent *sent = calloc(total + 1, sizeof(*sent));
    int code = sent ? find_bases(match, &bases) : -ENOMEM;
    for (int capture = 0; capture < MATCH_CAPTURES && !code; capture++)
        for (size_t i = 0; i < match->count[capture]; i++) {
            struct match_packet *packet = &match->packet[capture][i];
            if (!packet->sender_side || !is_open(packet)) continue;
            sent[count++] = (struct sent){packet, packet->header.seq - bases[packet->flow][packet->from_low]};
        }
    if (!code) qsort(sent, count, sizeof(*sent), by_place);
    size_t room = 0;
    for (int capture = 0; capture < MATCH_CAPTURES && !code; capture++)
        for (size_t i = 0; i < match->count[capture] && !code; i++) {
            struct match_packet *packet = &match->packet[capture][i];
            if (!packet->sender_side && is_open(packet))
                code = place(match, &room, sent, count, packet, packet->header.seq - bases[packet->flow][packet->from_low]);
        }
    if (!code) number_covers(match);
    free(sent);
    free(bases);
    return code;
}
