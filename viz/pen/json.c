#include "viz/pen/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "viz/pen/escape.h"

struct json json_new(struct buf *out, bool ascii)
{
    return (struct json){.out = out, .ascii = ascii};
}

/* How many bytes of it stand for themselves: nearly all, nearly always. */
static size_t plain_bytes(const char *value)
{
    size_t length = 0;
    while (value[length] >= 0x20 && value[length] < 0x7f && value[length] != '"' && value[length] != '\\') length++;
    return length;
}

static void put_string(struct json *json, const char *value)
{
    size_t first = plain_bytes(value);
    char *room = value[first] ? NULL : buf_room(json->out, first + 2);
    if (room) {
        room[0] = '"';
        memcpy(room + 1, value, first);
        room[first + 1] = '"';
        buf_grew(json->out, first + 2);
        return;
    }
    buf_char(json->out, '"');
    for (size_t left = strlen(value); left > 0;) {
        size_t plain = plain_bytes(value);
        if (plain) {
            buf_append(json->out, value, plain);
            value += plain;
            left -= plain;
            continue;
        }
        uint32_t code;
        size_t taken = escape_decode(value, left, &code);
        if (code == ESCAPE_INVALID) code = 0xfffd;
        if (code == '"' || code == '\\')
            buf_printf(json->out, "\\%c", (char)code);
        else if (escape_columns(code) == 0 || (json->ascii && code > 0x7e)) {
            if (code > 0xffff)
                buf_printf(json->out, "\\u%04x\\u%04x", 0xd800 + (unsigned)((code - 0x10000) >> 10),
                           0xdc00 + (unsigned)((code - 0x10000) & 0x3ff));
            else
                buf_printf(json->out, "\\u%04x", (unsigned)code);
        } else if (code == 0xfffd)
            buf_text(json->out, "\xef\xbf\xbd");
        else
            buf_append(json->out, value, taken);
        value += taken;
        left -= taken;
    }
    buf_char(json->out, '"');
}

/* As printf() would, which a story of many numbers waits for. */
static void put_number(struct json *json, uint64_t value, bool negative)
{
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    if (negative) digits[--at] = '-';
    buf_append(json->out, digits + at, sizeof(digits) - at);
}

static void begin_item(struct json *json, const char *key)
{
    if (json->has_item[json->depth]) buf_char(json->out, ',');
    json->has_item[json->depth] = true;
    if (!key) return;
    put_string(json, key);
    buf_char(json->out, ':');
}

static void begin_group(struct json *json, const char *key, char bracket)
{
    begin_item(json, key);
    buf_char(json->out, bracket);
    assert(json->depth + 1 < JSON_DEPTH_MAX);
    json->has_item[++json->depth] = false;
}

static void end_group(struct json *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    buf_char(json->out, bracket);
}

void json_object(struct json *json, const char *key)
{
    begin_group(json, key, '{');
}

void json_array(struct json *json, const char *key)
{
    begin_group(json, key, '[');
}

void json_end_object(struct json *json)
{
    end_group(json, '}');
}

void json_end_array(struct json *json)
{
    end_group(json, ']');
}

void json_string(struct json *json, const char *key, const char *value)
{
    if (!value) {
        json_null(json, key);
        return;
    }
    begin_item(json, key);
    put_string(json, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    begin_item(json, key);
    put_number(json, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
    begin_item(json, key);
    put_number(json, value, false);
}

void json_seconds(struct json *json, const char *key, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    begin_item(json, key);
    buf_printf(json->out, "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "", size / 1000000000, size % 1000000000);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_item(json, key);
    buf_text(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin_item(json, key);
    buf_text(json->out, "null");
}

void json_raw(struct json *json, const char *key, const char *value)
{
    begin_item(json, key);
    buf_text(json->out, value);
}

void json_maybe_int(struct json *json, const char *key, bool known, int64_t value)
{
    if (known)
        json_int(json, key, value);
    else
        json_null(json, key);
}

void json_newline(struct json *json)
{
    assert(json->depth == 0);
    buf_char(json->out, '\n');
    json->has_item[0] = false;
}
