/* The state of the ptrace recorder, which its files share. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_RECORDER_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_RECORDER_H

#include "capture/calls.h"
#include "capture/followed.h"
#include "capture/ptrace/ptrace_task.h"
#include "capture/ptrace/ptrace_wait.h"

struct calls {
    struct ptrace_tasks tasks;
    struct followed followed;
    struct ptrace_wait wait;
    uint64_t appended, unseen, foreign, unraised, elsewhere;
    uint64_t netns[CALLS_NETNS_MAX]; /* where captures stand; none: in this process's own */
    size_t netns_count;
    uint64_t home;       /* the number (sockinfo_network) of one of those; 0: not known yet */
    uint64_t home_netns; /* the same one's inode */
    bool (*entered)(void *data, pid_t tid, uint64_t netns);
    void *entered_data;
};

#endif
