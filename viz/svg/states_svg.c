/* Figure 5 of RFC 9293 in SVG: the drawing of viz/plan/figure_plan.h, with the states and arrows that the ends took lit. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/figure_plan.h"
#include "viz/svg/states_figure.h"
#include "viz/svg/svg_pen.h"

enum { MARGIN = 36, TOP = 92, TITLE = 26, SMALL = 14, LABEL = 13 };

/* How large the plan's fields are. */
struct scale {
    int box, gap; /* the width of a field where boxes stand, and between them */
    int line;     /* the height of one */
    int margin, top, corner, name;
    bool labels;
};
static const struct scale as_picture = {14, 14, 22, MARGIN, TOP, 9, 15, true};
/* Beside a ladder: narrow, so the boxes have the room, and arrows only their lines. */
static const struct scale as_part = {9, 2, 10, 6, 6, 5, 11, false};

enum { WIDTH = FIGURE_COLUMNS * 14 + 2 * MARGIN, BELOW = TOP + FIGURE_ROWS * 22 };

struct drawing {
    const struct arrow_map *map;
    const struct view_options *options;
    const struct scale *scale;
    struct buf *out;
};

/* The middle of a field. Boxes stand in the columns 0 to 12, 33 to 45 and 67 to 79. */
static int at_x(const struct drawing *d, int x)
{
    int boxes = x < 13 ? x : x < 33 ? 13 : x < 46 ? x - 20 : x < 67 ? 26 : x - 41, field = d->scale->box;
    if ((x >= 13 && x < 33) || (x >= 46 && x < 67)) field = d->scale->gap;
    return d->scale->margin + boxes * d->scale->box + (x - boxes) * d->scale->gap + field / 2;
}
static int at_y(const struct drawing *d, int y)
{
    return d->scale->top + y * d->scale->line + d->scale->line / 2;
}

static struct svg_place place_at(int x, int y, enum svg_anchor anchor, enum font_face face, int size, const char *role)
{
    return (struct svg_place){
        .x = x, .y = y, .anchor = anchor, .font = {face, size}, .width = WIDTH, .line = size + 5, .role = role, .row = -1};
}

static int put(const struct drawing *d, const char *words, struct svg_place place)
{
    struct layout_text text = layout_text_new(d->options->ascii);
    layout_add(&text, STYLE_PLAIN, words);
    if (text.failed) d->out->failed = true;
    int lines = svg_words(d->out, &text, &place);
    layout_text_free(&text);
    return lines;
}

/* Whose state it is differs by shape, not by colour alone: the client's a disc, the server's a lozenge. */
static void draw_marks(const struct drawing *d, unsigned ends, int client_x, int server_x, int y)
{
    if (ends & ARROWS_CLIENT) buf_printf(d->out, "<circle class=\"w-c\" cx=\"%d\" cy=\"%d\" r=\"5\"/>", client_x, y);
    if (ends & ARROWS_SERVER) buf_printf(d->out, "<path class=\"w-s\" d=\"M%d %dl6 6l-6 6l-6 -6z\"/>", server_x, y - 6);
}

/* CLOSED stands twice: as where all begins, and as where arrows lead that come from below LISTEN and SYN_SENT. */
static unsigned ends_in_closed(const struct arrow_map *map, bool is_end)
{
    size_t count;
    unsigned ends = 0;
    const struct figure_arrow *arrows = figure_arrows(&count);
    for (size_t i = 0; i < count; i++) {
        bool leads_here = is_end ? i >= 4 && arrows[i].to == STATE_CLOSED : i < 4;
        if (leads_here && map->sights[i].count) ends |= map->sights[i].ends;
    }
    return ends;
}

static void draw_box(const struct drawing *d, const struct figure_box *box)
{
    bool is_end = box == &figure_boxes[FIGURE_BOXES - 1];
    unsigned ends = box->state == STATE_CLOSED ? ends_in_closed(d->map, is_end) : d->map->ends[box->state];
    bool lit = box->state == STATE_CLOSED ? ends != 0 : d->map->visited[box->state];
    int x = at_x(d, box->x), y = at_y(d, box->y), width = (FIGURE_BOX_COLUMNS - 1) * d->scale->box,
        height = (box->height - 1) * d->scale->line, name = d->scale->name;
    const char *fill = ends == ARROWS_CLIENT ? "w-fc" : ends == ARROWS_SERVER ? "w-fs" : "w-bg";
    const char *line = ends == ARROWS_CLIENT ? "w-lc" : ends == ARROWS_SERVER ? "w-ls" : lit ? "w-li" : "w-ld";
    buf_printf(d->out, "<g id=\"%s\"%s>\n", box->id, lit ? " class=\"w-lit\"" : "");
    buf_printf(d->out, "<rect class=\"%s %s %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\"/>\n", fill, line,
               lit ? "w-hv" : "w-th", x, y, width, height);
    draw_marks(d, ends, x + 14, x + width - 14, y + height / 2);
    struct svg_place place =
        place_at(x + width / 2, y + height / 2 + name / 3, SVG_MIDDLE, lit ? FONT_BOLD : FONT_SANS, name, lit ? "w-i" : "w-d");
    if (ends == (ARROWS_CLIENT | ARROWS_SERVER)) place.font.size--;
    char text[FIGURE_TEXT_BYTES];
    put(d, figure_box_name((size_t)(box - figure_boxes), d->options->figure_blanks, text), place);
    buf_text(d->out, "</g>\n");
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

struct point {
    int x, y;
};

/* The corners in points; the ends reach the boxes, which begin in the next field. */
static size_t corners_of(const struct drawing *d, const struct figure_path *path, struct point corners[FIGURE_POINTS_MAX])
{
    size_t count = path->count, last = count - 1;
    assert(count >= 2 && count <= FIGURE_POINTS_MAX);
    for (size_t i = 0; i < count; i++) {
        int x = path->points[i].x, y = path->points[i].y;
        size_t next = i ? last - 1 : 1;
        if (i == 0 || i == last) {
            x += sign(x - path->points[next].x);
            y += sign(y - path->points[next].y);
        }
        corners[i] = (struct point){at_x(d, x), at_y(d, y)};
    }
    return count;
}

/* Round corners. */
static void draw_line(const struct drawing *d, const struct point *corners, size_t count, const char *class, bool heavy)
{
    const struct point *tip = &corners[count - 1], *before = &corners[count - 2];
    int corner = d->scale->corner;
    buf_printf(d->out, "<path class=\"w-ln %s %s\" d=\"M%d %d", class, heavy ? "w-hv" : "w-th", corners[0].x, corners[0].y);
    for (size_t i = 1; i + 1 < count; i++) {
        const struct point *a = &corners[i - 1], *b = &corners[i], *c = &corners[i + 1];
        buf_printf(d->out, "L%d %dQ%d %d %d %d", b->x - sign(b->x - a->x) * corner, b->y - sign(b->y - a->y) * corner, b->x, b->y,
                   b->x + sign(c->x - b->x) * corner, b->y + sign(c->y - b->y) * corner);
    }
    buf_printf(d->out, "L%d %d\"/>\n", tip->x - sign(tip->x - before->x) * 9, tip->y - sign(tip->y - before->y) * 9);
}

/* On its line, or beside one that goes straight down. */
static void draw_label(const struct drawing *d, size_t index, const char *role, bool seen)
{
    const struct figure_path *path = &figure_paths[index];
    char text[FIGURE_TEXT_BYTES];
    int begin = path->label_x, end = begin + (int)strlen(path->label), line_x = path->points[0].x;
    bool beside = path->count == 2 && path->points[0].x == path->points[1].x;
    struct svg_place place = place_at(at_x(d, (begin + end) / 2), at_y(d, path->label_y) + LABEL / 3, SVG_MIDDLE,
                                      seen ? FONT_BOLD : FONT_SANS, LABEL, role);
    if (beside) place.anchor = begin > line_x ? SVG_START : SVG_END;
    if (beside) place.x = at_x(d, line_x) + (begin > line_x ? 12 : -12);
    place.ground = !beside;
    put(d, figure_path_label(index, d->options->figure_blanks, text), place);
}

static void draw_arrow(const struct drawing *d, size_t index, const struct figure_arrow *arrow)
{
    static const char *const lines[] = {"w-ld", "w-lc", "w-ls", "w-li"}, *const areas[] = {"w-d", "w-c", "w-s", "w-i"};
    const struct figure_path *path = &figure_paths[index];
    const struct arrow_sight *sight = &d->map->sights[index];
    struct point corners[FIGURE_POINTS_MAX];
    size_t count = corners_of(d, path, corners);
    unsigned ends = sight->count ? sight->ends ? sight->ends : ARROWS_CLIENT | ARROWS_SERVER : 0;
    bool never = !sight->count && arrow->never;
    buf_printf(d->out, "<g id=\"w-arrow-%zu\"%s>\n", index + 1, sight->count ? " class=\"w-lit\"" : "");
    draw_line(d, corners, count, never ? "w-la w-do" : lines[ends], sight->count);
    const struct point *tip = &corners[count - 1], *before = &corners[count - 2];
    svg_arrow_head(d->out, never ? "w-a" : areas[ends], before->x, before->y, tip->x, tip->y, false);
    if (d->scale->labels) draw_label(d, index, never ? "w-a" : areas[ends], sight->count);
    buf_text(d->out, "</g>\n");
}

static int draw_key(const struct drawing *d, int y)
{
    static const struct {
        unsigned ends;
        const char *class, *words;
    } keys[] = {{ARROWS_CLIENT, NULL, TR("the client was there")},
                {ARROWS_SERVER, NULL, TR("the server was there")},
                {0, "w-li w-hv", TR("seen")},
                {0, "w-ld w-th", TR("not seen")},
                {0, "w-la w-th w-do", TR("Linux can't take it")}};
    int x = MARGIN;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].class)
            buf_printf(d->out, "<path class=\"w-ln %s\" d=\"M%d %dh32\"/>\n", keys[i].class, x, y - 5);
        else
            draw_marks(d, keys[i].ends, x + 16, x + 16, y - 5);
        struct svg_place place = place_at(x + 40, y, SVG_START, FONT_SANS, SMALL, "w-d");
        put(d, tr(keys[i].words), place);
        struct layout_text text = layout_text_new(d->options->ascii);
        layout_add(&text, STYLE_PLAIN, tr(keys[i].words));
        x += 40 + svg_width(&text, &place) + 26;
        layout_text_free(&text);
    }
    return y + SMALL + 8;
}

/* How much was seen, and which of the arrows that the figure does not draw. Returns the height below. */
static int draw_words(const struct drawing *d, int y)
{
    size_t count;
    const struct figure_arrow *arrows = figure_arrows(&count);
    char words[512];
    snprintf(words, sizeof(words), tr("%zu of the %zu arrows that figure 5 draws and Linux can take were seen, in %" PRIu32 " %s."),
             arrows_seen(d->map, 1, FIGURE_DRAWN), arrows_possible(1, FIGURE_DRAWN), d->map->stories,
             d->map->stories == 1 ? tr("story") : tr("stories"));
    struct svg_place place = place_at(MARGIN, y, SVG_START, FONT_SANS, SMALL, "w-d");
    place.width = WIDTH - 2 * MARGIN;
    place.y += put(d, words, place) * place.line;
    if (!arrows_seen(d->map, FIGURE_DRAWN + 1, count)) return place.y;
    struct buf more = buf_new(1 << 14);
    buf_text(&more, tr("Seen, and only in the notes and section 3.10:"));
    for (size_t i = FIGURE_DRAWN; i < count; i++)
        if (d->map->sights[i].count)
            buf_printf(&more, "%s %zu %s → %s (%s)", more.data[more.length - 1] == ':' ? "" : ",", i + 1,
                       tcp_state_name(arrows[i].from), tcp_state_name(arrows[i].to), arrows[i].event);
    if (more.failed) d->out->failed = true;
    place.y += put(d, buf_string(&more), place) * place.line;
    buf_free(&more);
    return place.y;
}

static void draw_figure(const struct drawing *d)
{
    const struct figure_arrow *arrows = figure_arrows(&(size_t){0});
    for (int pass = 0; pass < 2; pass++) /* what is lit lies above */
        for (size_t i = 0; i < FIGURE_DRAWN; i++)
            if ((d->map->sights[i].count != 0) == pass) draw_arrow(d, i, &arrows[i]);
    for (size_t i = 0; i < FIGURE_BOXES; i++) draw_box(d, &figure_boxes[i]);
}

int states_draw_blank(const struct view_options *options, struct buf *out)
{
    static const struct arrow_map nothing;
    struct drawing d = {&nothing, options, &as_part, out};
    buf_printf(out,
               "<svg class=\"w\" id=\"figure\" role=\"img\" aria-label=\"Figure 5 of RFC 9293: the states of a TCP connection\" "
               "viewBox=\"0 0 %d %d\">\n",
               at_x(&d, FIGURE_COLUMNS - 1) + as_part.box / 2 + as_part.margin, at_y(&d, FIGURE_ROWS - 1) + as_part.line);
    draw_figure(&d);
    buf_text(out, "</svg>\n");
    return out->failed ? -ENOMEM : 0;
}

int states_draw_svg(const struct arrow_map *map, const char *seen_in, const struct view_options *options, struct buf *out)
{
    const char *title = tr("The states of a TCP connection");
    struct buf body = buf_new((size_t)1 << 22);
    struct drawing d = {map, options, &as_picture, &body};
    put(&d, title, place_at(MARGIN, 44, SVG_START, FONT_BOLD, TITLE, "w-i"));
    struct svg_place place = place_at(MARGIN, 68, SVG_START, FONT_SANS, SMALL + 1, "w-d");
    char words[600];
    snprintf(words, sizeof(words), seen_in[0] ? tr("RFC 9293, figure 5: what was seen in %.500s") : tr("RFC 9293, figure 5%.500s"),
             seen_in);
    place.width = WIDTH - 2 * MARGIN;
    put(&d, words, place);
    draw_figure(&d);
    int height = draw_words(&d, draw_key(&d, BELOW + 30)) + 4;
    svg_begin(out, WIDTH, height, title, words, options->ascii);
    buf_append(out, body.data, body.length);
    svg_end(out);
    bool failed = body.failed || out->failed;
    buf_free(&body);
    return failed ? -ENOMEM : 0;
}
