/* Of a whole host only connections with certain ports are looked at: which calls belong to those, and when that shows.
 *
 * connect() chooses its port on the way, bind() and listen() may, and accept() does not know who comes. So where the port that is
 * known when such a call begins is none of those, its beginning is only noted, with the thread; it is told, with its own time, as
 * soon as the port shows: as the SYN leaves, or as the call ends. Of all others nothing is told. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_LATE_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_LATE_BPF_H

#include "bpf_arguments.bpf.h"
#include "bpf_listener.bpf.h"
#include "bpf_process.bpf.h"

/* How often the running thread has left the CPU to wait, as the kernel counts it. */
static __always_inline __u64 thread_waits(void)
{
    return bpf_get_current_task_btf()->nvcsw;
}

/* Of a whole host no packet of UDP is told, so no call either. */
static __always_inline int is_untold_udp(__u64 sk)
{
    return config.host_wide && sk && socket_kind(sk) >> 16 == PROTOCOL_UDP;
}

/* Of a network that is not looked at. */
static __always_inline int is_elsewhere(__u64 sk)
{
    return config.netns_count && sk && !netns_wanted(socket_netns((const struct sock *)sk));
}

/* Whether the address that bind() or connect() is given has a port of interest. */
static __always_inline int names_chosen(__u32 flags, const __u64 *args)
{
    struct {
        __u16 family, port;
    } head = {0, 0}; /* how struct sockaddr_in and sockaddr_in6 begin */

    if (!(flags & SYSCALL_SOCKADDR_1) || !args[1] || bpf_probe_read_user(&head, sizeof(head), (void *)args[1])) return 0;
    return family_is_inet(head.family) && port_wanted(0, PROTOCOL_TCP, bpf_ntohs(head.port));
}

/* Its port may show later: connect(), bind(), listen(), accept(). */
static __always_inline int may_be_chosen(__u32 flags)
{
    return (flags & (SYSCALL_SOCKADDR_1 | SYSCALL_LISTEN)) || ((flags & SYSCALL_FD_0) && (flags & SYSCALL_NEW_FD));
}

/* A call that begins, and what is behind its descriptor. */
struct call_begin {
    const __u64 *args;
    __u64 number, sk, file;
    __u32 flags, second;
};

/* Notes that a thread is in a call from now on; its sockets are the caller's to describe. NULL: no room. */
static __always_inline struct thread_state *thread_enters(struct thread_state *thread, const struct call_begin *call)
{
    __u32 tid = (__u32)bpf_get_current_pid_tgid(), zero = 0;

    if (!thread) {
        struct thread_state *none = bpf_map_lookup_elem(&thread_zero, &zero);

        if (none) bpf_map_update_elem(&threads, &tid, none, BPF_NOEXIST);
        thread = bpf_map_lookup_elem(&threads, &tid);
    }
    if (!thread) return 0;
    if (!thread->in_call) entry_came(MAP_THREADS);
    thread->slept_ns = thread->off_ns = 0;
    thread->switches = thread->woke = 0;
    thread->sleeping = thread->woken_early = thread->unsure = thread->untold = 0;
    __builtin_memcpy(thread->args, call->args, sizeof(thread->args));
    thread->number = (__u32)call->number;
    thread->flags = call->flags;
    thread->second = call->second;
    thread->sk = call->sk;
    thread->file = call->file;
    thread->born = bpf_get_current_task_btf()->start_time;
    thread->waits = thread_waits();
    thread->in_call = 1;
    return thread;
}

/* Notes the beginning of a call that may turn out to be of interest. */
static __always_inline void late_note(struct thread_state *thread, const struct call_begin *call)
{
    if (!may_be_chosen(call->flags)) return;
    thread = thread_enters(thread, call);
    if (!thread) return;
    thread->untold = 1;
    thread->began_ns = bpf_ktime_get_ns();
    socket_fill(&thread->socket, call->sk, 0);
    __builtin_memset(&thread->other, 0, sizeof(thread->other));
}

/* Tells that the thread's call has begun, when it was not told at once. */
__noinline int late_tell(struct thread_state *thread)
{
    if (!thread || !thread->untold) return 0;

    struct record_call *call = RING_RESERVE(struct record_call, sizeof(struct record_call));

    if (!call) return ring_full();
    thread->untold = 0;
    __builtin_memset(call, 0, __builtin_offsetof(struct record_call, watch));
    head_fill(&call->head, RECORD_ENTER);
    call->head.t_ns = thread->began_ns;
    call->number = thread->number;
    call->cgroup = (__u32)bpf_get_current_cgroup_id();
    call->second = thread->second;
    __builtin_memcpy(call->args, thread->args, sizeof(call->args));
    thread->socket.id = thread->sk ? socket_id(thread->sk, SOCKET_CREATE) : 0;
    call->socket = thread->socket;
    memory_read(call, thread->flags);
    process_note((__u32)(bpf_get_current_pid_tgid() >> 32));
    RING_SUBMIT(call);
    return 1;
}

/* The running thread's connect() sends its SYN, from a port of interest. */
static __always_inline void late_on_syn(__u64 sk)
{
    struct thread_state *thread = thread_in_call((__u32)bpf_get_current_pid_tgid());

    if (thread && thread->untold && thread->sk == sk) late_tell(thread);
}

/* A call ends whose beginning was not told: whether that is told now, and its end with it. */
static __always_inline int late_on_end(struct thread_state *thread, const __u64 *args, long ret)
{
    __u64 sk = fd_socket(call_fd(thread->flags, args));
    int chosen = sk == thread->sk && is_chosen(sk);

    if (!chosen && (thread->flags & SYSCALL_NEW_FD) && ret >= 0) chosen = is_chosen(fd_socket((__s32)ret));
    return chosen && late_tell(thread);
}

#endif
