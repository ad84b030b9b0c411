/* Processes that run already, found and followed: those that a person names, whoever listens at a port, and all that came of them.
 */
#ifndef TCPWHY_RUN_TARGETS_H
#define TCPWHY_RUN_TARGETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "capture/listening.h"
#include "record/session.h"
#include "run/networks.h"

enum { TARGETS_MAX = 64 };

struct targets_options {
    pid_t processes[TARGETS_MAX];
    size_t process_count;
    uint16_t ports[TARGETS_MAX];
    size_t port_count;
};

struct targets {
    pid_t *pids; /* all that are followed: those asked for first */
    size_t count, room;
    size_t asked;                         /* how many of them were asked for */
    uint32_t netns;                       /* of the one that is looked at */
    size_t sockets;                       /* that they hold open */
    uint8_t ports[LISTENING_PORTS_BYTES]; /* at either end of those that are connected, a bit each */
    int code;                             /* the first failure while they are gathered */
    struct session *session;
    struct networks *networks;
};

/* The ports at which they listen now, `most` at the most (0 ends, where there are fewer): what has a connection that began before
 * is the serving end's side. Says nothing of failures: targets_follow does. */
void targets_ports(const struct targets_options *options, uint16_t *ret_ports, size_t most);
/* Follows them, and captures packets in the networks where they are. 0; -ESRCH: there is no such process, or nobody listens there;
 * -EPERM, -EOPNOTSUPP: they may not be followed; with a sentence. Release with targets_free, after a failure too. */
int targets_follow(struct targets *targets, const struct targets_options *options, struct session *session,
                   struct networks *networks, struct err *err);
void targets_free(struct targets *targets);

#endif
