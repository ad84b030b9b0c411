/* Teredo, names of what carries no segment, errors about tunnels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

#include "segment_tunnels_own.h"
#include "support/frame.h"
#include "support/guard.h"

void ipv6_in_udp_is_teredo_where_an_address_says_so(void **state)
{
    (void)state;
    static const uint8_t auth[] = {0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0}, origin[] = {0, 0, 1, 2, 3, 4, 5, 6};
    for (unsigned how = 0; how < 8; how++) {
        struct frame frame = {0};
        size_t outer = put_outer(&frame, 4, IPPROTO_UDP), udp = put_udp(&frame, 0);
        if (how & 1) put(&frame, auth, sizeof(auth));
        if (how & 2) put(&frame, origin, sizeof(origin));
        size_t inner = frame.length;
        put_v6_segment(&frame);
        if (!(how & 4)) frame.bytes[inner + 9] = 1; /* 2001:0::1 */
        set16(&frame, udp + 4, (unsigned)(frame.length - udp));
        end_outer(&frame, 4, outer);
        struct event_packet packet = decode_ok(DLT_RAW, &frame);
        assert_int_equal(packet.header.protocol, how & 4 ? IPPROTO_UDP : IPPROTO_TCP);
        assert_int_equal(packet.tunnel.kind, how & 4 ? TUNNEL_NONE : TUNNEL_TEREDO);
        if (!(how & 4)) assert_int_equal(packet.header.seq, 0x01020304);
        for (uint32_t captured = 0; captured <= frame.length; captured++) {
            struct guard guard = guard_new(frame.bytes, captured);
            segment_decode(DLT_RAW, guard.bytes, captured, (uint32_t)frame.length, &packet);
            guard_free(&guard);
        }
    }
}

void a_frame_in_a_frame_is_a_tunnel(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        uint32_t id;
        uint8_t bytes[40];
    } frames[] = {
        {32, 0x010203, {MACS, 0x88, 0xe7, 0x20, 1, 2, 3, MACS, 0x08, 0x00}},         /* 802.1ah */
        {36, 7, {MACS, 0x88, 0xa8, 0, 5, 0x88, 0xe7, 0, 0, 0, 7, MACS, 0x08, 0x00}}, /* in a backbone VLAN */
        {30, 0, {MACS, 0x89, 0x03, 0, 0x40, MACS, 0x08, 0x00}},                      /* FabricPath */
        {34, 0, {MACS, 0x89, 0x03, 0, 0x40, MACS, 0x81, 0, 0, 5, 0x08, 0x00}},
    };
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct frame frame = {0};
        put(&frame, frames[i].bytes, frames[i].length);
        put_v4_segment(&frame);
        struct event_packet packet = decode_ok(DLT_EN10MB, &frame);
        assert_segment(&packet, false);
        assert_int_equal(packet.tunnel.kind, TUNNEL_ETHERNET);
        assert_int_equal(packet.tunnel.id, frames[i].id);
        for (uint32_t captured = 0; captured < frames[i].length; captured++) {
            struct guard guard = guard_new(frame.bytes, captured);
            assert_int_equal(segment_decode(DLT_EN10MB, guard.bytes, captured, (uint32_t)frame.length, &packet), SEGMENT_CUT);
            guard_free(&guard);
        }
    }
}

static void assert_content(const char *wanted, int link, const struct frame *frame)
{
    struct event_packet packet;
    struct segment_beside beside;
    char name[SEGMENT_CONTENT_BYTES];
    segment_decode_beside(link, frame->bytes, (uint32_t)frame->length, (uint32_t)frame->length, &packet, &beside);
    assert_string_equal(segment_content_name(beside.content, name), wanted);
}

/* What isn't looked into is named. */
void what_carries_no_segment_has_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned type;
    } types[] = {
        {"ARP", 0x0806}, {"LLDP", 0x88cc}, {"MACsec", 0x88e5}, {"Ethernet type 0x1234", 0x1234}, {"Ethernet type 0x05ff", 0x5ff}};
    for (size_t i = 0; i < COUNT(types); i++) {
        struct frame frame = {0};
        put_ethernet(&frame, types[i].type);
        put_zeroes(&frame, 46);
        assert_content(types[i].name, DLT_EN10MB, &frame);
    }
    static const struct {
        const char *name;
        uint8_t protocol;
    } protocols[] = {{"ICMP", IPPROTO_ICMP},
                     {"IGMP", IPPROTO_IGMP},
                     {"IPsec ESP", IPPROTO_ESP},
                     {"SCTP", IPPROTO_SCTP},
                     {"IP protocol 253", 253}};
    for (size_t i = 0; i < COUNT(protocols); i++) {
        struct frame frame = {0};
        put_ipv4(&frame, protocols[i].protocol, 40, 0);
        put_zeroes(&frame, 40);
        assert_content(protocols[i].name, DLT_RAW, &frame);
    }
    static const struct {
        const char *name;
        unsigned port;
        uint8_t bytes[8];
    } datagrams[] = {
        {"GTP-U", 2152, {0x30, 1, 0, 24}}, /* an echo request */
        {"CAPWAP, encrypted", 5247, {1, 0, 0, 0}},
        {"IPsec ESP in UDP", 4500, {1, 2, 3, 4}},
        {"WireGuard", 51820, {4, 0, 0, 0}},
        {"QUIC", 443, {0xc3, 0, 0, 0, 1}},
        {"L2TP", 1701, {0, 2}},
        {"something else", 2152, {0x50, 1, 0, 24}},
        {"something else", 53, {0x30, 1, 0, 24}},
    };
    for (size_t i = 0; i < COUNT(datagrams); i++) {
        struct frame frame = {0};
        put_ipv4(&frame, IPPROTO_UDP, 40, 0);
        size_t udp = put_udp(&frame, 32);
        set16(&frame, udp + 2, datagrams[i].port);
        put(&frame, datagrams[i].bytes, 8);
        put_zeroes(&frame, 24);
        assert_content(datagrams[i].name, DLT_RAW, &frame);
    }
    struct frame segment = {0};
    put_v4_segment(&segment);
    assert_content("something else", DLT_RAW, &segment); /* it is a segment: nothing else is said */
    assert_content("link type 227", 227, &segment);
}

void tunnels_are_followed_four_deep(void **state)
{
    (void)state;
    for (unsigned levels = 1; levels <= 6; levels++) {
        struct frame frame = {0};
        size_t outer[6];
        for (unsigned i = 0; i < levels; i++) outer[i] = put_outer(&frame, 4, IPPROTO_IPIP);
        put_v4_segment(&frame);
        for (unsigned i = 0; i < levels; i++) end_outer(&frame, 4, outer[i]);
        struct event_packet packet;
        enum segment_result result = decode(DLT_RAW, &frame, &packet);
        assert_int_equal(result, levels <= 4 ? SEGMENT_OK : SEGMENT_OTHER);
        if (levels > 4) continue;
        assert_segment(&packet, false);
        assert_int_equal(packet.tunnel.levels, levels);
    }
}

/* The carrier was fragmented: the packet inside is longer than what its first piece holds. */
void the_length_of_a_packet_in_a_first_fragment_is_its_own(void **state)
{
    (void)state;
    struct frame frame = frame_of(&cases[0]);
    frame.bytes[6] = 0x20;
    frame.bytes[20 + 2] = 4; /* the inner packet has 1024 bytes more */
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.length_bytes, 1024 + 5);
    frame.bytes[6] = 0;
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.length_bytes, 5);
}

void an_error_about_a_tunnel_quotes_nothing(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_ICMP, 8 + 20 + 20 + 20, 0);
    put(&frame, (const uint8_t[8]){3, 1}, 8);
    put_ipv4(&frame, IPPROTO_IPIP, 200, 0);
    put_ipv4(&frame, IPPROTO_TCP, 180, 0);
    put_tcp(&frame, TCP_ACK, NULL, 0);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_int_equal(packet.header.protocol, IPPROTO_ICMP);
    assert_false(packet.icmp.quotes);
    assert_int_equal(packet.tunnel.kind, TUNNEL_NONE);
}

void an_encrypted_payload_is_said_to_be(void **state)
{
    (void)state;
    struct frame esp = {0}, gre_routes = {0};
    put_ipv4(&esp, IPPROTO_ESP, 40, 0);
    put_zeroes(&esp, 40);
    assert_result(SEGMENT_ENCRYPTED, DLT_RAW, &esp);
    put_ipv4(&gre_routes, IPPROTO_GRE, 40, 0);
    put(&gre_routes, (const uint8_t[]){0x40, 0, 0x08, 0x00}, 4);
    put_zeroes(&gre_routes, 36);
    assert_result(SEGMENT_OTHER, DLT_RAW, &gre_routes);
}

/* IPv4 may carry an authentication header too (RFC 4302). */
void an_authentication_header_of_ipv4_is_stepped_over(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_AH, 24 + 25, 0);
    put(&frame, (const uint8_t[24]){IPPROTO_TCP, 4}, 24);
    put_tcp(&frame, TCP_PSH | TCP_ACK, NULL, 0);
    put(&frame, "hello", 5);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_segment(&packet, false);
}
