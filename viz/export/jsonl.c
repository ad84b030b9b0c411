/* The jsonl view: a JSON object a line, for other programs. docs/event-lines.schema.json says what each line holds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "viz/export/jsonl_own.h"
#include "viz/pen/json.h"
#include "viz/plan/clock_words.h"
#include "viz/view.h"

struct jsonl {
    struct buf out;
    uint64_t connections, segments, datagrams, calls, findings;
};

void jsonl_begin_line(struct json *json, const char *type, const struct story *story)
{
    json_object(json, NULL);
    json_string(json, "type", type);
    if (!story) return;
    char apart[16];
    snprintf(apart, sizeof(apart), "u%" PRIu32, story->number);
    if (story->numbered_apart)
        json_string(json, "conn", apart);
    else
        json_uint(json, "conn", story->number);
}

void jsonl_end_line(struct json *json)
{
    json_end_object(json);
    json_newline(json);
}

/* Calls that stand in no story. Returns how many. */
static uint64_t apart_lines(struct json *json, const struct story_trace *trace)
{
    uint64_t count = 0;
    for (size_t i = 0; i < trace->apart_count; i++)
        for (size_t k = 0; k < trace->apart[i].count; k++) {
            jsonl_begin_line(json, "call", NULL);
            json_null(json, "conn");
            jsonl_put_call(json, NULL, &trace->apart[i].calls[k].call);
            json_string(json, "why", trace->apart[i].calls[k].why);
            jsonl_end_line(json);
            count++;
        }
    return count;
}

static int flush(struct jsonl *jsonl, const struct sink *sink, struct err *err)
{
    if (jsonl->out.failed) return err_set(err, -ENOMEM, "out of memory while writing the event lines");
    int code = view_write(sink, jsonl->out.data, jsonl->out.length, err);
    buf_clear(&jsonl->out);
    return code;
}

static int jsonl_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    struct jsonl *jsonl = calloc(1, sizeof(*jsonl));
    *state = jsonl;
    if (!jsonl) return err_set(err, -ENOMEM, "out of memory for the event lines");
    jsonl->out = buf_new(STORY_BYTES_MAX);
    const struct view_run *run = options->run ? options->run : &(const struct view_run){0};
    struct json json = json_new(&jsonl->out, options->ascii);
    jsonl_begin_line(&json, "trace", NULL);
    json_int(&json, "version", FORMAT_VERSION);
    json_string(&json, "recorder", run->recorder);
    json_string(&json, "reason", run->reason);
    json_array(&json, "vantages");
    for (size_t i = 0; i < run->vantage_count; i++) json_string(&json, NULL, run->vantages[i]);
    json_end_array(&json);
    json_maybe_int(&json, "started", run->started_ns != 0, run->started_ns);
    jsonl_end_line(&json);
    for (size_t i = 0; i < run->clock_count; i++) clock_line(&json, &run->clocks[i]);
    return flush(jsonl, sink, err);
}

static int jsonl_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                       struct err *err)
{
    struct jsonl *jsonl = state;
    struct json json = json_new(&jsonl->out, options->ascii);
    jsonl_connection(&json, story);
    for (size_t i = 0; i < story->step_count; i++) jsonl_step(&json, story, &story->steps[i]);
    jsonl_time(&json, story);
    for (size_t i = 0; i < story->finding_count; i++) jsonl_finding(&json, story, &story->findings[i]);
    for (size_t i = 0; i < story->difference_count; i++) jsonl_difference(&json, story, &story->differences[i]);
    jsonl->connections++;
    jsonl->segments += story->summary.segments;
    jsonl->datagrams += story->summary.datagrams;
    jsonl->calls += story->summary.calls;
    jsonl->findings += story->finding_count;
    return flush(jsonl, sink, err);
}

static void end_lines(struct json *json, const struct jsonl *jsonl, const struct story_trace *trace)
{
    for (size_t i = 0; i < trace->loss_count; i++) {
        const struct story_loss *loss = &trace->losses[i];
        jsonl_begin_line(json, "lost", NULL);
        json_string(json, "source", loss->source);
        json_string(json, "what", loss->what);
        json_uint(json, "received", loss->received);
        json_uint(json, "count", loss->count);
        jsonl_end_line(json);
    }
    uint64_t apart = apart_lines(json, trace);
    jsonl_begin_line(json, "summary", NULL);
    json_string(json, "recorder", trace->recorder);
    json_array(json, "vantages");
    for (size_t i = 0; i < trace->vantage_count; i++) json_string(json, NULL, trace->vantages[i]);
    json_end_array(json);
    json_uint(json, "connections", jsonl->connections);
    json_uint(json, "segments", jsonl->segments);
    json_uint(json, "datagrams", jsonl->datagrams);
    json_uint(json, "calls", jsonl->calls + apart);
    json_uint(json, "findings", jsonl->findings);
    json_uint(json, "lost", trace->lost);
    json_uint(json, "dropped", trace->dropped);
    json_uint(json, "marks_unjoined", trace->marks_unjoined);
    json_uint(json, "packets_unmarked", trace->packets_unmarked);
    jsonl_end_line(json);
}

static int jsonl_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                     struct err *err)
{
    struct jsonl *jsonl = state;
    if (!jsonl) return 0;
    int code = 0;
    if (trace) {
        struct json json = json_new(&jsonl->out, options->ascii);
        end_lines(&json, jsonl, trace);
        code = flush(jsonl, sink, err);
    }
    buf_free(&jsonl->out);
    free(jsonl);
    return code;
}

const struct view view_jsonl = {.name = "jsonl",
                                .suffix = ".jsonl",
                                .summary = TR("a JSON object a line, for other programs"),
                                .machine = true,
                                .begin = jsonl_begin,
                                .story = jsonl_story,
                                .end = jsonl_end};
