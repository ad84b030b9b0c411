/* One packet, seen several times (src/conn/sights.c); each bound just inside and just outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/exchange.h"

/* A packet of c by its look, `pause` after the one before it, which is a segment with `first`; whether it is a second sight. */
static bool is_sight_after(const char *before, const char *pause, const char *then)
{
    struct exchange x;
    char steps[512];
    exchange_begin(&x);
    snprintf(steps, sizeof(steps), "%s %s %s", before, pause, then);
    exchange_say(&x, steps);
    return x.verdict.class == CONN_SIGHT;
}

/* Looks are identification * 65536 + checksum: 7:100 and so on. */
#define LOOK_7 "458852"
#define LOOK_8 "524388"
#define LOOK_8_OTHER "524389"
#define VARY "c:PA:1:1:5:1000:" LOOK_7 " c:PA:6:1:5:1000:" LOOK_8

static void the_same_packet_within_ten_milliseconds_is_a_sight(void **state)
{
    (void)state;
    /* A step is a millisecond. */
    assert_true(is_sight_after(VARY, "+-1ms", "c:PA:6:1:5:1000:" LOOK_8));
    assert_true(is_sight_after(VARY, "+9ms", "c:PA:6:1:5:1000:" LOOK_8));
    assert_false(is_sight_after(VARY, "+9000001ns", "c:PA:6:1:5:1000:" LOOK_8));
}

static void times_may_step_back_as_far(void **state)
{
    (void)state;
    assert_true(is_sight_after(VARY, "+-11ms", "c:PA:6:1:5:1000:" LOOK_8));
    assert_false(is_sight_after(VARY, "+-11000001ns", "c:PA:6:1:5:1000:" LOOK_8));
}

static void on_another_interface_it_is_one_within_a_tenth_of_a_second(void **state)
{
    (void)state;
    const char *first = "c:PA:1:1:5:1000:" LOOK_7 ":1";
    assert_true(is_sight_after(first, "+99ms", "c:PA:1:1:5:1000:" LOOK_7 ":2"));
    assert_false(is_sight_after(first, "+99000001ns", "c:PA:1:1:5:1000:" LOOK_7 ":2"));
}

static void on_another_interface_no_identification_is_needed(void **state)
{
    (void)state;
    assert_true(is_sight_after("c:PA:1:1:5:1000:100:1", "", "c:PA:1:1:5:1000:100:2"));
    assert_false(is_sight_after("c:PA:1:1:5:1000:100:1", "", "c:PA:1:1:5:1000:100:1"));
    assert_false(is_sight_after("c:PA:1:1:5:1000:100", "", "c:PA:1:1:5:1000:100"));
}

/* Equal numbers are all that there is to tell by, and what TCP sends again has them too. */
static void without_a_checksum_only_another_interface_tells(void **state)
{
    (void)state;
    assert_true(is_sight_after("c:PAu:1:1:5:1000:100:1", "", "c:PAu:1:1:5:1000:100:2"));
    assert_false(is_sight_after("c:PAu:1:1:5:1000:100:1", "+99000001ns", "c:PAu:1:1:5:1000:100:2"));
    assert_false(is_sight_after(VARY, "", "c:PAu:6:1:5:1000:" LOOK_8));
    assert_false(is_sight_after(VARY ":1", "", "c:PAu:6:1:5:1000:" LOOK_8 ":1"));
    assert_false(is_sight_after("c:S:0:0:0:1000:100", "", "c:Su:0:0:0:1000:100"));
}

static void another_identification_or_checksum_is_another_packet(void **state)
{
    (void)state;
    assert_false(is_sight_after(VARY, "", "c:PA:6:1:5:1000:" LOOK_8_OTHER));
    assert_false(is_sight_after(VARY, "", "c:PA:6:1:5:1000:589924"));
}

static void where_identifications_stay_the_same_they_tell_nothing(void **state)
{
    (void)state;
    assert_false(is_sight_after("c:PA:1:1:5:1000:" LOOK_8 " c:PA:6:1:5:1000:" LOOK_8_OTHER, "", "c:PA:6:1:5:1000:" LOOK_8_OTHER));
}

static void the_second_packet_of_an_end_may_be_a_sight_already(void **state)
{
    (void)state;
    assert_true(is_sight_after("c:S:0:0:0:1000:" LOOK_7, "+-1ms", "c:S:0:0:0:1000:" LOOK_7));
}

static void a_syn_ack_without_an_identification_is_told_by_its_time(void **state)
{
    (void)state;
    assert_true(is_sight_after("c:S:0:0:0:1000:" LOOK_7 " s:SA:0:1:0:1000:100", "+9ms", "s:SA:0:1:0:1000:100"));
    assert_false(is_sight_after("c:S:0:0:0:1000:" LOOK_7 " s:SA:0:1:0:1000:100", "+9000001ns", "s:SA:0:1:0:1000:100"));
    assert_false(is_sight_after("c:S:0:0:0:1000:" LOOK_7 " s:SA:0:1:0:1000:100 c:A:1:1:0:1000:" LOOK_8 " s:A:1:1:0:1000:101", "",
                                "s:A:1:1:0:1000:101"));
}

/* The time that counts is the SYN,ACK's own: what was said meanwhile does not bring the repeat nearer. */
static void a_syn_ack_that_comes_again_in_the_midst_of_others_is_told_by_its_own_time(void **state)
{
    (void)state;
    const char *open = "c:S:0:0:0:1000:" LOOK_7 " s:SA:0:1:0:1000:100 c:A:1:1:0:1000:" LOOK_8;
    assert_true(is_sight_after(open, "+8ms", "s:SA:0:1:0:1000:100"));
    assert_false(is_sight_after(open, "+8002us", "s:SA:0:1:0:1000:100"));
    const char *places = "c:S:0:0:0:1000:" LOOK_7 ":1 s:SA:0:1:0:1000:100:1 c:A:1:1:0:1000:" LOOK_8 ":1";
    assert_true(is_sight_after(places, "+98ms", "s:SA:0:1:0:1000:100:2"));
    assert_false(is_sight_after(places, "+98002us", "s:SA:0:1:0:1000:100:2"));
}

static void behind_a_fin_a_syn_has_no_time_of_its_own(void **state)
{
    (void)state;
    const char *end = "c:S:0:0:0:1000:" LOOK_7 " s:SA:0:1:0:1000:100 c:A:1:1:0:1000:" LOOK_8 " s:FA:1:1:0:1000:101";
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, end);
    exchange_say(&x, "s:FA:1:1:0:1000:101");
    assert_classes(&x, "again");
    assert_false(is_sight_after(end, "", "s:SA:0:1:0:1000:100"));
}

/* A checksum that is left to the device covers addresses and length; an edited capture's covers what was. */
static void packets_with_other_numbers_have_another_look(void **state)
{
    (void)state;
    const struct conn_segment one = {.seq = 1, .ack = 2, .length_bytes = 30, .flags = TCP_ACK};
    struct conn_segment seq = one, ack = one, length = one, flags = one;
    seq.seq++;
    ack.ack++;
    length.length_bytes++;
    flags.flags |= TCP_FIN;
    const uint32_t look = conn_look(7, 100, &one);
    assert_int_equal(conn_look(7, 100, &one), look);
    assert_int_not_equal(conn_look(7, 100, &seq), look);
    assert_int_not_equal(conn_look(7, 100, &ack), look);
    assert_int_not_equal(conn_look(7, 100, &length), look);
    assert_int_not_equal(conn_look(7, 100, &flags), look);
    assert_int_not_equal(conn_look(8, 100, &one), look);
    assert_int_not_equal(conn_look(7, 101, &one), look);
    assert_int_not_equal(conn_look(7, 0, &seq), conn_look(7, 0, &one));
    for (uint32_t checksum = 0; checksum < 65536; checksum++) assert_true((uint16_t)conn_look(7, (uint16_t)checksum, &one));
}

/* What is one more in the numbers is one less in the checksum. */
static void a_number_and_the_checksum_do_not_cancel_out(void **state)
{
    (void)state;
    const struct conn_segment ack = {.seq = 14903, .ack = 4858, .flags = TCP_ACK};
    const uint32_t look = conn_look(0, 0xa96d, &ack);
    for (uint16_t more = 1; more < 1000; more++) {
        struct conn_segment others[] = {ack, ack, ack, ack};
        others[0].seq += more;
        others[1].ack += more;
        others[2].length_bytes += more;
        others[3].flags = (uint8_t)(TCP_ACK ^ more);
        const uint16_t checksums[] = {(uint16_t)(0xa96d - more), (uint16_t)(0xa96d + more), (uint16_t)(0xa96d ^ more)};
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 3; j++) assert_int_not_equal(conn_look(0, checksums[j], &others[i]), look);
    }
}

/* An ACK and the FIN 0.3 ms behind it, of a host that writes no identification. */
static void an_ack_and_the_fin_behind_it_are_two(void **state)
{
    (void)state;
    struct exchange x;
    char steps[160];
    const struct conn_segment ack = {.seq = 14903, .ack = 4858, .flags = TCP_ACK};
    const struct conn_segment fin = {.seq = 14903, .ack = 4858, .flags = TCP_ACK | TCP_FIN};
    exchange_begin(&x);
    snprintf(steps, sizeof(steps), HANDSHAKE "c:A:1:1:0:1000:%u +-700us c:FA:1:1:0:1000:%u", conn_look(0, 0xa96d, &ack),
             conn_look(0, 0xa96c, &fin));
    exchange_say(&x, steps);
    assert_classes(&x, "new new ack duplicate-ack new");
}

static void nor_does_it_say_that_identifications_stay(void **state)
{
    (void)state;
    assert_true(
        is_sight_after("s:SA:0:1:0:1000:100 +1s s:SA:0:1:0:1000:100 s:PA:1:1:5:1000:" LOOK_7, "", "s:PA:1:1:5:1000:" LOOK_7));
}

static void a_packet_without_a_look_is_never_a_sight(void **state)
{
    (void)state;
    assert_false(is_sight_after("c:PA:1:1:5", "", "c:PA:1:1:5"));
    assert_false(is_sight_after("c:PA:1:1:5:1000:0:1", "", "c:PA:1:1:5:1000:0:2"));
}

/* Eight looks are remembered once one was seen twice. */
static void a_sight_of_one_of_the_last_eight_is_one(void **state)
{
    (void)state;
    for (unsigned between = 0; between < 9; between++) {
        struct exchange x;
        char step[96];
        exchange_begin(&x);
        exchange_say(&x, VARY " c:PA:6:1:5:1000:" LOOK_8);
        assert_int_equal(x.verdict.class, CONN_SIGHT);
        for (unsigned i = 0; i < between; i++) {
            snprintf(step, sizeof(step), "c:PA:%u:1:5:1000:%u", 11 + 5 * i, (20 + i) << 16 | 100);
            exchange_say(&x, step);
        }
        exchange_say(&x, "c:PA:6:1:5:1000:" LOOK_8);
        assert_int_equal(x.verdict.class == CONN_SIGHT, between < 8);
    }
}

static void sights_are_counted_and_nothing_else_is(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0:1000:458852 c:S:0:0:0:1000:458852 s:SA:0:1:0:1000:458852 s:SA:0:1:0:1000:458852 "
                     "c:A:1:1:0:1000:524388 c:A:1:1:0:1000:524388");
    assert_classes(&x, "new sight new sight ack sight");
    assert_int_equal(exchange_more(&x, 'c')->sights, 2);
    assert_int_equal(exchange_more(&x, 's')->sights, 1);
    assert_int_equal(exchange_end(&x, 'c')->segments, 2);
    assert_int_equal(exchange_end(&x, 'c')->again_count, 0);
    assert_stands(&x, "ESTABLISHED ESTABLISHED open -");
}

static void a_packet_seen_on_four_interfaces_is_one(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, "c:S:0:0:0:1000:458852:1 c:S:0:0:0:1000:458852:2 c:S:0:0:0:1000:458852:3 c:S:0:0:0:1000:458852:4");
    assert_classes(&x, "new sight sight sight");
    assert_int_equal(exchange_end(&x, 'c')->segments, 1);
}

static void without_a_second_record_a_sight_is_one_all_the_same(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.no_memory = true;
    exchange_say(&x, "c:S:0:0:0:1000:458852 c:S:0:0:0:1000:458852");
    assert_classes(&x, "new sight");
}

static void times_of_centuries_are_no_neighbours(void **state)
{
    (void)state;
    struct exchange x;
    exchange_begin(&x);
    x.t_ns = INT64_MIN;
    exchange_say(&x, "c:PA:1:1:5:1000:458852");
    x.t_ns = INT64_MAX - 5000000;
    exchange_say(&x, "c:PA:1:1:5:1000:458852");
    assert_classes(&x, "again");
}

/* Mirrored, without identifications (IPv6): each bound just inside and just outside. */
static void without_an_identification_data_at_once_with_no_word_between_is_a_sight(void **state)
{
    (void)state;
    const char *first = "c:PA:1:1:5:1000:100";
    assert_true(is_sight_after(first, "+-500us", "c:PA:1:1:5:1000:100"));
    assert_false(is_sight_after(first, "+-499999ns", "c:PA:1:1:5:1000:100"));
    assert_false(is_sight_after("c:PA:1:1:5:1000:100 +-900us s:A:1:1:0:1000:200", "+-900us", "c:PA:1:1:5:1000:100"));
}

static void without_an_identification_an_ack_is_one_where_two_others_were(void **state)
{
    (void)state;
    const char *one = "c:S:0:0:0:1000:100 +-999us c:S:0:0:0:1000:100 s:SA:0:1:0:1000:200 c:A:1:1:0:1000:300",
               *two = "c:S:0:0:0:1000:100 +-999us c:S:0:0:0:1000:100 s:SA:0:1:0:1000:200 +-999us s:SA:0:1:0:1000:200 "
                      "c:A:1:1:0:1000:300";
    assert_false(is_sight_after(one, "+-999us", "c:A:1:1:0:1000:300"));
    assert_true(is_sight_after(two, "+-999us", "c:A:1:1:0:1000:300"));
}

/* As far behind as others were, and again as much: 976 units of 1024 ns, twice. */
static void where_others_came_later_so_may_an_ack(void **state)
{
    (void)state;
    const char *later = "c:S:0:0:0:1000:100 c:S:0:0:0:1000:100 s:SA:0:1:0:1000:200 s:SA:0:1:0:1000:200 c:A:1:1:0:1000:300";
    assert_true(is_sight_after(later, "+998848ns", "c:A:1:1:0:1000:300"));
    assert_false(is_sight_after(later, "+998849ns", "c:A:1:1:0:1000:300"));
    /* never more than a packet with an identification */
    const char *late = "c:S:0:0:0:1000:100 +9ms c:S:0:0:0:1000:100 s:SA:0:1:0:1000:200 +9ms s:SA:0:1:0:1000:200 c:A:1:1:0:1000:300";
    assert_true(is_sight_after(late, "+9ms", "c:A:1:1:0:1000:300"));
    assert_false(is_sight_after(late, "+9000001ns", "c:A:1:1:0:1000:300"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_packet_within_ten_milliseconds_is_a_sight),
        cmocka_unit_test(times_may_step_back_as_far),
        cmocka_unit_test(on_another_interface_it_is_one_within_a_tenth_of_a_second),
        cmocka_unit_test(on_another_interface_no_identification_is_needed),
        cmocka_unit_test(without_a_checksum_only_another_interface_tells),
        cmocka_unit_test(another_identification_or_checksum_is_another_packet),
        cmocka_unit_test(where_identifications_stay_the_same_they_tell_nothing),
        cmocka_unit_test(the_second_packet_of_an_end_may_be_a_sight_already),
        cmocka_unit_test(a_syn_ack_without_an_identification_is_told_by_its_time),
        cmocka_unit_test(a_syn_ack_that_comes_again_in_the_midst_of_others_is_told_by_its_own_time),
        cmocka_unit_test(behind_a_fin_a_syn_has_no_time_of_its_own),
        cmocka_unit_test(packets_with_other_numbers_have_another_look),
        cmocka_unit_test(a_number_and_the_checksum_do_not_cancel_out),
        cmocka_unit_test(an_ack_and_the_fin_behind_it_are_two),
        cmocka_unit_test(nor_does_it_say_that_identifications_stay),
        cmocka_unit_test(a_packet_without_a_look_is_never_a_sight),
        cmocka_unit_test(a_sight_of_one_of_the_last_eight_is_one),
        cmocka_unit_test(sights_are_counted_and_nothing_else_is),
        cmocka_unit_test(a_packet_seen_on_four_interfaces_is_one),
        cmocka_unit_test(without_a_second_record_a_sight_is_one_all_the_same),
        cmocka_unit_test(times_of_centuries_are_no_neighbours),
        cmocka_unit_test(without_an_identification_data_at_once_with_no_word_between_is_a_sight),
        cmocka_unit_test(without_an_identification_an_ack_is_one_where_two_others_were),
        cmocka_unit_test(where_others_came_later_so_may_an_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
