/* Decoding frames: tunnels. What is told of is the packet inside, and the tunnel is said beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

#include "support/frame.h"
#include "support/guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MACS 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define SNAP 0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00
#define WIFI(control, flags) control, flags, 0, 0, MACS, 1, 2, 3, 4, 5, 6, 0x10, 0

/* The carrier's own addresses differ from those of the packet inside: 192.0.2.1 → 192.0.2.2, or fc00::… */
static size_t put_outer(struct frame *frame, int version, uint8_t protocol)
{
    size_t at;
    if (version == 4) {
        at = put_ipv4(frame, protocol, 0, 0);
        memcpy(frame->bytes + at + 12, "\300\0\2\1\300\0\2\2", 8);
    } else {
        at = put_ipv6(frame, protocol, 0);
        frame->bytes[at + 8] = frame->bytes[at + 24] = 0xfc;
    }
    return at;
}

static void end_outer(struct frame *frame, int version, size_t at)
{
    set16(frame, at + (version == 4 ? 2 : 4), (unsigned)(frame->length - at) - (version == 4 ? 0 : 40));
}

struct tunnel_case {
    const char *name;
    int outer;        /* IP version of the carrier */
    uint8_t protocol; /* that it carries */
    int inner;        /* IP version of the packet inside */
    enum event_tunnel_kind kind;
    uint32_t id;
    size_t length;
    uint8_t bytes[64]; /* between the two */
};

/* UDP to `port`, a checksum of 0, and room for its length. */
#define UDP(port) 0xc0, 0x00, (port) >> 8, (port)&0xff, 0, 0, 0, 0

static const struct tunnel_case cases[] = {
    {"IP in IP", 4, IPPROTO_IPIP, 4, TUNNEL_IP, 0, 0, {0}},
    {"6in4", 4, IPPROTO_IPV6, 6, TUNNEL_IP, 0, 0, {0}},
    {"4in6", 6, IPPROTO_IPIP, 4, TUNNEL_IP, 0, 0, {0}},
    {"6in6", 6, IPPROTO_IPV6, 6, TUNNEL_IP, 0, 0, {0}},
    {"GRE", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 4, {0, 0, 0x08, 0x00}},
    {"GRE over IPv6 with IPv6", 6, IPPROTO_GRE, 6, TUNNEL_GRE, 0, 4, {0, 0, 0x86, 0xdd}},
    {"GRE with a key", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0x01020304, 8, {0x20, 0, 0x08, 0x00, 1, 2, 3, 4}},
    {"GRE with everything", 4, IPPROTO_GRE, 6, TUNNEL_GRE, 7, 16, {0xb0, 0, 0x86, 0xdd, 9, 9, 0, 0, 0, 0, 0, 7, 1, 1, 1, 1}},
    {"GRE with Ethernet", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 18, {0, 0, 0x65, 0x58, MACS, 0x08, 0x00}},
    {"GRE with Ethernet and a VLAN", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 22, {0, 0, 0x65, 0x58, MACS, 0x81, 0, 0, 5, 0x08, 0x00}},
    {"GRE with MPLS", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 8, {0, 0, 0x88, 0x47, 0, 1, 1, 64}},
    {"PPTP", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 9, 16, {0x30, 0x01, 0x88, 0x0b, 0, 49, 0, 9, 0, 0, 0, 1, 0xff, 0x03, 0x00, 0x21}},
    {"PPTP with an acknowledgment",
     4,
     IPPROTO_GRE,
     4,
     TUNNEL_GRE,
     9,
     17,
     {0x30, 0x81, 0x88, 0x0b, 0, 46, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0x21}},
    {"WCCP", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 8, {0, 0, 0x88, 0x3e, 0x05, 0x59, 0, 0x48}},
    {"ERSPAN I", 4, IPPROTO_GRE, 4, TUNNEL_ERSPAN, 0, 18, {0, 0, 0x88, 0xbe, MACS, 0x08, 0x00}},
    {"ERSPAN II",
     4,
     IPPROTO_GRE,
     4,
     TUNNEL_ERSPAN,
     0x123,
     30,
     {0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0x09, 0x23, 0, 0, 0, 0, MACS, 0x08, 0x00}},
    {"MPLS in IP", 4, IPPROTO_MPLS, 6, TUNNEL_MPLS, 0, 4, {0, 1, 1, 64}},
    {"VXLAN", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 0x010203, 30, {UDP(4789), 8, 0, 0, 0, 1, 2, 3, 0, MACS, 0x08, 0x00}},
    {"VXLAN as Linux began it", 6, IPPROTO_UDP, 6, TUNNEL_VXLAN, 5, 30, {UDP(8472), 8, 0, 0, 0, 0, 0, 5, 0, MACS, 0x86, 0xdd}},
    {"GENEVE", 4, IPPROTO_UDP, 4, TUNNEL_GENEVE, 6, 30, {UDP(6081), 0, 0, 0x65, 0x58, 0, 0, 6, 0, MACS, 0x08, 0x00}},
    {"GENEVE with options and IP",
     4,
     IPPROTO_UDP,
     6,
     TUNNEL_GENEVE,
     6,
     24,
     {UDP(6081), 2, 0, 0x86, 0xdd, 0, 0, 6, 0, 1, 2, 3, 4, 5, 6, 7, 8}},
    {"VXLAN with what is reserved set",
     4,
     IPPROTO_UDP,
     4,
     TUNNEL_VXLAN,
     42,
     30,
     {UDP(4789), 0x0c, 0, 0x12, 0x34, 0, 0, 42, 0xff, MACS, 0x08, 0x00}},
    {"VXLAN with a group policy",
     4,
     IPPROTO_UDP,
     6,
     TUNNEL_VXLAN,
     42,
     30,
     {UDP(4789), 0x88, 0x08, 0, 7, 0, 0, 42, 0, MACS, 0x86, 0xdd}},
    {"VXLAN-GPE with IPv4", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 16, {UDP(4790), 0x0c, 0, 0, 1, 0, 0, 7, 0}},
    {"VXLAN-GPE with IPv6", 4, IPPROTO_UDP, 6, TUNNEL_VXLAN, 7, 16, {UDP(4790), 0x0c, 0, 0, 2, 0, 0, 7, 0}},
    {"VXLAN-GPE with Ethernet", 6, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 30, {UDP(4790), 0x0c, 0, 0, 3, 0, 0, 7, 0, MACS, 0x08, 0x00}},
    {"VXLAN-GPE with MPLS", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 20, {UDP(4790), 0x0c, 0, 0, 5, 0, 0, 7, 0, 0, 1, 1, 64}},
    {"VXLAN-GPE at VXLAN's port", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 16, {UDP(4789), 0x0c, 0, 0, 1, 0, 0, 7, 0}},
    {"GTP-U", 4, IPPROTO_UDP, 4, TUNNEL_GTP, 0x01020304, 16, {UDP(2152), 0x30, 255, 0, 0, 1, 2, 3, 4}},
    {"GTP-U with IPv6", 6, IPPROTO_UDP, 6, TUNNEL_GTP, 1, 16, {UDP(2152), 0x30, 255, 0, 0, 0, 0, 0, 1}},
    {"GTP-U with a sequence number", 4, IPPROTO_UDP, 4, TUNNEL_GTP, 1, 20, {UDP(2152), 0x32, 255, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0}},
    {"GTP-U with two extensions", 4, IPPROTO_UDP, 4, TUNNEL_GTP, 1, 32, {UDP(2152), 0x34, 255, 0,    0, 0, 0, 0, 1, 0, 0, 0, 0x85,
                                                                         1,         0,    9,   0x40, 2, 0, 0, 0, 0, 0, 0, 0}},
    {"GRE in UDP", 4, IPPROTO_UDP, 4, TUNNEL_GRE, 0, 12, {UDP(4754), 0, 0, 0x08, 0x00}},
    {"GRE in UDP with a key and Ethernet",
     6,
     IPPROTO_UDP,
     6,
     TUNNEL_GRE,
     9,
     30,
     {UDP(4754), 0x20, 0, 0x65, 0x58, 0, 0, 0, 9, MACS, 0x86, 0xdd}},
    {"CAPWAP with Ethernet", 4, IPPROTO_UDP, 4, TUNNEL_CAPWAP, 0, 30, {UDP(5247), 0, 0x10, 0x02, 0, 0, 0, 0, 0, MACS, 0x08, 0x00}},
    {"CAPWAP with 802.11", 4, IPPROTO_UDP, 4, TUNNEL_CAPWAP, 0, 48, {UDP(5247), 0, 0x10, 0x03, 0, 0, 0, 0, 0, WIFI(0x08, 1), SNAP}},
    {"CAPWAP with 802.11, its bytes swapped, and the radio's address",
     4,
     IPPROTO_UDP,
     4,
     TUNNEL_CAPWAP,
     0,
     56,
     {UDP(5247), 0, 0x20, 0x03, 0x10, 0, 0, 0, 0, 6, 1, 2, 3, 4, 5, 6, 0, WIFI(2, 0x08), SNAP}},
    {"an access point's GRE", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 36, {0, 0, 0x82, 0x00, WIFI(0x08, 2), SNAP}},
};

static struct frame frame_of(const struct tunnel_case *tunnel)
{
    struct frame frame = {0};
    size_t outer = put_outer(&frame, tunnel->outer, tunnel->protocol);
    size_t between = put(&frame, tunnel->bytes, tunnel->length);
    (tunnel->inner == 6 ? put_v6_segment : put_v4_segment)(&frame);
    if (tunnel->protocol == IPPROTO_UDP) set16(&frame, between + 4, (unsigned)(frame.length - between));
    if (tunnel->kind == TUNNEL_GTP) set16(&frame, between + 8 + 2, (unsigned)(frame.length - between - 8 - 8));
    end_outer(&frame, tunnel->outer, outer);
    return frame;
}

static void the_packet_inside_a_tunnel_is_told_of_and_the_tunnel_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        struct event_packet packet;
        enum segment_result result = decode(DLT_RAW, &frame, &packet);
        if (result != SEGMENT_OK) fail_msg("%s: %s", cases[i].name, segment_result_word(result));
        assert_segment(&packet, cases[i].inner == 6);
        if (packet.tunnel.kind != cases[i].kind || packet.tunnel.id != cases[i].id || packet.tunnel.levels != 1)
            fail_msg("%s: kind %u, id %u, levels %u", cases[i].name, packet.tunnel.kind, packet.tunnel.id, packet.tunnel.levels);
    }
}

static void an_ethernet_pseudowire_is_a_tunnel(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x8847);
    put(&frame, (const uint8_t[]){0, 1, 1, 64, 0, 0, 0, 9, MACS, 0x08, 0x00}, 22);
    put_v4_segment(&frame);
    struct event_packet packet = decode_ok(DLT_EN10MB, &frame);
    assert_segment(&packet, false);
    assert_int_equal(packet.tunnel.kind, TUNNEL_MPLS);
}

static void a_cut_tunnel_is_cut_and_nothing_is_read_past_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        uint32_t ok_since = 0;
        for (uint32_t captured = 0; captured <= frame.length; captured++) {
            struct guard guard = guard_new(frame.bytes, captured);
            struct event_packet packet;
            enum segment_result result = segment_decode(DLT_RAW, guard.bytes, captured, (uint32_t)frame.length, &packet);
            bool inner = result == SEGMENT_OK && packet.header.protocol == IPPROTO_TCP;
            /* A datagram whose tunnel header was cut is a datagram. */
            bool outer = result == SEGMENT_OK && packet.header.protocol == IPPROTO_UDP && packet.tunnel.levels == 0;
            if (result != SEGMENT_CUT && !inner && !outer)
                fail_msg("%s cut at %u: %s", cases[i].name, captured, segment_result_word(result));
            if (inner && !ok_since) ok_since = captured;
            if (ok_since) assert_true(inner);
            guard_free(&guard);
        }
        assert_int_equal(ok_since, frame.length - 5 - 6); /* up to the flags of the segment inside */
    }
}

static void a_broken_tunnel_is_decoded_within_its_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        struct guard guard = guard_new(frame.bytes, frame.length);
        for (size_t at = 0; at < frame.length; at++) {
            for (unsigned value = 0; value < 256; value += value < 16 ? 1 : 7) {
                guard.bytes[at] = (uint8_t)value;
                struct event_packet packet;
                enum segment_result result =
                    segment_decode(DLT_RAW, guard.bytes, (uint32_t)frame.length, (uint32_t)frame.length + value % 3, &packet);
                assert_in_range(result, SEGMENT_OK, SEGMENT_RESULTS - 1);
            }
            guard.bytes[at] = frame.bytes[at];
        }
        guard_free(&guard);
    }
}

/* A port alone makes no tunnel. */
static void a_datagram_that_only_looks_like_a_tunnel_is_a_datagram(void **state)
{
    (void)state;
    static const uint8_t no_vni[] = {0, 0, 0, 0, 1, 2, 3, 0, MACS, 0x08, 0x00},
                         nonsense[] = {8, 0, 0, 0, 1, 2, 3, 0, MACS, 0x08, 0x00, 0x99},
                         version[] = {0x40, 0, 0x65, 0x58, 0, 0, 6, 0, MACS, 0x08, 0x00};
    static const struct {
        unsigned port;
        const uint8_t *bytes;
        size_t length;
    } datagrams[] = {
        {4789, no_vni, sizeof(no_vni)}, {4789, nonsense, sizeof(nonsense)}, {6081, version, sizeof(version)}, {4789, no_vni, 3}};
    for (size_t i = 0; i < COUNT(datagrams); i++) {
        struct frame frame = {0};
        size_t outer = put_outer(&frame, 4, IPPROTO_UDP);
        size_t udp = put_udp(&frame, datagrams[i].length);
        set16(&frame, udp + 2, datagrams[i].port);
        put(&frame, datagrams[i].bytes, datagrams[i].length);
        end_outer(&frame, 4, outer);
        struct event_packet packet = decode_ok(DLT_RAW, &frame);
        assert_int_equal(packet.header.protocol, IPPROTO_UDP);
        assert_int_equal(packet.header.dst.port, datagrams[i].port);
        assert_int_equal(packet.header.src.ip[0], 192);
        assert_int_equal(packet.header.length_bytes, datagrams[i].length);
        assert_int_equal(packet.tunnel.kind, TUNNEL_NONE);
        assert_int_equal(packet.tunnel.levels, 0);
    }
}

/* Where the header proves little, what is inside has to hold together: IPv4's checksum, IPv6's length. */
static void a_tunnel_that_a_port_alone_shows_needs_a_sound_packet_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool doubtful = cases[i].kind >= TUNNEL_GTP || (cases[i].protocol == IPPROTO_UDP && cases[i].kind == TUNNEL_GRE) ||
                        strstr(cases[i].name, "GPE");
        if (!doubtful) continue;
        struct frame frame = frame_of(&cases[i]);
        size_t inner = frame.length - (cases[i].inner == 6 ? 65 : 45);
        frame.bytes[inner + 5] ^= 1; /* IPv4's identification, IPv6's length */
        struct event_packet packet = decode_ok(DLT_RAW, &frame);
        if (packet.header.protocol != IPPROTO_UDP || packet.tunnel.levels) fail_msg("%s", cases[i].name);
    }
}

static void ipv6_in_udp_is_teredo_where_an_address_says_so(void **state)
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

static void a_frame_in_a_frame_is_a_tunnel(void **state)
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
static void what_carries_no_segment_has_a_name(void **state)
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

static void tunnels_are_followed_four_deep(void **state)
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
static void the_length_of_a_packet_in_a_first_fragment_is_its_own(void **state)
{
    (void)state;
    struct frame frame = frame_of(&cases[0]);
    frame.bytes[6] = 0x20;
    frame.bytes[20 + 2] = 4; /* the inner packet has 1024 bytes more */
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.length_bytes, 1024 + 5);
    frame.bytes[6] = 0;
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.length_bytes, 5);
}

static void an_error_about_a_tunnel_quotes_nothing(void **state)
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

static void an_encrypted_payload_is_said_to_be(void **state)
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
static void an_authentication_header_of_ipv4_is_stepped_over(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packet_inside_a_tunnel_is_told_of_and_the_tunnel_said),
        cmocka_unit_test(an_ethernet_pseudowire_is_a_tunnel),
        cmocka_unit_test(a_cut_tunnel_is_cut_and_nothing_is_read_past_its_end),
        cmocka_unit_test(a_broken_tunnel_is_decoded_within_its_bounds),
        cmocka_unit_test(a_datagram_that_only_looks_like_a_tunnel_is_a_datagram),
        cmocka_unit_test(a_tunnel_that_a_port_alone_shows_needs_a_sound_packet_inside),
        cmocka_unit_test(ipv6_in_udp_is_teredo_where_an_address_says_so),
        cmocka_unit_test(a_frame_in_a_frame_is_a_tunnel),
        cmocka_unit_test(what_carries_no_segment_has_a_name),
        cmocka_unit_test(tunnels_are_followed_four_deep),
        cmocka_unit_test(the_length_of_a_packet_in_a_first_fragment_is_its_own),
        cmocka_unit_test(an_error_about_a_tunnel_quotes_nothing),
        cmocka_unit_test(an_encrypted_payload_is_said_to_be),
        cmocka_unit_test(an_authentication_header_of_ipv4_is_stepped_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
