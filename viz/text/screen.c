/* The list as a terminal shows it: a line a connection that never wraps. The columns that fit the width are there, in the order of
 * the list; an address that is longer than its column keeps its two ends. In a pipe the list (list.c) has all of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "viz/lists/columns.h"
#include "viz/lists/list_frame.h"
#include "viz/lists/rows.h"
#include "viz/pen/escape.h"
#include "viz/pen/layout.h"
#include "viz/plan/words.h"

enum { COLUMNS = COLUMN_NOTES + 1 };

enum { CELL_BYTES = 1024, NUMBER_LEAST = 4, ADDRESS_LEAST = 12, ADDRESS_USUAL = 21, ADDRESS_MOST = 47 };
enum { NOTES_LEAST = 10, NOTES_USUAL = 18, NOTES_VERBOSE = 40, NOTES_WIDE = 40 };

static const struct {
    const char *title;
    int width;
    int turn; /* who comes first when there is room: 0 is always there; notes get the rest */
    bool right;
} columns[COLUMNS] = {
    [COLUMN_NUMBER] = {"#", 5, 0, true},
    [COLUMN_START] = {TR("start"), 10, 1, true},
    [COLUMN_TOOK] = {TR("took"), 7, 4, true},
    [COLUMN_CLIENT] = {TR("client"), ADDRESS_USUAL, 0, false},
    [COLUMN_SERVER] = {TR("server"), ADDRESS_USUAL, 0, false},
    [COLUMN_OUTCOME] = {TR("outcome"), 9, 0, false},
    [COLUMN_STATES] = {TR("last states"), 23, 3, false},
    [COLUMN_RTT] = {TR("rtt"), 7, 5, true},
    [COLUMN_CLOSED] = {TR("closed by"), 9, 7, false},
    [COLUMN_SEGMENTS] = {TR("segs"), 5, 6, true},
    [COLUMN_SENT] = {TR("sent"), 6, 8, true},
    [COLUMN_RECEIVED] = {TR("recvd"), 6, 8, true},
    [COLUMN_AGAIN] = {TR("again"), 5, 2, true},
    [COLUMN_NOTES] = {TR("notes"), 0, 0, false},
};
enum { TURNS = 8, BARE_COLUMNS = 5 + 1 + 2 * (ADDRESS_USUAL + 1) + 9 /* what is always there, without the notes */ };

/* Which columns there are, and how wide; 0: left out. */
struct sizes {
    int width[COLUMNS], all;
};

static int sum_of(const struct sizes *sizes)
{
    int sum = -1;
    for (int i = 0; i < COLUMNS; i++) sum += sizes->width[i] ? sizes->width[i] + 1 : 0;
    return sum;
}

static struct sizes sizes_for(const struct rows_options *options)
{
    struct sizes sizes = {.all = options->width > LAYOUT_WIDTH_MAX ? LAYOUT_WIDTH_MAX : options->width};
    int wish = options->verbose ? NOTES_VERBOSE : NOTES_USUAL, room_for_notes = sizes.all - BARE_COLUMNS - 1;
    int notes_least = room_for_notes < NOTES_LEAST ? NOTES_LEAST : room_for_notes < wish ? room_for_notes : wish;
    for (int turn = 0; turn <= TURNS; turn++) {
        struct sizes wider = sizes;
        for (int i = 0; i < COLUMNS; i++)
            if (columns[i].turn == turn) wider.width[i] = i == COLUMN_NOTES ? notes_least : columns[i].width;
        if (turn == 0 || sum_of(&wider) <= sizes.all) sizes = wider;
    }
    int room = sizes.all - sum_of(&sizes);
    if (room < 0) { /* a narrow terminal goes without notes, then with shorter addresses */
        sizes.width[COLUMN_NOTES] = 0;
        if (sum_of(&sizes) > sizes.all) sizes.width[COLUMN_NUMBER] = NUMBER_LEAST;
        int *client = &sizes.width[COLUMN_CLIENT], *server = &sizes.width[COLUMN_SERVER];
        while (sum_of(&sizes) > sizes.all && *server > ADDRESS_LEAST) --*(*client < *server ? server : client);
        return sizes;
    }
    int notes = sizes.width[COLUMN_NOTES] + room, spare = notes - NOTES_WIDE;
    int more = spare / 2 > ADDRESS_MOST - ADDRESS_USUAL ? ADDRESS_MOST - ADDRESS_USUAL : spare / 2;
    if (more < 0) more = 0;
    sizes.width[COLUMN_CLIENT] += more;
    sizes.width[COLUMN_SERVER] += more;
    sizes.width[COLUMN_NOTES] = notes - 2 * more;
    return sizes;
}

/* What doesn't fit is left out where `ends` says: in the middle (of what is ASCII), or behind. */
static void fit(char cell[CELL_BYTES], int width, bool ends, bool ascii)
{
    const char *mark = ascii ? "~" : "…";
    if (escape_text_columns(cell) <= width) return;
    char cut[CELL_BYTES];
    size_t length = strlen(cell), room = (size_t)width - 1, head = 0, tail = ends ? room - room / 2 : 0;
    for (int used = 0; head < length;) {
        uint32_t code;
        size_t taken = escape_decode(cell + head, length - head, &code);
        used += escape_columns(code);
        if (used > (int)(room - tail)) break;
        head += taken;
    }
    snprintf(cut, sizeof(cut), "%.*s%s%s", (int)head, cell, mark, cell + length - tail);
    memcpy(cell, cut, sizeof(cut));
}

/* `alarm`: the outcome in red. */
static int draw(struct buf *out, const struct rows_options *options, char cells[COLUMNS][CELL_BYTES], bool alarm)
{
    const struct sizes sizes = sizes_for(options);
    struct layout_row row;
    layout_row_clear(&row, sizes.all, options->ascii);
    int x = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if (!sizes.width[i]) continue;
        fit(cells[i], sizes.width[i], i == COLUMN_CLIENT || i == COLUMN_SERVER, options->ascii);
        struct layout_text text = layout_text_new(options->ascii);
        layout_add(&text, alarm && i == COLUMN_OUTCOME ? STYLE_ALARM : STYLE_PLAIN, cells[i]);
        int wide = layout_columns(&text, 0, text.count);
        layout_put(&row, x + (columns[i].right && wide < sizes.width[i] ? sizes.width[i] - wide : 0), &text, 0, text.count);
        layout_text_free(&text);
        x += sizes.width[i] + 1;
    }
    layout_emit(&row, options->color, out);
    return out->failed ? -ENOMEM : 0;
}

static struct list_style style_of(const struct rows_options *options)
{
    int width = options->width > LAYOUT_WIDTH_MAX ? LAYOUT_WIDTH_MAX : options->width;
    return (struct list_style){.width = width, .ascii = options->ascii, .color = options->color};
}

static int begin(struct buf *out, const struct rows_options *options)
{
    char cells[COLUMNS][CELL_BYTES];
    const struct list_style style = style_of(options);
    int code = list_findings(out, &style, options->findings, 0);
    if (code) return code;
    for (int i = 0; i < COLUMNS; i++) snprintf(cells[i], CELL_BYTES, "%s", tr(columns[i].title));
    if (options->verbose) snprintf(cells[COLUMN_NOTES], CELL_BYTES, "%s", tr("zeek history  notes"));
    return draw(out, options, cells, false);
}

/* Without the blank between number and unit; in seconds alone where it is long. */
static void put_duration(char cell[CELL_BYTES], int64_t ns)
{
    char words[WORDS_BYTES];
    if (ns >= 60000000000) {
        snprintf(cell, CELL_BYTES, "%" PRId64 "s", ns / 1000000000);
        return;
    }
    words_duration(ns, words);
    char *blank = strstr(words, "\u00a0");
    if (blank) memmove(blank, blank + 2, strlen(blank) - 1);
    snprintf(cell, CELL_BYTES, "%s", words);
}

static void put_amount(char cell[CELL_BYTES], uint64_t value)
{
    static const char units[] = "\0KMGTPE";
    double scaled = (double)value;
    size_t power = 0;
    while (scaled >= 999.5 && power + 2 < sizeof(units)) {
        scaled /= 1000;
        power++;
    }
    int decimals = !power || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
    snprintf(cell, CELL_BYTES, "%.*f%c", decimals, scaled, units[power]);
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    char cells[COLUMNS][CELL_BYTES], notes[ROWS_MARKS_BYTES], address[ADDRESS_TEXT_BYTES];
    int64_t since_ns, took_ns;
    if (__builtin_sub_overflow(row->start_ns, options->base_ns, &since_ns)) since_ns = 0;
    if (__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns)) took_ns = INT64_MAX;
    snprintf(cells[COLUMN_NUMBER], CELL_BYTES, "%" PRIu32, row->number);
    snprintf(cells[COLUMN_START], CELL_BYTES, "%.3f", (double)since_ns / 1e9);
    put_duration(cells[COLUMN_TOOK], took_ns);
    snprintf(cells[COLUMN_CLIENT], CELL_BYTES, "%s", address_format(&client->address, address));
    snprintf(cells[COLUMN_SERVER], CELL_BYTES, "%s", address_format(&server->address, address));
    snprintf(cells[COLUMN_OUTCOME], CELL_BYTES, "%s", options->outcome ? options->outcome : ledger_outcome_name(row->outcome));
    snprintf(cells[COLUMN_STATES], CELL_BYTES, "%s/%s", tcp_state_name(client->state), tcp_state_name(server->state));
    if (row->handshake_ns < 0)
        strcpy(cells[COLUMN_RTT], "-");
    else
        put_duration(cells[COLUMN_RTT], row->handshake_ns);
    strcpy(cells[COLUMN_CLOSED], row->closed_first_by < 0 ? "-" : row->closed_first_by == LEDGER_CLIENT ? "client" : "server");
    snprintf(cells[COLUMN_SEGMENTS], CELL_BYTES, "%" PRIu64, (uint64_t)client->segments + server->segments);
    put_amount(cells[COLUMN_SENT], client->bytes);
    put_amount(cells[COLUMN_RECEIVED], server->bytes);
    snprintf(cells[COLUMN_AGAIN], CELL_BYTES, "%" PRIu64, (uint64_t)client->retransmissions + server->retransmissions);
    rows_marks(options, row, notes);
    if (options->verbose)
        snprintf(cells[COLUMN_NOTES], CELL_BYTES, "%s %s%s  %s", row->conn_state, row->history, row->history_cut ? "+" : "", notes);
    else
        snprintf(cells[COLUMN_NOTES], CELL_BYTES, "%s", notes);
    return draw(out, options, cells, row->outcome == LEDGER_RESET || row->outcome == LEDGER_REFUSED);
}

static int add_udp(struct buf *out, const struct rows_options *options, const struct datagrams_row *row)
{
    const struct datagrams_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    char cells[COLUMNS][CELL_BYTES], notes[ROWS_MARKS_BYTES], address[ADDRESS_TEXT_BYTES];
    int64_t since_ns, took_ns;
    if (__builtin_sub_overflow(row->start_ns, options->base_ns, &since_ns)) since_ns = 0;
    if (__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns)) took_ns = INT64_MAX;
    for (int i = 0; i < COLUMNS; i++) strcpy(cells[i], "-");
    snprintf(cells[COLUMN_NUMBER], CELL_BYTES, "u%" PRIu32, row->number);
    snprintf(cells[COLUMN_START], CELL_BYTES, "%.3f", (double)since_ns / 1e9);
    put_duration(cells[COLUMN_TOOK], took_ns);
    snprintf(cells[COLUMN_CLIENT], CELL_BYTES, "%s", address_format(&client->address, address));
    snprintf(cells[COLUMN_SERVER], CELL_BYTES, "%s", address_format(&server->address, address));
    strcpy(cells[COLUMN_OUTCOME], "UDP");
    snprintf(cells[COLUMN_SEGMENTS], CELL_BYTES, "%" PRIu64, client->datagrams + server->datagrams);
    put_amount(cells[COLUMN_SENT], client->bytes);
    put_amount(cells[COLUMN_RECEIVED], server->bytes);
    bool turned;
    const char *history, *state = rows_udp_conn_state(row, &turned, &history);
    rows_udp_marks(options, row, notes);
    if (options->verbose)
        snprintf(cells[COLUMN_NOTES], CELL_BYTES, "%s %s  %s", state, history, notes);
    else
        snprintf(cells[COLUMN_NOTES], CELL_BYTES, "%s", notes);
    return draw(out, options, cells, false);
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)totals, (void)source;
    const struct list_style style = style_of(options);
    return list_end(out, options, &style);
}

const struct rows_view rows_screen = {"list", NULL, TR("the list, as wide as the terminal"), begin, add_row, add_udp, false, end};
