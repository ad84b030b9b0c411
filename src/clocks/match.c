#include "clocks/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "clocks/match_own.h"

/* Where IP's header begins is looked for this far into a frame. */
enum { FRAME_HEAD_BYTES = 192 };

struct flow_key {
    struct address low, high;
};

void match_pair(struct match *match, size_t a, size_t b)
{
    struct match_packet *packet = &match->packet[MATCH_A][a];
    packet->twin = (uint32_t)b;
    match->packet[MATCH_B][b].twin = (uint32_t)a;
    match->flow[packet->flow].pairs[packet->from_low]++;
}

int64_t match_tolerance(const struct match *match, uint64_t order)
{
    int64_t most_ns = clocks_at(&match->clocks, order)->most_ns;
    return most_ns < 0 || most_ns > MATCH_FLIGHT_NS ? MATCH_FLIGHT_NS : most_ns;
}

static int find_flow(struct match *match, struct table *flows, size_t *room, struct match_packet *packet)
{
    struct flow_key key;
    memset(&key, 0, sizeof(key));
    const struct address *src = &packet->header.src, *dst = &packet->header.dst;
    packet->from_low = memcmp(src, dst, sizeof(*src)) <= 0;
    key.low = packet->from_low ? *src : *dst;
    key.high = packet->from_low ? *dst : *src;
    uintptr_t at = (uintptr_t)table_get(flows, &key); /* index + 1 */
    if (!at) {
        if (match->flow_count == *room) {
            size_t more = *room ? *room * 2 : 64;
            struct match_flow *flow = reallocarray(match->flow, more, sizeof(*flow));
            if (!flow) return -ENOMEM;
            match->flow = flow;
            *room = more;
        }
        match->flow[match->flow_count++] = (struct match_flow){.low = key.low, .high = key.high};
        at = match->flow_count;
        if (table_put(flows, &key, (void *)at)) return -ENOMEM;
    }
    packet->flow = (uint32_t)(at - 1);
    return 0;
}

static int find_flows(struct match *match)
{
    struct table *flows = table_new(sizeof(struct flow_key));
    size_t room = 0;
    int code = flows ? 0 : -ENOMEM;
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < match->count[capture] && !code; i++) {
            struct match_packet *packet = &match->packet[capture][i];
            code = find_flow(match, flows, &room, packet);
            packet->twin = MATCH_NONE;
            packet->doubled = packet->is_piece = false;
            if (!code) match->flow[packet->flow].packets[capture]++;
        }
    table_free(flows);
    return code;
}

/* From all that is paired by now. */
static int estimate(struct match *match, int64_t slack_ns)
{
    size_t count = 0;
    struct clocks_pair *pairs = calloc(match->count[MATCH_B] + 1, sizeof(*pairs));
    if (!pairs) return -ENOMEM;
    for (size_t i = 0; i < match->count[MATCH_B]; i++) {
        const struct match_packet *b = &match->packet[MATCH_B][i];
        if (b->twin == MATCH_NONE) continue;
        bool forth = match_sender_side(match, b) == MATCH_A;
        pairs[count++] = (struct clocks_pair){match->packet[MATCH_A][b->twin].t_ns, b->t_ns, b->number, forth};
    }
    struct clocks clocks;
    int code = clocks_estimate(&clocks, pairs, count, slack_ns);
    free(pairs);
    /* Pairs that were found with the clocks' help must not spoil them. */
    if (!code && match->clocks.count && clocks.count > match->clocks.count) return 0;
    if (code == -ERANGE && match->clocks.count) return 0;
    if (!code) match->clocks = clocks;
    return code;
}

static void set_common(struct match *match)
{
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < match->count[capture]; i++) {
            struct match_packet *packet = &match->packet[capture][i];
            packet->common_ns = capture == MATCH_A ? packet->t_ns : clocks_to_a(&match->clocks, packet->number, packet->t_ns);
            packet->sender_side = match_sender_side(match, packet) == capture;
        }
}

static int by_value(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int find_usual(struct match *match)
{
    int64_t *delays = calloc(match->count[MATCH_B] + 1, sizeof(*delays));
    if (!delays) return -ENOMEM;
    for (int forth = 0; forth < 2; forth++) {
        size_t count = 0;
        for (size_t i = 0; i < match->count[MATCH_B]; i++) {
            const struct match_packet *b = &match->packet[MATCH_B][i];
            if (b->twin == MATCH_NONE || b->sender_side == (bool)forth) continue;
            int64_t delay_ns = b->common_ns - match->packet[MATCH_A][b->twin].common_ns;
            delays[count++] = forth ? delay_ns : -delay_ns;
        }
        qsort(delays, count, sizeof(*delays), by_value);
        match->usual_ns[forth] = !count ? -1 : delays[count / 2] < 0 ? 0 : delays[count / 2];
    }
    free(delays);
    return 0;
}

/* Once, before anything is compared: from here on differences of times fit. */
static void limit_times(struct match *match)
{
    for (int capture = 0; capture < MATCH_CAPTURES; capture++) {
        match->clamped[capture] = 0;
        match->first_ns[capture] = clocks_time(match->first_ns[capture]);
        match->last_ns[capture] = clocks_time(match->last_ns[capture]);
        for (size_t i = 0; i < match->count[capture]; i++) {
            struct match_packet *packet = &match->packet[capture][i];
            /* What reads files has brought the time to the very bound already. */
            match->clamped[capture] += packet->t_ns < 0 || packet->t_ns >= CLOCKS_TIME_MOST_NS;
            packet->t_ns = clocks_time(packet->t_ns);
        }
    }
}

int match_run(struct match *match, int64_t slack_ns)
{
    limit_times(match);
    int code = find_flows(match);
    if (!code) code = match_doubles(match);
    if (!code) code = match_unique(match);
    if (!code) code = match_find_sides(match);
    if (!code) code = estimate(match, slack_ns);
    if (code) return code;
    set_common(match);
    code = find_usual(match);
    if (!code) code = match_equals(match);
    if (!code) code = estimate(match, slack_ns);
    if (code) return code;
    set_common(match);
    code = find_usual(match);
    if (!code) code = match_pieces(match);
    return code ? code : match_find_fates(match);
}

void match_free(struct match *match)
{
    free(match->flow);
    free(match->cover);
    match->flow = NULL;
    match->cover = NULL;
    match->flow_count = match->cover_count = 0;
}

/* | version (4 bits) … | identification at 4 | TTL at 8 | source at 12 (IPv4) |   | hop limit at 7 | source at 8 (IPv6) |
 * The header with these very addresses; of two (a tunnel between the same hosts) the inner one. */
void match_read_ip(struct match_packet *packet, const uint8_t *bytes, size_t length)
{
    const struct event_packet_header *header = &packet->header;
    bool four = header->src.version == 4;
    size_t own = four ? 4 : 16, source = four ? 12 : 8, head = source + 2 * own;
    packet->ip_id = 0;
    packet->hops = 0;
    for (size_t at = 0; at < FRAME_HEAD_BYTES && length >= head && at <= length - head; at++) {
        const uint8_t *ip = bytes + at;
        if (ip[0] >> 4 != header->src.version || memcmp(ip + source, header->src.ip, own) != 0 ||
            memcmp(ip + source + own, header->dst.ip, own) != 0)
            continue;
        if (four) packet->ip_id = (uint16_t)(ip[4] << 8 | ip[5]);
        packet->hops = ip[four ? 8 : 7];
    }
}
