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

/* How far a number lies from where it should: 0 within `reach` around what lies between the highest that its reader is known to
 * have and the highest sent; 1 ahead, -1 behind. */
static int far(uint32_t number, uint32_t low, uint32_t high, uint32_t reach)
{
    if ((int32_t)(number - high) > (int32_t)reach) return 1;
    return (int32_t)(number - low) < -(int32_t)reach ? -1 : 0;
}

/* Without a SYN: both its numbers are far from what both ends have said. A connection goes on from where it was; only a capture's
 * gap can move both ahead at once, and by less than a window's largest. After a RST, a little is enough: nobody goes on by a gap.
 */
enum { FOREIGN = 1 << 24, FOREIGN_AFTER_RST = 1 << 16, WINDOW_MOST = 1 << 30 };

/* Where its numbers lie: each as `far` says, 0 where they are not known. */
struct place {
    int seq, ack;
};

static struct place place_of(const struct conn_segment *segment, const struct conn_end *end, const struct conn_end *peer,
                             uint32_t reach)
{
    const uint32_t known = END_ANY | END_BASE;
    if (!(segment->flags & TCP_ACK) || (end->flags & peer->flags & known) != known) return (struct place){0, 0};
    return (struct place){far(segment->seq, end->flags & END_ACKED ? end->acked : end->base, end->next, reach),
                          far(segment->ack, end->flags & END_ACKS ? end->ack : peer->base, peer->next, reach)};
}

/* Both are ahead, by less than a window's largest, and neither is behind a FIN: the capture may have a gap. */
static bool may_be_gap(struct place place, const struct conn_segment *segment, const struct conn_end *end,
                       const struct conn_end *peer)
{
    bool ahead = place.seq > 0 && place.ack > 0 && !((end->flags | peer->flags) & END_FIN);
    return ahead && segment->seq - end->next < WINDOW_MOST && segment->ack - peer->next < WINDOW_MOST;
}

static bool is_foreign(const struct conn *conn, const struct conn_segment *segment, const struct conn_end *end,
                       const struct conn_end *peer)
{
    if (conn->flags & CONN_TO_ITSELF) return false;
    bool reset = conn_is_done(conn) && (end->flags | peer->flags) & END_ENDED_BY_RST;
    struct place place = place_of(segment, end, peer, reset ? FOREIGN_AFTER_RST : FOREIGN);
    return place.seq && place.ack && (reset || !may_be_gap(place, segment, end, peer));
}

bool conn_leaps(const struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    return !(conn->flags & CONN_TO_ITSELF) && may_be_gap(place_of(segment, end, peer, FOREIGN), segment, end, peer);
}

/* Nothing of it has a SYN, and both numbers of this SYN,ACK are far from all that it said: that was of an older one. */
static bool is_far_from_midway(const struct conn *conn, const struct conn_segment *segment, const struct conn_end *end,
                               const struct conn_end *peer)
{
    struct place place = place_of(segment, end, peer, FOREIGN_AFTER_RST);
    return conn->flags & CONN_MIDWAY && !((end->flags | peer->flags) & END_SYN) && place.seq && place.ack;
}

bool conn_begins_anew(const struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    const struct conn_end *end = &conn->end[side], *peer = &conn->end[conn_other(conn, side)];
    if (segment->flags & TCP_RST) return false;
    if (conn_shows_nothing(conn)) return segment->flags & TCP_SYN;
    if (!(segment->flags & TCP_SYN)) return is_beyond_both_fins(conn, segment, end, peer) || is_foreign(conn, segment, end, peer);
    bool known = end->flags & END_BASE;
    if (segment->flags & TCP_ACK) /* its SYN was not captured: only where the old one is over, or far from it */
        return known && segment->seq != end->base && peer->flags & END_BASE && segment->ack != peer->base + 1 &&
               (conn_is_done(conn) || is_far_from_midway(conn, segment, end, peer));
    /* The other half of an open that the peer began: what it said before was no answer to that SYN. */
    if (!(end->flags & END_SYN) && peer->state == STATE_SYN_SENT) return false;
    if (known) return segment->seq != end->base;
    return conn_is_done(conn);
}

bool conn_is_set_aside(const struct conn *conn)
{
    bool both = conn->end[0].state >= STATE_ESTABLISHED && conn->end[1].state >= STATE_ESTABLISHED;
    return both && !conn_is_done(conn) && !(conn->flags & CONN_TO_ITSELF);
}

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a - b < b - a ? a - b : b - a;
}

bool conn_is_elders(const struct conn *elder, unsigned elder_side, const struct conn *young, unsigned side,
                    const struct conn_segment *segment)
{
    const struct conn_end *old = &elder->end[elder_side], *now = &young->end[side];
    const struct conn_end *old_peer = &elder->end[!elder_side], *now_peer = &young->end[!side];
    uint64_t from_old = 0, from_now = 0;
    if (segment->flags & TCP_SYN)
        return old->flags & END_SYN && segment->seq == old->base && !(now->flags & END_SYN && now->base == segment->seq);
    if (!((now->flags | now_peer->flags) & END_ANY)) return true; /* nothing is known of it but that somebody made its SYN */
    if (old->flags & now->flags & END_ANY) {
        from_old += apart(segment->seq, old->next);
        from_now += apart(segment->seq, now->next);
    }
    if (segment->flags & TCP_ACK && old_peer->flags & now_peer->flags & END_ANY) {
        from_old += apart(segment->ack, old_peer->next);
        from_now += apart(segment->ack, now_peer->next);
    }
    return from_old < from_now;
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

/* What lies before it was missed: a SYN, which the other end sent. */
static void begin_behind_syn(struct conn_end *other, const struct conn_segment *segment)
{
    *other =
        (struct conn_end){.state = STATE_SYN_SENT, .base = segment->ack - 1, .next = segment->ack, .got = segment->ack, .span = 1};
    other->flags = END_SYN | END_ANY | END_BASE | END_GOT | END_SYN_TAKEN;
}

/* RFC 9293 section 3.10.7.1: this RST answers what had no ACK, so no connection. */
static bool refuses(const struct conn_segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == (TCP_RST | TCP_ACK) && segment->seq == 0;
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
    case TCP_SYN | TCP_ACK:
        sender->state = STATE_LISTEN;
        begin_behind_syn(other, segment);
        break;
    case 0: /* nothing that TCP sends once it is connected: it shows no connection */
        if (!(segment->flags & TCP_RST)) break;
        /* fall through */
    default:
        if (refuses(segment)) {
            sender->state = STATE_CLOSED;
            begin_behind_syn(other, segment);
            break;
        }
        sender->state = other->state = STATE_ESTABLISHED;
        conn->flags |= CONN_MIDWAY;
    }
}

/* Linux holds TIME_WAIT for a minute (TCP_TIMEWAIT_LEN), and a little more by its timer wheel; it gives up connecting after 127 s
 * (tcp_syn_retries 6). An idle connection has no end (RFC 9293 section 3.8.4): it is kept as long as Linux' connection tracking
 * keeps it (nf_conntrack_tcp_timeout_established), five days. */
static const int64_t KEEP_DONE_NS = 61000000000, KEEP_ATTEMPT_NS = 131000000000, KEEP_OPEN_NS = 432000000000000;
/* One-sided traffic of this few segments without data is an attempt, a scan or a flood. */
enum { ATTEMPT_SEGMENTS = 8 };

int64_t conn_keep_ns(const struct conn *conn)
{
    if (conn_is_done(conn)) return KEEP_DONE_NS;
    uint32_t a = conn->end[0].segments, b = conn->end[1].segments;
    bool one_sided = a == 0 || b == 0, silent = conn->end[0].span <= 1 && conn->end[1].span <= 1;
    return one_sided && silent && a + b <= ATTEMPT_SEGMENTS ? KEEP_ATTEMPT_NS : KEEP_OPEN_NS;
}
