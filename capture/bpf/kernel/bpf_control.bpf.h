/* A whole host is watched: of all its TCP segments those that tell of a connection's course, and no other.
 *
 * SYN, FIN and RST; what acknowledges a SYN or a FIN for the first time; the first data of each end, and
 * after its peer's FIN the first that crosses it and the first that knows of it; a window that closes, and that opens again. All
 * else is left out here, where it costs least. What a host passes on for others is none of its own: a segment that arrives counts
 * once this host has sent something of the same connection, or answers it. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_CONTROL_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_CONTROL_BPF_H

#include "bpf_drop.bpf.h"

#define COOKIE_AGE_NS 120000000000ULL
enum {
    FLAG_FIN = 0x01,
    DEVICE_LOOPBACK = 8 /* IFF_LOOPBACK */,
    SAME_BUFFER_NS = 1000000,
    OF_ARRIVAL = 1,
    CROSSED = 1,
    WENT_ON = 2,
    WANTED = 1,
    TRANSLATED = 2
};

/* A connection, whichever end sends: the "low" end has the smaller port, or else address. */
struct control_key {
    __u32 low_ip[4], high_ip[4];
    __u32 netns;
    __u16 low_port, high_port;
};
/* What is known of what one end has sent. */
struct control_end {
    __u32 expects;     /* with `armed`: its first acknowledgement of so much is of interest */
    __u32 sent;        /* with `has_begun`: up to here */
    __u8 armed;        /* its peer has sent a SYN or FIN */
    __u8 has_begun;    /* what it sent last was seen */
    __u8 has_sent;     /* data */
    __u8 peer_is_done; /* its peer has sent a FIN */
    __u8 went_on;      /* with new data after that: CROSSED, as long as none knew of it, or WENT_ON */
    __u8 is_shut;      /* its window */
    __u8 translated;   /* what its host's own ends send each other is on the wire between another pair than their sockets' */
    __u8 flags;        /* of its last segment of interest, with the next four: between stacked devices the same buffer, with the */
    __u32 seq;         /* same segment, is queued again, for another device; for the same one it is another segment, whose buffer */
    __u32 interface;   /* lies where that one's lay */
    __u64 buffer, t_ns;
};
struct control {
    struct control_end low, high;
};
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct control_key);
    __type(value, struct control);
} controls SEC(".maps");

/* Whether the first one is the low end. */
static __always_inline int control_key_fill(struct control_key *key, const struct record_address *from,
                                            const struct record_address *to, __u32 netns)
{
    __u32 src[4], dst[4];
    int low = from->port < to->port;

    __builtin_memcpy(src, from->ip, sizeof(src));
    __builtin_memcpy(dst, to->ip, sizeof(dst));
    if (from->port == to->port) {
        __u64 a = (__u64)src[0] << 32 | src[3], b = (__u64)dst[0] << 32 | dst[3];
        __u64 c = (__u64)src[1] << 32 | src[2], d = (__u64)dst[1] << 32 | dst[2];

        low = a < b || (a == b && c < d);
    }
    __builtin_memcpy(low ? key->low_ip : key->high_ip, src, sizeof(src));
    __builtin_memcpy(low ? key->high_ip : key->low_ip, dst, sizeof(dst));
    key->low_port = low ? from->port : to->port;
    key->high_port = low ? to->port : from->port;
    key->netns = netns;
    return low;
}

static __always_inline int same_ip(const struct record_address *a, const struct record_address *b)
{
    __u8 differs = 0;

    for (int i = 0; i < (int)sizeof(a->ip); i++) differs |= a->ip[i] ^ b->ip[i];
    return !differs;
}

/* A socket that is connected to itself: what it sends, it receives. */
static __always_inline int is_to_itself(const struct record_packet *packet)
{
    return packet->src.port == packet->dst.port && same_ip(&packet->src, &packet->dst);
}

/* What the segment changes, and whether it is of interest. */
static __always_inline int control_judge(struct control_end *from, struct control_end *to, const struct record_packet *packet)
{
    __u8 begins_or_ends = packet->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST);
    int wanted = begins_or_ends != 0;

    __u32 end = packet->seq + packet->length_bytes;
    int is_new = from->has_begun && (__s32)(end - from->sent) > 0;

    if ((packet->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN) { /* the addresses again */
        from->has_sent = to->has_sent = from->went_on = to->went_on = 0;
        from->peer_is_done = to->peer_is_done = from->has_begun = to->has_begun = is_new = 0;
    }
    if (packet->length_bytes && is_new && from->peer_is_done && from->went_on != WENT_ON) {
        __u8 goes = (__s32)(packet->ack - from->expects) >= 0 ? WENT_ON : CROSSED;

        wanted |= goes != from->went_on;
        from->went_on = goes;
    }
    if (!(packet->flags & FLAG_RST) && (is_new || !from->has_begun)) {
        from->sent = end;
        from->has_begun = 1;
    }
    if (packet->flags & (FLAG_SYN | FLAG_FIN)) {
        to->expects = end + 1;
        to->armed = 1;
        to->peer_is_done = packet->flags & FLAG_FIN;
    }
    if (from->armed && (packet->flags & FLAG_ACK) && (__s32)(packet->ack - from->expects) >= 0) {
        from->armed = 0;
        wanted = 1;
    }
    if (packet->length_bytes && !from->has_sent) {
        from->has_sent = 1;
        wanted = 1;
    }
    if (!(packet->flags & FLAG_RST) && from->is_shut != !packet->window) {
        from->is_shut = !packet->window;
        wanted = 1;
    }
    return wanted;
}

/* An ICMP error that arrives, about a connection of this host. */
static __always_inline int control_quotes(const struct record_packet *packet, __u32 netns, __u64 buffer)
{
    struct control_key key = {.netns = 0};

    if (buffer) return 0;
    control_key_fill(&key, &packet->quoted_src, &packet->quoted_dst, netns);
    return bpf_map_lookup_elem(&controls, &key) != 0;
}

/* Of a segment that leaves (`buffer`: its sk_buff; OF_ARRIVAL: it arrived, and was answered) or, with 0, arrives: WANTED, and
 * TRANSLATED. -1: it left in this very network, and arrives in it, as over a pair of devices that both are here. */
__noinline int control_wanted(const struct record_packet *packet, __u32 netns, __u64 buffer, __u32 interface)
{
    struct control_key key = {.netns = 0};
    struct control *control;
    int low, wanted;

    if (packet && packet->quoted_protocol == PROTOCOL_TCP) return control_quotes(packet, netns, buffer);
    if (!packet || packet->protocol != PROTOCOL_TCP) return 0;
    low = control_key_fill(&key, &packet->src, &packet->dst, netns);
    control = bpf_map_lookup_elem(&controls, &key);
    if (!control) {
        struct control none = {.low = {.expects = 0}};

        if (!(packet->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST)) || !buffer) return 0;
        bpf_map_update_elem(&controls, &key, &none, BPF_ANY);
        control = bpf_map_lookup_elem(&controls, &key);
        if (!control) return 1;
    }

    struct control_end *from = low ? &control->low : &control->high, *to = low ? &control->high : &control->low;

    if (is_to_itself(packet)) from = to;

    if (!buffer && from->buffer > OF_ARRIVAL) return -1;
    wanted = control_judge(from, to, packet);
    if (wanted && buffer) {
        __u64 now = bpf_ktime_get_ns();

        if (from->buffer == buffer && from->seq == packet->seq && from->flags == packet->flags && from->interface != interface &&
            now - from->t_ns < SAME_BUFFER_NS)
            return 0; /* its socket's pair was asked for then */
        from->interface = interface;
        from->buffer = buffer;
        from->seq = packet->seq;
        from->flags = packet->flags;
        from->t_ns = now;
    }
    return (wanted ? WANTED : 0) | (from->translated ? TRANSLATED : 0);
}

__noinline int control_note_translated(const struct record_packet *packet, __u32 netns)
{
    struct control_key key = {.netns = 0};
    struct control *control;

    if (!packet) return 0;
    control_key_fill(&key, &packet->src, &packet->dst, netns);
    control = bpf_map_lookup_elem(&controls, &key);
    if (control) control->low.translated = control->high.translated = 1;
    return 0;
}

/* A segment that is on the wire between another pair than its socket's, as one of that. 0: it is not. */
__noinline int control_there(struct record_packet *there, const struct record_packet *packet, __u64 sk)
{
    struct record_socket socket = {0};

    if (!there || !packet || packet->protocol != PROTOCOL_TCP || !socket_fill(&socket, sk, 0)) return 0;
    if (socket.protocol != PROTOCOL_TCP || !socket.local.port || !socket.remote.port) return 0; /* a control socket of the kernel */
    if (socket.local.port == packet->src.port && socket.remote.port == packet->dst.port && same_ip(&socket.local, &packet->src) &&
        same_ip(&socket.remote, &packet->dst))
        return 0;
    *there = *packet;
    there->src = socket.local;
    there->dst = socket.remote;
    return 1;
}

/* Where this host redirects what it says to itself, each end's segments are on the wire between the pair of the other end's socket:
 * only in both is all of a connection seen. So such a segment counts as one of its own socket's pair, too. */
static __always_inline int control_wanted_there(const struct record_packet *packet, __u32 netns, __u64 sk, __u64 buffer,
                                                __u32 interface)
{
    __u32 which = SCRATCH_THERE;
    struct record_packet *there = bpf_map_lookup_elem(&scratches, &which);
    int wanted;

    if (!there || !control_there(there, packet, sk)) return 0;
    control_note_translated(packet, netns);
    wanted = control_wanted(there, netns, buffer, interface);
    control_note_translated(there, netns);
    return wanted;
}

static __always_inline int arrival_emit(const struct record_packet *packet, __u32 netns)
{
    struct record_arrival *arrival = RING_RESERVE(struct record_arrival, sizeof(struct record_arrival));

    if (!arrival) return ring_full();
    head_fill(&arrival->head, RECORD_ARRIVAL);
    arrival->packet = *packet;
    arrival->netns = netns;
    arrival->pad = 0;
    RING_SUBMIT(arrival);
    return 0;
}

/* A segment arrived from another host, or another network of this one. */
static __always_inline void control_on_arrival(struct cpu_state *cpu, __u32 netns, const struct sk_buff *skb)
{
    const struct record_packet *packet = &cpu->received;

    cpu->outside = !(BPF_CORE_READ(skb, dev, flags) & DEVICE_LOOPBACK);
    if (!cpu->outside) {
        /* An ICMP error that this host sends itself, as a rule on what goes out does: what it is about may never have left. */
        if (packet->quoted_protocol == PROTOCOL_TCP) arrival_emit(packet, netns);
        return;
    }

    int wanted = control_wanted(packet, netns, 0, 0);

    if (wanted) cpu->outside = 0; /* it is told now, or was as it left */
    if (wanted > 0) arrival_emit(packet, netns);
}

/* This host reacts to what it is receiving: so that was for it. */
static __always_inline void control_on_answer(void)
{
    struct cpu_state *cpu = cpu_this();

    if (!cpu || !cpu->receiving || !cpu->outside || !cpu_is_receiving(cpu)) return;
    cpu->outside = 0;
    if (cpu->received.protocol != PROTOCOL_TCP || !(cpu->received.flags & (FLAG_SYN | FLAG_FIN | FLAG_RST))) return;
    control_wanted(&cpu->received, cpu->netns, OF_ARRIVAL, 0);
    arrival_emit(&cpu->received, cpu->netns);
}

/* A SYN-ACK without a socket: the listener kept nothing of the SYN (tcp_make_synack(), Linux 4.4 and later), so a SYN cookie is in
 * it.
 */
__u64 cookie_ns SEC(".data.cookie") = 0;

/* As long as a cookie holds after the last was sent (MAX_SYNCOOKIE_AGE), a connection may come out of one. */
static __always_inline int cookies_are_out(void)
{
    __u64 last_ns = *(volatile __u64 *)&cookie_ns;

    return last_ns && bpf_ktime_get_ns() - last_ns < COOKIE_AGE_NS;
}

/* Whether the change is one that the segments of a connection's course show anyhow: of ten that a connection makes none else. */
static __always_inline int control_on_state(int from, int to)
{
    control_on_answer();
    switch (to) {
    case STATE_SYN_RECV:
        return from != STATE_LISTEN || !cookies_are_out();
    case STATE_SYN_SENT:
    case STATE_FIN_WAIT1:
    case STATE_FIN_WAIT2:
    case STATE_CLOSE_WAIT:
    case STATE_LAST_ACK:
    case STATE_CLOSING:
        return 1;
    case STATE_ESTABLISHED:
        return 1;
    case STATE_CLOSE:
        return from == STATE_LAST_ACK || from == STATE_FIN_WAIT2 || from == STATE_CLOSING;
    default:
        return 0;
    }
}

/* Of a whole host's segments, those that begin or end a connection while no recorded call runs: of a FIN or a SYN of a process that
 * ends, of a kernel thread, of a call that is not recorded, or of a softirq that lets it go, only the chain says why. What a call
 * sends, and what answers a segment, is known by the context. Not so of a RST: a firewall's rule makes one in the other end's name,
 * in whatever call or softirq sends what it refuses. */
static __always_inline struct chain_ref chain_of_segment(void *ctx, const struct record_packet *packet)
{
    struct chain_ref none = {.known = 0};
    struct cpu_state *cpu = cpu_this();

    if (config.host_wide) {
        int opens = (packet->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN;

        if (!(packet->flags & (FLAG_FIN | FLAG_RST)) && !opens) return none;
        if (!cpu) return none;
        if (!(packet->flags & FLAG_RST)) {
            if (!cpu->softirq && thread_in_call((__u32)bpf_get_current_pid_tgid())) return none;
            if (cpu->softirq && opens) return none;
        }
    }
    return chain_of(ctx, TAKER_QUEUE, packet->flags | (packet->length_bytes != 0) << 8);
}

#endif
