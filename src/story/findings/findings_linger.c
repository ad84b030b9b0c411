/* close() with SO_LINGER and a time. */
#include <string.h>
#include <sys/socket.h>

#include "story/findings/findings.h"

static const int64_t MS_NS = 1000000;

/* The FIN was acknowledged while the call ran: where nobody saw the thread sleep, it must have. */
static bool saw_fin_acked(const struct telling *telling, const struct tale_call *close)
{
    for (uint32_t i = 0; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind == STEP_STATE && step->side == close->story->side && !step->state->kernel &&
            step->state->to_state == STATE_FIN_WAIT_2 && step->t_ns > close->call->enter_ns && step->t_ns < close->call->exit_ns)
            return true;
    }
    return false;
}

/* Before Linux 6.6 close() works, and waits, when its exit has been recorded (fs/open.c: fput() leaves it to task work): from its
 * FIN until that is acknowledged, `limit_s` at most. -1: it did not. */
static int64_t waited_behind_exit(const struct telling *telling, const struct tale_call *close, int64_t limit_s)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *fin = &telling->packets[i];
        if (fin->chain.meaning != CHAIN_DEFERRED || fin->seen->call != close->call || !finding_is(fin, -1, STORY_FIN)) continue;
        for (uint32_t at = fin->step; at < telling->story->step_count; at++) {
            const struct story_step *step = &telling->story->steps[at];
            if (step->kind != STEP_STATE || step->side != fin->side || step->state->kernel ||
                (step->state->from_state != STATE_FIN_WAIT_1 && step->state->from_state != STATE_LAST_ACK))
                continue;
            int64_t waited_ns = step->t_ns - fin->sent_ns;
            return limit_s > 0 && waited_ns > limit_s * 1000 * MS_NS ? limit_s * 1000 * MS_NS : waited_ns;
        }
    }
    return -1;
}

static int64_t linger_slept(const struct telling *telling, const struct tale_call *close, uint32_t set_step)
{
    const struct tale_call *set = finding_call_at(telling, set_step);
    int64_t limit_s = set ? set->call->value[1] : -1, took_ns = close->call->exit_ns - close->call->enter_ns;
    if (close->call->slept_ns > 0) return close->call->slept_ns;
    if (close->call->slept_ns < 0 && saw_fin_acked(telling, close)) return took_ns;
    /* Nor does anything else in it take so long. */
    if (close->call->slept_ns < 0 && limit_s > 0 && took_ns >= limit_s * 1000 * MS_NS) return took_ns;
    return set ? waited_behind_exit(telling, close, limit_s) : -1;
}

/* close() with SO_LINGER > 0 sleeps until everything, the FIN included, is acknowledged, or the time is over. */
void findings_linger(struct telling *telling)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *close = &telling->calls[i];
        if (!(close->call->traits & CALL_CLOSES) || !close->call->exited || !close->call->entered) continue;
        uint32_t proof[2] = {STORY_NO_STEP, close->story->exit_step};
        if (telling_option(telling, close->story->side, SOL_SOCKET, SO_LINGER, &proof[0]) != 1) continue;
        int64_t slept_ns = linger_slept(telling, close, proof[0]);
        if (slept_ns <= 0) continue;
        finding_add(
            telling, "linger-blocked", "note",
            telling_printf(
                telling,
                "close() slept %s: with SO_LINGER it waits until the peer's kernel has acknowledged the FIN, or its time is "
                "over; that says nothing about the peer's program",
                finding_time(telling, slept_ns)),
            proof, 2);
        return;
    }
}
