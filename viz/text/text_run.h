/* What stands at the end of text: calls of which no packet was seen, totals, who recorded, what was lost. */
#ifndef TCPWHY_VIZ_TEXT_RUN_H
#define TCPWHY_VIZ_TEXT_RUN_H

#include "base/buf.h"
#include "viz/plan/facts.h"
#include "viz/view.h"

/* Appends. 0 or -ENOMEM. */
int text_run_draw(const struct facts_totals *totals, const struct story_trace *trace, const struct view_options *options,
                  struct buf *out);

#endif
