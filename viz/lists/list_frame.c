#include "viz/lists/list_frame.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/pen/layout.h"
#include "viz/plan/words.h"

enum {
    ID_COLUMN = 2,
    COUNT_COLUMN = 30,
    TEXT_COLUMN = 37,
    NARROW_COLUMN = 4,
    WIDE_LEAST = 100,
    NARROW_LEAST = 80,
    CELL_BYTES = 96
};

/* Words from `x` on, in as many lines as the width takes; without a width in one. `row` may hold something left of it already. */
static void put_lines(struct buf *out, const struct list_style *style, struct layout_row *row, int x, struct layout_text *text)
{
    size_t cursor = 0, from, to;
    while (layout_wrap(text, style->width - x, &cursor, &from, &to)) {
        layout_put(row, x, text, from, to);
        layout_emit(row, style->color, out);
        layout_row_clear(row, style->width, style->ascii);
    }
}

static void put_number(char text[CELL_BYTES], const struct rows_finding *finding)
{
    snprintf(text, CELL_BYTES, "%s%" PRIu32 ": ", finding->first_udp ? tr("flow u") : tr("connection "), finding->first);
}

static const char *severity_name(enum rows_severity severity)
{
    return severity == ROWS_ERROR ? tr("error") : severity == ROWS_WARNING ? tr("warning") : tr("note");
}

/* On a terminal: two columns where there is room, else the sentence below its id. */
static void put_finding(struct buf *out, const struct list_style *style, const char *id, const struct rows_finding *finding)
{
    struct layout_row row;
    struct layout_text text = layout_text_new(style->ascii);
    const bool wide = style->width >= WIDE_LEAST;
    char count[CELL_BYTES], number[CELL_BYTES];
    layout_row_clear(&row, style->width, style->ascii);
    layout_add(&text, finding->worst == ROWS_ERROR ? STYLE_ALARM : STYLE_BOLD, id);
    layout_put(&row, ID_COLUMN, &text, 0, text.count);
    layout_text_clear(&text);
    snprintf(count, sizeof(count), "%6" PRIu32, finding->connections);
    layout_put_string(&row, COUNT_COLUMN, STYLE_PLAIN, count);
    layout_put_string(&row, TEXT_COLUMN, STYLE_DIM, severity_name(finding->worst));
    if (!wide) {
        layout_emit(&row, style->color, out);
        layout_row_clear(&row, style->width, style->ascii);
    }
    put_number(number, finding);
    layout_add(&text, STYLE_DIM, number);
    layout_add(&text, STYLE_PLAIN, finding->text ? finding->text : "");
    put_lines(out, style, &row, wide ? TEXT_COLUMN + 8 : NARROW_COLUMN, &text);
    layout_text_free(&text);
}

/* Text in so many columns. */
static void put_padded(struct buf *out, const char *text, int columns)
{
    int pad = columns - escape_text_columns(text);
    buf_printf(out, "%s%*s", text, pad > 0 ? pad : 0, "");
}

static void put_plainly(struct buf *out, const struct list_style *style, const char *id, const struct rows_finding *finding)
{
    char number[CELL_BYTES];
    put_number(number, finding);
    buf_printf(out, "  %s%-27s%s %6" PRIu32 " ", list_red(style->color && finding->worst == ROWS_ERROR), id,
               list_plain(style->color && finding->worst == ROWS_ERROR), finding->connections);
    put_padded(out, severity_name(finding->worst), 7);
    buf_printf(out, " %s", number);
    escape_text(out, finding->text ? finding->text : "", style->ascii);
    buf_char(out, '\n');
}

int list_findings(struct buf *out, const struct list_style *style, const struct rows_findings *findings, uint64_t total)
{
    size_t count = 0;
    const char *const *ids = story_finding_ids(&count);
    char of[CELL_BYTES] = "";
    if (!findings || !findings->connections) return 0;
    if (total) snprintf(of, sizeof(of), tr(" of %" PRIu64), total);
    buf_printf(
        out,
        ntr("Findings in %" PRIu32 "%s connection", "Findings in %" PRIu32 "%s connections", total ? total : findings->connections),
        findings->connections, of);
    buf_text(out, style->width && style->width < NARROW_LEAST ? "\n" : tr("; tcpwhy explain ID says more of each\n"));
    for (int severity = ROWS_ERROR; severity > ROWS_NOTHING; severity--)
        for (size_t i = 0; i < count && i < ROWS_FINDINGS_MAX; i++) {
            const struct rows_finding *finding = &findings->of[i];
            if (!finding->connections || finding->worst != (enum rows_severity)severity) continue;
            if (style->width)
                put_finding(out, style, ids[i], finding);
            else
                put_plainly(out, style, ids[i], finding);
        }
    buf_char(out, '\n');
    return out->failed ? -ENOMEM : 0;
}

static void put_value(char text[CELL_BYTES], int64_t value, bool is_time, bool ascii)
{
    char words[WORDS_BYTES];
    if (!is_time) {
        static const char units[] = "\0KMGTPE";
        double scaled = (double)value;
        size_t power = 0;
        for (; scaled >= 999.5 && power + 2 < sizeof(units); power++) scaled /= 1000;
        snprintf(text, CELL_BYTES, "%.*f%c", !power || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2, scaled, units[power]);
        return;
    }
    if (value >= 60000000000) {
        snprintf(text, CELL_BYTES, "%" PRId64 "s", value / 1000000000);
        return;
    }
    words_duration(value, words);
    char *blank = strstr(words, "\u00a0"), *micro = ascii ? strstr(words, "µ") : NULL;
    if (micro) {
        *micro = 'u';
        memmove(micro + 1, micro + 2, strlen(micro + 1));
        blank = strstr(words, "\u00a0");
    }
    if (blank) memmove(blank, blank + 2, strlen(blank) - 1);
    snprintf(text, CELL_BYTES, "%s", words);
}

int list_spreads(struct buf *out, const struct list_style *style, const struct list_spread *rows, size_t count)
{
    static const struct {
        const char *title;
        unsigned percent;
        bool narrow; /* there is room for it on any terminal */
    } columns[] = {{"p50", 50, true}, {"p90", 90, false}, {"p99", 99, false}, {"most", 100, true}};
    const bool narrow = style->width && style->width < NARROW_LEAST;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct quantiles *spread = rows[i].spread;
        if (spread->count < LIST_SPREAD_LEAST) continue;
        if (!any) buf_char(out, '\n'), put_padded(out, tr("of all of them"), 21);
        for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]) && !any; k++)
            if (columns[k].narrow || !narrow) buf_printf(out, "%9s", columns[k].title);
        if (!any) buf_text(out, narrow ? "\n" : tr("    count\n"));
        any = true;
        put_padded(out, rows[i].name, 21);
        for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
            char value[CELL_BYTES];
            if (narrow && !columns[k].narrow) continue;
            put_value(value, quantiles_percentile(spread, columns[k].percent), rows[i].is_time, style->ascii);
            buf_printf(out, "%*s%s", 9 - (int)strlen(value) + (strstr(value, "µ") ? 1 : 0), "", value);
        }
        if (!narrow) buf_printf(out, "%9" PRIu64, spread->count);
        buf_char(out, '\n');
    }
    return out->failed ? -ENOMEM : 0;
}

/* Largest first; what took less than a thousandth is not worth a line, but for the sum. */
int list_times(struct buf *out, const struct list_style *style, const struct rows_findings *findings)
{
    bool told[SPENTS] = {false};
    if (!findings || findings->total_ns <= 0) return 0;
    char value[CELL_BYTES];
    put_value(value, findings->total_ns, true, style->ascii);
    buf_char(out, '\n');
    put_padded(out, tr("where the time of all of them went"), 38);
    buf_printf(out, "%*s%s\n", 9 - (int)strlen(value) + (strstr(value, "µ") ? 1 : 0), "", value);
    for (;;) {
        int next = -1;
        for (int i = 0; i < SPENTS; i++)
            if (!told[i] && (next < 0 || findings->spent_ns[i] > findings->spent_ns[next])) next = i;
        if (next < 0 || findings->spent_ns[next] <= findings->total_ns / 1000) break;
        told[next] = true;
        put_value(value, findings->spent_ns[next], true, style->ascii);
        buf_text(out, "  ");
        put_padded(out, story_spent_words((enum story_spent)next), 36);
        buf_printf(out, "%*s%s %5.1f%%\n", 9 - (int)strlen(value) + (strstr(value, "µ") ? 1 : 0), "", value,
                   100.0 * (double)findings->spent_ns[next] / (double)findings->total_ns);
    }
    return out->failed ? -ENOMEM : 0;
}

int list_end(struct buf *out, const struct rows_options *options, const struct list_style *style)
{
    const struct quantiles *spreads = options->spreads;
    static const struct quantiles none;
    if (!spreads || spreads[ROWS_SPREAD_TOOK].count < LIST_SPREAD_LEAST) return 0;
    int code = list_times(out, style, options->findings);
    if (code) return code;
    const struct quantiles *first_byte = options->findings ? options->findings->first_byte : NULL;
    const struct list_spread rows[] = {{tr("handshake"), &spreads[ROWS_SPREAD_CONNECT], true},
                                       {tr("first byte"), first_byte ? first_byte : &none, true},
                                       {tr("took"), &spreads[ROWS_SPREAD_TOOK], true},
                                       {tr("bytes of the client"), &spreads[ROWS_SPREAD_SENT], false},
                                       {tr("bytes of the server"), &spreads[ROWS_SPREAD_RECEIVED], false}};
    return list_spreads(out, style, rows, sizeof(rows) / sizeof(rows[0]));
}

const char *list_red(bool color)
{
    return color ? "\033[1;31m" : "";
}

const char *list_plain(bool color)
{
    return color ? "\033[0m" : "";
}
