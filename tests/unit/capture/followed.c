/* The processes that a recorder was given: real children, stopped and ended. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/followed.h"
#include "support/sleeper.h"

enum { UNKNOWN_PID = 1 << 30 }; /* above PID_MAX_LIMIT of linux/threads.h */

/* A child that waits for a signal. */
static pid_t waiting_child(void)
{
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (!pid) sleep_until_killed(parent);
    return pid;
}

/* Until the kernel has news of a child that nobody has taken yet. */
static void wait_for_news(pid_t pid, int of)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, of | WNOWAIT), 0);
}

static void a_child_is_reaped_once_and_says_how_it_ended(void **state)
{
    (void)state;
    struct followed followed = {0};
    char comm[EVENT_COMM_BYTES] = "";
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "a zombie");
        _exit(7);
    }
    assert_int_equal(followed_add(&followed, pid), 0);
    assert_true(followed.entries[0].is_child);
    wait_for_news(pid, WEXITED);
    assert_false(followed_ended(&followed, pid, &status));
    assert_true(followed_reap(&followed.entries[0], comm));
    assert_string_equal(comm, "a zombie");
    assert_false(followed_reap(&followed.entries[0], comm));
    assert_true(followed_ended(&followed, pid, &status));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(waitpid(pid, &status, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    free(followed.entries);
}

static void a_stop_is_told_once_and_is_no_end(void **state)
{
    (void)state;
    struct followed followed = {0};
    int status = -1;
    pid_t other = waiting_child(), pid = waiting_child();
    assert_int_equal(followed_add(&followed, other), 0);
    assert_int_equal(followed_add(&followed, pid), 0);
    assert_false(followed_reap(&followed.entries[1], NULL));
    assert_int_equal(followed_stopped(&followed, pid), 0);
    kill(pid, SIGSTOP);
    wait_for_news(pid, WSTOPPED);
    for (int looks = 0; looks < 2; looks++) /* the second has no news, and takes none back */
        for (size_t i = 0; i < followed.count; i++) assert_false(followed_reap(&followed.entries[i], NULL));
    assert_int_equal(followed_stopped(&followed, other), 0);
    assert_int_equal(followed_stopped(&followed, pid), SIGSTOP);
    assert_int_equal(followed_stopped(&followed, pid), 0);
    assert_false(followed_ended(&followed, pid, &status));
    for (size_t i = 0; i < followed.count; i++) {
        kill(followed.entries[i].pid, SIGKILL);
        wait_for_news(followed.entries[i].pid, WEXITED);
        assert_true(followed_reap(&followed.entries[i], NULL));
    }
    assert_true(followed_ended(&followed, pid, &status) && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    free(followed.entries);
}

/* A recorder that sees ends and stops by itself says them, of whom it was given and of nobody else. */
static void what_a_recorder_says_of_another_process_is_passed_over(void **state)
{
    (void)state;
    struct followed followed = {0};
    int status = -1;
    for (pid_t pid = UNKNOWN_PID; pid < UNKNOWN_PID + 9; pid++) assert_int_equal(followed_add(&followed, pid), 0);
    assert_int_equal(followed.count, 9);
    assert_false(followed.entries[8].is_child);
    followed_end(&followed, UNKNOWN_PID + 9, 1 << 8);
    followed_stop(&followed, UNKNOWN_PID + 9, SIGTSTP);
    assert_false(followed_ended(&followed, UNKNOWN_PID + 9, &status));
    assert_int_equal(followed_stopped(&followed, UNKNOWN_PID + 9), 0);
    followed_stop(&followed, UNKNOWN_PID + 8, SIGTSTP);
    assert_int_equal(followed_stopped(&followed, UNKNOWN_PID), 0);
    assert_int_equal(followed_stopped(&followed, UNKNOWN_PID + 8), SIGTSTP);
    followed_end(&followed, UNKNOWN_PID + 8, 3 << 8);
    followed_end(&followed, UNKNOWN_PID + 8, 4 << 8); /* the number was given to another meanwhile */
    assert_false(followed_ended(&followed, UNKNOWN_PID + 7, &status));
    assert_true(followed_ended(&followed, UNKNOWN_PID + 8, &status));
    assert_int_equal(WEXITSTATUS(status), 3);
    free(followed.entries);
}

static void who_is_no_child_is_never_reaped(void **state)
{
    (void)state;
    struct followed followed = {0};
    assert_int_equal(followed_add(&followed, getppid()), 0);
    assert_false(followed.entries[0].is_child);
    assert_false(followed_reap(&followed.entries[0], NULL));
    free(followed.entries);
    /* Nor whose number a child got later, nor who was reaped before. */
    pid_t pid = fork();
    if (!pid) _exit(0);
    wait_for_news(pid, WEXITED);
    assert_false(followed_reap(&(struct followed_process){.pid = pid}, NULL));
    assert_false(followed_reap(&(struct followed_process){.pid = pid, .is_child = true, .ended = true}, NULL));
    assert_true(followed_reap(&(struct followed_process){.pid = pid, .is_child = true}, NULL));
}

static void an_end_is_an_exit_status_or_a_signal(void **state)
{
    (void)state;
    struct event_process exited = followed_exit(5 << 8), killed = followed_exit(SIGTERM);
    assert_int_equal(exited.change, PROCESS_EXIT);
    assert_int_equal(exited.status, 5);
    assert_int_equal(exited.signal, 0);
    assert_int_equal(killed.change, PROCESS_EXIT);
    assert_int_equal(killed.status, -1);
    assert_int_equal(killed.signal, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_reaped_once_and_says_how_it_ended),
        cmocka_unit_test(a_stop_is_told_once_and_is_no_end),
        cmocka_unit_test(what_a_recorder_says_of_another_process_is_passed_over),
        cmocka_unit_test(who_is_no_child_is_never_reaped),
        cmocka_unit_test(an_end_is_an_exit_status_or_a_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
