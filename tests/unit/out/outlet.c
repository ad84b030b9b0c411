/* Lines on their way out: in order of time, and to a reader who does not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "out/order.h"
#include "out/outlet.h"

/* ---- the order ---- */

static void take_ordered(void *data, const char *line, size_t length)
{
    buf_append(data, line, length);
}

static void lines_come_in_order_of_time_and_not_before_it(void **state)
{
    struct buf out = buf_new(1 << 10);
    struct order *order = order_new(1 << 10, take_ordered, &out);
    (void)state;
    assert_non_null(order);
    order_put(order, 30, "e", 1);
    order_put(order, 10, "a", 1);
    order_put(order, 20, "c", 1);
    order_put(order, 10, "b", 1);
    order_release(order, 9);
    assert_int_equal(out.length, 0);
    order_release(order, 20);
    assert_string_equal(buf_string(&out), "abc");
    order_put(order, 25, "d", 1);
    order_put(order, 5, "!", 1); /* too late: it is told all the same */
    order_release(order, INT64_MAX);
    assert_string_equal(buf_string(&out), "abc!de");
    order_put(order, 40, "forgotten", 9);
    order_free(order);
    buf_free(&out);
}

static void of_too_many_lines_the_earliest_go_out(void **state)
{
    struct buf out = buf_new(1 << 10);
    struct order *order = order_new(4, take_ordered, &out);
    (void)state;
    for (int i = 0; i < 5; i++) order_put(order, 10 - i, &"abcde"[i], 1);
    assert_string_equal(buf_string(&out), "dc"); /* the earlier half of four */
    order_release(order, INT64_MAX);
    assert_string_equal(buf_string(&out), "dceba");
    order_free(order);
    buf_free(&out);
}

/* ---- a reader ---- */

static void a_reader_that_goes_is_noticed_though_nothing_is_written(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct outlet outlet = outlet_new(ends[1], 1 << 18);
    outlet_flush(&outlet);
    assert_false(outlet.gone);
    close(ends[0]);
    outlet_flush(&outlet);
    assert_true(outlet.gone);
    close(ends[1]);
    outlet_free(&outlet);
}

static void what_nobody_reads_is_bounded_and_counted(void **state)
{
    int ends[2];
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as who watches does */
    assert_int_equal(pipe(ends), 0);
    struct outlet outlet = outlet_new(ends[1], 1 << 18);
    static char line[1000];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (int i = 0; i < 1000; i++) {
        outlet_line(&outlet, line, sizeof(line));
        outlet_flush(&outlet); /* must not wait: nobody reads */
    }
    assert_true(outlet.lost > 500 && outlet.lost < 900);
    uint64_t kept = 1000 - outlet.lost, got = 0;
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (int idle = 0; idle < 2;) {
        char bytes[8192];
        ssize_t count = read(ends[0], bytes, sizeof(bytes));
        idle = count > 0 ? 0 : idle + 1;
        got += count > 0 ? (uint64_t)count : 0;
        outlet_flush(&outlet);
    }
    assert_int_equal(got, kept * sizeof(line)); /* whole lines, and all of those that were taken */
    close(ends[0]);
    outlet_line(&outlet, line, sizeof(line));
    outlet_flush(&outlet);
    assert_true(outlet.gone);
    close(ends[1]);
    outlet_free(&outlet);
}

static void a_disk_that_is_full_is_tried_again(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];
    char got[32];
    assert_true(full >= 0);
    assert_int_equal(pipe(ends), 0);
    struct outlet outlet = outlet_new(full, 1 << 10);
    outlet_line(&outlet, "one\n", 4);
    outlet_flush(&outlet);
    assert_true(outlet.full);
    assert_int_equal(outlet.code, 0);
    outlet_line(&outlet, "two\n", 4);
    outlet.fd = ends[1]; /* somebody made room */
    outlet_flush(&outlet);
    assert_false(outlet.full);
    assert_int_equal(read(ends[0], got, sizeof(got)), 8);
    assert_memory_equal(got, "one\ntwo\n", 8);
    outlet.fd = full;
    outlet_line(&outlet, "three\n", 6);
    outlet_line(&outlet, "four\n", 5);
    assert_int_equal(outlet.lost, 0);
    outlet_finish(&outlet, 100);
    assert_int_equal(outlet.code, -ENOSPC);
    assert_int_equal(outlet.lost, 2);
    close(ends[0]);
    close(ends[1]);
    close(full);
    outlet_free(&outlet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_in_order_of_time_and_not_before_it),
        cmocka_unit_test(of_too_many_lines_the_earliest_go_out),
        cmocka_unit_test(a_reader_that_goes_is_noticed_though_nothing_is_written),
        cmocka_unit_test(what_nobody_reads_is_bounded_and_counted),
        cmocka_unit_test(a_disk_that_is_full_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
