/* The same segment in two captures: which packet of the one is which packet of the other, and what became of those that are in one
 * alone.
 *
 * A router changes the hop limit, checksums and everything below IP; a network card that cuts large packets, or joins small ones,
 * changes what a segment is. So segments are known by what TCP says: numbers, flags, length, window and timestamps, and by IPv4's
 * identification where the way keeps it. What is there once in each capture tells the two clocks; with these, equals that were sent
 * again are told apart by time, and large packets by what they hold. Only TCP is compared.
 *
 * Pure: plain values in and out. Memory is a constant for each packet. */
#ifndef TCPWHY_CLOCKS_MATCH_H
#define TCPWHY_CLOCKS_MATCH_H

#include "clocks/clocks.h"
#include "event/event.h"

enum { MATCH_A, MATCH_B, MATCH_CAPTURES };
enum { MATCH_NONE = UINT32_MAX };

/* A TCP segment of one of the captures. */
struct match_packet {
    int64_t t_ns; /* as captured; match_run makes it what clocks_time says */
    struct event_packet_header header;
    uint32_t ts_value, ts_echo;
    bool has_ts;
    uint8_t hops;       /* IPv4's TTL, IPv6's hop limit; 0 not known */
    uint16_t ip_id;     /* IPv4's identification; 0: none, or not known */
    uint32_t interface; /* where within its capture it was seen: the same packet on another one is no second packet */
    uint64_t number;    /* in its capture; goes up */
    /* What match_run finds. */
    uint32_t flow;   /* of its pair of addresses */
    bool from_low;   /* sent by the lower of the flow's two addresses */
    uint32_t twin;   /* index in the other capture; MATCH_NONE */
    bool doubled;    /* the capture shows it a second time (on another interface): it is not told of */
    bool is_piece;   /* its bytes are those of other packets of the other capture: it is told of with them */
    uint32_t covers; /* how many packets of the other capture hold bytes of it: match.cover from first_cover on */
    uint32_t first_cover;
    bool sender_side;  /* seen at the capture that is nearer to its sender */
    uint8_t fate;      /* enum event_fate, where it has no twin, is no piece and has no covers */
    bool early;        /* FATE_LOST: the other capture's first packet came later, so it may not have been running yet */
    int64_t common_ns; /* when, by a's clock */
};

/* All that the matching knows of a pair of addresses with ports. */
struct match_flow {
    struct address low, high; /* in memcmp order */
    uint32_t pairs[2];        /* segments found in both captures: [0] sent by the high address, [1] by the low one */
    bool low_near_a;          /* capture a is nearer to the low address */
    bool guessed;             /* … which nothing said */
    uint32_t packets[MATCH_CAPTURES];
    bool watched; /* no segment of it is in the other capture, where others from the same host to the same port are */
};

/* Bytes of a packet that came in another one than they were sent in. */
struct match_cover {
    struct match_packet *sent, *came;
    uint32_t from, to; /* of sent's payload */
};

struct match {
    /* In: both captures, in their own order. Borrowed, and written to. */
    struct match_packet *packet[MATCH_CAPTURES];
    size_t count[MATCH_CAPTURES];
    int64_t first_ns[MATCH_CAPTURES], last_ns[MATCH_CAPTURES]; /* of all packets, whatever they are */
    /* Out. */
    struct match_flow *flow; /* flow_count of them; owned */
    size_t flow_count;
    struct match_cover *cover; /* by sent, then by from; owned */
    size_t cover_count;
    struct clocks clocks;
    bool ids_kept;                  /* IPv4's identification is the same at both places */
    bool guessed;                   /* which capture is nearer to whom was guessed for all flows */
    int64_t usual_ns[2];            /* the usual (median) delay of matched segments: [0] b to a, [1] a to b; -1 none */
    size_t clamped[MATCH_CAPTURES]; /* segments whose time clocks_time changed */
    bool short_of[MATCH_CAPTURES];  /* this capture lacks segments that its own ends have acknowledged: it dropped packets */
};

/* 0; -ENODATA: no segment is in both; -ERANGE: the times contradict each other in too many places; -ENOMEM. `slack_ns`: see
 * clocks_estimate. In any case match_free releases what it made. */
int match_run(struct match *match, int64_t slack_ns);
void match_free(struct match *match);

/* Reads what segment_decode has no place for from a frame: IPv4's identification, the hop limit. */
void match_read_ip(struct match_packet *packet, const uint8_t *bytes, size_t length);

/* Connections whose addresses or ports somebody on the way has rewritten (NAT, a load balancer that keeps TCP's numbers). */
struct match_translation {
    size_t connections;                                      /* how many */
    struct address src[MATCH_CAPTURES], dst[MATCH_CAPTURES]; /* of one of them: its client and server, as each capture has it */
};

/* Before match_run: gives b's packets the addresses that a has for them. Such a connection is known by its SYN: sequence number and
 * timestamp are those of a SYN of a between other addresses. 0 or -ENOMEM. */
int match_translate(struct match *match, struct match_translation *ret_translation);

#endif
