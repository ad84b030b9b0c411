#include "event/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "event/fields.h"

static uint64_t load_unsigned(const void *place, size_t bytes)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (bytes) {
    case 1:
        return memcpy(&u8, place, 1), u8;
    case 2:
        return memcpy(&u16, place, 2), u16;
    case 4:
        return memcpy(&u32, place, 4), u32;
    default:
        return memcpy(&u64, place, 8), u64;
    }
}

static int64_t load_signed(const void *place, size_t bytes)
{
    uint64_t value = load_unsigned(place, bytes);
    unsigned above = 64 - 8 * (unsigned)bytes;
    return (int64_t)(value << above) >> above;
}

/* What may stand without quotes; the reader's rule for bare values follows from the same list. */
static bool is_bare(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '#' && c != '=' && c != '\\';
}

static void write_escaped(struct buf *out, const char *text, size_t length, char also)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < ' ' || c >= 0x7f || (also && c == also))
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
        else
            buf_char(out, c);
    }
}

static void write_text(struct buf *out, const char *text, size_t length)
{
    bool bare = length > 0;
    for (size_t i = 0; i < length; i++) bare = bare && is_bare(text[i]);
    if (bare) {
        buf_append(out, text, length);
        return;
    }
    buf_char(out, '"');
    write_escaped(out, text, length, '\0');
    buf_char(out, '"');
}

static void write_chain(struct buf *out, const struct event_chain *chain)
{
    bool bare = chain->count > 1 || chain->names[0][0];
    for (size_t i = 0; i < chain->count; i++)
        for (const char *c = chain->names[i]; *c; c++) bare = bare && is_bare(*c) && *c != ';';
    if (!bare) buf_char(out, '"');
    for (size_t i = 0; i < chain->count; i++) {
        if (i) buf_char(out, ';');
        write_escaped(out, chain->names[i], strlen(chain->names[i]), ';');
    }
    if (!bare) buf_char(out, '"');
}

static void write_address(struct buf *out, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    buf_text(out, address_format(address, text));
    if (address->version == 0) buf_printf(out, ":%u", (unsigned)address->port);
}

static void write_flags(struct buf *out, uint8_t flags)
{
    for (size_t i = 0; i < EVENT_FLAGS; i++)
        if (flags & event_flags[i].bit) buf_char(out, event_flags[i].letter);
}

static void write_word(struct buf *out, const struct event_field *field, uint8_t value)
{
    const char *word = field->word(value);
    if (word)
        buf_text(out, word);
    else
        buf_printf(out, "%u", (unsigned)value);
}

static void write_bits(struct buf *out, const struct event_field *field, uint8_t value)
{
    const char *comma = "";
    for (unsigned bit = 1; bit < 256; bit <<= 1) {
        if (!(value & bit)) continue;
        buf_text(out, comma);
        write_word(out, field, (uint8_t)bit);
        comma = ",";
    }
}

static void write_ports(struct buf *out, const uint16_t *ports, size_t count)
{
    while (count && !ports[count - 1]) count--;
    for (size_t i = 0; i < count; i++) buf_printf(out, i ? ",%u" : "%u", (unsigned)ports[i]);
}

static size_t watches_in(const struct event_call *call)
{
    return call->watch_count < EVENT_WATCH_MAX ? call->watch_count : EVENT_WATCH_MAX;
}

static void write_watches(struct buf *out, const struct event_call *call)
{
    for (size_t i = 0; i < watches_in(call); i++)
        buf_printf(out, "%s%" PRIu64 ":%" PRIu64 ":%" PRIu32, i ? "," : "", call->watch[i].cookie, call->watch[i].data,
                   call->watch[i].events);
}

static void write_hex(struct buf *out, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        buf_append(out, pair, 2);
    }
}

static void write_value(struct buf *out, const struct event_field *field, const struct event *event)
{
    const void *place = (const char *)event + field->offset;
    switch (field->type) {
    case FIELD_UNSIGNED:
    case FIELD_BOOL:
        buf_printf(out, "%" PRIu64, load_unsigned(place, field->bytes));
        break;
    case FIELD_SIGNED:
        buf_printf(out, "%" PRId64, load_signed(place, field->bytes));
        break;
    case FIELD_WORD:
        write_word(out, field, *(const uint8_t *)place);
        break;
    case FIELD_BITS:
        write_bits(out, field, *(const uint8_t *)place);
        break;
    case FIELD_FLAGS:
        write_flags(out, *(const uint8_t *)place);
        break;
    case FIELD_TEXT:
        write_text(out, place, strnlen(place, field->bytes));
        break;
    case FIELD_ADDRESS:
        write_address(out, place);
        break;
    case FIELD_PORTS:
        write_ports(out, place, field->bytes / sizeof(uint16_t));
        break;
    case FIELD_CHAIN:
        write_chain(out, *(const struct event_chain *const *)place);
        break;
    case FIELD_WATCHES:
        write_watches(out, &event->call);
        break;
    case FIELD_HEX:
        write_hex(out, event->packet.bytes, event->packet.captured_bytes);
        break;
    case FIELD_TYPES:
        break;
    }
}

static bool is_zero(const struct event_field *field, const struct event *event)
{
    const char *place = (const char *)event + field->offset;
    if (field->type == FIELD_TEXT) return !*place;
    if (field->type == FIELD_WATCHES) return !event->call.watch_count;
    if (field->type == FIELD_HEX) return !event->packet.bytes || !event->packet.captured_bytes;
    for (size_t i = 0; i < field->bytes; i++)
        if (place[i]) return false;
    return true;
}

int event_text_write(struct buf *out, const struct event *event)
{
    const char *word = event_fields_word(event->kind);
    if (!word) return -EINVAL;
    buf_text(out, word);
    size_t count;
    const struct event_field *fields = event_fields_of(event->kind, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_zero(&fields[i], event)) continue;
        buf_printf(out, " %s=", fields[i].key);
        write_value(out, &fields[i], event);
    }
    return buf_char(out, '\n');
}

int event_text_write_log(struct buf *out, const struct event_log *log)
{
    int code = buf_text(out, EVENT_TEXT_FIRST_LINE "\n");
    for (size_t i = 0; !code && i < event_log_count(log); i++) code = event_text_write(out, event_log_at(log, i));
    return code;
}
