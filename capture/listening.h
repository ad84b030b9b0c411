/* Who listened already as recording began, in this host's networks: EVENT_LISTENER.
 *
 * Of a connection that is open already no SYN is seen; the end at such a port is the server's. */
#ifndef TCPWHY_CAPTURE_LISTENING_H
#define TCPWHY_CAPTURE_LISTENING_H

#include "event/log.h"

enum { LISTENING_PORTS_BYTES = 65536 / 8 };

struct listening_options {
    const uint64_t *netns; /* inodes of the networks to look at */
    size_t netns_count;    /* 0: all that have a process */
    const uint8_t *ports;  /* LISTENING_PORTS_BYTES: a bit for each that matters; NULL: all do */
    int64_t t_ns;          /* the events' time */
};

/* This process's network first, then those of all processes of whom we may see it: what can't be seen is passed over. 0 or -ENOMEM.
 */
int listening_append(struct event_log *log, const struct listening_options *options);

#endif
