#include "support/told_ways.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/text.h"
#include "story/arrows.h"
#include "story/sections.h"
#include "story/tell/teller.h"
#include "support/told_lines.h"

enum { GLANCES = 16 };

struct live {
    struct teller *teller;
    struct buf *lines;
    uint32_t number; /* of the connection whose glance is said */
};

static int say_story(void *data, struct story *story)
{
    const struct live *live = data;
    told_story(live->lines, story);
    story_free(story);
    return 0;
}

/* Glances come in no order: of each connection when its number is asked for. */
static void say_glance(void *data, const struct teller_glance *glance)
{
    const struct live *live = data;
    if (glance->number != live->number) return;
    buf_printf(live->lines, "glance %u%s", glance->number, glance->roles_guessed ? " guessed" : "");
    for (int side = 0; side < STORY_SIDES; side++) {
        char address[ADDRESS_TEXT_BYTES];
        address_format(&glance->end[side], address);
        buf_printf(live->lines, " | %s %s[%d] %s since=%" PRId64 " fin=%" PRId64 "%s", address,
                   glance->process[side].comm ? glance->process[side].comm : "", glance->process[side].pid,
                   tcp_state_name(glance->state[side]), glance->since_ns[side], glance->fin_ns[side],
                   glance->shut[side] ? " shut" : "");
    }
    buf_printf(live->lines, " | start=%" PRId64 " last=%" PRId64 " unanswered=%u full=%" PRId64 " queue=%u/%u%s\n",
               glance->start_ns, glance->last_ns, glance->unanswered, glance->full_ns, glance->queue, glance->queue_most,
               glance->over ? " over" : "");
}

static int64_t number(const char *asked, const char *name)
{
    const char *at = strstr(asked, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

static void tell_live(struct buf *lines, const char *asked, const struct event_log *log)
{
    struct live live = {NULL, lines, 0};
    const struct teller_bounds bounds = {.quiet_ns = number(asked, " quiet="),
                                         .closed_max = (size_t)number(asked, " closed="),
                                         .open_max = (size_t)number(asked, " open="),
                                         .packets_max = (size_t)number(asked, " packets="),
                                         .ends_idle = number(asked, " idle=") != 0};
    int64_t now_ns = 0;
    live.teller = teller_new(say_story, &live);
    assert_non_null(live.teller);
    teller_set_bounds(live.teller, &bounds);
    for (size_t i = 0; i < event_log_count(log); i++) {
        size_t before = lines->length;
        now_ns = event_log_at(log, i)->t_ns;
        assert_int_equal(teller_feed(live.teller, event_log_at(log, i)), 0);
        if (lines->length > before) buf_printf(lines, "was told at %" PRId64 "\n", now_ns);
    }
    for (live.number = 1; live.number <= GLANCES; live.number++) teller_glance_open(live.teller, say_glance, &live);
    assert_int_equal(teller_tell_open(live.teller, now_ns, say_story, &live), 0);
    buf_printf(lines, "at the end\n");
    assert_int_equal(teller_finish(live.teller), 0);
    const struct story_trace *trace = teller_trace(live.teller);
    for (size_t i = 0; i < trace->loss_count; i++)
        buf_printf(lines, "lost %s: %s %" PRIu64 "/%" PRIu64 "\n", trace->losses[i].source, trace->losses[i].what,
                   trace->losses[i].count, trace->losses[i].received);
    teller_free(live.teller);
}

static void say_sections(struct buf *lines, const struct story *story)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        const char *section = step->kind == STEP_SEGMENT                         ? section_of_segment(step->segment)
                              : step->kind == STEP_ENTER                         ? section_of_call(step->call->name)
                              : step->kind == STEP_STATE && !step->state->kernel ? section_of_state(step->state)
                                                                                 : NULL;
        if (section) buf_printf(lines, "section @%zu %s\n", i, section);
    }
}

static void tell_figure(struct buf *lines, const char *text, const struct event_log *log)
{
    static struct arrow_map map;
    struct told *told = tell_text(text, 0);
    memset(&map, 0, sizeof(map));
    for (size_t i = 0; i < told->count; i++) {
        arrows_take_story(&map, "a", told->stories[i]);
        say_sections(lines, told->stories[i]);
    }
    for (size_t i = 0; i < event_log_count(log); i++) arrows_take_event(&map, "a", event_log_at(log, i));
    for (size_t i = 0; i < FIGURE_MAX; i++) {
        const struct arrow_sight *sight = &map.sights[i];
        if (sight->count)
            buf_printf(lines, "arrow %zu %u times by %u %s/%s \"%s\" \"%s\"\n", i + 1, sight->count, sight->ends,
                       story_cause_name(sight->kind), story_evidence_name(sight->evidence), sight->step, sight->kernel);
    }
    for (size_t i = 0; i < STATE_COUNT; i++)
        if (map.visited[i]) buf_printf(lines, "in %s: %u\n", tcp_state_name((enum tcp_state)i), map.ends[i]);
    told_free(told);
}

void told_ways(struct buf *lines, const char *way, const char *text)
{
    if (!way[0]) {
        struct told *told = tell_text(text, 0);
        told_lines(lines, NULL, told);
        told_free(told);
        return;
    }
    struct event_log *log = event_log_new();
    struct err err = {0};
    assert_non_null(log);
    if (event_text_read("text", text, strlen(text), log, &err)) fail_msg("%s", err.text);
    event_log_sort(log);
    if (strncmp(way, "live ", 5) == 0)
        tell_live(lines, way, log);
    else if (strcmp(way, "figure") == 0)
        tell_figure(lines, text, log);
    else
        fail_msg("nothing is told in the way \"%s\"", way);
    event_log_free(log);
}
