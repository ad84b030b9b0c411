#include "story/steps/back.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "story/steps/telling.h"
#include "tcp/segment.h"

static int by_arrival(const void *a, const void *b)
{
    const struct back_arrival *x = a, *y = b;
    if (x->t_ns != y->t_ns) return x->t_ns < y->t_ns ? -1 : 1;
    return (x->packet > y->packet) - (x->packet < y->packet);
}

static void note(struct telling *telling, uint32_t at)
{
    struct back *back = &telling->back;
    const struct tale_packet *packet = &telling->packets[at];
    enum story_side side = packet->side, receiver = telling_receiver(telling, side);
    bool lost = telling_is_lost(telling, packet);
    if (!lost) back->arrivals[receiver][back->arrival_count[receiver]++] = (struct back_arrival){arrival_ns(packet), at};
    const struct event_packet_header *header = header_of(packet);
    if (is_tcp(packet) || header->protocol == IPPROTO_UDP)
        back->firsts[side][back->first_count[side]++] = (struct back_border){is_tcp(packet) ? header->seq : 0, at};
    if (!is_tcp(packet)) return;
    if ((header->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) back->opens[side] = true;
    uint32_t space = segment_space(header);
    if (!back->first_close[side] && header->flags & (TCP_FIN | TCP_RST)) back->first_close[side] = at + 1;
    if (space && !lost && !(header->flags & TCP_RST))
        back->borders[side][back->border_count[side]++] = (struct back_border){header->seq + space, at};
}

/* ---- who carried a number last ----
 *
 * The first numbers of a side's segments, sorted, are the leaves of a binary tree; a segment is painted over the leaves that it
 * covers, on as few nodes as cover them, and the newest paint above a leaf is the segment that carried that number last. */

struct painting {
    uint32_t *numbers; /* sorted, each once */
    size_t count;
    uint32_t *nodes; /* 2 * count: 1 + the newest packet; 0 none */
};

/* Of `numbers`, how many lie below. Without a branch on which half it is in: that is as good as random. */
static size_t leaf_of(const struct painting *painting, uint32_t number)
{
    const uint32_t *at = painting->numbers;
    for (size_t left = painting->count; left; left /= 2) {
        size_t half = left - left / 2;
        at += at[half - 1] < number ? half : 0;
    }
    return (size_t)(at - painting->numbers);
}

static void paint(struct painting *painting, size_t from, size_t to, uint32_t colour)
{
    size_t low = from + painting->count, high = to + painting->count;
    for (; low < high; low /= 2, high /= 2) {
        if (low & 1) painting->nodes[low++] = colour;
        if (high & 1) painting->nodes[--high] = colour;
    }
}

static uint32_t colour_at(const struct painting *painting, size_t leaf)
{
    uint32_t newest = 0;
    for (size_t node = leaf + painting->count; node; node /= 2)
        if (painting->nodes[node] > newest) newest = painting->nodes[node];
    return newest;
}

static void take_segment(struct back *back, struct painting *painting, const struct event_packet_header *header, uint32_t at)
{
    uint32_t space = segment_space(header), end = header->seq + space;
    size_t first = leaf_of(painting, header->seq);
    back->previous[at] = colour_at(painting, first);
    if (!space) return;
    if (end > header->seq) {
        paint(painting, first, leaf_of(painting, end), at + 1);
    } else { /* past 2^32 */
        paint(painting, first, painting->count, at + 1);
        paint(painting, 0, leaf_of(painting, end), at + 1);
    }
}

static void find_previous(struct telling *telling, enum story_side side, struct painting *painting)
{
    const struct back *back = &telling->back;
    size_t unique = 0;
    for (size_t i = 0; i < back->first_count[side]; i++) {
        const struct back_border *first = &back->firsts[side][i];
        bool again = unique && painting->numbers[unique - 1] == first->number;
        if (!again && is_tcp(&telling->packets[first->packet])) painting->numbers[unique++] = first->number;
    }
    if (!unique) return;
    painting->count = unique;
    memset(painting->nodes, 0, 2 * unique * sizeof(*painting->nodes));
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->side == side && is_tcp(packet)) take_segment(&telling->back, painting, header_of(packet), (uint32_t)i);
    }
}

void back_make(struct telling *telling)
{
    struct back *back = &telling->back;
    size_t room = telling->packet_count + 1;
    struct painting painting = {.numbers = calloc(room, sizeof(uint32_t)), .nodes = calloc(room, 2 * sizeof(uint32_t))};
    back->previous = calloc(room, sizeof(*back->previous));
    telling->failed |= !back->previous || !painting.numbers || !painting.nodes;
    for (size_t side = 0; side < STORY_SIDES; side++) {
        back->arrivals[side] = calloc(room, sizeof(*back->arrivals[side]));
        back->borders[side] = calloc(room, sizeof(*back->borders[side]));
        back->firsts[side] = calloc(room, sizeof(*back->firsts[side]));
        telling->failed |= !back->arrivals[side] || !back->borders[side] || !back->firsts[side];
    }
    for (size_t i = 0; i < telling->packet_count && !telling->failed; i++) note(telling, (uint32_t)i);
    for (size_t side = 0; side < STORY_SIDES && !telling->failed; side++) {
        sort_items(back->arrivals[side], back->arrival_count[side], sizeof(*back->arrivals[side]), by_arrival);
        sort_numbered(back->borders[side], painting.nodes, back->border_count[side]);
        sort_numbered(back->firsts[side], painting.nodes, back->first_count[side]);
        find_previous(telling, (enum story_side)side, &painting);
    }
    free(painting.numbers);
    free(painting.nodes);
}

void back_free(struct back *back)
{
    for (size_t side = 0; side < STORY_SIDES; side++) {
        free(back->arrivals[side]);
        free(back->borders[side]);
        free(back->firsts[side]);
    }
    free(back->previous);
}

size_t back_find(const struct back_border *borders, size_t count, uint32_t number, size_t packet)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (borders[middle].number < number || (borders[middle].number == number && borders[middle].packet < packet))
            low = middle + 1;
        else
            high = middle;
    }
    return low && borders[low - 1].number == number ? low : 0;
}
