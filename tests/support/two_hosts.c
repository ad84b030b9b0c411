#include "support/two_hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int open_hosts(struct two_hosts *hosts, bool routed)
{
    memset(hosts, 0, sizeof(*hosts));
    hosts->log = event_log_new();
    hosts->routed = routed;
    int code = network_open(&hosts->network, &(struct network_options){.routed = routed}, &hosts->err);
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER && !code; place++) {
        struct packets_options options = {.interface = NETWORK_INTERFACE,
                                          .name = network_place_name(place),
                                          .filter = "tcp",
                                          .vantage = place + 1u,
                                          .keep_bytes = true};
        code = network_enter(hosts->network, place, &hosts->err);
        if (!code) code = packets_open(&hosts->capture[place], &options, hosts->log, &hosts->err);
        if (!code) code = network_leave(hosts->network, &hosts->err);
    }
    if (!code) code = wire_open(&hosts->wire, hosts->network, &hosts->err);
    if (!code && routed) code = wire_router(hosts->wire, &(struct router_order){.verb = ROUTER_ROUTE}, &hosts->err);
    if (code) fprintf(stderr, "two hosts: %s\n", hosts->err.text);
    return code ? -1 : 0;
}

int two_hosts_open(struct two_hosts *hosts)
{
    return open_hosts(hosts, false);
}

int two_hosts_open_routed(struct two_hosts *hosts)
{
    return open_hosts(hosts, true);
}

void two_hosts_close(struct two_hosts *hosts)
{
    wire_close(hosts->wire);
    for (int i = 0; i < 2; i++)
        if (hosts->capture[i]) packets_close(hosts->capture[i]);
    network_close(hosts->network);
    event_log_free(hosts->log);
}

int two_hosts_socket(struct two_hosts *hosts, enum network_place place, int family, int type, int protocol)
{
    if (network_enter(hosts->network, place, &hosts->err)) return -1;
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (network_leave(hosts->network, &hosts->err)) return -1;
    return fd;
}

static socklen_t server_address(const struct two_hosts *hosts, int family, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    struct address server = network_address(NETWORK_SERVER, family == AF_INET ? 4 : 6, hosts->routed);
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        v4->sin_port = htons(TWO_HOSTS_PORT);
        memcpy(&v4->sin_addr, server.ip, sizeof(v4->sin_addr));
        return sizeof(*v4);
    }
    v6->sin6_port = htons(TWO_HOSTS_PORT);
    memcpy(&v6->sin6_addr, server.ip, sizeof(v6->sin6_addr));
    return sizeof(*v6);
}

int two_hosts_listen(struct two_hosts *hosts, int family)
{
    struct sockaddr_storage address;
    socklen_t length = server_address(hosts, family, &address);
    int fd = two_hosts_socket(hosts, NETWORK_SERVER, family, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 5) < 0) return -1;
    return fd;
}

int two_hosts_connect(struct two_hosts *hosts, int family)
{
    struct sockaddr_storage address;
    socklen_t length = server_address(hosts, family, &address);
    int fd = two_hosts_socket(hosts, NETWORK_CLIENT, family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || (connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS)) return -1;
    return fd;
}

bool two_hosts_ready(int fd, short events, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = events};
    return poll(&poller, 1, timeout_ms) == 1 && (poller.revents & events);
}

int two_hosts_establish(struct two_hosts *hosts, int *ret_listener, int *ret_client, int *ret_server)
{
    int on = 1;
    *ret_listener = two_hosts_listen(hosts, AF_INET);
    *ret_client = two_hosts_connect(hosts, AF_INET);
    if (*ret_listener < 0 || *ret_client < 0 || !two_hosts_ready(*ret_listener, POLLIN, 3000)) return -1;
    *ret_server = accept(*ret_listener, NULL, NULL);
    if (*ret_server < 0) return -1;
    setsockopt(*ret_client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(*ret_server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return wire_settle(hosts->wire, &hosts->err) ? -1 : 0;
}

/* The client has the lower address in both families, 192.0.2.1 and 2001:db8::1, and so has the router on its side. */
static bool is_from(const struct event_packet_header *header, enum wire_from from)
{
    return (memcmp(header->src.ip, header->dst.ip, sizeof(header->src.ip)) < 0) == (from == WIRE_FROM_CLIENT);
}

const struct event *two_hosts_nth(struct two_hosts *hosts, enum network_place at, enum wire_from from, enum wire_match match,
                                  size_t n)
{
    for (int i = 0; i < 2; i++)
        if (packets_drain(hosts->capture[i], hosts->log, &hosts->err) < 0) return NULL;
    for (size_t i = 0; i < event_log_count(hosts->log); i++) {
        const struct event *event = event_log_at(hosts->log, i);
        if (event->kind != EVENT_PACKET || event->packet.vantage != at + 1u || !is_from(&event->packet.header, from)) continue;
        if (wire_matches(match, &event->packet.header) && --n == 0) return event;
    }
    return NULL;
}

size_t two_hosts_count(struct two_hosts *hosts, enum network_place at, enum wire_from from, enum wire_match match)
{
    size_t count = 0;
    while (two_hosts_nth(hosts, at, from, match, count + 1)) count++;
    return count;
}

bool two_hosts_await(struct two_hosts *hosts, enum network_place at, enum wire_from from, enum wire_match match, size_t count,
                     int timeout_ms)
{
    for (int waited_ms = 0; !two_hosts_nth(hosts, at, from, match, count); waited_ms += 2) {
        if (waited_ms > timeout_ms) return false;
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return true;
}
