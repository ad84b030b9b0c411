/* What a stopped thread is about to ask the kernel for, changed so that it comes to what it would without a tracer. Internal to the
 * ptrace recorder. At a stop that a seccomp filter made, and nowhere else. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_CHANGE_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_CHANGE_H

#include <linux/types.h>
#include <sys/types.h>

/* The call is not made, and returns -ENOSYS: what SECCOMP_RET_TRACE comes to where nobody traces, and a filter of the program's own
 * may rest on. */
void ptrace_change_refuse(pid_t tid);
/* clone() and clone3() with CLONE_UNTRACED: the child would have the recorder's filter and no tracer, and its recorded calls would
 * fail. So the flag goes. */
void ptrace_change_untraced(pid_t tid, long number, const __u64 args[6]);

#endif
