#include "support/told_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *digits_of(struct sentences *sentences, const char *text)
{
    uint32_t hash = 2166136261U;
    if (!text || !*text) return "-";
    if (!sentences) return text;
    for (const char *at = text; *at; at++) hash = (hash ^ (uint8_t)*at) * 16777619U;
    for (size_t i = 0; i < sentences->count; i++)
        if (strcmp(sentences->text[i], text) == 0) return sentences->of[i];
    if (sentences->count == sentences->capacity) {
        sentences->capacity = sentences->capacity ? 2 * sentences->capacity : 256;
        sentences->of = realloc(sentences->of, sentences->capacity * sizeof(*sentences->of));
        sentences->text = realloc(sentences->text, sentences->capacity * sizeof(*sentences->text));
        if (!sentences->of || !sentences->text) abort();
    }
    size_t at = sentences->count++;
    sentences->text[at] = strdup(text);
    snprintf(sentences->of[at], sizeof(sentences->of[at]), "%05x", (unsigned)((hash >> 12 ^ hash) & 0xfffff));
    return sentences->of[at];
}

/* " name=value", where there is one. */
static void say_number(struct buf *lines, const char *name, int64_t value, int64_t none)
{
    if (value != none) buf_printf(lines, " %s=%" PRId64, name, value);
}

static void say_step(struct buf *lines, const char *name, uint32_t step)
{
    if (step != STORY_NO_STEP) buf_printf(lines, " %s=@%u", name, step);
}

static void say_ns(struct buf *lines, const char *name, int64_t ns, int64_t none)
{
    if (ns == none) return;
    buf_printf(lines, " %s=%" PRId64, name, ns / 1000);
    if (ns % 1000) buf_printf(lines, ".%03d", (int)(ns % 1000));
}

static void say_cause(struct buf *lines, struct sentences *sentences, const struct story_cause *cause)
{
    buf_printf(lines, " <- %s/%s", story_cause_name(cause->kind), story_evidence_name(cause->evidence));
    if (cause->name) buf_printf(lines, "/%s", cause->name);
    say_step(lines, "by", cause->step);
    say_number(lines, "chain", (int64_t)cause->chain_count, 0);
    buf_printf(lines, " %s", digits_of(sentences, cause->why));
}

static void say_drop(struct buf *lines, const struct story_drop *drop)
{
    if (!drop) return;
    buf_printf(lines, " dropped:%s,%s,%d%s", drop->reason, drop->function, (int)drop->by, drop->untaken ? ",untaken" : "");
    say_ns(lines, "at", drop->t_ns, 0);
}

static void say_segment(struct buf *lines, struct sentences *sentences, const struct story_segment *segment)
{
    buf_printf(lines, " #%u %s %s %u:%u:%u class=%d", segment->number, segment->label, segment->flags_text, segment->seq,
               segment->ack, segment->length_bytes, (int)segment->class);
    say_ns(lines, "received", segment->received_ns, 0);
    say_number(lines, "folded", segment->folded, 0);
    say_number(lines, "window", segment->window_kind, WINDOW_UNKNOWN);
    say_number(lines, "bytes", segment->window_bytes, 0);
    say_number(lines, "congestion", segment->congestion.window, 0);
    buf_printf(lines, "%s%s%s%s%s%s%s", segment->lost ? " lost" : "", segment->window_matters ? " matters" : "",
               segment->retransmission ? " again" : "", segment->copy ? " copy" : "", segment->unsent ? " unsent" : "",
               segment->handshake ? " handshake" : "", segment->teardown ? " teardown" : "");
    if (segment->missed_at) buf_printf(lines, " missed:%s", segment->missed_at);
    say_step(lines, "of", segment->of_step);
    if (segment->repeat) buf_printf(lines, " %s", story_repeat_name(segment->repeat));
    if (segment->reset_reason) buf_printf(lines, " reason:%s", segment->reset_reason);
    say_drop(lines, segment->dropped);
    if (segment->queue)
        buf_printf(lines, " queue:%u/%u,%u%s", segment->queue->accept_length, segment->queue->accept_most,
                   segment->queue->request_length, segment->queue->dropped ? ",dropped" : "");
    say_cause(lines, sentences, &segment->cause);
}

static void say_datagram(struct buf *lines, struct sentences *sentences, const struct story_datagram *datagram)
{
    buf_printf(lines, " #%u %s %u", datagram->number, datagram->icmp ? datagram->icmp : "datagram", datagram->length_bytes);
    say_ns(lines, "received", datagram->received_ns, 0);
    say_step(lines, "about", datagram->about_step);
    say_number(lines, "mtu", datagram->error.mtu, 0);
    if (datagram->lost) buf_printf(lines, " lost");
    say_drop(lines, datagram->dropped);
    say_cause(lines, sentences, &datagram->cause);
}

static void say_call(struct buf *lines, struct sentences *sentences, const struct story_call *call)
{
    buf_printf(lines, " %s %s[%d]%s%s%s", call->name, call->comm, call->pid, call->listener ? " listener" : "",
               call->waits ? " waits" : "", call->interrupted ? " interrupted" : "");
    if (call->exit_ns) say_number(lines, "ret", call->ret, INT64_MIN);
    if (call->errno_name) buf_printf(lines, " %s", call->errno_name);
    say_ns(lines, "slept", call->slept_ns, -1);
    buf_printf(lines, " wake:%s/%s", story_wake_name(call->wake.kind), story_evidence_name(call->wake.evidence));
    say_step(lines, "by", call->wake.step);
    if (call->took_count) buf_printf(lines, " took:%u,%u-%u", call->took_count, call->took_first, call->took_last);
    buf_printf(lines, " %s", digits_of(sentences, call->wake.why));
}

static void say_one(struct buf *lines, struct sentences *sentences, const struct story *story, size_t at)
{
    static const char *const kinds[] = {"enter", "exit", "segment", "datagram", "state", "ends"};
    const struct story_step *step = &story->steps[at];
    buf_printf(lines, " @%zu", at);
    say_ns(lines, "t", step->t_ns, INT64_MIN);
    buf_printf(lines, " %c %s", story_side_name(step->side)[0], kinds[step->kind]);
    switch (step->kind) {
    case STEP_ENTER:
        buf_printf(lines, " %s", step->call->name);
        break;
    case STEP_EXIT:
        say_call(lines, sentences, step->call);
        break;
    case STEP_SEGMENT:
        say_segment(lines, sentences, step->segment);
        break;
    case STEP_DATAGRAM:
        say_datagram(lines, sentences, step->datagram);
        break;
    case STEP_STATE:
        buf_printf(lines, "%s %s>%s", step->state->kernel ? " kernel's" : "", step->state->from, step->state->to);
        say_cause(lines, sentences, &step->state->cause);
        break;
    case STEP_PROCESS_EXIT:
        buf_printf(lines, " %s[%d] %s", step->exit->process.comm, step->exit->process.pid, step->exit->name);
    }
    buf_printf(lines, "\n");
    bool unended = step->kind == STEP_ENTER && step->call->exit_step == STORY_NO_STEP;
    if (!unended) return;
    buf_printf(lines, "  never back:");
    say_call(lines, sentences, step->call);
    buf_printf(lines, "\n");
}

static void say_summary(struct buf *lines, const struct story *story)
{
    const struct story_summary *sum = &story->summary;
    buf_printf(lines, " sums:");
    say_number(lines, "opened", sum->opened_by, -1);
    say_number(lines, "closed", sum->closed_first_by, -1);
    say_number(lines, "time-wait", sum->time_wait_side, -1);
    say_ns(lines, "until", sum->time_wait_until_ns, 0);
    say_ns(lines, "handshake", sum->handshake_ns, -1);
    say_ns(lines, "network", sum->handshake_network_ns, -1);
    if (sum->handshake_timer_ns > 0) say_ns(lines, "timer", sum->handshake_timer_ns, 0);
    say_ns(lines, "process", sum->handshake_process_ns, -1);
    say_ns(lines, "accept", sum->accept_wait_ns, -1);
    buf_printf(lines, " %u segments %u datagrams %u calls %u again", sum->segments, sum->datagrams, sum->calls,
               sum->retransmissions);
    for (size_t i = 0; i < sizeof(sum->causes_by_evidence) / sizeof(sum->causes_by_evidence[0]); i++)
        buf_printf(lines, "%c%u", i ? '/' : ' ', sum->causes_by_evidence[i]);
    say_number(lines, "unknown", sum->causes_unknown, 0);
    buf_printf(lines, "\n times:");
    say_ns(lines, "total", story->time.total_ns, -1);
    say_ns(lines, "before", story->time.before_ns, 0);
    say_ns(lines, "asked", story->time.asked_ns, 0);
    say_number(lines, "questions", story->time.questions, 0);
    for (int i = 0; i < SPENTS; i++) say_ns(lines, story_spent_name((enum story_spent)i), story->time.spent_ns[i], 0);
    say_ns(lines, "time-wait", story->time.time_wait_ns, -1);
    say_ns(lines, "first-byte", story->time.first_byte_ns, -1);
    buf_printf(lines, "\n");
}

static void say_steps(struct buf *lines, const uint32_t *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) say_step(lines, "by", steps[i]);
}

static void say_story(struct buf *lines, struct sentences *sentences, const struct story *story)
{
    buf_printf(lines, "story %u%s%s%s %s", story->number, story->udp ? " udp" : "", story->sequel ? " sequel" : "",
               story->calls_alone ? " calls" : "", story_outcome_name(story->outcome));
    say_ns(lines, "start", story->start_ns, INT64_MIN);
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &story->end[side];
        char address[ADDRESS_TEXT_BYTES];
        address_format(&end->address, address);
        buf_printf(lines, " | %s %s[%d] %s", address, end->process.comm ? end->process.comm : "", end->process.pid,
                   end->state == STATE_UNKNOWN ? "?" : tcp_state_name(end->state));
        say_number(lines, "cookie", (int64_t)end->cookie, 0);
        say_number(lines, "isn", end->has_isn ? (int64_t)end->isn : -1, -1);
        say_number(lines, "bytes", (int64_t)end->bytes_sent, 0);
        say_number(lines, "missed", (int64_t)end->bytes_missed, 0);
    }
    buf_printf(lines, "\n");
    for (size_t i = 0; i < story->step_count; i++) say_one(lines, sentences, story, i);
    say_summary(lines, story);
    for (size_t i = 0; i < story->finding_count; i++) {
        const struct story_finding *finding = &story->findings[i];
        buf_printf(lines, " found %s %s %s", finding->severity, finding->id, digits_of(sentences, finding->text));
        say_steps(lines, finding->steps, finding->step_count);
        buf_printf(lines, "\n");
    }
    for (size_t i = 0; i < story->difference_count; i++) {
        const struct story_difference *difference = &story->differences[i];
        buf_printf(lines, " differs %s %s", difference->id, digits_of(sentences, difference->text));
        say_steps(lines, difference->steps, difference->step_count);
        buf_printf(lines, "\n");
    }
}

void told_story(struct buf *lines, const struct story *story)
{
    say_story(lines, NULL, story);
}

void told_lines(struct buf *lines, struct sentences *sentences, const struct told *told)
{
    const struct story_trace *trace = teller_trace(told->teller);
    for (size_t i = 0; i < told->count; i++) say_story(lines, sentences, told->stories[i]);
    for (size_t i = 0; i < trace->apart_count; i++)
        for (size_t k = 0; k < trace->apart[i].count; k++) {
            buf_printf(lines, "apart %s[%d]", trace->apart[i].process.comm, trace->apart[i].process.pid);
            say_call(lines, sentences, &trace->apart[i].calls[k].call);
            buf_printf(lines, " %s\n", digits_of(sentences, trace->apart[i].calls[k].why));
        }
    if (trace->marks_unjoined || trace->packets_unmarked)
        buf_printf(lines, "unjoined %" PRIu64 " unmarked %" PRIu64 "\n", trace->marks_unjoined, trace->packets_unmarked);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void told_lines_sentences(struct buf *lines, struct sentences *sentences)
{
    struct sentences sorted = {0};
    if (sentences->count) qsort(sentences->text, sentences->count, sizeof(*sentences->text), by_text);
    for (size_t i = 0; i < sentences->count; i++)
        buf_printf(lines, "%s %s\n", digits_of(&sorted, sentences->text[i]), sentences->text[i]);
    sentences_free(&sorted);
}

void sentences_free(struct sentences *sentences)
{
    for (size_t i = 0; i < sentences->count; i++) free((char *)sentences->text[i]);
    free(sentences->of);
    free(sentences->text);
}
