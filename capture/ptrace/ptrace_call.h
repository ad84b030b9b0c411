/* The two stops of a recorded call, and the events that they become. Internal to the ptrace recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_CALL_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_CALL_H

#include "capture/ptrace/ptrace_recorder.h"

/* Appends and counts it; one for which there is no memory is counted as unseen. 0 or -ENOMEM. */
int ptrace_append(struct calls *calls, struct event_log *log, const struct event *event);
/* Lets a stopped thread go on, to the exit stop of the call that it is in where there is one. Gone meanwhile: its end is reported.
 */
void ptrace_call_resume(const struct ptrace_task *task, int signal);
/* At the filter's stop. The thread goes on as soon as it has been looked at. 0 or -ENOMEM. */
int ptrace_call_filter(struct calls *calls, struct event_log *log, struct ptrace_task *task);
/* At a stop that PTRACE_SYSCALL made: the exit of a recorded call; of what was attached, the entry and the exit of any. `t_ns`:
 * when the stop was seen. The thread goes on likewise. 0 or -ENOMEM. */
int ptrace_call_stop(struct calls *calls, struct event_log *log, struct ptrace_task *task, int64_t t_ns);

/* The same, where the kernel's word of the stop (PTRACE_GET_SYSCALL_INFO) is there already. */
struct ptrace_syscall_info;
int ptrace_call_at_filter(struct calls *calls, struct event_log *log, struct ptrace_task *task,
                          const struct ptrace_syscall_info *info);
int ptrace_call_at_stop(struct calls *calls, struct event_log *log, struct ptrace_task *task,
                        const struct ptrace_syscall_info *info, int64_t t_ns);

#endif
