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

static bool is_tried(struct ptrace_wait *wait)
{
    if (++wait->passed_over < 1U << wait->in_vain) return false;
    wait->passed_over = 0;
    return true;
}

pid_t ptrace_wait(struct ptrace_wait *wait, int *ret_status)
{
    if (wait->in_vain && !is_tried(wait)) return 0;
    int64_t began_ns = clock_steady_ns(), now_ns = began_ns;
    do {
        int64_t before_ns = now_ns;
        sched_yield();
        pid_t tid = waitpid(-1, ret_status, WNOHANG | __WALL);
        if (tid) {
            wait->in_vain = 0;
            return tid;
        }
        now_ns = clock_steady_ns();
        if (now_ns - before_ns > CROWDED_NS) break;
    } while (now_ns - began_ns < WAIT_NS);
    if (wait->in_vain < IN_VAIN_MAX) wait->in_vain++;
    return 0;
}
