/* The sockets that processes hold open, as /proc tells of them: for those that ran before anybody looked.
 *
 * The text of /proc/PID/net/tcp and its sisters is the kernel's own (net/ipv4/tcp_ipv4.c, tcp4_seq_show); a socket's inode in it
 * is that of the descriptor's link. */
#ifndef TCPWHY_CAPTURE_PROCSOCKETS_H
#define TCPWHY_CAPTURE_PROCSOCKETS_H

#include <sys/types.h>

#include "event/event.h"

/* Gives each TCP and UDP socket of the process (cookie 0: /proc knows none). How many; -EACCES: its descriptors are not ours to
 * see; -ESRCH: there is no such process; -ENOMEM. */
int procsockets_of(pid_t pid, void (*take)(void *data, const struct event_socket *socket), void *data);
/* Gives each process that holds a socket which listens at that TCP port in this process's network, and whose descriptors are ours
 * to see. Those that listen; -EACCES: somebody does, and nobody of whom we may see it; -ENOMEM. */
int procsockets_listeners(uint16_t port, void (*take)(void *data, pid_t pid), void *data);

/* Gives the address of each TCP socket that listens in the network of that process. 0; -ENOENT: its tables are not there, or not
 * ours to see. */
int procsockets_listening(pid_t pid, void (*take)(void *data, const struct address *local), void *data);

#endif
