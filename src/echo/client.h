/* The echo client: says messages, one at a time, and holds every byte that comes back against what it sent.
 *
 * On the default path it makes just the calls of a textbook client: socket, connect (blocking, each address of a name in turn),
 * write, read, close; over UDP: socket, setsockopt(SO_RCVTIMEO), connect, send, recv, close. It owns its socket. */
#ifndef TCPWHY_ECHO_CLIENT_H
#define TCPWHY_ECHO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CLIENT_UDP_TIMEOUT_MS = 1000 };

struct client_options {
    const char *host, *port; /* as endpoint_parse takes them */
    bool udp;
    const char *const *messages; /* each is sent as a line; message_count of them */
    size_t message_count;
    uint64_t count;   /* how many rounds of them; without messages "hello 1", "hello 2", …; 0: one round, or the input's lines */
    int input_fd;     /* lines come from here when neither messages nor count are given; -1: then one round */
    bool await_close; /* TCP: the server closes first; the client closes when it sees the end of file */
    int timeout_ms;   /* how long to wait for the server at each step; 0: for ever (UDP: CLIENT_UDP_TIMEOUT_MS) */
    /* Takes the bytes that came back, once they are known to be right. 0, or -errno: then client_run ends with it. NULL: nobody. */
    int (*output)(void *data, const char *bytes, size_t length);
    void *output_data;
};

struct client_result {
    uint64_t messages, bytes; /* echoed and found right */
    int signal;               /* SIGINT or SIGTERM that ended it; 0: it said all */
};

/* 0 (also when a signal ended it in order), or -errno with a sentence: the endpoint is wrong, nobody listens (-ECONNREFUSED), no
 * answer in time (-ETIMEDOUT), the echo differs (-EBADMSG), the server vanished (-ECONNRESET). Handles SIGINT, SIGTERM,
 * SIGPIPE and SIGALRM while it runs. */
int client_run(const struct client_options *options, struct client_result *ret_result, struct err *err);

#endif
