#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "support/guard.h"
#include "viz/pen/escape.h"
#include "viz/pen/json.h"
#include "viz/pen/layout.h"

static void valid_utf8_is_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t taken;
        uint32_t code;
    } cases[] = {{"A", 1, 'A'},
                 {"\x7f", 1, 0x7f},
                 {"\xc2\x80", 2, 0x80},
                 {"\xdf\xbf", 2, 0x7ff},
                 {"\xe0\xa0\x80", 3, 0x800},
                 {"\xed\x9f\xbf", 3, 0xd7ff},
                 {"\xee\x80\x80", 3, 0xe000},
                 {"\xef\xbf\xbf", 3, 0xffff},
                 {"\xf0\x90\x80\x80", 4, 0x10000},
                 {"\xf4\x8f\xbf\xbf", 4, 0x10ffff}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t code;
        assert_int_equal(escape_decode(cases[i].text, strlen(cases[i].text), &code), cases[i].taken);
        assert_int_equal(code, cases[i].code);
    }
}

static void what_is_not_utf8_is_taken_byte_by_byte(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "\x80",         "\xbf",         "\xc0\xaf",         "\xc1\xbf",         "\xc2",     "\xc2\x41",
        "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",         "\xf0\x8f\xbf\xbf", "\xf0\x9f", "\xf4\x90\x80\x80",
        "\xf5\x80\x80", "\xff",         "\xf8\x88\x80\x80", "\xed\xbf\xbf"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t code;
        assert_int_equal(escape_decode(cases[i], strlen(cases[i]), &code), 1);
        assert_int_equal(code, ESCAPE_INVALID);
    }
}

static void a_cut_sequence_is_not_read_past_its_end(void **state)
{
    (void)state;
    static const char *const cut[] = {"\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xe2", "\xf0", "a"};
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        struct guard guard = guard_new(cut[i], strlen(cut[i]));
        char piece[ESCAPE_PIECE_BYTES];
        uint32_t code;
        assert_int_equal(escape_decode((const char *)guard.bytes, guard.length, &code), 1);
        assert_int_equal(escape_next((const char *)guard.bytes, guard.length, false, piece), 1);
        guard_free(&guard);
    }
}

static void assert_escapes(const char *text, bool ascii, const char *wanted)
{
    struct buf out = buf_new(4096);
    assert_int_equal(escape_text(&out, text, ascii), 0);
    assert_string_equal(buf_string(&out), wanted);
    buf_free(&out);
}

static void controls_are_written_out(void **state)
{
    (void)state;
    assert_escapes("a\x1b[31m\nb\"<", false, "a\\x1b[31m\\nb\"<");
    assert_escapes("\t\r\x01\x7f", false, "\\t\\r\\x01\\x7f");
    assert_escapes("\xc2\x9b"
                   "31m",
                   false, "\\u{9b}31m"); /* CSI as one code point */
    assert_escapes("\x9b"
                   "31m",
                   false, "\\x9b31m"); /* and as one byte */
}

static void a_name_can_not_pose_as_an_escape(void **state)
{
    (void)state;
    assert_escapes("\\x1b", false, "\\\\x1b");
    assert_escapes("\x1b", false, "\\x1b");
}

static void what_reorders_hides_or_stacks_is_written_out(void **state)
{
    (void)state;
    assert_escapes("\xe2\x80\xae", false, "\\u{202e}"); /* right-to-left override */
    assert_escapes("\xe2\x81\xa6", false, "\\u{2066}"); /* isolate */
    assert_escapes("\xe2\x80\x8b", false, "\\u{200b}"); /* zero width space */
    assert_escapes("\xef\xbb\xbf", false, "\\u{feff}"); /* byte order mark */
    assert_escapes("\xe2\x80\xa8", false, "\\u{2028}"); /* line separator */
    assert_escapes("e\xcc\x81", false, "e\\u{301}");    /* combining acute */
    assert_escapes("\xd7\x90", false, "\\u{5d0}");      /* Hebrew: right to left */
    assert_escapes("\xc2\xad", false, "\\u{ad}");       /* soft hyphen */
    assert_escapes("\xee\x80\x80", false, "\\u{e000}"); /* private use */
    assert_escapes("\xf3\xa0\x80\x81", false, "\\u{e0001}");
}

static void letters_of_the_world_stay(void **state)
{
    (void)state;
    assert_escapes("zażółć Ωμέγα Привет 你好 한국 😀", false, "zażółć Ωμέγα Привет 你好 한국 😀");
}

static void ascii_has_look_alikes_for_what_views_draw_with(void **state)
{
    (void)state;
    assert_escapes("┌│└┊►◄─×µ→…·", true, ",|`:><-Xu->...-");
    assert_escapes("é😀", true, "\\u{e9}\\u{1f600}");
}

static void widths_are_those_of_the_c_library(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    size_t compared = 0;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        int columns = escape_columns(code);
        int theirs = wcwidth((wchar_t)code);
        if (columns == 0 || theirs < 0) continue; /* not printed, or not yet known to the library */
        if (columns != theirs) fail_msg("U+%04X: %d columns, the C library says %d", (unsigned)code, columns, theirs);
        compared++;
    }
    assert_true(compared > 90000);
}

static void no_control_is_ever_printable(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0xa0; code++) assert_int_equal(escape_columns(code), code >= 0x20 && code < 0x7f);
    assert_int_equal(escape_columns(ESCAPE_INVALID), 0);
    assert_int_equal(escape_columns(0x110000), 0);
}

static void assert_json(const char *text, bool ascii, const char *wanted)
{
    struct buf out = buf_new(4096);
    struct json json = json_new(&out, ascii);
    json_string(&json, NULL, text);
    assert_string_equal(buf_string(&out), wanted);
    buf_free(&out);
}

static void json_strings_are_valid_for_any_bytes(void **state)
{
    (void)state;
    assert_json("a\x1b[31m\nb\"<\\", false, "\"a\\u001b[31m\\u000ab\\\"<\\\\\"");
    assert_json("\xff\xc0\xaf|\xed\xa0\x80", false,
                "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_json("\xff", true, "\"\\ufffd\"");
    assert_json("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\x7f", false, "\"\\u009b\\u202e\\u2028\\u007f\"");
    assert_json("你😀", false, "\"你😀\"");
    assert_json("你😀", true, "\"\\u4f60\\ud83d\\ude00\"");
    assert_json(NULL, false, "null");
}

static void json_puts_commas_where_they_belong(void **state)
{
    (void)state;
    struct buf out = buf_new(4096);
    struct json json = json_new(&out, false);
    for (int line = 0; line < 2; line++) {
        json_object(&json, NULL);
        json_array(&json, "empty");
        json_end_array(&json);
        json_array(&json, "list");
        json_int(&json, NULL, INT64_MIN);
        json_uint(&json, NULL, UINT64_MAX);
        json_object(&json, NULL);
        json_end_object(&json);
        json_null(&json, NULL);
        json_end_array(&json);
        json_bool(&json, "yes", true);
        json_maybe_int(&json, "known", true, 0);
        json_maybe_int(&json, "unknown", false, 7);
        json_end_object(&json);
        json_newline(&json);
    }
    const char *line = "{\"empty\":[],\"list\":[-9223372036854775808,18446744073709551615,{},null],\"yes\":true,\"known\":0,"
                       "\"unknown\":null}\n";
    char both[512];
    snprintf(both, sizeof(both), "%s%s", line, line);
    assert_string_equal(buf_string(&out), both);
    buf_free(&out);
}

/* Wraps and puts the lines into rows, which are read back. */
static void assert_wraps(const char *string, int width, const char *wanted)
{
    struct layout_text text = layout_text_new(false);
    struct buf out = buf_new(4096);
    layout_add(&text, STYLE_PLAIN, string);
    size_t cursor = 0, from, to;
    while (layout_wrap(&text, width, &cursor, &from, &to)) {
        struct layout_row row;
        assert_true(layout_columns(&text, from, to) <= width);
        layout_row_clear(&row, width, false);
        layout_put(&row, 0, &text, from, to);
        layout_emit(&row, false, &out);
    }
    assert_string_equal(buf_string(&out), wanted);
    layout_text_free(&text);
    buf_free(&out);
}

static void lines_break_at_spaces_and_lose_nothing(void **state)
{
    (void)state;
    assert_wraps("one two three", 8, "one two\nthree\n");
    assert_wraps("one two three", 7, "one two\nthree\n");
    assert_wraps("one two three", 6, "one\ntwo\nthree\n");
    assert_wraps("abcdefghij kl", 4, "abcd\nefgh\nij\nkl\n");
    assert_wraps("你好吗 好", 5, "你好\n吗 好\n");
    assert_wraps("a\x1bz", 3, "a\\x\n1bz\n");
    assert_wraps("a b\xc2\xa0"
                 "c d",
                 5, "a b c\nd\n");
    assert_wraps("ab c\xc2\xa0"
                 "d e",
                 5, "ab\nc d e\n"); /* a no-break space holds */
    assert_wraps("", 5, "");
}

static void a_row_never_grows(void **state)
{
    (void)state;
    struct layout_text text = layout_text_new(false);
    struct buf out = buf_new(4096);
    struct layout_row row;
    layout_add(&text, STYLE_CLIENT, "abc你好");
    layout_row_clear(&row, 6, false);
    layout_put(&row, 2, &text, 0, text.count);
    layout_put(&row, -2, &text, 0, text.count);
    layout_fill(&row, 5, 90, STYLE_PLAIN, "─");
    layout_emit(&row, false, &out);
    assert_string_equal(buf_string(&out), "c你好─\n");
    layout_text_free(&text);
    buf_free(&out);
}

static void colours_stand_around_words_and_end_with_the_line(void **state)
{
    (void)state;
    struct buf out = buf_new(4096);
    struct layout_row row;
    layout_row_clear(&row, 20, false);
    int x = layout_put_string(&row, 0, STYLE_CLIENT, "ab");
    assert_int_equal(x, 2);
    layout_put_string(&row, 3, STYLE_PLAIN, "c");
    layout_put_string(&row, 5, STYLE_ALARM, "d");
    layout_emit(&row, true, &out);
    assert_string_equal(buf_string(&out), "\x1b[32mab \x1b[0mc \x1b[1;31md\x1b[0m\n");
    buf_clear(&out);
    layout_emit(&row, false, &out);
    assert_string_equal(buf_string(&out), "ab c d\n");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_utf8_is_decoded),
        cmocka_unit_test(what_is_not_utf8_is_taken_byte_by_byte),
        cmocka_unit_test(a_cut_sequence_is_not_read_past_its_end),
        cmocka_unit_test(controls_are_written_out),
        cmocka_unit_test(a_name_can_not_pose_as_an_escape),
        cmocka_unit_test(what_reorders_hides_or_stacks_is_written_out),
        cmocka_unit_test(letters_of_the_world_stay),
        cmocka_unit_test(ascii_has_look_alikes_for_what_views_draw_with),
        cmocka_unit_test(widths_are_those_of_the_c_library),
        cmocka_unit_test(no_control_is_ever_printable),
        cmocka_unit_test(json_strings_are_valid_for_any_bytes),
        cmocka_unit_test(json_puts_commas_where_they_belong),
        cmocka_unit_test(lines_break_at_spaces_and_lose_nothing),
        cmocka_unit_test(a_row_never_grows),
        cmocka_unit_test(colours_stand_around_words_and_end_with_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
