/* A host of its own for a run: a private network namespace with its loopback up.
 *
 * Nothing is named or pinned: the namespace ends with its last process, however that ends. */
#ifndef TCPWHY_LAB_NETWORK_HOST_H
#define TCPWHY_LAB_NETWORK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum host_kind {
    HOST_PRIVATE,      /* a network namespace, made with CAP_SYS_ADMIN */
    HOST_PRIVATE_USER, /* a user and a network namespace, made by an ordinary user */
    HOST_SHARED        /* this host's own network */
};

/* Moves the calling process into a private network namespace (unshare(2)) and brings lo up. As an ordinary user it takes a user
 * namespace too, keeping its uid and gid. 0 and *ret_kind; -EPERM with a sentence that names what is refused (the sysctl, LSM or
 * container setting where it can be told). Single-threaded callers only. */
int host_make_private(enum host_kind *ret_kind, struct err *err);
/* Whether host_make_private would succeed: tried in a child. */
bool host_may_be_private(void);
/* What a person can do about its refusal, besides becoming root: "sudo sysctl …"; NULL: nothing that is known to help. */
const char *host_remedy(void);
/* The inode of the network namespace this process is in; 0 where it can't be read. */
uint64_t host_netns(void);
/* A TCP socket of this namespace, as /proc/net/tcp and tcp6 have it. */
struct host_socket {
    uint16_t local, remote; /* ports */
    bool local_loopback, remote_loopback;
    unsigned state; /* include/net/tcp_states.h */
};
/* Whether there is one of which `is_it` is true. */
bool host_has_socket(bool (*is_it)(const void *data, const struct host_socket *socket), const void *data);
/* Whether a TCP socket with this port of 127.0.0.1 or ::1 at either end is left in a state other than TIME_WAIT, LISTEN or CLOSE in
 * this namespace
 * (/proc/net/tcp, tcp6): while there is one, more segments may come. (A UDP socket sends nothing without a call.) */
bool host_has_active_socket(uint16_t port);

#endif
