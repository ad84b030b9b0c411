/* What is kept of a thread that is followed: how long its name holds, whose birth is still to come, what is behind its descriptors.
 */
#include "capture/ptrace/ptrace_task.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/sleeper.h"

enum { PARENT = 100, CHILD = 101, THREAD = 102 }; /* of nobody: nothing is asked of them */

static struct ptrace_tasks tasks;

static int setup(void **state)
{
    (void)state;
    return ptrace_tasks_init(&tasks);
}

static int teardown(void **state)
{
    (void)state;
    ptrace_tasks_free(&tasks);
    return 0;
}

static void a_name_holds_for_20_ms(void **state)
{
    (void)state;
    static const struct {
        int64_t named_ns, now_ns;
        bool holds;
    } cases[] = {
        {1000, 1000, true}, {1000, 20000999, true}, {1000, 20001000, false}, {1000, 999, false}, {0, 10, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (ptrace_task_name_holds(cases[i].named_ns, cases[i].now_ns) != cases[i].holds) fail_msg("case %zu", i);
    struct ptrace_task *task = ptrace_task_add(&tasks, getpid(), getpid());
    strcpy(task->comm, "kept");
    ptrace_task_name(task);
    assert_string_equal(task->comm, "kept");
    task->named_ns = 0;
    ptrace_task_name(task);
    assert_string_not_equal(task->comm, "kept");
}

/* Its end may be seen before its parent says that it made it: then there is nobody to follow. */
static void who_ended_before_its_birth_was_told_is_not_born(void **state)
{
    (void)state;
    struct ptrace_task *task = ptrace_task_add(&tasks, CHILD, CHILD);
    ptrace_task_end(&tasks, CHILD);
    assert_null(ptrace_task_find(&tasks, CHILD));
    assert_false(ptrace_task_born(&tasks, CHILD));
    assert_true(ptrace_task_born(&tasks, CHILD)); /* another with that number */
    task = ptrace_task_add(&tasks, CHILD, CHILD);
    assert_false(task->announced);
    assert_true(ptrace_task_born(&tasks, CHILD)); /* its own stops came first */
    assert_true(task->announced);
    ptrace_task_end(&tasks, CHILD);
    assert_true(ptrace_task_born(&tasks, CHILD)); /* it was told: nothing is kept of it */
    ptrace_task_end(&tasks, THREAD);              /* nobody that is followed */
    assert_true(ptrace_task_born(&tasks, THREAD));
    (void)ptrace_task_add(&tasks, CHILD, CHILD);
    ptrace_task_end(&tasks, CHILD);
    (void)ptrace_task_add(&tasks, CHILD, CHILD); /* a new one with that number: the old one's end is forgotten */
    ptrace_task_remove(&tasks, CHILD);
    assert_true(ptrace_task_born(&tasks, CHILD));
}

static void execve_leaves_one_thread_under_the_processs_number(void **state)
{
    (void)state;
    (void)ptrace_task_add(&tasks, PARENT, PARENT);
    struct ptrace_task *thread = ptrace_task_add(&tasks, PARENT, THREAD);
    assert_ptr_equal(ptrace_task_exec(&tasks, PARENT, THREAD), thread);
    assert_int_equal(thread->tid, PARENT);
    assert_true(thread->announced);
    assert_ptr_equal(ptrace_task_find(&tasks, PARENT), thread);
    assert_null(ptrace_task_find(&tasks, THREAD));
    assert_ptr_equal(ptrace_task_exec(&tasks, PARENT, PARENT), thread); /* by the first thread itself */
    assert_ptr_equal(ptrace_task_exec(&tasks, PARENT, THREAD), thread); /* by one that was not known */
    assert_null(ptrace_task_exec(&tasks, CHILD, CHILD));
}

/* A thread that is gone gives none; of 256 threads the handle is kept, of more it is not. */
static void handles_are_kept_of_256_threads(void **state)
{
    (void)state;
    struct ptrace_task *one = ptrace_task_add(&tasks, getpid(), getpid()), *gone = ptrace_task_add(&tasks, 0x3fffffff, 0x3fffffff);
    assert_int_equal(ptrace_task_handle(gone), -ESRCH);
    assert_int_equal(tasks.handles, 0);
    tasks.handles = 255;
    int handle = ptrace_task_handle(one);
    assert_true(handle > 0);
    assert_int_equal(tasks.handles, 256);
    assert_int_equal(ptrace_task_handle(one), handle);
    ptrace_task_give_back(one, handle); /* it stays */
    assert_int_equal(ptrace_task_handle(one), handle);
    assert_int_equal(close(handle), 0);
    one->handle = -1;
    int other = ptrace_task_handle(one);
    assert_true(other > 0);
    assert_int_equal(one->handle, -1);
    assert_int_equal(tasks.handles, 256);
    ptrace_task_give_back(one, other);
    assert_int_equal(close(other), -1);
    /* 0 is a handle as any other. */
    int saved = dup(0);
    close(0);
    tasks.handles = 0;
    assert_int_equal(ptrace_task_handle(one), 0);
    assert_int_equal(one->handle, 0);
    assert_int_equal(ptrace_task_handle(one), 0);
    ptrace_task_remove(&tasks, getpid());
    assert_int_equal(tasks.handles, 0);
    assert_int_equal(dup(2), 0); /* it was closed */
    close(0);
    if (saved >= 0) dup2(saved, 0), close(saved);
}

/* ---- what is behind descriptors ---- */

static struct ptrace_task *alone(void)
{
    struct ptrace_task *task = ptrace_task_add(&tasks, getpid(), getpid());
    task->announced = task->files.apart = true;
    return task;
}

static void only_who_alone_changes_its_descriptors_knows_them(void **state)
{
    (void)state;
    struct ptrace_task *task = alone();
    ptrace_files_put(task, 3, 7);
    bool *const others[] = {&task->files.shared, &task->files.supervised, &task->attached, &tasks.has_rings};
    assert_true(ptrace_files_alone(task));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        *others[i] = true;
        if (ptrace_files_alone(task) || ptrace_files_get(task, 3)) fail_msg("case %zu", i);
        ptrace_files_put(task, 4, 8); /* not kept */
        *others[i] = false;
    }
    task->announced = false;
    assert_false(ptrace_files_alone(task));
    task->announced = true, task->files.apart = false;
    assert_false(ptrace_files_alone(task));
    task->files.apart = true;
    assert_int_equal(ptrace_files_get(task, 3), 7);
    assert_int_equal(ptrace_files_get(task, 4), 0);
}

static void of_4096_descriptors_it_is_known_what_is_behind_them(void **state)
{
    (void)state;
    struct ptrace_task *task = alone();
    static const struct {
        int fd;
        uint64_t known;
        size_t count; /* kept from then on: doubled as needed */
    } cases[] = {
        {-1, 0, 0}, {4096, 0, 0}, {0, 1, 64}, {63, 1, 64}, {64, 1, 128}, {300, 1, 512}, {4095, 1, 4096}, {4096, 0, 4096},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (ptrace_files_get(task, cases[i].fd)) fail_msg("case %zu: before", i);
        ptrace_files_put(task, cases[i].fd, 1);
        if (ptrace_files_get(task, cases[i].fd) != cases[i].known) fail_msg("case %zu", i);
        if (task->files.count != cases[i].count) fail_msg("case %zu: %zu kept", i, task->files.count);
    }
}

static void calls_that_take_descriptors_away_make_them_unknown(void **state)
{
    (void)state;
    static const struct {
        long number;
        uint64_t first, second;
        bool keeps_3, keeps_4;
    } cases[] = {
        {SYS_close, 3, 0, false, true},           {SYS_close, 63, 0, true, true}, {SYS_close, 64, 0, true, true},
        {SYS_close, (uint64_t)-1, 0, true, true}, {SYS_dup3, 3, 4, true, false},  {SYS_read, 3, 4, true, true},
        {SYS_close_range, 0, 9, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ptrace_task *task = alone();
        ptrace_files_put(task, 3, 7), ptrace_files_put(task, 4, 8);
        task->row = syscall_find(cases[i].number);
        task->raw = (struct syscall_raw){.number = cases[i].number, .args = {cases[i].first, cases[i].second}};
        ptrace_files_entered(task);
        if ((ptrace_files_get(task, 3) == 7) != cases[i].keeps_3) fail_msg("case %zu: 3", i);
        if ((ptrace_files_get(task, 4) == 8) != cases[i].keeps_4) fail_msg("case %zu: 4", i);
        ptrace_task_remove(&tasks, getpid());
    }
}

/* A child has a table of its own; made with CLONE_FILES it shares its parent's, as a thread does. */
static void a_child_has_descriptors_of_its_own_unless_it_shares_them(void **state)
{
    (void)state;
    static const struct {
        bool shares, is_thread, has_stopped, is_apart, is_known;
    } cases[] = {
        {false, false, false, true, true},  {false, false, true, true, false}, {true, false, false, false, false},
        {false, true, false, false, false}, {true, true, false, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ptrace_task *task = alone();
        ptrace_files_put(task, 3, 7);
        pid_t parent = getpid(),
              pid = (pid_t)syscall(SYS_clone, SIGCHLD | (cases[i].shares ? CLONE_FILES : 0), NULL, NULL, NULL, NULL);
        assert_true(pid >= 0);
        if (!pid) sleep_until_killed(parent);
        struct ptrace_task *child = ptrace_task_add(&tasks, cases[i].is_thread ? getpid() : pid, pid);
        child->announced = true;
        ptrace_files_born(task, child, cases[i].has_stopped);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        if (ptrace_files_alone(task) != cases[i].is_apart || ptrace_files_alone(child) != cases[i].is_apart)
            fail_msg("case %zu", i);
        if ((ptrace_files_get(task, 3) == 7) != cases[i].is_known) fail_msg("case %zu: known", i);
        task->files.shared = false;
        assert_int_equal(ptrace_files_get(task, 3), cases[i].is_known ? 7 : 0); /* forgotten for good */
        ptrace_task_remove(&tasks, pid), ptrace_task_remove(&tasks, getpid());
    }
}

/* Who puts descriptors into the parent's table may do so to its children's, too. */
static void a_supervisors_children_are_supervised(void **state)
{
    (void)state;
    for (int supervised = 0; supervised < 4; supervised++) {
        struct ptrace_task *task = alone(), *child = ptrace_task_add(&tasks, CHILD, CHILD);
        task->files.supervised = supervised & 1, child->files.supervised = supervised & 2;
        ptrace_files_born(task, child, false);
        assert_int_equal(child->files.supervised, supervised != 0);
        ptrace_task_remove(&tasks, CHILD), ptrace_task_remove(&tasks, getpid());
    }
    struct ptrace_task *task = alone();
    ptrace_files_put(task, 3, 7);
    task->files.shared = true;
    ptrace_files_exec(task); /* a table of its own, without those that were to be closed */
    assert_true(ptrace_files_alone(task));
    assert_int_equal(ptrace_files_get(task, 3), 0);
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        OWN(a_name_holds_for_20_ms),
        OWN(who_ended_before_its_birth_was_told_is_not_born),
        OWN(execve_leaves_one_thread_under_the_processs_number),
        OWN(handles_are_kept_of_256_threads),
        OWN(only_who_alone_changes_its_descriptors_knows_them),
        OWN(of_4096_descriptors_it_is_known_what_is_behind_them),
        OWN(calls_that_take_descriptors_away_make_them_unknown),
        OWN(a_child_has_descriptors_of_its_own_unless_it_shares_them),
        OWN(a_supervisors_children_are_supervised),
    };
    return cmocka_run_group_tests_name("ptrace_task", tests, NULL, NULL);
}
