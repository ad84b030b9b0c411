/* What a watch adds up, in the text format that Prometheus scrapes (version 0.0.4): counters end in _total, durations are seconds.
 */
#ifndef TCPWHY_WATCH_METRICS_H
#define TCPWHY_WATCH_METRICS_H

#include "watch/totals.h"

struct metrics_now {
    uint64_t open, troubled;
    uint64_t lines_lost;
    uint64_t events_lost, touched; /* that found no room, and connections that were open then */
};
/* Appends the whole page. */
void metrics_write(const struct totals *totals, const struct metrics_now *now, struct buf *out);

#endif
