#include "viz/plan/words.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "viz/view.h"

const char *words_duration(int64_t ns, char words[WORDS_BYTES])
{
    static const struct {
        int64_t below, unit;
        const char *name;
    } scale[] = {{1000, 1, "ns"}, {1000000, 1000, "µs"}, {1000000000, 1000000, "ms"}, {60000000000, 1000000000, "s"}};
    for (size_t i = 0; i < sizeof(scale) / sizeof(scale[0]); i++) {
        if (ns >= scale[i].below) continue;
        int64_t whole = ns / scale[i].unit;
        double value = (double)ns / (double)scale[i].unit;
        int decimals = whole >= 100 || scale[i].unit == 1 ? 0 : whole >= 10 ? 1 : 2;
        int length = snprintf(words, WORDS_BYTES, "%.*f", decimals, value);
        if (decimals) { /* "43.0" is "43" */
            while (words[length - 1] == '0') length--;
            if (words[length - 1] == '.') length--;
        }
        snprintf(words + length, WORDS_BYTES - (size_t)length, " %s", scale[i].name);
        return words;
    }
    int64_t seconds = ns / 1000000000;
    if (seconds < 3600)
        snprintf(words, WORDS_BYTES, tr("%" PRId64 " min %" PRId64 " s"), seconds / 60, seconds % 60);
    else
        snprintf(words, WORDS_BYTES, tr("%" PRId64 " h %" PRId64 " min"), seconds / 3600, seconds / 60 % 60);
    return words;
}

const char *words_time(int64_t ns, char words[WORDS_BYTES])
{
    const char *sign = ns < 0 ? "-" : "";
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (size < UINT64_C(100000000000))
        snprintf(words, WORDS_BYTES, "%s%" PRIu64 ".%03" PRIu64, sign, size / 1000000, size / 1000 % 1000);
    else
        snprintf(words, WORDS_BYTES, "%s%" PRIu64 ".%" PRIu64 " s", sign, size / 1000000000, size / 100000000 % 10);
    return words;
}

const char *words_grouped(uint64_t number, char words[WORDS_BYTES])
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, number), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) words[at++] = ',';
        words[at++] = digits[i];
    }
    words[at] = '\0';
    return words;
}

const char *words_clock(int64_t t_ns, char words[WORDS_BYTES])
{
    time_t seconds = (time_t)(t_ns / 1000000000);
    struct tm parts;
    if (!localtime_r(&seconds, &parts) || strftime(words, WORDS_BYTES, "%H:%M:%S", &parts) == 0) strcpy(words, "?");
    return words;
}

const char *words_evidence(enum story_cause_kind kind, enum story_evidence evidence)
{
    static const char *const names[] = {TR("unknown"), TR("RFC rule"), TR("call interval"), TR("kernel context"),
                                        TR("kernel stack")};
    if (kind == CAUSE_UNKNOWN || (unsigned)evidence >= sizeof(names) / sizeof(names[0])) return tr(names[0]);
    return tr(names[evidence]);
}

const char *words_evidence_short(enum story_cause_kind kind, enum story_evidence evidence)
{
    static const char *const names[] = {[EVIDENCE_RULE] = TR("rule"), [EVIDENCE_INTERVAL] = TR("interval")};
    bool is_short = kind != CAUSE_UNKNOWN && (unsigned)evidence < sizeof(names) / sizeof(names[0]) && names[evidence];
    return is_short ? tr(names[evidence]) : words_evidence(kind, evidence);
}

enum layout_style words_evidence_style(enum story_cause_kind kind, enum story_evidence evidence)
{
    if (kind == CAUSE_UNKNOWN || evidence == EVIDENCE_NONE) return STYLE_ALARM;
    return evidence == EVIDENCE_STACK ? STYLE_BOLD : evidence == EVIDENCE_CONTEXT ? STYLE_PLAIN : STYLE_DIM;
}

void words_process(struct phrase *text, enum layout_style style, const struct story_process *process)
{
    if (process->comm) phrase_add(text, style, process->comm);
    if (process->pid) phrase_addf(text, style, "[%" PRId32 "]", process->pid);
}

void words_step(struct phrase *text, enum layout_style style, const struct story *story, uint32_t step)
{
    if (step >= story->step_count) {
        phrase_add(text, style, "?");
        return;
    }
    const struct story_step *at = &story->steps[step];
    switch (at->kind) {
    case STEP_ENTER:
    case STEP_EXIT:
        phrase_add(text, style, at->call->name);
        if (at->call->fd >= 0)
            phrase_addf(text, style, "(%" PRId32 ")", at->call->fd);
        else
            phrase_add(text, style, "()");
        break;
    case STEP_SEGMENT:
        phrase_addf(text, style, tr("the %s (#%" PRIu32 ")"), story_label_word(at->segment), at->segment->number);
        break;
    case STEP_DATAGRAM:
        phrase_addf(text, style, tr("the %s (#%" PRIu32 ")"), at->datagram->icmp ? tr("ICMP error") : tr("datagram"),
                    at->datagram->number);
        break;
    case STEP_STATE:
        phrase_addf(text, style, at->state->kernel ? tr("the %s's kernel: %s") : tr("%s in %s"), story_side_word(at->side),
                    at->state->to);
        break;
    case STEP_PROCESS_EXIT: {
        struct phrase process = phrase_new(text->arena);
        words_process(&process, style, &at->exit->process);
        phrase_fill(text, style, tr("the end of %s"), &process, 1);
        break;
    }
    }
}

static enum layout_style side_style(enum story_side side, bool bold)
{
    if (side == STORY_CLIENT) return bold ? STYLE_CLIENT_BOLD : STYLE_CLIENT;
    return bold ? STYLE_SERVER_BOLD : STYLE_SERVER;
}

/* Several processes and threads can work for one end: who it is matters only where it isn't the one in the headline. */
static void add_thread(struct phrase *text, const struct story *story, const struct story_call *call)
{
    if (call->pid && call->pid != story->end[call->side].process.pid) {
        struct phrase process = phrase_new(text->arena);
        words_process(&process, STYLE_PLAIN, &(struct story_process){.pid = call->pid, .comm = call->comm});
        phrase_fill(text, STYLE_PLAIN, tr(" by %s"), &process, 1);
    }
    if (call->tid && call->pid && call->tid != call->pid) phrase_addf(text, STYLE_PLAIN, " thread %" PRId32, call->tid);
}

static void add_name(struct phrase *text, const struct story_call *call, bool with_args)
{
    enum layout_style style = side_style(call->side, true);
    phrase_add(text, style, call->name);
    if (with_args && call->args)
        phrase_addf(text, style, "(%s)", call->args);
    else if (call->fd >= 0)
        phrase_addf(text, style, with_args ? "(%" PRId32 ", …)" : "(%" PRId32 ")", call->fd);
    else
        phrase_add(text, style, with_args ? "(…)" : "()");
}

void words_call_begin(struct phrase *text, const struct story *story, const struct story_call *call)
{
    add_name(text, call, true);
    add_thread(text, story, call);
}

static void add_result(struct phrase *text, const struct story_call *call)
{
    if (call->exit_ns == 0) return;
    if (call->interrupted) {
        phrase_add(text, STYLE_ALARM, tr(" was interrupted by a signal"));
        return;
    }
    enum layout_style style = call->ret < 0 ? STYLE_ALARM : side_style(call->side, true);
    if (call->ret < 0 && call->errno_name)
        phrase_addf(text, style, " = -1 %s", call->errno_name);
    else
        phrase_addf(text, style, " = %" PRId64, call->ret);
}

/* What ended the sleep: by name where it is a step of this story, else in the story's own words. */
static void add_waker(struct phrase *text, const struct story *story, const struct story_wake *wake, bool slept)
{
    static const char *const kinds[] = {
        [WAKE_UNKNOWN] = TR("nobody saw what ended it"),
        [WAKE_NEVER_SLEPT] = "",
        [WAKE_SEGMENT] = TR("woken by a segment"),
        [WAKE_TIMER] = TR("until its timeout"),
        [WAKE_SIGNAL] = TR("a signal"),
        [WAKE_CALL] = TR("woken by another call"),
        [WAKE_NOT_YET] = "",
    };
    if ((wake->kind == WAKE_SEGMENT || wake->kind == WAKE_CALL) && wake->step < story->step_count) {
        struct phrase step = phrase_new(text->arena);
        words_step(&step, side_style(story->steps[wake->step].side, false), story, wake->step);
        phrase_fill(text, STYLE_PLAIN, slept ? tr("woken by %s") : tr("waited for %s"), &step, 1);
    } else
        phrase_add(text, STYLE_PLAIN, *wake->why ? wake->why : tr(kinds[wake->kind]));
}

/* A write or a close can wait too, but it is worth a word only where it did. */
static bool is_meant_to_wait(const struct story *story, const struct story_call *call)
{
    if (story->udp && call->traits & CALL_CONNECTS) return false; /* it only notes an address */
    return call->traits & (CALL_ACCEPTS | CALL_CONNECTS | CALL_READS | CALL_WAITS_FOR_MANY);
}

static void add_wake(struct phrase *text, const struct story *story, const struct story_call *call)
{
    const struct story_wake *wake = &call->wake;
    if (wake->kind == WAKE_NOT_YET) {
        phrase_addf(text, STYLE_PLAIN, tr(": %s"), *wake->why ? tr(wake->why) : tr("it had not returned when recording ended"));
        return;
    }
    bool is_silent = wake->kind == WAKE_UNKNOWN || wake->kind == WAKE_NEVER_SLEPT;
    if (!call->waits || (call->interrupted && call->slept_ns <= 0) ||
        (is_silent && call->slept_ns <= 0 && !is_meant_to_wait(story, call) && call->ret != -ETIMEDOUT))
        return;
    char slept[WORDS_BYTES];
    phrase_add(text, STYLE_PLAIN, " · ");
    if (wake->kind == WAKE_NEVER_SLEPT) {
        bool says_so = strncasecmp(wake->why, tr("never slept"), strlen(tr("never slept"))) == 0;
        if (says_so)
            phrase_add(text, STYLE_PLAIN, wake->why);
        else
            phrase_addf(text, STYLE_PLAIN, *wake->why ? tr("never slept: %s") : tr("never slept"), wake->why);
    } else if (call->interrupted) {
        phrase_addf(text, STYLE_PLAIN, tr("slept %s"), words_duration(call->slept_ns, slept));
        return; /* what ended that stands before it */
    } else if (call->slept_ns > 0) {
        phrase_addf(text, STYLE_PLAIN, tr("slept %s, "), words_duration(call->slept_ns, slept));
        add_waker(text, story, wake, true);
    } else if (call->slept_ns == 0 && *wake->why)
        phrase_add(text, STYLE_PLAIN, wake->why); /* it came while the call was at work */
    else {
        if (wake->kind == WAKE_UNKNOWN) phrase_add(text, STYLE_PLAIN, tr("may have slept: "));
        add_waker(text, story, wake, false);
    }
    /* What the kernel itself said needs no mark; what was inferred must not pose as that. */
    if (wake->kind != WAKE_UNKNOWN && wake->evidence != EVIDENCE_NONE && wake->evidence < EVIDENCE_CONTEXT)
        phrase_add(text, STYLE_DIM, wake->evidence == EVIDENCE_RULE ? tr(" [RFC rule]") : tr(" [call interval]"));
}

/* The segments that a read took, where one call took several: a stream has no messages. */
static void add_taken(struct phrase *text, const struct story *story, const struct story_call *call)
{
    if (call->took_count < 2 || call->took_first >= story->step_count || call->took_last >= story->step_count) return;
    uint32_t first = story->steps[call->took_first].segment->number, last = story->steps[call->took_last].segment->number;
    phrase_addf(text, STYLE_PLAIN,
                call->took_count == 2 ? tr(" · took the data of #%" PRIu32 " and #%" PRIu32)
                                      : tr(" · took the data of #%" PRIu32 " to #%" PRIu32 " (%" PRIu32 " segments)"),
                first, last, call->took_count);
}

/* What send() gives back is what the kernel has now, not what has left. */
static void add_copied(struct phrase *text, const struct story *story, const struct story_call *call)
{
    if (call->traits & CALL_WRITES && !story->udp && call->exit_ns && call->ret > 0 && !call->interrupted)
        phrase_add(text, STYLE_PLAIN, tr(" · copied"));
}

void words_call_end(struct phrase *text, const struct story *story, const struct story_call *call)
{
    add_name(text, call, false);
    add_result(text, call);
    add_copied(text, story, call);
    add_wake(text, story, call);
    add_taken(text, story, call);
}

void words_call_bare(struct phrase *text, const struct story *story, const struct story_call *call, bool with_args, unsigned blank)
{
    add_name(text, call, with_args);
    if (blank & VIEW_FIELD_RESULT)
        phrase_add(text, STYLE_PLAIN, " = " VIEW_BLANK);
    else
        add_result(text, call);
    if (with_args) add_thread(text, story, call);
    if (blank & VIEW_FIELD_WAKE) phrase_add(text, STYLE_PLAIN, " · " VIEW_BLANK);
}

void words_call_whole(struct phrase *text, const struct story *story, const struct story_call *call)
{
    add_name(text, call, true);
    add_result(text, call);
    add_copied(text, story, call);
    add_thread(text, story, call);
    add_wake(text, story, call);
    add_taken(text, story, call);
}

/* ---- in brief ---- */

/* "#2", "connect()" */
static void add_step_short(struct phrase *text, const struct story *story, uint32_t step)
{
    const struct story_step *at = &story->steps[step];
    enum layout_style style = side_style(at->side, false);
    if (at->kind == STEP_SEGMENT)
        phrase_addf(text, style, "#%" PRIu32, at->segment->number);
    else if (at->kind == STEP_DATAGRAM)
        phrase_addf(text, style, "#%" PRIu32, at->datagram->number);
    else if (at->kind == STEP_ENTER || at->kind == STEP_EXIT)
        phrase_addf(text, style, "%s()", at->call->name);
    else
        words_step(text, style, story, step);
}

void words_cause_short(struct phrase *text, const struct story *story, const struct story_cause *cause)
{
    const struct story_step *step = cause->step < story->step_count ? &story->steps[cause->step] : NULL;
    bool is_call = step && (step->kind == STEP_ENTER || step->kind == STEP_EXIT);
    const char *name = cause->name ? cause->name : is_call ? step->call->name : "?";
    struct phrase hole;
    switch (cause->kind) {
    case CAUSE_CALL:
        phrase_addf(text, STYLE_PLAIN, tr("%s() sent it"), name);
        return;
    case CAUSE_SEGMENT:
        hole = phrase_new(text->arena);
        if (step)
            add_step_short(&hole, story, cause->step);
        else
            phrase_add(&hole, STYLE_PLAIN, tr("a segment"));
        phrase_fill(text, STYLE_PLAIN, tr("the kernel answers %s"), &hole, 1);
        return;
    case CAUSE_TIMER:
        phrase_addf(text, STYLE_PLAIN, tr("%s timer"), name);
        return;
    case CAUSE_EXIT:
        phrase_addf(text, STYLE_PLAIN, tr("its process ended: %s"), name);
        return;
    case CAUSE_KERNEL:
        phrase_addf(text, STYLE_PLAIN, tr("the kernel: %s"), name);
        return;
    case CAUSE_UNKNOWN:
        phrase_add(text, STYLE_ALARM, tr("cause unknown"));
        return;
    }
}

static void add_wake_short(struct phrase *text, const struct story *story, const struct story_call *call)
{
    char slept[WORDS_BYTES];
    const struct story_wake *wake = &call->wake;
    if (wake->kind == WAKE_NOT_YET) phrase_add(text, STYLE_PLAIN, tr(": never returned"));
    /* What people say of accept(), and what it is: it takes what the kernel has made. */
    bool is_late_accept = call->traits & CALL_ACCEPTS && wake->kind == WAKE_NEVER_SLEPT && call->ret >= 0;
    if (is_late_accept) phrase_add(text, STYLE_PLAIN, tr(" · sends nothing"));
    if (!call->waits || call->slept_ns <= 0) return;
    phrase_addf(text, STYLE_PLAIN, tr(" · slept %s"), words_duration(call->slept_ns, slept));
    if ((wake->kind != WAKE_SEGMENT && wake->kind != WAKE_CALL) || wake->step >= story->step_count) return;
    struct phrase waker = phrase_new(text->arena);
    add_step_short(&waker, story, wake->step);
    phrase_fill(text, STYLE_PLAIN, tr(" until %s"), &waker, 1);
}

void words_call_end_short(struct phrase *text, const struct story *story, const struct story_call *call)
{
    add_name(text, call, false);
    add_result(text, call);
    add_wake_short(text, story, call);
    add_taken(text, story, call);
}

void words_call_whole_short(struct phrase *text, const struct story *story, const struct story_call *call)
{
    add_name(text, call, true);
    add_result(text, call);
    add_wake_short(text, story, call);
    add_taken(text, story, call);
}
