#include "watch/columns.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "viz/pen/escape.h"

void columns_cell(struct buf *out, const char *text, int width, bool right, bool ascii)
{
    char piece[ESCAPE_PIECE_BYTES];
    struct buf room = buf_new(1024);
    int used = 0;
    size_t length = strlen(text), last_fit = 0;
    bool cut = false;
    for (size_t at = 0; at < length && !cut;) {
        at += escape_next(text + at, length - at, ascii, piece);
        int wide = 0;
        for (size_t i = 0, bytes = strlen(piece); i < bytes;) {
            uint32_t code;
            i += escape_decode(piece + i, bytes - i, &code);
            wide += escape_columns(code);
        }
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

/* Bytes of the harmless text that fit so many columns, broken at a blank where there is one in the second half. */
static size_t piece_of(const char *text, size_t length, int width)
{
    size_t at = 0, blank = 0;
    int used = 0;
    while (at < length) {
        uint32_t code;
        size_t took = escape_decode(text + at, length - at, &code);
        int wide = escape_columns(code);
        if (used + wide > width) return blank ? blank : at ? at : took;
        if (text[at] == ' ' && used > width / 2) blank = at;
        used += wide;
        at += took;
    }
    return length;
}

void columns_below(struct buf *out, const char *text, int screen, bool ascii)
{
    struct buf harmless = buf_new(16384);
    escape_text(&harmless, text, ascii);
    const char *rest = buf_string(&harmless), *sign = ascii ? "`" : "└";
    int width = screen ? screen - 11 : INT_MAX;
    for (size_t left = harmless.length; left;) {
        size_t take = piece_of(rest, left, width);
        buf_printf(out, "         %s %.*s\n", sign, (int)take, rest);
        rest += take;
        left -= take;
        for (; left && *rest == ' '; left--) rest++;
        sign = " ";
    }
    buf_free(&harmless);
}
