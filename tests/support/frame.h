/* Frames for the tests of decoding, built header by header.
 *
 * Include it behind cmocka.h and what that needs. Nothing is owned. */
#ifndef TCPWHY_SUPPORT_FRAME_H
#define TCPWHY_SUPPORT_FRAME_H

#include <netinet/in.h>
#include <string.h>

#include "tcp/segment.h"

/* A frame that grows by what is put behind it. */
struct frame {
    uint8_t bytes[1024];
    size_t length;
};

static inline size_t put(struct frame *frame, const void *bytes, size_t length)
{
    size_t at = frame->length;
    assert_true(length <= sizeof(frame->bytes) - at);
    memcpy(frame->bytes + at, bytes, length);
    frame->length += length;
    return at;
}

static inline void set16(struct frame *frame, size_t at, unsigned value)
{
    frame->bytes[at] = (uint8_t)(value >> 8);
    frame->bytes[at + 1] = (uint8_t)value;
}

static inline void put_zeroes(struct frame *frame, size_t length)
{
    static const uint8_t zeroes[512];
    put(frame, zeroes, length);
}

static inline void put_ethernet(struct frame *frame, unsigned type)
{
    put_zeroes(frame, 14);
    set16(frame, frame->length - 2, type);
}

static inline void put_vlan(struct frame *frame, unsigned type)
{
    put_zeroes(frame, 4);
    set16(frame, frame->length - 2, type);
}

/* IPv4's, of a header of `length` bytes. */
static inline void set_checksum(struct frame *frame, size_t at, size_t length)
{
    uint32_t sum = 0;
    set16(frame, at + 10, 0);
    for (size_t i = 0; i < length; i += 2) sum += (uint32_t)frame->bytes[at + i] << 8 | frame->bytes[at + i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    set16(frame, at + 10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
}

static inline size_t put_ipv4(struct frame *frame, uint8_t protocol, size_t payload, size_t options)
{
    uint8_t header[20] = {(uint8_t)(0x45 + options / 4), 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    size_t at = put(frame, header, sizeof(header));
    put_zeroes(frame, options);
    set16(frame, at + 2, (unsigned)(20 + options + payload));
    set_checksum(frame, at, 20 + options);
    return at;
}

static inline size_t put_ipv6(struct frame *frame, uint8_t next, size_t payload)
{
    uint8_t header[40] = {0x60, [6] = next, [7] = 64, [8] = 0x20, [23] = 1, [24] = 0x20, [39] = 2};
    size_t at = put(frame, header, sizeof(header));
    set16(frame, at + 4, (unsigned)payload);
    return at;
}

static inline size_t put_tcp(struct frame *frame, uint8_t flags, const void *options, size_t option_bytes)
{
    uint8_t header[20] = {0x9c,  0xb0, 0x0d, 0x05, 1, 2, 3, 4, 5, 6, 7, 8, (uint8_t)((5 + option_bytes / 4) << 4),
                          flags, 0xff, 0xfe};
    size_t at = put(frame, header, sizeof(header));
    if (option_bytes) put(frame, options, option_bytes);
    return at;
}

static inline size_t put_udp(struct frame *frame, size_t payload)
{
    uint8_t header[8] = {0x9c, 0xb0, 0x0d, 0x05};
    size_t at = put(frame, header, sizeof(header));
    set16(frame, at + 4, (unsigned)(8 + payload));
    return at;
}

static inline enum segment_result decode(int link, const struct frame *frame, struct event_packet *packet)
{
    memset(packet, 0xee, sizeof(*packet));
    return segment_decode(link, frame->bytes, (uint32_t)frame->length, (uint32_t)frame->length, packet);
}

static inline struct event_packet decode_ok(int link, const struct frame *frame)
{
    struct event_packet packet;
    assert_int_equal(decode(link, frame, &packet), SEGMENT_OK);
    return packet;
}

static inline void assert_result(enum segment_result wanted, int link, const struct frame *frame)
{
    struct event_packet packet;
    assert_int_equal(decode(link, frame, &packet), wanted);
}

static inline struct address v4(uint8_t last, uint16_t port)
{
    return address_v4((const uint8_t[]){10, 0, 0, last}, port);
}

static inline struct address v6(uint8_t last, uint16_t port)
{
    return address_v6((const uint8_t[16]){0x20, [15] = last}, port);
}

static inline void assert_address(struct address got, struct address wanted)
{
    assert_memory_equal(&got, &wanted, sizeof(got));
}

/* The IPv4 SYN-ACK or IPv6 segment that the link tests wrap, 5 bytes of payload. */
static inline void put_v4_segment(struct frame *frame)
{
    put_ipv4(frame, IPPROTO_TCP, 25, 0);
    put_tcp(frame, TCP_PSH | TCP_ACK, NULL, 0);
    put(frame, "hello", 5);
}

static inline void put_v6_segment(struct frame *frame)
{
    put_ipv6(frame, IPPROTO_TCP, 25);
    put_tcp(frame, TCP_PSH | TCP_ACK, NULL, 0);
    put(frame, "hello", 5);
}

static inline void assert_segment(const struct event_packet *packet, bool six)
{
    assert_address(packet->header.src, six ? v6(1, 40112) : v4(1, 40112));
    assert_address(packet->header.dst, six ? v6(2, 3333) : v4(2, 3333));
    assert_int_equal(packet->header.protocol, IPPROTO_TCP);
    assert_int_equal(packet->header.flags, TCP_PSH | TCP_ACK);
    assert_int_equal(packet->header.seq, 0x01020304);
    assert_int_equal(packet->header.ack, 0x05060708);
    assert_int_equal(packet->header.window, 0xfffe);
    assert_int_equal(packet->header.length_bytes, 5);
    assert_int_equal(packet->options.present, 0);
    assert_int_equal(packet->icmp.quotes, false);
}

#endif
