/* Merging, second: one row of segments out of two captures, each as its sender sent it, by a's clock. */
#include <errno.h>
#include <stdlib.h>

#include "read/merge.h"
#include "tcp/segment.h"

static struct merge_item *add(struct merge *merge)
{
    if (merge->item_count == merge->item_room) {
        size_t room = merge->item_room ? merge->item_room * 2 : 256;
        struct merge_item *item = reallocarray(merge->item, room, sizeof(*item));
        if (!item) return NULL;
        merge->item = item;
        merge->item_room = room;
    }
    return &merge->item[merge->item_count++];
}

/* A part of a packet, or all of it. `came` NULL: it was not seen to arrive. */
static int add_part(struct merge *merge, int capture, size_t index, uint32_t from, uint32_t to, const struct match_packet *came)
{
    const struct match_packet *packet = &merge->match.packet[capture][index];
    struct merge_item *item = add(merge);
    if (!item) return -ENOMEM;
    *item = (struct merge_item){.sent_ns = packet->common_ns,
                                .index = (uint32_t)index,
                                .came = MATCH_NONE,
                                .capture = (uint8_t)capture,
                                .from = from,
                                .to = to,
                                .fate = came ? FATE_UNKNOWN : packet->fate,
                                .early = !came && packet->early};
    if (!came) return 0;
    item->came = (uint32_t)(came - merge->match.packet[!capture]);
    /* Within what files cut off their times, an arrival may seem the earlier one. */
    item->received_ns = came->common_ns > packet->common_ns ? came->common_ns : packet->common_ns;
    return 0;
}

/* A large packet: each run of bytes that came is a part, and so is each that didn't. One is the usual case: all came. */
static int add_covered(struct merge *merge, int capture, size_t index)
{
    const struct match_packet *packet = &merge->match.packet[capture][index];
    const struct match_cover *cover = &merge->match.cover[packet->first_cover], *end = cover + packet->covers;
    uint32_t at = 0, length = packet->header.length_bytes;
    int code = 0;
    while (at < length && !code) {
        const struct match_packet *last = NULL;
        uint32_t from = at;
        for (; cover < end && cover->from <= at; cover++) {
            if (cover->to > at) at = cover->to;
            if (!last || cover->came->common_ns > last->common_ns) last = cover->came;
        }
        if (at > from) code = add_part(merge, capture, index, from, at, last);
        from = at;
        at = cover < end ? cover->from : length;
        if (at > from && !code) code = add_part(merge, capture, index, from, at, NULL);
    }
    return code;
}

static int add_packet(struct merge *merge, int capture, size_t index)
{
    const struct match_packet *packet = &merge->match.packet[capture][index];
    const struct match_flow *flow = &merge->match.flow[packet->flow];
    if (!flow->pairs[0] && !flow->pairs[1] && !flow->watched) return 0; /* of the one capture alone */
    if (packet->doubled) return 0;
    if (!packet->sender_side && (packet->twin != MATCH_NONE || packet->is_piece)) return 0;
    if (packet->sender_side && packet->twin == MATCH_NONE && packet->covers) return add_covered(merge, capture, index);
    const struct match_packet *came = packet->twin == MATCH_NONE ? NULL : &merge->match.packet[!capture][packet->twin];
    return add_part(merge, capture, index, 0, packet->header.length_bytes, came);
}

static int by_sending(const void *left, const void *right)
{
    const struct merge_item *a = left, *b = right;
    if (a->sent_ns != b->sent_ns) return a->sent_ns < b->sent_ns ? -1 : 1;
    if (a->capture != b->capture) return a->capture < b->capture ? -1 : 1;
    if (a->index != b->index) return a->index < b->index ? -1 : 1;
    return (a->from > b->from) - (a->from < b->from);
}

struct event_packet merge_item_packet(const struct merge *merge, const struct merge_item *item)
{
    struct event_packet packet = merge->capture[item->capture].packet[item->index].packet;
    struct event_packet_header *header = &packet.header;
    if (item->to < header->length_bytes) header->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (item->from) header->flags &= (uint8_t)~TCP_CWR;
    header->seq += item->from;
    header->length_bytes = item->to - item->from;
    return packet;
}

struct ledger_segment merge_item_segment(const struct merge *merge, const struct merge_item *item)
{
    struct ledger_segment segment = merge->capture[item->capture].packet[item->index].segment;
    const struct event_packet packet = merge_item_packet(merge, item);
    segment.t_ns = item->sent_ns;
    segment.seq = packet.header.seq;
    segment.flags = packet.header.flags;
    if (packet.header.length_bytes != segment.length_bytes) segment.ip_bytes = 0;
    segment.length_bytes = packet.header.length_bytes;
    segment.ip_id = segment.checksum = 0; /* which are the same packet was asked of both captures already */
    return segment;
}

static int forget_row(void *data, const struct ledger_row *row)
{
    (void)data, (void)row;
    return 0;
}

/* Which connection each is of. A copy was sent by nobody: it goes with the newest of its addresses. */
static int number(struct merge *merge)
{
    const struct ledger_options bounds = {.open_max = merge->options->open_max};
    struct ledger *ledger = ledger_new(&bounds, forget_row, NULL);
    uint32_t *newest = calloc(merge->match.flow_count + 1, sizeof(*newest));
    int code = ledger && newest ? 0 : -ENOMEM;
    for (size_t i = 0; i < merge->item_count && !code; i++) {
        struct merge_item *item = &merge->item[i];
        uint32_t flow = merge->match.packet[item->capture][item->index].flow;
        if (item->fate != FATE_COPY) {
            struct ledger_segment segment = merge_item_segment(merge, item);
            code = ledger_feed(ledger, &segment, 1, &newest[flow]);
        }
        item->conn = newest[flow];
        if (item->conn > merge->conn_count) merge->conn_count = item->conn;
    }
    ledger_free(ledger);
    free(newest);
    return code;
}

struct delay {
    uint32_t conn;
    bool way;
    int64_t ns;
};

static int by_delay(const void *left, const void *right)
{
    const struct delay *a = left, *b = right;
    if (a->conn != b->conn) return a->conn < b->conn ? -1 : 1;
    if (a->way != b->way) return a->way ? 1 : -1;
    return (a->ns > b->ns) - (a->ns < b->ns);
}

static int find_paths(struct merge *merge)
{
    struct delay *delays = calloc(merge->item_count + 1, sizeof(*delays));
    merge->path = calloc(merge->conn_count + 1, sizeof(*merge->path));
    if (!delays || !merge->path) {
        free(delays);
        return -ENOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < merge->conn_count; i++) merge->path[i].delay_ns[0] = merge->path[i].delay_ns[1] = -1;
    for (size_t i = 0; i < merge->item_count; i++) {
        const struct merge_item *item = &merge->item[i];
        const struct event_packet_header *header = &merge->match.packet[item->capture][item->index].header;
        if (!item->conn) continue;
        struct rows_path *path = &merge->path[item->conn - 1];
        if (!path->first.version) path->first = header->src;
        bool way = !address_equal(&path->first, &header->src);
        path->lost[way] += item->fate == FATE_LOST;
        if (item->came != MATCH_NONE) delays[count++] = (struct delay){item->conn, way, item->received_ns - item->sent_ns};
    }
    qsort(delays, count, sizeof(*delays), by_delay);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && delays[to].conn == delays[from].conn && delays[to].way == delays[from].way;) to++;
        merge->path[delays[from].conn - 1].delay_ns[delays[from].way] = delays[from + (to - from) / 2].ns;
    }
    free(delays);
    return 0;
}

int merge_lay(struct merge *merge)
{
    int code = 0;
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < merge->match.count[capture] && !code; i++) code = add_packet(merge, capture, i);
    if (code) return code;
    for (size_t i = 0; i < merge->match.flow_count; i++) {
        const struct match_flow *flow = &merge->match.flow[i];
        if (flow->pairs[0] || flow->pairs[1] || flow->watched) continue;
        for (int capture = 0; capture < MATCH_CAPTURES; capture++) merge->left_out[capture] += flow->packets[capture] != 0;
    }
    qsort(merge->item, merge->item_count, sizeof(*merge->item), by_sending);
    code = number(merge);
    return code ? code : find_paths(merge);
}
