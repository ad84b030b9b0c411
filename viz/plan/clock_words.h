/* What is said of the clocks of two captures that were merged. */
#ifndef TCPWHY_VIZ_CLOCK_WORDS_H
#define TCPWHY_VIZ_CLOCK_WORDS_H

#include "base/buf.h"
#include "story/story.h"
#include "viz/pen/json.h"

struct clock_style {
    int width; /* of the lines; 0: one line */
    bool color, ascii;
    bool detailed; /* how it is known, too */
};

/* Appends "clock of b.pcap: 12.35 ± 0.22 ms behind a.pcap"; in detail the exact figures, from how many segments, the drift, and
 * what contradicted it. 0, or the buffer's error. */
int clock_sentence(struct buf *out, const struct story_clock *clock, const struct clock_style *style);
/* A line of type "clock". */
void clock_line(struct json *json, const struct story_clock *clock);

#endif
