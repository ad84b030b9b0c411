/* The otlp view: OpenTelemetry's traces as JSON, a TracesData a line, for collectors and for `tcpwhy --otlp`.
 *
 * Each connection is a trace, each of its ends that lives here a span of its process, with states and segments as events; each call
 * is a span inside. A last trace says what the recording lost, with the calls that belong to no connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/export/otlp_own.h"
#include "viz/view.h"

enum { SPANS_A_LINE = 256 /* a receiver takes some megabytes at a time */, NAME_BYTES = 128 };
#define STORY_BYTES_MAX ((size_t)1 << 30)

struct otlp {
    struct buf out;
    int64_t first_ns, last_ns; /* of all stories */
};

/* The line that is being written: of one process. */
struct line {
    struct json json;
    const struct story_process *process;
    size_t spans;
};

static int no_memory(struct err *err)
{
    return err_set(err, -ENOMEM, "out of memory for OpenTelemetry's spans");
}

static void next_span(struct line *line)
{
    if (line->spans == SPANS_A_LINE) {
        otlp_line_end(&line->json);
        line->spans = 0;
    }
    if (!line->spans++) otlp_line_begin(&line->json, line->process);
}

static void end_line(struct line *line)
{
    if (line->spans) otlp_line_end(&line->json);
}

/* ---- calls ---- */

/* A result that says "not now" is no error. */
static const char *error_of(const struct story_call *call)
{
    static const char *const harmless[] = {"EAGAIN", "EINPROGRESS", "EALREADY", "EINTR"};
    if (!call->exit_ns || call->interrupted || !call->errno_name) return NULL;
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (!strcmp(call->errno_name, harmless[i])) return NULL;
    return call->errno_name;
}

static void put_call_attributes(struct json *json, const struct story_call *call, const char *why)
{
    bool has_result = call->exit_ns && !call->interrupted;
    otlp_attributes_begin(json);
    if (call->tid) otlp_number(json, "thread.id", call->tid);
    otlp_text(json, "tcpwhy.call.arguments", call->args);
    if (call->fd >= 0) otlp_number(json, "tcpwhy.call.fd", call->fd);
    if (has_result) otlp_number(json, "tcpwhy.call.returned", call->ret);
    if (has_result) otlp_text(json, "tcpwhy.call.errno", call->errno_name);
    if (call->interrupted) otlp_yes(json, "tcpwhy.call.interrupted");
    if (call->listener) otlp_yes(json, "tcpwhy.call.of_listener");
    if (!call->enter_ns) otlp_yes(json, "tcpwhy.call.began_before_recording");
    if (!call->exit_ns) otlp_yes(json, "tcpwhy.call.had_not_returned");
    if (call->slept_ns >= 0) otlp_seconds(json, "tcpwhy.call.slept", call->slept_ns);
    if (call->waits) {
        otlp_text(json, "tcpwhy.woken_by", story_wake_name(call->wake.kind));
        otlp_text(json, "tcpwhy.why", call->wake.why && call->wake.why[0] ? call->wake.why : NULL);
        otlp_text(json, "tcpwhy.evidence", story_evidence_name(call->wake.evidence));
    }
    otlp_text(json, "tcpwhy.why", call->waits ? NULL : why);
    otlp_text(json, "error.type", error_of(call));
    otlp_attributes_end(json);
}

/* A call that has not returned goes on as far as was seen: `until_ns`. */
static void put_call(struct line *line, const struct otlp_trace_id *trace, const struct otlp_span_id *parent,
                     const struct story_call *call, int64_t until_ns, const char *why)
{
    char name[NAME_BYTES];
    int64_t from = call->enter_ns ? call->enter_ns : call->exit_ns, to = call->exit_ns ? call->exit_ns : until_ns;
    struct otlp_span_id id = otlp_span_of(trace, "call", (uint64_t)(uint32_t)call->tid << 32 | call->number, from);
    snprintf(name, sizeof(name), "%s()", call->name);
    next_span(line);
    otlp_span_begin(&line->json, trace, &id, parent, name, OTLP_INTERNAL, from, to);
    put_call_attributes(&line->json, call, why);
    otlp_span_end(&line->json, error_of(call));
}

/* ---- stories ---- */

/* The call whose place in the story this step is; NULL: none's. */
static const struct story_call *call_at(const struct story *story, size_t i)
{
    const struct story_step *step = &story->steps[i];
    bool is_its = step->kind == STEP_ENTER || (step->kind == STEP_EXIT && step->call->enter_step == STORY_NO_STEP);
    return is_its ? step->call : NULL;
}

static bool is_same(const struct story_process *a, const struct story_process *b)
{
    return a->pid == b->pid && !strcmp(a->comm ? a->comm : "", b->comm ? b->comm : "");
}

struct processes {
    struct story_process *list;
    size_t count, capacity;
};

static int add_process(struct processes *processes, const struct story_process *process)
{
    for (size_t i = 0; i < processes->count; i++)
        if (is_same(&processes->list[i], process)) return 0;
    if (processes->count == processes->capacity) {
        size_t capacity = processes->capacity ? processes->capacity * 2 : 8;
        struct story_process *list = realloc(processes->list, capacity * sizeof(*list));
        if (!list) return -ENOMEM;
        processes->list = list;
        processes->capacity = capacity;
    }
    processes->list[processes->count++] = *process;
    return 0;
}

/* All processes of the story, the ends' first. */
static int find_processes(const struct story *story, const struct otlp_ends *ends, struct processes *processes)
{
    int code = 0;
    for (int side = 0; side < STORY_SIDES && !code; side++)
        if (ends->told[side]) code = add_process(processes, &story->end[side].process);
    for (size_t i = 0; i < story->step_count && !code; i++) {
        const struct story_call *call = call_at(story, i);
        if (call) code = add_process(processes, &(struct story_process){call->pid, call->comm});
    }
    return code;
}

static void put_process(struct otlp *otlp, const struct view_options *options, const struct story *story,
                        const struct otlp_ends *ends, const struct story_process *process)
{
    struct line line = {.json = json_new(&otlp->out, options->ascii), .process = process};
    for (int side = 0; side < STORY_SIDES; side++) {
        if (!ends->told[side] || !is_same(process, &story->end[side].process)) continue;
        next_span(&line);
        otlp_put_end(&line.json, story, ends, (enum story_side)side);
    }
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *call = call_at(story, i);
        if (!call || !is_same(process, &(struct story_process){call->pid, call->comm})) continue;
        enum story_side side = ends->told[call->side] ? call->side : !call->side;
        put_call(&line, &ends->trace, &ends->id[side], call, ends->to_ns[side], NULL);
    }
    end_line(&line);
}

static int put_story(struct otlp *otlp, const struct view_options *options, const struct story *story)
{
    struct otlp_ends ends = otlp_ends_of(story);
    struct processes processes = {0};
    int code = find_processes(story, &ends, &processes);
    for (size_t i = 0; i < processes.count && !code; i++) put_process(otlp, options, story, &ends, &processes.list[i]);
    free(processes.list);
    for (int side = 0; side < STORY_SIDES; side++) {
        if (!otlp->first_ns || ends.from_ns[side] < otlp->first_ns) otlp->first_ns = ends.from_ns[side];
        if (ends.to_ns[side] > otlp->last_ns) otlp->last_ns = ends.to_ns[side];
    }
    return code;
}

/* ---- the recording ---- */

static void put_losses(struct json *json, const struct story_trace *trace)
{
    json_array(json, "events");
    for (size_t i = 0; i < trace->loss_count; i++) {
        otlp_event_begin(json, trace->losses[i].count ? "lost" : "nothing lost", trace->started_ns);
        otlp_attributes_begin(json);
        otlp_text(json, "tcpwhy.source", trace->losses[i].source);
        otlp_text(json, "tcpwhy.what", trace->losses[i].what);
        otlp_number(json, "tcpwhy.received", (int64_t)trace->losses[i].received);
        otlp_number(json, "tcpwhy.count", (int64_t)trace->losses[i].count);
        otlp_attributes_end(json);
        otlp_event_end(json);
    }
    json_end_array(json);
}

static void put_run(struct otlp *otlp, const struct view_options *options, const struct story_trace *trace)
{
    const struct story_process self = {0, "tcpwhy"};
    struct otlp_trace_id id = otlp_trace_of_run(trace);
    struct otlp_span_id span = otlp_span_of(&id, "recording", 0, 0);
    struct line line = {.json = json_new(&otlp->out, options->ascii), .process = &self};
    int64_t from = trace->started_ns ? trace->started_ns : otlp->first_ns;
    next_span(&line);
    otlp_span_begin(&line.json, &id, &span, NULL, "recording", OTLP_INTERNAL, from, otlp->last_ns);
    otlp_attributes_begin(&line.json);
    otlp_text(&line.json, "tcpwhy.recorder", trace->recorder);
    otlp_text(&line.json, "tcpwhy.recorder.why", trace->reason);
    otlp_number(&line.json, "tcpwhy.lost", (int64_t)trace->lost);
    otlp_number(&line.json, "tcpwhy.dropped", (int64_t)trace->dropped);
    otlp_number(&line.json, "tcpwhy.calls_not_told", (int64_t)trace->apart_more);
    otlp_attributes_end(&line.json);
    put_losses(&line.json, trace);
    otlp_span_end(&line.json, NULL);
    end_line(&line);
    for (size_t i = 0; i < trace->apart_count; i++) {
        struct line apart = {.json = json_new(&otlp->out, options->ascii), .process = &trace->apart[i].process};
        for (size_t k = 0; k < trace->apart[i].count; k++)
            put_call(&apart, &id, &span, &trace->apart[i].calls[k].call, otlp->last_ns, trace->apart[i].calls[k].why);
        end_line(&apart);
    }
}

/* ---- the view ---- */

static int flush(struct otlp *otlp, const struct sink *sink, struct err *err)
{
    if (otlp->out.failed) return no_memory(err);
    int code = view_write(sink, otlp->out.data, otlp->out.length, err);
    buf_clear(&otlp->out);
    return code;
}

static int otlp_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct otlp *otlp = calloc(1, sizeof(*otlp));
    *state = otlp;
    if (!otlp) return no_memory(err);
    otlp->out = buf_new(STORY_BYTES_MAX);
    return 0;
}

static int otlp_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                      struct err *err)
{
    struct otlp *otlp = state;
    return put_story(otlp, options, story) ? no_memory(err) : flush(otlp, sink, err);
}

static int otlp_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                    struct err *err)
{
    struct otlp *otlp = state;
    if (!otlp) return 0;
    int code = 0;
    if (trace) {
        put_run(otlp, options, trace);
        code = flush(otlp, sink, err);
    }
    buf_free(&otlp->out);
    free(otlp);
    return code;
}

const struct view view_otlp = {.name = "otlp",
                               .suffix = ".otlp.jsonl",
                               .summary = TR("OpenTelemetry's OTLP as JSON: a trace a connection, a span an end and a call"),
                               .machine = true,
                               .begin = otlp_begin,
                               .story = otlp_story,
                               .end = otlp_end};
