#include "capture/ptrace/ptrace_wait.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "base/clock.h"

enum {
    WAIT_NS = 50000, /* some times as long as it takes to be woken */
    CROWDED_NS =
        20000, /* so long others had the processor: it is not waited for nothing, but there is nothing to be gained either */
    IN_VAIN_MAX = 6
};

bool ptrace_wait_is_due(struct ptrace_wait *wait)
{
    if (!wait->in_vain || ++wait->passed_over >= 1U << wait->in_vain) {
        wait->passed_over = 0;
        return true;
    }
    return false;
}

bool ptrace_wait_goes_on(int64_t began_ns, int64_t before_ns, int64_t now_ns)
{
    return now_ns - before_ns <= CROWDED_NS && now_ns - began_ns < WAIT_NS;
}

void ptrace_wait_was(struct ptrace_wait *wait, bool in_vain)
{
    wait->in_vain = !in_vain ? 0 : wait->in_vain < IN_VAIN_MAX ? wait->in_vain + 1 : IN_VAIN_MAX;
}

pid_t ptrace_wait(struct ptrace_wait *wait, int *ret_status)
{
    if (!ptrace_wait_is_due(wait)) return 0;
    int64_t began_ns = clock_steady_ns(), before_ns, now_ns = began_ns;
    pid_t tid;
    do {
        before_ns = now_ns;
        sched_yield();
        tid = waitpid(-1, ret_status, WNOHANG | __WALL);
        now_ns = clock_steady_ns();
    } while (!tid && ptrace_wait_goes_on(began_ns, before_ns, now_ns));
    ptrace_wait_was(wait, !tid);
    return tid;
}
