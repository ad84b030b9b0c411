/* Sends the lines of the otlp view to a collector: POST /v1/traces (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP").
 *
 * Lines are gathered and sent in batches, so what waits is bounded. A batch is sent again only after 429, 502, 503 or 504: when the
 * answer's Retry-After says, else after 1 s, 2 s, 4 s …, as long as all this waiting stays below OTLP_PATIENCE_NS. A batch that may
 * have been taken (no answer came) is not sent again. What did not get there is counted, and otlp_sender_finish says it. */
#ifndef TCPWHY_OUT_OTLP_SENDER_H
#define TCPWHY_OUT_OTLP_SENDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct otlp_sender;

#define OTLP_PATIENCE_NS (INT64_C(30) * 1000000000)

/* 0; -EINVAL for what is no URL; else -errno. Release with otlp_sender_free. */
int otlp_sender_new(struct otlp_sender **ret_sender, const char *url, struct err *err);
/* A sink's write: `data` is the sender. Never fails: what is lost is counted. */
int otlp_sender_write(void *data, const char *bytes, size_t length);
/* Sends what waits. 0 when all spans were taken; -EIO with a sentence that says how many were not, and why. */
int otlp_sender_finish(struct otlp_sender *sender, struct err *err);
/* How many spans were taken, and by whom. */
uint64_t otlp_sender_taken(const struct otlp_sender *sender);
const char *otlp_sender_url(const struct otlp_sender *sender);
void otlp_sender_free(struct otlp_sender *sender);

#endif
