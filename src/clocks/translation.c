/* Addresses that somebody on the way has rewritten: the numbers of a SYN stay. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "clocks/match_own.h"

/* From whom to whom. */
struct ends {
    struct address src, dst;
};

static struct ends ends_of(const struct event_packet_header *header)
{
    struct ends ends;
    memset(&ends, 0, sizeof(ends));
    ends.src = header->src;
    ends.dst = header->dst;
    return ends;
}

static bool is_syn(const struct match_packet *packet)
{
    return (packet->header.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static int by_number(const void *left, const void *right)
{
    const struct match_packet *a = *(const struct match_packet *const *)left, *b = *(const struct match_packet *const *)right;
    if (a->header.seq != b->header.seq) return a->header.seq < b->header.seq ? -1 : 1;
    if (a->has_ts != b->has_ts) return a->has_ts ? 1 : -1;
    return (a->ts_value > b->ts_value) - (a->ts_value < b->ts_value);
}

static const struct match_packet **sorted_syns(const struct match *match, int capture, size_t *ret_count)
{
    const struct match_packet **syns = calloc(match->count[capture] + 1, sizeof(struct match_packet *));
    *ret_count = 0;
    for (size_t i = 0; syns && i < match->count[capture]; i++)
        if (is_syn(&match->packet[capture][i])) syns[(*ret_count)++] = &match->packet[capture][i];
    if (syns && *ret_count) qsort(syns, *ret_count, sizeof(struct match_packet *), by_number);
    return syns;
}

/* How many behind the first are the same SYN; 0: between the same ends not all of them are. */
static size_t count_same(const struct match_packet *const *syns, size_t count)
{
    struct ends first = ends_of(&syns[0]->header);
    bool one = true;
    size_t same = 0;
    for (; same < count && by_number(&syns[0], &syns[same]) == 0; same++) {
        struct ends other = ends_of(&syns[same]->header);
        one = one && memcmp(&first, &other, sizeof(first)) == 0;
    }
    return one ? same : 0;
}

/* What b calls otherwise than a: from b's ends to a's SYN. */
static int learn(const struct match *match, struct table *names, const struct match_packet **ret_a,
                 const struct match_packet **ret_b)
{
    size_t a_count, b_count;
    const struct match_packet **a = sorted_syns(match, MATCH_A, &a_count), **b = sorted_syns(match, MATCH_B, &b_count);
    int code = a && b ? 0 : -ENOMEM;
    for (size_t i = 0, k = 0; !code && i < a_count && k < b_count;) {
        int order = by_number(&a[i], &b[k]);
        if (order) {
            *(order < 0 ? &i : &k) += 1;
            continue;
        }
        size_t a_same = count_same(a + i, a_count - i), b_same = count_same(b + k, b_count - k);
        struct ends ours = ends_of(&a[i]->header), theirs = ends_of(&b[k]->header);
        if (a_same && b_same && memcmp(&ours, &theirs, sizeof(ours)) != 0) {
            if (!table_count(names)) {
                *ret_a = a[i];
                *ret_b = b[k];
            }
            code = table_put(names, &theirs, (void *)(uintptr_t)a[i]);
        }
        const struct match_packet *done_a = a[i], *done_b = b[k];
        while (i < a_count && by_number(&a[i], &done_a) == 0) i++;
        while (k < b_count && by_number(&b[k], &done_b) == 0) k++;
    }
    free(a);
    free(b);
    return code;
}

static void rename_packets(struct match *match, const struct table *names)
{
    for (size_t i = 0; i < match->count[MATCH_B]; i++) {
        struct event_packet_header *header = &match->packet[MATCH_B][i].header;
        struct ends there = ends_of(header), back = {there.dst, there.src};
        const struct match_packet *syn = table_get(names, &there);
        if (syn) {
            header->src = syn->header.src;
            header->dst = syn->header.dst;
        } else if ((syn = table_get(names, &back))) {
            header->src = syn->header.dst;
            header->dst = syn->header.src;
        }
    }
}

int match_translate(struct match *match, struct match_translation *ret_translation)
{
    const struct match_packet *a = NULL, *b = NULL;
    struct table *names = table_new(sizeof(struct ends));
    int code = names ? learn(match, names, &a, &b) : -ENOMEM;
    *ret_translation = (struct match_translation){0};
    if (!code && a && b) {
        ret_translation->connections = table_count(names);
        for (int capture = 0; capture < MATCH_CAPTURES; capture++) {
            ret_translation->src[capture] = (capture == MATCH_A ? a : b)->header.src;
            ret_translation->dst[capture] = (capture == MATCH_A ? a : b)->header.dst;
        }
        rename_packets(match, names);
    }
    table_free(names);
    return code;
}
