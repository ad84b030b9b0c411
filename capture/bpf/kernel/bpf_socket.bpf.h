/* Which socket: from a descriptor, from a socket buffer, from a tracepoint's argument. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_SOCKET_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_SOCKET_BPF_H

#include "bpf_maps.bpf.h"
#include "bpf_packet.bpf.h"

enum {
    FAMILY_INET = 2,
    FAMILY_INET6 = 10,
    FAMILY_PACKET = 17,
    TYPE_STREAM = 1,
    TYPE_DGRAM = 2,
    /* the kernel's own names for what it promises never to renumber (linux/bpf.h) */
    STATE_ESTABLISHED = BPF_TCP_ESTABLISHED,
    STATE_SYN_SENT = BPF_TCP_SYN_SENT,
    STATE_FIN_WAIT1 = BPF_TCP_FIN_WAIT1,
    STATE_FIN_WAIT2 = BPF_TCP_FIN_WAIT2,
    STATE_CLOSE_WAIT = BPF_TCP_CLOSE_WAIT,
    STATE_LAST_ACK = BPF_TCP_LAST_ACK,
    STATE_CLOSING = BPF_TCP_CLOSING,
    STATE_SYN_RECV = BPF_TCP_SYN_RECV,
    STATE_TIME_WAIT = BPF_TCP_TIME_WAIT,
    STATE_CLOSE = BPF_TCP_CLOSE,
    STATE_LISTEN = BPF_TCP_LISTEN,
    STATE_NEW_SYN_RECV = BPF_TCP_NEW_SYN_RECV
};

static __always_inline int family_is_inet(__u16 family)
{
    return family == FAMILY_INET || family == FAMILY_INET6;
}

/* The beginning of a socket, full or mini, up to its flags, read at once: a helper's call costs more than the bytes. Where programs
 * have little stack left, its ends and state alone. */
struct common {
    __u64 bytes[13];
};
struct common_head {
    __u64 bytes[3];
};

#ifdef TCPWHY_CAST
static __always_inline void common_read(struct common *common, __u64 address)
{
    (void)common, (void)address;
}

static __always_inline void common_head_read(struct common_head *common, __u64 address)
{
    (void)common, (void)address;
}
#else
static __always_inline void common_read(struct common *common, __u64 address)
{
    bpf_probe_read_kernel(common, sizeof(*common), (void *)address);
}

static __always_inline void common_head_read(struct common_head *common, __u64 address)
{
    bpf_probe_read_kernel(common, sizeof(*common), (void *)address);
}
#endif

/* A field of it, by the running kernel's place; where that lies further on, it is read by itself. `common` and
 * `address` are names. Constant conditions: the verifier cuts off what can't run. */
#ifdef TCPWHY_CAST
#define COMMON(type, field) LOADED(type, *(const type *)&KERNEL((const struct sock_common *)address)->field)
#else
#define COMMON(type, field)                                                                                                        \
    ({                                                                                                                             \
        type common_value;                                                                                                         \
        if (bpf_core_field_offset(struct sock_common, field) + sizeof(common_value) <= sizeof(*common))                            \
            common_value = *(const type *)((const char *)common + bpf_core_field_offset(struct sock_common, field));               \
        else                                                                                                                       \
            bpf_core_read(&common_value, sizeof(common_value), &((const struct sock_common *)address)->field);                     \
        common_value;                                                                                                              \
    })
#endif

/* A request or timewait socket is only the common part of a struct sock. */
static __always_inline int state_is_mini(__u8 state)
{
    return state == STATE_TIME_WAIT || state == STATE_NEW_SYN_RECV;
}

/* The type and, in the upper half, the protocol of a full socket, which lie side by side. */
static __always_inline __u32 socket_kind(__u64 address)
{
    const struct sock *sk = (const struct sock *)address;
    __u32 both = 0;

#ifdef TCPWHY_CAST
    return (__u32)READ(sk, sk_protocol) << 16 | READ(sk, sk_type);
#endif
    if (bpf_core_field_offset(struct sock, sk_protocol) != bpf_core_field_offset(struct sock, sk_type) + 2)
        return (__u32)BPF_CORE_READ(sk, sk_protocol) << 16 | BPF_CORE_READ(sk, sk_type);
    bpf_probe_read_kernel(&both, sizeof(both), __builtin_preserve_access_index(&sk->sk_type));
    return both;
}

static __always_inline __u32 protocol_of(__u16 family, __u32 kind)
{
    if (!family_is_inet(family)) return 0;
    if (kind == (PROTOCOL_TCP << 16 | TYPE_STREAM)) return PROTOCOL_TCP;
    if (kind == (PROTOCOL_UDP << 16 | TYPE_DGRAM)) return PROTOCOL_UDP;
    return 0;
}

static __always_inline int is_mptcp(__u16 family, __u32 kind)
{
    return family_is_inet(family) && kind == (PROTOCOL_MPTCP << 16 | TYPE_STREAM);
}

/* Either, PROTOCOL_MPTCP, or 0 for every other kind. A function, so that the verifier follows the rest of its caller once, and not
 * for each answer. */
__noinline __u32 protocol_of_any(__u32 family, __u32 kind)
{
    return is_mptcp((__u16)family, kind) ? PROTOCOL_MPTCP : protocol_of((__u16)family, kind);
}

/* IPPROTO_TCP, IPPROTO_UDP, or 0 for every other kind. `sk` is a full socket. */
__noinline __u32 socket_protocol(__u64 address)
{
    return protocol_of(READ((const struct sock *)address, __sk_common.skc_family), socket_kind(address));
}

/* The socket of Multipath TCP that a descriptor leads to. It sends nothing itself: its subflows do, which are TCP sockets. */
__noinline int socket_is_mptcp(__u64 address)
{
    return is_mptcp(READ((const struct sock *)address, __sk_common.skc_family), socket_kind(address));
}

/* Its first subflow; 0: it has none (yet). */
static __always_inline __u64 mptcp_first(__u64 address)
{
    const struct mptcp_sock *owner = (const struct mptcp_sock *)address;

    if (!bpf_core_field_exists(owner->first)) return 0;
    return (__u64)BPF_CORE_READ(owner, first);
}

/* Whose subflow this TCP socket is; 0: nobody's. */
static __always_inline __u64 mptcp_owner(__u64 address)
{
    const struct tcp_sock *tp = (const struct tcp_sock *)address;
    const struct mptcp_subflow_context *context = 0;

    if (!bpf_core_field_exists(tp->is_mptcp) || !bpf_core_field_exists(context->conn)) return 0;
    if (!READ(tp, is_mptcp)) return 0;
    context = BPF_CORE_READ((const struct inet_connection_sock *)address, icsk_ulp_data);
    return context ? (__u64)BPF_CORE_READ(context, conn) : 0;
}

/* The file behind a descriptor of the running process, as a kernel address; 0: there is none. */
__noinline __u64 fd_file(__s32 fd)
{
    struct files_struct *files = READ_GIVEN(bpf_get_current_task_btf(), files);
    struct fdtable *table = files ? READ_GIVEN(files, fdt) : 0;

    if (!table || fd < 0 || (__u32)fd >= READ_GIVEN(table, max_fds)) return 0;
    return word_at((__u64)(READ_GIVEN(table, fd) + fd));
}

/* The TCP, UDP or MPTCP socket that a file is, as a kernel address; 0: it is none. Only a socket's private part leads back to the
 * file. */
__noinline __u64 file_socket(__u64 address)
{
    const struct file *file = (const struct file *)address;
    const struct socket *socket = (const struct socket *)READ_POINTER(file, private_data);
    const struct sock *sk;

    if (!socket || READ(socket, file) != file) return 0;
    sk = (const struct sock *)READ_POINTER(socket, sk);

    __u16 family = sk ? READ(sk, __sk_common.skc_family) : 0;
    __u32 kind = family_is_inet(family) ? socket_kind((__u64)sk) : 0;

    return protocol_of(family, kind) || is_mptcp(family, kind) ? (__u64)sk : 0;
}

/* The TCP, UDP or MPTCP socket behind a descriptor of the running process, as a kernel address; 0: there is none. */
__noinline __u64 fd_socket(__s32 fd)
{
    __u64 file = fd_file(fd);

    return file ? file_socket(file) : 0;
}

static __always_inline __u64 socket_inode(const struct sock *sk)
{
    return READ(sk, sk_socket, file, f_inode, i_ino);
}

/* A socket's port on this host, host order. The kernel clears skc_num when an unbound socket closes, inet_sport stays. */
static __always_inline __u16 port_of(__u8 state, __u16 number, __u64 address)
{
    if (number || state_is_mini(state)) return number;
    return bpf_ntohs(READ((const struct inet_sock *)address, inet_sport));
}

static __always_inline __u32 socket_netns(const struct sock *sk)
{
    return READ(sk, __sk_common.skc_net.net, ns.inum);
}

static __always_inline __u32 netns_of(__u64 net)
{
    return READ((const struct net *)net, ns.inum);
}

static __always_inline void address_fill(struct record_address *out, const struct common *common, __u64 address, int remote)
{
    if (COMMON(__u16, skc_family) == FAMILY_INET) {
        __u32 ip = remote ? COMMON(__u32, skc_daddr) : COMMON(__u32, skc_rcv_saddr);

        __builtin_memcpy(out->ip, &ip, 4);
        out->version = 4;
        return;
    }
    __u64 high = remote ? COMMON(__u64, skc_v6_daddr) : COMMON(__u64, skc_v6_rcv_saddr);
    __u64 low = remote ? COMMON(__u64, skc_v6_daddr.in6_u.u6_addr8[8]) : COMMON(__u64, skc_v6_rcv_saddr.in6_u.u6_addr8[8]);

    __builtin_memcpy(out->ip, &high, 8);
    __builtin_memcpy(out->ip + 8, &low, 8);
    out->version = 6;
}

/* What has arrived and was not read. As tcp_inq(): the FIN takes a sequence number but is no byte. */
static __always_inline void unread_fill(struct record_socket *out, const struct common *common, __u64 address)
{
    const struct sock *sk = (const struct sock *)address;

    if (out->protocol == PROTOCOL_UDP) {
        out->has_unread = READ(sk, sk_receive_queue.qlen) || READ((const struct udp_sock *)sk, reader_queue.qlen);
        return;
    }
    if (out->state == STATE_LISTEN || out->state == STATE_CLOSE) return;
    const struct tcp_sock *tp = (const struct tcp_sock *)sk;
    __u32 bytes = READ(tp, rcv_nxt) - READ(tp, copied_seq);

    if (bytes && (COMMON(__u64, skc_flags) >> bpf_core_enum_value(enum sock_flags, SOCK_DONE) & 1)) bytes--;
    if (bytes > 0x7fffffff) return;
    out->unread = bytes;
    if (bytes) out->has_unread = 1;
}

/* What is of this moment, and what does not change but is not known from elsewhere. */
static __always_inline void now_fill(struct record_socket *out, const struct common *common, __u64 address)
{
    out->state = COMMON(__u8, skc_state);
    address_fill(&out->local, common, address, 0);
    address_fill(&out->remote, common, address, 1);
    out->local.port = port_of(out->state, COMMON(__u16, skc_num), address);
    out->remote.port = bpf_ntohs(COMMON(__u16, skc_dport));
    if (!state_is_mini(out->state)) unread_fill(out, common, address);
}

/* Describes the socket at a kernel address. Zeroes `out` first; leaves it so where it is no INET socket. */
__noinline int socket_fill(struct record_socket *out, __u64 address, __u64 id)
{
    struct common read, *common = &read;
    __u32 kind = 0;
    __u8 state;

    if (!out) return 0;
    __builtin_memset(out, 0, sizeof(*out));
    if (!address) return 0;
    common_read(common, address);
    if (!family_is_inet(COMMON(__u16, skc_family))) return 0;
    state = COMMON(__u8, skc_state);
    if (!state_is_mini(state)) kind = socket_kind(address);
    if (is_mptcp(FAMILY_INET, kind)) {
        __u64 first = mptcp_first(address);

        out->has_unread = READ((const struct sock *)address, sk_receive_queue.qlen) != 0;
        out->protocol = PROTOCOL_TCP;
        if (first) {
            address = first;
            common_read(common, address);
        }
        state = COMMON(__u8, skc_state);
    } else {
        out->protocol = state_is_mini(state) ? PROTOCOL_TCP : (__u8)protocol_of(FAMILY_INET, kind);
    }
    if (!out->protocol) return 0;
    out->id = id;
    out->netns = netns_of(COMMON(__u64, skc_net.net));
    now_fill(out, common, address);
    return 1;
}

#endif
