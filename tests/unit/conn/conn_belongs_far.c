/* Numbers that are far, and whose a segment is that fits two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn_belongs_own.h"
#include "support/exchange.h"

/* After a RST that ended both, less is enough. */
void after_a_reset_numbers_that_are_far_begin_anew(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        unsigned anew;
    } cases[] = {
        {"c:A:65637:65542:0", 0}, {"c:A:65638:65542:0", 0}, {"c:A:65637:65543:0", 0}, {"c:A:65638:65543:0", 1}, {"c:A:101:6:0", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, HANDSHAKE "c:PA:1:1:100 s:PA:1:101:5 c:A:101:6:0 c:RA:101:6:0");
        exchange_say(&x, cases[i].step);
        if (x.anew != cases[i].anew) fail_msg("%s: %u", cases[i].step, (unsigned)x.anew);
    }
}

/* What both FINs closed may come again, however much was sent behind it: less is enough after a RST alone. */
void an_old_segment_behind_two_fins_begins_nothing(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, HANDSHAKE "c:PA:1:1:40000 s:PA:1:40001:40000 c:PA:40001:40001:40000 s:PA:40001:80001:40000 c:FA:80001:80001:0 "
                               "s:FA:80001:80002:0 c:A:80002:80002:0");
    assert_stands(&x, "TIME_WAIT CLOSED closed c");
    exchange_say(&x, "c:PA:1:1:40000");
    assert_int_equal(x.anew, 0);
}

/* A SYN,ACK by itself is another connection's where neither number is this one's, and this one is over, or was found running and
 * both its numbers are far. */
void a_syn_ack_alone_begins_anew_where_neither_number_is_this_connections(void **state)
{
    (void)state;
    static const char over[] = HANDSHAKE "c:RA:1:1:0 +1s", running[] = "c:PA:1:1:5 s:A:1:6:0 ";
    static const struct {
        const char *before, *step;
        unsigned anew;
    } cases[] = {
        {over, "s:SA:90000:90001:0", 1},
        {over, "s:SA:0:90001:0", 0},
        {over, "s:SA:90000:1:0", 0},
        {running, "s:SA:65538:65543:0", 1}, /* 2^16 + 1 from the next number of each */
        {running, "s:SA:65537:65543:0", 0},
        {running, "s:SA:65538:65542:0", 0},
        {"c:PA:1:1:5 s:SA:0:1:0", "s:SA:90000:90001:0", 0}, /* and the SYN of this one was seen after all */
        {HANDSHAKE, "s:SA:90000:90001:0", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, cases[i].before);
        exchange_say(&x, cases[i].step);
        if (x.anew != cases[i].anew) fail_msg("case %zu, %s: %u", i, cases[i].step, (unsigned)x.anew);
    }
}

/* Ahead by more than 2^24 in both numbers: a gap of the capture, or another connection. */
void a_leap_goes_far_ahead_in_both_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        bool leaps;
    } cases[] = {
        {"c:A:16777318:16777223:0", true},
        {"c:A:16777317:16777223:0", false},
        {"c:A:16777318:16777222:0", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, HANDSHAKE "c:PA:1:1:100 s:PA:1:101:5 c:A:101:6:0");
        exchange_say(&x, cases[i].step);
        assert_int_equal(x.anew, 0);
        if (x.verdict.leaps != cases[i].leaps) fail_msg("%s: %d", cases[i].step, x.verdict.leaps);
    }
}

static bool is_elders(const struct exchange *elder, const struct exchange *young, const char *step)
{
    unsigned side;
    struct conn_segment segment = exchange_segment(elder, step, &side);
    return conn_is_elders(&elder->conn, side, &young->conn, exchange_side(young, step[0]), &segment);
}

void a_segment_is_of_the_connection_that_it_is_nearer_to(void **state)
{
    (void)state;
    struct exchange elder, young;
    exchange_begin(&elder);
    exchange_say(&elder, HANDSHAKE "c:PA:1:1:100 s:A:1:101:0");
    assert_true(conn_is_set_aside(&elder.conn));
    exchange_begin(&young);
    exchange_say(&young, "c:S:5000:0:0");
    assert_false(conn_is_set_aside(&young.conn));
    struct exchange half;
    exchange_begin(&half);
    exchange_say(&half, "c:S:0:0:0 s:SA:0:1:0");
    assert_false(conn_is_set_aside(&half.conn)); /* open at one end only */
    /* the challenge ACK, the RST that answers it, and what the client says in its old numbers */
    assert_true(is_elders(&elder, &young, "s:A:1:101:0"));
    assert_true(is_elders(&elder, &young, "c:R:101:0:0"));
    assert_true(is_elders(&elder, &young, "c:PA:101:1:10"));
    assert_true(is_elders(&elder, &young, "c:S:0:0:0")); /* its own SYN, late */
    assert_false(is_elders(&elder, &young, "s:SA:70000:5001:0"));
    assert_false(is_elders(&elder, &young, "c:S:5000:0:0"));
    assert_false(is_elders(&elder, &young, "c:R:5001:0:0"));
    /* the middle is the younger one's */
    assert_true(is_elders(&elder, &young, "c:R:2550:0:0"));
    assert_false(is_elders(&elder, &young, "c:R:2551:0:0"));
    exchange_say(&young, "s:SA:70000:5001:0");
    assert_false(is_elders(&elder, &young, "c:R:2551:0:0")); /* it acknowledges nothing: that number does not count */
    assert_true(is_elders(&elder, &young, "c:RA:2551:1:0"));
    /* what is over is not kept */
    /* Nothing is known of a younger one but that somebody on the way made its SYN: what is said is the elder's. */
    struct exchange unsent;
    exchange_begin(&unsent);
    assert_true(is_elders(&elder, &unsent, "c:PA:101:1:10"));
    assert_true(is_elders(&elder, &unsent, "s:A:1:101:0"));
    assert_false(is_elders(&elder, &unsent, "c:S:5000:0:0"));

    exchange_say(&elder, "c:RA:101:1:0");
    assert_false(conn_is_set_aside(&elder.conn));
}

/* RFC 5961 section 4: what says nothing new asks what the SYN of another connection means; where something else asked for an ACK
 * too, that may be it. */
void who_holds_a_connection_questions_the_syn_of_another(void **state)
{
    (void)state;
    static const struct {
        const char *behind, *classes;
    } texts[] = {
        {"s:A:1:101:0 s:A:1:101:0", "challenge-ack duplicate-ack"}, {"s:PA:1:101:10 s:A:11:101:0", "new duplicate-ack"},
        {"c:PA:1:1:100 s:A:1:101:0", "again duplicate-ack"},        {"c:PA:201:1:100 s:A:1:101:0", "new duplicate-ack"},
        {"c:A:101:1:0 s:A:1:101:0", "duplicate-ack challenge-ack"}, {"c:PA:101:1:100 s:A:1:201:0", "new ack"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct exchange x;
        exchange_begin(&x);
        exchange_say(&x, HANDSHAKE "c:PA:1:1:100 s:A:1:101:0");
        conn_question(&x.conn, 1);
        exchange_say(&x, texts[i].behind);
        assert_classes(&x, texts[i].classes);
    }
    struct exchange opens;
    exchange_begin(&opens);
    exchange_say(&opens, "c:S:0:0:0");
    conn_question(&opens.conn, 1);
    assert_false(opens.conn.end[1].flags & END_CHALLENGED);
}
