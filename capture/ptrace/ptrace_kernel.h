/* ptrace(2) as the kernel has it. The C library's sys/ptrace.h can't stand beside linux/ptrace.h, which has the newer requests and
 * struct ptrace_syscall_info. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_KERNEL_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_KERNEL_H

#include <linux/ptrace.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* `data` is a number or an address, as the request has it. -1 and errno. */
static inline long ptrace_kernel(long request, pid_t tid, uintptr_t address, uintptr_t data)
{
    return syscall(SYS_ptrace, request, (long)tid, address, data);
}

#endif
