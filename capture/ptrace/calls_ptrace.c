/* The recorder that needs no privilege: ptrace(2) of a child and its descendants.
 *
 * A seccomp filter (ptrace_filter.h) stops a thread at the calls of the table and nowhere else. A recorded call has two stops:
 *
 *     PTRACE_EVENT_SECCOMP ── ENTER ── PTRACE_SYSCALL ──▶ the call ──▶ syscall-exit-stop ── EXIT ── PTRACE_CONT
 *
 * ENTER's time is taken right before the thread goes on, EXIT's at once: the interval holds the call and as little else as can be.
 * The exit stop comes before deferred work: a FIN of dup2 or execve leaves after EXIT. */
#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "capture/procinfo.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/ptrace_filter.h"
#include "capture/ptrace/ptrace_kernel.h"
#include "capture/ptrace/ptrace_leave.h"
#include "capture/ptrace/ptrace_look.h"

#if defined(__x86_64__)
enum { NATIVE_ARCH = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE_ARCH = (int)AUDIT_ARCH_AARCH64 };
#else
#error "the ptrace recorder's table of system calls is for x86-64 and arm64"
#endif

enum {
    OPTIONS = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
              PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL,
    SYSCALL_STOP = SIGTRAP | 0x80, /* what PTRACE_O_TRACESYSGOOD makes of it */
    STOPS_A_DRAIN = 2000
};

/* A process given to follow. */
struct direct {
    pid_t pid;
    bool ended;
    int status;
    int stop_signal; /* until it is asked for */
};

struct calls {
    struct ptrace_tasks tasks;
    struct direct *direct;
    size_t direct_count, direct_room;
    uint64_t appended, unseen, foreign;
};

static int recorder_open(struct calls **ret_calls, const struct calls_options *options, struct err *err)
{
    (void)options; /* all of them are about kernel evidence */
    *ret_calls = NULL;
    int code = ptrace_probe(err);
    if (code) return code;
    struct calls *calls = calloc(1, sizeof(*calls));
    if (!calls || ptrace_tasks_init(&calls->tasks)) {
        free(calls);
        return err_set(err, -ENOMEM, "out of memory");
    }
    *ret_calls = calls;
    return 0;
}

static int recorder_follow(struct calls *calls, pid_t pid, struct err *err)
{
    if (calls->direct_count == calls->direct_room) {
        size_t room = calls->direct_room ? calls->direct_room * 2 : 8;
        struct direct *direct = realloc(calls->direct, room * sizeof(direct[0]));
        if (!direct) return err_set(err, -ENOMEM, "out of memory");
        calls->direct = direct;
        calls->direct_room = room;
    }
    if (ptrace_kernel(PTRACE_SEIZE, pid, 0, OPTIONS)) {
        int code = -errno;
        return err_set_errno(err, code, "process %d can't be traced (is another debugger or strace on it?)", (int)pid);
    }
    calls->direct[calls->direct_count++] = (struct direct){.pid = pid};
    struct ptrace_task *task = ptrace_task_add(&calls->tasks, pid, pid);
    if (!task) return err_set(err, -ENOMEM, "out of memory");
    task->filtered = true; /* until its exec shows otherwise: the filter can come at any moment */
    return 0;
}

static int recorder_fd(const struct calls *calls)
{
    (void)calls;
    return -1;
}

static int append(struct calls *calls, struct event_log *log, const struct event *event)
{
    int code = event_log_append(log, event);
    if (code) {
        calls->unseen++;
        return code;
    }
    calls->appended++;
    return 0;
}

static int append_process(struct calls *calls, struct event_log *log, const struct ptrace_task *task, struct event_process process)
{
    struct event event = {.kind = EVENT_PROCESS, .t_ns = clock_wall_ns(), .process = process};
    event.process.thread.pid = task->pid;
    event.process.thread.tid = task->tid;
    memcpy(event.process.thread.comm, task->comm, sizeof(task->comm));
    return append(calls, log, &event);
}

/* Lets a stopped thread go on, to the exit stop of the call that it is in where there is one. Gone meanwhile: its end is reported.
 */
static void resume(const struct ptrace_task *task, int signal)
{
    ptrace_kernel(task->in_call ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, 0, (uintptr_t)signal);
}

/* The threads of a process share the filter, and a child inherits it. */
static void inherit(struct ptrace_task *task, const struct ptrace_task *parent)
{
    task->marked = task->marked || parent->marked;
    task->filtered = task->filtered || parent->filtered;
}

static struct ptrace_task *task_begin(struct calls *calls, struct event_log *log, pid_t tid, const struct ptrace_task *parent)
{
    int pid = procinfo_status(tid, "Tgid");
    if (pid <= 0) return NULL; /* it came and went between two looks */
    struct ptrace_task *task = ptrace_task_add(&calls->tasks, pid, tid);
    if (!task) {
        calls->unseen++;
        return NULL;
    }
    if (parent) inherit(task, parent);
    if (pid == tid) {
        int from = parent ? parent->pid : procinfo_status(tid, "PPid");
        append_process(calls, log, task, (struct event_process){.change = PROCESS_FORK, .parent = from > 0 ? from : 0});
    }
    return task;
}

static bool call_info(struct calls *calls, pid_t tid, uint8_t expected, struct ptrace_syscall_info *ret_info)
{
    memset(ret_info, 0, sizeof(*ret_info));
    if (ptrace_kernel(PTRACE_GET_SYSCALL_INFO, tid, sizeof(*ret_info), (uintptr_t)ret_info) < 0) {
        if (errno != ESRCH) calls->unseen++;
        return false;
    }
    return ret_info->op == expected;
}

static void count_lost_looks(struct calls *calls, struct ptrace_task *task)
{
    calls->unseen += task->lost_looks;
    task->lost_looks = 0;
}

static int on_enter(struct calls *calls, struct event_log *log, struct ptrace_task *task)
{
    struct ptrace_syscall_info info;
    task->in_call = false;
    if (!call_info(calls, task->tid, PTRACE_SYSCALL_INFO_SECCOMP, &info) || (int)info.arch != NATIVE_ARCH) return 0;
    if ((info.seccomp.ret_data & 0xffff) != PTRACE_FILTER_MARK) return 0;
    task->marked = task->filtered = true;

    long number = (long)info.seccomp.nr;
    if (number == SYS_prctl) { /* it names itself */
        task->named_ns = 0;
        return 0;
    }
    if (number == SYS_restart_syscall) {
        if (!task->restartable) return 0;
    } else {
        task->raw = (struct syscall_raw){.number = number};
        for (size_t i = 0; i < 6; i++) task->raw.args[i] = info.seccomp.args[i];
    }
    task->restartable = false;
    task->row = syscall_find(task->raw.number);
    if (!task->row) return 0;
    bool recorded = ptrace_look_enter(task);
    if (recorded) {
        ptrace_task_name(task); /* it may have got another meanwhile */
        memcpy(task->enter.thread.comm, task->comm, sizeof(task->comm));
    }
    count_lost_looks(calls, task);
    if (!recorded) return 0;

    struct event event = {.kind = EVENT_ENTER, .call = task->enter};
    event.call.other = (struct event_socket){0}; /* told at EXIT, when it is known to have been closed */
    task->in_call = !(task->row->flags & SYSCALL_NO_RETURN);
    event.t_ns = clock_wall_ns();
    return append(calls, log, &event);
}

static int on_exit_stop(struct calls *calls, struct event_log *log, struct ptrace_task *task, int64_t t_ns)
{
    struct ptrace_syscall_info info;
    if (!task->in_call || !call_info(calls, task->tid, PTRACE_SYSCALL_INFO_EXIT, &info)) return 0;
    struct event event = {.kind = EVENT_EXIT, .t_ns = t_ns};
    ptrace_look_exit(task, info.exit.rval, &event.call);
    count_lost_looks(calls, task);
    task->in_call = false;
    enum { RESTART_BLOCK = 516 }; /* ERESTART_RESTARTBLOCK of linux/errno.h */
    task->restartable = info.exit.rval == -RESTART_BLOCK;
    return append(calls, log, &event);
}

static int on_exec(struct calls *calls, struct event_log *log, pid_t pid, pid_t former)
{
    struct ptrace_task *task = ptrace_task_exec(&calls->tasks, pid, former);
    if (!task) return 0;
    task->filtered = task->marked; /* with the filter, this very execve would have stopped at it */
    task->named_ns = 0;
    ptrace_task_name(task);
    if (procinfo_is_32_bit(pid)) calls->foreign++;
    return append_process(calls, log, task, (struct event_process){.change = PROCESS_EXEC});
}

static int on_end(struct calls *calls, struct event_log *log, pid_t tid, int status)
{
    for (size_t i = 0; i < calls->direct_count; i++) {
        if (calls->direct[i].pid != tid || calls->direct[i].ended) continue;
        calls->direct[i].ended = true;
        calls->direct[i].status = status;
    }
    const struct ptrace_task *task = ptrace_task_find(&calls->tasks, tid);
    if (!task) return 0;
    int code = 0;
    if (task->tid == task->pid) /* the kernel reports the first thread's end last: it is the process's */
        code = append_process(calls, log, task,
                              (struct event_process){.change = PROCESS_EXIT,
                                                     .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                                                     .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0});
    ptrace_task_remove(&calls->tasks, tid);
    return code;
}

static bool stops_a_group(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void note_stopped(struct calls *calls, pid_t tid, int signal)
{
    for (size_t i = 0; i < calls->direct_count; i++)
        if (calls->direct[i].pid == tid) calls->direct[i].stop_signal = signal;
}

/* One stop of a thread: what it says, then on. */
static int on_stop(struct calls *calls, struct event_log *log, pid_t tid, int status, int64_t t_ns)
{
    int code = 0, signal = WSTOPSIG(status), event = status >> 16;
    unsigned long message = 0;
    /* A new child may report before its parent reports having made it. */
    struct ptrace_task *task = ptrace_task_find(&calls->tasks, tid);
    if (!task && event != PTRACE_EVENT_EXEC) task = task_begin(calls, log, tid, NULL);
    if (event && event != PTRACE_EVENT_SECCOMP && event != PTRACE_EVENT_STOP)
        ptrace_kernel(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&message);

    if (event == PTRACE_EVENT_STOP && stops_a_group(signal)) {
        ptrace_kernel(PTRACE_LISTEN, tid, 0, 0); /* it stays stopped, as whoever sent the signal wants */
        note_stopped(calls, tid, signal);
        return 0;
    }
    if (event == PTRACE_EVENT_EXEC) {
        code = on_exec(calls, log, tid, (pid_t)message);
        task = ptrace_task_find(&calls->tasks, tid);
    } else if (task && event == PTRACE_EVENT_SECCOMP) {
        code = on_enter(calls, log, task);
    } else if (task && (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)) {
        struct ptrace_task *child = ptrace_task_find(&calls->tasks, (pid_t)message);
        if (child)
            inherit(child, task);
        else if (message)
            task_begin(calls, log, (pid_t)message, task);
    } else if (task && !event && signal == SYSCALL_STOP) {
        code = on_exit_stop(calls, log, task, t_ns);
    }

    bool is_signal = !event && signal != SYSCALL_STOP;
    if (task)
        resume(task, is_signal ? signal : 0);
    else
        ptrace_kernel(PTRACE_CONT, tid, 0, is_signal ? (uintptr_t)signal : 0);
    return code;
}

static int recorder_drain(struct calls *calls, struct event_log *log, struct err *err)
{
    uint64_t before = calls->appended;
    int code = 0;
    for (int stops = 0; !code; stops++) {
        int status;
        /* Busy children could keep this loop for ever; what is left over announces itself again. */
        if (stops == STOPS_A_DRAIN) {
            kill(getpid(), SIGCHLD);
            break;
        }
        pid_t tid = waitpid(-1, &status, WNOHANG | __WALL);
        if (tid < 0 && errno == EINTR) continue;
        if (tid <= 0) break;
        int64_t t_ns = clock_wall_ns();
        code = WIFSTOPPED(status) ? on_stop(calls, log, tid, status, t_ns) : on_end(calls, log, tid, status);
    }
    if (code) return err_set(err, code, "out of memory for recorded calls");
    return (int)(calls->appended - before);
}

static bool recorder_ended(const struct calls *calls, pid_t pid, int *ret_status)
{
    for (size_t i = 0; i < calls->direct_count; i++) {
        if (calls->direct[i].pid != pid || !calls->direct[i].ended) continue;
        *ret_status = calls->direct[i].status;
        return true;
    }
    return false;
}

static int recorder_stopped(struct calls *calls, pid_t pid)
{
    for (size_t i = 0; i < calls->direct_count; i++) {
        if (calls->direct[i].pid != pid) continue;
        int signal = calls->direct[i].stop_signal;
        calls->direct[i].stop_signal = 0;
        return signal;
    }
    return 0;
}

static bool recorder_alive(struct calls *calls)
{
    return table_count(calls->tasks.by_tid) > 0;
}

static int recorder_report(struct calls *calls, struct event_log *log, struct err *err)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = clock_wall_ns()};
    event.lost =
        (struct event_lost){.source = "ptrace", .what = "could not be seen", .received = calls->appended, .count = calls->unseen};
    int code = event_log_append(log, &event);
    if (!code && calls->foreign) {
        event.lost = (struct event_lost){.source = "ptrace", .what = "32-bit programs", .count = calls->foreign};
        code = event_log_append(log, &event);
    }
    return code ? err_set(err, code, "out of memory for events") : 0;
}

static void recorder_close(struct calls *calls)
{
    if (!calls) return;
    ptrace_leave(&calls->tasks);
    ptrace_tasks_free(&calls->tasks);
    free(calls->direct);
    free(calls);
}

const struct calls_recorder calls_ptrace = {
    .name = "ptrace",
    .open = recorder_open,
    .child_setup = ptrace_filter_install,
    .follow = recorder_follow,
    .fd = recorder_fd,
    .drain = recorder_drain,
    .ended = recorder_ended,
    .stopped = recorder_stopped,
    .alive = recorder_alive,
    .report = recorder_report,
    .close = recorder_close,
};
