/* Any segments in any order and at any times: every one is counted in exactly one row, and no bound is passed. Sixteen bytes are a
 * segment: which addresses, flags, numbers, length, window, time. */
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPEN_MAX = 5, BATCH = 7 };

struct sum {
    uint64_t rows, segments;
};

static int take(void *data, const struct ledger_row *row)
{
    struct sum *sum = data;
    sum->rows++;
    sum->segments += (uint64_t)row->end[0].segments + row->end[1].segments;
    if (!row->number || row->outcome >= LEDGER_OUTCOMES || row->completeness > 63 || strlen(row->history) >= LEDGER_HISTORY_BYTES)
        abort();
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
    uint32_t moment;
    memcpy(&moment, at + 12, 4);
    segment.t_ns = (int64_t)((uint64_t)moment << (at[0] >> 4 & 7) * 5);
    return segment;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum sum = {0, 0};
    struct ledger_options options = {.open_max = OPEN_MAX, .hash_seed = 1};
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
    return 0;
}
