#include "cli/quiz.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/quiz_own.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/place.h"
#include "out/status.h"
#include "quiz/pens.h"
#include "record/session.h"

enum { PAPER_BYTES = 1 << 26, QUESTIONS_MOST = 10000, SEEDS_USUAL = 100000, EXPORT_WIDTH = 80 };

struct quizzing {
    struct quiz_options options;
    struct quiz_stories stories;
    const struct quiz_pen *pen;          /* --export; NULL: none */
    const char *files[OUTPUT_FILES_MAX]; /* -o, of papers */
    size_t file_count;
    struct options_given given;
};

enum { KEY_SEED, KEY_HIDE, KEY_COUNT, KEY_EXPORT, KEY_OUTPUT, KEY_CONN, KEY_RECORDER, KEY_ASCII, KEY_QUIET };

static const struct options_row rows[] = {
    {KEY_SEED, 0, "seed", "N", TR("which paper: the same seed asks the same of the same run (default: another each time)")},
    {KEY_HIDE, 0, "hide", "FIELDS", TR("what to ask for: cause, state, flags, seq, ack, returns, next, wake (default: all)")},
    {KEY_COUNT, 'n', "count", "N", TR("that many questions at most (default 10)")},
    {KEY_EXPORT, 0, "export", "NAME",
     TR("ask nothing, write the paper to standard output: sheet (to print, with its key), gift (Moodle), html (one page), jsonl")},
    {KEY_OUTPUT, 'o', "output", "FILE",
     TR("write the paper to FILE: .txt a sheet, .gift, .html, .jsonl; .events keeps the run that was played; may be repeated")},
    {KEY_CONN, 0, "conn", "N", TR("of what is stored, ask about connection N (u1, u2 … are UDP flows); may be repeated")},
    {KEY_RECORDER, 0, "recorder", "NAME", TR("who records the calls of a scenario: auto, bpf, ptrace or none")},
    {KEY_ASCII, 0, "ascii", NULL, TR("draw with ASCII characters only")},
    {KEY_QUIET, 'q', "quiet", NULL, TR("no notes on standard error")},
};

static const char notes[] =
    TR("A SCENARIO is a name from tcpwhy demo --list, or a file that ends in .scn, and is played. A FILE is a "
       "capture or a run stored with "
       "-o FILE.events; a file's name holds a / or is there. Answers are lines of standard input: a letter or "
       "a number; q ends. The last "
       "line is the mark, such as \"7 of 10\".\n"
       "Exit status: 0 all right (or the paper is written), 1 some wrong or not answered, or it failed, 2 "
       "wrong usage, 3 not permitted.");

static int take_fields(struct quiz_options *options, const char *value, struct err *err)
{
    while (*value) {
        size_t length = strcspn(value, ","), found = QUIZ_FIELDS;
        for (size_t i = 0; i < QUIZ_FIELDS; i++) {
            const char *name = quiz_field_name((enum quiz_field)i);
            if (strlen(name) == length && memcmp(name, value, length) == 0) found = i;
        }
        if (found == QUIZ_FIELDS)
            return err_set(err, -EINVAL, "--hide: '%.*s' is not one of cause, state, flags, seq, ack, returns, next, wake",
                           (int)(length > 40 ? 40 : length), value);
        options->fields |= 1u << found;
        value += length;
        if (*value) value++;
    }
    return options->fields
               ? 0
               : err_set(err, -EINVAL, "--hide: names at least one of cause, state, flags, seq, ack, returns, next, wake");
}

static int take_export(struct quizzing *quiz, const char *value, struct err *err)
{
    quiz->pen = quiz_pen_by_name(value);
    return quiz->pen ? 0 : err_set(err, -EINVAL, "--export: '%s' is not sheet, gift, html or jsonl", value);
}

static int take_file(struct quizzing *quiz, const char *path, struct err *err)
{
    struct output_options *output = &quiz->stories.read.output;
    size_t length = strlen(path), tail = strlen(OUTPUT_EVENTS_SUFFIX);
    bool is_events = length > tail && !strcmp(path + length - tail, OUTPUT_EVENTS_SUFFIX);
    if (output->file_count + quiz->file_count == OUTPUT_FILES_MAX)
        return err_set(err, -EINVAL, "-o: at most %d files", OUTPUT_FILES_MAX);
    if (is_events)
        output->files[output->file_count++] = path;
    else if (quiz_pen_by_path(path))
        quiz->files[quiz->file_count++] = path;
    else
        return err_set(err, -EINVAL,
                       "quiz: no paper has the ending of '%s': there are .txt .gift .html .jsonl, and .events for the run", path);
    return 0;
}

static int take_conn(struct read_options *read, const char *value, struct err *err)
{
    bool udp = value[0] == 'u';
    long number = 0;
    if (read->conn_count == READ_CONNS_MAX) return err_set(err, -EINVAL, "--conn: at most %d of them", READ_CONNS_MAX);
    int code = options_number("--conn", value + udp, 1, UINT32_MAX, &number, err);
    if (!code) read->conns[read->conn_count++] = (struct read_range){(uint32_t)number, (uint32_t)number, udp};
    return code;
}

static int take(void *target, int key, const char *value, struct err *err)
{
    struct quizzing *quiz = target;
    long number = 0;
    int code = 0;
    switch (key) {
    case KEY_SEED:
        code = options_number("--seed", value, 0, INT64_MAX, &number, err);
        quiz->options.seed = (uint64_t)number;
        return code;
    case KEY_HIDE:
        return take_fields(&quiz->options, value, err);
    case KEY_COUNT:
        code = options_number("--count", value, 1, QUESTIONS_MOST, &number, err);
        quiz->options.count = (size_t)number;
        return code;
    case KEY_EXPORT:
        return take_export(quiz, value, err);
    case KEY_OUTPUT:
        return take_file(quiz, value, err);
    case KEY_CONN:
        return take_conn(&quiz->stories.read, value, err);
    case KEY_RECORDER:
        if (!session_knows_recorder(value))
            return err_set(err, -EINVAL, "--recorder: '%s' is not auto, bpf, ptrace or none", value);
        quiz->stories.recorder = value;
        return 0;
    case KEY_ASCII:
        quiz->stories.read.output.ascii = true;
        return 0;
    default:
        quiz->stories.read.output.quiet = true;
        return 0;
    }
}

/* To a file, or with NULL to standard output. */
static int write_paper(const struct quizzing *quiz, const struct quiz_paper *paper, const char *path, struct err *err)
{
    const struct quiz_pen *pen = path ? quiz_pen_by_path(path) : quiz->pen;
    const struct output_options *output = &quiz->stories.read.output;
    struct buf out = buf_new(PAPER_BYTES);
    struct place place;
    int code = place_open(&place, path, output->keeper, err);
    if (!code && (pen->write(paper, &out) || out.failed)) code = err_set_errno(err, -ENOMEM, "can't write the paper");
    if (!code) {
        place_write(&place, out.data, out.length);
        code = place_finish(&place);
        if (code && code != -EPIPE) *err = place.err;
    }
    if (!code && path) note_say(output->quiet, "wrote %s: %zu question%s", path, paper->count, paper->count == 1 ? "" : "s");
    place_close(&place);
    buf_free(&out);
    return code;
}

/* An exit status, or a negative errno. */
static int use(const struct quizzing *quiz, const struct quiz_paper *paper, const char *operand, struct err *err)
{
    size_t right = 0;
    int code = 0;
    const unsigned kernels = 1u << QUIZ_CAUSE | 1u << QUIZ_WAKE, wanted = quiz->options.fields;
    if (!paper->count)
        return err_set(err, CLI_FAILED, "%s shows nothing that could be asked beyond doubt%s", operand,
                       wanted && !(wanted & ~kernels)
                           ? tr(": causes and waits are asked of what root recorded, with the kernel's own word")
                           : "");
    for (size_t i = 0; i < quiz->file_count && !code; i++) code = write_paper(quiz, paper, quiz->files[i], err);
    if (!code && quiz->pen) code = write_paper(quiz, paper, NULL, err);
    if (code || quiz->pen || quiz->file_count) return code;
    code = quiz_ask_all(paper, &right);
    return code ? code : right == paper->count ? CLI_DONE : CLI_FAILED;
}

static int check(const struct quizzing *quiz, const char *operand, struct err *err)
{
    static const struct options_misfit of_stored[] = {{"recorder", TR("nothing is played here")}};
    static const struct options_misfit of_played[] = {{"conn", TR("it chooses from what is stored, and this is a scenario")}};
    bool asks = !quiz->pen && !quiz->file_count;
    if (!strcmp(operand, "-") && asks)
        return err_set(err, -EINVAL, "quiz: standard input can't hold both the run and the answers: --export writes the paper");
    if (quiz_is_stored(operand) && quiz->stories.read.output.file_count)
        return err_set(err, -EINVAL, "-o %s: %s is stored already", quiz->stories.read.output.files[0], operand);
    return quiz_is_stored(operand) ? options_refuse(&quiz->given, of_stored, 1, err)
                                   : options_refuse(&quiz->given, of_played, 1, err);
}

static int run(struct quizzing *quiz, const char *operand, struct err *err)
{
    struct output_options *output = &quiz->stories.read.output;
    const char *outputs[2 * OUTPUT_FILES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < output->file_count; i++) outputs[count++] = output->files[i];
    for (size_t i = 0; i < quiz->file_count; i++) outputs[count++] = quiz->files[i];
    const struct keeper_files kept = {&operand, quiz_is_stored(operand) ? 1 : 0, outputs, count};
    bool asks = !quiz->pen && !quiz->file_count;
    struct quiz_paper paper = {0};
    int code = keeper_new(&output->keeper, &kept, err);
    if (!code) code = quiz_stories_get(&quiz->stories, operand, err);
    quiz->options.printed = !asks;
    quiz->options.ascii = output_ascii(output);
    quiz->options.width = asks ? output_view_options(output, STDOUT_FILENO).width : EXPORT_WIDTH;
    if (!code) code = quiz_make(quiz->stories.list, quiz->stories.count, &quiz->options, &paper, err);
    if (!code) code = use(quiz, &paper, operand, err);
    quiz_free(&paper);
    return code;
}

int cli_quiz(int argc, char **argv, struct err *err)
{
    struct quizzing *quiz = calloc(1, sizeof(*quiz));
    if (!quiz) return err_set_errno(err, -ENOMEM, "can't write a paper");
    quiz->options.seed = (uint64_t)time(NULL) % SEEDS_USUAL;
    const struct options_group groups[] = {{TR("Options"), rows, sizeof(rows) / sizeof(rows[0]), take, quiz}};
    const struct options_verb verb = {"quiz", QUIZ_USAGE, QUIZ_SUMMARY, groups, 1, notes, &quiz->given, NULL};
    int operand = 0, code = options_parse(&verb, argc, argv, &operand, err);
    if (code) {
        free(quiz);
        return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    }
    if (operand == argc)
        code = err_set(err, -EINVAL, "quiz: a scenario or a file is missing, such as late-accept: see tcpwhy quiz --help");
    if (!code && operand + 1 < argc) code = err_set(err, -EINVAL, "quiz: one run at a time, so what is '%s'?", argv[operand + 1]);
    if (!code) code = check(quiz, argv[operand], err);
    if (!code) code = run(quiz, argv[operand], err);
    int signal = quiz->stories.signal;
    keeper_free(quiz->stories.read.output.keeper);
    quiz_stories_free(&quiz->stories);
    free(quiz);
    if (code >= 0 || code == -EPIPE) return code;
    if (code == -EINTR && signal) return CLI_INTERRUPTED + signal;
    if (code == -EINVAL) return CLI_USAGE;
    if (code == -EPERM || code == -EACCES) return CLI_DENIED;
    return CLI_FAILED;
}
