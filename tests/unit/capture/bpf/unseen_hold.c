/* What a story says is held against another of the same play. */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/bpf_record.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/packets.h"
#include "event/log.h"
#include "story/story.h"
#include "story/tell/teller.h"
#include "unseen_programs_own.h"

/* Of its kind and side, the how manieth it is. */
static size_t place_of_segment(const struct story *story, uint32_t step)
{
    const struct story_segment *wanted = story->steps[step].segment;
    size_t place = 1;

    for (uint32_t i = 0; i < step; i++) {
        const struct story_segment *segment = story->steps[i].kind == STEP_SEGMENT ? story->steps[i].segment : NULL;

        place += segment && segment->side == wanted->side && strcmp(segment->label, wanted->label) == 0;
    }
    return place;
}

/* What a step is, in words that are the same in every run; "" for one that is not in the story. */
static const char *step_text(const struct story *story, uint32_t step, char text[TEXT_BYTES])
{
    text[0] = 0;
    if (step >= story->step_count) return text;
    const struct story_step *at = &story->steps[step];
    const char *side = story_side_name(at->side);
    if (at->kind == STEP_SEGMENT)
        snprintf(text, TEXT_BYTES, "%s %zu from %s", at->segment->label, place_of_segment(story, step), side);
    else if (at->kind == STEP_ENTER || at->kind == STEP_EXIT)
        snprintf(text, TEXT_BYTES, "%s() of %s", at->call->name, side);
    else if (at->kind == STEP_PROCESS_EXIT)
        snprintf(text, TEXT_BYTES, "end of %s", side);
    return text;
}

#define WRONG(trial, ...)                                                                                                          \
    do {                                                                                                                           \
        (trial)->wrong++;                                                                                                          \
        print_error("programs %x, every %u: ", (trial)->programs, (trial)->every);                                                 \
        print_error(__VA_ARGS__);                                                                                                  \
        print_error("\n");                                                                                                         \
    } while (0)

static void hold_cause(struct trial *trial, const struct story *whole, const struct story_cause *right, const struct story *story,
                       const struct story_cause *said, const char *of)
{
    char wanted[TEXT_BYTES], found[TEXT_BYTES];

    step_text(whole, right->step, wanted);
    step_text(story, said->step, found);
    if (said->kind == CAUSE_UNKNOWN || said->evidence < right->evidence) trial->weaker++;
    if (said->kind == CAUSE_UNKNOWN) return;
    /* What RFC 9293 calls a CLOSE may be the end of a process: the rule's sentence says both. */
    if (said->evidence == EVIDENCE_RULE && said->name && strcmp(said->name, "CLOSE") == 0 && right->kind == CAUSE_EXIT) return;
    /* A rule has words of its own for the call or the end that it does not know. */
    bool other_name = said->name && right->name && strcmp(said->name, right->name) != 0 && said->step != STORY_NO_STEP;
    if (said->kind != right->kind || (found[0] && strcmp(wanted, found) != 0) || other_name)
        WRONG(trial, "conn %u, %s: caused by %s %s %s (%s), not by %s %s %s: %s", whole->number, of, story_cause_name(said->kind),
              said->name ? said->name : "", found, story_evidence_name(said->evidence), story_cause_name(right->kind),
              right->name ? right->name : "", wanted, said->why);
}

const struct story_step *nth(const struct story *story, enum story_step_kind kind, size_t n)
{
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == kind && n-- == 0) return &story->steps[i];
    return NULL;
}

/* Segments stand in the same order in every run of the play. */
void hold_segments(struct trial *trial, const struct story *whole, const struct story *story)
{
    const struct story_step *right, *said;

    for (size_t n = 0; (right = nth(whole, STEP_SEGMENT, n)); n++) {
        char of[TEXT_BYTES];

        said = nth(story, STEP_SEGMENT, n);
        if (!said || strcmp(said->segment->label, right->segment->label) != 0 || said->side != right->side) {
            WRONG(trial, "conn %u: another segment %zu", whole->number, n + 1);
            return;
        }
        step_text(whole, (uint32_t)(right - whole->steps), of);
        hold_cause(trial, whole, &right->segment->cause, story, &said->segment->cause, of);
    }
}

static void states_text(const struct story *story, enum story_side side, char text[TEXT_BYTES])
{
    size_t length = 0;

    text[0] = 0;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];

        if (step->kind != STEP_STATE || step->state->kernel || step->side != side) continue;
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, "%s ", step->state->to);
    }
}

void hold_states(struct trial *trial, const struct story *whole, const struct story *story)
{
    for (int side = 0; side < STORY_SIDES; side++) {
        char wanted[TEXT_BYTES], found[TEXT_BYTES];
        const char *at;

        states_text(whole, (enum story_side)side, wanted);
        states_text(story, (enum story_side)side, found);
        at = strstr(wanted, found); /* LISTEN is known by the call */
        if (!at || strcmp(at, found) != 0)
            WRONG(trial, "conn %u, states of the %s: %s, not %s", whole->number, story_side_name((enum story_side)side), found,
                  wanted);
    }
}

/* The one call of this name and end that returned the same in the other run; NULL: none, or several. */
static const struct story_call *same_call(const struct story *story, const struct story_call *call)
{
    const struct story_call *found = NULL;

    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *other = story->steps[i].kind == STEP_EXIT ? story->steps[i].call : NULL;

        if (!other || other->side != call->side || strcmp(other->name, call->name) != 0 || other->ret != call->ret) continue;
        if (found) return NULL;
        found = other;
    }
    return found;
}

static void hold_call(struct trial *trial, const struct story *whole, const struct story_call *right, const struct story *story,
                      const struct story_call *said)
{
    char wanted[TEXT_BYTES], found[TEXT_BYTES];
    bool killed = said->wake.kind == WAKE_NOT_YET && strstr(said->wake.why, "was killed before it was seen to return");

    if (said->wake.kind == WAKE_UNKNOWN || killed) {
        trial->weaker++;
        return;
    }
    if (!right) {
        WRONG(trial, "conn %u, %s() of the %s: %s (%s), returned %lld", whole->number, said->name, story_side_name(said->side),
              story_wake_name(said->wake.kind), said->wake.why, said->exit_ns ? (long long)said->ret : -1);
        return;
    }
    step_text(whole, right->wake.step, wanted);
    step_text(story, said->wake.step, found);
    bool by_segment = said->wake.kind == WAKE_SEGMENT || said->wake.kind == WAKE_NEVER_SLEPT;
    bool other_kind =
        by_segment ? right->wake.kind != WAKE_SEGMENT && right->wake.kind != WAKE_NEVER_SLEPT : said->wake.kind != right->wake.kind;
    if (other_kind || (found[0] && wanted[0] && strcmp(wanted, found) != 0))
        WRONG(trial, "conn %u, %s() of the %s: %s %s (%s), not %s %s", whole->number, said->name, story_side_name(said->side),
              story_wake_name(said->wake.kind), found, said->wake.why, story_wake_name(right->wake.kind), wanted);
    /* Whether it had to sleep depends on how busy the machine is: this run's own packets tell. */
    const struct story_step *step = said->wake.step < story->step_count ? &story->steps[said->wake.step] : NULL;
    bool waited = step && step->kind == STEP_SEGMENT && step->segment->sent_ns > said->enter_ns + SLEEP_NS;
    if ((waited && (said->wake.kind == WAKE_NEVER_SLEPT || said->slept_ns == 0)) ||
        (step && said->wake.kind == WAKE_SEGMENT && said->slept_ns > SLEEP_NS && step->t_ns < said->enter_ns))
        WRONG(trial, "conn %u, %s() of the %s: %s (%s), slept %lld ns", whole->number, said->name, story_side_name(said->side),
              story_wake_name(said->wake.kind), said->wake.why, (long long)said->slept_ns);
}

void hold_calls(struct trial *trial, const struct story *whole, const struct story *story)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *said = story->steps[i].call;

        if (story->steps[i].kind != STEP_ENTER || !said->waits) continue;
        hold_call(trial, whole, said->exit_ns ? same_call(whole, said) : NULL, story, said);
    }
}

void hold_findings(struct trial *trial, const struct story *whole, const struct story *story)
{
    for (size_t i = 0; i < story->finding_count; i++) {
        bool known = false;

        for (size_t k = 0; k < whole->finding_count; k++) known |= strcmp(whole->findings[k].id, story->findings[i].id) == 0;
        if (!known) WRONG(trial, "conn %u: the finding %s: %s", whole->number, story->findings[i].id, story->findings[i].text);
    }
}

/* Two sockets are never one: their calls would stand in each other's stories. */
void hold_sockets(struct trial *trial, const struct told *told)
{
    for (size_t i = 0; i < told->count; i++)
        for (size_t k = 0; k < i; k++)
            for (int side = 0; side < STORY_SIDES; side++) {
                uint64_t cookie = told->stories[i]->end[side].cookie;

                if (cookie && (cookie == told->stories[k]->end[0].cookie || cookie == told->stories[k]->end[1].cookie))
                    WRONG(trial, "conn %u and conn %u have one socket", told->stories[k]->number, told->stories[i]->number);
            }
}
