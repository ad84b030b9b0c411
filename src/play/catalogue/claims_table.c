#include "play/catalogue/claims_table.h"
#include "base/lang.h"
#include "viz/pen/escape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/beside.h"
#include "play/catalogue/claim_screen.h"
#include "play/lesson/fitted.h"
#include "rights/rights.h"
#include "viz/pen/json.h"
#include "viz/text/text_pen.h"

enum { TABLE_BYTES = 1 << 20, WORDS_BYTES_MOST = 1024, PIPE_COLUMNS = 250, SCREEN_COLUMNS = 80, VERDICT_COLUMNS = 5 };

/* What came of a claim. Plain bytes: it travels through a pipe. */
struct shown {
    enum claim_result result;
    uint32_t rows, columns; /* of its screen at 80 columns */
    char words[WORDS_BYTES_MOST];
};

/* What came of a scenario and its claims. */
struct played {
    char failure[400]; /* "": it was played */
    char recorder[16];
    struct shown claims[SCENARIO_CLAIMS_MAX]; /* as they stand in it */
    int64_t took_ms;
};

struct table {
    const struct claims_options *options;
    const struct claim_entry *list; /* in the order of the rows */
    size_t count;
    const struct claim_entry **jobs; /* a scenario each: its first claim */
    struct played *played;
    size_t job_count;
    struct place place;
    struct view_options look;
    int name_columns, width;
    size_t results[CLAIM_NOT_SHOWN + 1], verdicts[SCENARIO_CLAIM_VERDICTS];
};

/* ---- lines ---- */

static void measure(struct table *table)
{
    int columns = output_screen_width(STDOUT_FILENO);
    table->look = output_view_options(&table->options->look, STDOUT_FILENO);
    table->width = columns ? table->look.width : PIPE_COLUMNS; /* a pipe gets a line each */
    for (size_t i = 0; i < table->count; i++)
        if ((int)strlen(table->list[i].name) > table->name_columns) table->name_columns = (int)strlen(table->list[i].name);
}

/* " 3  wrong      accept-queue-full  a full accept queue …" */
static void add_line(const struct table *table, struct pen *pen, const struct claim_entry *entry, enum layout_style style,
                     const char *verdict)
{
    const struct scenario_claim *claim = entry->claim;
    char key[128], number[16] = "";
    if (claim->number) snprintf(number, sizeof(number), "%" PRIu32, claim->number);
    int pad = VERDICT_COLUMNS - escape_text_columns(verdict);
    snprintf(key, sizeof(key), "%3s  %s%*s  %-*.60s  ", number, verdict, pad > 0 ? pad : 0, "", table->name_columns, entry->name);
    layout_add(&pen->text, STYLE_PLAIN, lang_now() == LANG_ZH && claim->zh ? claim->zh : claim->text);
    pen_flush(pen, escape_text_columns(key), style, key);
}

static int write_out(struct table *table, struct pen *pen, struct buf *out)
{
    int code = pen_end(pen);
    if (!code) code = place_write(&table->place, out->data, out->length);
    if (!code) code = place_flush(&table->place);
    buf_free(out);
    return code;
}

/* ---- as the book has them ---- */

static int write_json(const struct claim_entry *entry, const struct played *played, const struct shown *shown, bool ascii,
                      struct buf *out)
{
    static const char *const results[] = {
        [CLAIM_SHOWN] = "shown", [CLAIM_UNTOLD] = TR("can't be told"), [CLAIM_NOT_SHOWN] = TR("not shown")};
    const struct scenario_claim *claim = entry->claim;
    struct json json = json_new(out, ascii);
    json_object(&json, NULL);
    json_string(&json, "type", "claim");
    json_maybe_int(&json, "number", claim->number, claim->number);
    json_string(&json, "verdict", scenario_claim_verdict(claim->verdict));
    json_string(&json, "scenario", entry->name);
    json_string(&json, "text", claim->text);
    json_string(&json, "zh", claim->zh);
    json_string(&json, "because", claim->because);
    json_string(&json, "because_zh", claim->because_zh);
    if (shown) {
        json_string(&json, "result", played->failure[0] ? "not played" : results[shown->result]);
        json_string(&json, "recorder", played->recorder[0] ? played->recorder : NULL);
        json_uint(&json, "rows", shown->rows);
        json_uint(&json, "columns", shown->columns);
        json_string(&json, "message", played->failure[0] ? played->failure : shown->words[0] ? shown->words : NULL);
    }
    json_end_object(&json);
    json_newline(&json);
    return out->failed ? -ENOMEM : 0;
}

int claims_table_list(const struct claims_options *options, const struct claim_entry *list, size_t count, struct err *err)
{
    struct table table = {.options = options, .list = list, .count = count, .place = place_nowhere()};
    struct buf out = buf_new(TABLE_BYTES);
    measure(&table);
    struct pen pen = pen_new(&table.look, table.width, &out);
    for (size_t i = 0; i < count; i++) {
        if (options->jsonl)
            write_json(&list[i], NULL, NULL, table.look.ascii, &out);
        else
            add_line(&table, &pen, &list[i], STYLE_PLAIN, tr(scenario_claim_verdict(list[i].claim->verdict)));
    }
    int code = place_open(&table.place, NULL, NULL, err);
    if (!code) {
        code = write_out(&table, &pen, &out);
        int finished = place_finish(&table.place);
        if (!code) code = finished;
    }
    if (code && table.place.code) *err = table.place.err;
    place_close(&table.place);
    return code == -EPIPE ? code : code ? CLI_FAILED : CLI_DONE;
}

/* ---- played ---- */

/* How large its screen is where a class sees it. */
static void measure_screen(const struct claim_entry *entry, const struct play_stories *stories, const struct judgement *judgement,
                           struct shown *shown)
{
    const struct view_options options = {.width = SCREEN_COLUMNS};
    struct buf out = buf_new(TABLE_BYTES);
    struct err err;
    if (claim_screen(entry, stories, judgement, &options, CLAIMS_SCREEN_ROWS, &out, &err)) {
        shown->rows = shown->columns = UINT32_MAX;
        snprintf(shown->words, sizeof(shown->words), "%s", err.text);
    } else
        fitted_size(&out, &shown->rows, &shown->columns);
    buf_free(&out);
}

static void judge_claims(const struct table *table, const struct claim_entry *first, const struct play_stories *stories,
                         const struct judgement *judgement, struct played *played)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct claim_entry *entry = &table->list[i];
        if (entry->scenario != first->scenario) continue;
        struct shown *shown = &played->claims[entry->claim - entry->scenario->claims];
        struct buf words = buf_new(TABLE_BYTES);
        shown->result = claim_judge(entry, judgement);
        claim_say_missing(entry, judgement, &words);
        snprintf(shown->words, sizeof(shown->words), "%s", buf_string(&words));
        buf_free(&words);
        measure_screen(entry, stories, judgement, shown);
    }
}

static void work(void *data, size_t i, void *row)
{
    const struct table *table = data;
    const struct claim_entry *first = table->jobs[i];
    struct played *played = row;
    struct play_options play_options = {.recorder = table->options->recorder, .quiet = true};
    struct play *play = NULL;
    struct play_stories stories = {0};
    struct judgement judgement = {0};
    struct err err = {""};
    int64_t begun = clock_ms();
    int code = play_run(first->scenario, &play_options, &play, &err);
    if (play) snprintf(played->recorder, sizeof(played->recorder), "%s", play_recorder(play));
    if (!code) code = rights_drop(RIGHTS_NONE, &err);
    if (!code) code = rights_confine(false, &err);
    if (!code) code = play_tell(play_log(play), &stories, &err);
    if (!code) code = judge(first->scenario, play, &stories, &judgement, &err);
    if (!code) judge_claims(table, first, &stories, &judgement, played);
    if (code) snprintf(played->failure, sizeof(played->failure), "%.390s", err.text[0] ? err.text : tr("it could not be played"));
    played->took_ms = clock_ms() - begun;
    judgement_free(&judgement);
    play_stories_free(&stories);
    play_close(play);
}

static void lost(void *data, size_t i, void *row, int wait_status)
{
    struct played *played = row;
    (void)data, (void)i;
    snprintf(played->failure, sizeof(played->failure), tr("its process ended before it had a result (wait status %d)"),
             wait_status);
}

static int over(void *data, size_t i, void *row)
{
    (void)data, (void)i, (void)row;
    return 0;
}

static void add_words(struct pen *pen, const char *words)
{
    for (const char *line = words; *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        layout_addf(&pen->text, STYLE_ALARM, "%.*s", (int)length, line);
        pen_flush(pen, 8, STYLE_ALARM, "     !");
        line += length;
    }
}

static const struct played *played_of(const struct table *table, const struct claim_entry *entry)
{
    size_t i = 0;
    while (table->jobs[i]->scenario != entry->scenario) i++;
    return &table->played[i];
}

/* All rows, and what it came to. */
static int write_table(struct table *table, int64_t took_ms)
{
    struct buf out = buf_new(TABLE_BYTES);
    struct pen pen = pen_new(&table->look, table->width, &out);
    for (size_t i = 0; i < table->count; i++) {
        const struct claim_entry *entry = &table->list[i];
        const struct played *played = played_of(table, entry);
        const struct shown *shown = &played->claims[entry->claim - entry->scenario->claims];
        enum claim_result result = played->failure[0] ? CLAIM_NOT_SHOWN : shown->result;
        bool is_shown = result == CLAIM_SHOWN;
        table->results[result]++;
        if (is_shown) table->verdicts[entry->claim->verdict]++;
        if (table->options->jsonl) {
            write_json(entry, played, shown, table->look.ascii, &out);
            continue;
        }
        add_line(table, &pen, entry, is_shown ? STYLE_PLAIN : STYLE_ALARM,
                 is_shown ? tr(scenario_claim_verdict(entry->claim->verdict)) : "?");
        add_words(&pen, played->failure[0] ? played->failure : shown->words);
    }
    if (!table->options->jsonl) {
        layout_addf(&pen.text, STYLE_PLAIN, tr("%zu claims, played in %.1f s: %zu wrong, %zu half right, %zu right"), table->count,
                    (double)took_ms / 1000, table->verdicts[SCENARIO_CLAIM_WRONG], table->verdicts[SCENARIO_CLAIM_HALF],
                    table->verdicts[SCENARIO_CLAIM_RIGHT]);
        pen_flush(&pen, 0, STYLE_PLAIN, "");
    }
    return write_out(table, &pen, &out);
}

static int conclude(const struct table *table, struct err *err)
{
    if (table->results[CLAIM_NOT_SHOWN])
        return err_set(err, CLI_FAILED, "%zu of %zu claims not shown this time", table->results[CLAIM_NOT_SHOWN], table->count);
    if (table->results[CLAIM_UNTOLD])
        return err_set(err, CLI_FAILED, "%zu of %zu claims can't be told with this recorder", table->results[CLAIM_UNTOLD],
                       table->count);
    return CLI_DONE;
}

int claims_table_run(const struct claims_options *options, const struct claim_entry *list, size_t count, struct err *err)
{
    struct table table = {.options = options, .list = list, .count = count, .place = place_nowhere()};
    int64_t begun = clock_ms();
    measure(&table);
    table.jobs = calloc(count, sizeof(*table.jobs));
    table.played = calloc(count, sizeof(*table.played));
    int code = table.jobs && table.played ? 0 : -ENOMEM;
    if (code) err_set_errno(err, code, "can't play the claims");
    for (size_t i = 0; i < count && !code; i++) {
        size_t k = 0;
        while (k < table.job_count && table.jobs[k]->scenario != list[i].scenario) k++;
        if (k == table.job_count) table.jobs[table.job_count++] = &list[i];
    }
    const struct beside beside = {table.job_count, table.played, sizeof(*table.played), work, lost, over, &table};
    if (!code) code = beside_run(&beside, err);
    if (!code) code = place_open(&table.place, NULL, NULL, err);
    if (!code) code = write_table(&table, clock_ms() - begun);
    if (!code) code = place_finish(&table.place);
    if (code && table.place.code) *err = table.place.err;
    int status = code == -EPIPE ? code : code ? CLI_FAILED : conclude(&table, err);
    place_close(&table.place);
    free(table.jobs);
    free(table.played);
    return status;
}
