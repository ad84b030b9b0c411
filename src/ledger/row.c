#include <string.h>

#include "ledger/own.h"

static void make_end(struct ledger *ledger, struct flow *flow, unsigned side, struct ledger_end *end)
{
    const struct conn_end *conn = &flow->conn.end[side];
    const struct trouble *trouble = flow_has_trouble(ledger, flow);
    static const struct conn_more_end none;
    const struct conn_more_end *more = trouble ? &trouble->more.end[side] : &none;
    *end = (struct ledger_end){.address = {.port = flow->port[side], .version = flow->version}};
    flow_get_ip(flow, side, end->address.ip);
    end->state = conn_state(&flow->conn, side);
    end->has_isn = conn->flags & END_SYN_SEEN;
    end->isn = end->has_isn ? conn->base : 0;
    end->segments = conn->segments;
    struct conn_payload sent = conn_payload(&ledger->judge, &flow->conn, side);
    end->bytes = sent.bytes;
    end->missed_bytes = sent.missed;
    end->ip_bytes = (uint64_t)flow->ip_bytes_high[side] << 32 | flow->ip_bytes_low[side];
    end->ip_bytes_known = !(flow->bits & FLOW_IP_UNKNOWN << side);
    end->retransmissions = conn->again_count;
    end->out_of_order = more->out_of_order;
    end->keep_alives = more->keep_alives;
    end->window_probes = more->window_probes;
    end->zero_windows = more->zero_windows;
    end->ignored_resets = more->ignored_resets;
    end->strays = more->strays;
    end->sights = more->sights;
    end->sights_elsewhere = more->sights_elsewhere;
}

void row_make(struct ledger *ledger, struct flow *flow, enum ledger_ending ending, struct ledger_row *row)
{
    row->number = flow->number;
    static const enum ledger_outcome outcomes[] = {[CONN_OUT_OPEN] = LEDGER_OPEN,
                                                   [CONN_OUT_CLOSED] = LEDGER_CLOSED,
                                                   [CONN_OUT_RESET] = LEDGER_RESET,
                                                   [CONN_OUT_REFUSED] = LEDGER_REFUSED,
                                                   [CONN_OUT_HALF_OPEN] = LEDGER_HALF_OPEN};
    const struct conn *conn = &flow->conn;
    make_end(ledger, flow, conn->client, &row->end[LEDGER_CLIENT]);
    make_end(ledger, flow, !conn->client, &row->end[LEDGER_SERVER]);
    row->start_ns = flow->first_ns;
    row->end_ns = conn->last_ns;
    row->trailing_ns = (int64_t)flow->trailing_us * 1000;
    row->handshake_ns = flow->bits & FLOW_TIMED ? flow->handshake_ns : -1;
    row->opened_by = conn->flags & CONN_OPENED ? LEDGER_CLIENT : -1;
    unsigned closer = conn_first_closer(conn);
    row->closed_first_by = !closer ? -1 : closer - 1 == conn->client ? LEDGER_CLIENT : LEDGER_SERVER;
    row->outcome = outcomes[conn_outcome(conn)];
    row->ending = ending;
    row->completeness = flow->completeness;
    row->tunnel = flow->tunnel;
    row->roles_guessed = !(conn->flags & CONN_OPENED);
    row->conn_state = zeek_conn_state(flow);
    size_t length = 0;
    if (conn->client != 0) row->history[length++] = '^';
    memcpy(row->history + length, flow->history, flow->history_count);
    row->history_cut = flow->bits & FLOW_HISTORY_CUT;
    row->history[length + flow->history_count] = '\0';
    const struct trouble *trouble = flow_has_trouble(ledger, flow);
    row->icmp = trouble ? trouble->icmp : (struct ledger_icmp){0};
}

const char *ledger_outcome_name(enum ledger_outcome outcome)
{
    static const char *const names[LEDGER_OUTCOMES] = {"open", "closed", "reset", "refused", "half-open"};
    return (unsigned)outcome < LEDGER_OUTCOMES ? names[outcome] : "?";
}
