/* What a capture lacks although its own ends have acknowledged it: that was dropped by the capture, not by the network. */
#include <errno.h>
#include <stdlib.h>

#include "clocks/match_own.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* Pieces behind a gap that are kept for each direction; of more, the oldest are forgotten (and the gap before them not claimed). */
enum { AHEAD_MAX = 32 };

struct acked_range {
    uint32_t flow;
    bool from_low; /* of who sent these bytes */
    uint32_t from, to;
    int64_t common_ns; /* of the acknowledgement */
};

/* One direction of a flow, as its receiver's capture has shown it so far. */
struct edge {
    bool known;
    uint32_t next; /* everything before it has come, or is counted as lacking */
    struct {
        uint32_t from, to;
    } ahead[AHEAD_MAX];
    size_t ahead_count;
    bool forgot;
};

static void join_ahead(struct edge *edge)
{
    for (size_t i = 0; i < edge->ahead_count;) {
        if (seq_before(edge->next, edge->ahead[i].from)) {
            i++;
            continue;
        }
        if (seq_before(edge->next, edge->ahead[i].to)) edge->next = edge->ahead[i].to;
        edge->ahead[i] = edge->ahead[--edge->ahead_count];
        i = 0;
    }
    if (!edge->ahead_count) edge->forgot = false;
}

static void take_arrival(struct edge *edge, const struct event_packet_header *header)
{
    uint32_t from = header->seq, to = from + segment_space(header);
    if (from == to || header->flags & TCP_RST) return;
    if (header->flags & TCP_SYN || !edge->known) { /* a SYN begins anew */
        if (header->flags & TCP_SYN && edge->known && seq_at_or_before(to, edge->next) && seq_diff(to, edge->next) < 1 << 24)
            return;
        *edge = (struct edge){.known = true, .next = to};
        return;
    }
    if (seq_at_or_before(to, edge->next)) return;
    if (edge->ahead_count == AHEAD_MAX) {
        edge->forgot = true;
        edge->ahead_count--;
    }
    edge->ahead[edge->ahead_count].from = from;
    edge->ahead[edge->ahead_count++].to = to;
    join_ahead(edge);
}

static int add_range(struct acked *acked, const struct acked_range *range)
{
    if (acked->count == acked->room) {
        size_t more = acked->room ? acked->room * 2 : 64;
        struct acked_range *grown = reallocarray(acked->range, more, sizeof(*grown));
        if (!grown) return -ENOMEM;
        acked->range = grown;
        acked->room = more;
    }
    acked->range[acked->count++] = *range;
    return 0;
}

/* The first byte behind `from` that lies ahead; `limit` where none does before it. */
static uint32_t next_ahead(const struct edge *edge, uint32_t from, uint32_t limit)
{
    for (size_t i = 0; i < edge->ahead_count; i++)
        if (seq_before(from, edge->ahead[i].from) && seq_before(edge->ahead[i].from, limit)) limit = edge->ahead[i].from;
    return limit;
}

static int take_ack(struct acked *acked, struct edge *edge, const struct match_packet *ack)
{
    uint32_t to = ack->header.ack;
    int code = 0;
    if (!(ack->header.flags & TCP_ACK) || ack->header.flags & TCP_RST) return 0;
    if (!edge->known) {
        /* Nothing of it was seen: it came before the capture began, or was dropped. */
        *edge = (struct edge){.known = true, .next = to};
        return add_range(acked, &(struct acked_range){ack->flow, !ack->from_low, to - (1u << 30), to, ack->common_ns});
    }
    if (seq_diff(edge->next, to) > 1 << 30) return 0; /* of something else */
    while (seq_before(edge->next, to) && !code) {
        uint32_t end = next_ahead(edge, edge->next, to);
        if (!edge->forgot)
            code = add_range(acked, &(struct acked_range){ack->flow, !ack->from_low, edge->next, end, ack->common_ns});
        edge->next = end;
        join_ahead(edge);
    }
    return code;
}

static int by_direction(const void *left, const void *right)
{
    const struct acked_range *a = left, *b = right;
    if (a->flow != b->flow) return a->flow < b->flow ? -1 : 1;
    if (a->from_low != b->from_low) return a->from_low ? 1 : -1;
    return (a->common_ns > b->common_ns) - (a->common_ns < b->common_ns);
}

/* An acknowledgement that came to the other side and that this capture lacks as well: what it acknowledges had arrived here. It
 * counts from when it came there, which is later than when it left. */
static bool is_only_there(const struct match_packet *packet)
{
    return !packet->sender_side && packet->twin == MATCH_NONE && !packet->doubled && packet->header.flags & TCP_ACK;
}

int acked_find(const struct match *match, int capture, struct acked *ret_acked)
{
    *ret_acked = (struct acked){0};
    struct edge(*edges)[2] = calloc(match->flow_count + 1, sizeof(*edges));
    int code = edges ? 0 : -ENOMEM;
    for (size_t i = 0, there = 0; i < match->count[capture] + match->count[!capture] && !code;) {
        const struct match_packet *packet = i < match->count[capture] ? &match->packet[capture][i] : NULL;
        const struct match_packet *other = there < match->count[!capture] ? &match->packet[!capture][there] : NULL;
        if (!packet && !other) break;
        if (other && (!packet || other->common_ns < packet->common_ns)) {
            there++;
            if (is_only_there(other)) code = take_ack(ret_acked, &edges[other->flow][!other->from_low], other);
            continue;
        }
        i++;
        if (packet->sender_side)
            code = take_ack(ret_acked, &edges[packet->flow][!packet->from_low], packet);
        else
            take_arrival(&edges[packet->flow][packet->from_low], &packet->header);
    }
    free(edges);
    if (!code && ret_acked->count) qsort(ret_acked->range, ret_acked->count, sizeof(*ret_acked->range), by_direction);
    return code;
}

bool acked_has(const struct match *match, const struct acked *acked, const struct match_packet *packet)
{
    const struct acked_range key = {.flow = packet->flow, .from_low = packet->from_low, .common_ns = INT64_MIN};
    uint32_t seq = packet->header.seq, end = seq + segment_space(&packet->header);
    size_t from = 0, to = acked->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (by_direction(&acked->range[middle], &key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < acked->count; from++) {
        const struct acked_range *range = &acked->range[from];
        if (range->flow != packet->flow || range->from_low != packet->from_low) break;
        if (packet->common_ns - range->common_ns > match_tolerance(match, packet->number)) continue;
        if (range->common_ns - packet->common_ns > MATCH_ANSWER_NS) break;
        if (seq_before(seq, range->to) && seq_before(range->from, end)) return true;
    }
    return false;
}
