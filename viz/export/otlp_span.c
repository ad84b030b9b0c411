#include "viz/export/otlp_span.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- ids ---- */

/* FNV-1a, and at its end the mixing of MurmurHash3: every bit of the input reaches every bit of the hash. */
struct hash {
    uint64_t value;
};

static void hash_bytes(struct hash *hash, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) hash->value = (hash->value ^ at[i]) * UINT64_C(0x100000001b3);
}

static void hash_number(struct hash *hash, uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    hash_bytes(hash, bytes, sizeof(bytes));
}

static void hash_text(struct hash *hash, const char *text)
{
    hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_end(const struct hash *hash)
{
    uint64_t value = hash->value;
    value = (value ^ value >> 33) * UINT64_C(0xff51afd7ed558ccd);
    value = (value ^ value >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    value ^= value >> 33;
    return value ? value : 1;
}

static struct hash hash_begin(unsigned seed)
{
    struct hash hash = {UINT64_C(0xcbf29ce484222325)};
    hash_number(&hash, seed);
    return hash;
}

/* Below, equal, above: by address, port, ISN. */
static int compare_ends(const struct story_end *a, const struct story_end *b)
{
    int order = memcmp(a->address.ip, b->address.ip, sizeof(a->address.ip));
    if (!order) order = (a->address.port > b->address.port) - (a->address.port < b->address.port);
    if (!order) order = (a->isn > b->isn) - (a->isn < b->isn);
    return order;
}

bool otlp_knows_both_isns(const struct story *story)
{
    return !story->udp && story->end[STORY_CLIENT].has_isn && story->end[STORY_SERVER].has_isn;
}

static void hash_ends(struct hash *hash, const struct story *story)
{
    int swapped = compare_ends(&story->end[STORY_CLIENT], &story->end[STORY_SERVER]) > 0;
    bool known = otlp_knows_both_isns(story);
    hash_text(hash, story->udp ? "udp" : "tcp");
    for (int i = 0; i < STORY_SIDES; i++) {
        const struct story_end *end = &story->end[swapped ? !i : i];
        hash_number(hash, end->address.version);
        hash_bytes(hash, end->address.ip, sizeof(end->address.ip));
        hash_number(hash, end->address.port);
        hash_number(hash, known ? end->isn : 0);
    }
    if (!known) hash_number(hash, (uint64_t)story->start_ns);
}

struct otlp_trace_id otlp_trace_of(const struct story *story)
{
    struct otlp_trace_id id;
    struct hash halves[2] = {hash_begin(1), hash_begin(2)};
    for (int i = 0; i < 2; i++) hash_ends(&halves[i], story);
    snprintf(id.hex, sizeof(id.hex), "%016" PRIx64 "%016" PRIx64, hash_end(&halves[0]), hash_end(&halves[1]));
    return id;
}

struct otlp_trace_id otlp_trace_of_run(const struct story_trace *trace)
{
    struct otlp_trace_id id;
    struct hash halves[2] = {hash_begin(3), hash_begin(4)};
    for (int i = 0; i < 2; i++) {
        hash_number(&halves[i], (uint64_t)trace->started_ns);
        hash_text(&halves[i], trace->recorder ? trace->recorder : "");
        for (size_t k = 0; k < trace->vantage_count; k++) hash_text(&halves[i], trace->vantages[k]);
    }
    snprintf(id.hex, sizeof(id.hex), "%016" PRIx64 "%016" PRIx64, hash_end(&halves[0]), hash_end(&halves[1]));
    return id;
}

struct otlp_span_id otlp_span_of(const struct otlp_trace_id *trace, const char *what, uint64_t number, int64_t t_ns)
{
    struct otlp_span_id id;
    struct hash hash = hash_begin(5);
    hash_text(&hash, trace->hex);
    hash_text(&hash, what);
    hash_number(&hash, number);
    hash_number(&hash, (uint64_t)t_ns);
    snprintf(id.hex, sizeof(id.hex), "%016" PRIx64, hash_end(&hash));
    return id;
}

/* ---- attributes ---- */

void otlp_attributes_begin(struct json *json)
{
    json_array(json, "attributes");
}

void otlp_attributes_end(struct json *json)
{
    json_end_array(json);
}

static void begin_attribute(struct json *json, const char *key)
{
    json_object(json, NULL);
    json_string(json, "key", key);
    json_object(json, "value");
}

static void end_attribute(struct json *json)
{
    json_end_object(json);
    json_end_object(json);
}

static void put_int64(struct json *json, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    json_string(json, key, text);
}

void otlp_text(struct json *json, const char *key, const char *value)
{
    if (!value) return;
    begin_attribute(json, key);
    json_string(json, "stringValue", value);
    end_attribute(json);
}

void otlp_number(struct json *json, const char *key, int64_t value)
{
    begin_attribute(json, key);
    put_int64(json, "intValue", value);
    end_attribute(json);
}

void otlp_yes(struct json *json, const char *key)
{
    begin_attribute(json, key);
    json_bool(json, "boolValue", true);
    end_attribute(json);
}

void otlp_seconds(struct json *json, const char *key, int64_t ns)
{
    begin_attribute(json, key);
    json_seconds(json, "doubleValue", ns);
    end_attribute(json);
}

void otlp_address(struct json *json, const char *key, const char *port_key, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    if (!address->version) return;
    otlp_text(json, key, address_format_ip(address, text));
    if (address->port) otlp_number(json, port_key, address->port);
}

/* ---- lines and spans ---- */

void otlp_line_begin(struct json *json, const struct story_process *process)
{
    json_object(json, NULL);
    json_array(json, "resourceSpans");
    json_object(json, NULL);
    json_object(json, "resource");
    otlp_attributes_begin(json);
    /* The name that OpenTelemetry has for a service whose name is not known. */
    otlp_text(json, "service.name", process->comm && process->comm[0] ? process->comm : "unknown_service");
    if (process->pid) otlp_number(json, "process.pid", process->pid);
    otlp_attributes_end(json);
    json_end_object(json);
    json_array(json, "scopeSpans");
    json_object(json, NULL);
    json_object(json, "scope");
    json_string(json, "name", "tcpwhy");
    json_end_object(json);
    json_array(json, "spans");
}

void otlp_line_end(struct json *json)
{
    json_end_array(json);
    json_end_object(json);
    json_end_array(json);
    json_end_object(json);
    json_end_array(json);
    json_end_object(json);
    json_newline(json);
}

static void put_time(struct json *json, const char *key, int64_t t_ns)
{
    put_int64(json, key, t_ns < 0 ? 0 : t_ns);
}

void otlp_span_begin(struct json *json, const struct otlp_trace_id *trace, const struct otlp_span_id *id,
                     const struct otlp_span_id *parent, const char *name, enum otlp_kind kind, int64_t from_ns, int64_t to_ns)
{
    json_object(json, NULL);
    json_string(json, "traceId", trace->hex);
    json_string(json, "spanId", id->hex);
    if (parent) json_string(json, "parentSpanId", parent->hex);
    json_string(json, "name", name);
    json_int(json, "kind", kind);
    put_time(json, "startTimeUnixNano", from_ns);
    put_time(json, "endTimeUnixNano", to_ns < from_ns ? from_ns : to_ns);
}

void otlp_span_end(struct json *json, const char *error)
{
    enum { STATUS_ERROR = 2 };
    if (error) {
        json_object(json, "status");
        json_string(json, "message", error);
        json_int(json, "code", STATUS_ERROR);
        json_end_object(json);
    }
    json_end_object(json);
}

void otlp_event_begin(struct json *json, const char *name, int64_t t_ns)
{
    json_object(json, NULL);
    put_time(json, "timeUnixNano", t_ns);
    json_string(json, "name", name);
}

void otlp_event_end(struct json *json)
{
    json_end_object(json);
}
