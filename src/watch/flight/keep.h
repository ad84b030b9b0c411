/* The last seconds of events, in one piece of memory of fixed size. Each takes no more than its kind needs; the oldest go first. */
#ifndef TCPWHY_WATCH_FLIGHT_KEEP_H
#define TCPWHY_WATCH_FLIGHT_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

struct keep;

/* `keep_ns` of time in at most `bytes` (1 MiB at least). NULL: out of memory. */
struct keep *keep_new(int64_t keep_ns, size_t bytes);
void keep_free(struct keep *keep);
/* Its chain must live as long as the memory. What is known of the whole run (EVENT_TRACE, EVENT_VANTAGE, EVENT_LISTENER) stays; a
 * kind that is of no use later is passed over. */
void keep_take(struct keep *keep, const struct event *event);
/* Those that are there: what is known of the run, then the others in the order in which they were taken. Stops at the first failure
 * of `take`, and returns it. */
int keep_each(const struct keep *keep, int (*take)(void *data, const struct event *event), void *data);
/* From the oldest event that is there to the newest. */
int64_t keep_holds_ns(const struct keep *keep);
/* Events that went before their time: the memory was full. */
uint64_t keep_early(const struct keep *keep);

#endif
