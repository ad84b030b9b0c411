/* Where rows go: standard output in one row format, and files whose endings pick theirs. The counterpart of out/output.h for
 * tables of connections (viz/lists/rows.h). */
#ifndef TCPWHY_OUT_TABLES_H
#define TCPWHY_OUT_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "out/held.h"
#include "out/output.h"
#include "viz/lists/rows.h"

struct tables;

/* Whether these options ask for tables alone (true), or for stories alone (false); a mixture is -EINVAL with a sentence, as is a
 * format or ending that nobody knows. No format at all means tables. */
int tables_wanted(const struct output_options *options, bool *ret_wanted, struct err *err);
/* Opens all places. `summary`: standard output gets the totals. Codes as output_open. Release with tables_close. */
int tables_open(struct tables **ret_tables, const struct output_options *options, bool summary, struct err *err);
/* What merged captures say beside the rows: borrowed until tables_close. Before tables_begin. */
void tables_merged(struct tables *tables, const struct rows_path *paths, size_t path_count, const struct story_clock *clocks,
                   size_t clock_count);
/* Whether lists are all that is written: a line a connection, for people. */
bool tables_lists_only(const struct tables *tables);
/* Rows are held until the end, and given in this order; of more than HELD_ROWS_MAX the rest follows as it comes, and that is said.
 * `only`: none is told in which nothing was found. Before tables_begin. 0 or -ENOMEM. */
int tables_sort(struct tables *tables, enum held_order order, bool only, bool quiet);
/* What was found, complete: borrowed until tables_close. With tables_sort, before tables_finish. */
void tables_found(struct tables *tables, const struct rows_findings *findings);
/* Whether any place is standard output on a terminal. */
bool tables_on_terminal(const struct tables *tables);
/* The first packet's time: time zero. Before any row; later calls change nothing. */
void tables_begin(struct tables *tables, int64_t base_ns);
/* 0, or -EPIPE when nobody reads any more and no file is left to write. Other failures are kept until tables_finish. */
int tables_row(struct tables *tables, const struct ledger_row *row);
/* The same for a UDP flow's row. */
int tables_udp(struct tables *tables, const struct datagrams_row *row);
/* Writes what waits to standard output and files, for a reader who watches. Failures are kept until tables_finish. */
void tables_flush(struct tables *tables);
/* Ends all views and lets the files appear. 0 or the first failure; -EPIPE as output_tell. */
int tables_finish(struct tables *tables, const struct ledger_totals *totals, const struct rows_source *source, struct err *err);
void tables_close(struct tables *tables);

#endif
