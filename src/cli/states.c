#include "cli/states.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "cli/states_own.h"
#include "lab/scenario/catalogue.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/output.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/beside.h"
#include "play/catalogue/scene.h"
#include "play/stage/play.h"
#include "read/stored.h"
#include "record/session.h"
#include "rights/rights.h"
#include "viz/svg/states_figure.h"

/* What a scenario shows, from the process that played it. */
struct shown {
    struct arrow_map map;
    int code, signal;
    struct err err;
};

enum { NAMES_MAX = 4, NAMES_BYTES = 1024 };
enum { KEY_DRY, KEY_BLANK, KEY_RECORDER, KEY_OUTPUT, KEY_COLOR, KEY_ASCII, KEY_QUIET, KEY_VERBOSE };

static const struct options_row rows[] = {
    {KEY_DRY, 0, "dry", NULL, TR("run nothing: draw the figure, with what stored files show")},
    {KEY_BLANK, 0, "blank", "WHAT", TR("names, labels or both left out, to be filled in: an exercise, and without it the key")},
    {KEY_RECORDER, 0, "recorder", "NAME", TR("auto, bpf, ptrace or none")},
    {KEY_OUTPUT, 'o', "output", "FILE", TR("write to FILE, a picture if it ends in .svg, else .txt; may be repeated")},
    {KEY_COLOR, 0, "color", "WHEN", TR("auto, always or never (auto obeys NO_COLOR)")},
    {KEY_ASCII, 0, "ascii", NULL, TR("draw with ASCII characters only")},
    {KEY_QUIET, 'q', "quiet", NULL, TR("no notes on standard error")},
    {KEY_VERBOSE, 'v', "verbose", NULL, TR("lists above the figure: what showed each arrow, or why it was not seen")},
};

bool states_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

static int take_file(struct output_options *look, const char *path, struct err *err)
{
    if (look->file_count == OUTPUT_FILES_MAX) return err_set(err, -EINVAL, "-o: at most %d files", OUTPUT_FILES_MAX);
    if (!states_ends_with(path, ".svg") && !states_ends_with(path, ".txt"))
        return err_set(err, -EINVAL, "states: no format has the ending of '%s': there are .svg .txt", path);
    look->files[look->file_count++] = path;
    return 0;
}

static int take(void *target, int key, const char *value, struct err *err)
{
    struct states *states = target;
    switch (key) {
    case KEY_DRY:
        states->dry = true;
        return 0;
    case KEY_BLANK:
        states->blanks = !strcmp(value, "names")    ? VIEW_BLANK_NAMES
                         : !strcmp(value, "labels") ? VIEW_BLANK_LABELS
                         : !strcmp(value, "both")   ? VIEW_BLANK_NAMES | VIEW_BLANK_LABELS
                                                    : 0;
        return states->blanks ? 0 : err_set(err, -EINVAL, "--blank: '%s' is not names, labels or both", value);
    case KEY_RECORDER:
        if (!session_knows_recorder(value))
            return err_set(err, -EINVAL, "--recorder: '%s' is not auto, bpf, ptrace or none", value);
        states->recorder = value;
        return 0;
    case KEY_OUTPUT:
        return take_file(&states->look, value, err);
    case KEY_COLOR:
        return output_color_from(value, &states->look.color, err);
    case KEY_ASCII:
        states->look.ascii = true;
        return 0;
    case KEY_VERBOSE:
        states->look.verbose++;
        return 0;
    default:
        states->look.quiet = true;
        return 0;
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A log's stories go into a map, and then, as other witnesses, what listening sockets did. */
struct taking {
    const char *name;
    struct arrow_map *map;
};

static int take_event(void *data, const struct event *event)
{
    const struct taking *taking = data;
    arrows_take_event(taking->map, taking->name, event);
    return 0;
}

static int take_log(const char *name, struct event_log *log, struct arrow_map *map, struct err *err)
{
    struct play_stories stories = {0};
    struct taking taking = {name, map};
    struct stream *stream = stream_new(log, false);
    int code = stream ? play_stories_join(&stories, stream, err) : err_set_errno(err, -ENOMEM, "can't tell the story");
    if (!code) stream_finish(stream);
    if (!code) code = play_stories_finish(&stories, err);
    for (size_t i = 0; i < stories.count; i++)
        if (!stories.list[i]->udp) arrows_take_story(map, name, stories.list[i]);
    if (!code && (code = stream_tap(stream, 0, take_event, &taking))) err_set_errno(err, code, "can't tell the story");
    if (!code) stream_finish(stream);
    play_stories_free(&stories);
    stream_free(stream);
    return code;
}

static void add_name(struct states *states, const char *name)
{
    if (states->named < NAMES_MAX) buf_printf(&states->names, "%s%s", states->named ? ", " : "", name);
    if (states->named++ == NAMES_MAX) buf_text(&states->names, tr(" and more"));
}

static int take_stored(struct states *states, const char *path, struct err *err)
{
    struct event_log *log = event_log_new();
    int code = log ? stored_load(path, states->look.keeper, NULL, 0, log, err) : err_set_errno(err, -ENOMEM, "can't read %s", path);
    const char *name = strcmp(path, "-") ? base_name(path) : tr("standard input");
    if (!code) code = take_log(name, log, &states->map, err);
    if (!code) add_name(states, name);
    event_log_free(log);
    return code;
}

/* Plays a scenario, in a process of its own. One that breaks off half way has shown something all the same. */
static int show(const struct states *states, const char *operand, struct shown *shown)
{
    struct err *err = &shown->err, told = {""};
    struct scenario *scenario = NULL;
    struct play *play = NULL;
    struct play_options options = {.recorder = states->recorder, .quiet = states->look.quiet};
    int code = scene_load(operand, &scenario, err);
    if (code) return code;
    note_say(states->look.quiet, "%s: %s", base_name(operand), scenario->title);
    code = play_run(scenario, &options, &play, err);
    if (play) {
        shown->signal = play_signal(play);
        int tell_code = rights_drop(RIGHTS_NONE, &told);
        if (!tell_code) tell_code = rights_confine(false, &told);
        if (!tell_code) tell_code = take_log(base_name(operand), play_log(play), &shown->map, &told);
        if (!code && tell_code) {
            code = tell_code;
            *err = told;
        }
    }
    play_close(play);
    scenario_free(scenario);
    return code;
}

static int no_such(const char *name, struct err *err)
{
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    const char **names = calloc(count + 1, sizeof(*names));
    if (!names) return err_set_errno(err, -ENOMEM, "can't look for %s", name);
    for (size_t i = 0; i < count; i++) names[i] = entries[i].name;
    const char *near = nearest_word(name, names, count);
    if (near)
        err_set(err, -EINVAL, "states: no scenario '%s': did you mean '%s'?", name, near);
    else
        err_set(err, -EINVAL,
                "states: '%s' is neither a scenario (tcpwhy demo --list), nor a file that ends in .scn, .events or .pcapng", name);
    free(names);
    return -EINVAL;
}

static bool is_stored(const char *operand)
{
    return !strcmp(operand, "-") || states_ends_with(operand, ".events") || states_ends_with(operand, ".pcapng");
}

static bool is_file(const char *operand)
{
    return strchr(operand, '/') || states_ends_with(operand, ".scn");
}

/* Before anything is played: that all are there. */
static int check_operand(const struct states *states, const char *operand, struct err *err)
{
    if (is_stored(operand)) return 0;
    if (!is_file(operand) && !catalogue_find(operand)) return no_such(operand, err);
    if (states->dry) return err_set(err, -EINVAL, "states: with --dry only stored files (.events) can be shown, not '%s'", operand);
    return 0;
}

/* ---- played, each in a process of its own ---- */

/* The i-th that is to be played: a scenario's name, or a file. */
static const char *played(const struct states *states, size_t i, size_t *ret_operand)
{
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    *ret_operand = 0;
    if (!states->operand_count) return i < count ? entries[i].name : NULL;
    for (size_t k = 0; k < states->operand_count; k++) {
        if (is_stored(states->operands[k]) || i--) continue;
        *ret_operand = k;
        return states->operands[k];
    }
    return NULL;
}

struct run {
    struct states *states;
    struct err *err;
};

static void work(void *data, size_t i, void *row)
{
    const struct run *run = data;
    struct shown *shown = row;
    size_t operand;
    shown->code = show(run->states, played(run->states, i, &operand), shown);
}

static void lost(void *data, size_t i, void *row, int wait_status)
{
    struct shown *shown = row;
    (void)data, (void)i;
    shown->code = err_set(&shown->err, -ECHILD, "its process ended before it had shown anything (wait status %d)", wait_status);
}

/* The stored runs that the command line names before this operand. */
static int take_stored_before(struct states *states, size_t operand, struct err *err)
{
    int code = 0;
    for (; states->taken < operand && !code; states->taken++)
        if (is_stored(states->operands[states->taken])) code = take_stored(states, states->operands[states->taken], err);
    return code;
}

/* Of the whole catalogue what can't be played here is said and left out. */
static int over(void *data, size_t i, void *row)
{
    const struct run *run = data;
    struct states *states = run->states;
    struct shown *shown = row;
    size_t operand;
    const char *name = base_name(played(states, i, &operand));
    int code = take_stored_before(states, operand, run->err);
    if (code) return code;
    arrows_join(&states->map, &shown->map);
    if (shown->map.stories) add_name(states, name);
    states->signal = shown->signal;
    if (!shown->code) return 0;
    *run->err = shown->err;
    if (states->operand_count || shown->code == -EINTR || shown->code == -ENOMEM || shown->code == -EPERM || shown->code == -EACCES)
        return shown->code;
    note_say(states->look.quiet, "%s: %s", name, shown->err.text);
    states->failed++;
    run->err->text[0] = 0;
    return 0;
}

static int take_all(struct states *states, struct err *err)
{
    struct run run = {states, err};
    struct beside beside = {.row_bytes = sizeof(struct shown), .work = work, .lost = lost, .over = over, .data = &run};
    size_t operand;
    int code = 0;
    while (!(states->dry && !states->operand_count) && played(states, beside.count, &operand)) beside.count++;
    if (beside.count) {
        beside.rows = calloc(beside.count, beside.row_bytes);
        code = beside.rows ? beside_run(&beside, err) : err_set_errno(err, -ENOMEM, "can't play the scenarios");
        free(beside.rows);
    }
    return code ? code : take_stored_before(states, states->operand_count, err);
}

/* A recorder records, which takes rights; what is stored has been recorded. */
static int check(struct states *states, int count, char **operands, struct err *err)
{
    static const struct options_misfit of_play[] = {{"recorder", TR("nothing is played here")}};
    const struct keeper_files kept = {(const char *const *)operands, (size_t)count, states->look.files, states->look.file_count};
    bool plays = !states->dry && !count;
    if (states->look.color == OUTPUT_COLOR_ALWAYS && !states_writes_text(states))
        return err_set(err, -EINVAL, "--color: only text has colours, and nothing is written as text");
    if (states->look.verbose && !states_writes_text(states))
        return err_set(err, -EINVAL, "--verbose: only text has lists, and nothing is written as text");
    int code = 0;
    for (int i = 0; i < count && !code; i++) code = check_operand(states, operands[i], err);
    for (int i = 0; i < count; i++) plays = plays || !is_stored(operands[i]);
    if (!code && !plays) code = options_refuse(&states->given, of_play, 1, err);
    if (!code) code = keeper_new(&states->look.keeper, &kept, err);
    if (code || plays) return code; /* then rights are given up once there is who plays */
    code = rights_drop(RIGHTS_NONE, err);
    return code ? code : rights_confine(false, err);
}

int cli_states(int argc, char **argv, struct err *err)
{
    struct states *states = calloc(1, sizeof(*states));
    if (!states) return err_set_errno(err, -ENOMEM, "can't draw the states");
    states->names = buf_new(NAMES_BYTES);
    const struct options_group groups[] = {{TR("Options"), rows, sizeof(rows) / sizeof(rows[0]), take, states}};
    const struct options_verb verb = {
        "states",
        STATES_USAGE,
        STATES_SUMMARY,
        groups,
        1,
        TR("Without a name the whole catalogue is played (tcpwhy demo --list). A name is a scenario of the "
           "catalogue, a file of your own that ends in .scn, or a run stored with -o FILE.events."),
        &states->given,
        NULL};
    int operand = 0, code = options_parse(&verb, argc, argv, &operand, err);
    if (code) {
        buf_free(&states->names);
        free(states);
        return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    }
    states->operands = (const char *const *)argv + operand;
    states->operand_count = (size_t)(argc - operand);
    code = check(states, argc - operand, argv + operand, err);
    if (!code) code = take_all(states, err);
    if (!code) code = states_draw_all(states, err);
    bool failed = states->failed;
    int signal = states->signal;
    buf_free(&states->names);
    keeper_free(states->look.keeper);
    free(states);
    if (code == -EPIPE) return code;
    if (code == -EINTR) return CLI_INTERRUPTED + signal;
    if (code == -EINVAL) return CLI_USAGE;
    if (code == -EPERM || code == -EACCES) return CLI_DENIED;
    if (!code && failed) return err_set(err, CLI_FAILED, "states: not every scenario could be played to its end");
    return code ? CLI_FAILED : CLI_DONE;
}
