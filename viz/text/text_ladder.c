#include "viz/text/text_ladder.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/plan/words.h"
#include "viz/text/text_frame.h"

enum {
    ARROW_MIN = 5, /* where a label would leave less, it gets a line of its own */
    ARROW_BRIEF = 2,
    ROWS_AT_ONCE = 32,
    PIECE_BYTES = 1 << 18, /* of the drawing, that wait for more before they are written */
};

struct ladder {
    struct frame frame;
    const struct story *story;
    struct plan_words words; /* of the row that is drawn */
};

static bool fits_one_line(const struct frame *frame, const struct plan_note *note)
{
    struct layout_text text = layout_text_new(frame->options->ascii);
    layout_add(&text, STYLE_PLAIN, "↳ ");
    layout_add_phrase(&text, &note->words);
    layout_addf(&text, STYLE_PLAIN, "  %s", note->evidence);
    bool fits = layout_columns(&text, 0, text.count) + 1 <= frame->wire_to - frame->wire_from;
    layout_text_free(&text);
    return fits;
}

static void draw_note(struct ladder *ladder, const struct plan_note *note)
{
    if (note->only_if_short && !fits_one_line(&ladder->frame, note)) return;
    enum layout_style style = note->kind == NOTE_CHAIN ? STYLE_DIM : frame_style[note->side];
    const struct phrase *words = &note->words;
    if (words->count == 1 && words->runs[0].style == STYLE_PLAIN && !words->failed) {
        frame_draw_sentence(&ladder->frame, style, words->runs[0].text, note->evidence, note->evidence_style);
        return;
    }
    layout_add_phrase(&ladder->frame.text, words);
    frame_draw_hook(&ladder->frame, style, note->evidence, note->evidence_style);
}

/* Those of the row itself, or those of the states that it brings. */
static void draw_notes(struct ladder *ladder, bool of_states)
{
    const struct plan_words *words = &ladder->words;
    for (size_t i = 0; i < words->note_count; i++) {
        bool is_on_arrow = ladder->frame.options->brief && words->notes[i].kind == NOTE_CAUSE;
        if (words->notes[i].of_state == of_states && !is_on_arrow) draw_note(ladder, &words->notes[i]);
    }
}

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
static void put_arrow(struct frame *frame, enum story_side from, int at, enum plan_flight flight, enum layout_style style)
{
    int room = frame->wire_to - at;
    int tip = flight == PLAN_LOST ? at + room * 3 / 4 : flight == PLAN_DEPARTS ? at + room * 2 / 3 : frame->wire_to - 1;
    fill(frame, from, at, tip, style, "─");
    if (flight == PLAN_DEPARTS)
        fill(frame, from, tip - (room > 12 ? 4 : 1), tip, style, "╌");
    else if (flight == PLAN_LOST)
        fill(frame, from, tip, tip + 1, STYLE_ALARM, "×");
    else
        fill(frame, from, tip, tip + 1, style, from == STORY_CLIENT ? "►" : "◄");
}

static int arrow_least(const struct ladder *ladder)
{
    return ladder->frame.options->brief ? ARROW_BRIEF : ARROW_MIN;
}

static int wire_room(const struct frame *frame)
{
    return frame->wire_to - frame->wire_from;
}

/* In brief the cause stands behind the name; what was inferred is marked there, what the kernel showed needs no mark. */
static void add_short_cause(struct ladder *ladder)
{
    struct layout_text *text = &ladder->frame.text;
    for (size_t i = 0; i < ladder->words.note_count; i++) {
        const struct plan_note *note = &ladder->words.notes[i];
        if (note->kind != NOTE_CAUSE) continue;
        layout_add(text, STYLE_PLAIN, " · ");
        layout_add_phrase(text, &note->words);
        if (note->evidence_style != STYLE_DIM) continue;
        int columns = layout_columns(text, 0, text->count) + escape_text_columns(note->evidence) + 3;
        bool fits = columns + 1 + arrow_least(ladder) <= wire_room(&ladder->frame);
        layout_addf(text, STYLE_DIM, " [%s]", fits ? note->evidence : note->evidence_short);
    }
}

static void add_label(struct ladder *ladder)
{
    struct layout_text *text = &ladder->frame.text;
    layout_add_phrase(text, &ladder->words.label);
    if (ladder->frame.options->brief) {
        add_short_cause(ladder);
        return;
    }
    if (ladder->words.detail.count) layout_add(text, STYLE_PLAIN, "  ");
    layout_add_phrase(text, &ladder->words.detail);
}

static void draw_arrow(struct ladder *ladder, const struct plan_row *row)
{
    struct frame *frame = &ladder->frame;
    enum plan_flight flight = ladder->words.flight;
    enum layout_style style = ladder->words.alarming ? STYLE_ALARM : frame_style[row->side];
    add_label(ladder);
    int columns = layout_columns(&frame->text, 0, frame->text.count), room = wire_room(frame);
    bool shares_line = columns + 1 + arrow_least(ladder) <= room;
    if (!shares_line) frame_draw_side(frame, row, row->side, -1, "");
    frame_begin_line(frame);
    int at = frame->wire_from;
    if (shares_line) {
        frame_put_head(frame, row);
        /* What arrives comes out of dots, with its name further on its way than where it left. */
        if (flight == PLAN_ARRIVES) {
            int spare = room - columns - ARROW_MIN, dots = at + (spare > 0 ? spare / 2 : 0);
            at = dots + (room > 30 ? 5 : 0);
            fill(frame, row->side, dots, at > dots ? at - 1 : at, style, "╌");
        }
        int label = at, end = at + columns;
        at = end + 1;
        mirror(frame, row->side, &label, &end);
        layout_put(&frame->row, label, &frame->text, 0, frame->text.count);
        layout_text_clear(&frame->text);
    }
    put_arrow(frame, row->side, at, flight, style);
    frame_end_line(frame);
}

/* A call for which no lane is left is told by its number instead of a bar. */
static void add_number(struct ladder *ladder, const struct story_call *call, int lane, enum plan_kind kind)
{
    if (lane >= 0) return;
    layout_addf(&ladder->frame.text, STYLE_DIM,
                kind == PLAN_ENTER  ? tr("(call %" PRIu32 " begins) ")
                : kind == PLAN_EXIT ? tr("(call %" PRIu32 " ends) ")
                                    : tr("(call %" PRIu32 ") "),
                call->number);
}

static void draw_call(struct ladder *ladder, const struct plan *plan, const struct plan_row *row)
{
    static const char *const glyphs[][STORY_SIDES] = {
        [PLAN_ENTER] = {"┌", "┐"}, [PLAN_EXIT] = {"└", "┘"}, [PLAN_CALL] = {"[", "]"}, [PLAN_UNRETURNED] = {"╵", "╵"}};
    struct frame *frame = &ladder->frame;
    const struct plan_call *at = row->call == PLAN_NONE ? NULL : &plan->calls[row->call];
    const struct story_call *call = ladder->story->steps[row->step].call;
    int lane = at && at->lane < (uint32_t)frame->lanes[call->side] ? (int)at->lane : -1;
    if (lane >= 0) frame_set_open(frame, call->side, lane, row->kind == PLAN_ENTER ? call : NULL);
    if (row->kind != PLAN_CALL) add_number(ladder, call, lane, row->kind);
    layout_add_phrase(&frame->text, &ladder->words.label);
    frame_draw_side(frame, row->kind == PLAN_UNRETURNED ? NULL : row, call->side, lane, glyphs[row->kind][call->side]);
}

static void draw_title(struct ladder *ladder)
{
    struct frame *frame = &ladder->frame;
    layout_row_clear(&frame->row, frame->width, frame->options->ascii);
    layout_put_string(&frame->row, frame->time_columns - 2, STYLE_DIM, "ms");
    layout_put_string(&frame->row, frame->state_x[STORY_CLIENT], STYLE_CLIENT_BOLD, tr("CLIENT"));
    layout_put_string(&frame->row, ladder->story->udp ? frame->width - 6 : frame->state_x[STORY_SERVER], STYLE_SERVER_BOLD,
                      tr("SERVER"));
    frame_end_line(frame);
}

static int short_of_memory(const struct story *story, struct err *err)
{
    return err_set(err, -ENOMEM, "out of memory while drawing connection %u (%zu steps)", story->number, story->step_count);
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

static void draw_pause(struct ladder *ladder, const struct plan_row *row, struct arena *arena)
{
    struct phrase words = phrase_new(arena);
    plan_tell_pause(row, &words);
    layout_add_phrase(&ladder->frame.text, &words);
    frame_draw_pause(&ladder->frame, row);
}

static void draw_row(struct ladder *ladder, const struct plan *plan, const struct plan_row *row)
{
    struct frame *frame = &ladder->frame;
    frame->points = plan_is_marked(plan, row);
    switch (row->kind) {
    case PLAN_SKIP:
        layout_add_phrase(&frame->text, &ladder->words.label);
        frame_draw_pause(frame, row);
        return;
    case PLAN_PACKET:
    case PLAN_DEPART:
    case PLAN_ARRIVE:
        draw_arrow(ladder, row);
        break;
    case PLAN_ENTER:
    case PLAN_EXIT:
    case PLAN_CALL:
    case PLAN_UNRETURNED:
        draw_call(ladder, plan, row);
        break;
    default:
        layout_add_phrase(&frame->text, &ladder->words.label);
        frame_draw_side(frame, row, row->side, -1, "");
    }
    draw_notes(ladder, false);
    if (row->kind != PLAN_UNRETURNED) frame_flush_states(frame);
    draw_notes(ladder, true);
}

/* A call whose end was left out ends behind the last row that came before it. */
static void end_untold(struct ladder *ladder, const struct plan *plan, size_t i)
{
    const struct view_options *options = plan->options;
    if (!options->brief && options->part == VIEW_WHOLE) return;
    for (size_t k = 0; k < plan->call_count; k++) {
        const struct plan_call *at = &plan->calls[k];
        if (at->last_row == i && at->lane < (uint32_t)ladder->frame.lanes[at->call->side])
            frame_set_open(&ladder->frame, at->call->side, (int)at->lane, NULL);
    }
}

/* 0, -ENOMEM, or the sink's. */
static int draw_rows(struct ladder *ladder, const struct plan *plan, const struct sink *sink, struct err *err)
{
    int code = 0;
    struct arena arena = arena_new(); /* words live for a few rows: there may be a million */
    size_t shown = plan->options->shown_rows ? plan->options->shown_rows : plan->count;
    for (size_t i = 0; i < plan->count && i < shown && !code; i++) {
        const struct plan_row *row = &plan->rows[i];
        if (row->pause_ns && row->kind != PLAN_SKIP) draw_pause(ladder, row, &arena);
        plan_tell(plan, i, &arena, &ladder->words);
        draw_row(ladder, plan, row);
        end_untold(ladder, plan, i);
        code = ladder->words.failed ? short_of_memory(ladder->story, err) : write_piece(ladder, sink, err);
        if (i % ROWS_AT_ONCE == ROWS_AT_ONCE - 1) arena_free(&arena);
    }
    arena_free(&arena);
    return code;
}

int ladder_draw(const struct story *story, const struct view_options *options, int width, const struct sink *sink, struct buf *out,
                struct err *err)
{
    struct plan plan;
    int code = plan_make(story, options, &plan);
    if (code) return short_of_memory(story, err);
    struct ladder ladder = {
        .frame = frame_new(story, options, out),
        .story = story,
    };
    frame_measure(&ladder.frame, &plan, width);
    for (size_t i = 0; i < plan.call_count; i++) {
        const struct plan_call *at = &plan.calls[i];
        int *lanes = ladder.frame.lanes;
        if (at->first_row == PLAN_NONE && at->lane < (uint32_t)lanes[at->call->side])
            ladder.frame.open[at->call->side][at->lane] = at->call;
    }
    if (plan.count) draw_title(&ladder);
    code = draw_rows(&ladder, &plan, sink, err);
    if (!code && frame_failed(&ladder.frame)) code = short_of_memory(story, err);
    frame_free(&ladder.frame);
    plan_free(&plan);
    return code;
}
