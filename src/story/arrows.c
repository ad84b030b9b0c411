#include "story/arrows.h"
#include "base/lang.h"

#include <stdio.h>
#include <string.h>

#include "story/chain.h"

/* The kernel's name for a state of the RFC's. */
static const char *kernel_name(enum tcp_state state)
{
    static const uint8_t names[STATE_COUNT] = {
        [STATE_CLOSED] = KERNEL_CLOSE,         [STATE_LISTEN] = KERNEL_LISTEN,           [STATE_SYN_SENT] = KERNEL_SYN_SENT,
        [STATE_SYN_RCVD] = KERNEL_SYN_RECV,    [STATE_ESTABLISHED] = KERNEL_ESTABLISHED, [STATE_FIN_WAIT_1] = KERNEL_FIN_WAIT1,
        [STATE_FIN_WAIT_2] = KERNEL_FIN_WAIT2, [STATE_CLOSE_WAIT] = KERNEL_CLOSE_WAIT,   [STATE_CLOSING] = KERNEL_CLOSING,
        [STATE_LAST_ACK] = KERNEL_LAST_ACK,
        /* TIME_WAIT it never reports */
    };
    return (unsigned)state < STATE_COUNT && names[state] ? event_kernel_state_name(names[state]) : "";
}

static bool is_better(const struct arrow_sight *sight, const struct arrow_sight *kept)
{
    return sight->evidence > kept->evidence || (sight->evidence == kept->evidence && sight->kernel[0] && !kept->kernel[0]);
}

/* `again`: another witness of what was counted already, if it was. */
static void keep(struct arrow_map *map, unsigned number, const struct arrow_sight *sight, bool again)
{
    const struct figure_arrow *arrow = &figure_arrows(&(size_t){0})[number - 1];
    struct arrow_sight *kept = &map->sights[number - 1];
    uint32_t count = kept->count + (again && kept->count ? 0 : 1);
    map->visited[arrow->from] = map->visited[arrow->to] = true;
    uint8_t ends = kept->ends | sight->ends;
    if (!kept->count || is_better(sight, kept)) *kept = *sight;
    kept->count = count;
    kept->ends = ends;
    map->ends[arrow->from] |= sight->ends;
    map->ends[arrow->to] |= sight->ends;
}

static void add_call(char *text, size_t room, const struct story_call *call)
{
    bool comm = call->comm && *call->comm;
    if (call->fd >= 0)
        snprintf(text, room, comm ? tr("%s(%d) of %s") : "%s(%d)%s", call->name, (int)call->fd, comm ? call->comm : "");
    else
        snprintf(text, room, comm ? tr("%s() of %s") : "%s()%s", call->name, comm ? call->comm : "");
}

/* What made the change, in a few words. */
static void describe(char *text, size_t room, const struct story *story, const struct story_cause *cause)
{
    text[0] = 0;
    const struct story_step *step = cause->step < story->step_count ? &story->steps[cause->step] : NULL;
    if (step && (step->kind == STEP_ENTER || step->kind == STEP_EXIT))
        add_call(text, room, step->call);
    else if (step && step->kind == STEP_SEGMENT)
        snprintf(text, room, tr("the %s's %s (#%u)"), story_side_word(step->side), story_label_word(step->segment),
                 step->segment->number);
    else if (step && step->kind == STEP_PROCESS_EXIT)
        snprintf(text, room, tr("the end of a process, %s"), step->exit->name);
    else if (cause->kind == CAUSE_TIMER)
        snprintf(text, room, tr("the %s timer"), cause->name ? cause->name : "");
    else if (cause->name)
        snprintf(text, room, "%s", cause->name);
    else
        snprintf(text, room, "%s", tr("cause unknown"));
}

/* The kernel's own step from and to the same states. Only where the kernel means the same by it: see docs/ARCHITECTURE.md. */
static bool kernel_reports(const struct story *story, const struct story_state *state)
{
    /* TCP_CLOSE out of FIN_WAIT2 is also what it reports of an orphan that a timewait socket goes on waiting for. */
    if (state->from_state == STATE_FIN_WAIT_2 && state->cause.kind == CAUSE_TIMER && state->cause.evidence < EVIDENCE_STACK)
        return false;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE && step->side == state->side && step->state->kernel &&
            strcmp(step->state->from, kernel_name(state->from_state)) == 0 &&
            strcmp(step->state->to, kernel_name(state->to_state)) == 0)
            return true;
    }
    return false;
}

static struct arrow_sight sight_of(const char *scenario, const struct story *story, const struct story_state *state)
{
    struct arrow_sight sight = {.ends = (uint8_t)(1u << state->side), .kind = state->cause.kind, .evidence = state->cause.evidence};
    char what[ARROWS_STEP_BYTES];
    describe(what, sizeof(what), story, &state->cause);
    snprintf(sight.scenario, sizeof(sight.scenario), "%s", scenario);
    snprintf(sight.step, sizeof(sight.step), tr("%s: %.120s"), story_side_word(state->side), what);
    if (kernel_reports(story, state))
        snprintf(sight.kernel, sizeof(sight.kernel), "%s → %s", kernel_name(state->from_state), kernel_name(state->to_state));
    return sight;
}

void arrows_take_story(struct arrow_map *map, const char *scenario, const struct story *story)
{
    const struct story_step *last[STORY_SIDES] = {NULL};
    map->stories++;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind != STEP_STATE || step->state->kernel) continue;
        const struct story_state *state = step->state;
        unsigned number = figure_number(state->from_state, state->to_state, state->cause.why);
        struct arrow_sight sight = sight_of(scenario, story, state);
        if (number) keep(map, number, &sight, false);
        /* Note 2: one segment took both. */
        const struct story_step *before = last[step->side];
        if (before && before->t_ns == step->t_ns && before->state->from_state == STATE_FIN_WAIT_1 &&
            before->state->to_state == STATE_FIN_WAIT_2 && state->to_state == STATE_TIME_WAIT)
            keep(map, figure_number_of_note_2(), &sight, false);
        last[step->side] = step;
    }
}

void arrows_take_event(struct arrow_map *map, const char *scenario, const struct event *event)
{
    if (event->kind != EVENT_STATE) return;
    const struct event_state *state = &event->state;
    bool opens = state->from == KERNEL_CLOSE && state->to == KERNEL_LISTEN;
    bool closes = state->from == KERNEL_LISTEN && state->to == KERNEL_CLOSE;
    if (!opens && !closes) return;
    const struct event_context *context = &state->context;
    struct chain_verdict verdict = chain_read(context->chain);
    struct arrow_sight sight = {.ends = ARROWS_SERVER, .kind = CAUSE_CALL, .evidence = EVIDENCE_STACK};
    const char *what = verdict.meaning == CHAIN_CALL ? verdict.name : opens ? "listen" : "close";
    if (verdict.meaning == CHAIN_EXIT)
        sight.kind = CAUSE_EXIT;
    else if (verdict.meaning != CHAIN_CALL && opens) /* only listen() does that */
        sight.evidence = EVIDENCE_CONTEXT;
    else if (verdict.meaning != CHAIN_CALL && verdict.meaning != CHAIN_DEFERRED) /* close(), shutdown(), the end of a process … */
        sight = (struct arrow_sight){.ends = ARROWS_SERVER, .kind = CAUSE_UNKNOWN, .evidence = EVIDENCE_NONE};
    snprintf(sight.scenario, sizeof(sight.scenario), "%s", scenario);
    if (sight.kind == CAUSE_EXIT)
        snprintf(sight.step, sizeof(sight.step), tr("a listening socket: the end of %s"), context->current.comm);
    else if (sight.kind == CAUSE_UNKNOWN)
        snprintf(sight.step, sizeof(sight.step), "%s", tr("a listening socket: cause unknown"));
    else
        snprintf(sight.step, sizeof(sight.step), tr("a listening socket: %.32s() of %s"), what, context->current.comm);
    snprintf(sight.kernel, sizeof(sight.kernel), "%s → %s", event_kernel_state_name(state->from),
             event_kernel_state_name(state->to));
    if (closes)
        keep(map, figure_number_of(STATE_LISTEN, INPUT_CALL_CLOSE), &sight, false);
    else
        keep(map, figure_number_of(STATE_CLOSED, INPUT_CALL_LISTEN), &sight, true);
}

void arrows_join(struct arrow_map *map, const struct arrow_map *other)
{
    for (size_t i = 0; i < FIGURE_MAX; i++) {
        const struct arrow_sight *sight = &other->sights[i];
        struct arrow_sight *kept = &map->sights[i];
        if (!sight->count) continue;
        uint32_t count = kept->count + sight->count;
        uint8_t ends = kept->ends | sight->ends;
        if (!kept->count || is_better(sight, kept)) *kept = *sight;
        kept->count = count;
        kept->ends = ends;
    }
    for (size_t i = 0; i < STATE_COUNT; i++) {
        map->visited[i] |= other->visited[i];
        map->ends[i] |= other->ends[i];
    }
    map->stories += other->stories;
}

size_t arrows_seen(const struct arrow_map *map, size_t first, size_t last)
{
    size_t count = 0;
    for (size_t i = first; i <= last && i <= FIGURE_MAX; i++) count += map->sights[i - 1].count != 0;
    return count;
}

size_t arrows_possible(size_t first, size_t last)
{
    size_t total, count = 0;
    const struct figure_arrow *arrows = figure_arrows(&total);
    for (size_t i = first; i <= last && i <= total; i++) count += !arrows[i - 1].never;
    return count;
}
