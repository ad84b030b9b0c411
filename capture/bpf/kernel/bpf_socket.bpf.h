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
    MODE_FORMAT = 0xf000,
    MODE_SOCKET = 0xc000,
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

/* The beginning of a socket, full or mini, read at once: a helper's call costs more than the bytes. Its ends and state alone, or up
 * to its flags: programs have little stack. */
struct common {
    __u64 bytes[14];
};
struct common_head {
    __u64 bytes[3];
};

static __always_inline void common_read(struct common *common, __u64 address)
{
    bpf_probe_read_kernel(common, sizeof(*common), (void *)address);
}

static __always_inline void common_head_read(struct common_head *common, __u64 address)
{
    bpf_probe_read_kernel(common, sizeof(*common), (void *)address);
}

/* A field of it, by the running kernel's place; where that lies further on, it is read by itself. `common` and
 * `address` are names. Constant conditions: the verifier cuts off what can't run. */
#define COMMON(type, field)                                                                                                        \
    ({                                                                                                                             \
        type common_value;                                                                                                         \
        if (bpf_core_field_offset(struct sock_common, field) + sizeof(common_value) <= sizeof(*common))                            \
            common_value = *(const type *)((const char *)common + bpf_core_field_offset(struct sock_common, field));               \
        else                                                                                                                       \
            bpf_core_read(&common_value, sizeof(common_value), &((const struct sock_common *)address)->field);                     \
        common_value;                                                                                                              \
    })

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

/* IPPROTO_TCP, IPPROTO_UDP, or 0 for every other kind. `sk` is a full socket. */
__noinline __u32 socket_protocol(__u64 address)
{
    return protocol_of(BPF_CORE_READ((const struct sock *)address, __sk_common.skc_family), socket_kind(address));
}

/* The socket of Multipath TCP that a descriptor leads to. It sends nothing itself: its subflows do, which are TCP sockets. */
__noinline int socket_is_mptcp(__u64 address)
{
    return is_mptcp(BPF_CORE_READ((const struct sock *)address, __sk_common.skc_family), socket_kind(address));
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
    if (!BPF_CORE_READ(tp, is_mptcp)) return 0;
    context = BPF_CORE_READ((const struct inet_connection_sock *)address, icsk_ulp_data);
    return context ? (__u64)BPF_CORE_READ(context, conn) : 0;
}

/* The TCP, UDP or MPTCP socket behind a descriptor of the running process, as a kernel address; 0: there is none. */
__noinline __u64 fd_socket(__s32 fd)
{
    struct fdtable *table = BPF_CORE_READ(bpf_get_current_task_btf()->files, fdt);
    struct file *file = 0;

    if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds)) return 0;
    struct file **slot = BPF_CORE_READ(table, fd) + fd;
    if (bpf_probe_read_kernel(&file, sizeof(file), slot) || !file) return 0;
    if ((BPF_CORE_READ(file, f_inode, i_mode) & MODE_FORMAT) != MODE_SOCKET) return 0;

    struct socket *socket = BPF_CORE_READ(file, private_data);
    struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : 0;

    __u16 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
    __u32 kind = family_is_inet(family) ? socket_kind((__u64)sk) : 0;

    return protocol_of(family, kind) || is_mptcp(family, kind) ? (__u64)sk : 0;
}

static __always_inline __u64 socket_inode(const struct sock *sk)
{
    struct socket *socket = BPF_CORE_READ(sk, sk_socket);
    struct file *file = socket ? BPF_CORE_READ(socket, file) : 0;

    return file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

/* A number that no other socket gets. Each CPU counts for itself, and softirq, which can interrupt the rest, once more: so the
 * count needs no atomic operation with a result, which arm64 has only since Linux 5.18. */
static __always_inline __u64 id_next(void)
{
    struct cpu_state *cpu = cpu_this();
    __u32 softirq;

    if (!cpu) return 0;
    softirq = cpu->softirq & 1;
    cpu->ids[softirq]++;
    return cpu->ids[softirq] * 2 * config.cpus + 2 * bpf_get_smp_processor_id() + softirq;
}

/* What socket_id() does with a socket that it never saw. */
enum { SOCKET_KNOWN, SOCKET_CREATE, SOCKET_CLONED, SOCKET_BORN };

/* The id that the other half of a socket of Multipath TCP has already: the socket's first subflow is the same to a story. 0 none.
 */
__noinline __u64 mptcp_id(__u64 address)
{
    __u64 partner = socket_is_mptcp(address) ? mptcp_first(address) : mptcp_owner(address), inode;
    struct socket_entry *entry;

    if (!partner || (!socket_is_mptcp(address) && mptcp_first(partner) != address)) return 0;
    entry = bpf_map_lookup_elem(&sockets, &partner);
    if (!entry) return 0;
    inode = entry->inode ? socket_inode((const struct sock *)partner) : 0;
    return inode && inode != entry->inode ? 0 : entry->id;
}

/* A socket's port on this host, host order. The kernel clears skc_num when an unbound socket closes, inet_sport stays. */
static __always_inline __u16 port_of(__u8 state, __u16 number, __u64 address)
{
    __u16 port = state_is_mini(state) ? 0 : bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)address, inet_sport));

    return port ? port : number;
}

/* Both ends of a connected socket, in short; 0: it has but one. */
static __always_inline __u64 ends_of(const struct common_head *common, __u64 address)
{
    __u16 local = port_of(COMMON(__u8, skc_state), COMMON(__u16, skc_num), address), remote = bpf_ntohs(COMMON(__u16, skc_dport));
    __u32 host = COMMON(__u32, skc_daddr); /* of IPv6, too: 0, or that of a mapped address */

    return local && remote ? (__u64)local << 48 | (__u64)remote << 32 | host : 0;
}

/* What may tell two sockets at one address apart. */
struct socket_marks {
    __u64 cookie, inode, ends;
};

/* Whether an entry is of the socket that is at its address now, or of one that went without being seen to. A socket never loses its
 * cookie, nor gets another one, nor another file; and one that nobody holds any more (or nobody yet) has its ends for life. */
static __always_inline int entry_is_of(const struct socket_entry *entry, const struct socket_marks *now)
{
    if (entry->cookie && entry->cookie != now->cookie) return 0;
    if (entry->inode && now->inode && entry->inode != now->inode) return 0;
    return !(entry->inode && !now->inode && entry->ends && now->ends && entry->ends != now->ends);
}

static __always_inline void entry_learn(struct socket_entry *entry, const struct socket_marks *now)
{
    if (now->cookie && !entry->cookie) {
        entry->cookie = now->cookie;
        bpf_map_update_elem(&cookies, &entry->cookie, &entry->id, BPF_ANY);
    }
    if (now->inode) entry->inode = now->inode;
    if (now->ends) entry->ends = now->ends;
}

/* An id for a socket without one: the one it had before its entry was pushed out, its other half's, or a new one. */
static __always_inline __u64 id_find(__u64 address, __u32 create, __u32 protocol, __u64 cookie)
{
    __u64 *had = cookie ? bpf_map_lookup_elem(&cookies, &cookie) : 0, shared;

    if (had) return *had;
    shared = protocol == PROTOCOL_UDP || create == SOCKET_BORN ? 0 : mptcp_id(address);
    return shared ? shared : id_next();
}

static __always_inline void socket_forget(__u64 address)
{
    struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &address);
    __u64 tcp = entry ? entry->tcp : 0;
    long failed = bpf_map_delete_elem(&sockets, &address);

    if (tcp) entry_left(MAP_SOCKETS, failed);
}

/* The id of a socket, given at first sight unless SOCKET_KNOWN; 0: none. SOCKET_CLONED: a listening socket's child at its first
 * report, when some kernels have not yet taken the listener's cookie off it. SOCKET_BORN: just made by socket(). What is born takes
 * nothing over from what was at its address before. Sockets are told apart by address while they live: tcp_destroy_sock ends a TCP
 * socket's entry, and entry_is_of() what that left.
 */
__noinline __u64 socket_id(__u64 address, __u32 create)
{
    struct common_head read, *common = &read;
    struct socket_marks now = {.cookie = 0};
    __u16 family;
    __u8 state;

    common_head_read(common, address);
    now.cookie = COMMON(__u64, skc_cookie.counter);
    state = COMMON(__u8, skc_state);
    if (state == STATE_TIME_WAIT) {
        __u64 *id = now.cookie ? bpf_map_lookup_elem(&cookies, &now.cookie) : 0;

        return id ? *id : 0;
    }
    /* What a request socket becomes is another object, and its cookie is given late. */
    if (state == STATE_NEW_SYN_RECV) return 0;
    if (create == SOCKET_CLONED) now.cookie = 0;
    family = COMMON(__u16, skc_family);

    __u32 kind = socket_kind(address), protocol = protocol_of(family, kind), mptcp = is_mptcp(family, kind);
    struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &address);

    if (protocol || mptcp) {
        now.inode = socket_inode((const struct sock *)address);
        now.ends = ends_of(common, address);
    }
    if (entry && create != SOCKET_CLONED && create != SOCKET_BORN && entry_is_of(entry, &now)) {
        entry_learn(entry, &now);
        return entry->id;
    }
    if (entry) socket_forget(address);
    if (create == SOCKET_KNOWN || (!protocol && !mptcp)) return 0;

    struct socket_entry fresh = {.id = id_find(address, create, protocol, now.cookie),
                                 .cookie = now.cookie,
                                 .inode = now.inode,
                                 .ends = now.ends,
                                 .tcp = protocol == PROTOCOL_TCP};

    if (!bpf_map_update_elem(&sockets, &address, &fresh, BPF_ANY) && protocol == PROTOCOL_TCP) entry_came(MAP_SOCKETS);
    if (now.cookie) bpf_map_update_elem(&cookies, &now.cookie, &fresh.id, BPF_ANY);
    return fresh.id;
}

static __always_inline __u32 socket_netns(const struct sock *sk)
{
    return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

static __always_inline __u32 netns_of(__u64 net)
{
    return BPF_CORE_READ((const struct net *)net, ns.inum);
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
        out->has_unread = BPF_CORE_READ(sk, sk_receive_queue.qlen) || BPF_CORE_READ((const struct udp_sock *)sk, reader_queue.qlen);
        return;
    }
    if (out->state == STATE_LISTEN || out->state == STATE_CLOSE) return;
    const struct tcp_sock *tp = (const struct tcp_sock *)sk;
    __u32 bytes = BPF_CORE_READ(tp, rcv_nxt) - BPF_CORE_READ(tp, copied_seq);

    if (bytes && (COMMON(__u64, skc_flags) >> bpf_core_enum_value(enum sock_flags, SOCK_DONE) & 1)) bytes--;
    if (bytes > 0x7fffffff) return;
    out->unread = bytes;
    if (bytes) out->has_unread = 1;
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

        out->has_unread = BPF_CORE_READ((const struct sock *)address, sk_receive_queue.qlen) != 0;
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
    out->state = state;
    out->netns = netns_of(COMMON(__u64, skc_net.net));
    address_fill(&out->local, common, address, 0);
    address_fill(&out->remote, common, address, 1);
    out->local.port = port_of(state, COMMON(__u16, skc_num), address);
    out->remote.port = bpf_ntohs(COMMON(__u16, skc_dport));
    if (!state_is_mini(state)) unread_fill(out, common, address);
    return 1;
}

/* From now on this socket's port is of interest, too (only where no ports were given). */
static __always_inline void port_use(const struct record_socket *socket)
{
    __u32 key = (__u32)socket->protocol << 16 | socket->local.port, netns = socket->netns, one = 1;

    if (config.port_count || config.host_wide || !socket->id || !socket->local.port) return;
    if (!bpf_map_lookup_elem(&used_ports, &key)) bpf_map_update_elem(&used_ports, &key, &one, BPF_ANY);
    if (!netns_is_used(netns)) bpf_map_update_elem(&used_netns, &netns, &one, BPF_ANY);
}

static __always_inline int netns_wanted(__u32 netns)
{
    if (!config.netns_count) return 1;
    for (int i = 0; i < RECORD_NETNS_MAX; i++)
        if (i < (int)config.netns_count && config.netns[i] == netns) return 1;
    return 0;
}

/* Whether evidence about this (full or mini) socket is wanted. */
__noinline int socket_wanted(__u64 address)
{
    struct common_head read, *common = &read;
    __u32 netns;
    __u8 state, protocol;

    if (!address) return 0;
    common_head_read(common, address);
    if (!family_is_inet(COMMON(__u16, skc_family))) return 0;
    netns = netns_of(COMMON(__u64, skc_net.net));
    if (!netns_wanted(netns)) return 0;
    state = COMMON(__u8, skc_state);
    protocol = state_is_mini(state) ? PROTOCOL_TCP : (__u8)protocol_of(FAMILY_INET, socket_kind(address));
    if (!protocol) return 0;
    if (port_wanted(netns, protocol, port_of(state, COMMON(__u16, skc_num), address))) return 1;
    if (port_wanted(netns, protocol, bpf_ntohs(COMMON(__u16, skc_dport)))) return 1;
    return !config.port_count && socket_id(address, SOCKET_KNOWN) != 0;
}

#endif
