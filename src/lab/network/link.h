/* Network interfaces of the network namespace that the caller is in, over rtnetlink(7) and the ethtool ioctl.
 *
 * Each function is one request that the kernel has answered when it returns: 0 or a negative errno, without a sentence (the caller
 * knows what it was for). */
#ifndef TCPWHY_LAB_NETWORK_LINK_H
#define TCPWHY_LAB_NETWORK_LINK_H

#include <stdint.h>

#include "base/address.h"

enum { LINK_MAC_BYTES = 6 };

struct link_veth {
    const char *name; /* here; with the address `mac` */
    const uint8_t *mac;
    const char *peer_name; /* in the namespace of peer_netns_fd; its address is the kernel's choice */
    int peer_netns_fd;
    uint32_t mtu_bytes; /* of both ends */
};

/* Makes a pair (veth(4)), down at both ends. TCP will not build segments larger than one packet on the end that is here
 * (IFLA_GSO_MAX_SEGS 1): it does so even without any offload, and cuts them apart only behind the point where the kernel is
 * watched. */
int link_make_veth(const struct link_veth *veth);
/* The index of an interface, or -errno. */
int link_index(const char *name);
int link_up(const char *name);
/* Adds an address, without duplicate address detection for IPv6. */
int link_add_address(const char *name, const struct address *address, uint8_t prefix_bits);
/* A neighbour that is never asked for. */
int link_add_neighbour(const char *name, const struct address *address, const uint8_t mac[LINK_MAC_BYTES]);
/* The way to all that is in no other network: through a neighbour. */
int link_add_default_route(const char *name, const struct address *gateway);
/* Switches off transmit and receive checksumming, scatter-gather, TSO, GSO and GRO (SIOCETHTOOL). What the kernel does not know, or
 * does not let be switched, is passed over, but for transmit checksumming: without it, others would see wrong checksums. */
int link_offload_nothing(const char *name);

#endif
