#include "watch/facts.h"
#include "base/lang.h"

#include <stdio.h>

#include "event/event.h"

static const struct story_segment *segment_at(const struct story *story, size_t i)
{
    return story->steps[i].kind == STEP_SEGMENT ? story->steps[i].segment : NULL;
}

/* The segment with which that side ended the connection: its first FIN, or a RST. */
static const struct story_segment *last_word(const struct story *story, int side)
{
    const struct story_segment *reset = NULL;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = segment_at(story, i);
        if (!segment || segment->side != (enum story_side)side) continue;
        if (segment->flags & TCP_FIN) return segment;
        if (segment->flags & TCP_RST && !reset) reset = segment;
    }
    return reset;
}

/* `brief`: without what the name says by itself. */
static void say_how(const struct story *story, const struct story_cause *cause, bool brief, char how[FACTS_HOW_BYTES])
{
    const struct story_step *step = cause->step < story->step_count ? &story->steps[cause->step] : NULL;
    const struct story_call *call = step && (step->kind == STEP_ENTER || step->kind == STEP_EXIT) ? step->call : NULL;
    switch (cause->kind) {
    case CAUSE_CALL:
        if (call && call->fd >= 0)
            snprintf(how, FACTS_HOW_BYTES, "%.32s(%d)", call->name, call->fd);
        else
            snprintf(how, FACTS_HOW_BYTES, "%.32s()", cause->name ? cause->name : tr("a call"));
        break;
    case CAUSE_EXIT:
        snprintf(how, FACTS_HOW_BYTES, brief ? "%.32s" : tr("its end: %.32s"), cause->name ? cause->name : "?");
        break;
    case CAUSE_TIMER:
        snprintf(how, FACTS_HOW_BYTES, brief ? "%.32s" : tr("timer: %.32s"), cause->name ? cause->name : "?");
        break;
    case CAUSE_SEGMENT:
        snprintf(how, FACTS_HOW_BYTES, brief ? tr("answers %s") : tr("answer to %s"),
                 step && step->kind == STEP_SEGMENT ? step->segment->label : tr("a segment"));
        break;
    case CAUSE_KERNEL:
        snprintf(how, FACTS_HOW_BYTES, brief ? "%.32s" : tr("kernel: %.32s"), cause->name ? cause->name : "?");
        break;
    case CAUSE_UNKNOWN:
        how[0] = 0;
        break;
    }
}

/* Who ended it: whoever sent the first FIN; of a connection that a RST ended, who sent that. */
static int closer_of(const struct story *story)
{
    int side = story->summary.closed_first_by;
    if (story->outcome != OUTCOME_RESET && story->outcome != OUTCOME_REFUSED) return side;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = segment_at(story, i);
        if (segment && segment->flags & TCP_RST && !segment->copy) return (int)segment->side;
    }
    return side;
}

bool facts_are_open(const struct story *story)
{
    bool fin[STORY_SIDES] = {false, false};
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = segment_at(story, i);
        if (segment && segment->flags & TCP_FIN) fin[segment->side] = true;
    }
    return (story->outcome == OUTCOME_OPEN || story->outcome == OUTCOME_HALF_OPEN) && !(fin[STORY_CLIENT] && fin[STORY_SERVER]);
}

void facts_of(const struct story *story, struct watch_facts *ret_facts)
{
    const struct story_segment *syn = NULL, *data = NULL;
    *ret_facts = (struct watch_facts){
        .story = story,
        .end_ns = story->start_ns,
        .closer = closer_of(story),
        .connect_ns = story->summary.handshake_ns,
        .accept_ns = story->summary.accept_wait_ns,
        .first_byte_ns = -1,
        .told_ns = INT64_MIN,
    };
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = segment_at(story, i);
        if (!segment) continue;
        ret_facts->end_ns = story->steps[i].t_ns > ret_facts->end_ns ? story->steps[i].t_ns : ret_facts->end_ns;
        if (segment->kind == STORY_SYN && !syn) syn = segment;
        if (segment->length_bytes && segment->side == STORY_SERVER && !data) data = segment;
        if (segment->retransmission && !segment->copy) ret_facts->repeats[segment->repeat]++;
    }
    if (syn && data) ret_facts->first_byte_ns = data->sent_ns - syn->sent_ns;
    const struct story_segment *word = ret_facts->closer >= 0 ? last_word(story, ret_facts->closer) : NULL;
    if (!word) return;
    say_how(story, &word->cause, false, ret_facts->how);
    say_how(story, &word->cause, true, ret_facts->brief);
    ret_facts->how_evidence = word->cause.evidence;
}
