/* Where the time went: claims are disjoint and add up whatever they are; each kind of claim where it must be, and not where not. */
#include "story/times/spent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

/* Captured in one place, between two hosts. */
#define FAR PACKET(1000, WC, SYN " win=512") PACKET(1010, WS, SYN_ACK " win=512") PACKET(1020, WC, HANDSHAKE_ACK " win=512")

static uint32_t next_random(uint32_t *seed)
{
    return (*seed = *seed * 1664525 + 1013904223) >> 8;
}

/* Instant by instant. */
static void add_up_slowly(const struct spent_claims *claims, int64_t spent_ns[SPENTS])
{
    for (int64_t t = claims->start_ns; t < claims->end_ns; t++) {
        int what = SPENT_UNKNOWN;
        for (size_t i = 0; i < claims->count; i++)
            if (claims->list[i].from_ns <= t && t < claims->list[i].to_ns && claims->list[i].spent < what)
                what = claims->list[i].spent;
        spent_ns[what]++;
    }
}

static void the_parts_are_disjoint_and_add_up(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 500; round++) {
        struct spent_claims claims = {.start_ns = 100, .end_ns = 100 + next_random(&seed) % 120};
        for (uint32_t i = next_random(&seed) % 12; i; i--) {
            int64_t from = 80 + next_random(&seed) % 160, to = 80 + next_random(&seed) % 160;
            spent_claim(&claims, (enum story_spent)(next_random(&seed) % SPENT_UNKNOWN), from, to);
        }
        int64_t quick[SPENTS], slow[SPENTS] = {0}, sum = 0;
        spent_add_up(&claims, quick);
        add_up_slowly(&claims, slow);
        for (int i = 0; i < SPENTS; i++) {
            assert_int_equal(quick[i], slow[i]);
            sum += quick[i];
        }
        assert_int_equal(sum, claims.end_ns - claims.start_ns);
        assert_false(claims.failed);
        free(claims.list);
    }
}

/* In microseconds; all that is not `part` is in the rest. */
static void check(const char *text, enum story_spent part, int64_t part_us, int64_t total_us)
{
    struct told *told = tell_text(text, 0);
    const struct story_time *time = &told->stories[0]->time;
    int64_t sum_ns = 0;
    for (int i = 0; i < SPENTS; i++) {
        assert_true(time->spent_ns[i] >= 0);
        sum_ns += time->spent_ns[i];
    }
    assert_int_equal(sum_ns, time->total_ns);
    assert_int_equal(time->total_ns / 1000, total_us);
    assert_int_equal(time->spent_ns[part] / 1000, part_us);
    told_free(told);
}

static void a_syn_sent_again_is_what_was_waited_for(void **state)
{
    (void)state;
    const char *again =
        TRACE PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) PACKET(1001010, WS, SYN_ACK) PACKET(1001020, WC, HANDSHAKE_ACK);
    check(again, SPENT_SYN_AGAIN, 1000000, 1000020);
    check(again, SPENT_NETWORK, 10, 1000020);
    check(TRACE FAR, SPENT_SYN_AGAIN, 0, 20);
}

static void between_request_and_answer_one_place_sees_the_server_and_the_way(void **state)
{
    (void)state;
    const char *asked = TRACE FAR PACKET(5000, WC, "flags=P. seq=101 ack=501 len=4 win=512")
        PACKET(9000, WS, "flags=P. seq=501 ack=105 len=4 win=512") PACKET(19000, WC, "flags=P. seq=105 ack=505 len=4 win=512")
            PACKET(20000, WS, "flags=P. seq=505 ack=109 len=4 win=512");
    check(asked, SPENT_ANSWER, 5000, 19000);
    check(asked, SPENT_IDLE, 3980 + 10000, 19000);
}

static void what_was_lost_is_waited_for_until_it_is_sent_again(void **state)
{
    (void)state;
    const char *lost = TRACE FAR PACKET(5000, WC, "flags=P. seq=101 ack=501 len=4 win=512")
        PACKET(215000, WC, "flags=P. seq=101 ack=501 len=4 win=512") PACKET(215100, WS, "flags=. seq=501 ack=105 win=512");
    check(lost, SPENT_RETRANSMISSION, 210000, 214100);
    check(lost, SPENT_ANSWER, 0, 214100);
}

static void a_closed_window_is_the_readers(void **state)
{
    (void)state;
#define CLOSED                                                                                                                     \
    PACKET(5000, WC, "flags=P. seq=101 ack=501 len=4 win=512")                                                                     \
    PACKET(5100, WS, "flags=. seq=501 ack=105 win=0")                                                                              \
    PACKET(805100, WS, "flags=. seq=501 ack=105 win=100") PACKET(805200, WC, "flags=P. seq=105 ack=501 len=4 win=512")
    check(TRACE FAR PACKET(1030, WS, "flags=. seq=501 ack=101 win=4") CLOSED, SPENT_READER, 800000, 804200);
    check(TRACE FAR CLOSED, SPENT_READER, 0, 804200); /* it was never seen open */
}

static void who_does_not_close_is_waited_for(void **state)
{
    (void)state;
    const char *half =
        TRACE FAR PACKET(2000, WC, "flags=F. seq=101 ack=501 win=512") PACKET(2010, WS, "flags=. seq=501 ack=102 win=512")
            PACKET(902000, WS, "flags=F. seq=501 ack=102 win=512") PACKET(902010, WC, "flags=. seq=102 ack=502 win=512");
    check(half, SPENT_CLOSE, 900000, 901010);
}

/* A straggler a second later is not part of it. */
static void what_strays_behind_the_end_does_not_count(void **state)
{
    (void)state;
    const char *over = TRACE FAR PACKET(2000, WC, "flags=F. seq=101 ack=501 win=512")
        PACKET(2010, WS, "flags=F. seq=501 ack=102 win=512") PACKET(2020, WC, "flags=. seq=102 ack=502 win=512")
            PACKET(1002020, WS, "flags=F. seq=501 ack=102 win=512") PACKET(1002030, WC, "flags=. seq=102 ack=502 win=512");
    struct told *told = tell_text(over, 0);
    assert_true(told->stories[0]->time.total_ns <= 2000000);
    told_free(told);
}

/* Whatever it asks with: data that nobody asked for lay unread until the end. */
static void what_came_before_a_process_asked_lay_unread(void **state)
{
    (void)state;
    static const char *const asking[] = {"read",  "readv",  "recvfrom", "recvmsg",    "recvmmsg",    "poll",
                                         "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"};
    for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
        char text[4096];
        snprintf(text, sizeof(text),
                 TRACE ROOMY PACKET(5000, C, C_DATA " win=512") ENTER(8000, S_THREAD, "%s", S_SOCK, "")
                     EXIT(8010, S_THREAD, "%s", S_SOCK, " ret=1") PACKET(9000, S, "flags=. seq=501 ack=106 win=512"),
                 asking[i], asking[i]);
        check(text, SPENT_UNREAD, 3000, 8000);
    }
    check(TRACE ROOMY PACKET(5000, C, C_DATA " win=512") CALL(8000, 8010, S_THREAD, "getsockopt", S_SOCK)
              PACKET(9000, S, "flags=. seq=501 ack=106 win=512"),
          SPENT_UNREAD, 4000, 8000);
}

/* Asleep when it came: from then to its return it waited for a processor, or, where the waking was seen, from that. */
static void who_sleeps_when_it_comes_waits_for_a_processor(void **state)
{
    (void)state;
#define ASLEEP(wake)                                                                                                               \
    TRACE ROOMY ENTER(2000, S_THREAD, "read", S_SOCK, "") PACKET(5000, C, C_DATA " win=512")                                       \
        wake EXIT(5100, S_THREAD, "read", S_SOCK, " ret=5")
    check(ASLEEP(""), SPENT_RUN_QUEUE, 100, 4100);
    check(ASLEEP("wake t=5040000 pid=20 tid=20 comm=server " RX_C_DATA "\n"), SPENT_RUN_QUEUE, 60, 4100);
    check(ASLEEP(""), SPENT_UNREAD, 0, 4100);
}

#define READ(from, to) ENTER(from, S_THREAD, "read", S_SOCK, "") EXIT(to, S_THREAD, "read", S_SOCK, " ret=5")
/* From what it had read to what it writes, and the writing. */
static void between_reading_and_writing_the_process_is_at_work(void **state)
{
    (void)state;
    static const char *const answering[] = {"write", "writev", "sendto", "sendmsg", "sendfile", "close", "shutdown"};
    for (size_t i = 0; i < sizeof(answering) / sizeof(answering[0]); i++) {
        char text[4096];
        snprintf(text, sizeof(text),
                 TRACE ROOMY PACKET(5000, C, C_DATA " win=512") READ(5000, 5010) ENTER(7010, S_THREAD, "%s", S_SOCK, "")
                     EXIT(7040, S_THREAD, "%s", S_SOCK, " ret=5") PACKET(7050, C, "flags=. seq=106 ack=501 win=512"),
                 answering[i], answering[i]);
        check(text, SPENT_SERVER, 2030, 6050);
    }
    check(TRACE ROOMY PACKET(5000, C, C_DATA " win=512") READ(5000, 5010) CALL(7010, 7040, S_THREAD, "setsockopt", S_SOCK)
              PACKET(7050, C, "flags=. seq=106 ack=501 win=512"),
          SPENT_SERVER, 0, 6050);
}

static void before_the_syn_connect_is_the_clients(void **state)
{
    (void)state;
    check(TRACE ENTER(400, C_THREAD, "connect", C_SOCK, "") ROOMY EXIT(1100, C_THREAD, "connect", C_SOCK, " ret=0"), SPENT_CLIENT,
          600, 700);
}

/* connect() came back at once: from the moment at which there was a connection its program was at work, or poll() had not yet
 * returned. */
static void behind_a_connect_that_did_not_wait_the_client_is_at_work(void **state)
{
    (void)state;
#define AT_ONCE(ret, poll)                                                                                                         \
    TRACE TWO_ENDS ENTER(990, C_THREAD, "connect", WC_SOCK, "") EXIT(1050, C_THREAD, "connect", WC_SOCK, " ret=" ret)              \
        FAR_HANDSHAKE poll CALL(2260, 2270, C_THREAD, "write", WC_SOCK) THERE(2265, 2365, "flags=P. seq=101 ack=501 len=5")
#define POLLS(from, to, ret) ENTER(from, C_THREAD, "poll", WC_SOCK, "") EXIT(to, C_THREAD, "poll", WC_SOCK, " ret=" ret)
    check(AT_ONCE("-115", POLLS(1060, 1260, "1")), SPENT_CLIENT, 10 + 1000 + 10, 1375);
    check(AT_ONCE("-115", POLLS(1060, 1260, "1")), SPENT_RUN_QUEUE, 50, 1375);
    check(AT_ONCE("-115", POLLS(1060, 1100, "0")), SPENT_RUN_QUEUE, 0, 1375);
    check(AT_ONCE("-115", POLLS(1220, 1260, "1")), SPENT_RUN_QUEUE, 0, 1375); /* it asked later: nothing kept it waiting */
    check(AT_ONCE("-115", ""), SPENT_CLIENT, 10 + 1050 + 10, 1375);
    check(AT_ONCE("-4", ""), SPENT_CLIENT, 10 + 10, 1375); /* a signal: what its program did then, nobody knows */
}

/* What follows, the program's own close() and its end, is no part of what the connection took. */
static void a_connection_that_was_refused_is_over_with_the_refusal(void **state)
{
    (void)state;
#define REFUSED(to, ret)                                                                                                           \
    TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") EXIT(to, C_THREAD, "connect", C_SOCK, " ret=" ret) PACKET(1000, C, SYN)      \
        PACKET(1010, S, "flags=R. seq=0 ack=101") CALL(5000, 5010, C_THREAD, "close", C_SOCK)
    check(REFUSED(1100, "-115"), SPENT_CLIENT, 10 + 90, 110);
    check(REFUSED(1100, "-111"), SPENT_CLIENT, 10, 110);
    check(REFUSED(1005, "-115"), SPENT_UNKNOWN, 0, 20);
    /* By its own host, before a SYN could be seen. */
    check(TRACE ENTER(990, C_THREAD, "connect", C_SOCK,
                      "") "exit t=1100000 " C_THREAD "name=connect fd=3 how=-1 level=-1 slept=0 " C_SOCK
                          " ret=-111\n" PACKET(1010, S, "flags=R. seq=0 ack=101") CALL(5000, 5010, C_THREAD, "close", C_SOCK),
          SPENT_CLIENT, 110, 110);
}

/* A health check: its RST sends the server's end back to LISTEN. */
static void a_handshake_that_is_broken_off_is_over_with_the_rst(void **state)
{
    (void)state;
    check(TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1020, C, "flags=R seq=101")
              CALL(5000, 5010, C_THREAD, "close", C_SOCK),
          SPENT_UNKNOWN, 10, 20);
}

static void where_nothing_was_ever_asked_that_is_what_took_the_time(void **state)
{
    (void)state;
    check(TRACE FAR PACKET(301020, WS, "flags=. seq=501 ack=105 win=512") PACKET(501020, WS, "flags=R. seq=501 ack=105"),
          SPENT_IDLE, 0, 500020); /* it acknowledges what was not captured */
    check(TRACE FAR PACKET(501020, WS, "flags=R. seq=501 ack=101"), SPENT_IDLE, 500000, 500020);
    check(TRACE FAR PACKET(1020, WC, "flags=P. seq=101 ack=501 len=4 win=512") PACKET(501020, WS, "flags=R. seq=501 ack=105"),
          SPENT_IDLE, 0, 500020);
}

/* A question and its answer, by a thread of the client's process. */
#define ASKER(tid) "pid=10 tid=" #tid " comm=client "
#define ASKS(cookie) "sock.cookie=" #cookie " sock.proto=udp sock.local=127.0.0.1:41000 sock.remote=127.0.0.1:53"
#define ASK(from, tid, cookie)                                                                                                     \
    ENTER(from, ASKER(tid), "sendto", ASKS(cookie), "") EXIT(from, ASKER(tid), "sendto", ASKS(cookie), " ret=30")
#define TOLD(to, tid, cookie)                                                                                                      \
    ENTER(to, ASKER(tid), "recvfrom", ASKS(cookie), "") EXIT(to, ASKER(tid), "recvfrom", ASKS(cookie), " ret=46")
#define LETS_GO(at, tid, cookie) CALL(at, at, ASKER(tid), "close", ASKS(cookie))
#define CONNECTS(from, to)                                                                                                         \
    ENTER(from, C_THREAD, "connect", C_SOCK, " args=\"3, 127.0.0.1:3333\"") EXIT(to, C_THREAD, "connect", C_SOCK, "")
#define CONNECTED CONNECTS(990, 1030) HANDSHAKE

static void what_was_looked_up_before_connect_is_part_of_it(void **state)
{
    (void)state;
    check(TRACE ASK(200, 10, 70) TOLD(700, 10, 70) CONNECTED, SPENT_LOOKUP, 500, 830);
    check(TRACE ASK(200, 11, 70) TOLD(700, 11, 70) CONNECTED, SPENT_LOOKUP, 500, 830); /* a resolver's thread */
    check(TRACE ASK(200, 10, 70) ASK(210, 10, 70) TOLD(300, 10, 70) TOLD(700, 10, 70) CONNECTED, SPENT_LOOKUP, 500, 830);
    check(TRACE ASK(200, 10, 70) TOLD(300, 10, 70) ASK(400, 10, 71) TOLD(700, 10, 71) CONNECTED, SPENT_LOOKUP, 500, 830);
    /* The second of two was never answered: until it is given up. */
    check(TRACE ASK(200, 10, 70) ASK(210, 10, 70) TOLD(300, 10, 70) LETS_GO(800, 10, 70) CONNECTED, SPENT_LOOKUP, 600, 830);
}

static void what_may_have_been_looked_up_for_another_is_no_part_of_it(void **state)
{
    (void)state;
    check(TRACE ASK(200, 11, 70) ASK(300, 12, 71) TOLD(700, 11, 70) TOLD(800, 12, 71) CONNECTED, SPENT_LOOKUP, 0, 40);
    check(TRACE ASK(200, 11, 70) ASK(300, 12, 71) TOLD(700, 11, 70) CONNECTED, SPENT_LOOKUP, 0, 40);
    check(TRACE ASK(200, 20, 70) CONNECTED, SPENT_LOOKUP, 0, 40); /* nothing came of it */
    check(TRACE ASK(200, 10, 70) TOLD(700, 10, 70) CALL(750, 760, C_THREAD, "connect", "sock.cookie=77 sock.proto=tcp") CONNECTED,
          SPENT_LOOKUP, 500, 830); /* it went nowhere */
    check(TRACE ASK(200, 10, 70) TOLD(700, 10, 70)
              ENTER(750, C_THREAD, "connect", "sock.cookie=77 sock.proto=tcp", " args=\"4, 127.0.0.1:80\"")
                  EXIT(760, C_THREAD, "connect", "sock.cookie=77 sock.proto=tcp", "") CONNECTED,
          SPENT_LOOKUP, 0, 40);
}

static void what_was_looked_up_long_before_is_no_part_of_it(void **state)
{
    (void)state;
#define LATER PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK) PACKET(1001020, C, HANDSHAKE_ACK)
    check(TRACE ASK(200, 10, 70) TOLD(700, 10, 70) CONNECTS(1000700, 1001030) LATER, SPENT_LOOKUP, 500, 1000830);
    check(TRACE ASK(200, 10, 70) TOLD(700, 10, 70) CONNECTS(1000701, 1001030) LATER, SPENT_LOOKUP, 0, 329);
}

static void a_flow_of_datagrams_has_no_such_time(void **state)
{
    (void)state;
    assert_string_equal(story_spent_name(SPENT_SYN_AGAIN), "syn-again");
    for (int i = 0; i < SPENTS; i++) {
        assert_non_null(story_spent_name((enum story_spent)i));
        assert_non_null(story_spent_words((enum story_spent)i));
    }
    assert_string_equal(story_spent_name(SPENTS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_disjoint_and_add_up),
        cmocka_unit_test(a_syn_sent_again_is_what_was_waited_for),
        cmocka_unit_test(between_request_and_answer_one_place_sees_the_server_and_the_way),
        cmocka_unit_test(what_was_lost_is_waited_for_until_it_is_sent_again),
        cmocka_unit_test(a_closed_window_is_the_readers),
        cmocka_unit_test(who_does_not_close_is_waited_for),
        cmocka_unit_test(what_strays_behind_the_end_does_not_count),
        cmocka_unit_test(what_came_before_a_process_asked_lay_unread),
        cmocka_unit_test(who_sleeps_when_it_comes_waits_for_a_processor),
        cmocka_unit_test(between_reading_and_writing_the_process_is_at_work),
        cmocka_unit_test(before_the_syn_connect_is_the_clients),
        cmocka_unit_test(behind_a_connect_that_did_not_wait_the_client_is_at_work),
        cmocka_unit_test(a_connection_that_was_refused_is_over_with_the_refusal),
        cmocka_unit_test(a_handshake_that_is_broken_off_is_over_with_the_rst),
        cmocka_unit_test(where_nothing_was_ever_asked_that_is_what_took_the_time),
        cmocka_unit_test(what_was_looked_up_before_connect_is_part_of_it),
        cmocka_unit_test(what_may_have_been_looked_up_for_another_is_no_part_of_it),
        cmocka_unit_test(what_was_looked_up_long_before_is_no_part_of_it),
        cmocka_unit_test(a_flow_of_datagrams_has_no_such_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
