/* Pieces, sides and addresses that were rewritten. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clocks/match.h"
#include "match_own.h"
#include "support/guard.h"

void a_large_packet_has_come_when_its_pieces_have(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 3000, 20000);
    for (uint32_t i = 0; i < 3; i++) appear(&scene, THERE, TCP_ACK, 101 + i * 1000, 501, 1000, 25000 + i);
    pass(&scene, BACK, TCP_ACK, 501, 3101, 0, 26000);
    close_both(&scene, 3101, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    const struct match_packet *large = at(&scene, MATCH_A, 4);
    assert_int_equal(large->covers, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct match_cover *cover = &scene.match.cover[large->first_cover + i];
        assert_int_equal(cover->from, i * 1000);
        assert_int_equal(cover->to, (i + 1) * 1000);
        assert_ptr_equal(cover->came, at(&scene, MATCH_B, 4 + i));
        assert_true(cover->came->is_piece);
    }
    assert_false(scene.match.short_of[MATCH_A] || scene.match.short_of[MATCH_B]);
    end(&scene);
}

void a_piece_that_is_missing_leaves_a_hole_that_was_lost(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 3000, 20000);
    appear(&scene, THERE, TCP_ACK, 101, 501, 1000, 25000);
    appear(&scene, THERE, TCP_ACK | TCP_PSH, 2101, 501, 1000, 25002);
    pass(&scene, THERE, TCP_ACK, 1101, 501, 1000, 260000);
    pass(&scene, BACK, TCP_ACK, 501, 3101, 0, 270000);
    close_both(&scene, 3101, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 4)->covers, 2);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_LOST);
    assert_same(&scene, 5, 6);
    end(&scene);
}

void several_packets_that_came_as_one_have_all_come(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    for (uint32_t i = 0; i < 3; i++) vanish(&scene, THERE, TCP_ACK, 101 + i * 1000, 501, 1000, 20000 + i);
    appear(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 3000, 25000);
    close_both(&scene, 3101, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    for (size_t n = 4; n <= 6; n++) {
        assert_int_equal(at(&scene, MATCH_A, n)->covers, 1);
        assert_int_equal(scene.match.cover[at(&scene, MATCH_A, n)->first_cover].from, 0);
        assert_int_equal(scene.match.cover[at(&scene, MATCH_A, n)->first_cover].to, 1000);
    }
    end(&scene);
}

void one_direction_is_sided_by_the_hop_limit(void **state)
{
    (void)state;
    for (int there = 0; there < 2; there++) {
        struct scene scene = {.timestamps = true};
        for (uint32_t i = 0; i < 5; i++) pass(&scene, there ? THERE : BACK, TCP_ACK | TCP_PSH, 101 + i, 501, 1, i * 1000);
        for (int capture = 0; capture < MATCH_CAPTURES; capture++)
            for (size_t i = 0; i < 5; i++) scene.packet[capture][i].hops = capture == (there ? MATCH_A : MATCH_B) ? 64 : 61;
        assert_int_equal(compare(&scene), 0);
        assert_false(scene.match.guessed);
        assert_int_equal(at(&scene, MATCH_A, 1)->sender_side, there);
        assert_int_equal(scene.match.clocks.piece[0].uncertainty_ns, -1);
        end(&scene);
    }
}

void what_nothing_tells_is_a_guess_and_said_to_be(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    for (uint32_t i = 0; i < 5; i++) pass(&scene, THERE, TCP_ACK | TCP_PSH, 101 + i, 501, 1, i * 1000);
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < 5; i++) scene.packet[capture][i].hops = 64;
    assert_int_equal(compare(&scene), 0);
    assert_true(scene.match.guessed);
    end(&scene);
}

void a_connection_that_is_in_one_capture_alone_is_not_lost(void **state)
{
    struct scene scene = {0};
    (void)state;
    open(&scene);
    close_both(&scene, 101, 501, 300000);
    scene.port = 50000;
    struct match_packet other = segment(&scene, THERE, TCP_SYN, 900, 0, 0);
    other.header.dst.port = 80; /* which nobody captured at the server */
    see(&scene, false, other, 310000);
    scene.port = 0;
    pass(&scene, BACK, TCP_ACK, 502, 102, 0, 900000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 7)->fate, FATE_UNKNOWN);
    end(&scene);
}

void a_syn_to_a_port_that_the_other_capture_watches_is_lost(void **state)
{
    struct scene scene = {0};
    (void)state;
    open(&scene);
    close_both(&scene, 101, 501, 300000);
    scene.port = 50000;
    vanish(&scene, THERE, TCP_SYN, 900, 0, 0, 330000);
    scene.port = 0;
    pass(&scene, BACK, TCP_ACK, 502, 102, 0, 900000);
    assert_int_equal(compare(&scene), 0);
    assert_true(scene.match.flow[at(&scene, MATCH_A, 7)->flow].watched);
    assert_int_equal(at(&scene, MATCH_A, 7)->fate, FATE_LOST);
    end(&scene);
}

static struct match_translation translate(struct scene *scene)
{
    struct match_translation found;
    for (int i = 0; i < MATCH_CAPTURES; i++) {
        scene->match.packet[i] = scene->packet[i];
        scene->match.count[i] = scene->count[i];
    }
    assert_int_equal(match_translate(&scene->match, &found), 0);
    return found;
}

/* b is behind something that rewrites the client's address and port. */
static void rewrite(struct scene *scene)
{
    struct address outside = host("203.0.113.9", 61000), inside = host("192.0.2.1", 40000);
    for (size_t i = 0; i < scene->count[MATCH_B]; i++) {
        struct event_packet_header *header = &scene->packet[MATCH_B][i].header;
        if (address_equal(&header->src, &inside)) header->src = outside;
        if (address_equal(&header->dst, &inside)) header->dst = outside;
    }
}

void addresses_that_were_rewritten_on_the_way_are_found_by_the_syn(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    close_both(&scene, 101, 501, 30000);
    assert_int_equal(translate(&scene).connections, 0); /* nothing was rewritten */
    rewrite(&scene);
    assert_int_equal(compare(&scene), -ENODATA);
    end(&scene);
    struct match_translation found = translate(&scene);
    assert_int_equal(found.connections, 1);
    assert_int_equal(found.src[MATCH_A].port, 40000);
    assert_int_equal(found.src[MATCH_B].port, 61000);
    assert_int_equal(found.dst[MATCH_B].port, 3333);
    assert_int_equal(compare(&scene), 0);
    for (size_t n = 1; n <= 6; n++) assert_same(&scene, n, n);
    end(&scene);
}

void a_syn_with_another_timestamp_or_between_several_ends_says_nothing(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    rewrite(&scene);
    scene.packet[MATCH_B][0].ts_value++;
    assert_int_equal(translate(&scene).connections, 0);
    scene.packet[MATCH_B][0].ts_value--;
    struct match_packet other = scene.packet[MATCH_B][0];
    other.header.src.port++;
    see(&scene, true, other, 60000);
    assert_int_equal(translate(&scene).connections, 0);
}

void nothing_at_all_is_refused(void **state)
{
    struct scene scene = {0};
    (void)state;
    assert_int_equal(compare(&scene), -ENODATA);
    end(&scene);
}

void identification_and_hop_limit_are_read_out_of_the_frame(void **state)
{
    /* Ethernet, then IPv4: identification 0xf4b3, TTL 64. */
    static const uint8_t frame[] = {2,  0,    0,    0,    0, 2,  2, 0, 0, 0,   0, 1, 8, 0,   0x45, 0, 0,
                                    60, 0xf4, 0xb3, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0,    2, 2};
    struct scene scene = {0};
    (void)state;
    struct match_packet packet = segment(&scene, THERE, TCP_SYN, 1, 0, 0);
    for (size_t length = 0; length <= sizeof(frame); length++) {
        struct guard guard = guard_new(frame, length);
        match_read_ip(&packet, guard.bytes, length);
        bool whole = length == sizeof(frame);
        assert_int_equal(packet.ip_id, whole ? 0xf4b3 : 0);
        assert_int_equal(packet.hops, whole ? 64 : 0);
        guard_free(&guard);
    }
}

/* One way only, and all but the first sent at the very beginning of 64 bits and arrived at their very end: what is usual then. */
void times_that_no_file_should_hold_are_clamped_and_overflow_nothing(void **state)
{
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct scene scene = {.swapped = swapped};
        int sender = swapped ? MATCH_B : MATCH_A;
        for (uint32_t i = 0; i < 4; i++) pass(&scene, THERE, TCP_ACK, 100 + i * 10, 1, 10, i * 1000);
        appear(&scene, THERE, TCP_ACK, 200, 1, 10, 9000);
        vanish(&scene, THERE, TCP_ACK, 300, 1, 10, 9500);
        for (int capture = 0; capture < MATCH_CAPTURES; capture++)
            for (size_t i = 0; i < scene.count[capture]; i++) {
                if (capture == sender) scene.packet[capture][i].hops = 64;
                if (i) scene.packet[capture][i].t_ns = capture == sender ? INT64_MIN : INT64_MAX;
            }
        assert_int_equal(compare(&scene), 0);
        for (int capture = 0; capture < MATCH_CAPTURES; capture++) {
            assert_int_equal(scene.match.clamped[capture], 4);
            assert_int_equal(at(&scene, capture, 2)->t_ns, capture == sender ? 0 : CLOCKS_TIME_MOST_NS);
        }
        assert_true(scene.match.usual_ns[!swapped] > CLOCKS_TIME_MOST_NS / 2);
        for (size_t i = 1; i <= 4; i++) assert_same(&scene, i, i);
        /* Nobody can say how it would have come, or left, in such a time. */
        assert_int_equal(at(&scene, MATCH_A, 5)->fate, swapped ? FATE_CAME : FATE_UNKNOWN);
        assert_int_equal(at(&scene, MATCH_B, 5)->fate, swapped ? FATE_UNKNOWN : FATE_CAME);
        end(&scene);
    }
}

void times_up_to_the_last_of_32_bits_and_from_1970_on_are_taken_as_they_are(void **state)
{
    static const int64_t begins_ns[] = {0, 4294967295000000000 - SERVER_SKEW_US * INT64_C(1000)};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct scene scene = {.swapped = i & 1};
        open(&scene);
        vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
        pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 400000);
        close_both(&scene, 111, 501, 500000);
        for (int capture = 0; capture < MATCH_CAPTURES; capture++)
            for (size_t k = 0; k < scene.count[capture]; k++) scene.packet[capture][k].t_ns += begins_ns[i / 2] - EPOCH_NS;
        assert_int_equal(compare(&scene), 0);
        assert_int_equal(scene.match.clamped[MATCH_A] + scene.match.clamped[MATCH_B], 0);
        assert_int_equal(scene.match.clocks.piece[0].offset_ns, (i & 1 ? 1 : -1) * SERVER_SKEW_US * INT64_C(1000));
        assert_int_equal(at(&scene, i & 1 ? MATCH_B : MATCH_A, 4)->fate, FATE_LOST);
        end(&scene);
    }
}
