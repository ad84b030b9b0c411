#include "viz/text/text_frame.h"

#include <string.h>

#include "viz/plan/words.h"

enum {
    WIRE_WANTED = 34,
    STATE_COLUMNS = 11 /* ESTABLISHED */
};

const enum layout_style frame_style[STORY_SIDES] = {STYLE_CLIENT, STYLE_SERVER};
const enum layout_style frame_style_bold[STORY_SIDES] = {STYLE_CLIENT_BOLD, STYLE_SERVER_BOLD};

static int lane_column(const struct frame *frame, enum story_side side, int lane)
{
    return frame->lane_x[side] + (side == STORY_CLIENT ? 2 * lane : -2 * lane);
}

struct frame frame_new(const struct story *story, const struct view_options *options, struct buf *out)
{
    const struct layout_text none = layout_text_new(options->ascii);
    return (struct frame){.story = story, .options = options, .out = out, .text = none, .tail = none};
}

void frame_free(struct frame *frame)
{
    layout_text_free(&frame->text);
    layout_text_free(&frame->tail);
}

bool frame_failed(const struct frame *frame)
{
    return frame->text.failed || frame->tail.failed || frame->out->failed;
}

void frame_measure(struct frame *frame, const struct plan *plan, int width)
{
    char words[WORDS_BYTES];
    frame->margin = frame->options->mark_count ? 1 : 0;
    frame->width = width -= frame->margin;
    frame->due[STORY_CLIENT] = frame->due[STORY_SERVER] = STORY_NO_STEP;
    frame->time_columns = 7;
    for (size_t i = 0; i < plan->count; i++) {
        int columns = (int)strlen(words_time(plan->rows[i].t_ns - frame->story->start_ns, words));
        if (columns > frame->time_columns) frame->time_columns = columns;
    }
    int state = frame->story->udp ? 0 : STATE_COLUMNS + 1; /* datagrams have no states */
    frame->state_x[STORY_CLIENT] = frame->time_columns + 2;
    frame->state_x[STORY_SERVER] = width - STATE_COLUMNS;
    frame->lane_x[STORY_CLIENT] = frame->state_x[STORY_CLIENT] + state;
    frame->lane_x[STORY_SERVER] = width - 1 - state;
    int *lanes = frame->lanes;
    for (int side = 0; side < STORY_SIDES; side++) {
        size_t wanted = plan->lanes[side];
        lanes[side] = wanted > FRAME_LANES_MAX ? FRAME_LANES_MAX : wanted < 1 ? 1 : (int)wanted;
    }
    int room = frame->lane_x[STORY_SERVER] + 1 - frame->lane_x[STORY_CLIENT];
    while (room - 2 * (lanes[0] + lanes[1]) < WIRE_WANTED && lanes[0] + lanes[1] > 2)
        lanes[lanes[0] > lanes[1] ? STORY_CLIENT : STORY_SERVER]--;
    frame->wire_from = frame->lane_x[STORY_CLIENT] + 2 * lanes[STORY_CLIENT];
    frame->wire_to = frame->lane_x[STORY_SERVER] + 1 - 2 * lanes[STORY_SERVER];
}

static void put_state(struct frame *frame, enum story_side side, uint32_t step)
{
    if (step == STORY_NO_STEP) return;
    bool is_blank = view_blank_fields(frame->options, step, VIEW_FIELD_STATE) != 0;
    const char *name = is_blank ? VIEW_BLANK : frame->story->steps[step].state->to;
    layout_put_string(&frame->row, frame->state_x[side], frame_style_bold[side], name);
}

void frame_forget_drawn(struct frame *frame)
{
    frame->hook.drawn_to = frame->hook.drawn_from;
}

/* A lane was taken or left. */
static void change_lines(struct frame *frame)
{
    frame->empty_known = false;
    frame_forget_drawn(frame);
}

static void make_empty(struct frame *frame)
{
    layout_row_clear(&frame->empty, frame->width + frame->margin, frame->options->ascii);
    for (int side = 0; side < STORY_SIDES; side++)
        for (int lane = 0; lane < frame->lanes[side]; lane++) {
            int x = lane_column(frame, (enum story_side)side, lane);
            if (frame->open[side][lane])
                layout_fill(&frame->empty, x, x + 1, frame_style[side], "│");
            else if (lane == 0)
                layout_fill(&frame->empty, x, x + 1, STYLE_DIM, "┊");
        }
    frame->empty_known = true;
}

void frame_begin_line(struct frame *frame)
{
    if (!frame->empty_known) make_empty(frame);
    layout_row_copy(&frame->row, &frame->empty);
    for (int side = 0; side < STORY_SIDES; side++) {
        put_state(frame, (enum story_side)side, frame->due[side]);
        frame->due[side] = STORY_NO_STEP;
    }
}

void frame_end_line(struct frame *frame)
{
    if (frame->points) layout_put_string(&frame->row, frame->width + frame->margin - 1, STYLE_ALARM, "◀");
    frame->points = false;
    layout_emit(&frame->row, frame->options->color, frame->out);
}

void frame_put_head(struct frame *frame, const struct plan_row *row)
{
    char words[WORDS_BYTES];
    words_time(row->t_ns - frame->story->start_ns, words);
    layout_put_string(&frame->row, frame->time_columns - (int)strlen(words), STYLE_DIM, words);
    for (int side = 0; side < STORY_SIDES; side++) {
        put_state(frame, (enum story_side)side, row->states[side]);
        frame->due[side] = row->further[side];
    }
}

/* The end of a bar, with a foot that reaches the text through the lanes further in: └─┼─ */
static void put_bar_end(struct frame *frame, enum story_side side, int lane, const char *glyph)
{
    int x = lane_column(frame, side, lane), step = side == STORY_CLIENT ? 1 : -1;
    layout_fill(&frame->row, x, x + 1, frame_style_bold[side], glyph);
    for (int k = lane + 1; k < frame->lanes[side]; k++) {
        int at = lane_column(frame, side, k);
        layout_fill(&frame->row, at - step, at - step + 1, frame_style[side], "─");
        layout_fill(&frame->row, at, at + 1, frame_style[side], frame->open[side][k] ? "┼" : "─");
    }
}

void frame_draw_side(struct frame *frame, const struct plan_row *row, enum story_side side, int lane, const char *glyph)
{
    size_t cursor = 0, from, to;
    int room = frame->wire_to - frame->wire_from, indent = 0;
    while (layout_wrap(&frame->text, room - indent, &cursor, &from, &to)) {
        frame_begin_line(frame);
        if (from == 0 && row) frame_put_head(frame, row);
        if (from == 0 && lane >= 0) put_bar_end(frame, side, lane, glyph);
        int columns = layout_columns(&frame->text, from, to);
        int x = side == STORY_CLIENT ? frame->wire_from + indent : frame->wire_to - indent - columns;
        layout_put(&frame->row, x, &frame->text, from, to);
        frame_end_line(frame);
        indent = 2;
    }
    layout_text_clear(&frame->text);
}

static bool has_due(const struct frame *frame)
{
    return frame->due[STORY_CLIENT] != STORY_NO_STEP || frame->due[STORY_SERVER] != STORY_NO_STEP;
}

void frame_draw_hook(struct frame *frame, enum layout_style style, const char *tail, enum layout_style tail_style)
{
    layout_text_clear(&frame->tail);
    layout_add(&frame->tail, tail_style, tail);
    int tail_columns = layout_columns(&frame->tail, 0, frame->tail.count), tail_x = frame->wire_to - tail_columns;
    int x = frame->wire_from, lead = frame->options->ascii ? 3 : 2;
    size_t cursor = 0, from, to;
    bool tail_is_put = tail_columns == 0;
    while (layout_wrap(&frame->text, frame->wire_to - x - lead, &cursor, &from, &to)) {
        frame_begin_line(frame);
        if (from == 0) layout_put_string(&frame->row, x, style, "↳");
        layout_put(&frame->row, x + lead, &frame->text, from, to);
        int end = x + lead + layout_columns(&frame->text, from, to);
        if (!tail_is_put && to == frame->text.count && end + 2 <= tail_x) {
            layout_put(&frame->row, tail_x, &frame->tail, 0, frame->tail.count);
            tail_is_put = true;
        }
        frame_end_line(frame);
    }
    if (!tail_is_put) {
        frame_begin_line(frame);
        layout_put(&frame->row, tail_x, &frame->tail, 0, frame->tail.count);
        frame_end_line(frame);
    }
    layout_text_clear(&frame->text);
}

/* The lines of the last sentence once more, where they would be the same. */
static bool draw_again(struct frame *frame, enum layout_style style, const char *sentence, const char *tail,
                       enum layout_style tail_style)
{
    const struct frame_hook *hook = &frame->hook;
    size_t length = hook->drawn_to - hook->drawn_from;
    if (!length || hook->style != style || hook->tail_style != tail_style) return false;
    if (strcmp(hook->tail, tail) != 0 || strcmp(hook->sentence, sentence) != 0) return false;
    char *room = buf_room(frame->out, length);
    if (!room) return true; /* the output says that it failed */
    memcpy(room, frame->out->data + hook->drawn_from, length);
    buf_grew(frame->out, length);
    return true;
}

void frame_draw_sentence(struct frame *frame, enum layout_style style, const char *sentence, const char *tail,
                         enum layout_style tail_style)
{
    struct frame_hook *hook = &frame->hook;
    bool alone = !frame->text.count && !has_due(frame);
    if (alone && draw_again(frame, style, sentence, tail, tail_style)) return;
    bool keep = alone && strlen(sentence) < sizeof(hook->sentence);
    size_t from = frame->out->length;
    layout_add(&frame->text, STYLE_PLAIN, sentence);
    frame_draw_hook(frame, style, tail, tail_style);
    if (!keep) return;
    strcpy(hook->sentence, sentence);
    hook->tail = tail;
    hook->style = style;
    hook->tail_style = tail_style;
    hook->drawn_from = from;
    hook->drawn_to = frame->out->length;
}

void frame_flush_states(struct frame *frame)
{
    if (!has_due(frame)) return;
    frame_begin_line(frame);
    frame_end_line(frame);
}

void frame_draw_pause(struct frame *frame, const struct plan_row *row)
{
    frame_begin_line(frame);
    for (int side = 0; row->kind == PLAN_SKIP && side < STORY_SIDES; side++)
        put_state(frame, (enum story_side)side, row->states[side]);
    layout_put_string(&frame->row, frame->time_columns - 1, STYLE_DIM, "⋮");
    int columns = layout_columns(&frame->text, 0, frame->text.count);
    layout_put(&frame->row, (frame->wire_from + frame->wire_to - columns) / 2, &frame->text, 0, frame->text.count);
    frame_end_line(frame);
    layout_text_clear(&frame->text);
}

void frame_set_open(struct frame *frame, enum story_side side, int lane, const struct story_call *call)
{
    if (frame->open[side][lane] == call) return;
    frame->open[side][lane] = call;
    change_lines(frame);
}
