/* What socket is behind a descriptor of a process or thread, by the steps that a recorder takes one by one. */
#ifndef TCPWHY_TESTS_SOCKET_OF_H
#define TCPWHY_TESTS_SOCKET_OF_H

#include <errno.h>
#include <unistd.h>

#include "capture/ptrace/sockinfo.h"

/* errno where it is false: 0, or why it could not be seen. */
static inline bool socket_of(pid_t pid, int fd, struct event_socket *ret_socket)
{
    *ret_socket = (struct event_socket){0};
    int handle = sockinfo_open(pid);
    if (handle < 0) {
        errno = handle == -ESRCH ? 0 : -handle;
        return false;
    }
    int duplicate = sockinfo_duplicate(handle, fd), why = errno;
    bool is_ours = duplicate != -1 && sockinfo_describe(duplicate, NULL, SOCKINFO_ALL, ret_socket);
    if (duplicate != -1) close(duplicate), why = 0;
    close(handle);
    errno = why;
    return is_ours;
}

#endif
