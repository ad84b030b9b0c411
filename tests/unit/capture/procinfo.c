/* What /proc says of processes that this test has made. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/procinfo.h"
#include "support/sleeper.h"

enum { NOBODYS_PID = 1 << 30 }; /* above PID_MAX_LIMIT of linux/threads.h */

/* A child of this name that waits for a signal. */
static pid_t sleeping_child(const char *name)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_NAME, name);
        if (write(ready[1], "", 1) != 1) _exit(1);
        sleep_until_killed(parent);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* It sleeps a moment after it has said that it is ready. */
static bool comes_to_sleep(pid_t pid)
{
    for (int i = 0; i < 5000 && !procinfo_sleeps(pid); i++) usleep(1000);
    return procinfo_sleeps(pid);
}

static void a_name_is_its_bytes_without_the_newline_of_the_file(void **state)
{
    (void)state;
    static const char *const names[] = {"x", "fifteen letters", "two\nlines\n", ") R 1 2"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char comm[EVENT_COMM_BYTES];
        memset(comm, 'z', sizeof(comm));
        pid_t pid = sleeping_child(names[i]);
        procinfo_comm(pid, comm);
        assert_string_equal(comm, names[i]);
        for (size_t k = strlen(names[i]); k < sizeof(comm); k++) assert_int_equal(comm[k], 0);
        end(pid);
    }
}

static void nobodys_name_leaves_the_old_one(void **state)
{
    (void)state;
    char comm[EVENT_COMM_BYTES] = "as before";
    procinfo_comm(NOBODYS_PID, comm);
    assert_string_equal(comm, "as before");
}

static void a_number_of_its_status_is_found_by_its_whole_name(void **state)
{
    (void)state;
    pid_t pid = sleeping_child("PPid:\t9\nPPid:\t9");
    assert_int_equal(procinfo_status(pid, "PPid"), getpid());
    assert_int_equal(procinfo_status(pid, "Tgid"), pid);
    assert_int_equal(procinfo_status(pid, "Tgi"), -1);
    assert_int_equal(procinfo_status(pid, "pid"), -1);
    assert_int_equal(procinfo_status(pid, "NoNewPrivs"), 0);
    end(pid);
    assert_int_equal(procinfo_status(pid, "PPid"), -1);
    assert_int_equal(procinfo_status(NOBODYS_PID, "Tgid"), -1);
}

static void who_waits_sleeps_and_who_runs_does_not(void **state)
{
    (void)state;
    pid_t pid = sleeping_child(") R (");
    assert_true(comes_to_sleep(pid));
    assert_false(procinfo_sleeps(getpid()));
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    assert_false(procinfo_sleeps(pid));
    end(pid);
    assert_false(procinfo_sleeps(pid));
}

static void a_beginning_is_exact_to_a_tick(void **state)
{
    (void)state;
    const int64_t tick_ns = 10000000;
    int64_t before_ns = clock_steady_ns() + clock_asleep_ns();
    pid_t pid = sleeping_child(") 1 2 3");
    int64_t after_ns = clock_steady_ns() + clock_asleep_ns(), began_ns = procinfo_began_ns(pid);
    assert_true(began_ns > before_ns - tick_ns);
    assert_true(began_ns <= after_ns);
    assert_int_equal(began_ns % tick_ns, 0);
    end(pid);
    assert_int_equal(procinfo_began_ns(pid), -1);
}

/* Three ticks: whoever got a number anew begins later than that, and must not be taken for the one before. */
static void who_began_three_ticks_apart_is_another(void **state)
{
    (void)state;
    const int64_t apart_ns = 30000000, slack_ns = 1000000;
    pid_t pid = sleeping_child("one");
    int64_t at_ns = procinfo_began_ns(pid) - clock_asleep_ns();
    assert_true(procinfo_began_at(pid, at_ns + apart_ns - slack_ns));
    assert_true(procinfo_began_at(pid, at_ns - apart_ns + slack_ns));
    assert_false(procinfo_began_at(pid, at_ns + apart_ns + slack_ns));
    assert_false(procinfo_began_at(pid, at_ns - apart_ns - slack_ns));
    end(pid);
    assert_false(procinfo_began_at(pid, at_ns));
    assert_false(procinfo_began_at(NOBODYS_PID, -1 - clock_asleep_ns()));
}

static void a_program_of_64_bits_is_none_of_32(void **state)
{
    (void)state;
    assert_false(procinfo_is_32_bit(getpid()));
    assert_false(procinfo_is_32_bit(NOBODYS_PID));
}

enum { SOMEBODY = 12345 };

/* Whether a program of this owner, group and mode counts as unraised, started with or without PR_SET_NO_NEW_PRIVS. */
static bool is_unraised(uid_t owner, gid_t group, mode_t mode, bool without_rights)
{
    char path[] = "/tmp/tcpwhy-procinfo-XXXXXX", bytes[4096], link[64], target[sizeof(path) + 1] = "";
    int from = open("/bin/sleep", O_RDONLY | O_CLOEXEC), to = mkstemp(path);
    assert_true(from >= 0 && to >= 0);
    for (ssize_t got; (got = read(from, bytes, sizeof(bytes))) > 0;) assert_int_equal(write(to, bytes, (size_t)got), got);
    assert_int_equal(fchown(to, owner, group), 0);
    assert_int_equal(fchmod(to, mode), 0);
    close(from), close(to);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (without_rights) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        execl(path, "sleep", "100", (char *)NULL);
        _exit(99);
    }
    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    for (int i = 0; i < 5000 && strcmp(target, path) != 0; i++) {
        usleep(1000);
        ssize_t length = readlink(link, target, sizeof(target) - 1);
        target[length < 0 ? 0 : length] = '\0';
    }
    assert_string_equal(target, path);
    bool unraised = procinfo_is_unraised(pid);
    end(pid);
    unlink(path);
    return unraised;
}

static void a_program_that_would_be_somebody_elses_and_may_not_is_unraised(void **state)
{
    (void)state;
    assert_int_equal(getuid(), 0);
    assert_true(is_unraised(SOMEBODY, 0, 04755, true));
    assert_true(is_unraised(0, SOMEBODY, 02755, true));
    assert_false(is_unraised(SOMEBODY, 0, 04755, false)); /* it became who it would be */
    assert_false(is_unraised(SOMEBODY, SOMEBODY, 0755, true));
    assert_false(is_unraised(0, SOMEBODY, 04755, true)); /* it would be who it is */
    assert_false(is_unraised(SOMEBODY, 0, 02755, true));
    assert_false(procinfo_is_unraised(NOBODYS_PID));
}

static void a_network_has_a_number_and_nobodys_has_none(void **state)
{
    (void)state;
    struct stat own;
    assert_int_equal(stat("/proc/self/ns/net", &own), 0);
    assert_int_equal(procinfo_netns(0), own.st_ino);
    pid_t pid = sleeping_child("one");
    assert_int_equal(procinfo_netns(pid), own.st_ino);
    end(pid);
    assert_int_equal(procinfo_netns(NOBODYS_PID), 0);
}

static void a_setting_is_a_number_or_what_was_said_otherwise(void **state)
{
    (void)state;
    assert_int_equal(procinfo_number("/proc/sys/kernel/ns_last_pid-that-is-not", 7), 7);
    assert_true(procinfo_number("/proc/sys/kernel/pid_max", 7) > 7);
    char path[] = "/tmp/procinfo-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "128\n", 4), 4);
    assert_int_equal(procinfo_number(path, 7), 128);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_its_bytes_without_the_newline_of_the_file),
        cmocka_unit_test(nobodys_name_leaves_the_old_one),
        cmocka_unit_test(a_number_of_its_status_is_found_by_its_whole_name),
        cmocka_unit_test(who_waits_sleeps_and_who_runs_does_not),
        cmocka_unit_test(a_beginning_is_exact_to_a_tick),
        cmocka_unit_test(who_began_three_ticks_apart_is_another),
        cmocka_unit_test(a_program_of_64_bits_is_none_of_32),
        cmocka_unit_test(a_program_that_would_be_somebody_elses_and_may_not_is_unraised),
        cmocka_unit_test(a_network_has_a_number_and_nobodys_has_none),
        cmocka_unit_test(a_setting_is_a_number_or_what_was_said_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
