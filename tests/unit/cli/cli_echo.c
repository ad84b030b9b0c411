/* The verb `tcpwhy echo`: what it takes, what it prints, how it exits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>

#include "cli/cli.h"
#include "cli/echo.h"
#include "tests/support/echo_peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { WORDS_MAX = 16, EXIT_NEGATIVE = 120 };

struct outcome {
    int status; /* EXIT_NEGATIVE: a negative errno */
    char out[4096], error[ERR_TEXT_BYTES];
};

static void slurp(int fd, char *text, size_t capacity)
{
    size_t used = 0;
    ssize_t n;
    while (used + 1 < capacity && (n = read(fd, text + used, capacity - used - 1)) > 0) used += (size_t)n;
    text[used] = '\0';
    close(fd);
}

/* Runs the verb in a child with `out` as its standard output; the sentence comes back by a pipe. */
static pid_t begin(const char *const *words, int in, int out, int error)
{
    pid_t pid = spawn();
    if (pid) return pid;
    char *argv[WORDS_MAX + 2] = {strdup("echo")};
    int argc = 1;
    for (; words[argc - 1]; argc++) argv[argc] = strdup(words[argc - 1]);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    struct err err = {""};
    int status = cli_echo(argc, argv, &err);
    fflush(stdout);
    transfer_write(error, err.text, strlen(err.text));
    for (int i = 0; i < argc; i++) free(argv[i]);
    exit(status < 0 ? EXIT_NEGATIVE : status);
}

static struct outcome run(const char *const *words)
{
    struct outcome outcome;
    int in = open("/dev/null", O_RDONLY), out[2], error[2];
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(error), 0);
    pid_t pid = begin(words, in, out[1], error[1]);
    close(in);
    close(out[1]);
    close(error[1]);
    slurp(out[0], outcome.out, sizeof(outcome.out));
    slurp(error[0], outcome.error, sizeof(outcome.error));
    outcome.status = reap(pid);
    return outcome;
}

static void wrong_usage_is_status_2_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX], *says;
    } rows[] = {
        {{NULL}, "server or client?"},
        {{"sever"}, "'sever' is neither server nor client"},
        {{"client"}, "takes HOST PORT"},
        {{"client", "127.0.0.1"}, "takes HOST PORT"},
        {{"client", "127.0.0.1", "1", "2"}, "takes HOST PORT"},
        {{"client", "127.0.0.300", "3333"}, "its fourth number, 300, is larger than 255"},
        {{"client", "127.0.0.1", "0"}, "port 0 can't be connected to"},
        {{"client", "127.0.0.1", "70000"}, "port 70000 is too large"},
        {{"client", "::1%nosuch", "3333"}, "no network interface 'nosuch'"},
        {{"client", "--count", "0", "127.0.0.1", "1"}, "--count: '0' is no number from 1"},
        {{"client", "--timeout", "soon", "127.0.0.1", "1"}, "--timeout: 'soon'"},
        {{"client", "--close-first", "nobody", "127.0.0.1", "1"}, "--close-first: 'nobody' is not client or server"},
        {{"client", "--udp", "--close-first", "server", "127.0.0.1", "1"}, "--close-first is about connections"},
        {{"client", "--serve", "fork", "127.0.0.1", "1"}, "no option '--serve'"},
        {{"server"}, "takes [HOST] PORT"},
        {{"server", "1", "2", "3"}, "takes [HOST] PORT"},
        {{"server", "--serve", "spoon", "0"}, "--serve: 'spoon' is not iterative, fork or epoll"},
        {{"server", "--udp", "--backlog", "3", "0"}, "--backlog is about connections"},
        {{"server", "--messages", "3", "0"}, "needs --close-first server"},
        {{"server", "--ready-fd", "999", "0"}, "descriptor 999 is not open"},
        {{"server", "127.0.0.300", "0"}, "larger than 255"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = run(rows[i].words);
        if (outcome.status != CLI_USAGE || !strstr(outcome.error, rows[i].says))
            fail_msg("row %zu: %d '%s'", i, outcome.status, outcome.error);
        assert_string_equal(outcome.out, "");
    }
}

static void help_is_no_failure_and_names_every_role(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX], *says[2];
    } rows[] = {
        {{"--help"}, {"tcpwhy echo server [OPTIONS] [HOST] PORT", "tcpwhy echo client [OPTIONS] HOST PORT"}},
        {{"server", "--help"}, {"--accept-delay MS", "--ready-fd N"}},
        {{"client", "-h"}, {"--message TEXT", "--count N"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = run(rows[i].words);
        assert_int_equal(outcome.status, CLI_DONE);
        assert_string_equal(outcome.error, "");
        for (int k = 0; k < 2; k++) assert_non_null(strstr(outcome.out, rows[i].says[k]));
    }
}

static void what_failed_is_no_usage_error(void **state)
{
    (void)state;
    uint16_t port;
    close(bound_socket(SOCK_STREAM, &port));
    char text[8];
    snprintf(text, sizeof(text), "%u", (unsigned)port);
    struct outcome outcome = run((const char *const[]){"client", "-c", "1", "127.0.0.1", text, NULL});
    assert_int_equal(outcome.status, EXIT_NEGATIVE);
    assert_non_null(strstr(outcome.error, "Connection refused"));
}

static void the_verb_runs_both_ends(void **state)
{
    (void)state;
    int ready[2], quiet = open("/dev/null", O_RDWR);
    assert_int_equal(pipe(ready), 0);
    char fd_text[16], port[8] = "";
    snprintf(fd_text, sizeof(fd_text), "%d", ready[1]);
    static const char hostile[] = "a\033[31m\nb\"<";
    pid_t pid = begin((const char *const[]){"server", "--serve", "epoll", "--max-connections", "2", "--name", hostile, "--ready-fd",
                                            fd_text, "127.0.0.1", "0", NULL},
                      quiet, quiet, quiet);
    close(ready[1]);
    slurp(ready[0], port, sizeof(port));
    port[strcspn(port, "\n")] = '\0';
    char path[64], name[32];
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    slurp(open(path, O_RDONLY), name, sizeof(name));
    assert_memory_equal(name, hostile, sizeof(hostile) - 1);

    struct outcome outcome =
        run((const char *const[]){"client", "127.0.0.1", port, "-m", "one\033[2J", "-m", "two", "-c", "2", NULL});
    assert_string_equal(outcome.error, "");
    assert_int_equal(outcome.status, CLI_DONE);
    assert_string_equal(outcome.out, "one\033[2J\ntwo\none\033[2J\ntwo\n"); /* a pipe gets the bytes as they are */

    int terminal, other_end;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    assert_int_equal(openpty(&terminal, &other_end, NULL, NULL, &size), 0);
    pid_t client = begin((const char *const[]){"client", "127.0.0.1", port, "-m", "one\033[2J\t\303\251\\\302\233", NULL}, quiet,
                         other_end, quiet);
    assert_int_equal(reap(client), CLI_DONE);
    char shown[128];
    ssize_t n = read(terminal, shown, sizeof(shown) - 1);
    assert_true(n > 0);
    shown[n] = '\0';
    assert_non_null(strstr(shown, "one\\x1b[2J"));
    assert_non_null(strstr(shown, "\303\251\\")); /* letters and backslashes stay */
    assert_null(strstr(shown, "\302\233"));       /* an 8-bit CSI does not */
    assert_null(strchr(shown, '\033'));
    close(terminal);
    close(other_end);
    assert_int_equal(reap(pid), CLI_DONE);
    close(quiet);
}

static void a_client_that_is_interrupted_says_so_by_its_status(void **state)
{
    (void)state;
    uint16_t port;
    int listener = bound_socket(SOCK_STREAM, &port), quiet = open("/dev/null", O_RDWR);
    char text[8];
    snprintf(text, sizeof(text), "%u", (unsigned)port);
    pid_t pid = begin((const char *const[]){"client", "-c", "1", "127.0.0.1", text, NULL}, quiet, quiet, quiet);
    int fd = accept(listener, NULL, NULL);
    char said[16];
    assert_true(transfer_read(fd, said, sizeof(said)) > 0);
    kill(pid, SIGTERM);
    assert_int_equal(reap(pid), CLI_INTERRUPTED + SIGTERM);
    close(fd);
    close(listener);
    close(quiet);
}

static void a_reader_that_goes_away_ends_the_client_with_epipe(void **state)
{
    (void)state;
    struct server server = start(server_defaults("127.0.0.1"));
    int out[2], error[2], quiet = open("/dev/null", O_RDWR);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(error), 0);
    close(out[0]);
    pid_t pid = begin((const char *const[]){"client", "-c", "5", "127.0.0.1", server.port_text, NULL}, quiet, out[1], error[1]);
    assert_int_equal(reap(pid), EXIT_NEGATIVE);
    close(error[1]);
    char says[ERR_TEXT_BYTES];
    slurp(error[0], says, sizeof(says));
    assert_non_null(strstr(says, "Broken pipe"));
    close(out[1]);
    close(quiet);
    stop_server(&server, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_is_status_2_with_a_sentence),
        cmocka_unit_test(help_is_no_failure_and_names_every_role),
        cmocka_unit_test(what_failed_is_no_usage_error),
        cmocka_unit_test(the_verb_runs_both_ends),
        cmocka_unit_test(a_client_that_is_interrupted_says_so_by_its_status),
        cmocka_unit_test(a_reader_that_goes_away_ends_the_client_with_epipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
