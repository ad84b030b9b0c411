/* The processes that the ptrace recorder was given, by follow or by attach, and how they fare. Internal to that recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_DIRECT_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ptrace_direct {
    pid_t pid;
    bool ended;
    int status, stop_signal;
};

struct ptrace_directs {
    struct ptrace_direct *entries; /* owned: free(3) */
    size_t count, room;
};

/* 0 or -ENOMEM. */
int ptrace_directs_add(struct ptrace_directs *directs, pid_t pid);
/* It has ended with wait(2)'s status; has been stopped by a signal. Another's is passed over. */
void ptrace_directs_end(struct ptrace_directs *directs, pid_t pid, int status);
void ptrace_directs_stop(struct ptrace_directs *directs, pid_t pid, int signal);
/* As calls.h says of `ended` and `stopped`. */
bool ptrace_directs_ended(const struct ptrace_directs *directs, pid_t pid, int *ret_status);
int ptrace_directs_stopped(struct ptrace_directs *directs, pid_t pid);

#endif
