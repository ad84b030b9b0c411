/* Internal to src/lab/actor: an actor, as its files share it. */
#ifndef TCPWHY_LAB_ACTOR_ACTOR_OWN_H
#define TCPWHY_LAB_ACTOR_ACTOR_OWN_H

#include <sys/socket.h>

#include "lab/actor/actor.h"
#include "lab/actor/uring.h"

struct actor_socket {
    char name[SCENARIO_NAME_BYTES];
    int fd;
    bool ipv6, udp, idle;         /* idle: made by bind or set, and neither connected nor listening yet */
    struct sockaddr_storage peer; /* UDP: whom it received from last */
    socklen_t peer_length;
};

struct actor {
    char name[SCENARIO_NAME_BYTES];
    int channel, leash;
    int received_fd; /* what came with the command; -1 none */
    struct actor_socket sockets[SCENARIO_SOCKETS_MAX];
    size_t count;
    struct actor_report report; /* of the command in hand */
};

/* 1, or 0 when the runner has gone. */
int actor_next_command(struct actor *actor, struct actor_command *ret_command);
void actor_send_report(struct actor *actor, enum actor_report_kind kind);

int actor_fault(struct actor *actor, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct actor_socket *actor_need(struct actor *actor, const char *name);
struct actor_socket *actor_add(struct actor *actor, const char *name, int fd, bool ipv6, bool udp);
void actor_forget(struct actor *actor, struct actor_socket *socket);
bool actor_may_add(struct actor *actor, const char *name);
/* What a call returned, as the report's; -errno where it failed. */
int64_t actor_note(struct actor *actor, const char *call, int64_t ret);
/* The socket that the command works on, made first where it says so and there is none; NULL: *ret_code. */
struct actor_socket *actor_take_socket(struct actor *actor, const struct actor_command *command, int64_t *ret_code);
socklen_t actor_choose_address(const struct actor_command *command, bool ipv6, struct sockaddr_storage *ret_sockaddr);

#endif
