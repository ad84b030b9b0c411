#include "viz/text/overview.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/pen/escape.h"
#include "viz/plan/words.h"

enum { LINE_BYTES = 1024 };
static const size_t ladders_limit = (size_t)1 << 30;

/* Both views are given the stories; which of the two is shown their number decides. */
struct overview {
    void *text, *list;
    struct buf ladders;
    size_t stories;
};

static int append(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

static int overview_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    struct overview *overview = calloc(1, sizeof(*overview));
    *state = overview;
    if (!overview) return err_set(err, -ENOMEM, "out of memory for the overview");
    overview->ladders = buf_new(ladders_limit);
    struct sink to = {append, &overview->ladders};
    int code = view_text.begin(&overview->text, &to, options, err);
    return code ? code : view_list.begin(&overview->list, sink, options, err);
}

static int overview_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                          struct err *err)
{
    struct overview *overview = state;
    struct sink to = {append, &overview->ladders};
    int code = view_list.story(overview->list, sink, options, story, err);
    if (code) return code;
    if (++overview->stories <= OVERVIEW_LADDERS) return view_text.story(overview->text, &to, options, story, err);
    buf_clear(&overview->ladders);
    return 0;
}

/* With nothing to tell, whoever ran the command says so. */
static bool is_empty(const struct overview *overview, const struct view_options *options, const struct story_trace *trace)
{
    return options->recorded && !overview->stories && !trace->apart_count && !trace->lost && !trace->dropped && !options->verbose;
}

static int overview_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                        struct err *err)
{
    struct overview *overview = state;
    if (!overview) return 0;
    bool tells = trace && !is_empty(overview, options, trace),
         lists = overview->stories > OVERVIEW_LADDERS || options->only_findings;
    struct sink to = {append, &overview->ladders};
    int code = view_text.end(overview->text, &to, options, tells && !lists ? trace : NULL, err);
    if (tells && !lists && !code) code = view_write(sink, overview->ladders.data, overview->ladders.length, err);
    int listed = view_list.end(overview->list, sink, options, tells && lists ? trace : NULL, err);
    buf_free(&overview->ladders);
    free(overview);
    return code ? code : listed;
}

static void name_end(struct buf *out, const struct story_end *end)
{
    char address[ADDRESS_TEXT_BYTES];
    address_format(&end->address, address);
    buf_text(out, address);
    if (end->process.comm) buf_printf(out, " %s[%" PRId32 "]", end->process.comm, end->process.pid);
}

int overview_line(struct buf *out, const struct story *story, bool ascii)
{
    char took[WORDS_BYTES];
    struct buf line = buf_new(LINE_BYTES);
    buf_printf(&line, "%s%" PRIu32 " ", story->udp ? "u" : "#", story->number);
    name_end(&line, &story->end[STORY_CLIENT]);
    buf_text(&line, " → ");
    name_end(&line, &story->end[STORY_SERVER]);
    buf_printf(&line, tr("  %s after %s, %" PRIu64 " sent, %" PRIu64 " received"),
               story->udp ? "udp" : story_outcome_name(story->outcome),
               words_duration(story->time.total_ns > 0 ? story->time.total_ns : 0, took), story->end[STORY_CLIENT].bytes_sent,
               story->end[STORY_SERVER].bytes_sent);
    for (size_t i = 0; i < story->finding_count; i++) buf_printf(&line, "%s%s", i ? ", " : ": ", story->findings[i].id);
    int code = escape_text(out, buf_string(&line), ascii);
    buf_free(&line);
    return code;
}

const struct view view_overview = {.name = "text",
                                   .suffix = ".txt",
                                   .summary = TR("up to three ladders; of more connections, findings and a line each"),
                                   .ladder = true,
                                   .begin = overview_begin,
                                   .story = overview_story,
                                   .end = overview_end};
