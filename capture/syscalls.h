/* The system calls that matter to sockets, in one table that both recorders share: number, name, which argument is the
 * descriptor, and how its arguments are written for a person. To teach tcpwhy a call, add a row (docs/ADDING-A-CALL.md). */
#ifndef TCPWHY_CAPTURE_SYSCALLS_H
#define TCPWHY_CAPTURE_SYSCALLS_H

#include "event/event.h"

enum syscall_flag {
    SYSCALL_FD_0 = 1,        /* argument 0 is the descriptor it works on: recorded only if that is an INET socket */
    SYSCALL_SOCKADDR_1 = 2,  /* arguments 1, 2: struct sockaddr *, socklen_t (connect, bind) */
    SYSCALL_SOCKADDR_4 = 4,  /* arguments 4, 5 (sendto) */
    SYSCALL_NEW_FD = 8,      /* the result is a descriptor: `other` is the socket behind it (accept), or `socket` (socket()) */
    SYSCALL_POLL = 16,       /* arguments 0, 1: struct pollfd *, nfds */
    SYSCALL_SELECT = 32,     /* arguments 0..3: nfds and three fd_sets */
    SYSCALL_EPOLL_WAIT = 64, /* arguments 0, 1, 2: epfd, struct epoll_event *, maxevents */
    SYSCALL_EPOLL_CTL = 128, /* epfd, op, fd, struct epoll_event * */
    SYSCALL_DUP = 256,       /* dup2, dup3: argument 1 is the descriptor that gets closed */
    SYSCALL_PROCESS = 512,   /* execve, exit_group …: no descriptor; always recorded */
    SYSCALL_RANGE = 1024,    /* close_range */
    SYSCALL_SOCKOPT = 2048,  /* setsockopt: level, name, value pointer, length */
    SYSCALL_SHUTDOWN = 4096,
    SYSCALL_LISTEN = 8192,
    SYSCALL_SOCKET = 16384,    /* domain, type, protocol */
    SYSCALL_NO_RETURN = 32768, /* exit, exit_group: there is no EXIT event */
    SYSCALL_MSG_1 =
        65536, /* argument 1 is a struct msghdr *, or begins with one, whose msg_name says where to (sendmsg, sendmmsg) */
    SYSCALL_PATH_0 = 131072, /* argument 0 is a path (execve) */
    SYSCALL_PATH_1 = 262144, /* argument 1 is a path (execveat) */
    SYSCALL_FD_2 = 524288,   /* with SYSCALL_FD_0: argument 2 is a descriptor as well, and the one where 0 is no socket (splice) */
    SYSCALL_FCNTL = 1048576  /* with SYSCALL_FD_0: recorded only where argument 1 asks for a copy (syscall_copies) */
};

/* How an argument is written for a person; the table of writers is in syscalls_text.c, their words in syscalls_words.c. */
enum syscall_argument {
    ARGUMENT_HIDDEN,
    ARGUMENT_INT,          /* descriptors, timeouts, lengths that are an int */
    ARGUMENT_UNSIGNED,     /* 32 bits */
    ARGUMENT_SIZE,         /* 64 bits, unsigned */
    ARGUMENT_BUFFER,       /* "...", whatever it holds */
    ARGUMENT_POINTER,      /* "NULL" or "..." */
    ARGUMENT_ADDRESS,      /* "127.0.0.1:3333", "AF_UNSPEC", "NULL" */
    ARGUMENT_ADDRESS_SENT, /* the same, hidden where it is NULL (sendto on a connected socket) */
    ARGUMENT_MESSAGE,      /* "..." or "{127.0.0.1:3333, ...}" */
    ARGUMENT_DOMAIN,
    ARGUMENT_TYPE,
    ARGUMENT_PROTOCOL,
    ARGUMENT_SOCK_FLAGS,
    ARGUMENT_MSG_FLAGS,
    ARGUMENT_HOW,
    ARGUMENT_LEVEL,
    ARGUMENT_OPTION, /* a socket option of the level in the argument before */
    ARGUMENT_VALUE,  /* its value */
    ARGUMENT_EPOLL_OP,
    ARGUMENT_EPOLL_EVENT,
    ARGUMENT_OPEN_FLAGS,
    ARGUMENT_RANGE_FLAGS,
    ARGUMENT_PATH,
    ARGUMENT_FCNTL,
    ARGUMENT_SPLICE_FLAGS,
    ARGUMENT_KINDS
};

struct syscall_row {
    long number;
    const char *name; /* man page's name: "accept4", "recvfrom" ("recv" where it has no address), "epoll_pwait" */
    uint32_t flags;   /* SYSCALL_* */
    uint8_t shows[6]; /* ARGUMENT_* of each argument */
};

/* All rows for the architecture this was built for; *ret_count of them, in the order of a socket's life. Static storage. */
const struct syscall_row *syscall_rows(size_t *ret_count);
/* NULL: a call that is not recorded. */
const struct syscall_row *syscall_find(long number);

/* What a recorder read of a call. `address` and `option_value` are bytes copied from the caller's memory (0 bytes: none). */
struct syscall_raw {
    long number;
    uint64_t args[6];
    uint8_t address[128]; /* the struct sockaddr; of SYSCALL_PATH_0 and _1 the path */
    uint32_t address_bytes;
    int32_t option_value[2];
    uint32_t option_bytes; /* bytes of option_value that were read */
    uint32_t second;       /* not 0: of SYSCALL_FD_2 argument 2 is the socket */
    uint64_t epoll_data;   /* epoll_ctl */
    uint32_t epoll_events;
};

/* What fcntl(2) can be asked for that copies a descriptor; the values are the same everywhere. */
enum syscall_fcntl { SYSCALL_F_DUPFD = 0, SYSCALL_F_DUPFD_CLOEXEC = 1030 };

/* Writes call->name, fd, args, how, level, value and epoll from the raw call, whatever its values, and leaves the rest alone. Knows
 * nothing of sockets. fd is epoll_ctl's target; for SYSCALL_EPOLL_WAIT the epoll, for SYSCALL_DUP the old one, for SYSCALL_RANGE
 * -1; `how` of SYSCALL_FD_2 is 1 where the call writes to the socket, and 0 where it reads from it. args is printable ASCII and
 * looks as strace would print it: "4, ..., 4096", addresses as 127.0.0.1:3333, SHUT_WR, SOL_TCP, TCP_NODELAY; too long a text is
 * cut. */
void syscall_describe(const struct syscall_raw *raw, struct event_call *call);
/* The same of a call that ends: its arguments are told where it began, and args is empty. */
void syscall_describe_end(const struct syscall_raw *raw, struct event_call *call);

#endif
