/* The sockets that a process holds, as /proc tells of them: real sockets on loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/procsockets.h"
#include "support/sleeper.h"

enum { NOBODYS_PID = 1 << 30, MANY = 70 };

struct found {
    struct event_socket sockets[MANY + 8];
    pid_t pids[8];
    size_t count;
};

static void take_socket(void *data, const struct event_socket *socket)
{
    struct found *found = data;
    assert_true(found->count < sizeof(found->sockets) / sizeof(found->sockets[0]));
    found->sockets[found->count++] = *socket;
}

static void take_pid(void *data, pid_t pid)
{
    struct found *found = data;
    assert_true(found->count < sizeof(found->pids) / sizeof(found->pids[0]));
    found->pids[found->count++] = pid;
}

static int bound(int family, int type, uint16_t *ret_port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010203)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_storage name;
    socklen_t length = sizeof(name);
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (family == AF_INET)
        assert_int_equal(bind(fd, (struct sockaddr *)&four, sizeof(four)), 0);
    else
        assert_int_equal(bind(fd, (struct sockaddr *)&six, sizeof(six)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    *ret_port = ntohs(family == AF_INET ? ((struct sockaddr_in *)&name)->sin_port : ((struct sockaddr_in6 *)&name)->sin6_port);
    return fd;
}

static const struct event_socket *at_port(const struct found *found, uint8_t protocol, uint16_t port)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->sockets[i].protocol == protocol && found->sockets[i].local.port == port) return &found->sockets[i];
    return NULL;
}

static void each_socket_of_a_process_is_given_and_no_other(void **state)
{
    (void)state;
    struct found found = {0};
    uint16_t tcp, tcp6, udp, udp6, other;
    char text[ADDRESS_TEXT_BYTES];
    int listener = bound(AF_INET, SOCK_STREAM, &tcp), six = bound(AF_INET6, SOCK_STREAM, &tcp6);
    int datagrams = bound(AF_INET, SOCK_DGRAM, &udp), closed = bound(AF_INET, SOCK_DGRAM, &other);
    int unbound = socket(AF_UNIX, SOCK_STREAM, 0), datagrams_of_six = bound(AF_INET6, SOCK_DGRAM, &udp6);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(listen(six, 5), 0);
    close(closed);
    assert_int_equal(procsockets_of(getpid(), take_socket, &found), 4);
    assert_int_equal(found.count, 4);
    assert_null(at_port(&found, IPPROTO_UDP, other));
    const struct event_socket *four = at_port(&found, IPPROTO_TCP, tcp), *of_six = at_port(&found, IPPROTO_TCP, tcp6);
    assert_non_null(four);
    assert_non_null(of_six);
    assert_non_null(at_port(&found, IPPROTO_UDP, udp));
    assert_non_null(at_port(&found, IPPROTO_UDP, udp6));
    assert_string_equal(address_format_ip(&four->local, text), "127.1.2.3");
    assert_int_equal(four->state, KERNEL_LISTEN);
    assert_int_equal(four->remote.version, 0);
    assert_string_equal(address_format_ip(&of_six->local, text), "::1");
    close(listener), close(six), close(datagrams), close(datagrams_of_six), close(unbound);
}

static void a_connection_has_both_its_ends(void **state)
{
    (void)state;
    struct found found = {0};
    uint16_t port, own;
    char text[ADDRESS_TEXT_BYTES];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010203)};
    int listener = bound(AF_INET, SOCK_STREAM, &port), client = bound(AF_INET, SOCK_STREAM, &own);
    to.sin_port = htons(port);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(procsockets_of(getpid(), take_socket, &found), 2); /* the one in the queue is nobody's yet */
    const struct event_socket *mine = at_port(&found, IPPROTO_TCP, own);
    assert_non_null(mine);
    assert_string_equal(address_format_ip(&mine->remote, text), "127.1.2.3");
    assert_int_equal(mine->remote.port, port);
    assert_int_equal(mine->state, KERNEL_ESTABLISHED);
    close(listener), close(client);
}

static void more_sockets_than_the_first_room_are_all_given(void **state)
{
    (void)state;
    struct found found = {0};
    int fds[MANY];
    uint16_t ports[MANY];
    for (size_t i = 0; i < MANY; i++) fds[i] = bound(AF_INET, SOCK_DGRAM, &ports[i]);
    assert_int_equal(procsockets_of(getpid(), take_socket, &found), MANY);
    for (size_t i = 0; i < MANY; i++) assert_non_null(at_port(&found, IPPROTO_UDP, ports[i]));
    for (size_t i = 0; i < MANY; i++) close(fds[i]);
}

static void who_is_not_there_is_said(void **state)
{
    (void)state;
    struct found found = {0};
    assert_int_equal(procsockets_of(NOBODYS_PID, take_socket, &found), -ESRCH);
    assert_int_equal(procsockets_of(getpid(), take_socket, &found), 0);
    assert_int_equal(found.count, 0);
}

static bool gives(const struct found *found, pid_t pid)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->pids[i] == pid) return true;
    return false;
}

static void the_holders_of_a_listener_are_those_of_its_port_alone(void **state)
{
    (void)state;
    struct found found = {0}, none = {0};
    uint16_t port, unused, datagrams;
    int listener = bound(AF_INET, SOCK_STREAM, &port), silent = bound(AF_INET, SOCK_STREAM, &unused);
    int udp = bound(AF_INET, SOCK_DGRAM, &datagrams);
    assert_int_equal(listen(listener, 5), 0);
    pid_t parent = getpid(), child = fork();
    assert_true(child >= 0);
    if (!child) sleep_until_killed(parent); /* holds the listener as well */
    assert_int_equal(procsockets_listeners(port, take_pid, &found), 2);
    assert_int_equal(found.count, 2);
    assert_true(gives(&found, getpid()) && gives(&found, child));
    assert_int_equal(procsockets_listeners(unused, take_pid, &none), 0); /* bound, and does not listen */
    assert_int_equal(procsockets_listeners(datagrams, take_pid, &none), 0);
    assert_int_equal(none.count, 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* Who holds a connection that it accepted, at the same port, listens no more. */
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f010203)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    close(listener);
    assert_int_equal(procsockets_listeners(port, take_pid, &none), 0);
    close(client), close(accepted), close(silent), close(udp);
}

static void take_address(void *data, const struct address *local)
{
    struct found *found = data;
    if (found->count < sizeof(found->sockets) / sizeof(found->sockets[0])) found->sockets[found->count++].local = *local;
}

static size_t times_given(const struct found *found, uint16_t port, uint8_t version)
{
    size_t times = 0;
    for (size_t i = 0; i < found->count; i++)
        if (found->sockets[i].local.port == port && found->sockets[i].local.version == version) times++;
    return times;
}

static void who_listens_in_a_network_is_given_and_nobody_else(void **state)
{
    (void)state;
    struct found found = {0}, none = {0};
    uint16_t port, port6, unused, datagrams;
    int listener = bound(AF_INET, SOCK_STREAM, &port), silent = bound(AF_INET, SOCK_STREAM, &unused);
    int six = bound(AF_INET6, SOCK_STREAM, &port6), udp = bound(AF_INET, SOCK_DGRAM, &datagrams);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(listen(six, 5), 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f010203)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0); /* the server's end has that port, too */
    assert_int_equal(procsockets_listening(getpid(), take_address, &found), 0);
    assert_int_equal(times_given(&found, port, 4), 1);
    assert_int_equal(times_given(&found, port6, 6), 1);
    assert_int_equal(times_given(&found, unused, 4), 0);
    assert_int_equal(times_given(&found, datagrams, 4), 0);
    assert_int_equal(procsockets_listening(NOBODYS_PID, take_address, &none), -ENOENT);
    assert_int_equal(none.count, 0);
    close(listener), close(silent), close(six), close(udp), close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_socket_of_a_process_is_given_and_no_other),
        cmocka_unit_test(a_connection_has_both_its_ends),
        cmocka_unit_test(more_sockets_than_the_first_room_are_all_given),
        cmocka_unit_test(who_is_not_there_is_said),
        cmocka_unit_test(who_listens_in_a_network_is_given_and_nobody_else),
        cmocka_unit_test(the_holders_of_a_listener_are_those_of_its_port_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
