/* Internal to src/read: one pass over a capture, as its files share it. */
#ifndef TCPWHY_READ_READ_PASS_H
#define TCPWHY_READ_READ_PASS_H

#include "capture/filter.h"
#include "capture/stored/savefile.h"
#include "ledger/datagrams.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/progress.h"
#include "out/status.h"
#include "out/tables.h"
#include "read/places.h"
#include "read/read_beside.h"
#include "read/read_capture.h"
#include "read/read_stories.h"
#include "read/read_unread.h"
#include "read/repeats.h"
#include "read/segment_queue.h"
#include "tcp/fragments.h"

enum { BATCH = 64, TELL_EVERY = 256, DAMAGES_SHOWN = 10, UDP_ROWS = 256 };
/* A packet becomes a segment at most, and at any moment what waits for its other pieces may be given up. */
enum { UNITS = BATCH + FRAGMENTS_OUT };
_Static_assert((int)UNITS <= (int)SEGMENT_QUEUE_ROOM, "what a batch of packets makes fits the queue's room");

/* A packet that stories ask for: as it was captured, or put together. */
struct unit {
    struct savefile_packet packet;
    uint32_t conn; /* 0: not known yet, or none */
    bool is_segment, udp;
};

/* One pass. Packets are read and decoded by the first thread; where two processors may be used, `ledger` and `tables` are a second
 * one's while `queue` is not finished. */
struct pass {
    const struct read_options *options;
    struct savefile *file;
    struct filter *filter;
    struct ledger *ledger;
    struct datagrams *datagrams;
    struct fragments fragments;
    struct repeats repeats;
    struct segment_queue *queue; /* with tables */
    struct tables *tables;       /* or */
    struct stories *stories;     /* one of them; both where a list says what was found */
    bool stories_full;           /* there were more packets than these hold */
    struct rows_source seen;
    struct progress progress;
    struct err damage;   /* the first */
    const char *trouble; /* what to say of a link type that nobody decodes */
    uint64_t batches;
    struct places places;
    bool any; /* `base_ns` is known: the time of the first packet that was read */
    int64_t base_ns;
    struct ledger_segment *room; /* of this batch: segments decoded, and not fed yet */
    size_t room_count;
    struct ledger_segment own_room[UNITS]; /* the stories' */
    struct unit units[UNITS];              /* the stories' */
    size_t unit_count;
    struct ledger_other other;
    struct datagrams_row udp_rows[UDP_ROWS]; /* that wait until the tables may be used */
    size_t udp_row_count;
};

int read_pass_told(int code, struct err *err);
int read_pass_give_udp_rows(struct pass *pass);
int read_pass_take_udp_row(void *data, const struct datagrams_row *row);
int read_pass_take_batch(struct pass *pass, struct savefile_packet *packets, size_t count, struct err *err);
/* What still waits for its other pieces at the end. */
int read_pass_take_last(struct pass *pass, struct err *err);

#endif
