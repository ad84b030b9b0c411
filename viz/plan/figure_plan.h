/* Figure 5 of RFC 9293 as one drawing on a grid of 80 by 33 fields, for every pen: where each box stands, where each arrow runs,
 * where its words stand. Boxes and arrows have names by which a pen marks them. */
#ifndef TCPWHY_VIZ_FIGURE_PLAN_H
#define TCPWHY_VIZ_FIGURE_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "tcp/figure.h"

enum { FIGURE_COLUMNS = 80, FIGURE_ROWS = 33, FIGURE_BOXES = 12, FIGURE_BOX_COLUMNS = 13, FIGURE_POINTS_MAX = 4 };

struct figure_box {
    enum tcp_state state;
    uint8_t x, y, height; /* its border's fields are its own */
    const char *id;       /* "w-state-SYN_SENT"; CLOSED stands twice, at its end as "w-state-CLOSED-end" */
};

/* Where an arrow runs: corners from its tail to its head, each in the field next to a box; and where its words begin. */
struct figure_path {
    struct {
        uint8_t x, y;
    } points[FIGURE_POINTS_MAX];
    uint8_t count;
    uint8_t label_x, label_y;
    const char *label; /* with blanks at its ends where it stands on the line */
};

extern const struct figure_box figure_boxes[FIGURE_BOXES];
/* Of arrow n (from 1) at n - 1; a pen's id for it is "w-arrow-n". */
extern const struct figure_path figure_paths[FIGURE_DRAWN];

enum { FIGURE_TEXT_BYTES = 32 };

/* What stands in box i, and at arrow i + 1: with VIEW_BLANK_NAMES or VIEW_BLANK_LABELS of `blanks` (viz/view.h) a line to write on,
 * as long as what belongs there or longer, behind a letter for the box and the arrow's number. `text` may hold what is returned. */
const char *figure_box_name(size_t i, unsigned blanks, char text[FIGURE_TEXT_BYTES]);
const char *figure_path_label(size_t i, unsigned blanks, char text[FIGURE_TEXT_BYTES]);

#endif
