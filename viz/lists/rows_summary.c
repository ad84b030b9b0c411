/* The totals alone, a line a fact. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "viz/lists/rows.h"
#include "viz/pen/escape.h"
#include "viz/pen/line.h"

enum { VALUE_COLUMN = 24 };

static int begin(struct buf *out, const struct rows_options *options)
{
    (void)out, (void)options;
    return 0;
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    (void)out, (void)options, (void)row;
    return 0;
}

static int add_udp(struct buf *out, const struct rows_options *options, const struct datagrams_row *row)
{
    (void)out, (void)options, (void)row;
    return 0;
}

enum { NAME_BYTES = 64, FACT_BYTES = NAME_BYTES + VALUE_COLUMN + LINE_SCALED_BYTES + 16 + LINE_SLACK };

static char *begin_fact(char *line, const char *name)
{
    size_t columns = (size_t)escape_text_columns(name);
    return line_blanks(line_put(line, name, strlen(name)), columns < VALUE_COLUMN ? VALUE_COLUMN - columns : 1);
}

static void fact(struct buf *out, const char *name, uint64_t value, const char *unit)
{
    char line[FACT_BYTES];
    char *at = line_text(line_uint(begin_fact(line, name), value), unit);
    buf_append(out, line, (size_t)(line_char(at, '\n') - line));
}

static void time_fact(struct buf *out, const char *name, int64_t ns, bool ascii)
{
    char line[FACT_BYTES];
    const struct line_scaled scaled = line_duration(ns, ascii);
    buf_append(out, line, (size_t)(line_char(line_scaled(begin_fact(line, name), &scaled), '\n') - line));
}

static void put_outcomes(struct buf *out, const struct ledger_totals *totals)
{
    for (unsigned i = 0; i < LEDGER_OUTCOMES; i++) {
        if (!totals->by_outcome[i]) continue;
        char name[NAME_BYTES] = "  ";
        line_char(line_text(name + 2, ledger_outcome_name((enum ledger_outcome)i)), '\0');
        fact(out, name, totals->by_outcome[i], "");
    }
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    fact(out, "packets", source->packets, "");
    fact(out, tr("bytes on the wire"), source->wire_bytes, "");
    if (totals->segments) {
        int64_t span_ns;
        if (__builtin_sub_overflow(totals->last_ns, totals->first_ns, &span_ns)) span_ns = INT64_MAX;
        time_fact(out, tr("from first to last"), span_ns, options->ascii);
    }
    fact(out, tr("TCP segments"), totals->segments, "");
    fact(out, tr("TCP payload"), totals->bytes, tr(" bytes"));
    fact(out, tr("TCP connections"), totals->connections, "");
    put_outcomes(out, totals);
    if (totals->handshakes) {
        time_fact(out, tr("handshake, mean"), totals->handshake_sum_ns / (int64_t)totals->handshakes, options->ascii);
        time_fact(out, tr("handshake, shortest"), totals->handshake_least_ns, options->ascii);
    }
    fact(out, tr("open at once, most"), totals->open_most, "");
    fact(out, "retransmissions", totals->retransmissions, "");
    fact(out, tr("out of order"), totals->out_of_order, "");
    fact(out, tr("zero windows"), totals->zero_windows, "");
    fact(out, "keep-alives", totals->keep_alives, "");
    fact(out, tr("missed by the capture"), totals->missed_bytes, tr(" bytes"));
    const struct {
        const char *name;
        uint64_t value;
    } oddities[] = {
        {tr("given up as idle"), totals->idle},
        {tr("given up for room"), totals->crowded},
        {tr("UDP flows"), source->udp_flows},
        {tr("UDP datagrams"), source->udp_datagrams},
        {tr("UDP flows, given up for room"), source->udp_crowded},
        {tr("ICMP errors"), source->icmp_errors},
        {tr("packets not TCP"), source->results[SEGMENT_OTHER]},
        {tr("IP fragments"), source->results[SEGMENT_FRAGMENT]},
        {tr("  datagrams put together"), source->put_together},
        {tr("  datagrams given up"), source->given_up},
        {tr("cut in the headers"), source->results[SEGMENT_CUT]},
        {tr("malformed"), source->results[SEGMENT_MALFORMED]},
        {tr("of unknown links"), source->results[SEGMENT_LINK]},
        {tr("encrypted"), source->results[SEGMENT_ENCRYPTED]},
        {tr("damages of the file"), source->damages},
        {tr("dropped by the capture"), source->dropped},
        {tr("packets with comments"), source->commented},
        {tr("journal entries, unread"), source->journal},
        {tr("name blocks, unread"), source->names},
        {tr("secrets, unread"), source->secrets},
        {tr("custom blocks, unread"), source->custom},
        {tr("unknown blocks, unread"), source->unknown_blocks},
    };
    for (size_t i = 0; i < sizeof(oddities) / sizeof(oddities[0]); i++)
        if (oddities[i].value) fact(out, oddities[i].name, oddities[i].value, "");
    if (source->unread_count) buf_text(out, tr("not looked into\n"));
    for (size_t i = 0; i < source->unread_count; i++) {
        char name[NAME_BYTES] = "  ";
        char kind[SEGMENT_CONTENT_BYTES];
        snprintf(name + 2, sizeof(name) - 2, "%s", tr(segment_content_name(source->unread[i].content, kind)));
        fact(out, name, source->unread[i].count, "");
    }
    for (size_t i = 0; i < source->comment_count; i++) {
        char line[FACT_BYTES];
        buf_append(out, line, (size_t)(begin_fact(line, tr("comment")) - line));
        escape_text(out, source->comments[i], options->ascii);
        buf_char(out, '\n');
    }
    return out->failed ? -ENOMEM : 0;
}

const struct rows_view rows_summary = {"summary", NULL, TR("the totals alone"), begin, add_row, add_udp, false, end};
