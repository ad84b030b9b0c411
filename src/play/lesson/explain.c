#include "play/lesson/explain.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "play/judge/judge.h"
#include "story/sections.h"
#include "viz/text/text_pen.h"

enum { TEXT_MAX = 64 * 1024, INDENT = 6, WIDTH_MOST = 140 };

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
    bool failed;     /* out of memory: something is missing */
};

/* ---- sentences ---- */

static const char *host(const struct telling_aloud *told, const struct story *story, enum story_side side)
{
    return judge_side(told->scenario, story, SCENARIO_CLIENT) == side ? "client" : "server";
}

static void say_duration(struct buf *out, int64_t ns)
{
    if (ns < 1000000)
        buf_printf(out, tr("%" PRId64 " us"), ns / 1000);
    else
        buf_printf(out, tr("%" PRId64 ".%" PRId64 " ms"), ns / 1000000, ns % 1000000 / 100000);
}

static bool say_enter(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    const struct story_call *call = moment->step->call;
    *ret_section = section_of_call(call->name);
    buf_printf(out, tr("%s calls %s("), call->comm ? call->comm : host(told, moment->story, call->side), call->name);
    buf_printf(out, "%s)%s", call->args ? call->args : "", tr("."));
    return true;
}

static bool say_exit(struct telling_aloud *told, const struct moment *moment, struct buf *out)
{
    const struct story_call *call = moment->step->call;
    if (!call->waits && !call->errno_name) return false; /* nothing to learn from */
    buf_printf(out, tr("%s() of %s "), call->name, call->comm ? call->comm : host(told, moment->story, call->side));
    if (call->interrupted)
        buf_text(out, tr("ends without a result"));
    else if (call->errno_name)
        buf_printf(out, tr("returns %s"), call->errno_name);
    else
        buf_printf(out, tr("returns %" PRId64), call->ret);
    if (call->slept_ns > 0) {
        buf_text(out, tr(", having slept "));
        say_duration(out, call->slept_ns);
    }
    if (call->wake.why[0]) buf_printf(out, tr(": %s"), call->wake.why);
    buf_char(out, '.');
    return true;
}

static bool say_segment(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    const struct story_segment *segment = moment->step->segment;
    *ret_section = section_of_segment(segment);
    buf_printf(out, tr("%s -> %s: %s%s, seq %" PRIu32), host(told, moment->story, segment->side),
               host(told, moment->story, segment->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT), segment->label,
               segment->retransmission ? tr(" once more") : "", segment->seq);
    if (segment->flags & TCP_ACK) buf_printf(out, tr(", ack %" PRIu32), segment->ack);
    if (segment->length_bytes) buf_printf(out, tr(", %" PRIu32 " bytes"), segment->length_bytes);
    buf_printf(out, tr(": %s"), segment->cause.why);
    buf_printf(out, tr(" (evidence: %s)."), tr(story_evidence_name(segment->cause.evidence)));
    if (told->scenario->place == SCENARIO_WIRE && !segment->received_ns) buf_text(out, tr(" It never arrives."));
    return true;
}

static bool say_datagram(struct telling_aloud *told, const struct moment *moment, struct buf *out)
{
    const struct story_datagram *datagram = moment->step->datagram;
    buf_printf(out, tr("%s sends %s"), host(told, moment->story, datagram->side), datagram->icmp ? "ICMP " : tr("a datagram"));
    if (datagram->icmp)
        buf_text(out, datagram->icmp);
    else
        buf_printf(out, tr(" of %" PRIu32 " bytes"), datagram->length_bytes);
    buf_printf(out, tr(": %s."), datagram->cause.why);
    return true;
}

static bool say_state(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
    const struct story_state *state = moment->step->state;
    if (state->kernel) return false;
    *ret_section = section_of_state(state);
    buf_printf(out, tr("%s: %s -> %s. %s."), host(told, moment->story, state->side), state->from, state->to, tr(state->cause.why));
    return true;
}

static bool say_step(struct telling_aloud *told, const struct moment *moment, struct buf *out, const char **ret_section)
{
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
        buf_printf(out, tr("%s ends: %s."), host(told, moment->story, moment->step->exit->side), moment->step->exit->name);
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

/* What is in told->text, escaped, with `key` before it; the section is never torn from its RFC, nor these from each other. */
static void print(struct telling_aloud *told, enum layout_style key_style, const char *key, int indent, enum layout_style style,
                  const char *section)
{
    const struct view_options look = {.color = told->options->color, .ascii = told->options->ascii};
    struct buf out = buf_new(TEXT_MAX);
    struct pen pen = pen_new(&look, told->options->width > WIDTH_MOST ? WIDTH_MOST : told->options->width, &out);
    layout_add(&pen.text, style, buf_string(&told->text));
    if (section) layout_addf(&pen.text, STYLE_DIM, " [RFC\u00a09293\u00a0%s]", section);
    pen_flush(&pen, indent, key_style, key);
    if (pen_end(&pen)) told->failed = true;
    fputs(buf_string(&out), stdout);
    buf_free(&out);
}

/* Whose it is, as on a ladder; a state is the consequence of what stands before it. */
static enum layout_style style_of(const struct moment *moment)
{
    const struct story_step *step = moment->step;
    if (step->kind == STEP_STATE) return STYLE_BOLD;
    if (step->kind == STEP_SEGMENT && step->segment->flags & TCP_RST) return STYLE_ALARM;
    return step->side == STORY_CLIENT ? STYLE_CLIENT : STYLE_SERVER;
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
        buf_text(out, moment->cue->text);
        putchar('\n');
        print(told, STYLE_BOLD, tell ? "" : "--- ", tell ? INDENT : 4, tell ? STYLE_PLAIN : STYLE_BOLD, NULL);
        told->number++;
        return;
    }
    if (told->stories->count > 1) buf_printf(out, "[connection %" PRIu32 "] ", moment->story->number);
    if (!say_step(told, moment, out, &section)) return;
    print(told, STYLE_PLAIN, "", INDENT, style_of(moment), section);
}

static void print_head(struct telling_aloud *told)
{
    const struct scenario *scenario = told->scenario;
    struct buf *out = &told->text;
    buf_clear(out);
    buf_text(out, tr(scenario->title));
    print(told, STYLE_BOLD, "", 0, STYLE_BOLD, NULL);
    for (size_t i = 0; i < scenario->section_count; i++)
        printf("%sRFC %" PRIu32 "%s%s", i ? ", " : "", scenario->sections[i].rfc,
               scenario->sections[i].section ? tr(" section ") : "",
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
                printf(tr("\n--- what it shows\n"));
            }
            any = true;
            buf_clear(&told->text);
            buf_text(&told->text, told->stories->list[s]->findings[i].text);
            print(told, STYLE_PLAIN, "", INDENT, STYLE_BOLD, NULL);
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
        if (!code && told.failed) code = -ENOMEM;
    }
    free(told.moments);
    buf_free(&told.text);
    if (code && code != -EPIPE) err_set_errno(err, code, "can't explain the scenario");
    return code;
}
