/* A RST that ended an end only until that went on, a SYN,ACK that seems not to have arrived: a story knows what came later, so it
 * shows no step that was taken back. */
#include <stdlib.h>

#include "story/steps/moments.h"
#include "tcp/segment.h"

static bool is_of(const struct tale_state *state, enum story_side side)
{
    return state->story->side == side && !state->story->kernel;
}

/* The step of the same end before this one, if it is the one that this takes back. */
static struct tale_state *taken_back(struct telling *telling, const struct tale_state *back)
{
    for (size_t i = (size_t)(back - telling->states); i--;) {
        struct tale_state *state = &telling->states[i];
        if (!is_of(state, back->story->side) || state->in_vain) continue;
        bool same = state->story->to_state == back->story->from_state && state->story->from_state == back->story->to_state;
        return same && state->packet != STORY_NO_STEP && !state->goes_on ? state : NULL;
    }
    return NULL;
}

/* Their steps go, and what counts steps moves up. `moved[i]`: where step i is now. */
static void move_up(struct telling *telling, const uint32_t *moved)
{
    struct story *story = telling->story;
    for (size_t i = 0; i < telling->packet_count; i++) telling->packets[i].step = moved[telling->packets[i].step];
    for (size_t i = 0; i < telling->exit_count; i++) telling->exits[i] = moved[telling->exits[i]];
    for (size_t i = 0; i < telling->call_count; i++) {
        struct story_call *call = telling->calls[i].story;
        if (call->enter_step != STORY_NO_STEP) call->enter_step = moved[call->enter_step];
        if (call->exit_step != STORY_NO_STEP) call->exit_step = moved[call->exit_step];
    }
    size_t kept = 0;
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind != STEP_STATE || story->steps[i].state) story->steps[kept++] = story->steps[i];
    story->step_count = kept;
}

static void take_out(struct telling *telling)
{
    struct story *story = telling->story;
    uint32_t *moved = calloc(story->step_count, sizeof(*moved));
    if (!moved) {
        telling->failed = true;
        return;
    }
    size_t kept = 0, state = 0;
    for (size_t i = 0, at = 0; i < story->step_count; i++) {
        moved[i] = (uint32_t)at;
        bool gone = story->steps[i].kind == STEP_STATE && telling->states[state++].in_vain; /* in the same order */
        if (gone) story->steps[i].state = NULL;
        at += !gone;
    }
    move_up(telling, moved);
    free(moved);
    for (size_t i = 0; i < telling->state_count; i++)
        if (!telling->states[i].in_vain) telling->states[kept++] = telling->states[i];
    telling->state_count = kept;
}

/* The RST that had seemed to end this end, in whose name it came. */
static void note_not_its_own(struct telling *telling, const struct tale_state *end)
{
    struct tale_packet *reset = &telling->packets[end->packet];
    if (reset->side == end->story->side && reset->seen->packet.header.flags & TCP_RST) reset->not_its_own = true;
}

/* An end that went on, a SYN,ACK or a FIN that did not find its end there. */
static bool shows_nothing(const struct story_state *back)
{
    if (back->from_state == STATE_TIME_WAIT) return back->to_state != STATE_CLOSED;
    return back->from_state == STATE_CLOSED || back->from_state == STATE_CLOSE_WAIT || back->from_state == STATE_CLOSING ||
           back->to_state == STATE_SYN_SENT;
}

void vain_take_out(struct telling *telling)
{
    bool any = false;
    for (size_t i = 0; i < telling->state_count; i++) {
        struct tale_state *back = &telling->states[i], *end;
        if (!back->goes_on) continue;
        if (!shows_nothing(back->story)) continue;
        if (!(end = taken_back(telling, back))) continue;
        end->in_vain = back->in_vain = any = true;
        if (back->story->from_state == STATE_CLOSED) note_not_its_own(telling, end);
    }
    if (any) take_out(telling);
}
