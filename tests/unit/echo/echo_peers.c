/* What the echo client and server make of a peer that misbehaves, vanishes or is slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/time.h>
#include <time.h>

#include "tests/support/echo_peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct err err;
static struct client_result result;

static const enum server_style styles[] = {SERVER_ITERATIVE, SERVER_FORK, SERVER_EPOLL};

static int run(const struct client_options *options)
{
    err.text[0] = '\0';
    return client_run(options, &result, &err);
}

static void assert_runs(const struct client_options *options)
{
    if (run(options) != 0) fail_msg("%s", err.text);
}

/* A server made of one function that is given the accepted connection. */
static pid_t bad_server(void (*behave)(int fd), struct server *ret_server)
{
    int listener = bound_socket(SOCK_STREAM, &ret_server->port);
    snprintf(ret_server->port_text, sizeof(ret_server->port_text), "%u", (unsigned)ret_server->port);
    pid_t pid = spawn();
    if (pid == 0) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) _exit(1);
        behave(fd);
        close(fd);
        _exit(0);
    }
    close(listener);
    return pid;
}

static char said[64];

static size_t hear(int fd)
{
    ssize_t n = read(fd, said, sizeof(said));
    return n > 0 ? (size_t)n : 0;
}

static void flips_a_bit(int fd)
{
    size_t n = hear(fd);
    said[4] ^= 0x20;
    transfer_write(fd, said, n);
}

static void says_more(int fd)
{
    size_t n = hear(fd);
    said[n] = '!';
    transfer_write(fd, said, n + 1);
}

static void says_more_in_the_end(int fd)
{
    transfer_write(fd, said, hear(fd));
    usleep(50000);
    transfer_write(fd, "!", 1);
}

static void closes_in_the_middle(int fd)
{
    hear(fd);
    transfer_write(fd, said, 3);
}

static void resets_in_the_middle(int fd)
{
    hear(fd);
    transfer_write(fd, said, 3);
    usleep(50000);
    close_with_reset(fd);
}

static void says_nothing(int fd)
{
    hear(fd);
    hear(fd);
}

static void a_server_that_misbehaves_is_found_out(void **state)
{
    (void)state;
    static const struct {
        void (*behave)(int fd);
        bool await_close;
        int timeout_ms, code;
        const char *says;
    } rows[] = {
        {flips_a_bit, false, PATIENCE_MS, -EBADMSG, "byte 5 of message 1 was sent as 0x6f and came back as 0x4f"},
        {says_more, false, PATIENCE_MS, -EBADMSG,
         "more came back than was sent; the first byte too many, behind byte 8 of message 1, is 0x21"},
        {says_more_in_the_end, true, PATIENCE_MS, -EBADMSG, "more came back than was sent"},
        {closes_in_the_middle, false, PATIENCE_MS, -ECONNRESET,
         "closed the connection when 3 of 8 bytes of message 1 had come back"},
        {resets_in_the_middle, false, PATIENCE_MS, -ECONNRESET, "reset the connection after 3 bytes of message 1"},
        {says_nothing, false, 100, -ETIMEDOUT, "no answer within 100 ms, with 0 bytes of message 1 back"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct server server;
        pid_t pid = bad_server(rows[i].behave, &server);
        struct client_options client = client_to("127.0.0.1", &server);
        client.await_close = rows[i].await_close;
        client.timeout_ms = rows[i].timeout_ms;
        int code = run(&client);
        if (code != rows[i].code || !strstr(err.text, rows[i].says)) fail_msg("row %zu: %d '%s'", i, code, err.text);
        assert_int_equal(reap(pid), 0);
    }
}

static void bytewise(int fd)
{
    size_t n = hear(fd);
    for (size_t i = 0; i < n; i++, usleep(1000)) transfer_write(fd, said + i, 1);
    hear(fd);
}

static void an_echo_in_crumbs_is_whole_in_the_end(void **state)
{
    (void)state;
    struct server server;
    pid_t pid = bad_server(bytewise, &server);
    struct client_options client = client_to("127.0.0.1", &server);
    assert_runs(&client);
    assert_int_equal(result.bytes, 8);
    assert_int_equal(reap(pid), 0);
}

static void a_peer_that_vanishes_does_not_disturb_the_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        struct server server = start(options);
        int silent = connect_to(server.port), early = connect_to(server.port), deaf = connect_to(server.port);
        close_with_reset(silent);
        assert_int_equal(transfer_write(early, "x\n", 2), 0);
        close_with_reset(early);
        assert_int_equal(transfer_write(deaf, "x\n", 2), 0); /* its echo is never read: close() resets */
        usleep(20000);
        close(deaf);
        int fd = connect_to(server.port);
        assert_echoes(fd, "still here\n");
        close(fd);
        stop_server(&server, SIGTERM);
    }
}

/* Writes as long as the server takes it, without reading: both ends' buffers are full then. */
static size_t stuff(int fd, const char *bytes, size_t limit)
{
    size_t sent = 0;
    while (sent < limit && poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 200) > 0) {
        ssize_t n = send(fd, bytes + sent, limit - sent, MSG_DONTWAIT);
        if (n > 0) sent += (size_t)n;
    }
    return sent;
}

/* A server that waits for room to write must sleep, though more is there to be read. */
static void assert_sleeps(const struct server *server)
{
    clockid_t clock;
    struct timespec before, after;
    assert_int_equal(clock_getcpuclockid(server->pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &before), 0);
    usleep(200000);
    assert_int_equal(clock_gettime(clock, &after), 0);
    assert_true((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec < 50000000L);
}

static void a_peer_that_reads_late_gets_every_byte(void **state)
{
    (void)state;
    enum { LENGTH = 64 << 20 };
    char *bytes;
    int memory = noise(LENGTH, &bytes);
    char *back = malloc(LENGTH);
    assert_non_null(back);
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        struct server server = start(options);
        int fd = connect_to(server.port);
        size_t sent = stuff(fd, bytes, LENGTH), got = 0;
        assert_in_range(sent, TRANSFER_BYTES, LENGTH - 1); /* it did fill up: the server's writes were partial */
        assert_sleeps(&server);
        if (styles[i] != SERVER_ITERATIVE) {
            int other = connect_to(server.port);
            assert_echoes(other, "not held up\n");
            close(other);
        }
        shutdown(fd, SHUT_WR);
        ssize_t n;
        while ((n = transfer_read(fd, back + got, LENGTH - got)) > 0) got += (size_t)n;
        assert_int_equal(n, 0);
        assert_int_equal(got, sent);
        assert_memory_equal(back, bytes, got);
        close(fd);
        stop_server(&server, SIGTERM);
    }
    free(back);
    munmap(bytes, LENGTH);
    close(memory);
}

static void wake(int number)
{
    (void)number;
}

/* Writes of a blocking socket are partial when a signal comes: here every millisecond, while the reader takes its time. */
static void a_write_that_signals_cut_short_is_whole_in_the_end(void **state)
{
    (void)state;
    enum { LENGTH = 8 << 20 };
    char *bytes;
    int memory = noise(LENGTH, &bytes), pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t writer = spawn();
    if (writer == 0) {
        close(pair[0]);
        sigaction(SIGALRM, &(struct sigaction){.sa_handler = wake}, NULL);
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
        _exit(transfer_write(pair[1], bytes, LENGTH) == 0 ? 0 : 1);
    }
    close(pair[1]);
    char *back = malloc(LENGTH);
    assert_non_null(back);
    size_t got = 0;
    ssize_t n;
    while ((n = transfer_read(pair[0], back + got, LENGTH - got)) > 0) {
        got += (size_t)n;
        if (got % 7 == 0) usleep(3000);
    }
    assert_int_equal(reap(writer), 0);
    assert_int_equal(got, LENGTH);
    assert_memory_equal(back, bytes, LENGTH);
    close(pair[0]);
    free(back);
    munmap(bytes, LENGTH);
    close(memory);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_misbehaves_is_found_out),
        cmocka_unit_test(an_echo_in_crumbs_is_whole_in_the_end),
        cmocka_unit_test(a_peer_that_vanishes_does_not_disturb_the_next),
        cmocka_unit_test(a_peer_that_reads_late_gets_every_byte),
        cmocka_unit_test(a_write_that_signals_cut_short_is_whole_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
