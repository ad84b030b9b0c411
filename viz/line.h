/* One line of output, put together quickly: plain numbers, times and addresses into a row of bytes of fixed size.
 *
 * For views of many rows, where formatting must not cost more than reading. Everything is our own or numeric: text from outside
 * goes through viz/escape.h instead. What does not fit is left out and remembered. */
#ifndef TCPWHY_VIZ_LINE_H
#define TCPWHY_VIZ_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"

enum { LINE_BYTES = 1024 };

struct line {
    size_t length, columns; /* columns: of what was written */
    bool failed;
    char text[LINE_BYTES];
};

static inline void line_clear(struct line *line)
{
    line->length = line->columns = 0;
    line->failed = false;
}
static inline void line_put(struct line *line, const char *text, size_t length)
{
    if (length > LINE_BYTES - line->length) {
        line->failed = true;
        return;
    }
    memcpy(line->text + line->length, text, length);
    line->length += length;
    line->columns += length;
}
static inline void line_char(struct line *line, char c)
{
    line_put(line, &c, 1);
}
/* ASCII only: a byte is a column. */
static inline void line_text(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}
void line_uint(struct line *line, uint64_t value);
/* "1700000000.123456789" with `digits` (0 to 9) behind the point; what lies behind is cut off. Negative times too. */
void line_seconds(struct line *line, int64_t ns, int digits);
/* "43µs" "1.20ms" "3.4s": three figures or so, for people; `ascii`: "us". */
void line_duration(struct line *line, int64_t ns, bool ascii);
/* "950" "12.3K" "4.5M": three figures, powers of 1000. */
void line_amount(struct line *line, uint64_t value);
/* Without the port; with it, "127.0.0.1:80" or "[::1]:80". "?" for none. */
void line_ip(struct line *line, const struct address *address);
void line_address(struct line *line, const struct address *address);
/* Blanks up to a column, one at least where `gap`; to the right end: what was written from `from` (a length) on is moved there. */
void line_pad(struct line *line, size_t column, bool gap);
void line_align_right(struct line *line, size_t from, size_t column);

#endif
