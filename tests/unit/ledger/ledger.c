/* The ledger: rows from segments written as "side:flags:seq:ack:length[:window]", sequence numbers relative to each side's ISN. */
#include "ledger/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger_own.h"

enum { ROWS_MAX = 64, STEP_NS = 10000000 };
static const uint32_t isns[2] = {0xfffffff0u, 5000}; /* the client's numbers wrap around */

struct rows {
    struct ledger_row row[ROWS_MAX];
    size_t count;
    int stop_at;
};

static int keep(void *data, const struct ledger_row *row)
{
    struct rows *rows = data;
    assert_true(rows->count < ROWS_MAX);
    rows->row[rows->count++] = *row;
    return rows->stop_at && rows->count == (size_t)rows->stop_at ? -EPIPE : 0;
}

struct ledger_segment segment_of(int side, const char *flags, uint32_t seq, uint32_t ack, uint32_t length, uint16_t window,
                                 int64_t t_ns, uint16_t client_port)
{
    struct ledger_segment segment = {.t_ns = t_ns, .version = 4, .length_bytes = length, .ip_bytes = 40 + length, .window = window};
    uint8_t ip[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
    memcpy(segment.src, ip[side], 4);
    memcpy(segment.dst, ip[!side], 4);
    segment.src_port = side ? 80 : client_port;
    segment.dst_port = side ? client_port : 80;
    for (; *flags; flags++) {
        const char *letters = "FSRPA", *found = strchr(letters, *flags);
        if (*flags != '-') segment.flags = (uint8_t)(segment.flags | 1 << (found - letters));
    }
    segment.seq = isns[side] + seq;
    if (segment.flags & TCP_ACK) segment.ack = isns[!side] + ack;
    return segment;
}

/* Feeds the steps, 10 ms apart (a step "+N" waits N seconds more), and finishes. */
static void run(struct rows *rows, const char *steps, const struct ledger_options *options)
{
    struct ledger_options fixed = options ? *options : (struct ledger_options){.hash_seed = 1};
    struct ledger *ledger = ledger_new(&fixed, keep, rows);
    assert_non_null(ledger);
    char *text = strdup(steps), *rest = NULL;
    int64_t t_ns = 1700000000000000000;
    for (char *step = strtok_r(text, " ", &rest); step; step = strtok_r(NULL, " ", &rest)) {
        char side, flags[8];
        unsigned seq, ack, length, window = 1000, port = 40000;
        if (step[0] == '+') {
            t_ns += strtol(step + 1, NULL, 10) * (int64_t)1000000000;
            continue;
        }
        assert_true(sscanf(step, "%c:%7[A-Z-]:%u:%u:%u:%u:%u", &side, flags, &seq, &ack, &length, &window, &port) >= 5);
        struct ledger_segment segment = segment_of(side == 's', flags, seq, ack, length, (uint16_t)window, t_ns, (uint16_t)port);
        assert_int_equal(ledger_feed(ledger, &segment, 1, NULL), 0);
        t_ns += STEP_NS;
    }
    free(text);
    assert_int_equal(ledger_finish(ledger), 0);
    assert_int_equal(ledger_totals(ledger)->open, 0);
    ledger_free(ledger);
}

#define OPEN "c:S:0:0:0 s:SA:0:1:0 c:A:1:1:0 "
#define TALK "c:PA:1:1:5 s:A:1:6:0 s:PA:1:6:7 c:A:6:8:0 "

/* From the definitions in Zeek's documentation of conn.log (conn_state, history), and Wireshark's of tcp.completeness. */
static const struct {
    const char *what, *steps, *conn_state, *history;
    unsigned completeness;
    enum ledger_outcome outcome;
} cases[] = {
    {"attempt, no reply", "c:S:0:0:0", "S0", "S", 1, LEDGER_HALF_OPEN},
    {"attempt repeated, no reply", "c:S:0:0:0 +1 c:S:0:0:0", "S0", "S", 1, LEDGER_HALF_OPEN},
    {"established", OPEN, "S1", "ShA", 7, LEDGER_OPEN},
    {"established, data both ways", OPEN TALK, "S1", "ShADad", 15, LEDGER_OPEN},
    {"normal end, client first", OPEN TALK "c:FA:6:8:0 s:A:8:7:0 s:FA:8:7:0 c:A:7:9:0", "SF", "ShADadFf", 31, LEDGER_CLOSED},
    {"normal end, server first", OPEN TALK "s:FA:8:6:0 c:FA:6:9:0 s:A:9:7:0", "SF", "ShADadfF", 31, LEDGER_CLOSED},
    {"simultaneous close", OPEN "c:FA:1:1:0 s:FA:1:1:0 c:A:2:2:0 s:A:2:2:0", "SF", "ShAFfa", 23, LEDGER_CLOSED},
    {"rejected", "c:S:0:0:0 s:RA:0:1:0", "REJ", "Sr", 37, LEDGER_REFUSED},
    {"client closed, server did not", OPEN "c:FA:1:1:0 s:A:1:2:0", "S2", "ShAFa", 23, LEDGER_OPEN},
    {"server closed, client did not", OPEN "s:FA:1:1:0 c:A:1:2:0", "S3", "ShAf", 23, LEDGER_OPEN},
    {"client aborts", OPEN TALK "c:RA:6:8:0", "RSTO", "ShADadR", 47, LEDGER_RESET},
    {"server aborts", OPEN TALK "s:R:8:0:0", "RSTR", "ShADadr", 47, LEDGER_RESET},
    /* Only the other end refuses; a RST out of SYN_SENT answers an ACK that was not captured. */
    {"SYN, then RST of the same end", "c:S:0:0:0 c:R:1:0:0", "RSTOS0", "SR", 33, LEDGER_HALF_OPEN},
    {"SYN-ACK, then RST, the SYN unseen", "s:SA:0:1:0 s:R:1:0:0", "RSTRH", "^hr", 34, LEDGER_RESET},
    /* Who ends with a FIN has had the SYN-ACK, captured or not. */
    {"SYN, then FIN, no SYN-ACK", "c:S:0:0:0 c:FA:1:1:0", "SH", "SF", 21, LEDGER_OPEN},
    {"SYN-ACK, then FIN, the SYN unseen", "s:SA:0:1:0 s:FA:1:1:0", "SHR", "^hf", 22, LEDGER_OPEN},
    {"midstream", "c:PA:1:1:5 s:A:1:6:0", "OTH", "Da", 12, LEDGER_OPEN},
    {"midstream, the server speaks first", "s:PA:1:1:5 c:A:1:6:0", "OTH", "^dA", 12, LEDGER_OPEN},
    {"SYN unseen, the rest seen", "s:SA:0:1:0 c:A:1:1:0 c:PA:1:1:5 s:A:1:6:0", "S1", "^hADa", 14, LEDGER_OPEN},
    {"repeated data is a t", OPEN "c:PA:1:1:5 +1 c:PA:1:1:5 s:A:1:6:0", "S1", "ShADTa", 15, LEDGER_OPEN},
    {"a zero window is a w", OPEN "c:PA:1:1:5 s:A:1:6:0:0", "S1", "ShADaw", 15, LEDGER_OPEN},
    {"an acknowledged gap is a g", OPEN "c:PA:101:1:5 s:A:1:106:0", "S1", "ShADaG", 15, LEDGER_OPEN},
    {"FIN and RST in one is an i", OPEN "c:FRA:1:1:0", "RSTO", "ShAI", 55, LEDGER_RESET},
    {"SYN and FIN in one is a q", "c:SF:0:0:0", "SH", "Q", 1, LEDGER_HALF_OPEN},
    {"another SYN-ACK number is another h", "c:S:0:0:0 s:SA:0:1:0 s:SA:7:1:0", "S1", "Shh", 3, LEDGER_HALF_OPEN},
    {"simultaneous open", "c:S:0:0:0 s:S:0:0:0 c:SA:0:1:0 s:SA:0:1:0", "S1", "Ss", 3, LEDGER_OPEN},
    {"data on the SYN", "c:S:0:0:4 s:SA:0:5:0 c:A:5:1:0", "S1", "ShA", 15, LEDGER_OPEN},
};

static void states_histories_and_completeness_are_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rows rows = {0};
        run(&rows, cases[i].steps, NULL);
        if (rows.count != 1 || strcmp(rows.row[0].conn_state, cases[i].conn_state) != 0 ||
            strcmp(rows.row[0].history, cases[i].history) != 0 || rows.row[0].completeness != cases[i].completeness ||
            rows.row[0].outcome != cases[i].outcome)
            fail_msg("%s: %zu rows, %s %s %u %s", cases[i].what, rows.count, rows.row[0].conn_state, rows.row[0].history,
                     rows.row[0].completeness, ledger_outcome_name(rows.row[0].outcome));
    }
}

static void a_row_tells_ends_times_and_bytes_over_the_wrap_around(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, OPEN "c:PA:1:1:500 s:A:1:501:0 s:PA:1:501:7 c:A:501:8:0 s:FA:8:501:0 c:FA:501:9:0 s:A:9:502:0", NULL);
    const struct ledger_row *row = &rows.row[0];
    assert_int_equal(rows.count, 1);
    assert_int_equal(row->number, 1);
    assert_int_equal(row->end[LEDGER_CLIENT].address.port, 40000);
    assert_int_equal(row->end[LEDGER_CLIENT].state, STATE_CLOSED);
    assert_int_equal(row->end[LEDGER_SERVER].state, STATE_TIME_WAIT);
    assert_int_equal(row->end[LEDGER_CLIENT].bytes, 500);
    assert_int_equal(row->end[LEDGER_SERVER].bytes, 7);
    assert_int_equal(row->end[LEDGER_CLIENT].ip_bytes, 5 * 40 + 500);
    assert_true(row->end[LEDGER_CLIENT].ip_bytes_known);
    assert_int_equal(row->end[LEDGER_CLIENT].isn, isns[0]);
    assert_int_equal(row->opened_by, LEDGER_CLIENT);
    assert_int_equal(row->closed_first_by, LEDGER_SERVER);
    assert_int_equal(row->handshake_ns, 2 * STEP_NS);
    assert_int_equal(row->end_ns - row->start_ns, 9 * STEP_NS);
    assert_int_equal(row->trailing_ns, STEP_NS); /* the last ACK */
    assert_int_equal(row->ending, LEDGER_ENDED);
    assert_false(row->roles_guessed);
}

static void the_bytes_of_packets_are_counted_beyond_32_bits(void **state)
{
    (void)state;
    struct rows rows = {0};
    const struct ledger_options options = {.hash_seed = 1};
    struct ledger *ledger = ledger_new(&options, keep, &rows);
    assert_non_null(ledger);
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t i = 0; i < 3 + side; i++) {
            struct ledger_segment segment = segment_of((int)side, "A", 1, 1, 0, 1000, 1700000000000000000 + i, 40000);
            segment.ip_bytes = UINT32_MAX - side;
            assert_int_equal(ledger_feed(ledger, &segment, 1, NULL), 0);
        }
    assert_int_equal(ledger_finish(ledger), 0);
    assert_int_equal(rows.row[0].end[LEDGER_CLIENT].ip_bytes, 3 * (uint64_t)UINT32_MAX);
    assert_int_equal(rows.row[0].end[LEDGER_SERVER].ip_bytes, 4 * (uint64_t)(UINT32_MAX - 1));
    ledger_free(ledger);
}

static void retransmissions_disorder_and_keep_alives_are_told_apart(void **state)
{
    (void)state;
    struct rows rows = {0};
    /* New, again after long, ahead of its turn, within 20 ms the one that was skipped, a keep-alive with its answer. */
    run(&rows, OPEN "c:PA:1:1:10 +1 c:PA:1:1:10 s:A:1:11:0 c:PA:21:1:10 c:PA:11:1:10 s:A:1:31:0 +60 c:A:30:1:1 s:A:1:31:0", NULL);
    const struct ledger_end *client = &rows.row[0].end[LEDGER_CLIENT];
    assert_int_equal(client->retransmissions, 1);
    assert_int_equal(client->out_of_order, 1);
    assert_int_equal(client->keep_alives, 1);
    assert_int_equal(client->missed_bytes, 0);
    assert_int_equal(client->bytes, 30);
}

static void what_nobody_captured_and_the_peer_acknowledged_is_missed(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, OPEN "c:PA:1:1:10 c:PA:111:1:10 s:A:1:121:0 c:PA:121:1:10 s:A:1:131:0", NULL);
    assert_int_equal(rows.row[0].end[LEDGER_CLIENT].missed_bytes, 100);
    assert_int_equal(rows.row[0].end[LEDGER_CLIENT].bytes, 130);
}

static void a_syn_with_another_number_is_another_connection(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, "c:S:0:0:0 c:S:77:0:0 s:SA:0:78:0", NULL);
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.row[0].conn_state, "S0");
    assert_string_equal(rows.row[1].conn_state, "S1");
    assert_int_equal(rows.row[1].number, 2);
}

static void the_same_syn_after_a_reset_is_the_same_attempt(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, "c:S:0:0:0 s:RA:0:1:0 +1 c:S:0:0:0 s:RA:0:1:0", NULL);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.row[0].outcome, LEDGER_REFUSED);
    assert_int_equal(rows.row[0].end[LEDGER_CLIENT].retransmissions, 1);
}

static void another_syn_after_a_reset_is_another_connection(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, "c:S:0:0:0 s:RA:0:1:0 +1 c:S:7:0:0 s:RA:0:8:0", NULL);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.row[1].outcome, LEDGER_REFUSED);
}

static void stragglers_belong_to_the_closed_connection(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, OPEN "c:RA:1:1:0 +1 s:PA:1:1:9 s:FA:10:1:0", NULL);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.row[0].end[LEDGER_SERVER].segments, 3);
}

static void a_quiet_attempt_is_given_up_and_a_quiet_connection_is_kept(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, OPEN "c:S:0:0:0:1000:40001 +300 c:PA:1:1:5", NULL);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.row[0].number, 2);
    assert_int_equal(rows.row[0].ending, LEDGER_IDLE);
    assert_int_equal(rows.row[1].number, 1);
    assert_int_equal(rows.row[1].end[LEDGER_CLIENT].bytes, 5);
}

static void a_jump_of_the_clock_ends_nothing(void **state)
{
    (void)state;
    struct rows rows = {0};
    run(&rows, OPEN "+100000000 c:S:0:0:0:1000:40001 +-100000000 c:PA:1:1:5", NULL);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.row[0].number, 1);
    assert_int_equal(rows.row[0].end[LEDGER_CLIENT].bytes, 5);
}

static void each_segment_gets_the_number_of_its_connection(void **state)
{
    (void)state;
    static struct rows rows;
    rows = (struct rows){0};
    struct ledger *ledger = ledger_new(NULL, keep, &rows);
    struct ledger_segment segments[] = {segment_of(0, "S", 0, 0, 0, 1, 0, 1), segment_of(0, "S", 0, 0, 0, 1, 0, 2),
                                        segment_of(1, "SA", 0, 1, 0, 1, 0, 1), segment_of(0, "S", 9, 0, 0, 1, 0, 1)};
    uint32_t numbers[4];
    assert_int_equal(ledger_feed(ledger, segments, 4, numbers), 0);
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[1], 2);
    assert_int_equal(numbers[2], 1);
    assert_int_equal(numbers[3], 3);
    ledger_free(ledger);
}

static void a_listener_that_fails_stops_the_feeding(void **state)
{
    (void)state;
    static struct rows rows;
    rows = (struct rows){.stop_at = 1};
    struct ledger *ledger = ledger_new(NULL, keep, &rows);
    struct ledger_segment first = segment_of(0, "S", 0, 0, 0, 1, 0, 1), second = segment_of(0, "S", 9, 0, 0, 1, 0, 1);
    assert_int_equal(ledger_feed(ledger, &first, 1, NULL), 0);
    assert_int_equal(ledger_feed(ledger, &second, 1, NULL), -EPIPE);
    assert_int_equal(ledger_feed(ledger, &first, 1, NULL), -EPIPE);
    assert_int_equal(ledger_finish(ledger), -EPIPE);
    ledger_free(ledger);
}

/* Files hold any times. */
static void handshakes_that_took_centuries_add_up_to_as_much_as_fits(void **state)
{
    (void)state;
    static struct rows rows;
    rows = (struct rows){0};
    struct ledger *ledger = ledger_new(NULL, keep, &rows);
    for (uint16_t port = 1; port <= 3; port++) {
        struct ledger_segment segments[] = {segment_of(0, "S", 0, 0, 0, 1, 0, port), segment_of(1, "SA", 0, 1, 0, 1, 1, port),
                                            segment_of(0, "A", 1, 1, 0, 1, INT64_MAX, port)};
        assert_int_equal(ledger_feed(ledger, segments, 3, NULL), 0);
    }
    assert_int_equal(ledger_finish(ledger), 0);
    assert_int_equal(ledger_totals(ledger)->handshakes, 3);
    assert_int_equal(ledger_totals(ledger)->handshake_sum_ns, INT64_MAX);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_histories_and_completeness_are_as_documented),
        cmocka_unit_test(a_row_tells_ends_times_and_bytes_over_the_wrap_around),
        cmocka_unit_test(the_bytes_of_packets_are_counted_beyond_32_bits),
        cmocka_unit_test(retransmissions_disorder_and_keep_alives_are_told_apart),
        cmocka_unit_test(what_nobody_captured_and_the_peer_acknowledged_is_missed),
        cmocka_unit_test(a_syn_with_another_number_is_another_connection),
        cmocka_unit_test(the_same_syn_after_a_reset_is_the_same_attempt),
        cmocka_unit_test(another_syn_after_a_reset_is_another_connection),
        cmocka_unit_test(stragglers_belong_to_the_closed_connection),
        cmocka_unit_test(a_quiet_attempt_is_given_up_and_a_quiet_connection_is_kept),
        cmocka_unit_test(a_jump_of_the_clock_ends_nothing),
        cmocka_unit_test(a_flood_stays_within_its_bound),
        cmocka_unit_test(memory_is_used_again_after_connections_close),
        cmocka_unit_test(each_segment_gets_the_number_of_its_connection),
        cmocka_unit_test(as_many_closed_connections_as_may_linger_wait_for_what_comes_late),
        cmocka_unit_test(one_closed_connection_more_than_may_linger_waits_for_some_seconds),
        cmocka_unit_test(a_listener_that_fails_stops_the_feeding),
        cmocka_unit_test(handshakes_that_took_centuries_add_up_to_as_much_as_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
