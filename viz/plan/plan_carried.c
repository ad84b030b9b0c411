/* A FIN that carries the ACK of the peer's: why a goodbye may take three segments. */
#include "viz/plan/plan_own.h"

enum { STEPS_BACK = 64 /* a goodbye is near its end; no story makes this slow */ };

/* Sent again later: then it took more than three. */
static bool is_repeated(const struct story *story, uint32_t step)
{
    for (uint32_t i = step + 1; i < story->step_count && i <= step + STEPS_BACK; i++)
        if (story->steps[i].kind == STEP_SEGMENT && story->steps[i].segment->retransmission &&
            story->steps[i].segment->flags & TCP_FIN)
            return true;
    return false;
}

uint32_t plan_carried_fin(const struct story *story, uint32_t step)
{
    const struct story_segment *fin = story->steps[step].kind == STEP_SEGMENT ? story->steps[step].segment : NULL;
    if (!fin || !(fin->flags & TCP_FIN) || !(fin->flags & TCP_ACK) || fin->retransmission || fin->copy || is_repeated(story, step))
        return STORY_NO_STEP;
    for (uint32_t back = 1; back <= STEPS_BACK && back <= step; back++) {
        const struct story_step *at = &story->steps[step - back];
        const struct story_segment *segment = at->kind == STEP_SEGMENT ? at->segment : NULL;
        if (!segment || segment->copy) continue;
        if (segment->side == fin->side && segment->flags & TCP_ACK && segment->ack == fin->ack)
            return STORY_NO_STEP; /* one before it */
        if (segment->side != fin->side && segment->flags & TCP_FIN && !segment->lost)
            return segment->seq + segment->length_bytes + 1 == fin->ack && !segment->retransmission ? step - back : STORY_NO_STEP;
    }
    return STORY_NO_STEP;
}
