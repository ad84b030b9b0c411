#include "saved/saved_read.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "event/text.h"
#include "pcapng/reader.h"
#include "saved/saved.h"

enum { PLACE_BYTES = 512, EVENTS_MOST = 4096, WAS_BYTES = 64 };

struct reading {
    const char *name;
    struct event_log *log;
    struct err *err;
    struct pcapng_reader *reader;
    uint64_t packets, events;
    size_t at; /* of the block that is being read */
    bool begun;
};

__attribute__((format(printf, 2, 3))) static int saved_wrong(const struct reading *reading, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), tr(format), args);
    va_end(args);
    return err_set(reading->err, -EBADMSG, "%s: packet %" PRIu64 ", offset %zu: %s", reading->name, reading->packets + 1,
                   reading->at, what);
}

/* ---- what it is ---- */

size_t saved_head_needs(const void *head, size_t length)
{
    const uint8_t *bytes = head;
    bool swapped;
    if (length < PCAPNG_FRAME_BYTES) return PCAPNG_FRAME_BYTES;
    if (pcapng_u32(bytes, false) != PCAPNG_SECTION_HEADER || !pcapng_section_order(bytes, &swapped)) return length;
    uint32_t block = pcapng_u32(bytes + 4, swapped);
    return block < SAVED_HEAD_BYTES_MOST ? block : SAVED_HEAD_BYTES_MOST;
}

bool saved_is_run(const void *head, size_t length)
{
    const uint8_t *bytes = head;
    struct pcapng_option option;
    bool swapped;
    size_t at = 0, words = strlen(SAVED_RUN);
    if (length < PCAPNG_SECTION_BYTES_MIN || pcapng_u32(bytes, false) != PCAPNG_SECTION_HEADER) return false;
    if (!pcapng_section_order(bytes, &swapped)) return false;
    uint32_t block = pcapng_u32(bytes + 4, swapped);
    if (block < PCAPNG_SECTION_BYTES_MIN) return false;
    size_t options = block < length ? block - PCAPNG_SECTION_BYTES_MIN : length - PCAPNG_SECTION_BYTES_MIN;
    while (pcapng_option_next(bytes + PCAPNG_SECTION_BYTES_MIN - 4, options, swapped, &at, &option) == PCAPNG_OPTION)
        if (option.code == PCAPNG_OPTION_COMMENT && option.length >= words && !memcmp(option.value, SAVED_RUN, words) &&
            (option.length == words || option.value[words] == ' '))
            return true;
    return false;
}

/* ---- events ---- */

static int read_event(struct reading *reading, const char *line, size_t length, struct event *ret_event)
{
    char place[PLACE_BYTES];
    snprintf(place, sizeof(place), tr("%.300s: packet %" PRIu64 ", offset %zu: its event"), reading->name, reading->packets + 1,
             reading->at);
    int code = event_text_read_event(place, line, length, reading->log, ret_event, reading->err);
    return code == -EINVAL ? -EBADMSG : code;
}

static int append(struct reading *reading, const struct event *event)
{
    reading->events++;
    return event_log_append(reading->log, event) ? err_set_errno(reading->err, -ENOMEM, "can't read %s", reading->name) : 0;
}

static int take_line(struct reading *reading, const char *line, size_t length)
{
    struct event event;
    int code = read_event(reading, line, length, &event);
    return code ? code : append(reading, &event);
}

/* ---- journal entries ---- */

/* A field whose value is no single line: its key, then 64 bits of length, then that many bytes (systemd's Journal Export Format).
 * Returns what is behind it; NULL: it ends behind the entry. */
static const char *behind_binary(const char *at, const char *end)
{
    uint64_t length = 0;
    if (end - at < 8) return NULL;
    for (int i = 7; i >= 0; i--) length = length << 8 | (uint8_t)at[i];
    at += 8;
    return length < (uint64_t)(end - at) ? at + length + 1 : NULL;
}

static int read_entry(struct reading *reading, const char *entry, size_t length)
{
    static const char key[] = "TCPWHY_EVENT=";
    const size_t key_bytes = strlen(key);
    const char *end = entry + length;
    int code = 0;
    for (const char *at = entry; !code && at && at < end && *at;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline) return 0; /* no field ends here: padding, or another's */
        size_t bytes = (size_t)(newline - at);
        const char *field = at;
        at = memchr(field, '=', bytes) ? newline + 1 : behind_binary(newline + 1, end);
        if (bytes > key_bytes && !memcmp(field, key, key_bytes)) code = take_line(reading, field + key_bytes, bytes - key_bytes);
    }
    return code;
}

/* ---- packets ---- */

static bool unhex(const char *text, uint8_t *bytes, size_t room, size_t *ret_length)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = strlen(text);
    if (length % 2 || length / 2 > room) return false;
    for (size_t i = 0; i < length; i += 2) {
        const char *high = strchr(digits, text[i]), *low = strchr(digits, text[i + 1]);
        if (!high || !low) return false;
        bytes[i / 2] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    *ret_length = length / 2;
    return true;
}

/* The bytes as they were captured: the link layer may have been another's (saved_link.c). */
static int restore_bytes(struct reading *reading, const struct pcapng_packet *packet, const json_t *data, struct event *event)
{
    uint8_t was[WAS_BYTES];
    size_t was_bytes = 0;
    if (json_is_true(json_object_get(data, "made"))) { /* by the writer, from the event */
        if (!event->packet.captured_bytes) return 0;
        return saved_wrong(reading, "its event was captured, and its bytes are said not to be");
    }
    const char *text = json_string_value(json_object_get(data, "link_was"));
    json_int_t head = json_integer_value(json_object_get(data, "link_head"));
    if (head < 0 || head > packet->captured || (text && !unhex(text, was, sizeof(was), &was_bytes)))
        return saved_wrong(reading, "what it says of its link layer can't be");
    const uint32_t kept = packet->captured - (uint32_t)head;
    if (event->packet.captured_bytes != was_bytes + kept)
        return saved_wrong(reading, "its event was captured with %" PRIu32 " bytes, and %zu are here", event->packet.captured_bytes,
                           was_bytes + kept);
    struct buf bytes = buf_new(was_bytes + kept);
    buf_append(&bytes, was, was_bytes);
    buf_append(&bytes, packet->bytes + head, kept);
    if (bytes.length) event->packet.bytes = event_log_bytes(reading->log, (const uint8_t *)bytes.data, bytes.length);
    int code = bytes.failed || (bytes.length && !event->packet.bytes)
                   ? err_set_errno(reading->err, -ENOMEM, "can't read %s", reading->name)
                   : 0;
    buf_free(&bytes);
    return code;
}

static int read_data(struct reading *reading, const struct pcapng_packet *packet, const json_t *data)
{
    const json_t *events = json_object_get(data, "events");
    size_t count = json_array_size(events);
    if (!count || count > EVENTS_MOST) return saved_wrong(reading, "the data beside it names no events");
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) {
        const json_t *line = json_array_get(events, i);
        struct event event;
        if (!json_is_string(line)) return saved_wrong(reading, "an event beside it is no text");
        code = read_event(reading, json_string_value(line), json_string_length(line), &event);
        if (!code && i + 1 == count)
            code = event.kind == EVENT_PACKET ? restore_bytes(reading, packet, data, &event)
                                              : saved_wrong(reading, "the last event beside it is no packet");
        if (!code) code = append(reading, &event);
    }
    return code;
}

/* The text of the custom option that is ours; NULL: there is none. */
static const char *find_data(const struct pcapng_packet *packet, size_t *ret_length)
{
    struct pcapng_option option;
    size_t at = 0;
    while (pcapng_option_next(packet->options, packet->options_bytes, packet->swapped, &at, &option) == PCAPNG_OPTION) {
        if (option.code != PCAPNG_OPTION_CUSTOM_TEXT || option.length < 4) continue;
        if (pcapng_u32(option.value, packet->swapped) != SAVED_ENTERPRISE) continue;
        *ret_length = option.length - 4U;
        return (const char *)option.value + 4;
    }
    return NULL;
}

static int read_packet(struct reading *reading, const struct pcapng_packet *packet)
{
    size_t length = 0;
    json_error_t error;
    const char *text = packet->options_bytes ? find_data(packet, &length) : NULL;
    if (!text) return saved_wrong(reading, "it has no data of tcpwhy's beside it: another program put it there, or took that away");
    json_t *data = json_loadb(text, length, 0, &error);
    if (!data) return saved_wrong(reading, "the data beside it is no JSON: %.120s (column %d)", error.text, error.column);
    int code = read_data(reading, packet, data);
    json_decref(data);
    return code;
}

/* ---- blocks ---- */

static int read_block(struct reading *reading, const struct pcapng_step *step, const uint8_t *block)
{
    if (step->unchecked) return saved_wrong(reading, "a block of %" PRIu64 " bytes is too large", step->used);
    if (step->type == PCAPNG_SECTION_HEADER) {
        if (reading->begun)
            return saved_wrong(reading,
                               "another section begins here: a saved run has one (was this put together from several files?)");
        reading->begun = true;
    }
    if (step->type != PCAPNG_JOURNAL) return 0;
    return read_entry(reading, (const char *)block + 8, (size_t)step->used - PCAPNG_FRAME_BYTES);
}

static int read_next(struct reading *reading, const uint8_t *bytes, size_t left, size_t *ret_used)
{
    struct pcapng_step step;
    int code = 0;
    switch (pcapng_reader_next(reading->reader, bytes, left, &step)) {
    case PCAPNG_PACKET:
        code = read_packet(reading, &step.packet);
        reading->packets++;
        break;
    case PCAPNG_BLOCK:
        code = read_block(reading, &step, bytes);
        break;
    case PCAPNG_MORE:
        return saved_wrong(reading, "the file ends inside a block of at least %zu bytes: %zu of them are there", step.need, left);
    case PCAPNG_DAMAGED:
        return saved_wrong(reading, "%s", step.text);
    default:
        return err_set_errno(reading->err, -ENOMEM, "can't read %s", reading->name);
    }
    *ret_used = (size_t)step.used;
    return code;
}

int saved_read(const char *name, const void *bytes, size_t length, struct event_log *log, struct err *err)
{
    struct reading reading = {.name = name, .log = log, .err = err, .reader = pcapng_reader_new()};
    int code = reading.reader ? 0 : err_set_errno(err, -ENOMEM, "can't read %s", name);
    while (!code && reading.at < length) {
        size_t used = 0;
        code = read_next(&reading, (const uint8_t *)bytes + reading.at, length - reading.at, &used);
        reading.at += used;
    }
    if (!code && !reading.events) code = err_set(err, -EBADMSG, "%s says that it is a run of tcpwhy's, and holds no events", name);
    pcapng_reader_free(reading.reader);
    return code;
}
