#include "out/tables.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out/note.h"
#include "out/place.h"
#include "viz/lists/quantiles.h"
#include "viz/view.h"

enum { FLUSH_BYTES = 1 << 16, ROW_BYTES = 1 << 14 };

struct target {
    struct place place;
    const struct rows_view *view;
    bool color;
    struct buf out;
};

struct tables {
    struct target targets[OUTPUT_FILES_MAX + 1];
    size_t count;
    struct rows_options options;
    size_t address_columns;
    bool begun;
    struct quantiles *spreads; /* ROWS_SPREADS; NULL: nobody shows them */
    struct held *held;         /* NULL: rows are written as they come */
    enum held_order order;
    bool only, quiet, shown; /* shown: a row at least was written */
};

static bool is_story(const char *format, const char *path)
{
    return (format ? view_by_name(format) : view_by_path(path)) || output_is_recorded(format, path);
}

/* Whether a table has this very ending: rows_by_path() would take ".otlp.jsonl" for a ".jsonl", and an ending alone for no file. */
static bool has_rows_suffix(const char *suffix)
{
    size_t count = 0;
    const struct rows_view *const *rows = rows_all(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i]->suffix && !strcmp(rows[i]->suffix, suffix)) return true;
    return false;
}

static int unknown(const char *format, const char *path, struct err *err)
{
    char list[512] = "";
    size_t used = 0, count = 0;
    const struct rows_view *const *rows = rows_all(&count);
    for (size_t i = 0; i < count && used < sizeof(list); i++)
        if (format || rows[i]->suffix)
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s ", format ? rows[i]->name : rows[i]->suffix);
    const struct view *const *views = view_all(&count);
    for (size_t i = 0; i < count && used < sizeof(list); i++)
        if (format ? !rows_by_name(views[i]->name) : !has_rows_suffix(views[i]->suffix))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s ", format ? views[i]->name : views[i]->suffix);
    return err_set(err, -EINVAL, "%s '%s': there are %s%s", format ? tr("no format") : tr("no format for the ending of"),
                   format ? format : path, list,
                   format ? OUTPUT_SAVED_NAME " " OUTPUT_EVENTS_NAME : OUTPUT_SAVED_SUFFIX " " OUTPUT_EVENTS_SUFFIX);
}

/* Whether a name or ending is a table's: one that stands for a story's more closely (".otlp.jsonl" is no ".jsonl") is not. */
static bool is_rows(const char *format, const char *path)
{
    if (format) return rows_by_name(format) != NULL;
    const struct rows_view *rows = rows_by_path(path);
    const struct view *view = view_by_path(path);
    return rows && (!view || strlen(view->suffix) <= strlen(rows->suffix));
}

int tables_wanted(const struct output_options *options, bool *ret_wanted, struct err *err)
{
    const char *row_name = NULL, *story_name = options->otlp ? "--otlp" : NULL;
    for (size_t i = 0; i <= options->file_count; i++) {
        bool is_file = i < options->file_count;
        const char *format = is_file ? NULL : options->format, *path = is_file ? options->files[i] : NULL;
        if (!is_file && !format) continue;
        bool rows = is_rows(format, path), story = is_story(format, path);
        if (!rows && !story) return unknown(format, path, err);
        if (rows && !story) row_name = format ? format : path;
        if (story && !rows) story_name = format ? format : path;
    }
    if (row_name && story_name)
        return err_set(err, -EINVAL, "'%s' is a table of connections and '%s' tells stories: one kind at a time", row_name,
                       story_name);
    *ret_wanted = !story_name; /* what both kinds have, such as .jsonl, goes with the others */
    return 0;
}

static bool is_list(const struct rows_view *view)
{
    return view == &rows_list || view == &rows_screen;
}

static int open_target(struct tables *tables, const char *path, const struct rows_view *view, struct keeper *keeper,
                       struct err *err)
{
    struct target *target = &tables->targets[tables->count++];
    target->view = view;
    target->out = buf_new(FLUSH_BYTES + ROW_BYTES);
    return place_open(&target->place, path, keeper, err);
}

int tables_open(struct tables **ret_tables, const struct output_options *options, bool summary, struct err *err)
{
    struct tables *tables = calloc(1, sizeof(*tables));
    if (!tables) return err_set_errno(err, -ENOMEM, "can't open the output");
    tables->options = (struct rows_options){
        .ascii = output_ascii(options), .verbose = options->verbose, .width = output_screen_width(STDOUT_FILENO)};
    tables->options.address_columns = &tables->address_columns;
    int code = 0;
    bool colored = false;
    for (size_t i = 0; i < options->file_count && !code; i++)
        code = open_target(tables, options->files[i], rows_by_path(options->files[i]), options->keeper, err);
    if (!code && (summary || options->format || !options->file_count))
        code = open_target(tables, NULL,
                           summary           ? &rows_summary
                           : options->format ? rows_by_name(options->format)
                                             : &rows_list,
                           options->keeper, err);
    for (size_t i = 0; i < tables->count; i++) {
        struct target *target = &tables->targets[i];
        if (target->view == &rows_list && target->place.fd == STDOUT_FILENO && tables->options.width) target->view = &rows_screen;
        target->color = is_list(target->view) && output_view_options(options, target->place.fd).color;
        colored |= target->color;
        if (is_list(target->view) && !tables->spreads) tables->spreads = calloc(ROWS_SPREADS, sizeof(*tables->spreads));
        if (!code && is_list(target->view) && !tables->spreads) code = err_set_errno(err, -ENOMEM, "can't open the output");
    }
    if (!code && options->color == OUTPUT_COLOR_ALWAYS && !colored)
        code = err_set(err, -EINVAL, "--color: of tables only the list has colours, and none is written");
    tables->options.spreads = tables->spreads;
    if (code) {
        tables_close(tables);
        return code;
    }
    *ret_tables = tables;
    return 0;
}

void tables_merged(struct tables *tables, const struct rows_path *paths, size_t path_count, const struct story_clock *clocks,
                   size_t clock_count)
{
    tables->options.paths = paths;
    tables->options.path_count = path_count;
    tables->options.clocks = clocks;
    tables->options.clock_count = clock_count;
}

bool tables_on_terminal(const struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->targets[i].place.fd >= 0 && isatty(tables->targets[i].place.fd)) return true;
    return false;
}

/* Notes what a view could not put into its buffer, and empties the buffer. */
static void flush(struct target *target, int code)
{
    if (code) {
        struct err err;
        place_fail(&target->place, err_set_errno(&err, code, "can't write %s to %s", target->view->name, target->place.label),
                   &err);
    }
    if (target->out.length) place_write(&target->place, target->out.data, target->out.length);
    buf_clear(&target->out);
}

bool tables_lists_only(const struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++)
        if (!is_list(tables->targets[i].view)) return false;
    return tables->count > 0;
}

int tables_sort(struct tables *tables, enum held_order order, bool only, bool quiet)
{
    tables->order = order;
    tables->only = only;
    tables->quiet = quiet;
    tables->held = held_new();
    return tables->held ? 0 : -ENOMEM;
}

void tables_found(struct tables *tables, const struct rows_findings *findings)
{
    tables->options.findings = findings;
}

static const struct rows_options *options_of(struct tables *tables, const struct target *target)
{
    tables->options.color = target->color;
    return &tables->options;
}

static void begin_views(struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct target *target = &tables->targets[i];
        flush(target, target->view->begin(&target->out, options_of(tables, target)));
    }
}

void tables_begin(struct tables *tables, int64_t base_ns)
{
    if (tables->begun) return;
    tables->begun = true;
    tables->options.base_ns = base_ns;
    if (!tables->held) begin_views(tables);
}

static void note_spreads(struct tables *tables, const struct ledger_row *row)
{
    int64_t took_ns;
    if (!tables->spreads) return;
    if (__builtin_sub_overflow(row->end_ns, row->start_ns, &took_ns)) took_ns = INT64_MAX;
    if (row->handshake_ns >= 0) quantiles_add(&tables->spreads[ROWS_SPREAD_CONNECT], row->handshake_ns);
    quantiles_add(&tables->spreads[ROWS_SPREAD_TOOK], took_ns);
    const uint64_t most = INT64_MAX, sent = row->end[LEDGER_CLIENT].bytes, received = row->end[LEDGER_SERVER].bytes;
    quantiles_add(&tables->spreads[ROWS_SPREAD_SENT], (int64_t)(sent < most ? sent : most));
    quantiles_add(&tables->spreads[ROWS_SPREAD_RECEIVED], (int64_t)(received < most ? received : most));
}

static int write_row(void *data, const struct ledger_row *row)
{
    struct tables *tables = data;
    bool alive = false;
    if (tables->only && !rows_found(&tables->options, row->number, false)) return 0;
    tables->shown = true;
    note_spreads(tables, row);
    for (size_t i = 0; i < tables->count; i++) {
        struct target *target = &tables->targets[i];
        if (target->place.code) continue;
        int code = target->view->row(&target->out, options_of(tables, target), row);
        if (code || target->out.length >= FLUSH_BYTES) flush(target, code);
        alive = true;
    }
    return alive ? 0 : -EPIPE;
}

static int write_udp(void *data, const struct datagrams_row *row)
{
    struct tables *tables = data;
    bool alive = false;
    if (tables->only && !rows_found(&tables->options, row->number, true)) return 0;
    tables->shown = true;
    for (size_t i = 0; i < tables->count; i++) {
        struct target *target = &tables->targets[i];
        if (target->place.code) continue;
        alive = true;
        if (target->view->udp_parts != row->is_part) continue;
        int code = target->view->udp(&target->out, options_of(tables, target), row);
        if (code || target->out.length >= FLUSH_BYTES) flush(target, code);
    }
    return alive ? 0 : -EPIPE;
}

/* From here on rows are written as they come. */
static int give_held(struct tables *tables)
{
    struct held *held = tables->held;
    tables->held = NULL;
    begin_views(tables);
    int code = held_give(held, tables->order, &tables->options, write_row, write_udp, tables);
    held_free(held);
    return code;
}

static int give_crowded(struct tables *tables)
{
    note_say(tables->quiet, "more than %d rows: only these are sorted, those behind them stand in the order in which they ended",
             HELD_ROWS_MAX);
    return give_held(tables);
}

int tables_row(struct tables *tables, const struct ledger_row *row)
{
    int code = tables->held ? held_row(tables->held, row) : 0;
    if (code == -ENOBUFS)
        code = give_crowded(tables);
    else if (code || tables->held)
        return code;
    return code ? code : write_row(tables, row);
}

int tables_udp(struct tables *tables, const struct datagrams_row *row)
{
    int code = tables->held ? held_udp(tables->held, row) : 0;
    if (code == -ENOBUFS)
        code = give_crowded(tables);
    else if (code || tables->held)
        return code;
    return code ? code : write_udp(tables, row);
}

void tables_flush(struct tables *tables)
{
    for (size_t i = 0; i < tables->count && !tables->held; i++) {
        flush(&tables->targets[i], 0);
        place_flush(&tables->targets[i].place);
    }
}

int tables_finish(struct tables *tables, const struct ledger_totals *totals, const struct rows_source *source, struct err *err)
{
    int result = 0;
    tables_begin(tables, totals->segments ? totals->first_ns : 0);
    if (tables->held) { /* what can't be written its place knows */
        int code = give_held(tables);
        if (code && code != -EPIPE) return err_set_errno(err, code, "can't sort the list");
    }
    if (tables->only && !tables->shown && totals->segments)
        note_say(tables->quiet, "--only-findings: nothing was found in any of the connections that were read");
    for (size_t i = 0; i < tables->count; i++) {
        struct target *target = &tables->targets[i];
        bool is_stdout = target->place.fd == STDOUT_FILENO;
        flush(target, target->view->end(&target->out, options_of(tables, target), totals, source));
        int code = place_finish(&target->place);
        if (!code || (result && result != -EPIPE)) continue;
        /* A reader of standard output that has gone is the least of the failures. */
        result = code == -EPIPE && !is_stdout ? -EIO : code;
        if (result != -EPIPE) *err = target->place.err;
    }
    return result;
}

void tables_close(struct tables *tables)
{
    if (!tables) return;
    for (size_t i = 0; i < tables->count; i++) {
        place_close(&tables->targets[i].place);
        buf_free(&tables->targets[i].out);
    }
    held_free(tables->held);
    free(tables->spreads);
    free(tables);
}
