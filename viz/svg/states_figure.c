#include "viz/svg/states_figure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/pen/layout.h"
#include "viz/plan/figure_plan.h"

enum { COLUMNS = FIGURE_COLUMNS, ROWS = FIGURE_ROWS, BOX_COLUMNS = FIGURE_BOX_COLUMNS };

enum line { LINE_HEAVY, LINE_LIGHT, LINE_DOTTED, LINES };
enum { RIGHT, DOWN, LEFT, UP, DIRECTIONS };

struct pen_set {
    const char *across, *along; /* horizontal, vertical; corners are named by a line that comes that way and turns */
    const char *right_down, *right_up, *left_down, *left_up;
};
static const struct pen_set unicode[LINES] = {
    [LINE_HEAVY] = {"━", "┃", "┓", "┛", "┏", "┗"},
    [LINE_LIGHT] = {"─", "│", "┐", "┘", "┌", "└"},
    [LINE_DOTTED] = {"┄", "┆", "┐", "┘", "┌", "└"},
};
static const struct pen_set ascii[LINES] = {
    [LINE_HEAVY] = {"=", "#", "#", "#", "#", "#"},
    [LINE_LIGHT] = {"-", "|", "+", "+", "+", "+"},
    [LINE_DOTTED] = {".", ":", ".", ".", ".", "."},
};
static const char *const heads[2][DIRECTIONS] = {{"►", "▼", "◄", "▲"}, {">", "v", "<", "^"}};

struct canvas {
    struct layout_row rows[ROWS];
    const struct view_options *options;
};

static const struct pen_set *pens(const struct canvas *canvas, enum line line)
{
    return canvas->options->ascii ? &ascii[line] : &unicode[line];
}

static void put(struct canvas *canvas, int x, int y, enum layout_style style, const char *glyph)
{
    layout_put_string(&canvas->rows[y], x, style, glyph);
}

static void draw_box(struct canvas *canvas, size_t index, bool visited)
{
    int x = figure_boxes[index].x, y = figure_boxes[index].y, right = x + BOX_COLUMNS - 1,
        bottom = y + figure_boxes[index].height - 1;
    const struct pen_set *pen = pens(canvas, visited ? LINE_HEAVY : LINE_LIGHT);
    enum layout_style style = visited ? STYLE_BOLD : STYLE_DIM;
    for (int i = x + 1; i < right; i++) {
        put(canvas, i, y, style, pen->across);
        put(canvas, i, bottom, style, pen->across);
    }
    for (int i = y + 1; i < bottom; i++) {
        put(canvas, x, i, style, pen->along);
        put(canvas, right, i, style, pen->along);
    }
    /* A box is walked clockwise. */
    put(canvas, right, y, style, pen->right_down);
    put(canvas, right, bottom, style, pen->right_up);
    put(canvas, x, y, style, pen->left_down);
    put(canvas, x, bottom, style, pen->left_up);
    char text[FIGURE_TEXT_BYTES];
    const char *name = figure_box_name(index, canvas->options->figure_blanks, text);
    int middle = y + (figure_boxes[index].height - 1) / 2;
    put(canvas, x + (BOX_COLUMNS - (int)strlen(name)) / 2, middle, style, name);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int direction(int dx, int dy)
{
    return dx > 0 ? RIGHT : dx < 0 ? LEFT : dy > 0 ? DOWN : UP;
}

static const char *corner(const struct pen_set *pen, int from, int to)
{
    if ((from == RIGHT && to == DOWN) || (from == UP && to == LEFT)) return pen->right_down;
    if ((from == RIGHT && to == UP) || (from == DOWN && to == LEFT)) return pen->right_up;
    if ((from == LEFT && to == DOWN) || (from == UP && to == RIGHT)) return pen->left_down;
    return pen->left_up;
}

static void draw_path(struct canvas *canvas, size_t index, enum line line, enum layout_style style)
{
    const struct figure_path *path = &figure_paths[index];
    char text[FIGURE_TEXT_BYTES];
    const struct pen_set *pen = pens(canvas, line);
    int heading = DOWN; /* until the first piece is drawn */
    for (size_t i = 0; i + 1 < path->count; i++) {
        int x = path->points[i].x, y = path->points[i].y, to_x = path->points[i + 1].x, to_y = path->points[i + 1].y;
        int dx = sign(to_x - x), dy = sign(to_y - y);
        int turned = direction(dx, dy);
        put(canvas, x, y, style, i == 0 ? (dx ? pen->across : pen->along) : corner(pen, heading, turned));
        heading = turned;
        for (x += dx, y += dy; x != to_x || y != to_y; x += dx, y += dy) put(canvas, x, y, style, dx ? pen->across : pen->along);
    }
    put(canvas, path->points[path->count - 1].x, path->points[path->count - 1].y, style, heads[canvas->options->ascii][heading]);
    put(canvas, path->label_x, path->label_y, style, figure_path_label(index, canvas->options->figure_blanks, text));
}

int states_draw_figure(const struct arrow_map *map, const struct view_options *options, struct buf *out)
{
    struct canvas *canvas = malloc(sizeof(*canvas));
    if (!canvas) return -ENOMEM;
    canvas->options = options;
    for (int y = 0; y < ROWS; y++) layout_row_clear(&canvas->rows[y], COLUMNS, options->ascii);
    for (size_t i = 0; i < FIGURE_BOXES; i++) draw_box(canvas, i, map->visited[figure_boxes[i].state]);
    const struct figure_arrow *arrows = figure_arrows(&(size_t){0});
    for (size_t i = 0; i < FIGURE_DRAWN; i++) {
        bool seen = map->sights[i].count;
        enum line line = seen ? LINE_HEAVY : arrows[i].never ? LINE_DOTTED : LINE_LIGHT;
        draw_path(canvas, i, line, seen ? STYLE_BOLD : arrows[i].never ? STYLE_ALARM : STYLE_DIM);
    }
    for (int y = 0; y < ROWS; y++) layout_emit(&canvas->rows[y], options->color, out);
    free(canvas);
    return out->failed ? -ENOMEM : 0;
}
