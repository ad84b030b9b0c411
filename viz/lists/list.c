/* The list: an aligned line a connection. */
#include <errno.h>

#include "base/lang.h"
#include "viz/lists/columns.h"
#include "viz/lists/list_frame.h"
#include "viz/lists/rows.h"
#include "viz/pen/escape.h"
#include "viz/pen/line.h"
#include "viz/plan/clock_words.h"

/* Columns as a table: where each ends (numbers) or the next begins (text), so that heading and rows can't differ. */
enum { COLUMNS = COLUMN_NOTES };
static const struct {
    const char *title;
    size_t width;
    bool right;
} columns[COLUMNS] = {
    [COLUMN_NUMBER] = {"#", 6, true},
    [COLUMN_START] = {TR("start"), 11, true},
    [COLUMN_TOOK] = {TR("took"), 7, true},
    [COLUMN_CLIENT] = {TR("client"), 21, false},
    [COLUMN_SERVER] = {TR("server"), 21, false},
    [COLUMN_OUTCOME] = {TR("outcome"), 9, false},
    [COLUMN_STATES] = {TR("last states"), 23, false},
    [COLUMN_RTT] = {TR("rtt"), 7, true},
    [COLUMN_CLOSED] = {TR("closed by"), 9, false},
    [COLUMN_SEGMENTS] = {TR("segs"), 5, true},
    [COLUMN_SENT] = {TR("sent"), 6, true},
    [COLUMN_RECEIVED] = {TR("recvd"), 6, true},
    [COLUMN_AGAIN] = {TR("again"), 5, true},
};

enum { WORDS_BYTES = 128, PATH_BYTES = 2 * (LINE_SCALED_BYTES + LINE_UINT_BYTES) + 48, COLOR_BYTES = 16, ROW_BYTES = 2048 };
_Static_assert(3 * LINE_UINT_BYTES + LINE_SECONDS_BYTES + 4 * LINE_SCALED_BYTES + 2 * LINE_ADDRESS_BYTES + WORDS_BYTES + 144 +
                       2 * LINE_ADDRESS_BYTES + ROWS_MARKS_BYTES + COLOR_BYTES + PATH_BYTES + LEDGER_HISTORY_BYTES + LINE_SLACK <=
                   ROW_BYTES,
               "the largest row fits: its numbers, its words, the blanks of all columns, its notes");

/* Where writing stands. */
struct pen {
    char *at;
    size_t column, edge; /* of `at`; where the table ends the last cell */
    size_t address; /* how wide the columns of addresses are: they widen when a longer one comes, so that what follows is aligned */
};

/* The columns of addresses are IPv4's until an IPv6 address needs more. */
static size_t address_width(const struct rows_options *options)
{
    size_t usual = columns[COLUMN_CLIENT].width;
    return options->address_columns && *options->address_columns > usual ? *options->address_columns : usual;
}

static void widen(const struct rows_options *options, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    if (address->version != 6 || !options->address_columns) return; /* every other fits */
    size_t length = strlen(address_format(address, text));
    if (length > *options->address_columns) *options->address_columns = length;
}

/* Begins a cell: where the table says, or one blank behind the text before it where that was longer. The text of a right-aligned
 * cell, which will be `wide` columns, ends where the table says unless it is too long. */
static inline void begin_cell(struct pen *pen, enum column which, size_t wide)
{
    size_t from = which ? (pen->edge > pen->column ? pen->edge : pen->column) + 1 : 0;
    bool is_address = which == COLUMN_CLIENT || which == COLUMN_SERVER;
    pen->edge = (which ? pen->edge + 1 : 0) + (is_address ? pen->address : columns[which].width);
    if (columns[which].right && from + wide < pen->edge) from = pen->edge - wide;
    pen->at = line_blanks(pen->at, from - pen->column);
    pen->column = from;
}

/* Its text was written up to `at`, a byte a column. */
static inline void end_cell(struct pen *pen, char *at)
{
    pen->column += (size_t)(at - pen->at);
    pen->at = at;
}

static inline void put_uint(struct pen *pen, enum column which, uint64_t value)
{
    unsigned digits = line_digits(value);
    begin_cell(pen, which, digits);
    end_cell(pen, line_digits_put(pen->at, value, digits));
}

static inline void put_scaled(struct pen *pen, enum column which, struct line_scaled scaled)
{
    unsigned wide = line_scaled_columns(&scaled);
    begin_cell(pen, which, wide);
    pen->at = line_scaled(pen->at, &scaled);
    pen->column += wide;
}

static inline void put_text(struct pen *pen, enum column which, const char *text, size_t length)
{
    begin_cell(pen, which, length);
    end_cell(pen, line_put(pen->at, text, length));
}

/* A heading: not every language has a byte a column. */
static void put_title(struct pen *pen, enum column which, const char *title)
{
    size_t wide = (size_t)escape_text_columns(title);
    begin_cell(pen, which, wide);
    pen->at = line_put(pen->at, title, strlen(title));
    pen->column += wide;
}

/* In red, which takes no column. */
static void put_alarm(struct pen *pen, enum column which, const char *text, size_t length)
{
    begin_cell(pen, which, length);
    char *at = line_put(line_text(pen->at, list_red(true)), text, length);
    pen->at = line_text(at, list_plain(true));
    pen->column += length;
}

static inline void put_address(struct pen *pen, enum column which, const struct address *address)
{
    begin_cell(pen, which, 0);
    end_cell(pen, line_address(pen->at, address));
}

static inline void put_seconds(struct pen *pen, enum column which, int64_t ns)
{
    uint64_t whole = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / 1000000000;
    begin_cell(pen, which, (ns < 0) + line_digits(whole) + 7);
    end_cell(pen, line_seconds(pen->at, ns, 6));
}

static inline void put_states(struct pen *pen, enum tcp_state client, enum tcp_state server)
{
    begin_cell(pen, COLUMN_STATES, 0);
    line_put(pen->at, tcp_state_words[client].text, sizeof(tcp_state_words[client].text));
    char *at = line_char(pen->at + tcp_state_words[client].length, '/');
    line_put(at, tcp_state_words[server].text, sizeof(tcp_state_words[server].text));
    end_cell(pen, at + tcp_state_words[server].length);
}

/* Ends the line at `at`, without the blanks before it. */
static int finish(struct buf *out, const char *begin, char *at)
{
    while (at > begin && at[-1] == ' ') at--;
    *at++ = '\n';
    buf_grew(out, (size_t)(at - begin));
    return 0;
}

static int begin(struct buf *out, const struct rows_options *options)
{
    for (size_t i = 0; i < options->clock_count; i++) {
        int code = clock_sentence(out, &options->clocks[i],
                                  &(struct clock_style){.ascii = options->ascii, .detailed = options->verbose > 0});
        if (code) return code;
    }
    const struct list_style style = {.ascii = options->ascii, .color = options->color};
    int code = list_findings(out, &style, options->findings, 0);
    char *line = code ? NULL : buf_room(out, ROW_BYTES);
    if (!line) return -ENOMEM;
    struct pen pen = {.at = line, .address = address_width(options)};
    for (size_t i = 0; i < COLUMNS; i++) put_title(&pen, (enum column)i, tr(columns[i].title));
    return finish(out, line, line_text(line_char(pen.at, ' '), options->verbose ? tr("zeek history  notes") : tr("notes")));
}

/* What two captures say of the way between them: "there" is from the client to the server. */
static char *put_path(char *at, const struct rows_options *options, const struct ledger_row *row, bool follows)
{
    int client = 0;
    const struct rows_path *path = rows_path(options, row, &client);
    if (!path) return at;
    static const char *const ways[] = {TR(" there"), TR(" back")};
    const char *between = follows ? tr(", delay ") : tr("delay ");
    for (int way = 0; way < 2; way++) {
        int64_t delay_ns = path->delay_ns[way ? !client : client];
        if (delay_ns < 0) continue;
        struct line_scaled delay = line_duration(delay_ns, options->ascii);
        at = line_text(line_scaled(line_text(at, between), &delay), ways[way]);
        between = " ";
        follows = true;
    }
    between = follows ? tr(", lost ") : tr("lost ");
    for (int way = 0; way < 2; way++) {
        uint32_t lost = path->lost[way ? !client : client];
        if (!lost) continue;
        at = line_text(line_uint(line_text(at, between), lost), ways[way]);
        between = " ";
    }
    return at;
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    const struct ledger_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    char *line = buf_room(out, ROW_BYTES), notes[ROWS_MARKS_BYTES];
    if (!line) return -ENOMEM;
    const char *outcome = options->outcome ? options->outcome : ledger_outcome_name(row->outcome);
    int64_t since_ns, took_ns;
    if (__builtin_sub_overflow(row->start_ns, options->base_ns, &since_ns)) since_ns = 0;
    if (__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns)) took_ns = INT64_MAX;

    widen(options, &client->address);
    widen(options, &server->address);
    struct pen pen = {.at = line, .address = address_width(options)};
    put_uint(&pen, COLUMN_NUMBER, row->number);
    put_seconds(&pen, COLUMN_START, since_ns);
    put_scaled(&pen, COLUMN_TOOK, line_duration(took_ns, options->ascii));
    put_address(&pen, COLUMN_CLIENT, &client->address);
    put_address(&pen, COLUMN_SERVER, &server->address);
    if (options->color && (row->outcome == LEDGER_RESET || row->outcome == LEDGER_REFUSED))
        put_alarm(&pen, COLUMN_OUTCOME, outcome, strlen(outcome));
    else
        put_text(&pen, COLUMN_OUTCOME, outcome, strlen(outcome));
    put_states(&pen, client->state, server->state);
    if (row->handshake_ns < 0)
        put_text(&pen, COLUMN_RTT, "-", 1);
    else
        put_scaled(&pen, COLUMN_RTT, line_duration(row->handshake_ns, options->ascii));
    if (row->closed_first_by < 0)
        put_text(&pen, COLUMN_CLOSED, "-", 1);
    else
        put_text(&pen, COLUMN_CLOSED, row->closed_first_by == LEDGER_CLIENT ? "client" : "server", 6);
    put_uint(&pen, COLUMN_SEGMENTS, (uint64_t)client->segments + server->segments);
    put_scaled(&pen, COLUMN_SENT, line_amount(client->bytes));
    put_scaled(&pen, COLUMN_RECEIVED, line_amount(server->bytes));
    put_uint(&pen, COLUMN_AGAIN, (uint64_t)client->retransmissions + server->retransmissions);

    char *at = line_char(pen.at, ' ');
    if (options->verbose) {
        at = line_char(line_text(at, row->conn_state), ' ');
        at = line_text(line_text(at, row->history), row->history_cut ? "+  " : "  "); /* there was more */
    }
    at = line_text(at, rows_marks(options, row, notes));
    if (options->paths) at = put_path(at, options, row, notes[0] != '\0');
    return finish(out, line, at);
}

static int add_udp(struct buf *out, const struct rows_options *options, const struct datagrams_row *row)
{
    const struct datagrams_end *client = &row->end[LEDGER_CLIENT], *server = &row->end[LEDGER_SERVER];
    char *line = buf_room(out, ROW_BYTES), notes[ROWS_MARKS_BYTES], number[LINE_UINT_BYTES + LINE_SLACK];
    if (!line) return -ENOMEM;
    int64_t since_ns, took_ns;
    if (__builtin_sub_overflow(row->start_ns, options->base_ns, &since_ns)) since_ns = 0;
    if (__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns)) took_ns = INT64_MAX;
    widen(options, &client->address);
    widen(options, &server->address);
    struct pen pen = {.at = line, .address = address_width(options)};
    put_text(&pen, COLUMN_NUMBER, number, (size_t)(line_uint(line_char(number, 'u'), row->number) - number));
    put_seconds(&pen, COLUMN_START, since_ns);
    put_scaled(&pen, COLUMN_TOOK, line_duration(took_ns, options->ascii));
    put_address(&pen, COLUMN_CLIENT, &client->address);
    put_address(&pen, COLUMN_SERVER, &server->address);
    put_text(&pen, COLUMN_OUTCOME, "UDP", 3);
    put_text(&pen, COLUMN_STATES, "-", 1);
    put_text(&pen, COLUMN_RTT, "-", 1);
    put_text(&pen, COLUMN_CLOSED, "-", 1);
    put_uint(&pen, COLUMN_SEGMENTS, client->datagrams + server->datagrams);
    put_scaled(&pen, COLUMN_SENT, line_amount(client->bytes));
    put_scaled(&pen, COLUMN_RECEIVED, line_amount(server->bytes));
    put_text(&pen, COLUMN_AGAIN, "-", 1);
    char *at = line_char(pen.at, ' ');
    if (options->verbose) {
        bool turned;
        const char *history, *state = rows_udp_conn_state(row, &turned, &history);
        at = line_text(line_text(line_char(line_text(at, state), ' '), history), "  ");
    }
    return finish(out, line, line_text(at, rows_udp_marks(options, row, notes)));
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    (void)totals, (void)source;
    return list_end(out, options, &(struct list_style){.ascii = options->ascii, .color = options->color});
}

const struct rows_view rows_list = {"list", NULL, TR("an aligned line a connection"), begin, add_row, add_udp, false, end};
