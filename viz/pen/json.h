/* A JSON writer: commas, quotes and escapes in one place.
 *
 * Strings are bytes from outside: what is not UTF-8 becomes U+FFFD, and whatever must not reach a terminal raw (viz/pen/escape.h)
 * is written as \uNNNN, so the output is valid JSON (RFC 8259) and harmless for any input. */
#ifndef TCPWHY_VIZ_JSON_H
#define TCPWHY_VIZ_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSON_DEPTH_MAX = 16 };

struct json {
    struct buf *out;
    bool ascii; /* everything above 0x7e as \uNNNN */
    int depth;
    bool has_item[JSON_DEPTH_MAX]; /* a comma is due before the next one */
};

struct json json_new(struct buf *out, bool ascii);

/* In an object give the key, in an array (and at the top) NULL. Keys are our own plain names. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_end_array(struct json *json);
/* NULL writes null. */
void json_string(struct json *json, const char *key, const char *value);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
/* Nanoseconds as seconds, to the last digit: 0.000043210. */
void json_seconds(struct json *json, const char *key, int64_t ns);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* A value that is JSON already. */
void json_raw(struct json *json, const char *key, const char *value);
/* The number where it is known, else null. */
void json_maybe_int(struct json *json, const char *key, bool known, int64_t value);
/* A line break between two values at the top. */
void json_newline(struct json *json);

#endif
