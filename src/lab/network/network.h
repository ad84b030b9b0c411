/* Two hosts and the place between them: three network namespaces, joined by two veth pairs, for a lesson that needs a wire.
 *
 *     client  eth0 ══ client   (wire)   server ══ eth0  server
 *
 * Each host has one interface, "eth0", with an address of the documentation ranges (RFC 5737, RFC 3849), in one network, or in two
 * with a router between them; the wire's namespace holds
 * the two other ends, without addresses: whatever is to pass is carried by lab/wire/wire.h. Neighbours are permanent (no ARP, no
 * neighbour discovery); checksums, TSO, GSO and GRO are not offloaded, so what is captured is what goes over the wire.
 *
 * It owns one descriptor for each namespace and nothing else: nothing is named or pinned, and when the process and those it put
 * there have ended, however they ended, nothing is left. */
#ifndef TCPWHY_LAB_NETWORK_NETWORK_H
#define TCPWHY_LAB_NETWORK_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "lab/network/host.h"

struct network;

enum network_place { NETWORK_CLIENT, NETWORK_SERVER, NETWORK_WIRE, NETWORK_PLACES };

#define NETWORK_INTERFACE "eth0" /* of each host */
#define NETWORK_CLIENT_V4 "192.0.2.1"
#define NETWORK_SERVER_V4 "192.0.2.2"
#define NETWORK_CLIENT_V6 "2001:db8::1"
#define NETWORK_SERVER_V6 "2001:db8::2"
/* Where a router stands between them, the server is in a network of its own, and each side's default route is the router's address
 * there. */
#define NETWORK_ROUTED_SERVER_V4 "198.51.100.2"
#define NETWORK_ROUTED_SERVER_V6 "2001:db8:0:1::2"
#define NETWORK_ROUTER_CLIENT_V4 "192.0.2.254"
#define NETWORK_ROUTER_CLIENT_V6 "2001:db8::fe"
#define NETWORK_ROUTER_SERVER_V4 "198.51.100.254"
#define NETWORK_ROUTER_SERVER_V6 "2001:db8:0:1::fe"

struct network_options {
    uint32_t mtu_bytes; /* of both hosts; 0: 1500. At least 1280 (RFC 8200) */
    bool routed;        /* a router stands between the hosts (lab/wire/router.h): the wire does its work */
};

/* A host's address of that version (4 or 6), port 0, without and with a router; the router's on the side of a host. */
struct address network_address(enum network_place host, uint8_t version, bool routed);
struct address network_router_address(enum network_place host, uint8_t version);
/* The Ethernet address (6 bytes) of a host; NETWORK_WIRE: the router's. Static storage. */
const uint8_t *network_mac(enum network_place place);

/* Makes all of it. With CAP_SYS_ADMIN the process stays in the network it is in; as an ordinary user it moves for good into a user
 * namespace with a network namespace of its own (as host_make_private; it keeps its uid and gid). options may be NULL.
 * 0; -EPERM with a sentence that names what is refused, and the process is where it was; else -errno (-EIO where the process may
 * have left its old network). Single-threaded callers only. */
int network_open(struct network **ret_network, const struct network_options *options, struct err *err);
/* HOST_PRIVATE or HOST_PRIVATE_USER: how it was made. */
enum host_kind network_kind(const struct network *network);
/* "client", "server" or "wire". Static storage. */
const char *network_place_name(enum network_place place);
/* Moves this process (and the children that it forks there) into the place's network; network_leave brings it back to where it was
 * after network_open. Sockets, captures and /proc/sys/net opened between the two are that place's. Not nested. 0 or -errno. */
int network_enter(struct network *network, enum network_place place, struct err *err);
int network_leave(struct network *network, struct err *err);
/* A descriptor of the place's namespace, for setns(2) with CLONE_NEWNET in a child. The network's own; close-on-exec. */
int network_fd(const struct network *network, enum network_place place);
/* The inode of the place's namespace, as in /proc/PID/ns/net and in events. */
uint64_t network_netns(const struct network *network, enum network_place place);
/* Sets a sysctl below "net." of a place ("net.ipv4.tcp_syncookies", "2"). 0; -EINVAL (no such name, or a value that the kernel
 * refuses); -EACCES where only the host's own root may set it; else -errno. */
int network_sysctl(struct network *network, enum network_place place, const char *name, const char *value, struct err *err);
/* Closes the descriptors. The namespaces end with their last process. NULL is fine. */
void network_close(struct network *network);

#endif
