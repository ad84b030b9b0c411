#include "viz/line.h"

#include <string.h>

static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                            "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

void line_uint(struct line *line, uint64_t value)
{
    char digits[20], *at = digits + sizeof(digits);
    while (value >= 100) {
        at -= 2;
        memcpy(at, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, pairs + value * 2, 2);
    } else {
        *--at = (char)('0' + value);
    }
    line_put(line, at, (size_t)(digits + sizeof(digits) - at));
}

void line_seconds(struct line *line, int64_t ns, int digits)
{
    uint64_t whole = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0) line_char(line, '-');
    line_uint(line, whole / 1000000000);
    if (digits <= 0) return;
    char text[10] = ".";
    uint64_t part = whole % 1000000000;
    for (int i = 9; i > 0; i--) {
        text[i] = (char)('0' + part % 10);
        part /= 10;
    }
    line_put(line, text, (size_t)(digits > 9 ? 9 : digits) + 1);
}

/* value / unit with as many decimals as make three figures. */
static void put_scaled(struct line *line, uint64_t value, uint64_t unit, const char *name)
{
    uint64_t whole = value / unit, rest = value % unit;
    line_uint(line, whole);
    if (whole < 100 && unit > 1) {
        line_char(line, '.');
        line_char(line, (char)('0' + rest * 10 / unit));
        if (whole < 10) line_char(line, (char)('0' + rest * 100 / unit % 10));
    }
    line_text(line, name);
}

static void put_micro(struct line *line, uint64_t value, bool ascii)
{
    line_uint(line, value);
    line_text(line, ascii ? "us" : "µs");
    if (!ascii) line->columns--; /* two bytes, one column */
}

void line_duration(struct line *line, int64_t ns, bool ascii)
{
    uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
    if (value < 1000)
        put_scaled(line, value, 1, "ns");
    else if (value < 1000000)
        put_micro(line, value / 1000, ascii);
    else if (value < 1000000000)
        put_scaled(line, value, 1000000, "ms");
    else
        put_scaled(line, value, 1000000000, "s");
}

void line_amount(struct line *line, uint64_t value)
{
    static const char names[][2] = {"", "K", "M", "G", "T", "P", "E"};
    uint64_t unit = 1;
    size_t power = 0;
    while (value / unit >= 1000 && power + 1 < sizeof(names) / sizeof(names[0])) {
        unit *= 1000;
        power++;
    }
    put_scaled(line, value, unit, names[power]);
}

void line_ip(struct line *line, const struct address *address)
{
    if (address->version != 4) {
        char text[ADDRESS_TEXT_BYTES];
        line_text(line, address_format_ip(address, text));
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        if (i) line_char(line, '.');
        line_uint(line, address->ip[i]);
    }
}

void line_address(struct line *line, const struct address *address)
{
    if (address->version == 6) line_char(line, '[');
    line_ip(line, address);
    if (address->version == 6) line_char(line, ']');
    line_char(line, ':');
    line_uint(line, address->port);
}

void line_pad(struct line *line, size_t column, bool gap)
{
    static const char blanks[] = "                                                                ";
    if (gap && line->columns >= column) line_char(line, ' ');
    while (line->columns < column && !line->failed) {
        size_t more = column - line->columns;
        line_put(line, blanks, more < sizeof(blanks) - 1 ? more : sizeof(blanks) - 1);
    }
}

void line_align_right(struct line *line, size_t from, size_t column)
{
    if (line->columns >= column || line->failed) return;
    size_t shift = column - line->columns;
    if (shift > LINE_BYTES - line->length) {
        line->failed = true;
        return;
    }
    memmove(line->text + from + shift, line->text + from, line->length - from);
    memset(line->text + from, ' ', shift);
    line->length += shift;
    line->columns += shift;
}
