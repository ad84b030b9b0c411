#include "capture/ptrace/ptrace_direct.h"

#include <errno.h>
#include <stdlib.h>

int ptrace_directs_add(struct ptrace_directs *directs, pid_t pid)
{
    if (directs->count == directs->room) {
        size_t room = directs->room ? directs->room * 2 : 8;
        struct ptrace_direct *entries = realloc(directs->entries, room * sizeof(entries[0]));
        if (!entries) return -ENOMEM;
        directs->entries = entries;
        directs->room = room;
    }
    directs->entries[directs->count++] = (struct ptrace_direct){.pid = pid};
    return 0;
}

void ptrace_directs_end(struct ptrace_directs *directs, pid_t pid, int status)
{
    for (size_t i = 0; i < directs->count; i++) {
        if (directs->entries[i].pid != pid || directs->entries[i].ended) continue;
        directs->entries[i].ended = true;
        directs->entries[i].status = status;
    }
}

void ptrace_directs_stop(struct ptrace_directs *directs, pid_t pid, int signal)
{
    for (size_t i = 0; i < directs->count; i++)
        if (directs->entries[i].pid == pid) directs->entries[i].stop_signal = signal;
}

bool ptrace_directs_ended(const struct ptrace_directs *directs, pid_t pid, int *ret_status)
{
    for (size_t i = 0; i < directs->count; i++) {
        if (directs->entries[i].pid != pid || !directs->entries[i].ended) continue;
        *ret_status = directs->entries[i].status;
        return true;
    }
    return false;
}

int ptrace_directs_stopped(struct ptrace_directs *directs, pid_t pid)
{
    for (size_t i = 0; i < directs->count; i++) {
        if (directs->entries[i].pid != pid) continue;
        int signal = directs->entries[i].stop_signal;
        directs->entries[i].stop_signal = 0;
        return signal;
    }
    return 0;
}
