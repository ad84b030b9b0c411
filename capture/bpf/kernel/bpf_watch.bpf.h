/* What the waiting calls watch: poll's and select's lists at enter and exit, epoll's events at exit, close_range's victims. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_WATCH_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_WATCH_BPF_H

#include "bpf_identity.bpf.h"

enum {
    /* How far a list is looked at; what lies behind is counted as cut. */
    WATCH_POLL_SCAN = 32,
    WATCH_SELECT_SCAN = 64,
    WATCH_RANGE_SCAN = 64,
    RANGE_CLOEXEC = 4, /* CLOSE_RANGE_CLOEXEC */
    POLL_IN = 1,
    POLL_PRI = 2,
    POLL_OUT = 4
};

struct poll_record { /* struct pollfd */
    __s32 fd;
    __s16 events, revents;
};
struct epoll_record { /* struct epoll_event: packed on x86-64 alone */
    __u32 events;
#if !defined(__TARGET_ARCH_x86)
    __u32 pad;
#endif
    __u64 data;
}
#if defined(__TARGET_ARCH_x86)
__attribute__((packed))
#endif
;

/* Functions that are not static are checked by the kernel's verifier once by themselves, not again at each call: loading takes a
 * tenth of the time. They must not trust their pointers, though they are never called with NULL. */

/* 0: not an INET socket. */
static __always_inline __u64 watch_id(__s32 fd)
{
    __u64 sk = fd_socket(fd);

    if (config.only_ports && !is_chosen(sk)) return 0;
    return sk ? socket_id(sk, SOCKET_CREATE) : 0;
}

/* What a loop does each time is a function: else the verifier follows each way through it from each way through the times before.
 */

/* The socket behind a descriptor, where it is one: into the call's list. */
__noinline int watch_add(struct record_call *call, __s32 fd, __u64 data, __u32 events)
{
    __u64 id = watch_id(fd);
    __u32 at;

    if (!call || !id) return 0;
    at = call->watch_count;
    call->watch_total++;
    if (at >= RECORD_WATCH_MAX) return 0;
    call->watch[at].id = id;
    call->watch[at].data = data;
    call->watch[at].events = events;
    call->watch_count = at + 1;
    return 0;
}

/* An entry of poll()'s list; 0: it can't be read. */
__noinline int watch_poll_entry(struct record_call *call, __u64 at, __u32 exit)
{
    struct poll_record entry;

    if (bpf_probe_read_user(&entry, sizeof(entry), (void *)at)) {
        count(COUNT_MEMORY_UNREAD);
        return 0;
    }
    if (entry.fd >= 0 && (!exit || entry.revents))
        watch_add(call, entry.fd, (__u32)entry.fd, (__u16)(exit ? entry.revents : entry.events));
    return 1;
}

__noinline int watch_poll(struct record_call *call, __u32 exit)
{
    __u64 list;
    __u32 length;

    if (!call) return 0;
    list = call->args[0];
    length = (__u32)call->args[1];
    for (__u32 i = 0; i < WATCH_POLL_SCAN; i++)
        if (i >= length || !watch_poll_entry(call, list + i * sizeof(struct poll_record), exit)) break;
    if (length > WATCH_POLL_SCAN || call->watch_total > RECORD_WATCH_MAX) count(COUNT_WATCH_CUT);
    return 0;
}

__noinline int watch_select_one(struct record_call *call, __s32 fd, __u32 events)
{
    return events ? watch_add(call, fd, (__u32)fd, events) : 0;
}

/* The sets are written in place: at enter those asked for, at exit those ready. */
__noinline int watch_select(struct record_call *call)
{
    __u64 sets[3] = {0, 0, 0};
    __u32 length;

    if (!call) return 0;
    length = (__u32)call->args[0];
    for (__u32 i = 0; i < 3; i++) {
        if (call->args[i + 1] && bpf_probe_read_user(&sets[i], sizeof(sets[i]), (void *)call->args[i + 1]))
            count(COUNT_MEMORY_UNREAD);
    }
    for (__u32 fd = 0; fd < WATCH_SELECT_SCAN; fd++) {
        __u32 events =
            (__u32)(sets[0] >> fd & 1) * POLL_IN + (__u32)(sets[1] >> fd & 1) * POLL_OUT + (__u32)(sets[2] >> fd & 1) * POLL_PRI;

        if (fd >= length) break;
        watch_select_one(call, (__s32)fd, events);
    }
    if (length > WATCH_SELECT_SCAN || call->watch_total > RECORD_WATCH_MAX) count(COUNT_WATCH_CUT);
    return 0;
}

__noinline int watch_epoll(struct record_call *call, __s64 ready)
{
    if (!call) return 0;
    for (__u32 i = 0; i < RECORD_WATCH_MAX; i++) {
        struct epoll_record entry;

        if (i >= ready) break;
        if (bpf_probe_read_user(&entry, sizeof(entry), (void *)(call->args[1] + i * sizeof(entry)))) {
            count(COUNT_MEMORY_UNREAD);
            break;
        }
        call->watch[i].data = entry.data;
        call->watch[i].events = entry.events;
        call->watch_count = i + 1;
    }
    call->watch_total = (__u32)ready;
    if (ready > RECORD_WATCH_MAX) count(COUNT_WATCH_CUT);
    return 0;
}

/* close_range: the sockets it closes; with CLOSE_RANGE_CLOEXEC a later execve() does. */
__noinline int watch_range(struct record_call *call)
{
    __u32 first, last;

    if (!call || call->args[2] & RANGE_CLOEXEC) return 0;
    first = (__u32)call->args[0];
    last = (__u32)call->args[1];
    for (__u32 i = 0; i < WATCH_RANGE_SCAN; i++) {
        if (first + i < first || first + i > last) break;
        watch_add(call, (__s32)(first + i), first + i, 0);
    }
    if (call->watch_total > RECORD_WATCH_MAX) count(COUNT_WATCH_CUT);
    return 0;
}

#endif
