#include "read/segment_queue.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

/* Without a second thread: so many that memory is fetched ahead, and so few that they stay in the fastest cache. */
enum { ALONE_BATCH = 256 };

struct batch {
    size_t count;
    struct ledger_segment segments[SEGMENT_QUEUE_BATCH];
};

/* Batches are a ring: the producer fills batches[filled], the consumer empties batches[emptied], and the lock guards how many there
 * are between the two. */
struct segment_queue {
    segment_consumer *consume;
    void *data;
    bool threaded; /* there shall be a thread; else segments are consumed as they come */
    bool started;  /* there is one */
    bool finished;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled_more, emptied_more;
    size_t filled, emptied; /* batches since the beginning */
    bool ended;             /* no more will be filled */
    bool dropped;           /* what waits is not wanted any more */
    int code;               /* the consumer's first failure */
    struct batch batches[SEGMENT_QUEUE_BATCHES];
};

static size_t count_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

struct segment_queue *segment_queue_new(segment_consumer *consume, void *data, size_t processors)
{
    struct segment_queue *queue = calloc(1, sizeof(*queue));
    if (!queue) return NULL;
    queue->consume = consume;
    queue->data = data;
    queue->threaded = (processors ? processors : count_processors()) > 1;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled_more, NULL);
    pthread_cond_init(&queue->emptied_more, NULL);
    return queue;
}

static int consume_batch(struct segment_queue *queue, struct batch *batch)
{
    int code = batch->count ? queue->consume(queue->data, batch->segments, batch->count) : 0;
    batch->count = 0;
    return code;
}

static void *run(void *data)
{
    struct segment_queue *queue = data;
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (queue->emptied == queue->filled && !queue->ended) pthread_cond_wait(&queue->filled_more, &queue->lock);
        if (queue->emptied == queue->filled) break;
        struct batch *batch = &queue->batches[queue->emptied % SEGMENT_QUEUE_BATCHES];
        int code = queue->code;
        if (code || queue->dropped) {
            batch->count = 0;
        } else {
            pthread_mutex_unlock(&queue->lock);
            code = consume_batch(queue, batch);
            pthread_mutex_lock(&queue->lock);
        }
        queue->code = code;
        queue->emptied++;
        if (queue->filled - queue->emptied <= SEGMENT_QUEUE_BATCHES / 2) pthread_cond_signal(&queue->emptied_more);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Signals are the first thread's: what interrupts is what waits for packets there. */
static bool start(struct segment_queue *queue)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    queue->started = pthread_create(&queue->thread, NULL, run, queue) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->started;
}

/* Gives the batch that is being filled away, and waits for another to be empty. */
static int hand_over(struct segment_queue *queue)
{
    if (!queue->started && !(queue->threaded = start(queue))) return queue->code = consume_batch(queue, &queue->batches[0]);
    pthread_mutex_lock(&queue->lock);
    queue->filled++;
    pthread_cond_signal(&queue->filled_more);
    /* Who has to wait waits until half of it is empty: to wake a processor costs more than a batch. */
    if (queue->filled - queue->emptied == SEGMENT_QUEUE_BATCHES)
        while (queue->filled - queue->emptied > SEGMENT_QUEUE_BATCHES / 2) pthread_cond_wait(&queue->emptied_more, &queue->lock);
    int code = queue->code;
    pthread_mutex_unlock(&queue->lock);
    return code;
}

static struct batch *being_filled(struct segment_queue *queue)
{
    return &queue->batches[queue->filled % SEGMENT_QUEUE_BATCHES];
}

struct ledger_segment *segment_queue_room(struct segment_queue *queue)
{
    struct batch *batch = being_filled(queue);
    return batch->segments + batch->count;
}

int segment_queue_add(struct segment_queue *queue, size_t count)
{
    struct batch *batch = being_filled(queue);
    batch->count += count;
    if (queue->threaded) return batch->count > SEGMENT_QUEUE_BATCH - SEGMENT_QUEUE_ROOM ? hand_over(queue) : 0;
    if (batch->count <= ALONE_BATCH - SEGMENT_QUEUE_ROOM) return queue->code;
    if (!queue->code) queue->code = consume_batch(queue, batch);
    batch->count = 0;
    return queue->code;
}

int segment_queue_settle(struct segment_queue *queue)
{
    struct batch *last = being_filled(queue);
    if (!queue->started) {
        if (!queue->code) queue->code = consume_batch(queue, last);
        last->count = 0;
        return queue->code;
    }
    pthread_mutex_lock(&queue->lock);
    if (last->count) queue->filled++;
    pthread_cond_signal(&queue->filled_more);
    while (queue->emptied != queue->filled) pthread_cond_wait(&queue->emptied_more, &queue->lock);
    int code = queue->code;
    pthread_mutex_unlock(&queue->lock);
    return code;
}

/* Ends the thread, if there is one; what waits is consumed first unless `drop`. */
static void end(struct segment_queue *queue, bool drop)
{
    struct batch *last = being_filled(queue);
    queue->finished = true;
    if (queue->started) {
        pthread_mutex_lock(&queue->lock);
        queue->ended = true;
        queue->dropped = drop;
        if (last->count && !drop) queue->filled++;
        pthread_cond_signal(&queue->filled_more);
        pthread_mutex_unlock(&queue->lock);
        pthread_join(queue->thread, NULL);
    } else if (!drop && !queue->code) {
        queue->code = consume_batch(queue, last);
    }
}

int segment_queue_finish(struct segment_queue *queue)
{
    if (!queue->finished) end(queue, false);
    return queue->code;
}

void segment_queue_free(struct segment_queue *queue)
{
    if (!queue) return;
    if (!queue->finished) end(queue, true);
    pthread_cond_destroy(&queue->emptied_more);
    pthread_cond_destroy(&queue->filled_more);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}
