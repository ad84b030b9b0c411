/* RSTs: which end they end (RFC 5961 section 3), who refuses, and later life (rule 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_resets_own.h"
#include "support/exchange.h"

static void a_rst_at_the_next_number_ends_its_receiver(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_int_equal(x.verdict.reset, RESET_TAKEN);
}

static void a_rst_one_above_the_next_number_ends_only_its_sender(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:2:0:0");
    assert_stands(&x, "ESTABLISHED CLOSED reset s");
    assert_int_equal(x.verdict.reset, RESET_IN_WINDOW);
    assert_int_equal(exchange_more(&x, 's')->ignored_resets, 1);
}

static void where_data_is_not_captured_a_rst_further_on_ends_both(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.judge.sparse = true;
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:PA:1:6:5 c:RA:101:200:0");
    assert_stands(&x, "CLOSED CLOSED reset c");
    assert_int_equal(x.verdict.reset, RESET_TAKEN);
    assert_int_equal(conn_bytes(&x.conn, 0), 100);
    assert_int_equal(conn_bytes(&x.conn, 1), 199); /* it acknowledges all that had come */
    exchange_begin(&x);
    x.judge.sparse = true;
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:PA:1:6:5 c:R:101:200:0");
    assert_int_equal(conn_bytes(&x.conn, 1), 5);
    exchange_begin(&x);
    x.judge.sparse = true;
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:FPA:1:6:5 c:RA:101:200:0"); /* nothing comes behind a FIN */
    assert_int_equal(conn_bytes(&x.conn, 1), 5);
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:PA:1:6:5 c:RA:101:200:0");
    assert_stands(&x, "CLOSED ESTABLISHED reset c");
    assert_int_equal(conn_bytes(&x.conn, 0), 5);
    assert_int_equal(conn_bytes(&x.conn, 1), 5);
}

static void a_rst_one_below_the_next_number_ends_only_its_sender(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 s:R:5:0:0");
    assert_stands(&x, "ESTABLISHED CLOSED reset s");
    assert_int_equal(x.verdict.reset, RESET_IN_WINDOW);
}

static void a_rst_below_the_window_asks_for_no_challenge_ack(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 c:A:1:6:0 s:R:5:0:0 c:A:1:6:0");
    assert_int_equal(x.verdict.class, CONN_DUPLICATE_ACK);
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 c:A:1:6:0 s:R:7:0:0 c:A:1:6:0");
    assert_int_equal(x.verdict.class, CONN_CHALLENGE_ACK);
}

static void a_rst_that_did_not_reach_its_receiver_still_closed_first(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 c:RA:6:1:0 +60s s:PA:1:6:5");
    assert_stands(&x, "CLOSED ESTABLISHED reset c");
}

static void a_rst_one_below_a_fin_ends_its_receiver(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:A:1:2:0 s:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_int_equal(x.verdict.reset, RESET_TAKEN);
}

static void a_rst_two_below_a_fin_does_not(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 s:FA:6:1:0 c:A:1:7:0 s:R:5:0:0");
    assert_int_equal(x.verdict.reset, RESET_IN_WINDOW);
}

static void a_rst_at_what_the_receiver_acknowledged_ends_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:100 c:A:1:51:0 s:R:51:0:0");
    assert_int_equal(x.verdict.reset, RESET_TAKEN);
    assert_stands(&x, "CLOSED CLOSED reset s");
}

static void a_rst_before_data_that_is_captured_later_ends_its_receiver(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:6:0:0");
    assert_int_equal(x.verdict.reset, RESET_IN_WINDOW);
    exchange_say(&x, "s:PA:1:1:5");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_int_equal(exchange_more(&x, 's')->ignored_resets, 0);
}

static void a_rst_that_its_sender_goes_on_behind_ends_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:6:0:0 s:PA:1:1:10");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(exchange_more(&x, 's')->ignored_resets, 1);
    /* Nor does it when what lay before it comes at last. */
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:6:0:0 c:PA:1:1:5 s:A:6:6:0 s:PA:1:1:5");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(exchange_more(&x, 's')->ignored_resets, 1);
}

static void a_rst_in_the_window_that_nothing_else_proves_is_answered_by_a_challenge_ack_and_changes_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE
                 "s:PA:1:1:5 c:A:1:6:0 s:R:400:0:0 c:A:1:6:0 +100ms s:PA:6:1:5 c:A:1:11:0 c:FA:1:11:0 s:FA:11:2:0 c:A:2:12:0");
    assert_classes(&x, "new new ack new ack reset challenge-ack new ack new new ack");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 's'), 10);
}

static void what_its_sender_says_below_its_number_may_be_late(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:400:0:0 s:PA:1:1:5");
    assert_false(x.verdict.goes_on);
}

static void its_sender_is_taken_back_to_what_it_was(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:5:0:0 s:PA:3:1:5");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_true(x.verdict.goes_on);
    assert_int_equal(x.verdict.move_count, 1);
    assert_true(x.verdict.moves[0].taken_back);
    assert_int_equal(x.verdict.moves[0].from, STATE_CLOSED);
}

static void a_rst_out_of_syn_sent_ends_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:A:1:777:0 c:R:777:0:0");
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
}

static void a_refusal_acknowledges_the_syn(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:0:0");
    assert_int_equal(x.verdict.reset, RESET_IN_WINDOW);
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 0)), "SYN_SENT");
    exchange_say(&x, "s:RA:0:1:0");
    assert_stands(&x, "CLOSED CLOSED refused s");
}

static void a_refusal_of_more_than_the_syn_is_none(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:2:0");
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 0)), "SYN_SENT");
}

static void a_refusal_of_a_syn_with_data_may_acknowledge_the_data(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:4 s:RA:0:5:0");
    assert_stands(&x, "CLOSED CLOSED refused s");
}

static void a_bare_rst_refuses_no_syn(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:R:0:0:0");
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 0)), "SYN_SENT");
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_HALF_OPEN);
}

static void a_refused_syn_sent_again_and_answered_is_no_refusal(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:1:0 +1s c:S:0:0:0 s:SA:0:1:0 c:A:1:1:0 c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

static void a_rst_in_syn_rcvd_sends_a_listener_back_to_listen(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0 c:R:1:0:0");
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 1)), "LISTEN");
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_RESET);
}

static void the_second_rst_tells_nothing_new(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:1:0:0 c:R:1:0:0 s:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_int_equal(x.verdict.reset, RESET_NOBODY);
}

static void data_on_its_way_when_a_rst_was_sent_is_late_and_no_life(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:RA:1:6:0 c:PA:6:1:5 c:PA:11:1:5");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_false(x.verdict.goes_on);
}

static void a_rst_that_answers_a_request_after_a_fin(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:A:1:2:0 c:PA:1:2:5 s:R:2:0:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_int_equal(x.verdict.reset, RESET_TAKEN);
}

static void a_rst_ends_no_connection_that_is_over(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0 s:R:2:0:0");
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rst_at_the_next_number_ends_its_receiver),
        cmocka_unit_test(a_rst_one_above_the_next_number_ends_only_its_sender),
        cmocka_unit_test(where_data_is_not_captured_a_rst_further_on_ends_both),
        cmocka_unit_test(a_rst_one_below_the_next_number_ends_only_its_sender),
        cmocka_unit_test(a_rst_below_the_window_asks_for_no_challenge_ack),
        cmocka_unit_test(a_rst_that_did_not_reach_its_receiver_still_closed_first),
        cmocka_unit_test(a_rst_one_below_a_fin_ends_its_receiver),
        cmocka_unit_test(a_rst_two_below_a_fin_does_not),
        cmocka_unit_test(a_rst_at_what_the_receiver_acknowledged_ends_it),
        cmocka_unit_test(a_rst_before_data_that_is_captured_later_ends_its_receiver),
        cmocka_unit_test(a_rst_that_its_sender_goes_on_behind_ends_nothing),
        cmocka_unit_test(a_rst_in_the_window_that_nothing_else_proves_is_answered_by_a_challenge_ack_and_changes_nothing),
        cmocka_unit_test(what_its_sender_says_below_its_number_may_be_late),
        cmocka_unit_test(its_sender_is_taken_back_to_what_it_was),
        cmocka_unit_test(a_rst_out_of_syn_sent_ends_nothing),
        cmocka_unit_test(a_refusal_acknowledges_the_syn),
        cmocka_unit_test(a_refusal_of_more_than_the_syn_is_none),
        cmocka_unit_test(a_refusal_of_a_syn_with_data_may_acknowledge_the_data),
        cmocka_unit_test(a_bare_rst_refuses_no_syn),
        cmocka_unit_test(a_refused_syn_sent_again_and_answered_is_no_refusal),
        cmocka_unit_test(a_rst_in_syn_rcvd_sends_a_listener_back_to_listen),
        cmocka_unit_test(the_second_rst_tells_nothing_new),
        cmocka_unit_test(data_on_its_way_when_a_rst_was_sent_is_late_and_no_life),
        cmocka_unit_test(a_rst_that_answers_a_request_after_a_fin),
        cmocka_unit_test(a_rst_ends_no_connection_that_is_over),
        cmocka_unit_test(who_answers_from_time_wait_with_a_bare_rst_waits_there_no_more),
        cmocka_unit_test(who_was_reset_lives_if_it_goes_on_past_the_bound),
        cmocka_unit_test(where_no_round_trip_was_seen_the_bound_is_a_second),
        cmocka_unit_test(the_times_of_both_bounds_may_step_back),
        cmocka_unit_test(who_sent_a_rst_lives_if_it_says_something_new_at_once),
        cmocka_unit_test(who_sent_a_rst_and_repeats_what_it_had_said_may_be_late),
        cmocka_unit_test(both_go_on_after_a_rst_from_between),
        cmocka_unit_test(a_refused_end_that_acknowledges_a_syn_ack_was_not_refused),
        cmocka_unit_test(what_came_while_an_end_was_taken_for_ended_is_not_forgotten),
        cmocka_unit_test(nor_what_it_said_itself),
        cmocka_unit_test(fins_after_a_rst_that_was_ignored_close_it),
        cmocka_unit_test(without_a_second_record_a_rst_ends_what_it_ends),
        cmocka_unit_test(who_acknowledges_what_was_said_after_a_rst_has_not_taken_it),
        cmocka_unit_test(an_icmp_error_that_quotes_another_number_refuses_no_syn),
        cmocka_unit_test(who_answers_the_syn_ack_with_rst_never_waited),
        cmocka_unit_test(who_answers_a_fin_with_rst_never_took_it),
        cmocka_unit_test(who_was_said_to_have_missed_a_fin_and_goes_on_had_taken_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
