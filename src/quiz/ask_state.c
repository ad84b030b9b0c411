/* The state that an end is in after a segment. */
#include <string.h>

#include "base/lang.h"
#include "quiz/own.h"
#include "story/sections.h"
#include "viz/plan/words.h"
#include "viz/view.h"

/* Whether both states were reached by the same thing: a FIN that acknowledges ours too leads through FIN_WAIT_2 to TIME_WAIT. */
static bool same_way(const struct story *story, uint32_t one, uint32_t other)
{
    const struct story_step *a = &story->steps[one], *b = &story->steps[other];
    return b->kind == STEP_STATE && !b->state->kernel && a->side == b->side && a->state->cause.step == b->state->cause.step &&
           a->t_ns == b->t_ns;
}

/* The segment with which that end's call led there, sent at that very time; NULL: none. */
static const struct story_segment *sent_then(const struct story *story, uint32_t step, uint32_t *ret_at)
{
    const struct story_step *state = &story->steps[step];
    uint32_t from = step < 4 ? 0 : step - 4;
    for (uint32_t i = from; i < story->step_count && i <= step + 4; i++) {
        const struct story_segment *segment = quiz_segment_at(story, i);
        if (!segment || segment->side != state->side || segment->sent_ns != state->t_ns) continue;
        *ret_at = i;
        return segment;
    }
    return NULL;
}

/* The segment to ask about, and how it stands to the state: "has arrived", "was sent". */
static const struct story_segment *anchor(const struct story *story, uint32_t step, bool *ret_sent, uint32_t *ret_at)
{
    const struct story_step *state = &story->steps[step];
    const struct story_cause *cause = &state->state->cause;
    const struct story_segment *segment = cause->kind == CAUSE_SEGMENT ? quiz_segment_at(story, cause->step) : NULL;
    *ret_sent = false;
    *ret_at = cause->step;
    if (segment && segment->side != state->side && !segment->lost) return segment;
    if (cause->kind != CAUSE_CALL) return NULL;
    *ret_sent = true;
    return sent_then(story, step, ret_at);
}

/* Whether its end has shown that it took the segment at step `at`: that it went on from there. A packet that was captured may have
 * been dropped behind the place of capture (a full accept queue drops the handshake's last ACK), so without the kernel's word only
 * this tells. */
static bool is_proven(const struct story *story, const struct story_segment *taken, uint32_t at)
{
    bool takes_numbers = quiz_end_of(taken) != taken->seq;
    /* An ACK alone is told by what could not have been sent without it. */
    for (uint32_t i = at + 1; i < story->step_count; i++) {
        const struct story_segment *later = quiz_segment_at(story, i);
        if (!later || later->side == taken->side || later->flags & TCP_RST || later->retransmission) continue;
        if (!(later->flags & TCP_ACK)) continue;
        int32_t covered = (int32_t)(later->ack - quiz_end_of(taken));
        bool goes_on = later->length_bytes || later->flags & TCP_FIN || covered > 0;
        if (takes_numbers ? covered >= 0 : goes_on && covered >= 0) return true;
    }
    return false;
}

static void offer_states(struct asking *asking, const struct story_state *state)
{
    static const enum tcp_state offered[] = {
        STATE_SYN_SENT,   STATE_SYN_RCVD, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2,
        STATE_CLOSE_WAIT, STATE_CLOSING,  STATE_LAST_ACK,    STATE_TIME_WAIT,  STATE_CLOSED,
    };
    /* Where people think it still is, and what its peer is in. */
    if (state->from_state != STATE_CLOSED && state->from_state != STATE_LISTEN)
        quiz_wrong(asking, tcp_state_name(state->from_state));
    static const enum tcp_state taken_for[STATE_COUNT] = {
        [STATE_SYN_SENT] = STATE_SYN_RCVD,    [STATE_SYN_RCVD] = STATE_ESTABLISHED, [STATE_FIN_WAIT_1] = STATE_CLOSE_WAIT,
        [STATE_FIN_WAIT_2] = STATE_TIME_WAIT, [STATE_CLOSE_WAIT] = STATE_LAST_ACK,  [STATE_LAST_ACK] = STATE_TIME_WAIT,
        [STATE_CLOSING] = STATE_TIME_WAIT,    [STATE_TIME_WAIT] = STATE_CLOSED,     [STATE_CLOSED] = STATE_TIME_WAIT,
        [STATE_ESTABLISHED] = STATE_SYN_RCVD};
    if (taken_for[state->to_state]) quiz_wrong(asking, tcp_state_name(taken_for[state->to_state]));
    quiz_misconceptions_end(asking);
    for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) quiz_wrong(asking, tcp_state_name(offered[i]));
}

/* LISTEN is never a choice: the listening socket is in it all the while, and a connection that it makes is not. Nor is where an end
 * is after its story's last doubt: what its past was must have been seen. */
bool quiz_ask_state(struct asking *asking, uint32_t step)
{
    const struct story *story = asking->story;
    if (story->udp || story->steps[step].kind != STEP_STATE || story->steps[step].state->kernel) return false;
    const struct story_state *state = story->steps[step].state;
    if (state->from_state == STATE_UNKNOWN || state->to_state == STATE_UNKNOWN || state->to_state == STATE_LISTEN) return false;
    if (state->to_state == state->from_state || state->cause.evidence == EVIDENCE_NONE) return false;
    if (step + 1 < story->step_count && same_way(story, step, step + 1)) return false; /* that one is asked */
    bool sent;
    uint32_t at = STORY_NO_STEP, first = step;
    const struct story_segment *segment = anchor(story, step, &sent, &at);
    if (!segment) return false;
    if (!sent && !quiz_is_shown(state->cause.evidence) && !is_proven(story, segment, at)) return false;
    while (first > 0 && same_way(story, step, first - 1)) first--;
    struct quiz_question *question = asking->question;
    question->answer = state->to;
    offer_states(asking, state);
    const char *name = quiz_segment(asking, segment), *side = quiz_side(state->side);
    question->prompt =
        sent ? quiz_text(asking, tr("In which state of RFC 9293 is the %s once it has sent %s?"), side, name)
             : quiz_text(asking, tr("In which state of RFC 9293 is the %s once %s has arrived and been dealt with?"), side, name);
    question->why = quiz_text(asking, tr("%s: %s to %s: %s."), name, state->from, state->to, tr(state->cause.why));
    question->reference = quiz_section(asking, section_of_state(state));
    question->evidence = words_evidence(state->cause.kind, state->cause.evidence);
    question->blank = VIEW_FIELD_STATE;
    question->blank_from = first;
    question->blank_to = step;
    question->until = at > step ? at : step;
    return true;
}
