/* Decoding frames: tunnels. What is told of is the packet inside, and the tunnel is said beside it. */
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

/* The carrier's own addresses differ from those of the packet inside: 192.0.2.1 → 192.0.2.2, or fc00::… */
size_t put_outer(struct frame *frame, int version, uint8_t protocol)
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

void end_outer(struct frame *frame, int version, size_t at)
{
    set16(frame, at + (version == 4 ? 2 : 4), (unsigned)(frame->length - at) - (version == 4 ? 0 : 40));
}

struct frame frame_of(const struct tunnel_case *tunnel)
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
