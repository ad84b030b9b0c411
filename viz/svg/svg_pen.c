#include "viz/svg/svg_pen.h"
#include "base/lang.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "viz/pen/escape.h"

const char *const svg_side[2] = {"w-c", "w-s"};

/* The rules of viz/pen.css. Classes: i ink, d dim, c client, s server, a alarm; b bold, m fixed width, h halo. As a line an l
 * stands before the colour, as an area an f; fc and fs are the bands of states, e the edges of what is folded. Contrast is 4.5 : 1
 * for words, 3 : 1 for lines. */
static void put_bytes(struct buf *out, const char *bytes)
{
    for (; *bytes; bytes++) switch (*bytes) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        default:
            buf_char(out, *bytes);
        }
}

int svg_escape(struct buf *out, const char *text, bool ascii)
{
    char piece[ESCAPE_PIECE_BYTES];
    for (size_t left = strlen(text); left > 0;) {
        size_t taken = escape_next(text, left, ascii, piece);
        put_bytes(out, piece);
        text += taken;
        left -= taken;
    }
    return out->failed ? -1 : 0;
}

static const char *class_of(uint8_t style, const char *plain)
{
    static const char *const classes[STYLES] = {
        [STYLE_DIM] = "w-d",    [STYLE_BOLD] = "w-i w-b",        [STYLE_CLIENT] = "w-c",   [STYLE_CLIENT_BOLD] = "w-c w-b",
        [STYLE_SERVER] = "w-s", [STYLE_SERVER_BOLD] = "w-s w-b", [STYLE_ALARM] = "w-a w-b"};
    return style == STYLE_PLAIN ? plain : classes[style];
}

static void put_line(struct buf *out, const struct layout_text *text, size_t from, size_t to, const struct svg_place *place, int y)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    const char *plain = place->role ? place->role : "w-i";
    if (place->ground) {
        int width = (measure_cells(text, from, to, place->font) + 9) / 10 + 8;
        int x = place->anchor == SVG_START ? place->x - 4 : place->anchor == SVG_END ? place->x - width + 4 : place->x - width / 2;
        buf_printf(out, "<rect class=\"w-bg\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", x, y - place->font.size, width,
                   place->font.size + place->font.size / 4);
    }
    buf_printf(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\"", place->x, y, place->font.size);
    if (place->anchor != SVG_START) buf_printf(out, " text-anchor=\"%s\"", anchors[place->anchor]);
    buf_printf(out, " class=\"%s%s%s%s\"", plain, place->font.face == FONT_MONO ? " w-m" : "",
               place->font.face == FONT_BOLD ? " w-b" : "", place->halo ? " w-h" : "");
    if (place->row >= 0) buf_printf(out, " data-row=\"%ld\"", place->row);
    buf_char(out, '>');
    for (size_t i = from; i < to;) {
        uint8_t style = text->cells[i].style;
        size_t end = i;
        while (end < to && text->cells[end].style == style) end++;
        if (style != STYLE_PLAIN) buf_printf(out, "<tspan class=\"%s\">", class_of(style, plain));
        for (; i < end; i++) put_bytes(out, text->cells[i].bytes);
        if (style != STYLE_PLAIN) buf_text(out, "</tspan>");
    }
    buf_text(out, "</text>\n");
}

int svg_words(struct buf *out, const struct layout_text *text, const struct svg_place *place)
{
    size_t cursor = 0, from, to;
    int lines = 0;
    while (measure_wrap(text, place->font, place->width * 10, &cursor, &from, &to))
        put_line(out, text, from, to, place, place->y + lines++ * place->line);
    return lines;
}

int svg_count_lines(const struct layout_text *text, const struct svg_place *place)
{
    size_t cursor = 0, from, to;
    int lines = 0;
    while (measure_wrap(text, place->font, place->width * 10, &cursor, &from, &to)) lines++;
    return lines;
}

int svg_width(const struct layout_text *text, const struct svg_place *place)
{
    size_t cursor = 0, from, to;
    int widest = 0;
    while (measure_wrap(text, place->font, place->width * 10, &cursor, &from, &to)) {
        int width = measure_cells(text, from, to, place->font);
        if (width > widest) widest = width;
    }
    return (widest + 9) / 10;
}

void svg_line(struct buf *out, const char *class, int x1, int y1, int x2, int y2)
{
    buf_printf(out, "<path class=\"w-ln %s\" d=\"M%d %dL%d %d\"/>\n", class, x1, y1, x2, y2);
}

static void one_head(struct buf *out, const char *class, double dx, double dy, double x, double y)
{
    const double length = 12, half = 5.5;
    buf_printf(out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fZ\"/>\n", class, x, y, x - length * dx - half * dy,
               y - length * dy + half * dx, x - length * dx + half * dy, y - length * dy - half * dx);
}

void svg_arrow_head(struct buf *out, const char *class, int from_x, int from_y, int x, int y, bool doubled)
{
    double dx = x - from_x, dy = y - from_y, size = sqrt(dx * dx + dy * dy);
    if (size < 1) return;
    dx /= size;
    dy /= size;
    one_head(out, class, dx, dy, x, y);
    if (doubled) one_head(out, class, dx, dy, x - 10 * dx, y - 10 * dy);
}

void svg_begin(struct buf *out, int width, int height, const char *title, const char *description, bool ascii)
{
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"w\" role=\"img\" aria-labelledby=\"w-title w-desc\" width=\"%d\" "
               "height=\"%d\" viewBox=\"0 0 %d %d\" xml:lang=\"%s\" xml:space=\"preserve\">\n<title id=\"w-title\">",
               width, height, width, height, lang_tag(lang_now()));
    svg_escape(out, title, ascii);
    buf_text(out, "</title>\n<desc id=\"w-desc\">");
    svg_escape(out, description, ascii);
    buf_printf(out, "</desc>\n<style>%s</style>\n", svg_sheet);
    buf_text(out, "<defs>");
    for (int side = 0; side < 2; side++)
        buf_printf(out,
                   "<pattern id=\"w-sleep-%c\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
                   "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" class=\"w-f%c\"/>"
                   "<path class=\"w-l%c\" stroke-width=\"2.4\" d=\"M1 0V6\"/></pattern>",
                   "cs"[side], "cs"[side], "cs"[side]);
    buf_printf(out, "</defs>\n<rect class=\"w-bg\" width=\"%d\" height=\"%d\"/>\n", width, height);
}

void svg_end(struct buf *out)
{
    buf_text(out, "</svg>\n");
}
