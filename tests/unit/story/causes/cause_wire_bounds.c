/* Bounds of what the wire alone tells, at the very instant and one step beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cause_wire_own.h"
#include "support/lines.h"
#include "support/tell.h"

#define ERROR_ON_THE_WAY(t)                                                                                                        \
    PACKET(t, "src=192.0.2.9:0 dst=192.0.2.1:0 proto=icmp ",                                                                       \
           "icmp.type=3 icmp.code=1 icmp.quotes=1 icmp.proto=tcp icmp.src=192.0.2.1:40000 icmp.dst=192.0.2.2:3333 icmp.seq=101")

void a_reset_at_the_same_instant_or_just_beyond_an_answers_time(void **state)
{
    static const struct wire_case cases[] = {
        /* what comes at the instant at which it leaves has come; what comes later, or never, has not */
        {S_CLOSED THERE(3000, 3110, LATE(101)) BACK(3110, 3210, S_RESETS), BY(6)},
        {S_CLOSED THERE(3000, 3100, LATE(101)) THERE(3050, 3300, LATE(106)) BACK(3110, 3210, S_RESETS), BY(6)},
        {S_CLOSED THERE(3000, 3100, LATE(101)) LOST(3050, LATE(106)) BACK(3110, 3210, S_RESETS), BY(6)},
        {S_CLOSED THERE(3000, 3110, LATE(101)) THERE(3010, 3110, LATE(106)) BACK(3120, 3220, S_RESETS),
         EITHER("#6 or #7", "which")},
        /* nor is an ICMP message what it answers */
        {S_CLOSED THERE(3000, 3100, LATE(101)) ERROR_ON_THE_WAY(3105) BACK(3110, 3210, S_RESETS), BY(6)},
        /* the newest had come just so long before, the other longer: that would have had its answer */
        {S_CLOSED THERE(3000, 3100, LATE(101)) THERE(3010, 3110, LATE(106)) BACK(3410, 3510, S_RESETS), BY(7)},
        {S_CLOSED THERE(3000, 3100, LATE(101)) THERE(3010, 3110, LATE(106)) BACK(3411, 3511, S_RESETS),
         EITHER("#6 or #7", "which")},
        /* what had been acknowledged before it came, an old duplicate, may have come just before it */
        {FAR THERE(2000, 2110, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) BACK(2410, 2510, "flags=R seq=501"),
         EITHER("#4", "firewall")},
        {FAR THERE(2000, 2110, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) BACK(2411, 2511, "flags=R seq=501"),
         EITHER("was not captured", "a box between")},
        /* what was acknowledged since it came was taken */
        {FAR THERE(2000, 2109, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) BACK(2400, 2500, "flags=R seq=501"),
         EITHER("was not captured", "a box between")},
    };
    (void)state;
    CHECK(cases);
}

/* One place: the client has closed, nobody takes the server's data any more. */
#define CLOSES NEAR PACKET(6000, WC, "flags=F. seq=101 ack=501" W)
#define REPLIES(t, seq) PACKET(t, WS, "flags=P. seq=" #seq " ack=102 len=5" W)
#define C_RESETS(t) PACKET(t, WC, "flags=R seq=102")

void resets_answer_what_came_in_its_order(void **state)
{
    static const struct wire_case cases[] = {
        {CLOSES REPLIES(10000, 501) C_RESETS(10020), BY(5)},
        {CLOSES REPLIES(10000, 501) REPLIES(10010, 506) C_RESETS(10020), EITHER("#5 or #6", "which both came")},
        {CLOSES REPLIES(10000, 501) REPLIES(10010, 506) C_RESETS(10020) C_RESETS(10030), BY(6)},
        {CLOSES REPLIES(10000, 501) REPLIES(10010, 506) REPLIES(10011, 511) C_RESETS(10020), EITHER("from #5 to #7", "which")},
        {CLOSES REPLIES(10000, 501) REPLIES(10010, 506) REPLIES(10011, 511) C_RESETS(10020) C_RESETS(10030),
         EITHER("#6 or #7", "which both came")},
        {CLOSES REPLIES(10000, 501) REPLIES(10010, 506) REPLIES(10011, 511) C_RESETS(10020) C_RESETS(10030) C_RESETS(10040), BY(7)},
        /* no more came than was answered */
        {CLOSES REPLIES(10000, 501) C_RESETS(10020) C_RESETS(10030), EITHER("nothing that was recorded", "explains it")},
        /* an ACK is nothing that a socket which has closed is ended by; once there is none, it is answered too */
        {CLOSES PACKET(10000, WS, ACKS(102, 512)) REPLIES(10010, 501) C_RESETS(10020), BY(6)},
        {CLOSES REPLIES(10000, 501) C_RESETS(10020) PACKET(10030, WS, "flags=. seq=506 ack=102" W) REPLIES(10040, 506)
             C_RESETS(10050),
         EITHER("#7 or #8", "which both came")},
    };
    (void)state;
    CHECK(cases);
}

void resets_that_are_as_many_as_what_came_answer_one_each(void **state)
{
    (void)state;
    struct told *told = tell_text(
        CLOSES REPLIES(10000, 501) REPLIES(10010, 506) REPLIES(10011, 511) C_RESETS(10020) C_RESETS(10030) C_RESETS(10040), 0);
    for (uint32_t nth = 1; nth <= 3; nth++) {
        const struct story_segment *reset = told_segment(told->stories[0], STORY_CLIENT, "RST", nth);
        assert_int_equal(reset->cause.kind, CAUSE_SEGMENT);
        assert_int_equal(told->stories[0]->steps[reset->cause.step].segment->number, 4 + nth);
    }
    told_free(told);
    told = tell_text(CLOSES REPLIES(10000, 501) REPLIES(10010, 506) REPLIES(10011, 511) C_RESETS(10020) C_RESETS(10030), 0);
    for (uint32_t nth = 1; nth <= 2; nth++)
        assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "RST", nth)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
    /* Two answers to three, of which the second can't be the second's any more: the first may be. */
    told = tell_text(S_CLOSED THERE(3000, 3200, LATE(101)) THERE(3010, 3250, LATE(106)) THERE(3020, 3490, LATE(111))
                         BACK(3495, 3595, S_RESETS) BACK(3560, 3660, S_RESETS),
                     0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_UNKNOWN);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 2)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
}

void nothing_is_a_close_behind_a_fin(void **state)
{
    static const struct wire_case cases[] = {
        {CLOSES, CALLED("CLOSE")},
        {CLOSES PACKET(6010, WC, "flags=F. seq=102 ack=501" W), EITHER("behind a FIN", "made by hand")},
    };
    (void)state;
    CHECK(cases);
}

#define UNANSWERED(came)                                                                                                           \
    FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, came, ACKS(106, 507)) THERE(1003000, 1003100, PROBE)                            \
        THERE(2003000, 2003100, "flags=R. seq=106 ack=501")

void a_probe_is_answered_by_what_came_at_its_instant(void **state)
{
    static const struct wire_case cases[] = {
        {UNANSWERED(1002999), TIMER("keepalive")},
        {UNANSWERED(1003000), EITHER("an abort", "a timer that gave up")},
        /* the timer's RST acknowledges (tcp_send_active_reset): one without ACK answers something */
        {PROBED THERE(2003000, 2003100, "flags=R seq=106"), EITHER("it answers #5", "firewall")},
        /* the window probe's answer */
        {SHUT THERE(202210, 202310, PROBE) BACK(202320, 202420, ACKS(106, 0)), BY(6)},
        /* an ACK that left at the instant of an arrival has answered it: the next is another's */
        {FAR THERE(2000, 2100, DATA(106, 5)) BACK(2100, 2200, ACKS(101, 512)) BACK(2150, 2250, ACKS(101, 512)),
         EITHER("a duplicate ACK", "behind a gap")},
        /* nobody answers a bare ACK */
        {FAR BACK(2000, 2100, ACKS(101, 512)) THERE(2110, 2210, "flags=. seq=101 ack=501" W),
         EITHER("a duplicate ACK", "behind a gap")},
    };
    (void)state;
    CHECK(cases);
}

void the_first_syn_begins_the_syn_acks_time(void **state)
{
    static const struct wire_case cases[] = {
        {TRACE PACKET(1000, WC, SYN W) PACKET(501000, WC, SYN W) PACKET(990999, WS, SYN_ACK W), BY(2)},
        {TRACE PACKET(1000, WC, SYN W) PACKET(501000, WC, SYN W) PACKET(991000, WS, SYN_ACK W),
         EITHER("so late after the SYN", "can't tell which")},
        /* which in part takes what a SYN carried, at the same instant */
        {TRACE PACKET(1000, C, "flags=S seq=100 len=5" W) PACKET(1000, S, "flags=S. seq=500 ack=103" W), BY(1)},
    };
    (void)state;
    CHECK(cases);
}

/* One place; it is at the answering host if that took less than a quarter of the round trip, and a millisecond at most. */
#define GAP_AT(ns)                                                                                                                 \
    NEAR PACKET(6000, WS, "flags=P. seq=506 ack=101 len=5" W) "packet t=" ns " vantage=1 number=1 " WC "flags=. seq=101 ack=501" W \
                                                              "\n"
#define ROUND_OF(us)                                                                                                               \
    TRACE PACKET(1000, WC, SYN W) PACKET(us, WS, SYN_ACK W) PACKET(us, WC, HANDSHAKE_ACK W)                                        \
        PACKET(16000, WS, "flags=P. seq=506 ack=101 len=5" W)
#define AT_ONCE(ns)                                                                                                                \
    FAR THERE(2000, 2100, DATA(106, 5)) "packet t=" ns                                                                             \
                                        " vantage=2 number=1 " WS ACKS(101, 512) "\n" PACKET(2600, WS, ACKS(101, 512))

void nearness_to_the_nanosecond(void **state)
{
    static const struct wire_case cases[] = {
        {GAP_AT("7000000"), BY(4)},
        {GAP_AT("7000001"), EITHER("a duplicate ACK", "behind a gap")},
        /* a round trip of 3,900 units of 1,024 ns: a quarter of it are 975, which begin to be 976 at 999,424 ns */
        {ROUND_OF(4994) PACKET(16999, WC, "flags=. seq=101 ack=501" W), BY(4)},
        {ROUND_OF(4994) PACKET(17000, WC, "flags=. seq=101 ack=501" W), EITHER("a duplicate ACK", "behind a gap")},
        {AT_ONCE("2400000"), BY(4)},
        {AT_ONCE("2400001"), EITHER("a duplicate ACK", "behind a gap")},
    };
    (void)state;
    CHECK(cases);
}

#define AT(ns, vantage, from, what) "packet t=" ns " vantage=" vantage " number=1 " from what "\n"
#define PACED FARTHER THERE(40000, 50000, DATA(101, 2921)) BACK(50010, 60010, ACKS(3022, 512))
#define LITTLE_BEFORE FAR THERE(2000, 2100, DATA(101, 2920)) BACK(2110, 2210, ACKS(3021, 60000))
#define MUCH_BEFORE FAR THERE(2000, 2100, DATA(101, 2921)) BACK(2110, 2210, ACKS(3022, 60000))
#define FIN_OF(seq) "flags=F. seq=" #seq " ack=501" W
#define S_FIN "flags=F. seq=501 ack=101" W
#define SLOW TRACE PACKET(1000, WC, SYN W) PACKET(301000, WS, SYN_ACK W) PACKET(301010, WC, HANDSHAKE_ACK W)
#define TURN_OF(ns)                                                                                                                \
    TRACE PACKET(1000, WC, SYN W) AT(ns, "1", WS, SYN_ACK W) PACKET(5010, WC, HANDSHAKE_ACK W)                                     \
        PACKET(9000, WS, "flags=P. seq=501 ack=101 len=5" W)

void what_may_have_been_held_back_to_the_nanosecond(void **state)
{
    static const struct wire_case cases[] = {
        /* much is paced over two round trips of 19,727 units of 1,024 ns */
        {PACED AT("80400895", "1", WC, DATA(3022, 5)) AT("90400895", "2", WC, DATA(3022, 5)), EITHER("SEND", "released when #5")},
        {PACED AT("80400896", "1", WC, DATA(3022, 5)) AT("90400896", "2", WC, DATA(3022, 5)), CALLED("SEND")},
        /* what was under way before the last ACK came counts, for 10 ms: a FIN beside more than two segments waits for room */
        {LITTLE_BEFORE AT("12209999", "1", WC, FIN_OF(3021)) AT("12309999", "2", WC, FIN_OF(3021)), CALLED("CLOSE")},
        {MUCH_BEFORE AT("12209999", "1", WC, FIN_OF(3022)) AT("12309999", "2", WC, FIN_OF(3022)),
         EITHER("CLOSE", "released when #5")},
        {MUCH_BEFORE AT("12210000", "1", WC, FIN_OF(3022)) AT("12310000", "2", WC, FIN_OF(3022)), CALLED("CLOSE")},
        /* a FIN by itself, and just behind what was sent */
        {FAR THERE(2000, 2100, DATA(101, 5)) THERE(12300, 12400, FIN_OF(106)), CALLED("CLOSE")},
        {FAR THERE(2000, 2100, DATA(101, 5)) THERE(12300, 12400, FIN_OF(106) " len=5"), EITHER("CLOSE", "held back")},
        {FAR THERE(2000, 2100, DATA(101, 5)) THERE(12300, 12400, FIN_OF(107)), EITHER("CLOSE", "held back")},
        /* one place; what may have been lost on its way there comes again by a timer: after a turn, or after TCP_RTO_MIN */
        {TURN_OF("1999999"), CALLED("SEND")},
        {TURN_OF("2000000"), EITHER("SEND, or that once more", "lost on its way here")},
        {NEAR AT("9000000", "1", WS, "flags=P. seq=501 ack=101 len=5" W), CALLED("SEND")},
        {NEAR AT("9000001", "1", WS, "flags=P. seq=501 ack=101 len=5" W),
         EITHER("SEND, or that once more", "lost on its way here")},
        {SLOW AT("490999999", "1", WS, S_FIN), CALLED("CLOSE")},
        {SLOW AT("491000000", "1", WS, S_FIN), EITHER("CLOSE, or that once more", "lost on its way here")},
        /* the client's SYN asks for Fast Open, not the server's */
        {TRACE TWO_ENDS THERE(1000, 1100, SYN W " opt=fastopen") BACK(1110, 1210, SYN_ACK W) THERE(1220, 1320, HANDSHAKE_ACK W)
             BACK(2000, 2100, S_DATA W),
         CALLED("SEND")},
    };
    (void)state;
    CHECK(cases);
}

/* The server's first window, and five segments that it acknowledges: of the fifth it is asked. */
#define TAKES_FIVE(window)                                                                                                         \
    TRACE TWO_ENDS THERE(1000, 1100, SYN W) BACK(1110, 1210, SYN_ACK " win=" window) THERE(1220, 1320, HANDSHAKE_ACK W)            \
        THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 500)) THERE(3000, 3100, DATA(106, 5))                           \
            BACK(3110, 3210, ACKS(111, 500)) THERE(4000, 4100, DATA(111, 5)) BACK(4110, 4210, ACKS(116, 500))                      \
                THERE(5000, 5100, DATA(116, 5)) BACK(5110, 5210, ACKS(121, 500)) THERE(6000, 6100, DATA(121, 5))                   \
                    BACK(6110, 6210, ACKS(126, 500))

void half_a_window_of_segments_is_acknowledged_at_once(void **state)
{
    static const struct wire_case cases[] = {
        /* five times two segments of 536 bytes, which is the least that one is counted with */
        {TAKES_FIVE("5360"), BY(12)},
        {TAKES_FIVE("5359"), EITHER("at once, or when a read() makes room", "can't tell")},
    };
    (void)state;
    CHECK(cases);
}

/* The server acknowledges late, with a window that is one less: whether that made room is a question of its unit. */
#define SCALED(syn, syn_ack, length, acked)                                                                                        \
    TRACE TWO_ENDS THERE(1000, 1100, SYN W " opt=" syn) BACK(1110, 1210, SYN_ACK W " opt=" syn_ack)                                \
        THERE(1220, 1320, HANDSHAKE_ACK W) THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 1000))                       \
            THERE(3000, 3100, DATA(106, length)) BACK(44100, 44200, ACKS(acked, 999))
#define BY_7 "wscale opt.wscale=7"
#define BY_14 "wscale opt.wscale=14"
#define BY_15 "wscale opt.wscale=15"

void windows_are_scaled_where_both_ends_ask_for_it(void **state)
{
    static const struct wire_case cases[] = {
        {SCALED(BY_7, BY_7, 100, 206), TIMER("delayed-ack")},
        {SCALED(BY_7, "sackok", 100, 206), EITHER("put off", "a read() made room")},
        {SCALED("sackok", BY_7, 100, 206), EITHER("put off", "a read() made room")},
        /* by 14 bits at most (RFC 7323 section 2.3) */
        {SCALED(BY_14, BY_14, 16384, 16490), TIMER("delayed-ack")},
        {SCALED(BY_15, BY_15, 16384, 16490), TIMER("delayed-ack")},
        {SCALED(BY_15, BY_15, 16385, 16491), EITHER("put off", "a read() made room")},
    };
    (void)state;
    CHECK(cases);
}

void a_syn_that_comes_again_only_after_a_doubled_time_may_not_be_the_first(void **state)
{
    static const struct {
        const char *text;
        enum story_cause_kind kind;
    } cases[] = {
        {TRACE PACKET(1000, WC, SYN W) PACKET(1900999, WC, SYN W), CAUSE_CALL},
        {TRACE PACKET(1000, WC, SYN W) PACKET(1901000, WC, SYN W), CAUSE_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        assert_int_equal(told->count, 1);
        const struct story *story = told->stories[0];
        assert_int_equal(story->steps[0].kind, STEP_SEGMENT);
        assert_int_equal(story->steps[0].segment->cause.kind, cases[i].kind);
        told_free(told);
    }
}
