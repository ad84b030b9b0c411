#include "cli/states.h"

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
#include "lab/scenario/catalogue.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/output.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/vocabulary.h"
#include "play/stage/play.h"
#include "read/stored.h"
#include "record/session.h"
#include "rights/rights.h"
#include "viz/svg/states_figure.h"

static const size_t picture_limit = (size_t)1 << 22;

struct states {
    struct output_options look; /* files, color, ascii, quiet */
    struct buf names;           /* of what was taken, the first few */
    size_t named;
    const char *recorder;
    bool dry;
    struct options_given given;
    const char *name; /* of what is being taken */
    struct arrow_map map;
    size_t failed; /* scenarios that gave no story */
    int signal;    /* that broke one off; 0 none */
};

enum { NAMES_MAX = 4, NAMES_BYTES = 1024 };
enum { KEY_DRY, KEY_RECORDER, KEY_OUTPUT, KEY_COLOR, KEY_ASCII, KEY_QUIET, KEY_VERBOSE };

static const struct options_row rows[] = {
    {KEY_DRY, 0, "dry", NULL, "run nothing: draw the figure, with what stored files show"},
    {KEY_RECORDER, 0, "recorder", "NAME", "auto, bpf, ptrace or none"},
    {KEY_OUTPUT, 'o', "output", "FILE", "write to FILE, a picture if it ends in .svg, else .txt; may be repeated"},
    {KEY_COLOR, 0, "color", "WHEN", "auto, always or never (auto obeys NO_COLOR)"},
    {KEY_ASCII, 0, "ascii", NULL, "draw with ASCII characters only"},
    {KEY_QUIET, 'q', "quiet", NULL, "no notes on standard error"},
    {KEY_VERBOSE, 'v', "verbose", NULL, "lists above the figure: what showed each arrow, or why it was not seen"},
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

static int take_file(struct output_options *look, const char *path, struct err *err)
{
    if (look->file_count == OUTPUT_FILES_MAX) return err_set(err, -EINVAL, "-o: at most %d files", OUTPUT_FILES_MAX);
    if (!ends_with(path, ".svg") && !ends_with(path, ".txt"))
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

static int take_event(void *data, const struct event *event)
{
    struct states *states = data;
    arrows_take_event(&states->map, states->name, event);
    return 0;
}

/* Takes what a log shows: its stories, and then, as other witnesses, what listening sockets did. */
static int take_log(struct states *states, const char *name, struct event_log *log, struct err *err)
{
    struct play_stories stories = {0};
    struct stream *stream = stream_new(log, false);
    states->name = name;
    int code = stream ? play_stories_join(&stories, stream, err) : err_set_errno(err, -ENOMEM, "can't tell the story");
    if (!code) stream_finish(stream);
    if (!code) code = play_stories_finish(&stories, err);
    for (size_t i = 0; i < stories.count; i++)
        if (!stories.list[i]->udp) arrows_take_story(&states->map, name, stories.list[i]);
    if (!code && (code = stream_tap(stream, 0, take_event, states))) err_set_errno(err, code, "can't tell the story");
    if (!code) stream_finish(stream);
    play_stories_free(&stories);
    if (states->named < NAMES_MAX) buf_printf(&states->names, "%s%s", states->named ? ", " : "", name);
    if (states->named++ == NAMES_MAX) buf_text(&states->names, " and more");
    stream_free(stream);
    return code;
}

static int take_stored(struct states *states, const char *path, struct err *err)
{
    struct event_log *log = event_log_new();
    int code = log ? stored_load(path, states->look.keeper, NULL, 0, log, err) : err_set_errno(err, -ENOMEM, "can't read %s", path);
    if (!code) code = take_log(states, strcmp(path, "-") ? base_name(path) : "standard input", log, err);
    event_log_free(log);
    return code;
}

/* Plays a scenario. One that breaks off half way has shown something all the same. */
static int take_scenario(struct states *states, const char *name, const char *text, size_t length, struct err *err)
{
    struct scenario *scenario = NULL;
    struct scenario_mistakes *mistakes = calloc(1, sizeof(*mistakes));
    if (!mistakes) return err_set_errno(err, -ENOMEM, "can't read %s", name);
    int code = scenario_parse(text, length, play_vocabulary(), &scenario, mistakes);
    if (code == -EINVAL)
        err_set(err, code, "%s:%u:%u: %s%s", name, mistakes->list[0].line, mistakes->list[0].column, mistakes->list[0].text,
                mistakes->total > 1 ? " (and more: 'tcpwhy demo' with this file tells all)" : "");
    else if (code)
        err_set_errno(err, code, "can't read %s", name);
    free(mistakes);
    if (code) return code;
    struct play_options options = {.recorder = states->recorder, .quiet = states->look.quiet, .one_of_many = true};
    struct play *play = NULL;
    note_say(states->look.quiet, "%s: %s", name, scenario->title);
    code = play_run(scenario, &options, &play, err);
    struct err told = {""};
    if (play) {
        states->signal = play_signal(play);
        int tell_code = take_log(states, name, play_log(play), &told);
        if (!code && tell_code) {
            code = tell_code;
            *err = told;
        }
    }
    play_close(play);
    scenario_free(scenario);
    return code;
}

static int take_scenario_file(struct states *states, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        int code = -errno;
        return err_set_errno(err, code, "can't open %s", path);
    }
    char *text = malloc(SCENARIO_SOURCE_BYTES);
    size_t length = text ? fread(text, 1, SCENARIO_SOURCE_BYTES, file) : 0;
    int code = !text                             ? err_set_errno(err, -ENOMEM, "can't read %s", path)
               : ferror(file)                    ? err_set_errno(err, -EIO, "can't read %s", path)
               : length == SCENARIO_SOURCE_BYTES ? err_set(err, -EFBIG, "%s is too long for a scenario", path)
                                                 : take_scenario(states, base_name(path), text, length, err);
    free(text);
    fclose(file);
    return code;
}

static int take_entry(struct states *states, const struct catalogue_entry *entry, struct err *err)
{
    return take_scenario(states, entry->name, entry->text, entry->length, err);
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
    return !strcmp(operand, "-") || ends_with(operand, ".events") || ends_with(operand, ".pcapng");
}

static int take_operand(struct states *states, const char *operand, struct err *err)
{
    if (is_stored(operand)) return take_stored(states, operand, err);
    bool is_file = strchr(operand, '/') || ends_with(operand, ".scn");
    const struct catalogue_entry *entry = is_file ? NULL : catalogue_find(operand);
    if (!is_file && !entry) return no_such(operand, err);
    if (states->dry) return err_set(err, -EINVAL, "states: with --dry only stored files (.events) can be shown, not '%s'", operand);
    return is_file ? take_scenario_file(states, operand, err) : take_entry(states, entry, err);
}

/* The whole catalogue. What can't be played here is said and left out. */
static int take_catalogue(struct states *states, struct err *err)
{
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    int code = 0;
    for (size_t i = 0; i < count; i++) {
        code = take_entry(states, &entries[i], err);
        if (code == -EINTR || code == -ENOMEM || code == -EPERM || code == -EACCES) return code;
        if (code) note_say(states->look.quiet, "%s: %s", entries[i].name, err->text);
        if (code) states->failed++;
    }
    err->text[0] = 0;
    return 0;
}

/* To a file, or with NULL to standard output. */
static int draw_to(const struct states *states, const char *path, struct err *err)
{
    struct buf picture = buf_new(picture_limit);
    struct place place;
    int code = place_open(&place, path, states->look.keeper, err);
    struct view_options options = output_view_options(&states->look, place.fd);
    int drawn = path && ends_with(path, ".svg") ? states_draw_svg(&states->map, buf_string(&states->names), &options, &picture)
                                                : states_draw(&states->map, &options, &picture);
    if (!code && drawn) code = err_set_errno(err, drawn, "can't draw the states");
    if (!code) {
        place_write(&place, picture.data, picture.length);
        code = place_finish(&place);
        if (code && code != -EPIPE) *err = place.err;
    }
    if (!code && path) note_say(states->look.quiet, "wrote %s", path);
    place_close(&place);
    buf_free(&picture);
    return code;
}

static bool writes_text(const struct states *states)
{
    for (size_t i = 0; i < states->look.file_count; i++)
        if (!ends_with(states->look.files[i], ".svg")) return true;
    return states->look.file_count == 0;
}

static int draw(const struct states *states, struct err *err)
{
    if (!states->look.file_count) return draw_to(states, NULL, err);
    int code = 0;
    for (size_t i = 0; i < states->look.file_count && !code; i++) code = draw_to(states, states->look.files[i], err);
    return code;
}

/* A recorder records, which takes rights; what is stored has been recorded. */
static int check(struct states *states, int count, char **operands, struct err *err)
{
    static const struct options_misfit of_play[] = {{"recorder", "nothing is played here"}};
    const struct keeper_files kept = {(const char *const *)operands, (size_t)count, states->look.files, states->look.file_count};
    bool plays = !states->dry && !count;
    if (states->look.color == OUTPUT_COLOR_ALWAYS && !writes_text(states))
        return err_set(err, -EINVAL, "--color: only text has colours, and nothing is written as text");
    if (states->look.verbose && !writes_text(states))
        return err_set(err, -EINVAL, "--verbose: only text has lists, and nothing is written as text");
    for (int i = 0; i < count; i++) plays = plays || !is_stored(operands[i]);
    if (plays) return 0;
    int code = options_refuse(&states->given, of_play, 1, err);
    if (!code) code = keeper_new(&states->look.keeper, &kept, err);
    if (!code) code = rights_drop(RIGHTS_NONE, err);
    return code ? code : rights_confine(false, err);
}

int cli_states(int argc, char **argv, struct err *err)
{
    struct states *states = calloc(1, sizeof(*states));
    if (!states) return err_set_errno(err, -ENOMEM, "can't draw the states");
    states->names = buf_new(NAMES_BYTES);
    const struct options_group groups[] = {{"Options", rows, sizeof(rows) / sizeof(rows[0]), take, states}};
    const struct options_verb verb = {
        "states",
        STATES_USAGE,
        STATES_SUMMARY,
        groups,
        1,
        "Without a name the whole catalogue is played (tcpwhy demo --list). A name is a scenario of the "
        "catalogue, a file of your own that ends in .scn, or a run stored with -o FILE.events.",
        &states->given};
    int operand = 0, code = options_parse(&verb, argc, argv, &operand, err);
    if (code) {
        buf_free(&states->names);
        free(states);
        return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    }
    code = check(states, argc - operand, argv + operand, err);
    if (!code && operand == argc && !states->dry) code = take_catalogue(states, err);
    for (int i = operand; i < argc && !code; i++) code = take_operand(states, argv[i], err);
    if (!code) code = draw(states, err);
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
