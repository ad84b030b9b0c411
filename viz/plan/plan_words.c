/* What a row of the plan says. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/plan_notes.h"
#include "viz/plan/plan_own.h"
#include "viz/plan/words.h"

static const enum layout_style style_of[STORY_SIDES] = {STYLE_CLIENT, STYLE_SERVER};
static const enum layout_style bold_of[STORY_SIDES] = {STYLE_CLIENT_BOLD, STYLE_SERVER_BOLD};

static bool is_blank(const struct telling_row *t, unsigned fields)
{
    return view_blank_fields(t->plan->options, t->row->step, fields) != 0;
}

/* A number, or what stands in its place. */
/* `below`: it is negative, and stands there modulo 2^32. */
static void add_number(struct telling_row *t, const char *before, uint32_t number, bool below, unsigned field)
{
    if (is_blank(t, field))
        phrase_addf(&t->words->detail, STYLE_PLAIN, "%s" VIEW_BLANK, before);
    else if (below)
        phrase_addf(&t->words->detail, STYLE_PLAIN, "%s-%" PRIu32, before, 0 - number);
    else
        phrase_add_number(&t->words->detail, STYLE_PLAIN, before, number);
}

/* ---- notes ---- */

/* A note that begins; NULL: it has as many as a reader takes. */
struct plan_note *plan_note(struct telling_row *t, enum plan_note_kind kind, enum story_side side)
{
    struct plan_words *words = t->words;
    if (words->note_count == PLAN_NOTES_MAX) return NULL;
    struct plan_note *at = &words->notes[words->note_count++];
    *at =
        (struct plan_note){.kind = kind, .side = side, .evidence = "", .evidence_style = STYLE_DIM, .words = phrase_new(t->arena)};
    return at;
}

static struct plan_note *note_cause(struct telling_row *t, enum story_side side, const char *before,
                                    const struct story_cause *cause)
{
    struct plan_note *at = plan_note(t, NOTE_CAUSE, side);
    if (!at) return NULL;
    at->evidence = words_evidence(cause->kind, cause->evidence);
    at->evidence_short = words_evidence_short(cause->kind, cause->evidence);
    at->evidence_style = words_evidence_style(cause->kind, cause->evidence);
    if (t->brief) {
        words_cause_short(&at->words, t->story, cause);
    } else {
        phrase_add(&at->words, STYLE_PLAIN, before);
        phrase_add(&at->words, STYLE_PLAIN, tr(cause->why));
    }
    return at;
}

static void note_chain(struct telling_row *t, enum story_side side, const struct story_cause *cause)
{
    if (t->verbose < 2 || !cause->chain || cause->chain_count == 0) return;
    struct plan_note *at = plan_note(t, NOTE_CHAIN, side);
    for (size_t i = 0; at && i < cause->chain_count; i++)
        phrase_addf(&at->words, STYLE_DIM, "%s%s", i ? " ← " : "", cause->chain[i]);
}

/* That a FIN acknowledges the peer's. In brief it stands on the arrow. */
static void note_carried(struct telling_row *t)
{
    uint32_t of = t->brief || t->plan->options->blank_count ? STORY_NO_STEP : plan_carried_fin(t->story, t->row->step);
    struct plan_note *at = of == STORY_NO_STEP ? NULL : plan_note(t, NOTE_CARRIES, t->story->steps[t->row->step].side);
    if (at)
        phrase_addf(&at->words, STYLE_PLAIN, tr("it carries the ACK of #%" PRIu32 ": that is why there are three, not four"),
                    t->story->steps[of].segment->number);
}

static void note_reset_reason(struct telling_row *t, const struct story_segment *segment)
{
    if (t->verbose < 1 || !segment->reset_reason) return;
    struct plan_note *at = plan_note(t, NOTE_RESET_REASON, segment->side);
    if (at) phrase_addf(&at->words, STYLE_PLAIN, tr("the kernel's own reason for the reset: %s"), segment->reset_reason);
}

static void note_congestion(struct telling_row *t, const struct story_segment *segment)
{
    const struct story_congestion *congestion = &segment->congestion;
    char words[WORDS_BYTES];
    struct plan_note *at = t->verbose < 1 || !congestion->window ? NULL : plan_note(t, NOTE_CONGESTION, segment->side);
    if (!at) return;
    phrase_addf(&at->words, STYLE_DIM, tr("congestion window %" PRIu32 " × %" PRIu32 " bytes"), congestion->window,
                congestion->mss);
    if (congestion->threshold) phrase_addf(&at->words, STYLE_DIM, ", ssthresh %" PRIu32, congestion->threshold);
    if (congestion->srtt_us)
        phrase_addf(&at->words, STYLE_DIM, tr(", smoothed RTT %s"), words_duration((int64_t)congestion->srtt_us * 1000, words));
    if (congestion->rto_us)
        phrase_addf(&at->words, STYLE_DIM, tr(", RTO %s"), words_duration((int64_t)congestion->rto_us * 1000, words));
}

/* Where Linux is not the RFC, told where it shows. */
static void note_differences(struct telling_row *t, uint32_t step)
{
    const struct story *story = t->story;
    for (size_t i = 0; t->verbose >= 1 && i < story->difference_count; i++) {
        const struct story_difference *difference = &story->differences[i];
        if (difference->step_count == 0 || difference->steps[0] != step) continue;
        struct plan_note *at = plan_note(t, NOTE_DIFFERENCE, story->steps[step].side);
        if (at) phrase_addf(&at->words, STYLE_PLAIN, "Linux: %s", difference->text);
    }
}

static void note_state(struct telling_row *t, enum story_side side, uint32_t step)
{
    if (step == STORY_NO_STEP) return;
    const struct story_state *state = t->story->steps[step].state;
    char before[WORDS_BYTES];
    snprintf(before, sizeof(before), "%s: ", state->to);
    size_t first = t->words->note_count;
    note_cause(t, side, before, &state->cause);
    note_differences(t, step);
    for (size_t i = first; i < t->words->note_count; i++) t->words->notes[i].of_state = true;
}

static void note_states(struct telling_row *t)
{
    for (int side = 0; t->verbose >= 1 && side < STORY_SIDES; side++) {
        note_state(t, (enum story_side)side, t->row->states[side]);
        note_state(t, (enum story_side)side, t->row->further[side]);
    }
}

/* ---- packets ---- */

/* `how` may be NULL. */
static void add_relation(struct telling_row *t, const char *what, uint32_t step, const char *how)
{
    const struct story_step *at = step < t->story->step_count ? &t->story->steps[step] : NULL;
    struct phrase *text = &t->words->label;
    phrase_addf(text, STYLE_PLAIN, " (%s", what);
    if (at && at->kind == STEP_SEGMENT) phrase_add_number(text, STYLE_PLAIN, " #", at->segment->number);
    if (at && at->kind == STEP_DATAGRAM) phrase_add_number(text, STYLE_PLAIN, " #", at->datagram->number);
    if (how) phrase_addf(text, STYLE_PLAIN, ", %s", how);
    phrase_add(text, STYLE_PLAIN, ")");
}

/* "ICMP port unreachable", and who says so where that is another host than the one this side of the ladder stands for. */
static void add_error(struct telling_row *t, const struct story_datagram *datagram, enum layout_style style)
{
    struct phrase *text = &t->words->label;
    char from[ADDRESS_TEXT_BYTES];
    struct address end = t->story->end[datagram->side].address;
    end.port = 0;
    phrase_addf(text, style, "ICMP %s", datagram->icmp);
    if (datagram->error.mtu) phrase_addf(text, style, " (MTU %" PRIu32 ")", datagram->error.mtu);
    if (datagram->error.from.version && !address_equal(&datagram->error.from, &end))
        phrase_addf(text, STYLE_PLAIN, tr(" from %s"), address_format_ip(&datagram->error.from, from));
}

static void label_datagram(struct telling_row *t, const struct story_datagram *datagram, enum layout_style style)
{
    struct phrase *text = &t->words->label;
    phrase_addf(text, STYLE_PLAIN, "#%" PRIu32 " ", datagram->number);
    if (datagram->icmp)
        add_error(t, datagram, style);
    else
        phrase_add(text, style, tr("datagram"));
    if (t->words->flight == PLAN_ARRIVES) return;
    if (datagram->icmp && datagram->about_step != STORY_NO_STEP)
        add_relation(t, tr("about"), datagram->about_step, NULL);
    else if (!datagram->icmp)
        phrase_addf(&t->words->detail, STYLE_PLAIN, "len %" PRIu32, datagram->length_bytes);
}

/* What a repeat is for, where that is more than its flags say. */
static const char *how_again(const struct telling_row *t, const struct story_segment *segment)
{
    bool flags_say_it = segment->repeat == STORY_REPEAT_SYN || segment->repeat == STORY_REPEAT_SYN_ACK;
    if (t->verbose < 1 || flags_say_it || segment->repeat == STORY_REPEAT_UNKNOWN) return NULL;
    return story_repeat_name(segment->repeat);
}

static void detail_segment(struct telling_row *t, const struct story_segment *segment)
{
    struct phrase *text = &t->words->detail;
    bool absolute = t->plan->options->absolute;
    if (!t->brief) phrase_add(text, STYLE_PLAIN, is_blank(t, VIEW_FIELD_FLAGS) ? "" : segment->flags_text);
    add_number(t, t->brief ? "seq " : " seq ", absolute ? segment->seq_absolute : segment->seq, !absolute && segment->seq_below,
               VIEW_FIELD_SEQ);
    if (segment->flags & TCP_ACK)
        add_number(t, " ack ", absolute ? segment->ack_absolute : segment->ack, !absolute && segment->ack_below, VIEW_FIELD_ACK);
    if (segment->length_bytes) phrase_add_number(text, STYLE_PLAIN, " len ", segment->length_bytes);
    if (segment->window_kind == WINDOW_UNKNOWN || !(segment->window_matters || t->verbose >= 1)) return;
    char words[WORDS_BYTES];
    phrase_add(text, STYLE_PLAIN, " ");
    phrase_addf(text, segment->window_bytes ? STYLE_PLAIN : STYLE_ALARM, "win %s", words_grouped(segment->window_bytes, words));
    if (segment->window_kind == WINDOW_UNSCALED) phrase_add(text, STYLE_PLAIN, tr(" unscaled"));
}

/* "#2 SYN-ACK", and behind it "S. seq 0 ack 1" */
static void label_segment(struct telling_row *t, const struct story_segment *segment, enum layout_style style)
{
    bool arrives = t->row->kind == PLAN_ARRIVE;
    struct phrase *text = &t->words->label;
    phrase_add_number(text, STYLE_PLAIN, "#", segment->number);
    phrase_add(text, STYLE_PLAIN, " ");
    phrase_add(text, style,
               is_blank(t, VIEW_FIELD_FLAGS) ? VIEW_BLANK
               : segment->label              ? story_label_word(segment)
                                             : segment->flags_text);
    if (segment->copy) phrase_add(text, STYLE_PLAIN, tr(" (a copy)"));
    if (segment->unsent) phrase_addf(text, STYLE_PLAIN, tr(" (not from the %s)"), story_side_word(segment->side));
    if (segment->missed_at && !arrives) phrase_addf(text, STYLE_PLAIN, tr(" (not in %s)"), segment->missed_at);
    if (arrives || segment->copy) return;
    if (segment->retransmission) add_relation(t, tr("again"), segment->of_step, how_again(t, segment));
    uint32_t carried = t->brief && !t->plan->options->blank_count ? plan_carried_fin(t->story, t->row->step) : STORY_NO_STEP;
    if (carried != STORY_NO_STEP) phrase_add_number(text, STYLE_PLAIN, tr(" + ACK of #"), t->story->steps[carried].segment->number);
    detail_segment(t, segment);
}

static enum plan_flight flight_of(const struct plan_row *row, const struct story_step *step)
{
    bool lost = step->kind == STEP_SEGMENT ? step->segment->lost : step->datagram->lost;
    if (row->kind == PLAN_DEPART) return PLAN_DEPARTS;
    if (row->kind == PLAN_ARRIVE) return PLAN_ARRIVES;
    if (lost) return PLAN_LOST;
    return step->kind == STEP_SEGMENT && (step->segment->copy || step->segment->unsent) ? PLAN_ARRIVES : PLAN_WHOLE;
}

static void note_packet(struct telling_row *t, const struct story_step *step)
{
    if (t->plan->options->bare) {
        struct plan_note *blank = is_blank(t, VIEW_FIELD_CAUSE) ? plan_note(t, NOTE_CAUSE, step->side) : NULL;
        if (blank) phrase_add(&blank->words, STYLE_PLAIN, VIEW_BLANK);
        return;
    }
    const struct story_segment *segment = step->kind == STEP_SEGMENT ? step->segment : NULL;
    const struct story_cause *cause = segment ? &segment->cause : &step->datagram->cause;
    bool is_told = !segment || segment->copy || segment->unsent || segment->handshake || segment->teardown ||
                   segment->retransmission || (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0 || t->verbose >= 1;
    struct plan_note *at = note_cause(t, step->side, "", cause);
    if (at) at->only_if_short = !is_told;
    note_chain(t, step->side, cause);
    bool queue_says_it = t->brief && segment && segment->queue && segment->queue->accept_length > segment->queue->accept_most;
    if (!queue_says_it) plan_note_drop(t, step->side, segment ? segment->dropped : step->datagram->dropped);
    if (segment) plan_note_queue(t, step->side, segment->queue);
    if (segment) note_carried(t);
    if (segment) note_reset_reason(t, segment);
    if (segment && t->row->kind != PLAN_ARRIVE) note_congestion(t, segment);
    plan_note_comments(t, step->side, segment ? segment->comments : step->datagram->comments,
                       segment ? segment->comment_count : step->datagram->comment_count);
    note_differences(t, t->row->step);
}

static void tell_packet(struct telling_row *t, const struct story_step *step)
{
    struct plan_words *words = t->words;
    bool is_segment = step->kind == STEP_SEGMENT;
    words->flight = flight_of(t->row, step);
    words->alarming = is_segment ? (step->segment->flags & TCP_RST) != 0 : step->datagram->icmp != NULL;
    words->again = is_segment && step->segment->retransmission;
    enum layout_style bold = words->alarming ? STYLE_ALARM : bold_of[step->side];
    if (is_segment)
        label_segment(t, step->segment, bold);
    else
        label_datagram(t, step->datagram, bold);
    if (t->row->kind != PLAN_ARRIVE) note_packet(t, step);
}

/* ---- the rest ---- */

static void tell_call(struct telling_row *t, const struct story_call *call)
{
    struct phrase *label = &t->words->label;
    if (t->plan->options->bare && t->row->kind != PLAN_ENTER) {
        /* A row of a whole call is its beginning's; what is asked is its end. */
        uint32_t end = call->exit_step == STORY_NO_STEP ? t->row->step : call->exit_step;
        unsigned blank = view_blank_fields(t->plan->options, end, VIEW_FIELD_RESULT | VIEW_FIELD_WAKE);
        words_call_bare(label, t->story, call, t->row->kind == PLAN_CALL, blank);
    } else if (t->row->kind == PLAN_ENTER)
        words_call_begin(label, t->story, call);
    else if (t->row->kind == PLAN_CALL)
        t->brief ? words_call_whole_short(label, t->story, call) : words_call_whole(label, t->story, call);
    else
        t->brief ? words_call_end_short(label, t->story, call) : words_call_end(label, t->story, call);
}

static void tell_state(struct telling_row *t, const struct story_step *step)
{
    const struct story_state *state = step->state;
    bool hides = is_blank(t, VIEW_FIELD_STATE);
    phrase_addf(&t->words->label, style_of[t->row->side], "%s → %s", state->from, hides ? VIEW_BLANK : state->to);
    if (hides || t->plan->options->bare) return;
    note_cause(t, t->row->side, "", &state->cause);
    note_chain(t, t->row->side, &state->cause);
    note_differences(t, t->row->step);
}

static void tell_process_end(struct telling_row *t, const struct story_exit *end)
{
    struct phrase *label = &t->words->label;
    phrase_add(label, STYLE_PLAIN, "■ ");
    words_process(label, bold_of[t->row->side], &end->process);
    phrase_addf(label, end->signal ? STYLE_ALARM : STYLE_PLAIN, end->signal ? tr(" was killed by %s") : tr(" ended, %s"),
                end->name);
}

static void tell_skip(struct telling_row *t)
{
    const struct plan_row *row = t->row;
    struct phrase *label = &t->words->label;
    char words[WORDS_BYTES];
    uint32_t segments = row->skipped.segments, data = row->skipped.data, datagrams = row->skipped.datagrams;
    phrase_add(label, STYLE_DIM, segments || datagrams ? "… " : tr("… a change of state"));
    if (segments)
        phrase_addf(label, STYLE_DIM,
                    data == segments ? ntr("%" PRIu32 " segment of data", "%" PRIu32 " segments of data", segments)
                                     : ntr("%" PRIu32 " segment", "%" PRIu32 " segments", segments),
                    segments);
    if (data && data < segments) phrase_addf(label, STYLE_DIM, tr(", %" PRIu32 " of them data"), data);
    if (segments && datagrams) phrase_add(label, STYLE_DIM, tr(", "));
    if (datagrams) phrase_addf(label, STYLE_DIM, ntr("%" PRIu32 " datagram", "%" PRIu32 " datagrams", datagrams), datagrams);
    if (row->pause_ns) phrase_addf(label, STYLE_DIM, tr(", %s"), words_duration(row->pause_ns, words));
}

void plan_tell_pause(const struct plan_row *row, struct phrase *words)
{
    char pause[WORDS_BYTES];
    phrase_addf(words, STYLE_DIM, tr("%s pass"), words_duration(row->pause_ns, pause));
}

static bool has_failed(const struct plan_words *words)
{
    bool failed = words->label.failed || words->detail.failed;
    for (size_t i = 0; i < words->note_count; i++) failed = failed || words->notes[i].words.failed;
    return failed;
}

void plan_tell(const struct plan *plan, size_t i, struct arena *arena, struct plan_words *ret_words)
{
    struct telling_row t = {.plan = plan,
                            .story = plan->story,
                            .row = &plan->rows[i],
                            .arena = arena,
                            .words = ret_words,
                            .verbose = plan->options->brief ? 0 : plan->options->verbose,
                            .brief = plan->options->brief};
    *ret_words = (struct plan_words){.label = phrase_new(arena), .detail = phrase_new(arena)};
    const struct story_step *step = t.row->kind == PLAN_SKIP ? NULL : &plan->story->steps[t.row->step];
    switch (t.row->kind) {
    case PLAN_ENTER:
    case PLAN_EXIT:
    case PLAN_CALL:
    case PLAN_UNRETURNED:
        tell_call(&t, step->call);
        break;
    case PLAN_PACKET:
    case PLAN_DEPART:
    case PLAN_ARRIVE:
        tell_packet(&t, step);
        break;
    case PLAN_STATE:
        tell_state(&t, step);
        break;
    case PLAN_KERNEL:
        phrase_addf(&ret_words->label, STYLE_DIM, tr("kernel: %s → %s"), step->state->from, step->state->to);
        note_differences(&t, t.row->step);
        break;
    case PLAN_END:
        tell_process_end(&t, step->exit);
        break;
    case PLAN_SKIP:
        tell_skip(&t);
        break;
    }
    bool stands_alone = t.row->kind == PLAN_STATE || t.row->kind == PLAN_KERNEL || t.row->kind == PLAN_SKIP;
    if (!stands_alone) note_states(&t);
    ret_words->failed = has_failed(ret_words);
}
