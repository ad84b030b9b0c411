/* The echo pair as children of a session: one server and its clients, each `tcpwhy echo …` behind a gate.
 *
 * It owns the processes' descriptors, not the processes: a pair that is closed while some still run must have been stopped. */
#ifndef TCPWHY_PLAY_PAIR_PAIR_H
#define TCPWHY_PLAY_PAIR_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/session.h"

enum { PAIR_MESSAGES_MAX = 64, PAIR_CLIENTS_MAX = 200 };

struct pair_options {
    uint16_t port;
    bool ipv6, udp;
    bool no_server;                         /* the clients talk to a port that nobody listens on */
    const char *serve, *close_first, *name; /* NULL: the pair's own defaults */
    long backlog, accept_delay_ms;          /* -1: the pair's own defaults */
    const char *messages[PAIR_MESSAGES_MAX];
    size_t message_count;
    long rounds; /* how often each client sends them; 0: once */
    long clients;
    bool show_output; /* what they print goes to standard error, else nowhere */
};

struct pair;

/* `options` is borrowed until pair_close; the session's stream borrows the pair, which is closed after its end. 0 or -errno. */
int pair_new(struct pair **ret_pair, struct session *session, const struct pair_options *options, struct err *err);
/* Makes all its processes, which wait at their gates: what takes rights. 0 or -errno. */
int pair_prepare(struct pair *pair, struct err *err);
/* Lets the server / all clients begin, these at once. 0 or -errno. */
int pair_start_server(struct pair *pair, struct err *err);
int pair_start_clients(struct pair *pair, struct err *err);
/* To poll: readable when the server has something to say about being ready; -1 when there is nothing to wait for any more. */
int pair_ready_fd(const struct pair *pair);
/* Looks at what has become of the processes. Call after every session_step. */
void pair_look(struct pair *pair);
bool pair_server_ready(const struct pair *pair);
/* The server sleeps in a call that waits for clients (as the recorder saw it, where there is one, and as /proc says). */
bool pair_server_waits(struct pair *pair);
/* True also for a server that was not started. */
bool pair_server_ended(const struct pair *pair);
bool pair_clients_ended(const struct pair *pair);
bool pair_has_failed(const struct pair *pair);
/* Sends a signal to all that still run; those that wait at their gate are killed whatever the signal. */
void pair_signal(struct pair *pair, int signal);
void pair_signal_server(struct pair *pair, int signal);
/* What a failed process has to say: -ECHILD with a sentence that holds its own words; 0: all did what they should. Where there is
 * no server the clients should fail; the first one's words are then in `err` although the result is 0. */
int pair_verdict(struct pair *pair, struct err *err);
void pair_close(struct pair *pair);

#endif
