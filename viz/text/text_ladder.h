/* The ladder of the text view: client left, server right, time down, an arrow a packet, a bar a call. */
#ifndef TCPWHY_VIZ_TEXT_LADDER_H
#define TCPWHY_VIZ_TEXT_LADDER_H

#include "base/buf.h"
#include "viz/view.h"

/* Appends the ladder of one story, `width` columns wide at most. A long one goes to the sink in pieces, with what stood in `out`
 * before it. 0; -ENOMEM (then `out` may hold a part) or the sink's, with a sentence. */
int ladder_draw(const struct story *story, const struct view_options *options, int width, const struct sink *sink, struct buf *out,
                struct err *err);

#endif
