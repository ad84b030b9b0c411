/* Who sends a packet: the socket behind it; and of an answer that a rule gives to it, the socket that it goes back to. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_SENDER_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_SENDER_BPF_H

#include "bpf_identity.bpf.h"
#include "bpf_listener.bpf.h"

/* Of a TCP socket that has a peer the port may have been translated on the way here; the kernel's control sockets have none. */
static __always_inline int is_sender(const struct record_socket *socket, const struct record_packet *packet)
{
    if (socket->protocol != packet->protocol) return 0;
    return socket->local.port == packet->src.port ||
           (packet->protocol == PROTOCOL_TCP && socket->local.port && socket->remote.port);
}

/* A sender that is not known yet, or that is no full socket. */
__noinline int sender_fill(struct record_socket *socket, __u64 sk, const struct record_packet *packet)
{
    if (!socket || !packet || !socket_fill(socket, sk, 0) || !is_sender(socket, packet)) return 0;
    socket->id = socket_id(sk, SOCKET_CREATE);
    /* A SYN,ACK shows who listened, also where listen() was called before recording. */
    if (socket->state == STATE_NEW_SYN_RECV) listener_learn((__u64)BPF_CORE_READ((const struct sock_common *)sk, skc_listener));
    port_use(socket);
    return 1;
}

/* Replies without a socket of their own leave through a control socket of the kernel, which has another port or none. */
static __always_inline void sender_describe(struct record_socket *socket, __u64 sk, const struct record_packet *packet)
{
    int known = socket_glance(socket, sk) != 0;

    /* A port that the kernel chose is there since this segment: SYN_SENT was reported before. */
    if (known && (packet->flags & FLAG_SYN)) port_use(socket);
    if (known ? is_sender(socket, packet) : sender_fill(socket, sk, packet)) return;
    __builtin_memset(socket, 0, sizeof(*socket));
}

static __always_inline void connecting_begin(__u64 address)
{
    struct cpu_state *cpu = cpu_this();

    if (cpu) cpu->connecting = address;
}

/* A firewall's rule may refuse a SYN on its way out, before anything has shown the port that the kernel chose for it: what it
 * answers goes back to that port, out of the very sending. Known by the port, so another's answer is never taken for it. */
__noinline int refuses_connecting(const struct record_packet *packet, __u32 netns)
{
    struct cpu_state *cpu = cpu_this();
    struct record_socket socket = {0}; /* Linux 5.15 and older: a function of its own may be given no memory that nobody wrote */

    if (!packet || !cpu || !cpu->connecting) return 0;
    if (packet->quoted_protocol ? packet->quoted_protocol != PROTOCOL_TCP
                                : packet->protocol != PROTOCOL_TCP || !(packet->flags & FLAG_RST))
        return 0;
    if (!socket_glance(&socket, cpu->connecting) || socket.netns != netns) return 0;
    if (socket.local.port != (packet->quoted_protocol ? packet->quoted_src.port : packet->dst.port)) return 0;
    port_use(&socket);
    return 1;
}

#endif
