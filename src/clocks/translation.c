/* Addresses that somebody on the way has rewritten: the numbers of a SYN stay. */
#include <stdlib.h>

#include "clocks/match_own.h"

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

bool match_find_translation(const struct match *match, const struct match_packet **ret_a, const struct match_packet **ret_b)
{
    size_t a_count, b_count;
    const struct match_packet **a = sorted_syns(match, MATCH_A, &a_count), **b = sorted_syns(match, MATCH_B, &b_count);
    bool found = false;
    for (size_t i = 0, k = 0; a && b && i < a_count && k < b_count && !found;) {
        int order = by_number(&a[i], &b[k]);
        found = order == 0 && a[i]->flow != b[k]->flow;
        if (found) {
            *ret_a = a[i];
            *ret_b = b[k];
        }
        if (order <= 0) i++;
        if (order >= 0) k++;
    }
    free(a);
    free(b);
    return found;
}
