#include "viz/lists/quantiles.h"

#include <stddef.h>

enum { STEP_BITS = 7 };

static size_t bucket_of(uint64_t value)
{
    if (value < QUANTILES_STEPS) return (size_t)value;
    unsigned shift = 63U - (unsigned)__builtin_clzll(value) - STEP_BITS;
    return ((size_t)shift + 1) * QUANTILES_STEPS + (size_t)(value >> shift) - QUANTILES_STEPS;
}

/* The middle of what a bucket holds. */
static int64_t value_of(size_t bucket)
{
    if (bucket < QUANTILES_STEPS) return (int64_t)bucket;
    size_t shift = bucket / QUANTILES_STEPS - 1;
    uint64_t low = (uint64_t)(bucket % QUANTILES_STEPS + QUANTILES_STEPS) << shift;
    return (int64_t)(low + ((((uint64_t)1 << shift) - 1) >> 1));
}

void quantiles_add(struct quantiles *spread, int64_t value)
{
    if (value < 0) value = 0;
    spread->buckets[bucket_of((uint64_t)value)]++;
    spread->count++;
    if (value > spread->most) spread->most = value;
}

int64_t quantiles_percentile(const struct quantiles *spread, unsigned percent)
{
    uint64_t wanted = spread->count / 100 * percent + (spread->count % 100 * percent + 99) / 100, seen = 0;
    if (percent >= 100) return spread->most;
    for (size_t i = 0; i < QUANTILES_BUCKETS && spread->count; i++) {
        seen += spread->buckets[i];
        if (seen < wanted || !seen) continue;
        int64_t value = value_of(i);
        return value < spread->most ? value : spread->most;
    }
    return 0;
}
