/* In the text view: the calls that stand in no story, a section a process. */
#ifndef TCPWHY_VIZ_TEXT_APART_H
#define TCPWHY_VIZ_TEXT_APART_H

#include "base/buf.h"
#include "viz/view.h"

/* Appends the sections; nothing where there are none. 0 or -ENOMEM. */
int apart_draw(const struct story_trace *trace, const struct view_options *options, int width, struct buf *out);

#endif
