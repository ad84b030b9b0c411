/* Segments on their way from the thread that reads packets to one that takes them, in order, in a few batches.
 *
 * Where only one processor may be used there is no second thread, and none is started for a capture of less than a batch: then
 * segments are consumed by the caller, with the same result. It owns the room they are decoded into, and knows neither captures nor
 * ledgers. */
#ifndef TCPWHY_READ_SEGMENT_QUEUE_H
#define TCPWHY_READ_SEGMENT_QUEUE_H

#include <stddef.h>

#include "ledger/ledger.h"

enum { SEGMENT_QUEUE_ROOM = 256, SEGMENT_QUEUE_BATCH = 1024, SEGMENT_QUEUE_BATCHES = 8 };

struct segment_queue;

/* Takes segments, borrowed during the call. Called by one thread at a time. Not 0: the ones behind them are not wanted. */
typedef int segment_consumer(void *data, const struct ledger_segment *segments, size_t count);

/* `processors`: how many may be used; 0: ask the system. NULL: no memory. */
struct segment_queue *segment_queue_new(segment_consumer *consume, void *data, size_t processors);
/* Where the next SEGMENT_QUEUE_ROOM segments at most can be written; valid until segment_queue_add, which says how many they were.
 * That waits while all batches are on their way, and returns 0, or what the consumer returned for earlier ones (perhaps some
 * batches later). From the first of them on the consumer's data are the other thread's, until segment_queue_finish. */
struct ledger_segment *segment_queue_room(struct segment_queue *queue);
int segment_queue_add(struct segment_queue *queue, size_t count);
/* Waits until every segment added so far was consumed: until the next is added the consumer's data are the caller's. 0 or the
 * consumer's first failure. */
int segment_queue_settle(struct segment_queue *queue);
/* Waits until every segment was consumed and the thread has ended: the consumer's data are the caller's again. 0 or the consumer's
 * first failure. Nothing may be added afterwards. */
int segment_queue_finish(struct segment_queue *queue);
/* Drops what was not consumed yet, unless it was finished. NULL is fine. */
void segment_queue_free(struct segment_queue *queue);

#endif
