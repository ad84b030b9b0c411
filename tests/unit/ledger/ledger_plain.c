/* The ledger's short cuts (conn/plain.h, guessed records) against the long way: the same rows, in the same order, of random
 * exchanges that are mostly sound, so that the short cuts are taken, and sometimes absurd, so that they are left again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/own.h"

enum { RUNS = 300, SEGMENTS = 2000, PAIRS = 24, BATCH = 64, TEXT = 768 };

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % below;
}

struct pair {
    uint32_t next[2], acked[2]; /* by side: what it will send next, what its peer acknowledged last */
    struct ledger_segment last[2];
    unsigned stage;
};

/* Everything a row says, as text. */
struct told {
    size_t count;
    char (*rows)[TEXT];
};

static void tell_end(char *text, size_t room, const struct ledger_end *end)
{
    snprintf(text, room,
             "%d:%u %s isn %d %u segs %u bytes %llu ip %llu %d again %u ooo %u alive %u probes %u zero %u ignored %u strays %u "
             "sights %u missed %llu",
             end->address.ip[0], end->address.port, tcp_state_name(end->state), end->has_isn, end->isn, end->segments,
             (unsigned long long)end->bytes, (unsigned long long)end->ip_bytes, end->ip_bytes_known, end->retransmissions,
             end->out_of_order, end->keep_alives, end->window_probes, end->zero_windows, end->ignored_resets, end->strays,
             end->sights, (unsigned long long)end->missed_bytes);
}

static int tell(void *data, const struct ledger_row *row)
{
    struct told *told = data;
    char client[TEXT / 3], server[TEXT / 3];
    tell_end(client, sizeof(client), &row->end[0]);
    tell_end(server, sizeof(server), &row->end[1]);
    assert_true(told->count < SEGMENTS + BATCH); /* a row has a segment at least */
    snprintf(told->rows[told->count++], TEXT, "%u %s | %s | %lld %lld %lld %lld by %d %d outcome %d %d comp %d guessed %d %s %s",
             row->number, client, server, (long long)row->start_ns, (long long)row->end_ns, (long long)row->trailing_ns,
             (long long)row->handshake_ns, row->opened_by, row->closed_first_by, row->outcome, row->ending, row->completeness,
             row->roles_guessed, row->conn_state, row->history);
    return 0;
}

static void address(struct ledger_segment *segment, int side, unsigned which)
{
    uint8_t client = (uint8_t)(1 + which), server = which == 5 ? client : 200; /* one talks to itself */
    uint16_t client_port = (uint16_t)(4000 + which), server_port = which == 5 ? client_port : 80;
    segment->src[0] = side ? server : client;
    segment->dst[0] = side ? client : server;
    segment->src_port = side ? server_port : client_port;
    segment->dst_port = side ? client_port : server_port;
    segment->version = which % 3 ? 4 : 6;
}

/* What the pair would say next: a handshake, data both ways, the ends; now and then something else. */
static struct ledger_segment say(struct pair *pair, unsigned which, int64_t t_ns)
{
    static const uint8_t handshake[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
    struct ledger_segment segment = {.t_ns = t_ns, .window = any(40) ? 100 : 0, .ip_bytes = any(90) ? 40 : 0, .flags = TCP_ACK};
    int side = pair->stage < 3 ? pair->stage == 1 : (int)any(2);
    address(&segment, side, which);
    if (pair->stage == 0) {
        pair->next[0] = any(4) ? any(1u << 31) : 0xfffffff0u + any(16);
        pair->next[1] = any(1u << 31);
    }
    if (pair->stage < 3)
        segment.flags = handshake[pair->stage];
    else if (any(4) == 0)
        segment.length_bytes = any(30) ? 1 + any(any(3) ? 50 : 1) : any(1u << 31);
    if (pair->stage > 3 && any(8) == 0) segment.flags |= TCP_FIN;
    if (any(40) == 0) segment.flags = (uint8_t)any(64);
    segment.seq = pair->next[side] + (any(15) ? 0 : any(80) - 40);
    if (segment.length_bytes && any(6) == 0) segment.seq = pair->acked[side];
    segment.ack = segment.flags & TCP_ACK ? pair->next[!side] + (any(15) ? 0 : any(80) - 40) : 0;
    /* An acknowledgement that stands still, as when something before it is missing. */
    if (!segment.length_bytes && any(3) == 0) segment.ack = pair->acked[!side];
    segment.place = (uint8_t)(which % 4 == 1 ? 1 + any(2) : 0);
    /* Packets that tell by their identification, and now and then the same one once more. */
    if (which % 2) {
        segment.ip_id = (uint16_t)(1 + any(60000));
        segment.checksum = (uint16_t)(1 + any(65534));
        if (!any(3) && pair->last[side].checksum) {
            const uint8_t place = segment.place;
            segment = pair->last[side];
            segment.t_ns = t_ns;
            segment.place = place;
            return segment;
        }
    }
    pair->last[side] = segment;
    pair->acked[!side] = segment.ack;
    uint32_t end = segment.seq + segment.length_bytes + !!(segment.flags & TCP_SYN) + !!(segment.flags & TCP_FIN);
    if (seq_before(pair->next[side], end) && any(30)) pair->next[side] = end;
    pair->stage = any(25) ? pair->stage + 1 : any(3);
    return segment;
}

static void both_ways_give_the_same_rows(void **state)
{
    (void)state;
    size_t rows = 0, sights = 0;
    struct told told[2];
    for (size_t i = 0; i < 2; i++) {
        told[i].rows = calloc(SEGMENTS + BATCH, sizeof(*told[i].rows));
        assert_non_null(told[i].rows);
    }
    for (unsigned run = 0; run < RUNS; run++) {
        told[0].count = told[1].count = 0;
        struct ledger *ledgers[2];
        struct pair pairs[PAIRS] = {{.stage = 0}};
        int64_t t_ns = 1700000000000000000;
        for (size_t i = 0; i < 2; i++) {
            const struct ledger_options options = {.hash_seed = 1 + run, .careful = i == 1, .open_max = run % 4 ? 0 : 9};
            ledgers[i] = ledger_new(&options, tell, &told[i]);
            assert_non_null(ledgers[i]);
        }
        for (size_t fed = 0; fed < SEGMENTS;) {
            struct ledger_segment segments[BATCH];
            uint32_t numbers[2][BATCH];
            size_t count = 1 + any(BATCH);
            for (size_t i = 0; i < count; i++) {
                unsigned which = any(PAIRS);
                t_ns += any(500) ? any(any(4) ? 300000 : 100000000) : (int64_t)any(1u << 31) * 64 - ((int64_t)1 << 35);
                segments[i] = say(&pairs[which], which, t_ns);
            }
            for (size_t i = 0; i < 2; i++) assert_int_equal(ledger_feed(ledgers[i], segments, count, numbers[i]), 0);
            assert_memory_equal(numbers[0], numbers[1], count * sizeof(numbers[0][0]));
            fed += count;
        }
        for (size_t i = 0; i < 2; i++) assert_int_equal(ledger_finish(ledgers[i]), 0);
        assert_int_equal(told[0].count, told[1].count);
        for (size_t i = 0; i < told[0].count; i++) assert_string_equal(told[0].rows[i], told[1].rows[i]);
        rows += told[0].count;
        sights += ledger_totals(ledgers[0])->sights;
        assert_memory_equal(ledger_totals(ledgers[0]), ledger_totals(ledgers[1]), sizeof(struct ledger_totals));
        for (size_t i = 0; i < 2; i++) ledger_free(ledgers[i]);
    }
    for (size_t i = 0; i < 2; i++) free(told[i].rows);
    assert_in_range(rows, RUNS * 10, RUNS * SEGMENTS);
    assert_true(sights > RUNS * 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways_give_the_same_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
