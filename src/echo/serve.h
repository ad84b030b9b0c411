/* What the server's styles share: a socket that is ready, how one connection is served, how trouble is told. Only for server.c
 * and the serve_*.c files. */
#ifndef TCPWHY_ECHO_SERVE_H
#define TCPWHY_ECHO_SERVE_H

#include <stddef.h>

#include "echo/endpoint.h"
#include "echo/server.h"
#include "echo/transfer.h"

struct serve {
    const struct server_options *options;
    int socket; /* listening (TCP) or bound (UDP); -1 once closed. Owned by server.c */
    uint16_t port;
    struct server_result *result;
};

/* One style each: 0 in the end, or -errno with a sentence. */
int serve_iterative(struct serve *serve, struct err *err);
int serve_fork(struct serve *serve, struct err *err);
int serve_epoll(struct serve *serve, struct err *err);
int serve_udp(struct serve *serve, struct err *err);

/* Whether to go on: no stop was asked and max_connections is not reached. */
bool serve_wanted(const struct serve *serve);
/* Stops listening: whoever still waits is reset, whoever comes is refused. */
void serve_close_socket(struct serve *serve);

/* The next connection by accept(), after the delay, counted; waits out what is no fault of the listener's. -EINTR: a stop was
 * asked; other -errno with a sentence. */
int serve_accept(struct serve *serve, struct endpoint *ret_peer, struct err *err);
/* What a failed accept means: true: try again later (it has slept where that helps). */
bool serve_may_retry_accept(const struct serve *serve, int code);
/* Echoes until the peer's end of file (or as options->close_first says), blocking, and closes the descriptor. */
void serve_connection(const struct serve *serve, int fd, const struct endpoint *peer);
/* How much of what was read is to be echoed; *messages counts lines. *ret_last: and then the connection is to be closed. */
size_t serve_share(const struct serve *serve, const char *bytes, size_t length, uint64_t *messages, bool *ret_last);
/* Notes that a connection ended by -code other than end of file. */
void serve_note_peer(const struct serve *serve, const struct endpoint *peer, int code);
void serve_note(const struct serve *serve, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
