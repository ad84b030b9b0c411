/* Options, quotes of ICMP errors, and cuts. */
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

void fast_open_mptcp_and_sack_are_seen(void **state)
{
    (void)state;
    static const uint8_t request[] = {34, 2, 1, 1}, cookie[] = {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1},
                         experiment[] = {254, 8, 0xf9, 0x89, 1, 2, 3, 4}, other[] = {254, 8, 0xf9, 0x88, 1, 2, 3, 4},
                         mptcp[] = {30, 4, 0, 0x81}, sack[] = {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    assert_int_equal(options_of(request, 4).present, OPTION_FASTOPEN);
    assert_int_equal(options_of(request, 4).fastopen_cookie_bytes, 0);
    assert_int_equal(options_of(cookie, 12).fastopen_cookie_bytes, 8);
    assert_int_equal(options_of(experiment, 8).present, OPTION_FASTOPEN);
    assert_int_equal(options_of(experiment, 8).fastopen_cookie_bytes, 4);
    assert_int_equal(options_of(other, 8).present, 0);
    assert_int_equal(options_of(mptcp, 4).present, OPTION_MPTCP);
    assert_int_equal(options_of(sack, 12).present, OPTION_SACK);
}

void every_subtype_of_mptcp_and_accurate_ecn_are_seen(void **state)
{
    (void)state;
    static const uint8_t two[] = {30, 4, 0x20, 0, 30, 3, 0x80, 1}, empty[] = {30, 2, 1, 1}, accecn[] = {172, 5, 1, 2, 3, 1, 1, 1},
                         none[] = {174, 2, 1, 1}, odd[] = {172, 4, 1, 1};
    assert_int_equal(options_of(two, 8).mptcp, 1 << 2 | 1 << 8);
    assert_int_equal(options_of(empty, 4).present, 0);
    assert_int_equal(options_of(accecn, 8).present, OPTION_ACCECN);
    assert_int_equal(options_of(none, 4).present, OPTION_ACCECN);
    assert_int_equal(options_of(odd, 4).present, 0);
}

void the_bits_above_the_flags_are_kept(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_TCP, 20, 0);
    size_t tcp = put_tcp(&frame, TCP_SYN | TCP_ECE | TCP_CWR, NULL, 0);
    assert_int_equal(decode_ok(DLT_RAW, &frame).flags_high, 0);
    frame.bytes[tcp + 12] |= 1; /* AE */
    assert_int_equal(decode_ok(DLT_RAW, &frame).flags_high, 1);
    frame.bytes[tcp + 12] |= 8;
    assert_int_equal(decode_ok(DLT_RAW, &frame).flags_high, 9);
    assert_int_equal(decode_ok(DLT_RAW, &frame).header.flags, TCP_SYN | TCP_ECE | TCP_CWR);
}

/* 68 bytes of each packet, tcpdump's habit for long, hold an IPv6 segment's header up to its flags. */
void a_tcp_header_cut_behind_its_flags_is_a_segment_without_a_window(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ethernet(&frame, 0x86dd);
    put_ipv6(&frame, IPPROTO_TCP, 32 + 100);
    put_tcp(&frame, TCP_PSH | TCP_ACK, "\1\1\10\12\0\0\0\1\0\0\0\2", 12);
    for (uint32_t captured = 68; captured <= frame.length; captured++) {
        struct guard guard = guard_new(frame.bytes, captured);
        struct event_packet packet;
        assert_int_equal(segment_decode(DLT_EN10MB, guard.bytes, captured, 14 + 40 + 32 + 100, &packet), SEGMENT_OK);
        assert_int_equal(packet.header.flags, TCP_PSH | TCP_ACK);
        assert_int_equal(packet.header.seq, 0x01020304);
        assert_int_equal(packet.header.length_bytes, 100);
        assert_int_equal(packet.window_cut, captured < 70);
        assert_int_equal(packet.header.window, captured < 70 ? 0 : 0xfffe);
        assert_int_equal(packet.options.present, captured < frame.length ? 0 : OPTION_TIMESTAMPS);
        guard_free(&guard);
    }
}

void bad_options_end_the_walk_and_spoil_nothing(void **state)
{
    (void)state;
    static const uint8_t zero_length[] = {4, 2, 8, 0, 2, 4, 1, 1}, one[] = {4, 2, 8, 1, 2, 4, 1, 1},
                         past_end[] = {4, 2, 1, 1, 2, 5, 1, 1}, no_length[] = {4, 2, 1, 2}, after_end[] = {4, 2, 0, 0, 2, 4, 1, 1},
                         wrong_size[] = {2, 3, 1, 1, 3, 4, 1, 1};
    assert_int_equal(options_of(zero_length, 8).present, OPTION_SACK_OK);
    assert_int_equal(options_of(one, 8).present, OPTION_SACK_OK);
    assert_int_equal(options_of(past_end, 8).present, OPTION_SACK_OK);
    assert_int_equal(options_of(no_length, 4).present, OPTION_SACK_OK);
    assert_int_equal(options_of(after_end, 8).present, OPTION_SACK_OK);
    assert_int_equal(options_of(wrong_size, 8).present, 0);
}

void payload_is_not_taken_for_options(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_TCP, 20 + 4 + 4, 0);
    put_tcp(&frame, TCP_SYN, "\1\1\4\2", 4);
    put(&frame, "\2\4\5\xb4", 4); /* would be an MSS of 1460 */
    assert_int_equal(decode_ok(DLT_RAW, &frame).options.present, OPTION_SACK_OK);
}

/* What the error quotes: an IPv4 or IPv6 header and the first 8 bytes of TCP. */
static void put_quoted(struct frame *frame, bool six, uint8_t protocol)
{
    size_t ip = six ? put_ipv6(frame, protocol, 1000) : put_ipv4(frame, protocol, 1000, 0);
    (void)ip;
    put(frame, (const uint8_t[]){0x9c, 0xb0, 0x0d, 0x05, 1, 2, 3, 4}, 8);
}

void an_icmp_error_quotes_the_packet_it_is_about(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv4(&frame, IPPROTO_ICMP, 8 + 28, 0);
    put(&frame, (const uint8_t[8]){3, 3}, 8);
    put_quoted(&frame, false, IPPROTO_TCP);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_int_equal(packet.header.protocol, IPPROTO_ICMP);
    assert_address(packet.header.src, v4(1, 0));
    assert_address(packet.header.dst, v4(2, 0));
    assert_int_equal(packet.header.length_bytes, 28);
    assert_int_equal(packet.icmp.type, 3);
    assert_int_equal(packet.icmp.code, 3);
    assert_true(packet.icmp.quotes);
    assert_int_equal(packet.icmp.protocol, IPPROTO_TCP);
    assert_address(packet.icmp.src, v4(1, 40112));
    assert_address(packet.icmp.dst, v4(2, 3333));
    assert_int_equal(packet.icmp.seq, 0x01020304);
}

void an_icmpv6_error_quotes_the_packet_it_is_about(void **state)
{
    (void)state;
    struct frame frame = {0};
    put_ipv6(&frame, IPPROTO_ICMPV6, 8 + 48);
    put(&frame, (const uint8_t[8]){1, 4}, 8);
    put_quoted(&frame, true, IPPROTO_UDP);
    struct event_packet packet = decode_ok(DLT_RAW, &frame);
    assert_int_equal(packet.header.protocol, IPPROTO_ICMPV6);
    assert_int_equal(packet.icmp.type, 1);
    assert_int_equal(packet.icmp.code, 4);
    assert_true(packet.icmp.quotes);
    assert_int_equal(packet.icmp.protocol, IPPROTO_UDP);
    assert_address(packet.icmp.src, v6(1, 40112));
    assert_address(packet.icmp.dst, v6(2, 3333));
    assert_int_equal(packet.icmp.seq, 0); /* UDP has none: these bytes are its length and checksum */
}

void an_icmp_error_about_something_else_quotes_nothing(void **state)
{
    (void)state;
    struct frame gre = {0}, short_one = {0}, fragment = {0};
    put_ipv4(&gre, IPPROTO_ICMP, 8 + 28, 0);
    put(&gre, (const uint8_t[8]){3, 2}, 8);
    put_quoted(&gre, false, IPPROTO_GRE);
    put_ipv4(&short_one, IPPROTO_ICMP, 8 + 27, 0);
    put(&short_one, (const uint8_t[8]){3, 3}, 8);
    put_quoted(&short_one, false, IPPROTO_TCP);
    short_one.length--;
    put_ipv4(&fragment, IPPROTO_ICMP, 8 + 28, 0);
    put(&fragment, (const uint8_t[8]){11, 1}, 8);
    put_quoted(&fragment, false, IPPROTO_UDP);
    fragment.bytes[28 + 7] = 9; /* the quoted packet is a later fragment: those are no ports */
    const struct frame *frames[] = {&gre, &short_one, &fragment};
    for (size_t i = 0; i < 3; i++) {
        struct event_packet packet = decode_ok(DLT_RAW, frames[i]);
        assert_false(packet.icmp.quotes);
        assert_address(packet.icmp.src, (struct address){0});
        assert_int_equal(packet.icmp.seq, 0);
    }
}

void icmp_that_is_no_error_is_other(void **state)
{
    (void)state;
    static const uint8_t four[] = {0, 8, 9, 10, 13, 14}, four_errors[] = {3, 4, 5, 11, 12}, six[] = {128, 129, 133, 136};
    for (size_t i = 0; i < sizeof(four); i++) {
        struct frame frame = {0};
        put_ipv4(&frame, IPPROTO_ICMP, 8, 0);
        put(&frame, (const uint8_t[8]){four[i]}, 8);
        assert_result(SEGMENT_OTHER, DLT_RAW, &frame);
    }
    for (size_t i = 0; i < sizeof(four_errors); i++) {
        struct frame frame = {0};
        put_ipv4(&frame, IPPROTO_ICMP, 8, 0);
        put(&frame, (const uint8_t[8]){four_errors[i]}, 8);
        assert_result(SEGMENT_OK, DLT_RAW, &frame);
    }
    for (size_t i = 0; i < sizeof(six); i++) {
        struct frame frame = {0};
        put_ipv6(&frame, IPPROTO_ICMPV6, 8);
        put(&frame, (const uint8_t[8]){six[i]}, 8);
        assert_result(SEGMENT_OTHER, DLT_RAW, &frame);
    }
}

/* Frames of every shape, for the tests that cut and break them. */
static size_t make_samples(struct frame samples[8], int links[8])
{
    static const uint8_t options[] = {2, 4, 0xff, 0xd7, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7};
    memset(samples, 0, 8 * sizeof(*samples));
    put_ethernet(&samples[0], 0x88a8);
    put_vlan(&samples[0], 0x8100);
    put_vlan(&samples[0], 0x0800);
    put_ipv4(&samples[0], IPPROTO_TCP, 40, 8);
    put_tcp(&samples[0], TCP_SYN, options, sizeof(options));
    put_zeroes(&samples[1], 16);
    set16(&samples[1], 14, 0x0800);
    put_v4_segment(&samples[1]);
    put_zeroes(&samples[2], 20);
    set16(&samples[2], 0, 0x86dd);
    put_v6_segment(&samples[2]);
    put_ipv6(&samples[3], IPPROTO_HOPOPTS, 8 + 12 + 8 + 13);
    put(&samples[3], (const uint8_t[8]){IPPROTO_AH}, 8);
    put(&samples[3], (const uint8_t[12]){IPPROTO_FRAGMENT, 1}, 12);
    put(&samples[3], (const uint8_t[8]){IPPROTO_UDP}, 8);
    put_udp(&samples[3], 5);
    put(&samples[3], "hello", 5);
    put(&samples[4], (const uint8_t[]){2, 0, 0, 0}, 4);
    put_ipv4(&samples[4], IPPROTO_ICMP, 8 + 28, 0);
    put(&samples[4], (const uint8_t[8]){3, 3}, 8);
    put_quoted(&samples[4], false, IPPROTO_TCP);
    put_ipv6(&samples[5], IPPROTO_ICMPV6, 8 + 48);
    put(&samples[5], (const uint8_t[8]){1, 4}, 8);
    put_quoted(&samples[5], true, IPPROTO_TCP);
    memcpy(links, (const int[]){DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_NULL, 101}, 6 * sizeof(int));
    return 6;
}

/* The first captured length at which each sample's needed headers are there: of TCP's, up to the flags. */
void a_frame_cut_anywhere_is_cut_until_its_headers_are_there(void **state)
{
    (void)state;
    struct frame samples[8];
    int links[8];
    size_t count = make_samples(samples, links);
    static const size_t whole[] = {22 + 28 + 14, 16 + 20 + 14, 20 + 40 + 14, 40 + 28 + 8, 4 + 28, 48};
    for (size_t i = 0; i < count; i++) {
        for (size_t captured = 0; captured <= samples[i].length; captured++) {
            struct guard guard = guard_new(samples[i].bytes, captured);
            struct event_packet packet;
            enum segment_result result =
                segment_decode(links[i], guard.bytes, (uint32_t)captured, (uint32_t)samples[i].length, &packet);
            if (result != (captured < whole[i] ? SEGMENT_CUT : SEGMENT_OK))
                fail_msg("sample %zu cut at %zu of %zu gave %d", i, captured, samples[i].length, (int)result);
            guard_free(&guard);
        }
    }
}

void a_broken_frame_is_decoded_within_its_bounds(void **state)
{
    (void)state;
    struct frame samples[8];
    int links[8];
    size_t count = make_samples(samples, links);
    uint32_t seen[SEGMENT_RESULTS] = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < samples[i].length; at++) {
            struct guard guard = guard_new(samples[i].bytes, samples[i].length);
            for (unsigned value = 0; value < 256; value++) {
                guard.bytes[at] = (uint8_t)value;
                struct event_packet packet;
                enum segment_result result =
                    segment_decode(links[i], guard.bytes, (uint32_t)guard.length, (uint32_t)guard.length + value % 3, &packet);
                assert_in_range(result, SEGMENT_OK, SEGMENT_RESULTS - 1);
                seen[result]++;
                if (result == SEGMENT_OK) assert_in_range(packet.header.length_bytes, 0, 65535);
            }
            guard_free(&guard);
        }
    }
    assert_true(seen[SEGMENT_OK] && seen[SEGMENT_OTHER] && seen[SEGMENT_FRAGMENT] && seen[SEGMENT_MALFORMED]);
}

void flags_are_written_as_tcpdump_writes_them(void **state)
{
    (void)state;
    static const struct {
        unsigned flags;
        const char *text;
    } cases[] = {
        {TCP_SYN, "S"}, {TCP_SYN | TCP_ACK, "S."}, {TCP_ACK, "."}, {TCP_PSH | TCP_ACK, "P."}, {TCP_FIN | TCP_ACK, "F."},
        {TCP_RST, "R"}, {TCP_RST | TCP_ACK, "R."}, {0, "none"},    {0xff, "SFRP.UEW"},        {TCP_SYN | TCP_ECE | TCP_CWR, "SEW"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[9];
        assert_string_equal(segment_flags((uint8_t)cases[i].flags, text), cases[i].text);
    }
}

void syn_and_fin_take_a_sequence_number_each(void **state)
{
    (void)state;
    struct event_packet_header header = {.length_bytes = 5};
    assert_int_equal(segment_space(&header), 5);
    header.flags = TCP_FIN | TCP_ACK;
    assert_int_equal(segment_space(&header), 6);
    header.flags = TCP_SYN | TCP_FIN;
    assert_int_equal(segment_space(&header), 7);
    header.flags = TCP_RST | TCP_ACK | TCP_PSH | TCP_URG;
    assert_int_equal(segment_space(&header), 5);
}
