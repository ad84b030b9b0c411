/* The list of stories: stored texts of the stories built by hand, on a terminal and elsewhere; its order; its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/drawing.h"
#include "support/golden.h"

static struct buf list_of(const struct view_options *options)
{
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    return drawing_of(&view_list, options, fixtures, count, NULL);
}

static void all_stories_are_the_stored_list(void **state)
{
    (void)state;
    struct buf list = list_of(&(struct view_options){.width = 80});
    golden_check(GOLDEN_DIR "/stories.list", list.data, list.length);
    buf_free(&list);
    list = list_of(&(struct view_options){.width = 100, .screen = 100, .color = true});
    golden_check(GOLDEN_DIR "/stories-100.list", list.data, list.length);
    buf_free(&list);
    list = list_of(&(struct view_options){.width = 60, .screen = 60, .ascii = true});
    golden_check(GOLDEN_DIR "/stories-60-ascii.list", list.data, list.length);
    buf_free(&list);
}

static void on_a_terminal_no_line_is_wider_than_it(void **state)
{
    (void)state;
    for (int width = 40; width <= 200; width += 20) {
        struct buf list = list_of(&(struct view_options){.width = width < 60 ? 60 : width, .screen = width, .ascii = true});
        for (const char *line = buf_string(&list); *line;) {
            size_t length = strcspn(line, "\n");
            assert_true(length <= (size_t)(width < 60 ? 60 : width));
            line += length + 1;
        }
        buf_free(&list);
    }
}

/* The view is given a story of its own making again and again. */
static int take(void *data, const char *bytes, size_t length)
{
    struct buf *out = data;
    return buf_append(out, bytes, length);
}

static struct buf many(size_t count, const struct story *told, size_t odd)
{
    struct buf out = buf_new((size_t)1 << 28);
    struct sink sink = {take, &out};
    struct err err = {""};
    struct view_options options = {.width = 80};
    void *state = NULL;
    assert_int_equal(view_list.begin(&state, &sink, &options, &err), 0);
    uint32_t step = 0;
    struct story_finding finding = {"refused", "error", "nobody listens", &step, 0};
    for (size_t i = 0; i < count; i++) {
        struct story story = *told;
        story.number = (uint32_t)i + 1;
        story.finding_count = 0;
        if (i + 1 == odd) {
            story.findings = &finding;
            story.finding_count = 1;
        }
        assert_int_equal(view_list.story(state, &sink, &options, &story, &err), 0);
    }
    assert_int_equal(out.length, 0); /* it waits for the worst */
    const struct story_trace trace = {.recorder = "none"};
    assert_int_equal(view_list.end(state, &sink, &options, &trace, &err), 0);
    return out;
}

static size_t lines_of(const struct buf *out)
{
    size_t count = 0;
    for (const char *at = buf_string(out); *at; at++) count += *at == '\n';
    return count;
}

static void the_worst_is_the_first_row_and_is_said_before_all(void **state)
{
    (void)state;
    struct story *story = story_normal_echo();
    struct buf out = many(9, story, 7);
    const char *found = strstr(buf_string(&out), "refused "), *heading = strstr(buf_string(&out), "     #"),
               *first = strstr(buf_string(&out), "\n     7 "), *second = strstr(buf_string(&out), "\n     1 ");
    assert_true(found && heading && first && second);
    assert_true(found < heading && heading < first && first < second);
    assert_non_null(strstr(found, "connection 7: nobody listens"));
    buf_free(&out);
    story_free(story);
}

static void of_more_rows_than_it_holds_the_rest_is_counted(void **state)
{
    (void)state;
    struct story *story = story_normal_echo();
    struct buf out = many((1 << 16) + 3, story, (1 << 16) + 2);
    assert_non_null(strstr(buf_string(&out), "\nand 3 more: "));
    assert_non_null(strstr(buf_string(&out), "connection 65538: nobody listens"));
    assert_non_null(strstr(buf_string(&out), "65539 connections"));
    assert_true(lines_of(&out) > 1 << 16);
    buf_free(&out);
    story_free(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_stories_are_the_stored_list),
        cmocka_unit_test(on_a_terminal_no_line_is_wider_than_it),
        cmocka_unit_test(the_worst_is_the_first_row_and_is_said_before_all),
        cmocka_unit_test(of_more_rows_than_it_holds_the_rest_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
