/* Which listening socket a segment reaches: no tracepoint says, so those that were seen are remembered by their port. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_LISTENER_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_LISTENER_BPF_H

#include "bpf_identity.bpf.h"

enum { LISTENERS_OF_A_PORT = 4 /* at several addresses, of both families, with SO_REUSEPORT */ };

static __always_inline __u64 listener_key(__u32 netns, __u16 port, __u32 slot)
{
    return (__u64)netns << 32 | (__u32)port << 8 | slot;
}

/* An address in `listeners` may be another object's by now: it counts only while all of this is so. */
__noinline int is_listener(__u64 address, __u32 netns, __u16 port)
{
    const struct sock *sk = (const struct sock *)address;

    return READ(sk, __sk_common.skc_state) == STATE_LISTEN && socket_protocol(address) == PROTOCOL_TCP &&
           READ(sk, __sk_common.skc_num) == port && socket_netns(sk) == netns;
}

/* Remembers a listening socket, or one that is about to be one, so that it is found again when a segment for its port comes. */
__noinline int listener_learn(__u64 address)
{
    const struct sock *sk = (const struct sock *)address;
    __u32 netns;
    __u16 port;

    if (!address || socket_protocol(address) != PROTOCOL_TCP) return 0;
    netns = socket_netns(sk);
    port = READ(sk, __sk_common.skc_num);
    if (!port) return 0; /* it gets one later, within the same call */
    for (__u32 slot = 0; slot < LISTENERS_OF_A_PORT; slot++) {
        __u64 key = listener_key(netns, port, slot), *known = bpf_map_lookup_elem(&listeners, &key);

        if (known && *known == address) return 1;
        if (known && is_listener(*known, netns, port)) continue;
        bpf_map_update_elem(&listeners, &key, &address, BPF_ANY);
        return 1;
    }
    return 0;
}

/* 2: it listens at that very address, 1: at any, 0: not there. A function of its own, and without branches in a loop, so that the
 * verifier has few ways to go. */
__noinline int listener_fits(__u64 address, const struct record_address *at)
{
    const struct sock *sk = (const struct sock *)address;
    struct common read, *common = &read;
    struct record_address own = {.version = 0};
    __u32 here[4], there[4];
    __u32 any, differs;

    if (!at) return 0;
    common_read(common, address);
    address_fill(&own, common, address, 0);
    __builtin_memcpy(here, own.ip, sizeof(here));
    __builtin_memcpy(there, at->ip, sizeof(there));
    any = !(here[0] | here[1] | here[2] | here[3]);
    differs = (here[0] ^ there[0]) | (here[1] ^ there[1]) | (here[2] ^ there[2]) | (here[3] ^ there[3]);
    if (own.version == at->version && !differs) return 2;
    if (!any) return 0;
    if (own.version == at->version) return 1;
    return own.version == 6 && !BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
}

/* The listening socket that a segment to this address reaches; 0: none is known, or several could be meant. */
__noinline __u64 listener_find(const struct record_address *at, __u32 netns)
{
    __u64 best = 0;
    int best_fit = 0;

    if (!at) return 0;
    for (__u32 slot = 0; slot < LISTENERS_OF_A_PORT; slot++) {
        __u64 key = listener_key(netns, at->port, slot), *known = bpf_map_lookup_elem(&listeners, &key);
        int fit;

        if (!known) break;
        if (!is_listener(*known, netns, at->port)) continue;
        fit = listener_fits(*known, at);
        if (fit && fit == best_fit) best = 0;
        if (fit <= best_fit) continue;
        best = *known;
        best_fit = fit;
    }
    return best;
}

#endif
