/* What a segment proves of what was not captured: what must have reached the end that sends it before. */
#include "conn/own.h"

/* Data on its way when a RST was sent may arrive for a while. */
static const uint32_t STRAGGLE_US = 9765, STRAGGLE_UNKNOWN_US = 976562; /* 10 ms and 1 s, in units of 1024 ns */
enum { FAR = 1 << 30 }; /* below that, numbers modulo 2^32 are not told from those ahead */

void conn_prove_received(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                         struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    unsigned other = conn_other(conn, side);
    struct conn_end *peer = &conn->end[other];
    uint32_t ack = segment->ack;
    if (conn_is_absurd_ack(peer, ack)) return;
    if (!(peer->flags & END_BASE)) {
        peer->base = ack - 1;
        peer->flags |= END_BASE;
    }
    if (!(peer->flags & END_ANY)) {
        peer->next = ack;
        peer->span = ack - peer->base;
        peer->flags |= END_ANY;
    }
    if (!(peer->flags & END_GOT)) {
        peer->got = peer->next;
        peer->flags |= END_GOT;
    }
    int32_t more = seq_diff(peer->next, ack);
    if (more == 1 && conn_has(peer, END_BASE_BARE) && peer->next == peer->base + 1) { /* its first words were a keepalive probe */
        peer->base++;
        peer->next = peer->got = ack;
        verdict->base_shift = true;
        struct conn_more_end *probe = conn_make_more(judge, conn, other);
        if (probe && segment->window == 0)
            probe->window_probes++;
        else if (probe)
            probe->keep_alives++;
    } else if (more > 0) {
        struct conn_more_end *unseen = conn_make_more(judge, conn, other);
        if (unseen && !unseen->has_seen) {
            unseen->has_seen = true;
            unseen->seen = peer->next;
        }
        note_growth(conn, other);
        peer->span += (uint32_t)more;
        peer->next = ack;
        peer->flags = more == 1 ? peer->flags | END_LONE_ACK : peer->flags & ~(uint32_t)END_LONE_ACK;
        if (unseen && ack - unseen->seen > FAR) unseen->seen = ack - FAR;
    }
    peer->flags &= ~(uint32_t)END_BASE_BARE;
    if (!(end->flags & END_ACKS) || seq_before(end->ack, ack)) end->ack = ack;
    end->flags |= END_ACKS;
    if (seq_before(peer->got, ack)) holes_prove(judge, conn, other, ack, segment->t_ns);
    conn_take_fin(judge, conn, other, true, verdict);
}

/* The SYN,ACK of `side` was not captured: what follows shows that it was sent. */
static void prove_syn_ack(const struct conn_judge *judge, struct conn *conn, unsigned side, struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    if (end->flags & END_SYN_ACK || end->state == STATE_ESTABLISHED) return;
    if (end->state == STATE_CLOSED) end->state = STATE_LISTEN; /* nobody said so, and it answered */
    end->flags |= END_SYN | END_SYN_ACK | END_PASSIVE;
    conn_move(judge, conn, side, INPUT_SENT_SYN_ACK, true, verdict);
}

/* A socket that is connected to itself acknowledges its own SYN: it has answered that, and had the answer. */
static void prove_own_syn(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                          struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    if (end->state != STATE_SYN_SENT || !conn_acknowledges_more(end, segment->ack)) return;
    end->flags |= END_SYN_ACK | END_SYN_ACKED;
    conn_move(judge, conn, side, INPUT_SENT_SYN_ACK, true, verdict);
    conn_move(judge, conn, side, INPUT_RCVD_ACK_OF_SYN, true, verdict);
}

void conn_prove_handshake(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                          struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    unsigned other = conn_other(conn, side);
    struct conn_end *peer = &conn->end[other];
    bool data = segment->length_bytes || segment->flags & TCP_FIN;
    if (segment->flags & TCP_SYN || !(segment->flags & TCP_ACK)) return;
    if (conn->flags & CONN_TO_ITSELF) {
        prove_own_syn(judge, conn, side, segment, verdict);
        return;
    }
    if (end->state == STATE_SYN_SENT) {
        prove_syn_ack(judge, conn, other, verdict);
        end->flags |= END_SYN_ACKED;
        conn_move(judge, conn, side, INPUT_RCVD_SYN_ACK, true, verdict);
        return;
    }
    if (end->state == STATE_LISTEN && data && peer->state == STATE_SYN_SENT && conn_acknowledges_more(peer, segment->ack)) {
        prove_syn_ack(judge, conn, side, verdict);
        peer->flags |= END_SYN_ACKED;
        conn_move(judge, conn, other, INPUT_RCVD_SYN_ACK, true, verdict);
    }
    bool more = conn_has(peer, END_SYN | END_BASE) && !(peer->flags & END_SYN_DATA) && seq_before(peer->base + 1, segment->ack);
    bool says = segment->length_bytes && !(peer->flags & END_SYN_DATA);
    if (end->state == STATE_SYN_RCVD && end->flags & END_PASSIVE && (more || says)) {
        if (peer->state == STATE_SYN_SENT) { /* whoever acknowledges a SYN,ACK has had it */
            peer->flags |= END_SYN_ACKED;
            conn_move(judge, conn, other, INPUT_RCVD_SYN_ACK, true, verdict);
        }
        end->flags |= END_SYN_ACKED;
        conn_move(judge, conn, side, INPUT_RCVD_ACK_OF_SYN, true, verdict);
    }
}

/* What an end said and heard while it was taken for ended. */
static void catch_up(const struct conn_judge *judge, struct conn *conn, unsigned side, struct conn_verdict *verdict)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    const struct {
        bool happened;
        enum tcp_input input;
    } inputs[] = {
        {end->flags & END_SYN_ACKED, INPUT_RCVD_ACK_OF_SYN},
        {end->flags & END_FIN && conn->closed_first == 1 + side, INPUT_SENT_FIN},
        {peer->flags & END_FIN_TAKEN, INPUT_RCVD_FIN},
        {end->flags & END_FIN, INPUT_SENT_FIN},
        {end->flags & END_FIN_ACKED, INPUT_RCVD_ACK_OF_FIN},
    };
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (inputs[i].happened && judge->next_state[end->state][inputs[i].input] != end->state)
            conn_move(judge, conn, side, inputs[i].input, true, verdict);
}

/* Who closed first, if it was not by the RST of an end that goes on. */
static void forget_first_reset(struct conn *conn, unsigned side)
{
    if (!(conn->flags & CONN_FIRST_BY_RST)) return;
    unsigned other = conn_other(conn, side);
    const uint32_t by_its_own = END_ENDED_BY_RST | END_RST;
    if (conn->closed_first == 1 + other && conn_has(&conn->end[other], by_its_own)) return; /* it did not arrive, and was sent */
    conn->flags &= (uint16_t) ~(CONN_FIRST_BY_RST | CONN_FIRST_UNSURE);
    conn->closed_first = 0;
    if (conn->end[other].flags & END_FIN)
        conn->closed_first = (uint8_t)(1 + other);
    else if (conn->end[side].flags & END_FIN)
        conn->closed_first = (uint8_t)(1 + side);
}

void conn_prove_alive(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment,
                      struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    const struct conn_more_end *more = conn_has_more(judge, conn, side);
    if (!(end->flags & END_ENDED_BY_RST) || !more) return;
    const struct conn_end *peer = &conn->end[conn_other(conn, side)];
    const struct conn_more_end *of_peer = conn_has_more(judge, conn, conn_other(conn, side));
    /* What it acknowledges the other end said after its RST: that end was taken back, and this one has heard it. */
    bool heard = segment->flags & TCP_ACK && peer->flags & END_ANY && !(peer->flags & (END_RST | END_ENDED_BY_RST)) &&
                 of_peer->has_ended && seq_before(of_peer->ended_next, segment->ack) && seq_at_or_before(segment->ack, peer->next);
    bool sent_it = end->flags & END_RST, syn = segment->flags & TCP_SYN;
    bool says_more = seq_before(more->ended_next, segment->seq + conn_space(segment)) ||
                     (segment->flags & TCP_ACK && end->flags & END_ACKS && seq_before(more->ended_ack, segment->ack));
    uint32_t straggle = conn->flags & CONN_TIMED ? 4 * conn->round_us + STRAGGLE_US : STRAGGLE_UNKNOWN_US;
    bool late = conn_short_since(segment->t_ns, more->ended_us) > straggle;
    /* Who had sent that RST would have said so once more by now (RFC 5961 section 3.2). */
    uint32_t asked = conn->flags & CONN_TIMED ? conn->round_us : STRAGGLE_UNKNOWN_US;
    bool denies = sent_it && more->is_questioned && conn_short_since(segment->t_ns, more->questioned_us) > asked;
    if (!late && !denies && !syn && !heard && end->was != STATE_SYN_SENT && !(sent_it && says_more)) return;
    end->flags &= ~(uint32_t)(END_ENDED_BY_RST | END_RST);
    conn->flags &= (uint16_t)~CONN_REFUSED;
    forget_first_reset(conn, side);
    verdict->goes_on = true;
    conn_take_back(conn, side, (enum tcp_state)end->was, verdict);
    catch_up(judge, conn, side, verdict);
}
