/* Standard output of a program that must not wait for its reader: what can't be written yet waits in bounded memory, and what finds
 * no room there is counted. */
#ifndef TCPWHY_OUT_OUTLET_H
#define TCPWHY_OUT_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct outlet {
    int fd;
    struct buf waiting;
    size_t written; /* bytes of it that are out already */
    uint64_t lost;  /* lines that found no room; at the end those that nobody took, too */
    bool gone;      /* the reader is */
    bool full;      /* the disk is, now: what waits is tried again */
    int code;       /* -errno of a write that failed otherwise; 0 */
};

/* On a descriptor of the caller's; `limit` bytes may wait. Release with outlet_free. */
struct outlet outlet_new(int fd, size_t limit);
void outlet_free(struct outlet *outlet);
/* One line, newline included: as a whole or not at all. */
void outlet_line(struct outlet *outlet, const char *line, size_t length);
/* Writes what can be written without waiting, and looks whether the reader is still there. */
void outlet_flush(struct outlet *outlet);
/* Writes all, and waits for a reader that takes it: as long as it takes something every `patience_ms`. A disk that is full still is
 * a failure then. */
void outlet_finish(struct outlet *outlet, int patience_ms);

#endif
