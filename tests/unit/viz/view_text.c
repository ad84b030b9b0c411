#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include <cmocka.h>

#include "support/drawing.h"
#include "support/golden.h"
#include "view_text_own.h"
#include "viz/pen/escape.h"
#include "viz/plan/words.h"

struct buf draw(const char *fixture, const struct view_options *options)
{
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(fixtures[i].name, fixture) == 0) return drawing_of(&view_text, options, &fixtures[i], 1, NULL);
    fail_msg("no story %s", fixture);
    abort();
}

static void check_golden(const char *name, struct buf *drawn)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN_DIR, name);
    golden_check(path, drawn->data, drawn->length);
    buf_free(drawn);
}

static void every_story_is_drawn_as_its_golden_text(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf drawn = draw(fixtures[i].name, &(struct view_options){.width = 80});
        check_golden(fixtures[i].name, &drawn);
    }
}

static void other_widths_and_ways_are_drawn_as_their_golden_texts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *fixture;
        struct view_options options;
    } cases[] = {{"normal_echo-60", "normal_echo", {.width = 60}},
                 {"normal_echo-120", "normal_echo", {.width = 120}},
                 {"normal_echo-ascii", "normal_echo", {.width = 80, .ascii = true}},
                 {"normal_echo-color", "normal_echo", {.width = 80, .color = true}},
                 {"normal_echo-verbose", "normal_echo", {.width = 120, .verbose = 2}},
                 {"normal_echo-brief", "normal_echo", {.width = 80, .brief = true}},
                 {"late_accept-brief", "late_accept", {.width = 80, .brief = true}},
                 {"lossy_wire-brief", "lossy_wire", {.width = 80, .brief = true}},
                 {"normal_echo-handshake", "normal_echo", {.width = 80, .part = VIEW_HANDSHAKE}},
                 {"normal_echo-goodbye", "normal_echo", {.width = 80, .part = VIEW_GOODBYE}},
                 {"lossy_wire-ascii", "lossy_wire", {.width = 100, .ascii = true}},
                 {"many_threads-140", "many_threads", {.width = 140}},
                 {"reset_unread-color", "reset_unread", {.width = 100, .color = true, .verbose = 1}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf drawn = draw(cases[i].fixture, &cases[i].options);
        check_golden(cases[i].name, &drawn);
    }
}

static void in_brief_a_story_fits_a_slide_with_its_title_and_question_on_top(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++) {
        if (fixtures[i].make == story_large_numbers) continue; /* addresses that take lines */
        struct view_run run = {.title = "Who answers?", .question = "Is it accept()?"};
        struct buf drawn = draw(fixtures[i].name, &(struct view_options){.width = 80, .brief = true, .run = &run});
        size_t lines = 0;
        for (const char *at = buf_string(&drawn); *at; at++) lines += *at == '\n';
        if (strcmp(fixtures[i].name, "normal_echo") == 0 && lines > 22) fail_msg("%zu lines", lines);
        if (lines > 40) fail_msg("%s: %zu lines", fixtures[i].name, lines);
        assert_int_equal(strncmp(drawn.data, "── Who answers? ──", strlen("── Who answers? ──")), 0);
        assert_non_null(strstr(drawn.data, "──\nIs it accept()?\n"));
        buf_free(&drawn);
    }
}

static void a_run_of_many_stories_ends_with_their_outcomes(void **state)
{
    (void)state;
    static const struct story_fixture fixtures[] = {
        {"", story_refused, 1}, {"", story_udp_refused, 1}, {"", story_reset_unread, 1}, {"", story_refused, 1}};
    struct buf drawn = drawing_of(&view_text, &(struct view_options){.width = 80}, fixtures, 4, NULL);
    check_golden("many-stories", &drawn);
    drawn = drawing_of(&view_text, &(struct view_options){.width = 80}, NULL, 0, NULL);
    check_golden("no-story", &drawn);
}

static void what_was_lost_is_told(void **state)
{
    (void)state;
    static const char *const vantages[] = {"client", "server"};
    static const struct story_loss losses[] = {
        {"capture client", "dropped by kernel", 90, 3}, {"bpf", "ring full", 63, 17}, {"bpf", "no memory", 60, 0}};
    static const struct story_trace trace = {.recorder = "ptrace",
                                             .reason = "bpf is not permitted: CAP_BPF is missing",
                                             .vantages = vantages,
                                             .vantage_count = 2,
                                             .losses = losses,
                                             .loss_count = 3,
                                             .lost = 17,
                                             .dropped = 3,
                                             .marks_unjoined = 2,
                                             .packets_unmarked = 1};
    struct buf drawn = drawing_of(&view_text, &(struct view_options){.width = 80}, NULL, 0, &trace);
    check_golden("losses", &drawn);
}

/* Columns as the C library counts them; every character must be one it can print. */
static int columns_of(const char *line, size_t length)
{
    int columns = 0;
    mbstate_t shift = {0};
    while (length > 0) {
        wchar_t code;
        size_t taken = mbrtowc(&code, line, length, &shift);
        if (taken == 0 || taken > length) return -1;
        int width = wcwidth(code);
        if (width < 1) return -1;
        columns += width;
        line += taken;
        length -= taken;
    }
    return columns;
}

static int widest_line(const struct buf *drawn, const char *what)
{
    int widest = 0;
    for (const char *line = drawn->data; line < drawn->data + drawn->length;) {
        size_t length = strcspn(line, "\n");
        int columns = columns_of(line, length);
        if (columns < 0) fail_msg("%s: not printable: %.*s", what, (int)length, line);
        if (columns > widest) widest = columns;
        if (length > 0 && line[length - 1] == ' ') fail_msg("%s: blanks at the end: %.*s|", what, (int)length, line);
        line += length + 1;
    }
    return widest;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++) {
        for (int width = 60; width <= 200; width++) {
            for (int way = 0; way < 4; way++) {
                struct view_options options = {.width = width, .ascii = way & 1, .verbose = way & 2};
                char what[64];
                snprintf(what, sizeof(what), "%s at %d", fixtures[i].name, width);
                struct buf drawn = drawing_of(&view_text, &options, &fixtures[i], 1, NULL);
                int widest = widest_line(&drawn, what), most = width < 140 ? width : 140;
                if (widest > most) fail_msg("%s: a line of %d columns", what, widest);
                if (fixtures[i].make != story_empty && widest < most) fail_msg("%s: only %d columns are used", what, widest);
                buf_free(&drawn);
            }
        }
    }
}

static void a_terminal_of_no_or_little_width_is_drawn_for_all_the_same(void **state)
{
    (void)state;
    static const int cases[][2] = {{0, 80}, {1, 60}, {59, 60}, {-5, 60}, {1000000, 140}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf drawn = draw("normal_echo", &(struct view_options){.width = cases[i][0]});
        assert_int_equal(widest_line(&drawn, "normal_echo"), cases[i][1]);
        buf_free(&drawn);
    }
}

static void ascii_has_no_byte_above_the_tilde(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    struct buf drawn =
        drawing_of(&view_text, &(struct view_options){.width = 100, .ascii = true, .verbose = 2}, fixtures, count, NULL);
    for (size_t i = 0; i < drawn.length; i++) {
        unsigned char byte = (unsigned char)drawn.data[i];
        assert_true(byte == '\n' || (byte >= 0x20 && byte <= 0x7e));
    }
    buf_free(&drawn);
}

static void without_colour_nothing_steers_the_terminal(void **state)
{
    (void)state;
    struct buf drawn = draw("hostile_names", &(struct view_options){.width = 80, .verbose = 2});
    const char *at = drawn.data;
    for (size_t left = drawn.length; left > 0;) {
        uint32_t code;
        size_t taken = escape_decode(at, left, &code);
        assert_true(code == '\n' || escape_columns(code) > 0);
        at += taken;
        left -= taken;
    }
    assert_non_null(strstr(drawn.data, "a\\x1b[31m\\nb\"<\\\\[812]"));
    buf_free(&drawn);
}

/* Codes that can't be read on a dark or on a light ground (white, black, yellow, grounds) must not be there. */
static void colour_codes_are_of_the_few_and_change_no_text(void **state)
{
    (void)state;
    static const char *const allowed[] = {"0", "1", "2", "31", "32", "35", "1;31", "1;32", "1;35"};
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf plain = draw(fixtures[i].name, &(struct view_options){.width = 80});
        struct buf color = draw(fixtures[i].name, &(struct view_options){.width = 80, .color = true});
        struct buf stripped = buf_new(1 << 20);
        size_t codes = 0;
        for (const char *at = color.data; *at;) {
            if (*at != '\x1b') {
                buf_char(&stripped, *at++);
                continue;
            }
            assert_int_equal(at[1], '[');
            size_t length = strcspn(at + 2, "m");
            bool known = false;
            for (size_t k = 0; k < sizeof(allowed) / sizeof(allowed[0]); k++)
                known |= strlen(allowed[k]) == length && strncmp(allowed[k], at + 2, length) == 0;
            assert_true(known);
            at += 2 + length + 1;
            codes++;
        }
        assert_true(codes > 0);
        assert_string_equal(stripped.data, plain.data);
        buf_free(&plain);
        buf_free(&color);
        buf_free(&stripped);
    }
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_story_is_drawn_as_its_golden_text),
        cmocka_unit_test(other_widths_and_ways_are_drawn_as_their_golden_texts),
        cmocka_unit_test(in_brief_a_story_fits_a_slide_with_its_title_and_question_on_top),
        cmocka_unit_test(a_run_of_many_stories_ends_with_their_outcomes),
        cmocka_unit_test(what_was_lost_is_told),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_terminal_of_no_or_little_width_is_drawn_for_all_the_same),
        cmocka_unit_test(ascii_has_no_byte_above_the_tilde),
        cmocka_unit_test(without_colour_nothing_steers_the_terminal),
        cmocka_unit_test(colour_codes_are_of_the_few_and_change_no_text),
        cmocka_unit_test(no_cause_argument_or_finding_is_cut_at_any_width),
        cmocka_unit_test(a_packet_is_crossed_out_only_where_it_is_known_not_to_have_arrived),
        cmocka_unit_test(causes_of_data_segments_and_kernel_states_come_with_verbosity),
        cmocka_unit_test(a_closed_pipe_is_returned_from_wherever_it_happens),
        cmocka_unit_test(durations_have_three_digits_at_most),
        cmocka_unit_test(times_are_milliseconds_to_the_microsecond),
        cmocka_unit_test(views_are_found_by_name_and_by_a_files_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
