/* The narrow door that every recorder of socket calls stands behind.
 *
 * A recorder follows processes (and all their descendants) and appends ENTER, EXIT, PROCESS events, and what its means allow
 * besides: MARK, STATE, RESET, RESEND, WAKE. It is one const table of functions; nothing outside knows which one it has.
 * All functions are called from one thread. No recorder leaves anything behind in the kernel when the process ends, however it
 * ends. */
#ifndef TCPWHY_CAPTURE_CALLS_H
#define TCPWHY_CAPTURE_CALLS_H

#include <sys/types.h>

#include "base/err.h"
#include "capture/child.h"
#include "capture/port_set.h"
#include "event/log.h"

enum { CALLS_NETNS_MAX = 8 };

struct calls_options {
    /* Kernel evidence (MARK, STATE, …) is wanted for packets and sockets with one of these ports at either end; none: for
     * sockets that the followed processes have used. */
    uint16_t ports[8];
    size_t port_count;
    uint64_t netns[CALLS_NETNS_MAX]; /* inodes of the network namespaces to look at */
    size_t netns_count;              /* 0: all */
    /* bpf alone: a whole host is watched. Every process in every network; no calls that only carry data or wait; of the segments
     * those that tell of a connection's course, which come as EVENT_PACKET besides: no capture is needed. What was seen lies in the
     * ring until drain: there is no descriptor to wait for. */
    bool host_wide;
    /* With that: of all connections those that have one of these ports at either end, which the kernel side tells apart. Borrowed
     * while it is opened. NULL: all. */
    const struct port_set *only_ports;
    /* With that: CLOCK_REALTIME minus CLOCK_MONOTONIC, by which its times go on whatever happens to the system's clock. 0: they
     * follow that clock. */
    int64_t realtime_offset_ns;
    uint32_t ring_bytes;   /* of bpf alone: room for what was not drained yet, a power of two; 0: the usual */
    bool no_stacks;        /* leave kernel call chains out (evidence falls to `context`) */
    int verifier_fd;       /* bpf writes there what the kernel's verifier says of each program; 0: nobody asks */
    uint32_t entries_most; /* for tests, of bpf alone: so few entries in each map that pushes out; 0: as it is */
    /* Told of a followed thread that was seen in a network, possibly again and again: with ptrace it stands still meanwhile.
     * Whether packets are captured there. NULL: nobody asks. */
    bool (*entered)(void *data, pid_t tid, uint64_t netns);
    void *entered_data;
    /* For tests, of bpf alone: do as a kernel that does not run these programs (enum record_program, a bit each) on every
     * skip_every-th of their events. 0: all run. */
    uint32_t skip_programs, skip_every;
    bool no_casts; /* the same: as a kernel without bpf_rdonly_cast (before Linux 6.2) */
    bool twice;    /* the same: two programs for system calls, as where programs can be preempted (Linux 7.0) */
};

struct calls; /* a recorder's own state; each recorder defines its own struct behind it */

struct calls_recorder {
    const char *name; /* "bpf", "ptrace", "none" */
    /* Makes ready. 0, or -errno with a sentence that names exactly what is missing (a privilege, BTF, a kernel feature). */
    int (*open)(struct calls **ret_calls, const struct calls_options *options, struct err *err);
    /* What a child to be followed must do behind its gate, before exec (child_options.setup); NULL: nothing. */
    int (*child_setup)(void *data);
    /* Follows a process that waits at its gate, and its descendants. 0 or -errno. */
    int (*follow)(struct calls *calls, pid_t pid, struct err *err);
    /* A descriptor to poll(2) for reading, or -1: then SIGCHLD is the only sign of work. */
    int (*fd)(const struct calls *calls);
    /* Appends what has happened; does not block. Also reaps ended children that were given to follow. The number of events or
     * -errno. */
    int (*drain)(struct calls *calls, struct event_log *log, struct err *err);
    /* Whether the direct child has ended and was reaped by drain; then *ret_status is wait(2)'s status. */
    bool (*ended)(const struct calls *calls, pid_t pid, int *ret_status);
    /* The signal that has stopped the direct child since this was last asked (waitpid(2), WUNTRACED; under ptrace a group-stop);
     * 0: none has. */
    int (*stopped)(struct calls *calls, pid_t pid);
    /* Whether any process that is followed, a descendant too, has not ended, as far as drain has seen. */
    bool (*alive)(struct calls *calls);
    /* Follows a process that runs already, with all its threads and those that come of it; its descendants that run already are to
     * be given one by one. 0 or -errno. NULL: this recorder follows only what has waited at its gate. */
    int (*attach)(struct calls *calls, pid_t pid, struct err *err);
    /* A socket that an attached process holds open already (without a cookie): kernel evidence of it is wanted. 0 or -errno. NULL:
     * this recorder has no such evidence. */
    int (*want)(struct calls *calls, const struct event_socket *socket, uint32_t netns);
    /* In a process that was forked for it: waits until `fd` ends, which a byte before says is well. Without that byte whoever
     * recorded is gone, and all that are followed are ended with SIGKILL, descendants too. Keeps no other descriptor open but its
     * own. NULL: what is followed ends with the recorder by itself (ptrace), or is not known (none). */
    void (*outlive)(struct calls *calls, int fd);
    /* How much of the room for what was not drained yet is taken, in percent; it needs no right, and any thread may ask. NULL: it
     * is not known, or who is followed stands still until drain. */
    unsigned (*filled)(const struct calls *calls);
    /* How many events found no room so far; it needs no right. NULL: this recorder loses none. */
    uint64_t (*missed)(const struct calls *calls);
    /* Appends EVENT_LOST: what this recorder missed, 0 included. 0 or -errno. */
    int (*report)(struct calls *calls, struct event_log *log, struct err *err);
    /* Ends recording and frees. Followed processes run on untouched, but not those that child_setup has bound to the recorder
     * (ptrace: their seccomp filter needs a tracer): they are ended with SIGKILL. Drain until all are gone to spare them. NULL is
     * fine. */
    void (*close)(struct calls *calls);
};

/* Follows nothing, reaps only. */
extern const struct calls_recorder calls_none;

#endif
