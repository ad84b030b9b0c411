/* What the text view says around its ladders: a headline before, a summary and findings after, the run's own facts at the end. */
#ifndef TCPWHY_VIZ_FACTS_H
#define TCPWHY_VIZ_FACTS_H

#include "base/buf.h"
#include "viz/view.h"

/* How the stories of a run ended, counted as they pass. */
struct summary_totals {
    uint64_t stories, udp, findings;
    uint64_t outcomes[OUTCOMES];
};

/* Each appends lines of `width` columns at most. 0 or -ENOMEM. */
int summary_headline(const struct story *story, const struct view_options *options, int width, struct buf *out);
int summary_story(const struct story *story, const struct view_options *options, int width, struct buf *out);
int summary_run(const struct summary_totals *totals, const struct story_trace *trace, const struct view_options *options, int width,
                struct buf *out);

#endif
