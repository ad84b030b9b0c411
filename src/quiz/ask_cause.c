/* What a segment or datagram was sent by. */
#include <string.h>

#include "base/lang.h"
#include "quiz/own.h"
#include "story/sections.h"
#include "viz/plan/words.h"
#include "viz/view.h"

struct sent {                            /* a segment's or datagram's */
    const struct story_segment *segment; /* NULL: a datagram */
    const struct story_cause *cause;
    enum story_side side;
    uint32_t number, step;
    int64_t sent_ns;
    const char *label;
};

static bool sent_at(const struct story *story, uint32_t step, struct sent *ret)
{
    const struct story_segment *segment = quiz_segment_at(story, step);
    if (segment) {
        *ret = (struct sent){segment, &segment->cause, segment->side, segment->number, step, segment->sent_ns, segment->label};
        return true;
    }
    const struct story_datagram *datagram = story->steps[step].kind == STEP_DATAGRAM ? story->steps[step].datagram : NULL;
    if (!datagram || datagram->icmp) return false;
    *ret = (struct sent){NULL, &datagram->cause, datagram->side, datagram->number, step, datagram->sent_ns, tr("datagram")};
    return true;
}

/* Calls that can't make a segment leave, whatever people say. */
static bool never_sends(const struct story_call *call)
{
    return call->traits & (CALL_ACCEPTS | CALL_LISTENS | CALL_BINDS | CALL_MAKES_SOCKET);
}

/* Nobody takes these for the cause. */
static bool says_nothing(const struct story_call *call)
{
    return call->traits & (CALL_MAKES_SOCKET | CALL_BINDS | CALL_SETS_OPTION | CALL_WATCHES | CALL_COPIES | CALL_TAKES_COPY);
}

static const struct story_call *call_at(const struct story *story, uint32_t step)
{
    if (step >= story->step_count) return NULL;
    const struct story_step *at = &story->steps[step];
    return at->kind == STEP_ENTER || at->kind == STEP_EXIT ? at->call : NULL;
}

static const char *call_words(struct asking *asking, const struct story_call *call)
{
    return quiz_text(asking, tr("the %s's call %s"), quiz_side(call->side), quiz_call(asking, call));
}

static const char *answer_words(struct asking *asking, enum story_side side, const struct story_segment *to)
{
    return quiz_text(asking, tr("the %s's kernel by itself, because %s came"), quiz_side(side), quiz_segment(asking, to));
}

static const char *timer_words(struct asking *asking, enum story_side side, const char *name)
{
    return quiz_text(asking, tr("a timer of the %s's kernel: %s"), quiz_side(side), name);
}

/* The right answer; NULL: its cause can't be asked. */
static const char *right_words(struct asking *asking, const struct sent *sent)
{
    const struct story_cause *cause = sent->cause;
    const struct story_call *call = call_at(asking->story, cause->step);
    const struct story_segment *to = quiz_segment_at(asking->story, cause->step);
    switch (cause->kind) {
    case CAUSE_CALL:
        return call && call->side == sent->side ? call_words(asking, call) : NULL;
    case CAUSE_SEGMENT:
        return to && to->side != sent->side ? answer_words(asking, sent->side, to) : NULL;
    case CAUSE_TIMER:
        return cause->name ? timer_words(asking, sent->side, cause->name) : NULL;
    case CAUSE_EXIT:
        return quiz_text(asking, tr("the end of the %s's process: it calls nothing"), quiz_side(sent->side));
    default:
        return NULL;
    }
}

/* Whether this call is surely not what made the segment leave. Its own side's calls that send may have had a part in it where they
 * had begun before it left. */
static bool surely_not(const struct sent *sent, const struct story_call *call)
{
    if (never_sends(call)) return true;
    if (call->side != sent->side) return false;                              /* what its peer did may be the cause of the cause */
    if (call->enter_ns == 0 || call->enter_ns > sent->sent_ns) return false; /* who knows; and what comes later is not seen yet */
    bool is_open = call->exit_ns == 0 || call->exit_ns >= sent->sent_ns;
    if (is_open) return false;
    if (call->traits & (CALL_WRITES | CALL_CONNECTS)) return false;
    bool ends = call->traits & (CALL_CLOSES | CALL_CLOSES_RANGE | CALL_SHUTS_DOWN);
    /* A FIN that a call made is not another call's; what is sent again, or was held back, may be. */
    return !ends || (sent->segment && sent->cause->kind == CAUSE_CALL && sent->segment->length_bytes == 0);
}

static void offer_calls(struct asking *asking, const struct sent *sent)
{
    const struct story *story = asking->story;
    for (uint32_t i = 0; i < sent->step; i++) {
        const struct story_call *call = story->steps[i].kind == STEP_ENTER ? story->steps[i].call : NULL;
        if (!call || call->enter_step == sent->cause->step || call->exit_step == sent->cause->step) continue;
        if (says_nothing(call) || !surely_not(sent, call)) continue;
        if (call->side == sent->side && sent->cause->name && strcmp(call->name, sent->cause->name) == 0 && !sent->segment) continue;
        quiz_wrong(asking, call_words(asking, call));
    }
}

/* What an end has answered already, it does not answer again. */
static void offer_answered(struct asking *asking, const struct sent *sent)
{
    const struct story *story = asking->story;
    uint32_t acked = 0;
    bool has_acked = false;
    for (uint32_t i = 0; i < sent->step; i++) {
        const struct story_segment *own = quiz_segment_at(story, i);
        if (!own || own->side != sent->side || !(own->flags & TCP_ACK)) continue;
        acked = own->ack;
        has_acked = true;
    }
    for (uint32_t i = 0; has_acked && i < sent->step; i++) {
        const struct story_segment *peers = quiz_segment_at(story, i);
        if (!peers || peers->side == sent->side || i == sent->cause->step || peers->retransmission) continue;
        bool takes_numbers = peers->length_bytes || peers->flags & (TCP_SYN | TCP_FIN);
        if (takes_numbers && (int32_t)(quiz_end_of(peers) - acked) <= 0)
            quiz_wrong(asking, answer_words(asking, sent->side, peers));
    }
}

static void offer_timers(struct asking *asking, const struct sent *sent)
{
    static const char *const names[] = {"retransmit", "delayed-ack", "keepalive"};
    if (sent->cause->kind != CAUSE_TIMER) {
        /* Held back till now, an ACK is a timer's to let go, or the next segment's: which is what the kernel has shown. */
        quiz_wrong(asking, timer_words(asking, sent->side, "retransmit"));
        quiz_wrong(asking, timer_words(asking, sent->side, "keepalive"));
        return;
    }
    bool is_ack = strstr(sent->cause->name, "ack") && !strstr(sent->cause->name, "syn");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_ack != (i == 1)) quiz_wrong(asking, timer_words(asking, sent->side, names[i]));
}

static void offer(struct asking *asking, const struct sent *sent)
{
    offer_calls(asking, sent); /* what people believe: a call did it, and first of all accept() */
    quiz_misconceptions_end(asking);
    offer_answered(asking, sent);
    offer_timers(asking, sent);
    if (sent->cause->kind != CAUSE_EXIT && sent->cause->kind != CAUSE_KERNEL)
        quiz_wrong(asking, quiz_text(asking, tr("the end of the %s's process: it calls nothing"), quiz_side(sent->side)));
}

bool quiz_ask_cause(struct asking *asking, uint32_t step)
{
    struct sent sent;
    /* By context alone the reference may be one of two that came. */
    if (!sent_at(asking->story, step, &sent) || sent.cause->evidence != EVIDENCE_STACK) return false;
    struct quiz_question *question = asking->question;
    question->answer = right_words(asking, &sent);
    if (!question->answer) return false;
    /* One of two calls that read the same can't be told from the other. */
    offer(asking, &sent);
    const char *again = sent.segment && sent.segment->retransmission ? tr(" (once more)") : "";
    question->prompt =
        quiz_text(asking, tr("What made the %s send #%u %s%s?"), quiz_side(sent.side), sent.number, sent.label, again);
    question->why = quiz_text(asking, tr("#%u: %s."), sent.number, sent.cause->why);
    question->reference = sent.segment ? quiz_section(asking, section_of_segment(sent.segment)) : "RFC 768";
    question->evidence = words_evidence(sent.cause->kind, sent.cause->evidence);
    question->blank = VIEW_FIELD_CAUSE;
    question->blank_from = question->blank_to = question->until = step;
    return true;
}
