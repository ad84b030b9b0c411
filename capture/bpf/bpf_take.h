/* What becomes of the kernel side's records, one after the other: events in the log, and what they say of who is followed and
 * where. Internal to the BPF recorder. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_TAKE_H
#define TCPWHY_CAPTURE_BPF_BPF_TAKE_H

#include "base/table.h"
#include "capture/bpf/bpf_convert.h"
#include "capture/bpf/bpf_networks.h"
#include "capture/followed.h"

enum { BPF_TAKE_MOST = 1 << 16 }; /* records a drain, so that a busy kernel can't keep it for ever */

struct bpf_take {
    struct bpf_convert convert;
    struct followed followed;
    struct table *living; /* pids of all that are followed and not seen to end */
    struct bpf_networks networks;
    uint64_t events, malformed;
    bool host_wide;
    bool (*entered)(void *data, pid_t tid, uint64_t netns); /* calls_options'; NULL: nobody asks */
    void *entered_data;
    uint32_t entered_last; /* what it was told last */
    /* Of the drain that is under way. */
    struct event_log *log;
    int drained, failure;
};

/* As libbpf's ring_buffer_sample_fn has it; `data` is a struct bpf_take. 0; -EAGAIN: that is enough for a drain; -ENOMEM, kept as
 * `failure`. */
int bpf_take_record(void *data, void *record, size_t bytes);

/* Something that was missed, with the words for it. */
struct bpf_lost {
    const char *before, *what; /* two halves */
    uint64_t count;
    bool is_always_said; /* even where it is 0 */
};
/* Appends EVENT_LOST for those of which there was any. 0 or -ENOMEM. */
int bpf_lost_append(struct event_log *log, uint64_t received, const struct bpf_lost *lost, size_t count);

/* CLOCK_REALTIME minus CLOCK_MONOTONIC, in which the kernel side stamps: a reading of one between two of the other bounds it from
 * both sides. */
struct bpf_clock {
    int64_t least_ns, most_ns; /* of the closest look */
    unsigned looks;
};
/* A look: CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_MONOTONIC again. */
void bpf_clock_look(struct bpf_clock *clock, int64_t before_ns, int64_t real_ns, int64_t after_ns);
/* The offset now, if it was `offset_ns` before (0: not known): inside the bounds it stays, so that noise never reorders events. */
int64_t bpf_clock_offset(const struct bpf_clock *clock, int64_t offset_ns);

#endif
