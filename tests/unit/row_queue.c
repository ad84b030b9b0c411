/* The queue between the ledger and the writer of rows, with a thread and without: every row once and in order, failures both ways,
 * nothing left behind. script/test runs it under the thread sanitizer too. */
#include "cli/row_queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

enum { BATCH = ROW_QUEUE_BATCH, FULL = ROW_QUEUE_BATCH * ROW_QUEUE_BATCHES };

struct reader {
    uint32_t taken, fails_at; /* 0: never */
    uint32_t calls_after;     /* after it failed */
    long slow_ns;             /* a batch */
    bool in_order;
};

static int take(void *data, const struct ledger_row *row)
{
    struct reader *reader = data;
    if (reader->fails_at && reader->taken == reader->fails_at) {
        reader->calls_after++;
        return -EPIPE;
    }
    if (reader->slow_ns && reader->taken % BATCH == 0) nanosleep(&(struct timespec){0, reader->slow_ns}, NULL);
    if (row->number != reader->taken + 1 || row->start_ns != (int64_t)row->number * 3) reader->in_order = false;
    reader->taken++;
    return reader->fails_at && reader->taken == reader->fails_at ? -EPIPE : 0;
}

/* How many were put before it said no. */
static uint32_t put(struct row_queue *queue, uint32_t count)
{
    uint32_t number = 1;
    for (; number <= count; number++) {
        const struct ledger_row row = {.number = number, .start_ns = (int64_t)number * 3};
        if (row_queue_put(queue, &row)) break;
    }
    return number > count ? count : number;
}

static void every_row_arrives_once_and_in_order(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, BATCH - 1, BATCH, BATCH + 1, FULL, FULL + 1, 20 * FULL + 7};
    for (size_t processors = 1; processors <= 2; processors++)
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            struct reader reader = {.in_order = true, .slow_ns = i % 2 ? 100000 : 0};
            struct row_queue *queue = row_queue_new(take, &reader, processors);
            assert_non_null(queue);
            assert_int_equal(put(queue, counts[i]), counts[i]);
            assert_int_equal(row_queue_finish(queue), 0);
            assert_int_equal(reader.taken, counts[i]);
            assert_true(reader.in_order);
            row_queue_free(queue);
        }
}

static void a_reader_that_has_gone_stops_the_writer(void **state)
{
    (void)state;
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .fails_at = BATCH + 3};
        struct row_queue *queue = row_queue_new(take, &reader, processors);
        assert_non_null(queue);
        /* What was on its way already is all that can be put in vain. */
        assert_in_range(put(queue, 100 * FULL), BATCH + 3, processors == 1 ? BATCH + 3 : 2 * BATCH + FULL);
        assert_int_equal(row_queue_finish(queue), -EPIPE);
        assert_int_equal(row_queue_finish(queue), -EPIPE);
        assert_int_equal(reader.taken, BATCH + 3);
        assert_int_equal(reader.calls_after, 0);
        row_queue_free(queue);
    }
}

static void a_failure_in_the_last_rows_is_told_at_the_end(void **state)
{
    (void)state;
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .fails_at = BATCH + 2};
        struct row_queue *queue = row_queue_new(take, &reader, processors);
        assert_non_null(queue);
        assert_int_equal(put(queue, BATCH + 5), processors == 1 ? BATCH + 2 : BATCH + 5);
        assert_int_equal(row_queue_finish(queue), -EPIPE);
        assert_int_equal(reader.taken, BATCH + 2);
        row_queue_free(queue);
    }
}

static void what_is_dropped_is_not_waited_for(void **state)
{
    (void)state;
    row_queue_free(NULL);
    for (size_t processors = 1; processors <= 2; processors++) {
        struct reader reader = {.in_order = true, .slow_ns = 20000000};
        struct row_queue *queue = row_queue_new(take, &reader, processors);
        assert_non_null(queue);
        put(queue, FULL - 1);
        row_queue_free(queue);
        assert_true(reader.in_order);
        assert_in_range(reader.taken, processors == 1 ? FULL - 1 : 0, processors == 1 ? FULL - 1 : FULL - BATCH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_arrives_once_and_in_order),
        cmocka_unit_test(a_reader_that_has_gone_stops_the_writer),
        cmocka_unit_test(a_failure_in_the_last_rows_is_told_at_the_end),
        cmocka_unit_test(what_is_dropped_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
