/* Zeek's conn.log in its tab-separated form, as zeek-cut and the tools around it read it. Fields are those of Conn::Info in Zeek's
 * documentation (base/protocols/conn/main.zeek). What Zeek learns elsewhere (service, local networks) is unset: "-". */
#include <time.h>

#include "viz/line.h"
#include "viz/rows.h"

static const char fields[] =
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\t"
    "local_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\t"
    "count\tcount\tcount\tset[string]\n";

/* Zeek says when it wrote the log; here it is when the capture began and ended, so that one capture makes one log. */
static void stamp(struct line *line, const char *name, int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm parts;
    char text[64];
    line_text(line, name);
    line_char(line, '\t');
    if (gmtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%d-%H-%M-%S", &parts))
        line_text(line, text);
    else
        line_char(line, '-');
    line_char(line, '\n');
}

static int begin(struct buf *out, const struct rows_options *options)
{
    struct line line;
    line_clear(&line);
    line_text(&line, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n");
    stamp(&line, "#open", options->base_ns);
    line_text(&line, fields);
    return buf_append(out, line.text, line.length);
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* "C" and 17 letters or digits, as Zeek's; the same for the same connection of the same capture. */
static void put_uid(struct line *line, const struct ledger_row *row)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t low = mix((uint64_t)row->start_ns ^ (uint64_t)row->number << 40), high = mix(low ^ row->number);
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        high = mix(high ^ row->end[side].address.port);
        for (size_t i = 0; i < sizeof(row->end[side].address.ip); i++) low = low * 257 + row->end[side].address.ip[i];
    }
    low = mix(low);
    line_char(line, 'C');
    for (int i = 0; i < 17; i++) {
        uint64_t *from = i < 9 ? &low : &high;
        line_char(line, digits[*from % 62]);
        *from /= 62;
    }
}

static void tab_uint(struct line *line, bool known, uint64_t value)
{
    line_char(line, '\t');
    if (known)
        line_uint(line, value);
    else
        line_char(line, '-');
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    (void)options;
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    struct line line;
    line_clear(&line);
    line_seconds(&line, row->start_ns, 6);
    line_char(&line, '\t');
    put_uid(&line, row);
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        line_char(&line, '\t');
        line_ip(&line, &row->end[side].address);
        tab_uint(&line, true, row->end[side].address.port);
    }
    line_text(&line, "\ttcp\t-\t");
    int64_t took_ns;
    bool lasted = !__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns) && (took_ns -= row->trailing_ns) > 0;
    if (lasted)
        line_seconds(&line, took_ns, 6);
    else
        line_char(&line, '-');
    tab_uint(&line, lasted, client->bytes);
    tab_uint(&line, lasted, server->bytes);
    line_char(&line, '\t');
    line_text(&line, row->conn_state);
    line_text(&line, "\t-\t-");
    tab_uint(&line, true, client->missed_bytes + server->missed_bytes);
    line_char(&line, '\t');
    line_text(&line, row->history[0] ? row->history : "-");
    tab_uint(&line, true, client->segments);
    tab_uint(&line, client->ip_bytes_known, client->ip_bytes);
    tab_uint(&line, true, server->segments);
    tab_uint(&line, server->ip_bytes_known, server->ip_bytes);
    line_text(&line, "\t-\n");
    return buf_append(out, line.text, line.length);
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)source;
    struct line line;
    line_clear(&line);
    stamp(&line, "#close", totals->segments ? totals->last_ns : options->base_ns);
    return buf_append(out, line.text, line.length);
}

const struct rows_view rows_zeek = {"zeek", ".log", "Zeek's conn.log, tab-separated", begin, add_row, end};
