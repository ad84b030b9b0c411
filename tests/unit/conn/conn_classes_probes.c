/* Challenge ACKs, strays, windows and probes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_classes_own.h"
#include "support/exchange.h"

void the_ack_that_a_rst_in_the_window_asked_for_is_a_challenge(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "s:R:100:0:0 c:A:1:1:0");
    assert_classes(&x, "new new ack reset challenge-ack");
}

void the_ack_that_a_syn_in_the_window_asked_for_is_a_challenge(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 c:S:0:0:0 s:A:1:6:0");
    assert_classes(&x, "new new ack new ack again challenge-ack");
}

void a_syn_ack_again_is_again_and_its_ack_a_duplicate(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0 c:A:1:1:0 s:SA:0:1:0 c:A:1:1:0");
    assert_int_equal(exchange_end(&x, 's')->again_count, 1);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

void an_answer_to_another_syn_is_a_stray(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:70:900:0");
    assert_classes(&x, "new stray");
    assert_stands(&x, "SYN_SENT CLOSED half-open -");
}

void a_syn_ack_of_more_than_was_sent_is_a_stray(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0 s:SA:0:2:0");
    assert_classes(&x, "new new stray");
}

void a_duplicate_count_stays_at_its_largest(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:10 s:A:1:1:0");
    for (unsigned i = 0; i < 300; i++) exchange_say(&x, "s:A:1:1:0");
    assert_int_equal(exchange_end(&x, 's')->repeated_acks, 255);
}

void a_zero_window_is_counted_but_not_of_a_syn_a_fin_or_a_rst(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0:0 s:SA:0:1:0:0 c:A:1:1:0:0 s:FA:1:1:0:0 s:RA:2:1:0:0");
    assert_int_equal(exchange_more(&x, 'c')->zero_windows, 1);
    assert_int_equal(exchange_more(&x, 's')->zero_windows, 0);
}

void every_class_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < CONN_CLASSES; a++) {
        assert_true(strlen(conn_class_name((enum conn_class)a)) > 2);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(conn_class_name((enum conn_class)a), conn_class_name((enum conn_class)b));
    }
    assert_string_equal(conn_class_name(CONN_CLASSES), "?");
}

void a_byte_that_the_peer_took_back_its_offer_for_probes(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:100 s:A:1:51:0:0 +300ms c:A:51:1:1 s:A:1:51:0:0 +1s s:A:1:51:0:500 c:PA:51:1:50");
    assert_classes(&x, "new new ack new ack window-probe probe-answer window-update again");
    exchange_begin(&x); /* the window is open: sent again */
    exchange_say(&x, HANDSHAKE "c:PA:1:1:100 s:A:1:51:0:1 +300ms c:A:51:1:1");
    assert_classes(&x, "new new ack new ack again");
}

void what_follows_a_probe_that_was_taken_is_no_answer(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:6:0:0 +300ms c:A:6:1:1 s:A:1:7:0:0 +1s s:A:1:7:0:500");
    assert_classes(&x, "new new ack new ack window-probe ack window-update");
}

static void syn_acks_cross(uint16_t flags)
{
    struct exchange x;
    exchange_begin(&x);
    x.conn.flags |= flags;
    exchange_say(&x, "c:S:0:0:0 s:S:0:0:0 c:SA:0:1:0 s:SA:0:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    /* The one that was captured first had not come yet when the other left. */
    const struct conn_move *moves = x.verdict.moves;
    assert_int_equal(x.verdict.move_count, 4);
    assert_true(moves[0].taken_back && moves[0].from == STATE_ESTABLISHED && moves[0].to == STATE_SYN_SENT);
    assert_true(moves[1].input == INPUT_SENT_SYN_ACK && moves[1].to == STATE_SYN_RCVD);
    assert_true(moves[2].input == INPUT_RCVD_ACK_OF_SYN && moves[2].to == STATE_ESTABLISHED && moves[2].side == moves[1].side);
    assert_true(moves[3].input == INPUT_RCVD_ACK_OF_SYN && moves[3].side != moves[1].side);
}

void syn_acks_that_cross_move_each_end_through_syn_rcvd(void **state)
{
    (void)state;
    syn_acks_cross(0);
    syn_acks_cross(CONN_TWO_PLACES); /* the places' clocks, or what one of them lacks */
}

void a_syn_ack_captured_behind_what_proves_it_is_not_sent_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 c:A:1:1:0 c:PA:1:1:5 s:SA:0:1:0 s:A:1:6:0");
    assert_classes(&x, "new ack new out-of-order ack");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    exchange_say(&x, "s:SA:0:1:0");
    assert_classes(&x, "again");
}
