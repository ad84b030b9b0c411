/* Brief: what was two rows and can be one, and, where there are more than a screen takes, what can be told with fewer. */
#include "viz/plan/plan_own.h"

static bool is_call_that_ends(const struct story *story, const struct plan_row *begin, const struct plan_row *end)
{
    return end->kind == PLAN_EXIT && begin->kind == PLAN_ENTER && story->steps[begin->step].call == story->steps[end->step].call &&
           begin->states[begin->side] == STORY_NO_STEP && story->steps[end->step].call->slept_ns <= 0;
}

/* Long flights are two rows all the same: the pause between them is to be seen. */
static bool is_flight_that_ends(const struct plan_row *departs, const struct plan_row *arrives)
{
    return arrives->kind == PLAN_ARRIVE && departs->kind == PLAN_DEPART && arrives->step == departs->step &&
           arrives->t_ns - departs->t_ns < PLAN_SILENCE_NS;
}

static void land(struct plan_row *departs, const struct plan_row *arrives)
{
    departs->kind = PLAN_PACKET;
    for (int side = 0; side < STORY_SIDES; side++) {
        if (departs->states[side] == STORY_NO_STEP) departs->states[side] = arrives->states[side];
        if (departs->further[side] == STORY_NO_STEP) departs->further[side] = arrives->further[side];
    }
}

/* A call or a flight of which only the beginning and the end are left, side by side. */
static size_t join_neighbours(const struct story *story, struct plan_row *rows, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct plan_row *before = left ? &rows[left - 1] : NULL;
        if (before && is_call_that_ends(story, before, &rows[i])) {
            before->kind = PLAN_CALL;
            before->states[before->side] = rows[i].states[rows[i].side];
        } else if (before && is_flight_that_ends(before, &rows[i]))
            land(before, &rows[i]);
        else
            rows[left++] = rows[i];
    }
    return left;
}

static size_t take_away(struct plan_row *rows, size_t count, size_t i)
{
    for (size_t k = i; k + 1 < count; k++) rows[k] = rows[k + 1];
    return count - 1;
}

/* What was left out on either side of a row that is gone is left out together. */
static size_t join_skips(struct plan_row *rows, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct plan_row *before = left ? &rows[left - 1] : NULL;
        if (!before || before->kind != PLAN_SKIP || rows[i].kind != PLAN_SKIP) {
            rows[left++] = rows[i];
            continue;
        }
        before->t_ns = rows[i].t_ns;
        before->skipped.segments += rows[i].skipped.segments;
        before->skipped.data += rows[i].skipped.data;
        before->skipped.datagrams += rows[i].skipped.datagrams;
        for (int side = 0; side < STORY_SIDES; side++)
            if (rows[i].states[side] != STORY_NO_STEP) before->states[side] = rows[i].states[side];
    }
    return left;
}

/* Whether a row may stand behind the arrival of what was on its way meanwhile: it tells nothing of the host where that arrived. */
static bool is_elsewhere(const struct plan_row *row, enum story_side sender)
{
    if (row->kind == PLAN_SKIP) return row->states[!sender] == STORY_NO_STEP;
    return plan_is_call(row) && row->side == sender;
}

/* A flight during which nothing happened where it arrived, and nothing came the other way, is told where it began. */
static size_t land_at_once(struct plan_row *rows, size_t count, size_t most)
{
    for (size_t i = 0; i < count && count > most; i++) {
        size_t k = i + 1;
        if (rows[i].kind != PLAN_DEPART) continue;
        while (k < count && is_elsewhere(&rows[k], rows[i].side)) k++;
        if (k == count || !is_flight_that_ends(&rows[i], &rows[k])) continue;
        land(&rows[i], &rows[k]);
        count = take_away(rows, count, k);
    }
    return count;
}

static bool is_cause_of(const struct story *story, const struct plan_row *row, const struct story_call *call)
{
    if (row->kind != PLAN_PACKET && row->kind != PLAN_DEPART) return false;
    const struct story_step *step = &story->steps[row->step];
    const struct story_cause *cause = step->kind == STEP_SEGMENT ? &step->segment->cause : &step->datagram->cause;
    return cause->kind == CAUSE_CALL && (cause->step == call->enter_step || cause->step == call->exit_step);
}

/* A call whose end tells nothing, and whose segment stands on the next row, is told by that one: "close() sent it". */
static size_t leave_to_segments(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count,
                                size_t most)
{
    for (size_t i = 0; i + 1 < count && count > most; i++) {
        if (rows[i].kind != PLAN_ENTER || plan_marks(story, options, &rows[i])) continue;
        const struct story_call *call = story->steps[rows[i].step].call;
        bool has_end = false;
        for (size_t k = i + 1; k < count; k++)
            has_end = has_end ||
                      ((rows[k].kind == PLAN_EXIT || rows[k].kind == PLAN_UNRETURNED) && story->steps[rows[k].step].call == call);
        if (!has_end && is_cause_of(story, &rows[i + 1], call)) count = take_away(rows, count, i);
    }
    return count;
}

/* A call that sleeps until the peer's FIN and returns 0: the FIN and the state it leads to stand there already. */
static bool waits_for_fin(const struct story *story, const struct story_call *call)
{
    if (call->wake.kind != WAKE_SEGMENT || call->wake.step >= story->step_count || call->ret != 0 || call->errno_name) return false;
    const struct story_step *step = &story->steps[call->wake.step];
    return step->kind == STEP_SEGMENT && step->segment->flags & TCP_FIN;
}

/* An event loop's waiting, where nothing changes with it: the calls that it leads to stand there. */
static bool waits_for_many(const struct story *story, const struct story_call *call)
{
    (void)story;
    return call->traits & CALL_WAITS_FOR_MANY;
}

typedef bool call_test(const struct story *story, const struct story_call *call);

/* Without the calls that pass, where there are too many rows: of those that change no state and that nothing marks. */
static size_t leave(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count, size_t most,
                    call_test *passes)
{
    if (count <= most) return count;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        const struct plan_row *row = &rows[i];
        bool has_state = row->states[STORY_CLIENT] != STORY_NO_STEP || row->states[STORY_SERVER] != STORY_NO_STEP;
        bool goes = plan_is_call(row) && row->kind != PLAN_UNRETURNED && !has_state && !plan_marks(story, options, row) &&
                    passes(story, story->steps[row->step].call);
        if (!goes) rows[left++] = *row;
    }
    return join_neighbours(story, rows, left);
}

size_t plan_join(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count, size_t most)
{
    count = join_neighbours(story, rows, count);
    count = land_at_once(rows, count, most);
    count = leave_to_segments(story, options, rows, count, most);
    count = leave(story, options, rows, count, most, waits_for_fin);
    count = leave(story, options, rows, count, most, waits_for_many);
    count = land_at_once(rows, count, most);
    return join_skips(rows, count);
}
