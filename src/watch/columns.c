#include "watch/columns.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "viz/pen/escape.h"

size_t columns_fit(const char *text, int width, bool ascii)
{
    char piece[ESCAPE_PIECE_BYTES];
    size_t at = 0;
    for (size_t length = strlen(text); at < length;) {
        size_t took = escape_next(text + at, length - at, ascii, piece);
        width -= escape_text_columns(piece);
        if (width < 0) break;
        at += took;
    }
    return at;
}

void columns_cell(struct buf *out, const char *text, int width, bool right, bool ascii)
{
    char piece[ESCAPE_PIECE_BYTES];
    struct buf room = buf_new(1024);
    int used = 0;
    size_t length = strlen(text), last_fit = 0;
    bool cut = false;
    for (size_t at = 0; at < length && !cut;) {
        at += escape_next(text + at, length - at, ascii, piece);
        int wide = escape_text_columns(piece);
        cut = used + wide > width;
        if (cut) break;
        used += wide;
        buf_text(&room, piece);
        if (used < width) last_fit = room.length;
    }
    if (cut) { /* room for the sign that something is missing */
        if (used == width) {
            room.length = last_fit;
            used = width - 1;
        }
        buf_text(&room, ascii ? "~" : "…");
        used++;
    }
    if (right) buf_printf(out, "%*s", width - used > 0 ? width - used : 0, "");
    buf_append(out, buf_string(&room), room.length);
    if (!right) buf_printf(out, "%*s", width - used > 0 ? width - used : 0, "");
    buf_free(&room);
}

size_t columns_line(const char *text, int width)
{
    size_t at = 0, length = strlen(text);
    int used = 0;
    while (at < length) {
        int wide;
        size_t took = escape_piece(text + at, &wide);
        if (used + wide > width) break;
        used += wide;
        at += took;
    }
    if (at == length || used > width / 2) return at;
    while (at < length) { /* a word too long for the rest of the line is cut */
        uint32_t code;
        size_t took = escape_decode(text + at, length - at, &code);
        int wide = escape_columns(code);
        if (used + wide > width) return at ? at : took;
        used += wide;
        at += took;
    }
    return at;
}

void columns_below(struct buf *out, const char *text, int screen, bool ascii)
{
    struct buf harmless = buf_new(16384);
    escape_text(&harmless, text, ascii);
    const char *rest = buf_string(&harmless), *sign = ascii ? "`" : "└";
    int width = screen ? screen - 11 : INT_MAX;
    for (size_t left = harmless.length; left;) {
        size_t take = columns_line(rest, width);
        buf_printf(out, "         %s %.*s\n", sign, (int)take, rest);
        rest += take;
        left -= take;
        for (; left && *rest == ' '; left--) rest++;
        sign = " ";
    }
    buf_free(&harmless);
}
