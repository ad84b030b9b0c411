/* What other tools open: every story built by hand as Mermaid, Perfetto, OpenTelemetry and csv. The stored results are read by
 * those tools' own definitions (tests/exports). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/drawing.h"
#include "support/golden.h"

static void draw_all(const struct view *view, const char *path)
{
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    struct buf drawn = drawing_of(view, &(struct view_options){0}, fixtures, count, NULL);
    golden_check(path, drawn.data, drawn.length);
    buf_free(&drawn);
}

static void all_stories_are_the_stored_diagrams_and_rows(void **state)
{
    (void)state;
    draw_all(&view_mermaid, GOLDEN_DIR "/stories.mmd");
    draw_all(&view_csv, GOLDEN_DIR "/stories.csv");
}

/* They have one connection's addresses and numbers in common, so each is a run of its own: an empty line between them. */
static void all_stories_are_the_stored_spans(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    struct buf all = buf_new(64 << 20);
    for (size_t i = 0; i < count; i++) {
        struct buf drawn = drawing_of(&view_otlp, &(struct view_options){0}, &fixtures[i], 1, NULL);
        if (i) buf_char(&all, '\n');
        buf_append(&all, drawn.data, drawn.length);
        buf_free(&drawn);
    }
    golden_check(GOLDEN_DIR "/stories.otlp.jsonl", all.data, all.length);
    buf_free(&all);
}

/* And one process's threads, which can be in one call at a time. */
static void each_story_is_the_stored_trace(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        struct buf drawn = drawing_of(&view_perfetto, &(struct view_options){0}, &fixtures[i], 1, NULL);
        snprintf(path, sizeof(path), "%s/%s.pftrace", GOLDEN_DIR, fixtures[i].name);
        golden_check(path, drawn.data, drawn.length);
        buf_free(&drawn);
    }
}

static void no_story_is_a_diagram_that_says_so(void **state)
{
    (void)state;
    struct buf drawn = drawing_of(&view_mermaid, &(struct view_options){0}, NULL, 0, NULL);
    assert_non_null(strstr(drawn.data, "sequenceDiagram\n    title no connection was seen\n"));
    assert_non_null(strstr(drawn.data, "nothing lost"));
    buf_free(&drawn);
}

/* A call of the listening socket stands in the stories of all its connections, and is one slice. */
static void a_call_of_two_stories_is_one_slice(void **state)
{
    (void)state;
    static const struct story_fixture twice[] = {{"", story_late_accept, 1}, {"", story_late_accept, 1}};
    struct buf one = drawing_of(&view_perfetto, &(struct view_options){0}, twice, 1, NULL);
    struct buf two = drawing_of(&view_perfetto, &(struct view_options){0}, twice, 2, NULL);
    size_t listens[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const struct buf *trace = i ? &two : &one;
        static const char name[] = "\xba\x01\x08listen()"; /* TrackEvent.name, its length, the name */
        for (size_t at = 0; at + sizeof(name) - 1 <= trace->length; at++)
            listens[i] += !memcmp(trace->data + at, name, sizeof(name) - 1);
    }
    assert_int_equal(listens[0], 1);
    assert_int_equal(listens[1], 1);
    buf_free(&one);
    buf_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_stories_are_the_stored_diagrams_and_rows),
        cmocka_unit_test(all_stories_are_the_stored_spans),
        cmocka_unit_test(each_story_is_the_stored_trace),
        cmocka_unit_test(no_story_is_a_diagram_that_says_so),
        cmocka_unit_test(a_call_of_two_stories_is_one_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
