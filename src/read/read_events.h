/* Reading event logs that were stored with -o FILE.events: a run, told again. */
#ifndef TCPWHY_READ_READ_EVENTS_H
#define TCPWHY_READ_READ_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "out/output.h"

/* Whether these first bytes of a file are an event log's. */
bool read_is_events(const void *head, size_t head_bytes);
/* `head`: what has been read of it already, when `path` is "-". 0 or -errno; -EINVAL for options; -EPIPE as output_tell. */
int read_events(const char *path, const void *head, size_t head_bytes, const struct output_options *options, struct err *err);

#endif
