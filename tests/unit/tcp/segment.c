/* Decoding frames: every link layer, both IP versions, TCP, UDP, ICMP errors, and lengths that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

#include "segment_own.h"
#include "support/frame.h"
#include "support/guard.h"
#include "tcp/segment.h"

static void ethernet_carries_both_ip_versions(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame frame = {0};
        put_ethernet(&frame, six ? 0x86dd : 0x0800);
        if (six)
            put_v6_segment(&frame);
        else
            put_v4_segment(&frame);
        struct event_packet packet = decode_ok(DLT_EN10MB, &frame);
        assert_segment(&packet, six);
    }
}

static void other_fields_of_the_event_are_left_alone(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    put_v4_segment(&frame);
    struct event_packet packet = {.vantage = 7, .number = 8, .captured_bytes = 9, .link_type = 10};
    assert_int_equal(segment_decode(DLT_EN10MB, frame.bytes, (uint32_t)frame.length, (uint32_t)frame.length, &packet), SEGMENT_OK);
    assert_int_equal(packet.vantage, 7);
    assert_int_equal(packet.number, 8);
    assert_int_equal(packet.captured_bytes, 9);
    assert_int_equal(packet.link_type, 10);
}

static void a_failed_decode_leaves_the_event_alone(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    put_v4_segment(&frame);
    frame.bytes[14 + 32] = 0x40; /* a TCP header of 16 bytes */
    struct event_packet packet, before;
    memset(&before, 0xee, sizeof(before));
    assert_int_equal(decode(DLT_EN10MB, &frame, &packet), SEGMENT_MALFORMED);
    assert_memory_equal(&packet, &before, sizeof(packet));
}

static void vlan_tags_are_stepped_over(void **state)
{
    (void)state;
    static const unsigned tags[][2] = {{0x8100, 0}, {0x88a8, 0x8100}, {0x9100, 0x8100}, {0x8100, 0x8100}};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        struct frame frame = {0};
        put_ethernet(&frame, tags[i][0]);
        if (tags[i][1]) put_vlan(&frame, tags[i][1]);
        put_vlan(&frame, 0x0800);
        put_v4_segment(&frame);
        struct event_packet packet = decode_ok(DLT_EN10MB, &frame);
        assert_segment(&packet, false);
    }
}

static void cooked_captures_carry_both_ip_versions(void **state)
{
    (void)state;
    for (int six = 0; six < 2; six++) {
        struct frame sll = {0}, sll2 = {0};
        put_zeroes(&sll, 16);
        set16(&sll, 14, six ? 0x86dd : 0x0800);
        put_zeroes(&sll2, 20);
        set16(&sll2, 0, six ? 0x86dd : 0x0800);
        (six ? put_v6_segment : put_v4_segment)(&sll);
        (six ? put_v6_segment : put_v4_segment)(&sll2);
        struct event_packet packet = decode_ok(DLT_LINUX_SLL, &sll);
        assert_segment(&packet, six);
        packet = decode_ok(DLT_LINUX_SLL2, &sll2);
        assert_segment(&packet, six);
    }
}

static void raw_captures_begin_with_the_ip_header(void **state)
{
    (void)state;
    static const int links[] = {DLT_RAW, 12, 101};
    for (size_t i = 0; i < 3; i++) {
        struct frame four = {0}, six = {0}, five = {0};
        put_v4_segment(&four);
        put_v6_segment(&six);
        put(&five, "\x55", 1);
        struct event_packet packet = decode_ok(links[i], &four);
        assert_segment(&packet, false);
        packet = decode_ok(links[i], &six);
        assert_segment(&packet, true);
        assert_result(SEGMENT_MALFORMED, links[i], &five);
    }
}

static void loopback_captures_say_the_family_in_either_byte_order(void **state)
{
    (void)state;
    static const struct {
        uint8_t family[4];
        int version; /* 0: neither */
    } cases[] = {
        {{0, 0, 0, 2}, 4},  {{2, 0, 0, 0}, 4},  {{10, 0, 0, 0}, 6}, {{0, 0, 0, 24}, 6}, {{28, 0, 0, 0}, 6},
        {{30, 0, 0, 0}, 6}, {{0, 0, 0, 30}, 6}, {{7, 0, 0, 0}, 0},  {{1, 2, 3, 4}, 0},
    };
    static const int links[] = {DLT_NULL, DLT_LOOP};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t link = 0; link < 2; link++) {
            struct frame frame = {0};
            put(&frame, cases[i].family, 4);
            (cases[i].version == 6 ? put_v6_segment : put_v4_segment)(&frame);
            struct event_packet packet;
            enum segment_result result = decode(links[link], &frame, &packet);
            assert_int_equal(result, cases[i].version ? SEGMENT_OK : SEGMENT_OTHER);
            if (result == SEGMENT_OK) assert_segment(&packet, cases[i].version == 6);
        }
    }
}

static void what_carries_no_tcp_udp_or_icmp_error_is_other(void **state)
{
    (void)state;
    struct frame arp = {0}, llc = {0}, sctp = {0}, none = {0};
    put_ethernet(&arp, 0x0806);
    put_zeroes(&arp, 28);
    put_ethernet(&llc, 38);
    put_zeroes(&llc, 38);
    put_ipv4(&sctp, IPPROTO_SCTP, 12, 0);
    put_zeroes(&sctp, 12);
    put_ipv6(&none, IPPROTO_NONE, 0);
    assert_result(SEGMENT_OTHER, DLT_EN10MB, &arp);
    assert_result(SEGMENT_OTHER, DLT_EN10MB, &llc);
    assert_result(SEGMENT_OTHER, DLT_RAW, &sctp);
    assert_result(SEGMENT_OTHER, DLT_RAW, &none);
}

static void an_unknown_link_type_is_said_so(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_v4_segment(&frame);
    assert_result(SEGMENT_LINK, DLT_CAN_SOCKETCAN, &frame);
    assert_result(SEGMENT_LINK, -1, &frame);
    struct event_packet packet;
    assert_int_equal(segment_decode(DLT_EN10MB, NULL, 0, 0, &packet), SEGMENT_MALFORMED);
}

static void an_ip_version_that_contradicts_the_link_layer_is_malformed(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x86dd);
    put_v4_segment(&frame);
    assert_result(SEGMENT_MALFORMED, DLT_EN10MB, &frame);
}

static void ipv4_options_are_stepped_over(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_TCP, 25, 40);
    put_tcp(&frame, TCP_PSH | TCP_ACK, NULL, 0);
    put(&frame, "hello", 5);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_segment(&packet, false);
}

static void padding_of_a_short_ethernet_frame_is_no_payload(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    put_ipv4(&frame, IPPROTO_TCP, 20, 0);
    put_tcp(&frame, TCP_ACK, NULL, 0);
    put_zeroes(&frame, 6);
    assert_int_equal(decode_ok(DLT_EN10MB, &frame).header.length_bytes, 0);
}

/* TSO: the kernel hands a segment larger than an IP length can say to the network card, and libpcap sees it on its way. */
static void a_total_length_of_zero_means_the_length_on_the_wire(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    size_t ip = put_ipv4(&frame, IPPROTO_TCP, 20, 0);
    put_tcp(&frame, TCP_ACK, NULL, 0);
    set16(&frame, ip + 2, 0);
    struct event_packet packet;
    assert_int_equal(segment_decode(DLT_EN10MB, frame.bytes, (uint32_t)frame.length, 14 + 40 + 100000, &packet), SEGMENT_OK);
    assert_int_equal(packet.header.length_bytes, 100000);

    struct frame six = {0};
    ip = put_ipv6(&six, IPPROTO_TCP, 0);
    put_tcp(&six, TCP_ACK, NULL, 0);
    assert_int_equal(segment_decode(DLT_RAW, six.bytes, (uint32_t)six.length, 60 + 200000, &packet), SEGMENT_OK);
    assert_int_equal(packet.header.length_bytes, 200000);
}

static void the_payloads_length_is_right_where_the_capture_cut_it(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    put_ipv4(&frame, IPPROTO_TCP, 20 + 1400, 0);
    put_tcp(&frame, TCP_ACK, NULL, 0);
    struct event_packet packet;
    assert_int_equal(segment_decode(DLT_EN10MB, frame.bytes, (uint32_t)frame.length, 14 + 40 + 1400, &packet), SEGMENT_OK);
    assert_int_equal(packet.header.length_bytes, 1400);
}

static void a_wire_length_below_the_captured_one_does_not_hide_bytes(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_v4_segment(&frame);
    struct event_packet packet;
    assert_int_equal(segment_decode(DLT_RAW, frame.bytes, (uint32_t)frame.length, 0, &packet), SEGMENT_OK);
    assert_int_equal(packet.header.length_bytes, 5);
}

static void a_later_fragment_has_no_ports(void **state)
{
    (void)state;
    struct frame four = {0}, six = {0};
    size_t ip = put_ipv4(&four, IPPROTO_TCP, 32, 0);
    put_zeroes(&four, 32);
    set16(&four, ip + 6, 185);
    assert_result(SEGMENT_FRAGMENT, DLT_RAW, &four);
    put_ipv6(&six, IPPROTO_FRAGMENT, 40);
    put(&six, (const uint8_t[]){IPPROTO_TCP, 0, 0x05, 0xc8, 0, 0, 0, 1}, 8);
    put_zeroes(&six, 32);
    assert_result(SEGMENT_FRAGMENT, DLT_RAW, &six);
}

static void a_first_fragment_has_ports_and_its_datagrams_length(void **state)
{
    (void)state;
    struct frame four = {0}, six = {0};
    size_t ip = put_ipv4(&four, IPPROTO_UDP, 8 + 16, 0);
    set16(&four, ip + 6, 0x2000);
    put_udp(&four, 3000);
    put_zeroes(&four, 16);
    assert_int_equal(decode_ok(DLT_RAW, &four).header.length_bytes, 3000);
    set16(&four, ip + 6, 0); /* the same without more fragments to come is a lie */
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &four);

    put_ipv6(&six, IPPROTO_FRAGMENT, 8 + 8 + 16);
    put(&six, (const uint8_t[]){IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1}, 8);
    put_udp(&six, 3000);
    put_zeroes(&six, 16);
    assert_int_equal(decode_ok(DLT_RAW, &six).header.length_bytes, 3000);
    six.bytes[43] = 0;
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &six);
}

static void ipv6_extension_headers_are_stepped_over(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv6(&frame, IPPROTO_HOPOPTS, 8 + 24 + 16 + 12 + 8 + 25);
    put(&frame, (const uint8_t[8]){IPPROTO_ROUTING, 0}, 8);
    put(&frame, (const uint8_t[24]){IPPROTO_DSTOPTS, 2}, 24);
    put(&frame, (const uint8_t[16]){IPPROTO_AH, 1}, 16);
    put(&frame, (const uint8_t[12]){IPPROTO_FRAGMENT, 1}, 12);
    put(&frame, (const uint8_t[8]){IPPROTO_TCP, 0}, 8); /* an atomic fragment (RFC 6946) */
    put_tcp(&frame, TCP_PSH | TCP_ACK, NULL, 0);
    put(&frame, "hello", 5);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_segment(&packet, true);
}

static void an_extension_header_longer_than_its_packet_is_malformed(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv6(&frame, IPPROTO_HOPOPTS, 8 + 25);
    put(&frame, (const uint8_t[8]){IPPROTO_TCP, 255}, 8);
    put_zeroes(&frame, 25);
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &frame);
    struct frame ah = {0};
    put_ipv6(&ah, IPPROTO_AH, 8 + 20);
    put(&ah, (const uint8_t[8]){IPPROTO_TCP, 0}, 8);
    put_tcp(&ah, TCP_ACK, NULL, 0);
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &ah);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_carries_both_ip_versions),
        cmocka_unit_test(other_fields_of_the_event_are_left_alone),
        cmocka_unit_test(a_failed_decode_leaves_the_event_alone),
        cmocka_unit_test(vlan_tags_are_stepped_over),
        cmocka_unit_test(cooked_captures_carry_both_ip_versions),
        cmocka_unit_test(raw_captures_begin_with_the_ip_header),
        cmocka_unit_test(loopback_captures_say_the_family_in_either_byte_order),
        cmocka_unit_test(what_carries_no_tcp_udp_or_icmp_error_is_other),
        cmocka_unit_test(an_unknown_link_type_is_said_so),
        cmocka_unit_test(an_ip_version_that_contradicts_the_link_layer_is_malformed),
        cmocka_unit_test(ipv4_options_are_stepped_over),
        cmocka_unit_test(padding_of_a_short_ethernet_frame_is_no_payload),
        cmocka_unit_test(a_total_length_of_zero_means_the_length_on_the_wire),
        cmocka_unit_test(the_payloads_length_is_right_where_the_capture_cut_it),
        cmocka_unit_test(a_wire_length_below_the_captured_one_does_not_hide_bytes),
        cmocka_unit_test(a_later_fragment_has_no_ports),
        cmocka_unit_test(a_first_fragment_has_ports_and_its_datagrams_length),
        cmocka_unit_test(ipv6_extension_headers_are_stepped_over),
        cmocka_unit_test(an_extension_header_longer_than_its_packet_is_malformed),
        cmocka_unit_test(lengths_that_lie_are_malformed),
        cmocka_unit_test(a_packet_that_claims_more_than_its_frame_held_is_as_long_as_that),
        cmocka_unit_test(udp_lengths_are_checked),
        cmocka_unit_test(the_options_of_a_linux_syn_are_read),
        cmocka_unit_test(fast_open_mptcp_and_sack_are_seen),
        cmocka_unit_test(every_subtype_of_mptcp_and_accurate_ecn_are_seen),
        cmocka_unit_test(the_bits_above_the_flags_are_kept),
        cmocka_unit_test(a_tcp_header_cut_behind_its_flags_is_a_segment_without_a_window),
        cmocka_unit_test(bad_options_end_the_walk_and_spoil_nothing),
        cmocka_unit_test(payload_is_not_taken_for_options),
        cmocka_unit_test(an_icmp_error_quotes_the_packet_it_is_about),
        cmocka_unit_test(an_icmpv6_error_quotes_the_packet_it_is_about),
        cmocka_unit_test(an_icmp_error_about_something_else_quotes_nothing),
        cmocka_unit_test(icmp_that_is_no_error_is_other),
        cmocka_unit_test(a_frame_cut_anywhere_is_cut_until_its_headers_are_there),
        cmocka_unit_test(a_broken_frame_is_decoded_within_its_bounds),
        cmocka_unit_test(flags_are_written_as_tcpdump_writes_them),
        cmocka_unit_test(syn_and_fin_take_a_sequence_number_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
