/* To which connection a segment belongs, and who opened it. */
#include "conn/own.h"

/* Nothing follows a FIN: numbers beyond both, of sequence and of acknowledgement, are those of a connection whose SYNs were not
 * captured. */
static bool is_beyond_both_fins(const struct conn *conn, const struct conn_segment *segment, const struct conn_end *end,
                                const struct conn_end *peer)
{
    uint32_t both = end->flags & peer->flags;
    if (!(both & END_FIN) || !(both & END_BASE) || !(segment->flags & TCP_ACK) || !conn_is_done(conn)) return false;
    return segment->seq - end->base > end->span && segment->ack - peer->base > peer->span;
}

bool conn_begins_anew(const struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    if (segment->flags & TCP_RST) return false;
    bool nothing = end->state == STATE_UNKNOWN && peer->state == STATE_UNKNOWN; /* no connection was shown so far */
    if (nothing) return segment->flags & TCP_SYN;
    if (!(segment->flags & TCP_SYN)) return is_beyond_both_fins(conn, segment, end, peer);
    bool known = end->flags & END_BASE;
    if (segment->flags & TCP_ACK) /* its SYN was not captured: only where the old one is over */
        return conn_is_done(conn) && known && segment->seq != end->base && peer->flags & END_BASE && segment->ack != peer->base + 1;
    /* The other half of an open that the peer began: what it said before was no answer to that SYN. */
    if (!(end->flags & END_SYN) && peer->state == STATE_SYN_SENT) return false;
    if (known) return segment->seq != end->base;
    return conn_is_done(conn);
}

bool conn_settle_roles(struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    if (!(segment->flags & TCP_SYN) || conn->flags & CONN_OPENED) return false;
    uint8_t client = (uint8_t)(segment->flags & TCP_ACK ? !side : side);
    bool other = client != conn->client;
    conn->client = client;
    conn->flags |= CONN_OPENED;
    return other;
}

void conn_begin(struct conn *conn, const struct conn_segment *segment, bool higher_port)
{
    struct conn_end *sender = &conn->end[0], *other = &conn->end[conn_other(conn, 0)];
    conn->last_ns = segment->t_ns;
    if (segment->flags & TCP_SYN)
        conn_settle_roles(conn, segment, 0);
    else
        conn->client = higher_port ? 0 : 1;
    if (!(conn->flags & CONN_OPENED)) conn->client = higher_port ? 0 : 1;
    switch (segment->flags & (TCP_SYN | TCP_ACK)) {
    case TCP_SYN:
        other->state = STATE_LISTEN; /* conn_state takes it back if no SYN,ACK proves it */
        sender->state = STATE_CLOSED;
        break;
    case TCP_SYN | TCP_ACK: /* the SYN that it answers was missed */
        sender->state = STATE_LISTEN;
        *other = (struct conn_end){
            .state = STATE_SYN_SENT, .base = segment->ack - 1, .next = segment->ack, .got = segment->ack, .span = 1};
        other->flags = END_SYN | END_ANY | END_BASE | END_GOT | END_SYN_TAKEN;
        break;
    case 0: /* nothing that TCP sends once it is connected: it shows no connection */
        if (!(segment->flags & TCP_RST)) break;
        /* fall through */
    default:
        sender->state = other->state = STATE_ESTABLISHED;
        conn->flags |= CONN_MIDWAY;
    }
}

/* Linux holds TIME_WAIT for a minute (TCP_TIMEWAIT_LEN), and a little more by its timer wheel; it gives up connecting after 127 s
 * (tcp_syn_retries 6). */
static const int64_t KEEP_DONE_NS = 61000000000, KEEP_ATTEMPT_NS = 131000000000, KEEP_OPEN_NS = 7440000000000;
/* One-sided traffic of this few segments without data is an attempt, a scan or a flood. */
enum { ATTEMPT_SEGMENTS = 8 };

int64_t conn_keep_ns(const struct conn *conn)
{
    if (conn_is_done(conn)) return KEEP_DONE_NS;
    uint32_t a = conn->end[0].segments, b = conn->end[1].segments;
    bool one_sided = a == 0 || b == 0, silent = conn->end[0].span <= 1 && conn->end[1].span <= 1;
    return one_sided && silent && a + b <= ATTEMPT_SEGMENTS ? KEEP_ATTEMPT_NS : KEEP_OPEN_NS;
}
