/* The kernel's call chains: named, and learned by heart.
 *
 * Unwinding a chain costs the traced program some 5 µs. Most chains are one of a few dozen that come again and again; so a chain
 * that was unwound once is known again by the stack itself: all its return addresses stand where they stood (struct record_known in
 * bpf_record.h). That is no guess from what happened: the first return address lies where the tracepoint's own frame ends, and each
 * one says whose frame lies above it and how long that is, so equal addresses at equal places are the same chain. What lies behind
 * the place where a system call or a softirq begins is not compared, and not told. Of every few hundred such chains one is unwound
 * all the same; one that turns out otherwise is counted, and what it was taken for is forgotten. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_CHAINS_H
#define TCPWHY_CAPTURE_BPF_BPF_CHAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "capture/bpf/bpf_record.h"
#include "capture/bpf/kernel_symbols.h"
#include "event/log.h"

/* What a chain says beside its names. */
struct bpf_chain {
    const struct event_chain *chain; /* of the log; NULL: none was taken, or it has no names */
    bool receives;                   /* the kernel was at work on the packet that was received last */
    bool is_stacked_device;          /* a device that hands a packet to the device below it */
};

struct bpf_chains;

/* `known`: the kernel side's RECORD_KNOWN_MAX places, to be written; NULL: nothing is learned. Borrowed, as the symbols are later.
 * NULL: out of memory. */
struct bpf_chains *bpf_chains_new(struct record_known *known);
void bpf_chains_free(struct bpf_chains *chains);

/* Takes what the kernel side unwound; `chain` is whole. `symbols` NULL: it stays without names, and is counted. */
void bpf_chains_take(struct bpf_chains *chains, const struct kernel_symbols *symbols, const struct record_chain *chain,
                     struct event_log *log);
/* The chain that a record refers to. */
struct bpf_chain bpf_chains_find(struct bpf_chains *chains, const struct record_context *context, struct event_log *log);

/* What was counted: stacks that stayed without names, addresses that no symbol covers, chains that were known by heart and were
 * others. */
struct bpf_chains_counts {
    uint64_t unnamed, unknown_frames, mistaken;
};
struct bpf_chains_counts bpf_chains_counts(const struct bpf_chains *chains);

#endif
