/* Retransmissions, disorder, keep-alives and zero windows, told apart as Wireshark 4.0's sequence analysis does, so that the
 * numbers can be held against each other. Its order of tests is part of its meaning. */
#include "ledger/own.h"

static const uint32_t FAST_RETRANSMIT_US = 20000000 / 1024, DISORDER_US = 3000000 / 1024;

enum kind { KIND_PLAIN, KIND_RETRANSMISSION, KIND_OUT_OF_ORDER };

/* A segment that takes sequence space and may not be new. */
static enum kind judge(const struct flow *flow, const struct ledger_segment *segment, const struct sent *from,
                       const struct sent *peer)
{
    bool ends = segment->flags & (TCP_SYN | TCP_FIN);
    uint32_t seq = segment->seq, length = segment->length_bytes, now = short_time(segment->t_ns);
    bool old = from->ahead && seq_before(seq, from->ahead);
    if (length > 1 && from->ahead - 1 == seq) old = false; /* new data behind a window probe */
    if (length > 0 && peer->last_ack && seq_at_or_before(seq + length, peer->last_ack)) return KIND_RETRANSMISSION;
    if (!old) return KIND_PLAIN;
    if (peer->repeated_acks >= 2 && peer->last_ack == seq && now - peer->last_ack_us < FAST_RETRANSMIT_US)
        return KIND_RETRANSMISSION;
    uint32_t near_us = DISORDER_US;
    if (flow->bits & FLOW_TIMED && flow->handshake_ns > 0) {
        int64_t round_us = flow->handshake_ns >> 10;
        near_us = round_us > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)round_us;
    }
    if (now - from->ahead_us < near_us && from->ahead != seq + length + ends) return KIND_OUT_OF_ORDER;
    return KIND_RETRANSMISSION;
}

/* Repeats the last acknowledgement of its sender, as a duplicate ACK or the answer to a keep-alive does. */
static void count_repeat(struct sent *from, const struct sent *peer, const struct ledger_segment *segment)
{
    if (!segment->length_bytes && segment->window && from->flags & WINDOW_SEEN && segment->window == from->last_window &&
        segment->seq == from->ahead && segment->ack == from->last_ack && !(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
        !(peer->flags & LAST_KEEP_ALIVE) && from->repeated_acks < UINT8_MAX)
        from->repeated_acks++;
}

static void remember(struct sent *from, const struct ledger_segment *segment, bool probe, bool keep_alive)
{
    bool ends = segment->flags & (TCP_SYN | TCP_FIN);
    uint32_t ahead = segment->seq + segment->length_bytes + ends;
    unsigned flags = from->flags & ~(unsigned)LAST_KEEP_ALIVE;
    if ((!from->ahead || seq_before(from->ahead, ahead)) && !probe) {
        from->ahead = ahead;
        from->ahead_us = short_time(segment->t_ns);
    }
    from->last_window = segment->window;
    from->last_ack = segment->ack;
    from->last_ack_us = short_time(segment->t_ns);
    from->flags = (uint16_t)(flags | WINDOW_SEEN | (keep_alive ? (unsigned)LAST_KEEP_ALIVE : 0));
}

void counts_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *from = &flow->sent[side];
    const struct sent *peer = &flow->sent[!side];
    bool control = segment->flags & (TCP_SYN | TCP_FIN | TCP_RST);
    uint32_t length = segment->length_bytes;
    bool probe = length == 1 && segment->seq == from->ahead && peer->flags & WINDOW_SEEN && peer->last_window == 0;
    bool keep_alive = !probe && length <= 1 && from->ahead && segment->seq == from->ahead - 1 && !control;
    if (!probe) {
        if (segment->window == 0 && !control) flow_trouble(ledger, flow, side)->zero_windows++;
        if (keep_alive) flow_trouble(ledger, flow, side)->keep_alives++;
        count_repeat(from, peer, segment);
    }
    if (segment->ack != from->last_ack) from->repeated_acks = 0;
    if ((length || segment->flags & (TCP_SYN | TCP_FIN)) && !keep_alive) {
        enum kind kind = judge(flow, segment, from, peer);
        if (kind == KIND_RETRANSMISSION) from->retransmissions++;
        if (kind == KIND_OUT_OF_ORDER) flow_trouble(ledger, flow, side)->out_of_order++;
    }
    remember(from, segment, probe, keep_alive);
    if (!(from->flags & BASE_KNOWN)) {
        from->base = segment->seq - !(segment->flags & TCP_SYN);
        from->flags |= BASE_KNOWN;
    }
    struct sent *other = &flow->sent[!side];
    if (segment->flags & TCP_ACK && !(other->flags & BASE_KNOWN)) {
        other->base = segment->ack - 1;
        other->flags |= BASE_KNOWN;
    }
}

void completeness_take(struct flow *flow, const struct ledger_segment *segment)
{
    unsigned seen = flow->completeness;
    bool syn = segment->flags & TCP_SYN, ack = segment->flags & TCP_ACK;
    if (syn) seen |= ack ? LEDGER_SEEN_SYN_ACK : LEDGER_SEEN_SYN | (segment->length_bytes ? LEDGER_SEEN_DATA : 0u);
    if (!syn && ack) seen |= segment->length_bytes ? LEDGER_SEEN_DATA : LEDGER_SEEN_ACK;
    if (segment->flags & TCP_FIN && ack) seen |= LEDGER_SEEN_FIN;
    if (segment->flags & TCP_RST) seen |= LEDGER_SEEN_RST;
    flow->completeness = (uint8_t)seen;
}
