/* All views, drawn of stories that anybody may have written: text in, bytes out, nothing may break. */
#include <stdint.h>
#include <stdlib.h>

#include "event/text.h"
#include "story/tell/teller.h"
#include "viz/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VIEWS_MAX = 32 };

struct drawing {
    const struct view *const *views;
    size_t count;
    void *states[VIEWS_MAX];
};

static const struct view_options options = {.width = 80, .verbose = 2};

static int forget(void *data, const char *bytes, size_t length)
{
    size_t *written = data;
    if (length && !bytes) abort();
    *written += length;
    return 0;
}

static int draw(void *data, struct story *story)
{
    struct drawing *drawing = data;
    size_t written = 0;
    struct sink sink = {forget, &written};
    struct err err;
    for (size_t i = 0; i < drawing->count; i++)
        if (drawing->views[i]->story(drawing->states[i], &sink, &options, story, &err)) abort();
    story_free(story);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t written = 0;
    struct sink sink = {forget, &written};
    struct drawing drawing = {0};
    struct err err;
    struct event_log *log = event_log_new();
    struct teller *teller = teller_new(draw, &drawing);
    drawing.views = view_all(&drawing.count);
    if (!log || !teller || drawing.count > VIEWS_MAX) abort();
    (void)event_text_read("fuzz", (const char *)data, size, log, &err);
    event_log_sort(log);
    for (size_t i = 0; i < drawing.count; i++)
        if (drawing.views[i]->begin(&drawing.states[i], &sink, &options, &err)) abort();
    int code = 0;
    for (size_t i = 0; i < event_log_count(log) && !code; i++) code = teller_feed(teller, event_log_at(log, i));
    if (!code) (void)teller_finish(teller);
    for (size_t i = 0; i < drawing.count; i++)
        if (drawing.views[i]->end(drawing.states[i], &sink, &options, code ? NULL : teller_trace(teller), &err)) abort();
    teller_free(teller);
    event_log_free(log);
    return 0;
}
