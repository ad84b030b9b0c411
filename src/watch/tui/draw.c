/* Cells of the screen: harmless text at a place, cut at the edge. */
#include <string.h>

#include "viz/pen/escape.h"
#include "watch/tui/own.h"

void draw_escape(const char *text, bool ascii, char *out, size_t bytes)
{
    char piece[ESCAPE_PIECE_BYTES];
    size_t length = strlen(text), used = 0;
    for (size_t at = 0; at < length;) {
        at += escape_next(text + at, length - at, ascii, piece);
        size_t more = strlen(piece);
        if (used + more + 1 > bytes) break;
        memcpy(out + used, piece, more);
        used += more;
    }
    out[used] = 0;
}

/* The bytes of `text` that take at most so many columns. */
static size_t fitting(const char *text, int width, int *ret_used)
{
    size_t length = strlen(text), at = 0;
    *ret_used = 0;
    while (at < length) {
        uint32_t code;
        size_t took = escape_decode(text + at, length - at, &code);
        int columns = code == ESCAPE_INVALID ? 0 : escape_columns(code);
        if (*ret_used + columns > width) break;
        *ret_used += columns;
        at += took;
    }
    return at;
}

void draw_text(const struct tui *tui, int y, int x, int width, const char *text)
{
    int used;
    if (y < 0 || y >= LINES || x >= COLS) return;
    if (width > COLS - x) width = COLS - x;
    if (width <= 0) return;
    size_t fits = fitting(text, width, &used);
    bool whole = !text[fits];
    if (!whole) fits = fitting(text, width - 1, &used);
    mvaddnstr(y, x, text, (int)fits);
    if (!whole) addstr(tui->options.ascii ? "~" : "…");
    for (used += !whole; used < width; used++) addch(' ');
}

void draw_on(attr_t look)
{
    attr_on(look, NULL);
}

void draw_off(attr_t look)
{
    attr_off(look, NULL);
}

attr_t draw_color(const struct tui *tui, enum tui_look color)
{
    static const attr_t plain[LOOKS] = {A_NORMAL, A_REVERSE, A_NORMAL, A_DIM, A_BOLD, A_BOLD};
    if (!tui->options.color || !has_colors() || color == LOOK_PLAIN || color == LOOK_HEAD) return plain[color];
    return (attr_t)COLOR_PAIR((int)color) | (color >= LOOK_WARNING ? A_BOLD : A_NORMAL);
}
