/* Rows that are held: each order, who comes first of equals, and the bound. */
#include "out/held.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    char text[128];
    int stop_at, count;
};

static int see(void *data, const char *letter, uint32_t number)
{
    struct seen *seen = data;
    size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof(seen->text) - length, "%s%u ", letter, number);
    return ++seen->count == seen->stop_at ? -EPIPE : 0;
}

static int see_row(void *data, const struct ledger_row *row)
{
    return see(data, "", row->number);
}

static int see_udp(void *data, const struct datagrams_row *row)
{
    return see(data, "u", row->number);
}

static struct held *four(void)
{
    struct held *held = held_new();
    struct ledger_row row = {.number = 3, .start_ns = 30, .end_ns = 90, .outcome = LEDGER_CLOSED};
    row.end[0].bytes = 5;
    assert_int_equal(held_row(held, &row), 0);
    row = (struct ledger_row){.number = 1, .start_ns = -5, .end_ns = 20, .outcome = LEDGER_RESET};
    assert_int_equal(held_row(held, &row), 0);
    row = (struct ledger_row){.number = 2, .start_ns = 10, .end_ns = 35, .outcome = LEDGER_CLOSED};
    row.end[1].bytes = 500;
    assert_int_equal(held_row(held, &row), 0);
    struct datagrams_row flow = {.number = 1, .start_ns = 10, .end_ns = 1000};
    flow.end[0].bytes = 5;
    assert_int_equal(held_udp(held, &flow), 0);
    return held;
}

static void given(enum held_order order, const struct rows_options *options, const char *expected)
{
    struct held *held = four();
    struct seen seen = {.stop_at = -1};
    assert_int_equal(held_give(held, order, options, see_row, see_udp, &seen), 0);
    assert_string_equal(seen.text, expected);
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(held_give(held, order, options, see_row, see_udp, &seen), 0); /* they are gone */
    assert_string_equal(seen.text, "");
    held_free(held);
}

static void each_order_is_that_and_the_lower_number_is_first_of_equals(void **state)
{
    (void)state;
    const struct rows_options options = {0};
    given(HELD_START, &options, "1 2 u1 3 ");
    given(HELD_TOOK, &options, "u1 3 1 2 ");
    given(HELD_BYTES, &options, "2 3 u1 1 ");
}

static void without_findings_a_reset_is_the_worst(void **state)
{
    (void)state;
    given(HELD_FINDING, &(struct rows_options){0}, "1 2 3 u1 ");
}

static void the_worst_finding_decides_then_which_it_is(void **state)
{
    (void)state;
    const struct rows_found tcp[] = {{{0}, ROWS_NOTHING}, {{2, 0}, ROWS_WARNING}, {{1, 0}, ROWS_WARNING}};
    const struct rows_found udp[] = {{{0, 1}, ROWS_ERROR}};
    struct rows_findings findings = {.found = {tcp, udp}, .count = {3, 1}, .connections = 3};
    findings.of[0].worst = findings.of[1].worst = ROWS_WARNING;
    findings.of[64].worst = ROWS_ERROR;
    given(HELD_FINDING, &(struct rows_options){.findings = &findings}, "u1 3 2 1 ");
}

static void who_wants_no_more_gets_no_more(void **state)
{
    (void)state;
    struct held *held = four();
    struct seen seen = {.stop_at = 2};
    assert_int_equal(held_give(held, HELD_START, &(struct rows_options){0}, see_row, see_udp, &seen), -EPIPE);
    assert_string_equal(seen.text, "1 2 ");
    held_free(held);
}

static void it_holds_so_many_and_says_no_to_one_more(void **state)
{
    (void)state;
    struct held *held = held_new();
    const struct ledger_row row = {.number = 1};
    const struct datagrams_row flow = {.number = 1};
    for (int i = 0; i < HELD_ROWS_MAX; i++) assert_int_equal(held_row(held, &row), 0);
    assert_int_equal(held_row(held, &row), -ENOBUFS);
    assert_int_equal(held_udp(held, &flow), -ENOBUFS);
    held_free(held);
    held_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_order_is_that_and_the_lower_number_is_first_of_equals),
        cmocka_unit_test(without_findings_a_reset_is_the_worst),
        cmocka_unit_test(the_worst_finding_decides_then_which_it_is),
        cmocka_unit_test(who_wants_no_more_gets_no_more),
        cmocka_unit_test(it_holds_so_many_and_says_no_to_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
