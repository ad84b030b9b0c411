/* Lines of a terminal, cell by cell: text with styles, wrapped to a width and put at columns, colour codes added last.
 *
 * Everything added is escaped first (viz/pen/escape.h), so a cell holds one harmless character of a known width, and no line can
 * become longer than it was made. Colours never count as width because they are not in the cells. */
#ifndef TCPWHY_VIZ_LAYOUT_H
#define TCPWHY_VIZ_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "viz/plan/phrase.h"

struct layout_cell {
    char bytes[5];   /* one character, NUL-terminated */
    uint8_t columns; /* 1 or 2; in a row 0: the second half of a wide one */
    uint8_t style;
    bool glued; /* a space at which no line is broken (it came as U+00A0) */
};

/* A run of styled text that has no place yet. Owns its cells. */
struct layout_text {
    struct layout_cell *cells;
    size_t count, capacity;
    bool ascii;
    bool failed; /* out of memory: something is missing from it */
};

struct layout_text layout_text_new(bool ascii);
void layout_text_free(struct layout_text *text);
void layout_text_clear(struct layout_text *text);
/* Escapes and appends; a failure is remembered in `failed`. */
void layout_add(struct layout_text *text, enum layout_style style, const char *string);
void layout_addf(struct layout_text *text, enum layout_style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Its words; that some of it is missing is passed on. */
void layout_add_phrase(struct layout_text *text, const struct phrase *phrase);
/* Columns of the cells from `from` up to `to`. */
int layout_columns(const struct layout_text *text, size_t from, size_t to);
/* A line may end between these two, wide characters, though no blank is there. */
bool layout_may_break(const struct layout_cell *before, const struct layout_cell *after);
/* The next line of at most `width` >= 1 columns, broken at a space where there is one, else anywhere: nothing is left out but the
 * spaces at the break. Starts with *cursor = 0; false at the end. */
bool layout_wrap(const struct layout_text *text, int width, size_t *cursor, size_t *ret_from, size_t *ret_to);

enum { LAYOUT_WIDTH_MAX = 256 };

/* One line. */
struct layout_row {
    struct layout_cell cells[LAYOUT_WIDTH_MAX];
    int width;
    bool ascii;
};

/* Blank, `width` columns wide (at most LAYOUT_WIDTH_MAX). */
void layout_row_clear(struct layout_row *row, int width, bool ascii);
void layout_row_copy(struct layout_row *to, const struct layout_row *from);
/* Puts cells [from, to) at column x; what lies outside the row is left out. */
void layout_put(struct layout_row *row, int x, const struct layout_text *text, size_t from, size_t to);
/* Puts a short string of ours at column x and returns the column behind it. */
int layout_put_string(struct layout_row *row, int x, enum layout_style style, const char *string);
/* Fills the columns [from, to) with one glyph. */
void layout_fill(struct layout_row *row, int from, int to, enum layout_style style, const char *glyph);
/* Appends the line without trailing blanks, and a newline; with SGR codes if `color`. */
void layout_emit(const struct layout_row *row, bool color, struct buf *out);

#endif
