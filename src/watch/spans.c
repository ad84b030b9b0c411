#include "watch/spans.h"
#include "base/lang.h"

#include <errno.h>
#include <stdlib.h>

#include "out/otlp_sender.h"
#include "out/outlet.h"
#include "viz/view.h"

static const size_t waiting_limit = (size_t)16 << 20;

struct spans {
    struct otlp_sender *sender;
    struct outlet outlet;
    void *view;     /* the otlp view's memory */
    uint64_t given; /* spans that the sender was given, or will be */
    uint64_t no_room;
    bool finished; /* what is not settled never will be */
    struct otlp_result last;
};

static int take_line(void *data, const char *bytes, size_t length)
{
    struct spans *spans = data;
    struct buf line = buf_new(length + 1);
    buf_append(&line, bytes, length);
    uint64_t count = line.failed ? 1 : otlp_batches_spans_of(buf_string(&line)), lost = spans->outlet.lost;
    outlet_line(&spans->outlet, bytes, length);
    if (spans->outlet.lost == lost)
        spans->given += count;
    else
        spans->no_room += count;
    buf_free(&line);
    return 0;
}

int spans_open(struct spans **ret_spans, const char *url, struct err *err)
{
    struct spans *spans = calloc(1, sizeof(*spans));
    if (!spans) return err_set_errno(err, -ENOMEM, "--otlp");
    int code = otlp_sender_new(&spans->sender, url, true, err);
    if (code) {
        err_prefix(err, "--otlp");
        free(spans);
        return code;
    }
    spans->outlet = outlet_new(otlp_sender_fd(spans->sender), waiting_limit);
    const struct sink sink = {take_line, spans};
    code = view_otlp.begin(&spans->view, &sink, &(struct view_options){0}, err);
    if (code) {
        spans_close(spans);
        return code;
    }
    *ret_spans = spans;
    return 0;
}

void spans_take(struct spans *spans, const struct story *story)
{
    const struct sink sink = {take_line, spans};
    struct err err;
    if (view_otlp.story(spans->view, &sink, &(struct view_options){0}, story, &err)) spans->no_room++;
}

void spans_flush(struct spans *spans)
{
    outlet_flush(&spans->outlet);
}

void spans_finish(struct spans *spans, int patience_ms)
{
    outlet_finish(&spans->outlet, patience_ms);
    spans->last = otlp_sender_end(spans->sender, patience_ms);
    spans->finished = true;
}

struct spans_counts spans_counts(const struct spans *spans)
{
    if (!spans->finished) {
        struct otlp_result now = otlp_sender_so_far(spans->sender);
        return (struct spans_counts){now.taken, now.lost + spans->no_room, spans->no_room, ""};
    }
    const struct otlp_result *last = &spans->last;
    uint64_t unsettled = spans->given > last->taken ? spans->given - last->taken : 0; /* lost too */
    const char *reason = last->reason[0] ? last->reason : unsettled ? tr("it did not take them in time") : "";
    return (struct spans_counts){last->taken, unsettled + spans->no_room, spans->no_room, reason};
}

const char *spans_url(const struct spans *spans)
{
    return otlp_sender_url(spans->sender);
}

void spans_close(struct spans *spans)
{
    struct err err;
    if (!spans) return;
    const struct sink sink = {take_line, spans};
    (void)view_otlp.end(spans->view, &sink, &(struct view_options){0}, NULL, &err);
    outlet_free(&spans->outlet);
    otlp_sender_free(spans->sender);
    free(spans);
}
