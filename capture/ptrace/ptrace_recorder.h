/* The state of the ptrace recorder, which its files share. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_RECORDER_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_RECORDER_H

#include "capture/calls.h"
#include "capture/followed.h"
#include "capture/ptrace/ptrace_task.h"

struct calls {
    struct ptrace_tasks tasks;
    struct followed followed;
    uint64_t appended, unseen, foreign, unraised, elsewhere;
    uint64_t netns[CALLS_NETNS_MAX]; /* where captures stand; none: in this process's own */
    size_t netns_count;
    bool (*entered)(void *data, pid_t tid, uint64_t netns);
    void *entered_data;
};

#endif
