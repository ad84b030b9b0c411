#include "capture/followed.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "capture/procinfo.h"

int followed_add(struct followed *followed, pid_t pid)
{
    if (followed->count == followed->room) {
        size_t room = followed->room ? followed->room * 2 : 8;
        struct followed_process *entries = realloc(followed->entries, room * sizeof(entries[0]));
        if (!entries) return -ENOMEM;
        followed->entries = entries;
        followed->room = room;
    }
    siginfo_t info;
    bool is_child = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    followed->entries[followed->count++] = (struct followed_process){.pid = pid, .is_child = is_child};
    return 0;
}

void followed_end(struct followed *followed, pid_t pid, int status)
{
    for (size_t i = 0; i < followed->count; i++) {
        if (followed->entries[i].pid != pid || followed->entries[i].ended) continue;
        followed->entries[i].ended = true;
        followed->entries[i].status = status;
    }
}

void followed_stop(struct followed *followed, pid_t pid, int signal)
{
    for (size_t i = 0; i < followed->count; i++)
        if (followed->entries[i].pid == pid) followed->entries[i].stop_signal = signal;
}

bool followed_reap(struct followed_process *process, char ret_comm[EVENT_COMM_BYTES])
{
    siginfo_t info = {0};
    if (!process->is_child || process->ended) return false;
    if (!waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG) && info.si_pid) process->stop_signal = info.si_status;
    info.si_pid = 0;
    /* A look first, the reaping after: a zombie still has its name. */
    (void)waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (!info.si_pid) return false;
    if (ret_comm) procinfo_comm(process->pid, ret_comm);
    process->ended = waitpid(process->pid, &process->status, WNOHANG) == process->pid;
    return process->ended;
}

struct event_process followed_exit(int status)
{
    return (struct event_process){.change = PROCESS_EXIT,
                                  .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                                  .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

bool followed_ended(const struct followed *followed, pid_t pid, int *ret_status)
{
    for (size_t i = 0; i < followed->count; i++) {
        if (followed->entries[i].pid != pid || !followed->entries[i].ended) continue;
        *ret_status = followed->entries[i].status;
        return true;
    }
    return false;
}

int followed_stopped(struct followed *followed, pid_t pid)
{
    for (size_t i = 0; i < followed->count; i++) {
        if (followed->entries[i].pid != pid) continue;
        int signal = followed->entries[i].stop_signal;
        followed->entries[i].stop_signal = 0;
        return signal;
    }
    return 0;
}
