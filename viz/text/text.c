/* The text view: for each story a headline, its ladder and a summary; at the end what is to be known of the run. */
#include <errno.h>
#include <stdlib.h>

#include "base/lang.h"
#include "viz/plan/clock_words.h"
#include "viz/plan/facts.h"
#include "viz/plan/plan.h"
#include "viz/text/text_apart.h"
#include "viz/text/text_ladder.h"
#include "viz/text/text_pen.h"
#include "viz/view.h"

enum { KEY_COLUMNS = 14, WIDTH_DEFAULT = 80, WIDTH_MIN = 60, WIDTH_MAX = 140 };
/* A brief ladder is a slide: its head and rows, and below it what was lost. */
enum { SLIDE_LINES = 22, LOSS_LINES = 2, SLIDE_ROWS_MOST = 18, SLIDE_ROWS_LEAST = 4 };
#define PIECE_BYTES_MAX ((size_t)1 << 30) /* what is written at once; longer ones are an error, not a flood */

struct text {
    struct facts_totals totals;
    size_t above; /* lines before the first story */
    struct buf out;
};

static int width_of(const struct view_options *options)
{
    int width = options->width ? options->width : WIDTH_DEFAULT;
    return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static size_t count_lines(const struct buf *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++) count += text->data[i] == '\n';
    return count;
}

static int text_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    struct text *text = calloc(1, sizeof(*text));
    *state = text;
    if (!text) return err_set(err, -ENOMEM, "out of memory for the text view");
    text->out = buf_new(PIECE_BYTES_MAX);
    const struct view_run *run = options->run;
    if (!run || !run->clock_count) return 0;
    int code = 0;
    for (size_t i = 0; i < run->clock_count && !code; i++)
        code = clock_sentence(
            &text->out, &run->clocks[i],
            &(struct clock_style){
                .width = width_of(options), .color = options->color, .ascii = options->ascii, .detailed = options->verbose > 0});
    if (!code) code = buf_char(&text->out, '\n');
    if (code) return err_set(err, code, "out of memory for the text view");
    text->above = count_lines(&text->out);
    return view_write(sink, text->out.data, text->out.length, err);
}

static void draw_ends(const struct story *story, struct pen *pen, struct arena *arena)
{
    struct phrase ends[STORY_SIDES] = {phrase_new(arena), phrase_new(arena)};
    for (int side = 0; side < STORY_SIDES; side++) facts_end(story, (enum story_side)side, &ends[side]);
    layout_add_phrase(&pen->text, &ends[STORY_CLIENT]);
    size_t client = pen->text.count;
    layout_add(&pen->text, STYLE_PLAIN, " → ");
    layout_add_phrase(&pen->text, &ends[STORY_SERVER]);
    if (layout_columns(&pen->text, 0, pen->text.count) > pen->width) {
        /* An address is easier to find at the start of a line. */
        pen->text.count = client;
        pen_flush(pen, 0, STYLE_PLAIN, "");
        layout_add(&pen->text, STYLE_PLAIN, "→ ");
        layout_add_phrase(&pen->text, &ends[STORY_SERVER]);
    }
    pen_flush(pen, 0, STYLE_PLAIN, "");
}

static int draw_head(const struct story *story, const struct view_options *options, int width, struct buf *out)
{
    struct arena arena = arena_new();
    struct pen pen = pen_new(options, width, out);
    struct phrase headline = phrase_new(&arena), question = phrase_new(&arena);
    if (options->brief) {
        plan_title(story, options, &headline);
        plan_question(story, options, &question);
    } else
        facts_headline(story, &headline);
    layout_add_phrase(&pen.text, &headline);
    pen_rule_line(&pen);
    layout_add_phrase(&pen.text, &question);
    pen_flush(&pen, 0, STYLE_PLAIN, "");
    if (!options->brief) draw_ends(story, &pen, &arena);
    arena_free(&arena);
    return pen_end(&pen);
}

static int draw_list(const struct facts *facts, int key_columns, struct pen *pen)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->list[i];
        layout_add_phrase(&pen->text, &fact->words);
        pen_flush(pen, key_columns, fact->style, fact->key);
    }
    return facts->failed ? -ENOMEM : 0;
}

/* The summary; on a slide the ladder is all there is. */
static int draw_facts(const struct story *story, const struct view_options *options, int width, struct buf *out)
{
    if (options->brief) return 0;
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    struct pen pen = pen_new(options, width, out);
    facts_story(story, options->verbose > 0, &facts);
    pen_blank_line(&pen);
    int code = draw_list(&facts, KEY_COLUMNS, &pen), pen_code = 0;
    pen_blank_line(&pen);
    pen_code = pen_end(&pen);
    arena_free(&arena);
    return code ? code : pen_code;
}

static int draw_run(const struct facts_totals *totals, const struct story_trace *trace, const struct view_options *options,
                    struct buf *out)
{
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    struct pen pen = pen_new(options, width_of(options), out);
    if (options->brief)
        facts_losses(trace, &facts);
    else
        facts_run(totals, trace, &facts);
    int code = draw_list(&facts, 0, &pen), pen_code = pen_end(&pen);
    arena_free(&arena);
    return code ? code : pen_code;
}

static int draw_end(const struct facts_totals *totals, const struct story_trace *trace, const struct view_options *options,
                    struct buf *out)
{
    int code = apart_draw(trace, options, width_of(options), out);
    return code ? code : draw_run(totals, trace, options, out);
}

static int draw_story(const struct story *story, const struct view_options *options, const struct sink *sink, struct buf *out,
                      struct err *err)
{
    int width = width_of(options);
    buf_clear(out);
    int code = draw_head(story, options, width, out);
    if (code) return err_set(err, code, "out of memory for the headline of connection %u", story->number);
    return ladder_draw(story, options, width, sink, out, err);
}

/* With as many rows as leave it room: how many lines a row takes is known when it is drawn. */
static int draw_slide(const struct text *text, const struct story *story, const struct view_options *options,
                      const struct sink *sink, struct buf *out, struct err *err)
{
    struct view_options slide = *options;
    size_t room = SLIDE_LINES - LOSS_LINES > text->above ? SLIDE_LINES - LOSS_LINES - text->above : 0;
    int code = 0;
    slide.brief_rows = SLIDE_ROWS_MOST;
    do code = draw_story(story, &slide, sink, out, err);
    while (!code && count_lines(out) > room && slide.brief_rows-- > SLIDE_ROWS_LEAST);
    return code;
}

static int text_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                      struct err *err)
{
    struct text *text = state;
    int code = options->brief && !options->brief_rows ? draw_slide(text, story, options, sink, &text->out, err)
                                                      : draw_story(story, options, sink, &text->out, err);
    if (code) return code;
    code = draw_facts(story, options, width_of(options), &text->out);
    if (code) return err_set(err, code, "out of memory for the summary of connection %u", story->number);
    facts_count(&text->totals, story);
    return view_write(sink, text->out.data, text->out.length, err);
}

static int text_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                    struct err *err)
{
    struct text *text = state;
    if (!text) return 0;
    int code = 0;
    if (trace) {
        buf_clear(&text->out);
        code = draw_end(&text->totals, trace, options, &text->out);
        code = code ? err_set(err, code, "out of memory at the end of the text view")
                    : view_write(sink, text->out.data, text->out.length, err);
    }
    buf_free(&text->out);
    free(text);
    return code;
}

const struct view view_text = {.name = "text",
                               .suffix = ".txt",
                               .summary = TR("a ladder: both ends, their states, segments and calls, and why"),
                               .ladder = true,
                               .begin = text_begin,
                               .story = text_story,
                               .end = text_end};
