/* Gaps: sequence numbers that an end skipped, that nobody saw later, and that its peer acknowledged all the same. Then it is the
 * capture that missed them. */
#include "ledger/own.h"

static void drop(struct trouble_end *trouble, size_t i)
{
    trouble->holes[i] = trouble->holes[--trouble->hole_count];
}

/* Data that fills holes, wholly or from one side; of one that is filled in the middle the rest behind it is kept. */
static void fill(struct trouble_end *trouble, uint32_t from, uint32_t to)
{
    for (size_t i = trouble->hole_count; i-- > 0;) {
        struct range *hole = &trouble->holes[i];
        if (!seq_before(from, hole->to) || !seq_before(hole->from, to)) continue;
        bool keeps_front = seq_before(hole->from, from), keeps_back = seq_before(to, hole->to);
        if (keeps_front && keeps_back && trouble->hole_count < HOLES_MAX)
            trouble->holes[trouble->hole_count++] = (struct range){to, hole->to};
        if (keeps_front)
            hole->to = from;
        else if (keeps_back)
            hole->from = to;
        else
            drop(trouble, i);
    }
}

static void acknowledge(struct ledger *ledger, struct flow *flow, int side, uint32_t ack, bool at_the_end)
{
    struct trouble_end *trouble = flow_has_trouble(ledger, flow, side);
    for (size_t i = trouble->hole_count; i-- > 0;) {
        struct range hole = trouble->holes[i];
        if (!seq_before(hole.from, ack)) continue;
        uint32_t to = seq_before(ack, hole.to) ? ack : hole.to;
        trouble->missed_bytes += to - hole.from;
        if (to == hole.to)
            drop(trouble, i);
        else
            trouble->holes[i].from = to;
        /* A gap that shows only when the end has closed is no sure one: Zeek leaves it out of the history. */
        if (!at_the_end) zeek_scaled(flow, side, 'G', ++trouble->zeek_gaps);
    }
}

void gaps_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    if (segment->flags & TCP_RST) return;
    struct sent *from = &flow->sent[side];
    struct trouble_end *trouble = flow_has_trouble(ledger, flow, side);
    if (segment->length_bytes && trouble && trouble->hole_count) fill(trouble, segment->seq, segment_end_of(segment));
    bool known = from->flags & SENT_ANY && !(segment->flags & TCP_SYN);
    if (known && seq_before(from->next, segment->seq) && segment->seq - from->next <= (uint32_t)1 << 30) {
        trouble = flow_trouble(ledger, flow, side);
        if (trouble->hole_count < HOLES_MAX) trouble->holes[trouble->hole_count++] = (struct range){from->next, segment->seq};
    }
    struct trouble_end *peer = flow_has_trouble(ledger, flow, !side);
    if (segment->flags & TCP_ACK && peer && peer->hole_count) {
        const struct sent *end = &flow->sent[!side];
        acknowledge(ledger, flow, !side, segment->ack, end->zeek == ZEEK_CLOSED || end->zeek == ZEEK_RESET);
    }
}
