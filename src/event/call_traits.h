/* What a system call can do, as one row a call. Whoever asks what a call means to a connection (does it send? can it sleep? does it
 * take what arrived?) asks its traits, and compares no name.
 *
 * A recorder's call to follow is a row in capture/syscalls.c; `unit/syscalls` holds that each of those has a row here, too. */
#ifndef TCPWHY_EVENT_CALL_TRAITS_H
#define TCPWHY_EVENT_CALL_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

enum call_trait {
    CALL_MAKES_SOCKET = 1,       /* socket */
    CALL_SETS_OPTION = 2,        /* setsockopt */
    CALL_BINDS = 4,              /* bind */
    CALL_LISTENS = 8,            /* listen */
    CALL_CONNECTS = 16,          /* connect: can send a SYN, or abort what is open (AF_UNSPEC) */
    CALL_ACCEPTS = 32,           /* accept, accept4: take a connection that is complete */
    CALL_READS = 64,             /* takes bytes that arrived, and can acknowledge them */
    CALL_RECEIVES = 128,         /* the recv family among those: can say whose datagram it took */
    CALL_WRITES = 256,           /* hands over bytes to send */
    CALL_SENDS = 512,            /* the send family among those: can name a target, and open with data (Fast Open) */
    CALL_SHUTS_DOWN = 1024,      /* shutdown: can send a FIN */
    CALL_CLOSES = 2048,          /* close: can send a FIN or a RST */
    CALL_CLOSES_RANGE = 4096,    /* close_range: the same, of many */
    CALL_COPIES = 8192,          /* dup, dup2, dup3, fcntl (F_DUPFD): dup2 and dup3 close what the new number stood for */
    CALL_RUNS = 16384,           /* execve, execveat: close what has FD_CLOEXEC */
    CALL_WAITS_FOR_MANY = 32768, /* poll, select, epoll_wait and their kin */
    CALL_WATCHES = 65536,        /* epoll_ctl */
    CALL_SLEEPS = 131072,        /* can sleep until something comes */
    CALL_TAKES_SEVERAL = 262144, /* its result counts datagrams, not bytes (recvmmsg, sendmmsg) */
    CALL_TELLS_LENGTH = 524288,  /* the third argument is how much it was to write (write, sendto) */
    CALL_SUBMITS = 1048576,      /* io_uring_enter: does what was queued, and what that closes goes at its return */
    CALL_TAKES_COPY = 2097152,   /* pidfd_getfd: copies a descriptor of another process, whose socket is `other` */
    CALL_PREPARES = CALL_MAKES_SOCKET | CALL_SETS_OPTION | CALL_BINDS | CALL_LISTENS /* what makes a listener */
};

/* CALL_* of the call of this name (as the man page has it); 0: none is known that concerns a connection. splice can read from a
 * socket and write to one, and has the traits of both. */
uint32_t call_traits(const char *name);
/* Whether a call of this name comes to the kernel as this system call, as which its call chain names it: send as sendto. */
bool call_is_of_system_call(const char *name, const char *system_call);

#endif
