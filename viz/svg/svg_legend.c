/* The legend: each sign that a drawing uses, drawn small, with its meaning. */
#include "base/lang.h"
#include "viz/svg/svg_ladder.h"

enum { ICON = 34, AFTER_ICON = 6, BETWEEN = 14 };

static const struct {
    const char *words;
    const char *shapes; /* in a field of 34 by 16 points whose middle is at 0 */
} signs_of[SIGNS] = {
    {TR("call runs"), "<rect class=\"w-c\" x=\"6\" y=\"-5\" width=\"24\" height=\"10\" rx=\"2\"/>"},
    {TR("call sleeps"), "<rect class=\"w-lc\" fill=\"url(#w-sleep-c)\" x=\"6\" y=\"-5\" width=\"24\" height=\"10\" rx=\"2\"/>"},
    {TR("may have slept"), "<rect class=\"w-fc w-lc\" x=\"6\" y=\"-5\" width=\"24\" height=\"10\" rx=\"2\"/>"},
    {TR("call made it"),
     "<rect class=\"w-c\" x=\"3\" y=\"-6\" width=\"8\" height=\"12\"/><path class=\"w-ln w-th w-lc\" d=\"M11 0h14\"/>"
     "<path class=\"w-c\" d=\"M33 0l-8 -4v8z\"/>"},
    {TR("kernel answers by itself"),
     "<path class=\"w-ln w-ls\" d=\"M8 -9V9\"/><path class=\"w-ln w-th w-do w-ls\" d=\"M9 -5C28 -4 28 4 16 5\"/>"
     "<path class=\"w-s\" d=\"M9 5l8 -4v8z\"/>"},
    {TR("timer sent it"),
     "<circle class=\"w-bg w-ln w-th w-lc\" cx=\"18\" r=\"7\"/><path class=\"w-ln w-th w-lc\" d=\"M18 0v-4M18 0h3\"/>"},
    {TR("woke the call"),
     "<path class=\"w-ln w-th w-lc\" d=\"M32 -5C20 -5 20 4 8 4\"/><circle class=\"w-c\" cx=\"8\" cy=\"4\" r=\"4.5\"/>"
     "<circle class=\"w-bg\" cx=\"8\" cy=\"4\" r=\"2\"/>"},
    {TR("slope: sent to received"), "<path class=\"w-ln w-ls\" d=\"M2 -4L32 4\"/>"},
    {TR("level: its arrival was not seen"), "<path class=\"w-ln w-ls\" d=\"M2 0H32\"/>"},
    {TR("lost"), "<path class=\"w-ln w-lc\" d=\"M2 0H24\"/><path class=\"w-ln w-la\" d=\"M18 -6l12 12m0 -12l-12 12\"/>"},
    {TR("sent again"), "<path class=\"w-ln w-lc w-da\" d=\"M2 0H34\"/>"},
    {TR("RST, ICMP error"),
     "<path class=\"w-ln w-la\" d=\"M2 0H16\"/><path class=\"w-a\" d=\"M24 0l-10 -5v10zM33 0l-10 -5v10z\"/>"},
    {TR("time folded"), "<path class=\"w-ln w-th w-ld\" d=\"M10 1l14 -7M10 9l14 -7\"/>"},
};

int svg_legend(unsigned signs, int top, int size, bool ascii, int *ret_x, struct buf *out)
{
    int x = SVG_MARGIN, line = size + 7, y = top + line;
    for (int i = 0; i < SIGNS; i++) {
        if (!(signs & 1u << i)) continue;
        struct layout_text text = layout_text_new(ascii);
        layout_add(&text, STYLE_PLAIN, tr(signs_of[i].words));
        struct svg_place place = {.font = {FONT_SANS, size}, .width = SVG_WIDTH, .line = line, .role = "w-d", .row = -1};
        int width = ICON + AFTER_ICON + svg_width(&text, &place);
        if (x > SVG_MARGIN && x + width > SVG_WIDTH - SVG_MARGIN) {
            x = SVG_MARGIN;
            y += line;
        }
        buf_printf(out, "<g transform=\"translate(%d,%d)\">%s</g>\n", x, y - size / 3, signs_of[i].shapes);
        place.x = x + ICON + AFTER_ICON;
        place.y = y;
        svg_words(out, &text, &place);
        layout_text_free(&text);
        x += width + BETWEEN;
    }
    *ret_x = x;
    return y;
}
