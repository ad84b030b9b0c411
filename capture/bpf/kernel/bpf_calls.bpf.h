/* System calls of the followed processes. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_CALLS_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_CALLS_BPF_H

#include "bpf_late.bpf.h"

/* config.twice: where programs can be preempted (Linux 7.0 and later), the kernel does not run one for a task while another task,
 * preempted in the midst of it, waits on the same CPU. System calls come from all tasks at any time, so there are two programs for
 * them: whichever of both is run first for a call's beginning, or its end, tells of it. */
struct crossing {
    __u8 seen[2]; /* the beginning, the end, of the thread's present call */
};
/* By thread. Not its task storage, which takes memory that a processor without cmpxchg16b does not get here. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, RECORD_THREADS_MAX);
    __type(key, __u32);
    __type(value, struct crossing);
} crossings SEC(".maps");

/* `end`: 0 a call's beginning, 1 its end. Either makes the next other one new; only what neither program was run for (which the
 * kernel counts for both) can hide the one after the next. */
static __always_inline int is_first_to_see(__u32 tid, __u32 end)
{
    struct crossing *crossing = bpf_map_lookup_elem(&crossings, &tid), none = {{0}};

    if (!crossing) {
        bpf_map_update_elem(&crossings, &tid, &none, BPF_NOEXIST);
        crossing = bpf_map_lookup_elem(&crossings, &tid);
    }
    if (!crossing) return ring_full();
    crossing->seen[!end] = 0;
    if (crossing->seen[end]) return 0;
    crossing->seen[end] = 1;
    return 1;
}

/* Of a whole host's calls, most of which go on here: each has two of these. */
static __always_inline int call_is_wanted(__u64 number, struct pt_regs *regs)
{
    __u32 flags = call_flags(number);

    return flags && !((flags & (SYSCALL_FCNTL | SYSCALL_SOCKOPT)) && call_is_passed_over(flags, regs));
}

static __always_inline int call_begins(struct pt_regs *regs, long number)
{
    __u32 tgid = (__u32)(bpf_get_current_pid_tgid() >> 32), tid = (__u32)bpf_get_current_pid_tgid();

    if (config.host_wide ? !call_is_wanted((__u64)number, regs) : !is_followed(tgid, bpf_get_current_task_btf())) return 0;
    if (config.twice && !is_first_to_see(tid, 0)) return 0;

    struct thread_state *thread = bpf_map_lookup_elem(&threads, &tid);

    /* One that has been here before is none. */
    if (!config.host_wide && !(thread && thread->born == bpf_get_current_task_btf()->start_time))
        bpf_map_delete_elem(&strangers, &tid);
    thread_leaves(thread); /* a call whose end was not seen is over */
    if (call_is_compat()) {
        count(COUNT_COMPAT);
        return 0;
    }

    __u32 flags = call_flags((__u64)number);
    __u64 args[6] = CALL_ARGS(regs), sk = 0, file = 0, other = 0;
    __s32 fd = call_fd(flags, args);
    __u32 second = 0;

    if (!flags || ((flags & SYSCALL_SOCKET) && !call_makes_socket(args))) return 0;
    if ((flags & SYSCALL_FCNTL) && !call_copies(args)) return 0;
    if (fd >= 0) file = fd_file(fd);
    if (file) sk = file_socket(file);
    if (!sk && (flags & SYSCALL_FD_2)) {
        file = fd_file((__s32)args[2]);
        if (file) sk = file_socket(file);
        second = 1;
    }
    if ((flags & SYSCALL_DUP) && args[0] != args[1]) other = fd_socket((__s32)args[1]);
    if (is_untold_udp(sk)) sk = 0;
    if (is_untold_udp(other)) other = 0;
    if (is_elsewhere(sk ? sk : other)) return 0;
    if (config.host_wide && (flags & SYSCALL_PROCESS) && !is_followed(tgid, bpf_get_current_task_btf())) return 0;
    if ((flags & (SYSCALL_FD_0 | SYSCALL_DUP | SYSCALL_EPOLL_CTL)) && !(flags & SYSCALL_EPOLL_WAIT) && !sk && !other) return 0;

    const struct call_begin begin = {args, (__u64)number, sk, file, flags, second};

    if (config.only_ports && !(flags & (SYSCALL_RANGE | SYSCALL_PROCESS)) && !is_chosen(sk) && !is_chosen(other) &&
        !names_chosen(flags, args)) {
        late_note(thread, &begin);
        return 0;
    }

    struct record_call *call = RING_RESERVE(struct record_call, sizeof(struct record_call));

    if (!call) return ring_full();
    __builtin_memset(call, 0, __builtin_offsetof(struct record_call, watch)); /* of the rest, what is counted is written */
    head_fill(&call->head, RECORD_ENTER);
    call->number = (__u32)number;
    if (config.host_wide) call->cgroup = (__u32)bpf_get_current_cgroup_id();
    call->second = second;
    __builtin_memcpy(call->args, args, sizeof(args));
    if (sk) socket_describe(&call->socket, sk, SOCKET_CREATE);
    if (other) socket_describe(&call->other, other, SOCKET_CREATE);
    if (flags & SYSCALL_POLL) watch_poll(call, 0);
    if (flags & SYSCALL_SELECT) watch_select(call);
    if (flags & SYSCALL_RANGE) watch_range(call);
    if ((flags & (SYSCALL_POLL | SYSCALL_SELECT | SYSCALL_RANGE)) && !call->watch_total) {
        bpf_ringbuf_discard(call, 0);
        return 0;
    }
    memory_read(call, flags);
    if (flags & SYSCALL_EPOLL_CTL) {
        call->watch_count = call->watch_total = 1;
        call->watch[0].id = call->socket.id;
        call->watch[0].data = call->epoll_data;
        call->watch[0].events = call->epoll_events;
    }
    if (call->socket.state == STATE_LISTEN) listener_learn(sk);
    port_use(&call->socket);
    if (config.host_wide) process_note(tgid);
    if (!(flags & SYSCALL_NO_RETURN)) {
        thread = thread_enters(thread, &begin);
        if (thread) {
            thread->socket = call->socket;
            thread->other = call->other;
        }
    }
    RING_SUBMIT(call);
    return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
    return is_skipped(PROGRAM_SYS_ENTER) ? 0 : call_begins(regs, number);
}
SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter_again, struct pt_regs *regs, long number)
{
    return call_begins(regs, number);
}

/* A call that began before recording: what can be known of it at its end. */
static __always_inline int stranger_is_wanted(__u32 flags, const __u64 *args, long ret)
{
    __s32 fd = call_fd(flags, args);
    __u64 sk;

    if (flags & (SYSCALL_EPOLL_WAIT | SYSCALL_POLL | SYSCALL_SELECT)) return 1;
    sk = (flags & SYSCALL_FD_0) && fd >= 0 ? fd_socket(fd) : 0;
    if (!sk || is_elsewhere(sk) || is_untold_udp(sk)) return 0;
    return !config.only_ports || is_chosen(sk) || ((flags & SYSCALL_NEW_FD) && ret >= 0 && is_chosen(fd_socket((__s32)ret)));
}

/* Whether the call that ends is the one that this thread was seen to begin: else its end, and this one's beginning, went unseen.
 * execve() leaves other registers. */
static __always_inline int is_same_call(const struct thread_state *thread, const __u64 *args, __u64 number)
{
    __u64 differs = thread->born ^ bpf_get_current_task_btf()->start_time;

    differs |= (__u32)number ^ thread->number;
    if (thread->flags & SYSCALL_PROCESS) return !differs;
    for (int i = 0; i < 6; i++) differs |= args[i] ^ thread->args[i];
    return !differs;
}

/* Whether the running task is in, or on its way back from, another call than the one that was recorded of it last. */
__noinline int call_is_another(void)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
    __u32 tid = (__u32)bpf_get_current_pid_tgid();
    struct thread_state *thread = bpf_map_lookup_elem(&threads, &tid);
    __u64 args[6] = CALL_ARGS(regs);

    return !thread || !is_same_call(thread, args, CALL_NUMBER(regs));
}

/* How long a call slept is known where all was seen that the kernel counts: that it never did, too. */
static __always_inline void sleep_fill(struct record_call *call, const struct thread_state *thread)
{
    __u64 waits = thread_waits() - thread->waits;

    call->slept_ns = (__s64)thread->slept_ns;
    if (thread->unsure || thread->sleeping || waits != thread->switches) call->slept_ns = -1;
    call->wake_unseen = waits > thread->woke;
}

/* The call's socket once more, because addresses may be known only now; but not another socket that took the descriptor meanwhile,
 * be it at the same address: behind a close() another thread's socket() may have both at once. Gives what is behind the descriptor.
 */
static __always_inline __u64 socket_again(struct record_call *call, const struct thread_state *thread, __u32 flags,
                                          const __u64 *args)
{
    __s32 fd = call->second ? (__s32)args[2] : call_fd(flags, args);
    __u64 file = fd >= 0 ? fd_file(fd) : 0, sk, id;

    /* The same file, and what its socket was is still what it was: as it is nearly always. */
    if (file && thread && thread->file == file && thread->socket.id &&
        socket_glance(&call->socket, thread->sk) == thread->socket.id)
        return thread->sk;
    if (thread) call->socket = thread->socket;
    sk = file ? file_socket(file) : 0;
    if (!sk || (thread && thread->sk != sk)) return sk;
    id = socket_id(sk, SOCKET_CREATE);
    if (!thread || !thread->socket.id || thread->socket.id == id) socket_fill(&call->socket, sk, id);
    return sk;
}

static __always_inline int call_ends(struct pt_regs *regs, long ret)
{
    __u32 tgid = (__u32)(bpf_get_current_pid_tgid() >> 32), tid = (__u32)bpf_get_current_pid_tgid();

    if (config.host_wide ? !call_is_wanted(CALL_NUMBER(regs), regs) : !is_followed(tgid, bpf_get_current_task_btf())) return 0;
    if (config.twice && !is_first_to_see(tid, 1)) return 0;

    struct thread_state *thread = thread_in_call(tid);
    __u64 args[6] = CALL_ARGS(regs), number = CALL_NUMBER(regs), sk;
    __u32 flags;

    if (thread && !is_same_call(thread, args, number)) {
        thread_leaves(thread);
        return 0;
    }
    if (thread && thread->untold && !late_on_end(thread, args, ret)) {
        thread_leaves(thread);
        return 0;
    }
    if (thread) {
        number = thread->number;
        flags = thread->flags;
        __builtin_memcpy(args, thread->args, sizeof(args));
    } else {
        if (!config.host_wide && !bpf_map_lookup_elem(&strangers, &tid)) return 0;
        bpf_map_delete_elem(&strangers, &tid);
        flags = call_is_compat() ? 0 : call_flags(number);
        if (!flags || !stranger_is_wanted(flags, args, ret)) return 0;
    }

    struct record_call *call = RING_RESERVE(struct record_call, sizeof(struct record_call));

    if (!call) {
        ring_full();
        thread_leaves(thread);
        return 0;
    }
    __builtin_memset(call, 0, __builtin_offsetof(struct record_call, watch)); /* of the rest, what is counted is written */
    head_fill(&call->head, RECORD_EXIT);
    call->number = (__u32)number;
    if (config.host_wide) call->cgroup = (__u32)bpf_get_current_cgroup_id();
    __builtin_memcpy(call->args, args, sizeof(args));
    call->ret = ret;
    call->slept_ns = -1;
    if (thread) {
        sleep_fill(call, thread);
        call->other = thread->other;
        call->second = thread->second;
    }
    sk = socket_again(call, thread, flags, args);
    if ((flags & SYSCALL_NEW_FD) && ret >= 0) {
        sk = fd_socket((__s32)ret);
        if (sk && (flags & SYSCALL_SOCKET))
            socket_describe(&call->socket, sk, SOCKET_BORN);
        else if (sk)
            socket_describe(&call->other, sk, SOCKET_CREATE);
    }
    if (ret > 0 && (flags & SYSCALL_POLL)) watch_poll(call, 1);
    if (ret > 0 && (flags & SYSCALL_SELECT)) watch_select(call);
    if (ret > 0 && (flags & SYSCALL_EPOLL_WAIT)) watch_epoll(call, ret);
    if (call->socket.state == STATE_LISTEN) listener_learn(thread ? thread->sk : sk);
    if (!thread || thread->socket.local.port != call->socket.local.port) port_use(&call->socket);
    port_use(&call->other);
    thread_leaves(thread);
    RING_SUBMIT(call);
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
    return is_skipped(PROGRAM_SYS_EXIT) ? 0 : call_ends(regs, ret);
}
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit_again, struct pt_regs *regs, long ret)
{
    return call_ends(regs, ret);
}

#endif
