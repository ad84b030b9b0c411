/* Which ports an expression takes for granted: never fewer than it may be true of. */
#include "capture/filter_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include <cmocka.h>

enum { ANY = -1, MOST = 4 };

static const struct {
    const char *expression;
    int ports[MOST]; /* ANY: of any; 0 ends */
} rows[] = {
    {"port 80", {80}},
    {"tcp dst port 80", {80}},
    {"ip6 and tcp src port 443", {443}},
    {"port https", {443}},
    {"port 80 or port 443", {80, 443}},
    {"port 80 or 443", {80, 443}},
    {"port 80||443", {80, 443}},
    {"portrange 80-82", {80, 81, 82}},
    {"port 80 and port 443", {80}},
    {"host 192.0.2.1 and port 80", {80}},
    {"port 80 and not host 192.0.2.1", {80}},
    {"port 80 && !(host 192.0.2.1 or port 22)", {80}},
    {"(port 80 or port 443) and host 192.0.2.1", {80, 443}},
    /* "and" and "or" bind alike, to the left */
    {"host 192.0.2.1 or port 80 and port 443", {443}},
    {"port 443 and host 192.0.2.1 or port 80", {443, 80}},
    {"port 80 and host 192.0.2.1 or host 192.0.2.2", {ANY}},
    {"src and dst port 80", {80}},
    {"src or dst port 80", {ANY}},
    {"not port 80", {ANY}},
    {"!port 80", {ANY}},
    {"not port 80 or 443", {ANY}},
    {"port 80 or host 192.0.2.1", {ANY}},
    {"port 80 or tcp", {ANY}},
    {"port 80 or tcp[13] & 2 != 0", {ANY}},
    {"tcp[13] & 2 != 0 and port 80", {ANY}}, /* not understood: it would be 80 */
    {"port 80 or (port 443", {ANY}},
    {"port (80 or 443)", {ANY}},
    {"port 80 or", {ANY}},
    {"or port 80", {ANY}},
    {"portrange 80-82 or 90", {ANY}},
    {"port 65536", {ANY}},
    {"port no-such-service", {ANY}},
    {"portrange 82-80", {ANY}},
    {"tcp", {ANY}},
    {"", {ANY}},
    {"((((((((port 80))))))))", {80}},
    {"(((((((((port 80)))))))))", {ANY}},                         /* deeper than anybody writes */
    {"(port 80) or ((((((((port 443))))))))", {80, 443}},         /* what is closed is not deep any more */
    {"port 80 and host not not not not not not 192.0.2.1", {80}}, /* a term of eight words */
    {"port 80 and host not not not not not not not 192.0.2.1", {ANY}},
    {"port 80 and (host 192.0.2.1) 443", {ANY}}, /* behind a parenthesis no port goes on */
    {"port 80 or port 443 and host 192.0.2.1 or 22", {ANY}},
    {"host 80", {ANY}},
    {"host 192.0.2.1 or 443", {ANY}}, /* nor behind an address */
    {"portrange 80-82x", {ANY}},
    {"port -80", {ANY}},
    {"port (80)", {ANY}},
    {"port 80 port 443", {ANY}},
    {"port 0x50", {ANY}}, /* pcap takes it for 80, and 010 for 8 */
    {"port 010", {ANY}},
    {"portrange 010-020", {ANY}},
    {"portrange 8-020", {ANY}},
    {"port 80 or 010", {ANY}},
    {"portrange 0-2", {1, 2}},
    {"port 0", {0}},
    {"port 65535", {65535}},
    {"portrange 80-80", {80}},
    {"portrange 65534-65535", {65534, 65535}},
    {"portrange 65535-65536", {ANY}},
    {"port 80 != 0", {ANY}},
    {"port 443 and host not 192.0.2.1", {443}}, /* of pcap's grammar: "not" within a term */
    {"port not 80", {ANY}},
    {"port not 80 and port 443", {443}},
    {"(port (80 or 22) and port 443)", {ANY}},
    {"port 80 and host aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg.", {ANY}}, /* of 64 bytes: too long a word */
    {"port 80x", {ANY}},
    {"port 80 90", {ANY}},
    {"portrange 80", {ANY}},
    {"portrange 80-90 tcp", {ANY}},
    {"portrange -80-90", {ANY}},
};

static bool is_among(const int *ports, int port)
{
    for (int i = 0; i < MOST; i++)
        if (ports[i] == port) return true;
    return false;
}

static void an_expression_takes_these_ports_for_granted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct port_set set;
        memset(&set, 0, sizeof(set));
        bool known = filter_ports(rows[i].expression, &set);
        if (known != (rows[i].ports[0] != ANY)) fail_msg("'%s' is %s", rows[i].expression, known ? "known" : "not known");
        for (int port = 1; known && port <= UINT16_MAX; port++) /* 0 may end the row */
            if (port_set_has(&set, (uint16_t)port) != is_among(rows[i].ports, port))
                fail_msg("'%s': port %d", rows[i].expression, port);
    }
}

static void a_port_of_0_is_one(void **state)
{
    struct port_set set;
    (void)state;
    memset(&set, 0, sizeof(set));
    assert_true(filter_ports("port 0", &set));
    assert_true(port_set_has(&set, 0));
    assert_false(port_set_has(&set, 1));
}

/* A SYN from 192.0.2.1, from its IP header on. */
static void make_syn(uint8_t *packet, int src, int dst)
{
    static const uint8_t head[20] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
    memset(packet, 0, 40);
    memcpy(packet, head, sizeof(head));
    packet[20] = (uint8_t)(src >> 8);
    packet[21] = (uint8_t)src;
    packet[22] = (uint8_t)(dst >> 8);
    packet[23] = (uint8_t)dst;
    packet[32] = 5 << 4;
    packet[33] = 2;
}

static void pcap_lets_no_other_port_through(void **state)
{
    static const int asked[] = {8, 10, 15, 16, 22, 80, 81, 82, 90, 443, 30000};
    pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
    size_t matched = 0, count = sizeof(asked) / sizeof(asked[0]);
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bpf_program filter;
        struct port_set set;
        memset(&set, 0, sizeof(set));
        if (!filter_ports(rows[i].expression, &set)) continue;
        if (pcap_compile(dead, &filter, rows[i].expression, 1, PCAP_NETMASK_UNKNOWN)) fail_msg("'%s'", rows[i].expression);
        for (size_t k = 0; k < count * count; k++) {
            uint8_t packet[40];
            const struct pcap_pkthdr header = {.caplen = sizeof(packet), .len = sizeof(packet)};
            int src = asked[k / count], dst = asked[k % count];
            make_syn(packet, src, dst);
            if (!pcap_offline_filter(&filter, &header, packet)) continue;
            matched++;
            if (!port_set_has(&set, (uint16_t)src) && !port_set_has(&set, (uint16_t)dst))
                fail_msg("'%s' is true of ports %d and %d", rows[i].expression, src, dst);
        }
        pcap_freecode(&filter);
    }
    assert_true(matched > 100);
    pcap_close(dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_lets_no_other_port_through),
        cmocka_unit_test(an_expression_takes_these_ports_for_granted),
        cmocka_unit_test(a_port_of_0_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
