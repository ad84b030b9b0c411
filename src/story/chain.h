/* What a kernel call chain says about the cause: one table of functions, read from the innermost frame outwards, up to the border
 * of the context: where the kernel began to receive, to run a timer, to serve an interrupt. Past it stands whatever happened to run
 * on that CPU, and nothing there names a cause. See the table for the kernel functions it rests on. */
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
    CHAIN_FORWARD,  /* it was made elsewhere, and only passed on here: no TCP decision at all */
    CHAIN_SIGNAL,   /* a signal (of wakes) */
    CHAIN_HELD,  /* it had been made before, and waited (for the neighbour's link address, for a verdict): by whom doesn't show */
    CHAIN_OTHER, /* below a border, by something that has no word here; `name`: its function */

    /* Of rows alone: the border of the context. */
    CHAIN_BORDER,        /* a timer, a tasklet, an interrupt, a kernel thread */
    CHAIN_BORDER_RECEIVE /* a packet is handed up */
};

/* What frames on the way (inside the deciding one) add. */
enum chain_note {
    CHAIN_CLOSING = 1,       /* inet_release, sock_close: the last reference went away */
    CHAIN_ACTIVE_RESET = 2,  /* tcp_send_active_reset */
    CHAIN_PASSIVE_RESET = 4, /* tcp_v4_send_reset: answer to a segment that does not fit */
    CHAIN_RETRANSMIT = 8,    /* tcp_retransmit_skb */
    CHAIN_READ = 16,         /* tcp_cleanup_rbuf: the reader made room */
    CHAIN_CHALLENGE = 32,    /* tcp_send_challenge_ack */
    CHAIN_DISCONNECT = 64,   /* tcp_disconnect: connect(AF_UNSPEC), or SO_LINGER 0 */
    CHAIN_LISTEN_STOP = 128, /* inet_csk_listen_stop: children that nobody accepted */
    CHAIN_WORK = 256,        /* task_work_run */
    CHAIN_TIME_WAIT = 512,   /* tcp_timewait_state_process, tcp_time_wait */
    CHAIN_HANDSHAKE = 1024,  /* tcp_conn_request, tcp_v4_send_synack */
    CHAIN_DATA_PUSH = 2048,  /* tcp_write_xmit / tcp_push: data that was waiting */
    CHAIN_INPUT = 4096,      /* tcp_v4_do_rcv and below: a segment is being worked on */
    CHAIN_LEFT_OVER = 8192,  /* release_sock without __release_sock: what waited for the socket to be let go (tcp_release_cb) */
    CHAIN_REARM = 16384,     /* mod_timer: a timer that is taken away only to be set anew */
    CHAIN_REPEATED_ACK = 1 << 15, /* tcp_send_dupack: what came is old, or outside the window */
    CHAIN_MISFIT = 1 << 16,       /* tcp_validate_incoming: the one or the other of the two above */
    CHAIN_REQUEST = 1 << 17,      /* tcp_check_req: by a request socket */
    CHAIN_FAST = 1 << 18,         /* tcp_xmit_retransmit_queue: what counts as lost */
    CHAIN_PATH_MTU = 1 << 19,     /* tcp_simple_retransmit: what is too large for the path */
    CHAIN_FAST_OPEN = 1 << 20,    /* tcp_rcv_fastopen_synack: what the SYN carried and the peer did not take */
    CHAIN_PASSED_ON = 1 << 21,    /* ip_forward and the like, if nothing further out made it */
    CHAIN_ICMP = 1 << 22,         /* __icmp_send, icmp6_send */
    CHAIN_COOKIE = 1 << 23        /* cookie_v4_check, cookie_v6_check: a child out of a SYN cookie */
};

/* Where netfilter met the packet that it answered. */
enum chain_hook {
    CHAIN_HOOK_UNKNOWN,
    CHAIN_HOOK_ARRIVAL, /* as it came in, before it was known whether it stays here */
    CHAIN_HOOK_INPUT,   /* at the host that it was sent to */
    CHAIN_HOOK_FORWARD, /* on a router or bridge */
    CHAIN_HOOK_OUTPUT   /* at the host that sent it */
};

struct chain_verdict {
    enum chain_meaning meaning;
    const char *name;     /* TIMER, CALL, KERNEL, OTHER; else NULL. CALL, OTHER: static storage or inside the chain */
    unsigned notes;       /* CHAIN_* bits */
    size_t decided_at;    /* index of the frame that decided */
    enum chain_hook hook; /* with the name CHAIN_FIREWALL or CHAIN_SYNPROXY */
};

/* Names of CHAIN_KERNEL that others than the words ask for. */
#define CHAIN_FIREWALL "firewall"
#define CHAIN_SYNPROXY "synproxy"
#define CHAIN_PATH_MTU_NAME "path-mtu"
#define CHAIN_ICMP_ERROR "icmp-error"
#define CHAIN_DESTROYED "destroyed" /* from outside: SOCK_DESTROY */

/* NULL chain: CHAIN_SILENT. */
struct chain_verdict chain_read(const struct event_chain *chain);

/* Made by something else in the name of the end that its source address says (a firewall, a raw socket): that end's TCP had no part
 * in it, and does not change with it. */
bool chain_is_in_a_name(const struct chain_verdict *verdict);

struct chain_row {
    const char *function;       /* a '*' at its end stands for any end */
    enum chain_meaning meaning; /* CHAIN_SILENT: only a note */
    unsigned note;
    const char *name;
};
/* The table, for tests; *ret_count rows. */
const struct chain_row *chain_rows(size_t *ret_count);

#endif
