/* What a thread stopped by ptrace is about to do, or has done, to a socket. Internal to the ptrace recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_LOOK_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_LOOK_H

#include "capture/ptrace/ptrace_task.h"

/* Reads up to `length` bytes of the thread's memory (process_vm_readv(2)); returns how many came before it was not readable. */
size_t ptrace_look_memory(struct ptrace_task *task, uint64_t address, void *bytes, size_t length);
/* What INET TCP or UDP socket is behind a descriptor, as it is now; false: none, or it could not be seen, which is counted. */
bool ptrace_look_socket(struct ptrace_task *task, int fd, struct event_socket *ret_socket);

/* The same, of a socket whose addresses are settled as they are remembered: without its state and what is unread. */
bool ptrace_look_known(struct ptrace_task *task, int fd, struct event_socket *ret_socket);

/* At the entry of a call: raw.number, raw.args and row are set. Fills the rest of raw, and `enter`. False: it is no concern of an
 * INET TCP or UDP socket. */
bool ptrace_look_enter(struct ptrace_task *task);
/* Whether what is looked at when it ends stays as it is until the thread's next stop, so that it may go on first: its own sockets,
 * which nobody else can close or replace. */
bool ptrace_look_can_wait(const struct ptrace_task *task);
/* At its exit: the EXIT side of the call. */
void ptrace_look_exit(struct ptrace_task *task, int64_t ret, struct event_call *ret_call);

#endif
