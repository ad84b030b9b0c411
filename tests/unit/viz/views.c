/* What every view of the table has to keep to, whatever its format: a new row is tested by being there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/drawing.h"

static const char *const ways[] = {"default", "ascii", "verbose"};

static struct view_options options_of(size_t way)
{
    return (struct view_options){.width = 80, .ascii = way == 1, .verbose = way == 2 ? 2 : 0};
}
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void every_view_draws_every_story_every_way(void **state)
{
    (void)state;
    size_t view_count, count;
    const struct view *const *views = view_all(&view_count);
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t v = 0; v < view_count; v++)
        for (size_t way = 0; way < WAYS; way++) {
            struct view_options options = options_of(way);
            for (size_t i = 0; i < count; i++) {
                struct buf drawn = drawing_of(views[v], &options, &fixtures[i], 1, NULL);
                assert_true(drawn.length > 0);
                buf_free(&drawn);
            }
            struct buf all = drawing_of(views[v], &options, fixtures, count, NULL);
            assert_true(all.length > 0);
            buf_free(&all);
            struct buf none = drawing_of(views[v], &options, NULL, 0, NULL);
            buf_free(&none);
        }
}

static int take_all(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

/* Nothing is told of the run before its first story, and losses in all their kinds at its end. */
static void every_view_takes_a_run_of_which_nothing_is_known(void **state)
{
    (void)state;
    size_t view_count;
    const struct view *const *views = view_all(&view_count);
    const struct story_trace unknown = {0};
    for (size_t v = 0; v < view_count; v++) {
        struct buf drawn = buf_new(1 << 20);
        struct sink sink = {take_all, &drawn};
        const struct view_options options = {0};
        struct err err;
        void *memory;
        assert_int_equal(views[v]->begin(&memory, &sink, &options, &err), 0);
        assert_int_equal(views[v]->end(memory, &sink, &options, &unknown, &err), 0);
        buf_free(&drawn);
    }
}

/* A number that stands nowhere else is in the bytes, plain or with its thousands apart. */
static bool says_number(const struct buf *drawn)
{
    static const char *const ways_of_it[] = {"47113", "47,113", "47\\u202f113"};
    for (size_t i = 0; i < sizeof(ways_of_it) / sizeof(ways_of_it[0]); i++)
        if (memmem(drawn->data, drawn->length, ways_of_it[i], strlen(ways_of_it[i]))) return true;
    return false;
}

static void every_view_shows_what_the_run_lost(void **state)
{
    (void)state;
    static const struct story_fixture fixture = {"", story_normal_echo, 1};
    const struct story_loss losses[] = {{.source = "bpf", .what = "ring full", .received = 50000, .count = 47113}};
    const struct story_trace trace = {.recorder = "bpf", .losses = losses, .loss_count = 1, .lost = 47113};
    size_t view_count;
    const struct view *const *views = view_all(&view_count);
    for (size_t v = 0; v < view_count; v++) {
        struct buf drawn = drawing_of(views[v], &(struct view_options){0}, &fixture, 1, &trace);
        if (!says_number(&drawn)) fail_msg("%s does not say that 47113 events were lost", views[v]->name);
        buf_free(&drawn);
    }
}

static bool is_utf8_and_printable(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool ends_line = c == '\n' || (c == '\r' && i + 1 < length && bytes[i + 1] == '\n'); /* RFC 4180 has both */
        if ((c < 0x20 && !ends_line) || c == 0x7f) return false;
        if (c < 0x80) continue;
        size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        if (c < 0xc2 || c > 0xf4) return false;
        for (size_t k = 1; k <= more; k++)
            if (i + k >= length || ((unsigned char)bytes[i + k] & 0xc0) != 0x80) return false;
        if (c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0) return false;                             /* C1 controls */
        if (c == 0xe2 && (unsigned char)bytes[i + 1] == 0x80 && (unsigned char)bytes[i + 2] >= 0xaa && /* bidi controls */
            (unsigned char)bytes[i + 2] <= 0xae)
            return false;
        i += more;
    }
    return true;
}

static void no_view_that_writes_text_lets_a_hostile_byte_through(void **state)
{
    (void)state;
    static const struct story_fixture hostile = {"hostile_names", story_hostile_names, 1};
    size_t view_count;
    const struct view *const *views = view_all(&view_count);
    for (size_t v = 0; v < view_count; v++)
        for (size_t way = 0; way < WAYS; way++) {
            if (views[v]->binary) continue;
            struct view_options options = options_of(way);
            struct buf drawn = drawing_of(views[v], &options, &hostile, 1, NULL);
            if (!is_utf8_and_printable(drawn.data, drawn.length)) fail_msg("%s, %s", views[v]->name, ways[way]);
            buf_free(&drawn);
        }
}

static void every_view_returns_the_failure_of_its_sink(void **state)
{
    (void)state;
    static const struct story_fixture fixture = {"", story_normal_echo, 1};
    const struct view_options options = {0};
    size_t view_count;
    const struct view *const *views = view_all(&view_count);
    for (size_t v = 0; v < view_count; v++) {
        struct buf whole = drawing_of(views[v], &options, &fixture, 1, NULL);
        size_t all = whole.length;
        buf_free(&whole);
        assert_int_equal(drawing_into_broken_sink(views[v], &options, all), 0);
        for (size_t after = 0; after < all; after += all / 7 + 1)
            assert_int_equal(drawing_into_broken_sink(views[v], &options, after), -EPIPE);
        assert_int_equal(drawing_into_broken_sink(views[v], &options, all - 1), -EPIPE);
    }
}

static void every_name_and_every_ending_is_one_views_and_has_a_line_of_help(void **state)
{
    (void)state;
    size_t count;
    const struct view *const *views = view_all(&count);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "x%s", views[i]->suffix);
        assert_ptr_equal(view_by_name(views[i]->name), views[i]);
        assert_ptr_equal(view_by_path(path), views[i]);
        assert_true(strlen(views[i]->summary) > 10);
        assert_null(strchr(views[i]->summary, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_draws_every_story_every_way),
        cmocka_unit_test(every_view_takes_a_run_of_which_nothing_is_known),
        cmocka_unit_test(every_view_shows_what_the_run_lost),
        cmocka_unit_test(no_view_that_writes_text_lets_a_hostile_byte_through),
        cmocka_unit_test(every_view_returns_the_failure_of_its_sink),
        cmocka_unit_test(every_name_and_every_ending_is_one_views_and_has_a_line_of_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
