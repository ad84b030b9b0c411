/* To which connection a segment belongs, and who opened it: connections are cut by their ISN (src/conn/belongs.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_belongs_own.h"
#include "support/exchange.h"

static void the_same_syn_again_is_the_same_attempt(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 +1s c:S:0:0:0 +2s c:S:0:0:0");
    assert_int_equal(x.anew, 0);
    assert_classes(&x, "new again again");
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
}

static void the_same_syn_after_a_refusal_is_the_same_attempt(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:1:0");
    assert_stands(&x, "CLOSED CLOSED refused s");
    exchange_say(&x, "+500ms c:S:0:0:0");
    assert_int_equal(x.anew, 0);
    assert_classes(&x, "again");
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
    exchange_say(&x, "s:RA:0:1:0");
    assert_stands(&x, "CLOSED CLOSED refused s");
}

static void the_same_syn_after_a_refusal_may_yet_be_answered(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:1:0 +1s c:S:0:0:0 s:SA:0:1:0 c:A:1:1:0");
    assert_int_equal(x.anew, 0);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void a_syn_with_another_number_is_another_connection(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 c:S:1:0:0");
    assert_int_equal(x.anew, 1);
    exchange_say(&x, "s:SA:0:2:0");
    assert_stands(&x, "ESTABLISHED SYN_RCVD half-open -");
}

static void another_syn_after_a_refusal_is_another_connection(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:RA:0:1:0 +500ms c:S:9:0:0 s:RA:0:10:0");
    assert_int_equal(x.anew, 1);
    assert_stands(&x, "CLOSED CLOSED refused s");
}

static void the_addresses_of_a_closed_connection_are_used_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    exchange_say(&x, "c:S:70000:0:0");
    assert_int_equal(x.anew, 1);
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
}

static void a_syn_after_the_numbers_of_an_end_that_was_never_seen_to_open(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:PA:100:1:5 s:A:1:105:0 c:S:7000:0:0");
    assert_int_equal(x.anew, 1);
}

static void a_fin_that_comes_again_within_time_waits_minute_is_the_old_connections(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 +59s s:FA:1:2:0 c:A:2:2:0");
    assert_int_equal(x.anew, 0);
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_end(&x, 's')->again_count, 1);
}

static void a_syn_ack_with_another_number_begins_nothing_while_the_connection_lives(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0 s:SA:7:1:0");
    assert_int_equal(x.anew, 0);
}

static void a_syn_ack_whose_syn_was_not_captured_begins_anew_once_the_old_one_is_over(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:RA:1:1:0 +1s s:SA:90000:90001:0");
    assert_int_equal(x.anew, 1);
    assert_stands(&x, "ESTABLISHED SYN_RCVD half-open -");
}

static void the_syn_ack_of_the_old_one_again_begins_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:RA:1:1:0 +1s s:SA:0:1:0");
    assert_int_equal(x.anew, 0);
}

static void half_open_discovery_is_one_connection(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:A:700:900000:0 c:R:900000:0:0 +1s c:S:0:0:0 s:SA:0:1:0 c:A:1:1:0");
    assert_int_equal(x.anew, 0);
    assert_classes(&x, "new stray reset again new ack");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(exchange_bytes(&x, 'c'), 0);
    assert_int_equal(exchange_bytes(&x, 's'), 0);
    assert_int_equal(exchange_more(&x, 's')->strays, 1);
}

static void a_split_handshake_is_one_connection_opened_by_the_first_syn(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:A:0:1:0 s:S:0:0:0 c:SA:0:1:0 s:A:1:1:0");
    assert_int_equal(x.anew, 0);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    assert_int_equal(x.conn.client, 0);
}

static void the_ack_that_splits_a_handshake_may_have_any_number(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:A:900:1:0 s:S:0:0:0 c:SA:0:1:0 s:A:1:1:0 c:PA:1:1:4 s:A:1:5:0 c:FA:5:1:0 s:FA:1:6:0 c:A:6:2:0");
    assert_int_equal(x.anew, 0);
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 'c'), 4);
    assert_int_equal(exchange_bytes(&x, 's'), 0);
}

static void a_simultaneous_open_is_one_connection(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:S:0:0:0 c:SA:0:1:0 s:SA:0:1:0");
    assert_int_equal(x.anew, 0);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    exchange_say(&x, "c:A:1:1:0 s:A:1:1:0 c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
}

static void a_syn_tells_who_opened_and_before_it_the_higher_port_does(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "s:PA:1:1:5 c:A:1:6:0");
    assert_int_equal(exchange_side(&x, 'c'), x.conn.client);
    assert_int_equal(x.conn.flags & CONN_OPENED, 0);
}

static void who_opened_is_settled_once(void **state)
{
    (void)state;
    struct exchange x;
    unsigned side;
    exchange_begin(&x);
    exchange_say(&x, "s:PA:1:1:5"); /* c by its port */
    struct conn_segment c_syn = exchange_segment(&x, "c:S:0:0:0", &side), s_syn = exchange_segment(&x, "s:S:0:0:0", &side);
    struct conn same = x.conn, other = x.conn;
    assert_false(conn_settle_roles(&same, &c_syn, 1));
    assert_true(conn_settle_roles(&other, &s_syn, 0)); /* another than was taken for it */
    assert_false(conn_settle_roles(&other, &c_syn, 1));
    assert_int_equal(same.client, 1);
    assert_int_equal(other.client, 0);
}

static void a_syn_ack_that_comes_first_tells_who_opened(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "s:SA:0:1:0 c:A:1:1:0");
    assert_int_equal(exchange_side(&x, 'c'), x.conn.client);
    assert_int_equal(x.conn.flags & CONN_OPENED, CONN_OPENED);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void a_rst_begins_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:R:77777:0:0");
    assert_int_equal(x.anew, 0);
}

#define S INT64_C(1000000000)

/* How long it is kept, and with which of the three times. */
static int64_t kept_for(const char *steps)
{
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, steps);
    return conn_keep_ns(&x.conn);
}

static void a_closed_connection_is_kept_for_time_waits_minute(void **state)
{
    (void)state;
    assert_int_equal(kept_for(HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0"), 61 * S);
    assert_int_equal(kept_for(HANDSHAKE "c:RA:1:1:0"), 61 * S);
    assert_int_equal(kept_for("c:S:0:0:0 s:RA:0:1:0"), 61 * S);
    assert_int_equal(kept_for(HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0"), 432000 * S); /* its last ACK is still to come */
}

static void an_attempt_is_kept_for_two_minutes_and_a_connection_for_five_days(void **state)
{
    (void)state;
    assert_int_equal(kept_for("c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0"), 131 * S);
    assert_int_equal(kept_for("c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0"),
                     432000 * S);
    assert_int_equal(kept_for("c:S:0:0:0 s:SA:0:1:0"), 432000 * S);
    assert_int_equal(kept_for("s:SA:0:1:0"), 131 * S); /* the answer to what others sent in its name */
    assert_int_equal(kept_for("c:S:0:0:0 c:PA:1:1:5"), 432000 * S);
}

static void numbers_beyond_both_fins_are_of_another_connection(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0 c:PA:3:2:5 c:A:2:3:0");
    assert_int_equal(x.anew, 0); /* beyond one of them proves nothing */
    exchange_say(&x, "c:PA:9000:7000:5 s:A:7000:9005:0");
    assert_int_equal(x.anew, 1);
    assert_int_equal(exchange_bytes(&x, 'c'), 5);
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0 c:A:2:7000:0");
    assert_int_equal(x.anew, 0); /* its next number is not beyond */
    exchange_begin(&x);          /* one FIN alone ends nothing */
    exchange_say(&x, HANDSHAKE "c:FA:1:1:0 s:A:1:2:0 c:PA:9000:7000:5");
    assert_int_equal(x.anew, 0);
}

/* Of a connection all of whose segments were made on the way, the judge knows nothing yet. */
static void a_syn_begins_nothing_anew_where_nothing_was_taken(void **state)
{
    (void)state;
    struct exchange x;
    unsigned side;
    exchange_begin(&x);
    struct conn_segment syn = exchange_segment(&x, "c:S:0:0:0", &side);
    assert_false(conn_begins_anew(&x.conn, &syn, 0));
    assert_int_equal(conn_outcome(&x.conn), CONN_OUT_OPEN);
    assert_int_equal(conn_state(&x.conn, 0), STATE_UNKNOWN);
}

/* Another connection's numbers, without a SYN: both far, and not both ahead as by a gap. */
static void numbers_that_are_far_in_both_directions_begin_anew(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        unsigned anew;
    } cases[] = {
        /* so far behind or ahead is near: 2^24 from what the peer has, and from the highest sent */
        {"c:A:-16777115:-16777210:0", 0},
        {"c:A:-16777116:-16777210:0", 0},
        {"c:A:-16777116:-16777211:0", 1},
        {"c:A:-16777115:-16777211:0", 0},
        {"c:A:16777317:-16777211:0", 0},
        {"c:A:16777318:-16777211:0", 1},
        {"c:A:-16777116:16777222:0", 0},
        {"c:A:-16777116:16777223:0", 1},
        /* ahead in both: what a capture missed, up to a window's largest */
        {"c:A:1073741924:1073741829:0", 0},
        {"c:A:1073741925:1073741829:0", 1},
        {"c:A:1073741924:1073741830:0", 1},
        {"c:A:1073741925:17000000:0", 1},
        {"c:R:-200000000:0:0", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, HANDSHAKE "c:PA:1:1:100 s:PA:1:101:5 c:A:101:6:0");
        exchange_say(&x, cases[i].step);
        if (x.anew != cases[i].anew) fail_msg("%s: %u", cases[i].step, (unsigned)x.anew);
    }
    /* Without ACK it has one number, which proves nothing: what stands in the other's place means nothing. */
    struct exchange x;
    unsigned side;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE);
    struct conn_segment segment = exchange_segment(&x, "c:PA:-200000000:-200000000:5", &side);
    assert_true(conn_begins_anew(&x.conn, &segment, side));
    segment.flags = TCP_PSH;
    assert_false(conn_begins_anew(&x.conn, &segment, side));
}

/* RFC 9293 section 3.10.7.1: a RST with sequence number 0 answers what had no ACK, so there never was a connection. */
static void a_rst_alone_refuses_only_with_number_0(void **state)
{
    (void)state;
    static const struct {
        const char *step, *stand;
    } cases[] = {
        {"s:RA:-5000:1:0", "CLOSED CLOSED refused s"},
        {"s:RA:-4999:1:0", "CLOSED CLOSED reset -"},
        {"s:R:-5000:0:0", "CLOSED CLOSED reset -"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, cases[i].step);
        assert_stands(&x, cases[i].stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_holds_a_connection_questions_the_syn_of_another),
        cmocka_unit_test(the_same_syn_again_is_the_same_attempt),
        cmocka_unit_test(the_same_syn_after_a_refusal_is_the_same_attempt),
        cmocka_unit_test(the_same_syn_after_a_refusal_may_yet_be_answered),
        cmocka_unit_test(a_syn_with_another_number_is_another_connection),
        cmocka_unit_test(another_syn_after_a_refusal_is_another_connection),
        cmocka_unit_test(the_addresses_of_a_closed_connection_are_used_again),
        cmocka_unit_test(a_syn_after_the_numbers_of_an_end_that_was_never_seen_to_open),
        cmocka_unit_test(a_fin_that_comes_again_within_time_waits_minute_is_the_old_connections),
        cmocka_unit_test(a_syn_ack_with_another_number_begins_nothing_while_the_connection_lives),
        cmocka_unit_test(a_syn_ack_whose_syn_was_not_captured_begins_anew_once_the_old_one_is_over),
        cmocka_unit_test(the_syn_ack_of_the_old_one_again_begins_nothing),
        cmocka_unit_test(half_open_discovery_is_one_connection),
        cmocka_unit_test(a_split_handshake_is_one_connection_opened_by_the_first_syn),
        cmocka_unit_test(the_ack_that_splits_a_handshake_may_have_any_number),
        cmocka_unit_test(a_simultaneous_open_is_one_connection),
        cmocka_unit_test(a_syn_tells_who_opened_and_before_it_the_higher_port_does),
        cmocka_unit_test(who_opened_is_settled_once),
        cmocka_unit_test(a_syn_ack_that_comes_first_tells_who_opened),
        cmocka_unit_test(a_rst_begins_nothing),
        cmocka_unit_test(a_closed_connection_is_kept_for_time_waits_minute),
        cmocka_unit_test(an_attempt_is_kept_for_two_minutes_and_a_connection_for_five_days),
        cmocka_unit_test(numbers_beyond_both_fins_are_of_another_connection),
        cmocka_unit_test(numbers_that_are_far_in_both_directions_begin_anew),
        cmocka_unit_test(a_rst_alone_refuses_only_with_number_0),
        cmocka_unit_test(after_a_reset_numbers_that_are_far_begin_anew),
        cmocka_unit_test(an_old_segment_behind_two_fins_begins_nothing),
        cmocka_unit_test(a_syn_ack_alone_begins_anew_where_neither_number_is_this_connections),
        cmocka_unit_test(a_leap_goes_far_ahead_in_both_numbers),
        cmocka_unit_test(a_segment_is_of_the_connection_that_it_is_nearer_to),
        cmocka_unit_test(a_syn_begins_nothing_anew_where_nothing_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
