#include "read/read_capture.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
#include "read/read_stories.h"
#include "read/read_unread.h"
#include "read/segment_queue.h"
#include "tcp/fragments.h"

enum { BATCH = 64, TELL_EVERY = 256, DAMAGES_SHOWN = 10, UDP_ROWS = 256 };
/* A packet becomes a segment at most, and at any moment what waits for its other pieces may be given up. */
enum { UNITS = BATCH + FRAGMENTS_OUT };
_Static_assert((int)UNITS <= (int)SEGMENT_QUEUE_ROOM, "what a batch of packets makes fits the queue's room");

/* A packet that stories ask for: as it was captured, or put together. */
struct unit {
    struct savefile_packet packet;
    uint32_t conn; /* 0: not known yet, or none */
    bool is_segment, udp;
};

/* One pass. Packets are read and decoded by the first thread; where two processors may be used, `ledger` and `tables` are a second
 * one's while `queue` is not finished. */
struct pass {
    const struct read_options *options;
    struct savefile *file;
    struct filter *filter;
    struct ledger *ledger;
    struct datagrams *datagrams;
    struct fragments fragments;
    struct segment_queue *queue; /* with tables */
    struct tables *tables;       /* or */
    struct stories *stories;     /* one of them; both where a list says what was found */
    bool stories_full;           /* there were more packets than these hold */
    struct rows_source seen;
    struct progress progress;
    struct err damage;   /* the first */
    const char *trouble; /* what to say of a link type that nobody decodes */
    uint64_t batches;
    struct places places;
    bool any; /* `base_ns` is known: the time of the first packet that was read */
    int64_t base_ns;
    struct ledger_segment *room; /* of this batch: segments decoded, and not fed yet */
    size_t room_count;
    struct ledger_segment own_room[UNITS]; /* the stories' */
    struct unit units[UNITS];              /* the stories' */
    size_t unit_count;
    struct ledger_other other;
    struct datagrams_row udp_rows[UDP_ROWS]; /* that wait until the tables may be used */
    size_t udp_row_count;
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
    if (pass->seen.damages > 0 && pass->seen.damages < DAMAGES_SHOWN) note_say(pass->options->output.quiet, "%s", sentence.text);
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

static int feed_tables(void *data, const struct ledger_segment *segments, size_t count)
{
    struct pass *pass = data;
    tables_begin(pass->tables, pass->base_ns);
    return ledger_feed(pass->ledger, segments, count, NULL);
}

static int told(int code, struct err *err)
{
    return !code || code == -EPIPE ? code : err_set_errno(err, code, "can't keep the table of connections");
}

/* Gives the segments of this batch away; for stories each then has the number of its connection. */
static int feed(struct pass *pass)
{
    uint32_t numbers[UNITS];
    size_t count = pass->room_count;
    int code = 0;
    pass->room_count = 0;
    if (pass->queue) {
        code = segment_queue_add(pass->queue, count);
        pass->room = segment_queue_room(pass->queue);
        return code;
    }
    if (pass->tables && count) tables_begin(pass->tables, pass->base_ns);
    code = ledger_feed(pass->ledger, pass->room, count, numbers);
    size_t at = count;
    for (size_t i = pass->unit_count; i-- > 0 && at > 0 && !code;)
        if (pass->units[i].is_segment) pass->units[i].conn = numbers[--at];
    return code;
}

/* All that was decoded so far is in the ledger; the next is decoded into another room. */
static int settle(struct pass *pass)
{
    int code = feed(pass);
    if (code || !pass->queue) return code;
    code = segment_queue_settle(pass->queue);
    pass->room = segment_queue_room(pass->queue);
    return code;
}

static int give_udp_rows(struct pass *pass)
{
    int code = 0;
    tables_begin(pass->tables, pass->base_ns);
    for (size_t i = 0; i < pass->udp_row_count && !code; i++) code = tables_udp(pass->tables, &pass->udp_rows[i]);
    pass->udp_row_count = 0;
    return code;
}

static int take_udp_row(void *data, const struct datagrams_row *row)
{
    struct pass *pass = data;
    if (!pass->tables) return 0;
    int code = 0;
    if (pass->udp_row_count == UDP_ROWS && !(code = settle(pass))) code = give_udp_rows(pass);
    if (!code) pass->udp_rows[pass->udp_row_count++] = *row;
    return code;
}

static void add_unit(struct pass *pass, const struct savefile_packet *packet, uint32_t conn, bool is_segment, bool udp)
{
    if (pass->stories) pass->units[pass->unit_count++] = (struct unit){*packet, conn, is_segment, udp};
}

static void note_time(struct pass *pass, int64_t t_ns)
{
    if (pass->any) return;
    pass->any = true;
    pass->base_ns = t_ns;
}

/* Into the next place of the room, and pass->other. */
static enum segment_result decode(struct pass *pass, const struct savefile_packet *packet)
{
    return ledger_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, packet->t_ns,
                         &pass->room[pass->room_count], &pass->other);
}

static void add_segment(struct pass *pass, const struct savefile_packet *packet)
{
    struct ledger_segment *segment = &pass->room[pass->room_count++];
    segment->place = (uint8_t)places_of(&pass->places, pass->file, packet);
    note_time(pass, packet->t_ns);
    if (pass->stories) add_unit(pass, packet, 0, true, false);
}

static int take_error(struct pass *pass, const struct savefile_packet *packet)
{
    const struct event_packet *error = &pass->other.packet;
    uint32_t conn = 0;
    int code = 0;
    pass->seen.icmp_errors++;
    if (error->icmp.protocol == IPPROTO_UDP) {
        conn = datagrams_icmp(pass->datagrams, error);
    } else {
        code = settle(pass); /* what came before it comes before it */
        if (!code) conn = ledger_icmp(pass->ledger, error);
    }
    add_unit(pass, packet, conn, false, error->icmp.protocol == IPPROTO_UDP);
    return code;
}

static int take_datagram(struct pass *pass, const struct savefile_packet *packet)
{
    uint32_t conn = 0;
    note_time(pass, packet->t_ns);
    int code = datagrams_feed(pass->datagrams, &pass->other, packet->t_ns, &conn);
    if (pass->other.beside.content) read_unread_count(&pass->seen, pass->other.beside.content);
    add_unit(pass, packet, conn, false, true);
    return code;
}

/* What is no common segment; `pass->other` says what it is. */
static int take_other(struct pass *pass, const struct savefile_packet *packet, enum segment_result result)
{
    const struct event_packet *read = &pass->other.packet;
    pass->seen.results[result]++;
    if (result == SEGMENT_LINK && !pass->trouble) pass->trouble = segment_link_trouble(packet->link_type);
    if (result == SEGMENT_OTHER && read->header.protocol == IPPROTO_UDP) return take_datagram(pass, packet);
    if (result == SEGMENT_OTHER && read->icmp.quotes) return take_error(pass, packet);
    if (pass->other.beside.content) read_unread_count(&pass->seen, pass->other.beside.content);
    return 0;
}

/* What was put together, or will not be, is decoded in its turn. Inside it there may be another piece, of a datagram in a tunnel.
 */
static int take_ready(struct pass *pass, const struct savefile_packet *piece, size_t from)
{
    const struct fragments_datagram *ready;
    for (; (ready = fragments_out(&pass->fragments, from)); from++) {
        struct savefile_packet packet = *piece;
        packet.bytes = ready->bytes;
        packet.captured = ready->captured;
        packet.wire = ready->wire;
        packet.link_type = DLT_RAW;
        packet.t_ns = ready->t_ns;
        packet.number = ready->number;
        packet.options_bytes = 0;
        enum segment_result result = decode(pass, &packet);
        if (result != SEGMENT_OK) {
            int code = take_other(pass, &packet, result);
            if (code) return code;
            continue;
        }
        pass->seen.results[SEGMENT_OK]++;
        add_segment(pass, &packet);
    }
    return 0;
}

static void header_of(const struct ledger_segment *segment, struct event_packet_header *header)
{
    *header =
        (struct event_packet_header){.protocol = IPPROTO_TCP, .flags = segment->flags, .seq = segment->seq, .ack = segment->ack};
    header->src = segment->version == 4 ? address_v4(segment->src, segment->src_port) : address_v6(segment->src, segment->src_port);
    header->dst = segment->version == 4 ? address_v4(segment->dst, segment->dst_port) : address_v6(segment->dst, segment->dst_port);
}

/* A piece of a datagram, or a segment while pieces wait for others. */
static int take_in_pieces(struct pass *pass, const struct savefile_packet *packet, enum segment_result result)
{
    size_t from = 0;
    while (fragments_out(&pass->fragments, from)) from++;
    struct ledger_segment segment = pass->room[pass->room_count]; /* its place in the room may be wanted before its turn */
    if (result == SEGMENT_OK && !segment.is_piece) {
        struct event_packet_header header;
        header_of(&segment, &header);
        fragments_due(&pass->fragments, &header);
        int code = take_ready(pass, packet, from);
        pass->room[pass->room_count] = segment;
        pass->seen.results[SEGMENT_OK]++;
        add_segment(pass, packet);
        return code;
    }
    const bool whole_header = segment.is_piece || pass->other.packet.header.protocol;
    pass->seen.results[SEGMENT_FRAGMENT]++;
    fragments_take(&pass->fragments, &pass->other.beside.fragment, whole_header ? &pass->other.packet.header : NULL, packet->t_ns,
                   packet->number);
    return take_ready(pass, packet, from);
}

/* A packet that lies decoded in the room, and in `pass->other`. */
static int take_rare(struct pass *pass, const struct savefile_packet *packet, enum segment_result result)
{
    bool is_segment = result == SEGMENT_OK;
    if (is_segment ? pass->room[pass->room_count].is_piece || fragments_any(&pass->fragments)
                   : pass->other.beside.fragment.version != 0)
        return take_in_pieces(pass, packet, result);
    if (!is_segment) return take_other(pass, packet, result);
    pass->seen.results[SEGMENT_OK]++;
    add_segment(pass, packet);
    return 0;
}

/* Nearly all packets of nearly all captures are segments and nothing else, of one place after the other: those are taken here, from
 * `at` on. Returns where the first is that is something else, decoded; *ret_result is what it is. */
static size_t take_segments(struct pass *pass, const struct savefile_packet *packets, size_t at, size_t count,
                            enum segment_result *ret_result)
{
    struct ledger_segment *segment = &pass->room[pass->room_count];
    size_t from = at;
    for (; at < count; at++, segment++) {
        const struct savefile_packet *packet = &packets[at];
        *ret_result =
            ledger_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, packet->t_ns, segment, &pass->other);
        uint32_t place = places_same(&pass->places, packet);
        if (*ret_result != SEGMENT_OK || !place || segment->is_piece) break;
        segment->place = (uint8_t)place;
        if (pass->stories) add_unit(pass, packet, 0, true, false);
    }
    pass->room_count += at - from;
    pass->seen.results[SEGMENT_OK] += at - from;
    return at;
}

static int tell_units(struct pass *pass, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < pass->unit_count && !code; i++)
        code = stories_take(pass->stories, pass->file, &pass->units[i].packet, pass->units[i].conn, pass->units[i].udp, err);
    pass->unit_count = 0;
    if (code != STORIES_FULL || !pass->tables) return code;
    pass->stories_full = true; /* the list goes on */
    return 0;
}

static int tell_units_that_fit(struct pass *pass, struct err *err)
{
    if (!pass->stories_full) return tell_units(pass, err);
    pass->unit_count = 0;
    return 0;
}

static int take_batch(struct pass *pass, struct savefile_packet *packets, size_t count, struct err *err)
{
    int code = pass->filter ? apply_filter(pass, packets, &count, err) : 0;
    if (code) return code;
    pass->room = pass->queue ? segment_queue_room(pass->queue) : pass->own_room;
    for (size_t i = 0; i < count; i++) pass->seen.wire_bytes += packets[i].wire;
    for (size_t i = 0; i < count && !code; i++) {
        enum segment_result result = SEGMENT_OK;
        if (pass->any && !fragments_any(&pass->fragments))
            i = take_segments(pass, packets, i, count, &result);
        else
            result = decode(pass, &packets[i]);
        if (i == count) break;
        if (packets[i].options_bytes) pass->seen.commented += has_comment(&packets[i]);
        code = take_rare(pass, &packets[i], result);
    }
    if (!code) code = feed(pass);
    pass->seen.packets += count;
    code = told(code, err);
    if (!code && pass->stories) code = tell_units_that_fit(pass, err);
    fragments_clear(&pass->fragments);
    return code;
}

/* What still waits for its other pieces at the end. */
static int take_last(struct pass *pass, struct err *err)
{
    const struct savefile_packet nothing = {0};
    pass->room = pass->queue ? segment_queue_room(pass->queue) : pass->own_room;
    fragments_finish(&pass->fragments);
    int code = take_ready(pass, &nothing, 0);
    if (!code) code = feed(pass);
    code = told(code, err);
    return !code && pass->stories ? tell_units_that_fit(pass, err) : code;
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
        if (result == SAVEFILE_END) return take_last(pass, err);
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
    pass->datagrams = datagrams_new(options->open_max, take_udp_row, pass);
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
    if (pass->queue && (!code || code == -EPIPE)) code = told(segment_queue_finish(pass->queue), err);
    if (!code && (code = ledger_finish(pass->ledger)) && code != -EPIPE)
        err_set_errno(err, code, "can't finish the table of connections");
    if (!code && (code = datagrams_finish(pass->datagrams)) && code != -EPIPE)
        err_set_errno(err, code, "can't finish the table of UDP flows");
    if (!code && pass->tables) code = give_udp_rows(pass);
    progress_end(&pass->progress);
    if (!code) read_beside(pass->file, &pass->options->output, &pass->seen);
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
        note_say(pass->options->output.quiet, "nothing could be decoded: %s", pass->trouble);
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
    filter_close(pass->filter);
    ledger_free(pass->ledger);
    datagrams_free(pass->datagrams);
    tables_close(pass->tables);
    stories_close(pass->stories);
    free(pass);
    return code;
}
