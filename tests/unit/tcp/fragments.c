/* Putting IP datagrams together: what comes whole, what is given up, and that nobody can make it large or slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

#include "support/frame.h"
#include "tcp/fragments.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct fragments *empty(void)
{
    struct fragments *fragments = calloc(1, sizeof(*fragments));
    assert_non_null(fragments);
    return fragments;
}

/* A TCP header and data in pieces: `datagram` is what they hold together. */
static struct frame whole_segment(void)
{
    struct frame datagram = {0};
    put_tcp(&datagram, TCP_PSH | TCP_ACK, NULL, 0);
    for (unsigned i = 0; i < 40; i++) put(&datagram, (const uint8_t[]){(uint8_t)i}, 1);
    return datagram;
}

static struct frame piece_of(int version, const struct frame *datagram, size_t from, size_t to, unsigned id)
{
    struct frame frame = {0};
    bool more = to < datagram->length;
    if (version == 4) {
        size_t at = put_ipv4(&frame, IPPROTO_TCP, to - from, 0);
        set16(&frame, at + 4, id);
        set16(&frame, at + 6, (unsigned)(from / 8) | (more ? 0x2000 : 0));
    } else {
        put_ipv6(&frame, IPPROTO_FRAGMENT, to - from + 8);
        put(&frame,
            (const uint8_t[8]){IPPROTO_TCP, 0, (uint8_t)(from >> 8), (uint8_t)(from | more), 0, 0, (uint8_t)(id >> 8), (uint8_t)id},
            8);
    }
    put(&frame, datagram->bytes + from, to - from);
    return frame;
}

static enum segment_result take_cut(struct fragments *fragments, const struct frame *frame, uint32_t captured, int64_t t_ns,
                                    uint64_t number)
{
    struct event_packet packet;
    struct segment_beside beside;
    enum segment_result result = segment_decode_beside(DLT_RAW, frame->bytes, captured, (uint32_t)frame->length, &packet, &beside);
    assert_int_not_equal(beside.fragment.version, 0);
    fragments_take(fragments, &beside.fragment, result == SEGMENT_OK ? &packet.header : NULL, t_ns, number);
    return result;
}

static enum segment_result take(struct fragments *fragments, const struct frame *frame, int64_t t_ns, uint64_t number)
{
    return take_cut(fragments, frame, (uint32_t)frame->length, t_ns, number);
}

static struct event_packet decode_ready(const struct fragments_datagram *ready)
{
    struct event_packet packet;
    memset(&packet, 0, sizeof(packet));
    assert_int_equal(segment_decode(DLT_RAW, ready->bytes, ready->captured, ready->wire, &packet), SEGMENT_OK);
    return packet;
}

static void pieces_in_any_order_make_the_segment(void **state)
{
    (void)state;
    static const size_t cuts[4] = {0, 8, 32, 60};
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct frame datagram = whole_segment();
    for (int version = 4; version <= 6; version += 2)
        for (size_t order = 0; order < COUNT(orders); order++) {
            struct fragments *fragments = empty();
            for (unsigned i = 0; i < 3; i++) {
                assert_null(fragments_out(fragments, 0));
                unsigned which = orders[order][i];
                struct frame piece = piece_of(version, &datagram, cuts[which], cuts[which + 1], 7);
                assert_int_equal(take(fragments, &piece, 100 + i, 10 + i), SEGMENT_FRAGMENT);
            }
            const struct fragments_datagram *ready = fragments_out(fragments, 0);
            assert_non_null(ready);
            assert_true(ready->whole);
            assert_int_equal(ready->t_ns, 102);
            assert_int_equal(ready->number, 12);
            struct event_packet packet = decode_ready(ready);
            assert_address(packet.header.src, version == 6 ? v6(1, 40112) : v4(1, 40112));
            assert_int_equal(packet.header.seq, 0x01020304);
            assert_int_equal(packet.header.length_bytes, 40);
            size_t header = version == 6 ? 40 : 20;
            assert_memory_equal(ready->bytes + header, datagram.bytes, datagram.length);
            assert_false(fragments_any(fragments));
            free(fragments);
        }
}

static void what_came_before_is_passed_over_and_what_overlaps_is_given_up(void **state)
{
    (void)state;
    struct frame datagram = whole_segment(), other = whole_segment();
    other.bytes[13] ^= TCP_FIN;
    const struct {
        size_t from, to;
        const struct frame *of;
        bool survives;
    } seconds[] = {{0, 24, &datagram, true},
                   {8, 16, &datagram, true},
                   {0, 24, &other, false},
                   {16, 40, &datagram, false},
                   {0, 32, &datagram, false}};
    for (size_t i = 0; i < COUNT(seconds); i++) {
        struct fragments *fragments = empty();
        struct frame first = piece_of(4, &datagram, 0, 24, 7),
                     second = piece_of(4, seconds[i].of, seconds[i].from, seconds[i].to, 7);
        struct frame last = piece_of(4, &datagram, 24, 60, 7);
        assert_int_equal(take(fragments, &first, 1, 1), SEGMENT_OK);
        take(fragments, &second, 2, 2);
        assert_int_equal(fragments_counts(fragments)->given_up, !seconds[i].survives);
        assert_int_equal(fragments_counts(fragments)->again, seconds[i].survives);
        take(fragments, &last, 3, 3);
        assert_int_equal(fragments_counts(fragments)->whole, seconds[i].survives);
        const struct fragments_datagram *ready = fragments_out(fragments, 0);
        assert_non_null(ready);
        assert_int_equal(ready->whole, seconds[i].survives);
        free(fragments);
    }
}

/* The first piece alone says ports, flags and numbers. */
static void the_first_piece_of_what_is_given_up_is_told_as_it_came(void **state)
{
    (void)state;
    struct frame datagram = whole_segment();
    for (int version = 4; version <= 6; version += 2) {
        struct fragments *fragments = empty();
        struct frame first = piece_of(version, &datagram, 0, 32, 7);
        assert_int_equal(take(fragments, &first, 5, 1), SEGMENT_OK);
        fragments_finish(fragments);
        const struct fragments_datagram *ready = fragments_out(fragments, 0);
        assert_non_null(ready);
        assert_false(ready->whole);
        assert_int_equal(ready->t_ns, 5);
        struct event_packet packet = decode_ready(ready);
        assert_int_equal(packet.header.flags, TCP_PSH | TCP_ACK);
        assert_int_equal(packet.header.length_bytes, 12);
        free(fragments);
    }
}

static void thirty_seconds_are_waited_and_no_longer(void **state)
{
    (void)state;
    struct frame datagram = whole_segment();
    static const int64_t second = 1000000000;
    for (int64_t late = 0; late < 2; late++) {
        struct fragments *fragments = empty();
        struct frame first = piece_of(4, &datagram, 0, 32, 7), last = piece_of(4, &datagram, 32, 60, 7);
        take(fragments, &first, 0, 1);
        take(fragments, &last, 30 * second + late, 2);
        assert_int_equal(fragments_counts(fragments)->whole, !late);
        assert_int_equal(fragments_counts(fragments)->given_up, late);
        free(fragments);
    }
}

static void a_segment_behind_it_or_its_acknowledgment_ends_the_waiting(void **state)
{
    (void)state;
    struct frame datagram = whole_segment();
    const struct event_packet_header there = {.src = v4(1, 40112), .dst = v4(2, 3333), .flags = TCP_ACK, .seq = 9},
                                     back = {.src = v4(2, 3333), .dst = v4(1, 40112), .flags = TCP_ACK, .ack = 0x01020305},
                                     too_early = {.src = v4(2, 3333), .dst = v4(1, 40112), .flags = TCP_ACK, .ack = 0x01020304},
                                     other = {.src = v4(1, 40113), .dst = v4(2, 3333), .flags = TCP_ACK};
    const struct {
        const struct event_packet_header *header;
        bool ends;
    } segments[] = {{&there, true}, {&back, true}, {&too_early, false}, {&other, false}};
    for (size_t i = 0; i < COUNT(segments); i++) {
        struct fragments *fragments = empty();
        struct frame first = piece_of(4, &datagram, 0, 32, 7);
        take(fragments, &first, 0, 1);
        fragments_due(fragments, segments[i].header);
        assert_int_equal(fragments_out(fragments, 0) != NULL, segments[i].ends);
        assert_int_equal(fragments_any(fragments), !segments[i].ends);
        free(fragments);
    }
}

static void no_number_of_datagrams_takes_more_room(void **state)
{
    (void)state;
    struct frame datagram = whole_segment();
    struct fragments *fragments = empty();
    for (unsigned id = 0; id < 1000; id++) {
        struct frame piece = piece_of(4, &datagram, 8, 32, id);
        take(fragments, &piece, id, id);
        assert_true(fragments->waiting_count <= FRAGMENTS_WAITING);
        fragments_clear(fragments);
    }
    assert_int_equal(fragments_counts(fragments)->given_up, 1000 - FRAGMENTS_WAITING);
    /* The newest are still there. */
    struct frame first = piece_of(4, &datagram, 0, 8, 999), last = piece_of(4, &datagram, 32, 60, 999);
    take(fragments, &first, 1000, 1);
    take(fragments, &last, 1000, 2);
    assert_int_equal(fragments_counts(fragments)->whole, 1);
    free(fragments);
}

static void pieces_that_no_datagram_can_have_are_given_up(void **state)
{
    (void)state;
    static const struct segment_fragment bad[] = {
        {.version = 4, .offset_bytes = 65528, .length_bytes = 100},
        {.version = 4, .offset_bytes = 0, .length_bytes = 65535, .more = true},
        {.version = 4, .offset_bytes = 0, .length_bytes = 7, .more = true},
        {.version = 4, .offset_bytes = 8, .length_bytes = 0},
        {.version = 6, .offset_bytes = 65528, .length_bytes = UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fragments *fragments = empty();
        fragments_take(fragments, &bad[i], NULL, 0, 1);
        assert_int_equal(fragments_counts(fragments)->given_up, 1);
        assert_false(fragments_any(fragments));
        free(fragments);
    }
}

/* The capture cut the pieces: what is known is known up to the first hole, and all of the length counts. */
static void of_cut_pieces_the_beginning_and_the_length_are_known(void **state)
{
    (void)state;
    struct frame datagram = whole_segment();
    struct fragments *fragments = empty();
    struct frame first = piece_of(4, &datagram, 0, 32, 7), last = piece_of(4, &datagram, 32, 60, 7);
    take_cut(fragments, &first, 20 + 27, 1, 1);
    take(fragments, &last, 2, 2);
    const struct fragments_datagram *ready = fragments_out(fragments, 0);
    assert_non_null(ready);
    assert_int_equal(ready->captured, 20 + 24);
    assert_int_equal(ready->wire, 20 + 60);
    assert_int_equal(decode_ready(ready).header.length_bytes, 40);
    free(fragments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_in_any_order_make_the_segment),
        cmocka_unit_test(what_came_before_is_passed_over_and_what_overlaps_is_given_up),
        cmocka_unit_test(the_first_piece_of_what_is_given_up_is_told_as_it_came),
        cmocka_unit_test(thirty_seconds_are_waited_and_no_longer),
        cmocka_unit_test(a_segment_behind_it_or_its_acknowledgment_ends_the_waiting),
        cmocka_unit_test(no_number_of_datagrams_takes_more_room),
        cmocka_unit_test(pieces_that_no_datagram_can_have_are_given_up),
        cmocka_unit_test(of_cut_pieces_the_beginning_and_the_length_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
