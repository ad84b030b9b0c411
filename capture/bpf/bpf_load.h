/* The BPF recorder's kernel side in the kernel: loading, attaching, its maps and counters.
 *
 * Owns the object and the links; both end with the process that holds them. Loading makes libbpf silent for the whole process: what
 * it has to say comes back in the sentence of the error. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_LOAD_H
#define TCPWHY_CAPTURE_BPF_BPF_LOAD_H

#include "capture/bpf/bpf_convert.h"
#include "capture/bpf/bpf_record.h"
#include "capture/calls.h"

enum { BPF_PROGRAMS_MAX = 32 };

struct bpf_object;
struct bpf_link;

/* Zero it to begin. */
struct bpf_load {
    struct bpf_object *object;
    struct bpf_link *links[BPF_PROGRAMS_MAX];
    const char *absent[BPF_PROGRAMS_MAX]; /* tracepoints and functions that this kernel lacks, or that can't be read; names owned by
                                             `object`, or static */
    const char *unnamed[3];               /* what this kernel does not have: enums of reasons, and PREEMPT_RT its context; static */
    struct record_counts *counts;         /* the kernel side's, mapped */
    struct record_known *known;           /* the same: RECORD_KNOWN_MAX of them, to be written */
    uint32_t entries_most;                /* of the maps that push out; 0: as they are */
    size_t link_count, absent_count, unnamed_count;
};

/* Loads with the filter set, and writes the kernel's names of reset and drop reasons into `names`. Nothing is recorded yet. 0 or
 * -errno; bpf_load_close is due in both cases. */
int bpf_load_open(struct bpf_load *load, const struct calls_options *options, struct bpf_convert *names, struct err *err);
/* Begins recording, of all but timers. 0 or -errno. */
int bpf_load_attach(struct bpf_load *load, struct err *err);
/* Begins recording the timers of timewait and request sockets. `symbols` (NULL: the kernel hides them) tell which timers those are;
 * a function that they don't tell is counted as absent. 0 or -errno. */
int bpf_load_attach_timers(struct bpf_load *load, const struct kernel_symbols *symbols, struct err *err);
/* Ends recording and unloads. */
void bpf_load_close(struct bpf_load *load);

/* A map's descriptor, by its name in bpf_maps.bpf.h; stays the load's. */
int bpf_load_map(const struct bpf_load *load, const char *name);
/* How many entries it has room for; of the ring, bytes. */
uint32_t bpf_load_entries(const struct bpf_load *load, const char *name);
/* A counter. As the two below, it needs no right. */
uint64_t bpf_load_count(const struct bpf_load *load, enum record_count what);
/* At least how many entries a map pushed out because it was full; `put_in`: how many the user side put in. */
uint64_t bpf_load_pushed_out(const struct bpf_load *load, enum record_map map, uint64_t put_in);
/* How often a program did not run because it was running on that CPU already. */
uint64_t bpf_load_missed(const struct bpf_load *load);

#endif
