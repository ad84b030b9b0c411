/* The timers of mini sockets, whose ends the kernel reports nowhere else: request sockets (SYN_RCVD) and timewait sockets.
 *
 * Every timer of the machine passes here: all others end after two comparisons. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_TIMER_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_TIMER_BPF_H

#include "bpf_evidence.bpf.h"
#include "bpf_identity.bpf.h"

enum { TIMER_RUN_MOST_NS = 500000000 };

/* The mini socket that a timer lies in, as a kernel address. `timer`: enum record_timer_kind. */
static __always_inline __u64 timer_socket(__u64 address, __u32 timer)
{
    return timer == RECORD_TIMER_REQUEST ? address - bpf_core_field_offset(struct request_sock, rsk_timer)
                                         : address - bpf_core_field_offset(struct inet_timewait_sock, tw_timer);
}

/* RECORD_TIMER_NONE: of no mini socket. */
static __always_inline __u32 timer_kind(__u64 function)
{
    if (function == timer_handlers.timewait) return RECORD_TIMER_TIMEWAIT;
    return function == timer_handlers.request ? RECORD_TIMER_REQUEST : RECORD_TIMER_NONE;
}

/* What a timewait socket stands for is not its own state. */
static __always_inline void timer_socket_fill(struct record_socket *out, __u64 address, __u32 timer)
{
    socket_fill(out, address, socket_id(address, SOCKET_KNOWN));
    if (timer == RECORD_TIMER_TIMEWAIT) out->state = BPF_CORE_READ((const struct inet_timewait_sock *)address, tw_substate);
}

static __always_inline void timer_fill(struct record_timer *record, __u64 address, __u32 timer)
{
    head_fill(&record->head, RECORD_TIMER);
    timer_socket_fill(&record->socket, address, timer);
    record->netns = record->socket.netns;
    record->timer = timer;
}

static __always_inline struct timer_run *timer_run_this(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&timer_runs, &zero);
}

/* A request's timer is set again from within its function (reqsk_timer_handler), so the request lives on. Before
 * timer_expire_entry, because programs are attached in this order: a run that is watched is watched to its end. */
SEC("tp_btf/timer_start")
int BPF_PROG(timer_start, struct timer_list *timer)
{
    struct timer_run *run;

    if (is_skipped(PROGRAM_TIMER_START)) return 0;
    if ((__u64)timer->function != timer_handlers.request) return 0;
    run = timer_run_this();
    if (run) run->timer = 0;
    return 0;
}

/* The timer's function is about to be called: the socket is still there. The chain says nothing of that function: none is taken.
 * A timewait socket's ends it. A request's sends the SYN-ACK again, or lets the request go: that is known when it is over. */
SEC("tp_btf/timer_expire_entry")
int BPF_PROG(timer_expire_entry, struct timer_list *timer)
{
    __u32 kind = timer_kind((__u64)timer->function);
    struct record_timer *record;
    struct timer_run *run;

    if (is_skipped(PROGRAM_TIMER_ENTRY)) return 0;
    if (kind == RECORD_TIMER_NONE) return 0;

    __u64 address = timer_socket(argument(ctx, 0), kind);

    if (!socket_wanted(address)) return 0;
    if (kind == RECORD_TIMER_REQUEST) {
        const struct sock_common *listener =
            (const struct sock_common *)BPF_CORE_READ((const struct sock_common *)address, skc_listener);

        run = timer_run_this();
        /* Without its listener a request goes, too, or moves to another: that is no giving up. */
        if (!run || BPF_CORE_READ(listener, skc_state) != STATE_LISTEN) return 0;
        timer_fill(&run->record, address, RECORD_TIMER_REQUEST);
        run->timer = argument(ctx, 0);
        return 0;
    }
    record = RING_RESERVE(struct record_timer, sizeof(struct record_timer));
    if (!record) return ring_full();
    timer_fill(record, address, RECORD_TIMER_TIMEWAIT);
    RING_SUBMIT(record);
    return 0;
}

/* The function is over, and did not set the timer again: the request is gone, or its memory another's: then, where that one's timer
 * is set, nothing is told. */
SEC("tp_btf/timer_expire_exit")
int BPF_PROG(timer_expire_exit)
{
    struct timer_run *run = timer_run_this();
    struct record_timer *record;

    if (is_skipped(PROGRAM_TIMER_EXIT)) return 0;
    if (!run || !run->timer || run->timer != argument(ctx, 0)) return 0;
    run->timer = 0;
    /* An earlier run, of this memory's last owner, was not seen to end: a request waits a second at least. */
    if (bpf_ktime_get_ns() - run->record.head.t_ns > TIMER_RUN_MOST_NS) return 0;
    /* Pending again, though nobody was seen to set it. */
    if (BPF_CORE_READ((const struct timer_list *)argument(ctx, 0), entry.pprev)) return 0;
    record = RING_RESERVE(struct record_timer, sizeof(struct record_timer));
    if (!record) return ring_full();
    *record = run->record;
    RING_SUBMIT(record);
    return 0;
}

/* A timer that was pending is taken away: its socket ends, or it is set anew, or it expires. Of interest while a RST is being
 * received: whether that ended the socket tells the chain (tcp_check_req, tcp_timewait_state_process). */
SEC("tp_btf/timer_cancel")
int BPF_PROG(timer_cancel, struct timer_list *timer)
{
    __u32 kind = timer_kind((__u64)timer->function);

    if (is_skipped(PROGRAM_TIMER_CANCEL)) return 0;
    if (kind == RECORD_TIMER_NONE) return 0;

    struct cpu_state *cpu = cpu_this();
    __u64 address = timer_socket(argument(ctx, 0), kind);

    if (!cpu || !cpu_is_receiving(cpu) || !(cpu->received.flags & FLAG_RST) || !socket_wanted(address)) return 0;

    struct chain_ref chain = chain_of(ctx, TAKER_CANCEL, kind);
    struct record_cancel *record = RESERVE(record_cancel);

    if (!record) return ring_full();
    head_fill(&record->head, RECORD_CANCEL);
    timer_socket_fill(&record->socket, address, kind);
    record->netns = record->socket.netns;
    record->timer = kind;
    context_fill(&record->context, &chain);
    RING_SUBMIT(record);
    return 0;
}

#endif
