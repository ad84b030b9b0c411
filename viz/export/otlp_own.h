/* What the files of the otlp view share. */
#ifndef TCPWHY_VIZ_OTLP_OWN_H
#define TCPWHY_VIZ_OTLP_OWN_H

#include "viz/export/otlp_span.h"

/* The events that a span may carry; what is beyond is cut, and the number cut is said. */
enum { OTLP_EVENTS_MAX = 128 };

/* Which spans of a story's ends are told, and when they began and ended. */
struct otlp_ends {
    bool told[STORY_SIDES];
    struct otlp_trace_id trace;
    struct otlp_span_id id[STORY_SIDES];
    int64_t from_ns[STORY_SIDES], to_ns[STORY_SIDES];
};

/* An end is told by the host that it lives on: where only one end's process is known, the other end is another recording's to tell.
 */
struct otlp_ends otlp_ends_of(const struct story *story);

/* The span of an end: attributes, events, status. */
void otlp_put_end(struct json *json, const struct story *story, const struct otlp_ends *ends, enum story_side side);

/* What the span of an end has besides: states, packets, the process's end, findings. */
void otlp_put_events(struct json *json, const struct story *story, const struct otlp_ends *ends, enum story_side side);

/* "syn_sent", as OpenTelemetry writes them; NULL unknown. */
const char *otlp_state_name(enum tcp_state state);
void otlp_put_cause(struct json *json, const struct story_cause *cause);

#endif
