/* How the ptrace recorder gets hold of a process that runs already. Internal to that recorder.
 *
 * There is no filter in such a process: each of its threads stops at the entry and the exit of every system call (PTRACE_SYSCALL),
 * the recorded and the others, which costs it two switches to the recorder and back for each. It outlives the recorder: when that
 * ends, the kernel lets go of what it still held. Rests on ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_ATTACH_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_ATTACH_H

#include "base/err.h"
#include "capture/ptrace/ptrace_task.h"

/* Seizes all threads of the process, those it makes meanwhile too, adds them (attached) and asks each to stop once. 0; -ESRCH:
 * there is no such process; -EPERM with a sentence that names who traces it already, or what is missing. */
int ptrace_attach(struct ptrace_tasks *tasks, pid_t pid, struct err *err);

/* At a thread's stop that PTRACE_INTERRUPT made. A call that it slept in goes on as if nothing had been: most do so by themselves
 * (signal(7)); those that would tell the program EINTR (epoll_wait, a socket with a timeout) are begun again, their timeouts too.
 * True: the thread slept in a call, and `raw` is that call. On arm64 the kernel has settled this by then: false, and such a call
 * ends with EINTR. */
bool ptrace_attach_mend(struct ptrace_task *task);

/* What it is made of: whether a call that was to return `ret` goes on by itself, with what it is then to return, and whether that
 * is by restart_syscall(2) (ERESTART_RESTARTBLOCK of linux/errno.h). */
bool ptrace_attach_goes_on(int64_t ret, int64_t *ret_goes_on, bool *ret_restartable);
/* The sentence for a process that could not be seized (-errno), which `tracer` (0: nobody) traces, where kernel.yama.ptrace_scope
 * is that. Returns `code`. */
int ptrace_attach_refused(pid_t pid, int code, pid_t tracer, int yama_scope, struct err *err);

#endif
