/* The sockets of a call that concerns many: poll, select, epoll; close_range, execve, exit_group. Internal to the ptrace recorder.
 */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_WATCH_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_WATCH_H

#include "capture/ptrace/ptrace_task.h"

/* Fills enter.watch: for waiting calls what they wait for, for calls that close many what they may close (data: the
 * descriptor). True: at least one INET TCP or UDP socket is among them. */
bool ptrace_watch_enter(struct ptrace_task *task);
/* Fills call->watch: what was reported ready, or has been closed (POLLNVAL: the descriptor is no more). */
void ptrace_watch_exit(struct ptrace_task *task, int64_t ret, struct event_call *call);

#endif
