/* Rows on their way from the thread that finishes connections to one that writes them, in order, in a few batches.
 *
 * Where only one processor may be used there is no second thread, and none is started for a table of less than a batch: then rows
 * are consumed by the caller, with the same result. It owns copies of the rows, and knows neither views nor files. */
#ifndef TCPWHY_CLI_ROW_QUEUE_H
#define TCPWHY_CLI_ROW_QUEUE_H

#include <stddef.h>

#include "ledger/ledger.h"

enum { ROW_QUEUE_BATCH = 256, ROW_QUEUE_BATCHES = 4 };

struct row_queue;

/* Takes one row, borrowed during the call. Called by one thread at a time. Not 0: the rows behind it are not wanted. */
typedef int row_queue_consumer(void *data, const struct ledger_row *row);

/* `processors`: how many may be used; 0: ask the system. NULL: no memory. */
struct row_queue *row_queue_new(row_queue_consumer *consume, void *data, size_t processors);
/* Copies the row; waits while all batches are on their way. 0, or what the consumer returned for an earlier row (perhaps some
 * batches later). The first call after which the consumer's data belong to the other thread, until row_queue_finish. */
int row_queue_put(struct row_queue *queue, const struct ledger_row *row);
/* Waits until every row was consumed and the thread has ended: the consumer's data are the caller's again. 0 or the consumer's
 * first failure. Nothing may be put afterwards. */
int row_queue_finish(struct row_queue *queue);
/* Drops what was not consumed yet, unless it was finished. NULL is fine. */
void row_queue_free(struct row_queue *queue);

#endif
