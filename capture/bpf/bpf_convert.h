/* Records of the BPF recorder's kernel side → events: one clock, named call chains, addresses folded, calls described.
 *
 * Knows nothing of loading or rings. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_CONVERT_H
#define TCPWHY_CAPTURE_BPF_BPF_CONVERT_H

#include "capture/bpf/bpf_answer.h"
#include "capture/bpf/bpf_chains.h"
#include "capture/bpf/bpf_record.h"
#include "capture/bpf/kernel_symbols.h"
#include "event/log.h"

enum { BPF_REASONS_MAX = 64, BPF_DROPS_MAX = 256 };

/* The functions of the timers of timewait sockets (net/ipv4/inet_timewait_sock.c) and of request sockets
 * (net/ipv4/inet_connection_sock.c). */
#define TW_TIMER_HANDLER "tw_timer_handler"
#define REQSK_TIMER_HANDLER "reqsk_timer_handler"

struct bpf_convert {
    const struct kernel_symbols *symbols;            /* NULL: chains stay NULL. Borrowed. */
    struct bpf_chains *chains;                       /* borrowed */
    int64_t realtime_offset_ns;                      /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
    char reasons[BPF_REASONS_MAX][EVENT_NAME_BYTES]; /* enum sk_rst_reason of the running kernel, by value; "" unknown */
    char drops[BPF_DROPS_MAX][EVENT_NAME_BYTES];     /* the same of enum skb_drop_reason */
    int64_t tick_ns;                                 /* of the kernel's clock of timers (a jiffy); 0: not known */
    /* PREEMPT_RT: softirqs run in threads and can be preempted. What a CPU was receiving is no evidence there; without a chain
     * nothing is known of the context. */
    bool preempted;
    struct bpf_answer answer;
};

/* Writes the event of one record of `bytes` bytes; its chain belongs to `log`. 1; 0: the record says nothing by itself (a chain,
 * which others refer to; a packet that a device hands to the device below it: it has had its mark; a capture's copy that is thrown
 * away); -EINVAL: not a record. */
int bpf_convert_record(struct bpf_convert *convert, const void *record, size_t bytes, struct event_log *log,
                       struct event *ret_event);

#endif
