/* UDP, ICMP errors, the router on the wire, and its end. */
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
#include "support/sleeper.h"
#include "support/two_hosts.h"
#include "wire_own.h"

/* A server at port 53 and a client of it. */
static int datagram_sockets(int *ret_server, int *ret_client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {inet_addr(NETWORK_SERVER_V4)}};
    *ret_server = two_hosts_socket(&hosts, NETWORK_SERVER, AF_INET, SOCK_DGRAM, 0);
    *ret_client = two_hosts_socket(&hosts, NETWORK_CLIENT, AF_INET, SOCK_DGRAM, 0);
    HOLDS(bind(*ret_server, (struct sockaddr *)&address, sizeof(address)) == 0);
    HOLDS(connect(*ret_client, (struct sockaddr *)&address, sizeof(address)) == 0);
    return 0;
}

int udp_body(void)
{
    char text[8] = "";
    struct wire_report report;
    int server, client;
    HOLDS(two_hosts_open(&hosts) == 0 && datagram_sockets(&server, &client) == 0);
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

int datagrams_body(void)
{
    char text[8] = "";
    uint64_t seen = 0;
    struct wire_report report;
    struct wire_rule drop = {.from = WIRE_FROM_CLIENT, .match = WIRE_DATAGRAM, .nth = 1, .action = WIRE_DROP, .id = 5};
    int server, client;
    HOLDS(two_hosts_open(&hosts) == 0 && datagram_sockets(&server, &client) == 0);
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
int routed_body(void)
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

int router_answers_body(void)
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

int held_before_router_body(void)
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

int inject_body(void)
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

int refused_body(void)
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

int ended_body(void)
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
int orphan_body(void)
{
    int ends[2], status = 0;
    pid_t wire = 0;
    HOLDS(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(ends) == 0);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        if (two_hosts_open(&hosts)) _exit(1);
        wire = wire_pid(hosts.wire);
        if (write(ends[1], &wire, sizeof(wire)) != (ssize_t)sizeof(wire)) _exit(1);
        sleep_until_killed(parent);
    }
    close(ends[1]);
    HOLDS(read(ends[0], &wire, sizeof(wire)) == (ssize_t)sizeof(wire));
    HOLDS(kill(wire, 0) == 0);
    HOLDS(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    HOLDS(waitpid(wire, &status, 0) == wire);
    return 0;
}
