/* What waiting calls watch, children, and calls that take their socket otherwise. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "calls_ptrace_own.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/sockinfo.h"
#include "support/actors.h"

void waiting_calls_say_what_they_watch_and_what_was_ready(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "waits");
    uint64_t listener = call_at(&run, EVENT_EXIT, "listen", 0)->socket.cookie;
    uint64_t client = call_at(&run, EVENT_EXIT, "connect", 0)->socket.cookie;
    uint64_t server = call_at(&run, EVENT_EXIT, "accept", 0)->other.cookie;

    assert_int_equal(count_of(&run, EVENT_ENTER, "ppoll"), 1);
    for (enum event_kind kind = EVENT_ENTER; kind <= EVENT_EXIT; kind++) {
        const struct event_call *poll_call = call_at(&run, kind, "ppoll", 0);
        assert_int_equal(poll_call->watch_count, 1);
        assert_int_equal(poll_call->watch_total, 1);
        assert_int_equal(poll_call->watch[0].cookie, listener);
        assert_int_equal(poll_call->watch[0].data, 3);
        assert_int_equal(poll_call->watch[0].events, POLLIN);

        const struct event_call *select_call = call_at(&run, kind, "pselect6", 0);
        assert_int_equal(select_call->watch_count, 1);
        assert_int_equal(select_call->watch[0].cookie, client);
        assert_int_equal(select_call->watch[0].events, POLLOUT);
        select_call = call_at(&run, kind, "pselect6", 1);
        assert_int_equal(select_call->watch_count, 1);
        assert_int_equal(select_call->watch[0].cookie, client);
        assert_int_equal(select_call->watch[0].data, 64);
    }

    const struct event_call *control = call_at(&run, EVENT_EXIT, "epoll_ctl", 0);
    assert_int_equal(control->socket.cookie, server);
    assert_int_equal(control->watch_count, 1);
    assert_int_equal(control->watch[0].data, 0x123456789a);
    assert_int_equal(call_at(&run, EVENT_EXIT, "epoll_ctl", 1)->watch_count, 0);

    assert_int_equal(count_of(&run, EVENT_ENTER, "epoll_pwait"), 2);
    const struct event_call *wait_call = call_at(&run, EVENT_EXIT, "epoll_pwait", 0);
    assert_int_equal(wait_call->epoll, control->epoll);
    assert_int_equal(wait_call->watch_count, 1);
    assert_int_equal(wait_call->watch[0].data, 0x123456789a);
    assert_int_equal(wait_call->watch[0].cookie, server);
    assert_int_equal(wait_call->watch[0].events, EPOLLIN);

    const struct event_call *vague = call_at(&run, EVENT_EXIT, "epoll_pwait", 1);
    assert_int_equal(vague->watch_count, 2);
    assert_int_equal(vague->watch[0].cookie, 0);
    assert_int_equal(vague->watch[1].cookie, 0);
    run_free(&run);
}

const struct event *process_at(const struct run *run, uint8_t change, size_t n)
{
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (event->kind == EVENT_PROCESS && event->process.change == change && !n--) return event;
    }
    fail_msg("no such change of a process");
    return NULL;
}

void a_forked_child_is_followed_with_its_own_name_and_end(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "fork");
    const struct event *birth = process_at(&run, PROCESS_FORK, 0);
    const struct event_call *connect = call_at(&run, EVENT_ENTER, "connect", 0);
    assert_int_equal(birth->process.parent, run.child.pid);
    assert_int_equal(connect->thread.pid, birth->process.thread.pid);
    assert_string_equal(connect->thread.comm, "the child");
    const struct event *child_end = process_at(&run, PROCESS_EXIT, 0), *parent_end = process_at(&run, PROCESS_EXIT, 1);
    assert_int_equal(child_end->process.thread.pid, birth->process.thread.pid);
    assert_int_equal(child_end->process.status, 7);
    assert_int_equal(child_end->process.signal, 0);
    assert_string_equal(child_end->process.thread.comm, "the child");
    assert_int_equal(parent_end->process.thread.pid, run.child.pid);
    assert_string_equal(parent_end->process.thread.comm, "a\033[31m\nb\"<");
    run_free(&run);
}

void calls_that_take_their_socket_otherwise_are_recorded_with_it(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "passes");
    const struct event_call *in = call_at(&run, EVENT_EXIT, "splice", 0), *out = call_at(&run, EVENT_EXIT, "splice", 1);
    assert_int_equal(count_of(&run, EVENT_EXIT, "splice"), 2);
    assert_int_equal(in->fd, 5);
    assert_int_equal(in->how, 0);
    assert_int_equal(out->fd, 5);
    assert_int_equal(out->how, 1);
    assert_int_equal(out->ret, 4);
    assert_true(in->socket.cookie && in->socket.cookie == out->socket.cookie);
    assert_string_equal(call_at(&run, EVENT_ENTER, "splice", 1)->args, "6, NULL, 5, NULL, 4, SPLICE_F_MOVE");
    assert_int_equal(call_at(&run, EVENT_EXIT, "preadv2", 0)->ret, 4);
    assert_int_equal(call_at(&run, EVENT_EXIT, "pwritev2", 0)->fd, 4);
    const struct event_call *copy = call_at(&run, EVENT_EXIT, "fcntl", 0);
    assert_int_equal(count_of(&run, EVENT_EXIT, "fcntl"), 1);
    assert_int_equal(copy->ret, 20);
    assert_int_equal(copy->socket.cookie, call_at(&run, EVENT_ENTER, "close", 0)->socket.cookie);
    run_free(&run);
}

void what_is_taken_out_of_another_process_is_its_socket(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "takes");
    const struct event_call *taken = call_at(&run, EVENT_EXIT, "pidfd_getfd", 0),
                            *pipe = call_at(&run, EVENT_EXIT, "pidfd_getfd", 1);
    const struct event_call *close = call_at(&run, EVENT_ENTER, "close", 0), *listen = call_at(&run, EVENT_EXIT, "listen", 0);
    assert_int_equal(count_of(&run, EVENT_ENTER, "pidfd_getfd"), 3);
    assert_int_equal(count_of(&run, EVENT_EXIT, "pidfd_getfd"), 3);
    assert_true(taken->other.cookie && taken->other.cookie == listen->socket.cookie && taken->thread.pid != listen->thread.pid);
    assert_int_equal(taken->socket.cookie, 0);
    assert_int_equal(pipe->other.cookie, 0);
    assert_true(pipe->ret >= 0);
    assert_int_equal(call_at(&run, EVENT_EXIT, "pidfd_getfd", 2)->ret, -EBADF);
    assert_int_equal(close->fd, taken->ret);
    assert_int_equal(close->socket.cookie, taken->other.cookie);
    run_free(&run);
}

void a_filter_of_the_programs_own_finds_no_tracer_as_it_would_without_one(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "own-filter");
    assert_int_equal(call_at(&run, EVENT_EXIT, "socket", 0)->ret, 3);
    run_free(&run);
}

void a_child_that_asks_not_to_be_traced_is_followed_and_its_calls_work(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "untraced");
    assert_int_equal(call_at(&run, EVENT_EXIT, "socket", 0)->ret, 3);
    assert_int_equal(call_at(&run, EVENT_EXIT, "socket", 1)->ret, 3);
    assert_int_equal(count_of(&run, EVENT_EXIT, "socket"), 2);
    run_free(&run);
}

void close_range_names_all_the_sockets_it_closes(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "range");
    assert_int_equal(count_of(&run, EVENT_EXIT, "close_range"), 1);
    const struct event_call *range = call_at(&run, EVENT_EXIT, "close_range", 0);
    assert_int_equal(range->fd, 4);
    assert_int_equal(range->watch_count, 2);
    assert_int_equal(range->watch_total, 2);
    assert_int_equal(range->watch[0].cookie, call_at(&run, EVENT_EXIT, "connect", 0)->socket.cookie);
    assert_int_equal(range->watch[0].events, POLLNVAL);
    assert_int_equal(range->watch[1].cookie, call_at(&run, EVENT_EXIT, "accept", 0)->other.cookie);
    assert_int_equal(range->watch[1].data, 5);
    run_free(&run);
}

void dup2_over_a_socket_names_the_socket_it_closes(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "dup2");
    const struct event_call *dup_exit = call_at(&run, EVENT_EXIT, "dup", 0);
    assert_int_equal(dup_exit->ret, 6);
    /* glibc's dup2 is dup3 where there is no dup2. */
    const char *name = count_of(&run, EVENT_EXIT, "dup3") ? "dup3" : "dup2";
    assert_int_equal(count_of(&run, EVENT_EXIT, name), 2);
    assert_int_equal(call_at(&run, EVENT_EXIT, name, 0)->other.cookie, dup_exit->socket.cookie);
    assert_int_equal(call_at(&run, EVENT_EXIT, name, 1)->other.cookie, dup_exit->socket.cookie);
    assert_int_equal(call_at(&run, EVENT_EXIT, name, 1)->socket.cookie, 0);
    run_free(&run);
}
