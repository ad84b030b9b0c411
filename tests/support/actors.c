/* The actors that make socket calls and no more, and what all share. */
#include "support/actors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "support/actors_own.h"

void actor_need(bool good)
{
    if (!good) _exit(99);
}

struct sockaddr_in actor_bound_name(int fd)
{
    struct sockaddr_in name;
    socklen_t length = sizeof(name);
    actor_need(getsockname(fd, (struct sockaddr *)&name, &length) == 0);
    return name;
}

int actor_listening(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    actor_need(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(fd, 5) == 0);
    return fd;
}

int actor_connected(int listener)
{
    struct sockaddr_in name = actor_bound_name(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    actor_need(fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
    return fd;
}

void actor_pair(int *ret_listener, int *ret_client, int *ret_server)
{
    *ret_listener = actor_listening();
    *ret_client = actor_connected(*ret_listener);
    *ret_server = accept(*ret_listener, NULL, NULL);
    actor_need(*ret_listener == 3 && *ret_client == 4 && *ret_server == 5);
}

static void act_talk(void)
{
    int listener, client, server;
    char text[16];
    actor_pair(&listener, &client, &server);
    actor_need(write(client, "hello", 5) == 5);
    actor_need(read(server, text, sizeof(text)) == 5);
    actor_need(shutdown(client, SHUT_WR) == 0);
    actor_need(read(server, text, sizeof(text)) == 0);
    actor_need(close(server) == 0 && close(client) == 0 && close(listener) == 0);
}

static void act_unread(void)
{
    int listener, client, server;
    actor_pair(&listener, &client, &server);
    actor_need(send(client, "hello", 5, MSG_NOSIGNAL) == 5);
    actor_need(close(server) == 0);
}

static void act_refused(void)
{
    int listener = actor_listening();
    struct sockaddr_in name = actor_bound_name(listener);
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    actor_need(connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 && errno == ECONNREFUSED);
}

static void act_dup2(void)
{
    int listener, client, server;
    actor_pair(&listener, &client, &server);
    actor_need(dup(client) == 6);
    actor_need(dup2(0, client) == client); /* closes one of two references */
    actor_need(dup2(0, 6) == 6);           /* closes the last */
    actor_need(dup2(0, 7) == 7);           /* concerns no socket */
}

/* From a socket into a pipe and out of it into the socket; vectors at an offset of -1; and copies of a descriptor by fcntl(2),
 * which is asked for other things, too. */
static void act_passes(void)
{
    int listener, client, server, ends[2];
    char text[4];
    struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
    actor_pair(&listener, &client, &server);
    actor_need(pipe(ends) == 0 && ends[0] == 6);
    actor_need(write(client, "word", 4) == 4);
    actor_need(splice(server, NULL, ends[1], NULL, 4, 0) == 4);
    actor_need(splice(ends[0], NULL, server, NULL, 4, SPLICE_F_MOVE) == 4);
    actor_need(splice(ends[0], NULL, ends[1], NULL, 4, 0) < 0); /* concerns no socket */
    actor_need(preadv2(client, &part, 1, -1, 0) == 4);
    actor_need(pwritev2(client, &part, 1, -1, 0) == 4);
    actor_need(fcntl(client, F_GETFD) == 0);
    actor_need(fcntl(client, F_DUPFD_CLOEXEC, 20) == 20);
    actor_need(fcntl(ends[0], F_DUPFD, 30) == 30);
    actor_need(close(20) == 0);
}

static void act_range(void)
{
    int listener, client, server;
    actor_pair(&listener, &client, &server);
    actor_need(syscall(SYS_close_range, 4, 100, 0) == 0);
    actor_need(syscall(SYS_close_range, 50, 100, 0) == 0);
}

static void act_waits(void)
{
    int listener = actor_listening(), client = actor_connected(listener);
    struct pollfd fds[3] = {{.fd = -1, .events = POLLIN}, {.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
    actor_need(syscall(SYS_ppoll, fds, 3, NULL, NULL, 8) >= 1 && fds[2].revents == POLLIN);
    int server = accept(listener, NULL, NULL);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(client, &set);
    actor_need(syscall(SYS_pselect6, client + 1, NULL, &set, NULL, NULL, NULL) == 1);
    actor_need(dup2(client, 64) == 64); /* the first of a set's second word */
    FD_ZERO(&set);
    FD_SET(64, &set);
    actor_need(syscall(SYS_pselect6, 65, NULL, &set, NULL, NULL, NULL) == 1);
    close(64);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789a}, got[4];
    actor_need(epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event) == 0);
    actor_need(write(client, "x", 1) == 1);
    actor_need(epoll_pwait(epoll, got, 4, 1000, NULL) == 1);
    actor_need(epoll_ctl(epoll, EPOLL_CTL_DEL, server, NULL) == 0);
    struct epoll_event same = {.events = EPOLLOUT}; /* two that can't be told apart */
    int vague = epoll_create1(EPOLL_CLOEXEC);
    actor_need(epoll_ctl(vague, EPOLL_CTL_ADD, server, &same) == 0 && epoll_ctl(vague, EPOLL_CTL_ADD, client, &same) == 0);
    actor_need(epoll_pwait(vague, got, 4, 1000, NULL) == 2);
    actor_need(epoll_pwait(epoll, got, 4, 0, NULL) == 0);                        /* watches nothing any more */
    actor_need(syscall(SYS_ppoll, fds, 2, &(struct timespec){0}, NULL, 8) >= 0); /* no socket among them */
}

static void act_udp(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[16];
    int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    actor_need(bind(server, (struct sockaddr *)&any, sizeof(any)) == 0);
    struct sockaddr_in name = actor_bound_name(server);
    struct iovec part = {.iov_base = text, .iov_len = 2};
    struct msghdr message = {.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part, .msg_iovlen = 1};
    actor_need(sendto(client, "ab", 2, 0, (struct sockaddr *)&name, sizeof(name)) == 2);
    actor_need(sendmsg(client, &message, 0) == 2);
    actor_need(recv(server, text, sizeof(text), 0) == 2);
}

static void act_mute(void)
{
    int unix_pair[2];
    char text[8];
    actor_need(socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair) == 0);
    actor_need(write(unix_pair[0], "x", 1) == 1 && read(unix_pair[1], text, 1) == 1);
    actor_need(close(unix_pair[0]) == 0 && close(1234) < 0);
}

static const struct actor actors[] = {
    {"talk", act_talk},   {"unread", act_unread}, {"refused", act_refused}, {"dup2", act_dup2}, {"passes", act_passes},
    {"range", act_range}, {"waits", act_waits},   {"udp", act_udp},         {"mute", act_mute},
};

int actors_act(const char *name)
{
    const struct actor *actor = NULL;
    for (size_t i = 0; i < sizeof(actors) / sizeof(actors[0]) && !actor; i++)
        if (!strcmp(actors[i].name, name)) actor = &actors[i];
    if (!actor) actor = actors_lives(name);
    if (!actor) return 96;
    actor->act();
    _exit(0);
}
