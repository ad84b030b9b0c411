/* SYNs, data and RSTs, by the wire alone. */
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

void a_syn_is_repeated_by_its_timer_and_a_syn_ack_by_its_own_or_the_syn(void **state)
{
    static const struct wire_case cases[] = {
        {TRACE PACKET(1000, C, SYN) PACKET(191000, C, SYN), TIMER("retransmit")},
        {TRACE PACKET(1000, C, SYN) PACKET(190999, C, SYN), EITHER("sooner than the retransmission timer", NULL)},
        {TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(191010, S, SYN_ACK), TIMER("syn-ack")},
        {TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(191009, S, SYN_ACK),
         EITHER("sooner than the retransmission timer", NULL)},
        {TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK), BY(3)},
        /* whoever has gone on repeats no SYN */
        {TRACE HANDSHAKE PACKET(1001000, C, SYN), EITHER("an old duplicate", "played again")},
        {TRACE HANDSHAKE PACKET(1100, S, "flags=. seq=501 ack=101 win=400") PACKET(1001000, S, SYN_ACK),
         EITHER("an old duplicate", "played again")},
        {TRACE HANDSHAKE PACKET(1001000, S, SYN_ACK), TIMER("syn-ack")},
        {TRACE HANDSHAKE PACKET(1001000, S, "flags=S. seq=7000 ack=101"), EITHER("with another number", NULL)},
        {TRACE PACKET(1000, C, SYN) PACKET(1030, S, "flags=. seq=501 ack=101"), EITHER("SYN-ACK was not captured", NULL)},
    };
    (void)state;
    CHECK(cases);
}

#define DUPLICATE(t, arrives) BACK(t, arrives, ACKS(101, 512))
#define HOLE                                                                                                                       \
    FAR LOST(2000, DATA(101, 5)) THERE(2010, 2110, DATA(106, 5)) THERE(2020, 2120, DATA(111, 5)) THERE(2030, 2130, DATA(116, 5))

#define NEAR_HOLE                                                                                                                  \
    NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(6010, WC, DATA(106, 5)) PACKET(6020, WC, DATA(111, 5)) PACKET(6030, WC, DATA(116, 5))

void the_third_duplicate_ack_makes_a_repeat_at_once(void **state)
{
    static const struct wire_case cases[] = {
        {HOLE DUPLICATE(3500, 3600) DUPLICATE(3700, 3800) DUPLICATE(3920, 4020) THERE(4320, 4420, DATA(101, 5)), BY(10)},
        {HOLE DUPLICATE(3500, 3600) DUPLICATE(3700, 3800) DUPLICATE(3920, 4020) THERE(4321, 4421, DATA(101, 5)),
         EITHER("duplicate ACKs", "timer for losses")},
        {HOLE DUPLICATE(3500, 3600) DUPLICATE(3700, 3800) THERE(3810, 3910, DATA(101, 5)),
         EITHER("duplicate ACKs", "timer for losses")},
        /* one place, near the sender */
        {NEAR_HOLE PACKET(9000, WS, ACKS(101, 512)) PACKET(9010, WS, ACKS(101, 512)) PACKET(9020, WS, ACKS(101, 512))
             PACKET(9520, WC, DATA(101, 5)),
         BY(10)},
        {NEAR_HOLE PACKET(9000, WS, ACKS(101, 512)) PACKET(9010, WS, ACKS(101, 512)) PACKET(9020, WS, ACKS(101, 512))
             PACKET(9521, WC, DATA(101, 5)),
         EITHER("duplicate ACKs", "timer for losses")},
        /* data has just left: the pacing timer may have held it */
        {HOLE DUPLICATE(2200, 2300) DUPLICATE(2400, 2500) DUPLICATE(2930, 3030) THERE(3030, 3130, DATA(101, 5)), BY(10)},
        {HOLE DUPLICATE(2200, 2300) DUPLICATE(2400, 2500) DUPLICATE(2929, 3029) THERE(3029, 3129, DATA(101, 5)),
         EITHER("duplicate ACKs", "timer for losses")},
    };
    (void)state;
    CHECK(cases);
}

#define STAMPED(value) " opt=ts opt.ts_echo=7 opt.ts_value=" #value
#define ECHOES(value) " opt=ts opt.ts_value=9 opt.ts_echo=" #value
#define TWICE(first, again) NEAR PACKET(6000, WC, DATA(101, 5) first) PACKET(406000, WC, DATA(101, 5) again)

void which_of_two_copies_was_acknowledged_only_a_time_stamp_tells(void **state)
{
    static const struct wire_case cases[] = {
        {TWICE("", "") PACKET(410000, WS, ACKS(106, 512)), EITHER("#4 or #5", "which came")},
        {TWICE(STAMPED(10), STAMPED(20)) PACKET(410000, WS, ACKS(106, 512) ECHOES(20)), BY(5)},
        {TWICE(STAMPED(10), STAMPED(20)) PACKET(410000, WS, ACKS(106, 512) ECHOES(10)), EITHER("#4 or #5", "which came")},
        {TWICE(STAMPED(10), STAMPED(10)) PACKET(410000, WS, ACKS(106, 512) ECHOES(10)), EITHER("#4 or #5", "which came")},
        /* the FIN alike */
        {NEAR PACKET(6000, WC, "flags=F. seq=101 ack=501" W) PACKET(406000, WC, "flags=F. seq=101 ack=501" W)
             PACKET(410000, WS, S_ACKS_FIN),
         EITHER("#4 or #5", "which came")},
        /* where both places show what came */
        {FAR LOST(2000, DATA(101, 5)) THERE(402000, 402100, DATA(101, 5)) BACK(402110, 402210, ACKS(106, 512)), BY(5)},
    };
    (void)state;
    CHECK(cases);
}

void an_ack_that_is_late_by_more_than_the_way_is_nobodys_for_sure(void **state)
{
    static const struct wire_case cases[] = {
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(56009, WS, ACKS(106, 512)), BY(4)},
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(56010, WS, ACKS(106, 512)), EITHER("put off", "longer than before")},
    };
    (void)state;
    CHECK(cases);
}

/* One place, at the server's host: the client is 4 ms away. */
#define AT_SERVER TRACE PACKET(1000, WC, SYN W) PACKET(1050, WS, SYN_ACK W) PACKET(5050, WC, HANDSHAKE_ACK W)

void what_comes_from_afar_may_come_again(void **state)
{
    static const struct wire_case cases[] = {
        {AT_SERVER PACKET(9050, WC, DATA(101, 5)), CALLED("SEND")},
        {AT_SERVER PACKET(9051, WC, DATA(101, 5)), EITHER("SEND, or that once more", "lost on its way here")},
        {AT_SERVER PACKET(9051, WC, "flags=F. seq=101 ack=501" W), EITHER("CLOSE, or that once more", "lost on its way here")},
        /* what the place is near to comes as it was sent */
        {AT_SERVER PACKET(99000, WS, "flags=P. seq=501 ack=101 len=5" W), CALLED("SEND")},
        {TRACE PACKET(1000, WC, SYN W) PACKET(1050, WS, SYN_ACK W) PACKET(2049, WC, HANDSHAKE_ACK W) PACKET(9051, WC, DATA(101, 5)),
         CALLED("SEND")},
        {TRACE PACKET(1000, WC, SYN W) PACKET(1050, WS, SYN_ACK W) PACKET(2050, WC, HANDSHAKE_ACK W) PACKET(9051, WC, DATA(101, 5)),
         EITHER("SEND, or that once more", "lost on its way here")},
    };
    (void)state;
    CHECK(cases);
}

void a_duplicate_ack_answers_nothing_that_was_answered_already(void **state)
{
    static const struct wire_case cases[] = {
        {AT_SERVER PACKET(6000, WC, DATA(101, 5)) PACKET(6040, WS, ACKS(106, 512)) PACKET(6060, WS, ACKS(106, 512)),
         EITHER("a duplicate ACK", NULL)},
        {AT_SERVER PACKET(6000, WC, DATA(101, 5)) PACKET(6040, WS, ACKS(106, 512)) PACKET(406000, WC, DATA(101, 5))
             PACKET(406040, WS, ACKS(106, 512)),
         BY(6)},
    };
    (void)state;
    CHECK(cases);
}

#define STAMPS(value, echo) " opt=ts opt.ts_value=" #value " opt.ts_echo=" #echo
#define LONE NEAR PACKET(6000, WC, DATA(101, 1)) PACKET(9000, WS, ACKS(102, 512))

void the_last_byte_again_may_be_a_keepalive_probe_once_that_had_time(void **state)
{
    static const struct wire_case cases[] = {
        {LONE PACKET(908999, WC, DATA(101, 1)), EITHER("that acknowledgment was lost or late", "an old duplicate")},
        {LONE PACKET(909000, WC, DATA(101, 1)), EITHER("a keepalive probe with a byte", "once more")},
        {NEAR PACKET(6000, WC, DATA(101, 2)) PACKET(9000, WS, ACKS(103, 512)) PACKET(909000, WC, DATA(102, 1)), TIMER("keepalive")},
        {TRACE PACKET(1000, C, "flags=SF seq=100"), EITHER("SYN and FIN in one", "a scan")},
    };
    (void)state;
    CHECK(cases);
}

void what_was_answered_already_is_nobodys_for_sure(void **state)
{
    static const struct wire_case cases[] = {
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(6010, WC, DATA(106, 5)) PACKET(406000, WC, DATA(101, 5)), TIMER("retransmit")},
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(6010, WC, DATA(106, 5)) PACKET(9000, WS, ACKS(106, 512))
             PACKET(409000, WC, DATA(101, 5)),
         EITHER("that acknowledgment was lost or late", "an old duplicate")},
        /* however soon, and whatever else may have let it go */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(9000, WS, ACKS(106, 512)) PACKET(60000, WC, DATA(101, 5)),
         EITHER("that acknowledgment was lost or late", "an old duplicate")},
        /* its time stamp shows what its sender had heard: of the ACK, or of what came before that in the same tick */
        {NEAR PACKET(6000, WC, DATA(101, 5) STAMPS(10, 70)) PACKET(6010, WS, ACKS(101, 511) STAMPS(70, 10))
             PACKET(9000, WS, ACKS(106, 512) STAMPS(71, 10)) PACKET(60000, WC, DATA(101, 5) STAMPS(60, 71)),
         EITHER("no TCP sends it again", "somebody between")},
        {NEAR PACKET(6000, WC, DATA(101, 5) STAMPS(10, 71)) PACKET(6010, WS, ACKS(101, 511) STAMPS(71, 10))
             PACKET(9000, WS, ACKS(106, 512) STAMPS(71, 10)) PACKET(60000, WC, DATA(101, 5) STAMPS(60, 71)),
         EITHER("that acknowledgment was lost or late", "an old duplicate")},
        /* PAWS: an older time stamp than the one that is echoed; the same one is not older */
        {NEAR PACKET(6000, WC, DATA(101, 5) STAMPS(20, 70)) PACKET(6010, WS, ACKS(106, 512) STAMPS(71, 20))
             PACKET(9000, WC, DATA(106, 5) STAMPS(19, 71)) PACKET(9010, WS, ACKS(106, 512) STAMPS(72, 20)),
         BY(6)},
        {NEAR PACKET(6000, WC, DATA(101, 5) STAMPS(20, 70)) PACKET(6010, WS, ACKS(106, 512) STAMPS(71, 20))
             PACKET(9000, WC, DATA(106, 5) STAMPS(20, 71)) PACKET(9010, WS, ACKS(106, 512) STAMPS(72, 20)),
         EITHER("a duplicate ACK", NULL)},
        /* one direction alone */
        {TRACE PACKET(1000, WC, SYN W) PACKET(5010, WC, HANDSHAKE_ACK W) PACKET(6000, WC, DATA(101, 5))
             PACKET(6010, WC, DATA(106, 5)) PACKET(406000, WC, DATA(101, 5)),
         EITHER("the retransmission timer ran out", "the other direction")},
        /* the duplicate ACK says that the later of the two had come */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(6010, WC, DATA(106, 5)) PACKET(9000, WS, ACKS(101, 512))
             PACKET(9010, WS, ACKS(111, 512)),
         EITHER("#6 asked for", NULL)},
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(9000, WS, ACKS(106, 512)), BY(4)},
        /* a second may be the SYN-ACK's timer's */
        {TRACE PACKET(1000, WC, SYN) PACKET(990999, WS, SYN_ACK), BY(1)},
        {TRACE PACKET(1000, WC, SYN) PACKET(991000, WS, SYN_ACK), EITHER("it is its answer", "the SYN-ACK's timer")},
        {TRACE PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) PACKET(1001010, WS, SYN_ACK), EITHER("it is its answer", "timer")},
        /* its sender had said more than was captured */
        {TRACE PACKET(1000, WC, SYN) PACKET(5000, WS, SYN_ACK) PACKET(5010, WC, "flags=. seq=106 ack=501"),
         EITHER("said more by then", NULL)},
        /* the first are acknowledged at once, but which are the first? */
        {NEAR PACKET(6000, WC, DATA(106, 5)) PACKET(9000, WS, ACKS(111, 512)), EITHER("at once", "read()")},
        {TRACE PACKET(6000, WC, DATA(106, 5)) PACKET(9000, WS, ACKS(111, 512)), EITHER("at once", "read()")},
        /* a FIN and data before it */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(6100, WC, "flags=F. seq=106 ack=501" W) PACKET(9000, WS, ACKS(107, 512)),
         EITHER("at once", "delayed-ACK timer")},
    };
    (void)state;
    CHECK(cases);
}

#define TOO_BIG(t)                                                                                                                 \
    "packet t=" #t US " vantage=1 number=2 src=192.0.2.9:0 dst=192.0.2.1:0 proto=icmp len=60 icmp.type=3 icmp.code=4 "             \
    "icmp.quotes=1 icmp.proto=tcp icmp.src=192.0.2.1:40000 icmp.dst=192.0.2.2:3333\n"

void an_icmp_error_that_says_too_big_repeats_at_once(void **state)
{
    static const struct wire_case cases[] = {
        {NEAR PACKET(6000, WC, DATA(101, 1460)) TOO_BIG(7000) PACKET(8000, WC, DATA(101, 1459)), KERNEL("path-mtu")},
        {NEAR PACKET(6000, WC, DATA(101, 1460)) TOO_BIG(7000) PACKET(8001, WC, DATA(101, 1459)),
         EITHER("duplicate ACKs", "timer for losses")},
        {NEAR PACKET(6000, WC, DATA(101, 1460)) TOO_BIG(7000) PACKET(8000, WC, DATA(101, 1460)),
         EITHER("duplicate ACKs", "timer for losses")},
    };
    (void)state;
    CHECK(cases);
}

#define ANSWERED FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507))

void data_is_a_sends_where_nothing_can_have_held_it(void **state)
{
    static const struct wire_case cases[] = {
        {FAR THERE(2000, 2100, DATA(101, 5)), CALLED("SEND")},
        /* two places: an ACK's work is over after 10 ms */
        {ANSWERED THERE(12210, 12310, DATA(106, 5)), CALLED("SEND")},
        {ANSWERED THERE(12209, 12309, DATA(106, 5)), EITHER("SEND", "released when #5 arrived")},
        /* corked: the persist timer begins when the last ACK has come, or with the connection */
        {ANSWERED THERE(192209, 192309, DATA(106, 5)), CALLED("SEND")},
        {ANSWERED THERE(192210, 192310, DATA(106, 5)), EITHER("SEND", "TCP_CORK")},
        {FAR THERE(191209, 191309, DATA(101, 5)), CALLED("SEND")},
        {FAR THERE(191210, 191310, DATA(101, 5)), EITHER("SEND", "TCP_CORK")},
        {FAR BACK(191319, 191419, S_DATA W), CALLED("SEND")},
        {FAR BACK(191320, 191420, S_DATA W), EITHER("SEND", "TCP_CORK")},
        /* something is under way; the peer's window is shut */
        {FAR THERE(2000, 2100, DATA(101, 5)) THERE(12010, 12110, DATA(106, 5)), EITHER("SEND", "held back")},
        {SHUT THERE(32000, 32100, DATA(106, 5)), EITHER("SEND", "released when #5 arrived")},
        /* one place: and a round trip more, which is 4 ms here */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(10000, WS, ACKS(106, 507)) PACKET(24020, WC, DATA(106, 5)), CALLED("SEND")},
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(10000, WS, ACKS(106, 507)) PACKET(23900, WC, DATA(106, 5)),
         EITHER("SEND", "released when #5 arrived")},
        /* its length was not seen: a second */
        {TRACE PACKET(1000, WS, ACKS(101, 512)) PACKET(2000, WC, DATA(101, 5)) PACKET(3000, WS, ACKS(106, 507))
             PACKET(1012999, WC, DATA(106, 5)),
         EITHER("SEND", "released when #3 arrived")},
        {TRACE PACKET(1000, WS, ACKS(101, 512)) PACKET(2000, WC, DATA(101, 5)) PACKET(3000, WS, ACKS(106, 507))
             PACKET(1013000, WC, DATA(106, 5)),
         EITHER("SEND", "TCP_CORK")},
        /* much is paced, over two round trips at most; so little is not */
        {FARTHER THERE(40000, 50000, DATA(101, 2920)) BACK(50010, 60010, ACKS(3021, 512)) THERE(71000, 81000, DATA(3021, 5)),
         CALLED("SEND")},
        {FARTHER THERE(40000, 50000, DATA(101, 2921)) BACK(50010, 60010, ACKS(3022, 512)) THERE(71000, 81000, DATA(3022, 5)),
         EITHER("SEND", "released when #5 arrived")},
        {FARTHER THERE(40000, 50000, DATA(101, 2921)) BACK(50010, 60010, ACKS(3022, 512)) THERE(101000, 111000, DATA(3022, 5)),
         CALLED("SEND")},
        /* Fast Open: the first data may be what the SYN did not take; Multipath TCP: a worker of the kernel sends too */
        {TRACE TWO_ENDS THERE(1000, 1100, SYN W " opt=fastopen") BACK(1110, 1210, SYN_ACK W) THERE(1220, 1320, HANDSHAKE_ACK W)
             THERE(2000, 2100, DATA(101, 5)),
         EITHER("SEND", "held back")},
        {TRACE TWO_ENDS THERE(1000, 1100, SYN W " opt=mptcp") BACK(1110, 1210, SYN_ACK W " opt=mptcp")
             THERE(1220, 1320, HANDSHAKE_ACK W " opt=mptcp") THERE(2000, 2100, DATA(101, 5) " opt=mptcp"),
         EITHER("nothing", NULL)},
        {TRACE TWO_ENDS THERE(1000, 1100, SYN W " opt=mptcp") BACK(1110, 1210, SYN_ACK W) THERE(1220, 1320, HANDSHAKE_ACK W)
             THERE(2000, 2100, DATA(101, 5)),
         CALLED("SEND")},
    };
    (void)state;
    CHECK(cases);
}

/* Captured without options: the other SYN tells where it says no, a later segment where it says yes. */
#define CUT " captured=54 wire=86"
#define OPTS " captured=86 wire=86"
#define OPENS(syn, syn_ack) TRACE PACKET(1000, WC, SYN W syn) PACKET(1010, WS, SYN_ACK W syn_ack) PACKET(1020, WC, HANDSHAKE_ACK W)
#define WORKER "Multipath TCP's worker"

void what_may_be_multipath_tcps_workers_is_no_call(void **state)
{
    static const struct wire_case cases[] = {
        {OPENS(CUT, CUT) PACKET(2000, WC, C_FIN W), EITHER("CLOSE", WORKER)},
        {OPENS(OPTS " opt=mptcp", CUT) PACKET(2000, WC, C_FIN W), EITHER("CLOSE", WORKER)},
        {OPENS(OPTS, CUT) PACKET(2000, WC, C_FIN W), CALLED("CLOSE")},
        {OPENS(CUT, OPTS) PACKET(2000, WC, C_FIN W), CALLED("CLOSE")},
        {OPENS(CUT, CUT) PACKET(2000, WC, DATA(101, 5)), EITHER("SEND", WORKER)},
        {OPENS(CUT, OPTS) PACKET(2000, WC, DATA(101, 5)), CALLED("SEND")},
        {OPENS(CUT, CUT) PACKET(2000, WS, "flags=. seq=501 ack=101 opt=mptcp" W) PACKET(900000, WC, C_FIN W),
         EITHER("Multipath TCP", "worker in the kernel")},
    };
    (void)state;
    CHECK(cases);
}

#define FIN_AT(sent, arrives, seq) THERE(sent, arrives, "flags=F. seq=" #seq " ack=501" W)
#define ROOM(t, arrives, ack) BACK(t, arrives, ACKS(ack, 9000))

void a_fin_is_a_closes_where_nothing_can_have_held_it(void **state)
{
    static const struct wire_case cases[] = {
        {FAR FIN_AT(2000, 2100, 101), CALLED("CLOSE")},
        /* so much under way holds no FIN back: two segments */
        {FAR ROOM(1330, 1430, 101) THERE(2000, 2100, DATA(101, 2920)) FIN_AT(2010, 2110, 3021), CALLED("CLOSE")},
        {FAR ROOM(1330, 1430, 101) THERE(2000, 2100, DATA(101, 2921)) FIN_AT(2010, 2110, 3022), EITHER("CLOSE", "#4 arrived")},
        /* nor had it before the ACK that has just come */
        {FAR ROOM(1330, 1430, 101) THERE(2000, 2100, DATA(101, 2920)) ROOM(2110, 2210, 3021) FIN_AT(2220, 2320, 3021),
         CALLED("CLOSE")},
        {FAR ROOM(1330, 1430, 101) THERE(2000, 2100, DATA(101, 2921)) ROOM(2110, 2210, 3022) FIN_AT(2220, 2320, 3022),
         EITHER("CLOSE", "#6 arrived")},
        {FAR ROOM(1330, 1430, 101) THERE(2000, 2100, DATA(101, 2921)) ROOM(2110, 2210, 3022) FIN_AT(12209, 12309, 3022),
         EITHER("CLOSE", "#6 arrived")},
        {FAR ROOM(1330, 1430, 101) THERE(2000, 2100, DATA(101, 2921)) ROOM(2110, 2210, 3022) FIN_AT(12210, 12310, 3022),
         CALLED("CLOSE")},
        /* the window is full */
        {FAR BACK(1330, 1430, ACKS(101, 6)) THERE(2000, 2100, DATA(101, 5)) FIN_AT(2010, 2110, 106), CALLED("CLOSE")},
        {FAR BACK(1330, 1430, ACKS(101, 5)) THERE(2000, 2100, DATA(101, 5)) FIN_AT(2010, 2110, 106), EITHER("CLOSE", "held back")},
        /* after a loss the congestion window is as small as one segment */
        {FAR LOST(2000, DATA(101, 5)) THERE(302000, 302100, DATA(101, 5)) BACK(302110, 302210, ACKS(106, 507))
             FIN_AT(302220, 302320, 106),
         EITHER("CLOSE", "#6 arrived")},
        {FAR LOST(2000, DATA(101, 5)) THERE(302000, 302100, DATA(101, 5)) BACK(302110, 302210, ACKS(106, 507))
             FIN_AT(312210, 312310, 106),
         CALLED("CLOSE")},
    };
    (void)state;
    CHECK(cases);
}

void what_lies_behind_a_fin_is_nobodys_send(void **state)
{
    static const struct wire_case cases[] = {
        {NEAR PACKET(6000, WC, C_FIN W) PACKET(10000, WS, S_ACKS_FIN) PACKET(400000, WC, DATA(102, 5)),
         EITHER("behind a FIN", "by hand")},
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(10000, WS, ACKS(106, 512)) PACKET(100000, WC, DATA(106, 5)), CALLED("SEND")},
    };
    (void)state;
    CHECK(cases);
}

void a_rst_answers_what_came_last_and_had_not_been_taken(void **state)
{
#define R_501 "flags=R seq=501"
    static const struct wire_case cases[] = {
        /* it had been acknowledged, and nothing came since */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(10000, WS, ACKS(106, 512)) PACKET(400000, WS, R_501),
         EITHER("not captured", "attacker")},
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(10000, WS, ACKS(106, 512)) PACKET(400000, WC, DATA(106, 5))
             PACKET(404000, WS, R_501),
         EITHER("answers #6", "firewall")},
        /* so long before, another is no candidate: ten milliseconds and a round trip, a little more than four */
        {NEAR PACKET(100000, WC, "flags=. seq=101 ack=501" W) PACKET(300000, WC, DATA(101, 5)) PACKET(304000, WS, R_501), BY(5)},
        {NEAR PACKET(290001, WC, "flags=. seq=101 ack=501" W) PACKET(300000, WC, DATA(101, 5)) PACKET(304000, WS, R_501),
         EITHER("#4", "#5")},
        /* nor is what came before its own abort */
        {NEAR PACKET(6000, WC, DATA(101, 5)) PACKET(6001, WS, "flags=R. seq=501 ack=106") PACKET(6002, WC, DATA(106, 5))
             PACKET(6003, WS, R_501),
         BY(6)},
    };
    (void)state;
    CHECK(cases);
}

void the_same_once_more_may_be_one_packet(void **state)
{
#define CAPTURE "# tcpwhy events 1\ntrace t=1 recorder=none\nvantage t=1 vantage=1 name=capture\n"
#define MIDWAY CAPTURE PACKET(1000, WC, "flags=. seq=101 ack=501" W) PACKET(6000, WC, DATA(101, 5))
    static const struct wire_case cases[] = {
        {MIDWAY PACKET(16000, WC, DATA(101, 5)), EITHER("shows twice", "loss")},
        {MIDWAY PACKET(16001, WC, DATA(101, 5)), EITHER("duplicate ACKs", "loss")},
        {MIDWAY PACKET(7000, WC, "flags=P. seq=101 ack=502 len=5" W), EITHER("duplicate ACKs", "loss")},
        {MIDWAY PACKET(6500, WS, ACKS(101, 512)) PACKET(7000, WC, DATA(101, 5)), EITHER("#3", "loss")},
    };
    (void)state;
    CHECK(cases);
}

void behind_what_was_not_captured_nobody_knows_what_was_held(void **state)
{
    (void)state;
    static const struct wire_case cases[] = {
        /* the first data; behind data that only its ACK shows, which has just come, or long ago; behind what nothing shows yet */
        {NEAR PACKET(90000, WC, DATA(101, 10)), CAUSE_CALL, "SEND", 0, {"a SEND"}},
        {NEAR PACKET(9000, WS, ACKS(5101, 512)) PACKET(12000, WC, DATA(5101, 10)), CAUSE_UNKNOWN, NULL, 0, {"released when #4"}},
        {NEAR PACKET(9000, WS, ACKS(5101, 512)) PACKET(90000, WC, DATA(5101, 10)), CAUSE_CALL, "SEND", 0, {"a SEND"}},
        {NEAR PACKET(90000, WC, DATA(201, 10)), CAUSE_UNKNOWN, NULL, 0, {"held back"}},
    };
    CHECK(cases);
}

/* RFC 9293 figure 7: the SYN,ACK of each end answers the other's SYN, and neither the other's SYN,ACK. */
void where_both_open_at_once_a_syn_ack_answers_the_syn(void **state)
{
    (void)state;
    static const struct wire_case cases[] = {
        {TRACE PACKET(1000, WC, "flags=S seq=100" W) PACKET(1100, WS, "flags=S seq=500" W)
             PACKET(6000, WC, "flags=S. seq=100 ack=501" W) PACKET(6100, WS, "flags=S. seq=500 ack=101" W),
         CAUSE_SEGMENT,
         NULL,
         1,
         {"crossed"}},
    };
    CHECK(cases);
}
