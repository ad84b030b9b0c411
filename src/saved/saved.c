#include "saved/saved.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/extent.h"
#include "event/text.h"
#include "pcapng/writer.h"
#include "saved/saved_own.h"

static const int64_t BEHIND_NS = 1000000000; /* packets' times may step back by so much */

enum { HOLD_BYTES_MOST = 256 << 20, LINE_BYTES = 1 << 24, HEAD_BYTES = 1024 };

struct saved *saved_new(const struct saved_options *options, const struct sink *sink)
{
    struct saved *saved = calloc(1, sizeof(*saved));
    if (!saved) return NULL;
    saved->options = *options;
    if (!saved->options.hold_bytes_most) saved->options.hold_bytes_most = HOLD_BYTES_MOST;
    saved->sink = *sink;
    saved->link_type = -1;
    saved->pending = buf_new(LINE_BYTES);
    saved->block = buf_new((size_t)SAVED_BLOCK_BYTES * 2);
    saved->entry = buf_new(SAVED_BLOCK_BYTES);
    saved->sentences = table_new(sizeof(struct saved_key));
    saved->sockets = table_new(sizeof(uint64_t));
    saved->words = table_new(SAVED_WORDS_KEY_BYTES);
    if (!saved->sentences || !saved->sockets || !saved->words) {
        saved_free(saved);
        return NULL;
    }
    return saved;
}

static void free_record(struct saved_record *record)
{
    free(record->lines);
    free(record->bytes);
}

static void free_values(struct table *table)
{
    size_t cursor = 0;
    const void *key;
    void *value;
    while (table && table_next(table, &cursor, &key, &value)) free(value);
    table_free(table);
}

void saved_free(struct saved *saved)
{
    if (!saved) return;
    for (size_t i = 0; i < saved->record_count; i++) free_record(&saved->records[i]);
    for (size_t i = 0; i < saved->row_count; i++) free(saved->rows[i].entry);
    free(saved->records);
    free(saved->rows);
    (void)saved_forget_sentences(saved, INT64_MAX);
    free_values(saved->sockets);
    free_values(saved->words);
    buf_free(&saved->pending);
    buf_free(&saved->block);
    buf_free(&saved->entry);
    free(saved);
}

/* ---- writing ---- */

static int flush(struct saved *saved)
{
    if (saved->block.failed && !saved->code) saved->code = -ENOMEM;
    if (!saved->code && saved->block.length)
        saved->code = saved->sink.write(saved->sink.data, saved->block.data, saved->block.length);
    buf_clear(&saved->block);
    return saved->code;
}

/* Interfaces stand before all else: Wireshark takes a file's encapsulation from what comes before its first packet or entry, and
 * editcap won't write one that has none. */
static void write_interfaces(struct saved *saved)
{
    for (size_t i = 0; i < saved->record_count && saved->link_type < 0; i++)
        if (saved->records[i].bytes) saved->link_type = saved->records[i].event.packet.link_type;
    if (saved->link_type < 0) saved->link_type = DLT_EN10MB;
    if (!saved->vantage_count) saved_vantage_of(saved, 0);
    for (size_t i = 0; i < saved->vantage_count; i++) saved_interface(saved, &saved->vantages[i]);
}

static void write_head(struct saved *saved, bool complete)
{
    char comment[HEAD_BYTES];
    const struct saved_options *options = &saved->options;
    if (saved->begun) return;
    saved->begun = true;
    int used =
        snprintf(comment, sizeof(comment), "%s · tcpwhy %s", options->packets_alone ? "tcpwhy packets" : SAVED_RUN, TCPWHY_VERSION);
    if (options->system)
        used += snprintf(comment + used, sizeof(comment) - (size_t)used, " · %.200s%s%.60s", options->system,
                         options->hardware ? " " : "", options->hardware ? options->hardware : "");
    if (saved->recorder[0]) used += snprintf(comment + used, sizeof(comment) - (size_t)used, " · recorder %.31s", saved->recorder);
    if (saved->course_only)
        used +=
            snprintf(comment + used, sizeof(comment) - (size_t)used,
                     " · of segments that tell of a connection's course: headers as the kernel showed them, no options, no data");
    if (!complete)
        snprintf(comment + used, sizeof(comment) - (size_t)used, " · what was lost stands at the end");
    else if (saved->lost || saved->dropped)
        snprintf(comment + used, sizeof(comment) - (size_t)used, " · lost: %" PRIu64 " events of the recorder, %" PRIu64 " packets",
                 saved->lost, saved->dropped);
    else
        snprintf(comment + used, sizeof(comment) - (size_t)used, " · nothing lost");
    const struct pcapng_section section = {comment, options->hardware, options->system, "tcpwhy " TCPWHY_VERSION};
    pcapng_write_section(&saved->block, &section);
    write_interfaces(saved);
}

/* A journal entry's time counts microseconds. Of the two around its moment the one is taken that keeps the file's times in order.
 */
static void write_entry(struct saved *saved, int64_t t_ns, int64_t next_ns, const char *entry, size_t length)
{
    struct buf whole = buf_new(SAVED_BLOCK_BYTES);
    int64_t time_us = t_ns > 0 ? t_ns / 1000 : 0, later_us = saved->written_ns / 1000 + 1;
    if (time_us * 1000 < saved->written_ns && later_us * 1000 <= next_ns) time_us = later_us;
    buf_printf(&whole, "__REALTIME_TIMESTAMP=%" PRId64 "\n", time_us);
    buf_append(&whole, entry, length);
    if (whole.failed) saved->block.failed = true;
    pcapng_write_journal(&saved->block, buf_string(&whole), whole.length);
    saved->written_ns = time_us * 1000;
    buf_free(&whole);
}

static int write_record(struct saved *saved, const struct saved_record *record, int64_t next_ns)
{
    if (record->event.kind == EVENT_PACKET && saved_packet(saved, record)) {
        saved->written_ns = record->event.t_ns;
        return flush(saved);
    }
    if (saved->options.packets_alone) return 0;
    saved_entry(saved, record);
    if (saved->entry.failed) saved->block.failed = true;
    write_entry(saved, record->event.t_ns, next_ns, buf_string(&saved->entry), saved->entry.length);
    return flush(saved);
}

static int by_time(const void *a, const void *b)
{
    const struct saved_row *x = a, *y = b;
    if (x->t_ns != y->t_ns) return x->t_ns < y->t_ns ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Writes the stories' rows of before that time. */
static int write_rows(struct saved *saved, size_t *at, int64_t before_ns)
{
    int code = saved->code;
    for (; !code && *at < saved->row_count && saved->rows[*at].t_ns < before_ns; (*at)++) {
        struct saved_row *row = &saved->rows[*at];
        write_entry(saved, row->t_ns, before_ns, row->entry, row->entry_bytes);
        code = flush(saved);
    }
    return code;
}

/* Writes the first `count` records with the rows that stand before them, and forgets them. */
static int write_first(struct saved *saved, size_t count, bool all_rows)
{
    size_t row = 0;
    if (saved->row_count) qsort(saved->rows, saved->row_count, sizeof(*saved->rows), by_time);
    for (size_t i = 0; i < count && !saved->code; i++) {
        int64_t next_ns = i + 1 < saved->record_count ? saved->records[i + 1].place_ns : INT64_MAX;
        if (row < saved->row_count && saved->rows[row].t_ns < next_ns) next_ns = saved->rows[row].t_ns;
        if (!write_rows(saved, &row, saved->records[i].place_ns)) write_record(saved, &saved->records[i], next_ns);
        free_record(&saved->records[i]);
        saved->records[i].lines = NULL;
        saved->records[i].bytes = NULL;
    }
    if (all_rows) write_rows(saved, &row, INT64_MAX);
    for (size_t i = 0; i < row; i++) free(saved->rows[i].entry);
    if (row) memmove(saved->rows, saved->rows + row, (saved->row_count - row) * sizeof(*saved->rows));
    saved->row_count -= row;
    if (!saved->code) {
        saved->record_count -= count;
        memmove(saved->records, saved->records + count, saved->record_count * sizeof(*saved->records));
    }
    return saved->code;
}

static size_t weight(const struct saved_record *record)
{
    return sizeof(*record) + record->lines_bytes + (record->bytes ? record->event.packet.captured_bytes : 0);
}

static int forget_words(struct saved *saved)
{
    free_values(saved->words);
    free_values(saved->sockets);
    saved->words = table_new(SAVED_WORDS_KEY_BYTES);
    saved->sockets = table_new(sizeof(uint64_t));
    return saved->words && saved->sockets ? 0 : -ENOMEM;
}

static int make_room(struct saved *saved)
{
    if (saved->held_bytes <= saved->options.hold_bytes_most) return 0;
    write_head(saved, false);
    int code = write_first(saved, saved->record_count / 2, false);
    /* What was said of packets that are written, and of sockets that may be gone, is of no use any more. */
    if (!code && saved->record_count) code = saved_forget_sentences(saved, saved->records[0].place_ns - BEHIND_NS);
    if (!code) code = forget_words(saved);
    saved->held_bytes = 0;
    for (size_t i = 0; i < saved->record_count; i++) saved->held_bytes += weight(&saved->records[i]);
    return code;
}

/* ---- taking ---- */

static int copy_bytes(const struct event *event, struct saved_record *record)
{
    const struct event_packet *packet = &event->packet;
    if (event->kind != EVENT_PACKET || !packet->bytes || !packet->captured_bytes) return 0;
    if (packet->captured_bytes > SAVED_SNAP_BYTES)
        return record->event.packet.bytes = NULL, 0; /* Wireshark would refuse the file */
    record->bytes = malloc(packet->captured_bytes);
    if (!record->bytes) return -ENOMEM;
    memcpy(record->bytes, packet->bytes, packet->captured_bytes);
    record->event.packet.bytes = NULL;
    return 0;
}

static int keep(struct saved *saved, const struct event *event)
{
    if (saved->record_count == saved->record_room) {
        size_t room = saved->record_room ? saved->record_room * 2 : 256;
        struct saved_record *records = reallocarray(saved->records, room, sizeof(*records));
        if (!records) return -ENOMEM;
        saved->records = records;
        saved->record_room = room;
    }
    struct saved_record record = {.place_ns = event->t_ns, .lines_bytes = saved->pending.length};
    event_assign(&record.event, event);
    if (saved->last_ns > record.place_ns) record.place_ns = saved->last_ns;
    saved->last_ns = record.place_ns;
    int code = copy_bytes(event, &record);
    if (!code && !(record.lines = malloc(record.lines_bytes + 1))) code = -ENOMEM;
    if (code) {
        free_record(&record);
        return code;
    }
    memcpy(record.lines, buf_string(&saved->pending), record.lines_bytes);
    buf_clear(&saved->pending);
    saved->records[saved->record_count++] = record;
    saved->held_bytes += weight(&record);
    return make_room(saved);
}

/* What has gathered becomes a row: it is too much for one packet's option, or nothing comes behind it. */
static int keep_pending(struct saved *saved, int64_t t_ns)
{
    if (!saved->pending.length) return 0;
    const struct event evidence = {.kind = EVENT_NONE, .t_ns = t_ns};
    return keep(saved, &evidence);
}

static void note(struct saved *saved, const struct event *event)
{
    if (event->kind == EVENT_TRACE) {
        memcpy(saved->recorder, event->trace.recorder, sizeof(saved->recorder));
        saved->course_only = event->trace.course_only;
    }
    if (event->kind == EVENT_VANTAGE) {
        struct saved_vantage *vantage = saved_vantage_of(saved, event->vantage.number);
        memcpy(vantage->name, event->vantage.name, sizeof(vantage->name));
        vantage->v4 = event->vantage.v4;
        vantage->v6 = event->vantage.v6;
    }
    if (event->kind != EVENT_LOST || !event->lost.count) return;
    static const char capture[] = "capture ";
    if (strncmp(event->lost.source, capture, strlen(capture)) != 0 && strcmp(event->lost.source, "capture") != 0) {
        saved->lost += event->lost.count;
        return;
    }
    if (strncmp(event->lost.what, "dropped", 7) != 0) return; /* it was seen, and not understood */
    saved->dropped += event->lost.count;
    for (size_t i = 0; i < saved->vantage_count; i++)
        if (!strcmp(saved->vantages[i].name, event->lost.source + strlen(capture))) saved->vantages[i].dropped += event->lost.count;
}

int saved_event(struct saved *saved, const struct event *event)
{
    struct event line;
    event_assign(&line, event);
    if (saved->code) return saved->code;
    if (event->kind == EVENT_PACKET) line.packet.bytes = NULL; /* they stand in the packet block */
    note(saved, event);
    int code = saved_note_sockets(saved, event);
    if (!code && saved->pending.length > SAVED_LINES_BYTES) code = keep_pending(saved, event->t_ns);
    if (!code && !saved->options.packets_alone) code = event_text_write(&saved->pending, &line);
    if (!code && saved_is_row(event)) code = keep(saved, event);
    return saved->code = code;
}

int saved_story(struct saved *saved, const struct story *story)
{
    if (saved->code) return saved->code;
    int code = saved_take_sentences(saved, story);
    if (!code && !saved->options.packets_alone) code = saved_take_rows(saved, story);
    return saved->code = code;
}

static void write_statistics(struct saved *saved)
{
    for (size_t i = 0; i < saved->vantage_count; i++) {
        const struct saved_vantage *vantage = &saved->vantages[i];
        if (vantage->written)
            pcapng_write_statistics(&saved->block, vantage->interface, saved->last_ns, vantage->packets + vantage->dropped,
                                    vantage->dropped, NULL);
    }
}

int saved_finish(struct saved *saved)
{
    if (!saved->code) saved->code = keep_pending(saved, saved->last_ns);
    if (saved->code) return saved->code;
    write_head(saved, true);
    flush(saved);
    write_first(saved, saved->record_count, true);
    write_statistics(saved);
    return flush(saved);
}
