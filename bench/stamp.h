/* Many connections out of one: a stored run of a single connection, stamped out in time order, each copy with ports, cookies,
 * numbers, processes and times of its own. So a run of any length is made without any file of its size.
 *
 * Every copy begins `period_ns` after the one before; those that overlap are interleaved as a recording would have them. */
#ifndef TCPWHY_BENCH_STAMP_H
#define TCPWHY_BENCH_STAMP_H

#include "base/err.h"
#include "event/log.h"

struct stamp;

struct stamp_how {
    int64_t period_ns;
    bool processes; /* each client a process of its own, which ends; else the threads of one */
    bool open;      /* the server's close() and all behind it are left out: each copy stays in CLOSE_WAIT */
};

/* Of a text of events (event/text.h) that holds one connection between a server that listens and a client. NULL, with `err`. */
struct stamp *stamp_new(const char *path, const struct stamp_how *how, struct err *err);
void stamp_free(struct stamp *stamp);
/* How many events a copy has. */
size_t stamp_event_count(const struct stamp *stamp);
/* Hands on what comes before the first connection, then `count` copies, in order of time. The event is lent for the call. Stops
 * where `take` does not return 0, and returns that. */
int stamp_run(const struct stamp *stamp, size_t count, int (*take)(void *data, const struct event *event), void *data);

#endif
