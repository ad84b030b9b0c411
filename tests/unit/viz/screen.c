/* The list on a terminal: every line fits, columns stand under their titles, and what is too long keeps what matters of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "viz/lists/rows.h"

static struct ledger_row row_between(struct address client, struct address server)
{
    struct ledger_row row = {.number = 12,
                             .start_ns = 1500000000,
                             .end_ns = 1750000000,
                             .handshake_ns = 43000,
                             .closed_first_by = LEDGER_SERVER,
                             .outcome = LEDGER_CLOSED,
                             .conn_state = "SF",
                             .history = "ShADadfF"};
    row.end[LEDGER_CLIENT] = (struct ledger_end){.address = client, .state = STATE_CLOSED, .segments = 5, .bytes = 999500};
    row.end[LEDGER_SERVER] = (struct ledger_end){
        .address = server, .state = STATE_TIME_WAIT, .segments = 4, .bytes = 5, .retransmissions = 2, .zero_windows = 1};
    return row;
}

static struct ledger_row short_row(void)
{
    return row_between(address_v4((const uint8_t[]){10, 0, 0, 1}, 40000), address_v4((const uint8_t[]){10, 0, 0, 2}, 80));
}

static struct ledger_row long_row(void)
{
    const uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34, 0x56, 0x78};
    uint8_t b[16];
    memset(b, 0xfe, sizeof(b));
    struct ledger_row row = row_between(address_v6(a, 40002), address_v6(b, 65535));
    row.number = UINT32_MAX;
    row.start_ns = INT64_MIN;
    row.end_ns = INT64_MAX;
    row.handshake_ns = INT64_MAX;
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        row.end[side].segments = row.end[side].retransmissions = row.end[side].zero_windows = UINT32_MAX;
        row.end[side].bytes = UINT64_MAX;
        row.end[side].missed_bytes = UINT64_MAX / 2;
    }
    memset(row.history, 'G', LEDGER_HISTORY_BYTES - 1);
    return row;
}

static char *draw(const struct rows_options *options, const struct ledger_row *rows, size_t count)
{
    struct buf out = buf_new(1 << 16);
    assert_int_equal(rows_screen.begin(&out, options), 0);
    for (size_t i = 0; i < count; i++) assert_int_equal(rows_screen.row(&out, options, &rows[i]), 0);
    char *text = strdup(buf_string(&out));
    buf_free(&out);
    return text;
}

/* Bytes that begin a character. */
static size_t columns_of(const char *line, size_t length)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++) columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    return columns;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    const struct ledger_row rows[] = {short_row(), long_row()};
    for (int width = 40; width <= 300; width++)
        for (int how = 0; how < 4; how++) {
            const struct rows_options options = {.width = width, .ascii = how & 1, .verbose = how >> 1};
            char *text = draw(&options, rows, 2);
            size_t lines = 0;
            for (const char *line = text; *line; lines++) {
                const char *end = strchr(line, '\n');
                assert_non_null(end);
                assert_true(columns_of(line, (size_t)(end - line)) <= (size_t)width);
                for (const char *c = line; options.ascii && c < end; c++) assert_true((unsigned char)*c < 0x7f);
                line = end + 1;
            }
            assert_int_equal(lines, 3);
            free(text);
        }
}

/* Where a word begins in a line, in columns. */
static size_t column_of(const char *text, size_t line, const char *word)
{
    for (; line; line--) text = strchr(text, '\n') + 1;
    const char *at = strstr(text, word), *end = strchr(text, '\n');
    if (!at || at > end) return SIZE_MAX;
    return columns_of(text, (size_t)(at - text));
}

static void columns_stand_under_their_titles_whatever_the_addresses(void **state)
{
    (void)state;
    const struct ledger_row rows[] = {short_row(), long_row()};
    for (int width = 60; width <= 300; width += 20) {
        const struct rows_options options = {.width = width};
        char *text = draw(&options, rows, 2);
        assert_int_equal(column_of(text, 1, "10.0.0.1:40000"), column_of(text, 0, "client"));
        assert_int_equal(column_of(text, 1, "10.0.0.2:80"), column_of(text, 0, "server"));
        assert_int_equal(column_of(text, 2, "[2001:db8"), column_of(text, 0, "client"));
        assert_int_equal(column_of(text, 2, "[fefe"), column_of(text, 0, "server"));
        assert_int_equal(column_of(text, 1, "closed"), column_of(text, 0, "outcome"));
        assert_int_equal(column_of(text, 2, "closed"), column_of(text, 0, "outcome"));
        assert_true(column_of(text, 2, ":65535 ") < (size_t)width);
        free(text);
    }
}

static void a_wide_terminal_shows_all_and_a_narrow_one_what_matters(void **state)
{
    (void)state;
    static const struct {
        int width;
        const char *heading;
    } cases[] = {
        {80, "    # client                server                outcome   notes\n"},
        {40, "   # client       server       outcome\n"},
    };
    const struct ledger_row row = short_row();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct rows_options options = {.width = cases[i].width};
        char *text = draw(&options, &row, 1);
        assert_non_null(strstr(text, "closed"));
        *(strchr(text, '\n') + 1) = '\0';
        assert_string_equal(text, cases[i].heading);
        free(text);
    }
    const struct rows_options wide = {.width = 200};
    char *text = draw(&wide, &row, 1);
    assert_non_null(strstr(text, "250ms"));
    assert_non_null(strstr(text, "43µs"));
    assert_non_null(strstr(text, "1.00M")); /* 999,500: not "1000K" */
    assert_non_null(strstr(text, "zero window"));
    free(text);
}

static void a_history_that_was_cut_says_so(void **state)
{
    (void)state;
    struct ledger_row row = short_row();
    const struct rows_options options = {.width = 200, .verbose = 1};
    for (int cut = 0; cut < 2; cut++) {
        row.history_cut = cut;
        char *text = draw(&options, &row, 1);
        assert_int_equal(strstr(text, "ShADadfF+") != NULL, cut);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(columns_stand_under_their_titles_whatever_the_addresses),
        cmocka_unit_test(a_wide_terminal_shows_all_and_a_narrow_one_what_matters),
        cmocka_unit_test(a_history_that_was_cut_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
