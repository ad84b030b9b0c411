/* What was not taken, and what shows no connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_outcome_own.h"
#include "support/exchange.h"

void data_on_a_syn_that_was_not_taken_is_sent_again(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:4 s:SA:0:1:0 c:A:1:1:0 c:PA:1:1:4");
    assert_classes(&x, "new new ack again");
    assert_int_equal(exchange_bytes(&x, 'c'), 4);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void assert_payload(const char *exchange, char who, uint64_t bytes, uint64_t missed)
{
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE);
    exchange_say(&x, exchange);
    struct conn_payload sent = conn_payload(&x.judge, &x.conn, exchange_side(&x, who));
    assert_int_equal(sent.bytes, bytes);
    assert_int_equal(sent.missed, missed);
}

void a_last_number_that_may_have_been_a_fin_is_no_byte(void **state)
{
    (void)state;
    assert_payload("s:PA:1:1:5 c:A:1:6:0 c:A:1:7:0", 's', 5, 0); /* acknowledged by itself, and not captured */
    assert_payload("s:PA:1:1:5 c:A:1:6:0 c:A:1:8:0", 's', 7, 2); /* not by itself, and its peer has not closed */
    assert_payload("s:PA:1:1:5 c:A:1:6:0 c:FA:1:8:0", 's', 6, 1);
    assert_payload("s:PA:1:1:5 s:PA:6:1:1 c:A:1:6:0 c:A:1:7:0", 's', 6, 0); /* it was captured */
    assert_payload("s:PA:1:1:5 c:A:1:6:0 c:A:1:7:0 s:FA:6:1:0", 's', 5, 0); /* and so was the FIN */
}

static void talks_to_itself(size_t missed)
{
    struct exchange x;
    exchange_begin(&x);
    x.begun = true, x.first = 'c';
    x.isn[1] = x.isn[0];
    x.conn.flags = CONN_TO_ITSELF;
    unsigned side;
    static const char *const steps[] = {"c:S:0:0:0", "c:SA:0:1:0", "c:A:1:1:0", "c:PA:1:1:5",
                                        "c:A:6:6:0", "c:FA:6:6:0", "c:A:7:7:0"};
    static const enum tcp_state to[] = {STATE_SYN_SENT,    STATE_ESTABLISHED, STATE_ESTABLISHED, STATE_ESTABLISHED,
                                        STATE_ESTABLISHED, STATE_CLOSING,     STATE_TIME_WAIT};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (i == missed) continue;
        struct conn_segment segment = exchange_segment(&x, steps[i], &side);
        if (i == 0) conn_begin(&x.conn, &segment, true), x.conn.end[0].state = STATE_CLOSED;
        struct conn_verdict verdict = {0};
        conn_take(&x.judge, &x.conn, 0, &segment, &verdict);
        assert_string_equal(tcp_state_name(conn_state(&x.conn, 0)), tcp_state_name(to[i]));
        assert_string_equal(tcp_state_name(conn_state(&x.conn, 1)), tcp_state_name(to[i]));
    }
    assert_string_equal(exchange_outcome(conn_outcome(&x.conn)), "closed");
    assert_true(conn_is_done(&x.conn));
    assert_int_equal(conn_bytes(&x.conn, 0), 5);
}

void a_socket_connected_to_itself_passes_syn_rcvd_and_closing(void **state)
{
    (void)state;
    talks_to_itself(SIZE_MAX);
    talks_to_itself(1); /* the SYN-ACK was not captured: what it says afterwards proves it */
}

void without_a_second_record_the_ack_is_the_way_back(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.no_memory = true;
    exchange_say(&x, HANDSHAKE "c:PA:101:1:5 s:A:1:106:0 c:FA:106:1:0 s:FA:1:107:0 c:A:107:2:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    assert_int_equal(exchange_bytes(&x, 'c'), 105);
}

void what_has_neither_syn_nor_ack_shows_no_connection(void **state)
{
    (void)state;
    static const char *const scans[] = {"c:-:0:0:0 ", "c:F:0:0:0 ", "c:FP:0:0:0 "};
    for (size_t i = 0; i < sizeof(scans) / sizeof(scans[0]); i++) {
        struct exchange x;
        char text[64];
        exchange_begin(&x);
        exchange_say(&x, scans[i]);
        assert_stands(&x, "CLOSED CLOSED half-open -");
        assert_int_equal(x.verdict.class, CONN_STRAY);
        exchange_begin(&x);
        snprintf(text, sizeof(text), "%ss:RA:0:0:0", scans[i]);
        exchange_say(&x, text);
        assert_stands(&x, "CLOSED CLOSED refused -");
        exchange_say(&x, HANDSHAKE);
        assert_int_equal(x.anew, 1);
        assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
        /* unanswered, too */
        exchange_begin(&x);
        snprintf(text, sizeof(text), "%s" HANDSHAKE, scans[i]);
        exchange_say(&x, text);
        assert_int_equal(x.anew, 1);
        assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    }
}

void in_the_midst_of_a_connection_it_is_none_of_it(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 c:FP:6:0:0 c:PA:6:1:5 s:A:1:11:0");
    assert_classes(&x, "new new ack new ack stray new ack");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    /* and before one that was joined midway */
    exchange_begin(&x);
    exchange_say(&x, "c:-:1:0:0 c:PA:1:1:5 s:A:1:6:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

void a_syn_ack_that_comes_again_to_who_said_nothing_was_not_taken(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0 s:SA:0:1:0");
    assert_stands(&x, "ESTABLISHED SYN_RCVD half-open -");
    exchange_say(&x, "+1s s:SA:0:1:0");
    assert_stands(&x, "SYN_SENT SYN_RCVD half-open -");
    exchange_say(&x, "+2s s:SA:0:1:0");
    assert_stands(&x, "SYN_SENT SYN_RCVD half-open -");
    exchange_say(&x, "c:A:1:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    /* who has said something has taken it: its ACK was lost */
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "+1s s:SA:0:1:0");
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
    /* where sending and receiving are seen apart, it arrived */
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0");
    x.conn.flags |= CONN_TWO_PLACES;
    exchange_say(&x, "s:SA:0:1:0 +1s s:SA:0:1:0");
    assert_stands(&x, "ESTABLISHED SYN_RCVD half-open -");
}
