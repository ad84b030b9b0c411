/* The ladder of the text view: client left, server right, time down, an arrow a packet, a bar a call. */
#ifndef TCPWHY_VIZ_TEXT_LADDER_H
#define TCPWHY_VIZ_TEXT_LADDER_H

#include "base/buf.h"
#include "viz/view.h"

/* Appends the ladder of one story, `width` columns wide at most. 0 or -ENOMEM (then `out` may hold a part). */
int ladder_draw(const struct story *story, const struct view_options *options, int width, struct buf *out);

#endif
