#include "capture/ptrace/ptrace_change.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "capture/ptrace/ptrace_kernel.h"

static void read_memory(pid_t tid, uint64_t address, uint64_t *ret_value)
{
    struct iovec here = {.iov_base = ret_value, .iov_len = sizeof(*ret_value)};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address,
                          .iov_len = sizeof(*ret_value)}; // NOLINT(performance-no-int-to-ptr)
    if (process_vm_readv(tid, &here, 1, &there, 1, 0) != (ssize_t)sizeof(*ret_value)) *ret_value = 0;
}

static void change_memory(pid_t tid, uint64_t address, uint64_t value)
{
    struct iovec here = {.iov_base = &value, .iov_len = sizeof(value)};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = sizeof(value)}; // NOLINT(performance-no-int-to-ptr)
    (void)process_vm_writev(tid, &here, 1, &there, 1, 0);
}

#if defined(__x86_64__)
void ptrace_change_refuse(pid_t tid)
{
    struct user_regs_struct regs;
    struct iovec part = {.iov_base = &regs, .iov_len = sizeof(regs)};
    if (ptrace_kernel(PTRACE_GETREGSET, tid, NT_PRSTATUS, (uintptr_t)&part)) return;
    regs.orig_rax = (unsigned long long)-1;
    regs.rax = (unsigned long long)-ENOSYS;
    (void)ptrace_kernel(PTRACE_SETREGSET, tid, NT_PRSTATUS, (uintptr_t)&part);
}

static void change_first(pid_t tid, uint64_t value)
{
    struct user_regs_struct regs;
    struct iovec part = {.iov_base = &regs, .iov_len = sizeof(regs)};
    if (ptrace_kernel(PTRACE_GETREGSET, tid, NT_PRSTATUS, (uintptr_t)&part)) return;
    regs.rdi = value;
    (void)ptrace_kernel(PTRACE_SETREGSET, tid, NT_PRSTATUS, (uintptr_t)&part);
}
#else
static void set_first(pid_t tid, uint64_t value)
{
    struct user_regs_struct regs;
    struct iovec part = {.iov_base = &regs, .iov_len = sizeof(regs)};
    if (ptrace_kernel(PTRACE_GETREGSET, tid, NT_PRSTATUS, (uintptr_t)&part)) return;
    regs.regs[0] = value;
    (void)ptrace_kernel(PTRACE_SETREGSET, tid, NT_PRSTATUS, (uintptr_t)&part);
}

void ptrace_change_refuse(pid_t tid)
{
    enum { SYSTEM_CALL_REGISTER = 0x404 }; /* NT_ARM_SYSTEM_CALL */
    int none = -1;
    struct iovec part = {.iov_base = &none, .iov_len = sizeof(none)};
    (void)ptrace_kernel(PTRACE_SETREGSET, tid, SYSTEM_CALL_REGISTER, (uintptr_t)&part);
    set_first(tid, (uint64_t)-ENOSYS);
}

static void change_first(pid_t tid, uint64_t value)
{
    set_first(tid, value);
}
#endif

void ptrace_change_untraced(pid_t tid, long number, const __u64 args[6])
{
    uint64_t flags = args[0];
    bool in_memory = number == SYS_clone3; /* struct clone_args begins with them */
    if (in_memory) read_memory(tid, args[0], &flags);
    if (!(flags & CLONE_UNTRACED)) return;
    if (in_memory)
        change_memory(tid, args[0], flags & ~(uint64_t)CLONE_UNTRACED);
    else
        change_first(tid, flags & ~(uint64_t)CLONE_UNTRACED);
}
