/* What is missing, in bounded memory (src/conn/holes.c): ranges, joined where they touch; past the bound the highest ACK is the way
 * back (rule 1). Bytes by numbers (rule 7). Each bound just inside and just outside (rule 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/exchange.h"

/* Pieces of ten bytes, every other one missing: c sends the odd ones of `count`. */
static void say_every_other(struct exchange *x, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char step[64];
        snprintf(step, sizeof(step), "c:A:%u:1:10", 1 + 20 * i);
        exchange_say(x, step);
    }
}

/* The missing ones, from the last or from the first. */
static void say_the_missing(struct exchange *x, unsigned count, bool from_the_last)
{
    for (unsigned i = 0; i < count; i++) {
        char step[64];
        unsigned at = from_the_last ? count - 1 - i : i;
        snprintf(step, sizeof(step), "c:A:%u:1:10", 11 + 20 * at);
        exchange_say(x, step);
    }
}

/* A hole, `behind` segments behind it, then the missing one and a FIN. */
static void close_with_so_many_behind_a_hole(unsigned behind)
{
    struct exchange x;
    char step[64];
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE);
    for (unsigned i = 1; i <= behind; i++) {
        snprintf(step, sizeof(step), "c:A:%u:1:100 s:A:1:1:0", 1 + 100 * i);
        exchange_say(&x, step);
    }
    assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + 1);
    snprintf(step, sizeof(step), "+250ms c:A:1:1:100 s:A:1:%u:0", 101 + 100 * behind);
    exchange_say(&x, step);
    assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + 101 + 100 * behind);
    snprintf(step, sizeof(step), "c:FA:%u:1:0 s:FA:1:%u:0 c:A:%u:2:0", 101 + 100 * behind, 102 + 100 * behind, 102 + 100 * behind);
    exchange_say(&x, step);
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 'c'), 100 + 100 * behind);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 1);
}

static void any_number_of_segments_may_lie_behind_a_hole(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 8, 9, 15, 16, 17, 100};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) close_with_so_many_behind_a_hole(counts[i]);
}

/* So many holes at once, filled from either side, then a close: got and the FINs come through; past the bound by the ACK. */
static void fill_so_many_holes(unsigned count, bool from_the_last)
{
    struct exchange x;
    char step[96];
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:A:1:1:10");
    say_every_other(&x, count);
    uint32_t all = 1 + 20 * count + 10;
    assert_in_range(exchange_more(&x, 'c')->hole_count, 1, CONN_HOLES_MAX);
    assert_int_equal(exchange_more(&x, 'c')->hole_count, count < CONN_HOLES_MAX ? count : CONN_HOLES_MAX);
    say_the_missing(&x, count, from_the_last);
    assert_int_equal(exchange_more(&x, 'c')->hole_count, 0);
    assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + all);
    snprintf(step, sizeof(step), "s:A:1:%u:0 c:FA:%u:1:0 s:FA:1:%u:0 c:A:%u:2:0", all, all, all + 1, all + 1);
    exchange_say(&x, step);
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 'c'), all - 1);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
}

static void holes_up_to_the_bound_and_past_it_are_filled(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 2, 9, CONN_HOLES_MAX - 1, CONN_HOLES_MAX, CONN_HOLES_MAX + 1, 100};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        fill_so_many_holes(counts[i], false);
        fill_so_many_holes(counts[i], true);
    }
}

/* What was never captured and is acknowledged: every byte is missed, remembered as a hole or not. */
static void miss_so_many(unsigned count)
{
    struct exchange x;
    char step[96];
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:A:1:1:10");
    say_every_other(&x, count);
    snprintf(step, sizeof(step), "s:A:1:%u:0", 1 + 20 * count + 10);
    exchange_say(&x, step);
    assert_int_equal(exchange_bytes(&x, 'c'), 20 * count + 10);
    assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + 1 + 20 * count + 10);
    if (count <= CONN_HOLES_MAX) assert_int_equal(exchange_missed(&x, 'c'), 10 * count);
    assert_in_range(exchange_missed(&x, 'c'), 10 * (count < CONN_HOLES_MAX ? count : CONN_HOLES_MAX), 10 * count);
}

static void what_is_acknowledged_and_was_never_captured_is_missed(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 9, CONN_HOLES_MAX, CONN_HOLES_MAX + 1, 100};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) miss_so_many(counts[i]);
}

/* As the acknowledgements of a transfer come, between the gaps. */
static void gaps_that_are_acknowledged_one_by_one_are_all_missed(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:A:1:1:10");
    for (unsigned i = 1; i <= 100; i++) {
        char step[96];
        snprintf(step, sizeof(step), "c:A:%u:1:10 s:A:1:%u:0", 1 + 20 * i, 11 + 20 * i);
        exchange_say(&x, step);
    }
    assert_int_equal(exchange_missed(&x, 'c'), 1000);
    assert_int_equal(exchange_bytes(&x, 'c'), 2010);
}

/* They stand in ascending order, apart, below the top. */
static void assert_apart(const struct conn_more_end *more, const struct conn_range *holes, size_t count)
{
    assert_int_equal(more->hole_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(more->holes[i].from, holes[i].from);
        assert_int_equal(more->holes[i].to, holes[i].to);
    }
}

static void ranges_that_touch_are_one(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.isn[0] = 0;
    exchange_say(&x, HANDSHAKE "c:A:101:1:10");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{1, 101}}, 1);
    exchange_say(&x, "c:A:51:1:10");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{1, 51}, {61, 101}}, 2);
    exchange_say(&x, "c:A:61:1:40");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{1, 51}}, 1);
    exchange_say(&x, "c:A:41:1:20");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{1, 41}}, 1);
    exchange_say(&x, "c:A:1:1:10");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{11, 41}}, 1);
    assert_int_equal(exchange_end(&x, 'c')->got, 11);
    exchange_say(&x, "c:A:1:1:200");
    assert_apart(exchange_more(&x, 'c'), NULL, 0);
    assert_int_equal(exchange_end(&x, 'c')->got, 201);
}

static void a_hole_that_is_filled_from_its_middle_twice_splits_twice(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.isn[0] = 0;
    exchange_say(&x, HANDSHAKE "c:A:101:1:10 c:A:21:1:10 c:A:81:1:10");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{1, 21}, {31, 81}, {91, 101}}, 3);
    exchange_say(&x, "c:A:11:1:85");
    assert_apart(exchange_more(&x, 'c'), (struct conn_range[]){{1, 11}, {96, 101}}, 2);
}

static void what_is_captured_behind_its_turn_within_a_round_trip_is_out_of_order(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:11:1:10 c:PA:1:1:10");
    assert_classes(&x, "new new ack new out-of-order");
    assert_int_equal(exchange_more(&x, 'c')->out_of_order, 1);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 0);
    assert_int_equal(exchange_bytes(&x, 'c'), 20);
}

/* What class the missing piece has, so long after the hole was seen. */
static void assert_class_after(const char *opening, const char *pause, enum conn_class class)
{
    struct exchange x;
    char steps[256];
    exchange_begin(&x);
    snprintf(steps, sizeof(steps), "%s c:PA:11:1:10 %s c:PA:1:1:10", opening, pause);
    exchange_say(&x, steps);
    assert_string_equal(conn_class_name((enum conn_class)x.verdict.class), conn_class_name(class));
    assert_int_equal(x.verdict.is_unseen, class == CONN_AGAIN);
}

/* Times in units of 1024 ns. What is late by a round trip may have been asked for. */
static void the_round_trip_is_the_bound_of_disorder(void **state)
{
    (void)state;
    assert_class_after("c:S:0:0:0 s:SA:0:1:0 +48ms c:A:1:1:0", "+48950us", CONN_OUT_OF_ORDER);
    assert_class_after("c:S:0:0:0 s:SA:0:1:0 +48ms c:A:1:1:0", "+49050us", CONN_AGAIN);
}

static void without_a_round_trip_it_is_three_milliseconds(void **state)
{
    (void)state;
    assert_class_after("c:A:1:1:0 s:A:1:1:0", "+1950us", CONN_OUT_OF_ORDER);
    assert_class_after("c:A:1:1:0 s:A:1:1:0", "+2050us", CONN_AGAIN);
}

static void what_was_asked_for_was_sent_again_however_soon(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:11:1:10 s:A:1:1:0 s:A:1:1:0 s:A:1:1:0 +-3ms c:PA:1:1:10");
    assert_int_equal(x.verdict.class, CONN_AGAIN);
    assert_true(x.verdict.is_asked_for && x.verdict.is_unseen);
}

static void a_jump_below_two_to_the_31_is_a_jump(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:2147483647:1:1");
    assert_true(x.verdict.opens_hole);
    assert_int_equal(exchange_bytes(&x, 'c'), 2147483647);
}

static void a_jump_of_two_to_the_31_is_behind(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:2147483650:1:1");
    assert_false(x.verdict.opens_hole);
    assert_int_equal(exchange_bytes(&x, 'c'), 0);
}

static void an_acknowledged_jump_of_almost_two_gib_is_missed(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:1000 s:A:1:1001:0 c:PA:1900001001:1:500 s:A:1:1900001501:0");
    assert_int_equal(exchange_bytes(&x, 'c'), 1900001500);
    assert_int_equal(exchange_missed(&x, 'c'), 1900000000);
}

static void a_transfer_of_more_than_four_gib_is_counted_in_64_bits(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE);
    uint32_t seq = 1;
    for (unsigned i = 0; i < 9; i++) {
        char steps[96];
        snprintf(steps, sizeof(steps), "c:A:%u:1:1000000000 s:A:1:%u:0", seq, seq + 1000000000u);
        exchange_say(&x, steps);
        seq += 1000000000u;
        assert_int_equal(exchange_bytes(&x, 'c'), (i + 1) * (uint64_t)1000000000);
        /* A keepalive is one at any span. */
        snprintf(steps, sizeof(steps), "+60s c:A:%u:1:0 s:A:1:%u:0", seq - 1, seq);
        exchange_say(&x, steps);
        assert_classes(&x, "keepalive probe-answer");
    }
    char steps[128];
    snprintf(steps, sizeof(steps), "c:FA:%u:1:0 s:FA:1:%u:0 c:A:%u:2:0", seq, seq + 1, seq + 1);
    exchange_say(&x, steps);
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 'c'), 9000000000);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
}

/* A gap that lies 2 GiB behind is no gap ahead. */
static void a_gap_is_missed_once_however_much_follows(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:A:11:1:10 s:A:1:21:0");
    uint32_t seq = 21;
    for (unsigned i = 0; i < 20; i++) {
        char steps[96];
        snprintf(steps, sizeof(steps), "c:A:%u:1:500000000 s:A:1:%u:0", seq, seq + 500000000u);
        exchange_say(&x, steps);
        assert_classes(&x, "new ack");
        seq += 500000000u;
        assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + seq);
        assert_int_equal(exchange_missed(&x, 'c'), 10);
    }
    assert_int_equal(exchange_bytes(&x, 'c'), 20 + 20 * (uint64_t)500000000);
}

static void what_only_the_peer_acknowledges_goes_on_past_four_gib(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE);
    uint32_t ack = 1;
    for (unsigned i = 0; i < 20; i++) {
        char steps[96];
        ack += 500000000u;
        snprintf(steps, sizeof(steps), "s:A:1:%u:0", ack);
        exchange_say(&x, steps);
        assert_classes(&x, "ack");
    }
    assert_int_equal(exchange_bytes(&x, 'c'), 20 * (uint64_t)500000000);
    assert_int_equal(exchange_missed(&x, 'c'), 20 * (uint64_t)500000000);
    char steps[96];
    snprintf(steps, sizeof(steps), "c:A:%u:1:10", ack);
    exchange_say(&x, steps);
    assert_classes(&x, "new");
}

/* Every bit pattern of where the numbers turn over. */
static void numbers_wrap_around_at_every_segment(void **state)
{
    (void)state;
    for (uint32_t isn = 0; isn < 40; isn++) {
        struct exchange x;
        exchange_begin(&x);
        x.isn[0] = 0u - isn, x.isn[1] = 0u - (39 - isn);
        exchange_say(&x, HANDSHAKE
                     "c:PA:11:1:10 c:PA:1:1:10 s:A:1:21:0 s:PA:1:21:10 c:A:21:11:0 +1s s:PA:1:21:10 c:A:21:11:0 c:FA:21:11:0 "
                     "s:FA:11:22:0 c:A:22:12:0");
        assert_classes(&x, "new new ack new out-of-order ack new ack again duplicate-ack new new ack");
        assert_stands(&x, "TIME_WAIT CLOSED closed c");
        assert_int_equal(exchange_bytes(&x, 'c'), 20);
        assert_int_equal(exchange_bytes(&x, 's'), 10);
    }
}

static void a_fin_whose_later_ack_was_captured_first_misses_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:50 s:A:1:51:0 s:FA:1:51:0 c:FA:51:2:0 s:A:2:52:0 c:A:52:2:0");
    assert_int_equal(exchange_bytes(&x, 'c'), 50);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
    assert_stands(&x, "CLOSED TIME_WAIT closed s");
}

static void what_the_peer_acknowledged_before_it_was_captured_is_not_sent_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:A:1:51:0 c:PA:1:1:50");
    assert_int_equal(exchange_bytes(&x, 'c'), 50);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_segments_may_lie_behind_a_hole),
        cmocka_unit_test(holes_up_to_the_bound_and_past_it_are_filled),
        cmocka_unit_test(what_is_acknowledged_and_was_never_captured_is_missed),
        cmocka_unit_test(gaps_that_are_acknowledged_one_by_one_are_all_missed),
        cmocka_unit_test(ranges_that_touch_are_one),
        cmocka_unit_test(a_hole_that_is_filled_from_its_middle_twice_splits_twice),
        cmocka_unit_test(what_is_captured_behind_its_turn_within_a_round_trip_is_out_of_order),
        cmocka_unit_test(the_round_trip_is_the_bound_of_disorder),
        cmocka_unit_test(without_a_round_trip_it_is_three_milliseconds),
        cmocka_unit_test(what_was_asked_for_was_sent_again_however_soon),
        cmocka_unit_test(a_jump_below_two_to_the_31_is_a_jump),
        cmocka_unit_test(a_jump_of_two_to_the_31_is_behind),
        cmocka_unit_test(an_acknowledged_jump_of_almost_two_gib_is_missed),
        cmocka_unit_test(a_transfer_of_more_than_four_gib_is_counted_in_64_bits),
        cmocka_unit_test(a_gap_is_missed_once_however_much_follows),
        cmocka_unit_test(what_only_the_peer_acknowledges_goes_on_past_four_gib),
        cmocka_unit_test(numbers_wrap_around_at_every_segment),
        cmocka_unit_test(a_fin_whose_later_ack_was_captured_first_misses_nothing),
        cmocka_unit_test(what_the_peer_acknowledged_before_it_was_captured_is_not_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
