/* What every piece of evidence carries: who runs, what is being received, the kernel's call chain. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_EVIDENCE_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_EVIDENCE_BPF_H

#include "bpf_maps.bpf.h"

/* Evidence records end in the stack; without stacks they end before it. `config` is constant, so the verifier sees one size. */
#define RESERVE_EVIDENCE(type)                                                                                                     \
    (config.no_stacks ? RING_RESERVE(struct type, __builtin_offsetof(struct type, stack))                                          \
                      : RING_RESERVE(struct type, sizeof(struct type)))

/* Of a whole host's records those that are many go without: a chain costs more than the rest of the record. */
#define RESERVE_FREQUENT(type)                                                                                                     \
    (config.no_stacks || config.host_wide ? RING_RESERVE(struct type, __builtin_offsetof(struct type, stack))                      \
                                          : RING_RESERVE(struct type, sizeof(struct type)))
#define CONTEXT_FREQUENT(ctx, record)                                                                                              \
    do {                                                                                                                           \
        if (config.host_wide)                                                                                                      \
            context_fill(&(record)->context);                                                                                      \
        else                                                                                                                       \
            CONTEXT_FILL(ctx, record);                                                                                             \
    } while (0)

/* A macro, because the verifier wants to see where `stack` lies in the record. */
#define CONTEXT_FILL(ctx, record)                                                                                                  \
    do {                                                                                                                           \
        context_fill(&(record)->context);                                                                                          \
        if (!config.no_stacks) {                                                                                                   \
            (record)->context.stack_bytes = (__s32)bpf_get_stack(ctx, (record)->stack, sizeof((record)->stack), 0);                \
            if ((record)->context.stack_bytes < 0) count(COUNT_STACK_FAILED);                                                      \
        }                                                                                                                          \
    } while (0)

static __always_inline void context_fill(struct record_context *context)
{
    struct cpu_state *cpu = cpu_this();

    context->softirq = cpu ? cpu->softirq : 0;
    context->receiving = (__u8)cpu_is_receiving(cpu);
    context->pad = 0;
    context->stack_bytes = 0;
    if (cpu && context->receiving)
        context->received = cpu->received;
    else
        __builtin_memset(&context->received, 0, sizeof(context->received));
}

/* An argument as a plain number, which functions of their own take. Some kernels also declare arguments never NULL that are, and
 * would drop the test. */
static __always_inline __u64 argument(void *ctx, __u32 number)
{
    __u64 value = 0;

    bpf_probe_read_kernel(&value, sizeof(value), (__u64 *)ctx + number);
    return value;
}

#endif
