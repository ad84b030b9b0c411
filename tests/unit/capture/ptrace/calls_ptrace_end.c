/* How recorders end, and what they refuse. */
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
#include "support/actors.h"
#include "support/sleeper.h"
#include "support/socket_of.h"

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

void a_recorder_that_is_killed_takes_all_descendants_with_it(void **state)
{
    (void)state;
    int pipe_fds[2];
    pid_t pids[2] = {0};
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t parent = getpid(), recorder = fork();
    if (recorder == 0) {
        struct run run;
        run_begin(&run, "two-forever");
        while (count_of(&run, EVENT_ENTER, "accept") < 2) {
            run_wait();
            run_drain(&run);
        }
        for (size_t i = 0; i < 2; i++) pids[i] = call_at(&run, EVENT_ENTER, "accept", i)->thread.pid;
        if (write(pipe_fds[1], pids, sizeof(pids)) < 0) _exit(1);
        sleep_until_killed(parent);
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

void following_a_process_twice_fails_with_a_sentence(void **state)
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

void a_place_that_refuses_names_what_it_refuses(void **state)
{
    (void)state;
    assert_open_refused(SYS_ptrace, "ptrace of a child process");
    assert_open_refused(SYS_process_vm_readv, "process_vm_readv");
    assert_open_refused(SYS_pidfd_getfd, "pidfd_getfd");
}

void the_look_at_a_socket_leaves_nothing_open(void **state)
{
    (void)state;
    struct event_socket socket_seen;
    int before = dup(0);
    close(before);
    int udp = socket(AF_INET6, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(socket_of(getpid(), udp, &socket_seen));
    assert_int_equal(socket_seen.protocol, IPPROTO_UDP);
    assert_int_equal(socket_seen.local.version, 0);
    assert_false(socket_of(getpid(), local, &socket_seen));
    assert_int_equal(errno, 0);
    assert_false(socket_of(getpid(), 1000, &socket_seen));
    assert_int_equal(errno, 0);
    assert_false(socket_of(getpid(), -1, &socket_seen));
    assert_int_equal(socket_seen.cookie, 0);
    close(udp);
    close(local);
    int after = dup(0);
    assert_int_equal(after, before);
    close(after);
}

void the_recorder_of_nothing_reaps_and_tells_the_end(void **state)
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
