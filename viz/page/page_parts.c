/* Packets and calls of a story for the page: flat, each its shape (a word) and behind it what differs.
 *
 * packet   shape, label's detail, cause's index (a call's; a packet's less its own; 0 for none), seq, ack or -1, length,
 *          ns to its arrival or 0, number there, and by the shape's bits: timestamps' value less that end's last and its echo less
 * the other end's last; first transmission's packet; both numbers as on the wire, where the bases don't give them shape  [number
 * less that of the packet before, flight, bits (1 alarming, 2 again, 4 timestamps, 8 first transmission, 16 numbers as on the wire,
 * 32 has a cause's index), cause's kind, flags, window, class, options, vantage] call     shape, and by its bits: ns to its
 * beginning from that of the call before; ns to its end from its beginning (from the story's, where that was not seen); to its
 * sleep from its beginning, and how long that was; how long it slept; the packet that woke it; the row in which it ends shape
 * [side, lane, name, arguments, process, result, what ended its sleep, evidence, bits (CALL_* below)] */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "viz/page/page_own.h"
#include "viz/plan/words.h"

enum { PACKET_ALARMING = 1, PACKET_AGAIN = 2, PACKET_STAMPS = 4, PACKET_FIRST = 8, PACKET_NUMBERS = 16, PACKET_CAUSE = 32 };

enum {
    CALL_MAY_SLEEP = 1,
    CALL_BEGAN = 2,
    CALL_ENDED = 4,
    CALL_SLEEP = 8,  /* when it slept is known */
    CALL_SLEPT = 16, /* it slept longer or shorter than is drawn */
    CALL_AWAKE = 32, /* it did not sleep */
    CALL_WAKER = 64,
    CALL_LAST_ROW = 128 /* no row of its own ends it */
};

/* How far back a process is looked for among those that were named. */
enum { PROCESSES_BACK = 16 };

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

/* What a packet's shape and numbers are made of, for segments and datagrams alike. */
struct shown_packet {
    enum story_side side;
    uint32_t number, seq, ack, length, seq_absolute, ack_absolute;
    bool has_ack, as_based;
    int64_t first;
    const char *flags, *class;
    char window[WORDS_BYTES + 48];
    const struct story_cause *cause;
    const struct story_packet_place *place;
    const struct event_options *options;
};

static void tell_options(const struct event_options *options, struct phrase *words)
{
    static const struct {
        enum event_option bit;
        const char *name;
    } named[] = {{OPTION_SACK_OK, "SACK permitted"}, {OPTION_SACK, "SACK blocks"}, {OPTION_TIMESTAMPS, "timestamps"},
                 {OPTION_FASTOPEN, TR("fast open")}, {OPTION_MPTCP, "MPTCP"},      {OPTION_ACCECN, "AccECN"}};
    const char *between = "";
    if (options->present & OPTION_MSS) {
        phrase_addf(words, STYLE_PLAIN, "MSS %u", (unsigned)options->mss);
        between = ", ";
    }
    if (options->present & OPTION_WSCALE) {
        phrase_addf(words, STYLE_PLAIN, tr("%swindow scale %u"), between, (unsigned)options->wscale);
        between = ", ";
    }
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (!(options->present & named[i].bit)) continue;
        phrase_addf(words, STYLE_PLAIN, "%s%s", between, named[i].name);
        between = ", ";
    }
}

static void tell_window(const struct story_segment *segment, char words[WORDS_BYTES + 48])
{
    char grouped[WORDS_BYTES];
    words[0] = '\0';
    if (segment->window_kind == WINDOW_BYTES)
        snprintf(words, WORDS_BYTES + 48, "%s", words_grouped(segment->window_bytes, grouped));
    else if (segment->window_kind == WINDOW_UNSCALED)
        snprintf(words, WORDS_BYTES + 48, tr("%s (by how much it is scaled was not seen)"),
                 words_grouped(segment->window_bytes, grouped));
}

static int64_t call_of(const struct page_telling *t, uint32_t step)
{
    return step < t->story->step_count && t->call_of[step] != PLAN_NONE ? (int64_t)t->call_of[step] : -1;
}

static int64_t packet_of(const struct page_telling *t, uint32_t step)
{
    return step < t->story->step_count && t->packet_of[step] != PLAN_NONE ? (int64_t)t->packet_of[step] : -1;
}

static void look_at_segment(const struct page_telling *t, const struct story_segment *segment, struct shown_packet *ret)
{
    static const struct event_options none;
    const char *repeat = segment->retransmission ? story_repeat_name(segment->repeat) : NULL;
    bool has_ack = segment->flags & TCP_ACK;
    *ret = (struct shown_packet){.side = segment->side,
                                 .number = segment->number,
                                 .seq = segment->seq,
                                 .ack = segment->ack,
                                 .length = segment->length_bytes,
                                 .seq_absolute = segment->seq_absolute,
                                 .ack_absolute = segment->ack_absolute,
                                 .has_ack = has_ack,
                                 .first = segment->retransmission ? packet_of(t, segment->of_step) : -1,
                                 .flags = segment->flags_text,
                                 .class = segment->copy ? "copy"
                                          : repeat      ? repeat
                                                        : conn_class_name(segment->class),
                                 .cause = &segment->cause,
                                 .place = &segment->place,
                                 .options = segment->captured ? &segment->captured->options : &none};
    ret->as_based = t->base[segment->side] + segment->seq == segment->seq_absolute &&
                    (!has_ack || t->base[!segment->side] + segment->ack == segment->ack_absolute);
    tell_window(segment, ret->window);
}

static void look_at_datagram(const struct story_datagram *datagram, struct shown_packet *ret)
{
    static const struct event_options none;
    *ret = (struct shown_packet){.side = datagram->side,
                                 .number = datagram->number,
                                 .length = datagram->length_bytes,
                                 .as_based = true,
                                 .first = -1,
                                 .flags = "",
                                 .class = datagram->icmp ? "ICMP" : "datagram",
                                 .cause = &datagram->cause,
                                 .place = &datagram->place,
                                 .options = datagram->captured ? &datagram->captured->options : &none};
}

static unsigned write_packet_shape(struct page_telling *t, const struct shown_packet *packet, const struct plan_words *words,
                                   int64_t cause, struct arena *arena)
{
    struct buf shape = buf_new(1 << 16);
    struct json json = json_new(&shape, t->options->ascii);
    struct phrase options = phrase_new(arena);
    unsigned bits = (words->alarming ? PACKET_ALARMING : 0) | (words->again ? PACKET_AGAIN : 0) |
                    (packet->options->present & OPTION_TIMESTAMPS ? PACKET_STAMPS : 0) | (packet->first >= 0 ? PACKET_FIRST : 0) |
                    (packet->as_based ? 0 : PACKET_NUMBERS) | (cause >= 0 ? PACKET_CAUSE : 0);
    tell_options(packet->options, &options);
    json_array(&json, NULL);
    json_int(&json, NULL, (int64_t)packet->number - t->last_number);
    json_int(&json, NULL, words->flight);
    json_uint(&json, NULL, bits);
    json_int(&json, NULL, packet->cause->kind);
    page_text(t->words, &json, packet->flags);
    page_text(t->words, &json, packet->window);
    page_text(t->words, &json, packet->class);
    page_phrase(t->words, &json, &options);
    page_text(t->words, &json, packet->place->vantage);
    json_end_array(&json);
    page_value(t->words, &t->json, &shape);
    buf_free(&shape);
    t->last_number = packet->number;
    return bits;
}

static void write_packet(struct page_telling *t, size_t row, int64_t index, struct arena *arena)
{
    const struct story_step *step = &t->story->steps[t->plan.rows[row].step];
    struct shown_packet packet;
    struct plan_words words;
    int64_t sent, received;
    if (step->kind == STEP_SEGMENT)
        look_at_segment(t, step->segment, &packet);
    else
        look_at_datagram(step->datagram, &packet);
    bool by_call = packet.cause->kind == CAUSE_CALL;
    int64_t cause = by_call ? call_of(t, packet.cause->step) : packet_of(t, packet.cause->step);
    plan_tell(&t->plan, row, arena, &words);
    plan_flight_times(t->story, t->plan.rows[row].step, &sent, &received);
    bool arrives = received > 0 && words.flight != PLAN_LOST && words.flight != PLAN_ARRIVES;
    unsigned bits = write_packet_shape(t, &packet, &words, cause, arena);
    page_phrase(t->words, &t->json, &words.detail);
    json_int(&t->json, NULL, cause < 0 ? 0 : by_call ? cause : cause - index);
    json_uint(&t->json, NULL, packet.seq);
    json_int(&t->json, NULL, packet.has_ack ? (int64_t)packet.ack : -1);
    json_uint(&t->json, NULL, packet.length);
    json_int(&t->json, NULL, arrives ? received - sent : 0);
    json_uint(&t->json, NULL, packet.place->number);
    if (bits & PACKET_STAMPS) { /* they grow by little, and an echo is mostly what the other end sent last: what differs is short */
        json_int(&t->json, NULL, (int64_t)packet.options->ts_value - t->last_stamp[packet.side]);
        json_int(&t->json, NULL, (int64_t)packet.options->ts_echo - t->last_stamp[!packet.side]);
        t->last_stamp[packet.side] = packet.options->ts_value;
    }
    if (bits & PACKET_FIRST) json_int(&t->json, NULL, packet.first);
    if (bits & PACKET_NUMBERS) {
        json_uint(&t->json, NULL, packet.seq_absolute);
        json_uint(&t->json, NULL, packet.ack_absolute);
    }
}

void page_write_packets(struct page_telling *t)
{
    uint32_t next = 0;
    json_array(&t->json, NULL);
    for (size_t i = 0; i < t->plan.count; i++) {
        uint32_t step = t->plan.rows[i].step;
        if (step == STORY_NO_STEP || t->packet_of[step] != next || t->row_of[step] != i) continue;
        struct arena arena = arena_new();
        write_packet(t, i, next, &arena);
        arena_free(&arena);
        next++;
    }
    json_end_array(&t->json);
}

/* ---- calls ---- */

static void tell_result(const struct story_call *call, char words[WORDS_BYTES])
{
    if (call->exit_step == STORY_NO_STEP && call->exit_ns == 0)
        snprintf(words, WORDS_BYTES, tr("had not returned"));
    else if (call->interrupted)
        snprintf(words, WORDS_BYTES, tr("interrupted by a signal"));
    else if (call->errno_name)
        snprintf(words, WORDS_BYTES, "-1 %s", call->errno_name);
    else
        snprintf(words, WORDS_BYTES, "%" PRId64, call->ret);
}

static bool is_same_process(const struct story_call *a, const struct story_call *b)
{
    bool is_named_alike = a->comm == b->comm || (a->comm && b->comm && strcmp(a->comm, b->comm) == 0);
    return a->pid == b->pid && a->tid == b->tid && is_named_alike;
}

static uint32_t process_of(struct page_telling *t, const struct story_call *call)
{
    for (uint32_t back = 1; back <= PROCESSES_BACK && back <= t->process_count; back++)
        if (is_same_process(t->processes[t->process_count - back], call)) return t->process_count - back;
    t->processes[t->process_count] = call;
    return t->process_count++;
}

void page_write_processes(struct page_telling *t)
{
    json_array(&t->json, NULL);
    for (uint32_t i = 0; i < t->process_count; i++) {
        struct arena arena = arena_new();
        struct phrase words = phrase_new(&arena);
        const struct story_call *call = t->processes[i];
        const struct story_process process = {call->pid, call->comm};
        words_process(&words, STYLE_PLAIN, &process);
        if (call->tid && call->tid != call->pid) phrase_addf(&words, STYLE_PLAIN, " thread %" PRId32, call->tid);
        page_phrase(t->words, &t->json, &words);
        arena_free(&arena);
    }
    json_end_array(&t->json);
}

/* Whether a row of the call's own shows that it ends there: the script finds that one by itself. */
static bool ends_on_own_row(const struct page_telling *t, uint32_t call)
{
    const struct plan_row *row = &t->plan.rows[t->plan.calls[call].last_row];
    return row->call == call && (row->kind == PLAN_EXIT || row->kind == PLAN_CALL);
}

static unsigned bits_of(const struct page_telling *t, uint32_t index, int64_t waker)
{
    const struct plan_call *at = &t->plan.calls[index];
    const struct story_call *call = at->call;
    unsigned bits = (call->enter_ns ? CALL_BEGAN : 0) | (call->exit_ns ? CALL_ENDED : 0) | (waker >= 0 ? CALL_WAKER : 0);
    if (call->waits && (call->slept_ns < 0 || call->wake.kind == WAKE_NOT_YET)) bits |= CALL_MAY_SLEEP;
    if (at->sleep_to_ns) bits |= CALL_SLEEP;
    if (call->slept_ns == 0)
        bits |= CALL_AWAKE;
    else if (call->slept_ns > 0 && (!at->sleep_to_ns || at->sleep_to_ns - at->sleep_from_ns != call->slept_ns))
        bits |= CALL_SLEPT;
    if (at->last_row != PLAN_NONE && !ends_on_own_row(t, index)) bits |= CALL_LAST_ROW;
    return bits;
}

static void write_call_shape(struct page_telling *t, const struct plan_call *at, unsigned bits)
{
    const struct story_call *call = at->call;
    const struct story_wake *wake = &call->wake;
    char result[WORDS_BYTES];
    struct buf shape = buf_new(1 << 16);
    struct json json = json_new(&shape, t->options->ascii);
    tell_result(call, result);
    json_array(&json, NULL);
    json_int(&json, NULL, call->side);
    json_uint(&json, NULL, at->lane);
    page_text(t->words, &json, call->name);
    page_text(t->words, &json, call->args);
    json_uint(&json, NULL, process_of(t, call));
    page_text(t->words, &json, result);
    page_text(t->words, &json, wake->why);
    page_text(t->words, &json, wake->why && wake->why[0] ? words_evidence(CAUSE_CALL, wake->evidence) : "");
    json_uint(&json, NULL, bits);
    json_end_array(&json);
    page_value(t->words, &t->json, &shape);
    buf_free(&shape);
}

static void write_call(struct page_telling *t, uint32_t index)
{
    const struct plan_call *at = &t->plan.calls[index];
    const struct story_call *call = at->call;
    int64_t waker = call->wake.kind == WAKE_SEGMENT && call->slept_ns != 0 ? packet_of(t, call->wake.step) : -1;
    unsigned bits = bits_of(t, index, waker);
    int64_t began = call->enter_ns ? call->enter_ns : t->story->start_ns;
    write_call_shape(t, at, bits);
    if (bits & CALL_BEGAN) json_int(&t->json, NULL, call->enter_ns - t->last_began_ns);
    if (bits & CALL_ENDED) json_int(&t->json, NULL, call->exit_ns - began);
    if (bits & CALL_SLEEP) {
        json_int(&t->json, NULL, at->sleep_from_ns - began);
        json_int(&t->json, NULL, at->sleep_to_ns - at->sleep_from_ns);
    }
    if (bits & CALL_SLEPT) json_int(&t->json, NULL, call->slept_ns);
    if (bits & CALL_WAKER) json_int(&t->json, NULL, waker);
    if (bits & CALL_LAST_ROW) json_uint(&t->json, NULL, at->last_row);
    t->last_began_ns = began;
}

void page_write_calls(struct page_telling *t)
{
    t->last_began_ns = t->story->start_ns;
    json_array(&t->json, NULL);
    for (uint32_t k = 0; k < t->plan.call_count; k++) write_call(t, k);
    json_end_array(&t->json);
}
