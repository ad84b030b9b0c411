#include "viz/pen/line.h"

const char line_pairs[201] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                             "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

char *line_seconds(char *at, int64_t ns, int digits)
{
    uint64_t whole = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint32_t part = (uint32_t)(whole % 1000000000), micro = part / 1000, nano = part % 1000;
    if (ns < 0) *at++ = '-';
    at = line_uint(at, whole / 1000000000);
    if (digits <= 0) return at;
    at[0] = '.';
    line_pair(at + 1, micro / 10000);
    line_pair(at + 3, micro / 100 % 100);
    line_pair(at + 5, micro % 100);
    at[7] = (char)('0' + nano / 100);
    line_pair(at + 8, nano % 100);
    return at + 1 + (digits > 9 ? 9 : digits);
}

/* value / unit with as many decimals as make three figures. */
static inline struct line_scaled scale(uint64_t value, uint64_t unit, const char name[4], uint8_t name_bytes)
{
    uint64_t whole = value / unit, rest = value % unit;
    struct line_scaled scaled = {.whole = whole, .unit_bytes = name_bytes, .unit_columns = name_bytes};
    if (unit > 1 && whole < 100) {
        scaled.decimals = whole < 10 ? 2 : 1;
        scaled.hundredths = (uint8_t)(rest / (unit / 100));
    }
    memcpy(scaled.unit, name, sizeof(scaled.unit));
    return scaled;
}

struct line_scaled line_duration(int64_t ns, bool ascii)
{
    uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
    if (value < 1000) return scale(value, 1, "ns\0", 2);
    if (value >= 1000000000) return scale(value, 1000000000, "s\0\0", 1);
    if (value >= 1000000) return scale(value, 1000000, "ms\0", 2);
    if (ascii) return scale(value / 1000, 1, "us\0", 2);
    struct line_scaled scaled = scale(value / 1000, 1, "\xc2\xb5s", 3);
    scaled.unit_columns = 2;
    return scaled;
}

struct line_scaled line_amount(uint64_t value)
{
    if (value < 1000) return scale(value, 1, "\0\0\0", 0);
    if (value < 1000000) return scale(value, 1000, "K\0\0", 1);
    if (value < 1000000000) return scale(value, 1000000, "M\0\0", 1);
    static const char names[][4] = {"G", "T", "P", "E"};
    uint64_t unit = 1000000000;
    size_t power = 0;
    for (; value / unit >= 1000 && power < 3; power++) unit *= 1000;
    return scale(value, unit, names[power], 1);
}

unsigned line_scaled_columns(const struct line_scaled *scaled)
{
    return line_digits(scaled->whole) + (scaled->decimals ? 1u + scaled->decimals : 0u) + scaled->unit_columns;
}

char *line_scaled(char *at, const struct line_scaled *scaled)
{
    at = line_uint(at, scaled->whole);
    if (scaled->decimals) {
        at[0] = '.';
        line_pair(at + 1, scaled->hundredths);
        at += 1 + scaled->decimals;
    }
    memcpy(at, scaled->unit, sizeof(scaled->unit));
    return at + scaled->unit_bytes;
}

/* "127." for 127: three digits and the dot as one word (the first in the lowest byte), less the noughts before them. */
static inline char *put_octet(char *at, unsigned value)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");
    uint16_t pair;
    memcpy(&pair, line_pairs + (size_t)(value % 100) * 2, 2);
    uint32_t text = ('0' + value / 100) | (uint32_t)pair << 8 | (uint32_t)'.' << 24;
    unsigned noughts = (unsigned)(value < 100) + (unsigned)(value < 10);
    text >>= 8 * noughts;
    memcpy(at, &text, sizeof(text));
    return at + sizeof(text) - noughts;
}

static inline char *put_ip(char *at, const struct address *address)
{
    if (address->version != 4) {
        char text[ADDRESS_TEXT_BYTES];
        return line_text(at, address_format_ip(address, text));
    }
    for (size_t i = 0; i < 4; i++) at = put_octet(at, address->ip[i]);
    return at - 1; /* the last dot */
}

char *line_ip(char *at, const struct address *address)
{
    return put_ip(at, address);
}

char *line_address(char *at, const struct address *address)
{
    if (address->version == 6) *at++ = '[';
    at = put_ip(at, address);
    if (address->version == 6) *at++ = ']';
    *at++ = ':';
    return line_uint(at, address->port);
}
