/* Rows of `demo --all`, held to stored texts (TCPWHY_REGENERATE=1 rewrites those); and how totals are made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "play/catalogue/catalogue_row.h"
#include "support/golden.h"
#include "viz/pen/escape.h"

static const struct {
    const char *name;
    struct catalogue_row row;
} rows[] = {
    {"syn-lost",
     {.result = CATALOGUE_MET,
      .title = "the client's SYN is lost once",
      .recorder = "bpf",
      .met = 10,
      .count = 10,
      .connections = 1,
      .evidence = {0, 0, 0, 1, 8},
      .states = {"CLOSED SYN_SENT ESTABLISHED", "CLOSED LISTEN SYN_RCVD ESTABLISHED"},
      .took_ms = 1234}},
    {"mine \033[31m\n\"quoted\"",
     {.result = CATALOGUE_UNMET,
      .title = "a lesson with \033[31m in its title",
      .recorder = "ptrace",
      .met = 1,
      .unmet = 1,
      .unknown = 1,
      .count = 3,
      .connections = 2,
      .evidence = {2, 3, 4, 0, 0},
      .states = {"CLOSED", ""},
      .words = "line 3: it was \033]0;x\007 close\nline 4: 'can\xc3\xa9' can't be told: \xff",
      .took_ms = 61000}},
    {"mptcp", {.result = CATALOGUE_NOT_HERE, .title = "Multipath TCP", .words = "this kernel has no MPTCP"}},
    {"nothing-like-it", {.result = CATALOGUE_FAILED, .words = "no scenario 'nothing-like-it'"}},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct buf written(const struct catalogue_format *format, bool ascii)
{
    struct buf out = buf_new(1 << 20);
    struct catalogue_totals totals = {.took_ms = 62500};
    for (size_t i = 0; i < ROWS; i++) {
        catalogue_add_totals(&totals, &rows[i].row);
        assert_int_equal(format->row(&out, rows[i].name, &rows[i].row, ascii), 0);
    }
    assert_int_equal(format->totals(&out, &totals, ascii), 0);
    return out;
}

static void rows_are_written_as_stored(void **data)
{
    (void)data;
    size_t count;
    const struct catalogue_format *formats = catalogue_formats(&count);
    for (size_t i = 0; i < count; i++)
        for (int ascii = 0; ascii < 2; ascii++) {
            char path[512];
            struct buf out = written(&formats[i], ascii);
            snprintf(path, sizeof(path), "%s/catalogue%s%s", GOLDEN_DIR, ascii ? "-ascii" : "", formats[i].suffix);
            golden_check(path, out.data, out.length);
            buf_free(&out);
        }
}

static void nothing_in_them_steers_a_terminal(void **data)
{
    (void)data;
    size_t count;
    const struct catalogue_format *formats = catalogue_formats(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf out = written(&formats[i], false);
        for (size_t at = 0; at < out.length;) {
            uint32_t code;
            size_t took = escape_decode((const char *)out.data + at, out.length - at, &code);
            if (code != '\n' && escape_columns(code) == 0) fail_msg("%s writes %x raw", formats[i].name, (unsigned)code);
            at += took;
        }
        buf_free(&out);
    }
}

static void what_has_no_room_is_said_by_the_result(void **data)
{
    (void)data;
    size_t count;
    const struct catalogue_format *formats = catalogue_formats(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf out = buf_new(20);
        assert_true(formats[i].row(&out, rows[0].name, &rows[0].row, false) < 0);
        buf_free(&out);
    }
}

static void words_are_kept_as_long_as_there_is_room(void **data)
{
    (void)data;
    struct catalogue_row row = {.result = CATALOGUE_UNMET};
    catalogue_add_words(&row, "one");
    catalogue_add_words(&row, "two");
    assert_string_equal(row.words, "one\ntwo");
    for (int i = 0; i < 2000; i++) catalogue_add_words(&row, "and more");
    assert_int_equal(strlen(row.words), CATALOGUE_WORDS_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_as_stored),
        cmocka_unit_test(nothing_in_them_steers_a_terminal),
        cmocka_unit_test(what_has_no_room_is_said_by_the_result),
        cmocka_unit_test(words_are_kept_as_long_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
