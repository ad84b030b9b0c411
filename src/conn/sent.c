/* What a segment tells of the end that sends it: its numbers, and what is new in them. */
#include "conn/own.h"
#include "conn/plain.h"

enum { FAR = 1 << 30 }; /* so far ahead a number is behind, or of another connection */

/* The first that shows a connection, behind what showed none. */
static void begin_midway(struct conn *conn, const struct conn_segment *segment)
{
    if (!conn_shows_nothing(conn) || segment->flags & TCP_SYN) return;
    conn->end[0].state = conn->end[conn_other(conn, 0)].state = STATE_ESTABLISHED;
    conn->flags |= CONN_MIDWAY;
}

/* Its peer's SYN,ACK acknowledged a SYN of it already, which was not captured: SYNs crossed, and this end was no listener. */
static void prove_own_syn(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                          struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    const struct conn_end *peer = &conn->end[conn_other(conn, side)];
    bool is_answer = segment->flags & TCP_ACK && !(end->flags & END_SYN);
    bool acknowledged = conn_has(peer, END_SYN_SEEN | END_SYN_ACK | END_ACKS) && peer->ack == segment->seq + 1;
    if (!is_answer || !acknowledged || peer == end || (end->state != STATE_CLOSED && end->state != STATE_LISTEN)) return;
    end->state = STATE_CLOSED;
    end->flags |= END_SYN;
    conn_move(judge, conn, side, INPUT_SENT_SYN, true, verdict);
}

static void take_syn(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                     struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    bool ack = segment->flags & TCP_ACK;
    prove_own_syn(judge, conn, side, segment, verdict);
    bool first = ack ? !(end->flags & END_SYN_ACK) : !(end->flags & END_SYN);
    if (ack && !(end->flags & END_SYN)) end->flags |= END_PASSIVE;
    end->flags |= END_SYN | END_SYN_SEEN | (ack ? (uint32_t)END_SYN_ACK : 0) | (segment->length_bytes ? (uint32_t)END_SYN_DATA : 0);
    if (end->flags & END_FIN || verdict->class == CONN_OUT_OF_ORDER) return; /* captured after what it begins */
    /* SYN,ACKs that cross (RFC 9293 figure 7): as the times show it the peer's has completed this end's handshake already, and it
     * was not there yet when this one left, which nobody sends for the first time later. */
    bool crossed = ack && !(end->flags & END_PASSIVE) && end->state == STATE_ESTABLISHED;
    if (!first) return;
    if (crossed) conn_take_back(conn, side, STATE_SYN_SENT, verdict);
    conn_move(judge, conn, side, ack ? INPUT_SENT_SYN_ACK : INPUT_SENT_SYN, false, verdict);
    if (crossed) conn_move(judge, conn, side, INPUT_RCVD_ACK_OF_SYN, false, verdict);
}

/* What is captured catches up with what the peer has acknowledged. */
static void note_seen(struct conn_more_end *more, const struct conn_end *end, uint32_t to)
{
    if (!more || !more->has_seen) return;
    if (to == end->next)
        more->has_seen = false;
    else if (seq_before(more->seen, to))
        more->seen = to;
}

/* Its SYN has another number than was thought: what was remembered in other numbers is not of this connection. */
static void forget_other_numbers(struct conn_end *end)
{
    if (!seq_before(end->base, end->acked) || seq_before(end->next, end->acked))
        end->flags &= ~(uint32_t)(END_ACKED | END_FIN_ACKED);
    if (!(end->flags & END_FIN) || !seq_before(end->base, end->fin_end) || seq_before(end->next, end->fin_end))
        end->flags &= ~(uint32_t)(END_FIN | END_FIN_TAKEN | END_FIN_ACKED);
}

static void take_numbers(struct conn *conn, unsigned side, const struct conn_segment *segment, const struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    bool syn = segment->flags & TCP_SYN;
    uint32_t to = segment->seq + conn_space(segment);
    if (syn && (!(end->flags & END_SYN) || end->base != segment->seq)) {
        /* Captured after what it begins, or the beginning of other numbers. */
        bool numbers = end->flags & END_ANY && !(end->flags & END_SYN_SEEN) && end->base - segment->seq < FAR;
        bool late = numbers && (end->base == segment->seq || !(end->flags & END_BASE_BARE)); /* a bare ACK may have any number */
        if (!late) end->flags &= ~(uint32_t)END_GOT;
        end->base = segment->seq;
        if (!late || seq_before(end->next, to)) end->next = to;
        end->span = end->next - end->base;
        end->flags |= END_BASE | END_ANY;
        end->flags &= ~(uint32_t)END_BASE_BARE;
        forget_other_numbers(end);
        return;
    }
    if (!(end->flags & END_BASE)) {
        end->base = segment->seq - 1;
        end->flags |= END_BASE | (to == segment->seq ? (uint32_t)END_BASE_BARE : 0);
    }
    if (to != segment->seq && !(end->flags & END_PROBED)) end->flags &= ~(uint32_t)END_BASE_BARE;
    if (!(end->flags & END_ANY)) {
        end->span = to - end->base;
        end->next = to;
        end->flags |= END_ANY | (segment->length_bytes == 1 ? (uint32_t)END_LONE_BYTE : 0);
        return;
    }
    bool probe_byte = verdict->class == CONN_WINDOW_PROBE && to != segment->seq;
    if (seq_before(end->next, to)) {
        uint32_t was = end->next;
        note_growth(conn, side);
        end->span += to - was;
        end->next = to;
        bool lone_byte = segment->length_bytes == 1 && to == was + 1;
        end->flags &= ~(uint32_t)(END_PROBE_BYTE | END_LONE_BYTE);
        end->flags |= probe_byte ? (uint32_t)END_PROBE_BYTE : lone_byte ? (uint32_t)END_LONE_BYTE : 0;
    } else if (!probe_byte && to == end->next && to != segment->seq) {
        end->flags &= ~(uint32_t)END_PROBE_BYTE;
        if (!(segment->flags & TCP_FIN)) note_growth(conn, side); /* captured late */
    }
}

/* A first FIN in numbers that were data's: nothing follows a FIN, so it is not of this connection. */
static bool is_late_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    const struct conn_end *end = &conn->end[side];
    uint32_t to = segment->seq + conn_space(segment), since_us;
    if (!(end->flags & END_ANY) || end->flags & END_FIN) return false;
    int32_t beyond = seq_diff(to, conn_captured_next(judge, conn, side));
    /* What came after it, without a number of its own, may have been captured before it. */
    return beyond > 0 || (beyond == 0 && !holes_within(judge, conn, side, to - 1, to, &since_us));
}

/* The peer's FIN acknowledges this one: it was sent after this one came, and captured before it. */
static bool was_first(const struct conn_judge *judge, struct conn *conn, unsigned side)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    const struct conn_more_end *more = conn_has_more(judge, conn, conn_other(conn, side));
    bool went_first = peer->state == STATE_FIN_WAIT_1 || peer->state == STATE_FIN_WAIT_2;
    if (conn->flags & (CONN_TWO_PLACES | CONN_TO_ITSELF) || !more || !more->has_fin_ack || !went_first) return false;
    return seq_at_or_before(end->fin_end, more->fin_ack) && (end->state == STATE_ESTABLISHED || end->state == STATE_CLOSE_WAIT);
}

static void take_first_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, struct conn_verdict *verdict)
{
    unsigned other = conn_other(conn, side);
    struct conn_end *end = &conn->end[side];
    const struct conn_end *peer = &conn->end[other];
    bool heard = end->state == STATE_CLOSE_WAIT;
    if (heard) conn_take_back(conn, side, STATE_ESTABLISHED, verdict);
    conn_move(judge, conn, side, INPUT_SENT_FIN, false, verdict);
    conn_take_back(conn, other, STATE_CLOSE_WAIT, verdict);
    conn_move(judge, conn, other, INPUT_SENT_FIN, true, verdict);
    if (peer->flags & END_FIN_ACKED) conn_move(judge, conn, other, INPUT_RCVD_ACK_OF_FIN, true, verdict);
    end->flags |= END_FIN_TAKEN | END_FIN_ACKED;
    conn_move(judge, conn, side, INPUT_RCVD_ACK_OF_FIN, true, verdict);
    if (heard) conn_move(judge, conn, side, INPUT_RCVD_FIN, true, verdict);
    conn->closed_first = (uint8_t)(1 + side);
    conn->flags &= (uint16_t) ~(CONN_FIRST_BY_RST | CONN_FIRST_UNSURE);
}

/* The last number of this end that its peer's FIN acknowledges was captured, or is known to be its SYN, or more followed: it is no
 * FIN. */
static bool had_sent_no_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *fin)
{
    const struct conn_end *end = &conn->end[side];
    if (conn->flags & (CONN_TWO_PLACES | CONN_TO_ITSELF)) return true;
    if (!conn_has(end, END_BASE | END_ANY)) return false;
    if (fin->flags & TCP_ACK && seq_before(fin->ack, end->next)) return true;
    if (end->next == end->base + 1) return end->flags & END_SYN;
    return conn_last_was_captured(judge, conn, side);
}

/* It ends its sender's part, and was sent before the peer's FIN or RST came: which left first, the order at one place does not
 * tell, unless one was on its way for longer than anything is. */
static void note_crossing(struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    static const int64_t UNDER_WAY_NS = 10000000000;
    if (conn->flags & (CONN_TWO_PLACES | CONN_TO_ITSELF) || conn->closed_first != 1 + conn_other(conn, side)) return;
    if (!conn_is_later_by(segment->t_ns, conn->last_ns, UNDER_WAY_NS)) conn->flags |= CONN_FIRST_UNSURE;
}

/* What the peer's FIN would have made it acknowledge, it does not. */
static bool missed_fin(const struct conn_end *peer, const struct conn_segment *segment)
{
    return peer->flags & END_FIN && segment->flags & TCP_ACK && seq_before(segment->ack, peer->fin_end);
}

/* A FIN that does not acknowledge the peer's was sent before that came, whatever the order of capture. */
static void take_fin(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                     struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    const struct conn_end *peer = &conn->end[conn_other(conn, side)];
    if (end->flags & END_FIN) return;
    end->flags |= END_FIN;
    end->fin_end = segment->seq + conn_space(segment);
    struct conn_more_end *more = conn_has_more(judge, conn, side);
    if (more && segment->flags & TCP_ACK) {
        more->fin_ack = segment->ack;
        more->has_fin_ack = true;
    }
    if (segment->flags & TCP_SYN) return; /* what becomes of it, the answer to the SYN tells (settle_syn_fin) */
    if (was_first(judge, conn, side)) {
        take_first_fin(judge, conn, side, verdict);
        return;
    }
    bool by_reset = end->flags & END_ENDED_BY_RST && !(end->flags & END_RST), late = missed_fin(peer, segment);
    if (by_reset || late) note_crossing(conn, side, segment);
    bool crossed = end->state == STATE_CLOSE_WAIT && late && !(conn->flags & CONN_TWO_PLACES);
    if (crossed) conn_take_back(conn, side, STATE_ESTABLISHED, verdict);
    conn_move(judge, conn, side, INPUT_SENT_FIN, false, verdict);
    if (crossed) conn_move(judge, conn, side, INPUT_RCVD_FIN, false, verdict);
    if (!conn->closed_first) {
        conn->closed_first = (uint8_t)(1 + side);
        if (!had_sent_no_fin(judge, conn, conn_other(conn, side), segment)) conn->flags |= CONN_FIRST_UNSURE;
    }
    /* The ACK of it was captured before it. */
    if (end->flags & END_ACKED && seq_at_or_before(end->fin_end, end->acked) && !(end->flags & END_FIN_ACKED)) {
        end->flags |= END_FIN_ACKED;
        conn_move(judge, conn, side, INPUT_RCVD_ACK_OF_FIN, false, verdict);
    }
    conn_take_fin(judge, conn, side, true, verdict);
}

/* RFC 9293 section 3.10.7.4: an ACK of what was never sent is answered with a RST that takes its number from that ACK; the
 * half-open connection is not touched. A RST that ends it stands at SND.NXT. */
static bool answers_wrong_ack(const struct conn_end *end, const struct conn_segment *segment)
{
    return end->state == STATE_SYN_RCVD && end->flags & END_ANY && !(segment->flags & TCP_ACK) && segment->seq != end->next;
}

/* No answer to a segment: that carries an ACK only where it refuses a SYN (RFC 9293 section 3.10.7.1). */
static bool is_abort(const struct conn_end *end, const struct conn_segment *segment)
{
    return segment->flags & TCP_ACK && end->flags & END_ANY && segment->seq == end->next && end->was != STATE_SYN_SENT;
}

/* Its RST acknowledges the SYN that crossed its own: it had come, and was answered. */
static void prove_crossed_syn(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                              struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    bool ends_its_own = segment->flags & TCP_ACK && end->state == STATE_SYN_SENT && segment->seq == end->next;
    if (!ends_its_own || !conn_acknowledges_syn(&conn->end[conn_other(conn, side)], segment->ack)) return;
    end->flags |= END_SYN_ACK;
    conn_move(judge, conn, side, INPUT_SENT_SYN_ACK, true, verdict);
}

/* Of data that was not captured an abort's ACK is the only witness: it acknowledges all that had come (tcp_send_active_reset). */
static void prove_unseen_data(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    struct conn_end *peer = &conn->end[conn_other(conn, side)];
    if (!judge->sparse || !is_abort(&conn->end[side], segment) || !(peer->flags & END_ANY) || peer->flags & END_FIN) return;
    uint32_t ahead = segment->ack - peer->next;
    if (ahead >= FAR) return;
    peer->span += ahead;
    peer->next = segment->ack;
}

/* A RST without an ACK answers a segment as a host does that knows no such connection. Who has taken a FIN knows it, and
 * acknowledges that at once (RFC 9293 section 3.10.7.4): where nothing did, this end was gone before the FIN came. An abort
 * acknowledges all that had come (tcp_send_active_reset): where that is less than the FIN, it left before the FIN came. */
static void take_back_fin(struct conn *conn, unsigned side, struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    const struct conn_end *peer = &conn->end[conn_other(conn, side)];
    if (conn->flags & CONN_TO_ITSELF || !conn_has(peer, END_FIN | END_FIN_TAKEN)) return;
    if (end->flags & END_ACKS && seq_at_or_before(peer->fin_end, end->ack)) return;
    if (end->state == STATE_CLOSE_WAIT) conn_take_back(conn, side, STATE_ESTABLISHED, verdict);
    if (end->state == STATE_TIME_WAIT)
        conn_take_back(conn, side, end->flags & END_CROSSED ? STATE_CLOSING : STATE_FIN_WAIT_2, verdict);
    if (end->state == STATE_CLOSING) conn_take_back(conn, side, STATE_FIN_WAIT_1, verdict);
}

static void send_reset(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                       struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    bool by_reset = end->flags & END_ENDED_BY_RST && !(end->flags & END_RST);
    verdict->class = CONN_RESET;
    end->flags |= END_RST;
    prove_crossed_syn(judge, conn, side, segment, verdict);
    bool aborts = is_abort(end, segment), before_fin = aborts && missed_fin(&conn->end[conn_other(conn, side)], segment);
    if (before_fin || (aborts && by_reset)) note_crossing(conn, side, segment);
    if (answers_wrong_ack(end, segment)) return;
    if (!(segment->flags & TCP_ACK) || before_fin) take_back_fin(conn, side, verdict);
    if (end->state == STATE_TIME_WAIT && !(segment->flags & TCP_ACK)) conn_take_back(conn, side, STATE_CLOSED, verdict);
    /* Nor did anybody wait who answers the SYN,ACK so, and has said nothing but its SYN. */
    bool silent = end->state == STATE_ESTABLISHED && conn_has(end, END_SYN_ACKED) && !(end->flags & (END_ACKS | END_PASSIVE));
    if (silent && !(segment->flags & TCP_ACK) && !(conn->flags & CONN_TWO_PLACES)) {
        conn_take_back(conn, side, STATE_SYN_SENT, verdict);
        conn_take_back(conn, side, STATE_CLOSED, verdict);
    }
    bool is_first = !(end->flags & END_ANY);
    uint32_t next = is_first || segment->seq - end->next < FAR ? segment->seq : end->next;
    if (judge->sparse && end->flags & END_ANY && seq_before(end->next, next)) { /* the data before it was not captured */
        end->span += next - end->next;
        end->next = next;
    }
    prove_unseen_data(judge, conn, side, segment);
    conn_end_by_reset(judge, conn, side, INPUT_SENT_RST, next, segment->t_ns, verdict);
    /* Whom a RST has ended before answers only: if the peer did not send that, a box between closed it. */
    if (end->flags & END_ENDED_BY_RST && !by_reset && !conn->closed_first) note_first_by_reset(judge, conn, side);
}

static void note_context(struct conn_verdict *verdict, const struct conn_end *end, const struct conn_end *peer)
{
    verdict->next = end->next;
    verdict->has_next = end->flags & END_ANY;
    verdict->acked = end->acked;
    verdict->has_acked = end->flags & END_ACKED;
    verdict->peer_window = peer->window;
    verdict->has_peer_window = peer->flags & END_ACKS;
    verdict->repeated_acks = peer->repeated_acks;
}

static void count(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                  uint8_t class)
{
    struct conn_end *end = &conn->end[side];
    if (class == CONN_AGAIN || class == CONN_PARTLY_AGAIN) end->again_count++;
    bool zero = segment->window == 0 && !(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && class != CONN_WINDOW_PROBE;
    bool rare = class == CONN_OUT_OF_ORDER || class == CONN_KEEPALIVE || class == CONN_WINDOW_PROBE;
    if (!zero && !rare) return;
    struct conn_more_end *more = conn_make_more(judge, conn, side);
    if (!more) return;
    more->zero_windows += zero;
    more->out_of_order += class == CONN_OUT_OF_ORDER;
    more->keep_alives += class == CONN_KEEPALIVE;
    more->window_probes += class == CONN_WINDOW_PROBE;
}

/* What its acknowledgement and window say, for what comes next. */
static void take_ack_field(struct conn_end *end, const struct conn_segment *segment, uint8_t class, bool advances)
{
    if (advances)
        end->repeated_acks = 0;
    else if (class == CONN_DUPLICATE_ACK && segment->ack == end->ack && segment->window == end->window &&
             end->repeated_acks < UINT8_MAX)
        end->repeated_acks++;
    end->window = segment->window;
}

static void note_time(struct conn *conn, const struct conn_segment *segment)
{
    if (segment->t_ns > conn->last_ns) conn->last_ns = segment->t_ns;
}

/* Of an end that a RST of its own has ended. */
static void note_question(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    struct conn_more_end *more = conn_has_more(judge, conn, side);
    if (!more || !more->has_ended || more->is_questioned) return;
    more->is_questioned = true;
    more->questioned_us = conn_short_time(segment->t_ns);
}

void conn_sent(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
               struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    end->segments++;
    note_context(verdict, end, peer);
    if (segment->flags & TCP_RST) {
        send_reset(judge, conn, side, segment, verdict);
        note_time(conn, segment);
        return;
    }
    conn_prove_alive(judge, conn, side, segment, verdict);
    if (conn_is_stray(conn, side, segment)) {
        struct conn_more_end *more = conn_make_more(judge, conn, side);
        if (more) more->strays++;
        verdict->class = CONN_STRAY;
        note_time(conn, segment);
        return;
    }
    begin_midway(conn, segment);
    verdict->leaps = conn_is_far(conn, segment, side) && conn_leaps(conn, segment, side);
    bool advances = segment->flags & TCP_ACK && (!(end->flags & END_ACKS) || seq_before(end->ack, segment->ack));
    uint8_t class = verdict->class = conn_class_of(judge, conn, side, segment, verdict);
    count(judge, conn, side, segment, class);
    take_ack_field(end, segment, class, advances);
    end->flags &= ~(uint32_t)(END_PROBED | END_CHALLENGED);
    if (class == CONN_CHALLENGE_ACK) note_question(judge, conn, conn_other(conn, side), segment);
    if (class == CONN_KEEPALIVE || class == CONN_WINDOW_PROBE) end->flags |= END_PROBED;
    bool answers = class == CONN_PROBE_ANSWER || (class == CONN_ACK && advances); /* what was asked with has been taken */
    if (conn_space(segment) || answers) peer->flags &= ~(uint32_t)END_PROBED;
    bool fin = segment->flags & TCP_FIN && !is_late_fin(judge, conn, side, segment);
    take_numbers(conn, side, segment, verdict);
    note_seen(conn_has_more(judge, conn, side), end, segment->seq + conn_space(segment));
    conn_prove_handshake(judge, conn, side, segment, verdict);
    if (segment->flags & TCP_ACK) conn_prove_received(judge, conn, side, segment, verdict);
    if (segment->flags & TCP_SYN) take_syn(judge, conn, side, segment, verdict);
    if (fin) take_fin(judge, conn, side, segment, verdict);
    conn_time_handshake(conn, side, segment);
    note_time(conn, segment);
}
