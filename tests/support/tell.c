#include "support/tell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/text.h"

static int listen_story(void *data, struct story *story)
{
    struct told *told = data;
    assert_true(told->count < TOLD_MAX);
    told->stories[told->count++] = story;
    return 0;
}

static struct told *tell(const char *name, const char *text, size_t length, uint64_t rules_off)
{
    struct told *told = calloc(1, sizeof(*told));
    struct err err = {0};
    assert_non_null(told);
    told->log = event_log_new();
    told->teller = teller_new(listen_story, told);
    assert_non_null(told->log);
    assert_non_null(told->teller);
    told->teller->rules_off = rules_off;
    if (event_text_read(name, text, length, told->log, &err)) fail_msg("%s", err.text);
    event_log_sort(told->log);
    for (size_t i = 0; i < event_log_count(told->log); i++)
        assert_int_equal(teller_feed(told->teller, event_log_at(told->log, i)), 0);
    assert_int_equal(teller_finish(told->teller), 0);
    return told;
}

struct told *tell_text(const char *text, uint64_t rules_off)
{
    return tell("text", text, strlen(text), rules_off);
}

struct told *tell_file(const char *path, uint64_t rules_off)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    struct buf text = buf_new(16 << 20);
    char chunk[65536];
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;) assert_int_equal(buf_append(&text, chunk, n), 0);
    fclose(file);
    struct told *told = tell(path, buf_string(&text), text.length, rules_off);
    buf_free(&text);
    return told;
}

void told_free(struct told *told)
{
    for (size_t i = 0; i < told->count; i++) story_free(told->stories[i]);
    teller_free(told->teller);
    event_log_free(told->log);
    free(told);
}

const struct story_segment *told_segment(const struct story *story, enum story_side side, const char *label, size_t n)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_SEGMENT && step->side == side && strcmp(step->segment->label, label) == 0 && --n == 0)
            return step->segment;
    }
    fail_msg("no such %s of the %s", label, story_side_name(side));
    return NULL;
}

const struct story_call *told_call(const struct story *story, enum story_side side, const char *name, size_t n)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        bool first = step->kind == STEP_ENTER || (step->kind == STEP_EXIT && step->call->enter_step == STORY_NO_STEP);
        if (first && step->side == side && strcmp(step->call->name, name) == 0 && --n == 0) return step->call;
    }
    fail_msg("no such %s of the %s", name, story_side_name(side));
    return NULL;
}

void told_states(const struct story *story, enum story_side side, const char *expected)
{
    struct buf got = buf_new(4096);
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind != STEP_STATE || step->side != side || step->state->kernel) continue;
        if (got.length == 0) buf_printf(&got, "%s", step->state->from);
        buf_printf(&got, " %s", step->state->to);
    }
    assert_string_equal(buf_string(&got), expected);
    buf_free(&got);
}
