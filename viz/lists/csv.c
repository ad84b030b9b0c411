/* Comma-separated values (RFC 4180, with the heading line): numbers and fixed words only, so nothing needs quotes. */
#include <errno.h>

#include "base/lang.h"
#include "viz/lists/rows.h"
#include "viz/pen/line.h"

static const char heading[] =
    "conn,start,end,client_addr,client_port,server_addr,server_port,client_state,server_state,outcome,opened_by,closed_first_by,"
    "handshake_ns,client_segments,server_segments,client_bytes,server_bytes,client_retransmissions,server_retransmissions,"
    "client_out_of_order,server_out_of_order,client_zero_windows,server_zero_windows,client_keep_alives,server_keep_alives,"
    "client_missed_bytes,server_missed_bytes,completeness,conn_state,history,icmp_errors,icmp,icmp_from,icmp_mtu\r\n";

static int begin(struct buf *out, const struct rows_options *options)
{
    buf_append(out, heading, sizeof(heading) - 3);
    return buf_text(out, options->paths ? ",lost_there,lost_back,delay_there_ns,delay_back_ns\r\n" : "\r\n");
}

enum { ROW_BYTES = 1024 };
_Static_assert(26 * LINE_UINT_BYTES + 2 * LINE_SECONDS_BYTES + 3 * LINE_ADDRESS_BYTES + 36 + 160 + LEDGER_HISTORY_BYTES +
                       LINE_SLACK <=
                   ROW_BYTES,
               "the largest row fits: its numbers, addresses, commas and words");

static inline char *field(char *at, uint64_t value)
{
    return line_uint(line_char(at, ','), value);
}

static inline char *word(char *at, const char *text)
{
    return line_text(line_char(at, ','), text);
}

static const char *side_name(int side)
{
    return side < 0 ? "" : side == LEDGER_CLIENT ? "client" : "server";
}

static char *put_icmp(char *at, const struct ledger_icmp *icmp)
{
    at = field(at, icmp->count);
    if (!icmp->count) return line_text(at, ",,,");
    at = word(at, segment_icmp_name(icmp->last.protocol, icmp->last.type, icmp->last.code));
    at = line_ip(line_char(at, ','), &icmp->last.from);
    at = line_char(at, ',');
    return icmp->last.mtu ? line_uint(at, icmp->last.mtu) : at;
}

/* A row is a TCP connection, and its number a number: UDP flows are in the list, in conn.log and in the event lines. */
static int add_udp(struct buf *out, const struct rows_options *options, const struct datagrams_row *row)
{
    (void)out, (void)options, (void)row;
    return 0;
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    char *line = buf_room(out, ROW_BYTES);
    if (!line) return -ENOMEM;
    char *at = line_uint(line, row->number);
    at = line_seconds(line_char(at, ','), row->start_ns, 9);
    at = line_seconds(line_char(at, ','), row->end_ns, 9);
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        at = line_ip(line_char(at, ','), &row->end[side].address);
        at = field(at, row->end[side].address.port);
    }
    at = word(at, tcp_state_name(client->state));
    at = word(at, tcp_state_name(server->state));
    at = word(at, ledger_outcome_name(row->outcome));
    at = word(at, side_name(row->opened_by));
    at = word(at, side_name(row->closed_first_by));
    at = line_char(at, ',');
    if (row->handshake_ns >= 0) at = line_uint(at, (uint64_t)row->handshake_ns);
    const uint64_t counts[] = {
        client->segments,        server->segments,     client->bytes,        server->bytes,        client->retransmissions,
        server->retransmissions, client->out_of_order, server->out_of_order, client->zero_windows, server->zero_windows,
        client->keep_alives,     server->keep_alives,  client->missed_bytes, server->missed_bytes, row->completeness,
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) at = field(at, counts[i]);
    at = word(at, row->conn_state);
    at = word(at, row->history);
    at = put_icmp(at, &row->icmp);
    int way = 0;
    const struct rows_path *path = rows_path(options, row, &way);
    for (int i = 0; path && i < 2; i++) at = field(at, path->lost[i ? !way : way]);
    for (int i = 0; path && i < 2; i++) {
        int64_t delay_ns = path->delay_ns[i ? !way : way];
        at = line_char(at, ',');
        if (delay_ns >= 0) at = line_uint(at, (uint64_t)delay_ns);
    }
    at = line_text(at, "\r\n");
    buf_grew(out, (size_t)(at - line));
    return 0;
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)out, (void)options, (void)totals, (void)source;
    return 0;
}

const struct rows_view rows_csv = {"csv", ".csv", TR("comma-separated values, a line a connection"), begin, add_row, add_udp,
                                   false, end};
