/* Waiting for the next stop for a moment, before the recorder sleeps: a stopped thread waits for it, and to be woken on another
 * processor takes longer than most threads run between two stops. Internal to the ptrace recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_WAIT_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_WAIT_H

#include <sys/types.h>

struct ptrace_wait {
    unsigned in_vain; /* waits one after the other in which none came; each halves how often it is tried */
    unsigned passed_over;
};

/* As waitpid(-1, ret_status, WNOHANG | __WALL), again and again for some ten microseconds; others that can run on this processor do
 * so meanwhile. 0: none came, or it was not tried since that was in vain of late. */
pid_t ptrace_wait(struct ptrace_wait *wait, int *ret_status);

#endif
