#include "play/lesson/lesson.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "play/lesson/fitted.h"
#include "viz/plan/plan.h"
#include "viz/text/text_ladder.h"
#include "viz/text/text_pen.h"

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 60, WIDTH_MOST = 140, LESSON_BYTES = 1 << 20 };

const char *lesson_question(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct scenario_step *step = &scenario->steps[i];
        size_t length = step->verb == SCENARIO_TELL ? strlen(step->text) : 0;
        if (length && step->text[length - 1] == '?') return step->text;
    }
    return NULL;
}

/* The connection that the lesson is about: that with most to be found, the first of equals. NULL: there is none. */
static const struct story *subject(const struct lesson *lesson)
{
    const struct story *best = NULL;
    for (size_t i = 0; i < lesson->stories->count; i++) {
        const struct story *story = lesson->stories->list[i];
        if (!best || story->finding_count > best->finding_count) best = story;
    }
    return best;
}

static int width_of(const struct lesson *lesson)
{
    int width = lesson->look.width ? lesson->look.width : WIDTH_DEFAULT;
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
}

static void draw_head(const struct lesson *lesson, struct pen *pen)
{
    const struct scenario *scenario = lesson->scenario;
    const struct story *story = subject(lesson);
    struct view_options options = lesson->look;
    const struct view_run run = {.title = tr(scenario->title), .question = lesson_question(scenario)};
    struct arena arena = arena_new();
    struct phrase question = phrase_new(&arena);
    options.run = &run;
    layout_add(&pen->text, STYLE_BOLD, tr(scenario->title));
    pen_rule_line(pen);
    if (story) plan_question(story, &options, &question);
    layout_add_phrase(&pen->text, &question);
    for (size_t i = 0; i < scenario->section_count; i++) {
        layout_addf(&pen->text, STYLE_DIM, " · RFC\u00a0%" PRIu32, scenario->sections[i].rfc);
        if (scenario->sections[i].section) layout_addf(&pen->text, STYLE_DIM, "\u00a0%s", scenario->sections[i].section);
    }
    pen_flush(pen, 0, STYLE_PLAIN, "");
    arena_free(&arena);
}

static void draw_foot(const struct lesson *lesson, struct pen *pen)
{
    const struct story *story = subject(lesson);
    layout_add(&pen->text, STYLE_DIM,
               story ? tr("┌└ a call begins, ends   [ ] both at once   ╌ under way   × lost   ⋮ left out")
                     : tr("no connection was seen"));
    pen_flush(pen, 0, STYLE_PLAIN, "");
    if (lesson->stories->count > 1 && story)
        layout_addf(&pen->text, STYLE_DIM, tr("connection %" PRIu32 " of %zu · all of it: tcpwhy demo %s --whole"), story->number,
                    lesson->stories->count, lesson->name);
    else
        layout_addf(&pen->text, STYLE_DIM, tr("all of it: tcpwhy demo %s --whole"), lesson->name);
    pen_flush(pen, 0, STYLE_PLAIN, "");
}

/* ---- the ladder ---- */

struct ladder_of {
    const struct lesson *lesson;
    size_t shown;
};

static int write_to_buf(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

static int draw_ladder(void *data, size_t brief_rows, struct buf *out, struct err *err)
{
    const struct ladder_of *of = data;
    const struct story *story = subject(of->lesson);
    const struct sink sink = {write_to_buf, out};
    struct view_options options = of->lesson->look;
    options.brief = true;
    options.brief_rows = brief_rows;
    options.shown_rows = of->shown;
    return story ? ladder_draw(story, &options, width_of(of->lesson), &sink, out, err) : 0;
}

/* Head and foot, and how many rows the ladder between them may have. */
static int draw_frame(const struct lesson *lesson, struct buf *head, struct buf *foot, size_t *ret_brief_rows, struct err *err)
{
    struct pen above = pen_new(&lesson->look, width_of(lesson), head), below = pen_new(&lesson->look, width_of(lesson), foot);
    struct buf whole = buf_new(LESSON_BYTES);
    struct ladder_of of = {lesson, 0};
    draw_head(lesson, &above);
    draw_foot(lesson, &below);
    int code = pen_end(&above), foot_code = pen_end(&below);
    if (!code) code = foot_code;
    if (code) err_set_errno(err, code, "can't draw the lesson");
    size_t used = fitted_lines(head) + fitted_lines(foot);
    if (!code) code = fitted_draw(draw_ladder, &of, lesson->rows > used ? lesson->rows - used : 0, &whole, ret_brief_rows, err);
    buf_free(&whole);
    return code;
}

int lesson_count(const struct lesson *lesson, size_t *ret_count, struct err *err)
{
    struct buf head = buf_new(LESSON_BYTES), foot = buf_new(LESSON_BYTES);
    const struct story *story = subject(lesson);
    struct view_options options = lesson->look;
    struct plan plan = {.count = 0};
    options.brief = true;
    int code = draw_frame(lesson, &head, &foot, &options.brief_rows, err);
    if (!code && story && (code = plan_make(story, &options, &plan))) err_set_errno(err, code, "can't draw the lesson");
    *ret_count = plan.count ? plan.count : 1;
    plan_free(&plan);
    buf_free(&head);
    buf_free(&foot);
    return code;
}

int lesson_draw(const struct lesson *lesson, size_t shown, struct buf *out, struct err *err)
{
    struct buf head = buf_new(LESSON_BYTES), foot = buf_new(LESSON_BYTES);
    struct ladder_of of = {lesson, shown};
    size_t brief_rows = 0;
    int code = draw_frame(lesson, &head, &foot, &brief_rows, err);
    if (!code && head.length) code = buf_append(out, head.data, head.length);
    if (!code) code = draw_ladder(&of, brief_rows, out, err);
    if (!code && foot.length) code = buf_append(out, foot.data, foot.length);
    buf_free(&head);
    buf_free(&foot);
    return code == -ENOMEM ? err_set_errno(err, code, "can't draw the lesson") : code;
}
