/* How many numbers spread: their percentiles, in memory that does not grow with how many there are.
 *
 * A number below 128 has a bucket of its own; above, each power of two has 128, so that a percentile is off by 0.4 per cent at
 * most. The largest is kept as it is. Pure. */
#ifndef TCPWHY_VIZ_QUANTILES_H
#define TCPWHY_VIZ_QUANTILES_H

#include <stdint.h>

enum { QUANTILES_STEPS = 128, QUANTILES_BUCKETS = QUANTILES_STEPS * 58 };

/* Zero it to begin. */
struct quantiles {
    uint64_t count;
    int64_t most;
    uint64_t buckets[QUANTILES_BUCKETS];
};

/* `value`: at least 0; less counts as 0. */
void quantiles_add(struct quantiles *spread, int64_t value);
/* The smallest number that at least `percent` (1 to 100) in a hundred are not above; 0 where there are none. */
int64_t quantiles_percentile(const struct quantiles *spread, unsigned percent);

#endif
