/* Two clocks and a network made up, so that the truth is known: it lies within what the estimate says of itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clocks/clocks.h"
#include "clocks/corridor.h"
#include "clocks_own.h"

uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

int64_t below(uint64_t *seed, int64_t limit)
{
    return limit > 0 ? (int64_t)(next_random(seed) % (uint64_t)limit) : 0;
}

/* What b's clock shows when a's shows t. */
static int64_t b_clock(const struct world *world, int64_t t_ns)
{
    int64_t passed_ns = t_ns - EPOCH_NS;
    int64_t step_ns = world->step_ns && passed_ns >= world->step_at_ns ? world->step_ns : 0;
    return t_ns + world->offset_ns + (int64_t)(world->drift * (double)passed_ns) + step_ns;
}

static int64_t cut(const struct world *world, int64_t t_ns)
{
    return world->tick_ns ? t_ns - t_ns % world->tick_ns : t_ns;
}

static int by_b(const void *left, const void *right)
{
    const struct clocks_pair *a = left, *b = right;
    return (a->order > b->order) - (a->order < b->order);
}

size_t play(const struct world *world, struct clocks_pair *pairs)
{
    uint64_t seed = world->seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < world->count; i++) {
        int64_t sent_ns = EPOCH_NS + (int64_t)((double)world->span_ns * (double)i / (double)world->count);
        bool forth = world->only_there || next_random(&seed) & 1 || (i == 0 && world->count == 2);
        if (i == 1 && world->count == 2) forth = world->only_there;
        int64_t received_ns = sent_ns + (forth ? world->there_ns : world->back_ns) + below(&seed, world->jitter_ns);
        int64_t at_a = forth ? sent_ns : received_ns, at_b = forth ? received_ns : sent_ns;
        /* b's capture is in the order of what happened, whatever its clock showed. */
        pairs[i] = (struct clocks_pair){cut(world, at_a), cut(world, b_clock(world, at_b)), (uint64_t)(at_b - EPOCH_NS), forth};
    }
    qsort(pairs, world->count, sizeof(*pairs), by_b);
    for (size_t i = 0; i < world->count; i++) pairs[i].order = i + 1;
    return world->count;
}

int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Every time that the clocks correct is within what they say of themselves, and nothing arrives before it was sent. */
static void assert_truth_is_within(const struct world *world, struct clocks *ret_clocks)
{
    static struct clocks_pair pairs[PAIRS_MAX];
    size_t count = play(world, pairs);
    int64_t slack_ns = world->tick_ns ? 2 * world->tick_ns : 2;
    assert_int_equal(clocks_estimate(ret_clocks, pairs, count, slack_ns), 0);
    for (size_t i = 0; i < count; i++) {
        const struct clocks_piece *piece = clocks_at(ret_clocks, pairs[i].order);
        int64_t a_ns = clocks_to_a(ret_clocks, pairs[i].order, pairs[i].b_ns);
        int64_t flight_ns = pairs[i].forth ? a_ns - pairs[i].a_ns : pairs[i].a_ns - a_ns;
        if (!piece->left_out) assert_true(flight_ns >= -slack_ns - 2);
        if (piece->uncertainty_ns < 0) continue;
        /* The true time: where b's clock shows this. By halves, because b's clock only goes up within a piece. */
        int64_t low = a_ns - 4000000000, high = a_ns + 4000000000;
        if (world->step_ns) {
            int64_t step_ns = EPOCH_NS + world->step_at_ns;
            bool behind = piece != &ret_clocks->piece[0];
            if (behind && low < step_ns) low = step_ns;
            if (!behind && high >= step_ns) high = step_ns - 1;
        }
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (b_clock(world, middle) < pairs[i].b_ns)
                low = middle + 1;
            else
                high = middle;
        }
        if (distance(a_ns, low) > piece->most_ns + slack_ns)
            fail_msg("seed %llu: off by %lld ns, said to be within %lld", (unsigned long long)world->seed,
                     (long long)distance(a_ns, low), (long long)piece->most_ns);
    }
}

static void the_truth_lies_within_what_is_said_whatever_the_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t chance = seed * 77777;
        struct world world = {.seed = seed, .tick_ns = seed % 3 ? 0 : 1000};
        world.offset_ns = below(&chance, 4000000000000) - 2000000000000;
        world.drift = (double)(below(&chance, 200001) - 100000) * 1e-9;
        world.there_ns = below(&chance, 1 << (int)(10 + seed % 18));
        world.back_ns = below(&chance, 1 << (int)(10 + seed % 13));
        world.jitter_ns = below(&chance, 1 << (int)(8 + seed % 20));
        world.span_ns = 1000000 + below(&chance, 600000000000);
        world.count = (size_t)(8 + below(&chance, 500));
        struct clocks clocks;
        assert_truth_is_within(&world, &clocks);
        assert_int_equal(clocks.count, 1);
        assert_int_equal(clocks.piece[0].left_out, 0);
    }
}

static void the_uncertainty_is_half_of_the_round_trip(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.seed = 5;
    assert_truth_is_within(&world, &clocks);
    const struct clocks_piece *piece = &clocks.piece[0];
    assert_true(piece->uncertainty_ns >= 4900000 && piece->uncertainty_ns < 6500000);
    assert_true(distance(piece->offset_ns, 12345678) < 300000); /* both ways take as long: the middle is near */
    assert_int_equal(piece->forth + piece->back, 400);
}

static void delays_that_differ_each_way_are_covered_by_the_uncertainty(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.back_ns = 40000000;
    world.seed = 6;
    assert_truth_is_within(&world, &clocks);
    /* Off by half the difference, and said so. */
    assert_true(distance(clocks.piece[0].offset_ns, 12345678) > 15000000);
    assert_true(clocks.piece[0].uncertainty_ns > 22000000);
}

static void a_drift_is_measured_where_time_and_corridor_allow(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.span_ns = 600000000000;
    world.count = 3000;
    world.there_ns = world.back_ns = 100000;
    world.jitter_ns = 50000;
    world.drift = 31e-6;
    world.seed = 7;
    assert_truth_is_within(&world, &clocks);
    const struct clocks_piece *piece = &clocks.piece[0];
    assert_true(piece->drift_within_ppb >= 0 && piece->drift_within_ppb < 1000);
    /* b runs faster: a's clock less b's goes down, by 31e-6 / (1 + 31e-6) for each nanosecond of b's. */
    assert_true(distance((int64_t)(piece->slope * 1e9), -30999) <= piece->drift_within_ppb);
    assert_true(distance((int64_t)(piece->slope * 1e9), -30999) < 200);
}

static void a_short_capture_says_nothing_of_drift(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.span_ns = 300000000;
    world.seed = 8;
    assert_truth_is_within(&world, &clocks);
    assert_int_equal(clocks.piece[0].drift_within_ppb, -1);
    assert_true(clocks.piece[0].slope == 0);
}

static void a_few_segments_in_a_short_time_tilt_nothing(void **state)
{
    struct world world = ordinary;
    (void)state;
    world.count = 6;
    world.span_ns = 50000000;
    world.jitter_ns = 5000000;
    for (world.seed = 1; world.seed < 50; world.seed++) {
        struct clocks clocks;
        assert_truth_is_within(&world, &clocks);
        assert_true(clocks.piece[0].slope == 0);
    }
}

static void one_direction_bounds_one_side_and_takes_the_least_delay_for_none(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.only_there = true;
    world.seed = 9;
    assert_truth_is_within(&world, &clocks);
    assert_int_equal(clocks.piece[0].uncertainty_ns, -1);
    assert_int_equal(clocks.piece[0].back, 0);
    /* a's clock is ahead by 12.3 ms, less the delay that nothing tells: 5 to 5.3 ms. */
    assert_in_range(clocks.piece[0].offset_ns, 12345678 - 5300000, 12345678 - 5000000 + 1000);
}

static void two_segments_are_enough_for_an_offset(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.count = 2;
    world.span_ns = 20000000;
    world.jitter_ns = 0;
    for (world.seed = 1; world.seed < 20; world.seed++) {
        assert_truth_is_within(&world, &clocks);
        assert_int_equal(clocks.piece[0].forth, 1);
        assert_int_equal(clocks.piece[0].back, 1);
        assert_true(clocks.piece[0].uncertainty_ns > 0);
    }
}

static void a_clock_that_is_set_makes_two_pieces_with_the_time_of_it(void **state)
{
    static const int64_t steps_ns[] = {1000000000, -1000000000, 50000000, -50000000};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world world = ordinary;
        struct clocks clocks;
        world.step_at_ns = 800000000;
        world.step_ns = steps_ns[i];
        world.seed = 10 + i;
        assert_truth_is_within(&world, &clocks);
        assert_int_equal(clocks.count, 2);
        int64_t from_ns = clocks_to_a(&clocks, clocks.piece[1].from_order, clocks.piece[1].first_ns);
        assert_true(distance(from_ns, EPOCH_NS + world.step_at_ns) < 20000000);
        assert_true(distance(clocks.piece[0].offset_ns - clocks.piece[1].offset_ns, steps_ns[i]) < 2000000);
    }
}

static void a_step_that_the_corridor_hides_is_not_claimed(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    (void)state;
    world.step_at_ns = 800000000;
    world.step_ns = 2000000; /* less than the 10 ms between floor and ceiling */
    world.seed = 14;
    static struct clocks_pair pairs[PAIRS_MAX];
    size_t count = play(&world, pairs);
    assert_int_equal(clocks_estimate(&clocks, pairs, count, 2), 0);
    assert_int_equal(clocks.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_lies_within_what_is_said_whatever_the_network),
        cmocka_unit_test(the_uncertainty_is_half_of_the_round_trip),
        cmocka_unit_test(delays_that_differ_each_way_are_covered_by_the_uncertainty),
        cmocka_unit_test(a_drift_is_measured_where_time_and_corridor_allow),
        cmocka_unit_test(a_short_capture_says_nothing_of_drift),
        cmocka_unit_test(a_few_segments_in_a_short_time_tilt_nothing),
        cmocka_unit_test(one_direction_bounds_one_side_and_takes_the_least_delay_for_none),
        cmocka_unit_test(two_segments_are_enough_for_an_offset),
        cmocka_unit_test(a_clock_that_is_set_makes_two_pieces_with_the_time_of_it),
        cmocka_unit_test(a_step_that_the_corridor_hides_is_not_claimed),
        cmocka_unit_test(single_segments_that_contradict_all_others_are_left_out),
        cmocka_unit_test(a_step_that_is_found_at_what_was_left_out_makes_no_piece_of_nothing),
        cmocka_unit_test(times_that_contradict_each_other_all_over_are_refused),
        cmocka_unit_test(the_ends_of_time_overflow_nothing),
        cmocka_unit_test(an_uncertainty_beyond_64_bits_is_as_large_as_fits),
        cmocka_unit_test(a_corrected_time_may_lie_before_1970),
        cmocka_unit_test(a_corridor_is_what_lies_between_two_hulls),
    };
    return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}
