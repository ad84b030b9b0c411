/* A story: what happened on one connection (or one exchange of UDP datagrams), step by step, each step with its cause.
 *
 * This is all that a view sees. A story owns its memory (one arena) and is const once told; strings from outside
 * (comm, args) are raw bytes, NUL-terminated: a view must escape them. Times are CLOCK_REALTIME nanoseconds.
 * Numbers (`call`, `segment`, `datagram`) count from 1 within the story, in order of time. */
#ifndef TCPWHY_STORY_STORY_H
#define TCPWHY_STORY_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "conn/conn.h"
#include "event/call_traits.h"
#include "story/story_call.h"
#include "tcp/segment.h"
#include "tcp/state.h"

struct story_packet_place { /* where a packet was seen */
    const char *vantage;    /* "lo" */
    int64_t t_ns;
    uint64_t number; /* in its capture, from 1 */
};

enum story_dropper {
    STORY_DROPPED_BY_RECEIVER,
    STORY_DROPPED_BY_SENDER, /* before it left, or in its own queue */
    STORY_DROPPED_BETWEEN    /* by a host that forwards */
};

/* A kernel threw it away (skb:kfree_skb). */
struct story_drop {
    int64_t t_ns;
    const char *reason;   /* enum skb_drop_reason's name without its prefix: "NETFILTER_DROP"; "": the kernel gives none */
    const char *function; /* the kernel's, that let it go; "" unknown */
    enum story_dropper by;
    bool untaken; /* before the receiver's TCP had looked at it: it is as if it had not come. Else TCP had its reason */
};

/* A listening socket's queues, when this segment (a SYN, or the ACK that is to end a handshake) came to it. */
struct story_queue {
    int64_t t_ns;
    uint64_t listener_cookie; /* 0 unknown */
    bool dropped;             /* as the segment was thrown away for it; else as it came, whatever became of it */
    /* Connections that wait for accept(), and how many may. Full, so that neither a SYN nor a handshake's ACK is taken:
     * accept_length > accept_most (sk_acceptq_is_full). accept_most is listen()'s backlog, or net.core.somaxconn if that is less.
     * The queue of handshakes that are not over is full (SYN cookies, or drop) at request_length >= accept_most. */
    uint32_t accept_length, accept_most, request_length;
};

/* What a retransmission repeats for. */
enum story_repeat {
    STORY_REPEAT_NONE,       /* it repeats nothing */
    STORY_REPEAT_UNKNOWN,    /* not known: open */
    STORY_REPEAT_RTO,        /* the retransmission timer ran out: RFC 6298 */
    STORY_REPEAT_LOSS_PROBE, /* tail loss probe: RFC 8985 section 7 */
    STORY_REPEAT_FAST,       /* duplicate ACKs, SACK or RACK showed a loss: RFC 5681 section 3.2, RFC 6675, RFC 8985 */
    STORY_REPEAT_RECOVERY,   /* the rest of what a timeout counted as lost, let out by ACKs */
    STORY_REPEAT_SYN,        /* of a SYN, by the timer */
    STORY_REPEAT_SYN_ACK,    /* of a SYN-ACK, by the timer or because the SYN came again */
    STORY_REPEAT_PATH_MTU,   /* in smaller pieces, because it was too big for the path: RFC 1191 */
    STORY_REPEAT_FAST_OPEN,  /* of what the SYN carried, which the peer did not take: RFC 7413 section 4.2.2 */
    STORY_REPEATS
};

/* What a segment is to the reader: by its flags first, then by its payload. */
enum story_kind { STORY_SYN, STORY_SYN_ACK, STORY_ACK, STORY_DATA, STORY_FIN, STORY_RST, STORY_KINDS };

/* What its sender's kernel had learned of the way as the segment, which carries data, left. */
struct story_congestion {
    uint32_t window;    /* congestion window, segments; 0: not known, nor the rest */
    uint32_t threshold; /* of slow start, segments; 0: none, as long as nothing was lost */
    uint32_t srtt_us;   /* smoothed round trip; 0: none was measured yet */
    uint32_t rto_us;    /* retransmission timeout, with its backoff; 0: not known */
    uint32_t mss;       /* bytes that a segment may carry */
};

enum story_window {
    WINDOW_UNKNOWN,  /* not captured, or a RST, which offers none */
    WINDOW_BYTES,    /* scaled as both SYNs said (RFC 7323) */
    WINDOW_UNSCALED, /* by how much was not seen */
};

struct story_segment {
    uint32_t number;
    enum story_side side;      /* the sender */
    int64_t sent_ns;           /* the kernel's mark, or the first sight of it */
    int64_t received_ns;       /* 0: not seen to arrive */
    uint32_t folded;           /* it stands for so many, that brought new data in order or acknowledged it; 0: it is one */
    bool lost;                 /* and known not to have arrived: packets were captured there, too */
    uint8_t flags;             /* TCP_* bits */
    char flags_text[9];        /* tcpdump's letters */
    uint32_t seq, ack;         /* relative, as Wireshark shows them; ack only with the ACK flag */
    bool seq_below, ack_below; /* it lies before that end's first number: as relative numbers go, a negative one */
    uint32_t seq_absolute, ack_absolute;
    uint32_t length_bytes;
    uint16_t window; /* as on the wire */
    enum story_window window_kind;
    uint32_t window_bytes; /* with WINDOW_UNSCALED as on the wire */
    struct story_congestion congestion;
    bool window_matters;              /* it is closed, or opens again: a row says so */
    const struct story_drop *dropped; /* NULL: no kernel was seen to throw it away */
    const struct story_queue *queue;  /* NULL: it reached no listening socket, or nobody saw its queues */
    enum conn_class class;            /* what it is to its sender's connection; of a copy CONN_NEW, and nothing */
    bool retransmission;              /* again, or partly again */
    bool copy;                        /* made by the network: it arrived once more than it was sent (sent_ns is its arrival) */
    bool unsent;                      /* made by the network, too: its sender's host was watched, and never sent it */
    const char *missed_at;            /* a vantage that lacks it although it must have passed there; NULL none */
    uint32_t of_step;                 /* the first transmission's step, for a retransmission; STORY_NO_STEP else */
    uint32_t taken_behind;            /* a FIN that its receiver took only behind its own: 1 + the step of that one; 0 else */
    enum story_repeat repeat;         /* NONE unless `retransmission` */
    const char *reset_reason;         /* RST: the kernel's own word for why it sent it ("NO_SOCKET"); NULL not known */
    enum story_kind kind;
    const char *label;        /* the name of `kind` */
    bool handshake, teardown; /* a segment whose cause is always shown */
    struct story_packet_place place;
    struct event_packet const *captured; /* header, options and bytes; NULL where not kept. Owned by the story. */
    const char *const *comments;         /* that the capture file has beside it: raw bytes from outside, `comment_count` of them */
    size_t comment_count;
    struct story_cause cause;
};

/* A UDP datagram, or an ICMP error about this flow. */
struct story_datagram {
    uint32_t number;
    enum story_side side; /* the sender */
    int64_t sent_ns, received_ns;
    bool lost;                        /* as a segment's */
    const struct story_drop *dropped; /* as a segment's */
    uint32_t length_bytes;
    const char *icmp;          /* "port unreachable" …; NULL: a datagram */
    uint32_t about_step;       /* ICMP: the step it complains about; STORY_NO_STEP else */
    struct segment_icmp error; /* ICMP */
    struct story_packet_place place;
    struct event_packet const *captured;
    const char *const *comments; /* as a segment's */
    size_t comment_count;
    struct story_cause cause;
};

struct story_state {
    enum story_side side;
    const char *from, *to;               /* RFC names, or the kernel's for `kernel`; static storage */
    enum tcp_state from_state, to_state; /* STATE_UNKNOWN for `kernel` */
    bool kernel;                         /* reported by the kernel; else by the RFC 9293 table */
    struct story_cause cause;            /* .why is the table's sentence */
};

/* A process ended or was killed. */
struct story_exit {
    enum story_side side;
    struct story_process process;
    int32_t status, signal; /* signal 0: none */
    const char *name;       /* "SIGKILL", "status 0" */
};

enum story_step_kind { STEP_ENTER, STEP_EXIT, STEP_SEGMENT, STEP_DATAGRAM, STEP_STATE, STEP_PROCESS_EXIT };

/* One row of a story, in order of time. */
struct story_step {
    enum story_step_kind kind;
    int64_t t_ns;
    enum story_side side;
    union {
        struct story_call *call; /* ENTER and EXIT share one */
        struct story_segment *segment;
        struct story_datagram *datagram;
        struct story_state *state;
        struct story_exit *exit;
    };
};

struct story_finding {
    const char *id;        /* "reset-unread-data" */
    const char *severity;  /* "note", "warning", "error" */
    const char *text;      /* a sentence a person can act on */
    const uint32_t *steps; /* the steps that prove it */
    size_t step_count;
};

/* Where Linux does something else, or more, than RFC 9293. */
struct story_difference {
    const char *id;        /* "linux-request-socket" */
    const char *text;      /* a sentence, no full stop at its end */
    const char *reference; /* section of the RFC, function of the kernel */
    const uint32_t *steps; /* the steps that show it; at the first it becomes visible */
    size_t step_count;
};

enum story_outcome { OUTCOME_OPEN, OUTCOME_CLOSED, OUTCOME_RESET, OUTCOME_REFUSED, OUTCOME_TIMED_OUT, OUTCOME_HALF_OPEN, OUTCOMES };

struct story_end {
    struct address address;
    struct story_process process;
    enum tcp_state state; /* its last */
    uint64_t cookie;      /* 0 unknown */
    bool has_isn;
    uint32_t isn;
    uint64_t bytes_sent;   /* payload by its numbers, nothing twice, without what comes next */
    uint64_t bytes_missed; /* acknowledged by its peer, and nobody captured them */
};

/* What the summary says. Times in ns; -1 not known. */
struct story_summary {
    int32_t opened_by;            /* enum story_side; -1 not seen */
    int32_t closed_first_by;      /* sent the first FIN or RST; -1 nobody, or not known */
    bool closed_first_unsure;     /* one did; which, does not show */
    int32_t time_wait_side;       /* who holds TIME_WAIT; STORY_SIDES both; -1 nobody */
    int64_t time_wait_until_ns;   /* Linux holds it 60 s (TCP_TIMEWAIT_LEN); 0 nobody */
    int64_t handshake_ns;         /* SYN sent → handshake's last ACK sent */
    int64_t handshake_network_ns; /* SYN sent → SYN-ACK arrived: wire and the peer's kernel, without the next: */
    int64_t handshake_timer_ns;   /* of that, until timers sent a lost SYN or SYN-ACK again; 0: none was */
    int64_t handshake_process_ns; /* connect() entered → SYN, and last ACK → connect() returned: this host's share */
    int64_t accept_wait_ns;       /* handshake complete → accept() returned */
    uint32_t segments, datagrams, calls, retransmissions;
    uint64_t folded_segments, folded_calls; /* of a long connection, that are told by others in their place, or not at all */
    uint32_t causes_by_evidence[5];         /* of segments and datagrams, indexed by enum story_evidence */
    uint32_t causes_unknown;
};

/* What an exchange waited for. Where two hold at once, the first in this order counts; so the parts add up to the whole. */
enum story_spent {
    SPENT_LOOKUP,         /* the name had to be looked up before connect() */
    SPENT_FULL_QUEUE,     /* the handshake met a full accept queue */
    SPENT_SYN_AGAIN,      /* a SYN or SYN-ACK was lost: for the timer that sent it again, or for an answer that never came */
    SPENT_RETRANSMISSION, /* data or a FIN was lost, and had to be sent again */
    SPENT_READER,         /* the receive window was closed: the reader's process did not read */
    SPENT_DELAYED_ACK, /* data waited for an ACK, and the delayed-ACK timer of the other end for something to send it along with */
    SPENT_NAGLE,       /* a small piece of data waited for the ACK of what was under way */
    SPENT_ACCEPT,      /* the connection was complete, and nobody called accept() */
    SPENT_UNREAD,      /* what had come lay there until a call asked for it */
    SPENT_RUN_QUEUE,   /* a call had what it needed, and had not yet returned: its thread was not run, or was at work */
    SPENT_CLOSE,       /* the peer had ended its direction; until this end did */
    SPENT_SERVER,      /* the server's process, from what it had read to what it wrote */
    SPENT_CLIENT,      /* the client's */
    SPENT_NETWORK,     /* on the way */
    SPENT_ANSWER,      /* from a request to its answer: the server and the way, which one place of capture can't tell apart */
    SPENT_IDLE,        /* all that was asked was answered; until the client's next word */
    SPENT_UNKNOWN,     /* nothing that was recorded tells */
    SPENTS
};

/* Where the time went. */
struct story_time {
    int64_t total_ns;     /* from connect(), or the first packet, to the last of both ends; TIME_WAIT apart; -1 of UDP */
    int64_t before_ns;    /* before the story's start, with the total: its process had a name looked up for it; 0 nothing known */
    int64_t asked_ns;     /* of that, from the first question to the last answer */
    struct address asked; /* with before_ns: the name server that was asked last, */
    uint32_t questions;   /* and how many questions there were over UDP; 0 not known */
    int64_t spent_ns[SPENTS]; /* of that; their sum is the total */
    int64_t time_wait_ns;     /* how long TIME_WAIT was seen to last; -1 none, or it was not over */
    int64_t first_byte_ns;    /* client's first data sent (without any: connection complete) → server's first data; -1 none */
};

struct story {
    const struct story *english; /* the same with its sentences in English, for what programs read; NULL: this one's are (lang.h) */
    uint32_t number;             /* of the connection, from 1, in order of its first packet */
    bool udp;
    bool so_far;         /* the connection is open, or may be: what is said of its end is not the last word */
    bool sequel;         /* stragglers of a connection whose story, of the same number, had been told before */
    bool roles_guessed;  /* who is called the client has the higher port, and nothing else tells */
    bool calls_alone;    /* packets were captured nowhere: its calls are all there is, and its outcome is what they got */
    bool numbered_apart; /* it is a UDP flow of a capture, whose number counts those alone: "u1" */
    struct story_end end[STORY_SIDES];
    enum story_outcome outcome;
    int64_t start_ns; /* time zero of the ladder: the first packet, or the call that led to it */
    struct story_step *steps;
    size_t step_count;
    struct story_finding *findings;
    size_t finding_count;
    struct story_difference *differences;
    size_t difference_count;
    struct story_summary summary;
    struct story_time time;
};

struct story_loss {
    const char *source; /* "bpf" */
    const char *what;   /* "ring full" */
    uint64_t received, count;
};

/* How far one capture's clock was from another's: figures as in struct event_clock (event/event.h). Times of stories are corrected.
 */
struct story_clock {
    const char *vantage, *against; /* names */
    int64_t at_ns, from_ns;
    int64_t offset_ns, uncertainty_ns, most_ns;
    int64_t drift_ppb, drift_within_ppb;
    int64_t span_ns;
    uint32_t forth, back, left_out;
    bool stepped, guessed;
};

/* A call of which no packet was seen, with what is known of the reason. */
struct story_apart_call {
    struct story_call call; /* numbered from 1 over all of them; it has no side */
    const char *why;        /* a sentence, no full stop at its end; NULL: the call's result says it, or nothing does */
    const char *told;       /* the same in the language of now (base/lang.h) */
};

/* The calls of one process that stand in no story, in order of time. */
struct story_apart {
    struct story_process process;
    struct story_apart_call *calls;
    size_t count;
};

/* What all stories of a run have in common. */
struct story_trace {
    const char *recorder; /* "bpf", "ptrace", "none" */
    const char *reason;   /* why this one; NULL none */
    const char *const *vantages;
    size_t vantage_count;
    int64_t started_ns;
    const struct story_loss *losses; /* counts of 0 included */
    size_t loss_count;
    uint64_t lost, dropped; /* sums: events lost by recorders, packets dropped by captures */
    /* Kernel marks that found no captured packet, and packets of followed sockets that found no mark: joins that failed. */
    uint64_t marks_unjoined, packets_unmarked;
    const struct story_apart *apart; /* by process */
    size_t apart_count;
    uint64_t apart_more; /* such calls that are not told: there were too many */
};

/* "stack" "context" "interval" "rule" "none"; "call" "segment" …; "open" …; "segment" "never-slept" …. Static storage. */
const char *story_evidence_name(enum story_evidence evidence);
const char *story_cause_name(enum story_cause_kind kind);
const char *story_outcome_name(enum story_outcome outcome);
const char *story_wake_name(enum story_wake_kind kind);
/* "full-queue", "syn-again", "retransmission", …; and for people: "a full accept queue". Static storage. */
const char *story_spent_name(enum story_spent spent);
const char *story_spent_words(enum story_spent spent);
/* "rto", "loss-probe", "fast", …, "unknown"; NULL for NONE. */
const char *story_repeat_name(enum story_repeat repeat);
const char *story_side_name(enum story_side side);
/* The same within a sentence, in the language of now (base/lang.h); and the label of a segment ("data"). */
const char *story_outcome_word(enum story_outcome outcome);
const char *story_side_word(enum story_side side);
const char *story_label_word(const struct story_segment *segment);
/* "SYN", "SYN-ACK", "ACK", "data", "FIN", "RST". */
const char *story_kind_name(enum story_kind kind);
/* The ids of all findings, in the order of the alphabet; *ret_count. Static storage. */
const char *const *story_finding_ids(size_t *ret_count);
/* Whether a finding of this id rests on what the kernel shows (its call chain, its drops, a listener's queues): without a recorder
 * that reads those its absence says nothing. */
bool story_finding_needs_kernel(const char *id);
/* Whether the kernel's evidence may put another, or none, in its place: without such a recorder its presence says nothing. */
bool story_finding_yields_to_kernel(const char *id);

/* Frees a story with all that it refers to; it belongs to the listener that it was told to. NULL is fine. */
void story_free(struct story *story);
/* The story whose sentences are in English: what programs read is in no other language. */
const struct story *story_in_english(const struct story *story);

#endif
