/* The perfetto view: a trace for ui.perfetto.dev, in its own binary format.
 *
 * Processes with their threads, on which calls are slices, and inside each what it slept; a group for each connection with its two
 * ends, of each end the states it went through, the segments it sent and got, and the window it offered. A flow leads from each
 * cause to its effect, from a segment's sending to its arrival, and from the segment that woke a call to the call. The kernel's
 * call chain is the call stack of the segment that it sent. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/export/perfetto_own.h"
#include "viz/export/perfetto_segments.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"
#include "viz/view.h"

static int no_memory(struct err *err)
{
    return err_set(err, -ENOMEM, "out of memory for the Perfetto trace");
}

int64_t perfetto_at(struct perfetto_view *view, int64_t t_ns)
{
    if (t_ns > view->last_ns) view->last_ns = t_ns;
    return t_ns;
}

void perfetto_put_flows(struct perfetto_telling *telling, uint32_t step, bool in, bool out)
{
    const struct flows *flows = &telling->flows;
    if (step >= flows->steps) return;
    if (in && flows->into[step] != FLOW_NONE) perfetto_flow_to(&telling->perfetto, flows->first + flows->into[step]);
    for (uint32_t edge = flows->out[step]; out && edge != FLOW_NONE; edge = flows->next[edge])
        perfetto_flow_from(&telling->perfetto, flows->first + edge);
}

void perfetto_put_cause(struct perfetto *perfetto, const struct story_cause *cause)
{
    perfetto_text(perfetto, "cause", story_cause_name(cause->kind));
    if (cause->name) perfetto_text(perfetto, "cause_name", cause->name);
    perfetto_text(perfetto, "why", cause->why);
    perfetto_text(perfetto, "evidence", words_evidence(cause->kind, cause->evidence));
}

/* ---- tracks ---- */

static const char *perfetto_join(const struct phrase *phrase, char *text, size_t room)
{
    text[0] = '\0';
    for (size_t i = 0; i < phrase->count; i++) strncat(text, phrase->runs[i].text, room - strlen(text) - 1);
    return text;
}

static void announce_end(struct perfetto_telling *telling, enum story_side side, struct arena *arena)
{
    char who[NAME_BYTES], name[NAME_BYTES + 16];
    struct perfetto *perfetto = &telling->perfetto;
    uint64_t end = telling->tracks + PLACE_END + side;
    struct phrase words = phrase_new(arena);
    facts_end(telling->story, side, &words);
    snprintf(name, sizeof(name), "%s %s", story_side_name(side), perfetto_join(&words, who, sizeof(who)));
    perfetto_group(perfetto, end, telling->tracks + PLACE_STORY, (int)side, name);
    if (!telling->story->udp) perfetto_group(perfetto, telling->tracks + PLACE_STATES + side, end, 1, "state");
    perfetto_group(perfetto, telling->tracks + PLACE_PACKETS + side, end, 2, telling->story->udp ? "datagrams" : "segments");
    if (!telling->story->udp) perfetto_counter(perfetto, telling->tracks + PLACE_WINDOW + side, end, 3, "window it offers (bytes)");
}

static void tell_story_slice(struct perfetto_telling *telling, const char *name)
{
    const struct story *story = telling->story;
    struct perfetto *perfetto = &telling->perfetto;
    uint64_t track = telling->tracks + PLACE_STORY;
    int64_t end = story->start_ns;
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].t_ns > end) end = story->steps[i].t_ns;
    perfetto_event(perfetto, PERFETTO_BEGIN, track, perfetto_at(telling->view, story->start_ns), name);
    perfetto_category(perfetto, "connection");
    perfetto_text(perfetto, "outcome", story_outcome_name(story->outcome));
    if (story->so_far) perfetto_yes(perfetto, "told so far");
    if (story->sequel) perfetto_yes(perfetto, "a sequel");
    if (story->summary.folded_segments) perfetto_number(perfetto, "folded_segments", (int64_t)story->summary.folded_segments);
    if (story->summary.folded_calls) perfetto_number(perfetto, "folded_calls", (int64_t)story->summary.folded_calls);
    perfetto_event_end(perfetto);
    for (size_t i = 0; i < story->finding_count; i++) {
        const struct story_finding *finding = &story->findings[i];
        uint32_t first = finding->step_count ? finding->steps[0] : STORY_NO_STEP;
        int64_t at = first < story->step_count ? story->steps[first].t_ns : story->start_ns;
        perfetto_event(perfetto, PERFETTO_INSTANT, track, at < story->start_ns ? story->start_ns : at, finding->id);
        perfetto_category(perfetto, "finding");
        perfetto_text(perfetto, "severity", finding->severity);
        perfetto_text(perfetto, "text", finding->text);
        perfetto_event_end(perfetto);
    }
    perfetto_slice_end(perfetto, track, perfetto_at(telling->view, end));
}

static void announce(struct perfetto_telling *telling)
{
    char name[NAME_BYTES];
    struct arena arena = arena_new();
    struct phrase words = phrase_new(&arena);
    facts_headline(telling->story, &words);
    perfetto_join(&words, name, sizeof(name));
    perfetto_group(&telling->perfetto, telling->tracks + PLACE_STORY, 0, (int)(telling->view->stories & INT32_MAX), name);
    for (int side = 0; side < STORY_SIDES; side++) announce_end(telling, (enum story_side)side, &arena);
    tell_story_slice(telling, name);
    arena_free(&arena);
}

/* ---- segments ---- */

/* ---- states ---- */

/* As RFC 9293 spells it: "SYN-SENT". */
static const char *spell_state(const char *name, char text[NAME_BYTES])
{
    snprintf(text, NAME_BYTES, "%s", strcmp(name, "SYN_RCVD") ? name : "SYN-RECEIVED");
    for (char *c = text; *c; c++)
        if (*c == '_') *c = '-';
    return text;
}

static void tell_state(struct perfetto_telling *telling, uint32_t i, bool open[STORY_SIDES])
{
    char name[NAME_BYTES];
    const struct story_step *step = &telling->story->steps[i];
    struct perfetto *perfetto = &telling->perfetto;
    uint64_t track = telling->tracks + PLACE_STATES + step->side;
    bool goes_on = step->state->to_state != STATE_CLOSED;
    if (open[step->side]) perfetto_slice_end(perfetto, track, step->t_ns);
    open[step->side] = goes_on;
    perfetto_event(perfetto, goes_on ? PERFETTO_BEGIN : PERFETTO_INSTANT, track, perfetto_at(telling->view, step->t_ns),
                   spell_state(step->state->to, name));
    perfetto_category(perfetto, "state");
    perfetto_put_cause(perfetto, &step->state->cause);
    perfetto_chain(perfetto, step->state->cause.chain, step->state->cause.chain_count);
    perfetto_put_flows(telling, i, true, true);
    perfetto_event_end(perfetto);
}

/* TIME_WAIT ends behind the story, when Linux lets it: if the trace goes on that long. Other states just were not seen to end. */
static int keep_endings(struct perfetto_telling *telling, const bool open[STORY_SIDES])
{
    struct perfetto_view *view = telling->view;
    const struct story_summary *summary = &telling->story->summary;
    for (int side = 0; side < STORY_SIDES; side++) {
        bool waits = summary->time_wait_side == side || summary->time_wait_side == STORY_SIDES;
        if (!open[side] || !waits || !summary->time_wait_until_ns) continue;
        if (view->ending_count == view->ending_room) {
            size_t room = view->ending_room ? view->ending_room * 2 : 64;
            struct perfetto_ending *ending = realloc(view->ending, room * sizeof(*ending));
            if (!ending) return -ENOMEM;
            view->ending = ending;
            view->ending_room = room;
        }
        view->ending[view->ending_count++] =
            (struct perfetto_ending){telling->tracks + PLACE_STATES + (uint64_t)side, summary->time_wait_until_ns};
    }
    return 0;
}

/* ---- the story ---- */

static void tell_exit(struct perfetto_telling *telling, const struct story_step *step)
{
    char name[NAME_BYTES];
    const struct story_exit *end = step->exit;
    struct perfetto *perfetto = &telling->perfetto;
    uint64_t track = telling->tracks + PLACE_END + step->side;
    if (end->process.pid) {
        track = PERFETTO_TRACK_PROCESS | (uint32_t)end->process.pid;
        perfetto_process(perfetto, track, end->process.pid, end->process.comm);
    }
    snprintf(name, sizeof(name), end->signal ? "killed by %s" : "ended, %s", end->name);
    perfetto_event(perfetto, PERFETTO_INSTANT, track, perfetto_at(telling->view, step->t_ns), name);
    perfetto_category(perfetto, "exit");
    perfetto_put_flows(telling, (uint32_t)(step - telling->story->steps), true, true);
    perfetto_event_end(perfetto);
}

static int tell_steps(struct perfetto_telling *telling)
{
    bool open[STORY_SIDES] = {false};
    const struct story *story = telling->story;
    for (uint32_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_SEGMENT || step->kind == STEP_DATAGRAM)
            perfetto_tell_packet(telling, i);
        else if (step->kind == STEP_STATE && !step->state->kernel)
            tell_state(telling, i, open);
        else if (step->kind == STEP_PROCESS_EXIT)
            tell_exit(telling, step);
    }
    return keep_endings(telling, open);
}

static void choose_steps(struct perfetto_telling *telling)
{
    const struct story *story = telling->story;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        telling->told[i] = step->kind == STEP_SEGMENT || step->kind == STEP_DATAGRAM || step->kind == STEP_PROCESS_EXIT ||
                           (step->kind == STEP_STATE && !step->state->kernel);
    }
}

static int tell(struct perfetto_telling *telling)
{
    telling->told = calloc(telling->story->step_count + 1, sizeof(bool));
    telling->is_new = calloc(telling->plan.call_count + 1, sizeof(bool));
    if (!telling->told || !telling->is_new) return -ENOMEM;
    choose_steps(telling);
    int code = perfetto_choose_calls(telling);
    if (!code) code = flows_make(telling->story, telling->told, &telling->view->flows, &telling->flows);
    if (code) return code;
    announce(telling);
    perfetto_tell_calls(telling);
    code = tell_steps(telling);
    flows_free(&telling->flows);
    return code;
}

/* ---- the view ---- */

static void tell_clock(struct perfetto_view *view, struct perfetto *perfetto, int64_t t_ns)
{
    if (!view->clock_told) perfetto_clock(perfetto, t_ns);
    view->clock_told = true;
}

static int flush(struct perfetto_view *view, const struct sink *sink, struct err *err)
{
    if (view->out.failed) return no_memory(err);
    int code = view_write(sink, view->out.data, view->out.length, err);
    buf_clear(&view->out);
    return code;
}

static int perfetto_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct perfetto_view *view = calloc(1, sizeof(*view));
    *state = view;
    if (view) view->calls = table_new(sizeof(struct perfetto_call_key));
    if (!view || !view->calls) return no_memory(err);
    view->out = buf_new(STORY_BYTES_MAX);
    view->flows = 1;
    view->last_ns = INT64_MIN;
    return 0;
}

static int perfetto_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                          struct err *err)
{
    struct perfetto_view *view = state;
    struct view_options whole = *options;
    whole.brief = false;
    whole.part = VIEW_WHOLE;
    struct perfetto_telling telling = {.view = view,
                                       .perfetto = {.out = &view->out, .ascii = options->ascii},
                                       .options = &whole,
                                       .story = story,
                                       .tracks = PERFETTO_TRACK_STORY + view->stories * PLACES};
    tell_clock(view, &telling.perfetto, story->start_ns);
    int code = plan_make(story, &whole, &telling.plan);
    if (!code) {
        code = tell(&telling);
        plan_free(&telling.plan);
    }
    free(telling.told);
    free(telling.is_new);
    view->stories++;
    return code ? no_memory(err) : flush(view, sink, err);
}

/* Who recorded, and what was lost: an event where the recording began. */
static int tell_run(struct perfetto_view *view, struct perfetto *perfetto, const struct story_trace *trace)
{
    char text[NAME_BYTES];
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    facts_losses(trace, &facts);
    tell_clock(view, perfetto, trace->started_ns);
    perfetto_group(perfetto, PERFETTO_TRACK_RUN, 0, -1, "tcpwhy: the recording");
    for (size_t i = 0; i < facts.count; i++) {
        perfetto_event(perfetto, PERFETTO_INSTANT, PERFETTO_TRACK_RUN, trace->started_ns,
                       perfetto_join(&facts.list[i].words, text, sizeof(text)));
        perfetto_category(perfetto, "recording");
        if (trace->recorder) perfetto_text(perfetto, "recorder", trace->recorder);
        perfetto_number(perfetto, "lost", (int64_t)trace->lost);
        perfetto_number(perfetto, "dropped", (int64_t)trace->dropped);
        perfetto_event_end(perfetto);
    }
    int code = facts.failed ? -ENOMEM : 0;
    arena_free(&arena);
    return code;
}

static int tell_end(struct perfetto_view *view, const struct sink *sink, const struct view_options *options,
                    const struct story_trace *trace, struct err *err)
{
    struct perfetto perfetto = {.out = &view->out, .ascii = options->ascii};
    int code = tell_run(view, &perfetto, trace);
    for (size_t i = 0; i < trace->apart_count; i++)
        for (size_t k = 0; k < trace->apart[i].count; k++)
            perfetto_tell_apart(view, &perfetto, &trace->apart[i].calls[k].call, trace->apart[i].calls[k].why);
    for (size_t i = 0; i < view->ending_count; i++)
        if (view->ending[i].t_ns <= view->last_ns) perfetto_slice_end(&perfetto, view->ending[i].track, view->ending[i].t_ns);
    return code ? no_memory(err) : flush(view, sink, err);
}

static int perfetto_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                        struct err *err)
{
    struct perfetto_view *view = state;
    if (!view) return 0;
    int code = trace ? tell_end(view, sink, options, trace, err) : 0;
    table_free(view->calls);
    free(view->ending);
    buf_free(&view->out);
    free(view);
    return code;
}

const struct view view_perfetto = {.name = "perfetto",
                                   .suffix = ".pftrace",
                                   .summary = TR("a trace for ui.perfetto.dev: calls, states, segments, and what caused what"),
                                   .binary = true,
                                   .machine = true,
                                   .begin = perfetto_begin,
                                   .story = perfetto_story,
                                   .end = perfetto_end};
