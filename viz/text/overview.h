/* The overview: what a person wants of a run whose connections nobody has counted.
 *
 * Of up to OVERVIEW_LADDERS connections the ladders, as the text view draws them. Of more the list (view_list): findings
 * first, then a line a connection, the worst first. It takes the place of the text view where a program was run, and stands in no
 * list of formats. */
#ifndef TCPWHY_VIZ_OVERVIEW_H
#define TCPWHY_VIZ_OVERVIEW_H

#include <stddef.h>

#include "base/buf.h"
#include "viz/view.h"

enum { OVERVIEW_LADDERS = 3 };

extern const struct view view_overview;

/* One connection in one line, without colours and newline: number, ends, outcome, how long it took, its findings. Appends; 0 or
 * the buffer's error. */
int overview_line(struct buf *out, const struct story *story, bool ascii);

#endif
