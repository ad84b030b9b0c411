/* OpenTelemetry's spans as JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit numbers as
 * strings, enums as numbers, names in lowerCamelCase. A line is a TracesData with one resource: a process.
 *
 * Texts are escaped by viz/pen/json.h. */
#ifndef TCPWHY_VIZ_OTLP_SPAN_H
#define TCPWHY_VIZ_OTLP_SPAN_H

#include <stdint.h>

#include "story/story.h"
#include "viz/pen/json.h"

struct otlp_trace_id {
    char hex[33];
};
struct otlp_span_id {
    char hex[17];
};

/* A hash of both ends, sorted, with both ISNs: who records the client and who records the server of a connection find the same id,
 * unless a NAT between them changes addresses. Where an ISN is not known (and for UDP, which has none), the time of the first
 * packet is in it too, and two recordings have two. Never zero. */
struct otlp_trace_id otlp_trace_of(const struct story *story);
/* Of a recording as a whole. */
struct otlp_trace_id otlp_trace_of_run(const struct story_trace *trace);
bool otlp_knows_both_isns(const struct story *story);
/* A hash of the trace, of what the span is, of a number and a time that tell it from others like it: in other recordings of the
 * same connection, too. Never zero. */
struct otlp_span_id otlp_span_of(const struct otlp_trace_id *trace, const char *what, uint64_t number, int64_t t_ns);

/* Begins a line with a process as resource, up to its list of spans. */
void otlp_line_begin(struct json *json, const struct story_process *process);
void otlp_line_end(struct json *json);

enum otlp_kind { OTLP_INTERNAL = 1, OTLP_SERVER = 2, OTLP_CLIENT = 3 };

/* `parent` NULL: none. Leaves the span open. Times before 1970 can't be said, and are 0. */
void otlp_span_begin(struct json *json, const struct otlp_trace_id *trace, const struct otlp_span_id *id,
                     const struct otlp_span_id *parent, const char *name, enum otlp_kind kind, int64_t from_ns, int64_t to_ns);
/* `error` NULL: none, and nothing is said of its success. */
void otlp_span_end(struct json *json, const char *error);

void otlp_event_begin(struct json *json, const char *name, int64_t t_ns);
void otlp_event_end(struct json *json);

/* Attributes stand between these two, in a resource, span or event. */
void otlp_attributes_begin(struct json *json);
void otlp_attributes_end(struct json *json);
/* Each leaves out what is not known: NULL. */
void otlp_text(struct json *json, const char *key, const char *value);
void otlp_number(struct json *json, const char *key, int64_t value);
void otlp_yes(struct json *json, const char *key);
void otlp_seconds(struct json *json, const char *key, int64_t ns);
void otlp_address(struct json *json, const char *key, const char *port_key, const struct address *address);

#endif
