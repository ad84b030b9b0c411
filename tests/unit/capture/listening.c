/* Where TCP sockets listen, in this network and in those of other processes. In networks of its own. */
#include "capture/listening.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/procinfo.h"
#include "support/own_network.h"
#include "support/sleeper.h"

enum { PORT = 4000, T_NS = 99, BITMAP_BYTES = 8192 };

static int listening(int family, uint16_t port)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    const struct sockaddr *local = family == AF_INET ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
    if (bind(fd, local, family == AF_INET ? sizeof(v4) : sizeof(v6)) || listen(fd, 1)) fail_msg("port %u", port);
    return fd;
}

/* "127.0.0.1:4000 [::1]:4001": those in the network with this inode, of all that are told. */
static const char *told(struct event_log *log, uint64_t netns)
{
    static char text[400];
    char one[ADDRESS_TEXT_BYTES];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        assert_int_equal(event->kind, EVENT_LISTENER);
        assert_int_equal(event->t_ns, T_NS);
        if (event->listener.netns != netns) continue;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? " " : "", address_format(&event->listener.local, one));
    }
    return text;
}

static void assert_told(const struct listening_options *options, uint64_t netns, const char *expected)
{
    struct event_log *log = event_log_new();
    assert_int_equal(listening_append(log, options), 0);
    assert_string_equal(told(log, netns), expected);
    event_log_free(log);
}

static void those_that_listen_are_told_once_each(void **state)
{
    (void)state;
    uint64_t here = procinfo_netns(0);
    /* Of this network alone: to look at an empty one takes the kernel milliseconds. */
    const struct listening_options all = {.t_ns = T_NS, .netns = &here, .netns_count = 1};
    assert_told(&all, here, "");
    int first = listening(AF_INET, PORT), second = listening(AF_INET6, PORT + 1);
    assert_told(&all, here, "127.0.0.1:4000 [::1]:4001");
    int again = listening(AF_INET, PORT); /* shares it */
    assert_told(&all, here, "127.0.0.1:4000 [::1]:4001");
    /* What is connected does not listen. */
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&to, sizeof(to)), 0);
    assert_told(&all, here, "127.0.0.1:4000 [::1]:4001");
    close(first), close(second), close(again), close(client);
}

/* A port is bit port % 8 of byte port / 8. */
static void only_the_ports_that_are_asked_for_are_told(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        const char *told;
    } cases[] = {{PORT, "127.0.0.1:4000"}, {PORT + 7, "127.0.0.1:4007"}, {PORT + 8, "127.0.0.1:4008"}, {PORT + 1, ""}, {500, ""}};
    uint64_t here = procinfo_netns(0);
    int fds[] = {listening(AF_INET, PORT), listening(AF_INET, PORT + 7), listening(AF_INET, PORT + 8)};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t ports[BITMAP_BYTES] = {0};
        ports[cases[i].port / 8] = (uint8_t)(1 << cases[i].port % 8);
        const struct listening_options options = {.t_ns = T_NS, .ports = ports, .netns = &here, .netns_count = 1};
        assert_told(&options, here, cases[i].told);
    }
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) close(fds[i]);
}

static void only_the_networks_that_are_asked_for_are_told(void **state)
{
    (void)state;
    uint64_t here = procinfo_netns(0);
    int fd = listening(AF_INET, PORT), ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (!pid) { /* in another network, with a listener of its own */
        if (!own_network_enter() || listening(AF_INET, PORT + 1) < 0 || write(ready[1], "", 1) != 1) _exit(1);
        sleep_until_killed(parent);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    uint64_t there = procinfo_netns(pid);
    assert_true(there != here);
    const struct {
        uint64_t netns[2];
        size_t count;
        const char *here, *there;
    } cases[] = {
        {{0}, 0, "127.0.0.1:4000", "127.0.0.1:4001"}, {{here}, 1, "127.0.0.1:4000", ""},
        {{there}, 1, "", "127.0.0.1:4001"},           {{1}, 1, "", ""},
        {{1, here}, 2, "127.0.0.1:4000", ""},         {{here, there}, 2, "127.0.0.1:4000", "127.0.0.1:4001"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct listening_options options = {.t_ns = T_NS, .netns = cases[i].netns, .netns_count = cases[i].count};
        struct event_log *log = event_log_new();
        assert_int_equal(listening_append(log, &options), 0);
        assert_string_equal(told(log, here), cases[i].here);
        assert_string_equal(told(log, there), cases[i].there);
        event_log_free(log);
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fd), close(ready[0]), close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_listen_are_told_once_each),
        cmocka_unit_test(only_the_ports_that_are_asked_for_are_told),
        cmocka_unit_test(only_the_networks_that_are_asked_for_are_told),
    };
    if (!own_network_enter()) {
        fprintf(stderr, "this test needs root, or user namespaces\n");
        return 1;
    }
    return cmocka_run_group_tests_name("listening", tests, NULL, NULL);
}
