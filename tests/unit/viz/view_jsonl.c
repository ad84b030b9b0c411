#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/drawing.h"
#include "support/golden.h"

static struct buf lines_of(const struct view_options *options)
{
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    return drawing_of(&view_jsonl, options, fixtures, count, NULL);
}

static struct view_run known_run(void)
{
    static const char *const vantages[] = {"lo", "a\x1b\"\xff"};
    return (struct view_run){.recorder = "bpf",
                             .reason = "tracepoints can be loaded",
                             .vantages = vantages,
                             .vantage_count = 2,
                             .started_ns = INT64_C(1699999999000000000)};
}

/* The stored lines are held to the schema by a test of their own (tests/support/check_schema.py). */
static void all_stories_are_the_stored_event_lines(void **state)
{
    (void)state;
    struct view_run run = known_run();
    struct buf lines = lines_of(&(struct view_options){.run = &run});
    golden_check(GOLDEN_DIR "/stories.jsonl", lines.data, lines.length);
    buf_free(&lines);
    lines = lines_of(&(struct view_options){.ascii = true});
    golden_check(GOLDEN_DIR "/stories-ascii.jsonl", lines.data, lines.length);
    buf_free(&lines);
}

static void every_line_is_one_object(void **state)
{
    (void)state;
    struct buf lines = lines_of(&(struct view_options){0});
    size_t count = 0;
    for (const char *line = lines.data; *line; count++) {
        size_t length = strcspn(line, "\n");
        assert_int_equal(strncmp(line, "{\"type\":\"", 9), 0);
        assert_int_equal(line[length - 1], '}');
        assert_int_equal(line[length], '\n');
        line += length + 1;
    }
    assert_true(count > 100);
    buf_free(&lines);
}

static void the_trace_line_says_what_is_known_at_the_start_and_null_for_the_rest(void **state)
{
    (void)state;
    struct view_run run = known_run();
    struct buf lines = drawing_of(&view_jsonl, &(struct view_options){.run = &run}, NULL, 0, NULL);
    assert_non_null(strstr(lines.data,
                           "{\"type\":\"trace\",\"version\":1,\"recorder\":\"bpf\",\"reason\":\"tracepoints can be loaded\","
                           "\"vantages\":[\"lo\",\"a\\u001b\\\"\xef\xbf\xbd\"],\"started\":1699999999000000000}\n"));
    buf_free(&lines);
    lines = drawing_of(&view_jsonl, &(struct view_options){0}, NULL, 0, NULL);
    const char *wanted = "{\"type\":\"trace\",\"version\":1,\"recorder\":null,\"reason\":null,\"vantages\":[],\"started\":null}\n";
    assert_int_equal(strncmp(lines.data, wanted, strlen(wanted)), 0);
    buf_free(&lines);
}

static void nothing_raw_from_outside_is_in_the_lines(void **state)
{
    (void)state;
    struct buf lines = lines_of(&(struct view_options){0});
    for (size_t i = 0; i < lines.length; i++) assert_true((unsigned char)lines.data[i] >= 0x20 || lines.data[i] == '\n');
    assert_null(strstr(lines.data, "\x7f"));
    assert_null(strstr(lines.data, "\xc2\x9b"));
    assert_null(strstr(lines.data, "\xe2\x80\xae"));
    assert_non_null(strstr(lines.data, "\"comm\":\"a\\u001b[31m\\u000ab\\\"<\\\\\""));
    buf_free(&lines);
    lines = lines_of(&(struct view_options){.ascii = true});
    for (size_t i = 0; i < lines.length; i++) assert_true((unsigned char)lines.data[i] <= 0x7e);
    buf_free(&lines);
}

static void a_closed_pipe_is_returned_from_wherever_it_happens(void **state)
{
    (void)state;
    static const struct story_fixture fixture = {"", story_normal_echo, 1};
    struct buf lines = drawing_of(&view_jsonl, &(struct view_options){0}, &fixture, 1, NULL);
    size_t all = lines.length;
    buf_free(&lines);
    assert_int_equal(drawing_into_broken_sink(&view_jsonl, &(struct view_options){0}, all), 0);
    assert_int_equal(drawing_into_broken_sink(&view_jsonl, &(struct view_options){0}, all - 1), -EPIPE);
    assert_int_equal(drawing_into_broken_sink(&view_jsonl, &(struct view_options){0}, 1000), -EPIPE);
    assert_int_equal(drawing_into_broken_sink(&view_jsonl, &(struct view_options){0}, 0), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_stories_are_the_stored_event_lines),
        cmocka_unit_test(every_line_is_one_object),
        cmocka_unit_test(the_trace_line_says_what_is_known_at_the_start_and_null_for_the_rest),
        cmocka_unit_test(nothing_raw_from_outside_is_in_the_lines),
        cmocka_unit_test(a_closed_pipe_is_returned_from_wherever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
