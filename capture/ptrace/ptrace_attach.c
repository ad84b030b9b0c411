#include "capture/ptrace/ptrace_attach.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "capture/procinfo.h"
#include "capture/ptrace/ptrace_kernel.h"

enum {
    OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC,
    PASSES_MAX = 100 /* over a process that makes threads faster than they are seized */
};

int ptrace_attach_refused(pid_t pid, int code, pid_t tracer, int yama_scope, struct err *err)
{
    char comm[EVENT_COMM_BYTES] = "?";
    if (code == -ESRCH) return err_set(err, code, "there is no process %d", (int)pid);
    if (code != -EPERM) return err_set_errno(err, code, "process %d can't be traced", (int)pid);
    if (tracer > 0) {
        procinfo_comm(tracer, comm);
        return err_set(err, code, "process %d is traced already, by %s[%d]", (int)pid, comm, (int)tracer);
    }
    if (yama_scope > 0)
        return err_set(err, code, "process %d can't be traced: kernel.yama.ptrace_scope allows it to root alone", (int)pid);
    return err_set(err, code,
                   "process %d can't be traced: it is another user's, or has more rights than this one (root may trace it)",
                   (int)pid);
}

static int seize(struct ptrace_tasks *tasks, pid_t pid, pid_t tid)
{
    if (ptrace_kernel(PTRACE_SEIZE, tid, 0, OPTIONS)) return -errno;
    struct ptrace_task *task = ptrace_task_add(tasks, pid, tid);
    if (!task) return -ENOMEM;
    task->attached = task->interrupted = task->announced = true;
    ptrace_kernel(PTRACE_INTERRUPT, tid, 0, 0);
    return 0;
}

/* One look at the threads that are there. The number of new ones, or the failure of the first thread; another that has ended
 * meanwhile, or was seized as the child of one that had been, is none. */
static int seize_new(struct ptrace_tasks *tasks, pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (!folder) return errno == ENOENT ? -ESRCH : -errno;
    int added = 0, code = 0;
    for (const struct dirent *entry; !code && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (ptrace_task_find(tasks, tid)) continue;
        code = seize(tasks, pid, tid);
        if (!code) added++;
        if (code != -ENOMEM && tid != pid) code = 0;
    }
    closedir(folder);
    return code ? code : added;
}

int ptrace_attach(struct ptrace_tasks *tasks, pid_t pid, struct err *err)
{
    int got = 1;
    for (int pass = 0; got > 0 && pass < PASSES_MAX; pass++) got = seize_new(tasks, pid);
    if (got >= 0) return 0;
    if (got == -ENOMEM) return err_set(err, got, "out of memory");
    return ptrace_attach_refused(pid, got, procinfo_status(pid, "TracerPid"),
                                 procinfo_number("/proc/sys/kernel/yama/ptrace_scope", 0), err);
}

enum { RESTART_SYS = 512, RESTART_NOINTR = 513, RESTART_NOHAND = 514, RESTART_BLOCK = 516 }; /* linux/errno.h */

bool ptrace_attach_goes_on(int64_t ret, int64_t *ret_goes_on, bool *ret_restartable)
{
    *ret_restartable = ret == -RESTART_BLOCK;
    *ret_goes_on = ret == -EINTR ? -RESTART_NOHAND : ret; /* a handler of its own still sees EINTR */
    switch (*ret_goes_on) {
    case -RESTART_SYS:
    case -RESTART_NOINTR:
    case -RESTART_NOHAND:
    case -RESTART_BLOCK:
        return true;
    default:
        return false;
    }
}

#if defined(__x86_64__)
bool ptrace_attach_mend(struct ptrace_task *task)
{
    struct user_regs_struct regs;
    struct iovec part = {.iov_base = &regs, .iov_len = sizeof(regs)};
    if (ptrace_kernel(PTRACE_GETREGSET, task->tid, NT_PRSTATUS, (uintptr_t)&part)) return false;
    int64_t number = (int64_t)regs.orig_rax, ret = (int64_t)regs.rax, goes_on;
    bool restartable;
    if (number == -1) return false; /* it ran, or took an interrupt */
    if (!ptrace_attach_goes_on(ret, &goes_on, &restartable)) return false;
    regs.rax = (unsigned long long)goes_on;
    if (goes_on != ret && ptrace_kernel(PTRACE_SETREGSET, task->tid, NT_PRSTATUS, (uintptr_t)&part)) return false;
    task->raw = (struct syscall_raw){.number = number, .args = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9}};
    task->restartable = restartable;
    return true;
}
#else
bool ptrace_attach_mend(struct ptrace_task *task)
{
    (void)task;
    return false;
}
#endif
