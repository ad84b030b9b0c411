/* Which capture is nearer to which end of a flow.
 *
 * On the way there b's clock seems ahead by the delay, on the way back behind by it: of two segments that went one after the other
 * in opposite directions the one with the larger difference between b's time and a's went from a to b. That holds whatever the
 * clocks show, and also where they were set in between. Else the hop limit says it, which only goes down; else the same host's
 * other flows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "clocks/match_own.h"

struct vote {
    int64_t by_time, by_hops; /* for (positive) or against low_near_a */
    int64_t last_ns[2];       /* b's time less a's of the newest pair: [1] sent by the low address */
    bool has_last[2];
};

struct host {
    int64_t near_a;
};

static void take_pair(struct vote *vote, const struct match_packet *a, const struct match_packet *b)
{
    bool low = a->from_low, other = !low;
    int64_t difference_ns = b->t_ns - a->t_ns;
    if (vote->has_last[other]) {
        int64_t low_ns = low ? difference_ns : vote->last_ns[1], high_ns = low ? vote->last_ns[0] : difference_ns;
        vote->by_time += (low_ns > high_ns) - (low_ns < high_ns);
    }
    vote->last_ns[low] = difference_ns;
    vote->has_last[low] = true;
    if (a->hops && b->hops && a->hops != b->hops) vote->by_hops += (a->hops > b->hops) == low ? 1 : -1;
}

static struct host *host_of(struct table *hosts, const struct address *address)
{
    struct address key = *address;
    key.port = 0;
    struct host *host = table_get(hosts, &key);
    if (host) return host;
    host = calloc(1, sizeof(*host));
    if (host && table_put(hosts, &key, host)) {
        free(host);
        return NULL;
    }
    return host;
}

/* What is known of some flows of a host holds for its others. */
static int decide(struct match *match, const struct vote *votes, struct table *hosts)
{
    size_t known = 0;
    for (size_t i = 0; i < match->flow_count; i++) {
        struct match_flow *flow = &match->flow[i];
        int64_t vote = votes[i].by_time ? votes[i].by_time : votes[i].by_hops;
        struct host *low = host_of(hosts, &flow->low), *high = host_of(hosts, &flow->high);
        if (!low || !high) return -ENOMEM;
        flow->guessed = vote == 0;
        if (!vote) continue;
        flow->low_near_a = vote > 0;
        low->near_a += vote > 0 ? 1 : -1;
        high->near_a += vote > 0 ? -1 : 1;
        known++;
    }
    for (size_t i = 0; i < match->flow_count; i++) {
        struct match_flow *flow = &match->flow[i];
        if (!flow->guessed) continue;
        int64_t low = host_of(hosts, &flow->low)->near_a, high = host_of(hosts, &flow->high)->near_a;
        flow->guessed = low == high;
        /* Nothing says it: a capture is more often taken where most segments of it come from. */
        flow->low_near_a = flow->guessed ? flow->pairs[1] >= flow->pairs[0] : low > high;
    }
    match->guessed = known == 0;
    return 0;
}

int match_find_sides(struct match *match)
{
    struct vote *votes = calloc(match->flow_count + 1, sizeof(*votes));
    struct table *hosts = table_new(sizeof(struct address));
    int code = votes && hosts ? 0 : -ENOMEM;
    for (size_t i = 0; i < match->count[MATCH_B] && !code; i++) {
        const struct match_packet *b = &match->packet[MATCH_B][i];
        if (b->twin != MATCH_NONE) take_pair(&votes[b->flow], &match->packet[MATCH_A][b->twin], b);
    }
    if (!code) code = decide(match, votes, hosts);
    void *host;
    for (size_t cursor = 0; hosts && table_next(hosts, &cursor, NULL, &host);) free(host);
    table_free(hosts);
    free(votes);
    return code;
}
