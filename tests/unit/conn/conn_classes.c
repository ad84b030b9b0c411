/* What a segment is to its sender's connection: told apart by the peer's window, by what is acknowledged, by what had been sent, by
 * time (rule 6); numbers before single segments (rule 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_classes_own.h"
#include "support/exchange.h"

static void data_that_comes_next_is_new(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 s:PA:1:6:7 c:A:6:8:0");
    assert_classes(&x, "new new ack new ack new ack");
}

static void data_below_the_highest_number_is_again_wherever_its_borders_are(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:100 c:PA:1:1:50 c:PA:51:1:50 c:PA:31:1:10 c:PA:1:1:100");
    assert_classes(&x, "new new ack new again again again again");
    assert_int_equal(exchange_bytes(&x, 'c'), 100);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 4);
    assert_int_equal(x.verdict.again_bytes, 100);
}

static void data_that_begins_below_and_ends_beyond_is_partly_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:100 c:PA:51:1:100");
    assert_classes(&x, "new new ack new partly-again");
    assert_int_equal(exchange_bytes(&x, 'c'), 150);
    assert_int_equal(x.verdict.again_bytes, 50);
}

static void several_collapsed_into_one_are_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 c:PA:21:1:10 +300ms c:PA:1:1:30");
    assert_classes(&x, "new new ack new new new again");
    assert_int_equal(exchange_bytes(&x, 'c'), 30);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 1);
}

static void what_was_acknowledged_before_it_was_sent_again_is_spurious(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0 c:PA:1:1:10");
    assert_true(x.verdict.is_acked);
    assert_classes(&x, "new new ack new ack again");
}

static void what_was_partly_acknowledged_is_not(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:10:0 c:PA:1:1:10");
    assert_false(x.verdict.is_acked);
}

static void two_duplicate_acks_ask_for_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 s:A:1:1:0 s:A:1:1:0 c:PA:1:1:10");
    assert_classes(&x, "new new ack new new duplicate-ack duplicate-ack again");
    assert_false(x.verdict.is_asked_for);
}

static void three_duplicate_acks_ask_for_what_they_acknowledge(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:1:0 s:A:1:1:0 s:A:1:1:0 c:PA:1:1:10");
    assert_classes(&x, "new new ack new duplicate-ack duplicate-ack duplicate-ack again");
    assert_true(x.verdict.is_asked_for);
}

static void they_ask_for_nothing_else(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 s:A:1:1:0 s:A:1:1:0 s:A:1:1:0 s:A:1:1:0 c:PA:11:1:10");
    assert_classes(&x, "new new ack new new duplicate-ack duplicate-ack duplicate-ack duplicate-ack again");
    assert_false(x.verdict.is_asked_for);
}

static void an_ack_that_moves_on_begins_a_new_count(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 s:A:1:1:0 s:A:1:1:0 s:A:1:1:0 s:A:1:1:0 s:A:1:11:0");
    assert_int_equal(exchange_end(&x, 's')->repeated_acks, 0);
}

static void another_window_is_a_window_update(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:500 s:A:1:11:0:900");
    assert_classes(&x, "new new ack new ack window-update");
}

static void another_window_with_sack_blocks_is_a_duplicate_ack(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:500 s:Ak:1:11:0:490");
    assert_classes(&x, "new new ack new ack duplicate-ack");
}

static void an_old_ack_captured_late_is_a_duplicate(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 s:A:1:21:0 s:A:1:11:0");
    assert_classes(&x, "new new ack new new ack duplicate-ack");
    assert_int_equal(exchange_end(&x, 's')->ack, x.isn[0] + 21);
}

static void one_below_the_next_number_with_all_acknowledged_is_a_keepalive(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0 +60s c:A:10:1:0 s:A:1:11:0");
    assert_classes(&x, "new new ack new ack keepalive probe-answer");
    assert_int_equal(exchange_bytes(&x, 'c'), 10);
    assert_int_equal(exchange_more(&x, 'c')->keep_alives, 1);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 0);
}

static void its_garbage_byte_is_no_data(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0 +60s c:A:10:1:1 s:A:1:11:0");
    assert_classes(&x, "new new ack new ack keepalive probe-answer");
    assert_int_equal(exchange_bytes(&x, 'c'), 10);
    assert_int_equal(exchange_more(&x, 'c')->keep_alives, 1);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
}

static void with_something_unacknowledged_it_is_none(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:6:0 +60s c:A:10:1:0");
    assert_classes(&x, "new new ack new ack duplicate-ack");
}

static void with_something_unacknowledged_its_byte_is_sent_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:6:0 +60s c:A:10:1:1");
    assert_classes(&x, "new new ack new ack again");
}

static void two_bytes_are_no_keepalive(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0 +60s c:A:9:1:2");
    assert_classes(&x, "new new ack new ack again");
}

static void two_below_the_next_number_is_no_keepalive(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0 +60s c:A:9:1:0");
    assert_classes(&x, "new new ack new ack duplicate-ack");
}

static void a_keepalive_right_after_the_handshake(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "+60s c:A:0:1:0 s:A:1:1:0 +60s s:A:0:1:0 c:A:1:1:0");
    assert_classes(&x, "new new ack keepalive probe-answer keepalive probe-answer");
    assert_int_equal(exchange_bytes(&x, 'c'), 0);
    assert_int_equal(exchange_bytes(&x, 's'), 0);
}

static void a_keepalive_as_first_segment_shifts_the_base(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:A:99:1:0 s:A:1:100:0");
    assert_int_equal(exchange_bytes(&x, 'c'), 0);
    assert_int_equal(exchange_bytes(&x, 's'), 0);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
    assert_int_equal(exchange_more(&x, 'c')->keep_alives, 1);
    assert_true(x.verdict.base_shift);
    exchange_say(&x, "+60s c:A:99:1:0 s:A:1:100:0");
    assert_classes(&x, "keepalive probe-answer");
}

static void a_keepalive_with_its_byte_as_first_segment_counts_none(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:A:99:1:1 s:A:1:100:0 +60s c:A:99:1:1 s:A:1:100:0");
    assert_classes(&x, "new ack keepalive probe-answer");
    assert_int_equal(exchange_bytes(&x, 'c'), 1);
}

static void a_bare_ack_behind_a_fin_is_a_duplicate_ack(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:A:1:2:0 +498ms c:A:1:1:0");
    assert_classes(&x, "new new ack new ack duplicate-ack");
}

static void behind_a_fin_and_idle_for_half_a_second_it_is_a_keepalive(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:A:1:2:0 +499ms c:A:1:1:0");
    assert_classes(&x, "new new ack new ack keepalive");
}

static void linux_probes_a_zero_window_one_below_what_is_acknowledged(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:0 +200ms c:A:10:1:0 s:A:1:11:0:0 +400ms c:A:10:1:0 s:A:1:11:0:0");
    assert_classes(&x, "new new ack new ack window-probe probe-answer window-probe probe-answer");
    assert_int_equal(exchange_bytes(&x, 'c'), 10);
    assert_int_equal(exchange_more(&x, 'c')->window_probes, 2);
    assert_int_equal(exchange_more(&x, 's')->zero_windows, 3);
}

static void with_a_window_of_one_it_is_a_keepalive(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:1 +200ms c:A:10:1:0");
    assert_classes(&x, "new new ack new ack keepalive");
}

static void linux_probes_with_data_outstanding(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 s:A:1:11:0:0 +200ms c:A:10:1:0 s:A:1:11:0:0");
    assert_classes(&x, "new new ack new new ack window-probe probe-answer");
}

static void the_rfcs_probe_is_the_next_byte_and_counts_once_it_is_taken(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:0 +200ms c:A:11:1:1 s:A:1:11:0:0 +400ms c:A:11:1:1 s:A:1:11:0:0 +800ms "
                               "c:A:11:1:1 s:A:1:12:0:500 c:PA:12:1:5");
    assert_classes(&x, "new new ack new ack window-probe probe-answer window-probe probe-answer window-probe ack new");
    assert_int_equal(exchange_bytes(&x, 'c'), 16);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 0);
    assert_int_equal(exchange_more(&x, 'c')->window_probes, 3);
}

static void the_byte_of_a_probe_that_was_not_taken_is_new_in_the_data_that_follows(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:0 +200ms c:A:11:1:1 s:A:1:11:0:0 s:A:1:11:0:500 c:PA:11:1:20");
    assert_classes(&x, "new new ack new ack window-probe probe-answer window-update new");
    assert_int_equal(exchange_bytes(&x, 'c'), 30);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 0);
}

static void two_bytes_into_a_zero_window_are_data(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0:0 +200ms c:A:11:1:2");
    assert_classes(&x, "new new ack new ack new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_that_comes_next_is_new),
        cmocka_unit_test(data_below_the_highest_number_is_again_wherever_its_borders_are),
        cmocka_unit_test(data_that_begins_below_and_ends_beyond_is_partly_again),
        cmocka_unit_test(several_collapsed_into_one_are_again),
        cmocka_unit_test(what_was_acknowledged_before_it_was_sent_again_is_spurious),
        cmocka_unit_test(what_was_partly_acknowledged_is_not),
        cmocka_unit_test(two_duplicate_acks_ask_for_nothing),
        cmocka_unit_test(three_duplicate_acks_ask_for_what_they_acknowledge),
        cmocka_unit_test(they_ask_for_nothing_else),
        cmocka_unit_test(an_ack_that_moves_on_begins_a_new_count),
        cmocka_unit_test(another_window_is_a_window_update),
        cmocka_unit_test(another_window_with_sack_blocks_is_a_duplicate_ack),
        cmocka_unit_test(an_old_ack_captured_late_is_a_duplicate),
        cmocka_unit_test(one_below_the_next_number_with_all_acknowledged_is_a_keepalive),
        cmocka_unit_test(its_garbage_byte_is_no_data),
        cmocka_unit_test(with_something_unacknowledged_it_is_none),
        cmocka_unit_test(with_something_unacknowledged_its_byte_is_sent_again),
        cmocka_unit_test(two_bytes_are_no_keepalive),
        cmocka_unit_test(two_below_the_next_number_is_no_keepalive),
        cmocka_unit_test(a_keepalive_right_after_the_handshake),
        cmocka_unit_test(a_keepalive_as_first_segment_shifts_the_base),
        cmocka_unit_test(a_keepalive_with_its_byte_as_first_segment_counts_none),
        cmocka_unit_test(a_bare_ack_behind_a_fin_is_a_duplicate_ack),
        cmocka_unit_test(behind_a_fin_and_idle_for_half_a_second_it_is_a_keepalive),
        cmocka_unit_test(linux_probes_a_zero_window_one_below_what_is_acknowledged),
        cmocka_unit_test(with_a_window_of_one_it_is_a_keepalive),
        cmocka_unit_test(linux_probes_with_data_outstanding),
        cmocka_unit_test(the_rfcs_probe_is_the_next_byte_and_counts_once_it_is_taken),
        cmocka_unit_test(the_byte_of_a_probe_that_was_not_taken_is_new_in_the_data_that_follows),
        cmocka_unit_test(two_bytes_into_a_zero_window_are_data),
        cmocka_unit_test(the_ack_that_a_rst_in_the_window_asked_for_is_a_challenge),
        cmocka_unit_test(the_ack_that_a_syn_in_the_window_asked_for_is_a_challenge),
        cmocka_unit_test(a_syn_ack_again_is_again_and_its_ack_a_duplicate),
        cmocka_unit_test(an_answer_to_another_syn_is_a_stray),
        cmocka_unit_test(a_syn_ack_of_more_than_was_sent_is_a_stray),
        cmocka_unit_test(a_duplicate_count_stays_at_its_largest),
        cmocka_unit_test(a_zero_window_is_counted_but_not_of_a_syn_a_fin_or_a_rst),
        cmocka_unit_test(every_class_has_a_name_of_its_own),
        cmocka_unit_test(a_byte_that_the_peer_took_back_its_offer_for_probes),
        cmocka_unit_test(what_follows_a_probe_that_was_taken_is_no_answer),
        cmocka_unit_test(syn_acks_that_cross_move_each_end_through_syn_rcvd),
        cmocka_unit_test(a_syn_ack_captured_behind_what_proves_it_is_not_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
