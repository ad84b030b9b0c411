/* A child behind its gate. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child_own.h"
#include "support/sleeper.h"

struct child_options options_of(char *const *argv)
{
    return (struct child_options){.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .keep_fds = {-1, -1, -1, -1}};
}

int status_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

void output_of(struct child_options options, char *text, size_t size, int *ret_status)
{
    struct child child;
    struct err err = {0};
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    options.stdout_fd = out[1];
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    close(out[1]);
    assert_int_equal(child_release(&child, &err), 0);
    size_t used = 0;
    for (ssize_t got; used < size - 1 && (got = read(out[0], text + used, size - 1 - used)) > 0;) used += (size_t)got;
    text[used] = '\0';
    close(out[0]);
    *ret_status = status_of(child.pid);
    assert_string_equal(err.text, "");
    assert_int_equal(child_exec_error(&child, &err), 0);
    child_close(&child);
}

static void a_child_does_nothing_before_its_gate_opens(void **state)
{
    (void)state;
    int out[2];
    struct child child;
    struct err err = {0};
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct child_options options = options_of((char *[]){(char[]){"echo"}, (char[]){"go"}, NULL});
    options.stdout_fd = out[1];
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    struct pollfd readable = {.fd = out[0], .events = POLLIN};
    assert_int_equal(poll(&readable, 1, 100), 0);
    assert_int_equal(child_exec_error(&child, &err), -EAGAIN);
    assert_int_equal(child_release(&child, &err), 0);
    assert_int_equal(poll(&readable, 1, 10000), 1);
    assert_int_equal(status_of(child.pid), 0);
    assert_int_equal(child_exec_error(&child, &err), 0);
    child_close(&child);
    close(out[0]);
    close(out[1]);
}

static void a_gate_that_closes_ends_the_child_unrun(void **state)
{
    (void)state;
    struct child child;
    struct err err;
    struct child_options options = options_of((char *[]){(char[]){"true"}, NULL});
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    child_close(&child);
    int status = status_of(child.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 126);
}

static void releasing_a_child_that_is_gone_fails_without_a_signal(void **state)
{
    (void)state;
    struct child child;
    struct err err = {0};
    struct child_options options = options_of((char *[]){(char[]){"true"}, NULL});
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    status_of(child.pid);
    assert_int_equal(child_release(&child, &err), -EPIPE);
    assert_non_null(strstr(err.text, "ended before"));
    child_close(&child);
}

static void assert_refused(const char *command, int code, const char *part)
{
    char name[64];
    struct child child;
    struct err err = {0};
    snprintf(name, sizeof(name), "%s", command);
    struct child_options options = options_of((char *[]){name, NULL});
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    assert_int_equal(child_release(&child, &err), 0);
    status_of(child.pid);
    assert_int_equal(child_exec_error(&child, &err), code);
    if (!strstr(err.text, part) || !strstr(err.text, command)) fail_msg("\"%s\" lacks \"%s\"", err.text, part);
    child_close(&child);
}

/* The lowest descriptor that is free: the same as before where none was left open, and none closed that is another's. */
static int free_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

/* That it was interrupted says the call that was, not what errno holds of one before. */
static void whether_it_began_is_not_known_before_it_could_and_is_asked_once(void **state)
{
    (void)state;
    struct child child;
    struct err err = {0};
    struct child_options options = options_of((char *[]){(char[]){"/no/such/file"}, NULL});
    int free_before = free_descriptor();
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    assert_int_equal(fcntl(child.error_fd, F_SETFL, O_NONBLOCK), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(child_exec_error(&child, &err), -EAGAIN);
    assert_string_equal(err.text, "");
    errno = EINTR;
    assert_int_equal(child_release(&child, &err), 0);
    status_of(child.pid);
    errno = EINTR;
    assert_int_equal(child_exec_error(&child, &err), -ENOENT);
    assert_int_equal(child_exec_error(&child, &err), 0);
    child_close(&child);
    assert_int_equal(free_descriptor(), free_before);

    /* Nor does one stay open whose gate never opens. */
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    child_close(&child);
    status_of(child.pid);
    assert_int_equal(free_descriptor(), free_before);
}

static void a_command_that_can_not_run_says_which_and_why(void **state)
{
    (void)state;
    char path[] = "/tmp/tcpwhy-child-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_refused("no-such-command-anywhere", -ENOENT, "not found in PATH");
    assert_refused("", -ENOENT, "not found in PATH");
    assert_refused("/no/such/file", -ENOENT, "no such file");
    assert_refused(path, -EACCES, "may not be executed");
    static const char script[] = "#!/no/such/interpreter\n";
    assert_int_equal(write(fd, script, sizeof(script) - 1), (ssize_t)sizeof(script) - 1);
    fchmod(fd, 0755);
    close(fd);
    assert_refused(path, -ENOENT, "interpreter");
    unlink(path);
}

/* The longest path that there can be is one byte shorter than PATH_MAX, which counts the NUL. */
static void a_name_that_is_too_long_is_said_so(void **state)
{
    (void)state;
    static char name[PATH_MAX + 1];
    for (size_t length = PATH_MAX - 1; length <= PATH_MAX; length++) {
        struct child child;
        struct err err = {0};
        memset(name, '/', length);
        struct child_options options = options_of((char *[]){name, NULL});
        assert_int_equal(child_spawn(&options, &child, &err), 0);
        assert_int_equal(child_release(&child, &err), 0);
        status_of(child.pid);
        assert_int_equal(child_exec_error(&child, &err), length < PATH_MAX ? -EACCES : -ENAMETOOLONG);
        child_close(&child);
    }
}

static void a_script_without_a_first_line_runs_in_sh(void **state)
{
    (void)state;
    char path[] = "/tmp/tcpwhy-child-XXXXXX", text[64];
    int fd = mkstemp(path), status;
    static const char script[] = "echo \"$1 $#\"\n";
    assert_int_equal(write(fd, script, sizeof(script) - 1), (ssize_t)sizeof(script) - 1);
    fchmod(fd, 0755);
    close(fd);
    output_of(options_of((char *[]){path, (char[]){"one"}, (char[]){"two"}, NULL}), text, sizeof(text), &status);
    unlink(path);
    assert_string_equal(text, "one 2\n");
    assert_int_equal(status, 0);
}

static void only_the_descriptors_to_keep_stay_open(void **state)
{
    (void)state;
    char text[128], expected[128];
    int status, kept = open("/dev/null", O_RDONLY | O_CLOEXEC), other = open("/dev/null", O_RDONLY);
    assert_true(kept > 2 && other > 2 && kept < 13 && other < 13);
    struct child_options options = options_of(
        (char *[]){(char[]){"sh"}, (char[]){"-c"},
                   (char[]){"for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$n ] && echo $n; done; true"}, NULL});
    options.keep_fds[2] = kept;
    output_of(options, text, sizeof(text), &status);
    snprintf(expected, sizeof(expected), "0\n1\n2\n%d\n", kept);
    assert_string_equal(text, expected);
    close(kept);
    close(other);
}

static void standard_descriptors_can_trade_places(void **state)
{
    (void)state;
    int first[2], second[2];
    struct child child;
    struct err err;
    char byte;
    assert_int_equal(pipe2(first, O_CLOEXEC) | pipe2(second, O_CLOEXEC), 0);
    int saved[2] = {dup(1), dup(2)};
    dup2(first[1], 1);
    dup2(second[1], 2);
    struct child_options options = options_of((char *[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){"printf o; printf e >&2"}, NULL});
    options.stdout_fd = 2;
    options.stderr_fd = 1;
    int code = child_spawn(&options, &child, &err);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    assert_int_equal(code, 0);
    assert_int_equal(child_release(&child, &err), 0);
    assert_int_equal(status_of(child.pid), 0);
    assert_int_equal(read(first[0], &byte, 1), 1);
    assert_int_equal(byte, 'e');
    assert_int_equal(read(second[0], &byte, 1), 1);
    assert_int_equal(byte, 'o');
    child_close(&child);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
        close(saved[i]);
    }
}

static void the_signal_mask_is_the_one_asked_for(void **state)
{
    (void)state;
    char text[128];
    int status;
    sigset_t blocked, mask, before;
    sigfillset(&blocked);
    sigprocmask(SIG_SETMASK, &blocked, &before);
    struct child_options options =
        options_of((char *[]){(char[]){"grep"}, (char[]){"SigBlk"}, (char[]){"/proc/self/status"}, NULL});
    output_of(options, text, sizeof(text), &status);
    assert_string_equal(text, "SigBlk:\t0000000000000000\n");
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    options.mask = &mask;
    output_of(options, text, sizeof(text), &status);
    assert_string_equal(text, "SigBlk:\t0000000000000200\n");
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void ignore_it(int signal)
{
    (void)signal;
}

static void a_signal_at_the_gate_does_not_run_the_parents_handler(void **state)
{
    (void)state;
    struct child child;
    struct err err;
    struct sigaction before;
    const int signals[] = {SIGHUP, SIGUSR1, SIGRTMAX}; /* the first and the last that there are among them */
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaction(signals[i], &(struct sigaction){.sa_handler = ignore_it}, &before);
        struct child_options options = options_of((char *[]){(char[]){"true"}, NULL});
        assert_int_equal(child_spawn(&options, &child, &err), 0);
        kill(child.pid, signals[i]); /* held back until it is set up, then deadly */
        int status = status_of(child.pid);
        sigaction(signals[i], &before, NULL);
        assert_true(WIFSIGNALED(status));
        child_close(&child);
    }
}

static int failing_setup(void *data)
{
    return *(int *)data;
}

static void a_setup_that_fails_is_told_and_nothing_runs(void **state)
{
    (void)state;
    struct child child;
    struct err err;
    int code = -EPERM;
    struct child_options options = options_of((char *[]){(char[]){"true"}, NULL});
    options.setup = failing_setup;
    options.setup_data = &code;
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    assert_int_equal(child_release(&child, &err), 0);
    assert_int_equal(WEXITSTATUS(status_of(child.pid)), 127);
    assert_int_equal(child_exec_error(&child, &err), -EPERM);
    assert_non_null(strstr(err.text, "ready to be recorded"));
    child_close(&child);
}

static void a_child_dies_with_its_parent(void **state)
{
    (void)state;
    int numbers[2];
    pid_t child_pid = 0;
    assert_int_equal(pipe2(numbers, O_CLOEXEC), 0);
    pid_t test = getpid(), parent = fork();
    if (parent == 0) {
        struct child child;
        struct err err;
        struct child_options options = options_of((char *[]){(char[]){"sleep"}, (char[]){"60"}, NULL});
        if (child_spawn(&options, &child, &err) || child_release(&child, &err)) _exit(1);
        while (child_exec_error(&child, &err) == -EAGAIN) usleep(1000);
        if (write(numbers[1], &child.pid, sizeof(child.pid)) < 0) _exit(1);
        sleep_until_killed(test);
    }
    assert_int_equal(read(numbers[0], &child_pid, sizeof(child_pid)), (ssize_t)sizeof(child_pid));
    assert_int_equal(kill(child_pid, 0), 0);
    kill(parent, SIGKILL);
    status_of(parent);
    char path[64], text[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)child_pid);
    bool gone = false;
    for (int tries = 0; tries < 2000 && !gone; tries++) {
        FILE *stat = fopen(path, "re");
        char kind = 'X';
        if (stat && fgets(text, sizeof(text), stat) && strrchr(text, ')')) kind = strrchr(text, ')')[2];
        if (stat) fclose(stat);
        gone = kind == 'X' || kind == 'Z'; /* nobody may have reaped it yet */
        if (!gone) usleep(1000);
    }
    assert_true(gone);
    close(numbers[0]);
    close(numbers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_does_nothing_before_its_gate_opens),
        cmocka_unit_test(a_gate_that_closes_ends_the_child_unrun),
        cmocka_unit_test(releasing_a_child_that_is_gone_fails_without_a_signal),
        cmocka_unit_test(a_command_that_can_not_run_says_which_and_why),
        cmocka_unit_test(whether_it_began_is_not_known_before_it_could_and_is_asked_once),
        cmocka_unit_test(a_name_that_is_too_long_is_said_so),
        cmocka_unit_test(a_script_without_a_first_line_runs_in_sh),
        cmocka_unit_test(only_the_descriptors_to_keep_stay_open),
        cmocka_unit_test(standard_descriptors_can_trade_places),
        cmocka_unit_test(the_signal_mask_is_the_one_asked_for),
        cmocka_unit_test(a_signal_at_the_gate_does_not_run_the_parents_handler),
        cmocka_unit_test(a_setup_that_fails_is_told_and_nothing_runs),
        cmocka_unit_test(a_child_dies_with_its_parent),
        cmocka_unit_test(each_of_the_descriptors_to_keep_stays_and_those_between_them_go),
        cmocka_unit_test(what_its_parent_ignores_is_ignored_and_what_it_handles_is_not),
        cmocka_unit_test(the_first_program_of_the_path_that_may_be_executed_runs),
        cmocka_unit_test(another_person_is_another_in_all),
        cmocka_unit_test(without_standard_descriptors_its_pipes_are_not_taken_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
