/* Right and wrong answers: collected, kept apart, put into an order. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "quiz/own.h"
#include "viz/pen/escape.h"

enum { TEXT_BYTES = 8192 };

uint64_t quiz_mix(uint64_t seed, uint64_t number)
{
    /* The finalizer of splitmix64: every bit of both numbers changes half of the result's. */
    uint64_t z = seed * UINT64_C(0x9e3779b97f4a7c15) + number + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t quiz_hash(uint64_t seed, const char *text)
{
    for (const char *c = text; *c; c++) seed = quiz_mix(seed, (unsigned char)*c);
    return quiz_mix(seed, UINT64_C(1) << 32);
}

const char *quiz_text(struct asking *asking, const char *format, ...)
{
    va_list arguments;
    char text[TEXT_BYTES];
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const char *kept = length < 0 ? NULL : arena_text(asking->arena, text);
    if (!kept) asking->failed = true;
    return kept ? kept : "";
}

const char *quiz_safe(struct asking *asking, const char *raw)
{
    struct buf safe = buf_new((size_t)TEXT_BYTES * ESCAPE_PIECE_BYTES);
    int code = escape_text(&safe, raw, asking->ascii);
    const char *text = code ? NULL : arena_text(asking->arena, buf_string(&safe));
    buf_free(&safe);
    if (!text) asking->failed = true;
    return text ? text : "";
}

void quiz_wrong(struct asking *asking, const char *text)
{
    if (asking->wrong_count == QUIZ_POOL_MAX || strcmp(text, asking->question->answer) == 0) return;
    for (size_t i = 0; i < asking->wrong_count; i++)
        if (strcmp(asking->wrong[i], text) == 0) return;
    asking->wrong[asking->wrong_count++] = text;
}

void quiz_misconceptions_end(struct asking *asking)
{
    asking->misconceptions = asking->wrong_count;
}

/* Sorts [from, to) of the wrong ones by what the seed makes of them. */
static void mix(struct asking *asking, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++)
        for (size_t k = i; k > from; k--) {
            const char *one = asking->wrong[k - 1], *other = asking->wrong[k];
            if (quiz_hash(asking->seed, one) <= quiz_hash(asking->seed, other)) break;
            asking->wrong[k - 1] = other;
            asking->wrong[k] = one;
        }
}

bool quiz_shuffle(struct asking *asking)
{
    struct quiz_question *question = asking->question;
    if (asking->wrong_count < 2) return false;
    mix(asking, 0, asking->misconceptions);
    mix(asking, asking->misconceptions, asking->wrong_count);
    size_t most = QUIZ_CHOICES_MAX - 1, wrong = asking->wrong_count < most ? asking->wrong_count : most;
    question->choice_count = wrong + 1;
    mix(asking, 0, wrong); /* what people believe is not always the first */
    question->right = quiz_hash(asking->seed, question->answer) % question->choice_count;
    for (size_t i = 0, next = 0; i < question->choice_count; i++)
        question->choices[i] = i == question->right ? question->answer : asking->wrong[next++];
    return true;
}

/* ---- words ---- */

const char *quiz_side(enum story_side side)
{
    return story_side_word(side);
}

enum story_side quiz_peer(enum story_side side)
{
    return side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
}

const char *quiz_segment(struct asking *asking, const struct story_segment *segment)
{
    return quiz_text(asking, "#%u %s", segment->number,
                     segment->label ? story_label_word(segment) : tr(story_kind_name(segment->kind)));
}

const char *quiz_call(struct asking *asking, const struct story_call *call)
{
    return call->fd >= 0 ? quiz_text(asking, "%s(%d)", call->name, call->fd) : quiz_text(asking, "%s()", call->name);
}

const char *quiz_section(struct asking *asking, const char *section)
{
    return quiz_text(asking, tr("RFC 9293 section %s"), section);
}

const struct story_segment *quiz_segment_at(const struct story *story, uint32_t step)
{
    if (step >= story->step_count || story->steps[step].kind != STEP_SEGMENT) return NULL;
    const struct story_segment *segment = story->steps[step].segment;
    return segment->copy || segment->unsent || segment->folded ? NULL : segment;
}

uint32_t quiz_end_of(const struct story_segment *segment)
{
    uint32_t end = segment->seq + segment->length_bytes;
    if (segment->flags & TCP_SYN) end++;
    if (segment->flags & TCP_FIN) end++;
    return end;
}

bool quiz_is_shown(enum story_evidence evidence)
{
    return evidence == EVIDENCE_STACK || evidence == EVIDENCE_CONTEXT;
}
