#include "event/value.h"

#include <string.h>

/* Decimal digits alone: no sign but '-', no blanks, no other base. `length` bytes, not NUL-terminated. */
static bool to_number(const char *text, size_t length, uint64_t largest, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (length == 0) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        unsigned digit = (unsigned)(text[i] - '0');
        if (number > (largest - digit) / 10) return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

static void store(void *place, size_t bytes, uint64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (bytes) {
    case 1:
        memcpy(place, &u8, 1);
        break;
    case 2:
        memcpy(place, &u16, 2);
        break;
    case 4:
        memcpy(place, &u32, 4);
        break;
    default:
        memcpy(place, &value, 8);
        break;
    }
}

static bool read_unsigned(const char *text, void *place, size_t bytes)
{
    uint64_t number;
    if (!to_number(text, strlen(text), UINT64_MAX >> (64 - 8 * bytes), &number)) return false;
    store(place, bytes, number);
    return true;
}

static bool read_signed(const char *text, void *place, size_t bytes)
{
    uint64_t largest = (UINT64_MAX >> (64 - 8 * bytes)) / 2;
    bool negative = *text == '-';
    uint64_t number;
    if (!to_number(text + negative, strlen(text + negative), largest + negative, &number)) return false;
    store(place, bytes, negative ? 0 - number : number);
    return true;
}

static bool read_word(const struct event_field *field, const char *text, size_t length, uint8_t *ret_value)
{
    for (unsigned value = 0; value < 256; value++) {
        const char *word = field->word(value);
        if (!word || strlen(word) != length || memcmp(word, text, length) != 0) continue;
        *ret_value = (uint8_t)value;
        return true;
    }
    uint64_t number;
    if (!to_number(text, length, UINT8_MAX, &number)) return false;
    *ret_value = (uint8_t)number;
    return true;
}

/* The length of the next entry of a list; *text moves behind its separator, to NULL after the last. */
static size_t next_entry(const char **text, char separator, const char **ret_entry)
{
    *ret_entry = *text;
    const char *stop = strchr(*text, separator);
    size_t length = stop ? (size_t)(stop - *text) : strlen(*text);
    *text = stop ? stop + 1 : NULL;
    return length;
}

static bool read_bits(const struct event_field *field, const char *text, uint8_t *place)
{
    const char *entry;
    while (text) {
        size_t length = next_entry(&text, ',', &entry);
        uint8_t bits;
        if (!read_word(field, entry, length, &bits)) return false;
        *place |= bits;
    }
    return true;
}

static bool read_flags(const char *text, uint8_t *place)
{
    for (; *text; text++) {
        uint8_t bit = 0;
        for (size_t i = 0; i < EVENT_FLAGS; i++)
            if (event_flags[i].letter == *text) bit = event_flags[i].bit;
        if (!bit || (*place & bit)) return false;
        *place |= bit;
    }
    return true;
}

static bool read_address(const char *text, struct address *place)
{
    uint16_t port;
    if (text[0] != '?') return address_parse(text, place);
    if (text[1] != ':' || !read_unsigned(text + 2, &port, sizeof(port))) return false;
    *place = (struct address){.port = port};
    return true;
}

static bool read_ports(const char *text, uint16_t *ports, size_t capacity)
{
    const char *entry;
    for (size_t count = 0; text; count++) {
        size_t length = next_entry(&text, ',', &entry);
        uint64_t port;
        if (count == capacity || !to_number(entry, length, UINT16_MAX, &port)) return false;
        ports[count] = (uint16_t)port;
    }
    return true;
}

static bool read_watch(const char *text, size_t length, struct event_watch *ret_watch)
{
    uint64_t numbers[3];
    for (size_t i = 0; i < 3; i++) {
        const char *stop = i < 2 ? memchr(text, ':', length) : text + length;
        if (!stop) return false;
        size_t part = (size_t)(stop - text);
        if (!to_number(text, part, i < 2 ? UINT64_MAX : UINT32_MAX, &numbers[i])) return false;
        text += part + (i < 2);
        length -= part + (i < 2);
    }
    *ret_watch = (struct event_watch){numbers[0], numbers[1], (uint32_t)numbers[2]};
    return true;
}

static bool read_watches(const char *text, struct event_call *call)
{
    const char *entry;
    while (text) {
        size_t length = next_entry(&text, ',', &entry);
        if (call->watch_count == EVENT_WATCH_MAX || !read_watch(entry, length, &call->watch[call->watch_count])) return false;
        call->watch_count++;
    }
    return true;
}

bool value_read(const struct event_field *field, const char *text, size_t length, struct event *event)
{
    void *place = (char *)event + field->offset;
    switch (field->type) {
    case FIELD_UNSIGNED:
        return read_unsigned(text, place, field->bytes);
    case FIELD_SIGNED:
        return read_signed(text, place, field->bytes);
    case FIELD_BOOL:
        *(bool *)place = text[0] == '1';
        return (text[0] == '0' || text[0] == '1') && !text[1];
    case FIELD_WORD:
        return read_word(field, text, length, place);
    case FIELD_BITS:
        return read_bits(field, text, place);
    case FIELD_FLAGS:
        return read_flags(text, place);
    case FIELD_ADDRESS:
        return read_address(text, place);
    case FIELD_PORTS:
        return read_ports(text, place, field->bytes / sizeof(uint16_t));
    case FIELD_WATCHES:
        return read_watches(text, &event->call);
    default:
        return false;
    }
}
