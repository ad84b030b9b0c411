/* Causes from the wire alone: every bound just inside and just outside, and every two that are possible are unknown and named. In
 * each case it is the last segment whose cause is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cause_wire_own.h"
#include "support/lines.h"
#include "support/tell.h"

static const struct story_segment *last_segment(const struct story *story)
{
    for (size_t i = story->step_count; i-- > 0;)
        if (story->steps[i].kind == STEP_SEGMENT) return story->steps[i].segment;
    fail_msg("no segment");
    return NULL;
}

static void check(const struct wire_case *c, size_t which)
{
    struct told *told = tell_text(c->text, 0);
    assert_int_equal(told->count, 1);
    const struct story *story = told->stories[0];
    const struct story_cause *cause = &last_segment(story)->cause;
    uint32_t by = cause->step == STORY_NO_STEP || story->steps[cause->step].kind != STEP_SEGMENT
                      ? 0
                      : story->steps[cause->step].segment->number;
    bool same = cause->kind == c->kind && by == c->by && (cause->name != NULL) == (c->name != NULL) &&
                (!c->name || strcmp(cause->name, c->name) == 0);
    if (!same || (cause->kind != CAUSE_UNKNOWN && cause->evidence != EVIDENCE_RULE))
        fail_msg("case %zu: %s %s #%u, evidence %s: %s", which, story_cause_name(cause->kind), cause->name ? cause->name : "-", by,
                 story_evidence_name(cause->evidence), cause->why);
    for (size_t i = 0; i < 2; i++)
        if (c->words[i] && !strstr(cause->why, c->words[i])) fail_msg("case %zu: '%s' lacks '%s'", which, cause->why, c->words[i]);
    told_free(told);
}

void check_all(const struct wire_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) check(&cases[i], i);
}

/* ---- acknowledgments ---- */

/* The second segment's ACK; the first one's has told how far the window reached: up to 613. */
#define ACKED_ONCE FAR THERE(2000, 2100, DATA(101, 5)) BACK(2150, 2250, ACKS(106, 507)) THERE(3000, 3100, DATA(106, 5))

static void the_ack_of_data_is_immediate_delayed_or_a_reads(void **state)
{
    static const struct wire_case cases[] = {
        /* the first of a connection is acknowledged at once; so long it takes at most */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2400, 2500, ACKS(106, 507)), BY(4)},
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2401, 2500, ACKS(106, 507)), EITHER("delayed-ACK timer", "read()")},
        /* the budget of immediate ACKs is used up: the window is of one segment */
        {ACKED_ONCE BACK(3110, 3210, ACKS(111, 507)), EITHER("acknowledges at once", "read()")},
        /* nobody made room */
        {ACKED_ONCE BACK(3110, 3210, ACKS(111, 502)), BY(6)},
        {ACKED_ONCE BACK(3400, 3500, ACKS(111, 502)), BY(6)},
        {ACKED_ONCE BACK(3401, 3500, ACKS(111, 502)), EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE BACK(39099, 39200, ACKS(111, 502)), EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE BACK(39100, 39200, ACKS(111, 502)), TIMER("delayed-ack")},
        {ACKED_ONCE BACK(218100, 218200, ACKS(111, 502)), TIMER("delayed-ack")},
        {ACKED_ONCE BACK(218101, 218200, ACKS(111, 502)), EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE BACK(39100, 39200, ACKS(111, 503)), EITHER("delayed-ACK timer ran out", "read() made room")},
        /* a read() that sends the ACK of several segments may have made no room */
        {ACKED_ONCE THERE(3010, 3110, DATA(111, 5)) BACK(39110, 39210, ACKS(116, 497)), EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE THERE(3010, 3110, DATA(111, 5)) BACK(3120, 3220, ACKS(116, 497)), EITHER("acknowledges at once", "read()")},
        /* another had come behind it */
        {ACKED_ONCE THERE(3010, 3110, DATA(111, 5)) BACK(3120, 3220, ACKS(111, 502)), EITHER("another segment", "either")},
        /* it has answered with data: no immediate ACKs any more */
        {FAR THERE(2000, 2100, "flags=P. seq=101 ack=501 len=5 win=512") BACK(2110, 2210, "flags=P. seq=501 ack=106 len=5 win=512")
             THERE(2220, 2320, "flags=P. seq=106 ack=506 len=5 win=512") BACK(2330, 2430, "flags=. seq=506 ack=111 win=512"),
         EITHER("acknowledges at once", "read()")},
        /* from one place nobody sees when it came: no timer is told by time */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(9000, WS, ACKS(106, 507)) PACKET(16000, WC, DATA(106, 5))
             PACKET(26000, WS, ACKS(111, 507)),
         EITHER("acknowledges at once", "read()")},
    };
    (void)state;
    CHECK(cases);
}

#define WITH_CALLS CALL(1330, 1340, S_THREAD, "accept4", WS_SOCK)

static void where_calls_are_known_only_one_that_reads_can_have_sent_an_ack(void **state)
{
    static const struct wire_case cases[] = {
        {ACKED_ONCE WITH_CALLS BACK(39100, 39200, ACKS(111, 507)), TIMER("delayed-ack")},
        {ACKED_ONCE WITH_CALLS CALL(39090, 39110, S_THREAD, "recvfrom", WS_SOCK) BACK(39100, 39200, ACKS(111, 507)),
         EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE WITH_CALLS CALL(3090, 3100, S_THREAD, "recvfrom", WS_SOCK) BACK(39100, 39200, ACKS(111, 507)),
         EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE WITH_CALLS CALL(3090, 3099, S_THREAD, "recvfrom", WS_SOCK) BACK(39100, 39200, ACKS(111, 507)),
         TIMER("delayed-ack")},
        {ACKED_ONCE WITH_CALLS CALL(39090, 39110, C_THREAD, "recvfrom", WC_SOCK) BACK(39100, 39200, ACKS(111, 507)),
         TIMER("delayed-ack")},
        {ACKED_ONCE WITH_CALLS CALL(39090, 39110, S_THREAD, "setsockopt", WS_SOCK) BACK(39100, 39200, ACKS(111, 507)),
         EITHER("delayed-ACK timer", "read()")},
        {ACKED_ONCE WITH_CALLS CALL(39090, 39110, S_THREAD, "poll", WS_SOCK) BACK(39100, 39200, ACKS(111, 507)),
         TIMER("delayed-ack")},
    };
    (void)state;
    CHECK(cases);
}

static void the_ack_of_a_fin_is_immediate_or_delayed(void **state)
{
    static const struct wire_case cases[] = {
        /* Linux puts it off, to the next tick if no data came: as soon as an answer */
        {FAR THERE(2000, 2100, C_FIN W) BACK(2110, 2210, S_ACKS_FIN), EITHER("at once", "delayed-ACK timer")},
        {FAR THERE(2000, 2100, C_FIN W) BACK(2400, 2500, S_ACKS_FIN), EITHER("at once", "delayed-ACK timer")},
        {FAR THERE(2000, 2100, C_FIN W) BACK(2401, 2500, S_ACKS_FIN), EITHER("put off", "worked off late")},
        {FAR THERE(2000, 2100, C_FIN W) BACK(38099, 38200, S_ACKS_FIN), EITHER("put off", "worked off late")},
        {FAR THERE(2000, 2100, C_FIN W) BACK(38100, 38200, S_ACKS_FIN), TIMER("delayed-ack")},
        {FAR THERE(2000, 2100, C_FIN W) BACK(217100, 217200, S_ACKS_FIN), TIMER("delayed-ack")},
        {FAR THERE(2000, 2100, C_FIN W) BACK(217101, 217200, S_ACKS_FIN), EITHER("put off", "worked off late")},
        /* whoever has sent its own goes to TIME_WAIT, or to CLOSED: no timer */
        {FAR BACK(1900, 2000, "flags=F. seq=501 ack=101" W) THERE(2050, 2150, "flags=F. seq=101 ack=502" W)
             BACK(6200, 6300, "flags=. seq=502 ack=102" W),
         BY(5)},
        /* from one place nobody sees when it came */
        {NEAR PACKET(6000, WC, C_FIN W) PACKET(10000, WS, S_ACKS_FIN), EITHER("at once", "delayed-ACK timer")},
        /* with data before it: what is true of data */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, "flags=P. seq=501 ack=106 len=5" W)
             THERE(2220, 2320, "flags=FP. seq=106 ack=506 len=5" W) BACK(6300, 6400, "flags=. seq=506 ack=112" W),
         EITHER("delayed-ACK timer", "read()")},
    };
    (void)state;
    CHECK(cases);
}

static void an_ack_that_says_nothing_new_answers_what_does_not_fit(void **state)
{
    static const struct wire_case cases[] = {
        /* behind a hole, at once; and when it took longer */
        {FAR THERE(2000, 2100, DATA(106, 5)) BACK(2400, 2500, ACKS(101, 512)), BY(4)},
        {FAR THERE(2000, 2100, DATA(106, 5)) BACK(2401, 2500, ACKS(101, 512)), EITHER("duplicate ACK", "behind a gap")},
        /* old */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 512)) THERE(402000, 402100, DATA(101, 5))
             BACK(402150, 402250, ACKS(106, 512)),
         BY(6)},
        /* room was made, or the buffer has grown */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) BACK(9110, 9210, ACKS(106, 512)),
         EITHER("data was read", "buffer has grown")},
        /* one place: near the end that answers (the round trip is the wire's, and this took less than a quarter of it) */
        {NEAR PACKET(6000, WS, "flags=P. seq=506 ack=101 len=5" W) PACKET(6900, WC, "flags=. seq=101 ack=501" W), BY(4)},
        {NEAR PACKET(6000, WS, "flags=P. seq=506 ack=101 len=5" W) PACKET(7001, WC, "flags=. seq=101 ack=501" W),
         EITHER("duplicate ACK", "behind a gap")},
        {TRACE PACKET(1000, WC, SYN W) PACKET(3000, WS, SYN_ACK W) PACKET(3010, WC, HANDSHAKE_ACK W)
             PACKET(6000, WS, "flags=P. seq=506 ack=101 len=5" W) PACKET(6600, WC, "flags=. seq=101 ack=501" W),
         EITHER("duplicate ACK", "behind a gap")},
    };
    (void)state;
    CHECK(cases);
}

static void the_ack_of_a_syn_that_carried_data_is_the_syns_whatever_it_took(void **state)
{
    static const struct wire_case cases[] = {
        {TRACE TWO_ENDS THERE(1000, 1100, "flags=S seq=100 len=5" W) BACK(1110, 1210, SYN_ACK W), BY(1)},
        {TRACE TWO_ENDS THERE(1000, 1100, "flags=S seq=100 len=5" W) BACK(1110, 1210, "flags=S. seq=500 ack=106" W), BY(1)},
        /* what it did not take goes out again, because of that very answer */
        {TRACE TWO_ENDS THERE(1000, 1100, "flags=S seq=100 len=5" W) BACK(1110, 1210, SYN_ACK W) THERE(1215, 1315, DATA(101, 5)),
         BY(2)},
    };
    (void)state;
    CHECK(cases);
}

/* ---- probes ---- */

static void a_probe_of_a_shut_window_is_the_persist_timers_only_where_no_keepalive_can_be(void **state)
{
    static const struct wire_case cases[] = {
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) THERE(1003000, 1003100, PROBE), TIMER("keepalive")},
        {SHUT THERE(902109, 902200, PROBE), TIMER("zero-window-probe")},
        {SHUT THERE(902110, 902210, PROBE), EITHER("the persist timer", "the keepalive timer")},
        /* it had asked before, and the window has been shut since */
        {SHUT THERE(202210, 202310, PROBE) BACK(202320, 202420, ACKS(106, 0)) THERE(2202420, 2202520, PROBE),
         TIMER("zero-window-probe")},
        /* the window opened for a moment, but what waited has not left: while data waits, the keepalive timer doesn't ask */
        {SHUT THERE(202210, 202310, PROBE) BACK(202320, 202420, ACKS(106, 9)) BACK(202520, 202620, ACKS(106, 0))
             THERE(2202420, 2202520, PROBE),
         TIMER("zero-window-probe")},
    };
    (void)state;
    CHECK(cases);
}

static void what_follows_a_probe(void **state)
{
    static const struct wire_case cases[] = {
        {PROBED BACK(1003110, 1003210, ACKS(106, 507)), BY(6)},
        {PROBED BACK(1003400, 1003500, ACKS(106, 512)), BY(6)},
        {PROBED BACK(1003401, 1003501, ACKS(106, 512)), EITHER("answers the probe", "data was read")},
        /* nobody answered: the timer gave up */
        {PROBED THERE(2003000, 2003100, "flags=R. seq=106 ack=501"), TIMER("keepalive")},
        {PROBED BACK(1003110, 1003210, ACKS(106, 507)) THERE(2003000, 2003100, "flags=R. seq=106 ack=501"),
         EITHER("an abort", "a timer that gave up")},
    };
    (void)state;
    CHECK(cases);
}

/* ---- resets ---- */

static void a_reset_answers_what_it_takes_its_numbers_from(void **state)
{
    static const struct wire_case cases[] = {
        /* a SYN: two can refuse it, and in a network that was made for the run only one */
        {TRACE PACKET(1000, C, SYN W) PACKET(1010, S, "flags=R. seq=0 ack=101"), EITHER("nobody listens", "firewall")},
        {UNFILTERED PACKET(1000, C, SYN W) PACKET(1010, S, "flags=R. seq=0 ack=101"), BY(1)},
        {TRACE PACKET(1000, C, SYN W) PACKET(1010, S, "flags=R. seq=0 ack=102"), EITHER("nothing", NULL)},
        /* data in the middle of a connection: so does a firewall */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) THERE(2300, 2400, DATA(106, 5))
             BACK(2410, 2510, "flags=R seq=501"),
         EITHER("#6", "firewall")},
        /* whoever has not said a word since the SYN,ACK may have none to take it */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, "flags=R seq=501"), BY(4)},
        /* whoever has closed must */
        {S_CLOSED THERE(3000, 3100, LATE(101)) BACK(3110, 3210, S_RESETS), BY(6)},
        /* and whoever is told of a SYN that it never sent */
        {TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=S. seq=500 ack=77") PACKET(1020, C, "flags=R seq=77"), BY(2)},
        /* with an ACK it answers no segment that has one */
        {S_CLOSED THERE(3000, 3100, LATE(101)) BACK(3110, 3210, "flags=R. seq=502 ack=101"), EITHER("an abort", "a box between")},
        /* one of two that came together; the newest, if the other had come so long before that it would have had its answer */
        {S_CLOSED THERE(3000, 3100, LATE(101)) THERE(3010, 3110, LATE(106)) BACK(3120, 3220, S_RESETS),
         EITHER("#6 or #7", "which")},
        {S_CLOSED THERE(3000, 3100, LATE(101)) THERE(3010, 3390, LATE(106)) BACK(3400, 3500, S_RESETS),
         EITHER("#6 or #7", "which")},
        {S_CLOSED THERE(3000, 3100, LATE(101)) THERE(3010, 3390, LATE(106)) BACK(3401, 3501, S_RESETS), BY(7)},
        /* the order of arrival counts, not that of sending */
        {S_CLOSED THERE(3000, 3390, LATE(101)) THERE(3010, 3090, LATE(106)) BACK(3401, 3501, S_RESETS), BY(6)},
        /* each answers one */
        {S_CLOSED THERE(3000, 3100, LATE(101)) BACK(3110, 3210, S_RESETS) THERE(3120, 3220, LATE(106)) BACK(3230, 3330, S_RESETS),
         BY(8)},
    };
    (void)state;
    CHECK(cases);
}

static void a_reset_is_no_answer_to_what_lies_too_far_back(void **state)
{
    (void)state;
    for (size_t between = 63; between <= 64; between++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        fputs(S_CLOSED THERE(3000, 3100, LATE(101)), out);
        for (size_t i = 0; i < between; i++) /* another ACK number: its RST would bear another */
            for (int vantage = 1; vantage <= 2; vantage++)
                fprintf(out, "packet t=%zu000 vantage=%d number=1 " WC "flags=P. seq=%zu ack=501 len=5 win=512\n",
                        3200 + 10 * i + (vantage == 2 ? 100 : 0), vantage, 106 + 5 * i);
        fputs(BACK(5000, 5100, S_RESETS), out);
        assert_int_equal(fclose(out), 0);
        struct wire_case inside = {text, BY(6)}, outside = {text, EITHER("nothing", NULL)};
        check(between == 63 ? &inside : &outside, between);
        free(text);
    }
}

/* ---- what is sent again ---- */

static void a_repeat_is_a_timers_when_it_had_the_time_and_is_the_only_one(void **state)
{
    static const struct wire_case cases[] = {
        {FAR LOST(2000, DATA(101, 5)) THERE(192000, 192100, DATA(101, 5)), TIMER("retransmit")},
        {FAR LOST(2000, DATA(101, 5)) THERE(191999, 192100, DATA(101, 5)), EITHER("duplicate ACKs", "timer for losses")},
        /* both speak SACK: the last of what was sent may be the loss probe's; the second time it is not */
        {FAR_SACK LOST(2000, DATA(101, 5)) THERE(192000, 192100, DATA(101, 5)), EITHER("loss probe", "retransmission timer")},
        {FAR_SACK LOST(2000, DATA(101, 5)) LOST(192000, DATA(101, 5)) THERE(592000, 592100, DATA(101, 5)), TIMER("retransmit")},
        {FAR_SACK LOST(2000, DATA(101, 5)) THERE(2010, 2110, DATA(106, 5)) THERE(592000, 592100, DATA(101, 5)),
         TIMER("retransmit")},
        /* only one of them does */
        {TRACE TWO_ENDS THERE(1000, 1100, SYN W SACKS) BACK(1110, 1210, SYN_ACK W) THERE(1220, 1320, HANDSHAKE_ACK W)
             LOST(2000, DATA(101, 5)) THERE(192000, 192100, DATA(101, 5)),
         TIMER("retransmit")},
        /* an ACK of something new sets the timer anew */
        {FAR THERE(2000, 2100, DATA(101, 5)) LOST(2010, DATA(106, 5)) BACK(50000, 50100, ACKS(106, 507))
             THERE(240100, 240200, DATA(106, 5)),
         TIMER("retransmit")},
        {FAR THERE(2000, 2100, DATA(101, 5)) LOST(2010, DATA(106, 5)) BACK(50000, 50100, ACKS(106, 507))
             THERE(240099, 240200, DATA(106, 5)),
         EITHER("duplicate ACKs", "timer for losses")},
    };
    (void)state;
    CHECK(cases);
}

static void what_is_sent_again_right_after_an_ack_names_it(void **state)
{
    static const struct wire_case cases[] = {
        /* it opens the window that had been shut; it takes a part */
        {FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(101, 0)) BACK(50000, 50100, ACKS(101, 512))
             THERE(50150, 50250, DATA(101, 5)),
         EITHER("#6, which had just opened the window", "duplicate ACKs")},
        {FAR THERE(2000, 2100, DATA(101, 500)) BACK(2110, 2210, ACKS(301, 512)) THERE(2220, 2320, DATA(301, 300)),
         EITHER("#5, which had just come", "duplicate ACKs")},
        /* duplicate ACKs on a way so long that the timer, too, had its time */
        {FAR LOST(2000, DATA(101, 5)) THERE(2010, 2110, DATA(106, 5)) BACK(300000, 300100, ACKS(101, 512))
             THERE(300150, 300250, DATA(101, 5)),
         EITHER("the retransmission timer may have run out", "duplicate ACKs")},
        /* the timer would have begun with the first */
        {FAR LOST(2000, DATA(101, 5)) LOST(2010, DATA(106, 5)) LOST(2020, DATA(111, 5)) THERE(300150, 300250, DATA(106, 5)),
         EITHER("the retransmission timer may have run out", "duplicate ACKs")},
    };
    (void)state;
    CHECK(cases);
}

static void what_a_syn_ack_took_in_part_it_sends_again_unless_a_timer_may_have(void **state)
{
#define WITH_DATA TRACE TWO_ENDS THERE(1000, 1100, "flags=S seq=100 len=100" W) BACK(1110, 1210, "flags=S. seq=500 ack=151" W)
    static const struct wire_case cases[] = {
        {WITH_DATA THERE(1220, 1320, DATA(151, 50)), BY(2)},
        {WITH_DATA THERE(191209, 191300, DATA(151, 50)), BY(2)},
        {WITH_DATA THERE(191210, 191300, DATA(151, 50)), TIMER("retransmit")},
    };
    (void)state;
    CHECK(cases);
}

/* ---- what a program queued ---- */

/* ---- what is not TCP's, or not now ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ack_of_data_is_immediate_delayed_or_a_reads),
        cmocka_unit_test(where_calls_are_known_only_one_that_reads_can_have_sent_an_ack),
        cmocka_unit_test(the_ack_of_a_fin_is_immediate_or_delayed),
        cmocka_unit_test(an_ack_that_says_nothing_new_answers_what_does_not_fit),
        cmocka_unit_test(the_ack_of_a_syn_that_carried_data_is_the_syns_whatever_it_took),
        cmocka_unit_test(a_probe_of_a_shut_window_is_the_persist_timers_only_where_no_keepalive_can_be),
        cmocka_unit_test(what_follows_a_probe),
        cmocka_unit_test(a_reset_answers_what_it_takes_its_numbers_from),
        cmocka_unit_test(a_reset_is_no_answer_to_what_lies_too_far_back),
        cmocka_unit_test(a_repeat_is_a_timers_when_it_had_the_time_and_is_the_only_one),
        cmocka_unit_test(what_is_sent_again_right_after_an_ack_names_it),
        cmocka_unit_test(what_a_syn_ack_took_in_part_it_sends_again_unless_a_timer_may_have),
        cmocka_unit_test(a_syn_is_repeated_by_its_timer_and_a_syn_ack_by_its_own_or_the_syn),
        cmocka_unit_test(the_third_duplicate_ack_makes_a_repeat_at_once),
        cmocka_unit_test(which_of_two_copies_was_acknowledged_only_a_time_stamp_tells),
        cmocka_unit_test(an_ack_that_is_late_by_more_than_the_way_is_nobodys_for_sure),
        cmocka_unit_test(the_last_byte_again_may_be_a_keepalive_probe_once_that_had_time),
        cmocka_unit_test(what_comes_from_afar_may_come_again),
        cmocka_unit_test(a_duplicate_ack_answers_nothing_that_was_answered_already),
        cmocka_unit_test(what_was_answered_already_is_nobodys_for_sure),
        cmocka_unit_test(an_icmp_error_that_says_too_big_repeats_at_once),
        cmocka_unit_test(data_is_a_sends_where_nothing_can_have_held_it),
        cmocka_unit_test(a_fin_is_a_closes_where_nothing_can_have_held_it),
        cmocka_unit_test(what_may_be_multipath_tcps_workers_is_no_call),
        cmocka_unit_test(what_lies_behind_a_fin_is_nobodys_send),
        cmocka_unit_test(a_rst_answers_what_came_last_and_had_not_been_taken),
        cmocka_unit_test(the_same_once_more_may_be_one_packet),
        cmocka_unit_test(behind_what_was_not_captured_nobody_knows_what_was_held),
        cmocka_unit_test(where_both_open_at_once_a_syn_ack_answers_the_syn),
        cmocka_unit_test(a_reset_at_the_same_instant_or_just_beyond_an_answers_time),
        cmocka_unit_test(a_probe_is_answered_by_what_came_at_its_instant),
        cmocka_unit_test(the_first_syn_begins_the_syn_acks_time),
        cmocka_unit_test(half_a_window_of_segments_is_acknowledged_at_once),
        cmocka_unit_test(windows_are_scaled_where_both_ends_ask_for_it),
        cmocka_unit_test(nearness_to_the_nanosecond),
        cmocka_unit_test(what_may_have_been_held_back_to_the_nanosecond),
        cmocka_unit_test(resets_answer_what_came_in_its_order),
        cmocka_unit_test(resets_that_are_as_many_as_what_came_answer_one_each),
        cmocka_unit_test(nothing_is_a_close_behind_a_fin),
        cmocka_unit_test(a_syn_that_comes_again_only_after_a_doubled_time_may_not_be_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
