/* Figure 5 of RFC 9293 in a terminal: 80 columns, every arrow with its number, and what was seen of each. */
#ifndef TCPWHY_VIZ_STATES_FIGURE_H
#define TCPWHY_VIZ_STATES_FIGURE_H

#include "base/buf.h"
#include "story/arrows.h"
#include "viz/view.h"

/* Draws the figure: arrows that were seen are heavy, the others light, those that Linux can't take dotted. `options`: color, ascii.
 * 0 or the buffer's error. */
int states_draw_figure(const struct arrow_map *map, const struct view_options *options, struct buf *out);
/* The whole picture: the figure and below it, for each arrow, what showed it, or why it can't be shown. Uses width too. */
int states_draw(const struct arrow_map *map, const struct view_options *options, struct buf *out);

#endif
