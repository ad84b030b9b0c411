/* Comma-separated values (RFC 4180, with the heading line): numbers and fixed words only, so nothing needs quotes. */
#include "viz/line.h"
#include "viz/rows.h"

static const char heading[] =
    "conn,start,end,client_addr,client_port,server_addr,server_port,client_state,server_state,outcome,opened_by,closed_first_by,"
    "handshake_ns,client_segments,server_segments,client_bytes,server_bytes,client_retransmissions,server_retransmissions,"
    "client_out_of_order,server_out_of_order,client_zero_windows,server_zero_windows,client_keep_alives,server_keep_alives,"
    "client_missed_bytes,server_missed_bytes,completeness,conn_state,history\r\n";

static int begin(struct buf *out, const struct rows_options *options)
{
    buf_append(out, heading, sizeof(heading) - 3);
    return buf_text(out, options->paths ? ",lost_there,lost_back,delay_there_ns,delay_back_ns\r\n" : "\r\n");
}

static void field(struct line *line, uint64_t value)
{
    line_char(line, ',');
    line_uint(line, value);
}

static void word(struct line *line, const char *text)
{
    line_char(line, ',');
    line_text(line, text);
}

static const char *side_name(int side)
{
    return side < 0 ? "" : side == LEDGER_CLIENT ? "client" : "server";
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    struct line line;
    line_clear(&line);
    line_uint(&line, row->number);
    line_char(&line, ',');
    line_seconds(&line, row->start_ns, 9);
    line_char(&line, ',');
    line_seconds(&line, row->end_ns, 9);
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        line_char(&line, ',');
        line_ip(&line, &row->end[side].address);
        field(&line, row->end[side].address.port);
    }
    word(&line, tcp_state_name(client->state));
    word(&line, tcp_state_name(server->state));
    word(&line, ledger_outcome_name(row->outcome));
    word(&line, side_name(row->opened_by));
    word(&line, side_name(row->closed_first_by));
    line_char(&line, ',');
    if (row->handshake_ns >= 0) line_uint(&line, (uint64_t)row->handshake_ns);
    field(&line, client->segments), field(&line, server->segments);
    field(&line, client->bytes), field(&line, server->bytes);
    field(&line, client->retransmissions), field(&line, server->retransmissions);
    field(&line, client->out_of_order), field(&line, server->out_of_order);
    field(&line, client->zero_windows), field(&line, server->zero_windows);
    field(&line, client->keep_alives), field(&line, server->keep_alives);
    field(&line, client->missed_bytes), field(&line, server->missed_bytes);
    field(&line, row->completeness);
    word(&line, row->conn_state);
    word(&line, row->history);
    int way = 0;
    const struct rows_path *path = rows_path(options, row, &way);
    for (int i = 0; path && i < 2; i++) field(&line, path->lost[i ? !way : way]);
    for (int i = 0; path && i < 2; i++) {
        int64_t delay_ns = path->delay_ns[i ? !way : way];
        line_char(&line, ',');
        if (delay_ns >= 0) line_uint(&line, (uint64_t)delay_ns);
    }
    line_text(&line, "\r\n");
    return buf_append(out, line.text, line.length);
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)out, (void)options, (void)totals, (void)source;
    return 0;
}

const struct rows_view rows_csv = {"csv", ".csv", "comma-separated values, a line a connection", begin, add_row, end};
