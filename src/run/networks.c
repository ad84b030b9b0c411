#include "run/networks.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/lang.h"
#include "capture/procinfo.h"
#include "out/note.h"
#include "rights/rights.h"

enum { NETWORK_RING_BYTES = 16 << 20, SNAP_LEAST = 256 };

/* ---- beginning and end ---- */

int networks_begin(struct networks *networks, const struct captures_options *options, bool quiet, struct err *err)
{
    *networks = (struct networks){.options = options, .spare = -1, .news = -1, .quiet = quiet, .own = procinfo_netns(0)};
    networks->opener.channel = -1;
    if (options->interface_count || !rights_any()) return 0;
    return opener_begin(&networks->opener, err);
}

/* Those that are up are captured already. */
static void note_interfaces(struct networks *networks)
{
    struct if_nameindex *all = if_nameindex();
    for (size_t i = 0; all && all[i].if_name; i++)
        if (session_captures(networks->session, all[i].if_name) && networks->excluded_count < RING_EXCLUDED_MAX)
            networks->excluded[networks->excluded_count++] = (int)all[i].if_index;
    if_freenameindex(all);
}

void networks_set(struct networks *networks, struct session *session)
{
    networks->session = session;
    if (networks->options->interface_count) return;
    note_interfaces(networks);
    networks->spare = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (networks->spare < 0) return; /* packets are captured nowhere, which is said */
    const struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    networks->news = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (networks->news >= 0 && bind(networks->news, (const struct sockaddr *)&groups, sizeof(groups)) == 0) return;
    if (networks->news >= 0) close(networks->news);
    networks->news = -1;
}

void networks_end(struct networks *networks)
{
    opener_end(&networks->opener);
    if (networks->spare >= 0) close(networks->spare);
    if (networks->news >= 0) close(networks->news);
    networks->spare = networks->news = -1;
}

/* ---- captures ---- */

static int capture(struct networks *networks, int fd, uint64_t netns, struct err *err)
{
    struct buf filter = buf_new(CAPTURES_FILTER_BYTES);
    bool is_own = netns == networks->own;
    int code = captures_filter(networks->options, &filter, err);
    struct anywhere_options options = {
        .ring = {.snap_bytes = networks->options->snap_bytes > SNAP_LEAST ? networks->options->snap_bytes : SNAP_LEAST,
                 .ring_bytes = NETWORK_RING_BYTES,
                 .excluded = networks->excluded,
                 .excluded_count = is_own ? networks->excluded_count : 0},
        .netns = netns,
        .is_own = is_own,
        .headers_alone = !networks->options->snap_bytes};
    if (code) {
        close(fd);
    } else {
        options.ring.filter = buf_string(&filter);
        code = session_capture_network(networks->session, fd, &options, err);
    }
    buf_free(&filter);
    return code;
}

/* ---- networks that are entered ---- */

static void say_uncaptured(struct networks *networks, uint64_t netns, const char *why)
{
    note_say(
        networks->quiet || networks->said,
        "packets in another network (net:[%llu]) that was entered can't be captured: %s; what is told of connections there rests "
        "on what else was recorded",
        (unsigned long long)netns, why);
    networks->said = true;
}

static bool enter(struct networks *networks, pid_t tid, uint64_t netns)
{
    struct opener_answer answer;
    struct err err = {""};
    if (networks->options->interface_count || !networks->session) return false;
    int fd = opener_ask(&networks->opener, tid, netns, &answer);
    if (fd == -ESRCH || fd == -ENOENT) return false; /* it ended, or went on: another may be seen there */
    int code = fd < 0 ? fd : capture(networks, fd, netns, &err);
    for (size_t i = 0; i < answer.address_count && !code; i++)
        code = session_learn_own(networks->session, &answer.addresses[i], netns);
    if (code && networks->spare >= 0) /* else packets are captured nowhere, and that is said */
        say_uncaptured(networks, netns, fd == -EPERM ? tr("that takes CAP_SYS_ADMIN") : fd < 0 ? err_errno_text(-fd) : err.text);
    if (networks->known_count < NETWORKS_KNOWN_MAX) {
        networks->known[networks->known_count].netns = netns;
        networks->known[networks->known_count++].captured = !code;
    }
    return !code;
}

bool networks_entered(void *data, pid_t tid, uint64_t netns)
{
    struct networks *networks = data;
    if (netns == networks->own) return true;
    for (size_t i = 0; i < networks->known_count; i++)
        if (networks->known[i].netns == netns) return networks->known[i].captured;
    return networks->known_count < NETWORKS_KNOWN_MAX && enter(networks, tid, netns);
}

/* ---- interfaces that come ---- */

static bool is_captured(const struct networks *networks, int interface)
{
    for (size_t i = 0; i < networks->excluded_count; i++)
        if (networks->excluded[i] == interface) return true;
    return false;
}

/* The first that comes up makes the spare socket see all but those that were there. */
static void on_link(struct networks *networks, const struct ifinfomsg *link)
{
    struct err err = {""};
    if (networks->spare < 0 || !(link->ifi_flags & IFF_UP) || is_captured(networks, link->ifi_index)) return;
    int fd = networks->spare;
    networks->spare = -1;
    if (capture(networks, fd, networks->own, &err))
        note_say(networks->quiet, "an interface came up, on which packets can't be captured: %s", err.text);
}

static int on_address(struct networks *networks, const struct ifaddrmsg *message, size_t bytes)
{
    struct rtattr *attribute = IFA_RTA(message);
    for (size_t left = bytes - NLMSG_ALIGN(sizeof(*message)); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        bool is_local = attribute->rta_type == IFA_LOCAL || (attribute->rta_type == IFA_ADDRESS && message->ifa_family == AF_INET6);
        size_t length = RTA_PAYLOAD(attribute);
        if (!is_local || length != (message->ifa_family == AF_INET ? 4U : 16U)) continue;
        struct address address = length == 4 ? address_v4(RTA_DATA(attribute), 0) : address_v6(RTA_DATA(attribute), 0);
        return session_learn_own(networks->session, &address, networks->own);
    }
    return 0;
}

int networks_look(void *data, struct err *err)
{
    struct networks *networks = data;
    _Alignas(struct nlmsghdr) char news[32768];
    ssize_t got;
    while (networks->news >= 0 && (got = recv(networks->news, news, sizeof(news), MSG_DONTWAIT)) > 0) {
        size_t left = (size_t)got;
        for (struct nlmsghdr *head = (struct nlmsghdr *)(void *)news; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
            if (head->nlmsg_type == RTM_NEWLINK && NLMSG_PAYLOAD(head, 0) >= sizeof(struct ifinfomsg))
                on_link(networks, NLMSG_DATA(head));
            if (head->nlmsg_type != RTM_NEWADDR || NLMSG_PAYLOAD(head, 0) < sizeof(struct ifaddrmsg)) continue;
            int code = on_address(networks, NLMSG_DATA(head), NLMSG_PAYLOAD(head, 0));
            if (code) return err_set_errno(err, code, "can't keep the addresses of this host");
        }
    }
    return 0;
}
