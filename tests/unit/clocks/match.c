/* Packets of two captures: which are the same segment, which end is whose, and what became of those that are in one alone. */
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

struct address host(const char *text, uint16_t port)
{
    struct address address;
    assert_true(address_parse(text, &address));
    address.port = port;
    return address;
}

struct match_packet segment(const struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
    struct address client = host("192.0.2.1", scene->port ? scene->port : 40000), server = host("192.0.2.2", 3333);
    return (struct match_packet){.header = {.src = way == THERE ? client : server,
                                            .dst = way == THERE ? server : client,
                                            .protocol = 6,
                                            .flags = flags,
                                            .seq = seq,
                                            .ack = ack,
                                            .window = 500,
                                            .length_bytes = length}};
}

struct match_packet *see(struct scene *scene, bool at_server, struct match_packet packet, int64_t at_us)
{
    int capture = at_server != scene->swapped ? MATCH_B : MATCH_A;
    size_t index = scene->count[capture]++;
    assert_true(index < PACKETS_MAX);
    packet.number = index + 1;
    packet.t_ns = EPOCH_NS + (at_us + (at_server ? SERVER_SKEW_US : 0)) * 1000;
    scene->packet[capture][index] = packet;
    return &scene->packet[capture][index];
}

static struct match_packet dress(struct scene *scene, struct match_packet packet, int64_t at_us)
{
    packet.has_ts = scene->timestamps;
    packet.ts_value = scene->timestamps ? (uint32_t)(at_us / 1000) : 0;
    packet.ip_id = scene->ids ? ++scene->id : 0;
    return packet;
}

/* Leaves at `at_us` and arrives (where it is seen to). */
void pass(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us)
{
    struct match_packet packet = dress(scene, segment(scene, way, flags, seq, ack, length), at_us);
    see(scene, way == BACK, packet, at_us);
    packet.hops = 61; /* routers count it down */
    see(scene, way == THERE, packet, at_us + DELAY_US);
}

/* Leaves, and is never seen again. */
void vanish(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us)
{
    see(scene, way == BACK, dress(scene, segment(scene, way, flags, seq, ack, length), at_us), at_us);
}

/* Arrives, and was never seen to leave. */
void appear(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us)
{
    see(scene, way == THERE, dress(scene, segment(scene, way, flags, seq, ack, length), at_us - DELAY_US), at_us);
}

void open(struct scene *scene)
{
    pass(scene, THERE, TCP_SYN, 100, 0, 0, 0);
    pass(scene, BACK, TCP_SYN | TCP_ACK, 500, 101, 0, 6000);
    pass(scene, THERE, TCP_ACK, 101, 501, 0, 12000);
}

/* The end: what both see, so that both captures are known to have been running until then. */
void close_both(struct scene *scene, uint32_t seq, uint32_t ack, int64_t at_us)
{
    pass(scene, THERE, TCP_FIN | TCP_ACK, seq, ack, 0, at_us);
    pass(scene, BACK, TCP_FIN | TCP_ACK, ack, seq + 1, 0, at_us + 10000);
    pass(scene, THERE, TCP_ACK, seq + 1, ack + 1, 0, at_us + 20000);
}

int compare(struct scene *scene)
{
    for (int i = 0; i < MATCH_CAPTURES; i++) {
        scene->match.packet[i] = scene->packet[i];
        scene->match.count[i] = scene->count[i];
        scene->match.first_ns[i] = scene->count[i] ? scene->packet[i][0].t_ns : 0;
        scene->match.last_ns[i] = scene->count[i] ? scene->packet[i][scene->count[i] - 1].t_ns : 0;
    }
    return match_run(&scene->match, 2);
}

void end(struct scene *scene)
{
    match_free(&scene->match);
}

/* The n-th packet (from 1) of a capture. */
const struct match_packet *at(const struct scene *scene, int capture, size_t n)
{
    assert_true(n >= 1 && n <= scene->count[capture]);
    return &scene->packet[capture][n - 1];
}

void assert_same(const struct scene *scene, size_t a, size_t b)
{
    assert_int_equal(at(scene, MATCH_A, a)->twin, b - 1);
    assert_int_equal(at(scene, MATCH_B, b)->twin, a - 1);
}

static void each_segment_finds_itself_in_the_other_capture(void **state)
{
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct scene scene = {.swapped = swapped};
        open(&scene);
        close_both(&scene, 101, 501, 30000);
        assert_int_equal(compare(&scene), 0);
        for (size_t n = 1; n <= 6; n++) assert_same(&scene, n, n);
        assert_false(scene.match.guessed);
        /* Which of the two is nearer to the client, the times say. */
        assert_int_equal(at(&scene, MATCH_A, 1)->sender_side, !swapped);
        assert_in_range(scene.match.usual_ns[1], 4999000, 5001000);
        assert_in_range(at(&scene, MATCH_B, 1)->common_ns - at(&scene, MATCH_A, 1)->common_ns + 5001000, 0, 10002000);
        end(&scene);
    }
}

static void a_syn_that_was_lost_is_not_taken_for_its_repetition(void **state)
{
    struct scene scene = {0};
    (void)state;
    vanish(&scene, THERE, TCP_SYN, 100, 0, 0, -1000000);
    open(&scene);
    close_both(&scene, 101, 501, 30000);
    assert_int_equal(compare(&scene), 0);
    assert_same(&scene, 2, 1);
    assert_int_equal(at(&scene, MATCH_A, 1)->twin, MATCH_NONE);
    assert_int_equal(at(&scene, MATCH_A, 1)->fate, FATE_LOST);
    assert_true(at(&scene, MATCH_A, 1)->early); /* b's capture has nothing from before: it is said */
    end(&scene);
}

static void data_that_was_sent_again_and_came_then_was_lost_the_first_time(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
    pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 220000);
    pass(&scene, BACK, TCP_ACK, 501, 111, 0, 226000);
    close_both(&scene, 111, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_LOST);
    assert_false(at(&scene, MATCH_A, 4)->early);
    assert_same(&scene, 5, 4);
    assert_false(scene.match.short_of[MATCH_A] || scene.match.short_of[MATCH_B]);
    end(&scene);
}

static void what_was_acknowledged_is_missing_from_the_capture_and_was_not_lost(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000); /* it came: the next line says so */
    pass(&scene, BACK, TCP_ACK, 501, 111, 0, 26000);
    vanish(&scene, THERE, TCP_ACK, 111, 501, 0, 40000); /* what nobody acknowledges, of a capture that drops: not known */
    close_both(&scene, 111, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_PASSED);
    assert_int_equal(at(&scene, MATCH_A, 6)->fate, FATE_UNKNOWN);
    assert_true(scene.match.short_of[MATCH_B]);
    assert_false(scene.match.short_of[MATCH_A]);
    end(&scene);
}

/* Sent twice, and the second is captured at both places; whether the first came, only an ACK that one place lacks can tell. */
static void an_ack_that_only_its_receiver_saw_proves_what_came_before_it(void **state)
{
    (void)state;
    for (int answered = 0; answered <= 1; answered++) {
        struct scene scene = {.timestamps = true};
        open(&scene);
        vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
        if (answered) appear(&scene, BACK, TCP_ACK, 501, 111, 0, 32000);
        pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 240000);
        pass(&scene, BACK, TCP_ACK, 501, 111, 0, 252000);
        close_both(&scene, 111, 501, 300000);
        assert_int_equal(compare(&scene), 0);
        assert_int_equal(at(&scene, MATCH_A, 4)->fate, answered ? FATE_PASSED : FATE_LOST);
        end(&scene);
    }
}

static void a_lost_ack_of_a_capture_that_drops_nothing_is_lost(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK, 101, 501, 0, 40000);
    close_both(&scene, 101, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_LOST);
    end(&scene);
}

static void what_left_when_the_other_capture_had_ended_is_not_known(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 900000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_UNKNOWN);
    end(&scene);
}

static void what_arrives_and_never_left_is_missing_from_the_senders_capture(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    appear(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 30000);
    pass(&scene, BACK, TCP_ACK, 501, 111, 0, 31000);
    close_both(&scene, 111, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_B, 4)->fate, FATE_UNSENT);
    assert_true(scene.match.short_of[MATCH_A]);
    end(&scene);
}

static void a_reset_that_nobody_sent_says_nothing_of_the_capture(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    appear(&scene, THERE, TCP_RST, 101, 0, 0, 30000);
    pass(&scene, BACK, TCP_ACK | TCP_PSH, 501, 101, 5, 40000);
    pass(&scene, THERE, TCP_ACK, 101, 506, 0, 50000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_B, 4)->fate, FATE_UNSENT);
    assert_false(scene.match.short_of[MATCH_A]);
    end(&scene);
}

static void what_came_twice_and_left_once_is_a_copy(void **state)
{
    struct scene scene = {.timestamps = true, .ids = true};
    (void)state;
    open(&scene);
    pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
    see(&scene, true, scene.packet[MATCH_B][scene.count[MATCH_B] - 1], 25500);
    close_both(&scene, 111, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_same(&scene, 4, 4);
    assert_int_equal(at(&scene, MATCH_B, 5)->fate, FATE_COPY);
    end(&scene);
}

static void what_came_under_another_identification_was_sent_again_and_is_no_copy(void **state)
{
    struct scene scene = {.ids = true};
    (void)state;
    open(&scene);
    pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
    appear(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 30000); /* its sender's capture dropped it */
    close_both(&scene, 111, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_same(&scene, 4, 4);
    assert_int_equal(at(&scene, MATCH_B, 5)->fate, FATE_UNSENT);
    end(&scene);
}

static void a_repetition_that_left_after_the_acknowledgement_was_lost_by_itself(void **state)
{
    struct scene scene = {.timestamps = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000); /* b's capture dropped it: it was acknowledged */
    vanish(&scene, BACK, TCP_ACK, 501, 111, 0, 26000);             /* … in vain */
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 220000);
    pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 620000);
    pass(&scene, BACK, TCP_ACK, 501, 111, 0, 626000);
    close_both(&scene, 111, 501, 700000);
    assert_int_equal(compare(&scene), 0);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_PASSED);
    assert_int_equal(at(&scene, MATCH_A, 5)->fate, FATE_LOST);
    end(&scene);
}

static void what_one_capture_shows_on_two_interfaces_is_one_packet(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct scene scene = {.timestamps = true, .ids = true};
        open(&scene);
        pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
        close_both(&scene, 111, 501, 300000);
        for (size_t i = scene.count[MATCH_A]; i-- > 0;) { /* each one again, 20 us later: a bridge's port */
            struct match_packet packet = scene.packet[MATCH_A][i];
            scene.packet[MATCH_A][2 * i] = packet;
            packet.t_ns += 20000;
            packet.interface = (uint32_t)named;
            scene.packet[MATCH_A][2 * i + 1] = packet;
        }
        scene.count[MATCH_A] *= 2;
        for (size_t i = 0; i < scene.count[MATCH_A]; i++) scene.packet[MATCH_A][i].number = i + 1;
        assert_int_equal(compare(&scene), 0);
        for (size_t i = 0; i < scene.count[MATCH_A]; i++) {
            const struct match_packet *packet = &scene.packet[MATCH_A][i];
            assert_true(packet->fate != FATE_LOST && packet->fate != FATE_UNSENT);
            assert_int_equal(packet->doubled, i & 1);
            if (!(i & 1)) assert_int_equal(packet->twin, i / 2);
        }
        assert_false(scene.match.short_of[MATCH_B]);
        end(&scene);
    }
}

static void of_equals_the_identification_says_which_was_lost(void **state)
{
    struct scene scene = {.ids = true};
    (void)state;
    open(&scene);
    vanish(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 20000);
    pass(&scene, THERE, TCP_ACK | TCP_PSH, 101, 501, 10, 21000);
    close_both(&scene, 111, 501, 300000);
    assert_int_equal(compare(&scene), 0);
    assert_true(scene.match.ids_kept);
    assert_same(&scene, 5, 4);
    assert_int_equal(at(&scene, MATCH_A, 4)->twin, MATCH_NONE);
    end(&scene);
}

static void of_equals_without_any_mark_the_delay_says_which_was_lost(void **state)
{
    struct scene scene = {0};
    (void)state;
    open(&scene);
    for (int i = 0; i < 4; i++) { /* keepalives, 200 ms apart, all alike: the second and the fourth came */
        if (i & 1)
            pass(&scene, THERE, TCP_ACK, 100, 501, 0, 200000 * (i + 1));
        else
            vanish(&scene, THERE, TCP_ACK, 100, 501, 0, 200000 * (i + 1));
    }
    close_both(&scene, 101, 501, 2000000);
    assert_int_equal(compare(&scene), 0);
    assert_same(&scene, 5, 4);
    assert_same(&scene, 7, 5);
    assert_int_equal(at(&scene, MATCH_A, 4)->fate, FATE_LOST);
    assert_int_equal(at(&scene, MATCH_A, 6)->fate, FATE_LOST);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_segment_finds_itself_in_the_other_capture),
        cmocka_unit_test(a_syn_that_was_lost_is_not_taken_for_its_repetition),
        cmocka_unit_test(data_that_was_sent_again_and_came_then_was_lost_the_first_time),
        cmocka_unit_test(what_was_acknowledged_is_missing_from_the_capture_and_was_not_lost),
        cmocka_unit_test(an_ack_that_only_its_receiver_saw_proves_what_came_before_it),
        cmocka_unit_test(a_lost_ack_of_a_capture_that_drops_nothing_is_lost),
        cmocka_unit_test(what_left_when_the_other_capture_had_ended_is_not_known),
        cmocka_unit_test(what_arrives_and_never_left_is_missing_from_the_senders_capture),
        cmocka_unit_test(a_reset_that_nobody_sent_says_nothing_of_the_capture),
        cmocka_unit_test(what_came_twice_and_left_once_is_a_copy),
        cmocka_unit_test(what_came_under_another_identification_was_sent_again_and_is_no_copy),
        cmocka_unit_test(a_repetition_that_left_after_the_acknowledgement_was_lost_by_itself),
        cmocka_unit_test(what_one_capture_shows_on_two_interfaces_is_one_packet),
        cmocka_unit_test(of_equals_the_identification_says_which_was_lost),
        cmocka_unit_test(of_equals_without_any_mark_the_delay_says_which_was_lost),
        cmocka_unit_test(a_large_packet_has_come_when_its_pieces_have),
        cmocka_unit_test(a_piece_that_is_missing_leaves_a_hole_that_was_lost),
        cmocka_unit_test(several_packets_that_came_as_one_have_all_come),
        cmocka_unit_test(one_direction_is_sided_by_the_hop_limit),
        cmocka_unit_test(what_nothing_tells_is_a_guess_and_said_to_be),
        cmocka_unit_test(a_connection_that_is_in_one_capture_alone_is_not_lost),
        cmocka_unit_test(a_syn_to_a_port_that_the_other_capture_watches_is_lost),
        cmocka_unit_test(addresses_that_were_rewritten_on_the_way_are_found_by_the_syn),
        cmocka_unit_test(a_syn_with_another_timestamp_or_between_several_ends_says_nothing),
        cmocka_unit_test(nothing_at_all_is_refused),
        cmocka_unit_test(identification_and_hop_limit_are_read_out_of_the_frame),
        cmocka_unit_test(times_that_no_file_should_hold_are_clamped_and_overflow_nothing),
        cmocka_unit_test(times_up_to_the_last_of_32_bits_and_from_1970_on_are_taken_as_they_are),
    };
    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
