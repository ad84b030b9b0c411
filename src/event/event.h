/* The one currency between the world and the stories: plain records of what was seen.
 *
 * Whoever sees something (libpcap, a call recorder, a stored log) writes a `struct event`; the story engine reads them in
 * order of time and never learns where they came from. A record holds no pointer except into storage of the log that owns
 * it (chains and captured bytes), so it can be copied, sorted and written as text (src/event/text.h).
 *
 * All times are CLOCK_REALTIME nanoseconds since the epoch; sources with another clock convert before they append. */
#ifndef TCPWHY_EVENT_EVENT_H
#define TCPWHY_EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum event_kind {
    EVENT_NONE,
    EVENT_TRACE,   /* who recorded, and how; first of a log */
    EVENT_VANTAGE, /* a place where packets are captured */
    EVENT_PACKET,  /* a TCP segment, a UDP datagram or an ICMP error captured at a vantage */
    EVENT_ENTER,   /* a system call begins */
    EVENT_EXIT,    /* a system call ends */
    EVENT_MARK,    /* the kernel puts a packet on its way (net:net_dev_queue): who made it, and why */
    EVENT_STATE,   /* the kernel changes a socket's state (sock:inet_sock_set_state) */
    EVENT_RESET,   /* the kernel sends or receives a reset (tcp:tcp_send_reset, tcp:tcp_receive_reset) */
    EVENT_RESEND,  /* tcp:tcp_retransmit_skb, tcp:tcp_retransmit_synack */
    EVENT_WAKE,    /* a sleeping thread is woken (sched:sched_waking) */
    EVENT_TIMER, /* the kernel runs a timer of a socket that nothing else would show (timer:timer_expire_entry, timer:timer_cancel)
                  */
    EVENT_PROCESS,  /* a process begins, runs another program or ends */
    EVENT_LOST,     /* a source says how much it missed */
    EVENT_CLOCK,    /* how far one capture's clock was from another's, as estimated when the two were merged */
    EVENT_DROP,     /* the kernel throws a packet away (skb:kfree_skb), and says why */
    EVENT_QUEUE,    /* a listening socket's queues, as a segment for it comes or is thrown away */
    EVENT_LISTENER, /* a socket was listening already as recording began */
    EVENT_KINDS
};

enum { EVENT_COMM_BYTES = 16, EVENT_NAME_BYTES = 32, EVENT_ARGS_BYTES = 160, EVENT_WATCH_MAX = 8, EVENT_CHAIN_MAX = 48 };

/* TCP header flag bits, as on the wire. */
enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80
};

/* Those bits and tcpdump's letters for them, in the order in which they are written: S F R P . U E W. */
enum { EVENT_FLAGS = 8 };
struct event_flag {
    char letter;
    uint8_t bit;
};
extern const struct event_flag event_flags[EVENT_FLAGS];

/* What a TCP segment, UDP datagram or ICMP error says of itself. `src` and `dst` carry ports for TCP and UDP. */
struct event_packet_header {
    struct address src, dst;
    uint8_t protocol;      /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP or IPPROTO_ICMPV6 */
    uint8_t flags;         /* TCP_* ; 0 unless TCP */
    uint16_t window;       /* TCP, as on the wire (not scaled) */
    uint32_t seq, ack;     /* TCP, absolute, host order */
    uint32_t length_bytes; /* payload, from the IP header's length, so right even where the capture cut it */
};

/* TCP options that a story needs; `present` says which were there. */
enum event_option {
    OPTION_MSS = 1,
    OPTION_WSCALE = 2,
    OPTION_SACK_OK = 4,
    OPTION_TIMESTAMPS = 8,
    OPTION_FASTOPEN = 16,
    OPTION_MPTCP = 32,
    OPTION_SACK = 64,
    OPTION_ACCECN = 128
};
struct event_options {
    uint8_t present; /* OPTION_* bits */
    uint8_t wscale;
    uint8_t fastopen_cookie_bytes;
    uint16_t mss;
    uint16_t mptcp; /* bit n: an MPTCP option of subtype n (0 MP_CAPABLE, 1 MP_JOIN, …) was there */
    uint32_t ts_value, ts_echo;
};

/* The tunnel that a packet travelled in: what is told of is the packet inside. */
enum event_tunnel_kind {
    TUNNEL_NONE,
    TUNNEL_IP,       /* IP in IP: RFC 2003, 2473, 4213 */
    TUNNEL_GRE,      /* with IP, Ethernet or PPP inside: RFC 2784, 2637, 7637 */
    TUNNEL_ERSPAN,   /* a switch's copy of a frame, over GRE */
    TUNNEL_VXLAN,    /* RFC 7348, also with its generic protocol extension (VXLAN-GPE) */
    TUNNEL_GENEVE,   /* RFC 8926 */
    TUNNEL_MPLS,     /* an Ethernet frame behind MPLS labels (RFC 4448), or MPLS in IP (RFC 4023) */
    TUNNEL_GTP,      /* GTP-U, a mobile network's: 3GPP TS 29.281 */
    TUNNEL_TEREDO,   /* IPv6 in UDP: RFC 4380 */
    TUNNEL_CAPWAP,   /* an access point's frames on their way to its controller: RFC 5415 */
    TUNNEL_ETHERNET, /* a whole frame in a frame: IEEE 802.1ah, FabricPath */
    TUNNEL_KINDS
};
struct event_tunnel {
    uint8_t kind;   /* enum event_tunnel_kind, of the innermost one */
    uint8_t levels; /* how many there were: 0 none */
    uint32_t
        id; /* VXLAN, GENEVE: the VNI; GRE: the key; ERSPAN: the session; GTP: the endpoint (TEID); 802.1ah: the service; 0 none
             */
};

/* An ICMP error's own fields and the packet it quotes. */
struct event_icmp {
    uint8_t type, code;
    bool quotes; /* a TCP or UDP packet is quoted: the fields below are set */
    uint8_t protocol;
    struct address src, dst; /* of the quoted packet */
    uint32_t seq;            /* of a quoted TCP segment */
    uint32_t mtu;            /* "fragmentation needed", "packet too big": what the next hop takes; 0 not said */
};

/* A kernel call chain, innermost function first, as symbol names without offsets. Interned: equal chains are one object.
 * Owned by the log. */
struct event_chain {
    size_t count;
    const char *const *names; /* `count` of them */
};

/* A thread. pid is the process (the kernel's tgid); comm is raw bytes from outside, NUL-terminated. */
struct event_thread {
    int32_t pid, tid; /* 0: not known */
    char comm[EVENT_COMM_BYTES];
};

/* A socket as the kernel knows it. `cookie` is its identity (SO_COOKIE); 0: none. Addresses may be unknown (version 0). */
struct event_socket {
    uint64_t cookie;
    struct address local, remote;
    uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP; 0: not a socket, or another kind */
    uint8_t state;    /* enum event_kernel_state; 0 unknown */
    uint64_t netns;   /* of a call that failed, or made it: where it is; 0 not known */
    bool has_unread;  /* received bytes are waiting to be read (sampled when the call began) */
    uint32_t unread_bytes;
};

/* What ran on the CPU when the kernel did something: the evidence. */
struct event_context {
    struct event_thread current;     /* the running task: often NOT the cause (see the chain) */
    const struct event_chain *chain; /* NULL: not taken */
    bool softirq;                    /* known to be in softirq context; on PREEMPT_RT, without a chain, not known not to be */
    bool receiving;                  /* `received` is the packet that the kernel was receiving on this CPU */
    bool other_call; /* the task returns from a call that was not recorded: what was put off to that is not its last call's */
    struct event_packet_header received;
};

/* The kernel's socket states (include/net/tcp_states.h). They are not the RFC's: see docs/ARCHITECTURE.md. */
enum event_kernel_state {
    KERNEL_STATE_UNKNOWN,
    KERNEL_ESTABLISHED,
    KERNEL_SYN_SENT,
    KERNEL_SYN_RECV,
    KERNEL_FIN_WAIT1,
    KERNEL_FIN_WAIT2,
    KERNEL_TIME_WAIT,
    KERNEL_CLOSE,
    KERNEL_CLOSE_WAIT,
    KERNEL_LAST_ACK,
    KERNEL_LISTEN,
    KERNEL_CLOSING,
    KERNEL_NEW_SYN_RECV,
    KERNEL_STATES
};

struct event_trace {
    char recorder[EVENT_NAME_BYTES]; /* "bpf", "ptrace", "none" */
    char reason[EVENT_ARGS_BYTES];   /* why this one, where auto chose */
    uint16_t server_ports[8];        /* ports known to be the serving side's; 0 ends */
    bool unfiltered;                 /* the network was made for this run, and nothing filters in it */
    bool course_only; /* of the segments those alone were captured that tell of a connection's course (struct calls_options,
                         host_wide), and no calls that carry data: that others are absent says nothing */
    bool chosen;      /* some connections of a run, and what they rest on: that others are absent says nothing */
};

struct event_vantage {
    uint32_t number; /* what EVENT_PACKET.vantage refers to */
    uint64_t netns;  /* inode of its network namespace; 0 unknown */
    char name[EVENT_NAME_BYTES];
    struct address v4, v6; /* its own (no loopback or link-local one): what is sent there arrives here. Version 0: none */
};

/* Of a packet that was looked for in another capture and not found there (src/clocks): what is known of it. */
enum event_fate {
    FATE_UNKNOWN, /* nothing: the other capture may not have been running, or was not looking */
    FATE_LOST,    /* it never reached the other place, where it would have been seen */
    FATE_PASSED,  /* it did (it was acknowledged there): the other capture lacks it */
    FATE_UNSENT,  /* seen at its receiver's side, and never leaving its sender's */
    FATE_COPY,    /* seen at its receiver's side once more than it was sent */
    FATE_CAME,    /* seen at its receiver's side; whether its sending would have been seen is not known */
    FATES
};

struct event_packet {
    struct event_packet_header header;
    struct event_options options;
    struct event_icmp icmp; /* ICMP only */
    struct event_tunnel tunnel;
    uint8_t flags_high; /* TCP: the four bits between data offset and flags; bit 0 is AE (RFC 9768; once NS) */
    bool window_cut;    /* TCP: the capture ends behind the flags: window is not known (and 0) */
    uint32_t vantage;
    uint32_t captured_bytes, wire_bytes;
    const struct event_chain *comments; /* texts that somebody wrote beside it in the file, owned by the log; NULL: none */
    const uint8_t *bytes;               /* captured_bytes of them from the link layer on, owned by the log; NULL: not kept */
    uint16_t link_type;                 /* DLT_* */
    uint64_t number;                    /* of the packet within its vantage or file, from 1 */
    uint64_t same; /* packets with one number are one segment, whatever they look like; 0: nobody has compared them */
    uint8_t fate;  /* enum event_fate, with `same` */
    uint32_t
        connection; /* that somebody has found it to be of, from 1, in order of first packets (src/ledger); 0: nobody has looked */
    bool sight;     /* with `connection`: the same packet as one before it, captured once more */
    bool beside;    /* with `connection`: nobody asks for that one's story; the packet is here for what it says of others */
    bool early;     /* FATE_LOST: the other capture's first packet came later, so it may not have been running yet */
};

/* A socket that a waiting call (poll, select, epoll_wait) watches or reports, or what epoll_ctl registers. */
struct event_watch {
    uint64_t cookie; /* 0: not resolved (epoll: look up `data`) */
    uint64_t data;   /* poll, select: the fd; epoll: the epoll_event's data */
    uint32_t events; /* POLL* / EPOLL* bits: at enter those asked for, at exit those reported */
};

/* One side of a system call. EVENT_ENTER and EVENT_EXIT share it; pairs are matched by thread.tid (a thread is in one call
 * at a time); an EXIT without ENTER is a call that began before recording. */
struct event_call {
    struct event_thread thread;
    char name[EVENT_NAME_BYTES]; /* the man page's name: "connect", "accept4", "read", … */
    int32_t fd;                  /* the descriptor it works on; -1 none */
    struct event_socket socket;  /* behind fd; at EXIT again (its addresses may be known only now) */
    struct event_socket other;   /* EXIT of accept: the new socket (fd is `ret`); dup2, dup3: the socket that newfd closed */
    uint32_t epoll;              /* epoll_ctl, epoll_wait: the epoll's fd + 1; 0 none */
    uint8_t watch_count;         /* entries of `watch` in use */
    bool wake_unseen;     /* EXIT: not all that woke it was seen: what let it return may be another EVENT_WAKE than the last */
    uint32_t watch_total; /* how many there really were */
    uint32_t cgroup;      /* of the thread: its folder's number in the kernel's hierarchy (v2, the lower 32 bits); 0 not known */
    int64_t ret;          /* EXIT: as the kernel returned it, so -errno on failure */
    int64_t slept_ns;     /* EXIT: how long the thread was off the CPU waiting; 0: it is known never to have been; -1 not known */
    int32_t how;          /* shutdown's `how`; setsockopt's option name; listen's backlog; -1 else */
    int32_t level;        /* setsockopt's level; -1 else */
    int32_t value[2];     /* setsockopt: the first two ints of the value */
    /* What few calls have stands last: a log keeps no more of an event than says something (src/event/extent.h). */
    char args[EVENT_ARGS_BYTES]; /* as strace would print them, decoded: "3, 127.0.0.1:3333"; ENTER only */
    struct event_watch watch[EVENT_WATCH_MAX];
};

/* What the kernel had learned of the way as a segment with data left (struct tcp_sock); window 0: not known. */
struct event_congestion {
    uint32_t window;    /* congestion window, segments (snd_cwnd) */
    uint32_t threshold; /* of slow start, segments (snd_ssthresh); 0: none, as long as nothing was lost */
    uint32_t srtt_us;   /* smoothed round trip; 0: none was measured yet */
    uint32_t rto_us;    /* how long it waits for an ACK before it sends again (icsk_rto, with its backoff); 0: not known */
    uint32_t mss;       /* what a segment may carry, bytes (mss_cache) */
};

struct event_mark {
    struct event_packet_header header;
    uint64_t netns;
    uint32_t interface;
    struct event_socket socket; /* the skb's; cookie 0: made by no socket */
    struct event_congestion congestion;
    struct event_context context;
};

struct event_state {
    struct event_socket socket; /* .state is the new one */
    uint8_t from, to;           /* enum event_kernel_state */
    uint64_t netns;
    struct event_context context;
};

struct event_reset {
    bool sent; /* else received */
    struct event_socket socket;
    char reason[EVENT_NAME_BYTES]; /* enum sk_rst_reason's name without its prefix; "" before 6.10 */
    uint64_t netns;
    struct event_context context;
};

struct event_resend {
    bool synack;
    struct event_socket socket;
    uint64_t netns;
    uint32_t segments; /* that were sent at once (offload); 0: not known, and then `flags` are not either */
    uint8_t flags;     /* TCP_* */
    struct event_context context;
};

struct event_wake {
    struct event_thread thread;   /* who is woken */
    struct event_context context; /* who wakes: its chain and the packet being received name the reason */
};

/* What became of the timer of a request or timewait socket, whose end no state change reports: it ran, and ended the socket; or it
 * was cancelled while a RST was being received. */
struct event_timer {
    char function[EVENT_NAME_BYTES]; /* the kernel's: "tw_timer_handler", "reqsk_timer_handler" */
    bool cancelled;                  /* else it ran */
    struct event_socket socket;      /* .state: KERNEL_NEW_SYN_RECV, KERNEL_TIME_WAIT, or of an orphan KERNEL_FIN_WAIT2 */
    uint64_t netns;
    struct event_context context; /* with `cancelled` */
};

/* A packet that the kernel threw away: on its way in, after it was captured; on its way out, before or after. */
struct event_drop {
    struct event_packet_header header;
    uint64_t netns;
    bool outgoing;                   /* it had come in nowhere: its sender's kernel dropped it */
    char reason[EVENT_NAME_BYTES];   /* enum skb_drop_reason's name without its prefix; "": the kernel gives none */
    char function[EVENT_NAME_BYTES]; /* the kernel's, that let it go; "": not known */
    struct event_socket socket;      /* with `outgoing`: its sender; cookie 0: not known, or none */
    struct event_context context;
};

/* How full a listening socket's queues were when a segment for it came (a SYN), or was thrown away (the handshake's last ACK). */
struct event_queue {
    struct event_packet_header header;
    uint64_t netns;
    struct event_socket socket; /* the listening one */
    bool dropped;               /* as it was thrown away; else as it came */
    /* Who waits for accept(), and how many may (listen(), net.core.somaxconn): one more, and it is full (sk_acceptq_is_full). */
    uint32_t accept_length, accept_most;
    uint32_t request_length; /* connections whose handshake is not over; full at accept_most (inet_csk_reqsk_queue_is_full) */
};

struct event_listener {
    struct address local; /* as it was bound: the address may be any */
    uint64_t netns;       /* where: its port is nobody else's there */
};

enum event_process_change { PROCESS_FORK = 1, PROCESS_EXEC, PROCESS_EXIT };
struct event_process {
    struct event_thread thread;
    uint8_t change; /* enum event_process_change */
    int32_t parent; /* FORK: pid of the parent (thread is the child) */
    int32_t status; /* EXIT: exit status, or -1 when a signal ended it */
    int32_t signal; /* EXIT: the signal, else 0 */
};

struct event_lost {
    char source[EVENT_NAME_BYTES]; /* "bpf", "ptrace", "capture lo" */
    char what[EVENT_NAME_BYTES];   /* "ring full", "dropped by kernel", "dropped by interface", … */
    uint64_t received;             /* what did arrive */
    uint64_t count;                /* what did not: 0 is a statement too */
};

/* The clock of one vantage against another's, from segments that both saw. Times in the log are corrected already. */
struct event_clock {
    uint32_t vantage, against; /* numbers of vantages */
    int64_t offset_ns;         /* how far `vantage`'s clock was ahead (negative: behind), at the event's own time */
    int64_t uncertainty_ns;    /* the truth is no further away, then; -1: bounded from one side only */
    int64_t most_ns;           /* the same for the whole capture: the largest; -1 */
    int64_t drift_ppb;         /* how much faster it ran; what was corrected by */
    int64_t drift_within_ppb;  /* the truth is no further away; -1: not measurable */
    int64_t span_ns;           /* of the segments that this rests on */
    uint32_t forth, back;      /* how many of them went from `against` to `vantage`, and from `vantage` to `against` */
    uint32_t left_out;         /* how many contradict it, and were left out */
    int64_t from_ns;           /* since when: with `stepped` */
    bool stepped;              /* before `from_ns` the two clocks stood otherwise to each other */
    bool guessed;              /* which of the two places is nearer to whom is a guess */
};

struct event {
    enum event_kind kind;
    int64_t t_ns;
    uint64_t order; /* given by the log: ties in time keep the order of arrival */
    union {
        struct event_trace trace;
        struct event_vantage vantage;
        struct event_packet packet;
        struct event_call call;
        struct event_mark mark;
        struct event_state state;
        struct event_reset reset;
        struct event_resend resend;
        struct event_wake wake;
        struct event_timer timer;
        struct event_process process;
        struct event_lost lost;
        struct event_clock clock;
        struct event_drop drop;
        struct event_queue queue;
        struct event_listener listener;
    };
};

/* "SYN_RECV" … as the kernel's headers spell it, without TCP_; "?" outside the enum. Static storage. */
const char *event_kernel_state_name(unsigned state);

#endif
