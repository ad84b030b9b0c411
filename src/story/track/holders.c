/* Who holds a socket: descriptors are copied by dup and fork, and only the last one that goes closes. */
#include <errno.h>
#include <string.h>

#include "story/track/track.h"

static int hold(struct sock *sock, int32_t pid, int32_t fd, const char *comm)
{
    for (size_t i = 0; i < sock->holder_count; i++)
        if (sock->holders[i].pid == pid && sock->holders[i].fd == fd) return 0;
    struct holder *holder = track_grow((void **)&sock->holders, &sock->holder_count, &sock->holder_room, sizeof(*holder));
    if (!holder) return -ENOMEM;
    holder->pid = pid;
    holder->fd = fd;
    memcpy(holder->comm, comm, sizeof(holder->comm));
    return 0;
}

/* fd -1: all of the process's. */
static void let_go(struct sock *sock, int32_t pid, int32_t fd)
{
    for (size_t i = sock->holder_count; i-- > 0;) {
        if (sock->holders[i].pid != pid || (fd >= 0 && sock->holders[i].fd != fd)) continue;
        sock->holders[i] = sock->holders[--sock->holder_count];
    }
}

int holders_take_call(struct teller *teller, struct call *call, struct sock *sock, struct sock *other)
{
    int32_t pid = call->thread.pid;
    void *value;
    if (call->ret < 0) return 0;
    if (strcmp(call->name, "close_range") == 0) { /* any of them may be among those */
        for (size_t cursor = 0; table_next(teller->sockets, &cursor, NULL, &value);) let_go(value, pid, -1);
        return 0;
    }
    if (strcmp(call->name, "socket") == 0 && sock) return hold(sock, pid, (int32_t)call->ret, call->thread.comm);
    if (strncmp(call->name, "accept", 6) == 0 && other) return hold(other, pid, (int32_t)call->ret, call->thread.comm);
    if (strncmp(call->name, "dup", 3) == 0) {
        if (other) let_go(other, pid, (int32_t)call->ret);
        return sock ? hold(sock, pid, (int32_t)call->ret, call->thread.comm) : 0;
    }
    if (strcmp(call->name, "close") == 0 && sock) {
        let_go(sock, pid, call->fd);
        if (sock->holder_count) call->still = sock->holders[0];
    }
    return 0;
}

int holders_take_process(struct teller *teller, const struct event_process *process)
{
    int code = 0;
    void *value;
    if (process->change == PROCESS_FORK && (!process->parent || process->parent == process->thread.pid)) return 0; /* a thread */
    for (size_t cursor = 0; !code && table_next(teller->sockets, &cursor, NULL, &value);) {
        struct sock *sock = value;
        /* Which descriptors survive an exec (FD_CLOEXEC) was not seen: better to know of no holder than of a wrong one. */
        if (process->change != PROCESS_FORK) let_go(sock, process->thread.pid, -1);
        for (size_t i = 0, count = sock->holder_count; process->change == PROCESS_FORK && !code && i < count; i++)
            if (sock->holders[i].pid == process->parent)
                code = hold(sock, process->thread.pid, sock->holders[i].fd, process->thread.comm);
    }
    return code;
}
