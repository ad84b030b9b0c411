/* Every TCP connection of this host, as it happens: a line when it ends, and when it goes wrong.
 *
 * A session whose recorder sees the whole host, the teller with the bounds of a run without end, the board of what is open. All
 * rights are given up once the recorder is open. */
#ifndef TCPWHY_WATCH_WATCH_H
#define TCPWHY_WATCH_WATCH_H

#include "base/err.h"
#include "watch/choose.h"
#include "watch/lines.h"

struct watch_options {
    struct watch_wishes wishes;
    struct lines_options lines;
    uint64_t memory_bytes; /* for what is open; 0: WATCH_MEMORY */
    int64_t for_ms;        /* end by itself after so long; 0: never */
    bool quiet;
};

#define WATCH_MEMORY ((uint64_t)256 << 20)
enum { WATCH_MEMORY_LEAST = 8 << 20, WATCH_CONNECTION_BYTES = 16384 /* an open one, as measured, and a good half more */ };

/* Until a signal, the reader's end, or its time. 0; -EACCES with what is missing; or what failed. */
int watch_run(const struct watch_options *options, struct err *err);

#endif
