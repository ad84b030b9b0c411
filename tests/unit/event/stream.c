/* The stream: watermark, taps at different paces, late events, forgetting, taps that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "event/stream.h"

enum { SEEN_MAX = 4096 };

/* What a tap was given: the events' marks. */
struct seen {
    uint64_t marks[SEEN_MAX];
    size_t count;
    size_t room; /* it fails when that is full; 0: never */
};

static int take(void *data, const struct event *event)
{
    struct seen *seen = data;
    if (seen->room && seen->count == seen->room) return -ENOMEM;
    assert_true(seen->count < SEEN_MAX);
    seen->marks[seen->count++] = event->lost.count;
    return 0;
}

static void append(struct event_log *log, int64_t t_ns, uint64_t mark)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = t_ns, .lost = {.count = mark}};
    assert_int_equal(event_log_append(log, &event), 0);
}

static void assert_seen(const struct seen *seen, const char *expected)
{
    char got[1024] = "";
    for (size_t i = 0; i < seen->count; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%llu", i ? " " : "", (unsigned long long)seen->marks[i]);
    assert_string_equal(got, expected);
}

struct made {
    struct event_log *log;
    struct stream *stream;
};

static struct made make(bool forgets)
{
    struct made made = {.log = event_log_new()};
    assert_non_null(made.log);
    made.stream = stream_new(made.log, forgets);
    assert_non_null(made.stream);
    assert_ptr_equal(stream_log(made.stream), made.log);
    return made;
}

static void unmake(struct made *made)
{
    stream_free(made->stream);
    event_log_free(made->log);
}

static void a_stream_without_taps_or_events_flows(void **state)
{
    (void)state;
    struct made made = make(true);
    assert_int_equal(stream_flow(made.stream, 7), 0);
    append(made.log, 1, 1);
    assert_int_equal(stream_finish(made.stream), 0);
    assert_int_equal(event_log_count(made.log), 1);
    unmake(&made);
    stream_free(NULL);
}

static void events_before_the_watermark_come_in_order_and_those_at_it_wait(void **state)
{
    (void)state;
    struct made made = make(false);
    struct seen seen = {0};
    append(made.log, 30, 3);
    append(made.log, 10, 1);
    assert_int_equal(stream_tap(made.stream, 0, take, &seen), 0);
    append(made.log, 20, 2);
    assert_int_equal(stream_flow(made.stream, 20), 0);
    assert_seen(&seen, "1");
    assert_int_equal(stream_flow(made.stream, 21), 0);
    assert_seen(&seen, "1 2");
    append(made.log, 25, 4);
    assert_int_equal(stream_flow(made.stream, 31), 0);
    assert_seen(&seen, "1 2 4 3");
    assert_int_equal(stream_late(made.stream), 0);
    unmake(&made);
}

static void a_watermark_that_goes_back_changes_nothing(void **state)
{
    (void)state;
    struct made made = make(false);
    struct seen seen = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &seen), 0);
    assert_int_equal(stream_flow(made.stream, 100), 0);
    append(made.log, 50, 1);
    assert_int_equal(stream_flow(made.stream, 10), 0);
    assert_seen(&seen, "1");
    unmake(&made);
}

static void the_end_hands_on_everything_whatever_its_time(void **state)
{
    (void)state;
    struct made made = make(false);
    struct seen seen = {0}, behind = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &seen), 0);
    assert_int_equal(stream_tap(made.stream, INT64_MAX, take, &behind), 0);
    append(made.log, INT64_MAX, 2);
    append(made.log, INT64_MIN, 1);
    assert_int_equal(stream_flow(made.stream, INT64_MAX), 0);
    assert_seen(&seen, "1");
    assert_seen(&behind, "1");
    assert_int_equal(stream_finish(made.stream), 0);
    assert_seen(&seen, "1 2");
    assert_seen(&behind, "1 2");
    unmake(&made);
}

static void taps_go_at_their_own_paces(void **state)
{
    (void)state;
    struct made made = make(false);
    struct seen now = {0}, behind = {0}, arrivals = {0};
    append(made.log, 5, 9); /* before the tap for arrivals was there */
    assert_int_equal(stream_tap(made.stream, 10, take, &behind), 0);
    assert_int_equal(stream_tap(made.stream, 0, take, &now), 0);
    assert_int_equal(stream_tap_arrivals(made.stream, take, &arrivals), 0);
    append(made.log, 40, 4);
    append(made.log, 20, 2);
    append(made.log, 30, 3);
    assert_int_equal(stream_flow(made.stream, INT64_MIN), 0);
    assert_seen(&arrivals, "4 2 3");
    assert_seen(&now, "");
    assert_int_equal(stream_flow(made.stream, 31), 0);
    assert_seen(&now, "9 2 3");
    assert_seen(&behind, "9 2");
    append(made.log, 35, 5);
    assert_int_equal(stream_arrive(made.stream), 0);
    assert_seen(&arrivals, "4 2 3 5");
    assert_seen(&now, "9 2 3"); /* its order waits for the next flow */
    assert_int_equal(stream_flow(made.stream, 41), 0);
    assert_seen(&arrivals, "4 2 3 5");
    assert_seen(&now, "9 2 3 5 4");
    assert_seen(&behind, "9 2 3");
    unmake(&made);
}

static void a_tap_that_comes_later_is_given_what_is_still_there(void **state)
{
    (void)state;
    struct made made = make(false);
    struct seen first = {0}, second = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &first), 0);
    append(made.log, 2, 2);
    append(made.log, 1, 1);
    assert_int_equal(stream_finish(made.stream), 0);
    assert_int_equal(stream_tap(made.stream, 0, take, &second), 0);
    assert_int_equal(stream_finish(made.stream), 0);
    assert_seen(&second, "1 2");
    assert_seen(&first, "1 2");
    unmake(&made);
}

static void what_comes_too_late_is_next_and_is_counted(void **state)
{
    (void)state;
    struct made made = make(false);
    struct seen seen = {0}, behind = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &seen), 0);
    assert_int_equal(stream_tap(made.stream, 15, take, &behind), 0);
    append(made.log, 10, 1);
    append(made.log, 30, 3);
    assert_int_equal(stream_flow(made.stream, 31), 0);
    append(made.log, 20, 2);
    append(made.log, 40, 4);
    assert_int_equal(stream_flow(made.stream, 41), 0);
    assert_seen(&seen, "1 3 2 4");
    assert_int_equal(stream_late(made.stream), 1);
    assert_int_equal(stream_finish(made.stream), 0);
    assert_seen(&behind, "1 3 2 4"); /* all taps see one order */
    assert_int_equal(stream_late(made.stream), 1);
    for (uint64_t i = 0; i < 4; i++) assert_int_equal(event_log_at(made.log, i)->lost.count, behind.marks[i]);
    unmake(&made);
}

static void only_what_every_tap_was_given_is_forgotten(void **state)
{
    (void)state;
    struct made made = make(true);
    struct seen now = {0}, behind = {0}, arrivals = {0};
    assert_int_equal(stream_tap_arrivals(made.stream, take, &arrivals), 0);
    append(made.log, 10, 1);
    assert_int_equal(stream_flow(made.stream, 1000), 0);
    assert_int_equal(event_log_count(made.log), 1); /* nobody has taken it in order of time */
    assert_int_equal(stream_tap(made.stream, 0, take, &now), 0);
    assert_int_equal(stream_tap(made.stream, 50, take, &behind), 0);
    append(made.log, 980, 2);
    assert_int_equal(stream_flow(made.stream, 1000), 0);
    assert_int_equal(event_log_count(made.log), 1);
    append(made.log, 990, 3);
    append(made.log, 970, 4); /* late */
    assert_int_equal(stream_flow(made.stream, 1031), 0);
    assert_seen(&now, "1 2 4 3");
    assert_seen(&behind, "1 2 4");
    assert_int_equal(event_log_count(made.log), 1);
    assert_int_equal(stream_finish(made.stream), 0);
    assert_seen(&behind, "1 2 4 3");
    assert_seen(&arrivals, "1 2 3 4");
    assert_int_equal(event_log_count(made.log), 0);
    assert_int_equal(stream_late(made.stream), 1);
    unmake(&made);
}

static void a_long_run_keeps_no_more_than_lies_behind_the_watermark(void **state)
{
    (void)state;
    struct made made = make(true);
    struct seen seen = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &seen), 0);
    for (uint64_t i = 0; i < SEEN_MAX; i++) {
        append(made.log, (int64_t)(i ^ 3), i ^ 3); /* a little out of order */
        assert_int_equal(stream_flow(made.stream, (int64_t)(i & ~(uint64_t)3)), 0);
        assert_true(event_log_count(made.log) <= 8);
    }
    assert_int_equal(stream_finish(made.stream), 0);
    assert_int_equal(seen.count, SEEN_MAX);
    for (uint64_t i = 0; i < SEEN_MAX; i++) assert_int_equal(seen.marks[i], i);
    assert_int_equal(stream_late(made.stream), 0);
    unmake(&made);
}

static void packets_of_one_vantage_keep_their_order_over_the_watermark(void **state)
{
    (void)state;
    struct made made = make(true);
    struct seen seen = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &seen), 0);
    struct event packet = {.kind = EVENT_PACKET, .t_ns = 100, .packet = {.vantage = 1}};
    assert_int_equal(event_log_append(made.log, &packet), 0);
    packet.t_ns = 40; /* its clock was set back */
    assert_int_equal(event_log_append(made.log, &packet), 0);
    assert_int_equal(stream_flow(made.stream, 100), 0);
    assert_int_equal(seen.count, 0);
    assert_int_equal(stream_flow(made.stream, 101), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(stream_late(made.stream), 0);
    unmake(&made);
}

static void a_tap_without_memory_says_so_and_the_others_go_on(void **state)
{
    (void)state;
    struct made made = make(true);
    struct seen full = {.room = 1}, full_arrivals = {.room = 1}, other = {0};
    assert_int_equal(stream_tap(made.stream, 0, take, &full), 0);
    assert_int_equal(stream_tap_arrivals(made.stream, take, &full_arrivals), 0);
    assert_int_equal(stream_tap(made.stream, 0, take, &other), 0);
    for (uint64_t i = 1; i <= 3; i++) append(made.log, (int64_t)i, i);
    assert_int_equal(stream_flow(made.stream, 3), -ENOMEM);
    assert_seen(&full, "1");
    assert_seen(&full_arrivals, "1");
    assert_seen(&other, "1 2");
    assert_int_equal(stream_finish(made.stream), 0); /* it was said once */
    assert_seen(&full, "1");
    assert_seen(&other, "1 2 3");
    assert_int_equal(event_log_count(made.log), 0);
    unmake(&made);
}

static void when_all_taps_have_failed_nothing_is_kept_for_them(void **state)
{
    (void)state;
    struct made made = make(true);
    struct seen full = {.room = 1};
    assert_int_equal(stream_tap(made.stream, 0, take, &full), 0);
    for (uint64_t i = 1; i <= 3; i++) append(made.log, (int64_t)i, i);
    assert_int_equal(stream_flow(made.stream, 10), -ENOMEM);
    assert_int_equal(event_log_count(made.log), 0);
    append(made.log, 2, 4);
    assert_int_equal(stream_flow(made.stream, 10), 0);
    assert_int_equal(event_log_count(made.log), 0);
    assert_seen(&full, "1");
    unmake(&made);
}

/* What a tap that asked is told: until when, and how many events it had been given by then. */
struct clock {
    struct seen seen;
    int64_t until_ns;
    size_t told, given;
    int code;
};

static int take_time(void *data, int64_t until_ns)
{
    struct clock *clock = data;
    clock->until_ns = until_ns;
    clock->told++;
    clock->given = clock->seen.count;
    return clock->code;
}

static void where_nothing_is_on_its_way_who_asked_is_told_how_late_it_is(void **state)
{
    (void)state;
    struct made made = make(true);
    struct clock clock = {.code = 0}, behind = {.code = 0};
    struct seen other = {.room = 0};
    assert_int_equal(stream_tap(made.stream, 0, take, &clock), 0);
    assert_int_equal(stream_tap(made.stream, 3, take, &behind), 0);
    assert_int_equal(stream_tap(made.stream, 0, take, &other), 0);
    stream_tell_time(made.stream, &clock, take_time);
    stream_tell_time(made.stream, &behind, take_time);
    append(made.log, 5, 1);
    assert_int_equal(stream_flow(made.stream, 10), 0);
    assert_int_equal(clock.told, 0); /* more may be on its way */
    append(made.log, 11, 2);
    assert_int_equal(stream_pass(made.stream, 12), 0);
    assert_int_equal(clock.told, 1);
    assert_int_equal(clock.until_ns, 12);
    assert_int_equal(clock.given, 2);
    assert_int_equal(behind.until_ns, 9);
    assert_int_equal(stream_pass(made.stream, 11), 0); /* it is not earlier than it was */
    assert_int_equal(clock.until_ns, 12);
    clock.code = -ENOMEM;
    assert_int_equal(stream_pass(made.stream, 20), -ENOMEM);
    assert_int_equal(behind.told, 3);
    append(made.log, 21, 3);
    assert_int_equal(stream_pass(made.stream, 30), 0);
    assert_int_equal(clock.told, 3); /* who failed is told nothing more, nor given */
    assert_seen(&clock.seen, "1 2");
    assert_seen(&other, "1 2 3");
    unmake(&made);
}

/* Who reads a ring has to come back to it: nothing is lost, and time does not pass by what is left. */
static void a_bounded_flow_hands_on_a_portion_and_says_that_there_is_more(void **state)
{
    (void)state;
    struct made made = make(true);
    struct clock clock = {.code = 0};
    struct seen arrivals = {.room = 0};
    assert_int_equal(stream_tap(made.stream, 0, take, &clock), 0);
    assert_int_equal(stream_tap_arrivals(made.stream, take, &arrivals), 0);
    stream_tell_time(made.stream, &clock, take_time);
    stream_bound(made.stream, 2);
    for (uint64_t i = 1; i <= 5; i++) append(made.log, (int64_t)(10 * (6 - i)), i);
    assert_int_equal(stream_pass(made.stream, 100), 0);
    assert_seen(&clock.seen, "5 4");
    assert_seen(&arrivals, "1 2 3 4 5");
    assert_true(stream_has_more(made.stream));
    assert_int_equal(clock.told, 0);
    append(made.log, 25, 6); /* among those that were not handed on yet */
    assert_int_equal(stream_pass(made.stream, 100), 0);
    assert_seen(&clock.seen, "5 4 6 3");
    assert_true(stream_has_more(made.stream));
    assert_int_equal(stream_pass(made.stream, 100), 0);
    assert_seen(&clock.seen, "5 4 6 3 2 1");
    assert_false(stream_has_more(made.stream)); /* exactly as many as the bound, and no more there */
    assert_int_equal(clock.told, 1);
    assert_int_equal(stream_late(made.stream), 0);
    for (uint64_t i = 7; i <= 10; i++) append(made.log, 200, i);
    assert_int_equal(stream_finish(made.stream), 0);
    assert_seen(&clock.seen, "5 4 6 3 2 1 7 8 9 10");
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_without_taps_or_events_flows),
        cmocka_unit_test(events_before_the_watermark_come_in_order_and_those_at_it_wait),
        cmocka_unit_test(a_watermark_that_goes_back_changes_nothing),
        cmocka_unit_test(the_end_hands_on_everything_whatever_its_time),
        cmocka_unit_test(taps_go_at_their_own_paces),
        cmocka_unit_test(a_tap_that_comes_later_is_given_what_is_still_there),
        cmocka_unit_test(what_comes_too_late_is_next_and_is_counted),
        cmocka_unit_test(only_what_every_tap_was_given_is_forgotten),
        cmocka_unit_test(a_long_run_keeps_no_more_than_lies_behind_the_watermark),
        cmocka_unit_test(packets_of_one_vantage_keep_their_order_over_the_watermark),
        cmocka_unit_test(a_tap_without_memory_says_so_and_the_others_go_on),
        cmocka_unit_test(when_all_taps_have_failed_nothing_is_kept_for_them),
        cmocka_unit_test(where_nothing_is_on_its_way_who_asked_is_told_how_late_it_is),
        cmocka_unit_test(a_bounded_flow_hands_on_a_portion_and_says_that_there_is_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
