/* What is said of the clocks of two captures that were merged. */
#ifndef TCPWHY_VIZ_CLOCK_WORDS_H
#define TCPWHY_VIZ_CLOCK_WORDS_H

#include "base/buf.h"
#include "story/story.h"
#include "viz/json.h"

/* Appends "clock of b.pcap: 12.345 ms behind a.pcap ± 0.210 ms (from 512 segments in both directions), drift +3.1 ppm ± 0.4" and
 * how sure that is, in lines of at most `width` columns (0: one line). 0, or the buffer's error. */
int clock_sentence(struct buf *out, const struct story_clock *clock, int width, bool color, bool ascii);
/* A line of type "clock". */
void clock_line(struct json *json, const struct story_clock *clock);

#endif
