/* The short cut for what most segments are: an acknowledgement, with data or without, that comes next in order on a connection
 * without trouble. The conditions leave nothing to judge; what each part (states.c, counts.c, zeek.c, gaps.c) would do with such a
 * segment is then done at once. tests/unit/ledger_plain.c and tests/fuzz/fuzz_ledger.c hold this and the long way against each
 * other: whoever changes a rule there may have to change it here, and these say so. */
#include "ledger/own.h"

/* More than this ahead no window reaches: a number of nothing (states.c). */
static const uint32_t AHEAD_MAX = (uint32_t)1 << 30;

static inline bool is_plain(const struct flow *flow, const struct ledger_segment *segment, const struct sent *from,
                            const struct sent *end)
{
    const unsigned known = SENT_ANY | GOT_ANY | BASE_KNOWN | WINDOW_SEEN;
    uint32_t seq = segment->seq;
    if ((segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK) return false;
    /* What it says begins where what was sent, received and counted ends. */
    if ((from->next ^ seq) | (from->got ^ seq) | (from->ahead ^ seq)) return false;
    if (seq == 0 || segment->window == 0 || end->last_window == 0 || segment->length_bytes >= AHEAD_MAX) return false;
    if ((from->flags & known) != known || !(end->flags & BASE_KNOWN) || flow->trouble) return false;
    /* A FIN that waits behind a gap; a sender of whom nothing is known. */
    if ((from->flags & (FIN_SEEN | FIN_TAKEN)) == FIN_SEEN || from->zeek == ZEEK_INACTIVE || end->state == STATE_SYN_SENT)
        return false;
    /* The peer acknowledged it already: not new after all. */
    return !segment->length_bytes || !end->last_ack || seq_before(end->last_ack, seq + segment->length_bytes);
}

/* The first FIN of an end whose handshake was seen. */
static inline bool is_plain_fin(const struct sent *from, const struct sent *end)
{
    return !(from->flags & (SENT_FIN | FIN_SEEN | FIN_TAKEN)) && !(from->once & ONCE_FIN) && from->zeek == ZEEK_ESTABLISHED &&
           end->zeek != ZEEK_RESET;
}

static inline void once(struct flow *flow, int side, unsigned letter_bit, char letter)
{
    struct sent *from = &flow->sent[side];
    if (from->once & letter_bit) return;
    from->once = (uint8_t)(from->once | letter_bit);
    zeek_letter(flow, side, letter);
}

static void take_fin(const struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *from = &flow->sent[side], *end = &flow->sent[!side];
    once(flow, side, ONCE_FIN, 'F');
    from->zeek_was = from->zeek;
    from->zeek = ZEEK_CLOSED;
    flow->completeness |= LEDGER_SEEN_FIN;
    from->fin_end = from->fin_last_end = segment->seq + segment->length_bytes + 1;
    from->flags |= SENT_FIN | FIN_SEEN | FIN_TAKEN;
    states_input(ledger, from, INPUT_SENT_FIN);
    states_take_ack(ledger, end, segment);
    states_input(ledger, end, INPUT_RCVD_FIN);
}

enum plain plain_take(const struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *from = &flow->sent[side], *end = &flow->sent[!side];
    bool fin = segment->flags & TCP_FIN;
    if (!is_plain(flow, segment, from, end) || (fin && !is_plain_fin(from, end))) return PLAIN_NOT;
    uint32_t length = segment->length_bytes, now = short_time(segment->t_ns);
    bool same_ack = segment->ack == from->last_ack;
    if (length | fin) {
        from->bytes += length;
        from->next = from->got = from->ahead = segment->seq + length + fin;
        from->ahead_us = now;
    } else if (same_ack && segment->window == from->last_window && !(end->flags & LAST_KEEP_ALIVE) &&
               from->repeated_acks < UINT8_MAX) {
        from->repeated_acks++;
    }
    if (!same_ack) from->repeated_acks = 0;
    from->last_ack = segment->ack;
    from->last_ack_us = now;
    from->last_window = segment->window;
    from->flags &= (uint16_t)~LAST_KEEP_ALIVE;
    flow->completeness |= length ? LEDGER_SEEN_DATA : LEDGER_SEEN_ACK;
    if (fin) {
        take_fin(ledger, flow, segment, side);
        return PLAIN_MOVES;
    }
    if (length)
        once(flow, side, ONCE_DATA, 'D');
    else
        once(flow, side, ONCE_ACK, 'A');
    unsigned asked = end->flags & (SENT_SYN | SYN_ACKED | SENT_FIN | FIN_ACKED);
    if (asked == (SENT_SYN | SYN_ACKED)) return PLAIN_STAYS; /* it has nothing to wait for */
    states_take_ack(ledger, end, segment);
    return PLAIN_MOVES;
}
