/* Both RFC states and the outcome: an end is at least in the state that its own segments prove (rule 1), and nothing is counted by
 * single segments (rule 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_outcome_own.h"
#include "support/exchange.h"

static void an_ack_that_covers_a_fin_proves_that_it_arrived(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:11:2:0 c:A:2:12:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 's'), 10);
    assert_int_equal(exchange_missed(&x, 's'), 10);
}

static void an_ack_of_a_hole_proves_its_arrival(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:101:1:5");
    assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + 1);
    exchange_say(&x, "s:A:1:106:0");
    assert_int_equal(exchange_end(&x, 'c')->got, x.isn[0] + 106);
    assert_int_equal(exchange_bytes(&x, 'c'), 105);
    assert_int_equal(exchange_missed(&x, 'c'), 100);
}

static void a_syn_ack_that_was_not_captured_is_proved_by_the_next_ack(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 c:A:1:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void one_direction_alone_shows_both_ends(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 c:A:1:1:0 c:PA:1:1:10 c:A:11:101:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(exchange_bytes(&x, 'c'), 10);
    assert_int_equal(exchange_bytes(&x, 's'), 100);
}

static void one_direction_alone_shows_a_whole_connection(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 c:A:1:1:0 c:PA:1:1:10 c:FA:11:101:0 c:A:12:102:0");
    assert_int_equal(exchange_bytes(&x, 'c'), 10);
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 0)), "FIN_WAIT_1");
}

static void the_servers_direction_alone_shows_both_ends(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "s:SA:0:1:0 s:PA:1:11:20 s:A:21:31:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(exchange_bytes(&x, 'c'), 30);
    assert_int_equal(exchange_bytes(&x, 's'), 20);
}

static void data_of_the_server_whose_syn_ack_was_not_captured_proves_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:PA:1:1:5");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void a_bare_ack_of_the_server_whose_syn_ack_was_not_captured_is_taken_for_an_older_connections(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:A:7:70000:0");
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
    assert_classes(&x, "new stray");
}

static void fins_that_cross_pass_closing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:1:0");
    assert_stands(&x, "CLOSING CLOSING open -");
    exchange_say(&x, "c:A:2:2:0");
    assert_stands(&x, "CLOSING TIME_WAIT open -");
    exchange_say(&x, "s:A:2:2:0");
    assert_stands(&x, "TIME_WAIT TIME_WAIT closed -");
}

static void fins_cross_whichever_end_is_captured_first(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:FA:1:1:0 c:A:2:2:0 s:A:2:2:0");
    assert_stands(&x, "TIME_WAIT TIME_WAIT closed -");
}

static void a_fin_that_covers_the_peers_did_not_cross_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0");
    assert_stands(&x, "TIME_WAIT LAST_ACK open c");
    exchange_say(&x, "c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

static void the_fin_whose_ack_was_captured_first_was_sent_before_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:7:0 c:FA:6:1:0");
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open c");
    assert_int_equal(exchange_missed(&x, 'c'), 0);
    assert_int_equal(exchange_bytes(&x, 'c'), 5);
}

static void a_fin_captured_before_its_data_waits_for_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:6:1:0");
    assert_stands(&x, "FIN_WAIT_1 ESTABLISHED open c");
    exchange_say(&x, "c:PA:1:1:5");
    assert_stands(&x, "FIN_WAIT_1 CLOSE_WAIT open c");
    assert_int_equal(exchange_bytes(&x, 'c'), 5);
    assert_int_equal(exchange_more(&x, 'c')->out_of_order, 1);
}

static void a_listener_that_never_answered_is_not_known(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0");
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
    exchange_say(&x, "s:SA:0:1:0");
    assert_stands(&x, "ESTABLISHED SYN_RCVD half-open -");
}

static void a_connection_joined_midway_is_established(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:PA:1:1:5 s:A:1:6:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(x.conn.flags & CONN_MIDWAY, CONN_MIDWAY);
    assert_int_equal(exchange_bytes(&x, 'c'), 5);
    assert_int_equal(exchange_bytes(&x, 's'), 0);
}

static void a_close_joined_midway_is_followed_to_its_end(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

static void a_first_fin_behind_a_number_that_was_not_captured_may_be_the_second(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 c:A:1:7:0 c:FA:1:7:0 s:A:7:2:0"); /* 6: a byte, or the server's FIN */
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open -");
    exchange_say(&x, "s:PA:7:2:5"); /* nothing follows a FIN */
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open c");
}

static void a_first_fin_behind_a_number_that_is_captured_late_as_data_is_the_first(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:A:1:6:0 c:FA:1:6:0 s:A:6:2:0 s:PA:1:1:5");
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open c");
}

static void a_fin_of_a_connection_joined_midway_may_be_the_second(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:A:1:1:0 s:A:1:1:0 c:FA:1:1:0 s:A:1:2:0");
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open -");
    exchange_say(&x, "s:FA:1:2:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

static void a_half_closed_connection_is_open(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:A:1:2:0 s:PA:1:2:500 c:A:2:501:0");
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open c");
    assert_int_equal(exchange_bytes(&x, 's'), 500);
}

static void a_second_fin_changes_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 c:FA:1:1:0 s:A:1:2:0 c:FA:1:1:0");
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open c");
    assert_int_equal(exchange_bytes(&x, 'c'), 0);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 2);
}

static void what_is_acknowledged_beyond_a_fin_proves_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:A:1:900:0");
    assert_stands(&x, "FIN_WAIT_1 CLOSE_WAIT open c");
    assert_int_equal(exchange_bytes(&x, 'c'), 0);
    assert_int_equal(exchange_missed(&x, 'c'), 0);
}

static void a_fin_in_the_numbers_of_data_is_no_fin(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:11:0 c:FA:5:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void data_on_a_syn_is_counted_and_proves_nothing_of_the_handshake(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:4 s:SA:0:5:0");
    assert_stands(&x, "ESTABLISHED SYN_RCVD half-open -");
    assert_int_equal(exchange_bytes(&x, 'c'), 4);
    exchange_say(&x, "c:A:5:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

/* A last number that was acknowledged by itself and not captured may be one more byte, or a FIN. */
static void whose_last_number_was_not_captured_may_have_closed(void **state)
{
    (void)state;
    static const struct {
        const char *steps;
        bool may;
    } cases[] = {
        {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 s:A:1:7:0", true},
        {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0", false},
        {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 s:A:1:7:0 c:PA:7:1:5", false}, /* it went on */
        {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 s:A:1:9:0", false},            /* more than one number */
        {HANDSHAKE "c:PA:1:1:5 s:FA:1:9:0", true},                      /* unless the peer has closed too */
        {HANDSHAKE "s:FA:1:1:0", false},
        {"s:SA:0:1:0 s:FA:1:1:0", false}, /* its SYN is no FIN */
        {"s:PA:1:1:5", false},            /* of it nothing is known */
        {HANDSHAKE "c:FA:1:1:0 s:A:1:2:0", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, cases[i].steps);
        if (conn_may_have_closed(&x.judge, &x.conn, exchange_side(&x, 'c')) != cases[i].may) fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_last_number_was_not_captured_may_have_closed),
        cmocka_unit_test(an_ack_that_covers_a_fin_proves_that_it_arrived),
        cmocka_unit_test(an_ack_of_a_hole_proves_its_arrival),
        cmocka_unit_test(a_syn_ack_that_was_not_captured_is_proved_by_the_next_ack),
        cmocka_unit_test(one_direction_alone_shows_both_ends),
        cmocka_unit_test(one_direction_alone_shows_a_whole_connection),
        cmocka_unit_test(the_servers_direction_alone_shows_both_ends),
        cmocka_unit_test(data_of_the_server_whose_syn_ack_was_not_captured_proves_it),
        cmocka_unit_test(a_bare_ack_of_the_server_whose_syn_ack_was_not_captured_is_taken_for_an_older_connections),
        cmocka_unit_test(fins_that_cross_pass_closing),
        cmocka_unit_test(fins_cross_whichever_end_is_captured_first),
        cmocka_unit_test(a_fin_that_covers_the_peers_did_not_cross_it),
        cmocka_unit_test(the_fin_whose_ack_was_captured_first_was_sent_before_it),
        cmocka_unit_test(a_fin_captured_before_its_data_waits_for_it),
        cmocka_unit_test(a_listener_that_never_answered_is_not_known),
        cmocka_unit_test(a_connection_joined_midway_is_established),
        cmocka_unit_test(a_close_joined_midway_is_followed_to_its_end),
        cmocka_unit_test(a_first_fin_behind_a_number_that_was_not_captured_may_be_the_second),
        cmocka_unit_test(a_first_fin_behind_a_number_that_is_captured_late_as_data_is_the_first),
        cmocka_unit_test(a_fin_of_a_connection_joined_midway_may_be_the_second),
        cmocka_unit_test(a_half_closed_connection_is_open),
        cmocka_unit_test(a_second_fin_changes_nothing),
        cmocka_unit_test(what_is_acknowledged_beyond_a_fin_proves_nothing),
        cmocka_unit_test(a_fin_in_the_numbers_of_data_is_no_fin),
        cmocka_unit_test(data_on_a_syn_is_counted_and_proves_nothing_of_the_handshake),
        cmocka_unit_test(data_on_a_syn_that_was_not_taken_is_sent_again),
        cmocka_unit_test(a_last_number_that_may_have_been_a_fin_is_no_byte),
        cmocka_unit_test(a_socket_connected_to_itself_passes_syn_rcvd_and_closing),
        cmocka_unit_test(without_a_second_record_the_ack_is_the_way_back),
        cmocka_unit_test(what_has_neither_syn_nor_ack_shows_no_connection),
        cmocka_unit_test(in_the_midst_of_a_connection_it_is_none_of_it),
        cmocka_unit_test(a_syn_ack_that_comes_again_to_who_said_nothing_was_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
