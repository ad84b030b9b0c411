/* Packets that look the same in both captures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clocks/match_own.h"

/* Of equals, so many that are not taken yet are looked at. */
enum { EQUALS_DEPTH = 64 };

/* A packet of one of the captures, as it is sorted by looks. */
struct look {
    const struct match_packet *packet;
    uint8_t capture;
};

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_look(const struct match_packet *a, const struct match_packet *b)
{
    const struct event_packet_header *x = &a->header, *y = &b->header;
    int order = compare(a->flow, b->flow);
    if (!order) order = compare(a->from_low, b->from_low);
    if (!order) order = compare(x->seq, y->seq);
    if (!order) order = compare(x->ack, y->ack);
    if (!order) order = compare(x->flags, y->flags);
    if (!order) order = compare(x->length_bytes, y->length_bytes);
    if (!order) order = compare(x->window, y->window);
    if (!order) order = compare(a->has_ts, b->has_ts);
    if (!order) order = compare(a->ts_value, b->ts_value);
    return order ? order : compare(a->ts_echo, b->ts_echo);
}

static int by_look_and_place(const void *left, const void *right)
{
    const struct look *a = left, *b = right;
    int order = by_look(a->packet, b->packet);
    if (!order) order = compare(a->capture, b->capture);
    return order ? order : compare(a->packet->number, b->packet->number);
}

static struct look *sort_by_look(const struct match *match, bool all, size_t *ret_count)
{
    size_t total = match->count[MATCH_A] + match->count[MATCH_B], count = 0;
    struct look *looks = calloc(total + 1, sizeof(*looks));
    for (int capture = 0; looks && capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < match->count[capture]; i++)
            if (!match->packet[capture][i].doubled && (all || match->packet[capture][i].twin == MATCH_NONE))
                looks[count++] = (struct look){&match->packet[capture][i], (uint8_t)capture};
    if (looks) qsort(looks, count, sizeof(*looks), by_look_and_place);
    *ret_count = count;
    return looks;
}

/* The group that begins at `from`: a's packets stand before b's. */
static size_t group_end(const struct look *looks, size_t count, size_t from, size_t *ret_b)
{
    size_t to = from;
    *ret_b = SIZE_MAX;
    for (; to < count && by_look(looks[from].packet, looks[to].packet) == 0; to++)
        if (looks[to].capture == MATCH_B && *ret_b == SIZE_MAX) *ret_b = to;
    if (*ret_b == SIZE_MAX) *ret_b = to;
    return to;
}

static void pair(struct match *match, const struct look *a, const struct look *b)
{
    match_pair(match, (size_t)(a->packet - match->packet[MATCH_A]), (size_t)(b->packet - match->packet[MATCH_B]));
}

static bool ids_differ(const struct match *match, const struct match_packet *a, const struct match_packet *b)
{
    return match->ids_kept && a->ip_id && b->ip_id && a->ip_id != b->ip_id;
}

/* A packet that is seen on two interfaces of a host is not long between them. */
#define DOUBLED_NS 100000000

static bool is_near(const struct match_packet *a, const struct match_packet *b)
{
    int64_t apart_ns = a->t_ns - b->t_ns;
    return apart_ns <= DOUBLED_NS && apart_ns >= -DOUBLED_NS;
}

static struct match_packet *own(const struct match *match, const struct look *look)
{
    return &match->packet[look->capture][look->packet - match->packet[look->capture]];
}

/* Whether `second` is `first` seen on another interface; or, where the capture doesn't name these, could be. */
static bool is_double(const struct match_packet *first, const struct match_packet *second, bool named)
{
    if (first->doubled || first->ip_id != second->ip_id || !is_near(first, second)) return false;
    return named ? first->interface != second->interface : first->ip_id != 0;
}

/* How many of a capture's packets are doubles; marks them where `mark`. */
static size_t find_doubles(const struct match *match, const struct look *looks, size_t count, int capture, bool named, bool mark)
{
    enum { DOUBLES_DEPTH = 8 };
    size_t b, doubles = 0;
    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(looks, count, from, &b);
        size_t first = capture == MATCH_A ? from : b, last = capture == MATCH_A ? b : to;
        for (size_t i = first + 1; i < last; i++) {
            bool found = false;
            for (size_t k = i; k-- > first && i - k <= DOUBLES_DEPTH && !found;)
                found = is_double(looks[k].packet, looks[i].packet, named);
            if (found && mark) own(match, &looks[i])->doubled = true;
            doubles += found;
        }
    }
    return doubles;
}

int match_doubles(struct match *match)
{
    size_t count;
    struct look *looks = sort_by_look(match, true, &count);
    if (!looks) return -ENOMEM;
    for (int capture = 0; capture < MATCH_CAPTURES; capture++) {
        find_doubles(match, looks, count, capture, true, true);
        /* A network makes a copy now and then, never of nearly everything. */
        if (find_doubles(match, looks, count, capture, false, false) * 5 > match->count[capture] * 2)
            find_doubles(match, looks, count, capture, false, true);
    }
    free(looks);
    return 0;
}

/* Whether IPv4's identification comes through: asked of what is alone in both captures. */
static void see_ids(struct match *match, const struct look *looks, size_t count)
{
    size_t kept = 0, changed = 0, b;
    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(looks, count, from, &b);
        if (b != from + 1 || to != from + 2) continue;
        uint16_t x = looks[from].packet->ip_id, y = looks[b].packet->ip_id;
        if (x && y) *(x == y ? &kept : &changed) += 1;
    }
    match->ids_kept = kept > changed * 9;
}

/* The only one in [from, to) with this identification; SIZE_MAX: none, or several. */
static size_t only_with_id(const struct look *looks, size_t from, size_t to, uint16_t id)
{
    size_t found = SIZE_MAX;
    if (to - from > EQUALS_DEPTH) return SIZE_MAX;
    for (size_t i = from; i < to; i++) {
        if (looks[i].packet->ip_id != id) continue;
        if (found != SIZE_MAX) return SIZE_MAX;
        found = i;
    }
    return found;
}

static void pair_by_id(struct match *match, const struct look *looks, size_t from, size_t b, size_t to)
{
    for (size_t i = from; i < b; i++) {
        uint16_t id = looks[i].packet->ip_id;
        if (!id || only_with_id(looks, from, b, id) != i) continue;
        size_t other = only_with_id(looks, b, to, id);
        if (other != SIZE_MAX) pair(match, &looks[i], &looks[other]);
    }
}

int match_unique(struct match *match)
{
    size_t count, b, found = 0;
    struct look *looks = sort_by_look(match, false, &count);
    if (!looks) return -ENOMEM;
    see_ids(match, looks, count);
    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(looks, count, from, &b);
        if (b == from || b == to) continue;
        bool alone = b == from + 1 && to == from + 2;
        if (alone && !ids_differ(match, looks[from].packet, looks[b].packet))
            pair(match, &looks[from], &looks[b]);
        else if (!alone && match->ids_kept)
            pair_by_id(match, looks, from, b, to);
        found += looks[from].packet->twin != MATCH_NONE;
    }
    /* Nothing is alone of its look: as many of a look in one as in the other, in their order, are the best there is. */
    for (size_t from = 0, to; !found && from < count; from = to) {
        to = group_end(looks, count, from, &b);
        for (size_t i = 0; b - from == to - b && i < b - from; i++) pair(match, &looks[from + i], &looks[b + i]);
    }
    free(looks);
    return 0;
}

/* Which of the sent ones this arrival is: one that had been sent, and whose delay is the most usual. */
static const struct look *sent_as(const struct match *match, const struct look *sent, size_t count,
                                  const struct match_packet *arrival, int64_t usual_ns)
{
    const struct look *best = NULL;
    int64_t best_ns = 0;
    size_t asked = 0;
    for (size_t i = 0; i < count && asked < EQUALS_DEPTH; i++) {
        const struct match_packet *packet = sent[i].packet;
        if (packet->twin != MATCH_NONE || ids_differ(match, packet, arrival)) continue;
        int64_t delay_ns = arrival->common_ns - packet->common_ns;
        uint64_t order = sent[i].capture == MATCH_B ? packet->number : arrival->number;
        if (delay_ns > MATCH_FLIGHT_NS) continue; /* sent too long ago: not asked at the cost of others */
        asked++;
        if (delay_ns < -match_tolerance(match, order)) break;
        int64_t odd_ns = delay_ns > usual_ns ? delay_ns - usual_ns : usual_ns - delay_ns;
        if (!best || odd_ns < best_ns) {
            best = &sent[i];
            best_ns = odd_ns;
        }
    }
    return best;
}

int match_equals(struct match *match)
{
    size_t count, b;
    struct look *looks = sort_by_look(match, false, &count);
    if (!looks) return -ENOMEM;
    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(looks, count, from, &b);
        if (b == from || b == to) continue;
        bool forth = match_sender_side(match, looks[from].packet) == MATCH_A;
        const struct look *sent = forth ? &looks[from] : &looks[b], *came = forth ? &looks[b] : &looks[from];
        size_t sent_count = forth ? b - from : to - b, came_count = forth ? to - b : b - from;
        int64_t usual_ns = match->usual_ns[forth] < 0 ? 0 : match->usual_ns[forth];
        for (size_t i = 0; i < came_count; i++) {
            while (sent_count &&
                   (sent->packet->twin != MATCH_NONE || came[i].packet->common_ns - sent->packet->common_ns > MATCH_FLIGHT_NS))
                sent++, sent_count--;
            const struct look *best = sent_as(match, sent, sent_count, came[i].packet, usual_ns);
            if (best) pair(match, forth ? best : &came[i], forth ? &came[i] : best);
        }
    }
    free(looks);
    return 0;
}

static bool is_alone(const struct match_packet *packet)
{
    return packet->twin == MATCH_NONE && !packet->is_piece && !packet->covers;
}

/* Whether one of those that look like it was sent before, and has arrived already. */
static bool is_copy(const struct match *match, const struct look *sent, size_t count, const struct match_packet *came)
{
    for (size_t i = 0; i < count && i < EQUALS_DEPTH; i++) {
        const struct match_packet *packet = sent[i].packet;
        int64_t delay_ns = came->common_ns - packet->common_ns;
        uint64_t order = sent[i].capture == MATCH_B ? packet->number : came->number;
        if (packet->twin != MATCH_NONE && delay_ns >= -match_tolerance(match, order) && delay_ns <= MATCH_FLIGHT_NS &&
            !ids_differ(match, packet, came))
            return true;
    }
    return false;
}

/* No host gives one identification twice in so short a time: that is the same packet, on an interface that the capture doesn't
 * name. */
static void see_double(const struct match *match, const struct look *sent, size_t count, size_t index)
{
    struct match_packet *packet = own(match, &sent[index]);
    size_t from = index > EQUALS_DEPTH ? index - EQUALS_DEPTH : 0;
    for (size_t i = from; packet->ip_id && is_alone(packet) && i < count && i < index + EQUALS_DEPTH; i++) {
        const struct match_packet *other = sent[i].packet;
        if (other != packet && other->twin != MATCH_NONE && other->ip_id == packet->ip_id && is_near(packet, other))
            packet->doubled = true;
    }
}

int match_copies(struct match *match)
{
    size_t count, b;
    struct look *looks = sort_by_look(match, true, &count);
    if (!looks) return -ENOMEM;
    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(looks, count, from, &b);
        if (b == from || b == to) continue;
        bool forth = match_sender_side(match, looks[from].packet) == MATCH_A;
        const struct look *sent = forth ? &looks[from] : &looks[b];
        size_t sent_count = forth ? b - from : to - b;
        for (size_t i = 0; i < sent_count; i++) see_double(match, sent, sent_count, i);
        for (size_t i = forth ? b : from; i < (forth ? to : b); i++) {
            struct match_packet *came = own(match, &looks[i]);
            if (is_alone(came) && is_copy(match, sent, sent_count, came)) came->fate = FATE_COPY;
        }
    }
    free(looks);
    return 0;
}
