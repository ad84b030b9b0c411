/* The router, packet by packet: what it lets on and what it answers. Every frame that it puts out is checked by this test's own
 * arithmetic (RFC 1071: with its checksum, all of it adds up to ffff) and read by the decoder of captures. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pcap/dlt.h>

#include "lab/network/network.h"
#include "lab/wire/ip_frame.h"
#include "lab/wire/router.h"
#include "tcp/segment.h"

enum { LINK = 14, FRAME_ROOM = 4096, OUT_MAX = 16, HOPS = 64, CLIENT_PORT = 40000, SERVER_PORT = 3333, DONT_FRAGMENT = 0x4000 };

struct frame {
    uint8_t bytes[FRAME_ROOM];
    uint32_t length;
};

struct out {
    bool back;
    struct frame frame;
    struct event_packet packet;
};

/* One router, and what it put out for the last frame. */
static struct router router;
static struct out out[OUT_MAX];
static size_t out_count;
static uint32_t last_rule;

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static unsigned sum_of(const uint8_t *bytes, size_t length, unsigned long sum)
{
    for (size_t i = 0; i < length; i++) sum += i & 1 ? bytes[i] : (unsigned long)bytes[i] << 8;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned)sum;
}

static unsigned transport_sum(const uint8_t *ip, const uint8_t *transport, size_t length, unsigned protocol)
{
    unsigned long pseudo = 0;
    bool v4 = ip[0] >> 4 == 4;
    if (protocol != IPPROTO_ICMP) pseudo = sum_of(ip + (v4 ? 12 : 8), v4 ? 8 : 32, length + protocol);
    return sum_of(transport, length, pseudo);
}

/* Of a whole IP packet; a fragment's transport is not looked at. */
static void assert_checksums(const uint8_t *ip, size_t length)
{
    bool v4 = ip[0] >> 4 == 4;
    size_t header = v4 ? (ip[0] & 15U) * 4 : 40;
    assert_int_equal(v4 ? get16(ip + 2) : get16(ip + 4) + 40, length);
    if (v4) assert_int_equal(sum_of(ip, header, 0), 0xffff);
    if (v4 && get16(ip + 6) & 0x3fff) return;
    assert_int_equal(transport_sum(ip, ip + header, length - header, ip[v4 ? 9 : 6]), 0xffff);
}

struct ends {
    enum network_place from;
    struct address source, destination; /* with ports */
};

static struct ends ends(struct address source, uint16_t source_port, struct address destination, uint16_t destination_port)
{
    source.port = source_port;
    destination.port = destination_port;
    return (struct ends){.source = source, .destination = destination};
}

static struct ends from_client(uint8_t version)
{
    struct ends way = ends(network_address(NETWORK_CLIENT, version, true), CLIENT_PORT,
                           network_address(NETWORK_SERVER, version, true), SERVER_PORT);
    way.from = NETWORK_CLIENT;
    return way;
}

static struct ends from_server(uint8_t version)
{
    struct ends way = ends(network_address(NETWORK_SERVER, version, true), SERVER_PORT,
                           network_address(NETWORK_CLIENT, version, true), CLIENT_PORT);
    way.from = NETWORK_SERVER;
    return way;
}

/* The headers before the transport's; that one's bytes are the caller's, and its checksum is `checksum_at` in it. */
static void begin(struct frame *frame, const struct ends *way, uint8_t protocol, uint32_t payload)
{
    uint8_t version = way->source.version, *ip = frame->bytes + LINK;
    size_t address_bytes = version == 4 ? 4 : 16;
    memset(frame, 0, sizeof(*frame));
    memcpy(frame->bytes, network_mac(NETWORK_WIRE), 6);
    memcpy(frame->bytes + 6, network_mac(way->from), 6);
    put16(frame->bytes + 12, version == 4 ? 0x0800 : 0x86dd);
    ip[0] = version == 4 ? 0x45 : 0x60;
    put16(ip + (version == 4 ? 2 : 4), version == 4 ? 20 + payload : payload);
    if (version == 4) put16(ip + 6, DONT_FRAGMENT);
    ip[version == 4 ? 8 : 7] = HOPS;
    ip[version == 4 ? 9 : 6] = protocol;
    memcpy(ip + (version == 4 ? 12 : 8), way->source.ip, address_bytes);
    memcpy(ip + (version == 4 ? 16 : 24), way->destination.ip, address_bytes);
    if (version == 4) put16(ip + 10, ~sum_of(ip, 20, 0) & 0xffff);
    frame->length = LINK + (version == 4 ? 20U : 40U) + payload;
}

static uint8_t *transport_of(struct frame *frame)
{
    return frame->bytes + LINK + (frame->bytes[LINK] >> 4 == 4 ? 20 : 40);
}

static void seal(struct frame *frame, size_t checksum_at)
{
    uint8_t *ip = frame->bytes + LINK, *transport = transport_of(frame);
    size_t length = frame->length - (size_t)(transport - frame->bytes);
    put16(transport + checksum_at, ~transport_sum(ip, transport, length, ip[ip[0] >> 4 == 4 ? 9 : 6]) & 0xffff);
}

static struct frame tcp(struct ends way, uint8_t flags, uint32_t payload)
{
    struct frame frame;
    begin(&frame, &way, IPPROTO_TCP, 20 + payload);
    uint8_t *segment = transport_of(&frame);
    put16(segment, way.source.port);
    put16(segment + 2, way.destination.port);
    put16(segment + 6, 1000); /* seq */
    if (flags & TCP_ACK) put16(segment + 10, 2000);
    segment[12] = 0x50;
    segment[13] = flags;
    for (uint32_t i = 0; i < payload; i++) segment[20 + i] = (uint8_t)(i * 7 + 1);
    seal(&frame, 16);
    return frame;
}

static struct frame udp(struct ends way, uint32_t payload, bool with_checksum)
{
    struct frame frame;
    begin(&frame, &way, IPPROTO_UDP, 8 + payload);
    uint8_t *datagram = transport_of(&frame);
    put16(datagram, way.source.port);
    put16(datagram + 2, way.destination.port);
    put16(datagram + 4, 8 + payload);
    if (with_checksum) seal(&frame, 6);
    return frame;
}

/* What `way.source` says about a packet that it did not take. */
static struct frame port_unreachable(struct ends way, const struct frame *about, uint32_t quoted)
{
    struct frame frame;
    bool v4 = way.source.version == 4;
    begin(&frame, &way, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 8 + quoted);
    uint8_t *icmp = transport_of(&frame);
    icmp[0] = v4 ? 3 : 1;
    icmp[1] = v4 ? 3 : 4;
    memcpy(icmp + 8, about->bytes + LINK, quoted);
    seal(&frame, 2);
    return frame;
}

static void keep(void *data, bool back, const uint8_t *bytes, uint32_t length)
{
    assert_ptr_equal(data, &router);
    assert_true(out_count < OUT_MAX && length <= FRAME_ROOM);
    struct out *one = &out[out_count++];
    one->back = back;
    one->frame.length = length;
    memcpy(one->frame.bytes, bytes, length);
    memset(&one->packet, 0, sizeof(one->packet));
    assert_checksums(bytes + LINK, length - LINK);
    bool later_piece = bytes[LINK] >> 4 == 4 && get16(bytes + LINK + 6) & 0x1fff;
    if (!later_piece) assert_int_equal(segment_decode(DLT_EN10MB, bytes, length, length, &one->packet), SEGMENT_OK);
}

static bool route(const struct frame *frame)
{
    struct frame copy = *frame;
    struct event_packet packet;
    memset(&packet, 0, sizeof(packet));
    bool known = segment_decode(DLT_EN10MB, copy.bytes, copy.length, copy.length, &packet) == SEGMENT_OK &&
                 (packet.header.protocol == IPPROTO_TCP || packet.header.protocol == IPPROTO_UDP);
    bool client = memcmp(copy.bytes + 6, network_mac(NETWORK_CLIENT), 6) == 0;
    out_count = 0;
    return router_route(&router, client ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER, known ? &packet.header : NULL, copy.bytes,
                        copy.length, keep, &router, &last_rule);
}

static bool route_tcp(struct ends way, uint8_t flags, uint32_t payload)
{
    struct frame frame = tcp(way, flags, payload);
    return route(&frame);
}

static void order(struct router_order order)
{
    assert_int_equal(router_obey(&router, &order), 0);
}

static struct wire_rule any_from(unsigned from, enum wire_match match, uint32_t nth)
{
    return (struct wire_rule){.from = from, .match = match, .nth = nth, .id = 7};
}

static int begin_routing(void **state)
{
    (void)state;
    memset(&router, 0, sizeof(router));
    order((struct router_order){.verb = ROUTER_ROUTE});
    return 0;
}

static void assert_ip(struct address got, struct address wanted)
{
    got.port = wanted.port = 0;
    assert_memory_equal(&got, &wanted, sizeof(got));
}

static uint8_t hops_of(const struct frame *frame)
{
    return frame->bytes[LINK + (frame->bytes[LINK] >> 4 == 4 ? 8 : 7)];
}

/* One frame came out, onwards, with these addresses and one hop less. */
static void assert_on(struct address source, struct address destination)
{
    assert_int_equal(out_count, 1);
    assert_false(out[0].back);
    assert_ip(out[0].packet.header.src, source);
    assert_ip(out[0].packet.header.dst, destination);
    assert_int_equal(hops_of(&out[0].frame), HOPS - 1);
    assert_memory_equal(out[0].frame.bytes + 6, network_mac(NETWORK_WIRE), 6);
}

/* One frame came back: an ICMP error of the router's own address on that side, to who sent `way`, about that. */
static void assert_icmp(struct ends way, unsigned v4_type, unsigned v4_code, unsigned v6_type, unsigned v6_code)
{
    const struct event_packet *packet = &out[0].packet;
    bool v4 = way.source.version == 4;
    assert_int_equal(out_count, 1);
    assert_true(out[0].back);
    assert_int_equal(packet->header.protocol, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    assert_int_equal(packet->icmp.type, v4 ? v4_type : v6_type);
    assert_int_equal(packet->icmp.code, v4 ? v4_code : v6_code);
    assert_ip(packet->header.src, network_router_address(way.from, way.source.version));
    assert_ip(packet->header.dst, way.source);
    assert_true(packet->icmp.quotes);
    assert_memory_equal(&packet->icmp.src, &way.source, sizeof(way.source));
    assert_memory_equal(&packet->icmp.dst, &way.destination, sizeof(way.destination));
    assert_memory_equal(out[0].frame.bytes, network_mac(way.from), 6);
    assert_memory_equal(out[0].frame.bytes + 6, network_mac(NETWORK_WIRE), 6);
}

/* ---- tests ---- */

static void a_segment_goes_on_with_one_hop_less_and_the_next_hosts_address(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct ends way = from_client(version), back = from_server(version);
        assert_true(route_tcp(way, TCP_SYN, 0));
        assert_on(way.source, way.destination);
        assert_memory_equal(out[0].frame.bytes, network_mac(NETWORK_SERVER), 6);
        assert_true(route_tcp(back, TCP_ACK, 101));
        assert_on(back.source, back.destination);
        assert_memory_equal(out[0].frame.bytes, network_mac(NETWORK_CLIENT), 6);
        assert_int_equal(out[0].packet.header.length_bytes, 101);
    }
}

static void a_packet_without_hops_left_is_told_of(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct ends way = from_client(version);
        struct frame frame = tcp(way, TCP_SYN, 0);
        frame.bytes[LINK + (version == 4 ? 8 : 7)] = 1;
        if (version == 4) {
            put16(frame.bytes + LINK + 10, 0);
            put16(frame.bytes + LINK + 10, ~sum_of(frame.bytes + LINK, 20, 0) & 0xffff);
        }
        assert_false(route(&frame));
        assert_icmp(way, 11, 0, 3, 0);
    }
}

static void what_no_network_has_is_unreachable_and_the_router_itself_listens_nowhere(void **state)
{
    (void)state;
    struct address nowhere;
    assert_true(address_parse("203.0.113.9", &nowhere));
    struct ends way = from_client(4);
    way.destination = nowhere;
    way.destination.port = SERVER_PORT;
    assert_false(route_tcp(way, TCP_SYN, 0));
    assert_icmp(way, 3, 0, 0, 0);
    for (uint8_t version = 4; version <= 6; version += 2) {
        way = from_client(version);
        way.destination = network_router_address(NETWORK_CLIENT, version);
        way.destination.port = SERVER_PORT;
        assert_false(route_tcp(way, TCP_SYN, 0));
        assert_int_equal(out_count, 1);
        assert_int_equal(out[0].packet.header.flags, TCP_RST | TCP_ACK);
        struct frame datagram = udp(way, 5, true);
        assert_false(route(&datagram));
        assert_icmp(way, 3, 3, 1, 4);
    }
}

static void what_is_for_many_is_neither_carried_nor_answered(void **state)
{
    (void)state;
    struct ends way = from_client(6);
    assert_true(address_parse("ff02::16", &way.destination));
    struct frame frame = udp(way, 5, true);
    assert_false(route(&frame));
    assert_int_equal(out_count, 0);
    way = from_client(4);
    assert_true(address_parse("224.0.0.22", &way.destination));
    frame = udp(way, 5, true);
    assert_false(route(&frame));
    assert_int_equal(out_count, 0);
}

static void a_reset_takes_its_numbers_from_what_it_refuses(void **state)
{
    static const struct {
        uint8_t flags;
        uint32_t payload;
        uint8_t reset;
        uint32_t seq, ack;
    } cases[] = {
        {TCP_SYN, 0, TCP_RST | TCP_ACK, 0, 1001},  {TCP_SYN, 5, TCP_RST | TCP_ACK, 0, 1006},
        {TCP_FIN, 3, TCP_RST | TCP_ACK, 0, 1004},  {TCP_ACK, 0, TCP_RST, 2000, 0},
        {TCP_ACK | TCP_PSH, 77, TCP_RST, 2000, 0}, {TCP_SYN | TCP_ACK, 0, TCP_RST, 2000, 0},
    };
    (void)state;
    order((struct router_order){.verb = ROUTER_REFUSE, .answer = ROUTER_RST, .rule = any_from(WIRE_FROM_CLIENT, WIRE_ANY, 0)});
    for (uint8_t version = 4; version <= 6; version += 2)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct ends way = from_client(version);
            assert_false(route_tcp(way, cases[i].flags, cases[i].payload));
            assert_int_equal(last_rule, 7);
            assert_int_equal(out_count, 1);
            assert_true(out[0].back);
            const struct event_packet_header *reset = &out[0].packet.header;
            assert_int_equal(reset->flags, cases[i].reset);
            assert_int_equal(reset->seq, cases[i].seq);
            assert_int_equal(reset->ack, cases[i].ack);
            assert_int_equal(reset->length_bytes, 0);
            assert_memory_equal(&reset->src, &way.destination, sizeof(reset->src)); /* in the server's name */
            assert_memory_equal(&reset->dst, &way.source, sizeof(reset->dst));
        }
    assert_false(route_tcp(from_client(4), TCP_RST, 0));
    assert_int_equal(out_count, 0); /* a RST is never answered by one */
}

static void each_kind_of_refusal_has_its_type_and_code_in_both_versions(void **state)
{
    static const struct {
        enum router_answer answer;
        unsigned v4_code, v6_code;
    } cases[] = {{ROUTER_NET_UNREACHABLE, 0, 0},
                 {ROUTER_HOST_UNREACHABLE, 1, 3},
                 {ROUTER_PORT_UNREACHABLE, 3, 4},
                 {ROUTER_ADMIN_PROHIBITED, 13, 1}};
    for (uint8_t version = 4; version <= 6; version += 2)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            begin_routing(state);
            order((struct router_order){
                .verb = ROUTER_REFUSE, .answer = cases[i].answer, .rule = any_from(WIRE_FROM_SERVER, WIRE_DATA, 1)});
            assert_false(route_tcp(from_server(version), TCP_ACK, 999)); /* an odd number of bytes, more than v4 quotes */
            assert_icmp(from_server(version), 3, cases[i].v4_code, 1, cases[i].v6_code);
            assert_true(out[0].frame.length <= LINK + (version == 4 ? 576 : 1280));
            assert_true(route_tcp(from_server(version), TCP_ACK, 999));
        }
}

static void a_rule_counts_what_it_names_and_silence_is_silent(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_REFUSE, .answer = ROUTER_SILENCE, .rule = any_from(WIRE_FROM_CLIENT, WIRE_DATA, 2)});
    assert_true(route_tcp(from_client(4), TCP_ACK, 5));
    assert_true(route_tcp(from_client(4), TCP_ACK, 0));
    assert_true(route_tcp(from_server(4), TCP_ACK, 5));
    assert_int_equal(last_rule, 0);
    assert_false(route_tcp(from_client(4), TCP_ACK, 5));
    assert_int_equal(last_rule, 7);
    assert_int_equal(out_count, 0);
    assert_true(route_tcp(from_client(4), TCP_ACK, 5));
    assert_int_equal(router_seen(&router, 7), 3);
    assert_int_equal(router_seen(&router, 8), -ENOENT);
}

static void the_clients_address_becomes_the_routers_and_back(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_CLIENT});
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct ends way = from_client(version), back = from_server(version);
        struct address outside = network_router_address(NETWORK_SERVER, version);
        outside.port = CLIENT_PORT;
        assert_true(route_tcp(way, TCP_SYN, 0));
        assert_on(outside, way.destination);
        back.destination = outside;
        assert_true(route_tcp(back, TCP_SYN | TCP_ACK, 0));
        assert_on(way.destination, way.source);
        /* A flow that nobody opened from inside: it is for the router itself. */
        back.destination.port = 4;
        assert_false(route_tcp(back, TCP_SYN, 0));
        assert_int_equal(out[0].packet.header.flags, TCP_RST | TCP_ACK);
        struct frame datagram = udp(way, 9, true);
        assert_true(route(&datagram));
        assert_on(outside, way.destination);
    }
}

static void a_udp_checksum_that_is_not_there_stays_away(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_CLIENT});
    struct frame datagram = udp(from_client(4), 9, false);
    struct ip_frame frame;
    struct address outside = network_router_address(NETWORK_SERVER, 4);
    assert_true(ip_frame_read(datagram.bytes, datagram.length, &frame));
    ip_frame_translate(&frame, IP_FRAME_SOURCE, &outside);
    assert_int_equal(get16(transport_of(&datagram) + 6), 0);
    assert_int_equal(sum_of(datagram.bytes + LINK, 20, 0), 0xffff);
}

static void what_comes_for_the_routers_address_is_the_servers(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_SERVER});
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct ends way = from_client(version), back = from_server(version), direct = from_client(version);
        struct address server = way.destination;
        way.destination = network_router_address(NETWORK_CLIENT, version);
        way.destination.port = SERVER_PORT;
        assert_true(route_tcp(way, TCP_SYN, 0));
        assert_on(way.source, server);
        assert_true(route_tcp(back, TCP_SYN | TCP_ACK, 0));
        assert_on(way.destination, way.source);
        /* Who knows the server's own address may use it: another flow, and nothing is translated. */
        direct.source.port = back.destination.port = 40001;
        assert_true(route_tcp(direct, TCP_SYN, 0));
        assert_on(direct.source, server);
        assert_true(route_tcp(back, TCP_SYN | TCP_ACK, 0));
        assert_on(server, way.source);
    }
}

static void an_error_about_a_translated_packet_is_translated_inside_too(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_CLIENT});
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_SERVER});
    for (uint8_t version = 4; version <= 6; version += 2)
        for (uint32_t quoted = version == 4 ? 28 : 48; quoted <= 61; quoted += 11) {
            struct ends way = from_client(version), back = from_server(version);
            struct address server = way.destination;
            way.destination = network_router_address(NETWORK_CLIENT, version);
            way.destination.port = SERVER_PORT;
            struct frame segment = tcp(way, TCP_SYN, 30);
            assert_true(route(&segment));
            struct frame arrived = out[0].frame;
            back.destination = network_router_address(NETWORK_SERVER, version);
            struct frame error = port_unreachable(back, &arrived, quoted);
            assert_true(route(&error));
            assert_on(way.destination, way.source);
            assert_true(out[0].packet.icmp.quotes);
            assert_memory_equal(&out[0].packet.icmp.src, &way.source, sizeof(way.source));
            assert_memory_equal(&out[0].packet.icmp.dst, &way.destination, sizeof(way.destination));
            assert_ip(server, back.source);
            /* The packet that is quoted adds up as it did when it was sent: its IP checksum is right. */
            if (version == 4) assert_int_equal(sum_of(transport_of(&out[0].frame) + 8, 20, 0), 0xffff);
        }
}

static void a_skipped_segment_goes_on_as_it_stands(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_SERVER});
    order((struct router_order){.verb = ROUTER_SKIP, .rule = any_from(WIRE_FROM_SERVER, WIRE_DATA, 1)});
    struct ends way = from_client(4), back = from_server(4);
    way.destination = network_router_address(NETWORK_CLIENT, 4);
    way.destination.port = SERVER_PORT;
    assert_true(route_tcp(way, TCP_SYN, 0));
    assert_true(route_tcp(back, TCP_ACK, 5));
    assert_on(back.source, back.destination);
    assert_int_equal(last_rule, 7);
    assert_true(route_tcp(back, TCP_ACK, 5));
    assert_on(way.destination, back.destination);
    assert_int_equal(last_rule, 0);
}

static void a_forgotten_flow_is_refused_until_it_is_opened_again(void **state)
{
    for (unsigned answer = ROUTER_SILENCE; answer <= ROUTER_RST; answer++) {
        begin_routing(state);
        struct ends way = from_client(4), back = from_server(4);
        assert_true(route_tcp(way, TCP_SYN, 0));
        assert_true(route_tcp(back, TCP_SYN | TCP_ACK, 0));
        order((struct router_order){.verb = ROUTER_FORGET, .answer = (enum router_answer)answer});
        assert_false(route_tcp(way, TCP_ACK, 5));
        assert_int_equal(out_count, answer == ROUTER_RST);
        if (answer == ROUTER_RST) assert_int_equal(out[0].packet.header.flags, TCP_RST);
        assert_false(route_tcp(back, TCP_ACK, 5));
        assert_true(route_tcp(way, TCP_SYN, 0));
        assert_true(route_tcp(back, TCP_ACK, 5));
    }
}

static void a_forgotten_translation_is_gone(void **state)
{
    (void)state;
    struct ends way = from_client(4), back = from_server(4);
    back.destination = network_router_address(NETWORK_SERVER, 4);
    back.destination.port = CLIENT_PORT;
    order((struct router_order){.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_CLIENT});
    assert_true(route_tcp(way, TCP_SYN, 0));
    assert_true(route_tcp(back, TCP_ACK, 5));
    order((struct router_order){.verb = ROUTER_FORGET, .answer = ROUTER_RST});
    assert_false(route_tcp(back, TCP_ACK, 5));
    assert_int_equal(out[0].packet.header.flags, TCP_RST);
    assert_memory_equal(&out[0].packet.header.src, &back.destination, sizeof(back.destination));
}

static void what_is_larger_than_the_mtu_is_told_of(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 1300, .answer = ROUTER_NET_UNREACHABLE});
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct ends way = from_client(version);
        uint32_t headers = version == 4 ? 40 : 60;
        assert_true(route_tcp(way, TCP_ACK, 1300 - headers));
        assert_false(route_tcp(way, TCP_ACK, 1300 - headers + 1));
        assert_icmp(way, 3, 4, 2, 0);
        assert_int_equal(get16(transport_of(&out[0].frame) + 4), 0);
        assert_int_equal(get16(transport_of(&out[0].frame) + 6), 1300);
    }
}

static void a_silent_mtu_is_a_black_hole_for_what_is_larger(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 1300, .answer = ROUTER_SILENCE});
    assert_true(route_tcp(from_client(4), TCP_ACK, 1260));
    assert_false(route_tcp(from_client(4), TCP_ACK, 1261));
    assert_int_equal(out_count, 0);
    order((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 0});
    assert_true(route_tcp(from_client(4), TCP_ACK, 1261));
}

static void what_may_be_cut_goes_on_in_pieces_that_make_the_whole(void **state)
{
    uint8_t whole[FRAME_ROOM];
    (void)state;
    order((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 576, .answer = ROUTER_NET_UNREACHABLE});
    struct frame frame = tcp(from_client(4), TCP_ACK, 1399);
    put16(frame.bytes + LINK + 4, 0x1234);
    put16(frame.bytes + LINK + 6, 0);
    put16(frame.bytes + LINK + 10, 0);
    put16(frame.bytes + LINK + 10, ~sum_of(frame.bytes + LINK, 20, 0) & 0xffff);
    uint32_t end = 0;
    assert_true(route(&frame));
    assert_int_equal(out_count, 3);
    for (size_t i = 0; i < out_count; i++) {
        const uint8_t *ip = out[i].frame.bytes + LINK;
        uint32_t payload = out[i].frame.length - LINK - 20;
        assert_false(out[i].back);
        assert_true(out[i].frame.length <= LINK + 576);
        assert_int_equal(hops_of(&out[i].frame), HOPS - 1);
        assert_int_equal((get16(ip + 6) & 0x1fff) * 8, end);
        assert_int_equal(get16(ip + 4), 0x1234);
        assert_int_equal(!!(get16(ip + 6) & 0x2000), i + 1 < out_count);
        memcpy(whole + end, ip + 20, payload);
        end += payload;
    }
    assert_int_equal(end, 1419);
    assert_memory_equal(whole, transport_of(&frame), 1419);
}

static void orders_that_make_no_sense_are_refused(void **state)
{
    static const struct router_order orders[] = {
        {.verb = ROUTER_REFUSE, .rule = {.from = 0}},
        {.verb = ROUTER_REFUSE, .rule = {.from = WIRE_FROM_CLIENT, .match = WIRE_MATCHES}},
        {.verb = ROUTER_REFUSE, .rule = {.from = WIRE_FROM_CLIENT}, .answer = ROUTER_ANSWERS},
        {.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_BOTH},
        {.verb = ROUTER_FORGET, .answer = ROUTER_PORT_UNREACHABLE},
        {.verb = ROUTER_MTU, .mtu_bytes = ROUTER_MTU_MIN - 1},
        {.verb = ROUTER_MTU, .mtu_bytes = ROUTER_MTU_MAX + 1},
        {.verb = (enum router_verb)99},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) assert_int_equal(router_obey(&router, &orders[i]), -EINVAL);
    struct router_order drop = {.verb = ROUTER_REFUSE, .rule = {.from = WIRE_FROM_CLIENT}};
    for (size_t i = 0; i < ROUTER_RULES_MAX; i++) assert_int_equal(router_obey(&router, &drop), 0);
    assert_int_equal(router_obey(&router, &drop), -ENOSPC);
}

static void frames_that_are_cut_short_are_not_taken(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct frame frame = tcp(from_client(version), TCP_SYN, 0);
        struct ip_frame read;
        for (uint32_t length = 0; length < frame.length; length++) {
            uint8_t *exact = malloc(length + 1);
            assert_non_null(exact);
            memcpy(exact, frame.bytes, length);
            assert_false(ip_frame_read(exact, length, &read));
            free(exact);
        }
        assert_true(ip_frame_read(frame.bytes, frame.length + 6, &read)); /* padding */
        assert_int_equal(read.length, frame.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_segment_goes_on_with_one_hop_less_and_the_next_hosts_address, begin_routing),
        cmocka_unit_test_setup(a_packet_without_hops_left_is_told_of, begin_routing),
        cmocka_unit_test_setup(what_no_network_has_is_unreachable_and_the_router_itself_listens_nowhere, begin_routing),
        cmocka_unit_test_setup(what_is_for_many_is_neither_carried_nor_answered, begin_routing),
        cmocka_unit_test_setup(a_reset_takes_its_numbers_from_what_it_refuses, begin_routing),
        cmocka_unit_test_setup(each_kind_of_refusal_has_its_type_and_code_in_both_versions, begin_routing),
        cmocka_unit_test_setup(a_rule_counts_what_it_names_and_silence_is_silent, begin_routing),
        cmocka_unit_test_setup(the_clients_address_becomes_the_routers_and_back, begin_routing),
        cmocka_unit_test_setup(a_udp_checksum_that_is_not_there_stays_away, begin_routing),
        cmocka_unit_test_setup(what_comes_for_the_routers_address_is_the_servers, begin_routing),
        cmocka_unit_test_setup(an_error_about_a_translated_packet_is_translated_inside_too, begin_routing),
        cmocka_unit_test_setup(a_skipped_segment_goes_on_as_it_stands, begin_routing),
        cmocka_unit_test_setup(a_forgotten_flow_is_refused_until_it_is_opened_again, begin_routing),
        cmocka_unit_test_setup(a_forgotten_translation_is_gone, begin_routing),
        cmocka_unit_test_setup(what_is_larger_than_the_mtu_is_told_of, begin_routing),
        cmocka_unit_test_setup(a_silent_mtu_is_a_black_hole_for_what_is_larger, begin_routing),
        cmocka_unit_test_setup(what_may_be_cut_goes_on_in_pieces_that_make_the_whole, begin_routing),
        cmocka_unit_test_setup(orders_that_make_no_sense_are_refused, begin_routing),
        cmocka_unit_test_setup(frames_that_are_cut_short_are_not_taken, begin_routing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
