/* Rules, translation, firewalls and MTUs of the router. */
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

void a_rule_counts_what_it_names_and_silence_is_silent(void **state)
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

void the_clients_address_becomes_the_routers_and_back(void **state)
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

void a_udp_checksum_that_is_not_there_stays_away(void **state)
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

void what_comes_for_the_routers_address_is_the_servers(void **state)
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

void an_error_about_a_translated_packet_is_translated_inside_too(void **state)
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

void a_skipped_segment_goes_on_as_it_stands(void **state)
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

void a_forgotten_flow_is_refused_until_it_is_opened_again(void **state)
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

void a_forgotten_translation_is_gone(void **state)
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

void what_is_larger_than_the_mtu_is_told_of(void **state)
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

void a_silent_mtu_is_a_black_hole_for_what_is_larger(void **state)
{
    (void)state;
    order((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 1300, .answer = ROUTER_SILENCE});
    assert_true(route_tcp(from_client(4), TCP_ACK, 1260));
    assert_false(route_tcp(from_client(4), TCP_ACK, 1261));
    assert_int_equal(out_count, 0);
    order((struct router_order){.verb = ROUTER_MTU, .mtu_bytes = 0});
    assert_true(route_tcp(from_client(4), TCP_ACK, 1261));
}

void what_may_be_cut_goes_on_in_pieces_that_make_the_whole(void **state)
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

void orders_that_make_no_sense_are_refused(void **state)
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

void frames_that_are_cut_short_are_not_taken(void **state)
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
