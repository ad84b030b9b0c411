/* How the ptrace recorder leaves the threads it follows. Internal to that recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_LEAVE_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_LEAVE_H

#include "capture/ptrace/ptrace_task.h"

/* Ends what is under the filter (without a tracer each of its recorded calls would fail with ENOSYS) with SIGKILL, as
 * PTRACE_O_EXITKILL does when the recorder's process ends; lets everything else run on as if nothing had been. Reaps. Returns
 * once all are gone, after a second at the latest. */
void ptrace_leave(struct ptrace_tasks *tasks);

#endif
