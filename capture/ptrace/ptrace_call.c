#include "capture/ptrace/ptrace_call.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/syscall.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#endif

#include "base/clock.h"
#include "capture/procinfo.h"
#include "capture/ptrace/ptrace_change.h"
#include "capture/ptrace/ptrace_filter.h"
#include "capture/ptrace/ptrace_kernel.h"
#include "capture/ptrace/ptrace_look.h"

#if defined(__x86_64__)
enum { NATIVE_ARCH = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_ARCH = (int)AUDIT_ARCH_AARCH64 };
#else
#error "the ptrace recorder's table of system calls is for x86-64 and arm64"
#endif

int ptrace_append(struct calls *calls, struct event_log *log, const struct event *event)
{
    int code = event_log_append(log, event);
    if (code) {
        calls->unseen++;
        return code;
    }
    calls->appended++;
    return 0;
}

/* PTRACE_SYSCALL_INFO_NONE: the thread is gone, or it could not be seen, which is counted. */
static struct ptrace_syscall_info call_info(struct calls *calls, pid_t tid)
{
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof(info));
    if (ptrace_kernel(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), (uintptr_t)&info) == -1) {
        if (errno != ESRCH) calls->unseen++;
        info.op = PTRACE_SYSCALL_INFO_NONE;
    }
    return info;
}

static void count_lost_looks(struct calls *calls, struct ptrace_task *task)
{
    calls->unseen += task->lost_looks;
    task->lost_looks = 0;
}

void ptrace_call_resume(const struct ptrace_task *task, int signal)
{
    ptrace_kernel(task->in_call || task->attached ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, 0, (uintptr_t)signal);
}

/* At the entry of a call, `raw` set. It goes on before anything is written down. */
static int enter(struct calls *calls, struct event_log *log, struct ptrace_task *task)
{
    bool goes_on = task->goes_on;
    task->goes_on = false;
    task->row = syscall_find(task->raw.number);
    bool recorded = false;
    if (task->row) {
        recorded = ptrace_look_enter(task);
        ptrace_files_entered(task);
        task->in_call = recorded && !(task->row->flags & SYSCALL_NO_RETURN);
    }
    int64_t t_ns = clock_wall_ns();
    ptrace_call_resume(task, 0);

    count_lost_looks(calls, task);
    if (!recorded) return 0;
    ptrace_task_name(task); /* it may have got another meanwhile */
    memcpy(task->enter.thread.comm, task->comm, sizeof(task->comm));
    if (goes_on) return 0; /* it began before anybody looked: its EXIT alone is told */
    struct event event = {.kind = EVENT_ENTER, .t_ns = t_ns, .call = task->enter};
    event.call.other = (struct event_socket){0}; /* told at EXIT, when it is known to have been closed */
    return ptrace_append(calls, log, &event);
}

/* Whether there is something to look at: restart_syscall goes on with the call before it. */
static bool take_call(struct ptrace_task *task, long number, const __u64 args[6])
{
    bool restartable = task->restartable;
    task->restartable = false;
    if (number == SYS_prctl) task->named_ns = 0; /* it may name itself */
    if (number == SYS_seccomp) task->files.supervised = true;
    if (number == SYS_io_uring_setup || number == SYS_io_uring_enter) task->all->has_rings = true;
    if (number == SYS_setns || number == SYS_unshare) task->at_home = false;
    if (number == SYS_restart_syscall) return restartable;
    task->raw = (struct syscall_raw){.number = number};
    memcpy(task->raw.args, args, sizeof(task->raw.args));
    return true;
}

/* What a filter's stop is for but for a call. */
static bool is_no_call(struct ptrace_task *task, const struct ptrace_syscall_info *info)
{
    if ((info->seccomp.ret_data & 0xffff) != PTRACE_FILTER_MARK) { /* a filter of its own, and no tracer of its own */
        ptrace_change_refuse(task->tid);
        return true;
    }
    if ((int)info->arch != NATIVE_ARCH) return true;
    task->marked = task->filtered = true;
    if (info->seccomp.nr != SYS_clone && info->seccomp.nr != SYS_clone3) return false;
    ptrace_change_untraced(task->tid, (long)info->seccomp.nr, info->seccomp.args);
    return true;
}

int ptrace_call_at_filter(struct calls *calls, struct event_log *log, struct ptrace_task *task,
                          const struct ptrace_syscall_info *info)
{
    task->in_call = false;
    bool is_call = info->op == PTRACE_SYSCALL_INFO_SECCOMP && !is_no_call(task, info) &&
                   take_call(task, (long)info->seccomp.nr, info->seccomp.args);
    if (is_call) return enter(calls, log, task);
    ptrace_call_resume(task, 0);
    return 0;
}

int ptrace_call_filter(struct calls *calls, struct event_log *log, struct ptrace_task *task)
{
    struct ptrace_syscall_info info = call_info(calls, task->tid);
    return ptrace_call_at_filter(calls, log, task, &info);
}

/* In a network where no packets are captured: whoever can may begin to, as it stands still. */
static bool is_elsewhere(struct calls *calls, struct ptrace_task *task)
{
    if (task->network && task->network == calls->home) {
        task->at_home = true;
        task->netns = calls->home_netns;
        return false;
    }
    uint64_t there = task->netns = procinfo_netns(task->tid);
    bool is_known = !there || (!calls->netns_count && there == procinfo_netns(0));
    for (size_t i = 0; i < calls->netns_count; i++) is_known |= there == calls->netns[i];
    if (is_known && there) {
        calls->home = task->network;
        calls->home_netns = there;
    }
    return !is_known && !(calls->entered && calls->entered(calls->entered_data, task->tid, there));
}

static int on_call_exit(struct calls *calls, struct event_log *log, struct ptrace_task *task, int64_t ret, int64_t t_ns)
{
    struct event event = {.kind = EVENT_EXIT, .t_ns = t_ns};
    bool can_wait = ptrace_look_can_wait(task);
    if (!can_wait) ptrace_look_exit(task, ret, &event.call);
    bool makes = task->row->flags & SYSCALL_SOCKET && ret >= 0;
    if (makes && !can_wait && is_elsewhere(calls, task)) calls->elsewhere++;
    task->in_call = false;
    ptrace_call_resume(task, 0);

    if (can_wait) ptrace_look_exit(task, ret, &event.call);
    if (makes && event.call.socket.cookie) event.call.socket.netns = task->netns;
    count_lost_looks(calls, task);
    enum { RESTART_BLOCK = 516 }; /* ERESTART_RESTARTBLOCK of linux/errno.h */
    task->restartable = ret == -RESTART_BLOCK;
    return ptrace_append(calls, log, &event);
}

int ptrace_call_at_stop(struct calls *calls, struct event_log *log, struct ptrace_task *task,
                        const struct ptrace_syscall_info *info, int64_t t_ns)
{
    if (info->op == PTRACE_SYSCALL_INFO_EXIT && task->in_call) return on_call_exit(calls, log, task, info->exit.rval, t_ns);
    if (info->op == PTRACE_SYSCALL_INFO_ENTRY && task->attached) {
        task->in_call = false;
        bool is_call = (int)info->arch == NATIVE_ARCH && take_call(task, (long)info->entry.nr, info->entry.args);
        if (is_call) return enter(calls, log, task);
    }
    ptrace_call_resume(task, 0);
    return 0;
}

int ptrace_call_stop(struct calls *calls, struct event_log *log, struct ptrace_task *task, int64_t t_ns)
{
    struct ptrace_syscall_info info = call_info(calls, task->tid);
    return ptrace_call_at_stop(calls, log, task, &info, t_ns);
}
