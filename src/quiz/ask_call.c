/* What a call returned, and what it waited for. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "quiz/own.h"
#include "story/sections.h"
#include "viz/plan/words.h"
#include "viz/view.h"

static const struct story_call *returned_at(const struct story *story, uint32_t step)
{
    if (story->steps[step].kind != STEP_EXIT) return NULL;
    const struct story_call *call = story->steps[step].call;
    return call->exit_ns && !call->interrupted ? call : NULL;
}

static const char *reference_of(struct asking *asking, const struct story_call *call)
{
    const char *section = asking->story->udp ? NULL : section_of_call(call->name);
    return section ? quiz_text(asking, tr("RFC 9293 section %s; %s(2)"), section, call->name)
                   : quiz_text(asking, "%s(2)", call->name);
}

static const char *whose(struct asking *asking, const struct story_call *call)
{
    const char *args = call->args ? call->args : "";
    return quiz_text(asking, tr("the %s's %s(%s%s)"), quiz_side(call->side), call->name, args, call->args ? "" : "…");
}

/* ---- results ---- */

enum kind { KIND_CONNECT, KIND_ACCEPT, KIND_RECEIVE, KIND_SEND, KIND_OTHER };

static enum kind kind_of(const struct story_call *call)
{
    if (call->traits & CALL_CONNECTS) return KIND_CONNECT;
    if (call->traits & CALL_ACCEPTS) return KIND_ACCEPT;
    if (call->traits & CALL_READS) return KIND_RECEIVE;
    if (call->traits & CALL_WRITES) return KIND_SEND;
    return KIND_OTHER;
}

static const char *failure(struct asking *asking, const char *name)
{
    return quiz_text(asking, tr("-1, with errno %s"), name);
}

static const char *result(struct asking *asking, const struct story_call *call)
{
    if (call->ret < 0) return call->errno_name ? failure(asking, call->errno_name) : NULL;
    if (kind_of(call) == KIND_ACCEPT) return quiz_text(asking, tr("%" PRId64 ", a new descriptor"), call->ret);
    if (kind_of(call) == KIND_RECEIVE && call->ret == 0 && !asking->story->udp) return tr("0: the peer sends no more");
    return quiz_text(asking, "%" PRId64, call->ret);
}

/* What data calls of the same kind returned elsewhere in the story. */
static void offer_counts(struct asking *asking, const struct story_call *call, enum kind kind)
{
    const struct story *story = asking->story;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *other = returned_at(story, (uint32_t)i);
        if (other && other->ret > 0 && other->ret != call->ret && kind_of(other) == kind)
            quiz_wrong(asking, quiz_text(asking, "%" PRId64, other->ret));
    }
    if (call->ret > 1) quiz_wrong(asking, quiz_text(asking, "%" PRId64, call->ret - 1));
    if (call->ret > 0) quiz_wrong(asking, quiz_text(asking, "%" PRId64, call->ret + 1));
}

static void offer_results(struct asking *asking, const struct story_call *call)
{
    static const char *const errors[][4] = {
        [KIND_CONNECT] = {"ECONNREFUSED", "ETIMEDOUT", "EINPROGRESS", "ECONNRESET"},
        [KIND_ACCEPT] = {"EAGAIN", "ECONNABORTED", "ETIMEDOUT", "EINVAL"},
        [KIND_RECEIVE] = {"ECONNRESET", "EAGAIN", "EPIPE", "ENOTCONN"},
        [KIND_SEND] = {"EPIPE", "ECONNRESET", "EAGAIN", "ENOTCONN"},
        [KIND_OTHER] = {"EADDRINUSE", "ENOTCONN", "EINVAL", "ECONNRESET"},
    };
    enum kind kind = kind_of(call);
    for (size_t i = 0; i < 4; i++) quiz_wrong(asking, failure(asking, errors[kind][i]));
    if (call->ret != 0) quiz_wrong(asking, kind == KIND_RECEIVE && !asking->story->udp ? tr("0: the peer sends no more") : "0");
    quiz_misconceptions_end(asking);
    if (kind == KIND_ACCEPT && call->fd >= 0 && call->fd != call->ret)
        quiz_wrong(asking, quiz_text(asking, tr("%d, the listening socket"), call->fd));
    if (kind == KIND_RECEIVE || kind == KIND_SEND) offer_counts(asking, call, kind);
}

bool quiz_ask_returns(struct asking *asking, uint32_t step)
{
    const struct story_call *call = returned_at(asking->story, step);
    if (!call || (kind_of(call) == KIND_OTHER && call->ret >= 0)) return false;
    struct quiz_question *question = asking->question;
    question->answer = result(asking, call);
    if (!question->answer) return false;
    offer_results(asking, call);
    question->prompt = quiz_text(asking, tr("What does %s return?"), whose(asking, call));
    question->why = call->wake.why[0]
                        ? quiz_text(asking, tr("%s = %s: %s."), quiz_call(asking, call), question->answer, call->wake.why)
                        : quiz_text(asking, tr("%s = %s."), quiz_call(asking, call), question->answer);
    question->reference = reference_of(asking, call);
    question->evidence = tr("the call, as it was recorded");
    question->blank = VIEW_FIELD_RESULT;
    question->blank_from = question->blank_to = question->until = step;
    return true;
}

/* ---- waiting ---- */

static const char *nothing(void)
{
    return tr("nothing: it never slept");
}

static const char *waited_for(struct asking *asking, const struct story_call *call)
{
    const struct story_wake *wake = &call->wake;
    const struct story_segment *segment = wake->kind == WAKE_SEGMENT ? quiz_segment_at(asking->story, wake->step) : NULL;
    if (wake->kind == WAKE_NEVER_SLEPT && call->slept_ns == 0) return nothing();
    if (call->slept_ns <= 0) return NULL;
    if (segment && segment->side != call->side && wake->evidence == EVIDENCE_STACK) return quiz_segment(asking, segment);
    if (wake->kind == WAKE_TIMER) return tr("its timeout");
    return NULL;
}

static bool brings(const struct story_segment *segment)
{
    return segment->length_bytes || segment->flags & TCP_FIN;
}

/* Segments that it surely did not wait for: of several that brought data while it slept, any may have had a part. */
static void offer_segments(struct asking *asking, const struct story_call *call, uint32_t step)
{
    const struct story *story = asking->story;
    const struct story_segment *right = call->wake.kind == WAKE_SEGMENT ? quiz_segment_at(story, call->wake.step) : NULL;
    for (uint32_t i = 0; i < step; i++) {
        const struct story_segment *segment = quiz_segment_at(story, i);
        if (!segment || segment == right || segment->retransmission) continue;
        bool had_part = segment->side != call->side && brings(segment) && (!right || brings(right));
        if (!had_part) quiz_wrong(asking, quiz_segment(asking, segment));
    }
}

bool quiz_ask_wake(struct asking *asking, uint32_t step)
{
    const struct story_call *call = returned_at(asking->story, step);
    if (!call || !call->waits || asking->story->udp || !quiz_is_shown(call->wake.evidence)) return false;
    if (call->slept_ns <= 0 && kind_of(call) != KIND_CONNECT && kind_of(call) != KIND_ACCEPT && kind_of(call) != KIND_RECEIVE)
        return false; /* nobody expects it to */
    struct quiz_question *question = asking->question;
    question->answer = waited_for(asking, call);
    if (!question->answer) return false;
    if (question->answer != nothing()) quiz_wrong(asking, nothing());
    quiz_misconceptions_end(asking);
    offer_segments(asking, call, step);
    if (call->wake.kind != WAKE_TIMER) quiz_wrong(asking, tr("its timeout"));
    quiz_wrong(asking, tr("a signal"));
    question->prompt = quiz_text(asking, tr("What did %s wait for before it returned?"), whose(asking, call));
    question->why =
        quiz_text(asking, tr("%s: %s."), quiz_call(asking, call), call->wake.why[0] ? call->wake.why : question->answer);
    question->reference = reference_of(asking, call);
    question->evidence = words_evidence(CAUSE_CALL, call->wake.evidence);
    question->blank = VIEW_FIELD_WAKE;
    question->blank_from = question->blank_to = question->until = step;
    return true;
}
