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
#include "router_own.h"
#include "tcp/segment.h"

/* One router, and what it put out for the last frame. */
struct router router;
struct out out[OUT_MAX];
size_t out_count;
uint32_t last_rule;

void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

unsigned sum_of(const uint8_t *bytes, size_t length, unsigned long sum)
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

struct ends ends(struct address source, uint16_t source_port, struct address destination, uint16_t destination_port)
{
    source.port = source_port;
    destination.port = destination_port;
    return (struct ends){.source = source, .destination = destination};
}

struct ends from_client(uint8_t version)
{
    struct ends way = ends(network_address(NETWORK_CLIENT, version, true), CLIENT_PORT,
                           network_address(NETWORK_SERVER, version, true), SERVER_PORT);
    way.from = NETWORK_CLIENT;
    return way;
}

struct ends from_server(uint8_t version)
{
    struct ends way = ends(network_address(NETWORK_SERVER, version, true), SERVER_PORT,
                           network_address(NETWORK_CLIENT, version, true), CLIENT_PORT);
    way.from = NETWORK_SERVER;
    return way;
}

/* The headers before the transport's; that one's bytes are the caller's, and its checksum is `checksum_at` in it. */
void begin(struct frame *frame, const struct ends *way, uint8_t protocol, uint32_t payload)
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

uint8_t *transport_of(struct frame *frame)
{
    return frame->bytes + LINK + (frame->bytes[LINK] >> 4 == 4 ? 20 : 40);
}

void seal(struct frame *frame, size_t checksum_at)
{
    uint8_t *ip = frame->bytes + LINK, *transport = transport_of(frame);
    size_t length = frame->length - (size_t)(transport - frame->bytes);
    put16(transport + checksum_at, ~transport_sum(ip, transport, length, ip[ip[0] >> 4 == 4 ? 9 : 6]) & 0xffff);
}

struct frame tcp(struct ends way, uint8_t flags, uint32_t payload)
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

struct frame udp(struct ends way, uint32_t payload, bool with_checksum)
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

bool route(const struct frame *frame)
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

bool route_tcp(struct ends way, uint8_t flags, uint32_t payload)
{
    struct frame frame = tcp(way, flags, payload);
    return route(&frame);
}

void order(struct router_order order)
{
    assert_int_equal(router_obey(&router, &order), 0);
}

struct wire_rule any_from(unsigned from, enum wire_match match, uint32_t nth)
{
    return (struct wire_rule){.from = from, .match = match, .nth = nth, .id = 7};
}

int begin_routing(void **state)
{
    (void)state;
    memset(&router, 0, sizeof(router));
    order((struct router_order){.verb = ROUTER_ROUTE});
    return 0;
}

void assert_ip(struct address got, struct address wanted)
{
    got.port = wanted.port = 0;
    assert_memory_equal(&got, &wanted, sizeof(got));
}

uint8_t hops_of(const struct frame *frame)
{
    return frame->bytes[LINK + (frame->bytes[LINK] >> 4 == 4 ? 8 : 7)];
}

/* One frame came out, onwards, with these addresses and one hop less. */
void assert_on(struct address source, struct address destination)
{
    assert_int_equal(out_count, 1);
    assert_false(out[0].back);
    assert_ip(out[0].packet.header.src, source);
    assert_ip(out[0].packet.header.dst, destination);
    assert_int_equal(hops_of(&out[0].frame), HOPS - 1);
    assert_memory_equal(out[0].frame.bytes + 6, network_mac(NETWORK_WIRE), 6);
}

/* One frame came back: an ICMP error of the router's own address on that side, to who sent `way`, about that. */
void assert_icmp(struct ends way, unsigned v4_type, unsigned v4_code, unsigned v6_type, unsigned v6_code)
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
