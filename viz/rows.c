#include "viz/rows.h"

#include <stdio.h>
#include <string.h>

/* The first is what `tcpwhy read` shows when nothing is said. */
static const struct rows_view *const views[] = {&rows_list, &rows_csv, &rows_zeek, &rows_jsonl, &rows_summary};
enum { VIEW_COUNT = sizeof(views) / sizeof(views[0]) };

const struct rows_view *const *rows_all(size_t *ret_count)
{
    *ret_count = VIEW_COUNT;
    return views;
}

const struct rows_view *rows_by_name(const char *name)
{
    for (size_t i = 0; i < VIEW_COUNT; i++)
        if (!strcmp(views[i]->name, name)) return views[i];
    return NULL;
}

const struct rows_view *rows_by_path(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        size_t suffix = views[i]->suffix ? strlen(views[i]->suffix) : length;
        if (suffix < length && !strcmp(path + length - suffix, views[i]->suffix)) return views[i];
    }
    return NULL;
}

const char *rows_notes(const struct ledger_row *row, char text[ROWS_NOTES_BYTES])
{
    const struct ledger_end *a = &row->end[LEDGER_CLIENT], *b = &row->end[LEDGER_SERVER];
    uint64_t disorder = (uint64_t)a->out_of_order + b->out_of_order, zero = (uint64_t)a->zero_windows + b->zero_windows,
             alive = (uint64_t)a->keep_alives + b->keep_alives, missed = a->missed_bytes + b->missed_bytes;
    bool one_sided = !a->segments || !b->segments;
    bool unanswered = row->opened_by >= 0 && !b->segments;
    text[0] = '\0';
    /* Most rows need none of them, and are many. */
    if (!(disorder | zero | alive | missed | row->tunnel) && !one_sided && row->opened_by >= 0 && row->ending == LEDGER_ENDED &&
        row->outcome != LEDGER_REFUSED && row->outcome != LEDGER_HALF_OPEN)
        return text;
    const struct {
        bool holds;
        uint64_t count; /* 0: the words alone */
        const char *words;
    } notes[] = {
        {row->outcome == LEDGER_REFUSED, 0, "refused"},
        {unanswered && row->outcome == LEDGER_HALF_OPEN, 0, "no answer"},
        {row->opened_by < 0, 0, "began before the capture"},
        {one_sided && !unanswered, 0, "one direction only"},
        {zero > 0, zero, "zero window"},
        {disorder > 0, disorder, "out of order"},
        {alive > 0, alive, "keep-alive"},
        {missed > 0, missed, "bytes missed by the capture"},
        {row->tunnel != 0, 0, "in a tunnel"},
        {row->ending == LEDGER_IDLE && row->outcome == LEDGER_OPEN, 0, "went quiet"},
        {row->ending == LEDGER_CROWDED, 0, "given up early: too many open"},
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (!notes[i].holds || length >= ROWS_NOTES_BYTES - 1) continue;
        const char *comma = length ? ", " : "";
        int more = notes[i].count ? snprintf(text + length, ROWS_NOTES_BYTES - length, "%s%llu %s", comma,
                                             (unsigned long long)notes[i].count, notes[i].words)
                                  : snprintf(text + length, ROWS_NOTES_BYTES - length, "%s%s", comma, notes[i].words);
        if (more > 0) length += (size_t)more;
    }
    return text;
}

const struct rows_path *rows_path(const struct rows_options *options, const struct ledger_row *row, int *ret_client)
{
    if (!row->number || row->number > options->path_count) return NULL;
    const struct rows_path *path = &options->paths[row->number - 1];
    *ret_client = !address_equal(&path->first, &row->end[LEDGER_CLIENT].address);
    return path;
}
