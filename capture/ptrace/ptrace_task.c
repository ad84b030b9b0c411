#include "capture/ptrace/ptrace_task.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/procinfo.h"

int ptrace_tasks_init(struct ptrace_tasks *tasks)
{
    tasks->by_tid = table_new(sizeof(pid_t));
    return tasks->by_tid ? 0 : -ENOMEM;
}

void ptrace_tasks_free(struct ptrace_tasks *tasks)
{
    if (!tasks->by_tid) return;
    void *task;
    for (size_t cursor = 0; table_next(tasks->by_tid, &cursor, NULL, &task);) free(task);
    table_free(tasks->by_tid);
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
    task->pid = pid;
    task->tid = tid;
    procinfo_comm(tid, task->comm);
    if (!table_put(tasks->by_tid, &tid, task)) return task;
    free(task);
    return NULL;
}

void ptrace_task_remove(struct ptrace_tasks *tasks, pid_t tid)
{
    free(table_remove(tasks->by_tid, &tid));
}

struct ptrace_task *ptrace_task_exec(struct ptrace_tasks *tasks, pid_t pid, pid_t former)
{
    if (former != pid) {
        struct ptrace_task *task = table_remove(tasks->by_tid, &former);
        if (task) {
            ptrace_task_remove(tasks, pid);
            task->tid = pid;
            if (table_put(tasks->by_tid, &pid, task)) {
                free(task);
                return NULL;
            }
        }
    }
    return ptrace_task_find(tasks, pid);
}
