/* One event loop for all connections, level-triggered.
 *
 * A connection has one buffer. While it holds bytes that the peer has not taken, the loop waits to write and does not read: a peer
 * that sends and never reads fills its own windows, not this server's memory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "echo/serve.h"
#include "echo/stop.h"

enum { EVENTS = 64 };

struct connection {
    int fd;
    bool last;       /* close once the buffer is empty */
    uint32_t events; /* what epoll was told to wait for */
    struct endpoint peer;
    uint64_t messages;
    int64_t moved_ms; /* when bytes last moved */
    size_t start, length;
    struct connection *next, *previous;
    char bytes[TRANSFER_BYTES];
};

struct loop {
    struct serve *serve;
    int epoll;
    struct connection *connections;
};

static void drop(struct loop *loop, struct connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        loop->connections = connection->next;
    if (connection->next) connection->next->previous = connection->previous;
    close(connection->fd);
    free(connection);
}

static int wait_for(struct loop *loop, struct connection *connection, uint32_t events)
{
    if (connection->events == events) return 0;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    int operation = connection->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    connection->events = events;
    return epoll_ctl(loop->epoll, operation, connection->fd, &event) == 0 ? 0 : -errno;
}

/* -EAGAIN: the peer has to move first. */
static int flush(struct connection *connection)
{
    while (connection->length) {
        ssize_t n = write(connection->fd, connection->bytes + connection->start, connection->length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        connection->start += (size_t)n;
        connection->length -= (size_t)n;
        connection->moved_ms = clock_ms();
    }
    return 0;
}

static int fill(struct loop *loop, struct connection *connection)
{
    ssize_t n;
    do n = read(connection->fd, connection->bytes, sizeof(connection->bytes));
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    connection->moved_ms = clock_ms();
    connection->start = 0;
    connection->last = n == 0;
    if (n) connection->length = serve_share(loop->serve, connection->bytes, (size_t)n, &connection->messages, &connection->last);
    return 0;
}

/* One read and what can be written of it, so that a fast peer doesn't starve the others. */
static void turn(struct loop *loop, struct connection *connection)
{
    int code = connection->length ? 0 : fill(loop, connection);
    if (!code) code = flush(connection);
    if (!code && connection->last) {
        drop(loop, connection);
        return;
    }
    if (code == -EAGAIN) code = 0;
    if (!code) code = wait_for(loop, connection, connection->length ? EPOLLOUT : EPOLLIN);
    if (!code) return;
    serve_note_peer(loop->serve, &connection->peer, code);
    drop(loop, connection);
}

static int welcome(struct loop *loop, struct err *err)
{
    struct serve *serve = loop->serve;
    if (serve->options->accept_delay_ms) stop_sleep_ms(serve->options->accept_delay_ms);
    struct endpoint peer = {.length = sizeof(peer.address)};
    int fd = accept4(serve->socket, (struct sockaddr *)&peer.address, &peer.length, SOCK_NONBLOCK);
    if (fd < 0) {
        int code = -errno;
        return serve_may_retry_accept(serve, code) ? 0 : err_set_errno(err, code, "can't accept connections any more");
    }
    serve->result->connections++;
    struct connection *connection = malloc(sizeof(*connection));
    if (!connection) {
        serve_note(serve, "no memory for a connection, so it is closed");
        close(fd);
        return 0;
    }
    connection->fd = fd;
    connection->last = false;
    connection->events = 0;
    connection->peer = peer;
    connection->messages = 0;
    connection->moved_ms = clock_ms();
    connection->start = connection->length = 0;
    connection->previous = NULL;
    connection->next = loop->connections;
    if (connection->next) connection->next->previous = connection;
    loop->connections = connection;
    if (wait_for(loop, connection, EPOLLIN) != 0) {
        serve_note(serve, "can't watch one more connection, so it is closed");
        drop(loop, connection);
    }
    if (!serve_wanted(serve)) serve_close_socket(serve);
    return 0;
}

/* How long epoll_wait may sleep before the first connection has been idle too long; drops those that have been. */
static int expire(struct loop *loop)
{
    int limit = loop->serve->options->timeout_ms, wait_ms = -1;
    if (!limit) return -1;
    int64_t now = clock_ms();
    for (struct connection *c = loop->connections, *next; c; c = next) {
        next = c->next;
        int64_t left = c->moved_ms + limit - now;
        if (left <= 0) {
            serve_note_peer(loop->serve, &c->peer, -EAGAIN);
            drop(loop, c);
        } else if (wait_ms < 0 || left < wait_ms) {
            wait_ms = (int)left;
        }
    }
    return wait_ms;
}

static int run(struct loop *loop, struct err *err)
{
    struct epoll_event events[EVENTS];
    while (!stop_asked()) {
        int wait_ms = expire(loop);
        if (loop->serve->socket < 0 && !loop->connections) return 0;
        int count = epoll_wait(loop->epoll, events, EVENTS, wait_ms);
        if (count < 0 && errno != EINTR) return err_set_errno(err, -errno, "can't wait for events");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                turn(loop, events[i].data.ptr);
            } else if (loop->serve->socket >= 0) {
                int code = welcome(loop, err);
                if (code) return code;
            }
        }
    }
    return 0;
}

int serve_epoll(struct serve *serve, struct err *err)
{
    struct loop loop = {.serve = serve, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (loop.epoll < 0) return err_set_errno(err, -errno, "can't make an epoll instance");
    struct epoll_event event = {.events = EPOLLIN};
    int code = 0;
    if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, serve->socket, &event) != 0)
        code = err_set_errno(err, -errno, "can't watch the listening socket");
    else
        code = run(&loop, err);
    while (loop.connections) drop(&loop, loop.connections);
    serve_close_socket(serve);
    close(loop.epoll);
    return code;
}
