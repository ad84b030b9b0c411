/* Percentiles: exact where numbers are small, within half a per cent where not. */
#include "viz/lists/quantiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct quantiles *made(void)
{
    struct quantiles *spread = calloc(1, sizeof(*spread));
    assert_non_null(spread);
    return spread;
}

static void of_nothing_it_is_zero(void **state)
{
    (void)state;
    struct quantiles *spread = made();
    assert_int_equal(quantiles_percentile(spread, 50), 0);
    assert_int_equal(quantiles_percentile(spread, 100), 0);
    free(spread);
}

static void small_numbers_are_exact(void **state)
{
    (void)state;
    struct quantiles *spread = made();
    for (int64_t i = 1; i <= 100; i++) quantiles_add(spread, i);
    assert_int_equal(quantiles_percentile(spread, 1), 1);
    assert_int_equal(quantiles_percentile(spread, 50), 50);
    assert_int_equal(quantiles_percentile(spread, 90), 90);
    assert_int_equal(quantiles_percentile(spread, 99), 99);
    assert_int_equal(quantiles_percentile(spread, 100), 100);
    quantiles_add(spread, -5);
    assert_int_equal(quantiles_percentile(spread, 1), 1); /* two of 101, and the second is 1 */
    free(spread);
}

static void of_one_it_is_that(void **state)
{
    (void)state;
    struct quantiles *spread = made();
    quantiles_add(spread, INT64_MAX);
    for (unsigned percent = 1; percent <= 100; percent++) {
        int64_t value = quantiles_percentile(spread, percent);
        assert_true(value > INT64_MAX / 1000 * 996 && value <= INT64_MAX);
    }
    assert_true(quantiles_percentile(spread, 100) == INT64_MAX);
    free(spread);
}

static void large_numbers_are_off_by_half_a_per_cent_at_most(void **state)
{
    (void)state;
    for (int64_t value = 1; value < INT64_MAX / 3; value = value * 3 + 1) {
        struct quantiles *spread = made();
        for (int i = 0; i < 99; i++) quantiles_add(spread, value);
        quantiles_add(spread, INT64_MAX);
        int64_t told = quantiles_percentile(spread, 99), off = told > value ? told - value : value - told;
        assert_true(off <= value / 200);
        free(spread);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_nothing_it_is_zero),
        cmocka_unit_test(small_numbers_are_exact),
        cmocka_unit_test(of_one_it_is_that),
        cmocka_unit_test(large_numbers_are_off_by_half_a_per_cent_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
