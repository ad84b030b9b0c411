/* When a packet was sent that a firewall's rule rejects on its way out: the rule answers it first, and then it is thrown away, all
 * in one go. So that what answers comes behind what it answers, such a packet's time is just before its answer's. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_ANSWER_H
#define TCPWHY_CAPTURE_BPF_BPF_ANSWER_H

#include "capture/bpf/bpf_record.h"

/* The last that was marked: a RST, or an ICMP error about a segment. Zeroed: none yet. */
struct bpf_answer {
    struct record_packet packet;
    __u64 t_ns;
    __u32 tid;
};

/* Takes a mark, in the order of the ring; passes over what answers nothing. */
void bpf_answer_note(struct bpf_answer *answer, const struct record_mark *mark);
/* The time of what was thrown away (CLOCK_MONOTONIC): the record's own, or that before the answer which it got. */
__u64 bpf_answer_time(const struct bpf_answer *answer, const struct record_drop *drop);

#endif
