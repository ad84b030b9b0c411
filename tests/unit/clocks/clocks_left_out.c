/* What is left out, refused, or lies outside. */
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

void single_segments_that_contradict_all_others_are_left_out(void **state)
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
void a_step_that_is_found_at_what_was_left_out_makes_no_piece_of_nothing(void **state)
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

void times_that_contradict_each_other_all_over_are_refused(void **state)
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

void the_ends_of_time_overflow_nothing(void **state)
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

void an_uncertainty_beyond_64_bits_is_as_large_as_fits(void **state)
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
void a_corrected_time_may_lie_before_1970(void **state)
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

void a_corridor_is_what_lies_between_two_hulls(void **state)
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
