/* Figure 5 of RFC 9293 with what was seen of each arrow: in a terminal, 80 columns wide, and as a picture. */
#ifndef TCPWHY_VIZ_STATES_FIGURE_H
#define TCPWHY_VIZ_STATES_FIGURE_H

#include "base/buf.h"
#include "story/arrows.h"
#include "viz/view.h"

/* Draws the figure: arrows that were seen are heavy, the others light, those that Linux can't take dotted. `options`: color, ascii.
 * 0 or the buffer's error. */
int states_draw_figure(const struct arrow_map *map, const struct view_options *options, struct buf *out);
/* The whole picture. It ends with the figure and its key, which is what stays on a screen; with `verbose` lists stand above it: for
 * each arrow what showed it, or why it can't be shown. Uses width too. */
int states_draw(const struct arrow_map *map, const struct view_options *options, struct buf *out);
/* The figure as a picture, every box and arrow with an id (viz/plan/figure_plan.h). `seen_in`: where, in raw words; "" nowhere.
 * -ENOMEM.
 */
int states_draw_svg(const struct arrow_map *map, const char *seen_in, const struct view_options *options, struct buf *out);

/* The figure alone, nothing of it lit, as an svg element for a page that lights what it shows and has svg_sheet's rules. -ENOMEM.
 */
int states_draw_blank(const struct view_options *options, struct buf *out);

#endif
