#include "capture/ptrace/ptrace_files.h"

#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/ptrace/ptrace_task.h"

enum { KEPT_FIRST = 64, KEPT_MAX = 4096 };

bool ptrace_files_alone(const struct ptrace_task *task)
{
    const struct ptrace_files *files = &task->files;
    return files->apart && task->announced && !files->shared && !files->supervised && !task->attached && !task->all->has_rings;
}

uint64_t ptrace_files_get(const struct ptrace_task *task, int fd)
{
    return (size_t)fd < task->files.count && ptrace_files_alone(task) ? task->files.keys[fd] : 0;
}

static bool make_room(struct ptrace_files *files, size_t wanted)
{
    size_t count = files->count ? files->count : KEPT_FIRST;
    while (count < wanted) count += count;
    if (count == files->count) return true;
    uint64_t *keys = realloc(files->keys, count * sizeof(*keys));
    if (!keys) return false;
    memset(keys + files->count, 0, (count - files->count) * sizeof(*keys));
    files->keys = keys;
    files->count = count;
    return true;
}

void ptrace_files_put(struct ptrace_task *task, int fd, uint64_t key)
{
    if ((size_t)fd >= KEPT_MAX || !ptrace_files_alone(task)) return;
    if (make_room(&task->files, (size_t)fd + 1)) task->files.keys[fd] = key;
}

static void forget_all(struct ptrace_files *files)
{
    if (files->keys) memset(files->keys, 0, files->count * sizeof(*files->keys));
}

static void forget(struct ptrace_files *files, int fd)
{
    if ((size_t)fd < files->count) files->keys[fd] = 0; /* a negative one is larger than any */
}

void ptrace_files_entered(struct ptrace_task *task)
{
    const struct syscall_raw *raw = &task->raw;
    if (raw->number == SYS_close) forget(&task->files, (int)raw->args[0]);
    if (task->row->flags & SYSCALL_DUP) forget(&task->files, (int)raw->args[1]);
    if (task->row->flags & SYSCALL_RANGE) forget_all(&task->files);
}

void ptrace_files_lost(struct ptrace_task *task)
{
    task->files.shared = true;
    forget_all(&task->files);
}

static bool are_apart(pid_t one, pid_t other)
{
    return syscall(SYS_kcmp, one, other, KCMP_FILES, 0, 0) > 0; /* 0: the same; -1: not known */
}

void ptrace_files_born(struct ptrace_task *task, struct ptrace_task *child, bool has_stopped)
{
    child->files.supervised |= task->files.supervised;
    if (child->pid == task->pid || !are_apart(task->tid, child->tid)) {
        ptrace_files_lost(task);
        ptrace_files_lost(child);
        return;
    }
    child->files.apart = true;
    if (has_stopped) forget_all(&task->files); /* while it had the same one it may have changed it, and got another since */
}

void ptrace_files_exec(struct ptrace_task *task)
{
    task->files.apart = true;
    task->files.shared = false;
    forget_all(&task->files);
}

void ptrace_files_free(struct ptrace_files *files)
{
    free(files->keys);
    *files = (struct ptrace_files){.keys = NULL};
}
