#include "lab/network/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { REQUEST_BYTES = 1024, REPLY_BYTES = 8192, SEQUENCE = 1 };

struct request {
    union {
        struct nlmsghdr header;
        char bytes[REQUEST_BYTES];
    };
};

static struct nlmsghdr *begin(struct request *request, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(request->bytes);
    header->nlmsg_type = type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    header->nlmsg_seq = SEQUENCE;
    return header;
}

/* A socket for each request: it belongs to the namespace that it was made in, and the caller wanders. */
static int talk(const struct nlmsghdr *header)
{
    char reply[REPLY_BYTES];
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket) return -errno;
    ssize_t got = -1;
    int answer = -1;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 && mnl_socket_sendto(socket, header, header->nlmsg_len) >= 0)
        got = mnl_socket_recvfrom(socket, reply, sizeof(reply));
    if (got >= 0) answer = mnl_cb_run(reply, (size_t)got, SEQUENCE, mnl_socket_get_portid(socket), NULL, NULL);
    int code = answer < 0 ? -errno : answer == MNL_CB_STOP ? 0 : -EIO; /* -EIO: neither yes nor no */
    mnl_socket_close(socket);
    return code;
}

int link_index(const char *name)
{
    unsigned index = if_nametoindex(name);
    return index ? (int)index : -errno;
}

int link_make_veth(const struct link_veth *veth)
{
    struct request request;
    struct nlmsghdr *header = begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    info->ifi_family = AF_UNSPEC;
    mnl_attr_put_strz(header, IFLA_IFNAME, veth->name);
    mnl_attr_put(header, IFLA_ADDRESS, LINK_MAC_BYTES, veth->mac);
    mnl_attr_put_u32(header, IFLA_MTU, veth->mtu_bytes);
    mnl_attr_put_u32(header, IFLA_GSO_MAX_SEGS, 1);
    struct nlattr *link_info = mnl_attr_nest_start(header, IFLA_LINKINFO);
    mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
    struct ifinfomsg *peer_info = mnl_nlmsg_put_extra_header(header, sizeof(*peer_info));
    peer_info->ifi_family = AF_UNSPEC;
    mnl_attr_put_strz(header, IFLA_IFNAME, veth->peer_name);
    mnl_attr_put_u32(header, IFLA_MTU, veth->mtu_bytes);
    mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
    mnl_attr_nest_end(header, peer);
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, link_info);
    return talk(header);
}

int link_up(const char *name)
{
    int index = link_index(name);
    if (index < 0) return index;
    struct request request;
    struct nlmsghdr *header = begin(&request, RTM_NEWLINK, 0);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    info->ifi_family = AF_UNSPEC;
    info->ifi_index = index;
    info->ifi_flags = IFF_UP;
    info->ifi_change = IFF_UP;
    return talk(header);
}

static unsigned char family_of(const struct address *address)
{
    return address->version == 4 ? AF_INET : AF_INET6;
}

static void put_ip(struct nlmsghdr *header, uint16_t type, const struct address *address)
{
    mnl_attr_put(header, type, address->version == 4 ? 4 : 16, address->ip);
}

int link_add_address(const char *name, const struct address *address, uint8_t prefix_bits)
{
    int index = link_index(name);
    if (index < 0) return index;
    struct request request;
    struct nlmsghdr *header = begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    info->ifa_family = family_of(address);
    info->ifa_prefixlen = prefix_bits;
    info->ifa_flags = address->version == 6 ? IFA_F_NODAD : 0;
    info->ifa_scope = RT_SCOPE_UNIVERSE;
    info->ifa_index = (unsigned)index;
    put_ip(header, IFA_LOCAL, address);
    put_ip(header, IFA_ADDRESS, address);
    return talk(header);
}

int link_add_neighbour(const char *name, const struct address *address, const uint8_t mac[LINK_MAC_BYTES])
{
    int index = link_index(name);
    if (index < 0) return index;
    struct request request;
    struct nlmsghdr *header = begin(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    struct ndmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    info->ndm_family = family_of(address);
    info->ndm_ifindex = index;
    info->ndm_state = NUD_PERMANENT;
    put_ip(header, NDA_DST, address);
    mnl_attr_put(header, NDA_LLADDR, LINK_MAC_BYTES, mac);
    return talk(header);
}

int link_add_default_route(const char *name, const struct address *gateway)
{
    int index = link_index(name);
    if (index < 0) return index;
    struct request request;
    struct nlmsghdr *header = begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    *info = (struct rtmsg){.rtm_family = family_of(gateway),
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = RTPROT_STATIC,
                           .rtm_scope = RT_SCOPE_UNIVERSE,
                           .rtm_type = RTN_UNICAST};
    put_ip(header, RTA_GATEWAY, gateway);
    mnl_attr_put_u32(header, RTA_OIF, (uint32_t)index);
    return talk(header);
}

/* In this order: the kernel drops what rests on a feature (TSO on scatter-gather, that on checksums) by itself. */
static const struct {
    uint32_t command;
    bool needed;
} offloads[] = {
    {ETHTOOL_SGRO, false}, {ETHTOOL_STSO, false},   {ETHTOOL_SGSO, false},
    {ETHTOOL_SSG, false},  {ETHTOOL_STXCSUM, true}, {ETHTOOL_SRXCSUM, false},
};

int link_offload_nothing(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int code = 0;
    for (size_t i = 0; i < sizeof(offloads) / sizeof(offloads[0]) && !code; i++) {
        struct ethtool_value value = {.cmd = offloads[i].command, .data = 0};
        struct ifreq request = {.ifr_data = (char *)&value};
        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        if (ioctl(fd, SIOCETHTOOL, &request) < 0 && offloads[i].needed) code = -errno;
    }
    close(fd);
    return code;
}
