/* Any segments of one connection, in any order and at any times, before the judge: its records stay sound. The first byte says how
 * it is told (from one place, sent and received apart, an end that talks to itself, no second record to be had); then sixteen bytes
 * are a segment: who, flags, numbers relative to what was said last or absolute, length, window, look, time. */
#include <stdlib.h>
#include <string.h>

#include "conn/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOW_TWO_PLACES = 1, HOW_TO_ITSELF = 2, HOW_NO_MEMORY = 4, HOW_LOSES = 8, HOW_PLAIN = 16 };

struct record {
    struct conn conn; /* first: its second record is found by it */
    struct conn_more more;
    bool has_more, no_memory;
};

static struct conn_more *more_of(void *owner, struct conn *conn, bool make)
{
    struct record *record = (struct record *)conn;
    (void)owner;
    if (record->no_memory) return NULL;
    record->has_more |= make;
    return record->has_more ? &record->more : NULL;
}

static void hold(bool sound)
{
    if (!sound) abort();
}

static void check_holes(const struct conn_end *end, const struct conn_more_end *more)
{
    hold(more->hole_count <= CONN_HOLES_MAX);
    for (size_t i = 0; i < more->hole_count; i++) {
        hold(seq_before(more->holes[i].from, more->holes[i].to));
        if (i) hold(seq_before(more->holes[i - 1].to, more->holes[i].from));
    }
    if (more->has_top && more->hole_count) hold(seq_at_or_before(more->holes[more->hole_count - 1].to, more->top));
    if (more->has_seen) hold(seq_before(more->seen, end->next));
}

static void check_end(const struct conn *conn, unsigned side)
{
    const struct conn_end *end = &conn->end[side];
    hold(end->state < STATE_COUNT && end->was < STATE_COUNT && conn_state(conn, side) < STATE_COUNT);
    if (end->flags & END_ANY) hold((uint32_t)end->span == end->next - end->base && end->flags & END_BASE);
    if (end->flags & END_ACKED) hold(end->flags & END_ANY && end->next - end->acked <= end->span);
    if (end->flags & END_FIN_ACKED) hold(end->flags & (END_FIN | END_ENDED_BY_RST));
    if (end->flags & END_SYN_SEEN) hold(end->flags & END_SYN);
    hold(end->again_count <= end->segments);
    hold(conn_bytes(conn, side) <= end->span);
}

static void check(const struct conn_judge *judge, struct record *record, const struct conn_verdict *verdict)
{
    struct conn *conn = &record->conn;
    hold(verdict->class < CONN_CLASSES && verdict->move_count < CONN_MOVES_MAX && verdict->reset <= RESET_NOBODY);
    for (size_t i = 0; i < verdict->move_count; i++) hold(verdict->moves[i].to < STATE_COUNT && verdict->moves[i].side < 2);
    hold(conn->client < 2 && conn->closed_first <= 2);
    hold(conn_outcome(conn) <= CONN_OUT_HALF_OPEN);
    hold(conn_keep_ns(conn) > 0);
    for (unsigned side = 0; side < 2; side++) {
        check_end(conn, side);
        const struct conn_payload sent = conn_payload(judge, conn, side);
        hold(sent.missed <= sent.bytes && conn_bytes(conn, side) - sent.bytes <= 1);
        if (record->has_more) check_holes(&conn->end[side], &record->more.end[side]);
        (void)conn_missed(judge, conn, side);
    }
}

static uint32_t offset(uint8_t byte)
{
    return byte < 128 ? byte : byte - (uint32_t)256;
}

static struct conn_segment read_segment(const uint8_t *at, const struct conn *conn, unsigned side, int64_t *t_ns)
{
    struct conn_segment segment = {.flags = at[1], .window = at[11], .sack = at[0] & 2, .interface = at[0] >> 2 & 3};
    memcpy(&segment.seq, at + 2, 4);
    memcpy(&segment.ack, at + 6, 4);
    /* Near what comes next, or anything. */
    if (!(at[0] & 16)) segment.seq = conn->end[side].next + offset(at[2]);
    if (!(at[0] & 32)) segment.ack = conn->end[!side].next + offset(at[6]);
    segment.length_bytes = at[10] & 0x80 ? (uint32_t)(at[10] & 0x7f) << 22 : at[10]; /* no IP packet is longer than that */
    if (at[12]) segment.look = conn_look(at[12], (uint16_t)(1 + at[10]), &segment);
    uint32_t moment;
    memcpy(&moment, at + 12, 4);
    if (at[0] & 64)
        *t_ns = (int64_t)((uint64_t)moment << 32);
    else
        *t_ns = (int64_t)((uint64_t)*t_ns + ((uint64_t)(moment & 0xffff) << (moment >> 27)));
    segment.t_ns = *t_ns;
    return segment;
}

static void take(const struct conn_judge *judge, struct record *record, unsigned side, const struct conn_segment *segment,
                 uint8_t how, struct conn_verdict *verdict)
{
    struct conn *conn = &record->conn;
    if (!(conn->flags & CONN_TWO_PLACES)) {
        if (how & HOW_PLAIN && !record->has_more && conn_take_plain(judge, conn, side, segment) != CONN_PLAIN_NOT) return;
        conn_take(judge, conn, side, segment, verdict);
        return;
    }
    conn_sent(judge, conn, side, segment, verdict);
    bool lost = how & HOW_LOSES && segment->window & 1;
    if (!lost) conn_received(judge, conn, !side, segment, verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record = {.has_more = false};
    struct conn_judge judge;
    struct conn_verdict verdict = {0};
    int64_t t_ns = 1700000000000000000;
    bool begun = false;
    if (!size) return 0;
    uint8_t how = data[0];
    conn_judge_init(&judge, more_of, NULL);
    for (size_t at = 1; at + 16 <= size; at += 16) {
        unsigned side = how & HOW_TO_ITSELF ? 0 : data[at] & 1;
        struct conn_segment segment = read_segment(data + at, &record.conn, side, &t_ns);
        if (begun && conn_begins_anew(&record.conn, &segment, side)) begun = false;
        if (!begun) {
            record = (struct record){.no_memory = how & HOW_NO_MEMORY};
            record.conn.flags = how & HOW_TO_ITSELF ? CONN_TO_ITSELF : how & HOW_TWO_PLACES ? CONN_TWO_PLACES : 0;
            side = 0;
            conn_begin(&record.conn, &segment, data[at] & 128);
            begun = true;
        }
        conn_settle_roles(&record.conn, &segment, side);
        verdict = (struct conn_verdict){0};
        if (conn_is_sight(&judge, &record.conn, &segment, side)) continue;
        take(&judge, &record, side, &segment, how, &verdict);
        check(&judge, &record, &verdict);
    }
    return 0;
}
