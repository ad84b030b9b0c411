/* The other side for tests of the echo pair: a real server in a child, and bare sockets that behave as badly as a test needs. */
#ifndef TCPWHY_TESTS_SUPPORT_ECHO_PEER_H
#define TCPWHY_TESTS_SUPPORT_ECHO_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "echo/client.h"
#include "echo/server.h"
#include "echo/transfer.h"

enum { PATIENCE_MS = 10000 }; /* a test that waits longer for its peer has failed */

/* A child that ends with its parent, should a test fail half way. Returns 0 in the child. */
static inline pid_t spawn(void)
{
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(99);
    }
    return pid;
}

/* Its exit status, or 128 plus the signal; a child that doesn't end fails the test. */
static inline int reap(pid_t pid)
{
    int status;
    for (int64_t end = clock_ms() + PATIENCE_MS; clock_ms() < end; usleep(2000))
        if (waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("process %d did not end by itself", (int)pid);
    return -1;
}

struct server {
    pid_t pid;
    uint16_t port;
    char port_text[8];
};

/* Exit statuses of the server's child: 0 in order, 3 server_run failed, 4 it was a signal that ended it in order. */
enum { SERVER_DONE = 0, SERVER_FAILED = 3, SERVER_STOPPED = 4 };

static inline struct server_options server_defaults(const char *host)
{
    return (struct server_options){.host = host, .port = "0", .backlog = SERVER_BACKLOG, .messages = 1, .ready_fd = -1};
}

static inline struct server start(struct server_options options)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    struct server server = {.pid = spawn()};
    if (server.pid == 0) {
        close(ready[0]);
        options.ready_fd = ready[1];
        struct server_result result;
        struct err err = {""};
        int code = server_run(&options, &result, &err);
        if (code) fprintf(stderr, "server: %s\n", err.text);
        exit(code ? SERVER_FAILED : result.signal ? SERVER_STOPPED : SERVER_DONE);
    }
    close(ready[1]);
    assert_true(poll(&(struct pollfd){.fd = ready[0], .events = POLLIN}, 1, PATIENCE_MS) > 0);
    ssize_t n = read(ready[0], server.port_text, sizeof(server.port_text) - 1);
    assert_true(n > 1 && server.port_text[n - 1] == '\n');
    server.port_text[n - 1] = '\0';
    server.port = (uint16_t)atoi(server.port_text);
    close(ready[0]);
    return server;
}

/* Ends the server with a signal, which it must obey in order. */
static inline void stop_server(const struct server *server, int number)
{
    kill(server->pid, number);
    assert_int_equal(reap(server->pid), SERVER_STOPPED);
}

static inline struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A socket that gives up after PATIENCE_MS, so that no test hangs. */
static inline int new_socket(int type)
{
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(transfer_set_timeout(fd, SO_RCVTIMEO, PATIENCE_MS, NULL), 0);
    assert_int_equal(transfer_set_timeout(fd, SO_SNDTIMEO, PATIENCE_MS, NULL), 0);
    return fd;
}

static inline int connect_to(uint16_t port)
{
    int fd = new_socket(SOCK_STREAM);
    struct sockaddr_in in = loopback(port);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

/* A socket bound to a free port of 127.0.0.1 (listening, if TCP). */
static inline int bound_socket(int type, uint16_t *ret_port)
{
    int fd = new_socket(type);
    struct sockaddr_in in = loopback(0);
    socklen_t length = sizeof(in);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    if (type == SOCK_STREAM) assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
    *ret_port = ntohs(in.sin_port);
    return fd;
}

/* close() then sends a reset. */
static inline void close_with_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
}

/* Says "text" and expects it back. */
static inline void assert_echoes(int fd, const char *text)
{
    char back[256];
    size_t length = strlen(text), got = 0;
    assert_int_equal(transfer_write(fd, text, length), 0);
    while (got < length) {
        ssize_t n = transfer_read(fd, back + got, length - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_memory_equal(back, text, length);
}

/* A descriptor with `length` bytes of every value, newlines among them, from a fixed generator. */
static inline int noise(size_t length, char **ret_bytes)
{
    int fd = memfd_create("noise", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    char *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bytes != MAP_FAILED);
    uint32_t x = 1;
    for (size_t i = 0; i < length; i++) bytes[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
    *ret_bytes = bytes;
    return fd;
}

static inline struct client_options client_to(const char *host, const struct server *server)
{
    return (struct client_options){.host = host, .port = server->port_text, .input_fd = -1, .timeout_ms = PATIENCE_MS};
}

#endif
