#include "lab/network/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/lang.h"
#include "lab/network/link.h"

enum { MTU_DEFAULT = 1500, MTU_MIN = 1280, MTU_MAX = 65535, V4_PREFIX = 24, V6_PREFIX = 64 };

struct network {
    enum host_kind kind;
    int home_fd; /* where the process is outside network_enter */
    int fd[NETWORK_PLACES];
    uint64_t netns[NETWORK_PLACES];
};

/* The places with addresses: the two hosts, and the router, which is where the wire is. A row of addresses for each version. They
 * are locally administered (IEEE 802, second bit of the first byte). */
static const uint8_t macs[NETWORK_PLACES][LINK_MAC_BYTES] = {
    [NETWORK_CLIENT] = {2, 0, 0, 0, 0, 1}, [NETWORK_SERVER] = {2, 0, 0, 0, 0, 2}, [NETWORK_WIRE] = {2, 0, 0, 0, 0, 0xfe}};

enum { PLAIN, ROUTED, ROUTER, ADDRESS_KINDS };
static const char *const addresses[ADDRESS_KINDS][2][2] = {
    [PLAIN] =
        {[NETWORK_CLIENT] = {NETWORK_CLIENT_V4, NETWORK_CLIENT_V6}, [NETWORK_SERVER] = {NETWORK_SERVER_V4, NETWORK_SERVER_V6}},
    [ROUTED] = {[NETWORK_CLIENT] = {NETWORK_CLIENT_V4, NETWORK_CLIENT_V6},
                [NETWORK_SERVER] = {NETWORK_ROUTED_SERVER_V4, NETWORK_ROUTED_SERVER_V6}},
    [ROUTER] = {[NETWORK_CLIENT] = {NETWORK_ROUTER_CLIENT_V4, NETWORK_ROUTER_CLIENT_V6},
                [NETWORK_SERVER] = {NETWORK_ROUTER_SERVER_V4, NETWORK_ROUTER_SERVER_V6}},
};

static struct address address_of(unsigned kind, enum network_place host, uint8_t version)
{
    struct address address;
    address_parse(addresses[kind][host][version == 6], &address);
    return address;
}

struct address network_address(enum network_place host, uint8_t version, bool routed)
{
    return address_of(routed ? ROUTED : PLAIN, host, version);
}

struct address network_router_address(enum network_place host, uint8_t version)
{
    return address_of(ROUTER, host, version);
}

const uint8_t *network_mac(enum network_place place)
{
    return macs[place];
}

const char *network_place_name(enum network_place place)
{
    static const char *const names[NETWORK_PLACES] = {"client", "server", "wire"};
    return names[place];
}

enum host_kind network_kind(const struct network *network)
{
    return network->kind;
}

int network_fd(const struct network *network, enum network_place place)
{
    return network->fd[place];
}

uint64_t network_netns(const struct network *network, enum network_place place)
{
    return network->netns[place];
}

static int open_own(int *ret_fd, uint64_t *ret_netns)
{
    struct stat status;
    *ret_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*ret_fd < 0) return -errno;
    if (fstat(*ret_fd, &status) < 0) return -errno;
    if (ret_netns) *ret_netns = status.st_ino;
    return 0;
}

int network_enter(struct network *network, enum network_place place, struct err *err)
{
    if (setns(network->fd[place], CLONE_NEWNET) == 0) return 0;
    int code = -errno;
    return err_set_errno(err, code, "can't enter the %s's network namespace (setns)", tr(network_place_name(place)));
}

int network_leave(struct network *network, struct err *err)
{
    if (setns(network->home_fd, CLONE_NEWNET) == 0) return 0;
    int code = -errno;
    return err_set_errno(err, code, "can't go back to this process's own network namespace (setns)");
}

/* "net.ipv4.conf.eth0/1.forwarding": as sysctl(8) has it, dots separate and a slash stands for a dot in an interface's name. */
static int sysctl_path(const char *name, char *path, size_t bytes)
{
    static const char root[] = "/proc/sys/";
    size_t length = strlen(name);
    if (strncmp(name, "net.", 4) != 0 || length + sizeof(root) > bytes || strstr(name, "..") || name[length - 1] == '.' ||
        strpbrk(name, "/ \t\n"))
        return -EINVAL;
    snprintf(path, bytes, "%s%s", root, name);
    for (char *c = path + sizeof(root) - 1; *c; c++)
        if (*c == '.') *c = '/';
    return 0;
}

static int write_sysctl(const char *name, const char *value)
{
    char path[256];
    int code = sysctl_path(name, path, sizeof(path));
    if (code) return code;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t wrote = write(fd, value, strlen(value));
    code = wrote < 0 ? -errno : 0;
    close(fd);
    return code;
}

static int explain_sysctl(int code, enum network_place place, const char *name, const char *value, struct err *err)
{
    const char *where = tr(network_place_name(place));
    switch (-code) {
    case ENOENT:
        return err_set(err, -EINVAL,
                       "%s: no such setting on the %s: a network namespace of its own has only those below 'net.' that the kernel "
                       "keeps apart for each (see /proc/sys/net)",
                       name, where);
    case EINVAL:
        return err_set(err, -EINVAL, "%s on the %s can't be '%s': the kernel refuses it", name, where, value);
    case EACCES:
    case EPERM:
        return err_set(err, -EACCES, "%s on the %s may be set only by the system's own root; run it as root", name, where);
    default:
        return err_set_errno(err, code, "can't set %s to '%s' on the %s", name, value, where);
    }
}

int network_sysctl(struct network *network, enum network_place place, const char *name, const char *value, struct err *err)
{
    char path[256];
    if (sysctl_path(name, path, sizeof(path)))
        return err_set(err, -EINVAL,
                       "'%.100s' is not a setting of a network: its name begins with 'net.', as in net.ipv4.tcp_fin_timeout", name);
    int code = network_enter(network, place, err); /* /proc/sys/net shows the namespace of who opens it */
    if (code) return code;
    int result = write_sysctl(name, value);
    code = network_leave(network, err);
    if (code) return code;
    return result ? explain_sysctl(result, place, name, value, err) : 0;
}

/* What would put packets of its own on the wire, or wants something that is not ours to want. A kernel without IPv6 lacks some. */
static const struct {
    const char *name, *value;
    bool of_hosts;
} settings[] = {
    {"net.ipv6.conf.default.disable_ipv6", "1", false},        {"net.ipv6.conf.all.disable_ipv6", "1", false},
    {"net.ipv6.conf.default.addr_gen_mode", "1", true},        {"net.ipv6.conf.default.accept_ra", "0", true},
    {"net.ipv6.conf.default.router_solicitations", "0", true}, {"net.ipv6.conf.default.accept_dad", "0", true},
    {"net.ipv4.ip_unprivileged_port_start", "0", true},
};

static void set_quiet(enum network_place place)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (settings[i].of_hosts == (place != NETWORK_WIRE)) write_sysctl(settings[i].name, settings[i].value);
}

/* Makes a namespace and stays in it. */
static int make_place(struct network *network, enum network_place place, struct err *err)
{
    int code = unshare(CLONE_NEWNET) < 0 ? -errno : open_own(&network->fd[place], &network->netns[place]);
    if (!code) code = link_up("lo");
    if (code) return err_set_errno(err, code, "can't make a network namespace for the %s", tr(network_place_name(place)));
    set_quiet(place); /* before any interface takes its defaults from it */
    return 0;
}

/* An address, and whom it reaches: the other host, or the router for all that is not in its own network. Nothing is asked for. */
static int address_host(enum network_place place, uint8_t version, bool routed, const char **ret_step)
{
    enum network_place peer = place == NETWORK_CLIENT ? NETWORK_SERVER : NETWORK_CLIENT;
    struct address own = network_address(place, version, routed);
    struct address next = routed ? network_router_address(place, version) : network_address(peer, version, false);
    *ret_step = TR("address");
    int code = link_add_address(NETWORK_INTERFACE, &own, version == 4 ? V4_PREFIX : V6_PREFIX);
    if (code) return code;
    *ret_step = TR("neighbour");
    code = link_add_neighbour(NETWORK_INTERFACE, &next, macs[routed ? NETWORK_WIRE : peer]);
    if (code || !routed) return code;
    *ret_step = TR("default route");
    return link_add_default_route(NETWORK_INTERFACE, &next);
}

static int furnish_host(struct network *network, enum network_place place, const struct network_options *options, struct err *err)
{
    bool has_v6 = access("/proc/sys/net/ipv6", F_OK) == 0;
    const char *step = TR("veth pair");
    int code = link_make_veth(&(struct link_veth){.name = NETWORK_INTERFACE,
                                                  .mac = macs[place],
                                                  .peer_name = network_place_name(place),
                                                  .peer_netns_fd = network->fd[NETWORK_WIRE],
                                                  .mtu_bytes = options->mtu_bytes});
    if (!code) step = TR("offloads (ethtool)"), code = link_offload_nothing(NETWORK_INTERFACE);
    if (!code) step = TR("link"), code = link_up(NETWORK_INTERFACE);
    if (!code) code = address_host(place, 4, options->routed, &step);
    if (!code && has_v6) code = address_host(place, 6, options->routed, &step);
    if (!code) return 0;
    return err_set_errno(err, code, "can't give the %s its interface (%s)%s", tr(network_place_name(place)), tr(step),
                         code == -EOPNOTSUPP ? tr(": the kernel needs the module veth") : "");
}

static int raise_wire(struct err *err)
{
    int code = 0;
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER && !code; place++) {
        code = link_offload_nothing(network_place_name(place));
        if (!code) code = link_up(network_place_name(place));
    }
    return code ? err_set_errno(err, code, "can't bring the wire's ends up") : 0;
}

static int build(struct network *network, const struct network_options *options, struct err *err)
{
    int code = make_place(network, NETWORK_WIRE, err);
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER && !code; place++) {
        code = make_place(network, place, err);
        if (!code) code = furnish_host(network, place, options, err);
    }
    if (!code) code = network_enter(network, NETWORK_WIRE, err);
    return code ? code : raise_wire(err);
}

/* Decides how namespaces can be made here, and where this process lives between visits to them. Only a privileged process can come
 * back to a network that it did not make. */
static int settle(struct network *network, struct err *err)
{
    network->kind = HOST_PRIVATE;
    int code = open_own(&network->home_fd, NULL);
    if (code) return err_set_errno(err, code, "can't open this process's network namespace (/proc/self/ns/net): is /proc mounted?");
    if (setns(network->home_fd, CLONE_NEWNET) == 0) return 0;
    close(network->home_fd);
    network->home_fd = -1;
    code = host_make_private(&network->kind, err);
    if (code) return code;
    code = open_own(&network->home_fd, NULL);
    return code ? err_set_errno(err, -EIO, "can't open this process's network namespace (/proc/self/ns/net)") : 0;
}

int network_open(struct network **ret_network, const struct network_options *options, struct err *err)
{
    struct network_options wanted = options ? *options : (struct network_options){0};
    if (!wanted.mtu_bytes) wanted.mtu_bytes = MTU_DEFAULT;
    *ret_network = NULL;
    if (wanted.mtu_bytes < MTU_MIN || wanted.mtu_bytes > MTU_MAX)
        return err_set(err, -EINVAL, "an MTU of %u bytes: it must be %d to %d", wanted.mtu_bytes, MTU_MIN, MTU_MAX);
    struct network *network = calloc(1, sizeof(*network));
    if (!network) return err_set_errno(err, -ENOMEM, "can't make a network");
    network->home_fd = -1;
    for (size_t i = 0; i < NETWORK_PLACES; i++) network->fd[i] = -1;
    int code = settle(network, err);
    if (!code) {
        code = build(network, &wanted, err);
        int back = network_leave(network, code ? NULL : err);
        if (code && (back || network->kind == HOST_PRIVATE_USER)) code = -EIO;
        if (!code) code = back;
    }
    if (code) {
        network_close(network);
        return code;
    }
    *ret_network = network;
    return 0;
}

void network_close(struct network *network)
{
    if (!network) return;
    for (size_t i = 0; i < NETWORK_PLACES; i++)
        if (network->fd[i] >= 0) close(network->fd[i]);
    if (network->home_fd >= 0) close(network->home_fd);
    free(network);
}
