/* The picture: ladders in one SVG, a title above them, findings, a legend and what was lost below. A file for a slide, a report, a
 * page.
 *
 * Its size and its title stand at its beginning and are known at the end: the drawing waits in memory until then, bounded. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"
#include "viz/svg/svg_ladder.h"
#include "viz/svg/svg_lay.h"
#include "viz/view.h"

enum {
    STORIES_MAX = 32,
    APART_MAX = 200,
    SLIDE_HEIGHT = 720,
    SLIDE_ROWS = 18,
    SLIDE_ROWS_LEAST = 8,
    TITLE = 26,
    TITLE_LEAST = 20,
    QUESTION = 18,
    SMALL = 13,
    TITLE_BYTES = 256
};
#define PICTURE_BYTES_MAX ((size_t)256 << 20)

struct picture {
    struct facts_totals totals;
    struct buf head;  /* the first story's headline, needed if there is a second */
    struct buf body;  /* the ladders, from height 0 on */
    struct buf above; /* title and question */
    struct buf title; /* raw */
    int y, head_height, above_height;
    unsigned signs;
    uint64_t segments;
};

static int small_size(const struct view_options *options)
{
    return options->brief ? 14 : SMALL;
}

static struct svg_place place_at(int y, enum font_face face, int size, const char *role)
{
    return (struct svg_place){.x = SVG_MARGIN,
                              .y = y + size,
                              .font = {face, size},
                              .width = SVG_WIDTH - 2 * SVG_MARGIN,
                              .line = size + size / 4 + 1,
                              .role = role,
                              .row = -1};
}

/* The words, at height y; returns the height below them. */
static int put(struct buf *out, const struct phrase *words, bool ascii, struct svg_place place)
{
    struct layout_text text = layout_text_new(ascii);
    layout_add_phrase(&text, words);
    int lines = svg_words(out, &text, &place);
    bool failed = text.failed;
    layout_text_free(&text);
    if (failed) out->failed = true;
    return place.y - place.font.size + lines * place.line;
}

/* On one line if it can be, in smaller letters. Returns the height below. */
static int put_title(struct buf *out, const struct phrase *title, bool ascii)
{
    struct layout_text text = layout_text_new(ascii);
    layout_add_phrase(&text, title);
    struct svg_place place = place_at(12, FONT_BOLD, TITLE, "w-i");
    while (place.font.size > TITLE_LEAST && svg_count_lines(&text, &place) > 1)
        place = place_at(12, FONT_BOLD, place.font.size - 1, "w-i");
    layout_text_free(&text);
    return put(out, title, ascii, place);
}

static int picture_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct picture *picture = calloc(1, sizeof(*picture));
    *state = picture;
    if (!picture) return err_set(err, -ENOMEM, "out of memory for the picture");
    picture->head = buf_new(1 << 16);
    picture->above = buf_new(1 << 20);
    picture->title = buf_new(1 << 16);
    picture->body = buf_new(PICTURE_BYTES_MAX);
    return 0;
}

/* Title and question of the first story are those of the picture, unless there are more. */
static void draw_title(struct picture *picture, const struct story *story, const struct view_options *options)
{
    struct arena arena = arena_new();
    struct phrase title = phrase_new(&arena), question = phrase_new(&arena), ends = phrase_new(&arena);
    plan_title(story, options, &title);
    plan_question(story, options, &question);
    int y = put_title(&picture->above, &title, options->ascii);
    picture->above_height = put(&picture->above, &question, options->ascii, place_at(y, FONT_SANS, QUESTION, "w-d"));
    for (size_t i = 0; i < title.count; i++) buf_text(&picture->title, title.runs[i].text);
    if (title.failed || question.failed || ends.failed) picture->above.failed = true;
    arena_free(&arena);
}

static void draw_headline(struct picture *picture, const struct story *story, const struct view_options *options)
{
    struct arena arena = arena_new();
    struct phrase headline = phrase_new(&arena);
    facts_headline(story, &headline);
    for (int side = 0; side < STORY_SIDES && options->brief; side++) { /* whole ladders have them at their heads */
        phrase_add(&headline, STYLE_PLAIN, side ? " → " : " · ");
        facts_end(story, (enum story_side)side, &headline);
    }
    bool is_first = picture->totals.stories == 0;
    struct buf *out = is_first ? &picture->head : &picture->body;
    int y = is_first ? 0 : picture->y;
    if (!is_first) svg_line(out, "w-ru", SVG_MARGIN, y + 8, SVG_WIDTH - SVG_MARGIN, y + 8);
    int below = put(out, &headline, options->ascii, place_at(y + 20, FONT_SANS, QUESTION, "w-i"));
    if (is_first)
        picture->head_height = below;
    else
        picture->y = below;
    arena_free(&arena);
}

static bool is_finding(const struct fact *fact)
{
    return fact->key[0] == '!' || strcmp(fact->key, "  note") == 0;
}

/* A slide has no room for them. */
static void draw_findings(struct picture *picture, const struct story *story, const struct view_options *options)
{
    if (options->brief || story->finding_count == 0) return;
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    facts_story(story, false, &facts);
    int y = picture->y + 10;
    for (size_t i = 0; i < facts.count; i++) {
        const struct fact *fact = &facts.list[i];
        if (!is_finding(fact)) continue;
        struct phrase key = phrase_new(&arena);
        phrase_add(&key, fact->style, fact->key[0] == ' ' ? fact->key + 2 : fact->key);
        struct svg_place place = place_at(y, FONT_SANS, SMALL + 1, "w-i");
        put(&picture->body, &key, options->ascii, place);
        place.x += 92;
        place.width -= 92;
        y = put(&picture->body, &fact->words, options->ascii, place) + 4;
        if (key.failed) picture->body.failed = true;
    }
    if (facts.failed) picture->body.failed = true;
    picture->y = y;
    arena_free(&arena);
}

static void draw_more_rows(struct picture *picture, size_t count, const struct view_options *options)
{
    if (count <= LAY_ROWS_MAX) return;
    struct arena arena = arena_new();
    struct phrase words = phrase_new(&arena);
    phrase_addf(&words, STYLE_ALARM, tr("%zu more rows are not drawn: --brief or --only leaves out the middle, a filter chooses"),
                count - LAY_ROWS_MAX);
    picture->y = put(&picture->body, &words, options->ascii, place_at(picture->y + 8, FONT_SANS, SMALL + 1, "w-i"));
    arena_free(&arena);
}

static int draw_rows(struct picture *picture, const struct story *story, const struct view_options *options)
{
    struct plan plan;
    int code = plan_make(story, options, &plan);
    if (!code) code = svg_ladder(&plan, picture->y + 8, &picture->y, &picture->signs, &picture->body);
    if (!code) draw_more_rows(picture, plan.count, options);
    plan_free(&plan);
    return code;
}

/* With the legend that its signs take, and a line for what was lost; of several ladders each is one. */
static bool fits_slide(const struct picture *picture, int top, const struct view_options *options)
{
    struct buf scratch = buf_new(1 << 16);
    int x, size = small_size(options), foot = svg_legend(picture->signs, 14, size, options->ascii, &x, &scratch) + size + 10;
    buf_free(&scratch);
    return picture->above_height + picture->y - top + foot <= SLIDE_HEIGHT;
}

/* A slide has a height: what is too tall for one is drawn again with fewer rows. */
static int draw_ladder(struct picture *picture, const struct story *story, const struct view_options *options)
{
    int top = picture->y, code = 0;
    size_t body = picture->body.length;
    unsigned signs = picture->signs;
    struct view_options fewer = *options;
    for (size_t rows = SLIDE_ROWS; !code; rows -= 2) {
        fewer.brief_rows = rows;
        picture->y = top;
        picture->signs = signs;
        if (picture->body.data) picture->body.data[picture->body.length = body] = '\0';
        code = draw_rows(picture, story, &fewer);
        if (!options->brief || fits_slide(picture, top, options) || rows <= SLIDE_ROWS_LEAST) break;
    }
    return code;
}

static int picture_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                         struct err *err)
{
    (void)sink;
    struct picture *picture = state;
    int code = 0;
    if (picture->totals.stories == 0) draw_title(picture, story, options);
    if (picture->totals.stories < STORIES_MAX) {
        draw_headline(picture, story, options);
        code = draw_ladder(picture, story, options);
        draw_findings(picture, story, options);
    }
    facts_count(&picture->totals, story);
    picture->segments += story->summary.segments + story->summary.datagrams;
    if (!code && (picture->body.failed || picture->above.failed || picture->head.failed || picture->title.failed)) code = -ENOMEM;
    return code ? err_set(err, code, "out of memory while drawing connection %u", story->number) : 0;
}

static void draw_many(struct picture *picture, const struct view_options *options)
{
    struct arena arena = arena_new();
    struct phrase title = phrase_new(&arena);
    if (options->run && options->run->title)
        phrase_add(&title, STYLE_BOLD, options->run->title);
    else if (picture->totals.stories)
        phrase_addf(&title, STYLE_BOLD, tr("%" PRIu64 " connections"), picture->totals.stories);
    else
        phrase_add(&title, STYLE_BOLD, tr("no connection was seen"));
    buf_clear(&picture->above);
    buf_clear(&picture->title);
    for (size_t i = 0; i < title.count; i++) buf_text(&picture->title, title.runs[i].text);
    picture->above_height = put_title(&picture->above, &title, options->ascii);
    if (title.failed) picture->above.failed = true;
    arena_free(&arena);
}

/* Calls of which no packet was seen: they have no ladder. */
static int draw_apart(int y, const struct story_trace *trace, const struct view_options *options, struct buf *out)
{
    if (options->brief) return y;
    const struct story nobody = {0};
    size_t shown = 0;
    for (size_t i = 0; i < trace->apart_count; i++) {
        struct arena arena = arena_new();
        const struct story_apart *apart = &trace->apart[i];
        struct phrase head = phrase_new(&arena);
        phrase_add(&head, STYLE_BOLD, tr("calls without a packet"));
        phrase_add(&head, STYLE_PLAIN, ": ");
        words_process(&head, STYLE_CLIENT_BOLD, &apart->process);
        y = put(out, &head, options->ascii, place_at(y + 14, FONT_SANS, QUESTION, "w-i"));
        for (size_t k = 0; k < apart->count && shown < APART_MAX; k++, shown++) {
            struct phrase call = phrase_new(&arena), why = phrase_new(&arena);
            struct svg_place place = place_at(y + 3, FONT_MONO, SMALL, "w-i");
            words_call_whole(&call, &nobody, &apart->calls[k].call);
            y = put(out, &call, options->ascii, place);
            if (apart->calls[k].told) phrase_add(&why, STYLE_PLAIN, apart->calls[k].told);
            place = place_at(y, FONT_SANS, SMALL, "w-d");
            place.x += 24;
            place.width -= 24;
            y = put(out, &why, options->ascii, place);
            if (call.failed || why.failed) out->failed = true;
        }
        if (head.failed) out->failed = true;
        arena_free(&arena);
    }
    uint64_t all = trace->apart_more;
    for (size_t i = 0; i < trace->apart_count; i++) all += trace->apart[i].count;
    if (all == shown) return y;
    struct arena arena = arena_new();
    struct phrase more = phrase_new(&arena);
    phrase_addf(&more, STYLE_ALARM, tr("%" PRIu64 " more calls without a packet are not shown"), all - shown);
    y = put(out, &more, options->ascii, place_at(y + 6, FONT_SANS, SMALL, "w-i"));
    arena_free(&arena);
    return y;
}

/* At the right end of a line that is filled up to x, where there is room. */
static bool put_behind(struct buf *out, const struct phrase *words, int x, int y, int size, bool ascii)
{
    struct svg_place place = place_at(y - size, FONT_SANS, size, "w-d");
    struct layout_text text = layout_text_new(ascii);
    layout_add_phrase(&text, words);
    place.x = SVG_WIDTH - SVG_MARGIN;
    place.anchor = SVG_END;
    bool fits = svg_count_lines(&text, &place) == 1 && x + svg_width(&text, &place) <= place.x;
    if (fits) svg_words(out, &text, &place);
    layout_text_free(&text);
    return fits;
}

/* Legend, connections that found no room, and what was lost. Returns the height below. */
static int draw_foot(struct picture *picture, int y, const struct story_trace *trace, const struct view_options *options,
                     struct buf *out)
{
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    int size = small_size(options);
    y = draw_apart(y, trace, options, out);
    if (picture->totals.stories > STORIES_MAX) {
        struct phrase more = phrase_new(&arena);
        phrase_addf(&more, STYLE_ALARM, tr("%" PRIu64 " more connections are not drawn: --conn chooses"),
                    picture->totals.stories - STORIES_MAX);
        y = put(out, &more, options->ascii, place_at(y + 10, FONT_SANS, QUESTION, "w-i"));
    }
    svg_line(out, "w-ru", SVG_MARGIN, y + 8, SVG_WIDTH - SVG_MARGIN, y + 8);
    int x = 0;
    y = svg_legend(picture->signs, y + 6, size, options->ascii, &x, out);
    if (options->brief)
        facts_losses(trace, &facts);
    else
        facts_run(&picture->totals, trace, &facts);
    if (facts.count == 1 && put_behind(out, &facts.list[0].words, x, y, size, options->ascii)) facts.count = 0;
    for (size_t i = 0; i < facts.count; i++)
        y = put(out, &facts.list[i].words, options->ascii, place_at(y + (i ? 0 : 3), FONT_SANS, size, "w-d"));
    if (facts.failed) out->failed = true;
    arena_free(&arena);
    return y;
}

static void describe(const struct picture *picture, const struct story_trace *trace, char words[TITLE_BYTES])
{
    snprintf(words, TITLE_BYTES,
             tr("A ladder of %" PRIu64 " connection%s with %" PRIu64
                " segments: client left, server right, time downward. Recorded by %.40s."),
             picture->totals.stories, picture->totals.stories == 1 ? "" : "s", picture->segments,
             trace->recorder ? trace->recorder : "?");
}

static int write_picture(struct picture *picture, const struct sink *sink, const struct view_options *options,
                         const struct story_trace *trace, struct err *err)
{
    char description[TITLE_BYTES];
    struct buf foot = buf_new(1 << 20), begin = buf_new(1 << 20);
    bool is_one = picture->totals.stories == 1;
    if (!is_one) draw_many(picture, options);
    int body_y = picture->above_height + (is_one ? 0 : picture->head_height);
    int height = body_y + draw_foot(picture, picture->y, trace, options, &foot) + 5;
    if (options->brief && height < SLIDE_HEIGHT) height = SLIDE_HEIGHT;
    describe(picture, trace, description);
    svg_begin(&begin, SVG_WIDTH, height, buf_string(&picture->title), description, options->ascii);
    buf_append(&begin, picture->above.data, picture->above.length);
    if (!is_one && picture->totals.stories) {
        buf_printf(&begin, "<g transform=\"translate(0,%d)\">\n", picture->above_height);
        buf_append(&begin, picture->head.data, picture->head.length);
        buf_text(&begin, "</g>\n");
    }
    buf_printf(&begin, "<g transform=\"translate(0,%d)\">\n", body_y);
    buf_text(&foot, "</g>\n");
    svg_end(&foot);
    bool failed = foot.failed || begin.failed || picture->above.failed || picture->title.failed;
    int code = failed ? err_set(err, -ENOMEM, "out of memory for the picture") : 0;
    if (!code) code = view_write(sink, begin.data, begin.length, err);
    if (!code) code = view_write(sink, picture->body.data, picture->body.length, err);
    if (!code) code = view_write(sink, foot.data, foot.length, err);
    buf_free(&foot);
    buf_free(&begin);
    return code;
}

static int picture_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                       struct err *err)
{
    struct picture *picture = state;
    if (!picture) return 0;
    int code = trace ? write_picture(picture, sink, options, trace, err) : 0;
    buf_free(&picture->head);
    buf_free(&picture->body);
    buf_free(&picture->above);
    buf_free(&picture->title);
    free(picture);
    return code;
}

const struct view view_svg = {.name = "svg",
                              .suffix = ".svg",
                              .summary = TR("a picture of the ladder, for a slide or a report"),
                              .ladder = true,
                              .begin = picture_begin,
                              .story = picture_story,
                              .end = picture_end};
