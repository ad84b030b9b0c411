/* What became of it. */
#include "conn/own.h"

static bool has_ended(const struct conn_end *end)
{
    return end->state <= STATE_LISTEN || end->state == STATE_TIME_WAIT;
}

bool conn_shows_nothing(const struct conn *conn)
{
    const struct conn_end *a = &conn->end[0], *b = &conn->end[conn_other(conn, 0)];
    return a->state == STATE_UNKNOWN && b->state == STATE_UNKNOWN && (a->segments || b->segments);
}

bool conn_is_done(const struct conn *conn)
{
    if (conn->flags & CONN_TO_ITSELF) return has_ended(&conn->end[0]);
    bool spoke = (conn->end[0].flags | conn->end[1].flags) & (END_ANY | END_RST);
    return spoke && has_ended(&conn->end[0]) && has_ended(&conn->end[1]);
}

enum tcp_state conn_state(const struct conn *conn, unsigned side)
{
    const struct conn_end *end = &conn->end[conn->flags & CONN_TO_ITSELF ? 0 : side];
    /* That there was a listener is known only once it answered. */
    if (end->state == STATE_LISTEN && !(end->flags & END_SYN_ACK)) return STATE_CLOSED;
    if (conn_shows_nothing(conn)) return STATE_CLOSED;
    return (enum tcp_state)end->state;
}

unsigned conn_first_closer(const struct conn *conn)
{
    return conn->flags & CONN_FIRST_UNSURE ? 0 : conn->closed_first;
}

uint64_t conn_bytes(const struct conn *conn, unsigned side)
{
    const struct conn_end *end = &conn->end[side];
    if (!(end->flags & END_ANY) || end->span == 0) return 0;
    uint64_t bytes = end->span - 1;
    return bytes && end->flags & END_FIN && seq_at_or_before(end->fin_end, end->next) ? bytes - 1 : bytes;
}

bool conn_may_have_closed(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    if (conn->flags & (CONN_TWO_PLACES | CONN_TO_ITSELF) || end->flags & END_FIN) return false;
    if (!conn_has(end, END_ANY | END_BASE) || !(peer->flags & END_ACKS) || peer->ack != end->next || end->span <= 1) return false;
    if (!(end->flags & END_LONE_ACK) && !(peer->flags & END_FIN)) return false;
    return !conn_last_was_captured(judge, conn, side);
}

struct conn_payload conn_payload(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    struct conn_payload sent = {.bytes = conn_bytes(conn, side), .missed = conn_missed(judge, conn, side)};
    if (sent.missed && sent.bytes && conn_may_have_closed(judge, conn, side)) {
        sent.bytes--;
        sent.missed--;
    }
    if (sent.missed > sent.bytes) sent.missed = sent.bytes; /* a FIN is none */
    return sent;
}

void conn_unreachable(struct conn *conn, unsigned side, uint32_t quoted_seq)
{
    const struct conn_end *end = &conn->end[side];
    if (end->state == STATE_SYN_SENT && end->base == quoted_seq) conn->flags |= CONN_UNREACHABLE;
}

enum conn_outcome conn_outcome(const struct conn *conn)
{
    const struct conn_end *a = &conn->end[0], *b = &conn->end[conn_other(conn, 0)];
    uint32_t both = a->flags & b->flags, any = a->flags | b->flags;
    if (both & END_FIN_ACKED && !(any & END_ENDED_BY_RST)) return CONN_OUT_CLOSED;
    if (conn->flags & CONN_REFUSED) return CONN_OUT_REFUSED;
    bool tries = a->state == STATE_SYN_SENT || b->state == STATE_SYN_SENT;
    if (conn->flags & CONN_UNREACHABLE && (tries || !(any & END_SYN_ACK))) return CONN_OUT_REFUSED;
    /* A RST that ends TIME_WAIT ends no connection. */
    bool reset =
        (a->flags & END_ENDED_BY_RST && a->was != STATE_TIME_WAIT) || (b->flags & END_ENDED_BY_RST && b->was != STATE_TIME_WAIT);
    if (reset) return CONN_OUT_RESET;
    if (conn_shows_nothing(conn)) return any & END_RST ? CONN_OUT_REFUSED : CONN_OUT_HALF_OPEN;
    if (conn_is_done(conn) && any & END_FIN) return CONN_OUT_CLOSED;
    if (tries || a->state == STATE_SYN_RCVD || b->state == STATE_SYN_RCVD) return CONN_OUT_HALF_OPEN;
    return conn_is_done(conn) ? CONN_OUT_CLOSED : CONN_OUT_OPEN;
}

const char *conn_class_name(enum conn_class class)
{
    static const char *const names[CONN_CLASSES] = {
        [CONN_NEW] = "new",
        [CONN_AGAIN] = "again",
        [CONN_PARTLY_AGAIN] = "partly-again",
        [CONN_OUT_OF_ORDER] = "out-of-order",
        [CONN_ACK] = "ack",
        [CONN_DUPLICATE_ACK] = "duplicate-ack",
        [CONN_WINDOW_UPDATE] = "window-update",
        [CONN_KEEPALIVE] = "keepalive",
        [CONN_WINDOW_PROBE] = "window-probe",
        [CONN_PROBE_ANSWER] = "probe-answer",
        [CONN_CHALLENGE_ACK] = "challenge-ack",
        [CONN_RESET] = "reset",
        [CONN_STRAY] = "stray",
        [CONN_SIGHT] = "sight",
    };
    return (unsigned)class < CONN_CLASSES ? names[class] : "?";
}
