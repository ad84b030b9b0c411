/* The page: one HTML file with every story, to step through. It asks nobody for anything: its script and its styles are in it,
 * named by their hashes (viz/page/, joined at build time), and so are the stories, as JSON that the script draws.
 *
 * Stories are written as they come; the words that they share wait for the end, bounded. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/page/page_made.h"
#include "viz/page/page_sentences.h"
#include "viz/page/page_story.h"
#include "viz/plan/clock_words.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"
#include "viz/svg/states_figure.h"
#include "viz/view.h"

enum { APART_MAX = 1000, WORDS_BYTES_MAX = 64 << 20 };
#define STORY_BYTES_MAX ((size_t)64 << 20)

struct page {
    struct facts_totals totals;
    struct page_words *words;
    struct buf out;
};

/* No "<" of the data may end its element, or begin one of another kind: in JSON it stands in strings alone. */
static void unbracket(struct buf *safe, const struct buf *json)
{
    const char *at = json->data, *end = at + json->length;
    while (at < end) {
        const char *bracket = memchr(at, '<', (size_t)(end - at));
        buf_append(safe, at, (size_t)((bracket ? bracket : end) - at));
        if (!bracket) return;
        buf_text(safe, "\\u003c");
        at = bracket + 1;
    }
}

static int write_json(struct page *page, const struct sink *sink, struct err *err)
{
    struct buf safe = buf_new(2 * STORY_BYTES_MAX);
    if (page->out.length) unbracket(&safe, &page->out);
    bool failed = page->out.failed || safe.failed;
    int code = failed ? err_set(err, -ENOMEM, "out of memory for the page") : view_write(sink, safe.data, safe.length, err);
    buf_free(&safe);
    buf_clear(&page->out);
    return code;
}

static int write_text(const struct sink *sink, const char *text, struct err *err)
{
    return view_write(sink, text, strlen(text), err);
}

/* The document's language stands in its first element. */
static int write_head(const struct sink *sink, struct err *err)
{
    char begin[64];
    const char *behind = strstr(page_head, "<head>");
    snprintf(begin, sizeof(begin), "<!DOCTYPE html>\n<html lang=\"%s\">\n", lang_tag(lang_now()));
    int code = view_write(sink, begin, strlen(begin), err);
    return code ? code : view_write(sink, behind, page_head_length - (size_t)(behind - page_head), err);
}

static int page_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    struct page *page = calloc(1, sizeof(*page));
    *state = page;
    if (page) page->words = page_words_new(WORDS_BYTES_MAX, options->ascii);
    if (!page || !page->words) return err_set(err, -ENOMEM, "out of memory for the page");
    page->out = buf_new(STORY_BYTES_MAX);
    struct buf figure = buf_new((size_t)1 << 20);
    int code = states_draw_blank(options, &figure);
    if (code) err_set(err, code, "out of memory for the page");
    if (!code) code = write_head(sink, err);
    if (!code) code = view_write(sink, figure.data, figure.length, err);
    if (!code) code = view_write(sink, page_body, page_body_length, err);
    if (!code) code = write_text(sink, "<script type=\"application/json\" id=\"stories\">[", err);
    buf_free(&figure);
    return code;
}

static int page_take_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                           struct err *err)
{
    struct page *page = state;
    buf_text(&page->out, page->totals.stories ? ",\n" : "\n");
    int code = page_story(story, options, page->words, &page->out);
    facts_count(&page->totals, story);
    if (code) return err_set(err, code, "out of memory while writing connection %" PRIu32, story->number);
    return write_json(page, sink, err);
}

/* Calls of which no packet was seen: [process, [call, why, …], …]. */
static void write_apart(struct page *page, struct json *json, const struct story_trace *trace)
{
    const struct story nobody = {0};
    size_t shown = 0;
    uint64_t all = trace->apart_more;
    json_array(json, "apart");
    for (size_t i = 0; i < trace->apart_count; i++) {
        struct arena arena = arena_new();
        struct phrase process = phrase_new(&arena);
        words_process(&process, STYLE_BOLD, &trace->apart[i].process);
        page_phrase(page->words, json, &process);
        json_array(json, NULL);
        all += trace->apart[i].count;
        for (size_t k = 0; k < trace->apart[i].count && shown < APART_MAX; k++, shown++) {
            struct phrase call = phrase_new(&arena);
            words_call_whole(&call, &nobody, &trace->apart[i].calls[k].call);
            page_phrase(page->words, json, &call);
            page_text(page->words, json, trace->apart[i].calls[k].told);
        }
        json_end_array(json);
        arena_free(&arena);
    }
    json_end_array(json);
    json_uint(json, "apart_more", all - shown);
}

static void write_clocks(struct page *page, struct json *json, const struct view_run *run)
{
    json_array(json, "clocks");
    for (size_t i = 0; run && i < run->clock_count; i++) {
        struct buf words = buf_new(1 << 14);
        clock_sentence(&words, &run->clocks[i], &(const struct clock_style){.detailed = true});
        if (words.failed) page->out.failed = true;
        if (words.length && words.data[words.length - 1] == '\n') words.data[words.length - 1] = '\0';
        page_text(page->words, json, buf_string(&words));
        buf_free(&words);
    }
    json_end_array(json);
}

/* What all stories have in common, and the words. */
/* What the page says by itself, where that is not English: each sentence, and what it is there. */
static void write_sentences(struct json *json)
{
    if (lang_now() == LANG_EN) return;
    json_object(json, "sentences");
    for (const char *const *at = page_sentences; *at; at++)
        if (tr(*at) != *at) json_string(json, *at, tr(*at));
    json_end_object(json);
}

static void write_run(struct page *page, const struct view_options *options, const struct story_trace *trace)
{
    struct arena arena = arena_new();
    struct json json = json_new(&page->out, options->ascii);
    struct facts facts = facts_new(&arena);
    facts_run(&page->totals, trace, &facts);
    bool lossy = trace->lost || trace->dropped;
    for (size_t i = 0; i < trace->loss_count; i++) lossy = lossy || trace->losses[i].count;
    json_object(&json, NULL);
    json_uint(&json, "connections", page->totals.stories);
    json_bool(&json, "lossy", lossy);
    json_array(&json, "facts");
    for (size_t i = 0; i < facts.count; i++) page_phrase(page->words, &json, &facts.list[i].words);
    json_end_array(&json);
    if (options->run && options->run->title) {
        json_array(&json, "title");
        page_text(page->words, &json, options->run->title);
        page_text(page->words, &json, options->run->question);
        json_end_array(&json);
    }
    write_sentences(&json);
    write_apart(page, &json, trace);
    write_clocks(page, &json, options->run);
    json_end_object(&json);
    if (facts.failed) page->out.failed = true;
    arena_free(&arena);
}

static int write_end(struct page *page, const struct sink *sink, const struct view_options *options,
                     const struct story_trace *trace, struct err *err)
{
    int code = write_text(sink, "\n]</script>\n<script type=\"application/json\" id=\"run\">", err);
    write_run(page, options, trace);
    if (!code) code = write_json(page, sink, err);
    if (!code) code = write_text(sink, "</script>\n<script type=\"application/json\" id=\"words\">", err);
    struct buf words = buf_new(2 * STORY_BYTES_MAX), own = page->out;
    page_words_write(page->words, &words);
    page->out = words;
    if (page_words_failed(page->words)) page->out.failed = true;
    if (!code) code = write_json(page, sink, err);
    buf_free(&page->out);
    page->out = own;
    if (!code) code = write_text(sink, "</script>\n", err);
    return code ? code : view_write(sink, page_foot, page_foot_length, err);
}

static int page_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                    struct err *err)
{
    struct page *page = state;
    if (!page) return 0;
    int code = trace && page->words ? write_end(page, sink, options, trace, err) : 0;
    page_words_free(page->words);
    buf_free(&page->out);
    free(page);
    return code;
}

const struct view view_page = {.name = "html",
                               .suffix = ".html",
                               .summary = TR("a page to step through: ladder, RFC figure, reasons; one file"),
                               .ladder = true,
                               .begin = page_begin,
                               .story = page_take_story,
                               .end = page_end};
