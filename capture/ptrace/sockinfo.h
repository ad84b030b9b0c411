/* What socket is behind a descriptor of another, stopped process.
 *
 * It looks through pidfd_getfd(2) (Linux 5.6; the right to ptrace that process) at a duplicate of the descriptor, which is closed
 * again before anything returns: the last reference to a socket is the one whose close sends the FIN, and it must not be ours. One
 * race is left: while the duplicate exists, another thread may close the original, or SIGKILL may end the process; then our
 * close sends it, microseconds late. */
#ifndef TCPWHY_CAPTURE_PTRACE_SOCKINFO_H
#define TCPWHY_CAPTURE_PTRACE_SOCKINFO_H

#include <stdbool.h>
#include <sys/types.h>

#include "event/event.h"

/* For many descriptors of one process or thread: a handle to give to what follows and to close(2), or -errno. */
int sockinfo_open(pid_t pid);

/* A duplicate of the descriptor, to be closed at once, or -1: errno is 0 where there is no such descriptor, else why it could not
 * be had (EPERM, EMFILE, …). */
int sockinfo_duplicate(int handle, int fd);
/* The cookie of the socket that it is; 0: it is none. */
uint64_t sockinfo_cookie(int duplicate);
/* What changes of a socket, a bit each. */
enum sockinfo_part { SOCKINFO_ADDRESSES = 1, SOCKINFO_STATE = 2, SOCKINFO_UNREAD = 4, SOCKINFO_ALL = 7 };
/* True: *ret_socket is an INET TCP or UDP socket, with what getsockopt(SO_COOKIE, TCP_INFO), getsockname, getpeername and SIOCINQ
 * say of it, as far as these parts are asked for. `known`: what is known of it already, which what is not asked for comes from; its
 * cookie and protocol are. NULL: nothing is known. False: *ret_socket is zero. */
bool sockinfo_describe(int duplicate, const struct event_socket *known, unsigned parts, struct event_socket *ret_socket);
/* The number of the network that the socket is in (SO_NETNS_COOKIE); 0: a kernel before Linux 5.14, or no socket. */
uint64_t sockinfo_network(int duplicate);

#endif
