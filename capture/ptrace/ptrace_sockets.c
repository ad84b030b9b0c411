#include "capture/ptrace/ptrace_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KNOWN_MAX = 4096 };

int ptrace_sockets_init(struct ptrace_sockets *sockets)
{
    sockets->by_key = table_new(sizeof(uint64_t));
    return sockets->by_key ? 0 : -ENOMEM;
}

static void forget_all(struct ptrace_sockets *sockets)
{
    void *socket;
    for (size_t cursor = 0; table_next(sockets->by_key, &cursor, NULL, &socket);) free(socket);
    table_free(sockets->by_key);
    sockets->by_key = NULL;
}

void ptrace_sockets_free(struct ptrace_sockets *sockets)
{
    if (sockets->by_key) forget_all(sockets);
}

uint64_t ptrace_sockets_inode(pid_t tid, int fd)
{
    static const char prefix[] = "socket:[";
    char path[64], name[64];
    errno = 0;
    if (fd < 0) return 0;
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
    ssize_t length = readlink(path, name, sizeof(name) - 1);
    if (length == -1) {
        if (errno == ENOENT || errno == ESRCH) errno = 0;
        return 0;
    }
    name[length] = '\0';
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0) return PTRACE_SOCKETS_OTHER;
    return strtoull(name + sizeof(prefix) - 1, NULL, 10);
}

bool ptrace_sockets_find(const struct ptrace_sockets *sockets, uint64_t key, struct event_socket *ret_socket)
{
    const struct event_socket *known = sockets->by_key ? table_get(sockets->by_key, &key) : NULL;
    if (known) *ret_socket = *known;
    return known;
}

bool ptrace_sockets_fresh(const struct event_socket *socket)
{
    return socket->protocol == IPPROTO_TCP && socket->state == KERNEL_CLOSE && !socket->local.port && !socket->remote.port;
}

bool ptrace_sockets_settled(const struct event_socket *socket)
{
    return socket->protocol == IPPROTO_TCP && socket->local.port && (socket->remote.port || socket->state == KERNEL_LISTEN);
}

void ptrace_sockets_learn(struct ptrace_sockets *sockets, uint64_t key, const struct event_socket *socket)
{
    if (!sockets->by_key && ptrace_sockets_init(sockets)) return;
    free(table_remove(sockets->by_key, &key));
    if (table_count(sockets->by_key) >= KNOWN_MAX) {
        forget_all(sockets);
        if (ptrace_sockets_init(sockets)) return;
    }
    struct event_socket *known = malloc(sizeof(*known));
    if (!known) return;
    *known = *socket;
    if (known->state != KERNEL_LISTEN && !ptrace_sockets_fresh(known)) known->state = KERNEL_STATE_UNKNOWN;
    known->unread_bytes = 0;
    known->has_unread = false;
    if (table_put(sockets->by_key, &key, known)) free(known);
}
