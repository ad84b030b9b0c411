/* The channel between a scenario and its actor: commands one way, reports the other. */
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

#include "lab/actor/actor_own.h"
#include "lab/actor/uring.h"

int actor_tell(int channel, const struct actor_command *command, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {(void *)(uintptr_t)command, sizeof(*command)};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int actor_hear(int channel, struct actor_report *ret_report)
{
    ssize_t got = recv(channel, ret_report, sizeof(*ret_report), MSG_DONTWAIT);
    if (got == (ssize_t)sizeof(*ret_report)) return 1;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    return got >= 0 || errno == ECONNRESET ? -EPIPE : -errno;
}

/* 1, or 0 when the runner has gone. */
int actor_next_command(struct actor *actor, struct actor_command *ret_command)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec piece = {ret_command, sizeof(*ret_command)};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    do got = recvmsg(actor->channel, &message, 0);
    while (got < 0 && errno == EINTR);
    actor->received_fd = -1;
    struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&actor->received_fd, CMSG_DATA(header), sizeof(int));
    return got == (ssize_t)sizeof(*ret_command);
}

void actor_send_report(struct actor *actor, enum actor_report_kind kind)
{
    actor->report.kind = kind;
    actor->report.pid = getpid();
    if (send(actor->channel, &actor->report, sizeof(actor->report), MSG_NOSIGNAL) < 0) _exit(1); /* nobody is there to obey */
}

void actor_command_from(const struct scenario_step *step, struct actor_command *ret_command)
{
    int64_t unit_ns;
    *ret_command = (struct actor_command){
        .verb = step->verb,
        .fresh = step->fresh,
        .ipv6 = step->ipv6,
        .udp = step->udp,
        .mptcp = step->mptcp,
        .uring = step->uring,
        .nonblocking = step->nonblocking,
        .all = step->all,
        .until_end = step->until_end,
        .off = step->off,
        .number = step->number,
        .duration_ns = step->duration_ns,
        .has_data = step->data != NULL,
        .v4 = {.port = step->address.port},
        .v6 = {.port = step->address.port},
    };
    if (step->socket) snprintf(ret_command->socket, sizeof(ret_command->socket), "%s", step->socket);
    if (step->name) snprintf(ret_command->name, sizeof(ret_command->name), "%s", step->name);
    if (step->data) snprintf(ret_command->data, sizeof(ret_command->data), "%s", step->data);
    if (step->verb == SCENARIO_SET)
        scenario_option(step->option, &ret_command->level, &ret_command->option, &ret_command->value, &unit_ns);
}
