/* An actor's sockets, by the names that its scenario gives them. */
#include "lab/actor/actor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
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

static struct actor_socket *actor_find(struct actor *actor, const char *name)
{
    for (size_t i = 0; i < actor->count; i++)
        if (strcmp(actor->sockets[i].name, name) == 0) return &actor->sockets[i];
    return NULL;
}

int actor_fault(struct actor *actor, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(actor->report.fault, sizeof(actor->report.fault), tr(format), args);
    va_end(args);
    return -EINVAL;
}

struct actor_socket *actor_need(struct actor *actor, const char *name)
{
    struct actor_socket *socket = actor_find(actor, name);
    if (!socket) actor_fault(actor, TR("%s has no socket called '%s'"), actor->name, name);
    return socket;
}

struct actor_socket *actor_add(struct actor *actor, const char *name, int fd, bool ipv6, bool udp)
{
    struct actor_socket *socket = &actor->sockets[actor->count++];
    *socket = (struct actor_socket){.fd = fd, .ipv6 = ipv6, .udp = udp};
    snprintf(socket->name, sizeof(socket->name), "%s", name);
    return socket;
}

void actor_forget(struct actor *actor, struct actor_socket *socket)
{
    *socket = actor->sockets[--actor->count];
}

bool actor_may_add(struct actor *actor, const char *name)
{
    if (actor_find(actor, name))
        return actor_fault(actor, TR("%s has a socket of this name already: '%s'"), actor->name, name), false;
    if (actor->count == SCENARIO_SOCKETS_MAX)
        return actor_fault(actor, TR("%s has too many sockets for one more: '%s'"), actor->name, name), false;
    return true;
}

/* What a call returned, as the report's; -errno where it failed. */
int64_t actor_note(struct actor *actor, const char *call, int64_t ret)
{
    if (ret < 0) ret = -errno;
    snprintf(actor->report.call, sizeof(actor->report.call), "%s", call);
    return ret;
}

/* The socket that the command works on, made first where it says so and there is none; NULL: *ret_code. */
struct actor_socket *actor_take_socket(struct actor *actor, const struct actor_command *command, int64_t *ret_code)
{
    const char *name = command->socket;
    *ret_code = -EINVAL;
    if (!command->fresh) return actor_need(actor, name);
    struct actor_socket *there = actor_find(actor, name);
    bool usual = strcmp(name, "socket") == 0;
    if (command->verb == SCENARIO_LISTEN && !(there && there->idle)) {
        there = NULL;
        name = command->name;
    }
    if (!there && usual && (command->verb == SCENARIO_BIND || command->verb == SCENARIO_SET)) there = actor_find(actor, "listener");
    if (there) return there;
    if (!actor_may_add(actor, name)) return NULL;
    bool ipv6 = command->ipv6 || (command->v6.version && !command->v4.version);
    int protocol = command->mptcp ? IPPROTO_MPTCP : 0;
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, command->udp ? SOCK_DGRAM : SOCK_STREAM, protocol);
    *ret_code = actor_note(actor, "socket", fd);
    if (fd < 0) return NULL;
    there = actor_add(actor, name, fd, ipv6, command->udp);
    there->idle = command->verb == SCENARIO_BIND || command->verb == SCENARIO_SET;
    return there;
}

static socklen_t actor_to_sockaddr(const struct address *address, bool ipv6, uint16_t port, struct sockaddr_storage *ret_sockaddr)
{
    *ret_sockaddr = (struct sockaddr_storage){0};
    if (!ipv6) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&in.sin_addr, address->ip, 4);
        memcpy(ret_sockaddr, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (address->version == 4) { /* IPv4 through a v6 socket */
        in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(&in6.sin6_addr.s6_addr[12], address->ip, 4);
    } else
        memcpy(&in6.sin6_addr, address->ip, 16);
    memcpy(ret_sockaddr, &in6, sizeof(in6));
    return sizeof(in6);
}

socklen_t actor_choose_address(const struct actor_command *command, bool ipv6, struct sockaddr_storage *ret_sockaddr)
{
    const struct address *address = ipv6 && command->v6.version ? &command->v6 : &command->v4;
    return actor_to_sockaddr(address, ipv6, command->v4.port ? command->v4.port : command->v6.port, ret_sockaddr);
}
