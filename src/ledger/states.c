/* RFC 9293 for both ends of a flow. The rules are those of tcp_classify_sent and tcp_classify_received, where each is explained;
 * here both ends share what one sent and the other received, because they are seen at one place. tests/unit/ledger_states.c holds
 * the two against each other. */
#include "ledger/own.h"

/* Where the ends stood before the first segment that was seen. */
void states_begin(struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *sender = &flow->sent[side], *other = &flow->sent[!side];
    switch (segment->flags & (TCP_SYN | TCP_ACK)) {
    case TCP_SYN:
        sender->state = STATE_CLOSED;
        other->state = STATE_LISTEN; /* row_make takes it back if no SYN-ACK proves it */
        break;
    case TCP_SYN | TCP_ACK: /* the SYN that it answers was missed */
        sender->state = STATE_LISTEN;
        other->state = STATE_SYN_SENT;
        other->flags = SENT_SYN | SENT_ANY | BASE_KNOWN;
        other->base = segment->ack - 1;
        other->next = other->got = segment->ack;
        other->flags |= GOT_ANY | SYN_TAKEN;
        break;
    default:
        sender->state = other->state = STATE_ESTABLISHED;
    }
}

static void take_sent(const struct ledger *ledger, struct sent *end, const struct ledger_segment *segment)
{
    if (segment->flags & TCP_RST) {
        bool answers_wrong_ack =
            end->state == STATE_SYN_RCVD && end->flags & SENT_ANY && !(segment->flags & TCP_ACK) && segment->seq != end->next;
        end->flags |= SENT_RST;
        if (!answers_wrong_ack) states_input(ledger, end, INPUT_SENT_RST);
        return;
    }
    uint32_t next = segment_end_of(segment);
    bool syn = segment->flags & TCP_SYN;
    if (!(end->flags & SENT_ANY) || (syn && (end->base != segment->seq || !(end->flags & SENT_SYN)))) {
        end->next = next;
        end->bytes += segment->length_bytes;
    } else if (seq_before(end->next, next)) {
        uint32_t more = next - end->next;
        /* Further ahead than any window reaches: a number of nothing. */
        if (more <= (uint32_t)1 << 30) end->bytes += more - !!(segment->flags & TCP_FIN);
        end->next = next;
    }
    end->flags |= SENT_ANY;
    if (syn) {
        enum tcp_input input = INPUT_COUNT;
        if (segment->flags & TCP_ACK) {
            if (!(end->flags & SENT_SYN_ACK)) input = INPUT_SENT_SYN_ACK;
            if (!(end->flags & SENT_SYN)) end->flags |= PASSIVE;
            end->flags |= SENT_SYN_ACK;
        } else if (!(end->flags & SENT_SYN)) {
            input = INPUT_SENT_SYN;
        }
        end->flags |= SENT_SYN | BASE_KNOWN;
        end->base = segment->seq;
        if (input != INPUT_COUNT) states_input(ledger, end, input);
    }
    if (segment->flags & TCP_FIN && !(end->flags & SENT_FIN)) {
        end->flags |= SENT_FIN;
        end->fin_end = next;
        states_input(ledger, end, INPUT_SENT_FIN);
    }
}

static void take_early(struct sent *from, struct trouble_end *trouble)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < trouble->early_count; i++) {
            if (seq_before(from->got, trouble->early[i].from)) continue;
            if (seq_before(from->got, trouble->early[i].to)) from->got = trouble->early[i].to;
            trouble->early[i] = trouble->early[--trouble->early_count];
            moved = true;
            break;
        }
    }
}

static void take_space(struct ledger *ledger, struct flow *flow, int side, const struct ledger_segment *segment, uint32_t to)
{
    struct sent *from = &flow->sent[side];
    if (seq_at_or_before(segment->seq, from->got)) {
        if (seq_before(from->got, to)) from->got = to;
        struct trouble_end *trouble = flow_has_trouble(ledger, flow, side);
        if (trouble && trouble->early_count) take_early(from, trouble);
    } else {
        struct trouble_end *trouble = flow_trouble(ledger, flow, side);
        if (trouble->early_count < EARLY_MAX) trouble->early[trouble->early_count++] = (struct range){segment->seq, to};
    }
}

void states_take_ack(const struct ledger *ledger, struct sent *end, const struct ledger_segment *segment)
{
    if (!(end->flags & SENT_ANY) || seq_before(end->next, segment->ack)) return;
    if ((end->flags & (SENT_SYN | SYN_ACKED)) == SENT_SYN && seq_before(end->base, segment->ack)) {
        end->flags |= SYN_ACKED;
        states_input(ledger, end,
                     segment->flags & TCP_SYN && end->state == STATE_SYN_SENT ? INPUT_RCVD_SYN_ACK : INPUT_RCVD_ACK_OF_SYN);
    }
    if ((end->flags & (SENT_FIN | FIN_ACKED)) == SENT_FIN && seq_at_or_before(end->fin_end, segment->ack)) {
        end->flags |= FIN_ACKED;
        states_input(ledger, end, INPUT_RCVD_ACK_OF_FIN);
    }
}

static void take_reset(const struct ledger *ledger, struct sent *from, struct sent *end, const struct ledger_segment *segment)
{
    bool acceptable = end->state == STATE_SYN_SENT ? segment->flags & TCP_ACK && segment->ack == end->base + 1
                                                   : !(from->flags & GOT_ANY) || segment->seq == from->got;
    if (acceptable)
        states_input(ledger, end, end->flags & PASSIVE && end->state == STATE_SYN_RCVD ? INPUT_RCVD_RST_PASSIVE : INPUT_RCVD_RST);
}

/* is_dropped of tcp/state.c. `taken`: the number of the SYN that the peer took from this sender, valid with SYN_TAKEN. */
static bool is_dropped(const struct sent *from, const struct sent *end, const struct ledger_segment *segment, uint32_t taken)
{
    bool syn = segment->flags & TCP_SYN;
    if (!syn) return !(segment->flags & TCP_ACK) || end->state == STATE_SYN_SENT;
    return end->state > STATE_SYN_SENT && (end->flags & PASSIVE || !(from->flags & SYN_TAKEN) || segment->seq != taken);
}

/* A SYN that is dropped moves the sender's base, but not what the peer took for it: that is put aside. */
static void put_base_aside(struct ledger *ledger, struct flow *flow, int side, uint32_t taken)
{
    const struct sent *from = &flow->sent[side];
    if (!(from->flags & SYN_TAKEN) || from->base == taken) return;
    struct trouble_end *trouble = flow_trouble(ledger, flow, side);
    trouble->base_moved = true;
    trouble->taken_base = taken;
}

void states_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *from = &flow->sent[side], *end = &flow->sent[!side];
    struct trouble_end *trouble = flow_has_trouble(ledger, flow, side);
    uint32_t taken = trouble && trouble->base_moved ? trouble->taken_base : from->base;
    take_sent(ledger, from, segment);
    if (segment->flags & TCP_RST) {
        take_reset(ledger, from, end, segment);
        return;
    }
    if (is_dropped(from, end, segment, taken)) {
        if (segment->flags & TCP_SYN) put_base_aside(ledger, flow, side, taken);
        return;
    }
    if (segment->flags & TCP_SYN) {
        if (!(from->flags & SYN_TAKEN) || taken != segment->seq) from->flags &= (uint16_t)~GOT_ANY;
        from->flags |= SYN_TAKEN;
        if (trouble) trouble->base_moved = false;
    }
    if (segment->flags & TCP_ACK) states_take_ack(ledger, end, segment);
    uint32_t to = segment_end_of(segment);
    bool is_old = from->flags & GOT_ANY && seq_at_or_before(to, from->got);
    if (!(from->flags & GOT_ANY)) {
        from->flags |= GOT_ANY;
        from->got = to;
    } else if (to != segment->seq) {
        take_space(ledger, flow, side, segment, to);
    }
    if (segment->flags & TCP_FIN && !is_old) {
        from->flags |= FIN_SEEN;
        from->fin_last_end = to;
    }
    if ((from->flags & (FIN_SEEN | FIN_TAKEN)) == FIN_SEEN && seq_at_or_before(from->fin_last_end, from->got)) {
        from->flags |= FIN_TAKEN;
        states_input(ledger, end, INPUT_RCVD_FIN);
    }
}
