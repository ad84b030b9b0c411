/* Later life overrules an assumed end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_resets_own.h"
#include "support/exchange.h"

void who_answers_from_time_wait_with_a_bare_rst_waits_there_no_more(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0 s:PA:1:2:1 c:R:2:0:0");
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 0)), "CLOSED");
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_CLOSED);
}

/* After the RST that ended the client: a segment of it, so long after. */
static bool lives_after(const char *opening, const char *pause, const char *segment)
{
    struct exchange x;
    char steps[256];
    exchange_begin(&x);
    snprintf(steps, sizeof(steps), "%s s:R:1:0:0 %s %s", opening, pause, segment);
    exchange_say(&x, steps);
    return x.verdict.goes_on;
}

/* It is on its way for four round trips (2 ms here) and 10 ms; a step is a millisecond. Times are kept in units of 1024 ns. */
void who_was_reset_lives_if_it_goes_on_past_the_bound(void **state)
{
    (void)state;
    assert_false(lives_after(HANDSHAKE, "+16990us", "c:PA:1:1:5"));
    assert_true(lives_after(HANDSHAKE, "+17010us", "c:PA:1:1:5"));
    assert_true(lives_after(HANDSHAKE, "+17010us", "c:A:1:1:0"));
}

void where_no_round_trip_was_seen_the_bound_is_a_second(void **state)
{
    (void)state;
    assert_false(lives_after("c:A:1:1:0 s:A:1:1:0", "+998ms", "c:PA:1:1:5"));
    assert_true(lives_after("c:A:1:1:0 s:A:1:1:0", "+1000ms", "c:PA:1:1:5"));
}

void the_times_of_both_bounds_may_step_back(void **state)
{
    (void)state;
    assert_false(lives_after(HANDSHAKE, "+-1ms", "c:PA:1:1:5"));
}

void who_sent_a_rst_lives_if_it_says_something_new_at_once(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 s:R:1:0:0 s:PA:1:6:5");
    assert_true(x.verdict.goes_on);
    assert_string_equal(tcp_state_name(conn_state(&x.conn, 1)), "ESTABLISHED");
}

void who_sent_a_rst_and_repeats_what_it_had_said_may_be_late(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 s:R:6:0:0 s:PA:1:1:5");
    assert_false(x.verdict.goes_on);
    assert_stands(&x, "CLOSED CLOSED reset s");
}

void both_go_on_after_a_rst_from_between(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:1:0:0 +20s c:PA:1:1:5 s:A:1:6:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

void a_refused_end_that_acknowledges_a_syn_ack_was_not_refused(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:1:0 s:SA:0:1:0 c:A:1:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

void what_came_while_an_end_was_taken_for_ended_is_not_forgotten(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:1:0:0 c:FA:1:1:0 s:PA:1:2:5");
    assert_stands(&x, "CLOSED CLOSE_WAIT reset c");
}

void nor_what_it_said_itself(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:1:0:0 c:FA:1:1:0 s:A:1:2:0 +20s c:A:2:1:0");
    assert_stands(&x, "FIN_WAIT_2 CLOSE_WAIT open c");
    exchange_say(&x, "s:FA:1:2:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

void fins_after_a_rst_that_was_ignored_close_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:R:1:0:0 +20s c:FA:6:1:0 s:FA:1:7:0 c:A:7:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

void without_a_second_record_a_rst_ends_what_it_ends(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.no_memory = true;
    exchange_say(&x, HANDSHAKE "s:R:1:0:0");
    assert_int_equal(x.conn.end[0].state, STATE_CLOSED);
}

void who_acknowledges_what_was_said_after_a_rst_has_not_taken_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "s:R:150:0:0 c:PA:1:201:100 s:A:201:101:0 s:PA:201:101:10 c:A:101:211:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    exchange_begin(&x); /* what it acknowledges was said before */
    exchange_say(&x, HANDSHAKE "s:PA:1:1:10 s:R:11:0:0 c:A:1:11:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
}

void an_icmp_error_that_quotes_another_number_refuses_no_syn(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0");
    conn_unreachable(&x.conn, 0, exchange_end(&x, 'c')->base + 1);
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_HALF_OPEN);
    conn_unreachable(&x.conn, 0, exchange_end(&x, 'c')->base);
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_REFUSED);
}

void who_answers_the_syn_ack_with_rst_never_waited(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0 c:R:1:0:0");
    assert_stands(&x, "CLOSED LISTEN reset c");
    assert_true(x.verdict.moves[0].taken_back && x.verdict.moves[0].to == STATE_SYN_SENT);
    /* with ACK it is an abort: it had waited */
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0 c:RA:1:1:0");
    assert_stands(&x, "CLOSED LISTEN reset c");
    assert_false(x.verdict.moves[0].taken_back);
    /* and so it is of who has acknowledged */
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset c");
    assert_false(x.verdict.moves[0].taken_back);
}

/* The moves of the last segment, which is the client's RST: `back` of them take something back, down to `to`. */
static void assert_back(const struct exchange *x, size_t back, enum tcp_state to)
{
    for (size_t i = 0; i < back; i++) assert_true(x->verdict.moves[i].taken_back && x->verdict.moves[i].side == 0);
    assert_int_equal(x->verdict.moves[back].from, to);
    assert_int_equal(x->verdict.moves[back].to, STATE_CLOSED);
    assert_false(x->verdict.moves[back].taken_back);
}

void who_answers_a_fin_with_rst_never_took_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x); /* data for nobody came first */
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:PA:1:2:5 s:FA:6:2:0 c:R:2:0:0");
    assert_stands(&x, "CLOSED CLOSED reset c");
    assert_back(&x, 1, STATE_FIN_WAIT_2);
    exchange_begin(&x); /* the FINs crossed */
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:PA:1:1:5 s:FA:6:1:0 c:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset -");
    assert_back(&x, 1, STATE_FIN_WAIT_1);
    exchange_begin(&x); /* and the ACK of its own came as well */
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:PA:1:1:5 s:FA:6:1:0 s:A:7:2:0 c:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset -");
    assert_back(&x, 2, STATE_FIN_WAIT_1);
    exchange_begin(&x); /* it was gone without a word */
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_back(&x, 1, STATE_ESTABLISHED);
    exchange_begin(&x); /* who has acknowledged the FIN had taken it */
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:A:1:2:0 c:R:1:0:0");
    assert_stands(&x, "CLOSED CLOSED reset s");
    assert_back(&x, 0, STATE_CLOSE_WAIT);
    exchange_begin(&x); /* one number less is the data before it alone */
    exchange_say(&x, HANDSHAKE "s:PA:1:1:5 s:FA:6:1:0 c:A:1:6:0 c:R:1:0:0");
    assert_back(&x, 1, STATE_ESTABLISHED);
    exchange_begin(&x); /* an abort acknowledges all that had come: with the FIN it had been there, */
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:RA:1:2:0");
    assert_back(&x, 0, STATE_CLOSE_WAIT);
    exchange_begin(&x); /* without it not */
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:RA:1:1:0");
    assert_back(&x, 1, STATE_ESTABLISHED);
    exchange_begin(&x); /* so where it had closed before */
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:RA:2:1:0");
    assert_stands(&x, "CLOSED CLOSED reset c");
    assert_back(&x, 1, STATE_FIN_WAIT_2);
    exchange_begin(&x); /* another number is no abort's: its ACK says nothing */
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:RA:2:1:0");
    assert_back(&x, 0, STATE_CLOSE_WAIT);
}

/* Somebody between made the RST: this end goes on, and what it had taken before counts. */
void who_was_said_to_have_missed_a_fin_and_goes_on_had_taken_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:FA:1:1:0 c:R:5:0:0 c:A:1:2:0");
    assert_true(x.verdict.goes_on);
    assert_stands(&x, "CLOSE_WAIT FIN_WAIT_2 open s");
    exchange_say(&x, "c:FA:1:2:0");
    assert_stands(&x, "LAST_ACK TIME_WAIT open s");
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:1:0 c:R:5:0:0 c:A:2:2:0");
    assert_stands(&x, "CLOSING TIME_WAIT open -");
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:R:5:0:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}
