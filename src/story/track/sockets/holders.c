/* Who holds a socket: descriptors are copied by dup and fork, and only the last one that goes closes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/call_story.h"
#include "story/track/track.h"

static bool is_held_by(const struct sock *sock, int32_t pid)
{
    for (size_t i = 0; sock && i < sock->holder_count; i++)
        if (sock->holders[i].pid == pid) return true;
    return false;
}

static struct sock *held(const struct teller *teller, const struct process *process, size_t i)
{
    return table_get(teller->sockets, &process->held[i]);
}

/* The process's list of what it may hold: sockets that went, or that it let go, are struck off before it grows. */
static int note_held(struct teller *teller, struct process *process, uint64_t cookie)
{
    if (process->held_count == process->held_room) {
        size_t kept = 0;
        for (size_t i = 0; i < process->held_count; i++)
            if (is_held_by(held(teller, process, i), process->pid)) process->held[kept++] = process->held[i];
        process->held_count = kept;
        if (kept * 2 > process->held_room) process->held_room = kept; /* full of what is there: grow */
        if (kept < process->held_room) {
            process->held[process->held_count++] = cookie;
            return 0;
        }
    }
    uint64_t *slot = track_grow((void **)&process->held, &process->held_count, &process->held_room, sizeof(*slot));
    if (!slot) return -ENOMEM;
    *slot = cookie;
    return 0;
}

static int hold(struct teller *teller, struct sock *sock, int32_t pid, int32_t fd, const char *comm, enum holder_made made)
{
    for (size_t i = 0; i < sock->holder_count; i++)
        if (sock->holders[i].pid == pid && sock->holders[i].fd == fd) return 0;
    bool known = is_held_by(sock, pid);
    struct process *process = process_get(teller, pid);
    struct holder *holder = track_grow((void **)&sock->holders, &sock->holder_count, &sock->holder_room, sizeof(*holder));
    if (!holder || !process) return -ENOMEM;
    holder->pid = pid;
    holder->fd = fd;
    holder->made = made;
    memcpy(holder->comm, comm, sizeof(holder->comm));
    return known ? 0 : note_held(teller, process, sock->cookie);
}

/* fd -1: all of the process's. */
static void let_go(struct sock *sock, int32_t pid, int32_t fd)
{
    for (size_t i = sock->holder_count; i-- > 0;) {
        if (sock->holders[i].pid != pid || (fd >= 0 && sock->holders[i].fd != fd)) continue;
        sock->holders[i] = sock->holders[--sock->holder_count];
        if (!sock->holder_count) sock->gone = true;
    }
}

/* Of all sockets. */
static void let_all_go(struct teller *teller, int32_t pid)
{
    struct process *process = table_get(teller->processes, &pid);
    for (size_t i = 0; process && i < process->held_count; i++) {
        struct sock *sock = held(teller, process, i);
        if (!sock) continue;
        let_go(sock, pid, -1);
        sockets_touch(teller, sock);
    }
    if (process) process->held_count = 0;
}

/* Of a descriptor that this process was seen to hold. */
static enum holder_made how_made(const struct sock *sock, int32_t pid, int32_t fd)
{
    for (size_t i = 0; i < sock->holder_count; i++)
        if (sock->holders[i].pid == pid && sock->holders[i].fd == fd) return sock->holders[i].made;
    return HOLDER_MADE_UNSEEN;
}

static int hold_by_call(struct teller *teller, struct sock *sock, const struct call *call, enum holder_made made)
{
    return hold(teller, sock, call->thread.pid, (int32_t)call->ret, call->thread.comm, made);
}

bool holders_close_among_many(const struct call *call, const struct sock *sock)
{
    size_t closed = 0;
    for (size_t h = 0; call->traits & CALL_CLOSES_RANGE && h < sock->holder_count; h++)
        for (size_t i = 0; sock->holders[h].pid == call->thread.pid && i < call->watch_count; i++)
            closed += call->watch[i].cookie == sock->cookie && call->watch[i].data == (uint64_t)sock->holders[h].fd;
    return closed && closed == sock->holder_count;
}

static bool is_within(const struct call *call, const struct sock *sock)
{
    for (size_t h = 0; h < sock->holder_count; h++)
        if (sock->holders[h].pid != call->thread.pid || sock->holders[h].fd < call->fd) return false;
    return sock->holder_count;
}

/* Of a long list of what close_range() closes the end is cut off: what this process alone held, from the first of them on, may be
 * there. */
static int list_unlisted(struct teller *teller, struct call *call)
{
    struct process *process = call->watch_cut ? table_get(teller->processes, &call->thread.pid) : NULL;
    int code = 0;
    for (size_t i = 0; process && !code && i < process->held_count; i++) {
        struct sock *sock = held(teller, process, i);
        bool has_it = sock && sock->call_count && sock->calls[sock->call_count - 1] == call;
        if (sock && !sock->listening && !has_it && is_within(call, sock) && !call_story_lists(call, sock->cookie))
            code = socket_list_call(teller, sock, call);
    }
    return code;
}

int holders_take_call(struct teller *teller, struct call *call, struct sock *sock, struct sock *other)
{
    int32_t pid = call->thread.pid;
    if (call->ret < 0) return 0;
    if (call->traits & CALL_CLOSES_RANGE) { /* any of them may be among those */
        int code = list_unlisted(teller, call);
        let_all_go(teller, pid);
        return code;
    }
    if (call->traits & CALL_MAKES_SOCKET && sock) return hold_by_call(teller, sock, call, HOLDER_MADE_FIRST);
    if (call->traits & CALL_ACCEPTS && other) return hold_by_call(teller, other, call, HOLDER_MADE_FIRST);
    if (call->traits & CALL_TAKES_COPY && other) return hold_by_call(teller, other, call, HOLDER_MADE_TAKEN);
    if (call->traits & CALL_COPIES) {
        if (other) let_go(other, pid, (int32_t)call->ret);
        return sock ? hold_by_call(teller, sock, call, HOLDER_MADE_DUP) : 0;
    }
    if (call->traits & CALL_CLOSES && sock) {
        enum holder_made closed = how_made(sock, pid, call->fd);
        let_go(sock, pid, call->fd);
        if (sock->holder_count) {
            call->still = sock->holders[0];
            call->copied = call->still.made == HOLDER_MADE_FIRST ? closed : call->still.made;
        } else
            sock->gone = true;
    }
    return 0;
}

int holders_take_process(struct teller *teller, const struct event_process *process)
{
    int32_t pid = process->thread.pid;
    const struct thread *thread = process->change == PROCESS_EXEC ? socket_thread(teller, &process->thread) : NULL;
    int code = thread && thread->current && thread->current->traits & CALL_RUNS ? list_unlisted(teller, thread->current) : 0;
    /* Which descriptors survive an exec (FD_CLOEXEC) was not seen: better to know of no holder than of a wrong one. */
    if (process->change != PROCESS_FORK) let_all_go(teller, pid);
    if (process->change != PROCESS_FORK || !process->parent || process->parent == pid) return code; /* a thread */
    struct process *parent = table_get(teller->processes, &process->parent);
    for (size_t h = 0; parent && !code && h < parent->held_count; h++) {
        struct sock *sock = held(teller, parent, h);
        for (size_t i = 0, count = sock ? sock->holder_count : 0; !code && i < count; i++)
            if (sock->holders[i].pid == process->parent)
                code = hold(teller, sock, pid, sock->holders[i].fd, process->thread.comm, HOLDER_MADE_FORK);
    }
    return code;
}
