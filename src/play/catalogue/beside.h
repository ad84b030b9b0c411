/* Jobs beside each other: each in a process of its own, a few at once, and what came of each in their order.
 *
 * A process of its own starts them and keeps root's rights for that; this one gives them up (rights_drop, rights_confine) before it
 * reads the first row, and for good. It owns the processes: none is left when beside_run returns, and none outlives this one. */
#ifndef TCPWHY_PLAY_CATALOGUE_BESIDE_H
#define TCPWHY_PLAY_CATALOGUE_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct beside {
    size_t count;
    void *rows; /* `count` of them, zeroed, `row_bytes` each: plain bytes, they travel through a pipe */
    size_t row_bytes;
    /* In the job's own process: fills its row. */
    void (*work)(void *data, size_t i, void *row);
    /* Its process ended before it had a row, which is then zeroed: says so in it. */
    void (*lost)(void *data, size_t i, void *row, int wait_status);
    /* In this process, in the order of the jobs, as soon as it and all before it are over. 0, or what beside_run returns. */
    int (*over)(void *data, size_t i, void *row);
    void *data;
};

/* 0, what `over` returned, or -errno with a sentence. */
int beside_run(const struct beside *beside, struct err *err);

#endif
