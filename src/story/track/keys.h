/* Under what sockets and flows stand in the teller's tables.
 *
 * Internal to src/story. */
#ifndef TCPWHY_STORY_TRACK_KEYS_H
#define TCPWHY_STORY_TRACK_KEYS_H

#include "base/address.h"

/* Sockets by the port where they serve; by their own port and the address of their peer. */
struct port_key {
    uint16_t port, protocol;
};
struct ends_key {
    struct address remote;
    uint32_t local_port;
};

struct flow_key {
    struct address low, high; /* the two ends in memcmp order */
    uint64_t netns; /* of loopback: 127.0.0.1 is another host in each namespace, 192.0.2.1 is not; else 0, but for networks.h */
    uint32_t protocol;
    uint32_t connection; /* flow_shown_number of one whose place another took before it was over; 0 else */
};

#endif
