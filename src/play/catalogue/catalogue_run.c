/* `tcpwhy demo --all`: many scenarios, each in a process of its own, a few at once, and a row of what came of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "lab/scenario/catalogue.h"
#include "out/keeper.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/beside.h"
#include "play/catalogue/catalogue_row.h"
#include "play/catalogue/scene.h"
#include "play/lesson/lesson_size.h"
#include "rights/rights.h"

enum { NAME_BYTES = 64, OUT_BYTES = 1 << 20 };

struct job {
    const char *operand;
    char name[NAME_BYTES];
};

static void play_row(const struct scene_options *options, const char *operand, struct catalogue_row *row)
{
    struct err err = {""};
    struct scenario *scenario = NULL;
    struct play *play = NULL;
    struct play_stories stories = {0};
    struct judgement judgement = {0};
    struct play_options play_options = {.recorder = options->recorder, .quiet = true, .host_network = options->host_network};
    int64_t begun = clock_ms();
    int code = scene_load(operand, &scenario, &err);
    if (!code) snprintf(row->title, sizeof(row->title), "%s", scenario->title);
    if (!code) code = play_run(scenario, &play_options, &play, &err);
    row->result = code == -ENOTSUP || code == -EPERM || code == -EACCES ? CATALOGUE_NOT_HERE : CATALOGUE_FAILED;
    if (code) catalogue_add_words(row, err.text);
    if (play) snprintf(row->recorder, sizeof(row->recorder), "%s", play_recorder(play));
    if (play && !rights_drop(RIGHTS_NONE, &err) && !rights_confine(false, &err) && !play_tell(play_log(play), &stories, &err) &&
        !judge(scenario, play, &stories, &judgement, &err)) {
        catalogue_fill_stories(row, scenario, &stories);
        catalogue_fill_judgement(row, &judgement);
        const struct lesson_size size = lesson_size(operand, scenario, play_log(play));
        row->lesson_rows = size.rows, row->lesson_columns = size.columns;
        if (!code) row->result = judgement.unmet ? CATALOGUE_UNMET : CATALOGUE_MET;
    }
    row->took_ms = clock_ms() - begun;
    judgement_free(&judgement);
    play_stories_free(&stories);
    play_close(play);
    scenario_free(scenario);
}

/* ---- where it goes ---- */

struct target {
    struct place place;
    const struct catalogue_format *format;
};

struct targets {
    struct target list[OUTPUT_FILES_MAX + 1];
    size_t count;
    bool ascii;
};

/* `word`: a format's name, or a file's. */
static const struct catalogue_format *find_format(const char *word, bool is_file)
{
    size_t count, length = strlen(word);
    const struct catalogue_format *formats = catalogue_formats(&count);
    for (size_t i = 0; i < count; i++) {
        size_t tail = strlen(formats[i].suffix);
        if (is_file ? length > tail && !strcmp(word + length - tail, formats[i].suffix) : !strcmp(word, formats[i].name))
            return &formats[i];
    }
    return NULL;
}

static int add_target(struct targets *targets, const char *word, bool is_file, struct keeper *keeper, struct err *err)
{
    struct target *target = &targets->list[targets->count];
    target->format = find_format(word, is_file);
    if (!target->format)
        return err_set(err, -EINVAL, "%s '%s': --all writes text (.txt) and jsonl (.jsonl): a row a scenario, no stories",
                       is_file ? tr("no format for the ending of") : tr("no format"), word);
    targets->count++;
    return place_open(&target->place, is_file ? word : NULL, keeper, err);
}

/* As everywhere: standard output unless there are files alone. */
static int open_targets(struct targets *targets, const struct output_options *options, struct keeper *keeper, struct err *err)
{
    int code = 0;
    targets->ascii = output_ascii(options);
    for (size_t i = 0; i < options->file_count && !code; i++) code = add_target(targets, options->files[i], true, keeper, err);
    if (!code && (options->format || !options->file_count))
        code = add_target(targets, options->format ? options->format : "text", false, keeper, err);
    return code;
}

/* A row, or the totals (`row` NULL), to everybody. 0, or -EPIPE when nobody is left to write to; other failures wait for the end.
 */
static int write_all(struct targets *targets, const char *name, const struct catalogue_row *row,
                     const struct catalogue_totals *totals)
{
    bool alive = false;
    for (size_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->list[i];
        struct buf out = buf_new(OUT_BYTES);
        int code =
            row ? target->format->row(&out, name, row, targets->ascii) : target->format->totals(&out, totals, targets->ascii);
        if (code) {
            struct err err;
            place_fail(&target->place, err_set_errno(&err, code, "can't write %s", target->place.label), &err);
        } else
            place_write(&target->place, out.data, out.length);
        place_flush(&target->place); /* a row takes seconds, and somebody may watch */
        alive = alive || !target->place.code;
        buf_free(&out);
    }
    return alive ? 0 : -EPIPE;
}

/* 0 or the first failure; a reader of standard output that has gone is the least of them. */
static int finish_targets(struct targets *targets, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < targets->count; i++) {
        int code = place_finish(&targets->list[i].place);
        if (!code || (result && code == -EPIPE)) continue;
        result = code;
        *err = targets->list[i].place.err;
    }
    return result;
}

static void close_targets(struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) place_close(&targets->list[i].place);
}

/* ---- all of them ---- */

static void name_job(struct job *job, const char *operand)
{
    const char *slash = strrchr(operand, '/');
    job->operand = operand;
    snprintf(job->name, sizeof(job->name), "%s", slash ? slash + 1 : operand);
    char *dot = strstr(job->name, ".scn");
    if (dot && !dot[4]) *dot = '\0';
}

/* The catalogue at work. */
struct catalogue_run {
    const struct scene_options *options;
    struct job *jobs;
    struct targets *targets;
    struct catalogue_totals *totals;
};

static void work(void *data, size_t i, void *row)
{
    const struct catalogue_run *run = data;
    play_row(run->options, run->jobs[i].operand, row);
}

static void lost(void *data, size_t i, void *ret_row, int wait_status)
{
    struct catalogue_row *row = ret_row;
    (void)data, (void)i;
    row->result = CATALOGUE_FAILED;
    snprintf(row->words, sizeof(row->words), tr("its process ended before it had a result (wait status %d)"), wait_status);
}

static int over(void *data, size_t i, void *row)
{
    const struct catalogue_run *run = data;
    catalogue_add_totals(run->totals, row);
    return write_all(run->targets, run->jobs[i].name, row, NULL);
}

/* Writes what is left to write, and says how it all went. */
static int conclude(struct targets *targets, const struct catalogue_totals *totals, int code, struct err *err)
{
    if (!code) write_all(targets, NULL, NULL, totals);
    if (!code || code == -EPIPE) code = finish_targets(targets, err);
    if (code == -EPIPE) return code;
    if (code) return CLI_FAILED;
    size_t wrong = totals->results[CATALOGUE_UNMET] + totals->results[CATALOGUE_FAILED];
    if (!wrong) return CLI_DONE;
    return err_set(err, CLI_FAILED, "%zu of %zu scenarios did not go as they should", wrong, totals->scenarios);
}

static int run_named(const struct scene_options *options, struct targets *targets, struct catalogue_totals *totals, struct err *err)
{
    size_t count = options->operand_count;
    const struct catalogue_entry *entries = count ? NULL : catalogue(&count);
    struct job *jobs = calloc(count + 1, sizeof(*jobs));
    struct catalogue_row *table = calloc(count + 1, sizeof(*table));
    struct catalogue_run run = {options, jobs, targets, totals};
    const struct beside beside = {count, table, sizeof(*table), work, lost, over, &run};
    int code = jobs && table ? 0 : -ENOMEM;
    if (code) err_set_errno(err, code, "can't run the scenarios");
    for (size_t i = 0; i < count && !code; i++) name_job(&jobs[i], entries ? entries[i].name : options->operands[i]);
    if (!code) code = beside_run(&beside, err);
    free(table);
    free(jobs);
    return code;
}

int scene_run_all(const struct scene_options *options, struct err *err)
{
    struct targets targets = {.count = 0};
    struct catalogue_totals totals = {.scenarios = 0};
    int64_t begun = clock_ms();
    struct keeper *keeper = NULL;
    const struct keeper_files files = {.outputs = options->output.files, .output_count = options->output.file_count};
    int code = keeper_new(&keeper, &files, err);
    if (!code) code = open_targets(&targets, &options->output, keeper, err);
    int status = code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    if (!code) {
        code = run_named(options, &targets, &totals, err);
        totals.took_ms = clock_ms() - begun;
        status = conclude(&targets, &totals, code, err);
    }
    close_targets(&targets);
    keeper_free(keeper);
    return status;
}
