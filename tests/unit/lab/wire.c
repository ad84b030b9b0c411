/* The wire between two real hosts, as this user and as an ordinary one. Each test has a network of its own, in a child process. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "support/lab_child.h"
#include "support/two_hosts.h"

enum { MS = 1000000 };

static struct two_hosts hosts;
static struct err err;

static int rule(unsigned from, enum wire_match match, uint32_t nth, enum wire_action action, int64_t extra_ns, const char *name)
{
    struct wire_rule rule = {.from = from, .match = match, .nth = nth, .action = action, .extra_ns = extra_ns};
    snprintf(rule.name, sizeof(rule.name), "%s", name);
    return wire_rule(hosts.wire, &rule, &err);
}

/* Waits for exactly one report, which is this; what comes besides is a mistake. */
static bool one_report(enum wire_fate fate, enum wire_from from, enum wire_match match)
{
    struct wire_report report, another;
    if (!two_hosts_ready(wire_fd(hosts.wire), POLLIN, 3000)) return false;
    if (wire_next_report(hosts.wire, &report, &err) != 1 || wire_next_report(hosts.wire, &another, &err) != 0) return false;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - report.t_ns;
    return report.fate == fate && report.from == from && report.is_tcp && wire_matches(match, &report.header) && age_ns >= 0 &&
           age_ns < 5000LL * MS;
}

static bool no_report(void)
{
    struct wire_report report;
    return wire_next_report(hosts.wire, &report, &err) == 0;
}

static bool receives(int fd, const char *expected)
{
    char text[64] = "";
    size_t length = 0;
    while (length < strlen(expected) && two_hosts_ready(fd, POLLIN, 3000)) {
        ssize_t got = recv(fd, text + length, sizeof(text) - 1 - length, 0);
        if (got <= 0) break;
        length += (size_t)got;
    }
    return strcmp(text, expected) == 0;
}

static int64_t between(enum wire_from from, enum wire_match match, size_t n)
{
    enum network_place sender = from == WIRE_FROM_CLIENT ? NETWORK_CLIENT : NETWORK_SERVER;
    const struct event *out = two_hosts_nth(&hosts, sender, from, match, n);
    int64_t sent_ns = out ? out->t_ns : 0;
    const struct event *in = two_hosts_nth(&hosts, sender == NETWORK_CLIENT ? NETWORK_SERVER : NETWORK_CLIENT, from, match, n);
    return sent_ns && in ? in->t_ns - sent_ns : -1;
}

static int passes_body(void)
{
    static char sent[300000], got[sizeof(sent)];
    int listener, client, server;
    size_t out = 0, in = 0;
    for (size_t i = 0; i < sizeof(sent); i++) sent[i] = (char)(i * 7 + i / 251);
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    while (in < sizeof(got)) {
        ssize_t moved = out < sizeof(sent) ? send(client, sent + out, sizeof(sent) - out, MSG_DONTWAIT) : 0;
        if (moved > 0) out += (size_t)moved;
        HOLDS(two_hosts_ready(server, POLLIN, 3000));
        moved = recv(server, got + in, sizeof(got) - in, MSG_DONTWAIT);
        HOLDS(moved > 0);
        in += (size_t)moved;
    }
    HOLDS(memcmp(sent, got, sizeof(sent)) == 0);
    HOLDS(no_report());
    /* What is captured is what a wire carries: no segment is larger than the MTU lets it be. */
    for (size_t n = 1; n <= two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_DATA); n++)
        HOLDS(two_hosts_nth(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_DATA, n)->packet.header.length_bytes <= 1460);
    two_hosts_close(&hosts);
    return 0;
}

static int vantage_body(void)
{
    static const char *const v4[] = {NETWORK_CLIENT_V4, NETWORK_SERVER_V4}, *const v6[] = {NETWORK_CLIENT_V6, NETWORK_SERVER_V6};
    struct address own_v4, own_v6;
    HOLDS(two_hosts_open(&hosts) == 0);
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER; place++) {
        const struct event *event = event_log_at(hosts.log, place);
        HOLDS(event->kind == EVENT_VANTAGE && event->vantage.netns == network_netns(hosts.network, place));
        HOLDS(strcmp(event->vantage.name, network_place_name(place)) == 0);
        HOLDS(address_parse(v4[place], &own_v4) && address_equal(&event->vantage.v4, &own_v4));
        HOLDS(address_parse(v6[place], &own_v6) && address_equal(&event->vantage.v6, &own_v6));
    }
    two_hosts_close(&hosts);
    return 0;
}

static int v6_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    int listener = two_hosts_listen(&hosts, AF_INET6), client = two_hosts_connect(&hosts, AF_INET6);
    HOLDS(listener >= 0 && client >= 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_DUPLICATE, 0, "") == 0);
    HOLDS(two_hosts_ready(listener, POLLIN, 3000));
    int server = accept(listener, NULL, NULL);
    HOLDS(send(client, "six", 3, 0) == 3);
    HOLDS(receives(server, "six"));
    HOLDS(one_report(WIRE_DUPLICATED, WIRE_FROM_CLIENT, WIRE_DATA)); /* IPv6 segments are known too */
    two_hosts_close(&hosts);
    return 0;
}

static int drop_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_SYN, 1, WIRE_DROP, 0, "") == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(one_report(WIRE_DROPPED, WIRE_FROM_CLIENT, WIRE_SYN));
    HOLDS(two_hosts_ready(client, POLLOUT, 5000)); /* the second SYN got through */
    HOLDS(two_hosts_ready(listener, POLLIN, 1000));
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_SYN) == 2);
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_SYN) == 1);
    HOLDS(no_report());
    two_hosts_close(&hosts);
    return 0;
}

static int duplicate_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(rule(WIRE_FROM_SERVER, WIRE_DATA, 1, WIRE_DUPLICATE, 0, "") == 0);
    HOLDS(send(server, "once", 4, 0) == 4);
    HOLDS(receives(client, "once"));
    HOLDS(two_hosts_await(&hosts, NETWORK_CLIENT, WIRE_FROM_SERVER, WIRE_DATA, 2, 3000));
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_SERVER, WIRE_DATA) == 1);
    HOLDS(one_report(WIRE_DUPLICATED, WIRE_FROM_SERVER, WIRE_DATA));
    HOLDS(!two_hosts_ready(client, POLLIN, 20)); /* TCP took it once */
    two_hosts_close(&hosts);
    return 0;
}

static int hold_body(void)
{
    size_t count = 9;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(rule(WIRE_FROM_SERVER, WIRE_SYN_ACK, 1, WIRE_HOLD, 0, "answer") == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(listener >= 0 && one_report(WIRE_HELD, WIRE_FROM_SERVER, WIRE_SYN_ACK));
    HOLDS(!two_hosts_ready(client, POLLOUT, 100));
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_SERVER, WIRE_SYN_ACK) == 0);
    HOLDS(wire_release(hosts.wire, "another", &count, &err) == 0 && count == 0);
    HOLDS(wire_release(hosts.wire, "answer", &count, &err) == 0 && count == 1);
    HOLDS(two_hosts_ready(client, POLLOUT, 500));
    HOLDS(one_report(WIRE_RELEASED, WIRE_FROM_SERVER, WIRE_SYN_ACK));
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_SYN) == 1); /* it did not have to ask again */
    HOLDS(wire_release(hosts.wire, NULL, &count, &err) == 0 && count == 0);
    two_hosts_close(&hosts);
    return 0;
}

static int reorder_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_REORDER, 0, "") == 0);
    HOLDS(send(client, "first", 5, 0) == 5 && send(client, "2nd", 3, 0) == 3);
    HOLDS(receives(server, "first2nd"));
    const struct event *a = two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1);
    HOLDS(a && a->packet.header.length_bytes == 3);
    a = two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 2);
    HOLDS(a && a->packet.header.length_bytes == 5);
    HOLDS(one_report(WIRE_REORDERED, WIRE_FROM_CLIENT, WIRE_DATA));
    two_hosts_close(&hosts);
    return 0;
}

static int delay_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_CLIENT, 40LL * MS, &err) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_SERVER, 15LL * MS, &err) == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(listener >= 0 && client >= 0 && two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_ACK, 1, 3000));
    /* At least; how much more is the scheduler's affair, but it is no multiple. */
    HOLDS(between(WIRE_FROM_CLIENT, WIRE_SYN, 1) >= 40LL * MS && between(WIRE_FROM_CLIENT, WIRE_SYN, 1) < 79LL * MS);
    HOLDS(between(WIRE_FROM_SERVER, WIRE_SYN_ACK, 1) >= 15LL * MS && between(WIRE_FROM_SERVER, WIRE_SYN_ACK, 1) < 40LL * MS);
    HOLDS(between(WIRE_FROM_CLIENT, WIRE_ACK, 1) >= 40LL * MS);
    HOLDS(no_report()); /* a link has a length: nothing was done to the frames */
    /* A shorter delay does not let what comes later pass what is on the way. */
    int server = accept(listener, NULL, NULL), on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    HOLDS(send(client, "before", 6, 0) == 6);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_BOTH, 0, &err) == 0);
    HOLDS(send(client, "after", 5, 0) == 5);
    HOLDS(receives(server, "beforeafter"));
    HOLDS(two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1)->packet.header.length_bytes == 6);
    HOLDS(between(WIRE_FROM_CLIENT, WIRE_DATA, 1) >= 40LL * MS);
    two_hosts_close(&hosts);
    return 0;
}

static int delay_one_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_DELAY, 60LL * MS, "") == 0);
    HOLDS(send(client, "late", 4, 0) == 4 && send(client, "on time", 7, 0) == 7);
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1, 3000));
    HOLDS(two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1)->packet.header.length_bytes == 7);
    HOLDS(receives(server, "lateon time"));
    HOLDS(one_report(WIRE_DELAYED, WIRE_FROM_CLIENT, WIRE_DATA));
    two_hosts_close(&hosts);
    return 0;
}

static int cut_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_CLIENT, 50LL * MS, &err) == 0);
    HOLDS(send(client, "a", 1, 0) == 1);
    HOLDS(wire_cut(hosts.wire, WIRE_FROM_CLIENT, &err) == 0); /* while it is on the way */
    HOLDS(one_report(WIRE_CUT_OFF, WIRE_FROM_CLIENT, WIRE_DATA));
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_CLIENT, 0, &err) == 0);
    HOLDS(send(server, "the other way", 13, 0) == 13);
    HOLDS(receives(client, "the other way"));
    HOLDS(!two_hosts_ready(server, POLLIN, 100));
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA) == 0);
    HOLDS(wire_mend(hosts.wire, WIRE_FROM_BOTH, &err) == 0);
    HOLDS(receives(server, "a")); /* sent again */
    two_hosts_close(&hosts);
    return 0;
}

/* ---- frames made by hand: exact numbers without a TCP that answers ---- */

static uint16_t sum(const void *bytes, size_t length, uint32_t start)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < length; i++) start += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return (uint16_t)start;
}

/* A segment with one byte of data and this number, from the client to a port of the server where nothing listens. */
static bool send_frame(int fd, uint32_t number)
{
    struct __attribute__((packed)) {
        struct ether_header ethernet;
        struct iphdr ip;
        struct tcphdr tcp;
        char data;
    } frame = {
        .ethernet = {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}, htons(ETHERTYPE_IP)},
        .ip = {.version = 4, .ihl = 5, .tot_len = htons(41), .ttl = 64, .protocol = IPPROTO_TCP},
        .tcp = {.source = htons(9), .dest = htons(10), .seq = htonl(number), .doff = 5, .rst = 1, .ack = 1},
    };
    struct iphdr ip;
    frame.ip.saddr = inet_addr(NETWORK_CLIENT_V4);
    frame.ip.daddr = inet_addr(NETWORK_SERVER_V4);
    memcpy(&ip, &frame.ip, sizeof(ip));
    ip.check = htons((uint16_t)~sum(&ip, sizeof(ip), 0));
    memcpy(&frame.ip, &ip, sizeof(ip));
    return send(fd, &frame, sizeof(frame), 0) == (ssize_t)sizeof(frame);
}

static int raw_client(void)
{
    HOLDS(network_enter(hosts.network, NETWORK_CLIENT, &err) == 0);
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll end = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("eth0")};
    if (bind(fd, (struct sockaddr *)&end, sizeof(end)) < 0) return -1;
    HOLDS(network_leave(hosts.network, &err) == 0);
    return fd;
}

static uint32_t arrived(size_t n)
{
    const struct event *event = two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, n);
    return event ? event->packet.header.seq : UINT32_MAX;
}

static int in_force_body(void)
{
    enum { ROUNDS = 200 };
    HOLDS(two_hosts_open(&hosts) == 0);
    int fd = raw_client();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        HOLDS(send_frame(fd, 2 * i));
        HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_DROP, 0, "") == 0);
        HOLDS(send_frame(fd, 2 * i + 1));
    }
    HOLDS(wire_settle(hosts.wire, &err) == 0);
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, ROUNDS, 3000));
    for (uint32_t i = 0; i < ROUNDS; i++) HOLDS(arrived(i + 1) == 2 * i);
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA) == ROUNDS);
    two_hosts_close(&hosts);
    return 0;
}

static int every_body(void)
{
    struct wire_report report;
    size_t count = 0;
    HOLDS(two_hosts_open(&hosts) == 0);
    int fd = raw_client();
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_BOTH, 2LL * MS, &err) == 0);
    for (uint32_t i = 0; i < 1000; i++) HOLDS(send_frame(fd, i));
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1000, 5000));
    for (uint32_t i = 0; i < 1000; i++) HOLDS(arrived(i + 1) == i);
    /* Pairs change places; the one without a partner waits for it. */
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 0, WIRE_REORDER, 0, "") == 0);
    for (uint32_t i = 1000; i < 1005; i++) HOLDS(send_frame(fd, i));
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1004, 3000));
    HOLDS(arrived(1001) == 1001 && arrived(1002) == 1000 && arrived(1003) == 1003 && arrived(1004) == 1002);
    HOLDS(wire_clear(hosts.wire, &err) == 0);
    HOLDS(wire_release(hosts.wire, NULL, &count, &err) == 0 && count == 1);
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1005, 3000) && arrived(1005) == 1004);
    while (wire_next_report(hosts.wire, &report, &err) == 1) continue;
    /* Held ones are let go in the order in which they came, by name; on a wire that is cut they are lost. */
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_HOLD, 0, "a") == 0 &&
          rule(WIRE_FROM_CLIENT, WIRE_DATA, 2, WIRE_HOLD, 0, "b") == 0 &&
          rule(WIRE_FROM_CLIENT, WIRE_DATA, 3, WIRE_HOLD, 0, "a") == 0);
    for (uint32_t i = 2000; i < 2003; i++) HOLDS(send_frame(fd, i));
    HOLDS(wire_release(hosts.wire, "a", &count, &err) == 0 && count == 2);
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1007, 3000));
    HOLDS(arrived(1006) == 2000 && arrived(1007) == 2002);
    HOLDS(wire_cut(hosts.wire, WIRE_FROM_BOTH, &err) == 0);
    while (wire_next_report(hosts.wire, &report, &err) == 1) continue;
    HOLDS(wire_release(hosts.wire, "b", &count, &err) == 0 && count == 0);
    HOLDS(one_report(WIRE_CUT_OFF, WIRE_FROM_CLIENT, WIRE_DATA));
    two_hosts_close(&hosts);
    return 0;
}

static int udp_body(void)
{
    char text[8] = "";
    struct wire_report report;
    HOLDS(two_hosts_open(&hosts) == 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {inet_addr(NETWORK_SERVER_V4)}};
    int server = two_hosts_socket(&hosts, NETWORK_SERVER, AF_INET, SOCK_DGRAM, 0);
    int client = two_hosts_socket(&hosts, NETWORK_CLIENT, AF_INET, SOCK_DGRAM, 0);
    HOLDS(bind(server, (struct sockaddr *)&address, sizeof(address)) == 0);
    HOLDS(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    HOLDS(rule(WIRE_FROM_BOTH, WIRE_ACK, 0, WIRE_DROP, 0, "") == 0);
    HOLDS(rule(WIRE_FROM_BOTH, WIRE_FIN, 0, WIRE_DROP, 0, "") == 0);
    HOLDS(send(client, "udp", 3, 0) == 3);
    HOLDS(two_hosts_ready(server, POLLIN, 3000) && recv(server, text, sizeof(text), 0) == 3);
    HOLDS(no_report());
    HOLDS(wire_cut(hosts.wire, WIRE_FROM_BOTH, &err) == 0);
    HOLDS(send(client, "udp", 3, 0) == 3);
    HOLDS(two_hosts_ready(wire_fd(hosts.wire), POLLIN, 3000) && wire_next_report(hosts.wire, &report, &err) == 1);
    HOLDS(report.fate == WIRE_CUT_OFF && !report.is_tcp);
    HOLDS(wire_mend(hosts.wire, WIRE_FROM_BOTH, &err) == 0);
    HOLDS(!two_hosts_ready(server, POLLIN, 20));
    /* A closed port's ICMP error comes back. */
    close(server);
    HOLDS(send(client, "udp", 3, 0) == 3);
    HOLDS(two_hosts_ready(client, POLLERR, 3000) && send(client, "udp", 3, 0) == -1 && errno == ECONNREFUSED);
    two_hosts_close(&hosts);
    return 0;
}

static int datagrams_body(void)
{
    char text[8] = "";
    uint64_t seen = 0;
    struct wire_report report;
    struct wire_rule drop = {.from = WIRE_FROM_CLIENT, .match = WIRE_DATAGRAM, .nth = 1, .action = WIRE_DROP, .id = 5};
    HOLDS(two_hosts_open(&hosts) == 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {inet_addr(NETWORK_SERVER_V4)}};
    int server = two_hosts_socket(&hosts, NETWORK_SERVER, AF_INET, SOCK_DGRAM, 0);
    int client = two_hosts_socket(&hosts, NETWORK_CLIENT, AF_INET, SOCK_DGRAM, 0);
    HOLDS(bind(server, (struct sockaddr *)&address, sizeof(address)) == 0);
    HOLDS(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    HOLDS(wire_rule(hosts.wire, &drop, &err) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_ANY, 2, WIRE_DUPLICATE, 0, "") == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 3, WIRE_REORDER, 0, "") == 0);
    HOLDS(wire_seen(hosts.wire, 5, &seen, &err) == 0 && seen == 0);
    HOLDS(send(client, "one", 3, 0) == 3 && send(client, "two2", 4, 0) == 4);
    HOLDS(send(client, "three", 5, 0) == 5 && send(client, "four44", 6, 0) == 6);
    static const ssize_t lengths[] = {4, 4, 6, 5};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        HOLDS(two_hosts_ready(server, POLLIN, 3000) && recv(server, text, sizeof(text), 0) == lengths[i]);
    HOLDS(wire_seen(hosts.wire, 5, &seen, &err) == 0 && seen == 4);
    HOLDS(wire_seen(hosts.wire, 6, &seen, &err) == -ENOENT);
    HOLDS(wire_next_report(hosts.wire, &report, &err) == 1 && report.fate == WIRE_DROPPED && report.rule == 5);
    HOLDS(wire_next_report(hosts.wire, &report, &err) == 1 && report.fate == WIRE_DUPLICATED && report.rule == 0);
    HOLDS(wire_next_report(hosts.wire, &report, &err) == 1 && report.fate == WIRE_REORDERED && !report.is_tcp);
    two_hosts_close(&hosts);
    return 0;
}

static int tell_router(struct router_order order)
{
    return wire_router(hosts.wire, &order, &err);
}

static int error_of(int fd)
{
    int error = -1;
    socklen_t length = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : -1;
}

/* That data arrives shows that the kernels at both ends took the checksums of what the router changed for right. */
static int routed_body(void)
{
    HOLDS(two_hosts_open_routed(&hosts) == 0);
    HOLDS(tell_router((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_CLIENT}) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_BOTH, 2LL * MS, &err) == 0);
    for (int family = AF_INET;; family = AF_INET6) {
        struct sockaddr_storage peer;
        struct address address, outside = network_router_address(NETWORK_SERVER, family == AF_INET ? 4 : 6);
        socklen_t length = sizeof(peer);
        int listener = two_hosts_listen(&hosts, family), client = two_hosts_connect(&hosts, family);
        HOLDS(two_hosts_ready(listener, POLLIN, 3000));
        int server = accept(listener, (struct sockaddr *)&peer, &length);
        HOLDS(server >= 0 && address_from_sockaddr(&peer, length, &address));
        address.port = 0;
        HOLDS(address_equal(&address, &outside));
        HOLDS(send(client, "through", 7, 0) == 7 && receives(server, "through"));
        HOLDS(send(server, "and back", 8, 0) == 8 && receives(client, "and back"));
        close(client), close(server), close(listener);
        if (family == AF_INET6) break;
    }
    HOLDS(no_report());
    two_hosts_close(&hosts);
    return 0;
}

static int router_answers_body(void)
{
    static const struct {
        enum router_answer answer;
        int v4, v6; /* what the kernel makes of it */
    } cases[] = {{ROUTER_RST, ECONNREFUSED, ECONNREFUSED},
                 {ROUTER_NET_UNREACHABLE, ENETUNREACH, ENETUNREACH},
                 {ROUTER_HOST_UNREACHABLE, EHOSTUNREACH, EHOSTUNREACH},
                 {ROUTER_PORT_UNREACHABLE, ECONNREFUSED, ECONNREFUSED},
                 {ROUTER_ADMIN_PROHIBITED, EHOSTUNREACH, EACCES}};
    struct wire_report report;
    uint64_t seen = 0;
    HOLDS(two_hosts_open_routed(&hosts) == 0);
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire_rule rule = {.from = WIRE_FROM_CLIENT, .match = WIRE_SYN, .nth = 1, .id = 10 + 2 * i};
        HOLDS(tell_router((struct router_order){.verb = ROUTER_REFUSE, .answer = cases[i].answer, .rule = rule}) == 0);
        int client = two_hosts_connect(&hosts, AF_INET);
        HOLDS(two_hosts_ready(client, POLLERR, 3000) && error_of(client) == cases[i].v4);
        HOLDS(wire_seen(hosts.wire, rule.id, &seen, &err) == 0 && seen == 1);
        HOLDS(wire_next_report(hosts.wire, &report, &err) == 1 && report.fate == WIRE_REFUSED && report.rule == rule.id);
        rule.id++;
        HOLDS(tell_router((struct router_order){.verb = ROUTER_REFUSE, .answer = cases[i].answer, .rule = rule}) == 0);
        int six = two_hosts_connect(&hosts, AF_INET6);
        HOLDS(two_hosts_ready(six, POLLERR, 3000) && error_of(six) == cases[i].v6);
        HOLDS(wire_settle(hosts.wire, &err) == 0); /* its reports are there behind this, not behind its answers */
        HOLDS(wire_next_report(hosts.wire, &report, &err) == 1 && report.rule == rule.id);
        close(client), close(six);
    }
    HOLDS(no_report());
    HOLDS(tell_router((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 1}) == -EINVAL);
    two_hosts_close(&hosts);
    return 0;
}

static int held_before_router_body(void)
{
    size_t count = 0;
    HOLDS(two_hosts_open_routed(&hosts) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_SYN, 1, WIRE_HOLD, 0, "") == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(one_report(WIRE_HELD, WIRE_FROM_CLIENT, WIRE_SYN));
    struct wire_rule all = {.from = WIRE_FROM_CLIENT, .match = WIRE_ANY};
    HOLDS(tell_router((struct router_order){.verb = ROUTER_REFUSE, .answer = ROUTER_RST, .rule = all}) == 0);
    HOLDS(wire_release(hosts.wire, NULL, &count, &err) == 0 && count == 1); /* from the wire; then the router has it */
    HOLDS(two_hosts_ready(client, POLLERR, 3000) && error_of(client) == ECONNREFUSED);
    HOLDS(!two_hosts_ready(listener, POLLIN, 0));
    two_hosts_close(&hosts);
    return 0;
}

static int inject_body(void)
{
    char text[8];
    int listener, client, server, error = 0;
    socklen_t length = sizeof(error);
    struct wire_report report; /* the client's ACK, cut off, may have one as well by then */
    struct wire_forgery forgery = {.from = WIRE_FROM_SERVER, .flags = TCP_ACK | TCP_PSH, .length_bytes = 3, .data = "abc"};
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(wire_inject(hosts.wire, &forgery, &err) == -ENOENT);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(wire_cut(hosts.wire, WIRE_FROM_BOTH, &err) == 0); /* what is made needs no wire */
    HOLDS(wire_inject(hosts.wire, &forgery, &err) == 0);
    HOLDS(wire_next_report(hosts.wire, &report, &err) == 1 && report.fate == WIRE_INJECTED && report.from == WIRE_FROM_SERVER);
    HOLDS(receives(client, "abc"));
    HOLDS(wire_mend(hosts.wire, WIRE_FROM_BOTH, &err) == 0);
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_SERVER, WIRE_DATA) == 0);
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_SERVER, WIRE_DATA) == 1);
    forgery = (struct wire_forgery){.from = WIRE_FROM_CLIENT, .flags = TCP_RST};
    HOLDS(wire_inject(hosts.wire, &forgery, &err) == 0);
    HOLDS(two_hosts_ready(server, POLLIN, 3000) && recv(server, text, sizeof(text), 0) == -1 && errno == ECONNRESET);
    HOLDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0); /* it knows of nothing */
    two_hosts_close(&hosts);
    return 0;
}

static int refused_body(void)
{
    static const char long_name[] = "a name that is longer than any rule's may be";
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(rule(0, WIRE_ANY, 1, WIRE_DROP, 0, "") == -EINVAL);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_ANY, 1, WIRE_DELAY, 3601000LL * MS, "") == -EINVAL);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_BOTH, -1, &err) == -EINVAL);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_BOTH, 3601000LL * MS, &err) == -EINVAL);
    HOLDS(wire_cut(hosts.wire, 8, &err) == -EINVAL && wire_mend(hosts.wire, 0, &err) == -EINVAL);
    HOLDS(wire_release(hosts.wire, long_name, NULL, &err) == -EINVAL);
    for (int i = 0; i < WIRE_RULES_MAX; i++) HOLDS(rule(WIRE_FROM_CLIENT, WIRE_ANY, 1, WIRE_DROP, 0, "") == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_ANY, 1, WIRE_DROP, 0, "") == -ENOSPC && strstr(err.text, "64"));
    two_hosts_close(&hosts);
    return 0;
}

static int ended_body(void)
{
    struct wire_report report;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(kill(wire_pid(hosts.wire), SIGINT) == 0 && kill(wire_pid(hosts.wire), SIGTERM) == 0);
    HOLDS(wire_settle(hosts.wire, &err) == 0); /* what a terminal sends to all does not end it */
    HOLDS(kill(wire_pid(hosts.wire), SIGKILL) == 0);
    HOLDS(two_hosts_ready(wire_fd(hosts.wire), POLLHUP, 3000));
    HOLDS(wire_next_report(hosts.wire, &report, &err) == -EPIPE);
    HOLDS(wire_settle(hosts.wire, &err) == -EPIPE && strstr(err.text, "ended"));
    two_hosts_close(&hosts);
    return 0;
}

/* The wire of a killed process is reaped by this one, its subreaper. */
static int orphan_body(void)
{
    int ends[2], status = 0;
    pid_t wire = 0;
    HOLDS(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (two_hosts_open(&hosts)) _exit(1);
        wire = wire_pid(hosts.wire);
        if (write(ends[1], &wire, sizeof(wire)) != (ssize_t)sizeof(wire)) _exit(1);
        for (;;) pause();
    }
    close(ends[1]);
    HOLDS(read(ends[0], &wire, sizeof(wire)) == (ssize_t)sizeof(wire));
    HOLDS(kill(wire, 0) == 0);
    HOLDS(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    HOLDS(waitpid(wire, &status, 0) == wire);
    return 0;
}

FOR_ROOT_AND_OTHERS(a_wire_carries_all_and_in_order, passes_body)
FOR_ROOT_AND_OTHERS(a_capture_knows_its_hosts_name_and_addresses, vantage_body)
FOR_ROOT_AND_OTHERS(ipv6_is_carried_and_its_segments_are_known, v6_body)
FOR_ROOT_AND_OTHERS(a_dropped_syn_is_seen_at_its_sender_alone_and_is_sent_again, drop_body)
FOR_ROOT_AND_OTHERS(a_duplicated_segment_is_sent_once_and_received_twice, duplicate_body)
FOR_ROOT_AND_OTHERS(a_held_segment_arrives_when_it_is_released_by_its_name, hold_body)
FOR_ROOT_AND_OTHERS(a_reordered_segment_arrives_right_behind_the_next, reorder_body)
FOR_ROOT_AND_OTHERS(a_delay_is_the_time_between_the_two_hosts_and_keeps_the_order, delay_body)
FOR_ROOT_AND_OTHERS(one_segment_can_be_late_and_others_pass_it, delay_one_body)
FOR_ROOT_AND_OTHERS(a_cut_loses_what_is_on_the_way_in_its_direction, cut_body)
FOR_ROOT_AND_OTHERS(a_command_is_in_force_for_what_is_sent_after_it_and_not_before, in_force_body)
FOR_ROOT_AND_OTHERS(numbered_frames_come_in_the_order_that_the_rules_say, every_body)
FOR_ROOT_AND_OTHERS(datagrams_pass_what_is_about_segments_but_not_a_cut, udp_body)
FOR_ROOT_AND_OTHERS(a_segment_in_an_ends_name_is_taken_for_its_own, inject_body)
FOR_ROOT_AND_OTHERS(datagrams_are_lost_doubled_and_turned_round_by_rules, datagrams_body)
FOR_ROOT_AND_OTHERS(a_router_carries_on_and_translates_as_the_kernels_at_both_ends_take_it, routed_body)
FOR_ROOT_AND_OTHERS(each_answer_of_the_router_is_what_connect_fails_with, router_answers_body)
FOR_ROOT_AND_OTHERS(what_the_wire_held_comes_to_the_router_when_it_is_released, held_before_router_body)
FOR_ROOT_AND_OTHERS(what_makes_no_sense_is_refused, refused_body)
FOR_ROOT_AND_OTHERS(a_wire_that_has_ended_is_told_as_that, ended_body)
FOR_ROOT_AND_OTHERS(the_wire_ends_with_its_parent, orphan_body)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wire_carries_all_and_in_order),
        cmocka_unit_test(a_capture_knows_its_hosts_name_and_addresses),
        cmocka_unit_test(ipv6_is_carried_and_its_segments_are_known),
        cmocka_unit_test(a_dropped_syn_is_seen_at_its_sender_alone_and_is_sent_again),
        cmocka_unit_test(a_duplicated_segment_is_sent_once_and_received_twice),
        cmocka_unit_test(a_held_segment_arrives_when_it_is_released_by_its_name),
        cmocka_unit_test(a_reordered_segment_arrives_right_behind_the_next),
        cmocka_unit_test(a_delay_is_the_time_between_the_two_hosts_and_keeps_the_order),
        cmocka_unit_test(one_segment_can_be_late_and_others_pass_it),
        cmocka_unit_test(a_cut_loses_what_is_on_the_way_in_its_direction),
        cmocka_unit_test(a_command_is_in_force_for_what_is_sent_after_it_and_not_before),
        cmocka_unit_test(numbered_frames_come_in_the_order_that_the_rules_say),
        cmocka_unit_test(a_segment_in_an_ends_name_is_taken_for_its_own),
        cmocka_unit_test(datagrams_are_lost_doubled_and_turned_round_by_rules),
        cmocka_unit_test(datagrams_pass_what_is_about_segments_but_not_a_cut),
        cmocka_unit_test(a_router_carries_on_and_translates_as_the_kernels_at_both_ends_take_it),
        cmocka_unit_test(each_answer_of_the_router_is_what_connect_fails_with),
        cmocka_unit_test(what_the_wire_held_comes_to_the_router_when_it_is_released),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_wire_that_has_ended_is_told_as_that),
        cmocka_unit_test(the_wire_ends_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
