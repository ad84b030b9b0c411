/* What stands in the rows: causes, states, times. */
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

/* What is drawn, without the bars, hooks and blanks between the words. */
static char *squeeze(const char *text)
{
    char *squeezed = malloc(strlen(text) + 1), *to = squeezed;
    assert_non_null(squeezed);
    for (size_t left = strlen(text); left > 0;) {
        uint32_t code;
        size_t taken = escape_decode(text, left, &code);
        bool is_drawing =
            code == ' ' || code == '\n' || code == '[' || code == ']' || (code >= 0x2500 && code <= 0x257f) || code == 0x21b3;
        if (!is_drawing) {
            memcpy(to, text, taken);
            to += taken;
        }
        text += taken;
        left -= taken;
    }
    *to = 0;
    return squeezed;
}

static void assert_is_told(const char *squeezed, const char *sentence, const char *what)
{
    struct buf escaped = buf_new(1 << 16);
    escape_text(&escaped, sentence, false);
    char *wanted = squeeze(buf_string(&escaped));
    if (!strstr(squeezed, wanted)) fail_msg("%s: cut or missing: %s", what, sentence);
    free(wanted);
    buf_free(&escaped);
}

void no_cause_argument_or_finding_is_cut_at_any_width(void **state)
{
    (void)state;
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++) {
        for (int width = 60; width <= 140; width += 5) {
            struct buf drawn = drawing_of(&view_text, &(struct view_options){.width = width, .verbose = 1}, &fixtures[i], 1, NULL);
            char *squeezed = squeeze(drawn.data);
            struct story *story = fixtures[i].make();
            for (size_t k = 0; k < story->step_count; k++) {
                const struct story_step *step = &story->steps[k];
                if (step->kind == STEP_SEGMENT) assert_is_told(squeezed, step->segment->cause.why, fixtures[i].name);
                if (step->kind == STEP_DATAGRAM) assert_is_told(squeezed, step->datagram->cause.why, fixtures[i].name);
                if (step->kind == STEP_STATE && !step->state->kernel)
                    assert_is_told(squeezed, step->state->cause.why, fixtures[i].name);
                if (step->kind == STEP_ENTER && step->call->args) assert_is_told(squeezed, step->call->args, fixtures[i].name);
                if (step->kind == STEP_PROCESS_EXIT) assert_is_told(squeezed, step->exit->name, fixtures[i].name);
            }
            for (size_t k = 0; k < story->finding_count; k++) assert_is_told(squeezed, story->findings[k].text, fixtures[i].name);
            story_free(story);
            free(squeezed);
            buf_free(&drawn);
        }
    }
}

void a_packet_is_crossed_out_only_where_it_is_known_not_to_have_arrived(void **state)
{
    (void)state;
    static const char *const vantages[] = {"client", "server"};
    const struct view_run run = {.vantages = vantages, .vantage_count = 2};
    struct buf drawn = draw("refused", &(struct view_options){.run = &run});
    assert_null(strstr(drawn.data, "×")); /* two vantages somewhere are not yet one at its receiver's */
    buf_free(&drawn);
    drawn = draw("lossy_wire", &(struct view_options){0});
    assert_non_null(strstr(drawn.data, "×"));
    buf_free(&drawn);
}

void causes_of_data_segments_and_kernel_states_come_with_verbosity(void **state)
{
    (void)state;
    struct buf drawn = draw("normal_echo", &(struct view_options){.width = 80});
    assert_null(strstr(drawn.data, "kernel: CLOSE"));
    assert_null(strstr(drawn.data, "sent by write(3)"));
    assert_null(strstr(drawn.data, "tcp_v4_rcv"));
    buf_free(&drawn);
    drawn = draw("normal_echo", &(struct view_options){.width = 80, .verbose = 1});
    assert_non_null(strstr(drawn.data, "kernel: CLOSE → SYN_SENT"));
    assert_non_null(strstr(drawn.data, "sent by write(3)"));
    assert_null(strstr(drawn.data, "tcp_v4_rcv"));
    buf_free(&drawn);
    drawn = draw("normal_echo", &(struct view_options){.width = 80, .verbose = 2});
    assert_non_null(strstr(drawn.data, "tcp_v4_rcv"));
    buf_free(&drawn);
}

void a_closed_pipe_is_returned_from_wherever_it_happens(void **state)
{
    (void)state;
    struct buf drawn = draw("normal_echo", &(struct view_options){0});
    size_t all = drawn.length;
    buf_free(&drawn);
    assert_int_equal(drawing_into_broken_sink(&view_text, &(struct view_options){0}, all), 0);
    assert_int_equal(drawing_into_broken_sink(&view_text, &(struct view_options){0}, all - 1), -EPIPE);
    assert_int_equal(drawing_into_broken_sink(&view_text, &(struct view_options){0}, 10), -EPIPE);
}

void durations_have_three_digits_at_most(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *words;
    } cases[] = {{0, "0 ns"},
                 {999, "999 ns"},
                 {1000, "1 µs"},
                 {43000, "43 µs"},
                 {1250000, "1.25 ms"},
                 {12340000, "12.3 ms"},
                 {210000000, "210 ms"},
                 {999999999, "1000 ms"},
                 {1500000000, "1.5 s"},
                 {59900000000, "59.9 s"},
                 {125000000000, "2 min 5 s"},
                 {INT64_C(10925000000000), "3 h 2 min"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char words[WORDS_BYTES];
        struct buf plain = buf_new(64);
        for (const char *at = words_duration(cases[i].ns, words); *at; at++) { /* no-break spaces as spaces */
            if (strncmp(at, "\xc2\xa0", 2) == 0) {
                buf_char(&plain, ' ');
                at++;
            } else
                buf_char(&plain, *at);
        }
        assert_string_equal(buf_string(&plain), cases[i].words);
        buf_free(&plain);
    }
}

void times_are_milliseconds_to_the_microsecond(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *words;
    } cases[] = {{0, "0.000"},
                 {999, "0.000"},
                 {1000, "0.001"},
                 {-1000, "-0.001"},
                 {12034567, "12.034"},
                 {INT64_C(99999999999), "99999.999"},
                 {-INT64_C(7200500000000), "-7200.5 s"},
                 {INT64_MIN, "-9223372036.8 s"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char words[WORDS_BYTES];
        assert_string_equal(words_time(cases[i].ns, words), cases[i].words);
    }
}

void views_are_found_by_name_and_by_a_files_ending(void **state)
{
    (void)state;
    assert_ptr_equal(view_by_name("text"), &view_text);
    assert_ptr_equal(view_by_name("jsonl"), &view_jsonl);
    assert_null(view_by_name("tex"));
    assert_ptr_equal(view_by_path("a/b.txt"), &view_text);
    assert_ptr_equal(view_by_path("x.jsonl"), &view_jsonl);
    assert_null(view_by_path("txt"));
    assert_null(view_by_path(".txt"));
    assert_null(view_by_path(""));
    size_t count;
    const struct view *const *all = view_all(&count);
    for (size_t i = 0; i < count; i++) assert_ptr_equal(view_by_name(all[i]->name), all[i]);
}
