#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "event/fields.h"
#include "event/text.h"
#include "event/value.h"

enum { SHORT_VALUE_BYTES = 512, CHAIN_BYTES = 64 * 1024 };

struct reader {
    const char *name;
    const char *at, *end; /* the rest of the text */
    const char *line_start, *line_end;
    size_t line;
    struct event_log *log;
    struct err *err;
};

/* A value as it stands in the line, without its quotes. */
struct value {
    const char *from, *to;
    bool quoted;
};

__attribute__((format(printf, 3, 4))) static int event_expected(const struct reader *reader, const char *where, const char *format,
                                                                ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), tr(format), args);
    va_end(args);
    size_t column = (size_t)(where - reader->line_start) + 1;
    if (!reader->line) return err_set(reader->err, -EINVAL, "%s: column %zu: expected %s", reader->name, column, what);
    return err_set(reader->err, -EINVAL, "%s:%zu:%zu: expected %s", reader->name, reader->line, column, what);
}

static int no_memory(const struct reader *reader)
{
    return err_set(reader->err, -ENOMEM, "%s:%zu: out of memory while reading events", reader->name, reader->line);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* The next byte of a value whose escapes have been checked; -1 at its end. */
static int next_byte(struct value *value, bool *ret_escaped)
{
    *ret_escaped = false;
    if (value->from == value->to) return -1;
    if (!value->quoted || *value->from != '\\') return (unsigned char)*value->from++;
    *ret_escaped = true;
    char c = value->from[1];
    if (c != 'x') return value->from += 2, (unsigned char)c;
    int byte = hex_digit(value->from[2]) * 16 + hex_digit(value->from[3]);
    value->from += 4;
    return byte;
}

static bool is_escape(const char *at, const char *end)
{
    if (end - at < 2) return false;
    if (at[1] == '\\' || at[1] == '"') return true;
    return end - at >= 4 && at[1] == 'x' && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0;
}

static int take_quoted(struct reader *reader, struct value *ret_value)
{
    const char *at = reader->at + 1;
    ret_value->from = at;
    ret_value->quoted = true;
    while (at < reader->line_end && *at != '"') {
        if (*at == '\\') {
            if (!is_escape(at, reader->line_end))
                return event_expected(reader, at, "\\\\, \\\" or \\xNN (two lower-case hex digits)");
            at += at[1] == 'x' ? 4 : 2;
        } else if (*at < ' ' || *at >= 0x7f) {
            return event_expected(reader, at, "\\x%02x for this byte", (unsigned)(unsigned char)*at);
        } else {
            at++;
        }
    }
    if (at == reader->line_end) return event_expected(reader, at, "\" at the end of the value");
    ret_value->to = at;
    reader->at = at + 1;
    if (reader->at < reader->line_end && *reader->at != ' ') return event_expected(reader, reader->at, "a space after the value");
    return 0;
}

static int take_value(struct reader *reader, struct value *ret_value)
{
    if (reader->at < reader->line_end && *reader->at == '"') return take_quoted(reader, ret_value);
    const char *at = reader->at;
    for (; at < reader->line_end && *at != ' '; at++)
        if (*at < ' ' || *at >= 0x7f || *at == '"' || *at == '#' || *at == '=')
            return event_expected(reader, at, "a value in double quotes, because of this character");
    if (at == reader->at) return event_expected(reader, at, "a value (\"\" for an empty one)");
    *ret_value = (struct value){reader->at, at, false};
    reader->at = at;
    return 0;
}

static int read_short(struct reader *reader, struct value value, const struct event_field *field, struct event *event)
{
    static const char *const wanted[FIELD_TYPES] = {
        [FIELD_UNSIGNED] = TR("a number from 0 that fits"),
        [FIELD_SIGNED] = TR("a whole number that fits"),
        [FIELD_BOOL] = TR("0 or 1"),
        [FIELD_WORD] = TR("a known word, or a number up to 255"),
        [FIELD_BITS] = TR("known words, joined by commas"),
        [FIELD_FLAGS] = TR("letters out of SFRP.UEW, each once"),
        [FIELD_ADDRESS] = TR("an address such as 127.0.0.1:3333 or [::1]:3333"),
        [FIELD_PORTS] = TR("up to 8 port numbers, joined by commas"),
        [FIELD_WATCHES] = TR("up to 8 entries cookie:data:events, joined by commas"),
    };
    const char *where = value.from;
    char text[SHORT_VALUE_BYTES];
    size_t length = 0;
    bool escaped, fits = true;
    for (int byte; fits && (byte = next_byte(&value, &escaped)) >= 0;) {
        fits = byte != '\0' && length < sizeof(text) - 1;
        if (fits) text[length++] = (char)byte;
    }
    text[length] = '\0';
    if (fits) fits = value_read(field, text, length, event);
    return fits ? 0 : event_expected(reader, where, "%s", tr(wanted[field->type]));
}

static int read_text(struct reader *reader, struct value value, const struct event_field *field, struct event *event)
{
    const char *where = value.from;
    char *place = (char *)event + field->offset;
    bool escaped;
    size_t length = 0;
    for (int byte; (byte = next_byte(&value, &escaped)) >= 0;) {
        if (byte == '\0' || length == field->bytes - 1)
            return event_expected(reader, where, "a text of at most %zu bytes, without \\x00", field->bytes - 1);
        place[length++] = (char)byte;
    }
    return 0;
}

static int read_chain(struct reader *reader, struct value value, const struct event_field *field, struct event *event)
{
    const char *where = value.from;
    struct buf joined = buf_new(CHAIN_BYTES);
    size_t starts[EVENT_CHAIN_MAX] = {0};
    size_t count = 1;
    bool escaped, sound = true;
    for (int byte; sound && (byte = next_byte(&value, &escaped)) >= 0;) {
        bool separates = byte == ';' && !escaped;
        sound = byte != '\0' && !(separates && count == EVENT_CHAIN_MAX) && !buf_char(&joined, separates ? '\0' : (char)byte);
        if (sound && separates) starts[count++] = joined.length;
    }
    int code = 0;
    if (sound) {
        const char *names[EVENT_CHAIN_MAX];
        for (size_t i = 0; i < count; i++) names[i] = buf_string(&joined) + starts[i];
        const struct event_chain *chain = event_log_chain(reader->log, names, count);
        memcpy((char *)event + field->offset, &chain, sizeof(chain));
        if (!chain) code = no_memory(reader);
    } else {
        code = event_expected(reader, where, "at most %d function names, joined by semicolons", EVENT_CHAIN_MAX);
    }
    buf_free(&joined);
    return code;
}

static int read_hex(struct reader *reader, struct value value, struct event *event)
{
    const char *where = value.from;
    struct buf bytes = buf_new((size_t)(value.to - value.from));
    bool escaped, sound = true;
    for (int high; sound && (high = next_byte(&value, &escaped)) >= 0;) {
        int low = next_byte(&value, &escaped);
        sound = low >= 0 && hex_digit((char)high) >= 0 && hex_digit((char)low) >= 0;
        if (sound && buf_char(&bytes, (char)(hex_digit((char)high) * 16 + hex_digit((char)low)))) sound = false;
    }
    int code = 0;
    struct event_packet *packet = &event->packet;
    if (!sound)
        code = event_expected(reader, where, "an even number of lower-case hex digits");
    else if (packet->captured_bytes != bytes.length)
        code = event_expected(reader, where, "captured=%zu before these %zu bytes", bytes.length, bytes.length);
    else if (bytes.length && !(packet->bytes = event_log_bytes(reader->log, (const uint8_t *)bytes.data, bytes.length)))
        code = no_memory(reader);
    buf_free(&bytes);
    return code;
}

static int read_field(struct reader *reader, const struct event_field *field, struct event *event)
{
    struct value value;
    int code = take_value(reader, &value);
    if (code) return code;
    switch (field->type) {
    case FIELD_TEXT:
        return read_text(reader, value, field, event);
    case FIELD_CHAIN:
        return read_chain(reader, value, field, event);
    case FIELD_HEX:
        return read_hex(reader, value, event);
    default:
        return read_short(reader, value, field, event);
    }
}

/* Moves to the end of the word that begins here: up to a space, '=' or the end of the line. */
static size_t take_word(struct reader *reader)
{
    const char *from = reader->at;
    while (reader->at < reader->line_end && *reader->at != ' ' && *reader->at != '=') reader->at++;
    return (size_t)(reader->at - from);
}

static bool is_word(const char *word, const char *text, size_t length)
{
    return word && strlen(word) == length && memcmp(word, text, length) == 0;
}

static int read_event(struct reader *reader, struct event *event)
{
    const char *word = reader->at;
    size_t length = take_word(reader);
    memset(event, 0, sizeof(*event));
    for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++)
        if (is_word(event_fields_word((enum event_kind)kind), word, length)) event->kind = (enum event_kind)kind;
    if (event->kind == EVENT_NONE) return event_expected(reader, word, "a kind of event (trace, packet, enter, mark, …)");

    size_t count;
    const struct event_field *fields = event_fields_of(event->kind, &count);
    uint64_t seen = 0;
    while (reader->at < reader->line_end) {
        if (*reader->at != ' ') return event_expected(reader, reader->at, "a space");
        reader->at++;
        const char *key = reader->at;
        length = take_word(reader);
        size_t i = 0;
        while (i < count && !is_word(fields[i].key, key, length)) i++;
        if (i == count) return event_expected(reader, key, "a key that a %s has", event_fields_word(event->kind));
        if (reader->at == reader->line_end || *reader->at != '=') return event_expected(reader, reader->at, "= and a value");
        if (seen >> i & 1) return event_expected(reader, key, "each key once");
        seen |= (uint64_t)1 << i;
        reader->at++;
        int code = read_field(reader, &fields[i], event);
        if (code) return code;
    }
    return 0;
}

static int read_line(struct reader *reader)
{
    struct event event;
    int code = read_event(reader, &event);
    if (code) return code;
    return event_log_append(reader->log, &event) ? no_memory(reader) : 0;
}

int event_text_read_event(const char *name, const char *line, size_t length, struct event_log *log, struct event *ret_event,
                          struct err *err)
{
    struct reader reader = {
        .name = name, .at = line, .end = line + length, .line_start = line, .line_end = line + length, .log = log, .err = err};
    return read_event(&reader, ret_event);
}

int event_text_read(const char *name, const char *text, size_t length, struct event_log *log, struct err *err)
{
    struct reader reader = {.name = name, .at = text, .end = text + length, .line_start = text, .log = log, .err = err};
    int code = 0;
    do {
        reader.line++;
        reader.line_start = reader.at;
        size_t left = (size_t)(reader.end - reader.at);
        const char *newline = left ? memchr(reader.at, '\n', left) : NULL;
        reader.line_end = newline ? newline : reader.end;
        bool empty = reader.line_end == reader.line_start;
        if (reader.line == 1 && !is_word(EVENT_TEXT_FIRST_LINE, text, (size_t)(reader.line_end - text)))
            code = event_expected(&reader, text, "\"%s\" as the first line", EVENT_TEXT_FIRST_LINE);
        else if (!empty && *reader.line_start != '#')
            code = read_line(&reader);
        reader.at = newline ? newline + 1 : reader.end;
    } while (!code && reader.at < reader.end);
    return code;
}
