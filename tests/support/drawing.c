#include "support/drawing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const vantages[] = {"lo"};
static const struct story_loss losses[] = {
    {"capture lo", "dropped by kernel", 11, 0}, {"capture lo", "dropped by interface", 11, 0}, {"bpf", "ring full", 63, 0}};
static const struct story_trace sound_trace = {.recorder = "bpf",
                                               .reason = "tracepoints can be loaded",
                                               .vantages = vantages,
                                               .vantage_count = 1,
                                               .started_ns = INT64_C(1699999999000000000),
                                               .losses = losses,
                                               .loss_count = 3};

static int into_buf(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

struct buf drawing_of(const struct view *view, const struct view_options *options, const struct story_fixture *fixtures,
                      size_t count, const struct story_trace *trace)
{
    struct buf out = buf_new(64 << 20);
    struct sink sink = {.write = into_buf, .data = &out};
    struct err err;
    void *state;
    assert_int_equal(view->begin(&state, &sink, options, &err), 0);
    for (size_t i = 0; i < count; i++) {
        struct story *story = fixtures[i].make();
        assert_int_equal(view->story(state, &sink, options, story, &err), 0);
        story_free(story);
    }
    assert_int_equal(view->end(state, &sink, options, trace ? trace : &sound_trace, &err), 0);
    return out;
}

static int break_after(void *data, const char *bytes, size_t length)
{
    (void)bytes;
    size_t *left = data;
    if (length > *left) return -EPIPE;
    *left -= length;
    return 0;
}

int drawing_into_broken_sink(const struct view *view, const struct view_options *options, size_t after)
{
    struct sink sink = {.write = break_after, .data = &after};
    struct err err;
    void *state;
    int code = view->begin(&state, &sink, options, &err);
    struct story *story = story_normal_echo();
    if (code == 0) code = view->story(state, &sink, options, story, &err);
    story_free(story);
    int end = view->end(state, &sink, options, code ? NULL : &sound_trace, &err);
    return code ? code : end;
}
