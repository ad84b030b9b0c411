/* Pictures: byte for byte as stored (TCPWHY_REGENERATE=1 rewrites those: look at them), and safe to put into a page. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/drawing.h"
#include "support/golden.h"

static struct story_fixture fixture_of(const char *name)
{
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(fixtures[i].name, name) == 0) return fixtures[i];
    fail_msg("no story %s", name);
    abort();
}

static struct buf draw(const char *name, struct view_options options)
{
    struct story_fixture fixture = fixture_of(name);
    return drawing_of(&view_svg, &options, &fixture, 1, NULL);
}

static void pictures_are_as_stored(void **state)
{
    (void)state;
    static const struct view_run lesson = {.title = "Who answers the SYN?", .question = "Nobody is in accept(). Who will answer?"};
    static const struct {
        const char *name, *story;
        struct view_options options;
    } cases[] = {{"normal_echo", "normal_echo", {0}},
                 {"late_accept-brief", "late_accept", {.brief = true, .run = &lesson}},
                 {"reset_unread", "reset_unread", {.ascii = true}},
                 {"lossy_wire", "lossy_wire", {0}},
                 {"crossing_fins", "crossing_fins", {.verbose = 2}},
                 {"hostile_names", "hostile_names", {0}},
                 {"many_threads", "many_threads", {0}},
                 {"udp_refused", "udp_refused", {0}},
                 {"normal_echo-goodbye", "normal_echo", {.part = VIEW_GOODBYE}},
                 {"file_only", "file_only", {0}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[512];
        struct buf drawn = draw(cases[i].story, cases[i].options);
        snprintf(path, sizeof(path), "%s/%s.svg", GOLDEN_DIR, cases[i].name);
        golden_check(path, drawn.data, drawn.length);
        buf_free(&drawn);
    }
}

static void several_stories_stand_below_each_other_under_one_title(void **state)
{
    (void)state;
    static const struct story_fixture fixtures[] = {{"", story_refused, 1}, {"", story_udp_refused, 1}};
    struct buf drawn = drawing_of(&view_svg, &(struct view_options){0}, fixtures, 2, NULL);
    golden_check(GOLDEN_DIR "/two-stories.svg", drawn.data, drawn.length);
    buf_free(&drawn);
}

static void time_sequence_graphs_are_as_stored(void **state)
{
    (void)state;
    static const char *const stories[] = {"normal_echo", "lossy_wire", "hostile_names", "udp_refused"};
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        char path[512];
        struct story_fixture fixture = fixture_of(stories[i]);
        struct buf drawn = drawing_of(&view_tsg, &(struct view_options){0}, &fixture, 1, NULL);
        snprintf(path, sizeof(path), "%s/%s.tsg.svg", GOLDEN_DIR, stories[i]);
        golden_check(path, drawn.data, drawn.length);
        buf_free(&drawn);
    }
}

/* A browser runs nothing of what a name holds, and asks for nothing. */
static void a_hostile_name_stays_words(void **state)
{
    (void)state;
    static const char *const never[] = {"<script", "onload", "href", "javascript:", "url(http",
                                        "<!",      "<?",     "&#",   "<image",      "@import"};
    for (int brief = 0; brief < 2; brief++) {
        struct buf drawn = draw("hostile_names", (struct view_options){.brief = brief});
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) assert_null(strstr(drawn.data, never[i]));
        assert_non_null(strstr(drawn.data, "&lt;"));
        assert_non_null(strstr(drawn.data, "&quot;"));
        buf_free(&drawn);
    }
}

static void in_ascii_no_byte_is_above_0x7e(void **state)
{
    (void)state;
    struct buf drawn = draw("hostile_names", (struct view_options){.ascii = true});
    for (size_t i = 0; i < drawn.length; i++) assert_true((unsigned char)drawn.data[i] <= 0x7e);
    buf_free(&drawn);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
    return count;
}

/* What others step through and light up: each row of the plan has its words, by its number. */
static void words_and_arrows_carry_the_row_they_are_of(void **state)
{
    (void)state;
    struct buf drawn = draw("normal_echo", (struct view_options){0});
    assert_non_null(strstr(drawn.data, "data-row=\"0\""));
    assert_true(count_of(drawn.data, "data-row=") > 60);
    buf_free(&drawn);
}

static void more_connections_than_a_picture_takes_are_counted(void **state)
{
    (void)state;
    struct story_fixture fixtures[40];
    for (size_t i = 0; i < 40; i++) fixtures[i] = (struct story_fixture){"", story_refused, 1};
    struct buf drawn = drawing_of(&view_svg, &(struct view_options){0}, fixtures, 40, NULL);
    assert_non_null(strstr(drawn.data, "8 more connections are not drawn: --conn chooses"));
    assert_int_equal(count_of(drawn.data, ">CLIENT<"), 32);
    buf_free(&drawn);
}

static void what_was_lost_stands_below(void **state)
{
    (void)state;
    static const struct story_loss losses[] = {{"capture lo", "dropped by kernel", 11, 7}};
    const struct story_trace trace = {.recorder = "bpf", .losses = losses, .loss_count = 1, .dropped = 7};
    struct story_fixture fixture = fixture_of("normal_echo");
    struct buf drawn = drawing_of(&view_svg, &(struct view_options){.brief = true}, &fixture, 1, &trace);
    assert_non_null(strstr(drawn.data, "something was lost"));
    buf_free(&drawn);
}

/* An event loop is no loss: its waits stand in the ladders of some of its connections. */
static void a_wait_for_many_that_was_cut_is_not_called_a_loss(void **state)
{
    (void)state;
    struct story_loss losses[] = {{.source = "bpf", .what = "watch lists cut", .received = 90, .count = 3},
                                  {.source = "bpf", .what = "ring full", .received = 90, .count = 0}};
    struct story_trace trace = {.recorder = "bpf", .losses = losses, .loss_count = 2, .lost = 3};
    struct story_fixture fixture = fixture_of("normal_echo");
    for (size_t i = 0; i < 2; i++) {
        struct buf drawn = drawing_of(&view_svg, &(struct view_options){.brief = true}, &fixture, 1, &trace);
        assert_int_equal(strstr(drawn.data, "something was lost") != NULL, i == 1);
        assert_int_equal(strstr(drawn.data, "nothing lost, but") != NULL, i == 0);
        buf_free(&drawn);
        losses[1].count = 1;
        trace.lost = 4;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_as_stored),
        cmocka_unit_test(several_stories_stand_below_each_other_under_one_title),
        cmocka_unit_test(time_sequence_graphs_are_as_stored),
        cmocka_unit_test(a_hostile_name_stays_words),
        cmocka_unit_test(in_ascii_no_byte_is_above_0x7e),
        cmocka_unit_test(words_and_arrows_carry_the_row_they_are_of),
        cmocka_unit_test(more_connections_than_a_picture_takes_are_counted),
        cmocka_unit_test(a_wait_for_many_that_was_cut_is_not_called_a_loss),
        cmocka_unit_test(what_was_lost_stands_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
