#include "viz/text/overview.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/text/text_pen.h"
#include "viz/text/text_run.h"

enum {
    ROWS_MAX = 1 << 17, /* more are counted, not listed */
    TOPICS_MAX = 64,    /* ids of findings */
    EXAMPLES = 5,
    NOTES_BYTES = 120,
    NAME_BYTES = 40,
    WIDTH_USUAL = 80,
    WIDTH_LEAST = 60,
    WIDTH_MOST = 200
};
#define PIECE_BYTES_MAX ((size_t)1 << 30)

/* "7 127.0.0.1:40112 curl → 127.0.0.1:8000 python3: refused". */
struct row {
    uint32_t number;
    bool udp;
    int severity; /* of its worst finding: 0 none, 1 note, 2 warning, 3 error */
    int64_t took_ns;
    uint64_t bytes[STORY_SIDES];
    char ends[STORY_SIDES][ADDRESS_TEXT_BYTES + NAME_BYTES];
    char outcome[16];
    bool alarm;
    char notes[NOTES_BYTES]; /* ids of findings */
};

/* One kind of finding, wherever it was found. */
struct topic {
    char id[48];
    int severity;
    char *text; /* the first one's sentence */
    size_t count;
    uint32_t examples[EXAMPLES];
};

struct overview {
    void *text; /* the text view's state: it draws what may become the ladders */
    struct buf ladders, out;
    struct facts_totals totals;
    struct row *rows;
    size_t row_count, row_room;
    uint64_t unlisted;
    struct topic topics[TOPICS_MAX];
    size_t topic_count;
};

static int severity_of(const char *severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(severity, names[i])) return i + 1;
    return 0;
}

static int append(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

static int64_t took_ns(const struct story *story)
{
    int64_t first = story->step_count ? story->steps[0].t_ns : 0, last = first;
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_SEGMENT || story->steps[i].kind == STEP_DATAGRAM || story->steps[i].kind == STEP_EXIT)
            last = story->steps[i].t_ns;
    if (story->start_ns && story->start_ns < last) first = story->start_ns;
    return last - first;
}

static void name_end(const struct story_end *end, char text[ADDRESS_TEXT_BYTES + NAME_BYTES])
{
    char address[ADDRESS_TEXT_BYTES];
    address_format(&end->address, address);
    if (end->process.comm)
        snprintf(text, ADDRESS_TEXT_BYTES + NAME_BYTES, "%s %.16s[%d]", address, end->process.comm, (int)end->process.pid);
    else
        snprintf(text, ADDRESS_TEXT_BYTES + NAME_BYTES, "%s", address);
}

static struct row row_of(const struct story *story)
{
    struct row row = {.number = story->number, .udp = story->udp, .took_ns = took_ns(story)};
    for (size_t side = 0; side < STORY_SIDES; side++) {
        name_end(&story->end[side], row.ends[side]);
        row.bytes[side] = story->end[side].bytes_sent;
    }
    snprintf(row.outcome, sizeof(row.outcome), "%s", story->udp ? "udp" : story_outcome_name(story->outcome));
    row.alarm = !story->udp && story->outcome != OUTCOME_CLOSED && story->outcome != OUTCOME_OPEN;
    size_t used = 0;
    for (size_t i = 0; i < story->finding_count; i++) {
        int severity = severity_of(story->findings[i].severity);
        if (severity > row.severity) row.severity = severity;
        if (used + strlen(story->findings[i].id) + 3 < sizeof(row.notes))
            used += (size_t)snprintf(row.notes + used, sizeof(row.notes) - used, "%s%s", used ? ", " : "", story->findings[i].id);
    }
    return row;
}

static const char *scaled_time(int64_t ns, char text[24])
{
    if (ns < 0) return snprintf(text, 24, "?"), text;
    if (ns < 1000000) return snprintf(text, 24, "%" PRId64 " µs", ns / 1000), text;
    if (ns < 10000000) return snprintf(text, 24, "%.1f ms", (double)ns / 1e6), text;
    if (ns < 1000000000) return snprintf(text, 24, "%.0f ms", (double)ns / 1e6), text;
    return snprintf(text, 24, "%.2f s", (double)ns / 1e9), text;
}

static const char *scaled_bytes(uint64_t bytes, char text[24])
{
    static const char *const units[] = {"k", "M", "G", "T"};
    if (bytes < 10000) return snprintf(text, 24, "%" PRIu64, bytes), text;
    double value = (double)bytes / 1000;
    int unit = 0;
    while (value >= 1000 && unit < 3) value /= 1000, unit++;
    return snprintf(text, 24, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]), text;
}

int overview_line(struct buf *out, const struct story *story, bool ascii)
{
    struct row row = row_of(story);
    char took[24], sent[24], received[24], line[1024];
    snprintf(line, sizeof(line), "%s%u %s → %s  %s after %s, %s sent, %s received%s%s", row.udp ? "u" : "#", row.number,
             row.ends[STORY_CLIENT], row.ends[STORY_SERVER], row.outcome, scaled_time(row.took_ns, took),
             scaled_bytes(row.bytes[STORY_CLIENT], sent), scaled_bytes(row.bytes[STORY_SERVER], received), row.notes[0] ? ": " : "",
             row.notes);
    return escape_text(out, line, ascii);
}

static int note_finding(struct overview *overview, const struct story *story, const struct story_finding *finding)
{
    struct topic *topic = NULL;
    for (size_t i = 0; i < overview->topic_count && !topic; i++)
        if (!strcmp(overview->topics[i].id, finding->id)) topic = &overview->topics[i];
    if (!topic && overview->topic_count == TOPICS_MAX) return 0; /* it stands in its connection's line */
    if (!topic) {
        topic = &overview->topics[overview->topic_count++];
        snprintf(topic->id, sizeof(topic->id), "%s", finding->id);
        topic->severity = severity_of(finding->severity);
        topic->text = strdup(finding->text);
        if (!topic->text) return -ENOMEM;
    }
    if (topic->count < EXAMPLES) topic->examples[topic->count] = story->number;
    topic->count++;
    return 0;
}

static int keep_row(struct overview *overview, const struct story *story)
{
    if (overview->row_count == ROWS_MAX) {
        overview->unlisted++;
        return 0;
    }
    if (overview->row_count == overview->row_room) {
        size_t room = overview->row_room ? overview->row_room * 2 : 16;
        struct row *rows = reallocarray(overview->rows, room, sizeof(*rows));
        if (!rows) return -ENOMEM;
        overview->rows = rows;
        overview->row_room = room;
    }
    overview->rows[overview->row_count++] = row_of(story);
    return 0;
}

static int overview_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    struct overview *overview = calloc(1, sizeof(*overview));
    (void)sink;
    *state = overview;
    if (!overview) return err_set(err, -ENOMEM, "out of memory for the overview");
    overview->ladders = buf_new(PIECE_BYTES_MAX);
    overview->out = buf_new(PIECE_BYTES_MAX);
    struct sink to = {append, &overview->ladders};
    return view_text.begin(&overview->text, &to, options, err);
}

static int overview_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                          struct err *err)
{
    struct overview *overview = state;
    (void)sink;
    facts_count(&overview->totals, story);
    int code = keep_row(overview, story);
    for (size_t i = 0; i < story->finding_count && !code; i++) code = note_finding(overview, story, &story->findings[i]);
    if (code) return err_set(err, code, "out of memory for connection %u in the overview", story->number);
    struct sink to = {append, &overview->ladders};
    if (overview->totals.stories <= OVERVIEW_LADDERS) return view_text.story(overview->text, &to, options, story, err);
    buf_clear(&overview->ladders);
    return 0;
}

static int by_severity(const void *a, const void *b)
{
    const struct topic *x = a, *y = b;
    if (x->severity != y->severity) return x->severity > y->severity ? -1 : 1;
    return x->count != y->count ? x->count > y->count ? -1 : 1 : strcmp(x->id, y->id);
}

static int worst_first(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->severity != y->severity) return x->severity > y->severity ? -1 : 1;
    if (x->took_ns != y->took_ns) return x->took_ns > y->took_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void draw_topic(const struct topic *topic, struct pen *pen)
{
    static const char *const keys[] = {"", "! note", "! warning", "! error"};
    layout_addf(&pen->text, STYLE_BOLD, "%s", topic->id);
    layout_add(&pen->text, STYLE_PLAIN, topic->count == 1 ? ", in connection " : ", in connections ");
    for (size_t i = 0; i < topic->count && i < EXAMPLES; i++) {
        const char *between = i == 0 ? "" : i + 1 == topic->count ? " and " : ", ";
        layout_addf(&pen->text, STYLE_PLAIN, "%s%u", between, topic->examples[i]);
    }
    if (topic->count > EXAMPLES) layout_addf(&pen->text, STYLE_PLAIN, " and %zu more", topic->count - EXAMPLES);
    layout_add(&pen->text, STYLE_PLAIN, ": ");
    layout_add(&pen->text, STYLE_PLAIN, topic->text);
    pen_flush(pen, 11, topic->severity > 1 ? STYLE_ALARM : STYLE_BOLD, keys[topic->severity]);
}

enum { NUMBER_COLUMNS = 7 };

/* Two lines where the terminal is narrow: ends, and what they said. */
static void draw_row(const struct row *row, struct pen *pen)
{
    char number[16], took[24], sent[24], received[24], rest[64 + NOTES_BYTES];
    snprintf(number, sizeof(number), "%s%u", row->udp ? "u" : "", row->number);
    layout_addf(&pen->text, row->alarm ? STYLE_ALARM : STYLE_PLAIN, "%-9s", row->outcome);
    layout_addf(&pen->text, STYLE_PLAIN, " %8s  ", scaled_time(row->took_ns, took));
    layout_add(&pen->text, STYLE_CLIENT, row->ends[STORY_CLIENT]);
    layout_add(&pen->text, STYLE_PLAIN, " → ");
    layout_add(&pen->text, STYLE_SERVER, row->ends[STORY_SERVER]);
    int length = snprintf(rest, sizeof(rest), "%s sent, %s received", scaled_bytes(row->bytes[STORY_CLIENT], sent),
                          scaled_bytes(row->bytes[STORY_SERVER], received));
    int used = NUMBER_COLUMNS + layout_columns(&pen->text, 0, pen->text.count), notes = (int)strlen(row->notes);
    bool fits = used + 2 + length + (notes ? 2 + notes : 0) <= pen->width;
    if (!fits) pen_flush(pen, NUMBER_COLUMNS, STYLE_BOLD, number);
    layout_addf(&pen->text, STYLE_DIM, "%s%s", fits ? "  " : "          ", rest);
    if (notes) layout_addf(&pen->text, row->severity > 1 ? STYLE_ALARM : STYLE_BOLD, "  %s", row->notes);
    pen_flush(pen, NUMBER_COLUMNS, STYLE_BOLD, fits ? number : "");
}

static int width_of(const struct view_options *options)
{
    int width = options->width ? options->width : WIDTH_USUAL;
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
}

static int draw_list(struct overview *overview, const struct view_options *options)
{
    struct pen pen = pen_new(options, width_of(options), &overview->out);
    qsort(overview->topics, overview->topic_count, sizeof(overview->topics[0]), by_severity);
    qsort(overview->rows, overview->row_count, sizeof(overview->rows[0]), worst_first);
    for (size_t i = 0; i < overview->topic_count; i++) draw_topic(&overview->topics[i], &pen);
    if (overview->topic_count) pen_blank_line(&pen);
    for (size_t i = 0; i < overview->row_count; i++) draw_row(&overview->rows[i], &pen);
    if (overview->unlisted) {
        layout_addf(&pen.text, STYLE_PLAIN, "%" PRIu64 " more are not listed", overview->unlisted);
        pen_flush(&pen, 0, STYLE_PLAIN, "");
    }
    pen_blank_line(&pen);
    return pen_end(&pen);
}

static int draw_end(struct overview *overview, const struct view_options *options, const struct story_trace *trace)
{
    buf_clear(&overview->out);
    int code = 0;
    bool is_empty = !overview->totals.stories && !trace->apart_count && !trace->lost && !trace->dropped;
    if (is_empty && !options->verbose) return 0; /* whoever ran the command says so */
    if (overview->totals.stories > OVERVIEW_LADDERS) code = draw_list(overview, options);
    return code ? code : text_run_draw(&overview->totals, trace, options, &overview->out);
}

static int overview_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                        struct err *err)
{
    struct overview *overview = state;
    if (!overview) return 0;
    int code = 0;
    struct sink nowhere = {append, &overview->out};
    view_text.end(overview->text, &nowhere, options, NULL, err); /* frees; the end is drawn here */
    if (trace) {
        code = draw_end(overview, options, trace);
        if (code) err_set(err, code, "out of memory at the end of the overview");
        if (!code) code = view_write(sink, overview->ladders.data, overview->ladders.length, err);
        if (!code) code = view_write(sink, overview->out.data, overview->out.length, err);
    }
    for (size_t i = 0; i < overview->topic_count; i++) free(overview->topics[i].text);
    buf_free(&overview->ladders);
    buf_free(&overview->out);
    free(overview->rows);
    free(overview);
    return code;
}

const struct view view_overview = {.name = "text",
                                   .suffix = ".txt",
                                   .summary = "up to three ladders; of more connections, findings and a line each",
                                   .ladder = true,
                                   .begin = overview_begin,
                                   .story = overview_story,
                                   .end = overview_end};
