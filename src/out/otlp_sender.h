/* Sends the lines of the otlp view to a collector, from a process of its own: a run may move into a network where there is nobody
 * to send to, and the sender stays in the one that it was begun in. It lives no longer than this process. */
#ifndef TCPWHY_OUT_OTLP_SENDER_H
#define TCPWHY_OUT_OTLP_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "out/otlp_batches.h"

struct otlp_sender;

/* `endless`: of a run without end (otlp_batches.h), whose lines are sent a second later at most. 0; -EINVAL for what is no URL;
 * else -errno. Release with otlp_sender_free. */
int otlp_sender_new(struct otlp_sender **ret_sender, const char *url, bool endless, struct err *err);
/* A sink's write: `data` is the sender. Waits while the collector is slow. Never fails: otlp_sender_finish does. */
int otlp_sender_write(void *data, const char *bytes, size_t length);
/* Sends what waits. 0 and how many spans were taken; -EIO with a sentence that says how many were not, and why. */
int otlp_sender_finish(struct otlp_sender *sender, uint64_t *ret_taken, struct err *err);
/* For who must not wait: where whole lines can be written to. The sender's own. */
int otlp_sender_fd(const struct otlp_sender *sender);
/* What has become of spans so far. The reason may be one that is being written. */
struct otlp_result otlp_sender_so_far(const struct otlp_sender *sender);
/* No more lines come: waits for the last to be settled, `patience_ms` at most, and ends the process. What became of all that is
 * settled. */
struct otlp_result otlp_sender_end(struct otlp_sender *sender, int patience_ms);
/* Where to, without user and password. */
const char *otlp_sender_url(const struct otlp_sender *sender);
void otlp_sender_free(struct otlp_sender *sender);

#endif
