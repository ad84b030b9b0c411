/* The record of one connection, and the parts of the ledger that work on it. Internal to src/ledger.
 *
 * A record is four cache lines, so that a segment costs few fetches. What only troubled connections need (gaps, repeats, resets)
 * lies in a second record that the others never get. */
#ifndef TCPWHY_LEDGER_OWN_H
#define TCPWHY_LEDGER_OWN_H

#include <string.h>

#include "ledger/ledger.h"
#include "tcp/seq.h"

/* What is remembered of one end: what it sent (and so, at one place of capture, what its peer received). */
enum sent_flag {
    SENT_SYN = 1,
    SENT_SYN_ACK = 2,
    SENT_FIN = 4,
    SENT_ANY = 8, /* something that was no RST: `next` is valid */
    SENT_RST = 16,
    SYN_ACKED = 32,
    FIN_ACKED = 64,
    FIN_TAKEN = 128,   /* its FIN reached the peer in order */
    FIN_SEEN = 256,    /* `fin_last_end` is valid; it may wait behind a gap */
    PASSIVE = 512,     /* answered a SYN without having sent one */
    BASE_KNOWN = 1024, /* `base`: from its SYN, else one before its first byte, else the peer's first ACK less one */
    WINDOW_SEEN = 2048,
    LAST_KEEP_ALIVE = 4096, /* its last segment was one */
    IP_BYTES_UNKNOWN = 8192,
    GOT_ANY = 16384,  /* the peer took something of it: `got` is valid */
    SYN_TAKEN = 32768 /* the peer took a SYN of it: `base`, or `taken_base` where a SYN that was dropped moved that */
};

enum zeek_state { ZEEK_INACTIVE, ZEEK_PARTIAL, ZEEK_SYN_SENT, ZEEK_SYN_ACK_SENT, ZEEK_ESTABLISHED, ZEEK_CLOSED, ZEEK_RESET };

/* Letters that a history takes once for each end. */
enum { ONCE_SYN = 1, ONCE_FIN = 2, ONCE_RST = 4, ONCE_DATA = 8, ONCE_ACK = 16, ONCE_INCONSISTENT = 32, ONCE_MULTI = 64 };

struct sent {
    uint64_t bytes, ip_bytes;
    uint32_t base;         /* its ISN with SENT_SYN */
    uint32_t next;         /* one past the last sequence number sent */
    uint32_t got;          /* one past what the peer received in order */
    uint32_t fin_end;      /* one past its first FIN */
    uint32_t fin_last_end; /* one past its latest FIN */
    uint32_t ahead;        /* Wireshark's nextseq: as `next`, but window probes don't count and resets do; 0 none */
    uint32_t ahead_us;     /* when it moved: microseconds (of 1024 ns), modulo 2^32 */
    uint32_t last_ack;     /* the acknowledgement number of its last segment */
    uint32_t last_ack_us;
    uint32_t segments;
    uint32_t retransmissions;
    uint16_t last_window;
    uint16_t flags;         /* enum sent_flag */
    uint8_t state;          /* enum tcp_state */
    uint8_t zeek, zeek_was; /* enum zeek_state */
    uint8_t once;           /* ONCE_* */
    uint8_t repeated_acks;  /* duplicate ACKs in a row; stays at its largest */
    uint8_t pad[3];
};

enum { FLOW_GUESSED = 1, FLOW_TIMED = 2, FLOW_DONE = 4, FLOW_OPENED = 8, FLOW_USED = 16, FLOW_HISTORY_CUT = 32 };
enum { FLOW_HISTORY = 19 };

struct flow {
    uint8_t ip[2][16]; /* [0]: who sent the first segment */
    uint16_t port[2];
    uint8_t version;
    uint8_t completeness;
    uint8_t bits;   /* FLOW_* */
    uint8_t client; /* which of the two is it: 0 or 1 */
    int64_t first_ns, last_ns;
    int64_t handshake_ns; /* the last SYN's time; with FLOW_TIMED the round trip */
    uint32_t number;
    uint32_t trouble;        /* its number + 1; 0 none */
    uint32_t before, behind; /* its neighbours in a bucket of the wheel, +1; 0 none */
    uint32_t active_tick;    /* the clock at its last segment */
    uint32_t trailing_us;    /* from when both ends had closed to the last segment; stays at its largest */
    uint16_t bucket;
    uint8_t history_count;
    uint8_t closed_first; /* 1 + which end; 0 nobody */
    uint8_t tunnel;
    char history[FLOW_HISTORY];
    struct sent sent[2];
};
_Static_assert(sizeof(struct flow) == 256, "a record is four cache lines");

enum { EARLY_MAX = 8, HOLES_MAX = 4 };

struct range {
    uint32_t from, to;
};

/* For each end that sent it. */
struct trouble_end {
    struct range early[EARLY_MAX]; /* received before what comes before it */
    struct range holes[HOLES_MAX]; /* skipped by its segments, and not seen since */
    uint8_t early_count, hole_count;
    bool base_moved;     /* by a SYN that the peer dropped */
    uint32_t taken_base; /* with base_moved: the SYN that the peer did take */
    uint32_t rst_seq;    /* of its last RST */
    uint32_t out_of_order, keep_alives, zero_windows;
    uint32_t zeek_repeats, zeek_gaps, zeek_zero_windows; /* what its history counts */
    uint64_t missed_bytes;
};
struct trouble {
    struct trouble_end end[2];
    struct ledger_icmp icmp;
};

/* slab.c: objects of one size, by number; memory comes in large pieces and is used again, never given back before the end. */
struct slab {
    size_t object_bytes;
    unsigned piece_shift; /* a piece holds 2^piece_shift objects */
    char **pieces;
    size_t piece_count, piece_room;
    uint32_t used;     /* numbers given out so far */
    uint32_t free_one; /* +1; 0 none */
    uint32_t count;
};
struct slab slab_new(size_t object_bytes, unsigned piece_shift);
void slab_free(struct slab *slab);
/* A zeroed object's number, or UINT32_MAX when out of memory. */
uint32_t slab_take(struct slab *slab);
void slab_give(struct slab *slab, uint32_t number);
size_t slab_memory(const struct slab *slab);
static inline void *slab_at(const struct slab *slab, uint32_t number)
{
    return slab->pieces[number >> slab->piece_shift] + (number & (((uint32_t)1 << slab->piece_shift) - 1)) * slab->object_bytes;
}

enum { WHEEL_BUCKETS = 4096 };

struct slot {
    uint32_t flow; /* +1; 0 empty */
    uint32_t mark; /* the lower half of its hash: where it belongs, and most of whether it is the one */
};

struct ledger {
    ledger_listener *listener;
    void *data;
    size_t open_max;
    struct slab flows, troubles;
    struct slot *slots;
    size_t slot_count; /* a power of two */
    uint64_t seed[2];
    uint32_t numbers;
    /* The clock: whole ticks that have passed in the captures, jumps of more than a day left out. */
    uint32_t tick, wheel_tick;
    int64_t high_ns;      /* the latest time of a segment */
    uint64_t clock_shift; /* added to that it is the clock, modulo 2^64 */
    uint64_t tick_at_ns;  /* what high_ns will be when the next tick begins, modulo 2^64 */
    bool started;
    int code;     /* the first failure: nothing works after it */
    bool careful; /* no short cuts */
    uint32_t wheel[WHEEL_BUCKETS];
    uint8_t next_state[STATE_COUNT][INPUT_COUNT];
    struct ledger_totals totals;
    struct trouble_end spare; /* what flow_trouble gives when out of memory */
};

/* index.c: from addresses and ports to the record. The hash is the same for both directions, and seeded. */
uint32_t index_hash(const struct ledger *ledger, const struct ledger_segment *segment);
/* Whether a segment is this record's: which of its ends sent it, or -1. Without a branch on which of the two, since that is as good
 * as random. */
static inline int flow_side(const struct flow *flow, const struct ledger_segment *segment)
{
    uint32_t ports, forth;
    memcpy(&ports, flow->port, 4);
    memcpy(&forth, &segment->src_port, 4);
    uint32_t back = forth << 16 | forth >> 16;
    uint64_t a[2], b[2], from[2], to[2], not_first = ports ^ forth, not_second = ports ^ back;
    if (flow->version != segment->version) return -1;
    memcpy(a, flow->ip[0], 16);
    memcpy(b, flow->ip[1], 16);
    memcpy(from, segment->src, 16);
    memcpy(to, segment->dst, 16);
    not_first |= (a[0] ^ from[0]) | (b[0] ^ to[0]);
    not_second |= (a[0] ^ to[0]) | (b[0] ^ from[0]);
    if (segment->version != 4) {
        not_first |= (a[1] ^ from[1]) | (b[1] ^ to[1]);
        not_second |= (a[1] ^ to[1]) | (b[1] ^ from[1]);
    }
    return not_first && not_second ? -1 : not_first != 0;
}
_Static_assert(offsetof(struct ledger_segment, dst_port) == offsetof(struct ledger_segment, src_port) + 2, "ports are neighbours");

/* A record whose hash is this one, number + 1; 0: none now. It is fetched, and may be another's when it is asked for: a record in
 * use is in the index, and no two of them have the same addresses, so what flow_side says of it then is what a search would. */
struct guess {
    uint32_t flow, hash;
    struct flow *record;
};
void index_guess(const struct ledger *ledger, struct guess *guess);
/* The record's number + 1, or 0; *ret_side: which of its ends sent this. */
uint32_t index_find(const struct ledger *ledger, const struct ledger_segment *segment, uint32_t hash, int *ret_side);
/* 0 or -ENOMEM. The record is in the slab already. */
int index_add(struct ledger *ledger, uint32_t number, uint32_t hash);
/* The hash of a record, for index_remove; its slot is fetched meanwhile. */
uint32_t index_prepare(const struct ledger *ledger, uint32_t number);
void index_remove(struct ledger *ledger, uint32_t number, uint32_t hash);
static inline size_t index_slot(const struct ledger *ledger, uint32_t hash)
{
    return hash & (ledger->slot_count - 1);
}

/* wheel.c: when a record is looked at next, in buckets of a tick (about a second). */
/* Reads the time of a segment; true when ticks have passed. Most segments are later than the last one by less than a tick. */
bool wheel_clock_any(struct ledger *ledger, int64_t t_ns);
static inline bool wheel_clock(struct ledger *ledger, int64_t t_ns)
{
    uint64_t high = (uint64_t)ledger->high_ns;
    if ((uint64_t)t_ns - high >= ledger->tick_at_ns - high) return wheel_clock_any(ledger, t_ns);
    ledger->high_ns = t_ns;
    return false;
}
void wheel_place(struct ledger *ledger, uint32_t number);
void wheel_leave(struct ledger *ledger, uint32_t number);
/* Finishes what was quiet for too long. 0 or the listener's. */
int wheel_turn(struct ledger *ledger);
/* Finishes up to `count` records that would be given up next. 0 or the listener's. */
int wheel_crowd_out(struct ledger *ledger, size_t count);

/* flow.c */
/* Gives the row and forgets the record. 0 or the listener's. */
int flow_finish(struct ledger *ledger, uint32_t number, enum ledger_ending ending);
enum { FLOWS_SHIFT = 13 };
/* slab_at, with numbers that the compiler knows. */
static inline struct flow *flow_at(const struct ledger *ledger, uint32_t number)
{
    return (struct flow *)ledger->flows.pieces[number >> FLOWS_SHIFT] + (number & (((uint32_t)1 << FLOWS_SHIFT) - 1));
}
/* The record of trouble, made when there is none; the ledger's spare one (and a remembered failure) when out of memory. */
struct trouble_end *flow_trouble(struct ledger *ledger, struct flow *flow, int side);
static inline struct trouble_end *flow_has_trouble(const struct ledger *ledger, const struct flow *flow, int side)
{
    return flow->trouble ? &((struct trouble *)slab_at(&ledger->troubles, flow->trouble - 1))->end[side] : NULL;
}

/* states.c: RFC 9293 for both ends; the same rules as tcp_classify_sent and tcp_classify_received, in less memory. */
void states_begin(struct flow *flow, const struct ledger_segment *segment, int side);
void states_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side);
static inline void states_input(const struct ledger *ledger, struct sent *end, enum tcp_input input)
{
    end->state = ledger->next_state[end->state][input];
}
/* What the ACK in a segment says of what `end`, who receives it, sent. */
void states_take_ack(const struct ledger *ledger, struct sent *end, const struct ledger_segment *segment);

/* plain.c: all of the above and below at once, where nothing is to be judged. */
enum plain {
    PLAIN_NOT,   /* nothing was done: take the long way */
    PLAIN_STAYS, /* done; it ended nothing and changed no state */
    PLAIN_MOVES  /* done */
};
enum plain plain_take(const struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side);

/* counts.c: what Wireshark's sequence analysis finds. Before states_take. */
void counts_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side);
/* tcp.completeness, as Wireshark's second pass has it. */
void completeness_take(struct flow *flow, const struct ledger_segment *segment);

/* zeek.c: conn_state and history. Before states_take. */
void zeek_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side);
/* A repeat of payload, a zero window, a gap: a letter at the 1st, 10th, 100th … time. */
void zeek_scaled(struct flow *flow, int side, char letter, uint32_t count);
/* A letter of that end for the history; without room it is lost. */
void zeek_letter(struct flow *flow, int side, char letter);
/* The client turned out to be the other end: letters change their case. */
void zeek_flip(struct flow *flow);
const char *zeek_conn_state(const struct flow *flow);

/* gaps.c: what an end skipped and nobody saw. Before states_take. */
void gaps_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side);

/* row.c */
void row_make(const struct ledger *ledger, const struct flow *flow, enum ledger_ending ending, struct ledger_row *ret_row);

/* Times are kept in 32 bits: units of 1024 ns, modulo 73 minutes; only differences of some milliseconds are asked for. */
static inline uint32_t short_time(int64_t t_ns)
{
    return (uint32_t)((uint64_t)t_ns >> 10);
}

static inline uint32_t segment_end_of(const struct ledger_segment *segment)
{
    return segment->seq + segment->length_bytes + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
}

#endif
