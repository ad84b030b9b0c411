/* Waiting for the next stop for a moment, before the recorder sleeps: a stopped thread waits for it, and to be woken on another
 * processor takes longer than most threads run between two stops. Internal to the ptrace recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_WAIT_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ptrace_wait {
    unsigned in_vain; /* waits one after the other in which none came; each halves how often it is tried */
    unsigned passed_over;
};

/* As waitpid(-1, ret_status, WNOHANG | __WALL), again and again for some ten microseconds; others that can run on this processor do
 * so meanwhile. 0: none came, or it was not tried since that was in vain of late. */
pid_t ptrace_wait(struct ptrace_wait *wait, int *ret_status);

/* What it is made of. Whether it is tried this time: after n waits in vain once of 2^n times, of 64 at most. */
bool ptrace_wait_is_due(struct ptrace_wait *wait);
/* Whether it is asked once more, 50 us long: not where others had the processor for more than 20 us between two looks. */
bool ptrace_wait_goes_on(int64_t began_ns, int64_t before_ns, int64_t now_ns);
void ptrace_wait_was(struct ptrace_wait *wait, bool in_vain);

#endif
