/* conn_state and history as Zeek's documentation of conn.log defines them, with the endpoint states behind them (INACTIVE, PARTIAL,
 * …). The originator is the ledger's client. Checksums are not looked at, so there is no letter 'c'. */
#include <string.h>

#include "ledger/own.h"

enum { HISTORY_BIG_REPEAT = 1048576 };

static void zeek_letter(struct flow *flow, int side, char letter)
{
    if (flow->history_count == FLOW_HISTORY) {
        flow->bits |= FLOW_HISTORY_CUT;
        return;
    }
    flow->history[flow->history_count++] = side == flow->conn.client ? letter : (char)(letter | 0x20);
}

/* A repeat of payload, a zero window, a gap: a letter at the 1st, 10th, 100th … time. */
static void zeek_scaled(struct flow *flow, int side, char letter, uint32_t count)
{
    while (count >= 10 && count % 10 == 0) count /= 10;
    if (count == 1) zeek_letter(flow, side, letter);
}

void zeek_flip(struct flow *flow)
{
    for (size_t i = 0; i < flow->history_count; i++) flow->history[i] = (char)(flow->history[i] ^ 0x20);
}

/* True the first time. */
static bool once(struct flow *flow, int side, unsigned letter_bit, char letter)
{
    if (flow->zeek_once[side] & letter_bit) return false;
    flow->zeek_once[side] = (uint8_t)(flow->zeek_once[side] | letter_bit);
    zeek_letter(flow, side, letter);
    return true;
}

static void note_flags(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    const struct trouble *has = flow_has_trouble(ledger, flow);
    bool syn = segment->flags & TCP_SYN, fin = segment->flags & TCP_FIN, rst = segment->flags & TCP_RST;
    if (syn + fin + rst > 1) {
        if (fin && rst)
            once(flow, side, ONCE_INCONSISTENT, 'I');
        else
            once(flow, side, ONCE_MULTI, 'Q');
    } else if (syn) {
        char letter = segment->flags & TCP_ACK ? 'H' : 'S';
        if (!once(flow, side, ONCE_SYN, letter) && flow->conn.end[side].base != segment->seq) zeek_letter(flow, side, letter);
    } else if (fin) {
        uint32_t end = segment->seq + segment->length_bytes + 1;
        const struct conn_end *judged = &flow->conn.end[side];
        bool knows_last = has && has->zeek[side].fin_last_end;
        bool same = knows_last ? has->zeek[side].fin_last_end == end : judged->flags & END_FIN && judged->fin_end == end;
        if (once(flow, side, ONCE_FIN, 'F') || same) return;
        zeek_letter(flow, side, 'F');
        struct trouble *trouble = flow_trouble(ledger, flow);
        if (trouble) trouble->zeek[side].fin_last_end = end;
    } else if (rst) {
        struct trouble *trouble = flow_trouble(ledger, flow);
        if (!trouble) return;
        if (!once(flow, side, ONCE_RST, 'R') && trouble->zeek[side].rst_seq != segment->seq) zeek_letter(flow, side, 'R');
        trouble->zeek[side].rst_seq = segment->seq;
    } else if (segment->length_bytes) {
        once(flow, side, ONCE_DATA, 'D');
    } else if (segment->flags & TCP_ACK) {
        once(flow, side, ONCE_ACK, 'A');
    }
}

static void note_repeat(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    const struct conn_end *from = &flow->conn.end[side];
    uint8_t now = flow->zeek_now[side];
    if (!segment->length_bytes || !(from->flags & END_ANY) || now == ZEEK_INACTIVE || now == ZEEK_RESET) return;
    bool syn = segment->flags & TCP_SYN, rst = segment->flags & TCP_RST;
    uint32_t end = segment->seq + (rst ? 0 : segment->length_bytes) + syn + !!(segment->flags & TCP_FIN);
    int32_t ahead = seq_diff(from->next, end);
    if (ahead > 0 || ((syn || rst) && ahead < -HISTORY_BIG_REPEAT)) return;
    if (segment->flags & TCP_FIN && from->flags & END_SYN && from->next == from->base + 1) return;
    struct trouble *trouble = flow_trouble(ledger, flow);
    if (trouble) zeek_scaled(flow, side, 'T', ++trouble->zeek[side].repeats);
}

static void enter(struct flow *flow, int side, enum zeek_state state)
{
    if (flow->zeek_now[side] == state) return;
    flow->zeek_was[side] = flow->zeek_now[side];
    flow->zeek_now[side] = (uint8_t)state;
}

static void from_inactive(struct flow *flow, const struct ledger_segment *segment, int side)
{
    const uint8_t *end = &flow->zeek_now[side], *peer = &flow->zeek_now[!side];
    bool is_client = side == flow->conn.client, ack = segment->flags & TCP_ACK;
    if (segment->flags & TCP_SYN && is_client) {
        enter(flow, side, ack ? ZEEK_SYN_ACK_SENT : ZEEK_SYN_SENT);
    } else if (segment->flags & TCP_SYN) {
        if (*peer == ZEEK_SYN_SENT) enter(flow, !side, ZEEK_ESTABLISHED);
        enter(flow, side, ZEEK_ESTABLISHED);
    }
    if (segment->flags & TCP_FIN) enter(flow, side, ZEEK_CLOSED);
    if (segment->flags & TCP_RST) enter(flow, side, ZEEK_RESET);
    if (*end != ZEEK_INACTIVE) return;
    if (!is_client && segment->length_bytes == 0 && *peer == ZEEK_SYN_SENT) return; /* an ACK ahead of the SYN-ACK */
    enter(flow, side, ack && *peer == ZEEK_ESTABLISHED ? ZEEK_ESTABLISHED : ZEEK_PARTIAL);
}

static void move(struct flow *flow, const struct ledger_segment *segment, int side)
{
    const uint8_t end = flow->zeek_now[side], peer = flow->zeek_now[!side];
    bool syn = segment->flags & TCP_SYN, fin = segment->flags & TCP_FIN, rst = segment->flags & TCP_RST;
    switch ((enum zeek_state)end) {
    case ZEEK_INACTIVE:
        from_inactive(flow, segment, side);
        break;
    case ZEEK_SYN_SENT:
    case ZEEK_SYN_ACK_SENT:
        if (fin) enter(flow, side, ZEEK_CLOSED);
        if (rst) enter(flow, side, ZEEK_RESET);
        break;
    case ZEEK_PARTIAL:
    case ZEEK_ESTABLISHED:
        if (syn && end == ZEEK_PARTIAL && peer == ZEEK_INACTIVE && !(segment->flags & TCP_ACK)) enter(flow, side, ZEEK_SYN_SENT);
        if (fin && !rst) {
            enter(flow, side, ZEEK_CLOSED);
            /* A FIN and then a RST from the peer was a normal end after all. */
            if (peer == ZEEK_RESET && flow->zeek_was[!side] == ZEEK_CLOSED) enter(flow, !side, ZEEK_CLOSED);
        }
        if (rst) enter(flow, side, ZEEK_RESET);
        break;
    case ZEEK_CLOSED:
        if (rst && peer != ZEEK_CLOSED) enter(flow, side, ZEEK_RESET);
        break;
    case ZEEK_RESET:
        break;
    }
}

void zeek_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    const uint8_t from = flow->zeek_now[side], *peer = &flow->zeek_now[!side];
    note_flags(ledger, flow, segment, side);
    if (segment->window == 0 && !(segment->flags & TCP_RST) && *peer != ZEEK_CLOSED && from != ZEEK_RESET) {
        struct trouble *trouble = flow_trouble(ledger, flow);
        if (trouble) zeek_scaled(flow, side, 'W', ++trouble->zeek[side].zero_windows);
    }
    note_repeat(ledger, flow, segment, side);
    move(flow, segment, side);
}

/* How many of the gaps that the peer had not acknowledged by `from` it has by `to`. That an end's last number alone is missing once
 * it has closed is no sure gap: Zeek leaves it out. */
void zeek_acked(struct ledger *ledger, struct flow *flow, int side, bool known, uint32_t acked)
{
    const struct conn_end *from = &flow->conn.end[side];
    struct trouble *trouble = flow_has_trouble(ledger, flow);
    if (!trouble || !(from->flags & END_ACKS) || (known && acked == from->ack)) return;
    const struct conn_more_end *peer = &trouble->more.end[!side];
    bool ended = flow->zeek_now[!side] == ZEEK_CLOSED || flow->zeek_now[!side] == ZEEK_RESET;
    for (size_t i = 0; i < peer->hole_count; i++) {
        const struct conn_range *hole = &peer->holes[i];
        if (!seq_before(hole->from, from->ack) || (known && !seq_before(acked, hole->to))) continue;
        if (ended && hole->to - hole->from == 1) continue;
        zeek_scaled(flow, !side, 'G', ++trouble->zeek[!side].gaps);
    }
}

void zeek_plain_first(struct flow *flow, const struct ledger_segment *segment, int side)
{
    if (segment->flags & TCP_FIN) {
        once(flow, side, ONCE_FIN, 'F');
        enter(flow, side, ZEEK_CLOSED);
        flow->completeness |= LEDGER_SEEN_FIN;
    } else if (segment->length_bytes) {
        once(flow, side, ONCE_DATA, 'D');
    } else {
        once(flow, side, ONCE_ACK, 'A');
    }
}

void zeek_plain_syn(struct flow *flow)
{
    once(flow, 0, ONCE_SYN, 'S');
    enter(flow, 0, ZEEK_SYN_SENT);
    flow->completeness = LEDGER_SEEN_SYN;
}

void zeek_plain_syn_ack(struct flow *flow)
{
    once(flow, 1, ONCE_SYN, 'H');
    enter(flow, 0, ZEEK_ESTABLISHED);
    enter(flow, 1, ZEEK_ESTABLISHED);
    flow->completeness |= LEDGER_SEEN_SYN_ACK;
}

/* ^?S[^HAFGIQ]*R.* */
static bool is_syn_then_reset(const struct flow *flow)
{
    size_t i = 0;
    if (flow->history_count == 0 || flow->history[i++] != 'S') return false;
    while (i < flow->history_count && flow->history[i] != 'R' && !strchr("HAFGIQ", flow->history[i])) i++;
    return i < flow->history_count && flow->history[i] == 'R';
}

const char *zeek_conn_state(const struct flow *flow)
{
    const unsigned client = flow->conn.client;
    enum zeek_state from = (enum zeek_state)flow->zeek_now[client], to = (enum zeek_state)flow->zeek_now[!client];
    bool from_silent = from == ZEEK_INACTIVE || from == ZEEK_PARTIAL, to_silent = to == ZEEK_INACTIVE || to == ZEEK_PARTIAL;
    if (to == ZEEK_RESET) {
        if (from == ZEEK_SYN_SENT || from == ZEEK_SYN_ACK_SENT ||
            (from == ZEEK_RESET && !conn_bytes(&flow->conn, client) && !conn_bytes(&flow->conn, !client)))
            return "REJ";
        return from_silent ? "RSTRH" : "RSTR";
    }
    if (from == ZEEK_RESET) return !to_silent ? "RSTO" : is_syn_then_reset(flow) ? "RSTOS0" : "OTH";
    if (from == ZEEK_CLOSED && to == ZEEK_CLOSED) return "SF";
    if (from == ZEEK_CLOSED) return to_silent ? "SH" : "S2";
    if (to == ZEEK_CLOSED) return from_silent ? "SHR" : "S3";
    if (from == ZEEK_SYN_SENT && to == ZEEK_INACTIVE) return "S0";
    if (from == ZEEK_ESTABLISHED && to == ZEEK_ESTABLISHED) return "S1";
    return "OTH";
}
