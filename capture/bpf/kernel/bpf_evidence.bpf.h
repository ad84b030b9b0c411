/* What every piece of evidence carries: who runs, what is being received, the kernel's call chain. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_EVIDENCE_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_EVIDENCE_BPF_H

#include "bpf_maps.bpf.h"

/* Who takes chains: one window each, because none interrupts itself. */
enum chain_taker {
    TAKER_QUEUE,
    TAKER_STATE,
    TAKER_RESET,
    TAKER_RESET_RECEIVED,
    TAKER_RESEND,
    TAKER_RESEND_SYNACK,
    TAKER_WAKE,
    TAKER_CANCEL,
    TAKER_DROP,
    TAKERS
};
enum { WINDOW_WORDS = 512 /* a power of two above RECORD_WORDS_MAX */, PIECE_WORDS = 8, SAMPLE_EVERY = 256 };

/* The stack as it is now. */
struct chain_window {
    __u64 turns; /* whoever interrupts, and writes here, counts */
    __u64 at;    /* where it begins: with the tracepoint's arguments */
    __u64 bytes; /* how much of it has been read */
    __u64 words[WINDOW_WORDS];
};
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, TAKERS);
    __type(key, __u32);
    __type(value, struct chain_window);
} windows SEC(".maps");

struct record_known known_chains[RECORD_KNOWN_MAX] SEC(".data.known") = {{0}};

struct chain_ref {
    __u64 sample;
    __u32 known;
};

/* A word of the stack that begins at `start`: straight from there, or from what was read of it into the window. */
static __always_inline __u64 stack_word(const struct chain_window *window, __u64 start, __u32 at)
{
#ifdef TCPWHY_CAST
    return word_at(start + at * 8);
#else
    return window->words[at];
#endif
}

/* Whether the chain that is known at this place is the one in the stack from `start` on: 1 it is, 0 not, -1 none is known there. */
__noinline int known_fits(__u32 place, __u64 signature, struct chain_window *window, __u64 start)
{
    const struct record_known *known = &known_chains[place & (RECORD_KNOWN_MAX - 1)];
    __u64 differs = 0, check = 0;
    __u32 count = known->count, bytes = known->bytes;

    if (!window || !known->signature) return -1;
    if (known->signature != signature || bytes > RECORD_WORDS_MAX * 8) return 0;
#ifndef TCPWHY_CAST
    if (window->bytes < bytes) {
        if (bpf_probe_read_kernel(window->words, bytes, (void *)start)) return 0;
        window->bytes = bytes;
    }
#endif
    for (__u32 i = 0; i < RECORD_KNOWN_WORDS; i++) {
        if (i >= count) break;
        differs |= stack_word(window, start, known->at[i] & (WINDOW_WORDS - 1)) ^ known->word[i];
        check ^= known->word[i];
    }
    return count && !differs && check == known->check;
}

/* The place + 1 of the known chain that leads here; 0: it is none of them. */
__noinline __u32 known_find(struct chain_window *window, __u64 start, __u64 signature)
{
    __u32 place = record_known_place(signature);
    __u64 turn;

    if (!window) return 0;
    turn = ++window->turns;
    window->bytes = 0;
    for (__u32 i = 0; i < RECORD_KNOWN_TRIES; i++) {
        int fits = known_fits(place + i, signature, window, start);

        if (fits < 0) return 0;
        if (fits) return window->turns == turn ? ((place + i) & (RECORD_KNOWN_MAX - 1)) + 1 : 0;
    }
    return 0;
}

/* In pieces, because the stack may end before, and behind it lies nothing. */
__noinline int words_read(struct record_chain *chain, __u64 at)
{
    if (!chain) return 0;
    chain->word_count = 0;
    for (__u32 i = 0; i < RECORD_WORDS_MAX; i += PIECE_WORDS) {
        if (bpf_probe_read_kernel(chain->words + i, PIECE_WORDS * 8, (void *)(at + i * 8))) break;
        chain->word_count = i + PIECE_WORDS;
    }
    return 0;
}

/* The chain, unwound, in a record of its own. Not inside another record's making: it has to come first. */
static __always_inline __u64 chain_sample(void *ctx, __u64 at, __u64 signature, __u32 known)
{
    struct record_chain *chain = RING_RESERVE(struct record_chain, sizeof(struct record_chain));
    __u64 sample;

    if (!chain) return ring_full();
    head_fill(&chain->head, RECORD_CHAIN);
    sample = chain->head.t_ns << 8 | (bpf_get_smp_processor_id() & 0xff);
    chain->sample = sample;
    chain->signature = signature;
    chain->known = known;
    chain->pad = 0;
    words_read(chain, at);
    chain->stack_bytes = (__s32)bpf_get_stack(ctx, chain->stack, sizeof(chain->stack), 0);
    if (chain->stack_bytes < 0) {
        count(COUNT_STACK_FAILED);
        sample = 0;
    }
    RING_SUBMIT(chain);
    return sample;
}

/* The chain that leads here. `what` tells apart what has different chains as a rule: it only says where to look, the stack decides.
 */
static __always_inline struct chain_ref chain_of(void *ctx, __u32 taker, __u32 what)
{
    struct chain_window *window = bpf_map_lookup_elem(&windows, &taker);
    struct chain_ref chain = {.known = 0};
    struct cpu_state *cpu = cpu_this();
    __u64 signature, at;
    __u32 found;

    if (config.no_stacks || !window || !cpu) return chain;
    signature = 1ULL << 63 | (__u64)taker << 56 | (__u64)(cpu->softirq & 1) << 49 | (__u64)what << 16;
    if (cpu_is_receiving(cpu)) signature |= 1ULL << 48 | cpu->received.flags;
    /* Through memory, so that it is a plain number, which functions of their own take. */
    *(volatile __u64 *)&window->at = (__u64)ctx;
    at = *(volatile __u64 *)&window->at;
    found = known_find(window, at, signature);
    if (found && ++cpu->known % SAMPLE_EVERY)
        chain.known = found;
    else
        chain.sample = chain_sample(ctx, at, signature, found);
    return chain;
}

static __always_inline void context_fill(struct record_context *context, const struct chain_ref *chain)
{
    struct cpu_state *cpu = cpu_this();

    context->softirq = cpu ? cpu->softirq : 0;
    context->receiving = (__u8)cpu_is_receiving(cpu);
    context->known = (__u16)chain->known;
    context->sample = chain->sample;
    context->other_call = 0;
    __builtin_memset(context->pad, 0, sizeof(context->pad));
    if (cpu && context->receiving)
        context->received = cpu->received;
    else
        __builtin_memset(&context->received, 0, sizeof(context->received));
}

#define RESERVE(type) RING_RESERVE(struct type, sizeof(struct type))

/* An argument as a plain number, which functions of their own take. Some kernels also declare arguments never NULL that are, and
 * would drop the test. */
static __always_inline __u64 argument(void *ctx, __u32 number)
{
    return word_at((__u64)((__u64 *)ctx + number));
}

#endif
