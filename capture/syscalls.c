#include "capture/syscalls.h"

#include <stddef.h>
#include <sys/syscall.h>

/* Numbers that a C library older than the kernel may lack; they are the same on every architecture. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

#ifndef SYS_io_uring_enter
#define SYS_io_uring_enter 426
#endif

#define SHOW(...)                                                                                                                  \
    {                                                                                                                              \
        __VA_ARGS__                                                                                                                \
    }
#define INT ARGUMENT_INT
#define BUFFER ARGUMENT_BUFFER
#define POINTER ARGUMENT_POINTER
#define SIZE ARGUMENT_SIZE
#define HIDDEN ARGUMENT_HIDDEN
#define MSG_FLAGS ARGUMENT_MSG_FLAGS

/* clang-format off */
static const struct syscall_row rows[] = {
    {SYS_socket,     "socket",     SYSCALL_SOCKET | SYSCALL_NEW_FD, SHOW(ARGUMENT_DOMAIN, ARGUMENT_TYPE, ARGUMENT_PROTOCOL)},
    {SYS_setsockopt, "setsockopt", SYSCALL_FD_0 | SYSCALL_SOCKOPT, SHOW(INT, ARGUMENT_LEVEL, ARGUMENT_OPTION, ARGUMENT_VALUE)},
    {SYS_bind,       "bind",       SYSCALL_FD_0 | SYSCALL_SOCKADDR_1, SHOW(INT, ARGUMENT_ADDRESS)},
    {SYS_listen,     "listen",     SYSCALL_FD_0 | SYSCALL_LISTEN, SHOW(INT, INT)},
    {SYS_connect,    "connect",    SYSCALL_FD_0 | SYSCALL_SOCKADDR_1, SHOW(INT, ARGUMENT_ADDRESS)},
    {SYS_accept,     "accept",     SYSCALL_FD_0 | SYSCALL_NEW_FD, SHOW(INT)},
    {SYS_accept4,    "accept4",    SYSCALL_FD_0 | SYSCALL_NEW_FD, SHOW(INT, HIDDEN, HIDDEN, ARGUMENT_SOCK_FLAGS)},
    {SYS_read,       "read",       SYSCALL_FD_0, SHOW(INT, BUFFER, SIZE)},
    {SYS_readv,      "readv",      SYSCALL_FD_0, SHOW(INT, BUFFER, INT)},
    {SYS_preadv2,    "preadv2",    SYSCALL_FD_0, SHOW(INT, BUFFER, INT)},
    {SYS_recvfrom,   "recvfrom",   SYSCALL_FD_0, SHOW(INT, BUFFER, SIZE, MSG_FLAGS)},
    {SYS_recvmsg,    "recvmsg",    SYSCALL_FD_0, SHOW(INT, BUFFER, MSG_FLAGS)},
    {SYS_recvmmsg,   "recvmmsg",   SYSCALL_FD_0, SHOW(INT, BUFFER, ARGUMENT_UNSIGNED, MSG_FLAGS, POINTER)},
    {SYS_write,      "write",      SYSCALL_FD_0, SHOW(INT, BUFFER, SIZE)},
    {SYS_writev,     "writev",     SYSCALL_FD_0, SHOW(INT, BUFFER, INT)},
    {SYS_pwritev2,   "pwritev2",   SYSCALL_FD_0, SHOW(INT, BUFFER, INT)},
    {SYS_sendto,     "sendto",     SYSCALL_FD_0 | SYSCALL_SOCKADDR_4, SHOW(INT, BUFFER, SIZE, MSG_FLAGS, ARGUMENT_ADDRESS_SENT)},
    {SYS_sendmsg,    "sendmsg",    SYSCALL_FD_0 | SYSCALL_MSG_1, SHOW(INT, ARGUMENT_MESSAGE, MSG_FLAGS)},
    {SYS_sendmmsg,   "sendmmsg",   SYSCALL_FD_0 | SYSCALL_MSG_1, SHOW(INT, ARGUMENT_MESSAGE, ARGUMENT_UNSIGNED, MSG_FLAGS)},
    {SYS_sendfile,   "sendfile",   SYSCALL_FD_0, SHOW(INT, INT, POINTER, SIZE)},
    {SYS_splice,     "splice",     SYSCALL_FD_0 | SYSCALL_FD_2, SHOW(INT, POINTER, INT, POINTER, SIZE, ARGUMENT_SPLICE_FLAGS)},
#ifdef SYS_poll
    {SYS_poll,       "poll",       SYSCALL_POLL, SHOW(BUFFER, ARGUMENT_UNSIGNED, INT)},
#endif
    {SYS_ppoll,      "ppoll",      SYSCALL_POLL, SHOW(BUFFER, ARGUMENT_UNSIGNED, POINTER, POINTER)},
#ifdef SYS_select
    {SYS_select,     "select",     SYSCALL_SELECT, SHOW(INT, POINTER, POINTER, POINTER, POINTER)},
#endif
    {SYS_pselect6,   "pselect6",   SYSCALL_SELECT, SHOW(INT, POINTER, POINTER, POINTER, POINTER, POINTER)},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait", SYSCALL_EPOLL_WAIT, SHOW(INT, BUFFER, INT, INT)},
#endif
    {SYS_epoll_pwait,  "epoll_pwait",  SYSCALL_EPOLL_WAIT, SHOW(INT, BUFFER, INT, INT, POINTER)},
    {SYS_epoll_pwait2, "epoll_pwait2", SYSCALL_EPOLL_WAIT, SHOW(INT, BUFFER, INT, POINTER, POINTER)},
    {SYS_epoll_ctl,    "epoll_ctl",    SYSCALL_EPOLL_CTL, SHOW(INT, ARGUMENT_EPOLL_OP, INT, ARGUMENT_EPOLL_EVENT)},
    {SYS_dup,        "dup",        SYSCALL_FD_0, SHOW(INT)},
#ifdef SYS_dup2
    {SYS_dup2,       "dup2",       SYSCALL_DUP, SHOW(INT, INT)},
#endif
    {SYS_dup3,       "dup3",       SYSCALL_DUP, SHOW(INT, INT, ARGUMENT_OPEN_FLAGS)},
    {SYS_fcntl,      "fcntl",      SYSCALL_FD_0 | SYSCALL_FCNTL, SHOW(INT, ARGUMENT_FCNTL, INT)},
    {SYS_pidfd_getfd, "pidfd_getfd", SYSCALL_PROCESS | SYSCALL_NEW_FD, SHOW(INT, INT, ARGUMENT_UNSIGNED)},
    {SYS_shutdown,   "shutdown",   SYSCALL_FD_0 | SYSCALL_SHUTDOWN, SHOW(INT, ARGUMENT_HOW)},
    {SYS_close,      "close",      SYSCALL_FD_0, SHOW(INT)},
    {SYS_close_range, "close_range", SYSCALL_RANGE, SHOW(ARGUMENT_UNSIGNED, ARGUMENT_UNSIGNED, ARGUMENT_RANGE_FLAGS)},
    {SYS_io_uring_enter, "io_uring_enter", SYSCALL_PROCESS, SHOW(INT, ARGUMENT_UNSIGNED, ARGUMENT_UNSIGNED)},
    {SYS_execve,     "execve",     SYSCALL_PROCESS | SYSCALL_PATH_0, SHOW(ARGUMENT_PATH, BUFFER, BUFFER)},
    {SYS_execveat,   "execveat",   SYSCALL_PROCESS | SYSCALL_PATH_1, SHOW(INT, ARGUMENT_PATH, BUFFER, BUFFER)},
    {SYS_exit,       "exit",       SYSCALL_PROCESS | SYSCALL_NO_RETURN, SHOW(INT)},
    {SYS_exit_group, "exit_group", SYSCALL_PROCESS | SYSCALL_NO_RETURN, SHOW(INT)},
};
/* clang-format on */

#undef SHOW
#undef INT
#undef BUFFER
#undef POINTER
#undef SIZE
#undef HIDDEN
#undef MSG_FLAGS

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct syscall_row *syscall_rows(size_t *ret_count)
{
    *ret_count = ROWS;
    return rows;
}

const struct syscall_row *syscall_find(long number)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].number == number) return &rows[i];
    return NULL;
}
