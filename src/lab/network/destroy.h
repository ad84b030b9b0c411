/* Ending connections from outside, as `ss -K` does: SOCK_DESTROY of sock_diag(7). */
#ifndef TCPWHY_LAB_NETWORK_DESTROY_H
#define TCPWHY_LAB_NETWORK_DESTROY_H

#include <stdint.h>

#include "base/err.h"

/* 0: the kernel can (CONFIG_INET_DIAG_DESTROY); -ENOTSUP with a sentence. */
int destroy_check(struct err *err);
/* Destroys each TCP connection of the caller's network namespace with this port at either end; listeners and TIME_WAIT stay. How
 * many they were, or -errno with a sentence; -ENOENT: there was none. Needs CAP_NET_ADMIN there. */
int destroy_connections(uint16_t port, struct err *err);

#endif
