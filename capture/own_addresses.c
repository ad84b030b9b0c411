#include "capture/own_addresses.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static socklen_t sockaddr_bytes(const struct sockaddr *sockaddr)
{
    return sockaddr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* fe80::/10 and 169.254.0.0/16. */
static bool is_link_local(const struct address *address)
{
    return address->version == 6 ? address->ip[0] == 0xfe && (address->ip[1] & 0xc0) == 0x80
                                 : address->ip[0] == 169 && address->ip[1] == 254;
}

void own_addresses_choose(const struct ifaddrs *all, const char *interface, struct event_vantage *vantage)
{
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct address address;
        if (!one->ifa_addr || strcmp(one->ifa_name, interface) != 0 || one->ifa_flags & IFF_LOOPBACK) continue;
        if (!address_from_sockaddr(one->ifa_addr, sockaddr_bytes(one->ifa_addr), &address) || is_link_local(&address)) continue;
        struct address *place = address.version == 4 ? &vantage->v4 : &vantage->v6;
        if (!place->version) *place = address;
    }
}

void own_addresses(const char *interface, struct event_vantage *vantage)
{
    struct ifaddrs *all;
    if (getifaddrs(&all)) return;
    own_addresses_choose(all, interface, vantage);
    freeifaddrs(all);
}
