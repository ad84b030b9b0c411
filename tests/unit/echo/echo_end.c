/* How the echo pair begins and ends: ports that can't be had, refusals, signals, timeouts, children that are left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "echo/stop.h"
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

/* Serves nothing: for servers that must not come to listen. */
static int fails_to_serve(const char *host, const char *port, bool udp)
{
    struct server_options options = server_defaults(host);
    struct server_result ignored;
    options.port = port;
    options.udp = udp;
    err.text[0] = '\0';
    return server_run(&options, &ignored, &err);
}

static void a_taken_port_is_named_with_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *host, *taker;
        bool udp;
    } rows[] = {{"127.0.0.1", "127.0.0.1", false}, {"0.0.0.0", "127.0.0.1", false}, {"127.0.0.1", "127.0.0.1", true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct server_options options = server_defaults(rows[i].taker);
        options.udp = rows[i].udp;
        struct server server = start(options);
        char says[64];
        snprintf(says, sizeof(says), "%s port %s is taken", rows[i].udp ? "UDP" : "TCP", server.port_text);
        assert_int_equal(fails_to_serve(rows[i].host, server.port_text, rows[i].udp), -EADDRINUSE);
        assert_non_null(strstr(err.text, says));
        assert_non_null(strstr(err.text, "take another port"));
        stop_server(&server, SIGTERM);
    }
}

static void an_address_of_another_host_is_not_listened_on(void **state)
{
    (void)state;
    /* RFC 5737: no host has an address of TEST-NET-1. */
    assert_int_equal(fails_to_serve("192.0.2.1", "0", false), -EADDRNOTAVAIL);
    assert_non_null(strstr(err.text, "can't listen on 192.0.2.1: it is not an address of this host"));
}

static void a_refused_connection_names_whom_it_asked(void **state)
{
    (void)state;
    struct server server;
    close(bound_socket(SOCK_STREAM, &server.port));
    snprintf(server.port_text, sizeof(server.port_text), "%u", (unsigned)server.port);
    struct client_options client = client_to("127.0.0.1", &server);
    char says[64];
    snprintf(says, sizeof(says), "can't connect to 127.0.0.1:%s: Connection refused", server.port_text);
    assert_int_equal(run(&client), -ECONNREFUSED);
    assert_non_null(strstr(err.text, says));
    client.port = "0";
    assert_int_equal(run(&client), -EINVAL);
}

/* What socket(AF_INET6, …) says on a host without IPv6. */
static int lose_ipv6(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
}

/* Little-endian hosts only, as all that are supported: the filter reads the low half of the argument first. */
static void without_ipv6_the_default_server_serves_ipv4(void **state)
{
    (void)state;
    pid_t pid = spawn();
    if (pid == 0) {
        if (lose_ipv6() != 0) _exit(77);
        struct server server = start(server_defaults(NULL));
        struct client_options client = client_to("127.0.0.1", &server);
        int code = run(&client);
        kill(server.pid, SIGTERM);
        if (code || reap(server.pid) != SERVER_STOPPED) _exit(1);
        /* asked for by name it is an error, with a reason */
        _exit(fails_to_serve("::1", "0", false) == -EAFNOSUPPORT && strstr(err.text, "this host has no IPv6") ? 0 : 2);
    }
    int status = reap(pid);
    if (status == 77) skip();
    assert_int_equal(status, 0);
}

static void the_handshake_does_not_wait_for_accept(void **state)
{
    (void)state;
    enum { DELAY_MS = 700 };
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        options.accept_delay_ms = DELAY_MS;
        int64_t before = clock_ms();
        struct server server = start(options);
        int fd = connect_to(server.port);
        assert_true(clock_ms() - before < DELAY_MS);
        assert_echoes(fd, "late\n");
        assert_true(clock_ms() - before >= DELAY_MS);
        close(fd);
        stop_server(&server, SIGTERM);
    }
}

static void only_the_iterative_server_lets_the_second_client_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        struct server server = start(options);
        int first = connect_to(server.port);
        assert_echoes(first, "first\n");
        int second = connect_to(server.port);
        if (styles[i] == SERVER_ITERATIVE) {
            assert_int_equal(transfer_write(second, "x", 1), 0);
            assert_int_equal(poll(&(struct pollfd){.fd = second, .events = POLLIN}, 1, 150), 0);
        } else {
            assert_echoes(second, "second\n");
        }
        close(first);
        if (styles[i] == SERVER_ITERATIVE)
            assert_int_equal(poll(&(struct pollfd){.fd = second, .events = POLLIN}, 1, PATIENCE_MS), 1);
        close(second);
        stop_server(&server, SIGTERM);
    }
}

static void a_server_ends_in_order_after_its_last_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        options.max_connections = 3;
        struct server server = start(options);
        struct client_options client = client_to("127.0.0.1", &server);
        for (int k = 0; k < 3; k++) assert_int_equal(run(&client), 0);
        assert_int_equal(reap(server.pid), SERVER_DONE);
        assert_int_equal(run(&client), -ECONNREFUSED);
    }
}

static void either_signal_ends_a_server_that_waits_and_one_that_serves(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < COUNT(styles) * COUNT(signals); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i % COUNT(styles)];
        struct server server = start(options);
        usleep(20000);
        stop_server(&server, signals[i / COUNT(styles)]);
        server = start(options);
        int fd = connect_to(server.port);
        assert_echoes(fd, "open\n");
        stop_server(&server, signals[i / COUNT(styles)]);
        char byte;
        assert_int_equal(transfer_read(fd, &byte, 1), 0); /* the connection was closed, by a child too */
        close(fd);
    }
    struct server_options options = server_defaults("127.0.0.1");
    options.udp = true;
    struct server server = start(options);
    usleep(20000);
    stop_server(&server, SIGINT);
}

static void a_signal_ends_a_client_in_order(void **state)
{
    (void)state;
    /* first while nobody answers, then while nobody types */
    for (int typing = 0; typing < 2; typing++) {
        struct server server;
        int input[2], listener = bound_socket(SOCK_STREAM, &server.port);
        snprintf(server.port_text, sizeof(server.port_text), "%u", (unsigned)server.port);
        assert_int_equal(pipe(input), 0);
        pid_t pid = spawn();
        if (pid == 0) {
            struct client_options client = client_to("127.0.0.1", &server);
            client.timeout_ms = 0;
            client.input_fd = typing ? input[0] : -1;
            int code = run(&client);
            exit(code == 0 && result.signal == SIGINT && !err.text[0] ? 0 : 1);
        }
        int fd = accept(listener, NULL, NULL);
        char said[16];
        if (typing)
            usleep(30000); /* it is in read() by then, or will be knocked at again */
        else
            assert_int_equal(transfer_read(fd, said, sizeof(said)), 8);
        kill(pid, SIGINT);
        assert_int_equal(reap(pid), 0);
        assert_int_equal(transfer_read(fd, said, sizeof(said)), 0);
        close(fd);
        close(listener);
        close(input[0]);
        close(input[1]);
    }
}

static void a_stop_just_before_a_blocking_call_is_not_slept_over(void **state)
{
    (void)state;
    int pipe_fds[2];
    char byte;
    assert_int_equal(pipe(pipe_fds), 0);
    struct stop stop;
    assert_int_equal(stop_begin(&stop, &err), 0);
    assert_int_equal(stop_asked(), 0);
    kill(getpid(), SIGTERM); /* heard before the read begins */
    assert_int_equal(stop_asked(), SIGTERM);
    assert_int_equal(read(pipe_fds[0], &byte, 1), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(read(pipe_fds[0], &byte, 1), -1); /* and again */
    stop_end(&stop);
    struct sigaction now;
    sigaction(SIGTERM, NULL, &now);
    assert_true(now.sa_handler == SIG_DFL);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void an_idle_connection_is_given_up_after_the_timeout(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        options.timeout_ms = 100;
        struct server server = start(options);
        int fd = connect_to(server.port);
        assert_echoes(fd, "x\n");
        int64_t before = clock_ms();
        char byte;
        assert_int_equal(transfer_read(fd, &byte, 1), 0);
        assert_in_range(clock_ms() - before, 80, 5000);
        close(fd);
        stop_server(&server, SIGTERM);
    }
}

/* Children of a process, from the kernel's list; -1 where it keeps none. */
static int count_children(pid_t pid)
{
    char path[64], word[32];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    int count = 0;
    while (fscanf(file, "%31s", word) == 1) count++;
    fclose(file);
    return count;
}

static void a_child_is_reaped_while_the_server_waits_for_the_next_client(void **state)
{
    (void)state;
    struct server_options options = server_defaults("127.0.0.1");
    options.style = SERVER_FORK;
    struct server server = start(options);
    if (count_children(server.pid) < 0) {
        stop_server(&server, SIGTERM);
        skip();
    }
    int fd = connect_to(server.port);
    assert_echoes(fd, "x\n");
    assert_int_equal(count_children(server.pid), 1);
    close(fd);
    int64_t end = clock_ms() + PATIENCE_MS;
    while (count_children(server.pid) != 0 && clock_ms() < end) usleep(2000);
    assert_int_equal(count_children(server.pid), 0);
    stop_server(&server, SIGTERM);
}

static void no_child_outlives_a_server_that_is_killed(void **state)
{
    (void)state;
    struct server_options options = server_defaults("127.0.0.1");
    options.style = SERVER_FORK;
    struct server server = start(options);
    int fd = connect_to(server.port);
    assert_echoes(fd, "x\n");
    kill(server.pid, SIGKILL);
    assert_int_equal(reap(server.pid), 128 + SIGKILL);
    char byte;
    assert_int_equal(transfer_read(fd, &byte, 1), 0);
    close(fd);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_port_is_named_with_what_to_do),
        cmocka_unit_test(an_address_of_another_host_is_not_listened_on),
        cmocka_unit_test(a_refused_connection_names_whom_it_asked),
        cmocka_unit_test(without_ipv6_the_default_server_serves_ipv4),
        cmocka_unit_test(the_handshake_does_not_wait_for_accept),
        cmocka_unit_test(only_the_iterative_server_lets_the_second_client_wait),
        cmocka_unit_test(a_server_ends_in_order_after_its_last_connection),
        cmocka_unit_test(either_signal_ends_a_server_that_waits_and_one_that_serves),
        cmocka_unit_test(a_signal_ends_a_client_in_order),
        cmocka_unit_test(a_stop_just_before_a_blocking_call_is_not_slept_over),
        cmocka_unit_test(an_idle_connection_is_given_up_after_the_timeout),
        cmocka_unit_test(a_child_is_reaped_while_the_server_waits_for_the_next_client),
        cmocka_unit_test(no_child_outlives_a_server_that_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
