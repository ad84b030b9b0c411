/* The ledger: one row a TCP connection, from segments, fast and in little memory.
 *
 * It keeps a record of 256 bytes for each connection that is open (or closed for less than TIME_WAIT's minute, since stragglers may
 * come), has each segment judged (src/conn), and gives each finished connection to a listener as a row. It decides nothing itself
 * of what a segment means, keeps no packets and tells no causes: for those the same packets go through src/story. Memory follows
 * how many connections are open at once, and has a bound of its own: past `open_max` the ones that would have been given up next
 * are finished early, and counted.
 *
 * Connections are cut by their ISN: a SYN with another sequence number begins a new one on the same addresses, the same SYN again
 * does not, whatever came between. Pure: no I/O; time is the captures' own. */
#ifndef TCPWHY_LEDGER_LEDGER_H
#define TCPWHY_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "tcp/segment.h"
#include "tcp/state.h"

struct ledger;

/* A TCP segment as the ledger wants it. */
struct ledger_segment {
    int64_t t_ns;
    uint8_t src[16], dst[16]; /* network byte order; IPv4 uses the first four, the rest are zero */
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint32_t length_bytes; /* payload, from the IP header's length */
    uint32_t ip_bytes;     /* the whole IP packet; 0: not known */
    uint16_t window;
    uint8_t flags;   /* TCP_* */
    uint8_t version; /* 4 or 6 */
    uint8_t tunnel;  /* enum event_tunnel_kind */
    /* By which the same packet is known when another place shows it again: as in struct segment_beside, and the place. */
    uint8_t hops;
    uint16_t ip_id, checksum;
    uint8_t place; /* of its capture, from 1; 0: not known */
    bool is_piece; /* the first piece of a fragmented datagram: the rest of it is not here */
};
_Static_assert(sizeof(struct ledger_segment) == 72, "segments are many");

/* What is no TCP segment, and what else was met of one that was not common. */
struct ledger_other {
    struct event_packet packet; /* with header.protocol UDP or ICMP's: read, and nothing for ledger_feed; else undefined */
    struct segment_beside beside;
};

/* Decodes a frame (as segment_decode does, and with the same results, but faster for the commonest) into *ret_segment; its place is
 * 0. SEGMENT_OTHER also for what is sound and not TCP. `t_ns` is copied. Where the result is not SEGMENT_OK, or the segment
 * `is_piece`, *ret_other is filled. */
enum segment_result ledger_decode(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire, int64_t t_ns,
                                  struct ledger_segment *ret_segment, struct ledger_other *ret_other);

enum ledger_side { LEDGER_CLIENT, LEDGER_SERVER, LEDGER_SIDES };

enum ledger_outcome { LEDGER_OPEN, LEDGER_CLOSED, LEDGER_RESET, LEDGER_REFUSED, LEDGER_HALF_OPEN, LEDGER_OUTCOMES };

/* Why a row was given: the capture said so, or the ledger gave up waiting. */
enum ledger_ending {
    LEDGER_ENDED,     /* closed, and no straggler came for a while; or its addresses were used again */
    LEDGER_IDLE,      /* nothing came for so long that it was given up */
    LEDGER_CROWDED,   /* more were open than may be: it was the next to be given up */
    LEDGER_UNFINISHED /* the capture ended first */
};

/* tcp.completeness: which of these were seen (Wireshark's bits). */
enum {
    LEDGER_SEEN_SYN = 1,
    LEDGER_SEEN_SYN_ACK = 2,
    LEDGER_SEEN_ACK = 4,
    LEDGER_SEEN_DATA = 8,
    LEDGER_SEEN_FIN = 16,
    LEDGER_SEEN_RST = 32
};

struct ledger_end {
    struct address address;
    enum tcp_state state; /* its last */
    bool has_isn;
    uint32_t isn;
    uint32_t segments;
    uint64_t bytes;           /* payload by sequence numbers: nothing twice, and what was missed is counted in */
    uint64_t ip_bytes;        /* IP packets, whole; valid with ip_bytes_known */
    bool ip_bytes_known;      /* of every segment */
    uint32_t retransmissions; /* segments with numbers that it had sent before (enum conn_class: again, partly again) */
    uint32_t out_of_order;    /* captured behind what comes after them */
    uint32_t keep_alives, window_probes;
    uint32_t zero_windows;     /* segments that offer a window of 0 */
    uint32_t ignored_resets;   /* that it sent and that ended nothing */
    uint32_t strays;           /* of another connection between the same addresses */
    uint32_t sights_elsewhere; /* of the next those that came through a router between two places */
    uint32_t sights;           /* packets that were captured more than once, the first time left out: counted nowhere else */
    uint64_t missed_bytes;     /* acknowledged by the peer, never seen in the capture */
};

enum { LEDGER_HISTORY_BYTES = 24 };

/* ICMP errors about a connection: how many, and what the last one said. */
struct ledger_icmp {
    uint32_t count;
    struct segment_icmp last;
};

/* A finished connection. The client is who sent the SYN, or got the SYN-ACK; without these, who has the higher port. */
struct ledger_row {
    uint32_t number; /* from 1, in order of first segments: Wireshark's tcp.stream plus 1 */
    struct ledger_end end[LEDGER_SIDES];
    int64_t start_ns, end_ns; /* first and last segment */
    int64_t trailing_ns;      /* of that, what came after both ends had closed (Zeek's duration leaves it out) */
    int64_t handshake_ns;     /* last SYN sent → the ACK of its SYN-ACK, both seen here: the round trip; -1 not seen */
    int opened_by;            /* enum ledger_side; -1 not seen */
    int closed_first_by;      /* sent the first FIN or RST; -1 nobody */
    enum ledger_outcome outcome;
    enum ledger_ending ending;
    uint8_t completeness;               /* LEDGER_SEEN_* */
    uint8_t tunnel;                     /* enum event_tunnel_kind of its first segment */
    bool roles_guessed;                 /* by port: no SYN was seen */
    const char *conn_state;             /* as Zeek's conn.log defines it: "SF" …; static storage */
    char history[LEDGER_HISTORY_BYTES]; /* as Zeek's; of more letters than fit, the first */
    bool history_cut;                   /* there were more */
    struct ledger_icmp icmp;            /* the last error about it */
};

/* What the whole table says. */
struct ledger_totals {
    uint64_t segments, bytes, connections;
    uint64_t by_outcome[LEDGER_OUTCOMES];
    uint64_t retransmissions, out_of_order, zero_windows, keep_alives, missed_bytes;
    uint64_t sights;            /* packets captured more than once, the first time left out */
    uint64_t sights_elsewhere;  /* of them those that another place, behind a router, shows */
    uint64_t late;              /* segments of connections whose rows had been given (tells_soon): in no row */
    uint64_t idle, crowded;     /* rows given for these reasons */
    uint64_t open, open_most;   /* records in use now, and the most there ever were */
    uint64_t memory_bytes;      /* that the ledger holds for records and its index now */
    int64_t first_ns, last_ns;  /* of all segments: the earliest, the latest; valid with `segments` */
    int64_t handshake_least_ns; /* of complete handshakes; -1 none */
    int64_t handshake_sum_ns;
    uint64_t handshakes;
};

/* Takes a finished row (borrowed, valid during the call). 0, or -errno to stop. */
typedef int ledger_listener(void *data, const struct ledger_row *row);

struct ledger_options {
    size_t open_max;    /* records at most; 0: 4 million (about a gigabyte) */
    uint64_t hash_seed; /* 0: at random, so that nobody can choose collisions; else fixed, for tests */
    bool careful;       /* no short cuts for common segments: the same rows, slower; for tests */
    bool tells_soon;    /* a closed connection's row is given after some seconds, for who watches; what comes later is in no row */
};

enum { LEDGER_SIGHT = 1 << 30 };

/* `options` may be NULL. NULL when out of memory. */
struct ledger *ledger_new(const struct ledger_options *options, ledger_listener *listener, void *data);
void ledger_free(struct ledger *ledger);
/* Takes segments in the order of the capture. Many at once are much faster than one: memory is fetched ahead. `ret_numbers` (may be
 * NULL) gets each one's connection, with LEDGER_SIGHT where it is a packet that was taken already. 0, -ENOMEM, or what the listener
 * returned. */
int ledger_feed(struct ledger *ledger, const struct ledger_segment *segments, size_t count, uint32_t *ret_numbers);
/* An ICMP error that quotes a TCP segment: it is noted in the row of that segment's connection, the one that these addresses have
 * now. Returns that connection's number; 0: none has them. */
uint32_t ledger_icmp(struct ledger *ledger, const struct event_packet *error);
/* One more of them. */
void ledger_icmp_note(struct ledger_icmp *to, const struct event_packet *error);
/* Gives all rows that are left, in order of their numbers. 0, -ENOMEM or the listener's. */
int ledger_finish(struct ledger *ledger);
const struct ledger_totals *ledger_totals(struct ledger *ledger);

/* "open" "closed" …. Static storage. */
const char *ledger_outcome_name(enum ledger_outcome outcome);

#endif
