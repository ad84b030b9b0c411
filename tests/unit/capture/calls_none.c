/* The recorder of nothing: children are reaped, and their ends told. */
#include "capture/calls.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/sleeper.h"

static struct calls *calls;
static struct event_log *event_log;

static int setup(void **state)
{
    (void)state;
    struct err err;
    event_log = event_log_new();
    return event_log ? calls_none.open(&calls, &(struct calls_options){.port_count = 0}, &err) : -1;
}

static int teardown(void **state)
{
    (void)state;
    calls_none.close(calls);
    event_log_free(event_log);
    return 0;
}

static pid_t followed_child(int status)
{
    struct err err;
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        if (status >= 0) _exit(status);
        sleep_until_killed(parent);
    }
    assert_int_equal(calls_none.follow(calls, pid, &err), 0);
    return pid;
}

static void wait_for_end(pid_t pid)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void each_child_that_has_ended_is_told_once(void **state)
{
    (void)state;
    struct err err;
    int status = -1;
    pid_t first = followed_child(3), sleeper = followed_child(-1), last = followed_child(4);
    wait_for_end(first), wait_for_end(last);
    assert_int_equal(calls_none.drain(calls, event_log, &err), 2);
    assert_int_equal(calls_none.drain(calls, event_log, &err), 0);
    assert_int_equal(event_log_count(event_log), 2);
    const pid_t pids[] = {first, last};
    for (size_t i = 0; i < 2; i++) {
        const struct event *event = event_log_at(event_log, i);
        assert_int_equal(event->kind, EVENT_PROCESS);
        assert_int_equal(event->process.change, PROCESS_EXIT);
        assert_int_equal(event->process.thread.pid, pids[i]);
        assert_int_equal(event->process.status, 3 + (int)i);
        assert_true(event->process.thread.comm[0] != '\0');
    }
    assert_true(calls_none.ended(calls, last, &status));
    assert_int_equal(status, 4 << 8);
    assert_false(calls_none.ended(calls, sleeper, &status));
    assert_true(calls_none.alive(calls));
    kill(sleeper, SIGKILL);
    wait_for_end(sleeper);
    assert_true(calls_none.alive(calls)); /* as far as drain has seen */
    assert_int_equal(calls_none.drain(calls, event_log, &err), 1);
    assert_int_equal(event_log_at(event_log, 2)->process.signal, SIGKILL);
    assert_false(calls_none.alive(calls));
    assert_int_equal(calls_none.fd(calls), -1);
}

/* The last of several that are followed is one of them. */
static void who_lives_last_keeps_it_alive(void **state)
{
    (void)state;
    struct err err;
    pid_t first = followed_child(0), last = followed_child(-1);
    wait_for_end(first);
    assert_int_equal(calls_none.drain(calls, event_log, &err), 1);
    assert_true(calls_none.alive(calls));
    kill(last, SIGSTOP);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)last, &info, WSTOPPED | WNOWAIT), 0);
    assert_int_equal(calls_none.drain(calls, event_log, &err), 0);
    assert_int_equal(calls_none.stopped(calls, last), SIGSTOP);
    assert_int_equal(calls_none.stopped(calls, last), 0);
    kill(last, SIGKILL);
    wait_for_end(last);
    assert_int_equal(calls_none.drain(calls, event_log, &err), 1);
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        OWN(each_child_that_has_ended_is_told_once),
        OWN(who_lives_last_keeps_it_alive),
    };
    return cmocka_run_group_tests_name("calls_none", tests, NULL, NULL);
}
