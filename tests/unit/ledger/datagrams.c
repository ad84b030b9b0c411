/* UDP flows: numbers, rows, the parts that Zeek cuts, and bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "ledger/datagrams.h"
#include "viz/lists/rows.h"

static const int64_t SECOND = 1000000000;

struct rows {
    struct datagrams_row whole[8], part[8];
    size_t whole_count, part_count;
};

static int take(void *data, const struct datagrams_row *row)
{
    struct rows *rows = data;
    size_t *count = row->is_part ? &rows->part_count : &rows->whole_count;
    assert_true(*count < 8);
    (row->is_part ? rows->part : rows->whole)[(*count)++] = *row;
    return 0;
}

static struct address end_of(uint8_t last, uint16_t port)
{
    return address_v4((const uint8_t[]){192, 0, 2, last}, port);
}

static uint32_t say(struct datagrams *datagrams, uint8_t from, uint16_t from_port, uint8_t to, uint16_t to_port, uint32_t bytes,
                    int64_t t_ns)
{
    struct ledger_other datagram = {.beside.ip_bytes = bytes + 28};
    datagram.packet.header = (struct event_packet_header){
        .src = end_of(from, from_port), .dst = end_of(to, to_port), .protocol = IPPROTO_UDP, .length_bytes = bytes};
    uint32_t number = 0;
    assert_int_equal(datagrams_feed(datagrams, &datagram, t_ns, &number), 0);
    return number;
}

static void a_flow_is_one_row_and_its_number_counts_first_datagrams(void **state)
{
    (void)state;
    struct rows rows = {0};
    struct datagrams *datagrams = datagrams_new(0, take, &rows);
    assert_int_equal(say(datagrams, 1, 40000, 2, 53, 20, 0), 1);
    assert_int_equal(say(datagrams, 1, 40001, 2, 53, 21, 1), 2);
    assert_int_equal(say(datagrams, 2, 53, 1, 40000, 100, 2), 1);
    assert_int_equal(datagrams_finish(datagrams), 0);
    assert_int_equal(rows.whole_count, 2);
    const struct datagrams_row *row = &rows.whole[0];
    assert_int_equal(row->number, 1);
    assert_int_equal(row->end[LEDGER_CLIENT].address.port, 40000);
    assert_int_equal(row->end[LEDGER_CLIENT].bytes, 20);
    assert_int_equal(row->end[LEDGER_SERVER].bytes, 100);
    assert_int_equal(row->end[LEDGER_SERVER].ip_bytes, 128);
    assert_int_equal(row->end_ns, 2);
    assert_int_equal(datagrams_totals(datagrams)->datagrams, 3);
    datagrams_free(datagrams);
}

static void zeek_cuts_behind_a_minute_and_the_row_goes_on(void **state)
{
    (void)state;
    for (int64_t late = 0; late < 2; late++) {
        struct rows rows = {0};
        struct datagrams *datagrams = datagrams_new(0, take, &rows);
        assert_int_equal(say(datagrams, 1, 123, 2, 123, 48, 0), 1);
        assert_int_equal(say(datagrams, 1, 123, 2, 123, 48, 60 * SECOND + late), 1);
        assert_int_equal(datagrams_finish(datagrams), 0);
        assert_int_equal(rows.whole_count, 1);
        assert_int_equal(rows.whole[0].end[LEDGER_CLIENT].datagrams, 2);
        assert_int_equal(rows.part_count, 1 + late);
        assert_int_equal(rows.part[late].end[LEDGER_CLIENT].datagrams, 2 - late);
        assert_int_equal(rows.part[late].start_ns, late ? 60 * SECOND + 1 : 0);
        datagrams_free(datagrams);
    }
}

static void what_was_quiet_longest_makes_room(void **state)
{
    (void)state;
    struct rows rows = {0};
    struct datagrams *datagrams = datagrams_new(2, take, &rows);
    say(datagrams, 1, 1, 2, 9, 1, 0);
    say(datagrams, 1, 2, 2, 9, 1, 1);
    say(datagrams, 1, 1, 2, 9, 1, 2);
    assert_int_equal(say(datagrams, 1, 3, 2, 9, 1, 3), 3);
    assert_int_equal(rows.whole_count, 1);
    assert_int_equal(rows.whole[0].number, 2);
    assert_int_equal(rows.whole[0].ending, LEDGER_CROWDED);
    assert_int_equal(datagrams_totals(datagrams)->crowded, 1);
    datagrams_free(datagrams);
}

static void after_two_hours_a_flow_is_another(void **state)
{
    (void)state;
    for (int64_t late = 0; late < 2; late++) {
        struct rows rows = {0};
        struct datagrams *datagrams = datagrams_new(0, take, &rows);
        say(datagrams, 1, 1, 2, 9, 1, 0);
        assert_int_equal(say(datagrams, 1, 1, 2, 9, 1, 124 * 60 * SECOND + late), 1 + late);
        datagrams_free(datagrams);
    }
}

static void an_error_is_noted_in_the_flow_that_it_quotes(void **state)
{
    (void)state;
    struct rows rows = {0};
    struct datagrams *datagrams = datagrams_new(0, take, &rows);
    say(datagrams, 1, 5000, 2, 9, 1, 0);
    struct event_packet error = {.header = {.src = end_of(2, 0), .dst = end_of(1, 0), .protocol = IPPROTO_ICMP},
                                 .icmp = {.type = 3, .code = 3, .quotes = true, .protocol = IPPROTO_UDP}};
    error.icmp.src = end_of(1, 5000);
    error.icmp.dst = end_of(2, 9);
    assert_int_equal(datagrams_icmp(datagrams, &error), 1);
    error.icmp.dst = end_of(2, 10);
    assert_int_equal(datagrams_icmp(datagrams, &error), 0);
    datagrams_finish(datagrams);
    char notes[ROWS_NOTES_BYTES];
    assert_string_equal(rows_udp_notes(&rows.whole[0], notes), "ICMP port unreachable from 192.0.2.2, no answer");
    datagrams_free(datagrams);
}

static void zeek_turns_a_flow_that_a_server_port_began(void **state)
{
    (void)state;
    static const struct {
        uint16_t first, other;
        uint64_t there, back;
        const char *state, *history;
    } flows[] = {
        {40000, 53, 1, 1, "SF", "Dd"},  {40000, 53, 1, 0, "S0", "D"}, {53, 40000, 1, 0, "SHR", "^d"},
        {53, 40000, 1, 1, "SF", "^dD"}, {123, 123, 1, 0, "S0", "D"},
    };
    for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
        struct datagrams_row row = {0};
        row.end[LEDGER_CLIENT] = (struct datagrams_end){end_of(1, flows[i].first), flows[i].there, 1, 29};
        row.end[LEDGER_SERVER] = (struct datagrams_end){end_of(2, flows[i].other), flows[i].back, 1, 29};
        bool turned;
        const char *history;
        assert_string_equal(rows_udp_conn_state(&row, &turned, &history), flows[i].state);
        assert_string_equal(history, flows[i].history);
        assert_int_equal(turned, history[0] == '^');
    }
}

static int refuse(void *data, const struct datagrams_row *row)
{
    (void)data, (void)row;
    return -EPIPE;
}

static void what_the_listener_says_ends_the_feeding(void **state)
{
    (void)state;
    struct datagrams *datagrams = datagrams_new(0, refuse, NULL);
    say(datagrams, 1, 1, 2, 9, 1, 0);
    say(datagrams, 1, 2, 2, 9, 1, 0);
    assert_int_equal(datagrams_finish(datagrams), -EPIPE);
    datagrams_free(datagrams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_one_row_and_its_number_counts_first_datagrams),
        cmocka_unit_test(zeek_cuts_behind_a_minute_and_the_row_goes_on),
        cmocka_unit_test(what_was_quiet_longest_makes_room),
        cmocka_unit_test(after_two_hours_a_flow_is_another),
        cmocka_unit_test(an_error_is_noted_in_the_flow_that_it_quotes),
        cmocka_unit_test(zeek_turns_a_flow_that_a_server_port_began),
        cmocka_unit_test(what_the_listener_says_ends_the_feeding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
