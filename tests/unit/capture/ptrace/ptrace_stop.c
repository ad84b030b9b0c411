/* What the ptrace recorder makes of a stop, of a call that slept when it was attached, and when it waits for the next stop. */
#include "capture/ptrace/ptrace_stop.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/ptrace/ptrace_attach.h"
#include "capture/ptrace/ptrace_filter.h"
#include "capture/ptrace/ptrace_wait.h"
#include "support/sleeper.h"

/* As the kernel writes it: the event, the signal, and 0x7f for "stopped" (ptrace(2)). */
#define STOPPED(event, signal) ((event) << 16 | (signal) << 8 | 0x7f)

static void a_stops_status_says_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
        enum ptrace_stop stop;
        int signal;
    } cases[] = {
        {"a signal", STOPPED(0, SIGUSR1), PTRACE_STOP_SIGNAL, SIGUSR1},
        {"SIGTRAP of its own", STOPPED(0, SIGTRAP), PTRACE_STOP_SIGNAL, SIGTRAP},
        {"SIGSTOP that it is about to get", STOPPED(0, SIGSTOP), PTRACE_STOP_SIGNAL, SIGSTOP},
        {"a call", STOPPED(0, SIGTRAP | 0x80), PTRACE_STOP_CALL, 0},
        {"fork", STOPPED(1, SIGTRAP), PTRACE_STOP_BIRTH, 0},
        {"vfork", STOPPED(2, SIGTRAP), PTRACE_STOP_BIRTH, 0},
        {"clone", STOPPED(3, SIGTRAP), PTRACE_STOP_BIRTH, 0},
        {"execve", STOPPED(4, SIGTRAP), PTRACE_STOP_EXEC, 0},
        {"vfork is done, which nobody asks for", STOPPED(5, SIGTRAP), PTRACE_STOP_OTHER, 0},
        {"exit, which nobody asks for", STOPPED(6, SIGTRAP), PTRACE_STOP_OTHER, 0},
        {"a filter", STOPPED(7, SIGTRAP), PTRACE_STOP_FILTER, 0},
        {"PTRACE_INTERRUPT, or new", STOPPED(128, SIGTRAP), PTRACE_STOP_SEIZED, 0},
        {"stopped by SIGSTOP", STOPPED(128, SIGSTOP), PTRACE_STOP_GROUP, 0},
        {"by the terminal", STOPPED(128, SIGTSTP), PTRACE_STOP_GROUP, 0},
        {"reading in the background", STOPPED(128, SIGTTIN), PTRACE_STOP_GROUP, 0},
        {"writing in the background", STOPPED(128, SIGTTOU), PTRACE_STOP_GROUP, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(WIFSTOPPED(cases[i].status));
        if (ptrace_stop_of(cases[i].status) != cases[i].stop) fail_msg("%s", cases[i].name);
        if (ptrace_stop_signal(cases[i].status) != cases[i].signal) fail_msg("%s: signal", cases[i].name);
    }
}

/* -512 and the like: linux/errno.h, which programs never see. */
static void a_call_that_was_interrupted_goes_on_as_if_nothing_had_been(void **state)
{
    (void)state;
    static const struct {
        int64_t ret;
        bool goes_on;
        int64_t then;
        bool restartable;
    } cases[] = {
        {-EINTR, true, -514, false}, {-512, true, -512, false}, {-513, true, -513, false}, {-514, true, -514, false},
        {-516, true, -516, true},    {-511, false, 0, false},   {-515, false, 0, false},   {-517, false, 0, false},
        {-EAGAIN, false, 0, false},  {0, false, 0, false},      {512, false, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t then = 0;
        bool restartable = true;
        if (ptrace_attach_goes_on(cases[i].ret, &then, &restartable) != cases[i].goes_on) fail_msg("case %zu", i);
        if (restartable != cases[i].restartable) fail_msg("case %zu: by restart_syscall", i);
        if (cases[i].goes_on && then != cases[i].then) fail_msg("case %zu: then %ld", i, (long)then);
    }
}

static void who_can_not_be_traced_is_told_why(void **state)
{
    (void)state;
    static const struct {
        int code;
        pid_t tracer;
        int scope;
        const char *told;
    } cases[] = {
        {-ESRCH, 0, 2, "there is no process 77"},
        {-ENOMEM, 0, 2, "process 77 can't be traced: Cannot allocate memory"},
        {-EPERM, 0x3fffffff, 2, "process 77 is traced already, by ?[1073741823]"},
        {-EPERM, 0, 1, "process 77 can't be traced: kernel.yama.ptrace_scope allows it to root alone"},
        {-EPERM, -1, 0, "process 77 can't be traced: it is another user's, or has more rights than this one (root may trace it)"},
        {-EPERM, 0, 0, "process 77 can't be traced: it is another user's, or has more rights than this one (root may trace it)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};
        assert_int_equal(ptrace_attach_refused(77, cases[i].code, cases[i].tracer, cases[i].scope, &err), cases[i].code);
        assert_string_equal(err.text, cases[i].told);
    }
}

/* By a process of which this test is not the parent, so that nobody else waits for the traced one's stops. */
static void what_another_traces_can_not_be_attached_to(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    struct ptrace_tasks tasks;
    struct err err = {{0}};
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(ptrace_tasks_init(&tasks), 0);
    pid_t parent = getpid(), sleeper = fork();
    assert_true(sleeper >= 0);
    if (!sleeper) { /* where Yama leaves tracing to parents, it allows it to all */
        (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        if (write(ready[1], "", 1) != 1) _exit(1);
        sleep_until_killed(parent);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    pid_t tracer = fork();
    assert_true(tracer >= 0);
    if (!tracer) {
        if (ptrace(PTRACE_SEIZE, sleeper, 0, 0) || write(ready[1], "", 1) != 1) _exit(1);
        sleep_until_killed(parent);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(ptrace_attach(&tasks, sleeper, &err), -EPERM);
    assert_non_null(strstr(err.text, "is traced already, by "));
    assert_null(ptrace_task_find(&tasks, sleeper));
    kill(tracer, SIGKILL), kill(sleeper, SIGKILL);
    assert_int_equal(waitpid(tracer, NULL, 0), tracer);
    assert_int_equal(waitpid(sleeper, NULL, 0), sleeper);
    assert_int_equal(ptrace_attach(&tasks, sleeper, &err), -ESRCH);
    ptrace_tasks_free(&tasks);
    close(ready[0]);
}

static void waits_in_vain_make_waiting_rare(void **state)
{
    (void)state;
    static const unsigned due_in[] = {1, 2, 4, 8, 16, 32, 64, 64}; /* the how-manieth time it is tried after so many in vain */
    struct ptrace_wait wait = {0};
    for (size_t n = 0; n < sizeof(due_in) / sizeof(due_in[0]); n++) {
        for (unsigned i = 1; i < due_in[n]; i++)
            if (ptrace_wait_is_due(&wait)) fail_msg("after %zu: the %u. time", n, i);
        if (!ptrace_wait_is_due(&wait)) fail_msg("after %zu: not the %u. time", n, due_in[n]);
        ptrace_wait_was(&wait, true);
    }
    ptrace_wait_was(&wait, false);
    assert_true(ptrace_wait_is_due(&wait));
    assert_true(ptrace_wait_is_due(&wait));
}

static void a_wait_ends_after_50_us_or_where_others_want_the_processor(void **state)
{
    (void)state;
    static const struct {
        int64_t began_ns, before_ns, now_ns;
        bool goes_on;
    } cases[] = {
        {1000, 1000, 1001, true},  {1000, 49000, 50999, true}, {1000, 49000, 51000, false},
        {1000, 1000, 21000, true}, {1000, 1000, 21001, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (ptrace_wait_goes_on(cases[i].began_ns, cases[i].before_ns, cases[i].now_ns) != cases[i].goes_on)
            fail_msg("case %zu", i);
}

static void without_children_a_wait_ends_at_once(void **state)
{
    (void)state;
    struct ptrace_wait wait = {.in_vain = 1, .passed_over = 1};
    int status;
    assert_int_equal(ptrace_wait(&wait, &status), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(wait.in_vain, 0);
    wait = (struct ptrace_wait){.in_vain = 2};
    assert_int_equal(ptrace_wait(&wait, &status), 0); /* not tried */
    assert_int_equal(wait.in_vain, 2);
}

/* Who has no right to a filter alone gives up the rights that an exec could bring; root keeps them. */
static void a_filter_needs_no_right(void **state)
{
    (void)state;
    struct seen {
        int code, unraised, socket_errno, parent;
    } *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(seen != MAP_FAILED);
    bool is_root = getuid() == 0;
    for (int drops = 0; drops <= is_root; drops++) {
        *seen = (struct seen){.code = 1};
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (!pid) {
            if (!drops || !setresuid(65534, 65534, 65534)) seen->code = ptrace_filter_install(NULL);
            seen->unraised = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
            seen->socket_errno = socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? errno : 0;
            seen->parent = getppid();
            for (;;) kill(getpid(), SIGKILL); /* exit_group is a recorded call as well */
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(seen->code, 0);
        assert_int_equal(seen->unraised, is_root && !drops ? 0 : 1);
        assert_int_equal(seen->socket_errno, ENOSYS); /* a recorded call needs a tracer from here on */
        assert_int_equal(seen->parent, getpid());     /* and others do not */
    }
    munmap(seen, sizeof(*seen));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stops_status_says_what_it_is),
        cmocka_unit_test(a_call_that_was_interrupted_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(who_can_not_be_traced_is_told_why),
        cmocka_unit_test(what_another_traces_can_not_be_attached_to),
        cmocka_unit_test(waits_in_vain_make_waiting_rare),
        cmocka_unit_test(a_wait_ends_after_50_us_or_where_others_want_the_processor),
        cmocka_unit_test(without_children_a_wait_ends_at_once),
        cmocka_unit_test(a_filter_needs_no_right),
    };
    return cmocka_run_group_tests_name("ptrace_stop", tests, NULL, NULL);
}
