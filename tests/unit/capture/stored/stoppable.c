/* Reading until the end, or until the end is asked for: what is there by then still comes. */
#include "capture/stored/stoppable.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static volatile sig_atomic_t stop;
static int called;

static void call(void *data)
{
    assert_ptr_equal(data, &called);
    called++;
}

struct ends {
    int read, write;
};

static struct ends ends_with(const char *text, size_t bytes)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], text, bytes), bytes);
    return (struct ends){fds[0], fds[1]};
}

static void time_left_is_rounded_up(void **state)
{
    (void)state;
    static const struct {
        int64_t now_ns, until_ns;
        int left_ms;
    } cases[] = {
        {1000, 1000, 0},    {1000, 999, 0},      {1000, 1001, 1},     {1000, 1001000, 1},
        {1000, 1001001, 2}, {0, 500000000, 500}, {0, 500000001, 501},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (stoppable_left_ms(cases[i].now_ns, cases[i].until_ns) != cases[i].left_ms) fail_msg("case %zu", i);
}

static void what_comes_is_read_until_its_end(void **state)
{
    (void)state;
    char bytes[8];
    struct ends ends = ends_with("abc", 3);
    for (int is_asked_of = 0; is_asked_of < 2; is_asked_of++) { /* whether anybody may ever ask for the end */
        struct stoppable from = stoppable_new(ends.read, is_asked_of ? &stop : NULL);
        stop = 0;
        assert_false(from.regular);
        assert_int_equal(stoppable_read(&from, bytes, is_asked_of ? sizeof(bytes) : 2), is_asked_of ? 1 : 2);
        assert_true(from.fresh);
        assert_false(from.stopped);
        assert_int_equal(from.until_ns, 0);
    }
    close(ends.write);
    struct stoppable from = stoppable_new(ends.read, NULL);
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 0);
    assert_false(from.fresh); /* nothing came */
    assert_false(from.stopped);
    close(ends.read);
    from = stoppable_new(ends.read, NULL);
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), -EBADF);
}

static void once_the_end_is_asked_for_only_what_is_there_is_read(void **state)
{
    (void)state;
    char bytes[8];
    struct ends ends = ends_with("abc", 3);
    struct stoppable from = stoppable_new(ends.read, &stop);
    stop = 1;
    int64_t before_ns = clock_steady_ns();
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 3);
    assert_false(from.stopped);
    assert_true(from.until_ns >= before_ns + 500000000 && from.until_ns <= clock_steady_ns() + 500000000);
    from.until_ns = clock_steady_ns() + 20000000; /* 20 ms, for which it is waited */
    before_ns = from.until_ns;
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 0);
    assert_true(from.stopped);
    assert_true(clock_steady_ns() >= before_ns);
    assert_int_equal(write(ends.write, "d", 1), 1);
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 0); /* that came too late */
    assert_true(from.stopped);
    /* Its end is no stop. */
    from = stoppable_new(ends.read, &stop);
    close(ends.write);
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 1);
    assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 0);
    assert_false(from.stopped);
    close(ends.read);
}

static void knocked(int signal)
{
    (void)signal;
}

/* A signal that is caught does not end the wait for what still comes. */
static void a_signal_does_not_end_the_wait(void **state)
{
    (void)state;
    char bytes[8];
    struct ends ends = ends_with("", 0);
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = knocked}, &before), 0);
    for (stop = 0; stop < 2; stop++) {
        pid_t parent = getpid(), pid = fork();
        assert_true(pid >= 0);
        if (!pid) {
            usleep(5000);
            kill(parent, SIGUSR1);
            usleep(5000);
            _exit(write(ends.write, "a", 1) != 1);
        }
        struct stoppable from = stoppable_new(ends.read, &stop);
        from.until_ns = clock_steady_ns() + 10000000000; /* 10 s */
        assert_int_equal(stoppable_read(&from, bytes, sizeof(bytes)), 1);
        assert_false(from.stopped);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    close(ends.read), close(ends.write);
}

static void of_a_file_nothing_is_waited_for(void **state)
{
    (void)state;
    char path[] = "/tmp/tcpwhy-stoppable-XXXXXX", bytes[8];
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
    struct stoppable from = stoppable_new(fd, &stop);
    from.idle = (struct stoppable_idle){call, &called};
    called = 0, stop = 0;
    assert_true(from.regular);
    assert_int_equal(stoppable_read(&from, bytes, 2), 2);
    assert_int_equal(stoppable_read(&from, bytes, 2), 1);
    assert_int_equal(stoppable_read(&from, bytes, 2), 0);
    assert_int_equal(called, 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    stop = 1;
    assert_int_equal(stoppable_read(&from, bytes, 2), 0);
    assert_true(from.stopped);
    close(fd);
    assert_false(stoppable_new(fd, &stop).regular);
}

static void before_a_wait_somebody_else_is_called_once(void **state)
{
    (void)state;
    char bytes[8];
    struct ends ends = ends_with("abc", 3);
    struct stoppable from = stoppable_new(ends.read, &stop);
    from.until_ns = 1, stop = 0, called = 0; /* once it is to end, it does so at once */
    from.idle = (struct stoppable_idle){call, &called};
    assert_int_equal(stoppable_read(&from, bytes, 2), 2);
    assert_int_equal(called, 0); /* nothing had come before it */
    assert_int_equal(stoppable_read(&from, bytes, 2), 1);
    assert_int_equal(called, 0); /* it did not wait */
    stop = 1;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stoppable_read(&from, bytes, 2), 0);
        assert_int_equal(called, 1);
    }
    from.fresh = true, from.idle.call = NULL; /* nobody */
    assert_int_equal(stoppable_read(&from, bytes, 2), 0);
    assert_int_equal(called, 1);
    close(ends.read), close(ends.write);
}

static void a_descriptor_that_does_not_wait_is_waited_for(void **state)
{
    (void)state;
    char byte;
    struct ends ends = ends_with("", 0);
    assert_int_equal(fcntl(ends.read, F_SETFL, O_NONBLOCK), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        usleep(5000);
        _exit(write(ends.write, "a", 1) != 1);
    }
    struct stoppable from = stoppable_new(ends.read, NULL);
    assert_int_equal(stoppable_read(&from, &byte, 1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ends.read), close(ends.write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_left_is_rounded_up),
        cmocka_unit_test(what_comes_is_read_until_its_end),
        cmocka_unit_test(once_the_end_is_asked_for_only_what_is_there_is_read),
        cmocka_unit_test(a_signal_does_not_end_the_wait),
        cmocka_unit_test(of_a_file_nothing_is_waited_for),
        cmocka_unit_test(before_a_wait_somebody_else_is_called_once),
        cmocka_unit_test(a_descriptor_that_does_not_wait_is_waited_for),
    };
    return cmocka_run_group_tests_name("stoppable", tests, NULL, NULL);
}
