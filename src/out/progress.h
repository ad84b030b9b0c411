/* A line on the terminal that says how far a long reading has come: a bar, packets, packets a second, time left. */
#ifndef TCPWHY_OUT_PROGRESS_H
#define TCPWHY_OUT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool wanted, shown;
    int64_t begun_ms, last_ms;
};

/* Nothing is ever shown where standard error is no terminal, or `wanted` is false; nor in the first second. */
struct progress progress_new(bool wanted);
/* Call now and then. `total` 0: not known. */
void progress_tell(struct progress *progress, uint64_t packets, uint64_t done_bytes, uint64_t total_bytes);
/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
