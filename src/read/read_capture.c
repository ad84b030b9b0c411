#include "read/read_capture.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lang.h"
#include "capture/filter.h"
#include "capture/stored/savefile.h"
#include "ledger/datagrams.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/progress.h"
#include "out/status.h"
#include "out/tables.h"
#include "read/places.h"
#include "read/read_beside.h"
#include "read/read_pass.h"
#include "read/read_stories.h"
#include "read/read_unread.h"
#include "read/segment_queue.h"
#include "tcp/fragments.h"

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
    if (pass->seen.damages > 0 && pass->seen.damages < DAMAGES_SHOWN) note_say(pass->options->output.quiet, "%s", sentence.text);
    pass->seen.damages++;
}

static int feed_tables(void *data, const struct ledger_segment *segments, size_t count)
{
    struct pass *pass = data;
    tables_begin(pass->tables, pass->base_ns);
    return ledger_feed(pass->ledger, segments, count, NULL);
}

int read_pass_told(int code, struct err *err)
{
    return !code || code == -EPIPE ? code : err_set_errno(err, code, "can't keep the table of connections");
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
        if (result == SAVEFILE_END) return read_pass_take_last(pass, err);
        if (result == SAVEFILE_FAILED) return savefile_failure(pass->file, err);
        if (result == SAVEFILE_DAMAGED) {
            note_damage(pass);
            continue;
        }
        count = repeats_leave_out(&pass->repeats, packets, count);
        int code = read_pass_take_batch(pass, packets, count, err);
        if (code) return code == STORIES_FULL ? 0 : doubt_filter(pass->options, code, err);
        if (pass->batches++ % TELL_EVERY) continue;
        uint64_t done = 0, total = 0;
        savefile_progress(pass->file, &done, &total);
        progress_tell(&pass->progress, pass->seen.packets, done, total);
    }
}

static int open_places(struct pass *pass, struct err *err)
{
    const struct read_options *options = pass->options;
    if (!options->tables) return stories_open(&pass->stories, options, err);
    int code = tables_open(&pass->tables, &options->output, options->summary, err);
    if (code || options->summary) return code;
    const bool asked = options->only_findings || (options->sorted && options->order == HELD_FINDING);
    const bool list = options->small && tables_lists_only(pass->tables);
    if (asked || list) code = stories_open_found(&pass->stories, options, err);
    if (code || !(asked || list || options->sorted)) return code;
    code =
        tables_sort(pass->tables, options->sorted ? options->order : HELD_FINDING, options->only_findings, options->output.quiet);
    return code ? err_set_errno(err, code, "can't sort the list") : 0;
}

/* Who watches a pipe that is being written sees each row when there is nothing more to read for the moment. */
static void show_rows(void *data)
{
    struct pass *pass = data;
    if (!pass->queue || segment_queue_settle(pass->queue)) return;
    tables_flush(pass->tables);
}

/* Somebody sits before a pipe that is being written, and does not want to wait for TIME_WAIT's minute. */
static bool is_watched(const struct pass *pass, const struct read_source *source)
{
    struct stat in;
    bool pipe = source->count == 1 && strcmp(source->paths[0], "-") == 0 && fstat(STDIN_FILENO, &in) == 0 && !S_ISREG(in.st_mode);
    return pipe && pass->tables && !pass->options->summary && tables_on_terminal(pass->tables);
}

static int open_pass(struct pass *pass, const struct read_source *source, struct err *err)
{
    const struct read_options *options = pass->options;
    int code = open_places(pass, err);
    if (!code && options->filter) code = doubt_filter(options, filter_open(&pass->filter, options->filter, err), err);
    if (code) return code;
    const struct ledger_options bounds = {.open_max = options->open_max, .tells_soon = is_watched(pass, source)};
    pass->ledger = ledger_new(&bounds, take_row, pass);
    pass->datagrams = datagrams_new(options->open_max, read_pass_take_udp_row, pass);
    if (!pass->stories) pass->queue = segment_queue_new(feed_tables, pass, 0);
    if (!pass->ledger || !pass->datagrams || (!pass->stories && !pass->queue))
        return err_set_errno(err, -ENOMEM, "can't keep a table of connections");
    const struct savefile_options how = {.head = source->head,
                                         .head_bytes = source->head_bytes,
                                         .stop = interrupt_asked,
                                         .idle = {show_rows, pass},
                                         .open = keeper_open,
                                         .open_data = options->output.keeper};
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

static void note_udp_and_pieces(struct pass *pass)
{
    const struct datagrams_totals *udp = datagrams_totals(pass->datagrams);
    const struct fragments_counts *pieces = fragments_counts(&pass->fragments);
    pass->seen.udp_flows = udp->flows;
    pass->seen.udp_datagrams = udp->datagrams;
    pass->seen.udp_bytes = udp->bytes;
    pass->seen.udp_crowded = udp->crowded;
    pass->seen.put_together = pieces->whole;
    pass->seen.given_up = pieces->given_up;
    read_unread_sort(&pass->seen);
}

/* For the list, which waits for it. */
static int say_found(struct pass *pass, struct err *err)
{
    const struct rows_findings *findings = NULL;
    int code = stories_found(pass->stories, &findings, err);
    if (!code && !findings && pass->options->only_findings)
        return err_set(err, CLI_FAILED,
                       "--only-findings: that are more packets than are told as stories: choose some with a filter (the list "
                       "without it has all connections)");
    if (!code && !findings)
        note_say(pass->options->output.quiet, "more packets than are told as stories: the list does not say what was found");
    tables_found(pass->tables, findings);
    return code;
}

static int close_pass(struct pass *pass, int code, struct err *err)
{
    /* Where reading failed nothing is told: then what waits is dropped. */
    if (pass->queue && (!code || code == -EPIPE)) code = read_pass_told(segment_queue_finish(pass->queue), err);
    if (!code && (code = ledger_finish(pass->ledger)) && code != -EPIPE)
        err_set_errno(err, code, "can't finish the table of connections");
    if (!code && (code = datagrams_finish(pass->datagrams)) && code != -EPIPE)
        err_set_errno(err, code, "can't finish the table of UDP flows");
    if (!code && pass->tables) code = read_pass_give_udp_rows(pass);
    progress_end(&pass->progress);
    if (!code) read_beside(pass->file, &pass->options->output, &pass->seen);
    if (!code) read_beside_repeats(pass->repeats.left_out, pass->options->output.quiet);
    note_udp_and_pieces(pass);
    const struct ledger_totals *totals = ledger_totals(pass->ledger);
    if (!code && pass->tables) read_beside_late(totals->late, pass->options->output.quiet);
    if (!code && pass->tables)
        read_beside_sights(&pass->places, totals->sights, totals->sights_elsewhere, pass->options->output.quiet);
    if (!code && pass->tables && pass->stories) code = say_found(pass, err);
    /* When nobody takes rows any more, the places know why. */
    if ((!code || code == -EPIPE) && pass->tables)
        code = tables_finish(pass->tables, ledger_totals(pass->ledger), &pass->seen, err);
    if (!code && !pass->tables) code = stories_finish(pass->stories, pass->seen.dropped, err);
    if (!code && !pass->seen.results[SEGMENT_OK] && pass->trouble)
        note_say(pass->options->output.quiet, "nothing could be decoded: %s", tr(pass->trouble));
    else if (!code)
        read_unread_say(&pass->seen, &pass->options->output, !pass->tables, pass->options->filter != NULL);
    if (!code && pass->seen.damages) {
        *err = pass->damage;
        code = CLI_FAILED;
    }
    return code ? code : say_interrupt(pass, err);
}

int read_capture(const struct read_source *source, const struct read_options *options, struct err *err)
{
    struct pass *pass = calloc(1, sizeof(*pass));
    if (!pass) return err_set_errno(err, -ENOMEM, "can't read a capture");
    pass->options = options;
    int code = open_pass(pass, source, err);
    if (!code) {
        pass->progress =
            progress_new(!options->output.quiet && !(pass->tables && !options->summary && tables_on_terminal(pass->tables)));
        code = read_all(pass, err);
        interrupt_end();
        code = close_pass(pass, code, err);
    }
    segment_queue_free(pass->queue);
    savefile_close(pass->file);
    repeats_close(&pass->repeats);
    filter_close(pass->filter);
    ledger_free(pass->ledger);
    datagrams_free(pass->datagrams);
    tables_close(pass->tables);
    stories_close(pass->stories);
    free(pass);
    return code;
}
