/* Sentences a person can act on, each with the steps that prove it: what the rules in findings_*.c share. */
#include "story/findings.h"

#include <string.h>

enum { FINDINGS_MAX = 32 };

void finding_add(struct telling *telling, const char *id, const char *severity, const char *text, const uint32_t *proof,
                 size_t proof_count)
{
    struct story *story = telling->story;
    if (!story->findings) story->findings = arena_alloc(telling->arena, FINDINGS_MAX * sizeof(struct story_finding));
    uint32_t *steps = arena_alloc(telling->arena, FINDING_PROOF_MAX * sizeof(uint32_t));
    if (!story->findings || !steps) {
        telling->failed = true;
        return;
    }
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, id) == 0) return;
    if (story->finding_count == FINDINGS_MAX) return;
    size_t count = 0;
    for (size_t i = 0; i < proof_count && count < FINDING_PROOF_MAX; i++)
        if (proof[i] != STORY_NO_STEP) steps[count++] = proof[i];
    story->findings[story->finding_count++] = (struct story_finding){id, severity, text, steps, count};
}

struct tale_packet *finding_segment(const struct telling *telling, int side, const char *label, size_t n)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || (side >= 0 && packet->side != (enum story_side)side)) continue;
        if (strcmp(packet->segment->label, label) == 0 && n-- == 0) return packet;
    }
    return NULL;
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

struct tale_call *finding_call(const struct telling *telling, int side, const char *name, int64_t ret)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        struct tale_call *tale = &telling->calls[i];
        if ((side < 0 || tale->story->side == (enum story_side)side) && tale->call->exited && tale->call->ret == ret &&
            strncmp(tale->call->name, name, strlen(name)) == 0)
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

void findings_find_all(struct telling *telling)
{
    findings_open(telling);
    findings_reset(telling);
    findings_close(telling);
    findings_linger(telling);
    findings_silent(telling);
    findings_way(telling);
}
