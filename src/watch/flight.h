/* The flight recorder: the last seconds of all events in memory, and a trace written when something of interest happens.
 *
 * Events lie in one piece of memory of fixed size, each no longer than its kind; the oldest go first. A trace is what is there when
 * it is asked for. It is written a piece at a time, so that watching goes on meanwhile. */
#ifndef TCPWHY_WATCH_FLIGHT_H
#define TCPWHY_WATCH_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/event.h"
#include "watch/drawer.h"

struct flight;

struct flight_counts {
    uint64_t written; /* traces */
    uint64_t skipped; /* asked for while another was being written: that one has it */
    uint64_t removed; /* older ones that made room */
    uint64_t failed;  /* could not be written; `code` says why, of the last one */
    uint64_t early;   /* events that went before their time: the memory was full */
    int code;
    int64_t holds_ns; /* from the oldest event that is there to the newest */
};

/* Keeps `keep_ns` of time in at most `bytes` (1 MiB at least). Borrows the drawer. NULL: out of memory. */
struct flight *flight_new(int64_t keep_ns, size_t bytes, struct drawer *drawer);
void flight_free(struct flight *flight);
/* Its chain must live as long as the recorder. 0; never fails otherwise. */
void flight_take(struct flight *flight, const struct event *event);
/* A finding (or trouble) of that name happened to a connection: what is there is to be written. */
void flight_trigger(struct flight *flight, const char *id, uint32_t connection, int64_t now_ns);
/* Goes on writing, a few milliseconds' worth; `all`: to the end. True while there is more to write. */
bool flight_write(struct flight *flight, bool all);
struct flight_counts flight_counts(const struct flight *flight);

#endif
