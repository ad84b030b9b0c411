/* What the wire knows of the connections that pass it, and the segments that it makes in their ends' names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pcap/dlt.h>
#include <string.h>

#include "lab/wire/wire_forge.h"
#include "support/frame.h"

enum { CLIENT, SERVER };
enum { C_ISN = 1000, S_ISN = 4294967290U };

static struct wire_track track;

/* A segment of the client (10.0.0.1:40112) or the server (10.0.0.2:3333), of IPv4 or IPv6. */
static struct frame segment(size_t side, bool v6, uint8_t flags, uint32_t seq, uint32_t ack, size_t payload, bool timestamps)
{
    static const uint8_t syn_options[] = {3, 3, 7, 1}, time_options[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8};
    struct frame frame = {.length = 0};
    bool syn = flags & TCP_SYN;
    const void *options = syn ? (const void *)syn_options : (const void *)time_options;
    size_t option_bytes = syn ? sizeof(syn_options) : timestamps ? sizeof(time_options) : 0;
    put_ethernet(&frame, v6 ? 0x86dd : 0x0800);
    memset(frame.bytes + (side == CLIENT ? 6 : 0), 0xc1, 6);
    size_t ip = v6 ? put_ipv6(&frame, IPPROTO_TCP, 20 + option_bytes + payload)
                   : put_ipv4(&frame, IPPROTO_TCP, 20 + option_bytes + payload, 0);
    size_t tcp = put_tcp(&frame, flags, options, option_bytes), bytes = v6 ? 16 : 4, addresses = ip + (v6 ? 8 : 12);
    if (side == SERVER) {
        uint8_t swap[16], ports[2];
        memcpy(swap, frame.bytes + addresses, bytes);
        memcpy(frame.bytes + addresses, frame.bytes + addresses + bytes, bytes);
        memcpy(frame.bytes + addresses + bytes, swap, bytes);
        memcpy(ports, frame.bytes + tcp, 2);
        memcpy(frame.bytes + tcp, frame.bytes + tcp + 2, 2);
        memcpy(frame.bytes + tcp + 2, ports, 2);
    }
    set16(&frame, tcp + 4, seq >> 16);
    set16(&frame, tcp + 6, seq & 0xffff);
    set16(&frame, tcp + 8, ack >> 16);
    set16(&frame, tcp + 10, ack & 0xffff);
    put_zeroes(&frame, payload);
    return frame;
}

static struct event_packet decoded(const uint8_t *bytes, size_t length)
{
    struct event_packet packet;
    memset(&packet, 0, sizeof(packet));
    assert_int_equal(segment_decode(DLT_EN10MB, bytes, (uint32_t)length, (uint32_t)length, &packet), SEGMENT_OK);
    return packet;
}

static void passes(size_t side, bool v6, uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    struct frame frame = segment(side, v6, flags, seq, ack, payload, true);
    struct event_packet packet = decoded(frame.bytes, frame.length);
    wire_track_take(&track, side, &packet, frame.bytes, (uint32_t)frame.length);
}

static void handshake(bool v6)
{
    track = (struct wire_track){.count = 0};
    passes(CLIENT, v6, TCP_SYN, C_ISN, 0, 0);
    passes(SERVER, v6, TCP_SYN | TCP_ACK, S_ISN, C_ISN + 1, 0);
    passes(CLIENT, v6, TCP_ACK, C_ISN + 1, S_ISN + 1, 0);
}

static unsigned checksum(const uint8_t *bytes, size_t length, uint32_t so_far)
{
    for (size_t i = 0; i < length; i++) so_far += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
    while (so_far >> 16) so_far = (so_far & 0xffff) + (so_far >> 16);
    return so_far;
}

/* What is made, decoded; its checksums are right. */
static struct event_packet made(const struct wire_forgery *forgery)
{
    static uint8_t frame[WIRE_FORGED_MAX];
    memset(frame, 0xee, sizeof(frame));
    assert_true(wire_forgery_is_sound(forgery));
    int64_t length = wire_forge(&track, forgery, frame);
    assert_true(length > 0 && length <= WIRE_FORGED_MAX);
    bool v6 = frame[12] == 0x86;
    size_t ip = 14, tcp = ip + (v6 ? 40 : 20);
    if (!v6) assert_int_equal(checksum(frame + ip, 20, 0), 0xffff);
    size_t tcp_bytes = (size_t)length - tcp;
    assert_int_equal(
        checksum(frame + tcp, tcp_bytes, checksum(frame + ip + (v6 ? 8 : 12), v6 ? 32 : 8, 0) + (uint32_t)tcp_bytes + 6), 0xffff);
    return decoded(frame, (size_t)length);
}

static void a_connection_has_the_numbers_that_its_ends_have_sent(void **state)
{
    (void)state;
    handshake(false);
    passes(CLIENT, false, TCP_ACK, C_ISN + 1, S_ISN + 1, 10);
    passes(CLIENT, false, TCP_ACK, C_ISN + 1, S_ISN + 1, 10); /* again */
    passes(SERVER, false, TCP_ACK | TCP_FIN, S_ISN + 1, C_ISN + 11, 20);
    passes(SERVER, false, TCP_RST, 77, 0, 0); /* says nothing of its numbers */
    const struct wire_connection *connection = wire_track_find(&track, 0);
    assert_int_equal(track.count, 1);
    assert_ptr_equal(wire_track_find(&track, 1), connection);
    assert_int_equal(connection->end[CLIENT].isn, C_ISN);
    assert_int_equal(connection->end[CLIENT].next, C_ISN + 11);
    assert_int_equal(connection->end[SERVER].isn, S_ISN);
    assert_int_equal(connection->end[SERVER].next, (uint32_t)(S_ISN + 22)); /* over 2^32, and the FIN is a number */
    assert_true(connection->scaled && connection->end[CLIENT].wscale == 7);
}

static void the_same_syn_is_the_same_connection_and_another_number_another(void **state)
{
    (void)state;
    track = (struct wire_track){.count = 0};
    assert_null(wire_track_find(&track, 0));
    passes(CLIENT, false, TCP_SYN, C_ISN, 0, 0);
    passes(CLIENT, false, TCP_SYN, C_ISN, 0, 0);
    passes(SERVER, false, TCP_SYN, S_ISN, 0, 0); /* both opened at once */
    assert_int_equal(track.count, 1);
    passes(CLIENT, false, TCP_SYN, C_ISN + 5, 0, 0);
    assert_int_equal(track.count, 2);
    assert_false(wire_track_find(&track, 2)->end[SERVER].seen);
    assert_null(wire_track_find(&track, 3));
    for (uint32_t i = 0; i < WIRE_TRACKED_MAX; i++) passes(CLIENT, false, TCP_SYN, 5000 + i, 0, 0);
    assert_null(wire_track_find(&track, 2)); /* forgotten */
    assert_int_equal(wire_track_find(&track, 0)->end[CLIENT].isn, 5000 + WIRE_TRACKED_MAX - 1);
    passes(SERVER, true, TCP_ACK, 1, 1, 0); /* of a connection that nobody has seen begin */
    assert_int_equal(track.count, 2 + WIRE_TRACKED_MAX);
}

static void what_is_made_has_the_next_numbers_unless_others_are_said(void **state)
{
    (void)state;
    handshake(false);
    struct wire_forgery forgery = {.from = WIRE_FROM_SERVER, .flags = TCP_RST};
    struct event_packet packet = made(&forgery);
    assert_int_equal(packet.header.seq, (uint32_t)(S_ISN + 1));
    assert_int_equal(packet.header.ack, 0);
    assert_int_equal(packet.header.flags, TCP_RST);
    assert_int_equal(packet.header.src.port, 3333);
    assert_int_equal(packet.header.dst.port, 40112);
    forgery.flags |= TCP_ACK;
    assert_int_equal(made(&forgery).header.ack, C_ISN + 1);
    forgery.seq = (struct wire_number){.said = true, .from_next = true, .offset = 100};
    forgery.ack = (struct wire_number){.said = true, .offset = -3};
    packet = made(&forgery);
    assert_int_equal(packet.header.seq, (uint32_t)(S_ISN + 101));
    assert_int_equal(packet.header.ack, C_ISN - 3);
    forgery.seq = (struct wire_number){.said = true, .offset = 0};
    assert_int_equal(made(&forgery).header.seq, S_ISN);
}

static void what_is_made_looks_like_its_ends_own(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        handshake(v6);
        struct wire_forgery forgery = {.from = WIRE_FROM_CLIENT,
                                       .flags = TCP_ACK | TCP_PSH,
                                       .length_bytes = 3,
                                       .data = "abc",
                                       .has_window = true,
                                       .window = 1280};
        struct event_packet packet = made(&forgery);
        assert_int_equal(packet.header.length_bytes, 3);
        assert_int_equal(packet.header.window, 10); /* scaled by 2^7 */
        assert_int_equal(packet.options.present, OPTION_TIMESTAMPS);
        assert_int_equal(packet.options.ts_value, 9);
        assert_int_equal(packet.options.ts_echo, 8);
        assert_int_equal(packet.header.src.version, v6 ? 6 : 4);
        forgery.window = 1 << 30;
        assert_int_equal(made(&forgery).header.window, 0xffff);
        forgery.has_window = false;
        assert_int_equal(made(&forgery).header.window, 0xfffe); /* its last */
        forgery.length_bytes = WIRE_PAYLOAD_MAX;
        assert_int_equal(made(&forgery).header.length_bytes, WIRE_PAYLOAD_MAX);
        forgery.length_bytes++;
        assert_false(wire_forgery_is_sound(&forgery));
    }
}

static void an_end_that_has_not_spoken_is_spoken_for(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        track = (struct wire_track){.count = 0};
        passes(CLIENT, v6, TCP_SYN, C_ISN, 0, 0);
        struct wire_forgery forgery = {.from = WIRE_FROM_SERVER, .flags = TCP_SYN | TCP_ACK};
        struct event_packet packet = made(&forgery);
        struct event_packet_header syn = decoded(segment(CLIENT, v6, TCP_SYN, C_ISN, 0, 0, false).bytes, v6 ? 78 : 58).header;
        assert_true(address_equal(&packet.header.src, &syn.dst) && address_equal(&packet.header.dst, &syn.src));
        assert_int_equal(packet.header.ack, C_ISN + 1);
        assert_int_equal(packet.options.present, 0);
    }
}

static void without_a_connection_nothing_is_made(void **state)
{
    (void)state;
    uint8_t frame[WIRE_FORGED_MAX];
    struct wire_forgery forgery = {.from = WIRE_FROM_SERVER, .flags = TCP_RST};
    track = (struct wire_track){.count = 0};
    assert_int_equal(wire_forge(&track, &forgery, frame), -ENOENT);
    handshake(false);
    forgery.connection = 2;
    assert_int_equal(wire_forge(&track, &forgery, frame), -ENOENT);
    forgery.from = WIRE_FROM_BOTH;
    assert_false(wire_forgery_is_sound(&forgery));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_the_numbers_that_its_ends_have_sent),
        cmocka_unit_test(the_same_syn_is_the_same_connection_and_another_number_another),
        cmocka_unit_test(what_is_made_has_the_next_numbers_unless_others_are_said),
        cmocka_unit_test(what_is_made_looks_like_its_ends_own),
        cmocka_unit_test(an_end_that_has_not_spoken_is_spoken_for),
        cmocka_unit_test(without_a_connection_nothing_is_made),
    };
    return cmocka_run_group_tests_name("wire_forge", tests, NULL, NULL);
}
