/* The echo server: sends back byte for byte what it is sent, over TCP in one of three styles, or over UDP.
 *
 * On the default path it makes just the calls of a textbook server: socket, setsockopt(SO_REUSEADDR), bind, listen, accept, read,
 * write, close. It owns its sockets and the children it forks, and leaves none of them behind. */
#ifndef TCPWHY_ECHO_SERVER_H
#define TCPWHY_ECHO_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum server_style {
    SERVER_ITERATIVE, /* one connection after the other */
    SERVER_FORK,      /* a child for each */
    SERVER_EPOLL      /* one event loop for all */
};

enum { SERVER_BACKLOG = 128 };

struct server_options {
    const char *host; /* as endpoint_parse takes it; NULL: any address, IPv6 and IPv4 (IPv4 alone where there is no IPv6) */
    const char *port;
    bool udp;
    enum server_style style;
    int backlog;              /* for listen(2) */
    int accept_delay_ms;      /* sleeps so long before each accept() */
    uint64_t max_connections; /* ends after so many (UDP: datagrams); 0: never */
    bool close_first;         /* closes a connection by itself once `messages` lines are echoed; what came behind them is dropped */
    uint64_t messages;
    int timeout_ms; /* gives a connection up when nothing moves for so long; 0: never */
    int ready_fd;   /* the port in decimal and a newline go here once it listens, then it is closed; -1: none */
    /* What a person may want to know while it runs (it listens, a peer vanished). May be called in a child. NULL: nobody does. */
    void (*note)(void *data, const char *text);
    void *note_data;
};

struct server_result {
    uint64_t connections; /* accepted (UDP: datagrams received) */
    int signal;           /* SIGINT or SIGTERM that asked it to end; 0: max_connections was reached */
};

/* Serves until max_connections, SIGINT or SIGTERM. 0, or -errno with a sentence: the endpoint is wrong, the port is taken
 * (-EADDRINUSE), the address is not this host's (-EADDRNOTAVAIL), the port needs a privilege (-EACCES). Trouble with one peer
 * is a note, never an end. Handles SIGINT, SIGTERM, SIGPIPE, SIGALRM and, in fork style, SIGCHLD while it runs. */
int server_run(const struct server_options *options, struct server_result *ret_result, struct err *err);

#endif
