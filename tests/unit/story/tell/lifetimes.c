/* What leaves with its process, with its socket, with time: just inside and just outside of each bound that keeps an answer right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/lines.h"
#include "support/tell.h"

#define EXIT_OF(t, who) "process t=" #t US " " who "change=exit status=0\n"
#define LATER(t) "lost t=" #t US " source=capture what=nothing\n"

static size_t exits_in(const struct story *story)
{
    size_t count = 0;
    for (size_t i = 0; i < story->step_count; i++) count += story->steps[i].kind == STEP_PROCESS_EXIT;
    return count;
}

/* How many threads are known at the end of this text. */
static size_t threads_of(const char *text)
{
    struct told *told = tell_text(text, 0);
    size_t count = table_count(told->teller->threads);
    told_free(told);
    return count;
}

static void a_thread_is_known_for_a_second_after_its_process_ended(void **state)
{
    (void)state;
    const char *inside = TRACE CALL(900, 910, C_THREAD, "connect", C_SOCK) EXIT_OF(1000, C_THREAD) LATER(1001000);
    const char *outside = TRACE CALL(900, 910, C_THREAD, "connect", C_SOCK) EXIT_OF(1000, C_THREAD) LATER(1001001);
    assert_int_equal(threads_of(inside), 1);
    assert_int_equal(threads_of(outside), 0);
}

static void the_end_of_a_process_is_told_however_late_its_connection_is(void **state)
{
    (void)state;
    struct told *told =
        tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK) EXIT_OF(2000, C_THREAD) LATER(50000000), 0);
    assert_int_equal(told->count, 1);
    assert_int_equal(exits_in(told->stories[0]), 1);
    told_free(told);
}

/* Numbers of processes come round: what ended before was another. */
static void the_end_of_an_earlier_process_of_the_same_number_is_none_of_this_one(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE CALL(10, 20, C_THREAD, "socket", "sock.cookie=70 sock.proto=tcp") EXIT_OF(100, C_THREAD)
                                      LATER(1002000) PACKET(2000000, C, SYN) CALL(2000030, 2000040, C_THREAD, "write", C_SOCK),
                                  0);
    assert_int_equal(told->count, 1);
    assert_int_equal(exits_in(told->stories[0]), 0);
    told_free(told);
}

/* A process that forked takes its number at once. */
static void a_fork_makes_another_process_of_a_number_that_has_just_ended(void **state)
{
    (void)state;
    struct told *told = tell_text(
        TRACE CALL(10, 20, C_THREAD, "socket", "sock.cookie=70 sock.proto=tcp")
            EXIT_OF(100, C_THREAD) "process t=200000 pid=10 tid=10 comm=client change=fork parent=20\n" PACKET(1000, C, SYN)
                CALL(1030, 1040, C_THREAD, "write", C_SOCK),
        0);
    assert_int_equal(exits_in(told->stories[0]), 0);
    told_free(told);
}

#define EPOLL_ADD                                                                                                                  \
    "enter t=910000 " S_THREAD "name=epoll_ctl fd=5 epoll=6 how=-1 level=-1 " S_SOCK " watch_total=1 watch=8:77:1\n"               \
    "exit t=920000 " S_THREAD "name=epoll_ctl fd=5 epoll=6 how=-1 level=-1 slept=-1 " S_SOCK " watch_total=1 watch=8:77:1\n"

static size_t epolls_of(const char *text)
{
    struct told *told = tell_text(text, 0);
    size_t count = table_count(told->teller->epolls);
    told_free(told);
    return count;
}

static void what_an_epoll_watches_is_forgotten_with_its_process_and_with_its_socket(void **state)
{
    (void)state;
    assert_int_equal(epolls_of(TRACE EPOLL_ADD), 1);
    assert_int_equal(epolls_of(TRACE EPOLL_ADD EXIT_OF(1000, S_THREAD) LATER(1001000)), 1);
    assert_int_equal(epolls_of(TRACE EPOLL_ADD EXIT_OF(1000, S_THREAD) LATER(1001001)), 0);
    assert_int_equal(epolls_of(TRACE EPOLL_ADD HANDSHAKE), 0); /* its connection was told */
}

#define UDP_SERVER                                                                                                                 \
    ENTER(10, S_THREAD, "bind", "sock.cookie=9 sock.proto=udp", " args=\"3, 127.0.0.1:3333\"")                                     \
    EXIT(20, S_THREAD, "bind", "sock.cookie=9 sock.proto=udp sock.local=127.0.0.1:3333", "")

/* So many datagrams of one client wait, then the server receives one. Gives the calls of that client's story. */
static uint32_t calls_after_waiting(size_t count)
{
    struct buf text = buf_new(16 << 20);
    assert_int_equal(buf_append(&text, TRACE UDP_SERVER, sizeof(TRACE UDP_SERVER) - 1), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(buf_printf(&text, "packet t=%zu000 vantage=1 number=1 " UDP_C "len=1\n", 1000 + i), 0);
    const char *receives = CALL(90000, 90010, S_THREAD, "recvfrom", "sock.cookie=9 sock.proto=udp sock.local=127.0.0.1:3333");
    assert_int_equal(buf_append(&text, receives, strlen(receives)), 0);
    struct told *told = tell_text(buf_string(&text), 0);
    assert_int_equal(told->count, 1);
    uint32_t calls = told->stories[0]->summary.calls;
    told_free(told);
    buf_free(&text);
    return calls;
}

static void a_datagram_socket_knows_whose_turn_it_is_until_too_many_wait(void **state)
{
    (void)state;
    assert_int_equal(calls_after_waiting(ARRIVALS_MAX), 2); /* bind and recvfrom */
    assert_int_equal(calls_after_waiting(ARRIVALS_MAX + 1), 1);
}

static struct tomb tomb_of(uint64_t key, int64_t last_ns)
{
    return (struct tomb){.key = key, .last_ns = last_ns, .number = (uint32_t)key, .conn = {.end = {{.base = 7, .next = 9}}}};
}

static void a_tomb_is_found_until_its_time_is_over(void **state)
{
    (void)state;
    struct tombs *tombs = tombs_new();
    struct tomb found;
    bool full = false;
    for (uint64_t i = 1; i <= 5000; i++) {
        const struct tomb tomb = tomb_of(i, (int64_t)i);
        assert_int_equal(tombs_add(tombs, &tomb, &full), 0);
        assert_false(full);
    }
    assert_int_equal(tombs_count(tombs), 5000);
    tombs_pass(tombs, 3000);
    assert_false(tombs_find(tombs, 2999, &found));
    assert_true(tombs_find(tombs, 3000, &found));
    assert_int_equal(found.number, 3000);
    assert_int_equal(found.conn.end[0].base, 7);
    assert_int_equal(found.conn.end[0].span, 2);
    tombs_forget(tombs, 4000);
    assert_false(tombs_find(tombs, 4000, &found));
    assert_int_equal(tombs_count(tombs), 2000);
    tombs_pass(tombs, 6000);
    assert_int_equal(tombs_count(tombs), 0);
    tombs_free(tombs);
}

/* Told twice within a minute: the later one counts. */
static void the_newest_tomb_of_a_key_counts(void **state)
{
    (void)state;
    struct tombs *tombs = tombs_new();
    struct tomb found, first = tomb_of(1, 10), second = tomb_of(1, 20);
    bool full;
    second.number = 2;
    assert_int_equal(tombs_add(tombs, &first, &full), 0);
    assert_int_equal(tombs_add(tombs, &second, &full), 0);
    assert_int_equal(tombs_count(tombs), 1);
    assert_true(tombs_find(tombs, 1, &found));
    assert_int_equal(found.number, 2);
    tombs_free(tombs);
}

/* ---- a connection whose place another took before it was over ---- */

/* A live run numbers no packets: whose each is, its numbers say. The client's port is used again while the server holds the first.
 */
#define HELD                                                                                                                       \
    HANDSHAKE PACKET(2000, C, "flags=P. seq=101 ack=501 len=100 win=100") PACKET(2010, S, "flags=. seq=501 ack=201 win=100")

static void a_connection_that_is_not_over_goes_on_beside_the_one_that_took_its_place(void **state)
{
    (void)state;
    struct told *told = tell_text(
        TRACE HELD PACKET(100000, C, "flags=S seq=777777 win=100") PACKET(100010, S, "flags=. seq=501 ack=201 win=100")
            PACKET(200000, C, "flags=P. seq=201 ack=501 len=50 win=100") PACKET(200010, S, "flags=. seq=501 ack=251 win=100")
                PACKET(1100000, C, "flags=S seq=777777 win=100") PACKET(1100010, S, "flags=. seq=501 ack=251 win=100"),
        0);
    assert_int_equal(told->count, 2);
    const struct story *held = told->stories[0], *other = told->stories[1];
    if (held->number != 1) held = told->stories[1], other = told->stories[0];
    assert_int_equal(held->outcome, OUTCOME_OPEN);
    assert_int_equal(held->summary.segments, 9);
    assert_int_equal(held->end[STORY_CLIENT].bytes_sent, 150);
    assert_non_null(
        strstr(told_segment(held, STORY_SERVER, "ACK", 2)->cause.why, "challenge ACK, as it seems: the SYN of connection 2"));
    assert_non_null(strstr(told_segment(held, STORY_SERVER, "ACK", 4)->cause.why, "challenge ACK, as it seems"));
    assert_int_equal(other->outcome, OUTCOME_HALF_OPEN);
    assert_int_equal(other->summary.segments, 2);
    assert_string_equal(other->findings[0].id, "syn-challenged");
    told_free(told);
}

/* The one who asked in earnest answers the question with a RST: that ends the old one, and the next SYN is taken. */
static void the_answer_to_the_question_ends_the_old_one(void **state)
{
    (void)state;
    struct told *told =
        tell_text(TRACE HELD PACKET(100000, C, "flags=S seq=777777 win=100") PACKET(100010, S, "flags=. seq=501 ack=201 win=100")
                      PACKET(100020, C, "flags=R seq=201") PACKET(1100000, C, "flags=S seq=777777 win=100")
                          PACKET(1100010, S, "flags=S. seq=9000 ack=777778 win=100")
                              PACKET(1100020, C, "flags=. seq=777778 ack=9001 win=100"),
                  0);
    assert_int_equal(told->count, 2);
    const struct story *held = told->stories[0], *other = told->stories[1];
    if (held->number != 1) held = told->stories[1], other = told->stories[0];
    assert_int_equal(held->outcome, OUTCOME_RESET);
    assert_int_equal(other->outcome, OUTCOME_OPEN);
    assert_int_equal(other->summary.segments, 4);
    told_free(told);
}

#define LISTENS(from, to)                                                                                                          \
    "enter t=" from " " S_THREAD "name=listen fd=3 how=0 level=-1 sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333\n"        \
    "exit t=" to " " S_THREAD                                                                                                      \
    "name=listen fd=3 how=0 level=-1 slept=-1 sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN\n"
#define ANSWERED(flags) PACKET(1000, C, SYN) PACKET(1010, S, flags)

static int32_t server_of(const char *text)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->count, 1);
    int32_t pid = told->stories[0]->end[STORY_SERVER].process.pid;
    told_free(told);
    return pid;
}

static void who_begins_to_listen_when_a_connection_was_refused_is_not_its_server(void **state)
{
    (void)state;
    assert_int_equal(server_of(TRACE LISTENS("1000001", "1500000") ANSWERED("flags=R. seq=0 ack=101")), 0);
    assert_int_equal(server_of(TRACE LISTENS("1000000", "1000000") ANSWERED("flags=R. seq=0 ack=101")), 20);
    assert_int_equal(server_of(TRACE LISTENS("1000001", "1500000") ANSWERED(SYN_ACK)),
                     20); /* somebody listened: it was listen() again */
    assert_int_equal(server_of(TRACE LISTENS("2000000", "2500000") PACKET(1000, C, SYN) PACKET(1001000, C, SYN)), 20);
    assert_int_equal(server_of(TRACE LISTENS("2000000000", "2000001000") PACKET(1000, C, SYN) PACKET(1001000, C, SYN)), 0);
    /* By the calls alone: no packet says when it was asked. */
#define TRIES "exit t=1500000 " C_THREAD "name=connect fd=3 how=-1 level=-1 slept=-1 ret=-111 " C_SOCK "\n"
    const char *alone = "# tcpwhy events 1\ntrace t=1 recorder=ptrace ports=3333\n" ENTER(1000, C_THREAD, "connect", C_SOCK, "");
    char text[2][2048];
    snprintf(text[0], sizeof(text[0]), "%s%s", alone, TRIES LISTENS("1500001", "1600000"));
    snprintf(text[1], sizeof(text[1]), "%s%s", alone, LISTENS("1400000", "1400001") TRIES);
    assert_int_equal(server_of(text[0]), 0);
    assert_int_equal(server_of(text[1]), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_is_not_over_goes_on_beside_the_one_that_took_its_place),
        cmocka_unit_test(the_answer_to_the_question_ends_the_old_one),
        cmocka_unit_test(a_thread_is_known_for_a_second_after_its_process_ended),
        cmocka_unit_test(the_end_of_a_process_is_told_however_late_its_connection_is),
        cmocka_unit_test(the_end_of_an_earlier_process_of_the_same_number_is_none_of_this_one),
        cmocka_unit_test(a_fork_makes_another_process_of_a_number_that_has_just_ended),
        cmocka_unit_test(what_an_epoll_watches_is_forgotten_with_its_process_and_with_its_socket),
        cmocka_unit_test(a_datagram_socket_knows_whose_turn_it_is_until_too_many_wait),
        cmocka_unit_test(a_tomb_is_found_until_its_time_is_over),
        cmocka_unit_test(the_newest_tomb_of_a_key_counts),
        cmocka_unit_test(who_begins_to_listen_when_a_connection_was_refused_is_not_its_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
