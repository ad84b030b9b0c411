/* Merging, last: tables of the merged connections, or the stories of those that were chosen. */
#include <errno.h>
#include <string.h>

#include "base/lang.h"
#include "out/note.h"
#include "out/tables.h"
#include "read/merge.h"
#include "viz/plan/clock_words.h"

enum { BATCH = 64 };

static int take_row(void *data, const struct ledger_row *row)
{
    return tables_row(data, row);
}

/* Views that have no place for a sentence (csv, zeek) leave it to a note. */
static void note_clocks(const struct merge *merge)
{
    struct buf text = buf_new(1 << 14);
    for (size_t i = 0; i < merge->match.clocks.count; i++) {
        buf_clear(&text);
        clock_sentence(
            &text, &merge->clock[i],
            &(struct clock_style){.ascii = output_ascii(&merge->options->output), .detailed = merge->options->output.verbose > 0});
        while (text.length && text.data[text.length - 1] == '\n') text.data[--text.length] = '\0';
        note_say(merge->options->output.quiet, "%s", buf_string(&text));
    }
    buf_free(&text);
}

static int feed_tables(struct merge *merge, struct tables *tables, struct err *err)
{
    const struct ledger_options bounds = {.open_max = merge->options->open_max};
    struct ledger *ledger = ledger_new(&bounds, take_row, tables);
    struct rows_source seen = {0};
    struct ledger_segment batch[BATCH];
    size_t count = 0;
    int code = ledger ? 0 : -ENOMEM;
    for (size_t i = 0; i < merge->item_count && !code; i++) {
        if (merge->item[i].fate != FATE_COPY) batch[count++] = merge_item_segment(merge, &merge->item[i]);
        if (count < BATCH && i + 1 < merge->item_count) continue;
        if (count) tables_begin(tables, batch[0].t_ns);
        code = ledger_feed(ledger, batch, count, NULL);
        count = 0;
    }
    if (!code) code = ledger_finish(ledger);
    if (code && code != -EPIPE) err_set_errno(err, code, "can't keep the table of connections");
    for (int capture = 0; capture < MATCH_CAPTURES; capture++) {
        seen.packets += merge->capture[capture].seen.packets;
        seen.wire_bytes += merge->capture[capture].seen.wire_bytes;
        seen.damages += merge->capture[capture].seen.damages;
        for (size_t i = 0; i < SEGMENT_RESULTS; i++) seen.results[i] += merge->capture[capture].seen.results[i];
    }
    if (!code) code = tables_finish(tables, ledger_totals(ledger), &seen, err);
    ledger_free(ledger);
    return code;
}

static int tell_tables(struct merge *merge, struct err *err)
{
    const struct read_options *options = merge->options;
    struct tables *tables = NULL;
    int code = tables_open(&tables, &options->output, options->summary, err);
    if (code) return code;
    tables_merged(tables, merge->path, merge->conn_count, merge->clock, merge->match.clocks.count);
    if (options->sorted && tables_sort(tables, options->order, false, options->output.quiet)) {
        tables_close(tables);
        return err_set_errno(err, -ENOMEM, "can't sort the list");
    }
    const char *format = options->output.format;
    if (options->summary || (format && (!strcmp(format, "csv") || !strcmp(format, "zeek") || !strcmp(format, "summary"))))
        note_clocks(merge);
    code = feed_tables(merge, tables, err);
    tables_close(tables);
    return code;
}

static bool is_chosen(const struct read_options *options, uint32_t conn)
{
    if (!options->conn_count) return true;
    for (size_t i = 0; i < options->conn_count; i++)
        if (conn >= options->conns[i].from && conn <= options->conns[i].to) return true;
    return false;
}

static int append_head(const struct merge *merge, struct event_log *log)
{
    int64_t begin_ns = merge->item_count ? merge->item[0].sent_ns : 0;
    struct event trace = {
        .kind = EVENT_TRACE, .t_ns = begin_ns, .trace = {.recorder = "none", .reason = TR("two captures, merged")}};
    int code = event_log_append(log, &trace);
    for (uint32_t i = 0; i < MATCH_CAPTURES && !code; i++) {
        struct event vantage = {.kind = EVENT_VANTAGE, .t_ns = begin_ns, .vantage = {.number = i + 1}};
        memcpy(vantage.vantage.name, merge->capture[i].name, sizeof(vantage.vantage.name));
        code = event_log_append(log, &vantage);
    }
    for (size_t i = 0; i < merge->match.clocks.count && !code; i++) {
        const struct story_clock *from = &merge->clock[i];
        struct event clock = {.kind = EVENT_CLOCK,
                              .t_ns = from->at_ns,
                              .clock = {.vantage = MATCH_B + 1,
                                        .against = MATCH_A + 1,
                                        .offset_ns = from->offset_ns,
                                        .uncertainty_ns = from->uncertainty_ns,
                                        .most_ns = from->most_ns,
                                        .drift_ppb = from->drift_ppb,
                                        .drift_within_ppb = from->drift_within_ppb,
                                        .span_ns = from->span_ns,
                                        .forth = from->forth,
                                        .back = from->back,
                                        .left_out = from->left_out,
                                        .from_ns = from->from_ns,
                                        .stepped = from->stepped,
                                        .guessed = from->guessed}};
        code = event_log_append(log, &clock);
    }
    return code;
}

static int append_packet(struct event_log *log, int64_t t_ns, int capture, struct event_packet packet, uint64_t same,
                         const struct merge_item *item)
{
    struct event event = {.kind = EVENT_PACKET, .t_ns = t_ns, .packet = packet};
    event.packet.vantage = (uint32_t)capture + 1;
    event.packet.same = same;
    event.packet.fate = item ? item->fate : FATE_UNKNOWN;
    event.packet.early = item && item->early;
    /* Bytes are not kept, so their count means nothing in a stored log. */
    event.packet.captured_bytes = 0;
    return event_log_append(log, &event);
}

/* A segment's sending and its arrival: two packets that are the same. */
static int append_item(const struct merge *merge, struct event_log *log, size_t index)
{
    const struct merge_item *item = &merge->item[index];
    int code = append_packet(log, item->sent_ns, item->capture, merge_item_packet(merge, item), index + 1, item);
    if (code || item->came == MATCH_NONE) return code;
    return append_packet(log, item->received_ns, !item->capture, merge->capture[!item->capture].packet[item->came].packet,
                         index + 1, NULL);
}

static int append_icmp(const struct merge *merge, struct event_log *log)
{
    int code = 0;
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < merge->capture[capture].icmp_count && !code; i++) {
            const struct merge_icmp *icmp = &merge->capture[capture].icmp[i];
            int64_t t_ns = clocks_time(icmp->t_ns);
            if (capture == MATCH_B) t_ns = clocks_to_a(&merge->match.clocks, icmp->packet.number, t_ns);
            code = append_packet(log, t_ns, capture, icmp->packet, 0, NULL);
        }
    return code;
}

/* A story's own number counts the stories told; people chose by the table's. */
static void renumber(void *data, struct story *story)
{
    const struct merge *merge = data;
    for (size_t i = 0; i < story->step_count; i++) {
        if (story->steps[i].kind != STEP_SEGMENT || !story->steps[i].segment->captured) continue;
        uint64_t same = story->steps[i].segment->captured->same;
        if (same && same <= merge->item_count && merge->item[same - 1].conn) story->number = merge->item[same - 1].conn;
        return;
    }
}

static int tell_stories(struct merge *merge, struct err *err)
{
    const struct read_options *options = merge->options;
    struct output *output = NULL;
    struct event_log *log = event_log_new();
    int code = log ? output_open(&output, &options->output, err) : err_set_errno(err, -ENOMEM, "can't tell stories");
    for (size_t i = 0; i < options->conn_count && !code; i++)
        if (options->conns[i].from > merge->conn_count)
            code = err_set(err, -ENOENT, "there is no connection %u: the captures have %u in common", options->conns[i].from,
                           merge->conn_count);
    if (!code) {
        output_look(output, renumber, merge);
        code = append_head(merge, log);
        for (size_t i = 0; i < merge->item_count && !code; i++)
            if (is_chosen(options, merge->item[i].conn)) code = append_item(merge, log, i);
        if (!code) code = append_icmp(merge, log);
        code = code ? err_set_errno(err, code, "can't keep the packets of the stories") : output_tell(output, log, err);
    }
    output_close(output);
    event_log_free(log);
    return code;
}

int merge_tell(struct merge *merge, bool tables, struct err *err)
{
    return tables ? tell_tables(merge, err) : tell_stories(merge, err);
}
