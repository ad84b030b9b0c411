/* How wide words will be in a picture whose font is the reader's own: an upper estimate, so that nothing runs into its neighbour.
 *
 * It is reckoned with the widths of DejaVu Sans, one of the widest among the usual system fonts. Words are layout cells: escaped,
 * one character each. Widths are in tenths of a point. */
#ifndef TCPWHY_VIZ_MEASURE_H
#define TCPWHY_VIZ_MEASURE_H

#include "viz/pen/layout.h"

enum font_face { FONT_SANS, FONT_BOLD, FONT_MONO };

struct font {
    enum font_face face; /* a run that is bold by its role is wider than that, and reckoned so */
    int size;            /* points */
};

/* The width of the cells from `from` up to `to`. */
int measure_cells(const struct layout_text *text, size_t from, size_t to, struct font font);
/* As layout_wrap, for a width in tenths of a point. */
bool measure_wrap(const struct layout_text *text, struct font font, int width, size_t *cursor, size_t *ret_from, size_t *ret_to);

#endif
