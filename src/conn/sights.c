/* One packet, seen several times: on several interfaces of one host, by a switch that mirrors both sides of a way. */
#include <string.h>

#include "conn/own.h"
#include "conn/plain.h"

/* A mirror's copy comes within microseconds; a busy host's interfaces within milliseconds. TCP sends nothing again so soon
 * (TCP_RTO_MIN is 200 ms; a fast retransmission has another identification). */
static const int64_t SIGHT_NS = 10000000, OTHER_INTERFACE_NS = 100000000;
/* What has another hop limit came through a router, however long that took, or however far the clocks of two captures in one file
 * are apart: what TCP sends again sets out with the same. */
static const int64_t ROUTED_NS = 2000000000;

/* Without an identification, equal bytes on one interface may be sent again or duplicate ACKs. So soon, and with no word of the
 * peer in between, no timer of TCP's has run and nothing has asked for data; an ACK is a sight only where others were. Where they
 * were later than that, later ones are believed. */
static const int64_t UNNUMBERED_NS = 500000;
enum { OTHERS = 2 };

static bool is_near(const struct conn *conn, const struct conn_segment *segment, int64_t within_ns)
{
    int64_t apart;
    if (__builtin_sub_overflow(segment->t_ns, conn->last_ns, &apart)) return false;
    return apart <= within_ns && apart >= -within_ns;
}

/* What was said since its SYN says nothing of how long ago that was: a SYN,ACK comes again by its own timer in the midst of them.
 */
static bool is_near_syn(const struct conn_end *end, const struct conn_segment *segment, int64_t within_ns)
{
    if (end->flags & END_FIN) return false;                                                                 /* no longer known */
    uint32_t apart = conn_short_time(segment->t_ns) - end->syn_us, within = conn_short_time(within_ns) + 1; /* both are cut */
    return apart <= within || 0 - apart <= within;
}

static bool was_seen(const struct conn_more_end *more, uint32_t look)
{
    for (size_t i = 0; more && more->sights && i < sizeof(more->looks) / sizeof(more->looks[0]); i++)
        if (more->looks[i] == look) return true;
    return false;
}

static void keep_look(struct conn_more_end *more, uint32_t look)
{
    more->looks[more->look_at] = look;
    more->look_at = (uint8_t)((more->look_at + 1) % (sizeof(more->looks) / sizeof(more->looks[0])));
}

static uint32_t sights_of(const struct conn_judge *judge, struct conn *conn)
{
    const struct conn_more_end *a = conn_has_more(judge, conn, 0), *b = conn_has_more(judge, conn, 1);
    return (a ? a->sights : 0) + (b ? b->sights : 0);
}

/* So far behind its packet a further sight may be, where nothing but time tells: as far as others of this connection were, and
 * again as much. */
static int64_t usual_gap_ns(const struct conn_judge *judge, struct conn *conn)
{
    const struct conn_more_end *a = conn_has_more(judge, conn, 0), *b = conn_has_more(judge, conn, 1);
    uint32_t gap_us = a ? a->sight_gap_us : 0, other_us = b ? b->sight_gap_us : 0;
    if (other_us > gap_us) gap_us = other_us;
    int64_t gap_ns = (int64_t)gap_us * 2048;
    if (gap_ns > SIGHT_NS) gap_ns = SIGHT_NS;
    return gap_ns > UNNUMBERED_NS ? gap_ns : UNNUMBERED_NS;
}

/* Of a sight: its time is near the last one, before or behind it; before it (a number beyond all) is none. */
static void note_gap(const struct conn *conn, struct conn_more_end *more, const struct conn_segment *segment)
{
    uint64_t apart = (uint64_t)segment->t_ns - (uint64_t)conn->last_ns;
    if (apart > (uint64_t)SIGHT_NS) return;
    uint32_t gap_us = (uint32_t)(apart >> 10);
    if (gap_us > more->sight_gap_us) more->sight_gap_us = gap_us;
}

static bool is_elsewhere(const struct conn_end *end, const struct conn_segment *segment)
{
    return end->hops && segment->hops && end->hops != segment->hops;
}

/* Whether equal looks mean the same packet: by its identification where the sender gives each its own, or by its place. */
static bool tells(const struct conn_judge *judge, struct conn *conn, unsigned side, const struct conn_segment *segment)
{
    const struct conn_end *end = &conn->end[side];
    bool syn = segment->flags & TCP_SYN;
    if (end->interface && segment->interface && end->interface != segment->interface)
        return is_near(conn, segment, OTHER_INTERFACE_NS) && (!syn || is_near_syn(end, segment, OTHER_INTERFACE_NS));
    if (segment->unsummed) return false;
    bool numbered = segment->look >> 16 && !(end->flags & END_LOOKS_STAY) && (end->flags & END_LOOKS_VARY || end->segments == 1);
    if (is_elsewhere(end, segment)) return is_near(conn, segment, numbered ? ROUTED_NS : SIGHT_NS);
    /* Linux numbers no SYN,ACK; a SYN has a timer of its own, which no estimate shortens. */
    if (numbered || (syn && is_near_syn(end, segment, SIGHT_NS))) return is_near(conn, segment, SIGHT_NS);
    bool spoke_last = side == (conn->flags & CONN_SPOKE_LAST ? 1U : 0U);
    bool others = sights_of(judge, conn) >= OTHERS;
    int64_t within_ns = others ? usual_gap_ns(judge, conn) : UNNUMBERED_NS;
    return end->look == segment->look && spoke_last && (conn_space(segment) || others) && is_near(conn, segment, within_ns);
}

bool conn_is_sight(const struct conn_judge *judge, struct conn *conn, const struct conn_segment *segment, unsigned side)
{
    struct conn_end *end = &conn->end[side];
    struct conn_more_end *more = conn_has_more(judge, conn, side);
    if (!segment->look) return false;
    bool equal = end->segments && end->look == segment->look;
    if ((equal || was_seen(more, segment->look)) && tells(judge, conn, side, segment)) {
        if (!more) more = conn_make_more(judge, conn, side);
        if (!more) return true;
        if (!more->sights) keep_look(more, segment->look);
        more->sights++;
        note_gap(conn, more, segment);
        more->sights_elsewhere += is_elsewhere(end, segment);
        return true;
    }
    uint32_t before = end->look >> 16, now = segment->look >> 16;
    if (end->segments && before != now)
        end->flags |= END_LOOKS_VARY;
    else if (end->segments && now) /* none at all twice says nothing */
        end->flags |= END_LOOKS_STAY;
    if (more && more->sights) keep_look(more, segment->look);
    if (segment->flags & TCP_SYN && !(end->flags & END_FIN)) end->syn_us = conn_short_time(segment->t_ns);
    conn_note_look(conn, segment, side);
    return false;
}
