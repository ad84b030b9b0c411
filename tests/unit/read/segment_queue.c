/* The queue between the reader of packets and the ledger, with a thread and without: every segment once and in order, failures both
 * ways, nothing left behind. script/test runs it under the thread sanitizer too. */
#include "read/segment_queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

enum { BATCH = SEGMENT_QUEUE_BATCH, ROOM = SEGMENT_QUEUE_ROOM, FULL = SEGMENT_QUEUE_BATCH * SEGMENT_QUEUE_BATCHES };

struct reader {
    uint32_t taken, fails_at; /* 0: never */
    uint32_t calls_after;     /* after it failed */
    long slow_ns;             /* a call */
    bool in_order;
};

static int take(void *data, const struct ledger_segment *segments, size_t count)
{
    struct reader *reader = data;
    if (reader->fails_at && reader->taken == reader->fails_at) {
        reader->calls_after++;
        return -EPIPE;
    }
    if (reader->slow_ns) nanosleep(&(struct timespec){0, reader->slow_ns}, NULL);
    for (size_t i = 0; i < count; i++) {
        if (segments[i].seq != reader->taken + 1 || segments[i].t_ns != (int64_t)segments[i].seq * 3) reader->in_order = false;
        reader->taken++;
        if (reader->taken == reader->fails_at) return -EPIPE;
    }
    return 0;
}

/* Adds `count` in pieces of 1 to ROOM, sometimes none. How many were added when it said no. */
static uint32_t put(struct segment_queue *queue, uint32_t count)
{
    uint32_t number = 0;
    for (size_t piece = 0; number < count; piece = (piece + 7) % (ROOM + 1)) {
        struct ledger_segment *room = segment_queue_room(queue);
        size_t some = piece < count - number ? piece : count - number;
        for (size_t i = 0; i < some; i++, number++)
            room[i] = (struct ledger_segment){.seq = number + 1, .t_ns = ((int64_t)number + 1) * 3};
        if (segment_queue_add(queue, some)) break;
    }
    return number;
}

static void every_segment_arrives_once_and_in_order(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, BATCH - 1, BATCH, BATCH + 1, FULL, FULL + 1, 20 * FULL + 7};
    for (size_t processors = 1; processors <= 2; processors++)
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            struct reader reader = {.in_order = true, .slow_ns = i % 2 ? 100000 : 0};
            struct segment_queue *queue = segment_queue_new(take, &reader, processors);
            assert_non_null(queue);
            assert_int_equal(put(queue, counts[i]), counts[i]);
            assert_int_equal(segment_queue_finish(queue), 0);
            assert_int_equal(reader.taken, counts[i]);
            assert_true(reader.in_order);
            segment_queue_free(queue);
        }
}

static void what_was_added_is_consumed_when_it_has_settled(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 5, BATCH - 1, BATCH + 1, 3, FULL, 2};
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .slow_ns = 10000};
        struct segment_queue *queue = segment_queue_new(take, &reader, processors);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            reader.taken = 0; /* it is ours now */
            put(queue, counts[i]);
            assert_int_equal(segment_queue_settle(queue), 0);
            assert_int_equal(reader.taken, counts[i]);
        }
        assert_true(reader.in_order);
        reader.taken = 0;
        reader.fails_at = 3;
        put(queue, 5);
        assert_int_equal(segment_queue_settle(queue), -EPIPE);
        assert_int_equal(segment_queue_finish(queue), -EPIPE);
        segment_queue_free(queue);
    }
}

static void a_reader_that_has_gone_stops_the_writer(void **state)
{
    (void)state;
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .fails_at = BATCH + 3};
        struct segment_queue *queue = segment_queue_new(take, &reader, processors);
        assert_non_null(queue);
        /* What was on its way already is all that can be put in vain. */
        assert_in_range(put(queue, 100 * FULL), BATCH + 3, processors == 1 ? BATCH + 3 + ROOM : 2 * BATCH + FULL);
        assert_int_equal(segment_queue_finish(queue), -EPIPE);
        assert_int_equal(segment_queue_finish(queue), -EPIPE);
        assert_int_equal(reader.taken, BATCH + 3);
        assert_int_equal(reader.calls_after, 0);
        segment_queue_free(queue);
    }
}

static void a_failure_in_the_last_segments_is_told_at_the_end(void **state)
{
    (void)state;
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .fails_at = BATCH + 2};
        struct segment_queue *queue = segment_queue_new(take, &reader, processors);
        assert_non_null(queue);
        assert_in_range(put(queue, BATCH + 5), BATCH + 2, BATCH + 5);
        assert_int_equal(segment_queue_finish(queue), -EPIPE);
        assert_int_equal(reader.taken, BATCH + 2);
        segment_queue_free(queue);
    }
}

static void what_is_dropped_is_not_waited_for(void **state)
{
    (void)state;
    segment_queue_free(NULL);
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .slow_ns = 200000000};
        struct segment_queue *queue = segment_queue_new(take, &reader, processors);
        assert_non_null(queue);
        if (processors == 1) reader.slow_ns = 0;
        put(queue, FULL / 2);
        segment_queue_free(queue);
        assert_true(reader.in_order);
        assert_in_range(reader.taken, processors == 1 ? FULL / 2 : 0, FULL / 2);
        assert_in_range(reader.taken, processors == 1 ? FULL / 2 - BATCH : 0, FULL / 2);
        if (processors == 2) assert_int_not_equal(reader.taken, FULL / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_segment_arrives_once_and_in_order),
        cmocka_unit_test(what_was_added_is_consumed_when_it_has_settled),
        cmocka_unit_test(a_reader_that_has_gone_stops_the_writer),
        cmocka_unit_test(a_failure_in_the_last_segments_is_told_at_the_end),
        cmocka_unit_test(what_is_dropped_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
