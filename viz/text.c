/* The text view: for each story a headline, its ladder and a summary; at the end what is to be known of the run. */
#include <errno.h>
#include <stdlib.h>

#include "viz/clock_words.h"
#include "viz/text_apart.h"
#include "viz/text_ladder.h"
#include "viz/text_summary.h"
#include "viz/view.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 60, WIDTH_MAX = 140 };
#define PIECE_BYTES_MAX ((size_t)1 << 30) /* what is written at once; longer ones are an error, not a flood */

struct text {
    struct summary_totals totals;
    struct buf out;
};

static int width_of(const struct view_options *options)
{
    int width = options->width ? options->width : WIDTH_DEFAULT;
    return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
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
    return view_write(sink, text->out.data, text->out.length, err);
}

static int text_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                      struct err *err)
{
    struct text *text = state;
    int width = width_of(options);
    buf_clear(&text->out);
    int code = summary_headline(story, options, width, &text->out);
    if (code) return err_set(err, code, "out of memory for the headline of connection %u", story->number);
    code = ladder_draw(story, options, width, sink, &text->out, err);
    if (code) return code;
    code = summary_story(story, options, width, &text->out);
    if (code) return err_set(err, code, "out of memory for the summary of connection %u", story->number);
    text->totals.stories++;
    text->totals.findings += story->finding_count;
    if (story->udp)
        text->totals.udp++;
    else
        text->totals.outcomes[story->outcome]++;
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
        code = apart_draw(trace, options, width_of(options), &text->out);
        if (!code) code = summary_run(&text->totals, trace, options, width_of(options), &text->out);
        code = code ? err_set(err, code, "out of memory at the end of the text view")
                    : view_write(sink, text->out.data, text->out.length, err);
    }
    buf_free(&text->out);
    free(text);
    return code;
}

const struct view view_text = {.name = "text",
                               .suffix = ".txt",
                               .summary = "a ladder: both ends, their states, segments and calls, and why",
                               .begin = text_begin,
                               .story = text_story,
                               .end = text_end};
