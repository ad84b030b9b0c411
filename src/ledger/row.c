#include <string.h>

#include "ledger/own.h"

static void make_end(const struct ledger *ledger, const struct flow *flow, int side, struct ledger_end *end)
{
    const struct sent *sent = &flow->sent[side];
    const struct trouble_end *trouble = flow_has_trouble(ledger, flow, side);
    end->address = (struct address){.port = flow->port[side], .version = flow->version};
    memcpy(end->address.ip, flow->ip[side], sizeof(end->address.ip));
    end->state = (enum tcp_state)sent->state;
    /* That there was a listener is known only once it answered; that a reset was in vain only if it would have been taken. */
    if (end->state == STATE_LISTEN && !(sent->flags & SENT_SYN_ACK)) end->state = STATE_CLOSED;
    end->has_isn = sent->flags & SENT_SYN && sent->once & ONCE_SYN;
    end->isn = end->has_isn ? sent->base : 0;
    end->segments = sent->segments;
    end->bytes = sent->bytes;
    end->ip_bytes = sent->ip_bytes;
    end->ip_bytes_known = !(sent->flags & IP_BYTES_UNKNOWN);
    end->retransmissions = sent->retransmissions;
    end->out_of_order = trouble ? trouble->out_of_order : 0;
    end->keep_alives = trouble ? trouble->keep_alives : 0;
    end->zero_windows = trouble ? trouble->zero_windows : 0;
    end->missed_bytes = trouble ? trouble->missed_bytes : 0;
}

static bool has_ended(const struct ledger_end *end)
{
    return end->state == STATE_CLOSED || end->state == STATE_TIME_WAIT;
}

/* The same questions in the same order as a story's outcome. */
static enum ledger_outcome outcome_of(const struct flow *flow, const struct ledger_row *row)
{
    unsigned both = flow->sent[0].flags | flow->sent[1].flags;
    bool syn = flow->bits & FLOW_OPENED, syn_ack = both & SENT_SYN_ACK;
    if (both & SENT_RST) return syn && !syn_ack ? LEDGER_REFUSED : LEDGER_RESET;
    if (has_ended(&row->end[LEDGER_CLIENT]) && has_ended(&row->end[LEDGER_SERVER])) return LEDGER_CLOSED;
    if (syn && !syn_ack) return LEDGER_HALF_OPEN;
    if (row->end[LEDGER_CLIENT].state == STATE_SYN_SENT || row->end[LEDGER_SERVER].state == STATE_SYN_RCVD) return LEDGER_HALF_OPEN;
    return LEDGER_OPEN;
}

void row_make(const struct ledger *ledger, const struct flow *flow, enum ledger_ending ending, struct ledger_row *row)
{
    row->number = flow->number;
    make_end(ledger, flow, flow->client, &row->end[LEDGER_CLIENT]);
    make_end(ledger, flow, !flow->client, &row->end[LEDGER_SERVER]);
    row->start_ns = flow->first_ns;
    row->end_ns = flow->last_ns;
    row->trailing_ns = (int64_t)flow->trailing_us * 1000;
    row->handshake_ns = flow->bits & FLOW_TIMED ? flow->handshake_ns : -1;
    row->opened_by = flow->bits & FLOW_OPENED ? LEDGER_CLIENT : -1;
    row->closed_first_by = !flow->closed_first ? -1 : flow->closed_first - 1 == flow->client ? LEDGER_CLIENT : LEDGER_SERVER;
    row->outcome = outcome_of(flow, row);
    row->ending = ending;
    row->completeness = flow->completeness;
    row->tunnel = flow->tunnel;
    row->roles_guessed = flow->bits & FLOW_GUESSED;
    row->conn_state = zeek_conn_state(flow);
    size_t length = 0;
    if (flow->client != 0) row->history[length++] = '^';
    memcpy(row->history + length, flow->history, flow->history_count);
    row->history_cut = flow->bits & FLOW_HISTORY_CUT;
    row->history[length + flow->history_count] = '\0';
    row->icmp =
        flow->trouble ? ((const struct trouble *)slab_at(&ledger->troubles, flow->trouble - 1))->icmp : (struct ledger_icmp){0};
}

const char *ledger_outcome_name(enum ledger_outcome outcome)
{
    static const char *const names[LEDGER_OUTCOMES] = {"open", "closed", "reset", "refused", "half-open"};
    return (unsigned)outcome < LEDGER_OUTCOMES ? names[outcome] : "?";
}
