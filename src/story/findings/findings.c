/* Sentences a person can act on, each with the steps that prove it: what the rules in findings_*.c share. */
#include "story/findings/findings.h"

#include "base/lang.h"

#include <inttypes.h>
#include <string.h>

enum { FINDINGS_MAX = 32 };

/* What can be said only where all segments, their options and all calls were recorded: each rests on one that did not come, or on
 * the time between two. */
static bool needs_all(const char *id)
{
    static const char *const ids[] = {"data-unanswered", "peer-silent",       "keepalive-dead",   "user-timeout",  "slow-answer",
                                      "one-direction",   "nagle-delayed-ack", "send-unconfirmed", "partial-write", "stream-joined",
                                      "close-wait-idle", "no-arrow",          "client-gave-up"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (strcmp(id, ids[i]) == 0) return true;
    return false;
}

void finding_add(struct telling *telling, const char *id, const char *severity, const char *text, const uint32_t *proof,
                 size_t proof_count)
{
    struct story *story = telling->story;
    if (telling->teller->course_only && needs_all(id)) return;
    if (!story->findings) story->findings = arena_alloc(telling->arena, FINDINGS_MAX * sizeof(struct story_finding));
    uint32_t *steps = arena_alloc(telling->arena, FINDING_PROOF_MAX * sizeof(uint32_t));
    if (!story->findings || !steps) {
        telling->failed = true;
        return;
    }
    if (finding_is_told(telling, id)) return;
    if (story->finding_count == FINDINGS_MAX) return;
    size_t count = 0;
    for (size_t i = 0; i < proof_count && count < FINDING_PROOF_MAX; i++)
        if (proof[i] != STORY_NO_STEP) steps[count++] = proof[i];
    story->findings[story->finding_count++] = (struct story_finding){id, severity, tr(text), steps, count};
}

bool finding_is_told(const struct telling *telling, const char *id)
{
    for (size_t i = 0; i < telling->story->finding_count; i++)
        if (strcmp(telling->story->findings[i].id, id) == 0) return true;
    return false;
}

struct tale_packet *finding_next(const struct telling *telling, const struct tale_packet *after, int side, enum story_kind kind)
{
    for (size_t i = after ? (size_t)(after - telling->packets) + 1 : 0; i < telling->packet_count; i++)
        if (finding_is(&telling->packets[i], side, kind)) return &telling->packets[i];
    return NULL;
}

struct tale_packet *finding_segment(const struct telling *telling, int side, enum story_kind kind)
{
    return finding_next(telling, NULL, side, kind);
}

struct tale_call *finding_call_at(const struct telling *telling, uint32_t step)
{
    if (step == STORY_NO_STEP) return NULL;
    const struct story_step *s = &telling->story->steps[step];
    if (s->kind != STEP_ENTER && s->kind != STEP_EXIT) return NULL;
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story == s->call) return &telling->calls[i];
    return NULL;
}

struct tale_call *finding_call(const struct telling *telling, int side, uint32_t traits, int64_t ret)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        struct tale_call *tale = &telling->calls[i];
        if ((side < 0 || tale->story->side == (enum story_side)side) && tale->call->exited && tale->call->ret == ret &&
            (!traits || tale->call->traits & traits))
            return tale;
    }
    return NULL;
}

enum tcp_state finding_state_before(const struct telling *telling, enum story_side side, uint32_t step)
{
    enum tcp_state state = STATE_UNKNOWN;
    for (uint32_t i = 0; i < step && i < telling->story->step_count; i++) {
        const struct story_step *s = &telling->story->steps[i];
        if (s->kind == STEP_STATE && s->side == side && !s->state->kernel) state = s->state->to_state;
    }
    return state;
}

const struct tale_state *finding_state(const struct telling *telling, int side, enum tcp_state state)
{
    for (size_t i = 0; i < telling->state_count; i++)
        if (!telling->states[i].story->kernel && telling->states[i].story->to_state == state &&
            (side < 0 || telling->states[i].story->side == (enum story_side)side))
            return &telling->states[i];
    return NULL;
}

uint32_t finding_state_step(const struct telling *telling, const struct tale_state *state)
{
    for (uint32_t i = 0; i < telling->story->step_count; i++)
        if (telling->story->steps[i].kind == STEP_STATE && telling->story->steps[i].state == state->story) return i;
    return STORY_NO_STEP;
}

const char *finding_time(struct telling *telling, int64_t ns)
{
    if (ns >= 9950000000) return telling_printf(telling, "%.1f s", (double)ns / 1e9);
    if (ns >= 999500000) return telling_printf(telling, "%.2f s", (double)ns / 1e9);
    if (ns >= 10000000) return telling_printf(telling, "%" PRId64 " ms", (ns + 500000) / 1000000);
    if (ns >= 1000000) return telling_printf(telling, "%.1f ms", (double)ns / 1e6);
    int64_t us = (ns + 500) / 1000;
    return telling_printf(telling, "%" PRId64 " µs", us > 0 ? us : 0);
}

void findings_find_all(struct telling *telling)
{
    if (telling->flow->sequel) return; /* each looks at the whole */
    static void (*const of_tcp[])(struct telling *) = {
        findings_open,   findings_unopened, findings_queue,   findings_stuck, findings_gave_up, findings_reset,
        findings_forged, findings_unowned,  findings_dropped, findings_close, findings_linger,  findings_silent,
        findings_wait,   findings_repeat,   findings_way,     findings_seen,  findings_calls};
    findings_icmp(telling);
    findings_names(telling);
    for (size_t i = 0; !telling->story->udp && i < sizeof(of_tcp) / sizeof(of_tcp[0]); i++) of_tcp[i](telling);
}
