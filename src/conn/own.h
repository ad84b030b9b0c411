/* What the files of src/conn share. Internal to them. */
#ifndef TCPWHY_CONN_OWN_H
#define TCPWHY_CONN_OWN_H

#include "conn/conn.h"

static inline unsigned conn_other(const struct conn *conn, unsigned side)
{
    return conn->flags & CONN_TO_ITSELF ? side : !side;
}

static inline struct conn_more_end *conn_has_more(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    if (!(conn->flags & CONN_HAS_MORE)) return NULL;
    struct conn_more *more = judge->more(judge->owner, conn, false);
    return more ? &more->end[side] : NULL;
}

static inline struct conn_more_end *conn_make_more(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    struct conn_more *more = judge->more(judge->owner, conn, true);
    if (!more) return NULL;
    conn->flags |= CONN_HAS_MORE;
    return &more->end[side];
}

static inline bool conn_has(const struct conn_end *end, uint32_t flags)
{
    return (end->flags & flags) == flags;
}

/* An ACK of what this end never sent, whatever was not captured: it lies before its first number, or beyond its FIN, which nothing
 * follows. */
static inline bool conn_is_absurd_ack(const struct conn_end *end, uint32_t ack)
{
    if (!(end->flags & END_ANY)) return false;
    if (seq_before(end->next, ack)) return end->flags & END_FIN && seq_at_or_before(end->next, end->fin_end);
    return end->next - ack > end->span;
}

/* Times may come from files: their difference need not fit. */
static inline bool conn_is_later_by(int64_t t_ns, int64_t than_ns, int64_t by_ns)
{
    return t_ns > than_ns && (uint64_t)t_ns - (uint64_t)than_ns >= (uint64_t)by_ns;
}

/* What a RST ends, or a FIN, may have been closed before: by the other end's FIN, which was not captured. */
static inline void note_first_by_reset(const struct conn_judge *judge, struct conn *conn, unsigned closer)
{
    conn->closed_first = (uint8_t)(1 + closer);
    conn->flags |= CONN_FIRST_BY_RST;
    const struct conn_end *other = &conn->end[conn_other(conn, closer)];
    bool nothing_known = conn->flags & CONN_MIDWAY && !(other->flags & END_FIN) && other->span <= 1;
    if (nothing_known || conn_may_have_closed(judge, conn, conn_other(conn, closer))) conn->flags |= CONN_FIRST_UNSURE;
}

/* An end has sent more than was known, and nothing follows a FIN; or its last number turns out to be data: it was no FIN. */
static inline void note_growth(struct conn *conn, unsigned side)
{
    if (conn->closed_first == 1 + conn_other(conn, side)) conn->flags &= (uint16_t)~CONN_FIRST_UNSURE;
}

/* belongs.c: both its numbers are so far ahead that a gap of the capture may lie before it, or another connection between the same
 * ends have begun. */
bool conn_leaps(const struct conn *conn, const struct conn_segment *segment, unsigned side);

/* classes.c: what a segment is; adds to the verdict what tells. */
uint8_t conn_class_of(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                      struct conn_verdict *verdict);
bool conn_is_stray(const struct conn *conn, unsigned side, const struct conn_segment *segment);
/* One past the highest number captured: beyond that there may be the peer's word. */
uint32_t conn_captured_next(const struct conn_judge *judge, struct conn *conn, unsigned side);
/* The last number of this end was captured. */
bool conn_last_was_captured(const struct conn_judge *judge, struct conn *conn, unsigned side);
/* An ACK acknowledges the SYN of `peer`; and whether that, or more by what a first window holds: data that was not captured. */
bool conn_acknowledges_syn(const struct conn_end *peer, uint32_t ack);
bool conn_acknowledges_more(const struct conn_end *peer, uint32_t ack);

/* proves.c: of the end that sends a segment. */
/* Its ACK: it has received everything below. */
void conn_prove_received(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                         struct conn_verdict *verdict);
/* An end that says something other than SYN has had the answer to its own; one that sends data, or acknowledges more than a SYN,
 * has had the handshake's last ACK. */
void conn_prove_handshake(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                          struct conn_verdict *verdict);
/* Later life overrules an assumed end. Of what was on its way already when the RST was sent nothing follows; an end that was
 * refused had nothing on its way. */
void conn_prove_alive(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                      struct conn_verdict *verdict);

/* states.c: takes an input, and notes it. `proved`: as in struct conn_move. */
void conn_move(const struct conn_judge *judge, struct conn *conn, unsigned side, enum tcp_input input, bool proved,
               struct conn_verdict *verdict);
/* An end that was taken for ended is not. */
void conn_take_back(struct conn *conn, unsigned side, enum tcp_state to, struct conn_verdict *verdict);
/* A RST ends this end's state: remembers what is needed to take it back. `end_next`: see conn_more_end.ended_next. */
void conn_end_by_reset(const struct conn_judge *judge, struct conn *conn, unsigned side, enum tcp_input input, uint32_t end_next,
                       int64_t t_ns, struct conn_verdict *verdict);

/* holes.c: what did not reach the peer of `side`, below the highest that did. */
/* [from, to) reached it. */
void holes_take(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t from, uint32_t to, int64_t t_ns);
/* The peer has all below `ack`. Where it was captured is another question: from one place its holes stay, as missed. */
void holes_prove(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t ack, int64_t t_ns);
/* Of [from, to), how many numbers lie in holes; *ret_since_us: when the oldest of those holes was made. */
uint32_t holes_within(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t from, uint32_t to,
                      uint32_t *ret_since_us);

/* received.c: this end's FIN has reached its peer once all before it has. */
void conn_take_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, bool proved, struct conn_verdict *verdict);

#endif
