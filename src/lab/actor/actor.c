#include "lab/actor/actor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/lang.h"
#include "lab/actor/actor_own.h"
#include "lab/actor/uring.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { CHUNK_BYTES = 65536 };

/* ---- the channel ---- */

/* ---- sockets ---- */

/* ---- the commands ---- */

typedef int64_t act(struct actor *actor, const struct actor_command *command);

static int64_t do_bind(struct actor *actor, const struct actor_command *command)
{
    struct sockaddr_storage where;
    int64_t code;
    struct actor_socket *socket = actor_take_socket(actor, command, &code);
    if (!socket) return code;
    socklen_t length = actor_choose_address(command, socket->ipv6, &where);
    return actor_note(actor, "bind", bind(socket->fd, (struct sockaddr *)&where, length));
}

static int64_t set_flag(struct actor *actor, int fd, int get, int set, int flag, bool on)
{
    int flags = fcntl(fd, get);
    return actor_note(actor, "fcntl", fcntl(fd, set, on ? flags | flag : flags & ~flag));
}

static int64_t do_set(struct actor *actor, const struct actor_command *command)
{
    int64_t code;
    struct actor_socket *socket = actor_take_socket(actor, command, &code);
    if (!socket) return code;
    struct linger linger = {.l_onoff = !command->off, .l_linger = (int)command->number};
    struct timeval time = {command->duration_ns / 1000000000, command->duration_ns % 1000000000 / 1000};
    int number = (int)command->number;
    const void *value = &number;
    socklen_t length = sizeof(number);
    switch (command->value) {
    case SCENARIO_VALUE_CLOEXEC:
        return set_flag(actor, socket->fd, F_GETFD, F_SETFD, FD_CLOEXEC, number != 0);
    case SCENARIO_VALUE_NONBLOCK:
        return set_flag(actor, socket->fd, F_GETFL, F_SETFL, O_NONBLOCK, number != 0);
    case SCENARIO_VALUE_LINGER:
        value = &linger, length = sizeof(linger);
        break;
    case SCENARIO_VALUE_TIMEVAL:
        value = &time, length = sizeof(time);
        break;
    case SCENARIO_VALUE_INT:
        break;
    }
    return actor_note(actor, "setsockopt", setsockopt(socket->fd, command->level, command->option, value, length));
}

static int64_t do_listen(struct actor *actor, const struct actor_command *command)
{
    struct sockaddr_storage where;
    int64_t code;
    if (!actor_may_add(actor, command->name)) return -EINVAL;
    struct actor_socket *socket = actor_take_socket(actor, command, &code);
    if (!socket) return code;
    code = 0;
    if (command->v4.port || command->v4.version || command->v6.version) {
        socklen_t length = actor_choose_address(command, socket->ipv6, &where);
        code = actor_note(actor, "bind", bind(socket->fd, (struct sockaddr *)&where, length));
    }
    if (!code) code = actor_note(actor, "listen", listen(socket->fd, (int)command->number));
    if (code && !socket->idle) { /* as if nothing had been made, so that it can be tried again */
        close(socket->fd);
        actor_forget(actor, socket);
    } else if (!code) {
        snprintf(socket->name, sizeof(socket->name), "%s", command->name);
        socket->idle = false;
    }
    return code;
}

static int64_t do_connect(struct actor *actor, const struct actor_command *command)
{
    struct sockaddr_storage where;
    int64_t code;
    struct actor_socket *socket = actor_take_socket(actor, command, &code);
    if (!socket) return code;
    const struct sockaddr *to = (struct sockaddr *)&where;
    socket->idle = false;
    socklen_t length = actor_choose_address(command, socket->ipv6, &where);
    if (command->nonblocking && (code = set_flag(actor, socket->fd, F_GETFL, F_SETFL, O_NONBLOCK, true)) < 0) return code;
    if (command->has_data)
        return actor_note(actor, "sendto",
                          sendto(socket->fd, command->data, (size_t)command->number, MSG_FASTOPEN | MSG_NOSIGNAL, to, length));
    if (!command->uring) return actor_note(actor, "connect", connect(socket->fd, to, length));
    int result = uring_do(URING_CONNECT, socket->fd, to, length);
    actor_note(actor, "io_uring connect", 0);
    return result;
}

static int64_t do_accept(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *listener = actor_need(actor, command->socket);
    if (!listener || !actor_may_add(actor, command->name)) return -EINVAL;
    int64_t code;
    if (command->uring) {
        code = uring_do(URING_ACCEPT, listener->fd, NULL, 0);
        actor_note(actor, "io_uring accept", 0);
    } else {
        if (command->nonblocking && (code = set_flag(actor, listener->fd, F_GETFL, F_SETFL, O_NONBLOCK, true)) < 0) return code;
        code = actor_note(actor, "accept", accept(listener->fd, NULL, NULL));
        if (command->nonblocking) {
            char call[SCENARIO_NAME_BYTES];
            memcpy(call, actor->report.call, sizeof(call));
            set_flag(actor, listener->fd, F_GETFL, F_SETFL, O_NONBLOCK, false);
            memcpy(actor->report.call, call, sizeof(call));
        }
    }
    if (code >= 0) actor_add(actor, command->name, (int)code, listener->ipv6, false);
    return code < 0 ? code : 0;
}

static int64_t do_send(struct actor *actor, const struct actor_command *command)
{
    static char pattern[CHUNK_BYTES];
    struct actor_socket *socket = actor_need(actor, command->socket);
    if (!socket) return -EINVAL;
    if (!pattern[0])
        for (size_t i = 0; i < sizeof(pattern); i++) pattern[i] = (char)('a' + i % 26);
    int flags = MSG_NOSIGNAL | (command->nonblocking ? MSG_DONTWAIT : 0);
    int64_t sent = 0;
    while (sent < command->number) {
        size_t left = (size_t)(command->number - sent);
        const char *bytes = command->has_data ? command->data + sent : pattern;
        if (!command->has_data && left > sizeof(pattern)) left = sizeof(pattern);
        ssize_t got = sendto(socket->fd, bytes, left, flags, socket->peer_length ? (struct sockaddr *)&socket->peer : NULL,
                             socket->peer_length);
        int64_t ret = actor_note(actor, "send", got);
        if (ret < 0) return sent && command->nonblocking ? sent : ret;
        sent += ret;
    }
    return sent;
}

static int64_t do_recv(struct actor *actor, const struct actor_command *command)
{
    static char bytes[CHUNK_BYTES];
    struct actor_socket *socket = actor_need(actor, command->socket);
    if (!socket) return -EINVAL;
    int flags = command->nonblocking ? MSG_DONTWAIT : 0;
    int64_t received = 0;
    for (;;) {
        int64_t left = command->until_end ? CHUNK_BYTES : command->number - received;
        size_t most = left > CHUNK_BYTES ? CHUNK_BYTES : (size_t)left;
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);
        ssize_t got = socket->udp ? recvfrom(socket->fd, bytes, most, flags, (struct sockaddr *)&peer, &length)
                                  : recv(socket->fd, bytes, most, flags);
        int64_t ret = actor_note(actor, "recv", got);
        if (ret < 0) return ret;
        if (socket->udp) socket->peer = peer, socket->peer_length = length;
        received += ret;
        if (ret == 0 || (!command->until_end && !(command->all && received < command->number))) return received;
    }
}

static int64_t do_shutdown(struct actor *actor, const struct actor_command *command)
{
    static const int ways[] = {SHUT_RD, SHUT_RD, SHUT_WR, SHUT_RDWR};
    struct actor_socket *socket = actor_need(actor, command->socket);
    return socket ? actor_note(actor, "shutdown", shutdown(socket->fd, ways[command->number & 3])) : -EINVAL;
}

static int64_t do_close(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *socket = actor_need(actor, command->socket);
    if (!socket) return -EINVAL;
    int fd = socket->fd;
    actor_forget(actor, socket);
    if (!command->uring) return actor_note(actor, "close", close(fd));
    int result = uring_do(URING_CLOSE, fd, NULL, 0);
    actor_note(actor, "io_uring close", 0);
    return result;
}

static int64_t do_poll(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *socket = actor_need(actor, command->socket);
    if (!socket) return -EINVAL;
    struct pollfd item = {.fd = socket->fd, .events = command->number == SCENARIO_READ ? POLLIN : POLLOUT};
    int timeout_ms = command->duration_ns < 0 ? -1 : (int)((command->duration_ns + 999999) / 1000000);
    int64_t ret = actor_note(actor, "poll", poll(&item, 1, timeout_ms));
    return ret == 0 ? -ETIMEDOUT : ret;
}

static int64_t do_error(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *socket = actor_need(actor, command->socket);
    int error = 0;
    socklen_t length = sizeof(error);
    if (!socket) return -EINVAL;
    int64_t ret = actor_note(actor, "getsockopt", getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &length));
    return ret < 0 ? ret : -error;
}

static int64_t do_disconnect(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *socket = actor_need(actor, command->socket);
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return socket ? actor_note(actor, "connect", connect(socket->fd, &nobody, sizeof(nobody))) : -EINVAL;
}

static int64_t do_dup(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *socket = actor_need(actor, command->socket);
    if (!socket || !actor_may_add(actor, command->name)) return -EINVAL;
    int64_t fd = actor_note(actor, "dup", dup(socket->fd));
    if (fd >= 0) actor_add(actor, command->name, (int)fd, socket->ipv6, socket->udp);
    return fd < 0 ? fd : 0;
}

static int64_t do_replace(struct actor *actor, const struct actor_command *command)
{
    struct actor_socket *old = actor_need(actor, command->name), *socket = actor_need(actor, command->socket);
    if (!old || !socket) return -EINVAL;
    int64_t ret = actor_note(actor, "dup2", dup2(socket->fd, old->fd));
    if (ret >= 0) old->ipv6 = socket->ipv6, old->udp = socket->udp;
    return ret < 0 ? ret : 0;
}

static int hold_leash(struct actor *actor);

/* The child is the new actor: it speaks on its own channel from here on, and does not come back into the caller's loop. */
static int64_t do_fork(struct actor *actor, const struct actor_command *command)
{
    if (actor->received_fd < 0) return actor_fault(actor, TR("%s got no channel for '%s'"), actor->name, command->name);
    pid_t pid = fork();
    int64_t ret = actor_note(actor, "fork", pid);
    if (pid != 0) {
        close(actor->received_fd);
        return ret < 0 ? ret : pid;
    }
    close(actor->channel);
    actor->channel = actor->received_fd;
    snprintf(actor->name, sizeof(actor->name), "%s", command->name);
    prctl(PR_SET_NAME, actor->name);
    if (hold_leash(actor)) _exit(1);
    memset(&actor->report, 0, sizeof(actor->report));
    actor_send_report(actor, ACTOR_READY);
    return -EALREADY; /* no report of the command: that is the parent's */
}

static int64_t do_exec(struct actor *actor, const struct actor_command *command)
{
    char texts[SCENARIO_SOCKETS_MAX + 2][SCENARIO_NAME_BYTES + 16];
    char *argv[SCENARIO_SOCKETS_MAX + 6];
    size_t count = 0;
    (void)command;
    argv[count++] = (char[]){"tcpwhy"};
    argv[count++] = (char[]){"actor"};
    argv[count++] = actor->name;
    snprintf(texts[0], sizeof(texts[0]), "%d", actor->channel);
    snprintf(texts[1], sizeof(texts[1]), "%d", actor->leash);
    argv[count++] = texts[0];
    argv[count++] = texts[1];
    for (size_t i = 0; i < actor->count; i++) {
        const struct actor_socket *socket = &actor->sockets[i];
        if (fcntl(socket->fd, F_GETFD) & FD_CLOEXEC) continue;
        snprintf(texts[i + 2], sizeof(texts[0]), "%s=%d%s%s", socket->name, socket->fd, socket->ipv6 ? "6" : "4",
                 socket->udp ? "u" : "t");
        /* The number and the family stand apart by the last two characters. */
        argv[count++] = texts[i + 2];
    }
    argv[count] = NULL;
    return actor_note(actor, "execve", execv("/proc/self/exe", argv));
}

static int64_t do_exit(struct actor *actor, const struct actor_command *command)
{
    (void)actor;
    _exit((int)command->number);
}

static act *const acts[SCENARIO_ACTOR_VERBS] = {
    [SCENARIO_BIND] = do_bind,       [SCENARIO_SET] = do_set,           [SCENARIO_LISTEN] = do_listen,
    [SCENARIO_CONNECT] = do_connect, [SCENARIO_ACCEPT] = do_accept,     [SCENARIO_SEND] = do_send,
    [SCENARIO_RECV] = do_recv,       [SCENARIO_SHUTDOWN] = do_shutdown, [SCENARIO_CLOSE] = do_close,
    [SCENARIO_POLL] = do_poll,       [SCENARIO_ERROR] = do_error,       [SCENARIO_DISCONNECT] = do_disconnect,
    [SCENARIO_DUP] = do_dup,         [SCENARIO_REPLACE] = do_replace,   [SCENARIO_FORK] = do_fork,
    [SCENARIO_EXEC] = do_exec,       [SCENARIO_EXIT] = do_exit,
};

/* ---- life ---- */

/* The end of the pipe raises SIGIO here, whose default is to end the process, wherever it sleeps. Each actor needs an open file of
 * its own: the owner of the signal belongs to that. */
static int hold_leash(struct actor *actor)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", actor->leash);
    int mine = open(path, O_RDONLY | O_NONBLOCK);
    if (mine < 0) return -errno;
    close(actor->leash);
    actor->leash = mine;
    signal(SIGIO, SIG_DFL);
    if (fcntl(mine, F_SETOWN, getpid()) < 0 || fcntl(mine, F_SETFL, O_ASYNC | O_NONBLOCK) < 0) return -errno;
    char end;
    return read(mine, &end, 1) == 0 ? -EPIPE : 0; /* it may have been let go before */
}

static bool read_socket(struct actor *actor, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t length = strlen(text);
    if (!equals || equals - text >= SCENARIO_NAME_BYTES || length < 4 || actor->count == SCENARIO_SOCKETS_MAX) return false;
    char name[SCENARIO_NAME_BYTES] = "", number[16] = "";
    memcpy(name, text, (size_t)(equals - text));
    snprintf(number, sizeof(number), "%.*s", (int)(length - 2 - (size_t)(equals + 1 - text)), equals + 1);
    actor_add(actor, name, atoi(number), text[length - 2] == '6', text[length - 1] == 'u');
    return true;
}

static bool read_arguments(struct actor *actor, int argc, char **argv)
{
    if (argc < ACTOR_ARGUMENTS) return false;
    snprintf(actor->name, sizeof(actor->name), "%s", argv[0]);
    actor->channel = atoi(argv[1]);
    actor->leash = atoi(argv[2]);
    for (int i = ACTOR_ARGUMENTS; i < argc; i++)
        if (!read_socket(actor, argv[i])) return false;
    int type = 0;
    socklen_t length = sizeof(type);
    return getsockopt(actor->channel, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

int actor_run(int argc, char **argv)
{
    static struct actor actor;
    struct actor_command command;
    if (!read_arguments(&actor, argc, argv)) return 2;
    if (hold_leash(&actor)) return 1; /* who began it has been interrupted, and says so */
    prctl(PR_SET_NAME, actor.name);
    signal(SIGCHLD, SIG_IGN); /* whom it forks leaves nothing behind */
    actor_send_report(&actor, ACTOR_READY);
    while (actor_next_command(&actor, &command)) {
        memset(&actor.report, 0, sizeof(actor.report));
        actor_send_report(&actor, ACTOR_BEGUN);
        int64_t ret = command.verb < SCENARIO_ACTOR_VERBS ? acts[command.verb](&actor, &command) : -ENOSYS;
        if (command.verb == SCENARIO_FORK && ret == -EALREADY) continue; /* this is the child */
        actor.report.ret = ret;
        actor_send_report(&actor, ACTOR_DONE);
    }
    return 0;
}
