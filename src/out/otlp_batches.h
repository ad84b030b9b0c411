/* Lines of the otlp view, on their way to a collector: POST /v1/traces (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP").
 *
 * Lines are gathered and sent in batches, so what waits is bounded. A batch is sent again only after 429, 502, 503 or 504: when the
 * answer's Retry-After says, else after 1 s, 2 s, 4 s …, as long as all this waiting stays below OTLP_PATIENCE_NS. A batch that may
 * have been taken (no answer came) is not sent again. What did not get there is counted. */
#ifndef TCPWHY_OUT_OTLP_BATCHES_H
#define TCPWHY_OUT_OTLP_BATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct otlp_batches;

#define OTLP_PATIENCE_NS (INT64_C(30) * 1000000000)

enum { OTLP_REASON_BYTES = 256 };

/* What became of the spans. */
struct otlp_result {
    uint64_t taken, lost;
    char reason[OTLP_REASON_BYTES]; /* why the first were lost; "" none were */
};

/* 0; -EINVAL for what is no URL; else -errno. Release with otlp_batches_free. */
int otlp_batches_new(struct otlp_batches **ret_batches, const char *url, struct err *err);
/* Takes bytes of lines, whole or in pieces. */
void otlp_batches_take(struct otlp_batches *batches, const char *bytes, size_t length);
/* Sends what waits, and says what became of all. */
struct otlp_result otlp_batches_finish(struct otlp_batches *batches);
/* Where to, without user and password. */
const char *otlp_batches_url(const struct otlp_batches *batches);
void otlp_batches_free(struct otlp_batches *batches);

#endif
