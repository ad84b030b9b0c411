/* How much of a packet is its headers: where no payload may be kept, the rest is cut. */
#include "capture/packet_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

enum { ETHERNET = 14, IP = 20, TCP = 20, UDP = 8, ROOM = 256 };
enum link { PLAIN, TAGGED, RAW };

struct packet {
    uint8_t bytes[ROOM];
    uint32_t length;
};

static void put16(struct packet *packet, uint32_t value)
{
    packet->bytes[packet->length++] = (uint8_t)(value >> 8);
    packet->bytes[packet->length++] = (uint8_t)value;
}

static struct packet packet_of(enum link link, uint8_t protocol, uint16_t from, uint16_t to, uint32_t payload)
{
    struct packet packet = {.length = link == RAW ? 0 : ETHERNET - 2};
    if (link == TAGGED) put16(&packet, 0x8100), put16(&packet, 7);
    if (link != RAW) put16(&packet, 0x0800);
    uint32_t transport = protocol == IPPROTO_TCP ? TCP : UDP;
    uint8_t ip[IP] = {0x45, 0, 0, (uint8_t)(IP + transport + payload), 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    memcpy(packet.bytes + packet.length, ip, IP);
    packet.length += IP;
    uint32_t begin = packet.length;
    put16(&packet, from);
    put16(&packet, to);
    if (protocol == IPPROTO_TCP) {
        packet.bytes[begin + 12] = 0x50, packet.bytes[begin + 13] = 0x18, packet.bytes[begin + 14] = 1;
    } else {
        put16(&packet, UDP + payload);
    }
    packet.length = begin + transport;
    memset(packet.bytes + packet.length, 'p', payload);
    packet.length += payload;
    return packet;
}

static void of_a_packet_its_headers_are_kept_and_no_payload(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum link link;
        uint8_t protocol;
        uint16_t from, to;
        uint32_t payload, wire, captured; /* 0: as long as it is */
        uint32_t head;
    } cases[] = {
        {"TCP", PLAIN, IPPROTO_TCP, 40000, 80, 100, 0, 0, 54},
        {"TCP without data", PLAIN, IPPROTO_TCP, 40000, 80, 0, 0, 0, 54},
        {"TCP, cut within its headers", PLAIN, IPPROTO_TCP, 40000, 80, 100, 0, 53, 53},
        {"TCP, cut behind them", PLAIN, IPPROTO_TCP, 40000, 80, 100, 0, 55, 54},
        {"TCP in a tag", TAGGED, IPPROTO_TCP, 40000, 80, 100, 0, 0, 58},
        {"UDP", PLAIN, IPPROTO_UDP, 40000, 80, 100, 0, 0, 42},
        {"raw IP", RAW, IPPROTO_TCP, 40000, 80, 100, 0, 0, 40},
        /* filled up to Ethernet's least: what fills it is no header */
        {"filled up", PLAIN, IPPROTO_TCP, 40000, 80, 3, 60, 0, 54},
        {"filled up, without data", PLAIN, IPPROTO_TCP, 40000, 80, 0, 60, 0, 54},
        {"filled up with its checksum", PLAIN, IPPROTO_TCP, 40000, 80, 3, 64, 0, 54},
        {"one byte longer than that", PLAIN, IPPROTO_TCP, 40000, 80, 3, 65, 0, 62},
        {"filled up in a tag", TAGGED, IPPROTO_TCP, 40000, 80, 3, 64, 0, 58},
        {"raw IP, filled up", RAW, IPPROTO_TCP, 40000, 80, 3, 46, 0, 40},
        {"raw IP, not filled up", RAW, IPPROTO_TCP, 40000, 80, 3, 0, 0, 40},
        {"raw IP, longer than Ethernet's least", RAW, IPPROTO_TCP, 40000, 80, 30, 80, 0, 50},
        /* the DNS has a header of its own */
        {"a question", PLAIN, IPPROTO_UDP, 40000, 53, 30, 0, 0, 54},
        {"an answer", PLAIN, IPPROTO_UDP, 53, 40000, 30, 0, 0, 54},
        {"of a header alone", PLAIN, IPPROTO_UDP, 53, 40000, 12, 0, 0, 54},
        {"of less", PLAIN, IPPROTO_UDP, 53, 40000, 11, 0, 0, 53},
        {"of more", PLAIN, IPPROTO_UDP, 53, 40000, 13, 0, 0, 54},
        {"another port", PLAIN, IPPROTO_UDP, 54, 52, 30, 0, 0, 42},
        {"DNS over TCP", PLAIN, IPPROTO_TCP, 40000, 53, 30, 0, 0, 54},
        /* neither TCP nor UDP: nothing is cut */
        {"ICMP", PLAIN, IPPROTO_ICMP, 0x0300, 0, 30, 0, 0, 72},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct packet packet = packet_of(cases[i].link, cases[i].protocol, cases[i].from, cases[i].to, cases[i].payload);
        uint32_t wire = cases[i].wire ? cases[i].wire : packet.length, captured = cases[i].captured ? cases[i].captured : wire;
        uint32_t head = packet_head_bytes(cases[i].link == RAW ? DLT_RAW : DLT_EN10MB, packet.bytes, captured, wire);
        if (head != cases[i].head) fail_msg("%s: %u, not %u", cases[i].name, head, cases[i].head);
    }
}

static void what_is_no_packet_is_kept_whole(void **state)
{
    (void)state;
    static const uint8_t bytes[60];
    assert_int_equal(packet_head_bytes(DLT_EN10MB, bytes, 60, 60), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_packet_its_headers_are_kept_and_no_payload),
        cmocka_unit_test(what_is_no_packet_is_kept_whole),
    };
    return cmocka_run_group_tests_name("packet_head", tests, NULL, NULL);
}
