#include "play/catalogue/scene.h"
#include "base/lang.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "lab/scenario/catalogue.h"
#include "out/note.h"
#include "out/status.h"
#include "play/catalogue/vocabulary.h"
#include "play/lesson/explain.h"
#include "play/lesson/lesson.h"
#include "play/lesson/stepper.h"
#include "rights/rights.h"
#include "viz/pen/escape.h"

enum { MISTAKES_BYTES = 1 << 20, LESSON_BYTES = 1 << 20, EXPLAIN_COLUMNS = 100 };

/* ---- finding and reading ---- */

static bool is_file(const char *operand)
{
    size_t length = strlen(operand);
    return strchr(operand, '/') || (length > 4 && strcmp(operand + length - 4, ".scn") == 0);
}

static int read_file(const char *path, char **ret_text, size_t *ret_length, struct err *err)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(SCENARIO_SOURCE_BYTES + 1);
    int code = !file ? -errno : !text ? -ENOMEM : 0;
    if (!code) *ret_length = fread(text, 1, SCENARIO_SOURCE_BYTES + 1, file);
    if (!code && ferror(file)) code = errno ? -errno : -EIO;
    if (file) fclose(file);
    if (code) {
        free(text);
        err_set_errno(err, code, "can't read the scenario %s", path);
        return code;
    }
    *ret_text = text;
    return 0;
}

/* One sentence for what was never a text, instead of a complaint about each of its bytes. */
static int refuse_binary(const char *path, const char *text, size_t length, struct err *err)
{
    static const struct {
        const char *magic;
        size_t bytes;
        const char *what;
    } kinds[] = {
        {"\177ELF", 4, TR("a program")},
        {"\x0a\x0d\x0d\x0a", 4, TR("a capture: 'tcpwhy read' tells it")},
        {"\xd4\xc3\xb2\xa1", 4, TR("a capture: 'tcpwhy read' tells it")},
        {"\xa1\xb2\xc3\xd4", 4, TR("a capture: 'tcpwhy read' tells it")},
        {"\x4d\x3c\xb2\xa1", 4, TR("a capture: 'tcpwhy read' tells it")},
        {"\xa1\xb2\x3c\x4d", 4, TR("a capture: 'tcpwhy read' tells it")},
        {"\xff\xfe", 2, TR("a text in UTF-16: save it as UTF-8")},
        {"\xfe\xff", 2, TR("a text in UTF-16: save it as UTF-8")},
        {"\x1f\x8b", 2, "compressed"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (length >= kinds[i].bytes && memcmp(text, kinds[i].magic, kinds[i].bytes) == 0)
            return err_set(err, -EINVAL, "%s is no scenario but %s", path, tr(kinds[i].what));
    if (!memchr(text, '\0', length)) return 0;
    return err_set(err, -EINVAL, "%s is no scenario: a scenario is a text, and this holds other bytes", path);
}

static int unknown_name(const char *name, struct err *err)
{
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    const char **names = calloc(count + 1, sizeof(*names));
    const char *near = NULL;
    for (size_t i = 0; names && i < count; i++) names[i] = entries[i].name;
    if (names) near = nearest_word(name, names, count);
    free(names);
    if (near) return err_set(err, -ENOENT, "no scenario '%s': did you mean '%s'?", name, near);
    if (access(name, F_OK) == 0)
        return err_set(
            err, -ENOENT,
            "'%s' is a file, and no scenario by its name: those end in .scn or hold a / ('tcpwhy read' tells of captures)", name);
    return err_set(err, -ENOENT, "no scenario '%s': see tcpwhy demo --list (a file's name ends in .scn or holds a /)", name);
}

static int parse(const char *file, const char *text, size_t length, struct scenario **ret_scenario, struct err *err)
{
    struct scenario_mistakes *mistakes = calloc(1, sizeof(*mistakes));
    int code = mistakes ? scenario_parse(text, length, play_vocabulary(), ret_scenario, mistakes) : -ENOMEM;
    if (code == -EINVAL) {
        struct buf out = buf_new(MISTAKES_BYTES);
        scenario_explain(&out, file, text, length, mistakes);
        fputs(buf_string(&out), stderr);
        buf_free(&out);
        err_set(err, code, "%s has %zu mistake%s (docs/SCENARIOS.md explains the language)", file, mistakes->total,
                mistakes->total == 1 ? "" : "s");
    } else if (code)
        err_set_errno(err, code, "can't read the scenario %s", file);
    free(mistakes);
    return code;
}

int scene_load(const char *operand, struct scenario **ret_scenario, struct err *err)
{
    char *text = NULL;
    size_t length = 0;
    if (!is_file(operand)) {
        const struct catalogue_entry *entry = catalogue_find(operand);
        return entry ? parse(operand, entry->text, entry->length, ret_scenario, err) : unknown_name(operand, err);
    }
    int code = read_file(operand, &text, &length, err);
    if (code) return code;
    code = refuse_binary(operand, text, length, err);
    if (!code) code = parse(operand, text, length, ret_scenario, err);
    free(text);
    return code;
}

/* ---- showing ---- */

void scene_report(const char *name, const struct judgement *judgement, bool quiet)
{
    for (size_t i = 0; i < judgement->count; i++) {
        const struct judge_finding *finding = &judgement->list[i];
        if (finding->verdict == JUDGE_UNMET) note_say(false, "%s, line %u: %s", name, finding->line, finding->text);
        if (finding->verdict == JUDGE_UNKNOWN) note_say(quiet, "%s, line %u: %s", name, finding->line, finding->text);
    }
}

static bool wants_ascii(const struct scene_options *options)
{
    return options->output.ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* In sentences; so is --step where there is no terminal to draw on: a line of input for each step. */
static bool tells_aloud(const struct scene_options *options)
{
    return options->explain || (options->step && !stepper_is_possible());
}

/* A person at a terminal who asked for nothing else gets one screen. */
static bool is_lesson(const struct scene_options *options)
{
    const struct output_options *output = &options->output;
    if (tells_aloud(options) || options->whole || !isatty(STDOUT_FILENO)) return false;
    if (output->format || output->file_count || output->otlp) return false;
    return options->step || !(output->brief || output->absolute || output->verbose || output->part != VIEW_WHOLE);
}

/* The result of a play that has a story, whatever became of it. */
static int verdict(const char *name, int code, const struct play *play, const struct judgement *judgement,
                   const struct scene_options *options, struct err *err)
{
    if (code == -EINTR) return CLI_INTERRUPTED + play_signal(play);
    scene_report(name, judgement, options->output.quiet);
    if (code) {
        err_prefix(err, "%s", name);
        return CLI_FAILED;
    }
    if (judgement->unmet)
        return err_set(err, CLI_FAILED, "%s: %zu of %zu expectations not met", name, judgement->unmet, judgement->count);
    if (judgement->count)
        note_say(options->output.quiet, "%s: %zu of %zu expectations met%s", name, judgement->met, judgement->count,
                 judgement->unknown ? tr(", the others can't be told with this recorder") : "");
    return CLI_DONE;
}

/* Rows that the screen has for a lesson: its command, its last words and the prompt stand there too. */
static size_t screen_rows(void)
{
    enum { ROWS_USUAL = 24, ROWS_LEAST = 16, ROWS_TAKEN = 3, ROWS_BRIEF = 43 };
    struct winsize size = {.ws_row = ROWS_USUAL};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row) size.ws_row = ROWS_USUAL;
    size_t rows = size.ws_row < ROWS_LEAST ? ROWS_LEAST : size.ws_row > ROWS_BRIEF ? ROWS_BRIEF : size.ws_row;
    return rows - ROWS_TAKEN;
}

static int show_lesson(const struct scene_options *options, const struct scenario *scenario, const struct play_stories *stories,
                       int *ret_signal, struct err *err)
{
    const struct lesson lesson = {
        .name = options->operands[0],
        .scenario = scenario,
        .stories = stories,
        .look = output_view_options(&options->output, STDOUT_FILENO),
        .rows = screen_rows(),
    };
    if (options->step && stepper_is_possible()) return stepper_run(&lesson, ret_signal, err);
    struct buf out = buf_new(LESSON_BYTES);
    int code = lesson_draw(&lesson, 0, &out, err);
    if (!code && fwrite(buf_string(&out), 1, out.length, stdout) != out.length) code = err_set_errno(err, -EIO, "can't write");
    if (!code && fflush(stdout)) code = err_set_errno(err, -errno, "can't write");
    buf_free(&out);
    return code;
}

static int show(const struct scene_options *options, struct output *output, const struct scenario *scenario, struct play *play,
                const struct play_stories *stories, int *ret_signal, struct err *err)
{
    int screen = output_screen_width(STDOUT_FILENO);
    struct explain_options explain = {.ascii = wants_ascii(options),
                                      .step = options->step,
                                      .width = screen ? screen : EXPLAIN_COLUMNS,
                                      .color = output_view_options(&options->output, STDOUT_FILENO).color};
    int code = output ? output_tell(output, play_log(play), err) : 0;
    if (!code && tells_aloud(options)) code = explain_play(scenario, play, stories, &explain, err);
    if (!code && !output && !tells_aloud(options)) code = show_lesson(options, scenario, stories, ret_signal, err);
    return code;
}

static int play_one(const struct scene_options *options, const char *name, const struct scenario *scenario, struct output *output,
                    struct err *err)
{
    struct play_options play_options = {
        .recorder = options->recorder, .quiet = options->output.quiet, .host_network = options->host_network};
    struct play *play = NULL;
    struct play_stories stories = {0};
    struct judgement judgement = {0};
    struct err show_err = {""};
    int code = play_run(scenario, &play_options, &play, err);
    if (!play) {
        err_prefix(err, "%s", name);
        return code == -EPERM || code == -EACCES ? CLI_DENIED : CLI_FAILED;
    }
    int signal = 0, status = CLI_FAILED, told = rights_drop(RIGHTS_NONE, &show_err);
    if (!told) told = rights_confine(false, &show_err);
    if (!told) told = play_tell(play_log(play), &stories, &show_err);
    if (!told && code != -EINTR) told = judge(scenario, play, &stories, &judgement, &show_err);
    if (!told) {
        status = verdict(name, code, play, &judgement, options, err);
        told = show(options, output, scenario, play, &stories, &signal, &show_err);
        if (told == -EINTR) status = CLI_INTERRUPTED + signal;
    }
    if (told && status == CLI_DONE) {
        status = told == -EPIPE ? told : CLI_FAILED;
        *err = show_err;
    }
    judgement_free(&judgement);
    play_stories_free(&stories);
    play_close(play);
    return status;
}

static int run_one(const struct scene_options *options, struct err *err)
{
    struct output_options shown = options->output;
    struct scenario *scenario = NULL;
    struct output *output = NULL;
    const char *name = options->operands[0];
    int code = scene_load(name, &scenario, err);
    if (code) return code == -EINVAL || code == -ENOENT ? CLI_USAGE : CLI_FAILED;
    if (scenario && scenario->marked) note_say(options->output.quiet, "%s begins with a byte order mark, which is skipped", name);
    if (options->host_network && scenario && scenario->place == SCENARIO_WIRE) {
        scenario_free(scenario);
        return err_set(err, CLI_USAGE, "--host-network: %s plays on two hosts of its own (one with 'place loopback' can use it)",
                       name);
    }
    bool shows = (!tells_aloud(options) && !is_lesson(options)) || options->output.format || options->output.file_count ||
                 options->output.otlp;
    if (scenario) {
        shown.title = tr(scenario->title);
        shown.question = lesson_question(scenario);
    }
    if (shows) code = output_open(&output, &shown, err);
    int status = code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    if (!code) status = play_one(options, name, scenario, output, err);
    output_close(output);
    scenario_free(scenario);
    return status;
}

int scene_run(const struct scene_options *options, struct err *err)
{
    if (options->list) return scene_list(options, err);
    if (options->all) return scene_run_all(options, err);
    if (options->operand_count > 1)
        return err_set(err, CLI_USAGE, "one scenario at a time: what is '%s'? (--all runs several)", options->operands[1]);
    return run_one(options, err);
}
