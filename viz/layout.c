#include "viz/layout.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/escape.h"

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

static struct layout_cell *append(struct layout_text *text)
{
    if (text->count == text->capacity) {
        size_t capacity = text->capacity ? text->capacity * 2 : 64;
        struct layout_cell *cells = reallocarray(text->cells, capacity, sizeof(*cells));
        if (!cells) {
            text->failed = true;
            return NULL;
        }
        text->cells = cells;
        text->capacity = capacity;
    }
    struct layout_cell *cell = &text->cells[text->count++];
    memset(cell, 0, sizeof(*cell));
    return cell;
}

void layout_add(struct layout_text *text, enum layout_style style, const char *string)
{
    char piece[ESCAPE_PIECE_BYTES];
    for (size_t left = strlen(string); left > 0;) {
        uint32_t original;
        escape_decode(string, left, &original);
        size_t taken = escape_next(string, left, text->ascii, piece);
        string += taken;
        left -= taken;
        /* An escape is several ASCII characters; anything else is one character. */
        for (const char *at = piece; *at;) {
            uint32_t code;
            size_t bytes = escape_decode(at, strlen(at), &code);
            struct layout_cell *cell = append(text);
            if (!cell) return;
            memcpy(cell->bytes, at, bytes);
            if (original == 0xa0) {
                strcpy(cell->bytes, " ");
                cell->glued = true;
            }
            cell->columns = (uint8_t)escape_columns(code);
            cell->style = (uint8_t)style;
            at += bytes;
        }
    }
}

void layout_addf(struct layout_text *text, enum layout_style style, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *string;
    if (vasprintf(&string, format, args) < 0)
        text->failed = true;
    else {
        layout_add(text, style, string);
        free(string);
    }
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
    return strcmp(cell->bytes, " ") == 0;
}

static bool is_break(const struct layout_cell *cell)
{
    return is_blank(cell) && !cell->glued;
}

bool layout_wrap(const struct layout_text *text, int width, size_t *cursor, size_t *ret_from, size_t *ret_to)
{
    size_t from = *cursor;
    if (from > 0)
        while (from < text->count && is_break(&text->cells[from])) from++;
    if (from >= text->count) return false;
    size_t end = from, last_space = 0;
    int columns = 0;
    while (end < text->count && columns + text->cells[end].columns <= width) {
        columns += text->cells[end].columns;
        if (is_break(&text->cells[end])) last_space = end;
        end++;
    }
    if (end == from) end++; /* a wide character in a column of one: go on, the row will leave it out */
    if (end < text->count && !is_break(&text->cells[end]) && last_space > from) end = last_space;
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
    struct layout_text text = layout_text_new(row->ascii);
    layout_add(&text, style, string);
    layout_put(row, x, &text, 0, text.count);
    x += layout_columns(&text, 0, text.count);
    layout_text_free(&text);
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

void layout_emit(const struct layout_row *row, bool color, struct buf *out)
{
    int end = row->width;
    while (end > 0 && row->cells[end - 1].columns == 1 && is_blank(&row->cells[end - 1])) end--;
    uint8_t style = STYLE_PLAIN;
    for (int x = 0; x < end; x++) {
        const struct layout_cell *cell = &row->cells[x];
        if (color && cell->style != style && !is_blank(cell)) {
            if (style != STYLE_PLAIN) buf_text(out, "\x1b[0m");
            if (cell->style != STYLE_PLAIN) buf_printf(out, "\x1b[%sm", sgr[cell->style]);
            style = cell->style;
        }
        buf_text(out, cell->bytes);
    }
    if (style != STYLE_PLAIN) buf_text(out, "\x1b[0m");
    buf_char(out, '\n');
}
