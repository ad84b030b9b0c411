/* Packets that the kernel throws away, with its own reason, and the queues of listening sockets, which have none (before 6.14). */
#ifndef TCPWHY_CAPTURE_BPF_BPF_DROP_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_DROP_BPF_H

#include "bpf_evidence.bpf.h"
#include "bpf_listener.bpf.h"
#include "bpf_sender.bpf.h"

/* As sk_acceptq_is_full(). */
static __always_inline int accept_queue_is_full(__u64 listener)
{
    const struct sock *sk = (const struct sock *)listener;

    return READ(sk, sk_ack_backlog) > READ(sk, sk_max_ack_backlog);
}

/* As inet_csk_reqsk_queue_is_full(). */
static __always_inline int request_queue_is_full(__u64 listener)
{
    return (__u32)READ((const struct inet_connection_sock *)listener, icsk_accept_queue.qlen.counter) >=
           READ((const struct sock *)listener, sk_max_ack_backlog);
}

static __always_inline int queue_emit(const struct record_packet *packet, __u64 listener, __u32 netns, __u32 dropped)
{
    struct record_queue *queue = RING_RESERVE(struct record_queue, sizeof(struct record_queue));
    const struct sock *sk = (const struct sock *)listener;

    if (!queue) return ring_full();
    __builtin_memset(queue, 0, sizeof(*queue));
    head_fill(&queue->head, RECORD_QUEUE);
    queue->packet = *packet;
    socket_describe(&queue->socket, listener, SOCKET_KNOWN);
    queue->netns = netns;
    queue->accept_length = READ(sk, sk_ack_backlog);
    queue->accept_most = READ(sk, sk_max_ack_backlog);
    queue->request_length = (__u32)READ((const struct inet_connection_sock *)listener, icsk_accept_queue.qlen.counter);
    queue->dropped = (__u8)dropped;
    RING_SUBMIT(queue);
    return 0;
}

/* A SYN comes: what its listener's queues hold decides what becomes of it. */
static __always_inline void queue_on_syn(const struct record_packet *packet, __u32 netns)
{
    __u64 listener;

    if (packet->protocol != PROTOCOL_TCP || (packet->flags & (FLAG_SYN | FLAG_ACK)) != FLAG_SYN) return;
    listener = listener_find(&packet->dst, netns);
    /* On a whole host only where it decides: most queues are nearly empty. */
    if (listener && config.host_wide && !accept_queue_is_full(listener) && !request_queue_is_full(listener)) return;
    if (listener) queue_emit(packet, listener, netns, 0);
}

/* Where it was thrown away. TCP takes the device off a packet before a socket works on it, and uses its place for other things: so
 * the receiving socket is asked first, then what this CPU receives, the packet last. The packet's own socket is its sender's, all
 * the way to the receiver on the same machine. 0: not known. */
static __always_inline __u32 drop_netns(void *ctx, const struct sk_buff *skb, const struct record_packet *packet)
{
    const struct sock *sk = config.drop_has_socket ? (const struct sock *)((__u64 *)ctx)[3] : 0;
    const struct cpu_state *cpu = cpu_this();
    __u32 netns;

    if (sk && family_is_inet(BPF_CORE_READ(sk, __sk_common.skc_family))) return socket_netns(sk);
    if (cpu && cpu_is_receiving(cpu) && cpu->received.src.port == packet->src.port && cpu->received.dst.port == packet->dst.port &&
        cpu->received.seq == packet->seq && cpu->received.protocol == packet->protocol)
        return cpu->netns;
    netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
    if (netns || BPF_CORE_READ(skb, skb_iif)) return netns;
    sk = BPF_CORE_READ(skb, sk);
    return sk && family_is_inet(BPF_CORE_READ(sk, __sk_common.skc_family)) ? socket_netns(sk) : 0;
}

/* Without a reason nothing is known (kernels free so what they have used), but of the ACK that a full accept queue turned away. */
static __always_inline __u64 drop_overflown(const struct record_packet *packet, __u32 netns)
{
    __u64 listener;

    if (packet->protocol != PROTOCOL_TCP || (packet->flags & (FLAG_SYN | FLAG_RST | FLAG_ACK)) != FLAG_ACK) return 0;
    listener = listener_find(&packet->dst, netns);
    return listener && accept_queue_is_full(listener) ? listener : 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(kfree_skb, struct sk_buff *skb)
{
    __u32 zero = SCRATCH_DROP, reason = config.drop_has_reason ? (__u32)ctx[2] : 0, netns;
    int named = config.drop_has_reason && reason != config.drop_unspecified && reason != 0;
    struct record_packet *packet;
    __u64 listener, sender;

    if (is_skipped(PROGRAM_DROP)) return 0;
    /* Packets without a reason are many, and most of them are not dropped at all. */
    if (!named && config.drop_overflow) return 0;
    /* Each FIN, when its receiver's socket goes; what a bridge, or who listens to everything, sees of others. */
    if (config.host_wide && named && (reason == config.drop_purge || reason == config.drop_other)) return 0;
    packet = bpf_map_lookup_elem(&scratches, &zero);
    if (!packet) return 0;
    __builtin_memset(packet, 0, sizeof(*packet));
    if (!packet_read(argument(ctx, 0), packet)) return 0;
    if (packet->protocol != PROTOCOL_TCP && packet->protocol != PROTOCOL_UDP) return 0;
    netns = drop_netns(ctx, skb, packet);
    sender = BPF_CORE_READ(skb, skb_iif) ? 0 : READ_POINTER(skb, sk);
    if (!netns || !netns_wanted(netns) || !(packet_wanted(packet, netns) || (sender && socket_wanted(sender)))) return 0;
    listener = named && !config.drop_overflow ? 0 : drop_overflown(packet, netns);
    if (!named && !listener) return 0;

    struct chain_ref chain = chain_of(ctx, TAKER_DROP, reason);
    struct record_drop *drop = RESERVE(record_drop);

    if (!drop) return ring_full();
    head_fill(&drop->head, RECORD_DROP);
    drop->packet = *packet;
    drop->location = argument(ctx, 1);
    drop->netns = netns;
    drop->reason = reason;
    drop->has_reason = (__u8)named;
    drop->outgoing = !BPF_CORE_READ(skb, skb_iif);
    if (sender)
        sender_describe(&drop->socket, sender, packet);
    else
        __builtin_memset(&drop->socket, 0, sizeof(drop->socket));
    drop->pad0 = 0;
    __builtin_memset(drop->pad1, 0, sizeof(drop->pad1));
    context_fill(&drop->context, &chain);
    RING_SUBMIT(drop);
    if (listener) queue_emit(packet, listener, netns, 1);
    return 0;
}

#endif
