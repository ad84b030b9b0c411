#include "viz/pen/measure.h"

#include <string.h>

enum { EM = 100, MONO = 61 /* of a hundredth of an em: the usual fixed fonts have 60 */ };

/* Advances of U+0020 to U+007E in hundredths of an em, rounded up. */
static const unsigned char sans[] = {
    32,  41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54,
    100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50,
    50,  62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84};
static const unsigned char bold[] = {35, 46,  53, 84, 70, 101, 88, 31,  46, 46, 53, 84, 38, 42,  38, 37, 70, 70,  70,
                                     70, 70,  70, 70, 70, 70,  70, 40,  40, 84, 84, 84, 58, 100, 78, 77, 74, 83,  69,
                                     69, 83,  84, 38, 38, 78,  64, 100, 84, 85, 74, 85, 77, 73,  69, 82, 78, 111, 78,
                                     73, 73,  46, 37, 46, 84,  50, 50,  68, 72, 60, 72, 68, 44,  72, 72, 35, 35,  67,
                                     35, 105, 72, 69, 72, 72,  50, 60,  48, 72, 66, 93, 65, 66,  59, 72, 37, 72,  84};

static bool is_bold(const struct layout_cell *cell)
{
    return cell->style == STYLE_BOLD || cell->style == STYLE_CLIENT_BOLD || cell->style == STYLE_SERVER_BOLD ||
           cell->style == STYLE_ALARM;
}

static int advance(const struct layout_cell *cell, struct font font)
{
    unsigned char first = (unsigned char)cell->bytes[0];
    if (cell->columns == 2) return EM + 2;
    if (font.face == FONT_MONO && first < 0x80) return MONO;
    if (first >= 0x80) return strcmp(cell->bytes, "·") == 0 ? 38 : EM; /* it may come from any font */
    return font.face == FONT_BOLD || is_bold(cell) ? bold[first - 0x20] : sans[first - 0x20];
}

int measure_cells(const struct layout_text *text, size_t from, size_t to, struct font font)
{
    int hundredths = 0;
    for (size_t i = from; i < to; i++) hundredths += advance(&text->cells[i], font);
    return (hundredths * font.size + 9) / 10;
}

static bool is_break(const struct layout_cell *cell)
{
    return cell->bytes[0] == ' ' && !cell->glued;
}

bool measure_wrap(const struct layout_text *text, struct font font, int width, size_t *cursor, size_t *ret_from, size_t *ret_to)
{
    size_t from = *cursor;
    while (from < text->count && is_break(&text->cells[from])) from++;
    if (from == text->count) return false;
    size_t to = from, at_break = 0;
    int used = 0;
    for (; to < text->count; to++) {
        used += advance(&text->cells[to], font) * font.size;
        if (used > width * 10 && to > from) break;
        if (is_break(&text->cells[to]) || (to > from && layout_may_break(&text->cells[to - 1], &text->cells[to]))) at_break = to;
    }
    if (to < text->count && !is_break(&text->cells[to]) && !layout_may_break(&text->cells[to - 1], &text->cells[to]) &&
        at_break > from)
        to = at_break;
    *cursor = to;
    while (to > from + 1 && is_break(&text->cells[to - 1])) to--;
    *ret_from = from;
    *ret_to = to;
    return true;
}
