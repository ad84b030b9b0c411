/* Zeek's conn.log in its tab-separated form, as zeek-cut and the tools around it read it. Fields are those of Conn::Info in Zeek's
 * documentation (base/protocols/conn/main.zeek). What Zeek learns elsewhere (service, local networks) is unset: "-". */
#include <errno.h>
#include <time.h>

#include "base/lang.h"
#include "viz/lists/rows.h"
#include "viz/pen/line.h"

static const char fields[] =
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\t"
    "local_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\t"
    "count\tcount\tcount\tset[string]\n";

enum { STAMP_BYTES = 128, BEGIN_BYTES = 1024 + LINE_SLACK, ROW_BYTES = 1024 };
_Static_assert(sizeof(fields) + STAMP_BYTES + 128 <= BEGIN_BYTES, "the heading fits");
_Static_assert(10 * LINE_UINT_BYTES + 2 * LINE_SECONDS_BYTES + 2 * LINE_ADDRESS_BYTES + 96 + LEDGER_HISTORY_BYTES + LINE_SLACK <=
                   ROW_BYTES,
               "the largest row fits: its numbers, addresses, tabs and words");

static int finish(struct buf *out, const char *line, const char *at)
{
    buf_grew(out, (size_t)(at - line));
    return 0;
}

/* Zeek says when it wrote the log; here it is when the capture began and ended, so that one capture makes one log. */
static char *stamp(char *at, const char *name, int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm parts;
    char text[64];
    at = line_char(line_text(at, name), '\t');
    if (gmtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%d-%H-%M-%S", &parts))
        at = line_text(at, text);
    else
        at = line_char(at, '-');
    return line_char(at, '\n');
}

static int begin(struct buf *out, const struct rows_options *options)
{
    char *line = buf_room(out, BEGIN_BYTES);
    if (!line) return -ENOMEM;
    char *at = line_text(line, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n");
    at = stamp(at, "#open", options->base_ns);
    return finish(out, line, line_text(at, fields));
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* "C" and 17 letters or digits, as Zeek's; the same for the same connection of the same capture. */
static char *put_uid(char *at, int64_t start_ns, uint32_t number, const struct address *const ends[LEDGER_SIDES])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t low = mix((uint64_t)start_ns ^ (uint64_t)number << 40), high = mix(low ^ number);
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        high = mix(high ^ ends[side]->port);
        for (size_t i = 0; i < sizeof(ends[side]->ip); i++) low = low * 257 + ends[side]->ip[i];
    }
    low = mix(low);
    *at++ = 'C';
    for (int i = 0; i < 9; i++, low /= 62) *at++ = digits[low % 62];
    for (int i = 0; i < 8; i++, high /= 62) *at++ = digits[high % 62];
    return at;
}

static inline char *tab_uint(char *at, bool known, uint64_t value)
{
    at = line_char(at, '\t');
    return known ? line_uint(at, value) : line_char(at, '-');
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    (void)options;
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    char *line = buf_room(out, ROW_BYTES);
    if (!line) return -ENOMEM;
    char *at = line_char(line_seconds(line, row->start_ns, 6), '\t');
    at = put_uid(at, row->start_ns, row->number, (const struct address *const[]){&client->address, &server->address});
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        at = line_ip(line_char(at, '\t'), &row->end[side].address);
        at = tab_uint(at, true, row->end[side].address.port);
    }
    at = line_text(at, "\ttcp\t-\t");
    int64_t took_ns;
    bool lasted = !__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns) && (took_ns -= row->trailing_ns) > 0;
    at = lasted ? line_seconds(at, took_ns, 6) : line_char(at, '-');
    at = tab_uint(at, lasted, client->bytes);
    at = tab_uint(at, lasted, server->bytes);
    at = line_text(line_char(at, '\t'), row->conn_state);
    at = line_text(at, "\t-\t-");
    at = tab_uint(at, true, client->missed_bytes + server->missed_bytes);
    at = line_text(line_char(at, '\t'), row->history[0] ? row->history : "-");
    at = tab_uint(at, true, client->segments);
    at = tab_uint(at, client->ip_bytes_known, client->ip_bytes);
    at = tab_uint(at, true, server->segments);
    at = tab_uint(at, server->ip_bytes_known, server->ip_bytes);
    return finish(out, line, line_text(at, "\t-\n"));
}

static int add_udp(struct buf *out, const struct rows_options *options, const struct datagrams_row *row)
{
    (void)options;
    bool turned;
    const char *history, *state = rows_udp_conn_state(row, &turned, &history);
    const struct datagrams_end *orig = &row->end[turned ? LEDGER_SERVER : LEDGER_CLIENT];
    const struct datagrams_end *resp = &row->end[turned ? LEDGER_CLIENT : LEDGER_SERVER];
    char *line = buf_room(out, ROW_BYTES);
    if (!line) return -ENOMEM;
    char *at = line_char(line_seconds(line, row->start_ns, 6), '\t');
    at = put_uid(at, row->start_ns, row->number, (const struct address *const[]){&orig->address, &resp->address});
    at = tab_uint(line_ip(line_char(at, '\t'), &orig->address), true, orig->address.port);
    at = tab_uint(line_ip(line_char(at, '\t'), &resp->address), true, resp->address.port);
    at = line_text(at, "\tudp\t-\t");
    int64_t took_ns;
    bool lasted = !__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns) && took_ns > 0;
    at = lasted ? line_seconds(at, took_ns, 6) : line_char(at, '-');
    at = tab_uint(at, lasted, orig->bytes);
    at = tab_uint(at, lasted, resp->bytes);
    at = line_text(line_char(at, '\t'), state);
    at = tab_uint(line_text(at, "\t-\t-"), true, 0);
    at = line_text(line_char(at, '\t'), history);
    at = tab_uint(tab_uint(at, true, orig->datagrams), true, orig->ip_bytes);
    at = tab_uint(tab_uint(at, true, resp->datagrams), true, resp->ip_bytes);
    return finish(out, line, line_text(at, "\t-\n"));
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)source;
    char *line = buf_room(out, STAMP_BYTES);
    if (!line) return -ENOMEM;
    return finish(out, line, stamp(line, "#close", totals->segments ? totals->last_ns : options->base_ns));
}

const struct rows_view rows_zeek = {"zeek", ".log", TR("Zeek's conn.log, tab-separated"), begin, add_row, add_udp, true, end};
