/* What a kernel call chain says about the cause: one table of functions, read from the innermost frame outwards; the first
 * function that decides, decides. See the table for the kernel functions it rests on. */
#ifndef TCPWHY_STORY_CHAIN_H
#define TCPWHY_STORY_CHAIN_H

#include "event/event.h"

enum chain_meaning {
    CHAIN_SILENT,   /* no frame decides */
    CHAIN_RECEIVE,  /* while receiving a segment: the interrupted task is not the cause */
    CHAIN_BACKLOG,  /* a segment received earlier, worked off when a call released the socket */
    CHAIN_TIMER,    /* `name`: which */
    CHAIN_CALL,     /* `name`: the system call */
    CHAIN_DEFERRED, /* work that a call left for its return to user space (a close by dup2, execve) */
    CHAIN_EXIT,     /* the process ended */
    CHAIN_KERNEL,   /* the kernel's own doing; `name`: what */
    CHAIN_FORWARD,  /* a packet socket put it on the wire: no TCP decision at all */
    CHAIN_SIGNAL    /* a signal (of wakes) */
};

/* What frames on the way (inside the deciding one) add. */
enum chain_note {
    CHAIN_CLOSING = 1,       /* inet_release, sock_close: the last reference went away */
    CHAIN_ACTIVE_RESET = 2,  /* tcp_send_active_reset */
    CHAIN_PASSIVE_RESET = 4, /* tcp_v4_send_reset: answer to a segment that does not fit */
    CHAIN_RETRANSMIT = 8,    /* tcp_retransmit_skb */
    CHAIN_READ = 16,         /* tcp_cleanup_rbuf: the reader made room */
    CHAIN_CHALLENGE = 32,    /* tcp_send_challenge_ack, tcp_send_dupack */
    CHAIN_DISCONNECT = 64,   /* tcp_disconnect: connect(AF_UNSPEC), or SO_LINGER 0 */
    CHAIN_LISTEN_STOP = 128, /* inet_csk_listen_stop: children that nobody accepted */
    CHAIN_WORK = 256,        /* task_work_run */
    CHAIN_TIME_WAIT = 512,   /* tcp_timewait_state_process, tcp_time_wait */
    CHAIN_HANDSHAKE = 1024,  /* tcp_conn_request, tcp_v4_send_synack */
    CHAIN_INPUT = 4096,      /* tcp_v4_do_rcv and below: a segment is being worked on */
    CHAIN_LEFT_OVER = 8192,  /* release_sock without __release_sock: what waited for the socket to be let go (tcp_release_cb) */
    CHAIN_DATA_PUSH = 2048,  /* tcp_write_xmit / tcp_push: data that was waiting */
    CHAIN_REARM = 16384      /* mod_timer: a timer that is taken away only to be set anew */
};

struct chain_verdict {
    enum chain_meaning meaning;
    const char *name;  /* TIMER, CALL, KERNEL; else NULL. CALL: static storage or inside the chain */
    unsigned notes;    /* CHAIN_* bits */
    size_t decided_at; /* index of the frame that decided */
};

/* NULL chain: CHAIN_SILENT. */
struct chain_verdict chain_read(const struct event_chain *chain);

struct chain_row {
    const char *function;
    enum chain_meaning meaning; /* CHAIN_SILENT: only a note */
    unsigned note;
    const char *name;
};
/* The table, for tests; *ret_count rows. */
const struct chain_row *chain_rows(size_t *ret_count);

#endif
