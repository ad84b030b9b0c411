/* Processes that end, run other programs, restart calls and are let go. */
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
#include "calls_ptrace_lives_own.h"
#include "calls_ptrace_own.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/sockinfo.h"
#include "support/actors.h"

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
void a_child_that_ends_at_once_begins_once_and_ends_once(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "short-lived");
    assert_int_equal(processes(&run, PROCESS_FORK), 208);
    assert_int_equal(processes(&run, PROCESS_EXIT), 209);
    assert_false(calls_ptrace.alive(run.calls));
    run_free(&run);
}

void a_thread_has_its_own_tid_and_its_process_pid(void **state)
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

void execve_by_another_thread_ends_the_calls_of_the_rest(void **state)
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

void execve_names_its_path_its_failure_and_what_it_closes(void **state)
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

void sigkill_ends_a_process_in_the_middle_of_a_call(void **state)
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

void a_restarted_call_ends_and_begins_again(void **state)
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

void a_poll_goes_on_after_stop_and_continue(void **state)
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

void a_descriptor_that_becomes_another_socket_meanwhile_misleads_nobody(void **state)
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

void a_descriptor_that_is_used_again_is_what_it_is_now(void **state)
{
    (void)state;
    enum { SOCKETS = 5 };
    struct run run;
    run_whole(&run, "renumbers");
    assert_int_equal(count_of(&run, EVENT_EXIT, "socket"), SOCKETS);
    assert_int_equal(count_of(&run, EVENT_EXIT, "recv"), 2 * SOCKETS);
    for (size_t i = 0; i < SOCKETS; i++) {
        uint64_t cookie = call_at(&run, EVENT_EXIT, "socket", i)->socket.cookie;
        assert_true(cookie);
        for (size_t j = 0; j < i; j++) assert_true(cookie != call_at(&run, EVENT_EXIT, "socket", j)->socket.cookie);
        for (size_t j = 0; j < 2; j++) assert_int_equal(call_at(&run, EVENT_ENTER, "recv", 2 * i + j)->socket.cookie, cookie);
    }
    assert_int_equal(count_of(&run, EVENT_ENTER, "read"), 0); /* none was on a socket */
    run_free(&run);
}

void datagrams_show_where_they_go(void **state)
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

void calls_that_concern_no_inet_socket_are_not_recorded(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "mute");
    assert_calls(&run, "");
    assert_int_equal(count_of(&run, EVENT_ENTER, "exit_group"), 1);
    run_free(&run);
}

void the_report_counts_what_was_recorded_and_lost_nothing(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "talk");
    size_t before = event_log_count(run.log);
    assert_int_equal(calls_ptrace.report(run.calls, run.log, &run.err), 0);
    assert_int_equal(event_log_count(run.log), before + 1);
    const struct event *lost = event_log_at(run.log, before);
    assert_int_equal(lost->kind, EVENT_LOST);
    assert_string_equal(lost->lost.source, "ptrace");
    assert_int_equal(lost->lost.received, before);
    assert_int_equal(lost->lost.count, 0);
    run_free(&run);
}

void a_command_that_is_not_there_is_told_and_reaped(void **state)
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

void closing_ends_what_could_not_go_on_without_a_tracer(void **state)
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
void closing_ends_a_child_that_has_not_begun(void **state)
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

void closing_lets_a_process_without_the_filter_run_on(void **state)
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
