/* How many numbers spread: their percentiles, in memory that does not grow with how many there are.
 *
 * A number below 128 has a bucket of its own; above, each power of two has 128, so that a percentile is off by 0.4 per cent at
 * most. The largest is kept as it is. Pure. */
#ifndef TCPWHY_VIZ_SPREAD_H
#define TCPWHY_VIZ_SPREAD_H

#include <stdint.h>

enum { SPREAD_STEPS = 128, SPREAD_BUCKETS = SPREAD_STEPS * 58 };

/* Zero it to begin. */
struct spread {
    uint64_t count;
    int64_t most;
    uint64_t buckets[SPREAD_BUCKETS];
};

/* `value`: at least 0; less counts as 0. */
void spread_add(struct spread *spread, int64_t value);
/* The smallest number that at least `percent` (1 to 100) in a hundred are not above; 0 where there are none. */
int64_t spread_percentile(const struct spread *spread, unsigned percent);

#endif
