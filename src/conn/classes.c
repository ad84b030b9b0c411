/* What a segment is to its sender's connection (enum conn_class). */
#include "conn/own.h"

/* Wireshark's bound for disorder where no round trip was seen; what is late by a round trip was asked for. */
static const uint32_t DISORDER_US = 2929; /* 3 ms, in units of 1024 ns */
/* A bare ACK one below the next number is a keepalive where nothing came for this long, even behind a FIN. */
static const int64_t IDLE_NS = 500000000;
/* A keepalive timer waits a second at least (Linux: TCP_KEEPINTVL; the usual is hours), less a little for clocks. */
static const int64_t KEEPALIVE_NS = 900000000;
enum { ASKED_BY = 3 }; /* duplicate ACKs (RFC 5681 section 3.2) */

bool conn_acknowledges_syn(const struct conn_end *peer, uint32_t ack)
{
    return conn_has(peer, END_SYN | END_ANY) && seq_before(peer->base, ack) && seq_at_or_before(ack, peer->next);
}

/* Or more than the SYN, by what a first window holds: data of its sender that was not captured. */
bool conn_acknowledges_more(const struct conn_end *peer, uint32_t ack)
{
    return conn_has(peer, END_SYN | END_ANY) && ack - peer->base - 1 < 1U << 16;
}

static uint8_t class_of_ack(const struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    bool acked = conn_has(end, END_ACKED | END_ANY);
    /* Behind an acknowledged FIN nothing waits that a window could keep back. */
    bool shut = peer->flags & END_ACKS && peer->window == 0 && !(end->flags & END_FIN_ACKED);
    if (acked && segment->seq == end->next - 1 && end->span) {
        /* Any ACK stands at the edge of a window that was taken back (tcp_acceptable_seq); a probe stands before it. */
        if (shut && segment->seq != end->acked) return CONN_WINDOW_PROBE;
        bool idle = conn_is_later_by(segment->t_ns, conn->last_ns, IDLE_NS);
        if (end->acked == end->next && (!(end->flags & END_FIN) || idle)) return CONN_KEEPALIVE;
    }
    if (acked && segment->seq == end->acked - 1 && shut) return CONN_WINDOW_PROBE;
    if (!(segment->flags & TCP_ACK) || !(end->flags & END_ACKS) || seq_before(end->ack, segment->ack)) return CONN_ACK;
    if (seq_before(end->next, segment->seq)) return CONN_ACK;
    if (peer->flags & END_PROBED) return CONN_PROBE_ANSWER;
    if (end->flags & END_CHALLENGED) return CONN_CHALLENGE_ACK;
    if (segment->ack == end->ack && segment->window != end->window && !segment->sack) return CONN_WINDOW_UPDATE;
    return CONN_DUPLICATE_ACK;
}

/* One byte (or none) where the peer's window is 0: it asks, and sends nothing that counts. */
static bool is_data_probe(const struct conn_end *end, const struct conn_end *peer, const struct conn_segment *segment)
{
    if (segment->length_bytes != 1 || segment->flags & (TCP_SYN | TCP_FIN) || !(end->flags & END_ANY)) return false;
    if (!(peer->flags & END_ACKS) || peer->window != 0) return false;
    if (end->flags & END_ACKED && segment->seq == end->acked) return true; /* the peer took back what it had offered */
    return segment->seq == end->next || (end->flags & END_PROBE_BYTE && segment->seq == end->next - 1);
}

/* Where the last that was sent was just this byte, it is that again until a keepalive timer has had its time. */
static bool is_data_keepalive(const struct conn *conn, const struct conn_end *end, const struct conn_segment *segment)
{
    if (end->flags & END_LONE_BYTE && !conn_is_later_by(segment->t_ns, conn->last_ns, KEEPALIVE_NS)) return false;
    return segment->length_bytes == 1 && !(segment->flags & (TCP_SYN | TCP_FIN)) && conn_has(end, END_ANY | END_ACKED) &&
           segment->seq == end->next - 1 && end->acked == end->next && !(end->flags & END_FIN);
}

/* The peer's ACK spoke of this byte before, and it was not captured. */
static bool is_unseen_byte(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    uint32_t since_us;
    return holes_within(judge, conn, side, segment->seq, segment->seq + 1, &since_us) != 0;
}

/* Some of its numbers lie below the highest sent. */
static uint8_t class_of_old(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                            uint32_t next, struct conn_verdict *verdict)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    uint32_t to = segment->seq + conn_space(segment), below = seq_before(next, to) ? next : to, since_us = 0;
    uint32_t unseen = conn->flags & CONN_TWO_PLACES ? 0 : holes_within(judge, conn, side, segment->seq, below, &since_us);
    uint32_t again = below - segment->seq;
    verdict->is_asked_for = peer->flags & END_ACKS && peer->ack == segment->seq && peer->repeated_acks >= ASKED_BY;
    verdict->is_acked = end->flags & END_ACKED && seq_at_or_before(to, end->acked);
    if (unseen && unseen == again) {
        uint32_t near_us = conn->flags & CONN_TIMED && conn->round_us ? conn->round_us : DISORDER_US;
        bool late = conn_short_since(segment->t_ns, since_us) >= near_us;
        if (!late && !verdict->is_asked_for) return CONN_OUT_OF_ORDER;
        verdict->is_unseen = true;
    }
    verdict->again_bytes = again;
    return below == to ? CONN_AGAIN : CONN_PARTLY_AGAIN;
}

/* One past the highest number captured: beyond that there may be the peer's word. */
uint32_t conn_captured_next(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    const struct conn_more_end *more = conn_has_more(judge, conn, side);
    return more && more->has_seen ? more->seen : conn->end[side].next;
}

bool conn_last_was_captured(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    const struct conn_end *end = &conn->end[side];
    uint32_t since_us;
    return conn_captured_next(judge, conn, side) == end->next &&
           !holes_within(judge, conn, side, end->next - 1, end->next, &since_us);
}

uint8_t conn_class_of(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                      struct conn_verdict *verdict)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    uint32_t space = conn_space(segment), next = end->next;
    bool syn = segment->flags & TCP_SYN, ack = segment->flags & TCP_ACK;
    if (!space) return class_of_ack(conn, side, segment);
    if (!(end->flags & END_ANY)) return CONN_NEW;
    bool behind_data = syn && conn->flags & CONN_MIDWAY && segment->seq == end->base && !(end->flags & (END_SYN | END_BASE_BARE));
    if (behind_data) return CONN_OUT_OF_ORDER;
    if (syn && (ack ? !(end->flags & END_SYN_ACK) : !(end->flags & END_SYN))) return CONN_NEW;
    if (syn && !(end->flags & END_SYN_SEEN) && segment->seq == end->base) return CONN_OUT_OF_ORDER; /* behind what proves it */
    if (syn && segment->seq != end->base) return CONN_NEW; /* another number: a SYN cookie's answer to the same SYN */
    if (is_data_probe(end, peer, segment)) return CONN_WINDOW_PROBE;
    if (is_data_keepalive(conn, end, segment)) {
        bool unseen = is_unseen_byte(judge, conn, side, segment);
        verdict->is_last_byte = unseen || end->flags & END_LONE_BYTE;
        /* Sooner than a keepalive timer can it is that byte, captured late. */
        if (!unseen || conn_is_later_by(segment->t_ns, conn->last_ns, KEEPALIVE_NS)) return CONN_KEEPALIVE;
    }
    const struct conn_more_end *more = conn_has_more(judge, conn, side);
    if (more && more->has_seen)
        next = more->seen;
    else if (end->flags & END_PROBE_BYTE && segment->seq == next - 1)
        next--; /* that byte has only probed so far */
    if (!seq_before(segment->seq, next)) {
        verdict->opens_hole = segment->seq != next;
        return CONN_NEW;
    }
    return class_of_old(judge, conn, side, segment, next, verdict);
}

/* It has no ACK, as nothing that TCP sends once it is connected; or it speaks of another connection: to an end that waits for the
 * answer to its SYN, of something that this SYN is not; or a SYN,ACK that answers another SYN; or it lies before its sender's own
 * SYN. */
bool conn_is_stray(const struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    bool syn = segment->flags & TCP_SYN, ack = segment->flags & TCP_ACK;
    if (!ack && !syn) return true; /* whoever it reaches drops it (RFC 9293 section 3.10.7.4), or has no such connection */
    if (!syn && end->state == STATE_SYN_SENT && conn_has(end, END_SYN_SEEN) && seq_before(segment->seq, end->base)) return true;
    if (!ack || !conn_has(peer, END_SYN | END_ANY)) return false;
    if (syn) {
        if (!conn_acknowledges_syn(peer, segment->ack)) return true;
        if (end->flags & END_SYN_ACKED && segment->seq != end->base) return true;
        return false;
    }
    if (peer->state != STATE_SYN_SENT || end->state > STATE_LISTEN) return false;
    return conn_space(segment) ? !conn_acknowledges_more(peer, segment->ack) : !conn_acknowledges_syn(peer, segment->ack);
}
