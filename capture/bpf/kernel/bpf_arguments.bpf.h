/* A system call's number and arguments, and what these point to. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_ARGUMENTS_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_ARGUMENTS_BPF_H

#include "bpf_watch.bpf.h"
#include "capture/syscalls.h"

/* The same on both architectures. */
enum { LEVEL_SOCKET = 1 /* SOL_SOCKET */, NAME_LINGER = 13, LEVEL_TCP = 6 /* IPPROTO_TCP */, NAME_DEFER_ACCEPT = 9 };

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

/* setsockopt() of a whole host: only what a connection's beginning or end rests on. */
static __always_inline int call_sets_course(const __u64 *args)
{
    __u32 level = (__u32)args[1], name = (__u32)args[2];

    return (level == LEVEL_SOCKET && name == NAME_LINGER) || (level == LEVEL_TCP && name == NAME_DEFER_ACCEPT);
}

/* What a call is asked for is of no interest: nearly every fcntl(), and of a whole host nearly every setsockopt(). */
static __always_inline int call_is_passed_over(__u32 flags, struct pt_regs *regs)
{
    __u64 args[6] = CALL_ARGS(regs);

    if (flags & SYSCALL_FCNTL) return !call_copies(args);
    return config.host_wide && (flags & SYSCALL_SOCKOPT) && !call_sets_course(args);
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

#endif
