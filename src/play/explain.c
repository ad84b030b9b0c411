#include "play/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "play/judge.h"
#include "story/sections.h"
#include "viz/escape.h"

enum { TEXT_MAX = 64 * 1024, INDENT = 6 };

/* Something to tell, at its time. */
struct moment {
    int64_t t_ns;
    size_t order;                    /* ties keep it */
    const struct scenario_step *cue; /* a line of the scenario; else: */
    const struct story *story;
    const struct story_step *step;
};

struct telling_aloud {
    const struct scenario *scenario;
    const struct play_stories *stories;
    const struct explain_options *options;
    struct moment *moments;
    size_t count;
    struct buf text;
    unsigned number; /* of the sentence */
};

/* ---- sentences ---- */

static const char *host(const struct telling_aloud *told, const struct story *story, enum story_side side)
{
    return judge_side(told->scenario, story, SCENARIO_CLIENT) == side ? "client" : "server";
}

/* What may be many words of the outside. */
static const char *safe(struct buf *scratch, const char *text, bool ascii)
{
    buf_clear(scratch);
    escape_text(scratch, text, ascii);
    return buf_string(scratch);
}

static void say_duration(struct buf *out, int64_t ns)
{
    if (ns < 1000000)
        buf_printf(out, "%" PRId64 " us", ns / 1000);
    else
        buf_printf(out, "%" PRId64 ".%" PRId64 " ms", ns / 1000000, ns % 1000000 / 100000);
}

static bool say_enter(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    const struct story_call *call = moment->step->call;
    struct buf scratch = buf_new(TEXT_MAX);
    *ret_section = section_of_call(call->name);
    buf_printf(out, "%s calls %s(",
               safe(&scratch, call->comm ? call->comm : host(told, moment->story, call->side), told->options->ascii), call->name);
    buf_printf(out, "%s).", safe(&scratch, call->args ? call->args : "", told->options->ascii));
    buf_free(&scratch);
    return true;
}

static bool say_exit(struct telling_aloud *told, const struct moment *moment, struct buf *out)
{
    const struct story_call *call = moment->step->call;
    if (!call->waits && !call->errno_name) return false; /* nothing to learn from */
    struct buf scratch = buf_new(TEXT_MAX);
    buf_printf(out, "%s() of %s ", call->name,
               safe(&scratch, call->comm ? call->comm : host(told, moment->story, call->side), told->options->ascii));
    if (call->interrupted)
        buf_text(out, "ends without a result");
    else if (call->errno_name)
        buf_printf(out, "returns %s", call->errno_name);
    else
        buf_printf(out, "returns %" PRId64, call->ret);
    if (call->slept_ns > 0) {
        buf_text(out, ", having slept ");
        say_duration(out, call->slept_ns);
    }
    if (call->wake.why[0]) buf_printf(out, ": %s", safe(&scratch, call->wake.why, told->options->ascii));
    buf_char(out, '.');
    buf_free(&scratch);
    return true;
}

static bool say_segment(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    const struct story_segment *segment = moment->step->segment;
    struct buf scratch = buf_new(TEXT_MAX);
    *ret_section = section_of_segment(segment);
    buf_printf(out, "%s -> %s: %s%s, seq %" PRIu32, host(told, moment->story, segment->side),
               host(told, moment->story, segment->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT), segment->label,
               segment->retransmission ? " once more" : "", segment->seq);
    if (segment->flags & TCP_ACK) buf_printf(out, ", ack %" PRIu32, segment->ack);
    if (segment->length_bytes) buf_printf(out, ", %" PRIu32 " bytes", segment->length_bytes);
    buf_printf(out, ": %s", safe(&scratch, segment->cause.why, told->options->ascii));
    buf_printf(out, " (evidence: %s).", story_evidence_name(segment->cause.evidence));
    if (told->scenario->place == SCENARIO_WIRE && !segment->received_ns) buf_text(out, " It never arrives.");
    buf_free(&scratch);
    return true;
}

static bool say_datagram(struct telling_aloud *told, const struct moment *moment, struct buf *out)
{
    const struct story_datagram *datagram = moment->step->datagram;
    struct buf scratch = buf_new(TEXT_MAX);
    buf_printf(out, "%s sends %s", host(told, moment->story, datagram->side), datagram->icmp ? "ICMP " : "a datagram");
    if (datagram->icmp)
        buf_text(out, datagram->icmp);
    else
        buf_printf(out, " of %" PRIu32 " bytes", datagram->length_bytes);
    buf_printf(out, ": %s.", safe(&scratch, datagram->cause.why, told->options->ascii));
    buf_free(&scratch);
    return true;
}

static bool say_state(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    const struct story_state *state = moment->step->state;
    if (state->kernel) return false;
    *ret_section = section_of_state(state);
    buf_printf(out, "%s: %s -> %s. %s.", host(told, moment->story, state->side), state->from, state->to, state->cause.why);
    return true;
}

static bool say_step(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    struct buf scratch = buf_new(TEXT_MAX);
    switch (moment->step->kind) {
    case STEP_ENTER:
        return say_enter(told, moment, out, ret_section);
    case STEP_EXIT:
        return say_exit(told, moment, out);
    case STEP_SEGMENT:
        return say_segment(told, moment, out, ret_section);
    case STEP_DATAGRAM:
        return say_datagram(told, moment, out);
    case STEP_STATE:
        return say_state(told, moment, out, ret_section);
    case STEP_PROCESS_EXIT:
        buf_printf(out, "%s ends: %s.", host(told, moment->story, moment->step->exit->side),
                   safe(&scratch, moment->step->exit->name, told->options->ascii));
        buf_free(&scratch);
        return true;
    }
    return false;
}

/* ---- order ---- */

static int compare_moments(const void *a, const void *b)
{
    const struct moment *one = a, *other = b;
    if (one->t_ns != other->t_ns) return one->t_ns < other->t_ns ? -1 : 1;
    return one->order < other->order ? -1 : one->order > other->order;
}

static void add(struct telling_aloud *told, struct moment moment)
{
    moment.order = told->count;
    told->moments[told->count++] = moment;
}

/* A call on the listening socket stands in the story of each of its connections; it is told once. */
static bool was_told(const struct telling_aloud *told, size_t story, const struct story_step *step)
{
    if ((step->kind != STEP_ENTER && step->kind != STEP_EXIT) || !step->call->listener) return false;
    for (size_t s = 0; s < story; s++)
        for (size_t i = 0; i < told->stories->list[s]->step_count; i++) {
            const struct story_step *other = &told->stories->list[s]->steps[i];
            if (other->kind == step->kind && other->call->tid == step->call->tid && other->call->enter_ns == step->call->enter_ns)
                return true;
        }
    return false;
}

static int collect(struct telling_aloud *told, const struct play *play)
{
    const struct scenario *scenario = told->scenario;
    size_t room = scenario->step_count;
    for (size_t s = 0; s < told->stories->count; s++) room += told->stories->list[s]->step_count;
    told->moments = calloc(room + 1, sizeof(*told->moments));
    if (!told->moments) return -ENOMEM;
    for (size_t i = 0; i < scenario->step_count; i++)
        if (play_steps(play)[i].state != PLAY_NOT_REACHED)
            add(told, (struct moment){.t_ns = play_steps(play)[i].begun_ns, .cue = &scenario->steps[i]});
    for (size_t s = 0; s < told->stories->count; s++)
        for (size_t i = 0; i < told->stories->list[s]->step_count; i++) {
            const struct story_step *step = &told->stories->list[s]->steps[i];
            if (!was_told(told, s, step))
                add(told, (struct moment){.t_ns = step->t_ns, .story = told->stories->list[s], .step = step});
        }
    qsort(told->moments, told->count, sizeof(*told->moments), compare_moments);
    return 0;
}

/* ---- paper ---- */

static void print_wrapped(const char *text, int indent, int width)
{
    int at = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        int columns = 0;
        for (size_t i = 0; i < length; i++) columns += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (at > indent && at + 1 + columns > width) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)length, text);
        at += columns;
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void wait_for_enter(const struct explain_options *options)
{
    if (!options->step) return;
    printf("      [Enter] ");
    fflush(stdout);
    for (int c = getchar(); c != '\n' && c != EOF;) c = getchar();
}

static void say(struct telling_aloud *told, const struct moment *moment)
{
    const char *section = NULL;
    struct buf *out = &told->text;
    buf_clear(out);
    if (moment->cue) {
        bool tell = moment->cue->verb == SCENARIO_TELL;
        if (told->number) wait_for_enter(told->options);
        escape_text(out, moment->cue->text, told->options->ascii);
        printf("\n%s", tell ? "      " : "--- ");
        print_wrapped(buf_string(out), tell ? 6 : 4, told->options->width);
        told->number++;
        return;
    }
    if (told->stories->count > 1) buf_printf(out, "[connection %" PRIu32 "] ", moment->story->number);
    if (!say_step(told, moment, out, &section)) return;
    if (section) buf_printf(out, " [RFC 9293 %s]", section);
    printf("%*s", INDENT, "");
    print_wrapped(buf_string(out), INDENT, told->options->width);
}

static void print_head(struct telling_aloud *told)
{
    const struct scenario *scenario = told->scenario;
    struct buf *out = &told->text;
    buf_clear(out);
    escape_text(out, scenario->title, told->options->ascii);
    print_wrapped(buf_string(out), 0, told->options->width);
    for (size_t i = 0; i < scenario->section_count; i++)
        printf("%sRFC %" PRIu32 "%s%s", i ? ", " : "", scenario->sections[i].rfc, scenario->sections[i].section ? " section " : "",
               scenario->sections[i].section ? scenario->sections[i].section : "");
    if (scenario->section_count) putchar('\n');
}

static void print_findings(struct telling_aloud *told)
{
    bool any = false;
    for (size_t s = 0; s < told->stories->count; s++)
        for (size_t i = 0; i < told->stories->list[s]->finding_count; i++) {
            if (!any) {
                wait_for_enter(told->options);
                printf("\n--- what it shows\n");
            }
            any = true;
            buf_clear(&told->text);
            escape_text(&told->text, told->stories->list[s]->findings[i].text, told->options->ascii);
            printf("%*s", INDENT, "");
            print_wrapped(buf_string(&told->text), INDENT, told->options->width);
        }
}

int explain_play(const struct scenario *scenario, const struct play *play, const struct play_stories *stories,
                 const struct explain_options *options, struct err *err)
{
    struct telling_aloud told = {.scenario = scenario, .stories = stories, .options = options, .text = buf_new(TEXT_MAX)};
    int code = collect(&told, play);
    if (!code) {
        print_head(&told);
        for (size_t i = 0; i < told.count; i++) say(&told, &told.moments[i]);
        print_findings(&told);
        if (fflush(stdout)) code = -errno;
    }
    free(told.moments);
    buf_free(&told.text);
    if (code && code != -EPIPE) err_set_errno(err, code, "can't explain the scenario");
    return code;
}
