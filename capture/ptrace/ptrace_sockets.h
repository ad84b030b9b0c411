/* What sockets the ptrace recorder has looked at and whose addresses can't change any more: asked once, then known by their inode
 * numbers or cookies. Internal to that recorder.
 *
 * A look at a descriptor of another process is a dozen system calls; the name of the link /proc/TID/fd/N is one, and it opens
 * nothing: no duplicate of a file or device is made that would have to be closed again (a close that some of them act on). */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_SOCKETS_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/table.h"
#include "event/event.h"

struct ptrace_sockets {
    struct table *by_key; /* an inode's number, or a cookie with PTRACE_SOCKETS_COOKIE */
};
#define PTRACE_SOCKETS_COOKIE ((uint64_t)1 << 63)
/* Not a key: what is no socket at all, or none of INET. */
#define PTRACE_SOCKETS_OTHER UINT64_MAX

/* 0 or -ENOMEM. */
int ptrace_sockets_init(struct ptrace_sockets *sockets);
void ptrace_sockets_free(struct ptrace_sockets *sockets);

/* The inode of the socket behind a thread's descriptor; PTRACE_SOCKETS_OTHER: it is not a socket; 0: there is none, with errno 0,
 * or why it could not be seen. Rests on proc(5), /proc/pid/fd: "socket:[4026]". */
uint64_t ptrace_sockets_inode(pid_t tid, int fd);
/* A TCP socket to which nothing has happened since it was made: it stays so until a call of its own. */
bool ptrace_sockets_fresh(const struct event_socket *socket);
/* Whether its addresses stay as they are, save by connect(AF_UNSPEC) or a shutdown of what listens: whoever looks after those calls
 * says what is left. */
bool ptrace_sockets_settled(const struct event_socket *socket);
/* What is known of it: its protocol and cookie, and, where it is settled, its addresses; the state only of a socket that listens or
 * is fresh. False: nothing. */
bool ptrace_sockets_find(const struct ptrace_sockets *sockets, uint64_t key, struct event_socket *ret_socket);
/* Keeps what can't change any more of a socket, forgets what it was before. Bounded: when full, all are asked again.
 */
void ptrace_sockets_learn(struct ptrace_sockets *sockets, uint64_t key, const struct event_socket *socket);

#endif
