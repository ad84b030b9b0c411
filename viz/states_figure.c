#include "viz/states_figure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/layout.h"

enum { COLUMNS = 80, ROWS = 33, BOX_COLUMNS = 13, POINTS_MAX = 4 };

static const struct {
    enum tcp_state state;
    uint8_t x, y, height;
} boxes[] = {
    {STATE_CLOSED, 33, 0, 4},       {STATE_LISTEN, 33, 6, 3},     {STATE_SYN_RCVD, 0, 9, 6},     {STATE_SYN_SENT, 67, 9, 6},
    {STATE_ESTABLISHED, 33, 15, 3}, {STATE_FIN_WAIT_1, 0, 18, 5}, {STATE_CLOSE_WAIT, 67, 18, 5}, {STATE_FIN_WAIT_2, 0, 25, 3},
    {STATE_CLOSING, 33, 25, 3},     {STATE_LAST_ACK, 67, 25, 3},  {STATE_TIME_WAIT, 33, 30, 3},  {STATE_CLOSED, 67, 30, 3},
};

/* Where arrow n (from 1) runs: corners from its tail to its head, and where its words begin. */
static const struct path {
    struct {
        uint8_t x, y;
    } points[POINTS_MAX];
    uint8_t count;
    uint8_t label_x, label_y;
    const char *label;
} paths[FIGURE_DRAWN] = {
    {{{36, 4}, {36, 5}}, 2, 20, 4, "1 passive OPEN"},
    {{{42, 5}, {42, 4}}, 2, 44, 4, "2 CLOSE"},
    {{{46, 1}, {76, 1}, {76, 8}}, 3, 48, 1, " 3 active OPEN/snd SYN "},
    {{{70, 8}, {70, 2}, {46, 2}}, 3, 48, 2, " 4 CLOSE "},
    {{{36, 9}, {36, 10}, {13, 10}}, 3, 14, 10, " 5 rcv SYN/snd SYN,ACK"},
    {{{42, 9}, {42, 10}, {66, 10}}, 3, 44, 10, " 6 SEND/snd SYN "},
    {{{3, 8}, {3, 7}, {32, 7}}, 3, 5, 7, " 7 rcv RST (note 1) "},
    {{{66, 12}, {13, 12}}, 2, 15, 12, " 8 rcv SYN/snd SYN,ACK "},
    {{{13, 13}, {36, 13}, {36, 14}}, 3, 15, 13, " 9 rcv ACK of SYN "},
    {{{66, 13}, {42, 13}, {42, 14}}, 3, 43, 13, " 10 rcv SYN,ACK/snd ACK"},
    {{{3, 15}, {3, 17}}, 2, 5, 16, "11 CLOSE/snd FIN"},
    {{{36, 18}, {36, 19}, {13, 19}}, 3, 15, 19, " 12 CLOSE/snd FIN "},
    {{{42, 18}, {42, 19}, {66, 19}}, 3, 44, 19, " 13 rcv FIN/snd ACK "},
    {{{3, 23}, {3, 24}}, 2, 5, 23, "14 rcv ACK of FIN"},
    {{{13, 21}, {39, 21}, {39, 24}}, 3, 15, 21, " 15 rcv FIN/snd ACK "},
    {{{73, 23}, {73, 24}}, 2, 55, 23, "16 CLOSE/snd FIN"},
    {{{3, 28}, {3, 31}, {32, 31}}, 3, 5, 31, " 17 rcv FIN/snd ACK "},
    {{{39, 28}, {39, 29}}, 2, 20, 28, "18 rcv ACK of FIN"},
    {{{46, 31}, {66, 31}}, 2, 48, 31, " 19 Timeout=2MSL "},
    {{{73, 28}, {73, 29}}, 2, 54, 28, "20 rcv ACK of FIN"},
};

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
    int x = boxes[index].x, y = boxes[index].y, right = x + BOX_COLUMNS - 1, bottom = y + boxes[index].height - 1;
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
    const char *name = tcp_state_name(boxes[index].state);
    int middle = y + (boxes[index].height - 1) / 2;
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

static void draw_path(struct canvas *canvas, const struct path *path, enum line line, enum layout_style style)
{
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
    put(canvas, path->label_x, path->label_y, style, path->label);
}

int states_draw_figure(const struct arrow_map *map, const struct view_options *options, struct buf *out)
{
    struct canvas *canvas = malloc(sizeof(*canvas));
    if (!canvas) return -ENOMEM;
    canvas->options = options;
    for (int y = 0; y < ROWS; y++) layout_row_clear(&canvas->rows[y], COLUMNS, options->ascii);
    for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) draw_box(canvas, i, map->visited[boxes[i].state]);
    const struct figure_arrow *arrows = figure_arrows(&(size_t){0});
    for (size_t i = 0; i < FIGURE_DRAWN; i++) {
        bool seen = map->sights[i].count;
        enum line line = seen ? LINE_HEAVY : arrows[i].never ? LINE_DOTTED : LINE_LIGHT;
        draw_path(canvas, &paths[i], line, seen ? STYLE_BOLD : arrows[i].never ? STYLE_ALARM : STYLE_DIM);
    }
    for (int y = 0; y < ROWS; y++) layout_emit(&canvas->rows[y], options->color, out);
    free(canvas);
    return out->failed ? -ENOMEM : 0;
}
