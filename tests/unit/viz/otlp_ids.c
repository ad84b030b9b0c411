#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "viz/export/otlp_span.h"

static struct story two_ends(uint32_t client_isn, uint32_t server_isn)
{
    struct story story = {.start_ns = 1};
    story.end[STORY_CLIENT] = (struct story_end){.address = address_v4((const uint8_t[]){192, 0, 2, 1}, 40000), .has_isn = true};
    story.end[STORY_SERVER] = (struct story_end){.address = address_v4((const uint8_t[]){192, 0, 2, 2}, 80), .has_isn = true};
    story.end[STORY_CLIENT].isn = client_isn;
    story.end[STORY_SERVER].isn = server_isn;
    return story;
}

static struct story swapped(struct story story)
{
    struct story_end end = story.end[STORY_CLIENT];
    story.end[STORY_CLIENT] = story.end[STORY_SERVER];
    story.end[STORY_SERVER] = end;
    return story;
}

#define assert_same(a, b) assert_string_equal(otlp_trace_of(&(a)).hex, otlp_trace_of(&(b)).hex)
#define assert_other(a, b) assert_string_not_equal(otlp_trace_of(&(a)).hex, otlp_trace_of(&(b)).hex)

static void who_saw_it_from_the_other_end_or_at_another_time_finds_the_same_trace(void **state)
{
    (void)state;
    struct story here = two_ends(7, 9), there = swapped(here);
    there.start_ns = 12345;
    there.number = 4;
    assert_same(here, there);
}

static void another_isn_port_or_protocol_is_another_trace(void **state)
{
    (void)state;
    struct story story = two_ends(7, 9), other = two_ends(8, 9);
    assert_other(story, other);
    other = two_ends(9, 7); /* the same two numbers, at the other ends */
    assert_other(story, other);
    other = story;
    other.end[STORY_CLIENT].address.port++;
    assert_other(story, other);
    other = story;
    other.udp = true;
    assert_other(story, other);
}

static void without_both_isns_the_time_tells_connections_apart(void **state)
{
    (void)state;
    struct story story = two_ends(7, 9), later;
    story.end[STORY_SERVER].has_isn = false;
    later = story;
    assert_same(story, later);
    later.start_ns++;
    assert_other(story, later);
}

static void no_id_is_zero_and_each_has_its_length(void **state)
{
    (void)state;
    struct story empty = {0};
    struct otlp_trace_id trace = otlp_trace_of(&empty), run = otlp_trace_of_run(&(const struct story_trace){0});
    struct otlp_span_id span = otlp_span_of(&trace, "", 0, 0);
    assert_int_equal(strspn(trace.hex, "0123456789abcdef"), 32);
    assert_int_equal(strspn(run.hex, "0123456789abcdef"), 32);
    assert_int_equal(strspn(span.hex, "0123456789abcdef"), 16);
    assert_true(strspn(trace.hex, "0") < 32 && strspn(run.hex, "0") < 32 && strspn(span.hex, "0") < 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_saw_it_from_the_other_end_or_at_another_time_finds_the_same_trace),
        cmocka_unit_test(another_isn_port_or_protocol_is_another_trace),
        cmocka_unit_test(without_both_isns_the_time_tells_connections_apart),
        cmocka_unit_test(no_id_is_zero_and_each_has_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
