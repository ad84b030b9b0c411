/* The processes that a recorder was given, by follow or by attach, and how they fare: what stands behind `ended` and `stopped` of
 * calls.h. Internal to the recorders. */
#ifndef TCPWHY_CAPTURE_FOLLOWED_H
#define TCPWHY_CAPTURE_FOLLOWED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "event/event.h"

struct followed_process {
    pid_t pid;
    bool is_child; /* this process can wait(2) for it */
    bool ended;
    int status, stop_signal; /* of wait(2); until it is asked for, 0: none */
};

struct followed {
    struct followed_process *entries; /* owned: free(3) */
    size_t count, room;
};

/* 0 or -ENOMEM. */
int followed_add(struct followed *followed, pid_t pid);
/* It has ended with wait(2)'s status; has been stopped by a signal. Another's is passed over. */
void followed_end(struct followed *followed, pid_t pid, int status);
void followed_stop(struct followed *followed, pid_t pid, int signal);
/* Of a child: notes whether it was stopped, and whether it has ended, which reaps it. True once, when it has. *ret_comm, if wanted:
 * its name, which goes with it. */
bool followed_reap(struct followed_process *process, char ret_comm[EVENT_COMM_BYTES]);
/* What wait(2)'s status says of an end. */
struct event_process followed_exit(int status);
/* As calls.h says of `ended` and `stopped`. */
bool followed_ended(const struct followed *followed, pid_t pid, int *ret_status);
int followed_stopped(struct followed *followed, pid_t pid);

#endif
