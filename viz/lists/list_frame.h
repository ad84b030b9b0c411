/* What stands around the rows of a list of connections: the findings before them, how their numbers spread behind them. For list.c,
 * screen.c and list_stories.c. */
#ifndef TCPWHY_VIZ_LIST_FRAME_H
#define TCPWHY_VIZ_LIST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "viz/lists/quantiles.h"
#include "viz/lists/rows.h"

struct list_style {
    int width; /* of the terminal; 0: lines of any length */
    bool ascii, color;
};

/* The findings of all rows, the worst first: a line an id with how many connections have it, and the sentence of the first of them.
 * `total`: connections there are; 0: not known. Nothing where nothing was found. 0 or -ENOMEM. */
int list_findings(struct buf *out, const struct list_style *style, const struct rows_findings *findings, uint64_t total);

/* A line of the table of percentiles. */
struct list_spread {
    const char *name;
    const struct quantiles *spread;
    bool is_time; /* ns; else bytes */
};
/* The table; nothing where no row has LIST_SPREAD_LEAST numbers. 0 or -ENOMEM. */
enum { LIST_SPREAD_LEAST = 10 };
int list_spreads(struct buf *out, const struct list_style *style, const struct list_spread *rows, size_t count);

/* Where the time of all of them went, a line a part; nothing where that is not known. 0 or -ENOMEM. */
int list_times(struct buf *out, const struct list_style *style, const struct rows_findings *findings);
/* The end of a list of rows: where their time went, and how their numbers spread; nothing of fewer than LIST_SPREAD_LEAST. */
int list_end(struct buf *out, const struct rows_options *options, const struct list_style *style);

/* What stands before "red" and behind it; "" without colour. */
const char *list_red(bool color);
const char *list_plain(bool color);

#endif
