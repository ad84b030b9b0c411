/* What the kernel side of the BPF recorder hands to the user side: the layout of each record in the ring, the filter, the counters.
 *
 * Shared by kernel/calls_bpf.bpf.c and calls_bpf.c, both compiled from this tree for one machine. All addresses and ports of
 * packets are turned to host order on the kernel side. Kernel addresses (the stack) never leave the user side: they become names.
 */
#ifndef TCPWHY_CAPTURE_BPF_BPF_RECORD_H
#define TCPWHY_CAPTURE_BPF_BPF_RECORD_H

#include <linux/types.h>

enum {
    RECORD_FRAMES_MAX = 64, /* some of them are the tracepoint's own and are cut off */
    RECORD_WATCH_MAX = 8,
    RECORD_ADDRESS_BYTES = 128,
    RECORD_SYSCALLS_MAX = 512, /* above the highest system call number of either architecture */
    RECORD_PORTS_MAX = 8,
    RECORD_PORT_WORDS = 65536 / 64,
    RECORD_PROCESSES_MAX = 16384,
    RECORD_THREADS_MAX = 16384,
    RECORD_SOCKETS_MAX = 32768,
    RECORD_NETNS_MAX = 8,
    RECORD_WORDS_MAX = 384, /* of a kernel stack: how far a chain is looked for in it */
    RECORD_KNOWN_MAX = 512, /* chains; a power of two */
    RECORD_KNOWN_TRIES = 8, /* places that a chain may have */
    RECORD_KNOWN_WORDS = 48,
    RECORD_FAST_OPEN = 1
};

enum record_kind {
    RECORD_ENTER = 1,
    RECORD_EXIT,
    RECORD_MARK,
    RECORD_STATE,
    RECORD_RESET,
    RECORD_RESEND,
    RECORD_WAKE,
    RECORD_PROCESS,
    RECORD_TIMER,
    RECORD_CANCEL,
    RECORD_DROP,
    RECORD_QUEUE,
    RECORD_ARRIVAL,
    RECORD_CHAIN
};

struct record_head {
    __u64 t_ns; /* CLOCK_MONOTONIC */
    __u32 kind;
    __u32 pid, tid; /* the running thread */
    __u32 pad;
    char comm[16];
};

struct record_address {
    __u8 ip[16]; /* network order, IPv4 in the first four */
    __u16 port;
    __u8 version; /* 4, 6, 0 unknown */
    __u8 pad;
};

struct record_socket {
    __u64 id; /* of this socket alone during this run; 0 none */
    struct record_address local, remote;
    __u32 unread, netns;
    __u8 protocol, state, has_unread;
    __u8 pad[5];
};

struct record_packet {
    struct record_address src, dst;
    struct record_address quoted_src, quoted_dst; /* ICMP errors */
    __u32 seq, ack, length_bytes;
    __u16 window;
    /* Of an ICMP error that quotes a TCP segment: seq is that segment's, flags and code the error's type and code, and window the
     * MTU that it names. Of a whole host's SYN, code is RECORD_FAST_OPEN and its cookie's bytes, where it has that option. */
    __u8 protocol, flags, quoted_protocol, code;
};

/* Who was running, what was being received, and how the kernel got here. The chain is one that is known by heart (struct
 * record_known), or was written in a record of its own before; neither: none was taken. */
struct record_context {
    struct record_packet received;
    __u8 softirq, receiving;
    __u16 known;     /* its place + 1; 0: not one of those */
    __u8 other_call; /* as event_context's */
    __u8 pad[3];
    __u64 sample; /* of the record_chain; 0 none */
};

/* The kernel's call chain, as unwound, and the stack that it was read from: by these the user side learns where in that stack the
 * chain's return addresses stand. */
struct record_chain {
    struct record_head head;
    __u64 sample;    /* a number of its own */
    __u64 signature; /* of what happened: where to keep it, and to look for it again */
    __u32 known;     /* place + 1 of the known chain that this one was found to be, and is a sample of; 0 none */
    __s32 stack_bytes;
    __u32 word_count, pad;
    __u64 stack[RECORD_FRAMES_MAX]; /* return addresses, innermost first; some are the tracepoint's own */
    __u64 words[RECORD_WORDS_MAX];  /* the stack's memory, from the tracepoint's arguments on */
};

/* A chain that is known by heart. If all these words stand where they stood, the kernel's functions called each other in the same
 * way: from the tracepoint's arguments on, each return address says which function's frame lies above, and so where the next one
 * stands. A chain costs some 5 µs to unwind, and a tenth of it to be known again. Written by the user side, `signature` last. */
struct record_known {
    __u64 signature;    /* 0: nothing here */
    __u64 check;        /* all words, one xor the other: so that what is half written fits nothing */
    __u32 count, bytes; /* how much of the stack they span */
    __u16 at[RECORD_KNOWN_WORDS];
    __u64 word[RECORD_KNOWN_WORDS];
};

/* Where to look first. */
static inline __u32 record_known_place(__u64 signature)
{
    return (__u32)((signature * 0x9e3779b97f4a7c15ULL) >> 55) & (RECORD_KNOWN_MAX - 1);
}

struct record_watch {
    __u64 id; /* of the socket; not written where epoll_wait ends, which knows `data` alone */
    __u64 data;
    __u32 events, pad;
};

struct record_call {
    struct record_head head;
    __u64 args[6];
    __s64 ret, slept_ns; /* slept_ns: -1 not known */
    struct record_socket socket, other;
    __u64 epoll_data;
    __u32 number, epoll_events;
    __s32 option_value[2];
    __u32 option_bytes, address_bytes;
    __u32 watch_count, watch_total;
    __u32 wake_unseen; /* EXIT: it slept more often than it was seen to be woken */
    __u32 cgroup;      /* of the calling thread: the number of its folder (cgroup v2), of a whole host; 0 not known */
    __u32 second, pad; /* as syscall_raw's */
    struct record_watch watch[RECORD_WATCH_MAX];
    __u8 address[RECORD_ADDRESS_BYTES];
};

/* How the sender of data held back as it left: what its socket had learned of the way. All 0: not asked. */
struct record_congestion {
    __u32 window, threshold; /* segments; the threshold is 0x7fffffff as long as nothing was lost */
    __u32 srtt, mss;         /* eighths of a microsecond; bytes */
    __u32 rto, pad;          /* the kernel's ticks */
};

struct record_mark {
    struct record_head head;
    struct record_packet packet;
    struct record_socket socket;
    struct record_congestion congestion;
    __u32 netns, interface;
    struct record_context context;
};

struct record_state {
    struct record_head head;
    struct record_socket socket;
    __u32 netns;
    __u8 from, to;
    __u16 pad;
    struct record_context context;
};

struct record_reset {
    struct record_head head;
    struct record_socket socket;
    __u32 netns, sent, reason, has_reason;
    struct record_context context;
};

struct record_resend {
    struct record_head head;
    struct record_socket socket;
    __u32 netns, synack;
    __u32 segments, flags; /* that it stands for (offload), 0: not known; with that, TCP's flags */
    struct record_context context;
};

struct record_wake {
    struct record_head head;
    __u32 pid, tid; /* who is woken */
    char comm[16];
    struct record_context context;
};

struct record_process {
    struct record_head head;
    __u32 change, pid, tid, parent; /* change: enum event_process_change */
    __s32 code;                     /* EXIT: as wait(2) reports it */
    __u32 netns;                    /* it is in; 0: in none any more */
    char comm[16];
};

/* Whose timer it is. */
enum record_timer_kind { RECORD_TIMER_NONE, RECORD_TIMER_TIMEWAIT, RECORD_TIMER_REQUEST };

/* A timer ran and ended its socket; the time is that at which it began to run. `socket.state` of a timewait socket is what it
 * stands for (tw_substate). */
struct record_timer {
    struct record_head head;
    struct record_socket socket;
    __u32 netns, timer; /* enum record_timer_kind */
};

/* A timer that was pending was taken away while a RST was being received. */
struct record_cancel {
    struct record_head head;
    struct record_socket socket;
    __u32 netns, timer; /* as above */
    struct record_context context;
};

/* The kernel throws a packet away. */
struct record_drop {
    struct record_head head;
    struct record_packet packet;
    struct record_socket socket; /* outgoing: its sender */
    __u64 location;              /* where in the kernel */
    __u32 netns;
    __u32 reason;                    /* enum skb_drop_reason of the running kernel */
    __u8 has_reason, outgoing, pad0; /* outgoing: it had come from no device yet */
    __u8 pad1[5];
    struct record_context context;
};

/* A listening socket's queues, when a segment for it came or was thrown away. */
struct record_queue {
    struct record_head head;
    struct record_packet packet;
    struct record_socket socket; /* the listening one */
    __u32 netns;
    __u32 accept_length, accept_most, request_length;
    __u8 dropped; /* it was thrown away; else it came */
    __u8 pad[7];
};

/* A whole host is watched, and a segment came from outside of this network. */
struct record_arrival {
    struct record_head head;
    struct record_packet packet;
    __u32 netns, pad;
};

/* Where the timers' functions begin in the running kernel. */
#define RECORD_NO_FUNCTION (~0ULL)
struct record_timer_handlers {
    __u64 timewait, request; /* RECORD_NO_FUNCTION: not known, or not to be looked at */
};

/* The programs, in the order of the names in bpf_programs. */
enum record_program {
    PROGRAM_SYS_ENTER,
    PROGRAM_SYS_EXIT,
    PROGRAM_FORK,
    PROGRAM_EXEC,
    PROGRAM_EXIT,
    PROGRAM_QUEUE,
    PROGRAM_RECEIVE,
    PROGRAM_POLL,
    PROGRAM_SOFTIRQ_ENTRY,
    PROGRAM_SOFTIRQ_EXIT,
    PROGRAM_STATE,
    PROGRAM_DESTROY,
    PROGRAM_SEND_RESET,
    PROGRAM_RECEIVE_RESET,
    PROGRAM_RETRANSMIT,
    PROGRAM_RETRANSMIT_SYNACK,
    PROGRAM_SWITCH,
    PROGRAM_WAKING,
    PROGRAM_TIMER_START,
    PROGRAM_TIMER_ENTRY,
    PROGRAM_TIMER_EXIT,
    PROGRAM_TIMER_CANCEL,
    PROGRAM_DROP,
    PROGRAMS
};

/* Set before loading; constant for the kernel's verifier, which cuts off what can't run on this kernel. */
struct record_config {
    __u32 netns[RECORD_NETNS_MAX];
    __u32 netns_count; /* 0 any */
    __u32 port_count;
    __u32 cpus; /* possible ones */
    __u16 ports[RECORD_PORTS_MAX];
    __u8 no_stacks;
    __u8 reset_has_reason;  /* tcp_send_reset has a third argument (Linux 6.10) */
    __u8 switch_has_state;  /* sched_switch has a fourth argument (Linux 5.18) */
    __u8 drop_has_reason;   /* kfree_skb has a third argument (Linux 5.17) */
    __u8 drop_has_socket;   /* and a fourth (Linux 6.11) */
    __u8 drop_overflow;     /* one of its reasons is a full accept queue */
    __u8 host_wide;         /* every process, and of the segments those that tell of a connection's course */
    __u8 only_ports;        /* with that: of all connections those that have one of chosen_ports at either end */
    __u8 twice;             /* programs can be preempted (Linux 7.0): system calls have two of them each */
    __u32 drop_unspecified; /* the reason that is none */
    __u32 drop_other; /* the reason of what was for another host: a copy, to a bridge or to who listens to all; 0: there is none */
    __u32 drop_purge; /* the reason of what a socket had not read when it went; 0: there is none */
    __u32
        skip_programs; /* for tests, a bit each (enum record_program): what a kernel does that runs a program not, or not always */
    __u32 skip_every;  /* of the programs to be skipped, each n-th event; 1: all */
};

/* What the kernel side counts: things missed. */
enum record_count {
    COUNT_RING_FULL,       /* records that found no room */
    COUNT_WATCH_CUT,       /* waiting calls that watch more than was looked at */
    COUNT_MEMORY_UNREAD,   /* arguments in memory that was not there to read */
    COUNT_COMPAT,          /* 32-bit calls */
    COUNT_STACK_FAILED,    /* chains that could not be taken */
    COUNT_PACKET_UNPARSED, /* headers that are not in the packet's first piece */
    COUNTS
};

/* The maps that push out what was not looked at for longest when they are full. */
enum record_map { MAP_PROCESSES, MAP_THREADS, MAP_SOCKETS, MAPS };

/* What the user side reads of the kernel side's own memory. */
enum { RECORD_COUNTERS = 32 /* a CPU each, or a few: so that they don't wait for each other's memory */ };
struct record_entries {
    __s64 of[MAPS];
    __s64 pad[8 - MAPS];
};
struct record_counts {
    __u64 missed[COUNTS];
    /* In sum: what was put in and not taken out; of sockets, TCP's alone: no end of a UDP socket is seen; of threads, those in a
     * call. */
    struct record_entries entries[RECORD_COUNTERS];
};

#endif
