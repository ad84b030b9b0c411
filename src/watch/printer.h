/* What a watch writes on standard output: a line a connection, and with `course` one for each step besides, all in order of time.
 * It never waits for its reader. */
#ifndef TCPWHY_WATCH_PRINTER_H
#define TCPWHY_WATCH_PRINTER_H

#include "base/err.h"
#include "out/outlet.h"
#include "watch/lines.h"

struct order;

struct printer {
    struct lines_options lines;
    struct outlet outlet;
    struct buf line;
    struct order *order; /* NULL: what is known is written at once */
    int64_t released_ns; /* when it gave out lines last */
    bool full_said;      /* that the disk is full */
};

/* `in_order`: lines wait a moment until nothing earlier is expected. 0; -ENOMEM. Release with printer_free, also after that. */
int printer_init(struct printer *printer, const struct lines_options *lines, bool in_order);
void printer_free(struct printer *printer);
void printer_head(struct printer *printer);
/* A connection that has ended; before it, its steps that were not told yet. */
void printer_ended(struct printer *printer, const struct watch_facts *facts);
/* A connection's steps after `told_ns`. When the last one was sent, or `told_ns`. */
int64_t printer_course(struct printer *printer, const struct story *story, int64_t told_ns);
void printer_trouble(struct printer *printer, const struct lines_trouble *what);
/* Writes what is due, as far as the reader takes it. now_ns: up to here the teller has been given what happened. */
void printer_flush(struct printer *printer, int64_t now_ns);
/* Nothing more comes but the totals: writes all, and waits for a reader that takes something every `patience_ms`. */
void printer_finish(struct printer *printer, const struct buf *totals, int patience_ms);
/* Says on standard error, once, that the disk is full. */
void printer_say_if_full(struct printer *printer, bool quiet);
/* Behind printer_finish(): what became of the lines. `lost`: those of which the totals said it. 0; -EPIPE: the reader has gone;
 * else the failure of standard output, with its sentence. */
int printer_end(const struct printer *printer, bool quiet, uint64_t lost, struct err *err);

#endif
