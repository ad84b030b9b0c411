#include "watch/closing.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/lang.h"
#include "viz/pen/escape.h"
#include "viz/pen/json.h"
#include "viz/plan/words.h"

enum { NAME_BYTES = 16384 }; /* a path, escaped */

static void say_losses(const struct closing *closing, struct buf *out)
{
    const struct story_trace *trace = closing->trace;
    bool any = false;
    for (size_t i = 0; i < trace->loss_count; i++) {
        const struct story_loss *loss = &trace->losses[i];
        if (!loss->count) continue;
        totals_label(out, any ? "" : TR("lost"));
        buf_printf(out, "%s: %" PRIu64 " (%s)\n", tr(loss->what), loss->count, loss->source);
        any = true;
    }
    if (closing->lines_lost) {
        totals_label(out, any ? "" : TR("lost"));
        buf_printf(out, tr("lines that nobody read in time: %" PRIu64 "\n"), closing->lines_lost);
        any = true;
    }
    if (closing->touched) {
        totals_label(out, "");
        buf_printf(out, tr("connections that were open then: %" PRIu64 "\n"), closing->touched);
    }
    uint64_t events = trace->loss_count ? trace->losses[0].received : 0;
    if (any) return;
    totals_label(out, TR("lost"));
    buf_printf(out, tr("nothing, of %" PRIu64 " events\n"), events);
}

static void say_traces(const struct closing *closing, struct buf *out)
{
    const struct flight_counts *counts = closing->traces;
    char held[WORDS_BYTES];
    if (!counts) return;
    struct buf folder = buf_new(NAME_BYTES);
    totals_label(out, TR("traces"));
    escape_text(&folder, closing->folder, closing->ascii);
    buf_printf(out, tr("%" PRIu64 " written to %s"), counts->written, folder.failed ? "?" : buf_string(&folder));
    buf_free(&folder);
    if (counts->skipped) buf_printf(out, tr(", %" PRIu64 " more asked for while one was written"), counts->skipped);
    if (counts->removed) buf_printf(out, tr(", %" PRIu64 " older ones removed"), counts->removed);
    if (counts->failed) buf_printf(out, tr(", %" PRIu64 " failed (%s)"), counts->failed, err_errno_text(-counts->code));
    if (counts->early) buf_printf(out, tr("; the memory held %s"), words_duration(counts->holds_ns, held));
    buf_char(out, '\n');
}

static void say_spans(const struct closing *closing, struct buf *out)
{
    const struct spans_counts *counts = closing->spans;
    char number[WORDS_BYTES];
    if (!counts) return;
    struct buf url = buf_new(NAME_BYTES);
    totals_label(out, TR("spans"));
    escape_text(&url, closing->url, closing->ascii);
    buf_printf(out, tr("%s sent to %s"), words_grouped(counts->taken, number), url.failed ? "?" : buf_string(&url));
    buf_free(&url);
    if (counts->lost) buf_printf(out, tr(", %s lost"), words_grouped(counts->lost, number));
    if (counts->no_room) buf_printf(out, tr(", %s of them because it was too slow"), words_grouped(counts->no_room, number));
    if (counts->reason[0]) buf_text(out, ": ");
    escape_text(out, counts->reason, closing->ascii);
    buf_char(out, '\n');
}

void closing_write(const struct closing *closing, struct buf *out)
{
    say_traces(closing, out);
    say_spans(closing, out);
    say_losses(closing, out);
}

static void put_losses(struct json *json, const struct closing *closing)
{
    const struct story_trace *trace = closing->trace;
    json_array(json, "lost");
    for (size_t i = 0; i < trace->loss_count; i++) {
        if (!trace->losses[i].count) continue;
        json_object(json, NULL);
        json_string(json, "source", trace->losses[i].source);
        json_string(json, "what", trace->losses[i].what);
        json_uint(json, "count", trace->losses[i].count);
        json_end_object(json);
    }
    json_end_array(json);
    json_uint(json, "lines_lost", closing->lines_lost);
    json_uint(json, "touched", closing->touched);
}

void closing_write_json(const struct closing *closing, struct buf *out)
{
    struct json json = json_new(out, false);
    json_object(&json, NULL);
    json_string(&json, "type", "watch_totals");
    totals_put(closing->totals, closing->open, &json);
    put_losses(&json, closing);
    if (closing->traces) {
        json_object(&json, "traces");
        json_uint(&json, "written", closing->traces->written);
        json_uint(&json, "skipped", closing->traces->skipped);
        json_uint(&json, "removed", closing->traces->removed);
        json_uint(&json, "failed", closing->traces->failed);
        json_end_object(&json);
    }
    if (closing->spans) {
        json_object(&json, "spans");
        json_uint(&json, "taken", closing->spans->taken);
        json_uint(&json, "lost", closing->spans->lost);
        json_end_object(&json);
    }
    json_end_object(&json);
    json_newline(&json);
}
