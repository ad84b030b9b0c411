/* The list of stories: what was found in all of them, then a line a connection, the worst first, in the columns of the list of
 * captures; where their time went, and how it spread. It keeps a row a story, LIST_STORIES_MAX at most, and no story. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/lists/found.h"
#include "viz/lists/list_frame.h"
#include "viz/pen/escape.h"
#include "viz/plan/facts.h"
#include "viz/text/text_apart.h"
#include "viz/text/text_pen.h"
#include "viz/view.h"

enum { LIST_STORIES_MAX = 1 << 16, WIDTH_USUAL = 80, WIDTH_MOST = 140, PART_LEAST = 25 };
static const size_t bytes_limit = (size_t)1 << 30;

/* A story's row, and what stands behind its notes. */
struct kept {
    struct ledger_row row;
    struct datagrams_row flow; /* of UDP instead */
    bool udp;
    enum story_outcome outcome;
    char extra[ROWS_EXTRA_BYTES];
    uint64_t key[3];
};

struct list {
    struct kept *rows;
    size_t count, room;
    uint64_t more; /* stories without a row */
    int64_t base_ns;
    struct facts_totals totals;
    struct found *found;
    struct quantiles *spreads;
    struct buf out;
};

static int list_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct list *list = calloc(1, sizeof(*list));
    *state = list;
    if (!list) return err_set(err, -ENOMEM, "out of memory for the list");
    list->out = buf_new(bytes_limit);
    list->found = found_new();
    list->spreads = calloc(ROWS_SPREADS, sizeof(*list->spreads));
    return list->found && list->spreads ? 0 : err_set(err, -ENOMEM, "out of memory for the list");
}

static enum ledger_outcome outcome_of(enum story_outcome outcome)
{
    static const enum ledger_outcome outcomes[OUTCOMES] = {
        [OUTCOME_OPEN] = LEDGER_OPEN,       [OUTCOME_CLOSED] = LEDGER_CLOSED,       [OUTCOME_RESET] = LEDGER_RESET,
        [OUTCOME_REFUSED] = LEDGER_REFUSED, [OUTCOME_TIMED_OUT] = LEDGER_HALF_OPEN, [OUTCOME_HALF_OPEN] = LEDGER_HALF_OPEN};
    return outcomes[outcome];
}

static void count_segments(const struct story *story, struct ledger_row *row)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind != STEP_SEGMENT || step->segment->copy) continue;
        struct ledger_end *end = &row->end[step->side == STORY_CLIENT ? LEDGER_CLIENT : LEDGER_SERVER];
        end->segments += step->segment->folded ? step->segment->folded : 1;
        end->retransmissions += step->segment->retransmission;
    }
}

static void make_row(const struct story *story, struct ledger_row *row)
{
    const struct story_summary *summary = &story->summary;
    const int64_t start_ns = story->start_ns - (story->time.total_ns > 0 ? story->time.before_ns : 0);
    *row = (struct ledger_row){.number = story->number,
                               .start_ns = start_ns,
                               .end_ns = start_ns + (story->time.total_ns > 0 ? story->time.total_ns : 0),
                               .handshake_ns = summary->handshake_ns,
                               .opened_by = summary->opened_by < 0 ? -1 : (int)LEDGER_CLIENT,
                               .closed_first_by = summary->closed_first_by,
                               .outcome = outcome_of(story->outcome),
                               .ending = story->so_far ? LEDGER_UNFINISHED : LEDGER_ENDED,
                               .conn_state = "-"};
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &story->end[side];
        row->end[side].address = end->address;
        row->end[side].state = end->state;
        row->end[side].bytes = end->bytes_sent + end->bytes_missed;
        row->end[side].missed_bytes = end->bytes_missed;
    }
    count_segments(story, row);
}

static void make_flow(const struct story *story, struct datagrams_row *flow)
{
    *flow = (struct datagrams_row){.number = story->number, .start_ns = story->start_ns, .end_ns = story->start_ns};
    for (int side = 0; side < STORY_SIDES; side++) {
        flow->end[side].address = story->end[side].address;
        flow->end[side].bytes = story->end[side].bytes_sent;
    }
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->t_ns > flow->end_ns) flow->end_ns = step->t_ns;
        if (step->kind == STEP_DATAGRAM && !step->datagram->icmp) flow->end[step->side].datagrams++;
    }
}

/* What took most of its time, and whose ends these are. */
static void make_extra(const struct story *story, char extra[ROWS_EXTRA_BYTES])
{
    struct buf text = buf_new(bytes_limit);
    const struct story_time *time = &story->time;
    int most = SPENT_UNKNOWN;
    for (int i = 0; i < SPENTS; i++)
        if (time->spent_ns[i] > time->spent_ns[most]) most = i;
    if (time->total_ns > 0 && most != SPENT_UNKNOWN && time->spent_ns[most] >= time->total_ns / 100 * PART_LEAST)
        buf_printf(&text, "%d%% %s", (int)((double)time->spent_ns[most] * 100 / (double)time->total_ns + 0.5),
                   story_spent_words((enum story_spent)most));
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_process *process = &story->end[side].process;
        if (!process->comm && !process->pid) continue;
        buf_text(&text, side == STORY_SERVER && story->end[STORY_CLIENT].process.pid ? " > " : text.length ? ", " : "");
        if (side == STORY_SERVER && !story->end[STORY_CLIENT].process.pid) buf_text(&text, "> ");
        escape_text(&text, process->comm ? process->comm : "?", true);
        if (process->pid) buf_printf(&text, "[%" PRId32 "]", process->pid);
    }
    snprintf(extra, ROWS_EXTRA_BYTES, "%s", text.failed ? "" : buf_string(&text));
    buf_free(&text);
}

static void note_spreads(struct list *list, const struct kept *kept)
{
    if (kept->udp) return;
    const struct ledger_row *row = &kept->row;
    const uint64_t most = INT64_MAX, sent = row->end[LEDGER_CLIENT].bytes, received = row->end[LEDGER_SERVER].bytes;
    if (row->handshake_ns >= 0) quantiles_add(&list->spreads[ROWS_SPREAD_CONNECT], row->handshake_ns);
    quantiles_add(&list->spreads[ROWS_SPREAD_TOOK], row->end_ns - row->start_ns);
    quantiles_add(&list->spreads[ROWS_SPREAD_SENT], (int64_t)(sent < most ? sent : most));
    quantiles_add(&list->spreads[ROWS_SPREAD_RECEIVED], (int64_t)(received < most ? received : most));
}

static int list_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                      struct err *err)
{
    (void)sink, (void)options;
    struct list *list = state;
    struct kept kept = {.udp = story->udp, .outcome = story->outcome};
    if (story->udp)
        make_flow(story, &kept.flow);
    else
        make_row(story, &kept.row);
    make_extra(story, kept.extra);
    if (!list->totals.stories || story->start_ns < list->base_ns) list->base_ns = story->start_ns;
    facts_count(&list->totals, story);
    note_spreads(list, &kept);
    if (found_take(list->found, story)) return err_set(err, -ENOMEM, "out of memory for the list");
    if (list->count == LIST_STORIES_MAX) {
        list->more++;
        return 0;
    }
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct kept *rows = realloc(list->rows, room * sizeof(*rows));
        if (!rows) return err_set(err, -ENOMEM, "out of memory for the list");
        list->rows = rows;
        list->room = room;
    }
    list->rows[list->count++] = kept;
    return 0;
}

/* By time or by bytes, as both kinds of row have them. */
static uint64_t measured(enum view_order order, const struct kept *kept)
{
    int64_t start_ns = kept->udp ? kept->flow.start_ns : kept->row.start_ns;
    if (order == VIEW_BY_START) return (uint64_t)start_ns ^ (uint64_t)1 << 63; /* before 1970 stands before */
    if (order == VIEW_BY_TOOK) return ~(uint64_t)((kept->udp ? kept->flow.end_ns : kept->row.end_ns) - start_ns);
    uint64_t bytes = 0;
    for (int side = 0; side < STORY_SIDES; side++) bytes += kept->udp ? kept->flow.end[side].bytes : kept->row.end[side].bytes;
    return ~bytes;
}

/* The worst first: by the severity of its findings, by which they are, then by how it ended; of equals the lower number. */
static void make_key(const struct rows_options *options, enum view_order order, struct kept *kept)
{
    static const uint64_t ended[OUTCOMES] = {[OUTCOME_REFUSED] = 0,   [OUTCOME_TIMED_OUT] = 1, [OUTCOME_RESET] = 2,
                                             [OUTCOME_HALF_OPEN] = 3, [OUTCOME_OPEN] = 4,      [OUTCOME_CLOSED] = 5};
    uint32_t number = kept->udp ? kept->flow.number : kept->row.number;
    if (order != VIEW_BY_FINDING) {
        kept->key[0] = measured(order, kept);
        kept->key[1] = kept->udp;
        kept->key[2] = number;
        return;
    }
    const struct rows_found *found = rows_found(options, number, kept->udp);
    kept->key[0] = found ? (uint64_t)(ROWS_ERROR - found->worst) : ROWS_ERROR;
    kept->key[1] = 0;
    for (uint64_t i = 0; found && i < ROWS_FINDINGS_MAX && !kept->key[1]; i++)
        if (found->ids[i / 64] >> i % 64 & 1 && options->findings->of[i].worst == found->worst) kept->key[1] = i + 1;
    kept->key[2] = ended[kept->outcome] << 32 | number;
}

static int by_key(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    for (size_t i = 0; i < sizeof(x->key) / sizeof(x->key[0]); i++)
        if (x->key[i] != y->key[i]) return x->key[i] < y->key[i] ? -1 : 1;
    return 0;
}

static int draw_rows(struct list *list, const struct view_options *options)
{
    size_t address_columns = 0;
    struct rows_options how = {.base_ns = list->base_ns,
                               .ascii = options->ascii,
                               .width = options->screen,
                               .address_columns = &address_columns,
                               .findings = found_rows(list->found),
                               .spreads = list->spreads,
                               .color = options->color};
    const struct rows_view *view = options->screen ? &rows_screen : &rows_list;
    for (size_t i = 0; i < list->count; i++) make_key(&how, options->order, &list->rows[i]);
    if (list->count) qsort(list->rows, list->count, sizeof(*list->rows), by_key);
    int code = view->begin(&list->out, &how);
    for (size_t i = 0; i < list->count && !code; i++) {
        const struct kept *kept = &list->rows[i];
        if (options->only_findings && !rows_found(&how, kept->udp ? kept->flow.number : kept->row.number, kept->udp)) continue;
        how.extra = kept->extra;
        how.outcome = kept->udp ? NULL : story_outcome_name(kept->outcome);
        code = kept->udp ? view->udp(&list->out, &how, &kept->flow) : view->row(&list->out, &how, &kept->row);
    }
    if (!code && list->more)
        buf_printf(&list->out, tr("and %" PRIu64 " more: what was found in them, and their times, are counted above and below\n"),
                   list->more);
    return code ? code : view->end(&list->out, &how, NULL, NULL);
}

/* How many there were, and what was lost. */
static int draw_run(struct list *list, const struct view_options *options, const struct story_trace *trace)
{
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    int width = options->width > WIDTH_MOST ? WIDTH_MOST : options->width ? options->width : WIDTH_USUAL;
    struct pen pen = pen_new(options, width, &list->out);
    facts_run(&list->totals, trace, &facts);
    pen_blank_line(&pen);
    for (size_t i = 0; i < facts.count; i++) {
        layout_add_phrase(&pen.text, &facts.list[i].words);
        pen_flush(&pen, 0, facts.list[i].style, facts.list[i].key);
    }
    int code = facts.failed ? -ENOMEM : 0, pen_code = pen_end(&pen);
    arena_free(&arena);
    return code ? code : pen_code;
}

static int list_end_view(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                         struct err *err)
{
    struct list *list = state;
    int code = 0;
    if (!list) return 0;
    if (trace) {
        code = draw_rows(list, options);
        if (!code && trace->apart_count) buf_char(&list->out, '\n');
        if (!code) code = apart_draw(trace, options, options->width ? options->width : WIDTH_USUAL, &list->out);
        if (!code) code = draw_run(list, options, trace);
        code = code ? err_set(err, code, "out of memory for the list") : view_write(sink, list->out.data, list->out.length, err);
    }
    found_free(list->found);
    free(list->spreads);
    free(list->rows);
    buf_free(&list->out);
    free(list);
    return code;
}

const struct view view_list = {.name = "list",
                               .suffix = ".list",
                               .summary = TR("what was found in all of them, then a line a connection, the worst first"),
                               .begin = list_begin,
                               .story = list_story,
                               .end = list_end_view};
