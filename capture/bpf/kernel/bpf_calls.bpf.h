/* System calls of the followed processes. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_CALLS_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_CALLS_BPF_H

#include "bpf_listener.bpf.h"
#include "bpf_process.bpf.h"
#include "bpf_watch.bpf.h"
#include "capture/syscalls.h"

#if defined(__TARGET_ARCH_x86)
enum { STATUS_COMPAT = 2 /* TS_COMPAT */ };
#define CALL_ARGS(regs)                                                                                                            \
    {                                                                                                                              \
        (regs)->di, (regs)->si, (regs)->dx, (regs)->r10, (regs)->r8, (regs)->r9                                                    \
    }
#define CALL_NUMBER(regs) ((__u64)(regs)->orig_ax)
#else
enum { FLAG_32BIT_BIT = 22 /* TIF_32BIT */ };
#define CALL_ARGS(regs)                                                                                                            \
    {                                                                                                                              \
        (regs)->orig_x0, (regs)->regs[1], (regs)->regs[2], (regs)->regs[3], (regs)->regs[4], (regs)->regs[5]                       \
    }
#define CALL_NUMBER(regs) ((__u64)(__s64)(regs)->syscallno)
#endif

/* A 32-bit call has other numbers. */
static __always_inline int call_is_compat(void)
{
    struct task_struct *task = bpf_get_current_task_btf();
#if defined(__TARGET_ARCH_x86)
    return (task->thread_info.status & STATUS_COMPAT) != 0;
#else
    return (task->thread_info.flags >> FLAG_32BIT_BIT & 1) != 0;
#endif
}

/* The table's flags of a call that is recorded, 0 for the others. */
static __always_inline __u32 call_flags(__u64 number)
{
    __u32 key = (__u32)number;
    __u32 *flags = number < RECORD_SYSCALLS_MAX ? bpf_map_lookup_elem(&syscalls, &key) : 0;

    return flags ? *flags : 0;
}

/* socket(): only what can become a TCP or UDP socket. */
static __always_inline int call_makes_socket(const __u64 *args)
{
    __u32 type = (__u32)args[1] & 15, protocol = (__u32)args[2];

    if (!family_is_inet((__u16)args[0]) || (type != TYPE_STREAM && type != TYPE_DGRAM)) return 0;
    if (type == TYPE_STREAM && protocol == PROTOCOL_MPTCP) return 1;
    return protocol == 0 || protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
}

/* fcntl(): only what copies a descriptor. */
static __always_inline int call_copies(const __u64 *args)
{
    return args[1] == SYSCALL_F_DUPFD || args[1] == SYSCALL_F_DUPFD_CLOEXEC;
}

/* The descriptor a call works on; -1 none. */
static __always_inline __s32 call_fd(__u32 flags, const __u64 *args)
{
    if (flags & SYSCALL_EPOLL_CTL) return (__s32)args[2];
    if (flags & (SYSCALL_FD_0 | SYSCALL_DUP)) return (__s32)args[0];
    return -1;
}

__noinline int memory_read(struct record_call *call, __u32 flags)
{
    __u64 at = 0, length = 0;

    if (!call) return 0;
    if (flags & SYSCALL_SOCKADDR_1) {
        at = call->args[1];
        length = call->args[2];
    } else if (flags & SYSCALL_SOCKADDR_4) {
        at = call->args[4];
        length = call->args[5];
    } else if (flags & SYSCALL_MSG_1) {
        struct {
            __u64 name;
            __u32 length, pad;
        } message = {0, 0, 0}; /* how struct msghdr begins */

        if (bpf_probe_read_user(&message, sizeof(message), (void *)call->args[1])) count(COUNT_MEMORY_UNREAD);
        at = message.name;
        length = message.length;
    }
    if (flags & (SYSCALL_PATH_0 | SYSCALL_PATH_1)) {
        long got = bpf_probe_read_user_str(call->address, RECORD_ADDRESS_BYTES, (void *)call->args[flags & SYSCALL_PATH_1 ? 1 : 0]);

        if (got > 0)
            call->address_bytes = (__u32)got - 1;
        else
            count(COUNT_MEMORY_UNREAD);
    }
    length &= 0xffffffff;
    if (length > RECORD_ADDRESS_BYTES) length = RECORD_ADDRESS_BYTES;
    if (at && length) {
        if (bpf_probe_read_user(call->address, (__u32)length, (void *)at))
            count(COUNT_MEMORY_UNREAD);
        else
            call->address_bytes = (__u32)length;
    }
    if (flags & SYSCALL_SOCKOPT) {
        __u32 bytes = (__u32)call->args[4] >= 8 ? 8 : (__u32)call->args[4] >= 4 ? 4 : 0;

        if (bytes == 8 && bpf_probe_read_user(call->option_value, 8, (void *)call->args[3])) bytes = 0;
        if (bytes == 4 && bpf_probe_read_user(call->option_value, 4, (void *)call->args[3])) bytes = 0;
        call->option_bytes = bytes;
    }
    if ((flags & SYSCALL_EPOLL_CTL) && call->args[3]) {
        struct epoll_record event = {.events = 0, .data = 0};

        if (bpf_probe_read_user(&event, sizeof(event), (void *)call->args[3])) count(COUNT_MEMORY_UNREAD);
        call->epoll_events = event.events;
        call->epoll_data = event.data;
    }
    return 0;
}

/* How often the running thread has left the CPU to wait, as the kernel counts it. */
static __always_inline __u64 thread_waits(void)
{
    return bpf_get_current_task_btf()->nvcsw;
}

/* Of a network that is not looked at. */
static __always_inline int is_elsewhere(__u64 sk)
{
    return config.netns_count && sk && !netns_wanted(socket_netns((const struct sock *)sk));
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
    __u32 tgid = (__u32)(bpf_get_current_pid_tgid() >> 32), tid = (__u32)bpf_get_current_pid_tgid(), zero = 0;

    if (is_skipped(PROGRAM_SYS_ENTER)) return 0;
    if (config.host_wide ? !call_flags((__u64)number) : !is_followed(tgid, bpf_get_current_task_btf())) return 0;

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
    if (is_elsewhere(sk ? sk : other)) return 0;
    if ((flags & (SYSCALL_FD_0 | SYSCALL_DUP | SYSCALL_EPOLL_CTL)) && !(flags & SYSCALL_EPOLL_WAIT) && !sk && !other) return 0;

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
        if (!thread) {
            struct thread_state *none = bpf_map_lookup_elem(&thread_zero, &zero);

            if (none) bpf_map_update_elem(&threads, &tid, none, BPF_NOEXIST);
            thread = bpf_map_lookup_elem(&threads, &tid);
        }
        if (thread) {
            if (!thread->in_call) entry_came(MAP_THREADS);
            thread->slept_ns = thread->off_ns = 0;
            thread->switches = thread->woke = 0;
            thread->sleeping = thread->woken_early = thread->unsure = 0;
            __builtin_memcpy(thread->args, args, sizeof(args));
            thread->number = (__u32)number;
            thread->flags = flags;
            thread->second = second;
            thread->sk = sk;
            thread->file = file;
            thread->born = bpf_get_current_task_btf()->start_time;
            thread->waits = thread_waits();
            thread->socket = call->socket;
            thread->other = call->other;
            thread->in_call = 1;
        }
    }
    RING_SUBMIT(call);
    return 0;
}

/* A call that began before recording: what can be known of it at its end. */
static __always_inline int stranger_is_wanted(__u32 flags, const __u64 *args)
{
    __s32 fd = call_fd(flags, args);
    __u64 sk;

    if (flags & (SYSCALL_EPOLL_WAIT | SYSCALL_POLL | SYSCALL_SELECT)) return 1;
    sk = (flags & SYSCALL_FD_0) && fd >= 0 ? fd_socket(fd) : 0;

    return sk && !is_elsewhere(sk);
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

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
    __u32 tgid = (__u32)(bpf_get_current_pid_tgid() >> 32), tid = (__u32)bpf_get_current_pid_tgid();

    if (is_skipped(PROGRAM_SYS_EXIT)) return 0;
    if (config.host_wide ? !call_flags(CALL_NUMBER(regs)) : !is_followed(tgid, bpf_get_current_task_btf())) return 0;

    struct thread_state *thread = thread_in_call(tid);
    __u64 args[6] = CALL_ARGS(regs), number = CALL_NUMBER(regs), sk;
    __u32 flags;

    if (thread && !is_same_call(thread, args, number)) {
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
        if (!flags || !stranger_is_wanted(flags, args)) return 0;
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

#endif
