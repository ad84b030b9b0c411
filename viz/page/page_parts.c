/* Packets and calls of a story for the page.
 *
 * packet [number, flight, bits (1 alarming, 2 again), ns to its arrival or 0, cause's kind, its index (a call's, a packet's) or -1,
 *        first transmission's packet or -1, label's detail, flags, seq, ack or -1, length, window, class, options, timestamps'
 *        value less that end's last, its echo less the other end's last, vantage, number there] and, where the bases don't give
 *        them, both numbers as on the wire
 * call   [side, lane, first row or -1, last row or -1, slept from, to (both 0: not known), name, arguments, process, began, ended
 *        (behind its beginning where that was seen; null: not seen), result, slept ns or -1, what ended its sleep, evidence,
 *        packet that did or -1, bits (1 may have slept)] */
#include <inttypes.h>
#include <stdio.h>

#include "viz/page/page_own.h"
#include "viz/plan/words.h"

static const struct story_segment *segment_of(const struct story *story, size_t step)
{
    return story->steps[step].kind == STEP_SEGMENT ? story->steps[step].segment : NULL;
}

/* False: nothing of that end is known. */
static bool base_of(const struct story *story, enum story_side side, uint32_t *ret_base)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = segment_of(story, i);
        if (!segment) continue;
        if (segment->side == side) {
            *ret_base = segment->seq_absolute - segment->seq;
            return true;
        }
        if (!(segment->flags & TCP_ACK)) continue;
        *ret_base = segment->ack_absolute - segment->ack;
        return true;
    }
    *ret_base = 0;
    return false;
}

void page_write_bases(struct page_telling *t)
{
    json_array(&t->json, NULL);
    for (int side = 0; side < STORY_SIDES; side++) {
        t->has_base[side] = base_of(t->story, (enum story_side)side, &t->base[side]);
        json_maybe_int(&t->json, NULL, t->has_base[side], t->base[side]);
    }
    json_end_array(&t->json);
}

/* ---- packets ---- */

/* Timestamps grow by little, and an echo is mostly what the other end sent last: what differs is short. */
static void write_stamps(struct page_telling *t, const struct event_options *options, enum story_side side)
{
    bool has = options->present & OPTION_TIMESTAMPS;
    json_int(&t->json, NULL, has ? (int64_t)options->ts_value - t->last_stamp[side] : 0);
    json_int(&t->json, NULL, has ? (int64_t)options->ts_echo - t->last_stamp[!side] : 0);
    if (has) t->last_stamp[side] = options->ts_value;
}

static void write_options(struct page_telling *t, const struct event_packet *captured, enum story_side side)
{
    const struct event_options *options = captured ? &captured->options : &(const struct event_options){0};
    struct arena arena = arena_new();
    struct phrase words = phrase_new(&arena);
    static const struct {
        enum event_option bit;
        const char *name;
    } named[] = {{OPTION_SACK_OK, "SACK permitted"}, {OPTION_SACK, "SACK blocks"}, {OPTION_TIMESTAMPS, "timestamps"},
                 {OPTION_FASTOPEN, "fast open"},     {OPTION_MPTCP, "MPTCP"},      {OPTION_ACCECN, "AccECN"}};
    const char *between = "";
    if (options->present & OPTION_MSS) {
        phrase_addf(&words, STYLE_PLAIN, "MSS %u", (unsigned)options->mss);
        between = ", ";
    }
    if (options->present & OPTION_WSCALE) {
        phrase_addf(&words, STYLE_PLAIN, "%swindow scale %u", between, (unsigned)options->wscale);
        between = ", ";
    }
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (!(options->present & named[i].bit)) continue;
        phrase_addf(&words, STYLE_PLAIN, "%s%s", between, named[i].name);
        between = ", ";
    }
    page_phrase(t->words, &t->json, &words);
    write_stamps(t, options, side);
    arena_free(&arena);
}

static void write_window(struct page_telling *t, const struct story_segment *segment)
{
    char grouped[WORDS_BYTES], words[WORDS_BYTES + 48] = "";
    if (segment->window_kind == WINDOW_BYTES)
        snprintf(words, sizeof(words), "%s", words_grouped(segment->window_bytes, grouped));
    else if (segment->window_kind == WINDOW_UNSCALED)
        snprintf(words, sizeof(words), "%s (by how much it is scaled was not seen)", words_grouped(segment->window_bytes, grouped));
    page_text(t->words, &t->json, words);
}

static void write_place(struct page_telling *t, const struct story_packet_place *place, const struct event_packet *captured,
                        enum story_side side)
{
    write_options(t, captured, side);
    page_text(t->words, &t->json, place->vantage);
    json_uint(&t->json, NULL, place->number);
}

static void write_segment(struct page_telling *t, const struct story_segment *segment)
{
    bool has_ack = segment->flags & TCP_ACK;
    page_text(t->words, &t->json, segment->flags_text);
    json_uint(&t->json, NULL, segment->seq);
    json_int(&t->json, NULL, has_ack ? (int64_t)segment->ack : -1);
    json_uint(&t->json, NULL, segment->length_bytes);
    write_window(t, segment);
    const char *repeat = segment->retransmission ? story_repeat_name(segment->repeat) : NULL;
    page_text(t->words, &t->json, segment->copy ? "copy" : repeat ? repeat : conn_class_name(segment->class));
    write_place(t, &segment->place, segment->captured, segment->side);
    bool as_based = t->base[segment->side] + segment->seq == segment->seq_absolute &&
                    (!has_ack || t->base[!segment->side] + segment->ack == segment->ack_absolute);
    if (as_based) return;
    json_uint(&t->json, NULL, segment->seq_absolute);
    json_uint(&t->json, NULL, segment->ack_absolute);
}

static void write_datagram(struct page_telling *t, const struct story_datagram *datagram)
{
    page_text(t->words, &t->json, "");
    json_uint(&t->json, NULL, 0);
    json_int(&t->json, NULL, -1);
    json_uint(&t->json, NULL, datagram->length_bytes);
    page_text(t->words, &t->json, "");
    page_text(t->words, &t->json, datagram->icmp ? "ICMP" : "datagram");
    write_place(t, &datagram->place, datagram->captured, datagram->side);
}

static int64_t call_of(const struct page_telling *t, uint32_t step)
{
    return step < t->story->step_count && t->call_of[step] != PLAN_NONE ? (int64_t)t->call_of[step] : -1;
}

static int64_t packet_of(const struct page_telling *t, uint32_t step)
{
    return step < t->story->step_count && t->packet_of[step] != PLAN_NONE ? (int64_t)t->packet_of[step] : -1;
}

static void write_packet(struct page_telling *t, size_t row, struct arena *arena)
{
    const struct story_step *step = &t->story->steps[t->plan.rows[row].step];
    const struct story_segment *segment = step->kind == STEP_SEGMENT ? step->segment : NULL;
    const struct story_cause *cause = segment ? &segment->cause : &step->datagram->cause;
    struct plan_words words;
    int64_t sent, received;
    plan_tell(&t->plan, row, arena, &words);
    plan_packet_times(step, &sent, &received);
    bool arrives = received > 0 && words.flight != PLAN_LOST && words.flight != PLAN_ARRIVES;
    json_array(&t->json, NULL);
    json_uint(&t->json, NULL, segment ? segment->number : step->datagram->number);
    json_int(&t->json, NULL, words.flight);
    json_uint(&t->json, NULL, (words.alarming ? 1u : 0) | (words.again ? 2u : 0));
    json_int(&t->json, NULL, arrives ? received - sent : 0);
    json_int(&t->json, NULL, cause->kind);
    json_int(&t->json, NULL, cause->kind == CAUSE_CALL ? call_of(t, cause->step) : packet_of(t, cause->step));
    json_int(&t->json, NULL, segment && segment->retransmission ? packet_of(t, segment->of_step) : -1);
    page_phrase(t->words, &t->json, &words.detail);
    if (segment)
        write_segment(t, segment);
    else
        write_datagram(t, step->datagram);
    json_end_array(&t->json);
}

void page_write_packets(struct page_telling *t)
{
    uint32_t next = 0;
    json_array(&t->json, NULL);
    for (size_t i = 0; i < t->plan.count; i++) {
        uint32_t step = t->plan.rows[i].step;
        if (step == STORY_NO_STEP || t->packet_of[step] != next || t->row_of[step] != i) continue;
        struct arena arena = arena_new();
        write_packet(t, i, &arena);
        arena_free(&arena);
        next++;
    }
    json_end_array(&t->json);
}

/* ---- calls ---- */

static void write_result(struct page_telling *t, const struct story_call *call)
{
    char words[WORDS_BYTES] = "";
    if (call->exit_step == STORY_NO_STEP && call->exit_ns == 0)
        snprintf(words, sizeof(words), "had not returned");
    else if (call->interrupted)
        snprintf(words, sizeof(words), "interrupted by a signal");
    else if (call->errno_name)
        snprintf(words, sizeof(words), "-1 %s", call->errno_name);
    else
        snprintf(words, sizeof(words), "%" PRId64, call->ret);
    page_text(t->words, &t->json, words);
}

static void write_process(struct page_telling *t, const struct story_call *call, struct arena *arena)
{
    struct phrase words = phrase_new(arena);
    const struct story_process process = {call->pid, call->comm};
    words_process(&words, STYLE_PLAIN, &process);
    if (call->tid && call->tid != call->pid) phrase_addf(&words, STYLE_PLAIN, " thread %" PRId32, call->tid);
    page_phrase(t->words, &t->json, &words);
}

static void write_call(struct page_telling *t, const struct plan_call *at, struct arena *arena)
{
    const struct story_call *call = at->call;
    const struct story_wake *wake = &call->wake;
    int64_t start = t->story->start_ns;
    json_array(&t->json, NULL);
    json_int(&t->json, NULL, call->side);
    json_uint(&t->json, NULL, at->lane);
    json_int(&t->json, NULL, at->first_row == PLAN_NONE ? -1 : (int64_t)at->first_row);
    json_int(&t->json, NULL, at->last_row == PLAN_NONE ? -1 : (int64_t)at->last_row);
    json_int(&t->json, NULL, at->sleep_to_ns ? at->sleep_from_ns - start : 0);
    json_int(&t->json, NULL, at->sleep_to_ns ? at->sleep_to_ns - start : 0);
    page_text(t->words, &t->json, call->name);
    page_text(t->words, &t->json, call->args);
    write_process(t, call, arena);
    json_maybe_int(&t->json, NULL, call->enter_ns != 0, call->enter_ns - start);
    json_maybe_int(&t->json, NULL, call->exit_ns != 0, call->exit_ns - (call->enter_ns ? call->enter_ns : start));
    write_result(t, call);
    json_int(&t->json, NULL, call->slept_ns);
    page_text(t->words, &t->json, wake->why);
    page_text(t->words, &t->json, wake->why && wake->why[0] ? words_evidence(CAUSE_CALL, wake->evidence) : "");
    json_int(&t->json, NULL, wake->kind == WAKE_SEGMENT && call->slept_ns != 0 ? packet_of(t, wake->step) : -1);
    json_uint(&t->json, NULL, call->waits && (call->slept_ns < 0 || wake->kind == WAKE_NOT_YET) ? 1u : 0);
    json_end_array(&t->json);
}

void page_write_calls(struct page_telling *t)
{
    json_array(&t->json, NULL);
    for (size_t k = 0; k < t->plan.call_count; k++) {
        struct arena arena = arena_new();
        write_call(t, &t->plan.calls[k], &arena);
        arena_free(&arena);
    }
    json_end_array(&t->json);
}
