/* A capture that is in its file twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "read/repeats.h"

/* A letter a packet: its bytes and its length follow from it; "A" is at 1 s, "B" at 2 s, and so on, "a" like "A" but of other
 * bytes. */
static struct savefile_packet packet_of(char letter, uint64_t number)
{
    static const uint8_t bytes[2][40] = {"the bytes that a packet has here", "other bytes than those have there"};
    int at = (letter | 0x20) - 'a';
    return (struct savefile_packet){.t_ns = 1000000000LL * (1 + at),
                                    .bytes = bytes[letter >= 'a'],
                                    .captured = 5 + (uint32_t)at % 20,
                                    .wire = 50 + (uint32_t)at,
                                    .number = number};
}

/* What is left of these packets, read `size` at a time. */
static const char *left_of(const char *letters, size_t size)
{
    static char left[64];
    struct repeats repeats = {0};
    size_t length = 0, all = strlen(letters);
    for (size_t i = 0; i < all; i += size) {
        struct savefile_packet packets[64];
        size_t count = all - i < size ? all - i : size;
        for (size_t k = 0; k < count; k++) packets[k] = packet_of(letters[i + k], i + k);
        count = repeats_leave_out(&repeats, packets, count);
        for (size_t k = 0; k < count; k++) left[length++] = letters[packets[k].number];
    }
    assert_int_equal(repeats.left_out, all - length);
    repeats_close(&repeats);
    left[length] = '\0';
    return left;
}

static void what_is_there_twice_counts_once(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"ABCABC", "ABC"},
        {"ABCABCABC", "ABC"},
        {"ABCABCD", "ABCD"},
        {"ABCABD", "ABCD"},     /* it ends where the packets differ */
        {"ABCABDABCD", "ABCD"}, /* and what came instead belongs to it from then on */
        {"ABCBC", "ABCBC"},     /* not from the first on */
        {"ABCaBC", "ABCaBC"},   /* the first is another packet of the same time and length */
        {"AAA", "AAA"},         /* no time has gone by: clocks may be coarse */
        {"ABACBC", "ABCBC"},    /* one alone; behind it all is as it was */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t size = 1; size < 8; size++) assert_string_equal(left_of(cases[i][0], size), cases[i][1]);
}

/* A packet's further sight stands behind later ones, on another interface: conn/sights.c tells of those. */
static void a_tenth_of_a_second_is_no_repetition(void **state)
{
    (void)state;
    for (int64_t more_ns = 0; more_ns < 2; more_ns++) {
        struct savefile_packet packets[3] = {packet_of('A', 0), packet_of('B', 1), packet_of('A', 2)};
        packets[1].t_ns = packets[0].t_ns + 100000000 + more_ns;
        struct repeats repeats = {0};
        assert_int_equal(repeats_leave_out(&repeats, packets, 3), 3 - more_ns);
        repeats_close(&repeats);
    }
}

static void without_a_time_nothing_is_known_again(void **state)
{
    (void)state;
    struct savefile_packet packets[4] = {packet_of('A', 0), packet_of('B', 1), packet_of('A', 2), packet_of('B', 3)};
    struct repeats repeats = {0};
    packets[2].untimed = true;
    assert_int_equal(repeats_leave_out(&repeats, packets, 4), 4);
    repeats_close(&repeats);
}

/* One packet more than are remembered: then not even the first ones are left out, as all of it could not be. */
static void of_a_longer_capture_nothing_is_left_out(void **state)
{
    (void)state;
    for (size_t length = REPEATS_MAX - 1; length <= REPEATS_MAX; length++) {
        struct repeats repeats = {0};
        for (size_t i = 0; i < 2 * length; i++) {
            struct savefile_packet packet = packet_of('A', i);
            packet.t_ns = 1000000 * (int64_t)(i % length);
            assert_int_equal(repeats_leave_out(&repeats, &packet, 1), i < length || length == REPEATS_MAX);
        }
        assert_true(repeats.room <= REPEATS_MAX);
        repeats_close(&repeats);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_twice_counts_once),
        cmocka_unit_test(a_tenth_of_a_second_is_no_repetition),
        cmocka_unit_test(without_a_time_nothing_is_known_again),
        cmocka_unit_test(of_a_longer_capture_nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
