/* Merging two captures: what its steps share. Loading, then laying out by a's clock, then telling. */
#ifndef TCPWHY_READ_MERGE_H
#define TCPWHY_READ_MERGE_H

#include "clocks/match.h"
#include "event/event.h"
#include "ledger/ledger.h"
#include "read/read_capture.h"
#include "viz/lists/rows.h"

/* Packets of both captures together: each takes some 600 bytes until the stories are told. */
enum { MERGE_PACKETS_MAX = 500000 };

/* A TCP segment as it was captured. */
struct merge_packet {
    struct event_packet packet; /* without its bytes */
    struct ledger_segment segment;
};

/* An ICMP error: too few to be compared; the stories join them by their looks. */
struct merge_icmp {
    int64_t t_ns;
    struct event_packet packet;
};

struct merge_capture {
    const char *path;
    char name[EVENT_NAME_BYTES]; /* short, and other than the other one's */
    struct merge_packet *packet; /* in step with `match` */
    struct match_packet *match;
    size_t count, room;
    struct merge_icmp *icmp;
    size_t icmp_count, icmp_room;
    int64_t first_ns, last_ns; /* of all its packets */
    bool any;
    bool micros; /* all times are whole microseconds */
    struct rows_source seen;
    struct err damage; /* the first */
};

/* A segment of the merged whole, as its sender sent it. */
struct merge_item {
    int64_t sent_ns;      /* by a's clock. Alone at its receiver's: its arrival */
    int64_t received_ns;  /* by a's clock, never before sent_ns; 0 where it was not seen to arrive */
    uint32_t index, came; /* in the capture where it was seen first; in the other one, MATCH_NONE: not seen to arrive */
    uint8_t capture;      /* that one: MATCH_A, MATCH_B */
    uint8_t fate;
    bool early;        /* as match_packet.early */
    uint32_t from, to; /* of its payload: a large packet of which not all came is told in parts */
    uint32_t conn;     /* the ledger's number */
};

struct merge {
    const struct read_options *options;
    struct merge_capture capture[MATCH_CAPTURES];
    struct match match;
    struct merge_item *item; /* in order of sending */
    size_t item_count, item_room;
    struct rows_path *path; /* by connection */
    uint32_t conn_count;
    struct story_clock clock[CLOCKS_PIECES_MAX];
    size_t left_out[MATCH_CAPTURES]; /* connections (4-tuples) that are in this one alone, and not told of */
};

/* merge_load.c: reads both files. Codes as read_capture. */
int merge_load(struct merge *merge, const struct read_source *source, struct err *err);
/* merge_lay.c: the items, from what match_run found. 0 or -ENOMEM. */
int merge_lay(struct merge *merge);
/* An item's packet and segment, with the part of it that the item is. */
struct event_packet merge_item_packet(const struct merge *merge, const struct merge_item *item);
struct ledger_segment merge_item_segment(const struct merge *merge, const struct merge_item *item);
/* merge_tell.c: to all places. Codes as read_capture. */
int merge_tell(struct merge *merge, bool tables, struct err *err);

#endif
