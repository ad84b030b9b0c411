/* How far two clocks were apart, in one line that one reads once, and in detail for who asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "viz/plan/clock_words.h"

static void check(const struct story_clock *clock, bool detailed, const char *wanted)
{
    struct buf out = buf_new(4096);
    assert_int_equal(clock_sentence(&out, clock, &(struct clock_style){.detailed = detailed}), 0);
    assert_string_equal(buf_string(&out), wanted);
    buf_free(&out);
}

static struct story_clock clock_of(int64_t offset_ns, int64_t uncertainty_ns)
{
    return (struct story_clock){.vantage = "b.pcap",
                                .against = "a.pcap",
                                .offset_ns = offset_ns,
                                .uncertainty_ns = uncertainty_ns,
                                .most_ns = uncertainty_ns,
                                .drift_within_ppb = -1,
                                .span_ns = 52800000,
                                .forth = 6,
                                .back = 4};
}

static void no_more_digits_are_told_than_the_bound_leaves_a_meaning(void **state)
{
    (void)state;
    static const struct {
        int64_t offset_ns, uncertainty_ns;
        const char *wanted;
    } cases[] = {
        {-12321000, 5111000, "clock of b.pcap: 12.3 ± 5.2 ms behind a.pcap\n"},
        {12330000, 1077000, "clock of b.pcap: 12.3 ± 1.2 ms ahead of a.pcap\n"},
        {60500, 1235000, "clock of b.pcap: 0.1 ± 1.3 ms ahead of a.pcap\n"},
        {1000012330000, 1077000, "clock of b.pcap: 1000.0123 ± 0.0012 s ahead of a.pcap\n"},
        {-40, 3, "clock of b.pcap: 0.040 ± 0.003 µs behind a.pcap\n"},
        {0, 0, "clock of b.pcap: 0.000 ± 0.000 µs ahead of a.pcap\n"},
        {5000000000, 7200000000000, "clock of b.pcap: 0 ± 7300 s ahead of a.pcap\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct story_clock clock = clock_of(cases[i].offset_ns, cases[i].uncertainty_ns);
        check(&clock, false, cases[i].wanted);
    }
}

/* Whatever is rounded away, the true offset lies within what is told. */
static void what_is_told_holds_all_that_is_known(void **state)
{
    (void)state;
    uint64_t chance = 7;
    for (int turn = 0; turn < 20000; turn++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        int64_t offset_ns = (int64_t)(chance >> 20) >> (chance % 40), bound_ns = (int64_t)(chance >> 30) >> (chance / 64 % 34);
        struct story_clock clock = clock_of(offset_ns, bound_ns);
        struct buf out = buf_new(4096);
        assert_int_equal(clock_sentence(&out, &clock, &(struct clock_style){.ascii = true}), 0);
        char *end;
        double told = strtod(strchr(buf_string(&out), ':') + 2, &end), within = strtod(end + strlen(" +/- "), &end);
        double unit = !strncmp(end, " us", 3) ? 1e3 : !strncmp(end, " ms", 3) ? 1e6 : 1e9;
        double slip = 1e-12 * (double)offset_ns + 1e-6;
        assert_true((told - within) * unit <= (double)(offset_ns - bound_ns) + slip);
        assert_true((told + within) * unit >= (double)(offset_ns + bound_ns) - slip);
        buf_free(&out);
    }
}

static void one_way_alone_bounds_from_one_side(void **state)
{
    (void)state;
    struct story_clock clock = clock_of(-5000000, -1);
    clock.back = 0; /* b received later than it would without the delay: it is further behind */
    check(&clock, false, "clock of b.pcap: at least 5.000 ms behind a.pcap (segments went one way only)\n");
    clock.offset_ns = 5000000;
    check(&clock, false, "clock of b.pcap: at most 5.000 ms ahead of a.pcap (segments went one way only)\n");
    clock.forth = 0, clock.back = 4;
    check(&clock, false, "clock of b.pcap: at least 5.000 ms ahead of a.pcap (segments went one way only)\n");
    clock.offset_ns = -5000000;
    check(&clock, false, "clock of b.pcap: at most 5.000 ms behind a.pcap (segments went one way only)\n");
}

static void a_guess_bounds_nothing(void **state)
{
    (void)state;
    struct story_clock clock = clock_of(-5000000, -1);
    clock.back = 0;
    clock.guessed = true;
    check(
        &clock, false,
        "clock of b.pcap: about 5.000 ms behind a.pcap (segments went one way only); which of them is nearer to whom is a guess\n");
}

static void who_asks_is_told_from_what(void **state)
{
    (void)state;
    struct story_clock clock = clock_of(-12321000, 5111000);
    clock.left_out = 1;
    check(&clock, true,
          "clock of b.pcap: 12.3 ± 5.2 ms behind a.pcap: 12.321 ms ± 5.111 ms (from 10 segments in both directions), drift not "
          "measurable over 52.8 ms; 1 segment contradicted that and was left out\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_digits_are_told_than_the_bound_leaves_a_meaning),
        cmocka_unit_test(what_is_told_holds_all_that_is_known),
        cmocka_unit_test(one_way_alone_bounds_from_one_side),
        cmocka_unit_test(a_guess_bounds_nothing),
        cmocka_unit_test(who_asks_is_told_from_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
