#include "viz/text_ladder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/text_frame.h"
#include "viz/text_words.h"

enum {
    ARROW_MIN = 6,         /* where a label would leave less, it gets a line of its own */
    SILENCE_NS = 50000000, /* a pause worth a line */
    COMMENT_SHOWN = 400,   /* bytes of a comment: the event lines have more */
    PIECE_BYTES = 1 << 18, /* of the drawing, that wait for more before they are written */
};

struct ladder {
    struct frame frame;
    const struct story *story;
    int verbose;
};

static void draw_cause(struct ladder *ladder, enum layout_style style, const struct story_cause *cause)
{
    frame_draw_sentence(&ladder->frame, style, cause->why, words_evidence(cause->kind, cause->evidence),
                        words_evidence_style(cause->kind, cause->evidence));
}

static void draw_chain(struct ladder *ladder, const struct story_cause *cause)
{
    if (ladder->verbose < 2 || !cause->chain || cause->chain_count == 0) return;
    for (size_t i = 0; i < cause->chain_count; i++)
        layout_addf(&ladder->frame.text, STYLE_DIM, "%s%s", i ? " ← " : "", cause->chain[i]);
    frame_draw_hook(&ladder->frame, STYLE_DIM, "", STYLE_DIM);
}

static void draw_reset_reason(struct ladder *ladder, const struct story_segment *segment)
{
    if (ladder->verbose < 1 || !segment->reset_reason) return;
    layout_addf(&ladder->frame.text, STYLE_PLAIN, "the kernel's own reason for the reset: %s", segment->reset_reason);
    frame_draw_hook(&ladder->frame, frame_style[segment->side], "", STYLE_DIM);
}

/* Where Linux is not the RFC, told where it shows. */
static void draw_differences(struct ladder *ladder, uint32_t step)
{
    const struct story *story = ladder->story;
    for (size_t i = 0; ladder->verbose >= 1 && i < story->difference_count; i++) {
        const struct story_difference *difference = &story->differences[i];
        if (difference->step_count == 0 || difference->steps[0] != step) continue;
        layout_addf(&ladder->frame.text, STYLE_PLAIN, "Linux: %s", difference->text);
        frame_draw_hook(&ladder->frame, frame_style[story->steps[step].side], "", STYLE_DIM);
    }
}

static void draw_state_cause(struct ladder *ladder, enum story_side side, uint32_t step)
{
    if (step == STORY_NO_STEP) return;
    const struct story_state *state = ladder->story->steps[step].state;
    layout_addf(&ladder->frame.text, STYLE_PLAIN, "%s: ", state->to);
    draw_cause(ladder, frame_style[side], &state->cause);
    draw_differences(ladder, step);
}

static void draw_state_causes(struct ladder *ladder, const struct plan_row *row)
{
    frame_flush_states(&ladder->frame);
    if (ladder->verbose < 1) return;
    for (int side = 0; side < STORY_SIDES; side++) {
        draw_state_cause(ladder, (enum story_side)side, row->states[side]);
        draw_state_cause(ladder, (enum story_side)side, row->further[side]);
    }
}

/* `how` may be NULL. */
static void add_relation(struct ladder *ladder, const char *what, uint32_t step, const char *how)
{
    const struct story_step *at = step < ladder->story->step_count ? &ladder->story->steps[step] : NULL;
    layout_add(&ladder->frame.text, STYLE_PLAIN, " (");
    layout_add(&ladder->frame.text, STYLE_PLAIN, what);
    if (at && at->kind == STEP_SEGMENT) layout_add_number(&ladder->frame.text, STYLE_PLAIN, " #", at->segment->number);
    if (at && at->kind == STEP_DATAGRAM) layout_add_number(&ladder->frame.text, STYLE_PLAIN, " #", at->datagram->number);
    if (how) layout_addf(&ladder->frame.text, STYLE_PLAIN, ", %s", how);
    layout_add(&ladder->frame.text, STYLE_PLAIN, ")");
}

/* "ICMP port unreachable", and who says so where that is another host than the one this side of the ladder stands for. */
static void add_error(struct ladder *ladder, const struct story_datagram *datagram, enum layout_style style)
{
    struct layout_text *text = &ladder->frame.text;
    char from[ADDRESS_TEXT_BYTES];
    struct address end = ladder->story->end[datagram->side].address;
    end.port = 0;
    layout_addf(text, style, "ICMP %s", datagram->icmp);
    if (datagram->icmp_mtu) layout_addf(text, style, " (MTU %" PRIu32 ")", datagram->icmp_mtu);
    if (datagram->icmp_from.version && !address_equal(&datagram->icmp_from, &end))
        layout_addf(text, STYLE_PLAIN, " from %s", address_format_ip(&datagram->icmp_from, from));
}

static void add_datagram_label(struct ladder *ladder, const struct story_datagram *datagram, enum layout_style style, bool brief)
{
    struct layout_text *text = &ladder->frame.text;
    layout_addf(text, STYLE_PLAIN, "#%" PRIu32 " ", datagram->number);
    if (datagram->icmp)
        add_error(ladder, datagram, style);
    else
        layout_add(text, style, "datagram");
    if (brief) return;
    if (datagram->icmp && datagram->about_step != STORY_NO_STEP)
        add_relation(ladder, "about", datagram->about_step, NULL);
    else if (!datagram->icmp)
        layout_addf(text, STYLE_PLAIN, "  len %" PRIu32, datagram->length_bytes);
}

/* What a repeat is for, where that is more than its flags say. */
static const char *how_again(const struct ladder *ladder, const struct story_segment *segment)
{
    bool flags_say_it = segment->repeat == STORY_REPEAT_SYN || segment->repeat == STORY_REPEAT_SYN_ACK;
    if (ladder->verbose < 1 || flags_say_it || segment->repeat == STORY_REPEAT_UNKNOWN) return NULL;
    return story_repeat_name(segment->repeat);
}

/* "#2 SYN-ACK  S. seq 0 ack 1" */
static void add_segment_label(struct ladder *ladder, const struct story_segment *segment, enum layout_style style, bool brief)
{
    struct layout_text *text = &ladder->frame.text;
    layout_add_number(text, STYLE_PLAIN, "#", segment->number);
    layout_add(text, STYLE_PLAIN, " ");
    layout_add(text, style, segment->label ? segment->label : segment->flags_text);
    if (segment->copy) layout_add(text, STYLE_PLAIN, " (a copy)");
    if (segment->unsent) layout_addf(text, STYLE_PLAIN, " (not from the %s)", story_side_name(segment->side));
    if (segment->missed_at && !brief) layout_addf(text, STYLE_PLAIN, " (not in %s)", segment->missed_at);
    if (brief || segment->copy) return;
    if (segment->retransmission) add_relation(ladder, "again", segment->of_step, how_again(ladder, segment));
    layout_add(text, STYLE_PLAIN, "  ");
    layout_add(text, STYLE_PLAIN, segment->flags_text);
    layout_add_number(text, STYLE_PLAIN, " seq ", segment->seq);
    if (segment->flags & TCP_ACK) layout_add_number(text, STYLE_PLAIN, " ack ", segment->ack);
    if (segment->length_bytes) layout_add_number(text, STYLE_PLAIN, " len ", segment->length_bytes);
    if (segment->window_kind == WINDOW_UNKNOWN || !(segment->window_matters || ladder->verbose >= 1)) return;
    char words[WORDS_BYTES];
    layout_add(text, STYLE_PLAIN, " ");
    layout_addf(text, segment->window_bytes ? STYLE_PLAIN : STYLE_ALARM, "win %s", words_grouped(segment->window_bytes, words));
    if (segment->window_kind == WINDOW_UNSCALED) layout_add(text, STYLE_PLAIN, " unscaled");
}

enum flight { FLIGHT_WHOLE, FLIGHT_DEPARTS, FLIGHT_ARRIVES, FLIGHT_LOST };

/* Columns are counted from the sender, as if it were the client; this turns them round where it isn't. */
static void mirror(const struct frame *frame, enum story_side from, int *begin, int *end)
{
    if (from == STORY_CLIENT) return;
    int sum = frame->wire_from + frame->wire_to, swap = *begin;
    *begin = sum - *end;
    *end = sum - swap;
}

static void fill(struct frame *frame, enum story_side from, int begin, int end, enum layout_style style, const char *glyph)
{
    mirror(frame, from, &begin, &end);
    layout_fill(&frame->row, begin, end, style, glyph);
}

/* An arrow from column `at` to the receiver, or as far as it comes. What leaves now and arrives later fades out into dots. */
static void put_arrow(struct frame *frame, enum story_side from, int at, enum flight flight, enum layout_style style)
{
    int room = frame->wire_to - at;
    int tip = flight == FLIGHT_LOST ? at + room * 3 / 4 : flight == FLIGHT_DEPARTS ? at + room * 2 / 3 : frame->wire_to - 1;
    fill(frame, from, at, tip, style, "─");
    if (flight == FLIGHT_DEPARTS)
        fill(frame, from, tip - (room > 12 ? 4 : 1), tip, style, "╌");
    else if (flight == FLIGHT_LOST)
        fill(frame, from, tip, tip + 1, STYLE_ALARM, "×");
    else
        fill(frame, from, tip, tip + 1, style, from == STORY_CLIENT ? "►" : "◄");
}

static void draw_arrow(struct ladder *ladder, const struct plan_row *row, enum flight flight)
{
    struct frame *frame = &ladder->frame;
    const struct story_step *step = &ladder->story->steps[row->step];
    bool is_segment = step->kind == STEP_SEGMENT;
    bool alarming = is_segment ? (step->segment->flags & TCP_RST) != 0 : step->datagram->icmp != NULL;
    enum layout_style style = alarming ? STYLE_ALARM : frame_style[step->side];
    enum layout_style bold = alarming ? STYLE_ALARM : frame_style_bold[step->side];
    if (is_segment)
        add_segment_label(ladder, step->segment, bold, row->kind == PLAN_ARRIVE);
    else
        add_datagram_label(ladder, step->datagram, bold, flight == FLIGHT_ARRIVES);
    int columns = layout_columns(&frame->text, 0, frame->text.count), room = frame->wire_to - frame->wire_from;
    bool shares_line = columns + 1 + ARROW_MIN <= room;
    if (!shares_line) frame_draw_side(frame, row, step->side, -1, "");
    frame_begin_line(frame);
    int at = frame->wire_from;
    if (shares_line) {
        frame_put_head(frame, row);
        /* What arrives comes out of dots, with its name further on its way than where it left. */
        if (flight == FLIGHT_ARRIVES) {
            int dots = at + (room - columns - ARROW_MIN) / 2;
            at = dots + (room > 30 ? 5 : 0);
            fill(frame, step->side, dots, at > dots ? at - 1 : at, style, "╌");
        }
        int label = at, end = at + columns;
        at = end + 1;
        mirror(frame, step->side, &label, &end);
        layout_put(&frame->row, label, &frame->text, 0, frame->text.count);
        layout_text_clear(&frame->text);
    }
    put_arrow(frame, step->side, at, flight, style);
    frame_end_line(frame);
}

static bool fits_one_line(const struct frame *frame, const struct story_cause *cause)
{
    struct layout_text text = layout_text_new(frame->options->ascii);
    layout_addf(&text, STYLE_PLAIN, "↳ %s  %s", cause->why, words_evidence(cause->kind, cause->evidence));
    bool fits = layout_columns(&text, 0, text.count) + 1 <= frame->wire_to - frame->wire_from;
    layout_text_free(&text);
    return fits;
}

/* What somebody wrote beside it in the capture file. */
static void draw_comments(struct ladder *ladder, enum story_side side, const char *const *comments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(comments[i]), shown = length;
        if (length > COMMENT_SHOWN)
            for (shown = COMMENT_SHOWN; shown > COMMENT_SHOWN - 4 && (comments[i][shown] & 0xc0) == 0x80;) shown--;
        layout_addf(&ladder->frame.text, STYLE_PLAIN, "comment: \"%.*s\"", (int)shown, comments[i]);
        if (shown < length) layout_add(&ladder->frame.text, STYLE_DIM, "…");
        frame_draw_hook(&ladder->frame, frame_style[side], "", STYLE_DIM);
    }
}

/* Always where TCP never had it, so that nothing answers; else (a duplicate, a late ACK) it is detail. */
static void draw_drop(struct ladder *ladder, enum story_side side, const struct story_drop *drop)
{
    static const char *const by[] = {[STORY_DROPPED_BY_RECEIVER] = "the receiver's kernel",
                                     [STORY_DROPPED_BY_SENDER] = "the sender's own kernel",
                                     [STORY_DROPPED_BETWEEN] = "a kernel on its way"};
    if (!drop || (!drop->untaken && ladder->verbose < 1)) return;
    layout_addf(&ladder->frame.text, STYLE_PLAIN, "dropped by %s: ", by[drop->by]);
    layout_add(&ladder->frame.text, STYLE_ALARM, drop->reason[0] ? drop->reason : "it gives no reason");
    if (ladder->verbose >= 1 && drop->function[0]) layout_addf(&ladder->frame.text, STYLE_DIM, " in %s()", drop->function);
    frame_draw_hook(&ladder->frame, frame_style[side], "", STYLE_DIM);
}

static void draw_queue(struct ladder *ladder, enum story_side side, const struct story_queue *queue)
{
    bool is_full = queue && queue->accept_length > queue->accept_most;
    if (!queue || (!is_full && ladder->verbose < 1)) return;
    layout_addf(&ladder->frame.text, STYLE_PLAIN,
                "the listener's accept queue %s: %" PRIu32 " waited for accept(), its backlog is %" PRIu32,
                is_full ? "was full" : "had room", queue->accept_length, queue->accept_most);
    frame_draw_hook(&ladder->frame, frame_style[side], "", STYLE_DIM);
}

static void draw_packet(struct ladder *ladder, const struct plan_row *row)
{
    const struct story_step *step = &ladder->story->steps[row->step];
    bool lost = step->kind == STEP_SEGMENT ? step->segment->lost : step->datagram->lost;
    enum flight flight = FLIGHT_WHOLE;
    if (row->kind == PLAN_DEPART)
        flight = FLIGHT_DEPARTS;
    else if (row->kind == PLAN_ARRIVE)
        flight = FLIGHT_ARRIVES;
    else if (lost)
        flight = FLIGHT_LOST;
    else if (step->kind == STEP_SEGMENT && (step->segment->copy || step->segment->unsent))
        flight = FLIGHT_ARRIVES; /* of nothing that left */
    draw_arrow(ladder, row, flight);
    if (row->kind != PLAN_ARRIVE) {
        const struct story_segment *segment = step->kind == STEP_SEGMENT ? step->segment : NULL;
        const struct story_cause *cause = segment ? &segment->cause : &step->datagram->cause;
        bool is_told = !segment || segment->copy || segment->unsent || segment->handshake || segment->teardown ||
                       segment->retransmission || (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0 || ladder->verbose >= 1;
        if (is_told || fits_one_line(&ladder->frame, cause)) draw_cause(ladder, frame_style[step->side], cause);
        draw_chain(ladder, cause);
        draw_drop(ladder, step->side, segment ? segment->dropped : step->datagram->dropped);
        if (segment) draw_queue(ladder, step->side, segment->queue);
        if (segment) draw_reset_reason(ladder, segment);
        draw_comments(ladder, step->side, segment ? segment->comments : step->datagram->comments,
                      segment ? segment->comment_count : step->datagram->comment_count);
        draw_differences(ladder, row->step);
    }
    draw_state_causes(ladder, row);
}

/* A call for which no lane is left is told by its number instead of a bar. */
static void add_number(struct ladder *ladder, const struct story_call *call, int lane, const char *verb)
{
    if (lane < 0) layout_addf(&ladder->frame.text, STYLE_DIM, "(call %" PRIu32 "%s) ", call->number, verb);
}

static void draw_call(struct ladder *ladder, const struct plan_row *row)
{
    static const char *const glyphs[][STORY_SIDES] = {
        [PLAN_ENTER] = {"┌", "┐"}, [PLAN_EXIT] = {"└", "┘"}, [PLAN_CALL] = {"[", "]"}};
    struct frame *frame = &ladder->frame;
    const struct story_call *call = ladder->story->steps[row->step].call;
    int lane = row->kind == PLAN_EXIT ? frame_leave_lane(frame, call) : frame_take_lane(frame, call);
    if (row->kind == PLAN_CALL) {
        frame_leave_lane(frame, call);
        words_call_whole(&frame->text, ladder->story, call);
    } else if (row->kind == PLAN_ENTER) {
        add_number(ladder, call, lane, " begins");
        words_call_begin(&frame->text, ladder->story, call);
    } else {
        add_number(ladder, call, lane, " ends");
        words_call_end(&frame->text, ladder->story, call);
    }
    frame_draw_side(frame, row, call->side, lane, glyphs[row->kind][call->side]);
    draw_state_causes(ladder, row);
}

/* Calls that recording saw begin and not end. */
static void draw_open_calls(struct ladder *ladder)
{
    const struct story *story = ladder->story;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *call = story->steps[i].call;
        if (story->steps[i].kind != STEP_ENTER || call->exit_step != STORY_NO_STEP) continue;
        int lane = frame_leave_lane(&ladder->frame, call);
        add_number(ladder, call, lane, "");
        words_call_end(&ladder->frame.text, story, call);
        frame_draw_side(&ladder->frame, NULL, call->side, lane, "╵");
    }
}

static void draw_process_end(struct ladder *ladder, const struct plan_row *row)
{
    const struct story_exit *end = ladder->story->steps[row->step].exit;
    struct layout_text *text = &ladder->frame.text;
    layout_add(text, STYLE_PLAIN, "■ ");
    words_process(text, frame_style_bold[row->side], &end->process);
    layout_addf(text, end->signal ? STYLE_ALARM : STYLE_PLAIN, end->signal ? " was killed by %s" : " ended, %s", end->name);
    frame_draw_side(&ladder->frame, row, row->side, -1, "");
    draw_state_causes(ladder, row);
}

static void draw_kernel_state(struct ladder *ladder, const struct plan_row *row)
{
    const struct story_state *state = ladder->story->steps[row->step].state;
    layout_addf(&ladder->frame.text, STYLE_DIM, "kernel: %s → %s", state->from, state->to);
    frame_draw_side(&ladder->frame, row, row->side, -1, "");
    draw_differences(ladder, row->step);
}

static void draw_lone_state(struct ladder *ladder, const struct plan_row *row)
{
    const struct story_state *state = ladder->story->steps[row->step].state;
    layout_addf(&ladder->frame.text, frame_style[row->side], "%s → %s", state->from, state->to);
    frame_draw_side(&ladder->frame, row, row->side, -1, "");
    draw_cause(ladder, frame_style[row->side], &state->cause);
    draw_chain(ladder, &state->cause);
    draw_differences(ladder, row->step);
}

static void draw_title(struct ladder *ladder)
{
    struct frame *frame = &ladder->frame;
    layout_row_clear(&frame->row, frame->width, frame->options->ascii);
    layout_put_string(&frame->row, frame->time_columns - 2, STYLE_DIM, "ms");
    layout_put_string(&frame->row, frame->state_x[STORY_CLIENT], STYLE_CLIENT_BOLD, "CLIENT");
    layout_put_string(&frame->row, ladder->story->udp ? frame->width - 6 : frame->state_x[STORY_SERVER], STYLE_SERVER_BOLD,
                      "SERVER");
    frame_end_line(frame);
}

/* 0 or the sink's. What is written is soon written over: memory does not follow how long the story is. */
static int write_piece(struct ladder *ladder, const struct sink *sink, struct err *err)
{
    struct buf *out = ladder->frame.out;
    if (out->length < PIECE_BYTES || out->failed) return 0;
    int code = view_write(sink, out->data, out->length, err);
    buf_clear(out);
    frame_forget_drawn(&ladder->frame);
    return code;
}

/* 0 or the sink's. */
static int draw_rows(struct ladder *ladder, const struct plan *plan, const struct sink *sink, struct err *err)
{
    static void (*const draw[])(struct ladder *, const struct plan_row *) = {
        [PLAN_ENTER] = draw_call,       [PLAN_EXIT] = draw_call,           [PLAN_CALL] = draw_call,
        [PLAN_PACKET] = draw_packet,    [PLAN_DEPART] = draw_packet,       [PLAN_ARRIVE] = draw_packet,
        [PLAN_STATE] = draw_lone_state, [PLAN_KERNEL] = draw_kernel_state, [PLAN_END] = draw_process_end,
    };
    int code = 0;
    for (size_t i = 0; i < plan->count && !code; i++) {
        const struct plan_row *row = &plan->rows[i];
        int64_t pause_ns = i > 0 ? row->t_ns - row[-1].t_ns : 0;
        if (pause_ns >= SILENCE_NS) {
            char words[WORDS_BYTES];
            layout_addf(&ladder->frame.text, STYLE_DIM, "%s pass", words_duration(pause_ns, words));
            frame_draw_pause(&ladder->frame);
        }
        draw[row->kind](ladder, row);
        code = write_piece(ladder, sink, err);
    }
    return code;
}

static int short_of_memory(const struct story *story, struct err *err)
{
    return err_set(err, -ENOMEM, "out of memory while drawing connection %u (%zu steps)", story->number, story->step_count);
}

int ladder_draw(const struct story *story, const struct view_options *options, int width, const struct sink *sink, struct buf *out,
                struct err *err)
{
    struct plan plan;
    int code = plan_make(story, options->verbose >= 1, &plan);
    if (code) return short_of_memory(story, err);
    struct ladder ladder = {
        .frame = frame_new(story, options, out),
        .story = story,
        .verbose = options->verbose,
    };
    frame_measure(&ladder.frame, &plan, width);
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_EXIT && story->steps[i].call->enter_step == STORY_NO_STEP)
            frame_take_lane(&ladder.frame, story->steps[i].call);
    if (plan.count) draw_title(&ladder);
    code = draw_rows(&ladder, &plan, sink, err);
    if (!code) draw_open_calls(&ladder);
    if (!code && frame_failed(&ladder.frame)) code = short_of_memory(story, err);
    frame_free(&ladder.frame);
    plan_free(&plan);
    return code;
}
