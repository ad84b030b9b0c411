/* The flight recorder: the last seconds of all events in memory, and a trace written when something of interest happens.
 *
 * A trace is what is there when it is asked for: a saved run (saved/saved.h) with its stories told. A process that is forked then
 * has it as it is, and tells and writes it, while watching goes on. */
#ifndef TCPWHY_WATCH_FLIGHT_FLIGHT_H
#define TCPWHY_WATCH_FLIGHT_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "story/bounds.h"
#include "watch/flight/drawer.h"

struct flight;

struct flight_options {
    int64_t keep_ns;             /* so much time */
    size_t bytes;                /* in at most so much memory (1 MiB at least) */
    struct drawer *drawer;       /* borrowed */
    struct teller_bounds bounds; /* of who tells what is written */
};

struct flight_counts {
    uint64_t written; /* traces */
    uint64_t skipped; /* asked for while another was being written: that one has most of it */
    uint64_t removed; /* older ones that made room */
    uint64_t failed;  /* could not be written; `code` says why, of the last one */
    uint64_t early;   /* events that went before their time: the memory was full */
    int code;
    int64_t holds_ns; /* from the oldest event that is there to the newest */
};

/* NULL: out of memory. */
struct flight *flight_new(const struct flight_options *options);
/* A trace that is being written is given up. */
void flight_free(struct flight *flight);
/* Its chain must live as long as the recorder. */
void flight_take(struct flight *flight, const struct event *event);
/* A finding (or trouble) of that name happened to a connection: what is there is to be written. `now_ns`: for the file's name. */
void flight_trigger(struct flight *flight, const char *id, uint32_t connection, int64_t now_ns);
/* Sees whether the trace is written, and waits for that `patience_ms` at most. True while it is not. */
bool flight_write(struct flight *flight, int patience_ms);
struct flight_counts flight_counts(const struct flight *flight);

#endif
