/* Sends the lines of the otlp view to a collector, from a process of its own: a run may move into a network where there is nobody
 * to send to, and the sender stays in the one that it was begun in. It lives no longer than this process. */
#ifndef TCPWHY_OUT_OTLP_SENDER_H
#define TCPWHY_OUT_OTLP_SENDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct otlp_sender;

/* 0; -EINVAL for what is no URL; else -errno. Release with otlp_sender_free. */
int otlp_sender_new(struct otlp_sender **ret_sender, const char *url, struct err *err);
/* A sink's write: `data` is the sender. Waits while the collector is slow. Never fails: otlp_sender_finish does. */
int otlp_sender_write(void *data, const char *bytes, size_t length);
/* Sends what waits. 0 and how many spans were taken; -EIO with a sentence that says how many were not, and why. */
int otlp_sender_finish(struct otlp_sender *sender, uint64_t *ret_taken, struct err *err);
/* Where to, without user and password. */
const char *otlp_sender_url(const struct otlp_sender *sender);
void otlp_sender_free(struct otlp_sender *sender);

#endif
