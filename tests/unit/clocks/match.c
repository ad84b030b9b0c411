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
#include "support/guard.h"

enum { PACKETS_MAX = 64, SERVER_SKEW_US = 777000000, DELAY_US = 5000 };
static const int64_t EPOCH_NS = 1700000000000000000;

/* Two captures of one connection: a at the client, b at the server, whose clock is 777 s ahead; the way takes 5 ms. */
struct scene {
    struct match_packet packet[MATCH_CAPTURES][PACKETS_MAX];
    size_t count[MATCH_CAPTURES];
    struct match match;
    bool timestamps, ids, swapped; /* swapped: a is at the server */
    uint16_t port, id;
};

enum way { THERE, BACK };

static struct address host(const char *text, uint16_t port)
{
    struct address address;
    assert_true(address_parse(text, &address));
    address.port = port;
    return address;
}

static struct match_packet segment(const struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack,
                                   uint32_t length)
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

static struct match_packet *see(struct scene *scene, bool at_server, struct match_packet packet, int64_t at_us)
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
static void pass(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us)
{
    struct match_packet packet = dress(scene, segment(scene, way, flags, seq, ack, length), at_us);
    see(scene, way == BACK, packet, at_us);
    packet.hops = 61; /* routers count it down */
    see(scene, way == THERE, packet, at_us + DELAY_US);
}

/* Leaves, and is never seen again. */
static void vanish(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us)
{
    see(scene, way == BACK, dress(scene, segment(scene, way, flags, seq, ack, length), at_us), at_us);
}

/* Arrives, and was never seen to leave. */
static void appear(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us)
{
    see(scene, way == THERE, dress(scene, segment(scene, way, flags, seq, ack, length), at_us - DELAY_US), at_us);
}

static void open(struct scene *scene)
{
    pass(scene, THERE, TCP_SYN, 100, 0, 0, 0);
    pass(scene, BACK, TCP_SYN | TCP_ACK, 500, 101, 0, 6000);
    pass(scene, THERE, TCP_ACK, 101, 501, 0, 12000);
}

/* The end: what both see, so that both captures are known to have been running until then. */
static void close_both(struct scene *scene, uint32_t seq, uint32_t ack, int64_t at_us)
{
    pass(scene, THERE, TCP_FIN | TCP_ACK, seq, ack, 0, at_us);
    pass(scene, BACK, TCP_FIN | TCP_ACK, ack, seq + 1, 0, at_us + 10000);
    pass(scene, THERE, TCP_ACK, seq + 1, ack + 1, 0, at_us + 20000);
}

static int compare(struct scene *scene)
{
    for (int i = 0; i < MATCH_CAPTURES; i++) {
        scene->match.packet[i] = scene->packet[i];
        scene->match.count[i] = scene->count[i];
        scene->match.first_ns[i] = scene->count[i] ? scene->packet[i][0].t_ns : 0;
        scene->match.last_ns[i] = scene->count[i] ? scene->packet[i][scene->count[i] - 1].t_ns : 0;
    }
    return match_run(&scene->match, 2);
}

static void end(struct scene *scene)
{
    match_free(&scene->match);
}

/* The n-th packet (from 1) of a capture. */
static const struct match_packet *at(const struct scene *scene, int capture, size_t n)
{
    assert_true(n >= 1 && n <= scene->count[capture]);
    return &scene->packet[capture][n - 1];
}

static void assert_same(const struct scene *scene, size_t a, size_t b)
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

static void a_large_packet_has_come_when_its_pieces_have(void **state)
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

static void a_piece_that_is_missing_leaves_a_hole_that_was_lost(void **state)
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

static void several_packets_that_came_as_one_have_all_come(void **state)
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

static void one_direction_is_sided_by_the_hop_limit(void **state)
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

static void what_nothing_tells_is_a_guess_and_said_to_be(void **state)
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

static void a_connection_that_is_in_one_capture_alone_is_not_lost(void **state)
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

static void a_syn_to_a_port_that_the_other_capture_watches_is_lost(void **state)
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

static void addresses_that_were_rewritten_on_the_way_are_found_by_the_syn(void **state)
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

static void a_syn_with_another_timestamp_or_between_several_ends_says_nothing(void **state)
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

static void nothing_at_all_is_refused(void **state)
{
    struct scene scene = {0};
    (void)state;
    assert_int_equal(compare(&scene), -ENODATA);
    end(&scene);
}

static void identification_and_hop_limit_are_read_out_of_the_frame(void **state)
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
static void times_that_no_file_should_hold_are_clamped_and_overflow_nothing(void **state)
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

static void times_up_to_the_last_of_32_bits_and_from_1970_on_are_taken_as_they_are(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_segment_finds_itself_in_the_other_capture),
        cmocka_unit_test(a_syn_that_was_lost_is_not_taken_for_its_repetition),
        cmocka_unit_test(data_that_was_sent_again_and_came_then_was_lost_the_first_time),
        cmocka_unit_test(what_was_acknowledged_is_missing_from_the_capture_and_was_not_lost),
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
