/* Two hosts, a wire and a capture on both, in the process of a test: its sockets are made in the host that is named. */
#ifndef TCPWHY_TESTS_TWO_HOSTS_H
#define TCPWHY_TESTS_TWO_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/packets.h"
#include "event/log.h"
#include "lab/wire/wire.h"

enum { TWO_HOSTS_PORT = 3333 };

struct two_hosts {
    struct network *network;
    bool routed;
    struct wire *wire;
    struct packets *capture[2]; /* vantage 1 at the client, 2 at the server */
    struct event_log *log;
    struct err err; /* of what failed last */
};

/* 0, or -1 with the sentence printed: in a child cmocka cannot jump. */
int two_hosts_open(struct two_hosts *hosts);
/* The same with a router between them. */
int two_hosts_open_routed(struct two_hosts *hosts);
void two_hosts_close(struct two_hosts *hosts);
/* A socket of that host (socket(2)); -1 on failure. */
int two_hosts_socket(struct two_hosts *hosts, enum network_place place, int family, int type, int protocol);
/* A TCP listener of the server at TWO_HOSTS_PORT; a client's socket, connecting without blocking; -1 on failure. */
int two_hosts_listen(struct two_hosts *hosts, int family);
int two_hosts_connect(struct two_hosts *hosts, int family);
/* Whether the descriptor has these poll(2) events within so many milliseconds. */
bool two_hosts_ready(int fd, short events, int timeout_ms);
/* A whole connection: the client's and the server's descriptor, both with TCP_NODELAY. 0 or -1. */
int two_hosts_establish(struct two_hosts *hosts, int *ret_listener, int *ret_client, int *ret_server);

/* The n-th (from 1) captured segment of this kind that `from` sent, seen at `at`; NULL: there is none. */
const struct event *two_hosts_nth(struct two_hosts *hosts, enum network_place at, enum wire_from from, enum wire_match match,
                                  size_t n);
/* How many there are, of all that was captured so far. */
size_t two_hosts_count(struct two_hosts *hosts, enum network_place at, enum wire_from from, enum wire_match match);
/* Waits until there are so many, at most `timeout_ms`. */
bool two_hosts_await(struct two_hosts *hosts, enum network_place at, enum wire_from from, enum wire_match match, size_t count,
                     int timeout_ms);

#endif
