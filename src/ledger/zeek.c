/* conn_state and history as Zeek's documentation of conn.log defines them, with the endpoint states behind them (INACTIVE, PARTIAL,
 * …). The originator is the ledger's client. Checksums are not looked at, so there is no letter 'c'. */
#include <string.h>

#include "ledger/own.h"

enum { HISTORY_BIG_REPEAT = 1048576 };

void zeek_letter(struct flow *flow, int side, char letter)
{
    if (flow->history_count == FLOW_HISTORY) {
        flow->bits |= FLOW_HISTORY_CUT;
        return;
    }
    flow->history[flow->history_count++] = side == flow->client ? letter : (char)(letter | 0x20);
}

void zeek_scaled(struct flow *flow, int side, char letter, uint32_t count)
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
    struct sent *from = &flow->sent[side];
    if (from->once & letter_bit) return false;
    from->once = (uint8_t)(from->once | letter_bit);
    zeek_letter(flow, side, letter);
    return true;
}

static void note_flags(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    const struct sent *from = &flow->sent[side];
    bool syn = segment->flags & TCP_SYN, fin = segment->flags & TCP_FIN, rst = segment->flags & TCP_RST;
    if (syn + fin + rst > 1) {
        if (fin && rst)
            once(flow, side, ONCE_INCONSISTENT, 'I');
        else
            once(flow, side, ONCE_MULTI, 'Q');
    } else if (syn) {
        char letter = segment->flags & TCP_ACK ? 'H' : 'S';
        if (!once(flow, side, ONCE_SYN, letter) && from->base != segment->seq) zeek_letter(flow, side, letter);
    } else if (fin) {
        uint32_t end = segment->seq + segment->length_bytes + 1;
        if (!once(flow, side, ONCE_FIN, 'F') && from->fin_last_end != end) zeek_letter(flow, side, 'F');
    } else if (rst) {
        struct trouble_end *trouble = flow_trouble(ledger, flow, side);
        if (!once(flow, side, ONCE_RST, 'R') && trouble->rst_seq != segment->seq) zeek_letter(flow, side, 'R');
        trouble->rst_seq = segment->seq;
    } else if (segment->length_bytes) {
        once(flow, side, ONCE_DATA, 'D');
    } else if (segment->flags & TCP_ACK) {
        once(flow, side, ONCE_ACK, 'A');
    }
}

static void note_repeat(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    const struct sent *from = &flow->sent[side];
    if (!segment->length_bytes || !(from->flags & SENT_ANY) || from->zeek == ZEEK_INACTIVE || from->zeek == ZEEK_RESET) return;
    bool syn = segment->flags & TCP_SYN, rst = segment->flags & TCP_RST;
    uint32_t end = segment->seq + (rst ? 0 : segment->length_bytes) + syn + !!(segment->flags & TCP_FIN);
    int32_t ahead = seq_diff(from->next, end);
    if (ahead > 0 || ((syn || rst) && ahead < -HISTORY_BIG_REPEAT)) return;
    if (segment->flags & TCP_FIN && from->flags & SENT_SYN && from->next == from->base + 1) return;
    zeek_scaled(flow, side, 'T', ++flow_trouble(ledger, flow, side)->zeek_repeats);
}

static void enter(struct sent *end, enum zeek_state state)
{
    if (end->zeek == state) return;
    end->zeek_was = end->zeek;
    end->zeek = (uint8_t)state;
}

static void from_inactive(struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *end = &flow->sent[side], *peer = &flow->sent[!side];
    bool is_client = side == flow->client, ack = segment->flags & TCP_ACK;
    if (segment->flags & TCP_SYN && is_client) {
        enter(end, ack ? ZEEK_SYN_ACK_SENT : ZEEK_SYN_SENT);
    } else if (segment->flags & TCP_SYN) {
        if (peer->zeek == ZEEK_SYN_SENT) enter(peer, ZEEK_ESTABLISHED);
        enter(end, ZEEK_ESTABLISHED);
    }
    if (segment->flags & TCP_FIN) enter(end, ZEEK_CLOSED);
    if (segment->flags & TCP_RST) enter(end, ZEEK_RESET);
    if (end->zeek != ZEEK_INACTIVE) return;
    if (!is_client && segment->length_bytes == 0 && peer->zeek == ZEEK_SYN_SENT) return; /* an ACK ahead of the SYN-ACK */
    enter(end, ack && peer->zeek == ZEEK_ESTABLISHED ? ZEEK_ESTABLISHED : ZEEK_PARTIAL);
}

static void move(struct flow *flow, const struct ledger_segment *segment, int side)
{
    struct sent *end = &flow->sent[side], *peer = &flow->sent[!side];
    bool syn = segment->flags & TCP_SYN, fin = segment->flags & TCP_FIN, rst = segment->flags & TCP_RST;
    switch ((enum zeek_state)end->zeek) {
    case ZEEK_INACTIVE:
        from_inactive(flow, segment, side);
        break;
    case ZEEK_SYN_SENT:
    case ZEEK_SYN_ACK_SENT:
        if (fin) enter(end, ZEEK_CLOSED);
        if (rst) enter(end, ZEEK_RESET);
        break;
    case ZEEK_PARTIAL:
    case ZEEK_ESTABLISHED:
        if (syn && end->zeek == ZEEK_PARTIAL && peer->zeek == ZEEK_INACTIVE && !(segment->flags & TCP_ACK))
            enter(end, ZEEK_SYN_SENT);
        if (fin && !rst) {
            enter(end, ZEEK_CLOSED);
            /* A FIN and then a RST from the peer was a normal end after all. */
            if (peer->zeek == ZEEK_RESET && peer->zeek_was == ZEEK_CLOSED) enter(peer, ZEEK_CLOSED);
        }
        if (rst) enter(end, ZEEK_RESET);
        break;
    case ZEEK_CLOSED:
        if (rst && peer->zeek != ZEEK_CLOSED) enter(end, ZEEK_RESET);
        break;
    case ZEEK_RESET:
        break;
    }
}

void zeek_take(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment, int side)
{
    const struct sent *from = &flow->sent[side], *peer = &flow->sent[!side];
    note_flags(ledger, flow, segment, side);
    if (segment->window == 0 && !(segment->flags & TCP_RST) && peer->zeek != ZEEK_CLOSED && from->zeek != ZEEK_RESET)
        zeek_scaled(flow, side, 'W', ++flow_trouble(ledger, flow, side)->zeek_zero_windows);
    note_repeat(ledger, flow, segment, side);
    move(flow, segment, side);
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
    const struct sent *client = &flow->sent[flow->client], *server = &flow->sent[!flow->client];
    enum zeek_state from = (enum zeek_state)client->zeek, to = (enum zeek_state)server->zeek;
    bool from_silent = from == ZEEK_INACTIVE || from == ZEEK_PARTIAL, to_silent = to == ZEEK_INACTIVE || to == ZEEK_PARTIAL;
    if (to == ZEEK_RESET) {
        if (from == ZEEK_SYN_SENT || from == ZEEK_SYN_ACK_SENT || (from == ZEEK_RESET && !client->bytes && !server->bytes))
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
