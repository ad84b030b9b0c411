/* Reading what was stored with -o FILE.events or -o FILE.pcapng: a run, told again. */
#ifndef TCPWHY_READ_READ_EVENTS_H
#define TCPWHY_READ_READ_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "read/read_capture.h"

enum { READ_EVENTS_HEAD_BYTES = 4096 };
/* How many of a file's first bytes have to be seen to tell; not more than are there: it can be told. At most
 * READ_EVENTS_HEAD_BYTES. */
size_t read_events_needs(const void *head, size_t head_bytes);
/* Whether these first bytes of a file are a stored run's. */
bool read_is_events(const void *head, size_t head_bytes);
/* Whether they are a saved file's, whose packets are a capture, too. */
bool read_is_saved(const void *head, size_t head_bytes);
/* Of `options`, where its results go and which connections are chosen. `head`: what has been read of it already, when `path` is
 * "-". 0 or -errno; -EINVAL for options; -EPIPE as output_tell. */
int read_events(const char *path, const void *head, size_t head_bytes, const struct read_options *options, struct err *err);

#endif
