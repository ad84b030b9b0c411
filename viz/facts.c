#include "viz/facts.h"

#include <inttypes.h>
#include <string.h>

#include "viz/text_pen.h"
#include "viz/words.h"

enum { KEY_COLUMNS = 14 };

static enum layout_style outcome_style(enum story_outcome outcome)
{
    return outcome == OUTCOME_CLOSED ? STYLE_BOLD : outcome == OUTCOME_OPEN ? STYLE_PLAIN : STYLE_ALARM;
}

static void add_end(struct layout_text *text, const struct story *story, enum story_side side)
{
    char address[ADDRESS_TEXT_BYTES];
    const struct story_end *end = &story->end[side];
    layout_add(text, STYLE_PLAIN, address_format(&end->address, address));
    if (end->process.comm || end->process.pid) layout_add(text, STYLE_PLAIN, " ");
    words_process(text, side == STORY_CLIENT ? STYLE_CLIENT_BOLD : STYLE_SERVER_BOLD, &end->process);
}

int summary_headline(const struct story *story, const struct view_options *options, int width, struct buf *out)
{
    struct pen pen = pen_new(options, width, out);
    struct layout_text *text = &pen.text;
    layout_addf(text, STYLE_BOLD, "conn %s%" PRIu32, story->numbered_apart ? "u" : "", story->number);
    if (story->udp)
        layout_add(text, STYLE_PLAIN, ": UDP");
    else
        layout_add(text, STYLE_PLAIN, ": ");
    if (!story->udp || story->outcome == OUTCOME_REFUSED) {
        if (story->udp) layout_add(text, STYLE_PLAIN, ", ");
        layout_add(text, outcome_style(story->outcome), story_outcome_name(story->outcome));
    }
    pen_rule_line(&pen);
    add_end(text, story, STORY_CLIENT);
    size_t client = text->count;
    layout_add(text, STYLE_PLAIN, " → ");
    add_end(text, story, STORY_SERVER);
    if (layout_columns(text, 0, text->count) > width) {
        /* An address is easier to find at the start of a line. */
        text->count = client;
        pen_flush(&pen, 0, STYLE_PLAIN, "");
        layout_add(text, STYLE_PLAIN, "→ ");
        add_end(text, story, STORY_SERVER);
    }
    pen_flush(&pen, 0, STYLE_PLAIN, "");
    return pen_end(&pen);
}

static void add_side(struct layout_text *text, const struct story *story, int32_t side)
{
    if (side < 0 || side >= STORY_SIDES) return;
    enum layout_style style = side == STORY_CLIENT ? STYLE_CLIENT_BOLD : STYLE_SERVER_BOLD;
    layout_addf(text, style, "%s", story_side_name((enum story_side)side));
    const char *comm = story->end[side].process.comm;
    if (!comm || !*comm || !strcmp(comm, story_side_name((enum story_side)side))) return; /* a process that is called "client" */
    layout_add(text, STYLE_PLAIN, " ");
    layout_add(text, STYLE_PLAIN, comm);
}

static void tell_opening(struct pen *pen, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    char words[WORDS_BYTES];
    layout_add(&pen->text, STYLE_PLAIN, "by the ");
    add_side(&pen->text, story, summary->opened_by);
    if (summary->opened_by >= 0) pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "opened");
    layout_text_clear(&pen->text);

    if (summary->handshake_ns >= 0) {
        layout_addf(&pen->text, STYLE_BOLD, "%s", words_duration(summary->handshake_ns, words));
        layout_add(&pen->text, STYLE_PLAIN, " SYN → ACK");
        const char *between = ": ";
        if (summary->handshake_timer_ns > 0) {
            layout_add(&pen->text, STYLE_PLAIN, between);
            layout_addf(&pen->text, STYLE_ALARM, "%s of it waited for the retransmission timer",
                        words_duration(summary->handshake_timer_ns, words));
            between = ", ";
        }
        if (summary->handshake_network_ns >= 0) {
            layout_addf(&pen->text, STYLE_PLAIN, "%snetwork %s (SYN → SYN-ACK)", between,
                        words_duration(summary->handshake_network_ns, words));
            between = ", ";
        }
        if (summary->handshake_process_ns >= 0)
            layout_addf(&pen->text, STYLE_PLAIN, "%sprocess %s (connect() → SYN, ACK → return)", between,
                        words_duration(summary->handshake_process_ns, words));
        pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "handshake");
    }
    if (summary->accept_wait_ns >= 0) {
        layout_addf(&pen->text, STYLE_PLAIN, "accept() returned %s after the handshake was complete",
                    words_duration(summary->accept_wait_ns, words));
        pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "accept wait");
    }
}

static void tell_closing(struct pen *pen, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    if (story->udp) return;
    if (summary->closed_first_by >= 0) {
        layout_add(&pen->text, STYLE_PLAIN, "by the ");
        add_side(&pen->text, story, summary->closed_first_by);
    } else
        layout_add(&pen->text, STYLE_PLAIN, "by nobody");
    pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "closed first");
    if (summary->time_wait_side >= 0) {
        layout_add(&pen->text, STYLE_PLAIN, summary->time_wait_side == STORY_SIDES ? "held by both ends" : "held by the ");
        if (summary->time_wait_side < STORY_SIDES) add_side(&pen->text, story, summary->time_wait_side);
        if (summary->time_wait_until_ns) {
            char words[WORDS_BYTES];
            layout_addf(&pen->text, STYLE_PLAIN, " until %s", words_clock(summary->time_wait_until_ns, words));
            layout_add(&pen->text, STYLE_PLAIN, " (the RFC's 2 MSL; Linux: TCP_TIMEWAIT_LEN, 60 s)");
        }
        pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "TIME_WAIT");
    }
}

static void add_count(struct layout_text *text, enum layout_style style, uint64_t count, const char *noun)
{
    layout_addf(text, style, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}

static void tell_amounts(struct pen *pen, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    struct layout_text *text = &pen->text;
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &story->end[side];
        layout_addf(text, STYLE_PLAIN, "%s%s sent ", side ? ", " : "", story_side_name((enum story_side)side));
        add_count(text, STYLE_PLAIN, end->bytes_sent, "byte");
        if (end->bytes_missed) layout_addf(text, STYLE_ALARM, " (%" PRIu64 " more were not captured)", end->bytes_missed);
    }
    pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "data");

    if (story->udp)
        add_count(text, STYLE_PLAIN, summary->datagrams, "datagram");
    else
        add_count(text, STYLE_PLAIN, summary->segments, "segment");
    if (summary->retransmissions) layout_addf(text, STYLE_ALARM, " (%" PRIu32 " retransmitted)", summary->retransmissions);
    layout_add(text, STYLE_PLAIN, ", ");
    add_count(text, STYLE_PLAIN, summary->calls, "call");
    pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "seen");

    const char *between = "";
    for (int evidence = EVIDENCE_STACK; evidence > EVIDENCE_NONE; evidence--) {
        uint32_t count = summary->causes_by_evidence[evidence];
        if (count == 0) continue;
        layout_add(text, STYLE_PLAIN, between);
        layout_addf(text, words_evidence_style(CAUSE_CALL, (enum story_evidence)evidence), "%" PRIu32 " %s", count,
                    words_evidence(CAUSE_CALL, (enum story_evidence)evidence));
        between = ", ";
    }
    layout_add(text, STYLE_PLAIN, between);
    layout_addf(text, summary->causes_unknown ? STYLE_ALARM : STYLE_PLAIN, "%" PRIu32 " unknown", summary->causes_unknown);
    pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "causes from");
}

/* The steps that prove it. */
static void add_proof(struct layout_text *text, const struct story *story, const uint32_t *steps, size_t count)
{
    const char *between = " [";
    for (size_t i = 0; i < count; i++) {
        layout_add(text, STYLE_DIM, between);
        words_step(text, STYLE_DIM, story, steps[i]);
        between = ", ";
    }
    if (count) layout_add(text, STYLE_DIM, "]");
}

static void tell_findings(struct pen *pen, const struct story *story)
{
    for (size_t i = 0; i < story->finding_count; i++) {
        const struct story_finding *finding = &story->findings[i];
        bool is_note = strcmp(finding->severity, "note") == 0, is_error = strcmp(finding->severity, "error") == 0;
        layout_add(&pen->text, STYLE_PLAIN, finding->text);
        add_proof(&pen->text, story, finding->steps, finding->step_count);
        pen_flush(pen, KEY_COLUMNS, is_error ? STYLE_ALARM : STYLE_BOLD, is_error ? "! error" : is_note ? "  note" : "! warning");
    }
}

/* The sentences stand in the ladder; here is where to read on. */
static void tell_differences(struct pen *pen, const struct story *story)
{
    for (size_t i = 0; i < story->difference_count; i++) {
        const struct story_difference *difference = &story->differences[i];
        layout_addf(&pen->text, STYLE_PLAIN, "%s: %s", difference->id, difference->reference);
        add_proof(&pen->text, story, difference->steps, difference->step_count);
        pen_flush(pen, KEY_COLUMNS, STYLE_DIM, "  Linux");
    }
}

int summary_story(const struct story *story, const struct view_options *options, int width, struct buf *out)
{
    struct pen pen = pen_new(options, width, out);
    pen_blank_line(&pen);
    tell_opening(&pen, story);
    tell_closing(&pen, story);
    tell_amounts(&pen, story);
    tell_findings(&pen, story);
    if (options->verbose) tell_differences(&pen, story);
    pen_blank_line(&pen);
    return pen_end(&pen);
}

static void tell_totals(struct pen *pen, const struct summary_totals *totals)
{
    struct layout_text *text = &pen->text;
    if (totals->stories == 1) return;
    if (totals->stories == 0)
        layout_add(text, STYLE_BOLD, "no connection was seen");
    else
        layout_addf(text, STYLE_BOLD, "%" PRIu64 " connections", totals->stories);
    const char *between = ": ";
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        if (totals->outcomes[outcome] == 0) continue;
        layout_add(text, STYLE_PLAIN, between);
        layout_addf(text, outcome_style((enum story_outcome)outcome), "%" PRIu64 " %s", totals->outcomes[outcome],
                    story_outcome_name((enum story_outcome)outcome));
        between = ", ";
    }
    if (totals->udp) layout_addf(text, STYLE_PLAIN, "%s%" PRIu64 " UDP", between, totals->udp);
    if (totals->findings) {
        layout_add(text, STYLE_PLAIN, "; ");
        add_count(text, STYLE_PLAIN, totals->findings, "finding");
    }
    pen_flush(pen, 0, STYLE_PLAIN, "");
}

/* One source, all its kinds of loss together. */
static void add_source(struct layout_text *text, const struct story_trace *trace, size_t first)
{
    const struct story_loss *loss = &trace->losses[first];
    uint64_t received = loss->received;
    for (size_t k = first; k < trace->loss_count; k++)
        if (strcmp(trace->losses[k].source, loss->source) == 0 && trace->losses[k].received > received)
            received = trace->losses[k].received;
    bool is_capture = strncmp(loss->source, "capture", strlen("capture")) == 0;
    layout_addf(text, STYLE_PLAIN, "%s %" PRIu64 " %s", loss->source, received, is_capture ? "packets" : "events");
    bool any = false;
    for (size_t k = first; k < trace->loss_count; k++) {
        if (strcmp(trace->losses[k].source, loss->source) != 0 || trace->losses[k].count == 0) continue;
        layout_addf(text, STYLE_ALARM, ", %" PRIu64 " lost (%s)", trace->losses[k].count, trace->losses[k].what);
        any = true;
    }
    if (!any) layout_add(text, STYLE_PLAIN, ", 0 lost");
    for (size_t k = first; k < trace->loss_count; k++) /* what this kernel never had is not lost */
        if (strcmp(trace->losses[k].source, loss->source) == 0 && strncmp(trace->losses[k].what, "without ", 8) == 0)
            layout_addf(text, STYLE_PLAIN, "; this kernel is %s", trace->losses[k].what);
}

static void tell_losses(struct pen *pen, const struct story_trace *trace)
{
    struct layout_text *text = &pen->text;
    bool any = trace->lost || trace->dropped;
    for (size_t i = 0; i < trace->loss_count; i++) any |= trace->losses[i].count != 0;
    if (any)
        layout_add(text, STYLE_ALARM, "something was lost: what is shown may lack steps and causes. ");
    else if (trace->loss_count)
        layout_add(text, STYLE_BOLD, "nothing lost: ");
    const char *between = "";
    for (size_t i = 0; i < trace->loss_count; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++) told = strcmp(trace->losses[k].source, trace->losses[i].source) == 0;
        if (told) continue;
        layout_add(text, STYLE_PLAIN, between);
        add_source(text, trace, i);
        between = "; ";
    }
    pen_flush(pen, 0, STYLE_PLAIN, "");
    if (!trace->marks_unjoined && !trace->packets_unmarked) return;
    layout_addf(text, STYLE_PLAIN, "not joined: %" PRIu64 " kernel marks found no packet, %" PRIu64 " packets found no kernel mark",
                trace->marks_unjoined, trace->packets_unmarked);
    pen_flush(pen, 0, STYLE_PLAIN, "");
}

int summary_run(const struct summary_totals *totals, const struct story_trace *trace, const struct view_options *options, int width,
                struct buf *out)
{
    struct pen pen = pen_new(options, width, out);
    struct layout_text *text = &pen.text;
    tell_totals(&pen, totals);
    layout_addf(text, STYLE_PLAIN, "recorded by %s", trace->recorder ? trace->recorder : "?");
    for (size_t i = 0; i < trace->vantage_count; i++) {
        layout_add(text, STYLE_PLAIN, i == 0 ? ", packets on " : ", ");
        layout_add(text, STYLE_PLAIN, trace->vantages[i]);
    }
    if (trace->reason && *trace->reason) {
        layout_add(text, STYLE_PLAIN, "; ");
        layout_add(text, STYLE_PLAIN, trace->reason);
    }
    pen_flush(&pen, 0, STYLE_PLAIN, "");
    tell_losses(&pen, trace);
    return pen_end(&pen);
}
