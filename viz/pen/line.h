/* Pieces of a line of output, put together quickly: plain numbers, times and addresses.
 *
 * For views of many rows, where formatting must not cost more than reading. Each function writes at `at` and returns where it
 * ended, so that a row is put together in registers. Nothing is checked: the caller has room for the most that each can write (said
 * beside it) and LINE_SLACK bytes more, since blocks of fixed size are written where that is quicker. Everything is our own or
 * numeric: text from outside goes through viz/pen/escape.h instead. */
#ifndef TCPWHY_VIZ_LINE_H
#define TCPWHY_VIZ_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"

enum {
    LINE_SLACK = 32,
    LINE_UINT_BYTES = 20,
    LINE_SECONDS_BYTES = 22,
    LINE_SCALED_BYTES = 26,
    LINE_ADDRESS_BYTES = ADDRESS_TEXT_BYTES
};

static inline char *line_char(char *at, char c)
{
    *at = c;
    return at + 1;
}
static inline char *line_put(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}
static inline char *line_text(char *at, const char *text)
{
    return line_put(at, text, strlen(text));
}
static inline char *line_blanks(char *at, size_t count)
{
    char *end = at + count;
    do {
        memset(at, ' ', LINE_SLACK);
        at += LINE_SLACK;
    } while (at < end);
    return end;
}

/* "00" … "99". */
extern const char line_pairs[201];
static inline char *line_pair(char *at, size_t value)
{
    memcpy(at, line_pairs + value * 2, 2);
    return at + 2;
}

/* How many digits line_uint writes. */
static inline unsigned line_digits(uint64_t value)
{
    for (unsigned digits = 1;; digits += 4, value /= 10000) {
        if (value < 10) return digits;
        if (value < 100) return digits + 1;
        if (value < 1000) return digits + 2;
        if (value < 10000) return digits + 3;
    }
}
/* `digits` is line_digits(value). */
static inline char *line_digits_put(char *at, uint64_t value, unsigned digits)
{
    char *end = at + digits, *to = end;
    while (value >= 100) {
        to -= 2;
        line_pair(to, value % 100);
        value /= 100;
    }
    if (value >= 10)
        line_pair(to - 2, value);
    else
        to[-1] = (char)('0' + value);
    return end;
}
static inline char *line_uint(char *at, uint64_t value)
{
    return line_digits_put(at, value, line_digits(value));
}

/* "1700000000.123456789" with `digits` (0 to 9) behind the point; what lies behind is cut off. Negative times too. */
char *line_seconds(char *at, int64_t ns, int digits);

/* A number of three figures or so with its unit, for people. */
struct line_scaled {
    uint64_t whole;
    uint8_t hundredths;
    uint8_t decimals; /* 0 to 2 */
    uint8_t unit_bytes, unit_columns;
    char unit[4];
};
/* "43µs" "1.20ms" "3.4s"; `ascii`: "us". */
struct line_scaled line_duration(int64_t ns, bool ascii);
/* "950" "12.3K" "4.5M": powers of 1000. */
struct line_scaled line_amount(uint64_t value);
unsigned line_scaled_columns(const struct line_scaled *scaled);
char *line_scaled(char *at, const struct line_scaled *scaled);

/* Without the port; with it, "127.0.0.1:80" or "[::1]:80". "?" for none. ASCII: a byte is a column. */
char *line_ip(char *at, const struct address *address);
char *line_address(char *at, const struct address *address);

#endif
