/* What a watch says at its end: the totals, where files and spans went, and what was lost. */
#ifndef TCPWHY_WATCH_CLOSING_H
#define TCPWHY_WATCH_CLOSING_H

#include "watch/flight/flight.h"
#include "watch/spans.h"
#include "watch/totals.h"

/* All borrowed. */
struct closing {
    const struct totals *totals;
    uint64_t open; /* connections that go on */
    const struct story_trace *trace;
    uint64_t lines_lost;
    uint64_t touched;                   /* connections that were open while events were lost */
    const struct flight_counts *traces; /* NULL: nothing was to be written */
    const char *folder;                 /* with that */
    const struct spans_counts *spans;   /* NULL: nothing was to be sent */
    const char *url;                    /* with that */
    bool ascii;
};

/* Files, spans and losses, in words: several lines. */
void closing_write(const struct closing *closing, struct buf *out);
/* All of it: one JSON object, on a line. */
void closing_write_json(const struct closing *closing, struct buf *out);

#endif
