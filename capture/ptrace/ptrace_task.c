#include "capture/ptrace/ptrace_task.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/procinfo.h"
#include "capture/ptrace/sockinfo.h"

enum {
    HANDLES_MAX = 256, /* kept open at once; a thread beyond them gets one for each look */
    NAME_HOLDS_MS = 20 /* prctl(PR_SET_NAME) is seen; what another thread wrote to /proc/…/comm is not */
};

int ptrace_tasks_init(struct ptrace_tasks *tasks)
{
    tasks->handles = 0;
    tasks->has_rings = false;
    tasks->by_tid = table_new(sizeof(pid_t));
    tasks->ended_unborn = table_new(sizeof(pid_t));
    int code = tasks->by_tid && tasks->ended_unborn ? ptrace_sockets_init(&tasks->sockets) : -ENOMEM;
    if (!code) return 0;
    table_free(tasks->by_tid);
    table_free(tasks->ended_unborn);
    return code;
}

static void drop_handle(struct ptrace_task *task)
{
    if (task->handle == -1) return;
    close(task->handle);
    task->handle = -1;
    task->all->handles--;
}

static void task_free(struct ptrace_task *task)
{
    if (!task) return;
    drop_handle(task);
    ptrace_files_free(&task->files);
    free(task);
}

int ptrace_task_handle(struct ptrace_task *task)
{
    if (task->handle != -1) return task->handle;
    int handle = sockinfo_open(task->tid);
    if (handle >= 0 && task->all->handles < HANDLES_MAX) {
        task->handle = handle;
        task->all->handles++;
    }
    return handle;
}

void ptrace_task_give_back(const struct ptrace_task *task, int handle)
{
    if (handle != task->handle) close(handle);
}

bool ptrace_task_name_holds(int64_t named_ns, int64_t now_ns)
{
    /* The clock may have been set back: then it is read again. */
    return named_ns && now_ns >= named_ns && now_ns - named_ns < (int64_t)NAME_HOLDS_MS * 1000000;
}

void ptrace_task_name(struct ptrace_task *task)
{
    int64_t now_ns = clock_wall_ns();
    if (ptrace_task_name_holds(task->named_ns, now_ns)) return;
    procinfo_comm(task->tid, task->comm);
    task->named_ns = now_ns;
}

void ptrace_tasks_free(struct ptrace_tasks *tasks)
{
    if (!tasks->by_tid) return;
    void *task;
    for (size_t cursor = 0; table_next(tasks->by_tid, &cursor, NULL, &task);) task_free(task);
    ptrace_sockets_free(&tasks->sockets);
    table_free(tasks->by_tid);
    table_free(tasks->ended_unborn);
    tasks->by_tid = NULL;
}

struct ptrace_task *ptrace_task_find(const struct ptrace_tasks *tasks, pid_t tid)
{
    return table_get(tasks->by_tid, &tid);
}

struct ptrace_task *ptrace_task_add(struct ptrace_tasks *tasks, pid_t pid, pid_t tid)
{
    struct ptrace_task *task = calloc(1, sizeof(*task));
    if (!task) return NULL;
    task->all = tasks;
    task->pid = pid;
    task->tid = tid;
    task->handle = -1;
    ptrace_task_name(task);
    table_remove(tasks->ended_unborn, &tid); /* of another with this number */
    if (!table_put(tasks->by_tid, &tid, task)) return task;
    free(task);
    return NULL;
}

void ptrace_task_remove(struct ptrace_tasks *tasks, pid_t tid)
{
    task_free(table_remove(tasks->by_tid, &tid));
}

void ptrace_task_end(struct ptrace_tasks *tasks, pid_t tid)
{
    const struct ptrace_task *task = ptrace_task_find(tasks, tid);
    /* Without memory for it, it is followed once more, in vain. */
    if (task && !task->announced) (void)table_put(tasks->ended_unborn, &tid, tasks);
    ptrace_task_remove(tasks, tid);
}

bool ptrace_task_born(struct ptrace_tasks *tasks, pid_t tid)
{
    struct ptrace_task *task = ptrace_task_find(tasks, tid);
    if (task) task->announced = true;
    return task || !table_remove(tasks->ended_unborn, &tid);
}

struct ptrace_task *ptrace_task_exec(struct ptrace_tasks *tasks, pid_t pid, pid_t former)
{
    if (former != pid) {
        struct ptrace_task *task = table_remove(tasks->by_tid, &former);
        if (task) {
            ptrace_task_remove(tasks, pid);
            drop_handle(task); /* of a thread that is no more under that number */
            task->tid = pid;
            task->announced = true; /* whoever made it is the thread that is gone */
            if (table_put(tasks->by_tid, &pid, task)) {
                task_free(task);
                return NULL;
            }
        }
    }
    return ptrace_task_find(tasks, pid);
}
