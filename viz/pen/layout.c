#include "viz/pen/layout.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/pen/escape.h"

static const char *const sgr[STYLES] = {
    [STYLE_PLAIN] = "",           [STYLE_DIM] = "2",     [STYLE_BOLD] = "1",           [STYLE_CLIENT] = "32",
    [STYLE_CLIENT_BOLD] = "1;32", [STYLE_SERVER] = "35", [STYLE_SERVER_BOLD] = "1;35", [STYLE_ALARM] = "1;31",
};

struct layout_text layout_text_new(bool ascii)
{
    return (struct layout_text){.ascii = ascii};
}

void layout_text_free(struct layout_text *text)
{
    if (!text) return;
    free(text->cells);
    *text = (struct layout_text){.ascii = text->ascii};
}

void layout_text_clear(struct layout_text *text)
{
    text->count = 0;
}

static bool make_room(struct layout_text *text, size_t more)
{
    if (text->capacity - text->count >= more) return true;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity - text->count < more) capacity *= 2;
    struct layout_cell *cells = reallocarray(text->cells, capacity, sizeof(*cells));
    if (!cells) {
        text->failed = true;
        return false;
    }
    text->cells = cells;
    text->capacity = capacity;
    return true;
}

/* A printable ASCII character that stands for itself. */
static bool is_simple(char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\';
}

/* The next code point of `string`, of which `left` bytes are there, as the cells that show it. Returns the bytes it took. */
static size_t take_cells(const char *string, size_t left, bool ascii, enum layout_style style,
                         struct layout_cell cells[ESCAPE_PIECE_BYTES], size_t *ret_count)
{
    char piece[ESCAPE_PIECE_BYTES];
    uint32_t original;
    escape_decode(string, left, &original);
    size_t taken = escape_next(string, left, ascii, piece), count = 0;
    /* An escape is several ASCII characters; anything else is one character. */
    for (const char *at = piece; *at;) {
        uint32_t code;
        size_t bytes = escape_decode(at, strlen(at), &code);
        struct layout_cell cell = {.columns = (uint8_t)escape_columns(code), .style = (uint8_t)style};
        memcpy(cell.bytes, at, bytes);
        if (original == 0xa0) {
            strcpy(cell.bytes, " ");
            cell.glued = true;
        }
        cells[count++] = cell;
        at += bytes;
    }
    *ret_count = count;
    return taken;
}

/* As many characters as stand for themselves, for each of which there is room; nearly all of a text. Returns how many. */
static size_t add_simple(struct layout_text *text, enum layout_style style, const char *string)
{
    struct layout_cell *cell = text->cells + text->count;
    size_t i = 0;
    for (; is_simple(string[i]); i++) cell[i] = (struct layout_cell){.bytes = {string[i]}, .columns = 1, .style = (uint8_t)style};
    text->count += i;
    return i;
}

void layout_add(struct layout_text *text, enum layout_style style, const char *string)
{
    struct layout_cell cells[ESCAPE_PIECE_BYTES];
    for (size_t left = strlen(string); left > 0;) {
        if (!make_room(text, left)) return;
        size_t simple = add_simple(text, style, string);
        string += simple;
        left -= simple;
        if (!left) return;
        size_t count, taken = take_cells(string, left, text->ascii, style, cells, &count);
        if (!make_room(text, count)) return;
        for (size_t i = 0; i < count; i++) text->cells[text->count++] = cells[i];
        string += taken;
        left -= taken;
    }
}

void layout_addf(struct layout_text *text, enum layout_style style, const char *format, ...)
{
    char usual[512], *longer;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(usual, sizeof(usual), format, args);
    if (length >= 0 && (size_t)length < sizeof(usual)) {
        layout_add(text, style, usual);
    } else if (length < 0 || vasprintf(&longer, format, again) < 0) {
        text->failed = true;
    } else {
        layout_add(text, style, longer);
        free(longer);
    }
    va_end(again);
    va_end(args);
}

void layout_add_phrase(struct layout_text *text, const struct phrase *phrase)
{
    for (size_t i = 0; i < phrase->count; i++) layout_add(text, phrase->runs[i].style, phrase->runs[i].text);
    text->failed = text->failed || phrase->failed;
}

int layout_columns(const struct layout_text *text, size_t from, size_t to)
{
    int columns = 0;
    for (size_t i = from; i < to; i++) columns += text->cells[i].columns;
    return columns;
}

static bool is_blank(const struct layout_cell *cell)
{
    return cell->bytes[0] == ' ' && !cell->bytes[1];
}

static bool is_break(const struct layout_cell *cell)
{
    return is_blank(cell) && !cell->glued;
}

bool layout_may_break(const struct layout_cell *before, const struct layout_cell *after)
{
    uint32_t first, second;
    if (before->columns != 2 && after->columns != 2) return false;
    escape_decode(before->bytes, strlen(before->bytes), &first);
    escape_decode(after->bytes, strlen(after->bytes), &second);
    return escape_may_break(first, second);
}

bool layout_wrap(const struct layout_text *text, int width, size_t *cursor, size_t *ret_from, size_t *ret_to)
{
    size_t from = *cursor;
    if (from > 0)
        while (from < text->count && is_break(&text->cells[from])) from++;
    if (from >= text->count) return false;
    size_t end = from, last_break = 0;
    int columns = 0;
    while (end < text->count && columns + text->cells[end].columns <= width) {
        if (is_break(&text->cells[end]) || (end > from && layout_may_break(&text->cells[end - 1], &text->cells[end])))
            last_break = end;
        columns += text->cells[end].columns;
        end++;
    }
    if (end == from) end++; /* a wide character in a column of one: go on, the row will leave it out */
    if (end < text->count && !is_break(&text->cells[end]) && !layout_may_break(&text->cells[end - 1], &text->cells[end]) &&
        last_break > from)
        end = last_break;
    *cursor = end;
    while (end > from + 1 && is_break(&text->cells[end - 1])) end--;
    *ret_from = from;
    *ret_to = end;
    return true;
}

void layout_row_clear(struct layout_row *row, int width, bool ascii)
{
    assert(width > 0 && width <= LAYOUT_WIDTH_MAX);
    row->width = width;
    row->ascii = ascii;
    for (int i = 0; i < width; i++) row->cells[i] = (struct layout_cell){.bytes = " ", .columns = 1};
}

void layout_row_copy(struct layout_row *to, const struct layout_row *from)
{
    to->width = from->width;
    to->ascii = from->ascii;
    memcpy(to->cells, from->cells, (size_t)from->width * sizeof(*to->cells));
}

static void put_cell(struct layout_row *row, int x, const struct layout_cell *cell)
{
    if (x < 0 || x + cell->columns > row->width) return;
    row->cells[x] = *cell;
    if (cell->columns == 2) row->cells[x + 1] = (struct layout_cell){.columns = 0, .style = cell->style};
}

void layout_put(struct layout_row *row, int x, const struct layout_text *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        put_cell(row, x, &text->cells[i]);
        x += text->cells[i].columns;
    }
}

int layout_put_string(struct layout_row *row, int x, enum layout_style style, const char *string)
{
    struct layout_cell cells[ESCAPE_PIECE_BYTES];
    for (size_t left = strlen(string); left > 0;) {
        size_t count, taken = take_cells(string, left, row->ascii, style, cells, &count);
        for (size_t i = 0; i < count; i++) {
            put_cell(row, x, &cells[i]);
            x += cells[i].columns;
        }
        string += taken;
        left -= taken;
    }
    return x;
}

void layout_fill(struct layout_row *row, int from, int to, enum layout_style style, const char *glyph)
{
    struct layout_cell cell = {.columns = 1, .style = (uint8_t)style};
    char piece[ESCAPE_PIECE_BYTES];
    escape_next(glyph, strlen(glyph), row->ascii, piece);
    assert(strlen(piece) < sizeof(cell.bytes));
    strcpy(cell.bytes, piece);
    for (int x = from; x < to; x++) put_cell(row, x, &cell);
}

/* The characters of the cells [from, to), written to `at`. Returns the end of them. */
static char *write_cells(const struct layout_row *row, int from, int to, char *at)
{
    for (int x = from; x < to; x++) {
        const char *bytes = row->cells[x].bytes;
        /* Whole cells are copied, and what lies behind their NUL is overwritten by the next. */
        memcpy(at, bytes, sizeof(row->cells[x].bytes) - 1);
        at += !bytes[0] ? 0 : !bytes[1] ? 1 : !bytes[2] ? 2 : !bytes[3] ? 3 : 4;
    }
    return at;
}

/* From `x` on, the first cell at which another style begins, or `end`. */
static int style_end(const struct layout_row *row, int x, int end, uint8_t style)
{
    while (x < end && (row->cells[x].style == style || is_blank(&row->cells[x]))) x++;
    return x;
}

void layout_emit(const struct layout_row *row, bool color, struct buf *out)
{
    int end = row->width;
    while (end > 0 && row->cells[end - 1].columns == 1 && is_blank(&row->cells[end - 1])) end--;
    uint8_t style = STYLE_PLAIN;
    for (int x = 0; x < end;) {
        int to = color ? style_end(row, x, end, style) : end;
        char *room = buf_room(out, (size_t)(to - x) * sizeof(row->cells[x].bytes));
        if (!room) return;
        buf_grew(out, (size_t)(write_cells(row, x, to, room) - room));
        x = to;
        if (x == end) break;
        if (style != STYLE_PLAIN) buf_text(out, "\x1b[0m");
        style = row->cells[x].style;
        if (style != STYLE_PLAIN) buf_printf(out, "\x1b[%sm", sgr[style]);
    }
    if (style != STYLE_PLAIN) buf_text(out, "\x1b[0m");
    buf_char(out, '\n');
}
