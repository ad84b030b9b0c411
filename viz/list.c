/* The list: an aligned line a connection. */
#include "viz/clock_words.h"
#include "viz/line.h"
#include "viz/rows.h"

/* Columns as a table: where each ends (numbers) or the next begins (text), so that heading and rows can't differ. */
enum column {
    COLUMN_NUMBER,
    COLUMN_START,
    COLUMN_TOOK,
    COLUMN_CLIENT,
    COLUMN_SERVER,
    COLUMN_OUTCOME,
    COLUMN_STATES,
    COLUMN_RTT,
    COLUMN_CLOSED,
    COLUMN_SEGMENTS,
    COLUMN_SENT,
    COLUMN_RECEIVED,
    COLUMN_AGAIN,
    COLUMNS
};
static const struct {
    const char *title;
    size_t width;
    bool right;
} columns[COLUMNS] = {
    [COLUMN_NUMBER] = {"#", 6, true},
    [COLUMN_START] = {"start", 11, true},
    [COLUMN_TOOK] = {"took", 7, true},
    [COLUMN_CLIENT] = {"client", 21, false},
    [COLUMN_SERVER] = {"server", 21, false},
    [COLUMN_OUTCOME] = {"outcome", 9, false},
    [COLUMN_STATES] = {"last states", 23, false},
    [COLUMN_RTT] = {"rtt", 7, true},
    [COLUMN_CLOSED] = {"closed by", 9, false},
    [COLUMN_SEGMENTS] = {"segs", 5, true},
    [COLUMN_SENT] = {"sent", 6, true},
    [COLUMN_RECEIVED] = {"recvd", 6, true},
    [COLUMN_AGAIN] = {"again", 5, true},
};

struct cell {
    size_t from, column;
};

static struct cell open_cell(struct line *line, size_t *column)
{
    if (line->length) line_pad(line, *column + 1, true);
    return (struct cell){line->length, line->columns};
}

/* The columns of addresses widen when a longer one comes (IPv6), so that what follows is aligned again. */
static size_t width_of(const struct rows_options *options, enum column which)
{
    size_t width = columns[which].width;
    bool is_address = which == COLUMN_CLIENT || which == COLUMN_SERVER;
    return is_address && options->address_columns && *options->address_columns > width ? *options->address_columns : width;
}

static void widen(const struct rows_options *options, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    if (address->version != 6 || !options->address_columns) return; /* every other fits */
    size_t length = strlen(address_format(address, text));
    if (length > *options->address_columns) *options->address_columns = length;
}

/* Right-aligned cells end where the table says, or where their text ends when that is longer. */
static void close_cell(struct line *line, const struct rows_options *options, struct cell cell, enum column which, size_t *column)
{
    *column = (*column ? *column + 1 : 0) + width_of(options, which);
    if (columns[which].right) line_align_right(line, cell.from, *column);
}

static int finish(struct buf *out, struct line *line)
{
    while (line->length && line->text[line->length - 1] == ' ') line->length--;
    line_char(line, '\n');
    return line->failed ? buf_char(out, '\n') : buf_append(out, line->text, line->length);
}

static int begin(struct buf *out, const struct rows_options *options)
{
    for (size_t i = 0; i < options->clock_count; i++) {
        int code = clock_sentence(out, &options->clocks[i], 0, false, options->ascii);
        if (code) return code;
    }
    struct line line;
    line_clear(&line);
    size_t column = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        struct cell cell = open_cell(&line, &column);
        line_text(&line, columns[i].title);
        close_cell(&line, options, cell, (enum column)i, &column);
    }
    line_pad(&line, column + 1, true);
    line_text(&line, options->verbose ? "zeek history  notes" : "notes");
    return finish(out, &line);
}

static void put(struct line *line, const struct rows_options *options, const struct ledger_row *row, enum column which)
{
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    switch (which) {
    case COLUMN_NUMBER:
        return line_uint(line, row->number);
    case COLUMN_START: {
        int64_t since_ns;
        if (__builtin_sub_overflow(row->start_ns, options->base_ns, &since_ns)) since_ns = 0;
        return line_seconds(line, since_ns, 6);
    }
    case COLUMN_TOOK: {
        int64_t took_ns;
        if (__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns)) took_ns = INT64_MAX;
        return line_duration(line, took_ns, options->ascii);
    }
    case COLUMN_CLIENT:
        return line_address(line, &client->address);
    case COLUMN_SERVER:
        return line_address(line, &server->address);
    case COLUMN_OUTCOME:
        return line_text(line, ledger_outcome_name(row->outcome));
    case COLUMN_STATES:
        line_text(line, tcp_state_name(client->state));
        line_char(line, '/');
        return line_text(line, tcp_state_name(server->state));
    case COLUMN_RTT:
        return row->handshake_ns < 0 ? line_char(line, '-') : line_duration(line, row->handshake_ns, options->ascii);
    case COLUMN_CLOSED:
        return line_text(line, row->closed_first_by < 0 ? "-" : row->closed_first_by == LEDGER_CLIENT ? "client" : "server");
    case COLUMN_SEGMENTS:
        return line_uint(line, (uint64_t)client->segments + server->segments);
    case COLUMN_SENT:
        return line_amount(line, client->bytes);
    case COLUMN_RECEIVED:
        return line_amount(line, server->bytes);
    case COLUMN_AGAIN:
        return line_uint(line, (uint64_t)client->retransmissions + server->retransmissions);
    case COLUMNS:
        return;
    }
}

/* What two captures say of the way between them: "there" is from the client to the server. */
static void add_path(struct line *line, const struct rows_options *options, const struct ledger_row *row, bool follows)
{
    int client = 0;
    const struct rows_path *path = rows_path(options, row, &client);
    if (!path) return;
    static const char *const ways[] = {" there", " back"};
    const char *between = follows ? ", delay " : "delay ";
    for (int way = 0; way < 2; way++) {
        int64_t delay_ns = path->delay_ns[way ? !client : client];
        if (delay_ns < 0) continue;
        line_text(line, between);
        line_duration(line, delay_ns, options->ascii);
        line_text(line, ways[way]);
        between = " ";
        follows = true;
    }
    between = follows ? ", lost " : "lost ";
    for (int way = 0; way < 2; way++) {
        uint32_t lost = path->lost[way ? !client : client];
        if (!lost) continue;
        line_text(line, between);
        line_uint(line, lost);
        line_text(line, ways[way]);
        between = " ";
    }
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    struct line line;
    line_clear(&line);
    size_t column = 0;
    widen(options, &row->end[LEDGER_CLIENT].address);
    widen(options, &row->end[LEDGER_SERVER].address);
    for (size_t i = 0; i < COLUMNS; i++) {
        struct cell cell = open_cell(&line, &column);
        put(&line, options, row, (enum column)i);
        close_cell(&line, options, cell, (enum column)i, &column);
    }
    char notes[ROWS_NOTES_BYTES];
    line_pad(&line, column + 1, true);
    if (options->verbose) {
        line_text(&line, row->conn_state);
        line_char(&line, ' ');
        line_text(&line, row->history);
        line_text(&line, row->history_cut ? "+  " : "  "); /* there was more */
    }
    line_text(&line, rows_notes(row, notes));
    if (options->paths) add_path(&line, options, row, notes[0] != '\0');
    return finish(out, &line);
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)out, (void)options, (void)totals, (void)source;
    return 0;
}

const struct rows_view rows_list = {"list", NULL, "an aligned line a connection", begin, add_row, end};
