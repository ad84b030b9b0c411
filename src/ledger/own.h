/* The record of one connection, and the parts of the ledger that work on it. Internal to src/ledger.
 *
 * A record is four cache lines, so that a segment costs few fetches: the judge's (src/conn), and what the table wants besides. What
 * only troubled connections need (gaps, repeats, resets) lies in a second record that the others never get. */
#ifndef TCPWHY_LEDGER_OWN_H
#define TCPWHY_LEDGER_OWN_H

#include <stddef.h>
#include <string.h>

#include "conn/conn.h"
#include "ledger/ledger.h"

enum zeek_state { ZEEK_INACTIVE, ZEEK_PARTIAL, ZEEK_SYN_SENT, ZEEK_SYN_ACK_SENT, ZEEK_ESTABLISHED, ZEEK_CLOSED, ZEEK_RESET };

/* Letters that a history takes once for each end. */
enum { ONCE_SYN = 1, ONCE_FIN = 2, ONCE_RST = 4, ONCE_DATA = 8, ONCE_ACK = 16, ONCE_INCONSISTENT = 32, ONCE_MULTI = 64 };

enum {
    FLOW_TIMED = 1, /* `handshake_ns` is the round trip; else the last SYN's time */
    FLOW_DONE = 2,
    FLOW_TOLD = 4, /* its row was given; it stays for what may come late */
    FLOW_USED = 8,
    FLOW_HISTORY_CUT = 16,
    FLOW_IP_UNKNOWN = 32, /* of end 0, and of end 1 the next bit: a packet whose whole length is not known */
    FLOW_TROUBLED = 128   /* `trouble` is valid */
};
enum { FLOW_HISTORY = 19 };

static const size_t CACHE_LINE = 64, FLOW_OFTEN = (size_t)3 * 64;

/* The first three cache lines are what a segment asks for that comes in order; the fourth is for beginnings, ends and IPv6. */
struct flow {
    struct conn conn;
    uint8_t ip[2][8]; /* [0]: who sent the first segment; the first half of an address: all of IPv4's */
    uint16_t port[2];
    uint8_t version;
    uint8_t completeness;
    uint8_t bits; /* FLOW_* */
    /* What Zeek's words need of each end beside the judge's record. */
    uint8_t zeek_now[2];  /* enum zeek_state */
    uint8_t zeek_once[2]; /* ONCE_* */
    uint8_t history_count;
    uint32_t active_tick;     /* the clock at its last segment */
    uint32_t ip_bytes_low[2]; /* of 48 bits */
    uint16_t ip_bytes_high[2];
    uint32_t trailing_us; /* from when both ends had closed to the last segment; stays at its largest */
    int64_t handshake_ns;
    char history[FLOW_HISTORY]; /* a common one ("ShADadFf") fits into what is left of the third line */
    uint8_t tunnel;
    uint32_t number;
    int64_t first_ns;
    uint8_t ip_rest[2][8];
    uint32_t trouble;        /* with FLOW_TROUBLED, its number */
    uint32_t before, behind; /* its neighbours in a bucket of the wheel, +1; 0 none */
    uint16_t bucket;
    uint8_t zeek_was[2]; /* enum zeek_state */
    uint32_t pad;
};
_Static_assert(sizeof(struct flow) == 256, "a record is four cache lines");
_Static_assert(offsetof(struct flow, history) == 192 - 8, "what is asked for often is together");

/* For each end that sent it: what its history counts, and repeats letters by. */
struct zeek_trouble {
    uint32_t repeats, gaps, zero_windows;
    uint32_t rst_seq;      /* of its last RST */
    uint32_t fin_last_end; /* one past its latest FIN */
};
struct trouble {
    struct conn_more more;
    struct zeek_trouble zeek[2];
    struct ledger_icmp icmp;
    uint32_t elder, elder_number; /* with CONN_HAS_ELDER: its record, and the number that it has if it is still there */
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
void slab_give_all(struct slab *slab);
size_t slab_memory(const struct slab *slab);
static inline void *slab_at(const struct slab *slab, uint32_t number)
{
    return slab->pieces[number >> slab->piece_shift] + (number & (((uint32_t)1 << slab->piece_shift) - 1)) * slab->object_bytes;
}

enum { WHEEL_BUCKETS = 4096 };

/* So many closed connections are kept for TIME_WAIT's minute. Where there are more at once, as on a busy server, each further one
 * is kept for a few seconds only: the common stragglers come within these, and a minute of all would be most of the memory. */
enum { LINGER_MOST = 1 << 15 };

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
    bool tells_soon;
    uint32_t done_count; /* records of closed connections, kept for stragglers */
    uint32_t wheel[WHEEL_BUCKETS];
    struct conn_judge judge;
    struct ledger_totals totals;
};

enum { FLOWS_SHIFT = 13 };
/* slab_at, with numbers that the compiler knows. */
static inline struct flow *flow_at(const struct ledger *ledger, uint32_t number)
{
    return (struct flow *)ledger->flows.pieces[number >> FLOWS_SHIFT] + (number & (((uint32_t)1 << FLOWS_SHIFT) - 1));
}

/* So that it is there when it is asked for. */
static inline void flow_fetch(const struct flow *flow)
{
    for (size_t line = 0; line < sizeof(*flow); line += CACHE_LINE) __builtin_prefetch((const char *)flow + line, 1);
}

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
    uint64_t a, b, from, to, not_first = ports ^ forth, not_second = ports ^ back;
    if (flow->version != segment->version) return -1;
    memcpy(&a, flow->ip[0], 8);
    memcpy(&b, flow->ip[1], 8);
    memcpy(&from, segment->src, 8);
    memcpy(&to, segment->dst, 8);
    not_first |= (a ^ from) | (b ^ to);
    not_second |= (a ^ to) | (b ^ from);
    if (segment->version != 4) {
        memcpy(&a, flow->ip_rest[0], 8);
        memcpy(&b, flow->ip_rest[1], 8);
        memcpy(&from, segment->src + 8, 8);
        memcpy(&to, segment->dst + 8, 8);
        not_first |= (a ^ from) | (b ^ to);
        not_second |= (a ^ to) | (b ^ from);
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
static inline void wheel_fetch_neighbours(const struct ledger *ledger, const struct flow *flow)
{
    if (flow->before) __builtin_prefetch((const char *)flow_at(ledger, flow->before - 1) + FLOW_OFTEN, 1);
    if (flow->behind) __builtin_prefetch((const char *)flow_at(ledger, flow->behind - 1) + FLOW_OFTEN, 1);
}
/* Finishes what was quiet for too long. 0 or the listener's. */
int wheel_turn(struct ledger *ledger);
/* Finishes up to `count` records that would be given up next. 0 or the listener's. */
int wheel_crowd_out(struct ledger *ledger, size_t count);

/* flow.c */
static inline void flow_put_ip(struct flow *flow, int end, const uint8_t ip[16])
{
    memcpy(flow->ip[end], ip, 8);
    memcpy(flow->ip_rest[end], ip + 8, 8);
}
static inline void flow_get_ip(const struct flow *flow, unsigned end, uint8_t ip[16])
{
    memcpy(ip, flow->ip[end], 8);
    memcpy(ip + 8, flow->ip_rest[end], 8);
}
/* Gives the row, where it was not given yet. 0 or the listener's. */
int flow_tell(struct ledger *ledger, uint32_t number, enum ledger_ending ending);
/* The same, and forgets the record. */
int flow_finish(struct ledger *ledger, uint32_t number, enum ledger_ending ending);
/* The record of trouble; NULL: none. */
static inline struct trouble *flow_has_trouble(const struct ledger *ledger, const struct flow *flow)
{
    return flow->bits & FLOW_TROUBLED ? slab_at(&ledger->troubles, flow->trouble) : NULL;
}
/* Made when there is none. NULL: out of memory, and the ledger's code says so. */
struct trouble *flow_trouble(struct ledger *ledger, struct flow *flow);
/* The judge's way to it (struct conn_judge). */
struct conn_more *flow_more(void *owner, struct conn *conn, bool make);

/* completeness.c: tcp.completeness, as Wireshark's second pass has it. */
void completeness_take(struct flow *flow, const struct ledger_segment *segment);

/* zeek.c: conn_state and history. Before the judge has taken the segment, */
void zeek_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side);
/* and after: its ACK went from `acked` (with `known`) to what it is now, perhaps over what nobody captured of the peer's. */
void zeek_acked(struct ledger *ledger, struct flow *flow, int side, bool known, uint32_t acked);
/* Of a segment that the judge's short cut took. */
void zeek_plain_first(struct flow *flow, const struct ledger_segment *segment, int side);
static inline void zeek_plain(struct flow *flow, const struct ledger_segment *segment, int side)
{
    bool data = segment->length_bytes;
    flow->completeness |= data ? LEDGER_SEEN_DATA : LEDGER_SEEN_ACK;
    if (segment->flags & TCP_FIN || !(flow->zeek_once[side] & (data ? ONCE_DATA : ONCE_ACK))) zeek_plain_first(flow, segment, side);
}
/* Whether the short cut is one for Zeek's words, too. */
static inline bool zeek_is_plain(const struct flow *flow, const struct ledger_segment *segment, int side)
{
    if (flow->zeek_now[side] == ZEEK_INACTIVE) return false;
    if (!(segment->flags & TCP_FIN)) return true;
    return flow->zeek_now[side] == ZEEK_ESTABLISHED && flow->zeek_now[!side] != ZEEK_RESET && !(flow->zeek_once[side] & ONCE_FIN);
}
/* The SYN that begins a connection, and the SYN,ACK that answers it, where the judge's short cuts took them. */
void zeek_plain_syn(struct flow *flow);
void zeek_plain_syn_ack(struct flow *flow);
/* The client turned out to be the other end: letters change their case. */
void zeek_flip(struct flow *flow);
const char *zeek_conn_state(const struct flow *flow);

/* row.c */
void row_make(struct ledger *ledger, struct flow *flow, enum ledger_ending ending, struct ledger_row *ret_row);

enum { OPEN_MAX_USUAL = 4 << 20, TROUBLES_SHIFT = 9, CROWD = 64 };
/* Of how many segments memory is fetched at once (see struct group). */
enum { GROUP = 32 };

#endif
