/* The inside of the wire: what its process does, and what is said between it and its parent. Internal to lab/wire/wire.c.
 *
 * Both sides are the same program, so commands, replies and reports are plain structs: commands and replies over a SOCK_SEQPACKET
 * socket pair, one reply a command, reports over a pipe. */
#ifndef TCPWHY_LAB_WIRE_WIRE_PROCESS_H
#define TCPWHY_LAB_WIRE_WIRE_PROCESS_H

#include "lab/wire/wire.h"

enum wire_order {
    WIRE_ORDER_DELAY,
    WIRE_ORDER_RULE,
    WIRE_ORDER_SEEN,
    WIRE_ORDER_CLEAR,
    WIRE_ORDER_RELEASE,
    WIRE_ORDER_ROUTER,
    WIRE_ORDER_CUT,
    WIRE_ORDER_MEND,
    WIRE_ORDER_INJECT,
    WIRE_ORDER_SETTLE
};

struct wire_command {
    enum wire_order order;
    unsigned from;
    int64_t delay_ns;
    bool all;                    /* RELEASE: whatever its name */
    struct wire_rule rule;       /* RULE; SEEN: its id; RELEASE: its name */
    struct wire_forgery forgery; /* INJECT */
    struct router_order router;  /* ROUTER */
};

struct wire_reply {
    int code; /* 0 or -errno */
    size_t count;
};

struct wire_ends {
    int side_fd[2]; /* packet sockets at the ends of the client's and of the server's cable, non-blocking */
    int command_fd; /* the process's end */
    int report_fd;  /* to write, non-blocking */
};

/* Carries frames until the command socket's other end is closed. An exit status: 0, or 1 when it could not go on. */
int wire_process_run(const struct wire_ends *ends);

#endif
