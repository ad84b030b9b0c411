#include "capture/ptrace/ptrace_leave.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "capture/procinfo.h"
#include "capture/ptrace/ptrace_attach.h"
#include "capture/ptrace/ptrace_kernel.h"
#include "capture/ptrace/ptrace_stop.h"

enum { PATIENCE_MS = 1000 }; /* all are certain to stop or end, unless a device holds them */

/* A thread can be let go only while it is stopped; a filtered one is killed instead. */
static void prepare(const struct ptrace_task *task)
{
    if (task->filtered)
        kill(task->pid, SIGKILL);
    else
        ptrace_kernel(PTRACE_INTERRUPT, task->tid, 0, 0);
}

/* A child that is only just being made: its parent's leave is its own. */
static struct ptrace_task *newborn(struct ptrace_tasks *tasks, pid_t tid, const struct ptrace_task *parent)
{
    if (!parent) parent = ptrace_task_find(tasks, procinfo_status(tid, "PPid"));
    struct ptrace_task *task = ptrace_task_add(tasks, procinfo_status(tid, "Tgid"), tid);
    if (task) {
        task->filtered = !parent || parent->filtered;
        task->attached = parent && parent->attached;
    }
    return task;
}

static void on_stop(struct ptrace_tasks *tasks, pid_t tid, int status)
{
    enum ptrace_stop stop = ptrace_stop_of(status);
    struct ptrace_task *task = ptrace_task_find(tasks, tid);
    if (!task) task = newborn(tasks, tid, NULL);
    if (!task || task->filtered) {
        kill(tid, SIGKILL);
        ptrace_kernel(PTRACE_CONT, tid, 0, 0);
        return;
    }
    /* A call that the interruption ended shows its exit first, which uses the interruption up (ptrace_stop in kernel/signal.c): the
     * stop where the call can be mended has to be asked for again. */
    if (task->attached && stop == PTRACE_STOP_CALL) {
        ptrace_kernel(PTRACE_INTERRUPT, tid, 0, 0);
        ptrace_kernel(PTRACE_CONT, tid, 0, 0);
        return;
    }
    unsigned long child = 0;
    if (stop == PTRACE_STOP_BIRTH && !ptrace_kernel(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&child) &&
        ptrace_task_born(tasks, (pid_t)child) && !ptrace_task_find(tasks, (pid_t)child))
        newborn(tasks, (pid_t)child, task);
    if (stop == PTRACE_STOP_SEIZED) ptrace_attach_mend(task);
    ptrace_kernel(PTRACE_DETACH, tid, 0, (uintptr_t)ptrace_stop_signal(status));
    task->left = true;
}

static bool any_followed(const struct ptrace_tasks *tasks)
{
    void *value;
    for (size_t cursor = 0; table_next(tasks->by_tid, &cursor, NULL, &value);)
        if (!((const struct ptrace_task *)value)->left) return true;
    return false;
}

/* All at once and not one after the other: the parent of a vfork stops only after its child has gone on, the first thread of a
 * process ends only after the others. */
void ptrace_leave(struct ptrace_tasks *tasks)
{
    void *value;
    for (size_t cursor = 0; table_next(tasks->by_tid, &cursor, NULL, &value);) prepare(value);
    for (int tries = 0; tries < PATIENCE_MS && any_followed(tasks);) {
        int status;
        pid_t tid = waitpid(-1, &status, WNOHANG | __WALL);
        if (tid == -1) return; /* nobody is left; with WNOHANG no signal ends it */
        if (!tid) {
            tries++;
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        } else if (WIFSTOPPED(status)) {
            on_stop(tasks, tid, status);
        } else {
            ptrace_task_end(tasks, tid);
        }
    }
}
