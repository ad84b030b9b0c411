/* The judge: the one place that says what the segments of a TCP connection mean.
 *
 * To which connection a segment belongs, who opened it, what each end has sent and its peer received, what is new and what is sent
 * again, both RFC 9293 states, how it ended and who closed first. The list (src/ledger) and the story (src/story) both stand on it
 * and decide none of this themselves. It is told *sent* and *received* apart, so that two places of capture, marks of the kernel
 * and losses feed it more; a capture from one place says both at once (conn_take). More evidence sharpens an answer and never
 * changes the question.
 *
 * A record is small and flat, nothing is allocated on a segment's path, and what only troubled connections need (ranges that are
 * missing, resets) lies in a second record that the owner gives on request. Pure: no I/O; time is what the segments bring. The
 * rules are those of RFC 9293 sections 3.4 and 3.10.7, RFC 5961 section 3, and one of its own: an end is at least in the state that
 * its own segments prove. */
#ifndef TCPWHY_CONN_CONN_H
#define TCPWHY_CONN_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/seq.h"
#include "tcp/state.h"

/* What the judge asks of a TCP segment. Numbers are absolute, in host order. */
struct conn_segment {
    int64_t t_ns;
    uint32_t seq, ack;
    uint32_t length_bytes; /* payload, from the IP header's length */
    uint32_t look;         /* conn_look; 0: not known */
    uint16_t window;       /* as on the wire */
    uint8_t flags;         /* TCP_* */
    bool sack;             /* it carries SACK blocks; false where that was not looked at: refines a duplicate ACK, nothing else */
    uint8_t interface;     /* where it was captured, from 1; 0: not known */
    uint8_t hops;          /* IP's hop limit; 0: not known */
    bool unsummed;         /* its checksum is not known: equal looks tell the same packet at another interface only */
};

/* One number for what makes a packet this very packet: IPv4's identification (0: none) above, TCP's checksum (0: not known) and
 * numbers below. A repeat by TCP gets another identification, a second sight has the same. The checksum alone does not tell packets
 * apart: it may cover addresses and length only, the rest being left to the device. */
static inline uint32_t conn_look(uint16_t identification, uint16_t checksum, const struct conn_segment *segment)
{
    /* Multiplied, not only added: what differs by one differs by one in the checksum too, and the two must not cancel out. */
    uint32_t numbers = (segment->seq * 0x9e3779b1U ^ segment->ack) * 0x85ebca6bU;
    numbers = (numbers ^ segment->length_bytes << 8 ^ segment->flags) * 0xc2b2ae35U;
    uint16_t low = (uint16_t)(checksum ^ numbers >> 16);
    return (uint32_t)identification << 16 | (low ? low : 1);
}

/* What a segment is to its sender's connection. */
enum conn_class {
    CONN_NEW,           /* it begins at, or beyond, the highest number sent: SYN, data, FIN for the first time */
    CONN_AGAIN,         /* all of it lies below the highest number sent */
    CONN_PARTLY_AGAIN,  /* it begins below and ends beyond */
    CONN_OUT_OF_ORDER,  /* it fills what this place of capture had not seen, sooner than a repeat could have been asked for */
    CONN_ACK,           /* no payload; it acknowledges something for the first time, or says the first word */
    CONN_DUPLICATE_ACK, /* acknowledges nothing new, same window: something out of order, or twice, reached its sender */
    CONN_WINDOW_UPDATE, /* acknowledges nothing new and offers another window */
    CONN_KEEPALIVE,     /* one below the next number, all acknowledged, with or without a garbage byte (RFC 9293 3.8.4) */
    CONN_WINDOW_PROBE,  /* the peer's window is 0 (3.8.6.1) */
    CONN_PROBE_ANSWER,  /* the ACK that a keepalive or a window probe asked for */
    CONN_CHALLENGE_ACK, /* the ACK that a RST or SYN inside the window asked for (RFC 5961) */
    CONN_RESET,
    CONN_STRAY, /* its numbers are not of this connection: the ACK of an older one (half-open discovery, 3.5.1); or it has no ACK */
    CONN_SIGHT, /* the packet before, seen once more: no segment of its own */
    CONN_CLASSES
};
/* "new" "again" "partly-again" …. Static storage. */
const char *conn_class_name(enum conn_class class);

/* What is remembered of one end. */
enum conn_end_flag {
    END_SYN = 1,              /* sent a SYN, or its peer's numbers prove it */
    END_SYN_ACK = 2,          /* sent a SYN,ACK, or its peer's ACK proves it */
    END_SYN_SEEN = 4,         /* one of them was captured: `base` is its ISN */
    END_ANY = 8,              /* sent something that was no RST, or its peer acknowledged something: `next` is valid */
    END_BASE = 16,            /* `base` is valid */
    END_BASE_BARE = 32,       /* `base` rests on a bare ACK's number: a keepalive probe would be one below */
    END_PASSIVE = 64,         /* answered a SYN without having sent one */
    END_FIN = 128,            /* sent a FIN: `fin_end` is valid */
    END_SYN_ACKED = 256,      /* its peer's ACK of its SYN has arrived */
    END_FIN_ACKED = 512,      /* and of its FIN */
    END_ACKED = 1024,         /* `acked` is valid */
    END_ACKS = 2048,          /* `ack` and `window` are valid */
    END_GOT = 4096,           /* `got` is valid */
    END_SYN_TAKEN = 8192,     /* its peer has taken its SYN */
    END_FIN_TAKEN = 16384,    /* its peer has taken its FIN */
    END_RST = 32768,          /* sent a RST */
    END_ENDED_BY_RST = 65536, /* its state is CLOSED because of a RST that it sent or took: `was` is the state before */
    END_PROBED = 1 << 17,     /* the last it sent was a keepalive or a window probe */
    END_PROBE_BYTE = 1 << 18, /* its last number was sent in a window probe alone */
    END_CHALLENGED = 1 << 19, /* it took a RST or SYN that asks for a challenge ACK */
    END_LOOKS_VARY = 1 << 20, /* its packets bear different identifications: a same one is the same packet */
    END_SYN_DATA = 1 << 21,   /* its SYN carried data (RFC 7413) */
    END_LOOKS_STAY = 1 << 22, /* or not: several of them bear one identification */
    END_LONE_BYTE = 1 << 23,  /* its last number was sent first as a segment of that one byte */
    END_LONE_ACK = 1 << 24,   /* its last number was acknowledged by itself, and had not been captured */
    END_CROSSED = 1 << 25     /* its peer's FIN reached it before the ACK of its own */
};

/* One end. */
struct conn_end {
    uint64_t span;  /* sequence numbers from `base` to `next`, SYN and FIN among them */
    uint32_t base;  /* its ISN where END_SYN, else one before the first number known of it */
    uint32_t next;  /* one past the highest number that it sent, or is proved to have sent */
    uint32_t acked; /* the highest acknowledgement that reached it */
    uint32_t ack;   /* the highest acknowledgement that it sent: it has received everything below */
    uint32_t got;   /* one past what its *peer* has received of it in order */
    union {
        uint32_t fin_end; /* with END_FIN, one past its FIN */
        uint32_t syn_us;  /* until then: when its last SYN was seen first (conn_short_time) */
    };
    uint32_t look;         /* of its last packet */
    uint32_t flags;        /* enum conn_end_flag */
    uint32_t segments;     /* captured, sights left out */
    uint32_t again_count;  /* of them those with numbers sent before */
    uint16_t window;       /* that it offered last, as on the wire */
    uint8_t state;         /* enum tcp_state */
    uint8_t interface;     /* of its last packet; apart from `hops`: gcc writes neighbours as one, and waits for it */
    uint8_t was;           /* enum tcp_state */
    uint8_t hops;          /* of its last packet */
    uint8_t repeated_acks; /* duplicate ACKs in a row that it sent; stays at its largest */
    uint8_t pad;
};

enum conn_flag {
    CONN_MIDWAY = 1,          /* no SYN was seen: what came before is not known */
    CONN_OPENED = 2,          /* a SYN or SYN,ACK was seen: `client` is sure */
    CONN_REFUSED = 4,         /* a RST that acknowledges the SYN reached an end in SYN_SENT, and it has not gone on since */
    CONN_TWO_PLACES = 8,      /* set by the owner: sending and receiving are told apart (conn_sent, conn_received) */
    CONN_TO_ITSELF = 16,      /* set by the owner: both ends are one, end 0, a socket that is connected to itself */
    CONN_FIRST_BY_RST = 32,   /* `closed_first` rests on a RST */
    CONN_UNREACHABLE = 256,   /* an ICMP error answered the SYN of an end in SYN_SENT */
    CONN_TIMED = 64,          /* `round_us` is valid; else, with CONN_OPENED, it is the time of the last SYN */
    CONN_FIRST_UNSURE = 1024, /* `closed_first` rests on the order of capture: the peer's FIN may have left before */
    CONN_SPOKE_LAST = 512,    /* end 1 sent the latest segment, else end 0 */
    CONN_ASIDE = 2048,        /* set by the owner: a younger one has its place (conn_is_set_aside), */
    CONN_HAS_ELDER = 4096,    /* and the younger one's */
    CONN_HAS_MORE = 128       /* the judge asked for its second record: without, that is all zero, if there is one */
};

/* A connection. Zero it to begin; all is the judge's own but two flags. */
struct conn {
    struct conn_end end[2]; /* [0]: who sent the first segment */
    int64_t last_ns;        /* the latest of all segments' times */
    uint32_t round_us;      /* round trip of the handshake as seen here, in units of 1024 ns; stays at its largest */
    uint16_t flags;         /* enum conn_flag */
    uint8_t client;         /* which end opened it, or is taken for who did: 0 or 1 */
    uint8_t closed_first;   /* 1 + the end that sent the first FIN, or a RST that ended it; 0 nobody */
};

enum { CONN_HOLES_MAX = 16 };

/* Sequence numbers of one end, from `from` to one before `to`. */
struct conn_range {
    uint32_t from, to;
};

/* What only connections with trouble need, for each end that sent it. Zero it to begin. */
struct conn_more_end {
    /* Numbers below the highest that reached the peer (from one place: that were seen) which did not, in ascending order, none
     * touching another; of more than fit the lowest is forgotten, and what proves its arrival is the peer's ACK alone. */
    struct conn_range holes[CONN_HOLES_MAX];
    uint32_t hole_us[CONN_HOLES_MAX]; /* when each was made: conn_short_time */
    uint8_t hole_count;
    bool has_top;
    uint32_t top;          /* with has_top, one past the highest number that reached the peer */
    uint64_t missed_bytes; /* acknowledged by the peer, never captured, and in none of `holes` any more (conn_missed) */
    bool has_seen;
    uint32_t seen; /* with has_seen, one past the highest number captured: `next` rests on the peer's ACK */
    uint32_t out_of_order, keep_alives, zero_windows, window_probes, strays, sights;
    uint32_t sight_gap_us;     /* the longest time between a packet and a further sight of it, in units of 1024 ns */
    uint32_t sights_elsewhere; /* of them those with another hop limit: a router lies between the two places */
    uint32_t ignored_resets;   /* that it sent and that did not end its peer */
    bool has_ended;            /* by a RST, at some time */
    bool is_questioned;        /* with has_ended: a challenge ACK asked since whether that RST was meant, */
    uint32_t questioned_us;    /* when */
    uint32_t ended_us;         /* with has_ended: when, */
    uint32_t ended_next;       /* its next number then, or the RST's own where that is higher, */
    uint32_t ended_ack;        /* and what it had acknowledged */
    uint32_t waiting_reset; /* with has_waiting_reset: the number of a RST of it that may yet fit: what comes before was not seen */
    bool has_waiting_reset;
    bool has_fin_ack;
    uint32_t fin_ack;  /* with has_fin_ack, what its FIN acknowledged */
    uint32_t looks[8]; /* of its latest packets, once one was seen twice */
    uint8_t look_at;
};
struct conn_more {
    struct conn_more_end end[2];
};

/* Where the second record comes from. `more`: of this connection, made when there is none and `make`; NULL: none (or, with `make`,
 * out of memory: then the judge goes on without, and the owner has remembered its failure). */
struct conn_judge {
    struct conn_more *(*more)(void *owner, struct conn *conn, bool make);
    void *owner;
    uint8_t next_state[STATE_COUNT][INPUT_COUNT]; /* tcp_next as a table */
    bool sparse; /* of segments with data only few are captured: that others are absent says nothing. Set after conn_judge_init */
};
void conn_judge_init(struct conn_judge *judge, struct conn_more *(*more)(void *owner, struct conn *conn, bool make), void *owner);

/* An input of the RFC's machine at one end, and what it did: `to` == `from` where no arrow leads. */
struct conn_move {
    uint8_t side;     /* 0 or 1 */
    uint8_t input;    /* enum tcp_input */
    uint8_t from, to; /* enum tcp_state */
    bool proved;      /* the end's own later segment shows it: what made it was not seen */
    bool taken_back;  /* an assumed end is taken back: `to` is what the end was before; no input */
};

enum { CONN_MOVES_MAX = 12 };

/* What became of a RST at its receiver. */
enum conn_reset {
    RESET_NONE,      /* not a RST, or not yet received */
    RESET_TAKEN,     /* it fits exactly (RFC 5961 section 3.2), or acknowledges the SYN */
    RESET_IN_WINDOW, /* it does not: at most a challenge ACK answers it */
    RESET_NOBODY     /* there was no connection to end */
};

/* The judgement of one segment. `moves` grows with each call; zero it before a segment's first. */
struct conn_verdict {
    uint8_t class;     /* enum conn_class */
    uint8_t reset;     /* enum conn_reset, by conn_received */
    bool is_unseen;    /* AGAIN, PARTLY_AGAIN: what it repeats was not captured (lost before this place) */
    bool is_asked_for; /* AGAIN: its sender had had three duplicate ACKs that ask for just this */
    bool is_acked;     /* AGAIN: all of it had been acknowledged to its sender before */
    bool is_last_byte; /* KEEPALIVE: the last that was sent was just this byte, so it may be that, sent again */
    bool opens_hole;   /* it begins beyond the next number: something before it was not captured */
    bool base_shift;   /* the peer's first words were a keepalive probe: its numbers begin one higher than was thought */
    bool goes_on;      /* its sender was taken for ended, by a RST, and is not */
    bool leaps;        /* both its numbers are far ahead: a gap of the capture, or another connection whose SYNs were missed */
    /* As its sender knew it just before: the next number, the highest acknowledged (valid with has_acked), the peer's window, and
     * how many duplicate ACKs had come. */
    uint32_t next, acked;
    uint16_t peer_window;
    bool has_next, has_acked, has_peer_window;
    uint8_t repeated_acks;
    uint32_t again_bytes; /* of its numbers, how many were sent before */
    uint8_t move_count;
    struct conn_move moves[CONN_MOVES_MAX];
};

/* belongs.c. A segment between the two addresses of `conn`, sent by its end `side`: whether it begins another connection.
 * Connections are cut by their ISN: the same SYN again is the same attempt, whatever came between; a FIN that comes again within
 * TIME_WAIT's time is the old one's. Asked of each SYN, of whatever comes once both ends have sent a FIN, and of what is far from
 * the numbers so far (conn_is_far). */
bool conn_begins_anew(const struct conn *conn, const struct conn_segment *segment, unsigned side);
/* No next number is near: a question that most segments answer with no. */
static inline bool conn_is_far(const struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    return segment->seq - conn->end[side].next + (1U << 16) > 1U << 17;
}
/* A connection that another takes the place of (the same addresses and ports, other numbers) may not be over: a SYN of who has
 * forgotten it is answered with a challenge ACK out of it (RFC 9293 figure 9, RFC 5961 section 4), two hosts behind a translator
 * may share a port. Its owner then keeps it aside, */
bool conn_is_set_aside(const struct conn *conn);
/* and asks of each segment whether it is still the elder's: which of the two its numbers are nearer to. `elder_side`, `side`: which
 * end of each sent it. */
bool conn_is_elders(const struct conn *elder, unsigned elder_side, const struct conn *young, unsigned side,
                    const struct conn_segment *segment);
/* The first segment of a connection; its sender is end 0. `higher_port`: that end's port is the higher one, or they are equal: it
 * is taken for the client where no SYN tells. */
void conn_begin(struct conn *conn, const struct conn_segment *segment, bool higher_port);
/* A SYN that comes later settles who opened it. True: it turned out to be the other end. */
bool conn_settle_roles(struct conn *conn, const struct conn_segment *segment, unsigned side);
/* How long a connection is kept with nothing coming, in ns: TIME_WAIT's time once both ends are done, some two minutes for an
 * attempt that nobody answered, five days otherwise. */
int64_t conn_keep_ns(const struct conn *conn);

/* sights.c. The packet before, once more: the same identification and checksum within some milliseconds, where identifications are
 * seen to vary, or on another interface. Remembers the look of what is not. Asked of each segment before conn_take; a sight is not
 * taken. */
bool conn_is_sight(const struct conn_judge *judge, struct conn *conn, const struct conn_segment *segment, unsigned side);

/* sent.c: end `side` sends it. received.c: end `side` receives it. Each adds to the verdict. */
void conn_sent(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
               struct conn_verdict *verdict);
void conn_received(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                   struct conn_verdict *verdict);
/* Both at once: a capture from one place shows no more. `side` sends. */
void conn_take(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
               struct conn_verdict *verdict);
/* A SYN for another connection between the same ends reached end `side`, which holds this one (conn_is_set_aside): it asks with a
 * challenge ACK whether the peer means it (RFC 5961 section 4). */
void conn_question(struct conn *conn, unsigned side);
/* What no segment shows (a call, a timer) at one end. */
void conn_input(const struct conn_judge *judge, struct conn *conn, unsigned side, enum tcp_input input,
                struct conn_verdict *verdict);

/* An ICMP error that quotes what end `side` sent says that it can't be delivered (RFC 1122 section 4.2.3.9; Linux: tcp_v4_err ends
 * an end in SYN_SENT, and only notes it elsewhere). `quoted_seq`: of the segment it quotes; what that end never sent is not its own
 * (RFC 5927 section 4.1). */
void conn_unreachable(struct conn *conn, unsigned side, uint32_t quoted_seq);

enum conn_outcome { CONN_OUT_OPEN, CONN_OUT_CLOSED, CONN_OUT_RESET, CONN_OUT_REFUSED, CONN_OUT_HALF_OPEN };

/* outcome.c */
enum conn_outcome conn_outcome(const struct conn *conn);
/* The state to tell: a LISTEN that nothing proved is CLOSED. */
enum tcp_state conn_state(const struct conn *conn, unsigned side);
/* 1 + the end that closed first, by a FIN or a RST; 0: nobody, or not known (CONN_FIRST_UNSURE). */
unsigned conn_first_closer(const struct conn *conn);
/* What was taken shows no connection: no SYN and no ACK (a scan). */
bool conn_shows_nothing(const struct conn *conn);
/* Both ends have nothing more to do. */
bool conn_is_done(const struct conn *conn);
/* The last number of this end, which its peer acknowledges, was not captured and may have been its FIN: it was acknowledged by
 * itself, or the peer has closed as well. Then it is no byte for sure (conn_payload leaves it out), the states are those of an end
 * that has not closed, and who was first is not known. */
bool conn_may_have_closed(const struct conn_judge *judge, struct conn *conn, unsigned side);
/* Payload that this end sent, by its numbers: nothing twice, and what was not captured counted in. */
uint64_t conn_bytes(const struct conn *conn, unsigned side);
/* Of them, how many were acknowledged and not captured. */
uint64_t conn_missed(const struct conn_judge *judge, struct conn *conn, unsigned side);
/* Both for who counts: without a number that may have been a FIN, and never more missed than sent. */
struct conn_payload {
    uint64_t bytes, missed;
};
struct conn_payload conn_payload(const struct conn_judge *judge, struct conn *conn, unsigned side);

/* Times in 32 bits: units of 1024 ns, modulo 73 minutes; only differences of some milliseconds to minutes are asked for. */
static inline uint32_t conn_short_time(int64_t t_ns)
{
    return (uint32_t)((uint64_t)t_ns >> 10);
}

/* How long ago, by short times; 0 where the stamps of one interface stepped back in between. */
static inline uint32_t conn_short_since(int64_t t_ns, uint32_t then)
{
    static const uint32_t STEP_BACK_MOST = 9765625; /* 10 s */
    uint32_t since = conn_short_time(t_ns) - then;
    return 0 - since <= STEP_BACK_MOST ? 0 : since;
}

static inline uint32_t conn_space(const struct conn_segment *segment)
{
    return segment->length_bytes + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
}

#endif
