/* Which socket is which while they come and go at the same addresses, and which are of interest. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_IDENTITY_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_IDENTITY_BPF_H

#include "bpf_socket.bpf.h"

/* A number that no other socket gets. Each CPU counts for itself, and softirq, which can interrupt the rest, once more: so the
 * count needs no atomic operation with a result, which arm64 has only since Linux 5.18, but where programs can be preempted. */
static __always_inline __u64 id_next(void)
{
    struct cpu_state *cpu = cpu_this();
    __u32 softirq;
    __u64 count;

    if (!cpu) return 0;
    softirq = cpu->softirq & 1;
    count = config.twice ? __sync_fetch_and_add(&cpu->ids[softirq], 1) + 1 : ++cpu->ids[softirq];
    return count * 2 * config.cpus + 2 * bpf_get_smp_processor_id() + softirq;
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
    if (entry->cookie && entry->cookie != (__u64)BPF_CORE_READ((const struct sock *)partner, __sk_common.skc_cookie.counter))
        return 0;
    inode = entry->inode ? socket_inode((const struct sock *)partner) : 0;
    return inode && inode != entry->inode ? 0 : entry->id;
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

/* What was written down of this very socket, where its cookie tells so: it never loses it, nor gets another one. NULL: that has to
 * be found out. Of Multipath TCP's sockets two are one, and neither is known so. */
static __always_inline struct socket_entry *entry_glance(__u64 address, __u64 cookie, __u8 state)
{
    struct socket_entry *entry = cookie ? bpf_map_lookup_elem(&sockets, &address) : 0;

    return entry && entry->protocol && entry->cookie == cookie && !state_is_mini(state) ? entry : 0;
}

/* An id for a socket without one: the one it had before its entry was pushed out, its other half's, or a new one. */
static __always_inline __u64 id_find(__u64 address, __u32 create, __u32 protocol, __u64 cookie)
{
    __u64 *had = cookie ? bpf_map_lookup_elem(&cookies, &cookie) : 0, shared;

    if (had) return *had;
    shared = protocol == PROTOCOL_UDP || create == SOCKET_BORN ? 0 : mptcp_id(address);
    return shared ? shared : id_next();
}

__noinline int socket_forget(__u64 address)
{
    struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &address);
    __u64 tcp = entry ? entry->tcp : 0;
    long failed = bpf_map_delete_elem(&sockets, &address);

    if (tcp) entry_left(MAP_SOCKETS, failed);
    return 0;
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

    __u32 protocol = protocol_of_any(family, socket_kind(address));
    struct socket_entry *entry = bpf_map_lookup_elem(&sockets, &address);

    if (protocol) {
        now.inode = socket_inode((const struct sock *)address);
        now.ends = ends_of(common, address);
    }
    if (entry && create != SOCKET_CLONED && create != SOCKET_BORN && entry_is_of(entry, &now)) {
        entry_learn(entry, &now);
        return entry->id;
    }
    if (entry) socket_forget(address);
    if (create == SOCKET_KNOWN || !protocol) return 0;

    struct socket_entry fresh = {.id = id_find(address, create, protocol, now.cookie),
                                 .cookie = now.cookie,
                                 .inode = now.inode,
                                 .ends = now.ends,
                                 .tcp = protocol == PROTOCOL_TCP,
                                 .netns = netns_of(COMMON(__u64, skc_net.net)),
                                 .protocol = protocol == PROTOCOL_MPTCP ? 0 : protocol};

    if (!bpf_map_update_elem(&sockets, &address, &fresh, BPF_ANY) && protocol == PROTOCOL_TCP) entry_came(MAP_SOCKETS);
    if (now.cookie) bpf_map_update_elem(&cookies, &now.cookie, &fresh.id, BPF_ANY);
    return fresh.id;
}

/* Describes a socket whose cookie tells that it is known. 0: it does not; nothing is filled in. */
__noinline __u64 socket_glance(struct record_socket *out, __u64 address)
{
    struct common read, *common = &read;
    struct socket_entry *entry;

    if (!out || !address) return 0;
    common_read(common, address);
    entry = entry_glance(address, COMMON(__u64, skc_cookie.counter), COMMON(__u8, skc_state));
    if (!entry) return 0;
    __builtin_memset(out, 0, sizeof(*out));
    out->id = entry->id;
    out->netns = entry->netns;
    out->protocol = (__u8)entry->protocol;
    now_fill(out, common, address);
    return out->id;
}

/* Describes a socket, and gives it an id as socket_id() does. */
static __always_inline __u64 socket_describe(struct record_socket *out, __u64 address, __u32 create)
{
    __u64 id = create == SOCKET_KNOWN || create == SOCKET_CREATE ? socket_glance(out, address) : 0;

    if (id) return id;
    id = address ? socket_id(address, create) : 0;
    socket_fill(out, address, id);
    return out->id;
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
    struct socket_entry *entry;
    __u32 netns;
    __u8 state, protocol;

    if (!address) return 0;
    common_head_read(common, address);
    entry = entry_glance(address, COMMON(__u64, skc_cookie.counter), COMMON(__u8, skc_state));
    if (entry && !config.port_count) return netns_wanted(entry->netns);
    if (!family_is_inet(COMMON(__u16, skc_family))) return 0;
    netns = netns_of(COMMON(__u64, skc_net.net));
    if (!netns_wanted(netns)) return 0;
    state = COMMON(__u8, skc_state);
    protocol = state_is_mini(state) ? PROTOCOL_TCP : (__u8)protocol_of(FAMILY_INET, socket_kind(address));
    if (!protocol) return 0;
    if (port_wanted(netns, protocol, port_of(state, COMMON(__u16, skc_num), address))) return 1;
    if (port_wanted(netns, protocol, bpf_ntohs(COMMON(__u16, skc_dport)))) return 1;
    if (config.only_ports && state != STATE_TIME_WAIT && !bpf_map_lookup_elem(&sockets, &address)) return 0;
    return !config.port_count && socket_id(address, SOCKET_KNOWN) != 0;
}

/* Of a whole host, where only certain ports are looked at: whether one of a full socket's is. */
static __always_inline int has_chosen_port(__u64 address)
{
    const struct sock *sk = (const struct sock *)address;

    return port_is_chosen(port_of(READ(sk, __sk_common.skc_state), READ(sk, __sk_common.skc_num), address)) ||
           port_is_chosen(bpf_ntohs(READ(sk, __sk_common.skc_dport)));
}

/* The same of a socket that has one, or had: behind a connect() that failed it has none any more. Of Multipath TCP the first
 * subflow has the ports. */
__noinline int is_chosen(__u64 address)
{
    __u64 first;

    if (!address) return 0;
    if (has_chosen_port(address) || bpf_map_lookup_elem(&sockets, &address)) return 1;
    first = socket_is_mptcp(address) ? mptcp_first(address) : 0;
    return first && has_chosen_port(first);
}

#endif
