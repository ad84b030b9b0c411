/* What a segment does at the end that it reaches: RFC 9293 section 3.10.7, RFC 5961 section 3. */
#include "conn/own.h"

void conn_take_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, bool proved, struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    if ((end->flags & (END_FIN | END_FIN_TAKEN | END_GOT)) != (END_FIN | END_GOT)) return;
    if (seq_before(end->got, end->fin_end)) return;
    uint8_t state = conn->end[conn_other(conn, side)].state;
    if (state == STATE_LISTEN || state == STATE_SYN_SENT) return; /* RFC 9293 section 3.10.7: it is looked at later, or never */
    end->flags |= END_FIN_TAKEN;
    if (state == STATE_FIN_WAIT_1) conn->end[conn_other(conn, side)].flags |= END_CROSSED;
    conn_move(judge, conn, conn_other(conn, side), INPUT_RCVD_FIN, proved, verdict);
}

enum { WINDOW_MOST = 1 << 30 }; /* RFC 7323 section 2.3 */

/* Linux takes a RST at the next expected number (RFC 5961 section 3.2), and one below where that was a FIN (tcp_reset_check). From
 * one place the receiver's own ACK says as well what it expects: what was sent since may not have reached it. */
static bool is_exact(const struct conn_judge *judge, const struct conn_end *end, const struct conn_end *from,
                     const struct conn_segment *segment)
{
    if (end->state == STATE_SYN_SENT)
        return segment->flags & TCP_ACK && seq_before(end->base, segment->ack) && seq_at_or_before(segment->ack, end->next);
    if (!(from->flags & END_GOT) || segment->seq == from->got) return true;
    if (end->flags & END_ACKS && segment->seq == end->ack) return true;
    if (judge->sparse && segment->seq - from->got <= WINDOW_MOST) return true; /* behind data that was not captured */
    return from->flags & END_FIN_TAKEN && segment->seq == from->got - 1;
}

/* Who has sent a SYN of its own and resets behind that refuses nothing: it ends its own attempt (SYNs that cross). */
static bool ends_its_own(const struct conn_end *from, uint32_t seq)
{
    return conn_has(from, END_SYN | END_ANY) && !(from->flags & END_PASSIVE) && seq == from->next;
}

static void end_by_reset(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t seq, int64_t t_ns,
                         struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    bool refused = end->state == STATE_SYN_SENT && !ends_its_own(&conn->end[conn_other(conn, side)], seq);
    bool passive = end->flags & END_PASSIVE && end->state == STATE_SYN_RCVD;
    conn_end_by_reset(judge, conn, side, passive ? INPUT_RCVD_RST_PASSIVE : INPUT_RCVD_RST, end->next, t_ns, verdict);
    verdict->reset = RESET_TAKEN;
    if (refused) conn->flags |= CONN_REFUSED;
    unsigned other = conn_other(conn, side);
    if (conn->closed_first || (conn->end[other].flags & END_ENDED_BY_RST && other != side)) return;
    note_first_by_reset(judge, conn, other);
}

static void receive_reset(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                          struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    unsigned other = conn_other(conn, side);
    if (end->state <= STATE_LISTEN) {
        verdict->reset = RESET_NOBODY;
        return;
    }
    if (is_exact(judge, end, &conn->end[other], segment)) {
        end_by_reset(judge, conn, side, segment->seq, segment->t_ns, verdict);
        return;
    }
    verdict->reset = RESET_IN_WINDOW;
    struct conn_more_end *more = conn_make_more(judge, conn, other);
    if (!more) return;
    more->ignored_resets++;
    more->waiting_reset = segment->seq;
    more->has_waiting_reset = seq_before(conn->end[other].got, segment->seq);
    /* What lies before the window, or beyond any, is dropped in silence (RFC 9293 section 3.10.7.4). */
    uint32_t ahead = segment->seq - conn->end[other].got;
    if (end->state >= STATE_ESTABLISHED && ahead <= WINDOW_MOST) end->flags |= END_CHALLENGED;
}

/* What section 3.10.7 drops before it looks at ACK, text and FIN. It must not leave a trace in what is remembered. */
static bool is_dropped(struct conn_end *end, const struct conn_end *from, const struct conn_segment *segment)
{
    bool syn = segment->flags & TCP_SYN;
    if (!syn) return !(segment->flags & TCP_ACK) || end->state == STATE_SYN_SENT;
    if (end->state <= STATE_SYN_SENT) return false;
    /* Once synchronized, a SYN gets a challenge ACK. It is taken only as the other half of a simultaneous OPEN. */
    bool other_half = !(end->flags & END_PASSIVE) && from->flags & END_SYN_TAKEN && segment->seq == from->base;
    if (!other_half && end->state >= STATE_ESTABLISHED) end->flags |= END_CHALLENGED;
    return !other_half;
}

void conn_question(struct conn *conn, unsigned side)
{
    if (conn->end[side].state >= STATE_ESTABLISHED) conn->end[side].flags |= END_CHALLENGED;
}

/* This end's SYN carried a FIN, and that SYN is acknowledged now: with its FIN, or as if there had been none (few listeners take
 * one: Linux drops the SYN). */
static void settle_syn_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t ack,
                           struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    if (!(end->flags & END_FIN) || end->state != STATE_ESTABLISHED) return;
    if (seq_at_or_before(end->fin_end, ack)) {
        conn_move(judge, conn, side, INPUT_SENT_FIN, false, verdict);
        if (!conn->closed_first) conn->closed_first = (uint8_t)(1 + side);
        return;
    }
    end->flags &= ~(uint32_t)(END_FIN | END_FIN_TAKEN);
    if (end->fin_end != end->next) return;
    end->next--;
    end->span--;
    if (end->flags & END_GOT && end->got == end->fin_end) end->got--;
}

static void receive_ack(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                        struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    uint32_t ack = segment->ack;
    bool with_syn = segment->flags & TCP_SYN;
    if (!(end->flags & END_ANY) || seq_before(end->next, ack) || conn_is_absurd_ack(end, ack)) return; /* of something never sent */
    if (!(end->flags & END_ACKED) || seq_before(end->acked, ack)) end->acked = ack;
    end->flags |= END_ACKED;
    if ((end->flags & (END_SYN | END_SYN_ACKED)) == END_SYN && seq_before(end->base, ack)) {
        end->flags |= END_SYN_ACKED;
        conn_move(judge, conn, side, with_syn && end->state == STATE_SYN_SENT ? INPUT_RCVD_SYN_ACK : INPUT_RCVD_ACK_OF_SYN, false,
                  verdict);
        settle_syn_fin(judge, conn, side, ack, verdict);
    }
    if ((end->flags & (END_FIN | END_FIN_ACKED)) == END_FIN && seq_at_or_before(end->fin_end, ack)) {
        end->flags |= END_FIN_ACKED;
        conn_move(judge, conn, side, INPUT_RCVD_ACK_OF_FIN, false, verdict);
    }
}

/* A RST that did not fit because of what came before it, and was captured after it. */
static void take_waiting_reset(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                               struct conn_verdict *verdict)
{
    unsigned other = conn_other(conn, side);
    struct conn_more_end *more = conn_has_more(judge, conn, other);
    if (!more || !more->has_waiting_reset || seq_before(conn->end[other].got, more->waiting_reset)) return;
    more->has_waiting_reset = false;
    if (conn->end[other].got != more->waiting_reset || !(conn->end[other].flags & END_ENDED_BY_RST)) return;
    more->ignored_resets--;
    conn->end[side].flags &= ~(uint32_t)END_CHALLENGED;
    end_by_reset(judge, conn, side, more->waiting_reset, segment->t_ns, verdict);
    verdict->reset = RESET_NONE; /* of another segment */
}

/* A FIN that its sender never sent (somebody between the two made it) is a FIN to whom it reaches. */
static void take_foreign_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, uint32_t fin_end,
                             struct conn_verdict *verdict)
{
    struct conn_end *from = &conn->end[side];
    if (from->flags & (END_FIN | END_FIN_TAKEN) || from->got != fin_end) return;
    from->flags |= END_FIN_TAKEN;
    conn_move(judge, conn, conn_other(conn, side), INPUT_RCVD_FIN, false, verdict);
}

/* A SYN,ACK that comes again to an end that has said nothing since its SYN: from one place, that it was captured does not show that
 * it arrived, and now it seems that it did not, or that nobody waited for it. */
static bool is_unheard(const struct conn *conn, const struct conn_end *end, const struct conn_segment *segment,
                       const struct conn_verdict *verdict)
{
    if ((segment->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) || verdict->class != CONN_AGAIN) return false;
    if (conn->flags & (CONN_TWO_PLACES | CONN_TO_ITSELF) || end->flags & (END_ACKS | END_RST | END_PASSIVE)) return false;
    return end->state == STATE_ESTABLISHED || end->state == STATE_SYN_SENT;
}

void conn_received(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                   struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    unsigned other = conn_other(conn, side);
    struct conn_end *from = &conn->end[other];
    if (segment->flags & TCP_RST) {
        receive_reset(judge, conn, side, segment, verdict);
        return;
    }
    if (verdict->class == CONN_STRAY) {
        if (segment->flags & TCP_SYN) conn_question(conn, side); /* whatever it answers */
        return;
    }
    if (is_dropped(end, from, segment)) return;
    if (is_unheard(conn, end, segment, verdict)) {
        end->flags &= ~(uint32_t)(END_SYN_ACKED | END_ACKED);
        if (end->state == STATE_ESTABLISHED) conn_take_back(conn, side, STATE_SYN_SENT, verdict);
        return;
    }
    uint32_t to = segment->seq + conn_space(segment);
    if (segment->flags & TCP_SYN) {
        bool late = from->flags & END_GOT && seq_at_or_before(to, from->got) && seq_at_or_before(from->got, from->next);
        if (!(from->flags & END_SYN_TAKEN) && !late) from->flags &= ~(uint32_t)END_GOT;
        from->flags |= END_SYN_TAKEN;
    }
    bool next_fin = segment->flags & TCP_FIN && from->flags & END_GOT && seq_before(from->got, to); /* in no number of data's */
    if (!(from->flags & END_GOT)) {
        from->flags |= END_GOT;
        from->got = to;
    } else if (to != segment->seq || seq_before(from->got, segment->seq)) {
        if (from->got != segment->seq) end->flags &= ~(uint32_t)END_CHALLENGED; /* it asks for an ACK as well: which is which? */
        holes_take(judge, conn, other, segment->seq, to, segment->t_ns);
    }
    if (segment->flags & TCP_ACK) receive_ack(judge, conn, side, segment, verdict);
    conn_take_fin(judge, conn, other, false, verdict);
    if (next_fin) take_foreign_fin(judge, conn, other, to, verdict);
    take_waiting_reset(judge, conn, side, segment, verdict);
}

void conn_take(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
               struct conn_verdict *verdict)
{
    conn_sent(judge, conn, side, segment, verdict);
    conn_received(judge, conn, conn_other(conn, side), segment, verdict);
}
