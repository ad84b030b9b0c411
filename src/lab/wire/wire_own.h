/* Internal to src/lab/wire: the process that is the wire, as its files share it. */
#ifndef TCPWHY_LAB_WIRE_WIRE_OWN_H
#define TCPWHY_LAB_WIRE_WIRE_OWN_H

#include "base/buf.h"
#include "lab/wire/ip_frame.h"
#include "lab/wire/wire_process.h"
#include "lab/wire/wire_queue.h"
#include "tcp/segment.h"

enum {
    FRAME_BYTES_MAX = 65535 + 64,
    DRAIN_MAX = 4096,             /* frames in one go, so that a flood can't keep commands waiting */
    KEPT_BYTES_MAX = 64 << 20,    /* on the way, held or waiting */
    REPORTS_BYTES_MAX = 16 << 20, /* not yet fetched */
    LANES = 2
};

/* One direction. */
struct lane {
    enum wire_from from;
    int in_fd, out_fd;
    int64_t delay_ns, last_due_ns;
    bool cut;
    struct wire_queue flying;  /* sorted by due_ns */
    struct wire_queue waiting; /* to be put behind the next one */
};

struct state {
    struct lane lane[LANES];
    struct wire_rules rules;
    struct router router;
    struct wire_track track;
    struct wire_queue held;
    size_t kept_bytes;
    struct buf reports;
    int command_fd, report_fd, timer_fd;
};

void wire_report(struct state *state, const struct wire_frame *frame, enum wire_fate fate);
/* Whole records only: the reader never meets a half one. */
void wire_flush_reports(struct state *state);
void wire_discard(struct state *state, struct wire_frame *frame);
/* Onto the other side, through the router if there is one. False: the wire could not carry it. */
bool wire_put(struct state *state, const struct wire_frame *frame);
/* Alternating, so that what one side says is carried before its answer to what the other said later. False: there may be more. */
bool wire_drain(struct state *state);
void wire_land(struct state *state);
/* False: the parent has closed its end. */
bool wire_take_command(struct state *state);

#endif
