#include "cli/read_capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/filter.h"
#include "capture/savefile.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/places.h"
#include "cli/progress.h"
#include "cli/read_beside.h"
#include "cli/read_stories.h"
#include "cli/segment_queue.h"
#include "cli/tables.h"

enum { BATCH = SEGMENT_QUEUE_ROOM, PLACES_BATCHES = 64, TELL_EVERY = 256, DAMAGES_SHOWN = 10 };

/* One pass. Packets are read and decoded by the first thread; where two processors may be used, `ledger` and `tables` are a second
 * one's while `queue` is not finished. */
struct pass {
    const struct read_options *options;
    struct savefile *file;
    struct filter *filter;
    struct ledger *ledger;
    struct segment_queue *queue; /* with tables */
    struct tables *tables;       /* or */
    struct stories *stories;     /* one of them */
    struct rows_source seen;
    struct progress progress;
    struct err damage;   /* the first */
    const char *trouble; /* what to say of a link type that nobody decodes */
    uint64_t batches;
    struct places places; /* of the first packets, for a table */
};

static int take_row(void *data, const struct ledger_row *row)
{
    struct pass *pass = data;
    return pass->tables ? tables_row(pass->tables, row) : 0;
}

static void note_damage(struct pass *pass)
{
    struct err sentence;
    savefile_damage_say(pass->file, &sentence);
    if (!pass->seen.damages) pass->damage = sentence;
    if (pass->seen.damages > 0 && pass->seen.damages < DAMAGES_SHOWN) cli_note(pass->options->output.quiet, "%s", sentence.text);
    pass->seen.damages++;
}

/* Keeps what passes the filter. */
static int apply_filter(struct pass *pass, struct savefile_packet *packets, size_t *count, struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        bool passes = false;
        const struct savefile_packet *packet = &packets[i];
        int code = filter_passes(pass->filter, packet->link_type, packet->bytes, packet->captured, packet->wire, &passes, err);
        if (code) return code;
        if (passes) packets[kept++] = *packet;
    }
    *count = kept;
    return 0;
}

static bool has_comment(const struct savefile_packet *packet)
{
    const char *text;
    size_t at = 0, length;
    return savefile_comment(packet, &at, &text, &length);
}

/* `from`: which packet a segment is. Returns how many there are. */
static size_t decode(struct pass *pass, const struct savefile_packet *packets, size_t count, struct ledger_segment *segments,
                     uint32_t from[BATCH])
{
    size_t segment_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct savefile_packet *packet = &packets[i];
        enum segment_result result =
            ledger_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, packet->t_ns, &segments[segment_count]);
        pass->seen.results[result]++;
        pass->seen.wire_bytes += packet->wire;
        if (packet->options_bytes) pass->seen.commented += has_comment(packet);
        if (result == SEGMENT_OK) from[segment_count++] = (uint32_t)i;
        if (result == SEGMENT_LINK && !pass->trouble) pass->trouble = segment_link_trouble(packet->link_type);
    }
    for (size_t i = 0; pass->tables && pass->batches < PLACES_BATCHES && i < count; i++)
        places_of(&pass->places, pass->file, &packets[i]);
    pass->seen.packets += count;
    return segment_count;
}

static int feed_tables(void *data, const struct ledger_segment *segments, size_t count)
{
    struct pass *pass = data;
    tables_begin(pass->tables, segments[0].t_ns);
    return ledger_feed(pass->ledger, segments, count, NULL);
}

static int told(int code, struct err *err)
{
    return !code || code == -EPIPE ? code : err_set_errno(err, code, "can't keep the table of connections");
}

static int take_batch(struct pass *pass, struct savefile_packet *packets, size_t count, struct err *err)
{
    struct ledger_segment segments[BATCH];
    uint32_t numbers[BATCH], from[BATCH];
    int code = pass->filter ? apply_filter(pass, packets, &count, err) : 0;
    if (code) return code;
    if (pass->queue) {
        size_t added = decode(pass, packets, count, segment_queue_room(pass->queue), from);
        return told(segment_queue_add(pass->queue, added), err);
    }
    size_t segment_count = decode(pass, packets, count, segments, from);
    code = told(ledger_feed(pass->ledger, segments, segment_count, numbers), err);
    for (size_t i = 0, at = 0; i < count && !code; i++) {
        bool is_segment = at < segment_count && from[at] == i;
        code = stories_take(pass->stories, pass->file, &packets[i], is_segment ? numbers[at] : 0, err);
        at += is_segment;
    }
    return code;
}

/* A wrong filter may be a file that isn't there. */
static int doubt_filter(const struct read_options *options, int code, struct err *err)
{
    const char *word = options->filter_word;
    if (code != -EINVAL || !word) return code;
    if (!strcmp(word, options->filter) || strpbrk(word, "./"))
        return err_set(err, code, "there is no file '%s', and as a filter it says nothing (see pcap-filter(7))", word);
    return code;
}

static int read_all(struct pass *pass, struct err *err)
{
    struct savefile_packet packets[BATCH];
    for (;;) {
        size_t count = 0;
        enum savefile_result result = savefile_batch(pass->file, packets, BATCH, &count);
        if (result == SAVEFILE_END) return 0;
        if (result == SAVEFILE_FAILED) return savefile_failure(pass->file, err);
        if (result == SAVEFILE_DAMAGED) {
            note_damage(pass);
            continue;
        }
        int code = take_batch(pass, packets, count, err);
        if (code) return code == STORIES_FULL ? 0 : doubt_filter(pass->options, code, err);
        if (pass->batches++ % TELL_EVERY) continue;
        uint64_t done = 0, total = 0;
        savefile_progress(pass->file, &done, &total);
        progress_tell(&pass->progress, pass->seen.packets, done, total);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What would be forgotten without a word. */
static int check_misfits(const struct read_options *options, bool tables, struct err *err)
{
    static const struct options_misfit of_stories[] = {
        {"packets-max", "it bounds stories, and this is a table of connections (--conn tells stories, and so does --format text)"},
    };
    static const struct options_misfit of_tables[] = {{"summary", "it goes with tables of connections, not with stories"}};
    static const struct options_misfit of_merged[] = {{"packets-max", "with --merge the bound is fixed: choose with a filter"}};
    static const struct options_misfit of_merged_stories[] = {{"open-max", "with --merge it bounds tables, and these are stories"}};
    int code = options->merge ? options_refuse(options->given, of_merged, COUNT(of_merged), err) : 0;
    if (!code && options->merge && !tables) code = options_refuse(options->given, of_merged_stories, COUNT(of_merged_stories), err);
    if (!code && tables) code = options_refuse(options->given, of_stories, COUNT(of_stories), err);
    if (!code && !tables) code = options_refuse(options->given, of_tables, COUNT(of_tables), err);
    if (!code && tables && options->output.color == OUTPUT_COLOR_ALWAYS)
        code = err_set(err, -EINVAL, "--color: tables of connections have no colours");
    return code;
}

int read_wants_tables(const struct read_options *options, bool *ret_tables, struct err *err)
{
    const char *format = options->output.format;
    *ret_tables = false;
    if (options->conn_count && options->summary)
        return err_set(err, -EINVAL, "--summary tells of all connections, --conn of some: one of them");
    int code = options->conn_count ? 0 : tables_wanted(&options->output, ret_tables, err);
    if (!code) code = check_misfits(options, *ret_tables, err);
    if (!code && options->summary && format && strcmp(format, "summary") != 0)
        code = err_set(err, -EINVAL, "--summary is a format of its own: --format %s tells of each connection", format);
    return code;
}

static int open_places(struct pass *pass, struct err *err)
{
    bool tables = true;
    int code = read_wants_tables(pass->options, &tables, err);
    if (!code && tables) code = tables_open(&pass->tables, &pass->options->output, pass->options->summary, err);
    if (!code && !tables) code = stories_open(&pass->stories, pass->options, err);
    return code;
}

/* Who watches a pipe that is being written sees each row when there is nothing more to read for the moment. */
static void show_rows(void *data)
{
    struct pass *pass = data;
    if (!pass->queue || segment_queue_settle(pass->queue)) return;
    tables_flush(pass->tables);
}

static int open_pass(struct pass *pass, const struct read_source *source, struct err *err)
{
    const struct read_options *options = pass->options;
    int code = open_places(pass, err);
    if (!code && options->filter) code = doubt_filter(options, filter_open(&pass->filter, options->filter, err), err);
    if (code) return code;
    const struct ledger_options bounds = {.open_max = options->open_max};
    pass->ledger = ledger_new(&bounds, take_row, pass);
    if (pass->tables) pass->queue = segment_queue_new(feed_tables, pass, 0);
    if (!pass->ledger || (pass->tables && !pass->queue)) return err_set_errno(err, -ENOMEM, "can't keep a table of connections");
    const struct savefile_options how = {
        .head = source->head, .head_bytes = source->head_bytes, .stop = interrupt_asked, .idle = {show_rows, pass}};
    code = savefile_chain(&pass->file, source->paths, source->count, &how, err);
    if (code && *interrupt_asked) { /* before there was anything to tell */
        err->text[0] = '\0';
        return CLI_INTERRUPTED + *interrupt_asked;
    }
    /* A file that can't be read is no wrong usage. */
    return code == -EINVAL ? -EBADMSG : code;
}

/* What was read is told, and the end is the signal's all the same. */
static int say_interrupt(const struct pass *pass, struct err *err)
{
    if (!*interrupt_asked) return 0;
    return err_set(err, CLI_INTERRUPTED + *interrupt_asked, "interrupted: this is what the first %llu packets tell",
                   (unsigned long long)pass->seen.packets);
}

static int close_pass(struct pass *pass, int code, struct err *err)
{
    /* Where reading failed nothing is told: then what waits is dropped. */
    if (pass->queue && (!code || code == -EPIPE)) code = told(segment_queue_finish(pass->queue), err);
    if (!code && (code = ledger_finish(pass->ledger)) && code != -EPIPE)
        err_set_errno(err, code, "can't finish the table of connections");
    progress_end(&pass->progress);
    if (!code) read_beside(pass->file, &pass->options->output, &pass->seen);
    if (!code && pass->tables && ledger_totals(pass->ledger)->retransmissions)
        read_beside_places(&pass->places, pass->options->output.quiet);
    /* When nobody takes rows any more, the places know why. */
    if ((!code || code == -EPIPE) && pass->tables)
        code = tables_finish(pass->tables, ledger_totals(pass->ledger), &pass->seen, err);
    if (!code && pass->stories) code = stories_finish(pass->stories, pass->seen.dropped, err);
    if (!code && !pass->seen.results[SEGMENT_OK] && pass->trouble)
        cli_note(pass->options->output.quiet, "nothing could be decoded: %s", pass->trouble);
    else if (!code && !pass->seen.results[SEGMENT_OK])
        cli_note(pass->options->output.quiet, "there is no TCP segment among the %llu packets%s",
                 (unsigned long long)pass->seen.packets, pass->options->filter ? " that pass the filter" : "");
    if (!code && pass->seen.damages) {
        *err = pass->damage;
        code = CLI_FAILED;
    }
    return code ? code : say_interrupt(pass, err);
}

int read_capture(const struct read_source *source, const struct read_options *options, struct err *err)
{
    struct pass pass = {.options = options};
    int code = open_pass(&pass, source, err);
    if (!code) {
        pass.progress =
            progress_new(!options->output.quiet && !(pass.tables && !options->summary && tables_on_terminal(pass.tables)));
        code = read_all(&pass, err);
        interrupt_end();
        code = close_pass(&pass, code, err);
    }
    segment_queue_free(pass.queue);
    savefile_close(pass.file);
    filter_close(pass.filter);
    ledger_free(pass.ledger);
    tables_close(pass.tables);
    stories_close(pass.stories);
    return code;
}
