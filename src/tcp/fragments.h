/* Puts IP datagrams together that came in pieces (RFC 791 section 3.2, RFC 8200 section 4.5), as far as decoding their headers
 * asks.
 *
 * Memory is bounded whatever comes: FRAGMENTS_WAITING datagrams are waited for at a time, and of each its first FRAGMENTS_HEAD
 * bytes are kept, beside a note of which parts have come. A datagram is given up when pieces overlap with other bytes or contradict
 * each other (RFC 5722), when it is not complete within 30 seconds of the capture's own time (Linux's ipfrag_time), or when newer
 * ones need its place. Of what is given up, the first piece is handed out as it was: alone, it may still hold a whole transport
 * header. Pure: no I/O, no clock, no allocation. */
#ifndef TCPWHY_TCP_FRAGMENTS_H
#define TCPWHY_TCP_FRAGMENTS_H

#include "tcp/segment.h"

enum { FRAGMENTS_WAITING = 64, FRAGMENTS_HEAD = 2048, FRAGMENTS_OUT = 2 * FRAGMENTS_WAITING };
/* Offsets count in units of 8 bytes. */
enum { FRAGMENTS_UNIT = 8, FRAGMENTS_DATAGRAM_MAX = 65535 - 20, FRAGMENTS_UNITS = FRAGMENTS_DATAGRAM_MAX / FRAGMENTS_UNIT + 1 };
enum { FRAGMENTS_HEAD_UNITS = FRAGMENTS_HEAD / FRAGMENTS_UNIT, FRAGMENTS_HEADER_MAX = 48 };

/* A datagram, as a packet of link type RAW (101): an IP header of its own, then the datagram's first bytes. */
struct fragments_datagram {
    int64_t t_ns;    /* of the piece that completed it; of what was given up, of its first piece */
    uint64_t number; /* as handed in with that piece */
    bool whole;      /* else the first piece of one that was given up */
    const uint8_t *bytes;
    uint32_t captured, wire;
};

struct fragments_counts {
    uint64_t pieces, again;   /* that came; of them, exactly what had come before */
    uint64_t whole, given_up; /* datagrams */
};

/* One that is waited for. */
struct fragments_waiting {
    bool used;
    bool has_header; /* the first piece holds a whole transport header: `header` */
    uint8_t version, protocol, hops;
    uint8_t src[16], dst[16];
    uint32_t id;
    int64_t begun_ns, first_ns; /* its earliest piece here, and the one that begins it */
    uint64_t first_number;
    uint32_t total;       /* 0: its last piece has not come */
    uint32_t reach;       /* one past the last byte that came */
    uint32_t units;       /* how many came */
    uint32_t first_bytes; /* of the piece that begins it, as on the wire; 0: it has not come */
    uint32_t first_captured;
    struct event_packet_header header;
    uint8_t come[FRAGMENTS_UNITS / 8 + 1];   /* a bit a unit */
    uint8_t known[FRAGMENTS_HEAD_UNITS / 8]; /* of the head: whose bytes were captured */
    uint8_t head[FRAGMENTS_HEAD];
};

struct fragments_ready {
    struct fragments_datagram datagram;
    uint8_t bytes[FRAGMENTS_HEADER_MAX + FRAGMENTS_HEAD];
};

/* Half a megabyte, all zeroes to begin with: to be allocated so that what is not needed is not touched. */
struct fragments {
    struct fragments_waiting waiting[FRAGMENTS_WAITING];
    struct fragments_ready outs[FRAGMENTS_OUT];
    size_t waiting_count, out_count;
    struct fragments_counts counts;
};

/* Takes a piece. `first`: what segment_decode said of a first piece that held a whole transport header; else NULL.
 * What is ready then is in fragments_out. */
void fragments_take(struct fragments *fragments, const struct segment_fragment *piece, const struct event_packet_header *first,
                    int64_t t_ns, uint64_t number);
/* A TCP segment came whole. Of the same sender's first pieces with the same ends, and of those that it acknowledges, the rest is
 * not expected before it any more: they are given up, so that each connection is told in its order. Cheap where none waits. */
void fragments_due(struct fragments *fragments, const struct event_packet_header *header);
bool fragments_any(const struct fragments *fragments);
/* Gives up whatever waits. */
void fragments_finish(struct fragments *fragments);

/* What is ready, in order, from `at` on; NULL: no more. Valid until fragments_clear. There is room for FRAGMENTS_OUT: call
 * fragments_clear at least every FRAGMENTS_WAITING pieces and segments. */
const struct fragments_datagram *fragments_out(const struct fragments *fragments, size_t at);
void fragments_clear(struct fragments *fragments);

const struct fragments_counts *fragments_counts(const struct fragments *fragments);

#endif
