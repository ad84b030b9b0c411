/* The recorder that needs no privilege: ptrace(2) of a child and its descendants.
 *
 * A seccomp filter (ptrace_filter.h) stops a thread at the calls of the table and nowhere else. A recorded call has two stops:
 *
 *     PTRACE_EVENT_SECCOMP ── ENTER ── PTRACE_SYSCALL ──▶ the call ──▶ syscall-exit-stop ── EXIT ── PTRACE_CONT
 *
 * ENTER's time is taken right before the thread goes on, EXIT's at once: the interval holds the call and as little else as can be.
 * The exit stop comes before deferred work: a FIN of dup2 or execve leaves after EXIT. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/lang.h"
#include "capture/procinfo.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/ptrace_attach.h"
#include "capture/ptrace/ptrace_call.h"
#include "capture/ptrace/ptrace_filter.h"
#include "capture/ptrace/ptrace_kernel.h"
#include "capture/ptrace/ptrace_leave.h"
#include "capture/ptrace/ptrace_recorder.h"
#include "capture/ptrace/ptrace_stop.h"

enum {
    OPTIONS = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
              PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL,
    STOPS_A_DRAIN = 2000
};

static int recorder_open(struct calls **ret_calls, const struct calls_options *options, struct err *err)
{
    *ret_calls = NULL;
    int code = ptrace_probe(err);
    if (code) return code;
    struct calls *calls = calloc(1, sizeof(*calls));
    if (!calls || ptrace_tasks_init(&calls->tasks)) {
        free(calls);
        return err_set(err, -ENOMEM, "out of memory");
    }
    memcpy(calls->netns, options->netns, sizeof(calls->netns)); /* the other options are about kernel evidence */
    calls->netns_count = options->netns_count;
    calls->entered = options->entered;
    calls->entered_data = options->entered_data;
    *ret_calls = calls;
    return 0;
}

static int recorder_follow(struct calls *calls, pid_t pid, struct err *err)
{
    if (ptrace_kernel(PTRACE_SEIZE, pid, 0, OPTIONS)) {
        int code = -errno;
        return err_set_errno(err, code, "process %d can't be traced (is another debugger or strace on it?)", (int)pid);
    }
    if (followed_add(&calls->followed, pid)) return err_set(err, -ENOMEM, "out of memory");
    struct ptrace_task *task = ptrace_task_add(&calls->tasks, pid, pid);
    if (!task) return err_set(err, -ENOMEM, "out of memory");
    task->announced = true;
    task->filtered = true; /* until its exec shows otherwise: the filter can come at any moment */
    return 0;
}

static int recorder_attach(struct calls *calls, pid_t pid, struct err *err)
{
    if (ptrace_task_find(&calls->tasks, pid)) return 0; /* as the child of one that was given before */
    int code = ptrace_attach(&calls->tasks, pid, err);
    if (!code && followed_add(&calls->followed, pid)) code = err_set(err, -ENOMEM, "out of memory");
    return code;
}

static int recorder_fd(const struct calls *calls)
{
    (void)calls;
    return -1;
}

static int append_process(struct calls *calls, struct event_log *log, const struct ptrace_task *task, struct event_process process)
{
    struct event event = {.kind = EVENT_PROCESS, .t_ns = clock_wall_ns(), .process = process};
    event.process.thread.pid = task->pid;
    event.process.thread.tid = task->tid;
    memcpy(event.process.thread.comm, task->comm, sizeof(task->comm));
    return ptrace_append(calls, log, &event);
}

/* The threads of a process share the filter, and a child inherits it, as it does the manner in which its parent is followed. */
static void inherit(struct ptrace_task *task, const struct ptrace_task *parent)
{
    task->marked |= parent->marked;
    task->filtered |= parent->filtered;
    task->attached |= parent->attached;
}

static struct ptrace_task *task_begin(struct calls *calls, struct event_log *log, pid_t tid, const struct ptrace_task *parent)
{
    int pid = procinfo_status(tid, "Tgid");
    if (pid == -1) return NULL; /* it came and went between two looks */
    struct ptrace_task *task = ptrace_task_add(&calls->tasks, pid, tid);
    if (!task) {
        calls->unseen++;
        return NULL;
    }
    if (!parent) parent = ptrace_task_find(&calls->tasks, pid == tid ? procinfo_status(tid, "PPid") : pid);
    if (parent) inherit(task, parent);
    if (pid == tid) {
        int from = parent ? parent->pid : procinfo_status(tid, "PPid");
        append_process(calls, log, task, (struct event_process){.change = PROCESS_FORK, .parent = from > 0 ? from : 0});
    }
    return task;
}

static int on_exec(struct calls *calls, struct event_log *log, pid_t pid, pid_t former)
{
    struct ptrace_task *task = ptrace_task_exec(&calls->tasks, pid, former);
    if (!task) return 0;
    task->filtered = task->marked; /* with the filter, this very execve would have stopped at it */
    ptrace_files_exec(task);
    task->named_ns = 0;
    ptrace_task_name(task);
    if (procinfo_is_32_bit(pid)) calls->foreign++;
    if (procinfo_is_unraised(pid)) calls->unraised++;
    return append_process(calls, log, task, (struct event_process){.change = PROCESS_EXEC});
}

static int on_end(struct calls *calls, struct event_log *log, pid_t tid, int status)
{
    followed_end(&calls->followed, tid, status);
    const struct ptrace_task *task = ptrace_task_find(&calls->tasks, tid);
    if (!task) return 0;
    int code = 0;
    if (task->tid == task->pid) /* the kernel reports the first thread's end last: it is the process's */
        code = append_process(calls, log, task, followed_exit(status));
    ptrace_task_end(&calls->tasks, tid);
    return code;
}

static void begin_child(struct calls *calls, struct event_log *log, struct ptrace_task *task, pid_t tid)
{
    struct ptrace_task *child = ptrace_task_find(&calls->tasks, tid);
    bool has_stopped = child;
    if (child)
        inherit(child, task);
    else
        child = task_begin(calls, log, tid, task);
    if (!child) {
        ptrace_files_lost(task);
        return;
    }
    ptrace_files_born(task, child, has_stopped);
    child->announced = true;
}

/* `task` says that it made a process or a thread. */
static void on_birth(struct calls *calls, struct event_log *log, struct ptrace_task *task, pid_t tid)
{
    if (ptrace_task_born(&calls->tasks, tid))
        begin_child(calls, log, task, tid);
    else
        ptrace_files_lost(task);
}

static pid_t message_of(pid_t tid)
{
    unsigned long message = 0;
    ptrace_kernel(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&message);
    return (pid_t)message;
}

/* One stop of a thread: what it says, then on. */
static int on_stop(struct calls *calls, struct event_log *log, pid_t tid, int status, int64_t t_ns)
{
    int code = 0;
    enum ptrace_stop stop = ptrace_stop_of(status);
    if (stop == PTRACE_STOP_EXEC) code = on_exec(calls, log, tid, message_of(tid));
    /* A new child may report before its parent reports having made it. */
    struct ptrace_task *task = ptrace_task_find(&calls->tasks, tid);
    if (!task && stop != PTRACE_STOP_EXEC) task = task_begin(calls, log, tid, NULL);
    if (stop == PTRACE_STOP_GROUP) {
        ptrace_kernel(PTRACE_LISTEN, tid, 0, 0); /* it stays stopped, as whoever sent the signal wants */
        followed_stop(&calls->followed, tid, WSTOPSIG(status));
        return 0;
    }
    if (!task) {
        ptrace_kernel(PTRACE_CONT, tid, 0, (uintptr_t)ptrace_stop_signal(status));
        return code;
    }
    if (stop == PTRACE_STOP_FILTER) return ptrace_call_filter(calls, log, task);
    if (stop == PTRACE_STOP_CALL) return ptrace_call_stop(calls, log, task, t_ns);
    if (stop == PTRACE_STOP_BIRTH) on_birth(calls, log, task, message_of(tid));
    if (stop == PTRACE_STOP_SEIZED && task->interrupted) {
        task->interrupted = false;
        task->goes_on = ptrace_attach_mend(task);
    }
    ptrace_call_resume(task, ptrace_stop_signal(status));
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
        if (tid == 0 && stops) tid = ptrace_wait(&calls->wait, &status);
        if (tid == -1 || !tid) break; /* with WNOHANG no signal ends it */
        int64_t t_ns = clock_wall_ns();
        code = WIFSTOPPED(status) ? on_stop(calls, log, tid, status, t_ns) : on_end(calls, log, tid, status);
    }
    if (code) return err_set(err, code, "out of memory for recorded calls");
    return (int)(calls->appended - before);
}

static bool recorder_ended(const struct calls *calls, pid_t pid, int *ret_status)
{
    return followed_ended(&calls->followed, pid, ret_status);
}

static int recorder_stopped(struct calls *calls, pid_t pid)
{
    return followed_stopped(&calls->followed, pid);
}

static bool recorder_alive(struct calls *calls)
{
    return table_count(calls->tasks.by_tid) > 0;
}

static int append_lost(struct event_log *log, const char *what, uint64_t received, uint64_t count)
{
    struct event event = {
        .kind = EVENT_LOST, .t_ns = clock_wall_ns(), .lost = {.source = "ptrace", .received = received, .count = count}};
    snprintf(event.lost.what, sizeof(event.lost.what), "%s", what);
    return event_log_append(log, &event);
}

static int recorder_report(struct calls *calls, struct event_log *log, struct err *err)
{
    const struct {
        const char *what;
        uint64_t count;
    } others[] = {
        {TR("32-bit programs"), calls->foreign},
        {TR("sockets in another network"), calls->elsewhere},  /* captures are where they were begun */
        {TR("set-user-ID rights not given"), calls->unraised}, /* for want of the right to install a filter otherwise */
    };
    int code = append_lost(log, TR("could not be seen"), calls->appended, calls->unseen);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (!code && others[i].count) code = append_lost(log, others[i].what, 0, others[i].count);
    return code ? err_set(err, code, "out of memory for events") : 0;
}

static void recorder_close(struct calls *calls)
{
    if (!calls) return;
    ptrace_leave(&calls->tasks);
    ptrace_tasks_free(&calls->tasks);
    free(calls->followed.entries);
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
    .attach = recorder_attach,
    .report = recorder_report,
    .close = recorder_close,
};
