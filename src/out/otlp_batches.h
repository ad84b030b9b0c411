/* Lines of the otlp view, on their way to a collector: POST /v1/traces (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP").
 *
 * Lines are gathered and sent in batches, so what waits is bounded. A batch is sent again only after 429, 502, 503 or 504: when the
 * answer's Retry-After says, else after 1 s, 2 s, 4 s …, as long as all this waiting stays below OTLP_PATIENCE_NS. A batch that may
 * have been taken (no answer came) is not sent again. What did not get there is counted.
 *
 * Of a run that ends, a batch that nobody took is the last that is tried. A run without end goes on: what comes in the next while
 * is lost (as long as Retry-After says, an hour at most, else 1 s, 2 s, 4 s … up to OTLP_PAUSE_NS), and then the receiver is tried
 * again. */
#ifndef TCPWHY_OUT_OTLP_BATCHES_H
#define TCPWHY_OUT_OTLP_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct otlp_batches;

#define OTLP_PATIENCE_NS (INT64_C(30) * 1000000000)
#define OTLP_PAUSE_NS (INT64_C(30) * 1000000000)
#define OTLP_PAUSE_MOST_NS (INT64_C(3600) * 1000000000)

enum { OTLP_REASON_BYTES = 256 };

/* What became of the spans. */
struct otlp_result {
    uint64_t taken, lost;
    char reason[OTLP_REASON_BYTES]; /* why the first were lost; "" none were */
};

/* `endless`: of a run without end. 0; -EINVAL for what is no URL; else -errno. Release with otlp_batches_free. */
int otlp_batches_new(struct otlp_batches **ret_batches, const char *url, bool endless, struct err *err);
/* Takes bytes of lines, whole or in pieces. */
void otlp_batches_take(struct otlp_batches *batches, const char *bytes, size_t length);
/* Sends the whole lines that wait. */
void otlp_batches_flush(struct otlp_batches *batches);
/* When the oldest line that waits was taken, in ms as clock_ms; INT64_MAX: none waits. */
int64_t otlp_batches_waits_since(const struct otlp_batches *batches);
/* What became of those that are settled. */
const struct otlp_result *otlp_batches_so_far(const struct otlp_batches *batches);
/* Sends what waits, and says what became of all. */
struct otlp_result otlp_batches_finish(struct otlp_batches *batches);
/* How many spans a line holds. */
uint64_t otlp_batches_spans_of(const char *line);
/* Where to, without user and password. */
const char *otlp_batches_url(const struct otlp_batches *batches);
void otlp_batches_free(struct otlp_batches *batches);

#endif
