/* Any segments in any order and at any times: every one is counted in exactly one row, as a segment or as a sight of one, no bound
 * is passed, and the short cuts for common segments give the rows that the long way gives. Sixteen bytes are a segment: which
 * addresses, flags, numbers, length, window, time. */
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPEN_MAX = 5, BATCH = 7 };

struct sum {
    uint64_t rows, segments, mark; /* mark: of all that the rows say */
};

static void add(struct sum *sum, uint64_t value)
{
    sum->mark = (sum->mark ^ value) * 0x9e3779b97f4a7c15u;
    sum->mark ^= sum->mark >> 29;
}

static int take(void *data, const struct ledger_row *row)
{
    struct sum *sum = data;
    sum->rows++;
    for (size_t side = 0; side < LEDGER_SIDES; side++) sum->segments += (uint64_t)row->end[side].segments + row->end[side].sights;
    if (!row->number || row->outcome >= LEDGER_OUTCOMES || row->completeness > 63 || strlen(row->history) >= LEDGER_HISTORY_BYTES)
        abort();
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        const struct ledger_end *end = &row->end[side];
        const uint64_t values[] = {end->address.port,    end->address.ip[0], end->state,       end->isn,
                                   end->segments,        end->bytes,         end->ip_bytes,    end->ip_bytes_known,
                                   end->retransmissions, end->out_of_order,  end->keep_alives, end->zero_windows,
                                   end->missed_bytes,    end->window_probes, end->strays,      end->ignored_resets,
                                   end->sights};
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) add(sum, values[i]);
    }
    add(sum, (uint64_t)row->start_ns), add(sum, (uint64_t)row->end_ns), add(sum, (uint64_t)row->trailing_ns);
    add(sum, (uint64_t)row->handshake_ns), add(sum, row->number), add(sum, row->completeness), add(sum, row->ending);
    add(sum, (uint64_t)row->opened_by), add(sum, (uint64_t)row->closed_first_by), add(sum, row->outcome);
    for (size_t i = 0; row->history[i]; i++) add(sum, (uint8_t)row->history[i]);
    for (size_t i = 0; row->conn_state[i]; i++) add(sum, (uint8_t)row->conn_state[i]);
    if (row->end[0].state >= STATE_COUNT || row->end[1].state >= STATE_COUNT || !row->conn_state[0]) abort();
    return 0;
}

static struct ledger_segment read_segment(const uint8_t *at)
{
    struct ledger_segment segment = {.version = at[0] & 0x80 ? 6 : 4};
    int back = at[0] & 1;
    (back ? segment.dst : segment.src)[0] = (uint8_t)(at[0] >> 1 & 7);
    (back ? segment.src : segment.dst)[0] = 1;
    segment.src_port = back ? 80 : 4000;
    segment.dst_port = back ? 4000 : 80;
    segment.flags = at[1];
    memcpy(&segment.seq, at + 2, 4);
    memcpy(&segment.ack, at + 6, 4);
    segment.length_bytes = at[10] & 0x80 ? (uint32_t)at[10] << 24 : at[10];
    segment.window = at[11];
    segment.ip_bytes = at[11] & 1 ? 40 : 0;
    segment.place = (uint8_t)(at[11] >> 1 & 3);
    if (at[11] & 8) { /* few enough to be met again */
        segment.ip_id = at[11];
        segment.checksum = (uint16_t)(at[10] | at[2] << 8);
    }
    uint32_t moment;
    memcpy(&moment, at + 12, 4);
    segment.t_ns = (int64_t)((uint64_t)moment << (at[0] >> 4 & 7) * 5);
    return segment;
}

static struct sum feed(const uint8_t *data, size_t size, bool careful)
{
    struct sum sum = {0, 0, 0};
    struct ledger_options options = {.open_max = OPEN_MAX, .hash_seed = 1, .careful = careful};
    struct ledger *ledger = ledger_new(&options, take, &sum);
    struct ledger_segment batch[BATCH];
    uint64_t fed = 0;
    size_t count = 0;
    for (size_t at = 0; ledger && at + 16 <= size; at += 16) {
        batch[count++] = read_segment(data + at);
        fed++;
        if (count < BATCH && at + 32 <= size) continue;
        if (ledger_feed(ledger, batch, count, NULL)) abort();
        if (ledger_totals(ledger)->open > OPEN_MAX) abort();
        count = 0;
    }
    if (ledger && ledger_finish(ledger)) abort();
    if (ledger && (sum.segments != fed || sum.rows != ledger_totals(ledger)->connections || ledger_totals(ledger)->open)) abort();
    ledger_free(ledger);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum quick = feed(data, size, false), careful = feed(data, size, true);
    if (quick.mark != careful.mark || quick.rows != careful.rows) abort();
    return 0;
}
