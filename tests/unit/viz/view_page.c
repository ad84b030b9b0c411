/* The page's C side: its words, and that no byte of its data can leave the element that it stands in. What the page does is tested
 * in a browser (tests/browser/page.mjs). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/drawing.h"
#include "viz/page/page_made.h"
#include "viz/page/page_words.h"

static struct buf written(struct page_words *words, const char *const *texts, size_t count)
{
    struct buf out = buf_new(1 << 16);
    struct json json = json_new(&out, false);
    json_array(&json, NULL);
    for (size_t i = 0; i < count; i++) page_text(words, &json, texts[i]);
    json_end_array(&json);
    assert_false(page_words_failed(words));
    return out;
}

static void a_word_is_written_once_and_named_by_its_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"SYN", "ACK", "SYN", NULL, "", "ACK"};
    struct page_words *words = page_words_new(1 << 16, false);
    struct buf out = written(words, texts, 6), table = buf_new(1 << 16);
    assert_string_equal(buf_string(&out), "[0,1,0,2,2,1]");
    page_words_write(words, &table);
    assert_string_equal(buf_string(&table), "[\n\"SYN\",\n\"ACK\",\n\"\"\n]");
    buf_free(&out);
    buf_free(&table);
    page_words_free(words);
}

static void a_full_table_leaves_a_word_where_it_is_used(void **state)
{
    (void)state;
    static const char *const texts[] = {"first", "second", "first", "third"};
    struct page_words *words = page_words_new(10, false); /* "first" and its comma have 8 */
    struct buf out = written(words, texts, 4);
    assert_string_equal(buf_string(&out), "[0,\"second\",0,\"third\"]");
    buf_free(&out);
    words = (page_words_free(words), page_words_new(8, false));
    out = written(words, texts, 1);
    assert_string_equal(buf_string(&out), "[0]"); /* just fits */
    buf_free(&out);
    page_words_free(words);
}

static void a_phrase_keeps_its_styles_and_plain_ones_are_strings(void **state)
{
    (void)state;
    struct arena arena = arena_new();
    struct phrase mixed = phrase_new(&arena), plain = phrase_new(&arena);
    phrase_add(&mixed, STYLE_PLAIN, "#1 ");
    phrase_add(&mixed, STYLE_CLIENT_BOLD, "SY");
    phrase_add(&mixed, STYLE_CLIENT_BOLD, "N");
    phrase_add(&plain, STYLE_PLAIN, "a");
    phrase_add(&plain, STYLE_PLAIN, "b");
    struct page_words *words = page_words_new(1 << 16, false);
    struct buf out = buf_new(1 << 16), table = buf_new(1 << 16);
    struct json json = json_new(&out, false);
    page_phrase(words, &json, &mixed);
    page_phrase(words, &json, &plain);
    page_words_write(words, &table);
    assert_string_equal(buf_string(&table), "[\n[0,\"#1 \",4,\"SYN\"],\n\"ab\"\n]");
    buf_free(&out);
    buf_free(&table);
    page_words_free(words);
    arena_free(&arena);
}

static void hostile_text_is_harmless_and_shown(void **state)
{
    (void)state;
    static const char *const texts[] = {"a\x1b[31m\n\"\\", "\xe2\x80\xaeRTL", "\xff"};
    struct page_words *words = page_words_new(1 << 16, false);
    struct buf out = written(words, texts, 3), table = buf_new(1 << 16);
    page_words_write(words, &table);
    assert_string_equal(buf_string(&table), "[\n\"a\\\\x1b[31m\\\\n\\\"\\\\\\\\\",\n\"\\\\u{202e}RTL\",\n\"\\\\xff\"\n]");
    buf_free(&out);
    buf_free(&table);
    page_words_free(words);
}

/* Between where data begins and the page's own end there is no "<" but those of its elements. */
static void no_bracket_of_the_data_is_left_raw(void **state)
{
    (void)state;
    static const struct story_fixture hostile = {"", story_hostile_names, 1};
    const struct view_options options = {0};
    struct buf page = drawing_of(&view_page, &options, &hostile, 1, NULL);
    const char *data = strstr(page.data, "<script type=\"application/json\""), *end = page.data + page.length - page_foot_length;
    assert_non_null(data);
    size_t brackets = 0, elements = 0;
    for (const char *at = data; at < end; at++) {
        if (*at != '<') continue;
        brackets++;
        elements += strncmp(at, "</script>", 9) == 0 || strncmp(at, "<script type=\"application/json\" id=\"", 36) == 0;
    }
    assert_int_equal(brackets, elements);
    assert_int_equal(elements, 6);
    assert_memory_equal(end, page_foot, page_foot_length);
    buf_free(&page);
}

static void ascii_is_ascii(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    const struct view_options options = {.ascii = true};
    struct buf page = drawing_of(&view_page, &options, fixtures, count, NULL);
    for (size_t i = 0; i < page.length; i++) assert_true((unsigned char)page.data[i] < 0x7f);
    buf_free(&page);
}

static void the_page_without_data_is_small(void **state)
{
    (void)state;
    const struct view_options options = {0};
    struct buf page = drawing_of(&view_page, &options, NULL, 0, NULL);
    assert_true(page.length < 300000);
    buf_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_written_once_and_named_by_its_number),
        cmocka_unit_test(a_full_table_leaves_a_word_where_it_is_used),
        cmocka_unit_test(a_phrase_keeps_its_styles_and_plain_ones_are_strings),
        cmocka_unit_test(hostile_text_is_harmless_and_shown),
        cmocka_unit_test(no_bracket_of_the_data_is_left_raw),
        cmocka_unit_test(ascii_is_ascii),
        cmocka_unit_test(the_page_without_data_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
