/* The row views: what they write of rows built by hand, the least and the most that a row can hold included. */
#include "viz/lists/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "viz/pen/line.h"

static struct ledger_row usual(void)
{
    struct ledger_row row = {.number = 3,
                             .start_ns = 1700000001500000000,
                             .end_ns = 1700000001750000000,
                             .trailing_ns = 50000000,
                             .handshake_ns = 43000,
                             .opened_by = LEDGER_CLIENT,
                             .closed_first_by = LEDGER_SERVER,
                             .outcome = LEDGER_CLOSED,
                             .completeness = 31,
                             .conn_state = "SF",
                             .history = "ShADadfF"};
    row.end[LEDGER_CLIENT] = (struct ledger_end){.address = address_v4((const uint8_t[]){10, 0, 0, 1}, 40000),
                                                 .state = STATE_CLOSED,
                                                 .has_isn = true,
                                                 .isn = 7,
                                                 .segments = 5,
                                                 .bytes = 1234,
                                                 .ip_bytes = 1500,
                                                 .ip_bytes_known = true};
    row.end[LEDGER_SERVER] = (struct ledger_end){.address = address_v4((const uint8_t[]){10, 0, 0, 2}, 80),
                                                 .state = STATE_TIME_WAIT,
                                                 .segments = 4,
                                                 .bytes = 5600000,
                                                 .retransmissions = 2,
                                                 .zero_windows = 1};
    return row;
}

/* The largest numbers and the longest texts there can be. */
static struct ledger_row extreme(void)
{
    struct ledger_row row = usual();
    uint8_t ip[16];
    memset(ip, 0xfe, sizeof(ip));
    row.number = UINT32_MAX;
    row.start_ns = INT64_MIN;
    row.end_ns = INT64_MAX;
    row.handshake_ns = INT64_MAX;
    row.opened_by = -1;
    row.outcome = LEDGER_HALF_OPEN;
    row.ending = LEDGER_CROWDED;
    row.tunnel = 1;
    row.completeness = 63;
    memset(row.history, 'G', LEDGER_HISTORY_BYTES - 1);
    for (size_t side = 0; side < LEDGER_SIDES; side++)
        row.end[side] = (struct ledger_end){.address = address_v6(ip, 65535),
                                            .state = STATE_ESTABLISHED,
                                            .segments = side ? 0 : UINT32_MAX,
                                            .bytes = UINT64_MAX,
                                            .ip_bytes = UINT64_MAX,
                                            .ip_bytes_known = true,
                                            .retransmissions = UINT32_MAX,
                                            .out_of_order = UINT32_MAX,
                                            .keep_alives = UINT32_MAX,
                                            .zero_windows = UINT32_MAX,
                                            .missed_bytes = UINT64_MAX / 2};
    return row;
}

static struct buf draw(const struct rows_view *view, const struct ledger_row *row, const struct rows_options *options)
{
    struct buf out = buf_new(1 << 20);
    const struct ledger_totals totals = {.segments = 9, .connections = 1, .first_ns = row->start_ns, .last_ns = row->end_ns};
    const struct rows_source source = {.packets = 10};
    assert_int_equal(view->begin(&out, options), 0);
    assert_int_equal(view->row(&out, options, row), 0);
    assert_int_equal(view->end(&out, options, &totals, &source), 0);
    assert_false(out.failed);
    return out;
}

static void hold(const struct rows_view *view, const char *expected, bool ascii)
{
    struct ledger_row row = usual();
    struct buf out = draw(view, &row, &(struct rows_options){.base_ns = 1700000000000000000, .ascii = ascii});
    assert_string_equal(buf_string(&out), expected);
    buf_free(&out);
}

static void the_list_is_aligned_under_its_heading(void **state)
{
    (void)state;
    hold(&rows_list,
         "     #       start    took client                server                outcome   last states                 rtt closed "
         "by  "
         "segs   sent  recvd again notes\n"
         "     3    1.500000   250ms 10.0.0.1:40000        10.0.0.2:80           closed    CLOSED/TIME_WAIT           43µs server  "
         "     "
         " 9  1.23K  5.60M     2 1 zero window\n",
         false);
}

static void ascii_has_no_other_bytes(void **state)
{
    (void)state;
    struct ledger_row row = usual();
    struct buf out = draw(&rows_list, &row, &(struct rows_options){.ascii = true, .verbose = 1});
    for (size_t i = 0; i < out.length; i++) assert_true(out.data[i] == '\n' || (out.data[i] >= ' ' && out.data[i] <= '~'));
    assert_non_null(strstr(buf_string(&out), "43us"));
    assert_non_null(strstr(buf_string(&out), "SF ShADadfF"));
    buf_free(&out);
}

static void csv_is_a_heading_and_a_line(void **state)
{
    (void)state;
    struct ledger_row row = usual();
    struct buf out = draw(&rows_csv, &row, &(struct rows_options){0});
    assert_non_null(
        strstr(buf_string(&out),
               "\r\n3,1700000001.500000000,1700000001.750000000,10.0.0.1,40000,10.0.0.2,80,CLOSED,TIME_WAIT,closed,client,"
               "server,43000,5,4,1234,5600000,0,2,0,0,0,1,0,0,0,0,31,SF,ShADadfF,0,,,\r\n"));
    buf_free(&out);
}

static void a_conn_log_leaves_out_what_came_after_both_had_closed(void **state)
{
    (void)state;
    struct ledger_row row = usual();
    struct buf out = draw(&rows_zeek, &row, &(struct rows_options){.base_ns = 1700000000000000000});
    const char *text = buf_string(&out);
    assert_non_null(strstr(text, "#open\t2023-11-14-22-13-20\n"));
    assert_non_null(strstr(text, "\n1700000001.500000\tC"));
    assert_non_null(strstr(
        text, "\t10.0.0.1\t40000\t10.0.0.2\t80\ttcp\t-\t0.200000\t1234\t5600000\tSF\t-\t-\t0\tShADadfF\t5\t1500\t4\t-\t-\n"));
    assert_non_null(strstr(text, "#close\t"));
    buf_free(&out);
}

static void the_largest_row_fits_every_view(void **state)
{
    (void)state;
    struct ledger_row row = extreme();
    size_t count = 0;
    const struct rows_view *const *views = rows_all(&count);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        struct buf out = draw(views[i], &row, &(struct rows_options){.base_ns = INT64_MAX, .verbose = 1});
        if (views[i] == &rows_summary) {
            assert_non_null(strstr(buf_string(&out), "packets "));
        } else {
            assert_non_null(strstr(buf_string(&out), "fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe"));
            assert_non_null(strstr(buf_string(&out), views[i] == &rows_zeek ? "GGGGG" : "4294967295"));
        }
        buf_free(&out);
    }
}

static void views_are_found_by_name_and_ending(void **state)
{
    (void)state;
    assert_ptr_equal(rows_by_name("zeek"), &rows_zeek);
    assert_null(rows_by_name("text"));
    assert_ptr_equal(rows_by_path("a/conn.log"), &rows_zeek);
    assert_ptr_equal(rows_by_path("x.csv"), &rows_csv);
    assert_null(rows_by_path(".csv"));
    assert_null(rows_by_path("x.txt"));
}

static void numbers_are_written_as_printf_would(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 9, 10, 99, 100, 101, 999, 1000, 12345678, UINT32_MAX, UINT64_MAX};
    char text[LINE_ADDRESS_BYTES + LINE_SLACK], expected[64];
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        line_char(line_uint(text, values[i]), '\0');
        snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
        assert_string_equal(text, expected);
        assert_int_equal(line_digits(values[i]), strlen(expected));
    }
    static const struct {
        int64_t ns;
        int digits;
        const char *text;
    } times[] = {{0, 6, "0.000000"},
                 {1, 9, "0.000000001"},
                 {-1500000000, 3, "-1.500"},
                 {1999999999, 0, "1"},
                 {123456789, 9, "0.123456789"},
                 {1012345678, 6, "1.012345"},
                 {INT64_MIN, 9, "-9223372036.854775808"}};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        line_char(line_seconds(text, times[i].ns, times[i].digits), '\0');
        assert_string_equal(text, times[i].text);
        assert_in_range(strlen(text), 1, LINE_SECONDS_BYTES);
    }
}

static void hold_scaled(struct line_scaled scaled, const char *expected)
{
    char text[LINE_SCALED_BYTES + LINE_SLACK];
    line_char(line_scaled(text, &scaled), '\0');
    assert_string_equal(text, expected);
    assert_int_equal(line_scaled_columns(&scaled), strlen(expected) - (strstr(expected, "µ") ? 1 : 0));
}

static void durations_and_amounts_have_three_figures(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } durations[] = {
        {0, "0ns"},          {999, "999ns"},       {43000, "43us"},        {999999, "999us"},     {-5, "0ns"},
        {1234567, "1.23ms"}, {45600000, "45.6ms"}, {123000000000, "123s"}, {1000000000, "1.00s"}, {100000000, "100ms"}};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
        hold_scaled(line_duration(durations[i].ns, true), durations[i].text);
    hold_scaled(line_duration(43000, false), "43µs");
    static const struct {
        uint64_t value;
        const char *text;
    } amounts[] = {{0, "0"},         {999, "999"},           {1000, "1.00K"},         {12345, "12.3K"},
                   {999999, "999K"}, {5600000, "5.60M"},     {1000000000, "1.00G"},   {UINT64_MAX, "18.4E"},
                   {1099, "1.09K"},  {45600000000, "45.6G"}, {1234567890123, "1.23T"}};
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) hold_scaled(line_amount(amounts[i].value), amounts[i].text);
}

static void addresses_are_written_as_the_library_would(void **state)
{
    (void)state;
    char text[LINE_ADDRESS_BYTES + LINE_SLACK], expected[ADDRESS_TEXT_BYTES];
    for (unsigned i = 0; i < 256; i++) {
        const struct address address = address_v4((const uint8_t[]){(uint8_t)i, 0, (uint8_t)(255 - i), 9}, (uint16_t)(i * 257));
        line_char(line_address(text, &address), '\0');
        assert_string_equal(text, address_format(&address, expected));
    }
    uint8_t ip[16] = {0xfe, 0x80, [15] = 1};
    const struct address six = address_v6(ip, 443);
    line_char(line_address(text, &six), '\0');
    assert_string_equal(text, "[fe80::1]:443");
}

/* Where the server's address begins. */
static size_t server_column(const char *line)
{
    while (*line == ' ') line++;
    for (int cells = 0; cells < 4; cells++) { /* number, start, took, client */
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return strcspn(line, "\n");
}

static void behind_a_long_address_columns_are_aligned_again(void **state)
{
    (void)state;
    size_t address_columns = 0, rest[4];
    struct rows_options options = {.base_ns = 1700000000000000000, .address_columns = &address_columns};
    struct ledger_row rows[] = {usual(), usual(), usual()};
    uint8_t ip[16];
    memset(ip, 0xfe, sizeof(ip));
    rows[1].end[LEDGER_CLIENT].address = address_v6(ip, 65535);
    struct buf out = buf_new(1 << 16);
    for (int i = 0; i < 3; i++) {
        buf_clear(&out);
        assert_int_equal(rows_list.row(&out, &options, &rows[i]), 0);
        const char *line = buf_string(&out);
        rest[i] = strlen(line) - server_column(line); /* columns before the server */
    }
    assert_true(rest[0] < rest[1]);
    assert_int_equal(rest[1], rest[2]); /* the IPv4 row behind it */
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_long_address_columns_are_aligned_again),
        cmocka_unit_test(the_list_is_aligned_under_its_heading),
        cmocka_unit_test(ascii_has_no_other_bytes),
        cmocka_unit_test(csv_is_a_heading_and_a_line),
        cmocka_unit_test(a_conn_log_leaves_out_what_came_after_both_had_closed),
        cmocka_unit_test(the_largest_row_fits_every_view),
        cmocka_unit_test(views_are_found_by_name_and_ending),
        cmocka_unit_test(numbers_are_written_as_printf_would),
        cmocka_unit_test(durations_and_amounts_have_three_figures),
        cmocka_unit_test(addresses_are_written_as_the_library_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
