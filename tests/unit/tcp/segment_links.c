/* Decoding frames: each link layer and what may lie between it and IP, sound, cut at a guard page, and broken byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

#include "support/frame.h"
#include "support/guard.h"
#include "tcp/segment_walk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What stands before the IP packet. */
struct link_case {
    const char *name;
    int link;
    int version; /* of the IP packet behind it */
    size_t length;
    uint8_t bytes[96];
};

#define SNAP 0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00
#define MACS 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define WIFI(control, flags) control, flags, 0, 0, MACS, 1, 2, 3, 4, 5, 6, 0x10, 0

static const struct link_case cases[] = {
    {"Ethernet", DLT_EN10MB, 4, 14, {MACS, 0x08, 0x00}},
    {"Ethernet, IPv6", DLT_EN10MB, 6, 14, {MACS, 0x86, 0xdd}},
    {"802.3 with SNAP", DLT_EN10MB, 4, 22, {MACS, 0, 53, SNAP}},
    {"802.3 with LLC for IP", DLT_EN10MB, 4, 17, {MACS, 0, 48, 0x06, 0x06, 0x03}},
    {"802.1Q", DLT_EN10MB, 4, 18, {MACS, 0x81, 0, 0, 5, 0x08, 0x00}},
    {"QinQ", DLT_EN10MB, 6, 22, {MACS, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd}},
    {"802.1Q with LLC", DLT_EN10MB, 4, 26, {MACS, 0x81, 0, 0, 5, 0, 53, SNAP}},
    {"MPLS", DLT_EN10MB, 4, 18, {MACS, 0x88, 0x47, 0, 1, 0x01, 64}},
    {"MPLS, three labels", DLT_EN10MB, 6, 26, {MACS, 0x88, 0x47, 0, 1, 0, 64, 0, 2, 0xe0, 64, 0, 3, 0x01, 64}},
    {"MPLS, multicast", DLT_EN10MB, 4, 18, {MACS, 0x88, 0x48, 0, 1, 0x01, 64}},
    {"PPPoE", DLT_EN10MB, 4, 22, {MACS, 0x88, 0x64, 0x11, 0, 0, 9, 0, 47, 0x00, 0x21}},
    {"PPPoE in a VLAN", DLT_EN10MB, 6, 26, {MACS, 0x81, 0, 0, 5, 0x88, 0x64, 0x11, 0, 0, 9, 0, 67, 0x00, 0x57}},
    {"PPP", DLT_PPP, 4, 4, {0xff, 0x03, 0x00, 0x21}},
    {"PPP without address and control", DLT_PPP, 6, 2, {0x00, 0x57}},
    {"PPP with a short protocol", DLT_PPP, 4, 1, {0x21}},
    {"PPP with MPLS", DLT_PPP_SERIAL, 4, 8, {0xff, 0x03, 0x02, 0x81, 0, 1, 0x01, 64}},
    {"PPP with a direction", DLT_PPP_WITH_DIR, 4, 5, {1, 0xff, 0x03, 0x00, 0x21}},
    {"PPPoE by itself", DLT_PPP_ETHER, 4, 8, {0x11, 0, 0, 9, 0, 47, 0x00, 0x21}},
    {"Cisco HDLC", DLT_C_HDLC, 4, 4, {0x0f, 0, 0x08, 0x00}},
    {"Cisco HDLC in PPP", DLT_PPP, 6, 4, {0x0f, 0, 0x86, 0xdd}},
    {"Cisco HDLC in PPP to all, with a direction", DLT_PPP_WITH_DIR, 4, 5, {0, 0x8f, 0, 0x08, 0x00}},
    {"FDDI", DLT_FDDI, 4, 21, {0x57, MACS, SNAP}},
    {"802.1BR", DLT_EN10MB, 4, 22, {MACS, 0x89, 0x3f, 0x20, 0x05, 0x10, 0x06, 0, 0, 0x08, 0x00}},
    {"802.1BR with a VLAN", DLT_EN10MB, 6, 26, {MACS, 0x89, 0x3f, 0x20, 5, 0x10, 6, 0, 0, 0x81, 0, 0, 5, 0x86, 0xdd}},
    {"SLIP", DLT_SLIP, 4, 16, {0, 0x45}},
    {"cooked", DLT_LINUX_SLL, 4, 16, {0, 4, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00}},
    {"cooked, IPv6", DLT_LINUX_SLL, 6, 16, {0, 4, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x86, 0xdd}},
    {"cooked, VLAN", DLT_LINUX_SLL, 4, 20, {0, 4, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0x00, 0, 5, 0x08, 0x00}},
    {"cooked, 802.2", DLT_LINUX_SLL, 4, 24, {0, 4, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, SNAP}},
    {"cooked v2", DLT_LINUX_SLL2, 4, 20, {0x08, 0x00, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6}},
    {"cooked v2, IPv6", DLT_LINUX_SLL2, 6, 20, {0x86, 0xdd, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6}},
    {"cooked v2 from a monitor interface",
     DLT_LINUX_SLL2,
     4,
     60,
     {0, 4, 0, 0, 0, 0, 0, 1, 3, 35, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, WIFI(0x08, 1), SNAP}},
    {"NULL, little-endian", DLT_NULL, 4, 4, {2, 0, 0, 0}},
    {"NULL, big-endian", DLT_NULL, 4, 4, {0, 0, 0, 2}},
    {"NULL, Darwin's IPv6", DLT_NULL, 6, 4, {30, 0, 0, 0}},
    {"LOOP", DLT_LOOP, 6, 4, {0, 0, 0, 24}},
    {"RAW", DLT_RAW, 4, 0, {0}},
    {"RAW, IPv6", 101, 6, 0, {0}},
    {"IPV4", DLT_IPV4, 4, 0, {0}},
    {"IPV6", DLT_IPV6, 6, 0, {0}},
    {"802.11", DLT_IEEE802_11, 4, 32, {WIFI(0x08, 1), SNAP}},
    {"802.11, QoS", DLT_IEEE802_11, 4, 34, {WIFI(0x88, 2), 0, 0, SNAP}},
    {"802.11, QoS with HT control", DLT_IEEE802_11, 4, 38, {WIFI(0x88, 0x82), 0, 0, 1, 2, 3, 4, SNAP}},
    {"802.11, four addresses", DLT_IEEE802_11, 4, 38, {WIFI(0x08, 3), 1, 2, 3, 4, 5, 6, SNAP}},
    {"802.11, several in one", DLT_IEEE802_11, 4, 48, {WIFI(0x88, 2), 0x80, 0, MACS, 0, 53, SNAP}},
    {"radiotap", DLT_IEEE802_11_RADIO, 4, 40, {0, 0, 8, 0, 0, 0, 0, 0, WIFI(0x08, 1), SNAP}},
    {"radiotap, padded", DLT_IEEE802_11_RADIO, 4, 45, {0, 0, 9, 0, 2, 0, 0, 0, 0x20, WIFI(0x88, 1), 0, 0, 0xff, 0xff, SNAP}},
    {"radiotap, padded, with a time and a second word",
     DLT_IEEE802_11_RADIO,
     4,
     61,
     {0, 0, 25, 0, 3, 0, 0,    0x80,          0, 0, 0,    0,    0xff, 0xff, 0xff, 0xff, 1, 2,
      3, 4, 5,  6, 7, 8, 0x20, WIFI(0x88, 1), 0, 0, 0xff, 0xff, SNAP}},
    {"PPI", DLT_PPI, 4, 26, {0, 0, 12, 0, 1, 0, 0, 0, 9, 9, 0, 0, MACS, 0x08, 0x00}},
    {"IP over InfiniBand", 242, 4, 44, {[40] = 0x08, 0x00}},
    {"NFLOG", DLT_NFLOG, 4, 20, {2, 0, 0, 7, 8, 0, 1, 0, 8, 0, 3, 0, 4, 0, 10, 0, 49, 0, 9, 0}},
    {"NFLOG, big-endian", DLT_NFLOG, 4, 16, {2, 0, 0, 7, 0, 8, 0, 1, 8, 0, 3, 0, 0, 49, 0, 9}},
    {"ARCnet", DLT_ARCNET_LINUX, 4, 5, {1, 2, 0xc3, 0, 240}},
    {"ARCnet, RFC 1201", DLT_ARCNET_LINUX, 4, 8, {1, 2, 0xa8, 0, 212, 0, 1, 2}},
    {"Juniper Ethernet", DLT_JUNIPER_ETHER, 4, 18, {'M', 'G', 'C', 1, MACS, 0x08, 0x00}},
    {"Juniper Ethernet with extensions", DLT_JUNIPER_ETHER, 4, 23, {'M', 'G', 'C', 0x81, 0, 3, 9, 9, 9, MACS, 0x08, 0x00}},
};

static struct frame frame_of(const struct link_case *link)
{
    struct frame frame = {0};
    put(&frame, link->bytes, link->length);
    (link->version == 6 ? put_v6_segment : put_v4_segment)(&frame);
    return frame;
}

static void every_link_layer_carries_its_segment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        struct event_packet packet;
        enum segment_result result = decode(cases[i].link, &frame, &packet);
        if (result != SEGMENT_OK) fail_msg("%s: %s", cases[i].name, segment_result_word(result));
        assert_segment(&packet, cases[i].version == 6);
        assert_int_equal(packet.tunnel.kind, TUNNEL_NONE);
        assert_int_equal(packet.tunnel.levels, 0);
        assert_null(segment_link_trouble(cases[i].link));
    }
}

/* The short cut for common frames and the long way say the same, to the last byte. */
static enum segment_result decode_both(int link, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                       struct event_packet *packet)
{
    struct event_packet other;
    memset(packet, 0xee, sizeof(*packet));
    memset(&other, 0xee, sizeof(other));
    enum segment_result result = segment_decode(link, bytes, captured, wire, packet);
    struct segment_beside beside;
    assert_int_equal(segment_decode_walk(link, bytes, captured, wire, &other, &beside), result);
    if (result != SEGMENT_OK) { /* both left alone */
        assert_memory_equal(packet, &other, sizeof(other));
        return result;
    }
    const struct event_packet_header *a = &packet->header, *b = &other.header;
    assert_memory_equal(a, b, sizeof(*a));
    assert_memory_equal(&packet->options.present, &other.options.present, 3);
    assert_int_equal(packet->options.mss, other.options.mss);
    assert_int_equal(packet->options.mptcp, other.options.mptcp);
    assert_int_equal(packet->options.ts_value, other.options.ts_value);
    assert_int_equal(packet->options.ts_echo, other.options.ts_echo);
    assert_int_equal(packet->icmp.quotes, other.icmp.quotes);
    assert_int_equal(packet->icmp.type, other.icmp.type);
    assert_int_equal(packet->tunnel.kind, other.tunnel.kind);
    assert_int_equal(packet->tunnel.levels, other.tunnel.levels);
    assert_int_equal(packet->tunnel.id, other.tunnel.id);
    assert_int_equal(packet->flags_high, other.flags_high);
    assert_int_equal(packet->window_cut, other.window_cut);
    return result;
}

static void a_frame_cut_anywhere_is_cut_until_its_headers_are_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        size_t whole = cases[i].length + (cases[i].version == 6 ? 40 : 20) + 14;
        for (size_t captured = 0; captured <= frame.length; captured++) {
            struct guard guard = guard_new(frame.bytes, captured);
            struct event_packet packet;
            enum segment_result result =
                decode_both(cases[i].link, guard.bytes, (uint32_t)captured, (uint32_t)frame.length, &packet);
            if (result != (captured < whole ? SEGMENT_CUT : SEGMENT_OK))
                fail_msg("%s cut at %zu of %zu: %s", cases[i].name, captured, frame.length, segment_result_word(result));
            guard_free(&guard);
        }
    }
}

/* A frame that ends early on the wire itself is not cut but wrong. */
static void a_frame_that_was_too_short_on_the_wire_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        for (size_t length = 0; length < cases[i].length + (cases[i].version == 6 ? 40 : 20) + 20; length++) {
            struct guard guard = guard_new(frame.bytes, length);
            struct event_packet packet;
            enum segment_result result = decode_both(cases[i].link, guard.bytes, (uint32_t)length, (uint32_t)length, &packet);
            if (result != SEGMENT_MALFORMED) fail_msg("%s of %zu bytes: %s", cases[i].name, length, segment_result_word(result));
            guard_free(&guard);
        }
    }
}

static void a_broken_frame_is_decoded_within_its_bounds(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x04, 0x0f, 0x40, 0x45, 0x4f, 0x50, 0x60, 0x7f, 0x80, 0xa0, 0xf0, 0xff};
    uint32_t seen[SEGMENT_RESULTS] = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct frame frame = frame_of(&cases[i]);
        struct guard guard = guard_new(frame.bytes, frame.length);
        for (size_t at = 0; at < frame.length; at++) {
            for (size_t value = 0; value < sizeof(values); value++) {
                guard.bytes[at] = values[value];
                struct event_packet packet;
                uint32_t wire = (uint32_t)frame.length + (value & 1 ? 1000 : 0);
                enum segment_result result = decode_both(cases[i].link, guard.bytes, (uint32_t)frame.length, wire, &packet);
                seen[result]++;
                if (result == SEGMENT_OK) assert_in_range(packet.header.length_bytes, 0, 65535);
            }
            guard.bytes[at] = frame.bytes[at];
        }
        guard_free(&guard);
    }
    assert_true(seen[SEGMENT_OK] && seen[SEGMENT_OTHER] && seen[SEGMENT_FRAGMENT] && seen[SEGMENT_MALFORMED] && seen[SEGMENT_CUT] &&
                seen[SEGMENT_ENCRYPTED] && seen[SEGMENT_LINK]);
}

static void what_carries_no_ip_is_other_and_what_is_hidden_is_encrypted(void **state)
{
    (void)state;
    static const struct {
        enum segment_result result;
        struct link_case link;
    } others[] = {
        {SEGMENT_ENCRYPTED, {"802.11, protected", DLT_IEEE802_11, 4, 32, {WIFI(0x08, 0x41), SNAP}}},
        {SEGMENT_ENCRYPTED, {"PPP, encrypted", DLT_PPP, 4, 4, {0xff, 0x03, 0x00, 0x53}}},
        {SEGMENT_ENCRYPTED, {"PPP, compressed", DLT_PPP, 4, 4, {0xff, 0x03, 0x00, 0xfd}}},
        {SEGMENT_FRAGMENT,
         {"802.11, second fragment", DLT_IEEE802_11, 4, 32, {0x08, 1, 0, 0, MACS, 1, 2, 3, 4, 5, 6, 0x11, 0, SNAP}}},
        {SEGMENT_FRAGMENT, {"ARCnet, second piece", DLT_ARCNET_LINUX, 4, 8, {1, 2, 0xa8, 0, 212, 2, 1, 2}}},
        {SEGMENT_OTHER, {"802.11, beacon", DLT_IEEE802_11, 4, 32, {WIFI(0x80, 0), SNAP}}},
        {SEGMENT_OTHER, {"802.11, no data", DLT_IEEE802_11, 4, 32, {WIFI(0x48, 1), SNAP}}},
        {SEGMENT_OTHER, {"802.11, version 1", DLT_IEEE802_11, 4, 32, {WIFI(0x09, 1), SNAP}}},
        {SEGMENT_OTHER, {"another organisation's SNAP", DLT_EN10MB, 4, 22, {MACS, 0, 53, 0xaa, 0xaa, 0x03, 0, 0, 12, 0x08, 0x00}}},
        {SEGMENT_OTHER, {"spanning tree", DLT_EN10MB, 4, 17, {MACS, 0, 48, 0x42, 0x42, 0x03}}},
        {SEGMENT_OTHER, {"neither type nor length", DLT_EN10MB, 4, 14, {MACS, 0x05, 0xe0}}},
        {SEGMENT_OTHER, {"PPPoE discovery", DLT_EN10MB, 4, 20, {MACS, 0x88, 0x63, 0x11, 9, 0, 0, 0, 45}}},
        {SEGMENT_OTHER, {"PPPoE, not a session's data", DLT_EN10MB, 4, 22, {MACS, 0x88, 0x64, 0x11, 9, 0, 9, 0, 47, 0x00, 0x21}}},
        {SEGMENT_MALFORMED, {"PPPoE, version 2", DLT_EN10MB, 4, 22, {MACS, 0x88, 0x64, 0x21, 0, 0, 9, 0, 47, 0x00, 0x21}}},
        {SEGMENT_OTHER, {"LCP", DLT_PPP, 4, 4, {0xff, 0x03, 0xc0, 0x21}}},
        {SEGMENT_OTHER, {"SLIP, compressed header", DLT_SLIP, 4, 16, {0, 0x80}}},
        {SEGMENT_OTHER, {"cooked netlink", DLT_LINUX_SLL, 4, 16, {0, 4, 3, 0x38, 0, 6, [14] = 0x08, 0x00}}},
        {SEGMENT_OTHER, {"cooked v2 netlink", DLT_LINUX_SLL2, 4, 20, {0x08, 0x00, [8] = 3, 0x38}}},
        {SEGMENT_MALFORMED, {"radiotap, version 1", DLT_IEEE802_11_RADIO, 4, 40, {1, 0, 8, 0, 0, 0, 0, 0, WIFI(0x08, 1), SNAP}}},
        {SEGMENT_MALFORMED, {"PPI in PPI", DLT_PPI, 4, 16, {0, 0, 8, 0, 192, 0, 0, 0, 0, 0, 8, 0, 1, 0, 0, 0}}},
        {SEGMENT_LINK, {"PPI with a CAN frame", DLT_PPI, 4, 8, {0, 0, 8, 0, 227, 0, 0, 0}}},
        {SEGMENT_OTHER, {"NFLOG of ARP", DLT_NFLOG, 4, 8, {3, 0, 0, 7, 49, 0, 9, 0}}},
        {SEGMENT_MALFORMED, {"NFLOG with an empty value", DLT_NFLOG, 4, 8, {2, 0, 0, 7, 3, 0, 1, 0}}},
        {SEGMENT_MALFORMED, {"Juniper without its mark", DLT_JUNIPER_ETHER, 4, 18, {'M', 'G', 'D', 1, MACS, 0x08, 0x00}}},
        {SEGMENT_MALFORMED, {"IPV6 with a version 4", DLT_IPV6, 4, 0, {0}}},
        {SEGMENT_OTHER, {"MPLS with another payload", DLT_EN10MB, 4, 20, {MACS, 0x88, 0x47, 0, 1, 0x01, 64, 0x10, 0}}},
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        struct frame frame = frame_of(&others[i].link);
        struct event_packet packet;
        enum segment_result result = decode(others[i].link.link, &frame, &packet);
        if (result != others[i].result)
            fail_msg("%s: %s, not %s", others[i].link.name, segment_result_word(result), segment_result_word(others[i].result));
    }
}

/* The first fragment of a frame holds a part of the packet: its own length is still what counts. */
static void a_first_wifi_fragment_is_read_with_its_packets_length(void **state)
{
    (void)state;
    static const struct link_case link = {"", DLT_IEEE802_11, 4, 32, {WIFI(0x08, 0x05), SNAP}};
    struct frame frame = frame_of(&link);
    frame.bytes[32 + 2] = 4; /* 1024 bytes more than are here */
    assert_int_equal(decode_ok(DLT_IEEE802_11, &frame).header.length_bytes, 1024 + 5);
}

static void a_link_type_that_is_not_decoded_has_a_word_for_it(void **state)
{
    (void)state;
    assert_string_equal(segment_link_trouble(DLT_CAN_SOCKETCAN), "a CAN bus carries no IP");
    assert_non_null(strstr(segment_link_trouble(DLT_USB_LINUX_MMAPPED), "USB"));
    assert_string_equal(segment_link_trouble(-1), "this link type is not decoded");
    for (int type = -2; type < 400; type++) {
        struct event_packet packet;
        bool known = segment_decode(type, NULL, 0, 0, &packet) != SEGMENT_LINK;
        assert_int_equal(known, segment_link_trouble(type) == NULL);
    }
}

static void every_result_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a < SEGMENT_RESULTS; a++)
        for (unsigned b = 0; b < a; b++) assert_string_not_equal(segment_result_word(a), segment_result_word(b));
    assert_string_equal(segment_result_word(SEGMENT_RESULTS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_layer_carries_its_segment),
        cmocka_unit_test(a_frame_cut_anywhere_is_cut_until_its_headers_are_there),
        cmocka_unit_test(a_frame_that_was_too_short_on_the_wire_is_malformed),
        cmocka_unit_test(a_broken_frame_is_decoded_within_its_bounds),
        cmocka_unit_test(what_carries_no_ip_is_other_and_what_is_hidden_is_encrypted),
        cmocka_unit_test(a_first_wifi_fragment_is_read_with_its_packets_length),
        cmocka_unit_test(a_link_type_that_is_not_decoded_has_a_word_for_it),
        cmocka_unit_test(every_result_has_a_word_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
