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

enum { PAIRS_MAX = 4000 };
static const int64_t EPOCH_NS = 1700000000000000000;

/* A network between two clocks. */
struct world {
    int64_t offset_ns; /* b's clock less a's at the beginning */
    double drift;      /* by how much faster b's runs */
    int64_t there_ns, back_ns, jitter_ns;
    int64_t span_ns;
    size_t count; /* segments */
    bool only_there;
    int64_t step_at_ns, step_ns; /* b's clock is set by so much, then; 0: never */
    int64_t tick_ns;             /* both files show times cut to this */
    uint64_t seed;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t below(uint64_t *seed, int64_t limit)
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

static size_t play(const struct world *world, struct clocks_pair *pairs)
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

static int64_t distance(int64_t a, int64_t b)
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

static const struct world ordinary = {
    .offset_ns = -12345678, .there_ns = 5000000, .back_ns = 5000000, .jitter_ns = 300000, .span_ns = 2000000000, .count = 400};

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

static void single_segments_that_contradict_all_others_are_left_out(void **state)
{
    struct world world = ordinary;
    struct clocks clocks;
    static struct clocks_pair pairs[PAIRS_MAX];
    (void)state;
    world.seed = 15;
    for (size_t odd = 0; odd < 3; odd++) {
        static const size_t places[] = {0, 200, 399};
        size_t count = play(&world, pairs);
        pairs[places[odd]].forth = true;
        pairs[places[odd]].a_ns += 200000000; /* taken for its repetition, 200 ms later */
        assert_int_equal(clocks_estimate(&clocks, pairs, count, 2), 0);
        assert_int_equal(clocks.count, 1);
        assert_int_equal(clocks.piece[0].left_out, 1);
        assert_true(distance(clocks.piece[0].offset_ns, 12345678) < 300000);
    }
}

static void add_pair(struct clocks_pair *pairs, size_t *count, bool forth, int64_t a_less_b_ns)
{
    int64_t b_ns = EPOCH_NS + (int64_t)*count * 1000000;
    pairs[*count] = (struct clocks_pair){b_ns + a_less_b_ns, b_ns, *count + 1, forth};
    ++*count;
}

/* Of the eight that may be left out the last is where the clock seems to have been set: what is behind is known by others. */
static void a_step_that_is_found_at_what_was_left_out_makes_no_piece_of_nothing(void **state)
{
    enum { ODD = 7, PART = 10 };
    const int64_t second_ns = 1000000000, delay_ns = 1000000;
    struct clocks_pair pairs[4 * ODD + 3 + 2 * PART];
    struct clocks clocks;
    size_t count = 0;
    (void)state;
    add_pair(pairs, &count, false, delay_ns);
    for (int i = 0; i < ODD; i++) {
        add_pair(pairs, &count, true, 1000 * second_ns); /* long before it was sent */
        add_pair(pairs, &count, true, -delay_ns);
        add_pair(pairs, &count, true, -delay_ns);
        add_pair(pairs, &count, false, delay_ns);
    }
    add_pair(pairs, &count, false, 5000 * second_ns); /* very late */
    add_pair(pairs, &count, true, 1000 * second_ns);
    for (int64_t part = 1; part <= 2; part++)
        for (int i = 0; i < PART; i++) add_pair(pairs, &count, i & 1, (i & 1 ? -delay_ns : delay_ns) - 50 * part * second_ns);
    assert_int_equal(clocks_estimate(&clocks, pairs, count, 2), 0);
    assert_int_equal(clocks.count, 3);
    for (int64_t part = 0; part < 3; part++) {
        const struct clocks_piece *piece = &clocks.piece[part];
        assert_int_equal(piece->left_out, part == 0 ? ODD : part == 1 ? 1 : 0);
        assert_int_equal(piece->forth + piece->back, part == 0 ? 3 * ODD + 2 : PART);
        assert_in_range(piece->uncertainty_ns, delay_ns, delay_ns + 1000);
        assert_true(distance(piece->offset_ns, -50 * part * second_ns) <= piece->uncertainty_ns);
    }
}

static void times_that_contradict_each_other_all_over_are_refused(void **state)
{
    static struct clocks_pair pairs[PAIRS_MAX];
    uint64_t seed = 99;
    struct clocks clocks;
    (void)state;
    for (size_t i = 0; i < 2000; i++)
        pairs[i] = (struct clocks_pair){EPOCH_NS + below(&seed, 1000000000000), EPOCH_NS + below(&seed, 1000000000000), i + 1,
                                        next_random(&seed) & 1};
    assert_int_equal(clocks_estimate(&clocks, pairs, 2000, 2), -ERANGE);
    assert_int_equal(clocks_estimate(&clocks, pairs, 0, 2), -ENODATA);
}

static void the_ends_of_time_overflow_nothing(void **state)
{
    struct clocks_pair pairs[] = {{INT64_MIN, INT64_MAX, 1, true},
                                  {INT64_MAX, INT64_MIN, 2, false},
                                  {0, 0, 3, true},
                                  {INT64_MAX, INT64_MAX, UINT64_MAX, true}};
    struct clocks clocks;
    (void)state;
    int code = clocks_estimate(&clocks, pairs, 4, 2);
    assert_true(code == 0 || code == -ERANGE);
    assert_true(clocks_to_a(&clocks, 0, INT64_MIN) >= -CLOCKS_TIME_MOST_NS);
    assert_true(clocks_to_a(&clocks, UINT64_MAX, INT64_MAX) <= CLOCKS_TIME_MOST_NS);
}

static void an_uncertainty_beyond_64_bits_is_as_large_as_fits(void **state)
{
    struct clocks_pair pairs[] = {{INT64_MIN, INT64_MAX, 1, true}, {INT64_MAX, INT64_MAX, 2, false}};
    struct clocks clocks;
    (void)state;
    assert_int_equal(clocks_estimate(&clocks, pairs, 2, INT64_MAX), 0);
    assert_int_equal(clocks.piece[0].uncertainty_ns, INT64_MAX);
    assert_int_equal(clocks.piece[0].most_ns, INT64_MAX);
    assert_true(clocks.piece[0].offset_ns >= -CLOCKS_TIME_MOST_NS && clocks.piece[0].offset_ns <= CLOCKS_TIME_MOST_NS);
}

/* A clock that begins in 1970 at power-on, while the other one has run for a day already. */
static void a_corrected_time_may_lie_before_1970(void **state)
{
    const int64_t day_ns = 86400000000000;
    struct clocks_pair pairs[] = {{1000000, day_ns, 1, false}, {2000000, day_ns + 1000000, 2, true}};
    struct clocks clocks;
    (void)state;
    assert_int_equal(clocks_time(-1), 0);
    assert_int_equal(clocks_time(INT64_MAX), CLOCKS_TIME_MOST_NS);
    assert_int_equal(clocks_time(4294967295999999999), 4294967295999999999);
    assert_int_equal(clocks_estimate(&clocks, pairs, 2, 2), 0);
    assert_int_equal(clocks_to_a(&clocks, 1, 0), 1000000 - day_ns);
    /* The difference of any two that were corrected, and ten seconds more, fit. */
    int64_t sum;
    assert_false(__builtin_add_overflow(CLOCKS_TIME_MOST_NS, CLOCKS_TIME_MOST_NS, &sum));
    assert_false(__builtin_add_overflow(sum, 10000000000, &sum));
}

static void a_corridor_is_what_lies_between_two_hulls(void **state)
{
    struct corridor corridor;
    (void)state;
    assert_int_equal(corridor_new(&corridor, 16, 1, 1), 0);
    for (int i = 0; i <= 10; i++) {
        corridor_add(&corridor, true, i, i % 2 ? -5 : 0.1 * i); /* the floor rises; what is below it says nothing */
        corridor_add(&corridor, false, i, 2 + 0.1 * i + (i % 3));
    }
    assert_true(corridor_fit(&corridor));
    assert_true(corridor.slope > 0.05 && corridor.slope < 0.15);
    assert_true(corridor.slope_from < corridor.slope && corridor.slope < corridor.slope_to);
    assert_true(corridor_lowest(&corridor, 10) >= 1 - 1e-9 && corridor_highest(&corridor, 0) <= 2 + 1e-9);
    corridor_add(&corridor, true, 11, 20); /* no line of slope 1 at most gets there from below the ceiling */
    assert_false(corridor_fit(&corridor));
    corridor_free(&corridor);
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
