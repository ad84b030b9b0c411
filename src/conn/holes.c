/* Ranges that are missing: below the highest number that reached the peer of an end, what did not. In ascending order, apart from
 * each other, in bounded memory: of more than fit the lowest goes, and the peer's acknowledgement alone proves its arrival. */
#include <string.h>

#include "conn/own.h"

static uint32_t top_of(const struct conn_end *end, const struct conn_more_end *more)
{
    return more && more->has_top ? more->top : end->got;
}

/* What lies so far below is no longer told from what is ahead, modulo 2^32; no window is as large (RFC 7323 section 2.3). */
enum { FAR = 1 << 30 };

static uint32_t missed_of(const struct conn_end *peer, struct conn_range hole)
{
    uint32_t acked = peer->ack - hole.from, length = hole.to - hole.from;
    if (!(peer->flags & END_ACKS) || acked >= 3 * (uint32_t)FAR) return 0; /* it is behind by less than a window */
    return acked < length ? acked : length;
}

static void remove_at(struct conn_more_end *more, size_t at, size_t count)
{
    size_t behind = more->hole_count - at - count;
    memmove(&more->holes[at], &more->holes[at + count], behind * sizeof(more->holes[0]));
    memmove(&more->hole_us[at], &more->hole_us[at + count], behind * sizeof(more->hole_us[0]));
    more->hole_count = (uint8_t)(more->hole_count - count);
}

/* Room for one more at `at`; the lowest may have to go. Returns where it is now. */
static size_t insert_at(struct conn_more_end *more, size_t at, const struct conn_end *peer)
{
    if (more->hole_count == CONN_HOLES_MAX) {
        more->missed_bytes += missed_of(peer, more->holes[0]);
        remove_at(more, 0, 1);
        if (at) at--;
    }
    size_t behind = more->hole_count - at;
    memmove(&more->holes[at + 1], &more->holes[at], behind * sizeof(more->holes[0]));
    memmove(&more->hole_us[at + 1], &more->hole_us[at], behind * sizeof(more->hole_us[0]));
    more->hole_count++;
    return at;
}

static void forget_far(struct conn_more_end *more, uint32_t top, const struct conn_end *peer)
{
    while (more->hole_count && top - more->holes[0].to >= FAR) {
        more->missed_bytes += missed_of(peer, more->holes[0]);
        remove_at(more, 0, 1);
    }
    if (!more->hole_count || top - more->holes[0].from <= FAR) return;
    struct conn_range front = {more->holes[0].from, top - FAR};
    more->missed_bytes += missed_of(peer, front);
    more->holes[0].from = front.to;
}

/* Everything up to the first hole that the peer is not known to have is received in order. */
static void move_got(struct conn_end *end, const struct conn_more_end *more)
{
    uint32_t got = top_of(end, more);
    for (size_t i = 0; more && i < more->hole_count; i++) {
        if (seq_at_or_before(more->holes[i].to, end->got)) continue;
        got = more->holes[i].from;
        break;
    }
    if (seq_before(end->got, got)) end->got = got;
}

static void fill(struct conn_more_end *more, uint32_t from, uint32_t to, const struct conn_end *peer)
{
    for (size_t i = more->hole_count; i-- > 0;) {
        struct conn_range *hole = &more->holes[i];
        if (!seq_before(from, hole->to) || !seq_before(hole->from, to)) continue;
        bool keeps_front = seq_before(hole->from, from), keeps_back = seq_before(to, hole->to);
        if (keeps_front && keeps_back) {
            struct conn_range back = {to, hole->to};
            uint32_t since = more->hole_us[i];
            hole->to = from;
            size_t at = insert_at(more, i + 1, peer);
            more->holes[at] = back;
            more->hole_us[at] = since;
        } else if (keeps_front) {
            hole->to = from;
        } else if (keeps_back) {
            hole->from = to;
        } else {
            remove_at(more, i, 1);
        }
    }
}

static void open_hole(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t to, int64_t t_ns)
{
    struct conn_more_end *more = conn_make_more(judge, conn, side);
    if (!more) return;
    struct conn_range hole = {top_of(&conn->end[side], more), to};
    uint32_t now = conn_short_time(t_ns);
    struct conn_range *last = more->hole_count ? &more->holes[more->hole_count - 1] : NULL;
    if (last && last->to == hole.from) { /* it goes on */
        last->to = hole.to;
        more->hole_us[more->hole_count - 1] = now;
        return;
    }
    size_t at = insert_at(more, more->hole_count, &conn->end[conn_other(conn, side)]);
    more->holes[at] = hole;
    more->hole_us[at] = now;
}

void holes_take(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t from, uint32_t to, int64_t t_ns)
{
    struct conn_end *end = &conn->end[side];
    struct conn_more_end *more = conn_has_more(judge, conn, side);
    uint32_t top = top_of(end, more);
    if (more) forget_far(more, seq_before(top, from) || seq_before(top, to) ? to : top, &conn->end[conn_other(conn, side)]);
    if (seq_before(top, from)) {
        open_hole(judge, conn, side, from, t_ns);
        more = conn_has_more(judge, conn, side);
        top = from;
    } else if (more && more->hole_count && from != to) {
        fill(more, from, to, &conn->end[conn_other(conn, side)]);
    }
    if (seq_before(top, to)) top = to;
    if (more) {
        more->top = top;
        more->has_top = true;
        move_got(end, more);
    } else {
        end->got = top;
    }
}

void holes_prove(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t ack, int64_t t_ns)
{
    struct conn_end *end = &conn->end[side];
    struct conn_more_end *more = conn_has_more(judge, conn, side);
    uint32_t top = top_of(end, more);
    if (seq_before(top, ack)) { /* beyond all that was seen */
        if (more) forget_far(more, ack, &conn->end[conn_other(conn, side)]);
        if (!(conn->flags & CONN_TWO_PLACES)) open_hole(judge, conn, side, ack, t_ns);
        more = conn_has_more(judge, conn, side);
        top = ack;
        if (more) {
            more->top = top;
            more->has_top = true;
        }
    }
    if (seq_before(end->got, ack)) end->got = ack;
    if (more) move_got(end, more);
}

uint32_t holes_within(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t from, uint32_t to,
                      uint32_t *ret_since_us)
{
    const struct conn_more_end *more = conn_has_more(judge, conn, side);
    uint32_t within = 0;
    for (size_t i = 0; more && i < more->hole_count; i++) {
        const struct conn_range *hole = &more->holes[i];
        if (!seq_before(from, hole->to) || !seq_before(hole->from, to)) continue;
        uint32_t low = seq_before(hole->from, from) ? from : hole->from, high = seq_before(to, hole->to) ? to : hole->to;
        if (!within) *ret_since_us = more->hole_us[i];
        within += high - low;
    }
    return within;
}

uint64_t conn_missed(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    const struct conn_more_end *more = conn_has_more(judge, conn, side);
    if (!more) return 0;
    uint64_t missed = more->missed_bytes;
    for (size_t i = 0; i < more->hole_count; i++) missed += missed_of(&conn->end[conn_other(conn, side)], more->holes[i]);
    return missed;
}
