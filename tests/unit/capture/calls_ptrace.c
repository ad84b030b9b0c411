/* The ptrace recorder, on real small programs: this file's own, run again with an actor's name (tests/support/actors.c). */
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
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/sockinfo.h"
#include "support/actors.h"

/* ---- recording them ---- */

struct run {
    struct calls *calls;
    struct event_log *log;
    struct child child;
    struct err err;
    int status;
};

static void run_begin(struct run *run, const char *actor)
{
    static char self[] = "/proc/self/exe", word[] = "actor";
    char *name = strdup(actor);
    *run = (struct run){.log = event_log_new(), .status = -1};
    struct child_options options = {.argv = (char *[]){self, word, name, NULL},
                                    .stdin_fd = -1,
                                    .stdout_fd = -1,
                                    .stderr_fd = -1,
                                    .keep_fds = {-1, -1, -1, -1},
                                    .setup = calls_ptrace.child_setup};
    if (calls_ptrace.open(&run->calls, &(struct calls_options){0}, &run->err)) fail_msg("%s", run->err.text);
    assert_int_equal(child_spawn(&options, &run->child, &run->err), 0);
    if (calls_ptrace.follow(run->calls, run->child.pid, &run->err)) fail_msg("%s", run->err.text);
    assert_int_equal(child_release(&run->child, &run->err), 0);
    free(name);
}

static size_t run_drain(struct run *run)
{
    int got = calls_ptrace.drain(run->calls, run->log, &run->err);
    if (got < 0) fail_msg("%s", run->err.text);
    return event_log_count(run->log);
}

/* SIGCHLD is blocked by main, so waiting for it loses none. */
static void run_wait(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = 50000000});
}

static void run_to_end(struct run *run)
{
    time_t limit = time(NULL) + 20;
    for (run_drain(run); !calls_ptrace.ended(run->calls, run->child.pid, &run->status); run_drain(run)) {
        if (time(NULL) > limit) fail_msg("it does not end");
        run_wait();
    }
}

static void run_free(struct run *run)
{
    child_close(&run->child);
    calls_ptrace.close(run->calls);
    event_log_free(run->log);
}

static void run_whole(struct run *run, const char *actor)
{
    run_begin(run, actor);
    run_to_end(run);
    if (run->status) fail_msg("the actor ended with status %#x", (unsigned)run->status);
}

/* ---- reading the log ---- */

static bool is_call(const struct event *event)
{
    return event->kind == EVENT_ENTER || event->kind == EVENT_EXIT;
}

/* The n-th (from 0) event of this kind and name; fails where there is none. */
static const struct event_call *call_at(const struct run *run, enum event_kind kind, const char *name, size_t n)
{
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (event->kind == kind && strcmp(event->call.name, name) == 0 && !n--) return &event->call;
    }
    fail_msg("no such %s in the log", name);
    return NULL;
}

static size_t count_of(const struct run *run, enum event_kind kind, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (event->kind == kind && (!name || strcmp(event->call.name, name) == 0)) count++;
    }
    return count;
}

/* "connect(4, 127.0.0.1:PORT) = 0" lines of the calls between execve and exit_group, a line a side: "> " enter, "< " exit. The
 * listener's port is written PORT. */
static void assert_calls(const struct run *run, const char *expected)
{
    struct buf text = buf_new(1 << 16);
    char port[16] = ":0";
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (!is_call(event) || strncmp(event->call.name, "exec", 4) == 0 || strcmp(event->call.name, "exit_group") == 0) continue;
        const struct event_call *call = &event->call;
        if (strcmp(call->name, "bind") == 0 && call->socket.local.port)
            snprintf(port, sizeof(port), ":%u", call->socket.local.port);
        if (event->kind == EVENT_ENTER) {
            const char *at = strlen(port) > 2 ? strstr(call->args, port) : NULL;
            if (at)
                buf_printf(&text, "> %s(%.*s:PORT)\n", call->name, (int)(at - call->args), call->args);
            else
                buf_printf(&text, "> %s(%s)\n", call->name, call->args);
        } else {
            buf_printf(&text, "< %s = %lld\n", call->name, (long long)call->ret);
        }
    }
    assert_string_equal(buf_string(&text), expected);
    buf_free(&text);
}

/* ---- the tests ---- */

static void the_calls_of_a_conversation_are_recorded_in_order(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "talk");
    assert_calls(&run, "> socket(AF_INET, SOCK_STREAM, 0)\n"
                       "< socket = 3\n"
                       "> bind(3, 127.0.0.1:0)\n"
                       "< bind = 0\n"
                       "> listen(3, 5)\n"
                       "< listen = 0\n"
                       "> socket(AF_INET, SOCK_STREAM, 0)\n"
                       "< socket = 4\n"
                       "> connect(4, 127.0.0.1:PORT)\n"
                       "< connect = 0\n"
                       "> accept(3)\n"
                       "< accept = 5\n"
                       "> write(4, ..., 5)\n"
                       "< write = 5\n"
                       "> read(5, ..., 16)\n"
                       "< read = 5\n"
                       "> shutdown(4, SHUT_WR)\n"
                       "< shutdown = 0\n"
                       "> read(5, ..., 16)\n"
                       "< read = 0\n"
                       "> close(5)\n"
                       "< close = 0\n"
                       "> close(4)\n"
                       "< close = 0\n"
                       "> close(3)\n"
                       "< close = 0\n");

    const struct event_call *listener = call_at(&run, EVENT_EXIT, "socket", 0), *client = call_at(&run, EVENT_EXIT, "socket", 1);
    const struct event_call *accept = call_at(&run, EVENT_EXIT, "accept", 0), *connect = call_at(&run, EVENT_EXIT, "connect", 0);
    assert_true(listener->socket.cookie && client->socket.cookie && accept->other.cookie);
    assert_int_equal(accept->socket.cookie, listener->socket.cookie);
    assert_true(accept->other.cookie != listener->socket.cookie && accept->other.cookie != client->socket.cookie);
    assert_int_equal(connect->socket.cookie, client->socket.cookie);
    assert_int_equal(connect->slept_ns, -1);
    assert_int_equal(connect->args[0], 0);

    /* The two ends know each other by their addresses. */
    assert_true(connect->socket.local.port && connect->socket.remote.port);
    assert_true(address_equal(&connect->socket.local, &accept->other.remote));
    assert_true(address_equal(&connect->socket.remote, &accept->other.local));
    assert_int_equal(call_at(&run, EVENT_ENTER, "connect", 0)->socket.state, KERNEL_CLOSE);
    assert_int_equal(connect->socket.state, KERNEL_ESTABLISHED);
    assert_int_equal(accept->socket.state, KERNEL_LISTEN);

    /* close: what ENTER saw stays true of the socket that is gone. */
    assert_int_equal(call_at(&run, EVENT_EXIT, "close", 0)->socket.cookie, accept->other.cookie);
    assert_int_equal(call_at(&run, EVENT_EXIT, "close", 1)->socket.cookie, client->socket.cookie);

    assert_int_equal(call_at(&run, EVENT_ENTER, "shutdown", 0)->how, SHUT_WR);
    assert_int_equal(call_at(&run, EVENT_ENTER, "listen", 0)->how, 5);
    run_free(&run);
}

static void times_never_run_backwards_within_a_thread(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "talk");
    int64_t last = 0;
    for (size_t i = 0; i < event_log_count(run.log); i++) {
        const struct event *event = event_log_at(run.log, i);
        assert_true(event->t_ns >= last);
        last = event->t_ns;
    }
    assert_true(last - event_log_at(run.log, 0)->t_ns < 20000000000LL);
    assert_true(llabs(last / 1000000000 - (int64_t)time(NULL)) < 60); /* CLOCK_REALTIME */
    run_free(&run);
}

static void unread_bytes_are_seen_when_close_begins(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "unread");
    const struct event_call *close = call_at(&run, EVENT_ENTER, "close", 0);
    assert_true(close->socket.has_unread);
    assert_int_equal(close->socket.unread_bytes, 5);
    const struct event_call *send = call_at(&run, EVENT_ENTER, "send", 0);
    assert_string_equal(send->args, "4, ..., 5, MSG_NOSIGNAL");
    assert_false(send->socket.has_unread);
    run_free(&run);
}

static void a_refused_connect_keeps_the_peer_it_named(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "refused");
    const struct event_call *connect = call_at(&run, EVENT_EXIT, "connect", 0);
    assert_int_equal(connect->ret, -ECONNREFUSED);
    char text[ADDRESS_TEXT_BYTES];
    address_format_ip(&connect->socket.remote, text);
    assert_string_equal(text, "127.0.0.1");
    assert_true(connect->socket.remote.port);
    run_free(&run);
}

static void dup2_over_a_socket_names_the_socket_it_closes(void **state)
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

static void close_range_names_all_the_sockets_it_closes(void **state)
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

static void waiting_calls_say_what_they_watch_and_what_was_ready(void **state)
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

static const struct event *process_at(const struct run *run, uint8_t change, size_t n)
{
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (event->kind == EVENT_PROCESS && event->process.change == change && !n--) return event;
    }
    fail_msg("no such change of a process");
    return NULL;
}

static void a_forked_child_is_followed_with_its_own_name_and_end(void **state)
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

static void calls_that_take_their_socket_otherwise_are_recorded_with_it(void **state)
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

static void a_filter_of_the_programs_own_finds_no_tracer_as_it_would_without_one(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "own-filter");
    assert_int_equal(call_at(&run, EVENT_EXIT, "socket", 0)->ret, 3);
    run_free(&run);
}

static void a_child_that_asks_not_to_be_traced_is_followed_and_its_calls_work(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "untraced");
    assert_int_equal(call_at(&run, EVENT_EXIT, "socket", 0)->ret, 3);
    assert_int_equal(call_at(&run, EVENT_EXIT, "socket", 1)->ret, 3);
    assert_int_equal(count_of(&run, EVENT_EXIT, "socket"), 2);
    run_free(&run);
}

static size_t processes(const struct run *run, uint8_t change)
{
    size_t n = 0;
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        n += event->kind == EVENT_PROCESS && event->process.change == change;
    }
    return n;
}

/* Its end may be reported before its parent's word that it began, and the dead is to be seen in /proc for long: it must not be
 * waited for. */
static void a_child_that_ends_at_once_begins_once_and_ends_once(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "short-lived");
    assert_int_equal(processes(&run, PROCESS_FORK), 208);
    assert_int_equal(processes(&run, PROCESS_EXIT), 209);
    assert_false(calls_ptrace.alive(run.calls));
    run_free(&run);
}

static void a_thread_has_its_own_tid_and_its_process_pid(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "thread");
    const struct event_call *connect = call_at(&run, EVENT_EXIT, "connect", 0), *accept = call_at(&run, EVENT_EXIT, "accept", 0);
    assert_int_equal(connect->thread.pid, run.child.pid);
    assert_int_not_equal(connect->thread.tid, run.child.pid);
    assert_int_equal(accept->thread.tid, run.child.pid);
    assert_true(accept->other.cookie);
    assert_int_equal(count_of(&run, EVENT_PROCESS, NULL), 2); /* one EXEC, one EXIT: a thread is no process */
    run_free(&run);
}

static void execve_by_another_thread_ends_the_calls_of_the_rest(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "thread-exec");
    assert_int_equal(count_of(&run, EVENT_ENTER, "accept"), 1);
    process_at(&run, PROCESS_EXEC, 1);
    const struct event *end = process_at(&run, PROCESS_EXIT, 0);
    assert_int_equal(end->process.thread.pid, run.child.pid);
    assert_int_equal(end->process.status, 0);
    const struct event_call *exec = call_at(&run, EVENT_EXIT, "execve", 1);
    assert_int_equal(exec->ret, 0);
    assert_int_equal(exec->thread.tid, call_at(&run, EVENT_ENTER, "execve", 1)->thread.tid);
    run_free(&run);
}

static void execve_names_its_path_its_failure_and_what_it_closes(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "exec-close");
    assert_string_equal(call_at(&run, EVENT_ENTER, "execve", 0)->args, "\"/proc/self/exe\", ..., ...");
    assert_string_equal(call_at(&run, EVENT_ENTER, "execve", 1)->args, "\"/no/such/file\", ..., ...");
    const struct event_call *failed = call_at(&run, EVENT_EXIT, "execve", 1), *done = call_at(&run, EVENT_EXIT, "execve", 2);
    assert_int_equal(failed->ret, -ENOENT);
    assert_int_equal(failed->watch_count, 0);
    assert_int_equal(done->ret, 0);
    assert_int_equal(done->watch_count, 1);
    assert_int_equal(done->watch[0].cookie, call_at(&run, EVENT_EXIT, "listen", 0)->socket.cookie);
    run_free(&run);
}

static void wait_for_call(struct run *run, const char *name)
{
    time_t limit = time(NULL) + 20;
    for (run_drain(run); !count_of(run, EVENT_ENTER, name); run_drain(run)) {
        if (time(NULL) > limit) fail_msg("%s never begins", name);
        run_wait();
    }
}

static void sigkill_ends_a_process_in_the_middle_of_a_call(void **state)
{
    (void)state;
    struct run run;
    run_begin(&run, "accept-forever");
    wait_for_call(&run, "accept");
    assert_int_equal(kill(run.child.pid, SIGKILL), 0);
    run_to_end(&run);
    assert_true(WIFSIGNALED(run.status));
    assert_int_equal(count_of(&run, EVENT_EXIT, "accept"), 0);
    const struct event *end = process_at(&run, PROCESS_EXIT, 0);
    assert_int_equal(end->process.signal, SIGKILL);
    assert_int_equal(end->process.status, -1);
    run_free(&run);
}

static void a_restarted_call_ends_and_begins_again(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "interrupted");
    enum { RESTART_SYS = 512 };
    assert_int_equal(count_of(&run, EVENT_ENTER, "accept"), 2);
    assert_int_equal(call_at(&run, EVENT_EXIT, "accept", 0)->ret, -RESTART_SYS);
    assert_int_equal(call_at(&run, EVENT_EXIT, "accept", 0)->other.cookie, 0);
    assert_true(call_at(&run, EVENT_EXIT, "accept", 1)->ret >= 0);
    assert_true(call_at(&run, EVENT_EXIT, "accept", 1)->other.cookie);
    run_free(&run);
}

static void a_poll_goes_on_after_stop_and_continue(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "stopped");
    const char *name = count_of(&run, EVENT_ENTER, "poll") ? "poll" : "ppoll";
    size_t count = count_of(&run, EVENT_ENTER, name);
    assert_true(count >= 2);
    assert_int_equal(count_of(&run, EVENT_EXIT, name), count);
    const struct event_call *last = call_at(&run, EVENT_EXIT, name, count - 1);
    assert_int_equal(last->ret, 1);
    assert_int_equal(last->watch[0].events, POLLIN);
    run_free(&run);
}

static void a_descriptor_that_becomes_another_socket_meanwhile_misleads_nobody(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "swap");
    uint64_t server = call_at(&run, EVENT_EXIT, "accept", 0)->other.cookie;
    const struct event_call *read_exit = call_at(&run, EVENT_EXIT, "read", 0);
    assert_int_equal(read_exit->ret, 1);
    assert_int_equal(read_exit->socket.cookie, server);
    run_free(&run);
}

static void datagrams_show_where_they_go(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "udp");
    char expected[128], where[ADDRESS_TEXT_BYTES];
    const struct event_call *receive = call_at(&run, EVENT_ENTER, "recv", 0);
    assert_int_equal(receive->socket.protocol, IPPROTO_UDP);
    assert_int_equal(receive->socket.unread_bytes, 2);
    address_format(&receive->socket.local, where);
    snprintf(expected, sizeof(expected), "4, ..., 2, 0, %s", where);
    assert_string_equal(call_at(&run, EVENT_ENTER, "sendto", 0)->args, expected);
    snprintf(expected, sizeof(expected), "4, {%s, ...}, 0", where);
    assert_string_equal(call_at(&run, EVENT_ENTER, "sendmsg", 0)->args, expected);
    assert_int_equal(call_at(&run, EVENT_EXIT, "sendto", 0)->ret, 2);
    run_free(&run);
}

static void calls_that_concern_no_inet_socket_are_not_recorded(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "mute");
    assert_calls(&run, "");
    assert_int_equal(count_of(&run, EVENT_ENTER, "exit_group"), 1);
    run_free(&run);
}

static void the_report_counts_what_was_recorded_and_lost_nothing(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "talk");
    size_t before = event_log_count(run.log);
    assert_int_equal(calls_ptrace.report(run.calls, run.log, &run.err), 0);
    const struct event *lost = event_log_at(run.log, before);
    assert_int_equal(lost->kind, EVENT_LOST);
    assert_string_equal(lost->lost.source, "ptrace");
    assert_int_equal(lost->lost.received, before);
    assert_int_equal(lost->lost.count, 0);
    run_free(&run);
}

static void a_command_that_is_not_there_is_told_and_reaped(void **state)
{
    (void)state;
    struct run run = {.log = event_log_new()};
    struct child_options options = {.argv = (char *[]){(char[]){"/no/such/command"}, NULL},
                                    .stdin_fd = -1,
                                    .stdout_fd = -1,
                                    .stderr_fd = -1,
                                    .keep_fds = {-1, -1, -1, -1},
                                    .setup = calls_ptrace.child_setup};
    assert_int_equal(calls_ptrace.open(&run.calls, &(struct calls_options){0}, &run.err), 0);
    assert_int_equal(child_spawn(&options, &run.child, &run.err), 0);
    assert_int_equal(calls_ptrace.follow(run.calls, run.child.pid, &run.err), 0);
    assert_int_equal(child_release(&run.child, &run.err), 0);
    run_to_end(&run);
    assert_int_equal(WEXITSTATUS(run.status), 127);
    assert_int_equal(child_exec_error(&run.child, &run.err), -ENOENT);
    assert_non_null(strstr(run.err.text, "/no/such/command"));
    run_free(&run);
}

static void closing_ends_what_could_not_go_on_without_a_tracer(void **state)
{
    (void)state;
    struct run run;
    run_begin(&run, "accept-forever");
    wait_for_call(&run, "accept");
    pid_t pid = run.child.pid;
    run_free(&run);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* Between its gate and its exec nobody has seen the filter yet, but it may be on. */
static void closing_ends_a_child_that_has_not_begun(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct run run;
        run_begin(&run, "accept-forever");
        nanosleep(&(struct timespec){.tv_nsec = i * 50000}, NULL);
        pid_t pid = run.child.pid;
        run_free(&run);
        assert_int_equal(kill(pid, 0), -1);
    }
}

static void closing_lets_a_process_without_the_filter_run_on(void **state)
{
    (void)state;
    struct run run = {.log = event_log_new()};
    int status;
    struct child_options options = {.argv = (char *[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){"sleep 0.3; exit 5"}, NULL},
                                    .stdin_fd = -1,
                                    .stdout_fd = -1,
                                    .stderr_fd = -1,
                                    .keep_fds = {-1, -1, -1, -1}};
    assert_int_equal(calls_ptrace.open(&run.calls, &(struct calls_options){0}, &run.err), 0);
    assert_int_equal(child_spawn(&options, &run.child, &run.err), 0);
    assert_int_equal(calls_ptrace.follow(run.calls, run.child.pid, &run.err), 0);
    assert_int_equal(child_release(&run.child, &run.err), 0);
    for (int i = 0; i < 3; i++) {
        run_wait();
        run_drain(&run);
    }
    pid_t pid = run.child.pid;
    run_free(&run);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 5) fail_msg("status %#x", (unsigned)status);
}

static bool is_gone(pid_t pid)
{
    char path[64], text[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    if (!stat) return true;
    const char *behind_name = fgets(text, sizeof(text), stat) ? strrchr(text, ')') : NULL;
    fclose(stat);
    return !behind_name || behind_name[2] == 'Z'; /* nobody may have reaped it yet */
}

static void a_recorder_that_is_killed_takes_all_descendants_with_it(void **state)
{
    (void)state;
    int pipe_fds[2];
    pid_t pids[2] = {0};
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t recorder = fork();
    if (recorder == 0) {
        struct run run;
        run_begin(&run, "two-forever");
        while (count_of(&run, EVENT_ENTER, "accept") < 2) {
            run_wait();
            run_drain(&run);
        }
        for (size_t i = 0; i < 2; i++) pids[i] = call_at(&run, EVENT_ENTER, "accept", i)->thread.pid;
        if (write(pipe_fds[1], pids, sizeof(pids)) < 0) _exit(1);
        for (;;) pause();
    }
    assert_int_equal(read(pipe_fds[0], pids, sizeof(pids)), (ssize_t)sizeof(pids));
    assert_false(is_gone(pids[0]) || is_gone(pids[1]) || pids[0] == pids[1]);
    kill(recorder, SIGKILL);
    waitpid(recorder, NULL, 0);
    for (int tries = 0; tries < 2000 && !(is_gone(pids[0]) && is_gone(pids[1])); tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    bool gone = is_gone(pids[0]) && is_gone(pids[1]);
    for (size_t i = 0; i < 2 && !gone; i++) kill(pids[i], SIGKILL);
    assert_true(gone);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void following_a_process_twice_fails_with_a_sentence(void **state)
{
    (void)state;
    struct run run;
    run_begin(&run, "accept-forever");
    struct err err = {0};
    assert_int_equal(calls_ptrace.follow(run.calls, run.child.pid, &err), -EPERM);
    assert_non_null(strstr(err.text, "another debugger"));
    run_free(&run);
}

static void assert_open_refused(long number, const char *part)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        struct calls *calls = NULL;
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), (int)number, 0) || seccomp_load(filter)) _exit(2);
        if (calls_ptrace.open(&calls, &(struct calls_options){0}, &err) != -EPERM || calls) _exit(3);
        _exit(strstr(err.text, part) && strstr(err.text, "a seccomp filter is on this process") && !strchr(err.text, '\n') ? 0 : 4);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_place_that_refuses_names_what_it_refuses(void **state)
{
    (void)state;
    assert_open_refused(SYS_ptrace, "ptrace of a child process");
    assert_open_refused(SYS_process_vm_readv, "process_vm_readv");
    assert_open_refused(SYS_pidfd_getfd, "pidfd_getfd");
}

static void the_look_at_a_socket_leaves_nothing_open(void **state)
{
    (void)state;
    struct event_socket socket_seen;
    int before = dup(0);
    close(before);
    int udp = socket(AF_INET6, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(sockinfo_of(getpid(), udp, &socket_seen));
    assert_int_equal(socket_seen.protocol, IPPROTO_UDP);
    assert_int_equal(socket_seen.local.version, 0);
    assert_false(sockinfo_of(getpid(), local, &socket_seen));
    assert_int_equal(errno, 0);
    assert_false(sockinfo_of(getpid(), 1000, &socket_seen));
    assert_int_equal(errno, 0);
    assert_false(sockinfo_of(getpid(), -1, &socket_seen));
    assert_int_equal(socket_seen.cookie, 0);
    close(udp);
    close(local);
    int after = dup(0);
    assert_int_equal(after, before);
    close(after);
}

static void the_recorder_of_nothing_reaps_and_tells_the_end(void **state)
{
    (void)state;
    struct run run = {.log = event_log_new()};
    struct child_options options = {.argv = (char *[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 3"}, NULL},
                                    .stdin_fd = -1,
                                    .stdout_fd = -1,
                                    .stderr_fd = -1,
                                    .keep_fds = {-1, -1, -1, -1}};
    assert_int_equal(calls_none.open(&run.calls, &(struct calls_options){0}, &run.err), 0);
    assert_int_equal(child_spawn(&options, &run.child, &run.err), 0);
    assert_int_equal(calls_none.follow(run.calls, run.child.pid, &run.err), 0);
    assert_int_equal(calls_none.drain(run.calls, run.log, &run.err), 0);
    assert_false(calls_none.ended(run.calls, run.child.pid, &run.status));
    assert_int_equal(child_release(&run.child, &run.err), 0);
    for (int tries = 0; tries < 400 && !calls_none.ended(run.calls, run.child.pid, &run.status); tries++) {
        run_wait();
        assert_true(calls_none.drain(run.calls, run.log, &run.err) >= 0);
    }
    assert_int_equal(WEXITSTATUS(run.status), 3);
    const struct event *end = process_at(&run, PROCESS_EXIT, 0);
    assert_int_equal(end->process.status, 3);
    assert_string_equal(end->process.thread.comm, "sh");
    assert_int_equal(calls_none.report(run.calls, run.log, &run.err), 0);
    child_close(&run.child);
    calls_none.close(run.calls);
    event_log_free(run.log);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "actor") == 0) return actors_act(argv[2]);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calls_of_a_conversation_are_recorded_in_order),
        cmocka_unit_test(times_never_run_backwards_within_a_thread),
        cmocka_unit_test(unread_bytes_are_seen_when_close_begins),
        cmocka_unit_test(a_refused_connect_keeps_the_peer_it_named),
        cmocka_unit_test(dup2_over_a_socket_names_the_socket_it_closes),
        cmocka_unit_test(close_range_names_all_the_sockets_it_closes),
        cmocka_unit_test(waiting_calls_say_what_they_watch_and_what_was_ready),
        cmocka_unit_test(a_forked_child_is_followed_with_its_own_name_and_end),
        cmocka_unit_test(calls_that_take_their_socket_otherwise_are_recorded_with_it),
        cmocka_unit_test(a_filter_of_the_programs_own_finds_no_tracer_as_it_would_without_one),
        cmocka_unit_test(a_child_that_asks_not_to_be_traced_is_followed_and_its_calls_work),
        cmocka_unit_test(a_child_that_ends_at_once_begins_once_and_ends_once),
        cmocka_unit_test(a_thread_has_its_own_tid_and_its_process_pid),
        cmocka_unit_test(execve_by_another_thread_ends_the_calls_of_the_rest),
        cmocka_unit_test(execve_names_its_path_its_failure_and_what_it_closes),
        cmocka_unit_test(sigkill_ends_a_process_in_the_middle_of_a_call),
        cmocka_unit_test(a_restarted_call_ends_and_begins_again),
        cmocka_unit_test(a_poll_goes_on_after_stop_and_continue),
        cmocka_unit_test(a_descriptor_that_becomes_another_socket_meanwhile_misleads_nobody),
        cmocka_unit_test(datagrams_show_where_they_go),
        cmocka_unit_test(calls_that_concern_no_inet_socket_are_not_recorded),
        cmocka_unit_test(the_report_counts_what_was_recorded_and_lost_nothing),
        cmocka_unit_test(a_command_that_is_not_there_is_told_and_reaped),
        cmocka_unit_test(closing_ends_what_could_not_go_on_without_a_tracer),
        cmocka_unit_test(closing_ends_a_child_that_has_not_begun),
        cmocka_unit_test(closing_lets_a_process_without_the_filter_run_on),
        cmocka_unit_test(a_recorder_that_is_killed_takes_all_descendants_with_it),
        cmocka_unit_test(following_a_process_twice_fails_with_a_sentence),
        cmocka_unit_test(a_place_that_refuses_names_what_it_refuses),
        cmocka_unit_test(the_look_at_a_socket_leaves_nothing_open),
        cmocka_unit_test(the_recorder_of_nothing_reaps_and_tells_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
