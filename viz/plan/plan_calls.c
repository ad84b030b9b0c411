/* Which lane a call stands in, from which row to which, and when it slept. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/plan/plan_own.h"

/* Which calls are open at a row, by lane. */
struct lanes {
    const bool *told; /* by step: a row begins or ends a call there */
    uint32_t *call;   /* index into the plan's calls; PLAN_NONE: free */
    size_t count, room;
};

static int take_lane(struct lanes *lanes, uint32_t call, uint32_t *ret_lane)
{
    size_t lane = 0;
    while (lane < lanes->count && lanes->call[lane] != PLAN_NONE) lane++;
    if (lane == lanes->room) {
        size_t room = lanes->room ? lanes->room * 2 : 8;
        uint32_t *grown = reallocarray(lanes->call, room, sizeof(*grown));
        if (!grown) return -ENOMEM;
        lanes->call = grown;
        lanes->room = room;
    }
    if (lane == lanes->count) lanes->count++;
    lanes->call[lane] = call;
    *ret_lane = (uint32_t)lane;
    return 0;
}

/* The open call that is this one; PLAN_NONE: it did not begin on a row. Those that overlap are few. */
static uint32_t find(const struct plan *plan, const struct lanes *lanes, const struct story_call *call, size_t *ret_lane)
{
    for (size_t lane = 0; lane < lanes->count; lane++) {
        uint32_t at = lanes->call[lane];
        if (at == PLAN_NONE || plan->calls[at].call != call) continue;
        *ret_lane = lane;
        return at;
    }
    return PLAN_NONE;
}

static int64_t waker_ns(const struct story *story, const struct story_call *call)
{
    const struct story_wake *wake = &call->wake;
    if (wake->kind != WAKE_SEGMENT || wake->step >= story->step_count) return call->exit_ns;
    int64_t sent, received;
    plan_packet_times(&story->steps[wake->step], &sent, &received);
    return received ? received : sent ? sent : call->exit_ns;
}

static void find_sleep(const struct story *story, struct plan_call *at)
{
    const struct story_call *call = at->call;
    if (call->slept_ns <= 0 || !call->exit_ns) return;
    int64_t to = waker_ns(story, call), begin = call->enter_ns;
    if (to > call->exit_ns) to = call->exit_ns;
    int64_t from = to - call->slept_ns;
    if (begin && from < begin) { /* clocks differ by as much as a packet takes */
        from = begin;
        to = begin + call->slept_ns < call->exit_ns ? begin + call->slept_ns : call->exit_ns;
    }
    at->sleep_from_ns = from;
    at->sleep_to_ns = to;
}

static int add(struct plan *plan, struct lanes *lanes, const struct story_call *call, uint32_t first_row)
{
    uint32_t index = (uint32_t)plan->call_count++;
    struct plan_call *at = &plan->calls[index];
    *at = (struct plan_call){.call = call, .first_row = first_row, .last_row = PLAN_NONE};
    find_sleep(plan->story, at);
    return take_lane(&lanes[call->side], index, &at->lane);
}

/* A call that ends on a row and begins on none is open from the first row on. */
static int add_begun_before(struct plan *plan, struct lanes *lanes)
{
    const struct story *story = plan->story;
    int code = 0;
    for (size_t i = 0; i < plan->count && !code; i++) {
        const struct plan_row *row = &plan->rows[i];
        if (row->kind != PLAN_EXIT && row->kind != PLAN_UNRETURNED) continue;
        const struct story_call *call = story->steps[row->step].call;
        bool begun = call->enter_step != STORY_NO_STEP && lanes[call->side].told[call->enter_step];
        if (!begun) code = add(plan, lanes, call, PLAN_NONE);
    }
    return code;
}

/* Whether an end was left out; what lies behind an excerpt's last step has not come yet. */
static bool is_untold(const struct plan *plan, const struct lanes *lanes, const struct story_call *call)
{
    return call->exit_step != STORY_NO_STEP && call->exit_step < plan->story->step_count && !lanes->told[call->exit_step];
}

/* Calls whose end was left out end all the same: behind the last row that came before. */
static void end_untold(struct plan *plan, struct lanes *lanes, uint32_t i)
{
    for (size_t lane = 0; lane < lanes->count; lane++) {
        struct plan_call *at = lanes->call[lane] == PLAN_NONE ? NULL : &plan->calls[lanes->call[lane]];
        if (!at || !is_untold(plan, lanes, at->call)) continue;
        if (at->call->exit_ns > plan->rows[i].t_ns || at->first_row == i) continue;
        at->last_row = i - 1;
        lanes->call[lane] = PLAN_NONE;
    }
}

static int lay_row(struct plan *plan, struct lanes *lanes, uint32_t i)
{
    struct plan_row *row = &plan->rows[i];
    for (int side = 0; side < STORY_SIDES; side++) end_untold(plan, &lanes[side], i);
    if (!plan_is_call(row)) return 0;
    const struct story_call *call = plan->story->steps[row->step].call;
    struct lanes *own = &lanes[call->side];
    size_t lane = 0;
    if (row->kind == PLAN_ENTER || row->kind == PLAN_CALL) {
        row->call = (uint32_t)plan->call_count;
        int code = add(plan, lanes, call, i);
        if (code) return code;
        if (row->kind == PLAN_ENTER) return 0;
        plan->calls[row->call].last_row = i;
        own->call[plan->calls[row->call].lane] = PLAN_NONE;
        return 0;
    }
    row->call = find(plan, own, call, &lane);
    if (row->call == PLAN_NONE || row->kind == PLAN_UNRETURNED) return 0;
    plan->calls[row->call].last_row = i;
    own->call[lane] = PLAN_NONE;
    return 0;
}

static void count_lanes(struct plan *plan)
{
    for (size_t i = 0; i < plan->call_count; i++) {
        const struct plan_call *at = &plan->calls[i];
        assert(at->call);
        size_t *lanes = &plan->lanes[at->call->side];
        if (at->first_row != PLAN_NONE && at->first_row == at->last_row) continue;
        if (at->lane + 1 > *lanes) *lanes = at->lane + 1;
    }
}

int plan_lay_calls(struct plan *plan)
{
    bool *told = calloc(plan->story->step_count, sizeof(*told));
    struct lanes lanes[STORY_SIDES] = {{.told = told}, {.told = told}};
    size_t calls = 1;
    for (size_t i = 0; i < plan->count; i++) calls += plan_is_call(&plan->rows[i]);
    for (size_t i = 0; told && i < plan->count; i++)
        if (plan->rows[i].kind == PLAN_ENTER || plan->rows[i].kind == PLAN_EXIT) told[plan->rows[i].step] = true;
    plan->calls = calloc(calls, sizeof(*plan->calls));
    int code = plan->calls && told ? add_begun_before(plan, lanes) : -ENOMEM;
    for (uint32_t i = 0; i < plan->count && !code; i++) code = lay_row(plan, lanes, i);
    if (!code) count_lanes(plan);
    free(told);
    for (int side = 0; side < STORY_SIDES; side++) free(lanes[side].call);
    return code;
}
