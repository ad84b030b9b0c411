/* What goes to and fro between the echo client and server over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/support/echo_peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct err err;
static struct client_result result;

static const enum server_style styles[] = {SERVER_ITERATIVE, SERVER_FORK, SERVER_EPOLL};

static int collect(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

static int run(const struct client_options *options)
{
    err.text[0] = '\0';
    return client_run(options, &result, &err);
}

static void assert_runs(const struct client_options *options)
{
    if (run(options) != 0) fail_msg("%s", err.text);
}

static void every_style_echoes_a_megabyte_byte_for_byte(void **state)
{
    (void)state;
    enum { LENGTH = 1 << 20 };
    char *bytes;
    int fd = noise(LENGTH, &bytes);
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        options.max_connections = 1;
        struct server server = start(options);
        struct buf back = buf_new(2 * LENGTH);
        struct client_options client = client_to("127.0.0.1", &server);
        client.input_fd = fd;
        client.output = collect;
        client.output_data = &back;
        lseek(fd, 0, SEEK_SET);
        assert_runs(&client);
        assert_int_equal(result.bytes, LENGTH);
        assert_int_equal(back.length, LENGTH);
        assert_memory_equal(back.data, bytes, LENGTH);
        assert_int_equal(reap(server.pid), SERVER_DONE);
        buf_free(&back);
    }
    munmap(bytes, LENGTH);
    close(fd);
}

static void a_message_longer_than_all_buffers_comes_back(void **state)
{
    (void)state;
    enum { LENGTH = 20 << 20 };
    char *text = malloc(LENGTH + 1);
    assert_non_null(text);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    struct server_options options = server_defaults("127.0.0.1");
    options.max_connections = 1;
    struct server server = start(options);
    struct client_options client = client_to("127.0.0.1", &server);
    client.messages = (const char *const[]){text};
    client.message_count = 1;
    assert_runs(&client);
    assert_int_equal(result.bytes, LENGTH + 1);
    assert_int_equal(reap(server.pid), SERVER_DONE);
    free(text);
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;
    if (fd >= 0) close(fd);
    return has;
}

static void the_default_server_serves_ipv6_and_ipv4(void **state)
{
    (void)state;
    if (!has_ipv6()) skip();
    static const bool protocols[] = {false, true};
    for (size_t i = 0; i < COUNT(protocols); i++) {
        struct server_options options = server_defaults(i ? "::" : NULL);
        options.udp = protocols[i];
        options.max_connections = 2;
        struct server server = start(options);
        struct client_options client = client_to("::1", &server);
        client.udp = protocols[i];
        assert_runs(&client);
        client.host = "127.0.0.1";
        assert_runs(&client);
        assert_int_equal(reap(server.pid), SERVER_DONE);
    }
}

static void messages_are_said_in_rounds(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "", "b c"};
    static const struct {
        size_t messages;
        uint64_t count;
        const char *said;
    } rows[] = {{0, 0, "hello 1\n"}, {0, 3, "hello 1\nhello 2\nhello 3\n"}, {2, 0, "a\n\n"}, {3, 2, "a\n\nb c\na\n\nb c\n"}};
    struct server server = start(server_defaults("127.0.0.1"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf back = buf_new(4096);
        struct client_options client = client_to("127.0.0.1", &server);
        client.messages = texts;
        client.message_count = rows[i].messages;
        client.count = rows[i].count;
        client.output = collect;
        client.output_data = &back;
        assert_runs(&client);
        assert_string_equal(buf_string(&back), rows[i].said);
        buf_free(&back);
    }
    stop_server(&server, SIGTERM);
}

static void lines_of_input_are_sent_as_they_come_and_the_last_may_lack_its_newline(void **state)
{
    (void)state;
    struct server server = start(server_defaults("127.0.0.1"));
    int input[2]; /* made after the server was, so that it doesn't hold the end that the typist closes */
    assert_int_equal(pipe(input), 0);
    pid_t typist = spawn();
    if (typist == 0) {
        static const char *const pieces[] = {"on", "e\ntwo\nth", "ree\n\nend"};
        for (size_t i = 0; i < COUNT(pieces); i++, usleep(20000))
            if (write(input[1], pieces[i], strlen(pieces[i])) < 0) _exit(1);
        _exit(0);
    }
    close(input[1]);
    struct buf back = buf_new(4096);
    struct client_options client = client_to("127.0.0.1", &server);
    client.input_fd = input[0];
    client.output = collect;
    client.output_data = &back;
    assert_runs(&client);
    assert_string_equal(buf_string(&back), "one\ntwo\nthree\n\nend");
    assert_int_equal(result.messages, 5);
    buf_free(&back);
    close(input[0]);
    assert_int_equal(reap(typist), 0);
    stop_server(&server, SIGTERM);
}

static void a_server_told_to_close_first_does_so_behind_the_last_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(styles); i++) {
        struct server_options options = server_defaults("127.0.0.1");
        options.style = styles[i];
        options.close_first = true;
        options.messages = 2;
        struct server server = start(options);
        int fd = connect_to(server.port);
        char back[32];
        assert_int_equal(transfer_write(fd, "one\ntwo\nthree\n", 14), 0);
        size_t got = 0;
        ssize_t n;
        while ((n = transfer_read(fd, back + got, sizeof(back) - got)) > 0) got += (size_t)n;
        assert_int_equal(n, 0);
        assert_int_equal(got, 8);
        assert_memory_equal(back, "one\ntwo\n", 8);
        close(fd);

        struct client_options client = client_to("127.0.0.1", &server);
        client.count = 2;
        client.await_close = true;
        assert_runs(&client);
        client.count = 3;
        int code = run(&client); /* the third is one too many: a reset or an end of file, as the race may be */
        assert_int_equal(code, -ECONNRESET);
        assert_non_null(strstr(err.text, "message 3"));
        stop_server(&server, SIGTERM);
    }
}

static void udp_datagrams_come_back_each_for_itself(void **state)
{
    (void)state;
    struct server_options options = server_defaults("127.0.0.1");
    options.udp = true;
    options.max_connections = 3;
    struct server server = start(options);
    struct client_options client = client_to("127.0.0.1", &server);
    client.udp = true;
    client.count = 3;
    assert_runs(&client);
    assert_int_equal(result.messages, 3);
    assert_int_equal(reap(server.pid), SERVER_DONE);
}

static void udp_failures_are_told_apart(void **state)
{
    (void)state;
    struct server server;
    int fd = bound_socket(SOCK_DGRAM, &server.port);
    snprintf(server.port_text, sizeof(server.port_text), "%u", (unsigned)server.port);
    struct client_options client = client_to("127.0.0.1", &server);
    client.udp = true;
    client.timeout_ms = 50;
    assert_int_equal(run(&client), -ETIMEDOUT);
    assert_non_null(strstr(err.text, "no answer to message 1 within 50 ms"));
    client.timeout_ms = 0;
    int64_t before = clock_ms();
    assert_int_equal(run(&client), -ETIMEDOUT);
    assert_in_range(clock_ms() - before, CLIENT_UDP_TIMEOUT_MS - 50, CLIENT_UDP_TIMEOUT_MS + 3000);
    close(fd);
    assert_int_equal(run(&client), -ECONNREFUSED);
    assert_non_null(strstr(err.text, "port unreachable (ICMP)"));
    char *text = malloc(70001);
    assert_non_null(text);
    memset(text, 'x', 70000);
    text[70000] = '\0';
    client.messages = (const char *const[]){text};
    client.message_count = 1;
    assert_int_equal(run(&client), -EMSGSIZE);
    assert_non_null(strstr(err.text, "message 1 has 70001 bytes, more than a datagram"));
    free(text);
}

static void a_datagram_that_poses_as_the_servers_own_is_not_answered(void **state)
{
    (void)state;
    struct server_options options = server_defaults("127.0.0.1");
    options.udp = true;
    struct server server = start(options);
    int fd = new_socket(SOCK_DGRAM);
    struct sockaddr_in from = loopback(server.port), to = loopback(server.port);
    from.sin_addr.s_addr = htonl(0x7f000002);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 200), 0);
    close(fd);
    stop_server(&server, SIGTERM);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_style_echoes_a_megabyte_byte_for_byte),
        cmocka_unit_test(a_message_longer_than_all_buffers_comes_back),
        cmocka_unit_test(the_default_server_serves_ipv6_and_ipv4),
        cmocka_unit_test(messages_are_said_in_rounds),
        cmocka_unit_test(lines_of_input_are_sent_as_they_come_and_the_last_may_lack_its_newline),
        cmocka_unit_test(a_server_told_to_close_first_does_so_behind_the_last_message),
        cmocka_unit_test(udp_datagrams_come_back_each_for_itself),
        cmocka_unit_test(udp_failures_are_told_apart),
        cmocka_unit_test(a_datagram_that_poses_as_the_servers_own_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
