/* When a rule is in force, and how often it acts. */
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
#include "wire_own.h"

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

int in_force_body(void)
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

int every_body(void)
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
