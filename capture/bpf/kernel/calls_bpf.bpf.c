/* The kernel side of the BPF recorder: BTF-typed tracepoints only, the kernel's most stable interface.
 *
 * Evidence (marks, state changes, resets, retransmissions, wakes): who runs, what is being received, the kernel's call chain.
 * The system calls themselves are in bpf_calls.bpf.h, the timers in bpf_timer.bpf.h, what is thrown away in bpf_drop.bpf.h. */
#include "bpf_calls.bpf.h"
#include "bpf_control.bpf.h"
#include "bpf_drop.bpf.h"
#include "bpf_evidence.bpf.h"
#include "bpf_sender.bpf.h"
#include "bpf_timer.bpf.h"

char tcpwhy_license[] SEC("license") = "Dual BSD/GPL";

/* Of data alone: what else leaves is not held back. */
static __always_inline void congestion_fill(struct record_congestion *congestion, const struct record_packet *packet,
                                            const struct record_socket *socket, __u64 sk)
{
    const struct tcp_sock *tp = (const struct tcp_sock *)sk;

    __builtin_memset(congestion, 0, sizeof(*congestion));
    if (config.host_wide || !packet->length_bytes || packet->protocol != PROTOCOL_TCP || !socket->id) return;
    if (state_is_mini(socket->state)) return;
    congestion->window = READ(tp, snd_cwnd);
    congestion->threshold = READ(tp, snd_ssthresh);
    congestion->srtt = READ(tp, srtt_us);
    congestion->mss = READ(tp, mss_cache);
    if (bpf_core_field_exists(((struct inet_connection_sock *)0)->icsk_rto))
        congestion->rto = READ((const struct inet_connection_sock *)sk, icsk_rto);
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(net_dev_queue, struct sk_buff *skb)
{
    __u32 zero = SCRATCH_QUEUE;
    struct record_packet *packet = bpf_map_lookup_elem(&scratches, &zero);
    struct sock *owner = skb->sk;
    __u64 sk = READ_POINTER(skb, sk);
    __u32 netns = READ_GIVEN(skb, dev, nd_net.net, ns.inum);

    if (is_skipped(PROGRAM_QUEUE)) return 0;
    /* A packet that came in is passed on, and a packet socket puts frames of others on the wire: neither is a cause. */
    if (!packet || !netns_wanted(netns) || skb->skb_iif) return 0;
    if (owner && owner->__sk_common.skc_family == FAMILY_PACKET) return 0;
    __builtin_memset(packet, 0, sizeof(*packet));
    if (!packet_read(argument(ctx, 0), packet)) return 0;
    if (config.only_ports && !packet_wanted(packet, netns) && !(sk && has_chosen_port(sk))) return 0; /* translated? */
    if (config.host_wide) {
        if (config.only_ports && (packet->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN) late_on_syn(sk);
        __u32 interface = (__u32)READ_GIVEN(skb, dev, ifindex);
        int wanted = control_wanted(packet, netns, argument(ctx, 0), interface);

        if (sk && (packet->flags & (FLAG_SYN | FLAG_FIN) || wanted & TRANSLATED))
            wanted |= control_wanted_there(packet, netns, sk, argument(ctx, 0), interface);
        if (!(wanted & WANTED)) return 0;
        control_on_answer();
        if ((packet->flags & (FLAG_SYN | FLAG_ACK)) == (FLAG_SYN | FLAG_ACK) && !sk)
            *(volatile __u64 *)&cookie_ns = bpf_ktime_get_ns();
    } else if (!packet_wanted(packet, netns) &&
               !(sk && packet->protocol != PROTOCOL_ICMP && packet->protocol != PROTOCOL_ICMPV6 && socket_wanted(sk)) &&
               !refuses_connecting(packet, netns))
        return 0;

    struct chain_ref chain = chain_of_segment(ctx, packet);
    struct record_mark *mark = RESERVE(record_mark);

    if (!mark) return ring_full();
    head_fill(&mark->head, RECORD_MARK);
    mark->packet = *packet;
    mark->netns = netns;
    mark->interface = (__u32)READ_GIVEN(skb, dev, ifindex);
    sender_describe(&mark->socket, sk, packet);
    congestion_fill(&mark->congestion, packet, &mark->socket, sk);
    context_fill(&mark->context, &chain);
    if ((packet->flags & (FLAG_FIN | FLAG_RST)) && (chain.known || chain.sample)) mark->context.other_call = call_is_another();
    RING_SUBMIT(mark);
    return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(netif_receive_skb, struct sk_buff *skb)
{
    struct cpu_state *cpu = cpu_this();
    __u32 netns = READ_GIVEN(skb, dev, nd_net.net, ns.inum);

    if (is_skipped(PROGRAM_RECEIVE)) return 0;
    if (!cpu) return 0;
    cpu->receiving = 0;
    if (!netns_wanted(netns)) return 0;
    cpu->processed = packets_processed(cpu);
    cpu->tagged = skb->vlan_proto != 0;
    __builtin_memset(&cpu->received, 0, sizeof(cpu->received));
    if (packet_read(argument(ctx, 0), &cpu->received) && packet_wanted(&cpu->received, netns)) {
        cpu->receiving = 1;
        cpu->netns = netns;
        if (config.host_wide) control_on_arrival(cpu, netns, skb);
        queue_on_syn(&cpu->received, netns);
    }
    return 0;
}

SEC("tp_btf/napi_poll")
int BPF_PROG(napi_poll, struct napi_struct *napi)
{
    struct cpu_state *cpu = cpu_this();

    if (is_skipped(PROGRAM_POLL) || !cpu) return 0;
    cpu->receiving = 0;
    /* The backlog's own names the CPU's counters (where a symbol would need CONFIG_KALLSYMS_ALL). */
    if (!cpu->softnet && napi && !BPF_CORE_READ(napi, dev))
        cpu->softnet = argument(ctx, 0) - bpf_core_field_offset(struct softnet_data, backlog);
    return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry)
{
    struct cpu_state *cpu = cpu_this();

    if (is_skipped(PROGRAM_SOFTIRQ_ENTRY)) return 0;
    if (cpu) {
        cpu->softirq = 1;
        cpu->receiving = 0;
    }
    return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_exit)
{
    struct cpu_state *cpu = cpu_this();

    if (is_skipped(PROGRAM_SOFTIRQ_EXIT)) return 0;
    if (cpu) cpu->softirq = cpu->receiving = 0;
    return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state, struct sock *sk, int from, int to)
{
    __u64 address = argument(ctx, 0);

    if (is_skipped(PROGRAM_STATE)) return 0;
    if (config.only_ports && !port_is_chosen(sk->__sk_common.skc_num) && !port_is_chosen(bpf_ntohs(sk->__sk_common.skc_dport)) &&
        !bpf_map_lookup_elem(&sockets, &address))
        return 0;
    if (config.host_wide && control_on_state(from, to)) {
        /* Where the kernel gives a socket its cookie, it is known at a glance from then on. */
        if (to == STATE_SYN_SENT || to == STATE_ESTABLISHED) bpf_get_socket_cookie(sk);
        return 0;
    }
    if (sk->sk_protocol != PROTOCOL_TCP || sk->sk_type != TYPE_STREAM) return 0;

    int cloned = from == STATE_LISTEN && to == STATE_SYN_RECV;
    struct record_socket socket = {0}; /* as refuses_connecting()'s */
    __u64 id = cloned ? 0 : socket_glance(&socket, address);

    /* Makes the kernel give the socket its cookie, by which its timewait socket will be known, and it from then on. */
    if (!cloned && !id) {
        bpf_get_socket_cookie(sk);
        if (socket_id(address, SOCKET_KNOWN)) id = socket_glance(&socket, address);
    }
    if (id && !config.port_count ? !netns_wanted(socket.netns) : !socket_wanted(address)) return 0;

    struct chain_ref chain = chain_of(ctx, TAKER_STATE, (__u32)from << 8 | (__u32)to);
    struct record_state *state = RESERVE(record_state);

    if (!state) return ring_full();
    head_fill(&state->head, RECORD_STATE);
    if (id)
        state->socket = socket;
    else
        socket_describe(&state->socket, address, cloned ? SOCKET_CLONED : SOCKET_CREATE);
    state->socket.state = (__u8)to;
    state->netns = state->socket.netns;
    if (to == STATE_SYN_SENT) connecting_begin(address);
    if (to == STATE_LISTEN) listener_learn(address);
    state->from = (__u8)from;
    state->to = (__u8)to;
    state->pad = 0;
    port_use(&state->socket);
    context_fill(&state->context, &chain);
    if (to != STATE_ESTABLISHED && (chain.known || chain.sample)) state->context.other_call = call_is_another();
    RING_SUBMIT(state);
    return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(tcp_destroy_sock)
{
    __u64 address = argument(ctx, 0), owner;
    struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &address), *other;

    if (is_skipped(PROGRAM_DESTROY) || !entry) return 0;
    owner = mptcp_owner(address);
    other = owner ? bpf_map_lookup_elem(&sockets, &owner) : 0;
    if (other && other->id == entry->id) socket_forget(owner);
    socket_forget(address);
    return 0;
}

static __always_inline void reset_emit(void *ctx, __u64 sk, __u64 skb, __u32 sent)
{
    __u32 which = sent ? SCRATCH_RESET : SCRATCH_RESET_RECEIVED;
    struct record_packet *packet = bpf_map_lookup_elem(&scratches, &which);

    if (!packet) return;
    __builtin_memset(packet, 0, sizeof(*packet));
    if (skb) packet_read(skb, packet);

    /* TCP takes the device off a packet before a socket works on it. */
    __u32 netns = sk ? socket_netns((const struct sock *)sk) : BPF_CORE_READ((const struct sk_buff *)skb, dev, nd_net.net, ns.inum);
    int of_packet = packet->protocol == PROTOCOL_TCP && netns_wanted(netns) && packet_wanted(packet, netns);

    if (!of_packet && !socket_wanted(sk)) return;

    struct chain_ref chain = chain_of(ctx, sent ? TAKER_RESET : TAKER_RESET_RECEIVED, 0);
    struct record_reset *reset = RESERVE(record_reset);

    if (!reset) {
        ring_full();
        return;
    }
    head_fill(&reset->head, RECORD_RESET);
    reset->netns = netns;
    socket_describe(&reset->socket, sk, SOCKET_CREATE);
    /* The segment that is answered names both ends even where no socket, or a listening one, was found for it. */
    if (packet->protocol == PROTOCOL_TCP) {
        reset->socket.protocol = PROTOCOL_TCP;
        reset->socket.local = packet->dst;
        reset->socket.remote = packet->src;
    }
    reset->sent = sent;
    reset->reason = 0;
    reset->has_reason = 0;
    if (sent && config.reset_has_reason) {
        reset->reason = (__u32)((__u64 *)ctx)[2];
        reset->has_reason = 1;
    }
    context_fill(&reset->context, &chain);
    RING_SUBMIT(reset);
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(tcp_send_reset)
{
    if (is_skipped(PROGRAM_SEND_RESET)) return 0;
    reset_emit(ctx, argument(ctx, 0), argument(ctx, 1), 1);
    return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_receive_reset)
{
    if (is_skipped(PROGRAM_RECEIVE_RESET)) return 0;
    reset_emit(ctx, argument(ctx, 0), 0, 0);
    return 0;
}

static __always_inline void resend_emit(void *ctx, __u64 sk, __u64 skb, __u32 synack)
{
    if (!socket_wanted(sk)) return;

    struct chain_ref chain = chain_of(ctx, synack ? TAKER_RESEND_SYNACK : TAKER_RESEND, 0);
    struct record_resend *resend = RESERVE(record_resend);

    if (!resend) {
        ring_full();
        return;
    }
    head_fill(&resend->head, RECORD_RESEND);
    socket_describe(&resend->socket, sk, SOCKET_CREATE);
    resend->netns = socket_netns((const struct sock *)sk);
    resend->synack = synack;
    resend->segments = resend->flags = 0;
    if (skb && bpf_core_field_exists(struct tcp_skb_cb, tcp_gso_segs)) {
        const struct tcp_skb_cb *block = (const struct tcp_skb_cb *)&((const struct sk_buff *)skb)->cb;

        resend->segments = BPF_CORE_READ(block, tcp_gso_segs);
        resend->flags = BPF_CORE_READ(block, tcp_flags);
    }
    context_fill(&resend->context, &chain);
    RING_SUBMIT(resend);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(tcp_retransmit_skb)
{
    if (is_skipped(PROGRAM_RETRANSMIT)) return 0;
    resend_emit(ctx, argument(ctx, 0), argument(ctx, 1), 0);
    return 0;
}

/* The request, not the listener, has the two addresses. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(tcp_retransmit_synack)
{
    if (is_skipped(PROGRAM_RETRANSMIT_SYNACK)) return 0;
    resend_emit(ctx, argument(ctx, 1), 0, 1);
    return 0;
}

/* Off the CPU, and not because another thread's turn had come. */
SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
    __u32 tid = (__u32)prev->pid;
    struct thread_state *thread = thread_in_call(tid);

    if (is_skipped(PROGRAM_SWITCH)) return 0;
    if (thread && !preempt) {
        __u32 state = config.switch_has_state ? (__u32)ctx[3] : prev->__state;

        if (state || thread->woken_early) thread->switches++;
        if (state && !thread->woken_early) {
            if (thread->sleeping) thread->unsure = 1; /* the last time it was not seen to come back */
            thread->off_ns = bpf_ktime_get_ns();
            thread->sleeping = 1;
        }
        thread->woken_early = 0;
    }
    tid = (__u32)next->pid;
    thread = thread_in_call(tid);
    /* Runs again though nobody was seen to wake it: the sleep still counts. */
    if (thread && thread->sleeping) {
        thread->slept_ns += bpf_ktime_get_ns() - thread->off_ns;
        thread->sleeping = 0;
    }
    return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *task)
{
    __u32 tid = (__u32)task->pid;
    struct thread_state *thread = thread_in_call(tid);

    if (is_skipped(PROGRAM_WAKING)) return 0;
    if (!thread) return 0;
    if (thread->sleeping) {
        thread->slept_ns += bpf_ktime_get_ns() - thread->off_ns;
        thread->sleeping = 0;
        thread->woke++;
    } else if (!READ(task, on_rq) && READ(task, __state)) {
        /* Another CPU wakes it between leaving the run queue and sched_switch. */
        thread->woken_early = 1;
        thread->woke++;
    } else
        return 0;
    /* execve() waits for the disk: no concern of sockets. */
    if (thread->flags & SYSCALL_PROCESS) return 0;

    struct chain_ref chain = chain_of(ctx, TAKER_WAKE, thread->number);
    struct record_wake *wake = RESERVE(record_wake);

    if (!wake) return ring_full();
    head_fill(&wake->head, RECORD_WAKE);
    wake->tid = tid;
    wake->pid = (__u32)READ(task, tgid);
    BPF_CORE_READ_STR_INTO(&wake->comm, task, comm);
    context_fill(&wake->context, &chain);
    RING_SUBMIT(wake);
    return 0;
}
