/* Lengths that lie, and options. */
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

void lengths_that_lie_are_malformed(void **state)
{
    (void)state;
    /* Byte `at` of a sound Ethernet, IPv4, TCP frame becomes `value`. */
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {
        {14, 0x44},      /* an IP header of 16 bytes */
        {14, 0x4f},      /* of 60, in a packet of 45 */
        {17, 19},        /* shorter than its header */
        {17, 39},        /* with a TCP header that it cannot hold */
        {14 + 32, 0x40}, /* a TCP header of 16 bytes */
        {14 + 32, 0xf0}, /* of 60, where 25 are left */
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct frame frame = {0};
        put_ethernet(&frame, 0x0800);
        put_v4_segment(&frame);
        frame.bytes[lies[i].at] = lies[i].value;
        assert_result(SEGMENT_MALFORMED, DLT_EN10MB, &frame);
    }
    struct frame six = {0};
    size_t ip = put_ipv6(&six, IPPROTO_TCP, 20);
    put_tcp(&six, TCP_ACK, NULL, 0);
    set16(&six, ip + 4, 19);
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &six);
}

/* What was not on the wire is no payload, whatever the header claims (and a file may have lost the wire's length). */
void a_packet_that_claims_more_than_its_frame_held_is_as_long_as_that(void **state)
{
    (void)state;
    struct frame four = {0}, six = {0};
    put_ethernet(&four, 0x0800);
    put_v4_segment(&four);
    four.bytes[16] = 1;
    struct event_packet packet = decode_ok(DLT_EN10MB, &four);
    assert_segment(&packet, false);
    put_v6_segment(&six);
    six.bytes[4] = 1;
    packet = decode_ok(DLT_RAW, &six);
    assert_segment(&packet, true);
}

void udp_lengths_are_checked(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_UDP, 8 + 5, 0);
    size_t udp = put_udp(&frame, 5);
    put(&frame, "hello", 5);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_address(packet.header.src, v4(1, 40112));
    assert_address(packet.header.dst, v4(2, 3333));
    assert_int_equal(packet.header.protocol, IPPROTO_UDP);
    assert_int_equal(packet.header.length_bytes, 5);
    assert_int_equal(packet.header.flags, 0);
    set16(&frame, udp + 4, 8 + 4); /* may be shorter than the packet … */
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.length_bytes, 4);
    set16(&frame, udp + 4, 8 + 6); /* … but not longer … */
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &frame);
    set16(&frame, udp + 4, 7); /* … nor shorter than its header */
    assert_result(SEGMENT_MALFORMED, DLT_RAW, &frame);
    set16(&frame, udp + 4, 0);
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.length_bytes, 5);
}

struct event_options options_of(const void *bytes, size_t length)
{
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_TCP, 20 + length + 3, 0);
    put_tcp(&frame, TCP_SYN, bytes, length);
    put(&frame, "abc", 3);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_int_equal(packet.header.length_bytes, 3);
    return packet.options;
}

void the_options_of_a_linux_syn_are_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {2, 4, 0xff, 0xd7, 4, 2, 8, 10, 0x11, 0x22, 0x33, 0x44, 5, 6, 7, 8, 1, 3, 3, 7};
    struct event_options options = options_of(bytes, sizeof(bytes));
    assert_int_equal(options.present, OPTION_MSS | OPTION_SACK_OK | OPTION_TIMESTAMPS | OPTION_WSCALE);
    assert_int_equal(options.mss, 65495);
    assert_int_equal(options.ts_value, 0x11223344);
    assert_int_equal(options.ts_echo, 0x05060708);
    assert_int_equal(options.wscale, 7);
}
