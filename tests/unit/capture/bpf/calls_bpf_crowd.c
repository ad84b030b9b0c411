/* More than a ring or a map holds. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "calls_bpf_own.h"

enum { ENTRIES_MOST = 64, CROWD = 200 };

static void listen_with_very_many_sockets(void)
{
    int listeners[CROWD];

    for (int i = 0; i < CROWD; i++) {
        listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
        need(listeners[i] >= 0 && listen(listeners[i], 1) == 0);
    }
    for (int i = 0; i < CROWD; i++) close(listeners[i]);
}

static int about_to_wait; /* threads, of the child alone */

static void *wait_for_the_end(void *fd)
{
    char byte;

    __atomic_fetch_add(&about_to_wait, 1, __ATOMIC_RELAXED);
    need(recv(*(int *)fd, &byte, 1, 0) == 0);
    return NULL;
}

static void sleep_in_very_many_threads(void)
{
    pthread_t threads[CROWD];
    int listener = listening(PORT), client = connected(PORT), served = accept(listener, NULL, NULL);

    for (int i = 0; i < CROWD; i++) need(pthread_create(&threads[i], NULL, wait_for_the_end, &client) == 0);
    while (__atomic_load_n(&about_to_wait, __ATOMIC_RELAXED) < CROWD) sleep_ms(1);
    sleep_ms(300); /* now they sleep */
    shutdown(served, SHUT_WR);
    for (int i = 0; i < CROWD; i++) need(pthread_join(threads[i], NULL) == 0);
}

static void have_very_many_children(void)
{
    int gate[2], fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    need(pipe(gate) == 0);
    for (int i = 0; i < CROWD; i++) {
        if (fork()) continue;
        close(gate[1]);
        need(read(gate[0], &byte, 1) == 0);
        _exit(shutdown(fd, SHUT_WR) == 0);
    }
    close(gate[1]);
    while (wait(NULL) > 0) continue;
}

void a_full_ring_is_counted(void **state)
{
    struct calls_options options = {0};
    struct event_log *log = recorded_with(send_very_many_datagrams, &options, false);
    const struct event_lost *lost = &only(log, is_lost, "ring full", "lost")->lost;

    (void)state;
    assert_true(lost->count > 1000);
    assert_true(lost->received > 1000);
    event_log_free(log);
}

static struct event_log *recorded_crowd(void (*part)(void))
{
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1, .entries_most = ENTRIES_MOST};

    return recorded_with(part, &options, true);
}

/* Some are pushed out a little before a map is full. */
static void assert_pushed_out(const struct event_log *log, const char *what)
{
    uint64_t count = only(log, is_lost, what, "lost")->lost.count;

    if (count < CROWD - ENTRIES_MOST - 8 || count > 3 * CROWD) fail_msg("%llu %s", (unsigned long long)count, what);
}

void a_socket_that_was_pushed_out_is_counted_and_never_another_one(void **state)
{
    struct event_log *log = recorded_crowd(listen_with_very_many_sockets);
    uint64_t made[1024] = {0}, ids[CROWD]; /* by descriptor: the recorder has some, too */
    size_t count = 0, closed = 0;

    (void)state;
    assert_pushed_out(log, "sockets not told apart");
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);

        if (is_exit(event, "socket") && count < CROWD && event->call.ret < 1024)
            made[event->call.ret] = ids[count++] = event->call.socket.cookie;
        if (!is_enter(event, "close")) continue;
        closed++;
        assert_int_equal(event->call.socket.cookie, made[event->call.fd]);
    }
    assert_int_equal(closed, CROWD);
    assert_int_equal(count, CROWD);
    qsort(ids, count, sizeof(ids[0]), by_value);
    for (size_t i = 1; i < count; i++) assert_int_not_equal(ids[i - 1], ids[i]);
    event_log_free(log);
}

void a_call_that_was_pushed_out_is_counted_and_has_no_end(void **state)
{
    struct event_log *log = recorded_crowd(sleep_in_very_many_threads);
    size_t begun = 0, ended = 0;

    (void)state;
    assert_pushed_out(log, "calls whose end was not seen");
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);

        if (is_enter(event, "recv")) begun++;
        if (!is_exit(event, "recv")) continue;
        ended++;
        assert_int_equal(event->call.ret, 0);
    }
    assert_int_equal(begun, CROWD);
    assert_true(ended > 0 && ended <= ENTRIES_MOST);
    event_log_free(log);
}

void a_process_that_was_pushed_out_is_counted_and_tells_nothing(void **state)
{
    struct event_log *log = recorded_crowd(have_very_many_children);
    const struct event *ignored;
    size_t calls = count_where(log, is_enter, "shutdown", &ignored);

    (void)state;
    assert_pushed_out(log, "processes no longer followed");
    assert_true(calls > 0 && calls <= ENTRIES_MOST);
    event_log_free(log);
}
