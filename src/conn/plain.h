/* The short cuts for what most segments are: the SYN that begins a connection and the SYN,ACK that answers it; an acknowledgement,
 * with data or without, or an end's first FIN, that comes next in order on a connection without trouble. The conditions leave
 * nothing to judge; what conn_take would do with such a segment is done at once. tests/unit/conn/conn_ways.c, ledger_plain.c and
 * tests/fuzz/fuzz_ledger.c hold this and the long way against each other. */
#ifndef TCPWHY_CONN_PLAIN_H
#define TCPWHY_CONN_PLAIN_H

#include "conn/conn.h"

enum conn_plain {
    CONN_PLAIN_NOT,   /* nothing was done: take the long way */
    CONN_PLAIN_STAYS, /* done; no state changed */
    CONN_PLAIN_MOVES  /* done */
};

/* The round trip of the handshake as seen here: from the last SYN to the first ACK of its sender once the SYN,ACK was seen. Whose
 * SYN was seen in a SYN,ACK alone has no such time, and where SYNs cross nobody waits for the answer to one. */
static inline bool conn_may_time_handshake(const struct conn_end *end, const struct conn_end *peer)
{
    return peer->flags & END_SYN_ACK && peer->flags & end->flags & END_SYN_SEEN && !(end->flags & END_SYN_ACK);
}

static inline void conn_time_handshake(struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    uint8_t kind = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST);
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[!side];
    if (conn->flags & CONN_TIMED || side != conn->client) return;
    if (kind == TCP_SYN) {
        conn->round_us = conn_short_time(segment->t_ns);
    } else if (kind == TCP_ACK && conn_may_time_handshake(end, peer)) {
        uint32_t took = conn_short_since(segment->t_ns, conn->round_us);
        conn->round_us = took > UINT32_MAX / 8 ? UINT32_MAX / 8 : took;
        conn->flags |= CONN_TIMED;
    }
}

/* Who spoke last. */
static inline void conn_note_speaker(struct conn *conn, unsigned side)
{
    conn->flags = (uint16_t)(side ? conn->flags | CONN_SPOKE_LAST : conn->flags & ~CONN_SPOKE_LAST);
}

static inline void conn_note_look(struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    struct conn_end *end = &conn->end[side];
    conn_note_speaker(conn, side);
    end->look = segment->look;
    end->interface = segment->interface;
    end->hops = segment->hops;
}

/* conn_is_sight, where a look at the packet before it and no more says that it is none: then its look is remembered. */
static inline bool conn_is_no_sight(struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    struct conn_end *end = &conn->end[side];
    if (!end->segments || conn->flags & CONN_HAS_MORE || !(uint16_t)segment->look || end->look == segment->look) return false;
    if (segment->flags & TCP_SYN) return false;
    uint32_t before = end->look >> 16, now = segment->look >> 16;
    if (before != now)
        end->flags |= END_LOOKS_VARY;
    else if (now)
        end->flags |= END_LOOKS_STAY;
    conn_note_look(conn, segment, side);
    return true;
}

/* What each end's handshake leaves in its flags. */
enum {
    CONN_PLAIN_SYN = END_SYN | END_SYN_SEEN | END_ANY | END_BASE | END_GOT | END_SYN_TAKEN,
    CONN_PLAIN_SYN_ACK = CONN_PLAIN_SYN | END_SYN_ACK | END_PASSIVE | END_ACKS
};

static inline void conn_plain_numbers(struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    struct conn_end *end = &conn->end[side];
    if ((uint16_t)segment->look) {
        conn_note_look(conn, segment, side);
        end->syn_us = conn_short_time(segment->t_ns);
    }
    end->base = segment->seq;
    end->next = end->got = segment->seq + 1;
    end->span = 1;
    end->segments = 1;
    end->window = segment->window;
}

static inline bool conn_is_bare(const struct conn_segment *segment, uint8_t flags)
{
    return (segment->flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == flags && !segment->length_bytes && segment->window;
}

/* The first segment of a connection, of one end with another, where that is a SYN and no more: conn_begin has been done. */
static inline bool conn_take_plain_syn(const struct conn_judge *judge, struct conn *conn, const struct conn_segment *segment)
{
    if (!conn_is_bare(segment, TCP_SYN) || conn->flags & CONN_TO_ITSELF) return false;
    conn_plain_numbers(conn, segment, 0);
    conn->end[0].flags = CONN_PLAIN_SYN;
    conn->end[0].state = judge->next_state[STATE_CLOSED][INPUT_SENT_SYN];
    conn->round_us = conn_short_time(segment->t_ns);
    return true;
}

/* The first segment of the other end, where it answers that SYN: nothing else was said. */
static inline bool conn_take_plain_syn_ack(const struct conn_judge *judge, struct conn *conn, const struct conn_segment *segment)
{
    struct conn_end *client = &conn->end[0], *server = &conn->end[1];
    if (!conn_is_bare(segment, TCP_SYN | TCP_ACK) || conn->flags & ~(CONN_OPENED | CONN_SPOKE_LAST) || conn->client != 0)
        return false;
    if (client->flags != CONN_PLAIN_SYN || client->state != STATE_SYN_SENT || segment->ack != client->next) return false;
    if (server->flags || server->segments || server->state != STATE_LISTEN) return false;
    conn_plain_numbers(conn, segment, 1);
    server->ack = segment->ack;
    server->flags = CONN_PLAIN_SYN_ACK;
    server->state = judge->next_state[STATE_LISTEN][INPUT_SENT_SYN_ACK];
    client->acked = segment->ack;
    client->flags |= END_ACKED | END_SYN_ACKED;
    client->state = judge->next_state[STATE_SYN_SENT][INPUT_RCVD_SYN_ACK];
    if (segment->t_ns > conn->last_ns) conn->last_ns = segment->t_ns;
    return true;
}

static const uint32_t CONN_ODD = END_BASE_BARE | END_PROBED | END_PROBE_BYTE | END_CHALLENGED | END_LONE_BYTE;

/* The commonest of all: data or an acknowledgement on a connection of which the handshake was seen and no end. conn_take_plain
 * would take it as well, after more questions. */
static inline bool conn_take_easy(struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    const uint32_t known = END_ANY | END_GOT | END_BASE | END_ACKS | END_ACKED | END_SYN_ACKED;
    struct conn_end *from = &conn->end[side], *end = &conn->end[!side];
    if ((segment->flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) != TCP_ACK) return false;
    if ((conn->flags & (CONN_TO_ITSELF | CONN_TWO_PLACES | CONN_TIMED)) != CONN_TIMED) return false;
    if ((from->flags & end->flags & known) != known || (from->flags | end->flags) & (CONN_ODD | END_FIN)) return false;
    if (from->state < STATE_ESTABLISHED || end->state < STATE_SYN_RCVD) return false;
    if ((from->next ^ segment->seq) | (from->got ^ segment->seq)) return false;
    const uint32_t length = segment->length_bytes, ack = segment->ack, beyond = ack - from->ack, most = end->got - from->ack;
    if (!segment->window || !end->window || length >= (uint32_t)1 << 30 || length == 1) return false;
    if (most > INT32_MAX || beyond > most || end->next - ack > end->span) return false;
    from->segments++;
    if (beyond) {
        from->repeated_acks = 0;
        from->ack = ack;
    } else if (!length && segment->window == from->window && from->repeated_acks < UINT8_MAX) {
        from->repeated_acks++;
    }
    from->window = segment->window;
    from->next += length;
    from->got = from->next;
    from->span += length;
    if (segment->t_ns > conn->last_ns) conn->last_ns = segment->t_ns;
    if (seq_before(end->acked, ack)) end->acked = ack;
    return true;
}

static inline bool conn_is_plain(const struct conn *conn, const struct conn_segment *segment, const struct conn_end *from,
                                 const struct conn_end *end)
{
    const uint32_t sent = END_ANY | END_GOT | END_BASE, known = sent | END_ACKS;
    const uint32_t fin = END_FIN | END_FIN_TAKEN;
    const uint16_t odd = CONN_TO_ITSELF | CONN_TWO_PLACES | CONN_FIRST_UNSURE;
    if ((segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK || conn->flags & odd) return false;
    /* What it says begins where what was sent and received ends. */
    if ((from->next ^ segment->seq) | (from->got ^ segment->seq)) return false;
    if (!segment->window || !end->window || segment->length_bytes >= (uint32_t)1 << 30 || segment->length_bytes == 1) return false;
    if ((from->flags & sent) != sent || (end->flags & known) != known || (from->flags | end->flags) & CONN_ODD) return false;
    if (from->state < STATE_ESTABLISHED || end->state < STATE_SYN_RCVD) return false;
    if (from->flags & END_FIN ? segment->length_bytes || segment->flags & TCP_FIN : false) return false;
    if ((end->flags & fin) == END_FIN || (from->flags & fin) == END_FIN) return false;
    if ((end->flags & (END_SYN | END_SYN_ACKED | END_FIN)) == (END_SYN | END_FIN)) return false;         /* with its SYN, maybe */
    if (segment->flags & TCP_FIN && !(end->flags & END_SYN) && end->next == end->base + 1) return false; /* after a FIN, maybe */
    if (segment->flags & TCP_FIN && end->flags & END_FIN && seq_before(segment->ack, end->fin_end)) return false;
    if (from->flags & END_ACKS && seq_before(segment->ack, from->ack)) return false;
    return seq_at_or_before(segment->ack, end->got) && end->next - segment->ack <= end->span;
}

static inline void conn_plain_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, struct conn_end *from)
{
    from->flags |= END_FIN | END_FIN_TAKEN;
    from->fin_end = from->next;
    from->state = judge->next_state[from->state][INPUT_SENT_FIN];
    if (!conn->closed_first) conn->closed_first = (uint8_t)(1 + side);
}

static inline bool conn_plain_ack(const struct conn_judge *judge, struct conn_end *end, uint32_t ack)
{
    bool moves = false;
    if ((end->flags & (END_SYN | END_SYN_ACKED)) == END_SYN && seq_before(end->base, ack)) {
        end->flags |= END_SYN_ACKED;
        end->state = judge->next_state[end->state][INPUT_RCVD_ACK_OF_SYN];
        moves = true;
    }
    if ((end->flags & (END_FIN | END_FIN_ACKED)) == END_FIN && seq_at_or_before(end->fin_end, ack)) {
        end->flags |= END_FIN_ACKED;
        end->state = judge->next_state[end->state][INPUT_RCVD_ACK_OF_FIN];
        moves = true;
    }
    return moves;
}

/* Of connections without a second record only: the caller has looked. conn_is_sight comes first. */
static inline enum conn_plain conn_take_plain(const struct conn_judge *judge, struct conn *conn, unsigned side,
                                              const struct conn_segment *segment)
{
    struct conn_end *from = &conn->end[side], *end = &conn->end[!side];
    if (!conn_is_plain(conn, segment, from, end)) return CONN_PLAIN_NOT;
    bool fin = segment->flags & TCP_FIN, same_ack = from->flags & END_ACKS && segment->ack == from->ack;
    uint32_t space = segment->length_bytes + fin;
    from->segments++;
    if (same_ack) {
        if (!space && segment->window == from->window && from->repeated_acks < UINT8_MAX) from->repeated_acks++;
    } else {
        from->repeated_acks = 0;
        from->ack = segment->ack;
        from->flags |= END_ACKS;
    }
    from->window = segment->window;
    from->next += space;
    from->got = from->next;
    from->span += space;
    if (segment->t_ns > conn->last_ns) conn->last_ns = segment->t_ns;
    if (fin) conn_plain_fin(judge, conn, side, from);
    if (!(end->flags & END_ACKED) || seq_before(end->acked, segment->ack)) end->acked = segment->ack;
    end->flags |= END_ACKED;
    bool moves = conn_plain_ack(judge, end, segment->ack);
    if (fin) end->state = judge->next_state[end->state][INPUT_RCVD_FIN];
    conn_time_handshake(conn, side, segment);
    return fin || moves ? CONN_PLAIN_MOVES : CONN_PLAIN_STAYS;
}

#endif
