/* Rows of a list that are held in memory until all have come, to be given in another order. */
#ifndef TCPWHY_OUT_HELD_H
#define TCPWHY_OUT_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "viz/lists/rows.h"

/* The first of equals is the one with the lower number. */
enum held_order {
    HELD_FINDING, /* the worst first: by the severity of its findings, by which they are, then by how it ended */
    HELD_TOOK,    /* the longest first */
    HELD_START,   /* the earliest first */
    HELD_BYTES,   /* the most payload, of both ends together, first */
    HELD_ORDERS
};

enum { HELD_ROWS_MAX = 1 << 18 }; /* some 500 bytes each */

struct held;

/* NULL: no memory. */
struct held *held_new(void);
void held_free(struct held *held);
/* A copy. 0; -ENOBUFS: it holds HELD_ROWS_MAX already; -ENOMEM. */
int held_row(struct held *held, const struct ledger_row *row);
int held_udp(struct held *held, const struct datagrams_row *row);

/* Sorts, gives each to one of the two, and forgets them. Stops at the first that does not return 0, and returns that. `options`:
 * for HELD_FINDING what was found. */
int held_give(struct held *held, enum held_order order, const struct rows_options *options,
              int (*row)(void *data, const struct ledger_row *row), int (*udp)(void *data, const struct datagrams_row *row),
              void *data);

#endif
