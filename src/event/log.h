/* The event log: where every source appends, and what owns everything an event points to.
 *
 * It owns the chains and captured bytes. Events appended are copied; chains and bytes in them must already belong to this log
 * (event_log_chain, event_log_bytes). They are handed on in order of time, and forgotten where nobody needs them any more, by a
 * stream (src/event/stream.h). */
#ifndef TCPWHY_EVENT_LOG_H
#define TCPWHY_EVENT_LOG_H

#include "event/event.h"

struct event_log;

/* NULL when out of memory. */
struct event_log *event_log_new(void);
void event_log_free(struct event_log *log);

/* Copies the event and numbers it. 0 or -ENOMEM. */
int event_log_append(struct event_log *log, const struct event *event);

/* Asked of each event before it is kept: true, and it is. What it says false of is not, and its captured bytes are the asker's:
 * to be appended with later, or given back (event_log_give_back). NULL: all are kept. */
typedef bool event_log_sieve(void *data, const struct event *event);
void event_log_sift(struct event_log *log, event_log_sieve *sieve, void *data);
/* The captured bytes of an event that will never be appended. NULL is fine. */
void event_log_give_back(struct event_log *log, const uint8_t *bytes);

/* The one interned chain with these names (copied), innermost first; NULL for count 0 or when out of memory. Of more than
 * EVENT_CHAIN_MAX names the innermost are kept. */
const struct event_chain *event_log_chain(struct event_log *log, const char *const *names, size_t count);

/* Texts for an event's packet.comments: as a chain, but not interned, for what comes from outside. It lives as long as the log. */
const struct event_chain *event_log_texts(struct event_log *log, const char *const *texts, size_t count);

/* A copy of `length` bytes for one event's packet.bytes (not shared between events): it lives until that event is forgotten, or as
 * long as the log. NULL for length 0 or when out of memory. */
const uint8_t *event_log_bytes(struct event_log *log, const uint8_t *bytes, size_t length);

/* Sorts by time, ties by arrival; of packets of one vantage none goes before one that came earlier, whatever its time. Call before
 * walking. */
void event_log_sort(struct event_log *log);
/* The same for the events from `first` on; those before it stay where they are. */
void event_log_sort_from(struct event_log *log, size_t first);
size_t event_log_count(const struct event_log *log);
/* i < count. Valid until the event is forgotten; which `i` it has may change with the next append or sort. */
const struct event *event_log_at(const struct event_log *log, size_t i);
/* The time by which that event is sorted: its own, or that of an earlier packet of its vantage. */
int64_t event_log_place_ns(const struct event_log *log, size_t i);
/* Forgets the first `count` events (all, if there are fewer) and the captured bytes they own; chains stay. */
void event_log_forget(struct event_log *log, size_t count);

#endif
