/* What a segment says of itself: its flags, its numbers; and which comes next. */
#include <string.h>

#include "base/lang.h"
#include "quiz/own.h"
#include "story/sections.h"
#include "tcp/seq.h"
#include "viz/view.h"

#define ITSELF tr("the segment itself")

/* ---- flags ---- */

enum { ASKED_FLAGS = TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST };

static const struct {
    uint8_t flags;
    const char *words;
} flag_sets[] = {
    {TCP_SYN, "SYN"}, {TCP_SYN | TCP_ACK, TR("SYN and ACK")}, {TCP_ACK, "ACK"}, {TCP_FIN | TCP_ACK, TR("FIN and ACK")},
    {TCP_FIN, "FIN"}, {TCP_RST | TCP_ACK, TR("RST and ACK")}, {TCP_RST, "RST"},
};
enum { FLAG_SETS = sizeof(flag_sets) / sizeof(flag_sets[0]) };

bool quiz_ask_flags(struct asking *asking, uint32_t step)
{
    const struct story_segment *segment = quiz_segment_at(asking->story, step);
    if (!segment || segment->retransmission) return false; /* "again #1" says it */
    if (!segment->handshake && !segment->teardown && !(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST))) return false;
    struct quiz_question *question = asking->question;
    for (size_t i = 0; i < FLAG_SETS; i++)
        if (flag_sets[i].flags == (segment->flags & ASKED_FLAGS)) question->answer = tr(flag_sets[i].words);
    if (!question->answer) return false;
    for (size_t i = 0; i < FLAG_SETS; i++) quiz_wrong(asking, tr(flag_sets[i].words));
    question->prompt = quiz_text(asking, tr("Which of the flags SYN, ACK, FIN and RST does #%u of the %s carry?"), segment->number,
                                 quiz_side(segment->side));
    question->why = quiz_text(asking, tr("tcpdump writes the flags of #%u as [%s]."), segment->number, segment->flags_text);
    question->reference = quiz_section(asking, "3.1");
    question->evidence = ITSELF;
    question->blank = VIEW_FIELD_FLAGS;
    question->blank_from = question->blank_to = question->until = step;
    return true;
}

/* ---- numbers ---- */

/* The last of this side's segments before `step` that reached furthest; NULL: none. With `arrived_ns` only what had come by then.
 */
static const struct story_segment *furthest(const struct story *story, uint32_t step, enum story_side side, int64_t arrived_ns)
{
    const struct story_segment *last = NULL;
    for (uint32_t i = 0; i < step; i++) {
        if (story->steps[i].kind != STEP_SEGMENT || story->steps[i].segment->side != side) continue;
        const struct story_segment *segment = story->steps[i].segment;
        if (segment->flags & TCP_RST) continue;
        if (arrived_ns && (segment->lost || segment->dropped || segment->received_ns > arrived_ns)) continue;
        if (!last || seq_before(quiz_end_of(last), quiz_end_of(segment))) last = segment;
    }
    return last;
}

static const char *how_counted(struct asking *asking, const struct story_segment *last)
{
    const char *flag = last->flags & TCP_SYN ? tr("its SYN") : last->flags & TCP_FIN ? tr("its FIN") : NULL;
    if (last->length_bytes && flag)
        return quiz_text(asking, tr("#%u began at %u and took %u bytes and one number for %s: %u follows"), last->number, last->seq,
                         last->length_bytes, flag, quiz_end_of(last));
    if (flag)
        return quiz_text(asking, tr("#%u began at %u, and %s takes one number: %u follows"), last->number, last->seq, flag,
                         quiz_end_of(last));
    if (last->length_bytes)
        return quiz_text(asking, tr("#%u began at %u and took %u bytes: %u follows"), last->number, last->seq, last->length_bytes,
                         quiz_end_of(last));
    return quiz_text(asking, tr("#%u began at %u and took no number, for it carries neither data nor SYN nor FIN: %u follows"),
                     last->number, last->seq, quiz_end_of(last));
}

static void ask_number(struct asking *asking, uint32_t step, uint32_t number, unsigned blank)
{
    struct quiz_question *question = asking->question;
    question->number = number;
    question->answer = quiz_text(asking, "%u", number);
    question->reference = quiz_section(asking, "3.4");
    question->evidence = ITSELF;
    question->blank = blank;
    question->blank_from = question->blank_to = question->until = step;
}

/* Only where it follows from what came before: it goes on, or it begins. */
bool quiz_ask_seq(struct asking *asking, uint32_t step)
{
    const struct story_segment *segment = quiz_segment_at(asking->story, step);
    if (!segment || segment->retransmission || segment->class == CONN_KEEPALIVE || segment->flags & TCP_RST) return false;
    const struct story_segment *last = furthest(asking->story, step, segment->side, 0);
    bool begins = !last && segment->flags & TCP_SYN && segment->seq == 0;
    if (!begins && (!last || segment->flags & TCP_SYN || segment->seq != quiz_end_of(last))) return false;
    struct quiz_question *question = asking->question;
    question->prompt =
        quiz_text(asking, tr("What is the relative sequence number of #%u of the %s?"), segment->number, quiz_side(segment->side));
    question->why = begins ? tr("The first SYN of an end carries its ISN, and relative numbers count from there.")
                           : quiz_text(asking, "%s.", how_counted(asking, last));
    ask_number(asking, step, segment->seq, VIEW_FIELD_SEQ);
    return true;
}

bool quiz_ask_ack(struct asking *asking, uint32_t step)
{
    const struct story_segment *segment = quiz_segment_at(asking->story, step);
    if (!segment || !(segment->flags & TCP_ACK) || segment->flags & TCP_RST || segment->retransmission) return false;
    const struct story_segment *last = furthest(asking->story, step, quiz_peer(segment->side), segment->sent_ns);
    if (!last || segment->ack != quiz_end_of(last)) return false;
    struct quiz_question *question = asking->question;
    question->prompt = quiz_text(asking, tr("Which relative number stands in the acknowledgment field of #%u of the %s?"),
                                 segment->number, quiz_side(segment->side));
    question->why = quiz_text(asking, tr("It is the number that is expected next: %s."), how_counted(asking, last));
    ask_number(asking, step, segment->ack, VIEW_FIELD_ACK);
    return true;
}

/* ---- the next segment ---- */

static const char *named(struct asking *asking, enum story_side side, enum story_kind kind)
{
    static const char *const words[STORY_KINDS] = {
        [STORY_SYN] = TR("a SYN"), [STORY_SYN_ACK] = TR("a SYN-ACK"), [STORY_ACK] = TR("an ACK alone"),
        [STORY_DATA] = TR("data"), [STORY_FIN] = TR("a FIN"),         [STORY_RST] = TR("a RST")};
    return quiz_text(asking, tr("the %s: %s"), quiz_side(side), tr(words[kind]));
}

static uint32_t next_segment(const struct story *story, uint32_t step)
{
    for (uint32_t i = step + 1; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_SEGMENT) return i;
    return STORY_NO_STEP;
}

/* Two that cross are both "next"; so is what left at the same moment. */
static bool is_clearly_next(const struct story *story, const struct story_segment *now, uint32_t next)
{
    const struct story_segment *segment = story->steps[next].segment;
    uint32_t behind = next_segment(story, next);
    if (segment->sent_ns <= now->sent_ns) return false;
    if (segment->side != now->side && now->received_ns && !now->lost && segment->sent_ns < now->received_ns) return false;
    if (behind == STORY_NO_STEP || story->steps[behind].segment->side == segment->side) return true;
    int64_t arrival = segment->received_ns ? segment->received_ns : segment->sent_ns;
    return story->steps[behind].segment->sent_ns > arrival;
}

/* What is shown ends before anything that the next one brings with it. */
static uint32_t last_shown(const struct story *story, uint32_t next)
{
    uint32_t last = next - 1;
    while (story->steps[last].kind == STEP_STATE && story->steps[last].t_ns >= story->steps[next].t_ns) last--;
    return last;
}

/* What could come at such a time: the handshake's segments as long as it lasts, else the others. */
static void offer_next(struct asking *asking, const struct story_segment *then)
{
    static const enum story_kind early[] = {STORY_SYN, STORY_SYN_ACK, STORY_ACK, STORY_RST},
                                 later[] = {STORY_ACK, STORY_DATA, STORY_FIN, STORY_RST};
    const enum story_kind *kinds = then->handshake ? early : later;
    for (int side = 0; side < STORY_SIDES; side++)
        for (int i = 0; i < 4; i++) {
            bool is_own = (enum story_side)side == then->side;
            /* A FIN with data is data too; a SYN-ACK is a SYN with an ACK. */
            if (is_own && kinds[i] == STORY_DATA && then->length_bytes) continue;
            if (is_own && kinds[i] == STORY_SYN && then->flags & TCP_SYN) continue;
            quiz_wrong(asking, named(asking, (enum story_side)side, kinds[i]));
        }
}

bool quiz_ask_next(struct asking *asking, uint32_t step)
{
    const struct story *story = asking->story;
    const struct story_segment *now = quiz_segment_at(story, step);
    uint32_t next = now ? next_segment(story, step) : STORY_NO_STEP;
    const struct story_segment *then = next == STORY_NO_STEP ? NULL : quiz_segment_at(story, next);
    if (!then || story->sequel || !is_clearly_next(story, now, next)) return false;
    struct quiz_question *question = asking->question;
    question->answer = named(asking, then->side, then->kind);
    offer_next(asking, then);
    question->prompt = quiz_text(asking, tr("After #%u: who sends the next segment, and which?"), now->number);
    question->why = quiz_text(asking, tr("%s comes next, from the %s."), quiz_segment(asking, then), quiz_side(then->side));
    question->reference = quiz_section(asking, section_of_segment(then));
    question->evidence = ITSELF;
    question->until = last_shown(story, next);
    return question->until >= step;
}
