/* Connections that ended, on their way to a collector as OpenTelemetry's traces. Nothing here waits: what the collector does not
 * take in time waits in bounded memory, and what finds no room there is counted. */
#ifndef TCPWHY_WATCH_SPANS_H
#define TCPWHY_WATCH_SPANS_H

#include <stdint.h>

#include "base/err.h"
#include "story/story.h"

struct spans;

struct spans_counts {
    uint64_t taken;     /* the collector has them */
    uint64_t lost;      /* it does not: in all */
    uint64_t no_room;   /* of them, that waited for it in vain */
    const char *reason; /* why the first of the others were lost; "" none were. Lives as long as the spans */
};

/* Begins the process that sends. 0; -EINVAL for what is no URL; else -errno with a sentence. Release with spans_close. */
int spans_open(struct spans **ret_spans, const char *url, struct err *err);
void spans_take(struct spans *spans, const struct story *story);
/* Hands over what can be handed over without waiting. */
void spans_flush(struct spans *spans);
/* The last: waits for the collector, `patience_ms` at most. What it has not taken by then is lost. */
void spans_finish(struct spans *spans, int patience_ms);
struct spans_counts spans_counts(const struct spans *spans);
/* Where to, without user and password. */
const char *spans_url(const struct spans *spans);
/* NULL is fine. */
void spans_close(struct spans *spans);

#endif
