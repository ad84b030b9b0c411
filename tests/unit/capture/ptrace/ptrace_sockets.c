/* Which sockets the ptrace recorder knows: by the name of the descriptor's link, and what of them stays as it is. */
#include "capture/ptrace/ptrace_sockets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "support/socket_of.h"

static void a_descriptors_socket_has_its_inodes_number(void **state)
{
    (void)state;
    struct stat there;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), saved = dup(STDIN_FILENO);
    assert_true(fd > 0);
    assert_int_equal(fstat(fd, &there), 0);
    assert_int_equal(ptrace_sockets_inode(getpid(), fd), there.st_ino);
    assert_int_equal(errno, 0);
    assert_int_equal(dup2(fd, 0), 0); /* 0 is a descriptor as well */
    assert_int_equal(ptrace_sockets_inode(getpid(), 0), there.st_ino);
    if (saved >= 0) dup2(saved, 0), close(saved);
    close(fd);
    errno = EIO;
    assert_int_equal(ptrace_sockets_inode(getpid(), fd), 0);
    assert_int_equal(errno, 0);
    errno = EIO;
    assert_int_equal(ptrace_sockets_inode(getpid(), -1), 0);
    assert_int_equal(errno, 0);
}

static void what_is_no_socket_is_something_else(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_true(ptrace_sockets_inode(getpid(), fds[0]) == PTRACE_SOCKETS_OTHER);
    assert_int_equal(errno, 0);
    close(fds[0]), close(fds[1]);
}

/* A zombie's descriptors are closed; of who is gone there is nothing. */
static void of_who_has_ended_none_is_known_and_nothing_is_wrong(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(ptrace_sockets_inode(pid, 0), 0);
    assert_int_equal(errno, 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(ptrace_sockets_inode(pid, 0), 0);
    assert_int_equal(errno, 0);
}

static void addresses_stay_once_it_listens_or_has_a_peer(void **state)
{
    (void)state;
    static const struct {
        uint8_t protocol, state;
        uint16_t local, remote;
        bool settled;
    } cases[] = {
        {IPPROTO_TCP, KERNEL_STATE_UNKNOWN, 1, 2, true},  {IPPROTO_TCP, KERNEL_LISTEN, 1, 0, true},
        {IPPROTO_TCP, KERNEL_LISTEN, 0, 0, false},        {IPPROTO_TCP, KERNEL_STATE_UNKNOWN, 1, 0, false},
        {IPPROTO_TCP, KERNEL_STATE_UNKNOWN, 0, 2, false}, {IPPROTO_UDP, KERNEL_STATE_UNKNOWN, 1, 2, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_socket socket = {.protocol = cases[i].protocol, .state = cases[i].state};
        socket.local.port = cases[i].local, socket.remote.port = cases[i].remote;
        if (ptrace_sockets_settled(&socket) != cases[i].settled) fail_msg("case %zu", i);
    }
}

static void of_what_was_learnt_the_state_stays_only_if_it_listens(void **state)
{
    (void)state;
    struct ptrace_sockets sockets = {NULL};
    struct event_socket socket = {.cookie = 7, .state = KERNEL_LISTEN, .unread_bytes = 5, .has_unread = true},
                        found = {.cookie = 0};
    assert_false(ptrace_sockets_find(&sockets, 3, &found));
    ptrace_sockets_learn(&sockets, 3, &socket);
    assert_true(ptrace_sockets_find(&sockets, 3, &found));
    assert_int_equal(found.cookie, 7);
    assert_int_equal(found.state, KERNEL_LISTEN);
    assert_int_equal(found.unread_bytes, 0);
    assert_false(found.has_unread);
    socket.state = KERNEL_ESTABLISHED, socket.cookie = 8;
    ptrace_sockets_learn(&sockets, 3, &socket);
    assert_true(ptrace_sockets_find(&sockets, 3, &found));
    assert_int_equal(found.cookie, 8);
    assert_int_equal(found.state, KERNEL_STATE_UNKNOWN);
    assert_false(ptrace_sockets_find(&sockets, 4, &found));
    ptrace_sockets_free(&sockets);
}

static void fresh_is_what_has_no_address_and_no_state_yet(void **state)
{
    (void)state;
    struct event_socket fresh = {.protocol = IPPROTO_TCP, .state = KERNEL_CLOSE}, other = fresh;
    struct ptrace_sockets sockets = {NULL};
    assert_true(ptrace_sockets_fresh(&fresh));
    other.local.port = 1;
    assert_false(ptrace_sockets_fresh(&other));
    other = fresh, other.remote.port = 1;
    assert_false(ptrace_sockets_fresh(&other));
    other = fresh, other.state = KERNEL_SYN_SENT;
    assert_false(ptrace_sockets_fresh(&other));
    other = fresh, other.protocol = IPPROTO_UDP;
    assert_false(ptrace_sockets_fresh(&other));
    ptrace_sockets_learn(&sockets, 3, &fresh);
    assert_true(ptrace_sockets_find(&sockets, 3, &other));
    assert_true(ptrace_sockets_fresh(&other));
    ptrace_sockets_free(&sockets);
}

static void when_4096_are_known_all_are_asked_again(void **state)
{
    (void)state;
    struct ptrace_sockets sockets;
    struct event_socket socket = {.cookie = 7}, found;
    assert_int_equal(ptrace_sockets_init(&sockets), 0);
    for (uint64_t key = 1; key <= 4096; key++) ptrace_sockets_learn(&sockets, key, &socket);
    assert_true(ptrace_sockets_find(&sockets, 1, &found));
    ptrace_sockets_learn(&sockets, 4096, &socket); /* known already */
    assert_true(ptrace_sockets_find(&sockets, 1, &found));
    ptrace_sockets_learn(&sockets, 4097, &socket);
    assert_false(ptrace_sockets_find(&sockets, 1, &found));
    assert_true(ptrace_sockets_find(&sockets, 4097, &found));
    ptrace_sockets_free(&sockets);
}

static int bound(int domain, int type, int protocol, uint16_t *ret_port)
{
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(local);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&local, sizeof(local)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &length), 0);
    *ret_port = ntohs(local.sin_port);
    return fd;
}

static void what_is_behind_a_descriptor_is_asked_of_its_socket(void **state)
{
    (void)state;
    struct event_socket seen;
    uint16_t port;
    int fd = bound(AF_INET, SOCK_STREAM, 0, &port);
    assert_true(socket_of(getpid(), fd, &seen));
    assert_int_equal(seen.protocol, IPPROTO_TCP);
    assert_int_equal(seen.local.port, port);
    assert_int_equal(seen.remote.version, 0); /* nobody */
    assert_int_equal(seen.state, KERNEL_CLOSE);
    assert_false(seen.has_unread);
    assert_int_equal(listen(fd, 1), 0);
    uint64_t cookie = seen.cookie;
    assert_true(cookie != 0);
    assert_true(socket_of(gettid(), fd, &seen));
    assert_int_equal(seen.state, KERNEL_LISTEN);
    assert_int_equal(seen.cookie, cookie);
    close(fd);
    /* Of a datagram's socket TCP_INFO says nothing, and SIOCINQ how long the next one is. */
    fd = bound(AF_INET, SOCK_DGRAM, 0, &port);
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(sendto(fd, "1234567", 7, 0, (const struct sockaddr *)&self, sizeof(self)), 7);
    assert_true(socket_of(getpid(), fd, &seen));
    assert_int_equal(seen.protocol, IPPROTO_UDP);
    assert_int_equal(seen.state, KERNEL_STATE_UNKNOWN);
    assert_true(seen.has_unread);
    assert_int_equal(seen.unread_bytes, 7);
    close(fd);
    /* Not bound: an address without a port is none. */
    fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        assert_true(socket_of(getpid(), fd, &seen));
        assert_int_equal(seen.local.version, 0);
        close(fd);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_false(socket_of(getpid(), fd, &seen));
    assert_int_equal(errno, 0);
    close(fd);
    assert_false(socket_of(getpid(), fd, &seen)); /* closed */
    assert_int_equal(errno, 0);
    assert_false(socket_of(getpid(), -1, &seen));
    assert_int_equal(errno, 0);
}

/* SO_NETNS_COOKIE, since Linux 5.14. */
static void a_sockets_network_has_a_number(void **state)
{
    (void)state;
    enum { NETWORK_OPTION = 71 };
    uint64_t network = 0;
    socklen_t length = sizeof(network);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (getsockopt(fd, SOL_SOCKET, NETWORK_OPTION, &network, &length)) network = 0;
    assert_true(sockinfo_network(fd) == network);
    close(fd);
    assert_true(sockinfo_network(fd) == 0);
    assert_true(sockinfo_cookie(fd) == 0);
}

/* Nobody is there, or there is no descriptor to spare: the first is no failure. */
static void why_a_socket_could_not_be_seen_is_said(void **state)
{
    (void)state;
    struct event_socket seen;
    struct rlimit before, few;
    errno = EIO;
    assert_false(socket_of(0x3fffffff, 0, &seen));
    assert_int_equal(errno, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(0);
    close(next);
    few = before, few.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    bool is_seen = socket_of(getpid(), 0, &seen);
    int why = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(is_seen);
    assert_int_equal(why, EMFILE);
}

/* What its subflows speak is TCP, with its addresses; where the kernel has MPTCP. */
static void a_multipath_socket_is_one_of_tcp(void **state)
{
    (void)state;
    enum { MULTIPATH = 262 };
    struct event_socket seen;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, MULTIPATH);
    if (fd < 0) {
        assert_true(errno == EPROTONOSUPPORT || errno == ENOPROTOOPT || errno == EINVAL || errno == EPERM);
        return;
    }
    assert_true(socket_of(getpid(), fd, &seen));
    assert_int_equal(seen.protocol, IPPROTO_TCP);
    close(fd);
}

/* What is not asked for is taken from what is known. */
static void of_a_known_socket_only_what_is_asked_for_is_asked_again(void **state)
{
    (void)state;
    uint16_t port;
    int fd = bound(AF_INET, SOCK_STREAM, 0, &port);
    const struct event_socket known = {.cookie = 77,
                                       .protocol = IPPROTO_TCP,
                                       .local = {.version = 4, .port = 9},
                                       .state = KERNEL_LISTEN,
                                       .unread_bytes = 3,
                                       .has_unread = true};
    struct event_socket seen;
    assert_true(sockinfo_describe(fd, &known, SOCKINFO_ADDRESSES, &seen));
    assert_int_equal(seen.local.port, port);
    assert_int_equal(seen.state, KERNEL_LISTEN);
    assert_int_equal(seen.unread_bytes, 3);
    assert_true(sockinfo_describe(fd, &known, SOCKINFO_STATE, &seen));
    assert_int_equal(seen.local.port, 9);
    assert_int_equal(seen.state, KERNEL_CLOSE);
    assert_true(sockinfo_describe(fd, &known, SOCKINFO_UNREAD, &seen));
    assert_int_equal(seen.state, KERNEL_LISTEN);
    assert_false(seen.has_unread);
    assert_int_equal(seen.unread_bytes, 0);
    assert_int_equal(seen.cookie, 77);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptors_socket_has_its_inodes_number),
        cmocka_unit_test(what_is_no_socket_is_something_else),
        cmocka_unit_test(of_who_has_ended_none_is_known_and_nothing_is_wrong),
        cmocka_unit_test(addresses_stay_once_it_listens_or_has_a_peer),
        cmocka_unit_test(of_what_was_learnt_the_state_stays_only_if_it_listens),
        cmocka_unit_test(fresh_is_what_has_no_address_and_no_state_yet),
        cmocka_unit_test(when_4096_are_known_all_are_asked_again),
        cmocka_unit_test(what_is_behind_a_descriptor_is_asked_of_its_socket),
        cmocka_unit_test(a_sockets_network_has_a_number),
        cmocka_unit_test(why_a_socket_could_not_be_seen_is_said),
        cmocka_unit_test(a_multipath_socket_is_one_of_tcp),
        cmocka_unit_test(of_a_known_socket_only_what_is_asked_for_is_asked_again),
    };
    return cmocka_run_group_tests_name("ptrace_sockets", tests, NULL, NULL);
}
