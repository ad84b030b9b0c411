/* Calls of which no packet was seen: which are told beside the connections, of whom, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/lines.h"
#include "support/tell.h"

#define NEW(n) "sock.cookie=" #n " sock.proto=tcp"
#define BOUND(n, at) "sock.cookie=" #n " sock.proto=tcp sock.local=" at
#define LISTENS(n, at) BOUND(n, at) " sock.state=LISTEN"
#define FAILS(t, who, name, sock, more) ENTER(t, who, name, sock, more) "exit t=" #t "001 " who "name=" name " fd=3 " sock
#define SERVES(n, at, t1, t2)                                                                                                      \
    ENTER(t1, S_THREAD, "bind", NEW(n), " args=\"3, " at "\"")                                                                     \
    EXIT(t1, S_THREAD, "bind", BOUND(n, at), "")                                                                                   \
    ENTER(t2, S_THREAD, "listen", BOUND(n, at), " args=\"3, 128\"")                                                                \
    EXIT(t2, S_THREAD, "listen", LISTENS(n, at), "")

static const struct story_trace *trace_of(const struct told *told)
{
    return teller_trace(told->teller);
}

/* The only call that is told apart, and its sentence. */
static void check_only(const char *text, const char *name, const char *errno_name, const char *why)
{
    struct told *told = tell_text(text, 0);
    const struct story_trace *trace = trace_of(told);
    assert_int_equal(trace->apart_count, 1);
    assert_int_equal(trace->apart[0].count, 1);
    const struct story_apart_call *apart = &trace->apart[0].calls[0];
    assert_string_equal(apart->call.name, name);
    assert_string_equal(apart->call.errno_name, errno_name);
    assert_int_equal(apart->call.listener, strncmp(name, "accept", 6) == 0);
    if (why)
        assert_non_null(strstr(apart->why, why));
    else
        assert_null(apart->why);
    told_free(told);
}

static void check_none(const char *text)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(trace_of(told)->apart_count, 0);
    told_free(told);
}

static void a_connect_without_a_port_says_that_none_was_left(void **state)
{
    (void)state;
    check_only(TRACE FAILS(100, C_THREAD, "connect", NEW(4), " args=\"3, 192.0.2.2:80\"") " ret=-99\n", "connect", "EADDRNOTAVAIL",
               "no local port is left");
    /* What a route may say is among what may be. */
    check_only(TRACE FAILS(100, C_THREAD, "connect", NEW(4), " args=\"3, 192.0.2.2:80\"") " ret=-22\n", "connect", "EINVAL",
               "the route there says blackhole");
    check_only(TRACE FAILS(100, C_THREAD, "connect", NEW(4), " args=\"3, 192.0.2.2:80\"") " ret=-13\n", "connect", "EACCES",
               "the route there says prohibit");
}

static void a_connect_from_a_port_of_its_own_says_that_the_pair_is_taken(void **state)
{
    (void)state;
    check_only(TRACE FAILS(100, C_THREAD, "connect", BOUND(4, "192.0.2.1:700"), " args=\"3, 192.0.2.2:80\"") " ret=-99\n",
               "connect", "EADDRNOTAVAIL", "as a pair");
}

static void an_errno_of_which_nothing_is_known_gets_no_sentence(void **state)
{
    (void)state;
    check_only(TRACE FAILS(100, C_THREAD, "connect", NEW(4), "") " ret=-111\n", "connect", "ECONNREFUSED", NULL);
}

static void a_refused_bind_names_who_has_the_port(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE SERVES(6, "0.0.0.0:3333", 100, 110)
                                      FAILS(120, C_THREAD, "bind", NEW(4), " args=\"3, 127.0.0.1:3333\"") " ret=-98\n",
                                  0);
    const struct story_trace *trace = trace_of(told);
    assert_int_equal(trace->apart_count, 2);
    assert_int_equal(trace->apart[0].process.pid, 10);
    assert_string_equal(trace->apart[0].calls[0].why, "the port is taken by server[20], which listens there");
    told_free(told);
}

/* Several may share it (SO_REUSEPORT): the one that was there first, of two at the same instant the one that was recorded first;
 * and the same each time. */
static void of_several_that_have_the_port_the_first_is_named(void **state)
{
    (void)state;
    struct buf text = buf_new(1 << 16);
    buf_printf(&text, "%s", TRACE);
    for (int i = 0; i < 16; i++)
        buf_printf(
            &text,
            "exit t=%d pid=%d tid=%d comm=server name=bind fd=3 ret=0 sock.cookie=%d sock.proto=tcp sock.local=0.0.0.0:3333\n",
            200000 - 1000 * (i / 2), 20 + i, 20 + i, 60 - i);
    buf_printf(&text, "%s ret=-98\n", FAILS(220, C_THREAD, "bind", NEW(4), " args=\"3, 127.0.0.1:3333\""));
    struct told *told = tell_text(buf_string(&text), 0);
    const struct story_trace *trace = trace_of(told);
    assert_string_equal(trace->apart[0].calls[0].why, "the port is taken by server[34]");
    told_free(told);
    buf_free(&text);
}

/* A call that two sockets list is told with the one that was opened first, and all of that one is told: the same each time. */
static void which_calls_are_told_does_not_change_from_one_time_to_the_next(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        struct told *told = tell_text(TRACE ENTER(120, S_THREAD, "bind", NEW(4), " args=\"3, 192.0.2.1:3333\"")
                                          ENTER(121, S_THREAD, "bind", NEW(6), " args=\"3, 127.0.0.1:3333\"")
                                              EXIT(121, S_THREAD, "bind", NEW(4), " ret=-98"),
                                      0);
        const struct story_trace *trace = trace_of(told);
        assert_int_equal(trace->apart_count, 1);
        assert_int_equal(trace->apart[0].count, 2);
        assert_int_equal(trace->apart[0].calls[0].call.exit_ns, 0);
        assert_int_equal(trace->apart[0].calls[1].call.ret, -98);
        told_free(told);
    }
}

/* Nobody saw their packets: their calls alone tell of them, in the order in which they were opened. */
static void connections_by_calls_alone_are_told_in_their_order(void **state)
{
    (void)state;
    enum { CONNECTIONS = 16 };
    struct buf text = buf_new(1 << 16);
    buf_printf(&text, "%s", TRACE);
    for (int i = 0; i < CONNECTIONS; i++)
        buf_printf(&text,
                   "exit t=%d000 pid=10 tid=10 comm=client name=connect fd=3 ret=0 sock.cookie=%d sock.proto=tcp "
                   "sock.local=127.0.0.1:%d sock.remote=127.0.0.1:3333\n",
                   1000 + i, 60 - i, 40000 + i);
    struct told *told = tell_text(buf_string(&text), 0);
    assert_int_equal(told->count, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        assert_true(told->stories[i]->calls_alone);
        assert_int_equal(told->stories[i]->number, i + 1);
        assert_int_equal(told->stories[i]->end[STORY_CLIENT].address.port, 40000 + i);
    }
    told_free(told);
    buf_free(&text);
}

static void nobody_is_named_for_another_address_or_after_a_close_or_of_another_host(void **state)
{
    (void)state;
    static const char unknown[] = "by whom was not recorded";
#define REFUSED(t, at) FAILS(t, S_THREAD, "bind", NEW(4), " args=\"3, " at "\"") " ret=-98\n"
    const char *const texts[] = {
        TRACE SERVES(6, "127.0.0.1:3333", 100, 110) REFUSED(120, "192.0.2.1:3333"),
        TRACE SERVES(6, "0.0.0.0:3333", 100, 110) CALL(112, 113, S_THREAD, "close", LISTENS(6, "0.0.0.0:3333"))
            REFUSED(120, "0.0.0.0:3333"),
        TRACE TWO_ENDS SERVES(6, "0.0.0.0:3333", 100, 110)
            FAILS(120, C_THREAD, "bind", NEW(4), " args=\"3, 0.0.0.0:3333\"") " ret=-98\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct told *told = tell_text(texts[i], 0);
        const struct story_trace *trace = trace_of(told);
        bool found = false;
        for (size_t p = 0; p < trace->apart_count; p++)
            for (size_t c = 0; c < trace->apart[p].count; c++)
                found = found || (trace->apart[p].calls[c].why && strstr(trace->apart[p].calls[c].why, unknown));
        assert_true(found);
        told_free(told);
    }
}

static void a_listener_that_nobody_asked_is_told_whole(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE SERVES(6, "127.0.0.1:3333", 100, 110), 0);
    const struct story_trace *trace = trace_of(told);
    assert_int_equal(trace->apart_count, 1);
    assert_int_equal(trace->apart[0].count, 2);
    assert_non_null(strstr(trace->apart[0].calls[1].why, "on that address alone"));
    assert_true(trace->apart[0].calls[1].call.listener);
    told_free(told);
}

static void a_listener_whose_connection_is_told_or_was_taken_is_not(void **state)
{
    (void)state;
    check_none(TRACE SERVES(6, "127.0.0.1:3333", 100, 110) HANDSHAKE);
    check_none(TRACE SERVES(6, "127.0.0.1:3333", 100, 110) ENTER(200, S_THREAD, "accept", LISTENS(6, "127.0.0.1:3333"), "")
                   EXIT(210, S_THREAD, "accept", LISTENS(6, "127.0.0.1:3333"),
                        " ret=4 other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000"));
}

static void an_accept_that_found_nothing_is_told_but_not_the_last_one_of_a_loop(void **state)
{
    (void)state;
#define LISTENER LISTENS(6, "127.0.0.1:3333")
    check_only(TRACE SERVES(6, "127.0.0.1:3333", 100, 110) FAILS(200, S_THREAD, "accept", LISTENER, "") " ret=-11\n" HANDSHAKE,
               "accept", "EAGAIN", "no finished connection was in the queue");
    check_none(TRACE SERVES(6, "127.0.0.1:3333", 100, 110) HANDSHAKE ENTER(2000, S_THREAD, "accept", LISTENER, "")
                   EXIT(2010, S_THREAD, "accept", LISTENER,
                        " ret=4 other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 "
                        "other.remote=127.0.0.1:40000") FAILS(2020, S_THREAD, "accept", LISTENER, "") " ret=-11\n");
}

static void a_call_of_a_connection_is_told_there_alone(void **state)
{
    (void)state;
    check_none(TRACE HANDSHAKE FAILS(2000, C_THREAD, "recvfrom", C_SOCK, "") " ret=-11\n");
}

static void a_socket_that_was_not_made_is_told(void **state)
{
    (void)state;
    check_only(TRACE "enter t=100000 " C_THREAD "name=socket fd=-1 args=\"AF_INET, SOCK_STREAM, 0\"\nexit t=101000 " C_THREAD
                     "name=socket fd=-1 ret=-24\n",
               "socket", "EMFILE", "RLIMIT_NOFILE");
}

static void what_a_signal_interrupted_or_is_still_under_way_has_not_failed(void **state)
{
    (void)state;
    check_none(TRACE FAILS(100, C_THREAD, "connect", NEW(4), "") " ret=-512\n");
    check_none(TRACE FAILS(100, C_THREAD, "connect", NEW(4), "") " ret=-115\n");
}

static void a_loop_that_asks_for_ever_is_counted(void **state)
{
    (void)state;
    enum { ASKED = 1000, TOLD = 256, BYTES = ASKED * 400 };
    static char text[BYTES];
    size_t used = (size_t)snprintf(text, BYTES, "%s", TRACE);
    for (int i = 0; i < ASKED; i++)
        used += (size_t)snprintf(text + used, BYTES - used,
                                 "enter t=%d " S_THREAD "name=accept fd=3 " LISTENER "\nexit t=%d " S_THREAD
                                 "name=accept fd=3 " LISTENER " ret=-11\n",
                                 1000 + 2 * i, 1001 + 2 * i);
    struct told *told = tell_text(text, 0);
    const struct story_trace *trace = trace_of(told);
    assert_int_equal(trace->apart[0].count, TOLD);
    assert_int_equal(trace->apart_more, ASKED - TOLD);
    told_free(told);
}

/* It began with its calls, and then its packets came: those tell its states. */
static void a_connection_whose_packets_come_later_is_not_told_by_its_calls_alone(void **state)
{
    (void)state;
#define CONNECTED                                                                                                                  \
    "# tcpwhy events 1\ntrace t=1 recorder=ptrace\n"                                                                               \
    "exit t=999000 pid=10 tid=10 comm=client name=connect fd=3 ret=0 " C_SOCK "\n"
    struct told *told = tell_text(CONNECTED, 0);
    assert_true(told->stories[0]->calls_alone);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].state, STATE_UNKNOWN);
    told_free(told);
    told = tell_text(CONNECTED HANDSHAKE PACKET(2000, C, C_DATA), 0);
    assert_int_equal(told->count, 1);
    assert_false(told->stories[0]->calls_alone);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].state, STATE_ESTABLISHED);
    assert_int_equal(told->stories[0]->end[STORY_SERVER].state, STATE_ESTABLISHED);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].bytes_sent, 5);
    told_free(told);
}

#define CHOSEN "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333 chosen=1\nvantage t=1 vantage=1 netns=9 name=lo\n"

static void of_chosen_connections_nobody_knows_who_came_to_a_listener(void **state)
{
    (void)state;
    check_none(CHOSEN SERVES(3, "127.0.0.1:3333", 100, 200));
    check_only(CHOSEN SERVES(3, "127.0.0.1:3333", 100, 200)
                   FAILS(300, S_THREAD, "accept", LISTENS(3, "127.0.0.1:3333"), "") " ret=-11 slept=0\n",
               "accept", "EAGAIN", "no finished connection");
}

static void an_accept_that_shutdown_ended_says_so(void **state)
{
    (void)state;
    struct told *told =
        tell_text(CHOSEN SERVES(3, "127.0.0.1:3333", 100, 200)
                      ENTER(300, S_THREAD, "accept", LISTENS(3, "127.0.0.1:3333"),
                            "") "wake t=400000 " S_THREAD "cur.pid=20 cur.tid=21 cur.comm=server "
                                "chain=try_to_wake_up;sock_def_error_report;tcp_disconnect;inet_shutdown;__x64_sys_shutdown\n"
                                "exit t=410000 " S_THREAD "name=accept fd=3 ret=-22 slept=110000 " BOUND(3, "127.0.0.1:3333") "\n",
                  0);
    assert_int_equal(trace_of(told)->apart_count, 1);
    const struct story_apart_call *apart = &trace_of(told)->apart[0].calls[0];
    assert_int_equal(apart->call.wake.kind, WAKE_CALL);
    assert_string_equal(apart->call.wake.why, "woken by shutdown() of server[20]");
    assert_non_null(strstr(apart->why, "shut down while the call waited"));
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_without_a_port_says_that_none_was_left),
        cmocka_unit_test(a_connect_from_a_port_of_its_own_says_that_the_pair_is_taken),
        cmocka_unit_test(an_errno_of_which_nothing_is_known_gets_no_sentence),
        cmocka_unit_test(a_refused_bind_names_who_has_the_port),
        cmocka_unit_test(of_several_that_have_the_port_the_first_is_named),
        cmocka_unit_test(which_calls_are_told_does_not_change_from_one_time_to_the_next),
        cmocka_unit_test(connections_by_calls_alone_are_told_in_their_order),
        cmocka_unit_test(a_connection_whose_packets_come_later_is_not_told_by_its_calls_alone),
        cmocka_unit_test(nobody_is_named_for_another_address_or_after_a_close_or_of_another_host),
        cmocka_unit_test(a_listener_that_nobody_asked_is_told_whole),
        cmocka_unit_test(a_listener_whose_connection_is_told_or_was_taken_is_not),
        cmocka_unit_test(an_accept_that_found_nothing_is_told_but_not_the_last_one_of_a_loop),
        cmocka_unit_test(a_call_of_a_connection_is_told_there_alone),
        cmocka_unit_test(a_socket_that_was_not_made_is_told),
        cmocka_unit_test(what_a_signal_interrupted_or_is_still_under_way_has_not_failed),
        cmocka_unit_test(a_loop_that_asks_for_ever_is_counted),
        cmocka_unit_test(of_chosen_connections_nobody_knows_who_came_to_a_listener),
        cmocka_unit_test(an_accept_that_shutdown_ended_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
