/* The frame of a ladder: which columns belong to what, the bars that run through every line, and text put between them.
 *
 *     time  STATE        │ │ wire          │ │  STATE
 *
 * Lanes are the columns in which a side's calls stand as bars: the outermost next to the states, others further in. */
#ifndef TCPWHY_VIZ_TEXT_FRAME_H
#define TCPWHY_VIZ_TEXT_FRAME_H

#include "viz/pen/layout.h"
#include "viz/plan/plan.h"
#include "viz/view.h"

enum { FRAME_LANES_MAX = 8 };

/* What frame_draw_sentence drew last: in a long story the same sentence stands under one packet after the other. */
struct frame_hook {
    char sentence[512];
    const char *tail;
    enum layout_style style, tail_style;
    size_t drawn_from, drawn_to; /* where it lies in the output; from == to: there is none, or other lines run through it now */
};

struct frame {
    const struct story *story;
    const struct view_options *options;
    struct buf *out;
    int width, time_columns;
    int margin;  /* columns behind the frame, for what points at a line; 0 none */
    bool points; /* the next line is pointed at */
    int state_x[STORY_SIDES];
    int lane_x[STORY_SIDES];
    int lanes[STORY_SIDES];
    int wire_from, wire_to;    /* columns [from, to) between the bars */
    uint32_t due[STORY_SIDES]; /* a state that the next line brings; STORY_NO_STEP none */
    const struct story_call *open[STORY_SIDES][FRAME_LANES_MAX];
    struct layout_row row;
    struct layout_row empty; /* a line with nothing but what runs through it, with `empty_known` */
    bool empty_known;
    struct frame_hook hook;
    struct layout_text text; /* what the next frame_… call draws; they empty it */
    struct layout_text tail;
};

extern const enum layout_style frame_style[STORY_SIDES], frame_style_bold[STORY_SIDES];

/* An empty one: its numbers come with frame_measure. Release with frame_free. */
struct frame frame_new(const struct story *story, const struct view_options *options, struct buf *out);
void frame_free(struct frame *frame);
/* Whether memory was short at some time: then something is missing. */
bool frame_failed(const struct frame *frame);
/* Shares `width` columns out for the rows of a plan: lanes give way until the wire is wide enough. */
void frame_measure(struct frame *frame, const struct plan *plan, int width);

/* Begins a line in frame->row with what runs through it: a bar for each open call, a dotted life line where an end is in none. */
void frame_begin_line(struct frame *frame);
void frame_end_line(struct frame *frame);
/* The time, and the states that this row brings; second ones come with the next line. */
void frame_put_head(struct frame *frame, const struct plan_row *row);

/* frame->text between the bars, at `side`'s edge, on as many lines as it takes. The first line gets the row's head (`row` may be
 * NULL) and, with lane >= 0, `glyph` in that lane. */
void frame_draw_side(struct frame *frame, const struct plan_row *row, enum story_side side, int lane, const char *glyph);
/* frame_draw_hook, with `sentence` in plain style behind what is in frame->text. `tail`: static storage. */
void frame_draw_sentence(struct frame *frame, enum layout_style style, const char *sentence, const char *tail,
                         enum layout_style tail_style);
/* frame->text behind a hook ("↳"), `tail` at the right end of its last line or of one more. */
void frame_draw_hook(struct frame *frame, enum layout_style style, const char *tail, enum layout_style tail_style);
/* frame->text in the middle of the wire, with a mark in the time's column, and the states of what was left out there. */
void frame_draw_pause(struct frame *frame, const struct plan_row *row);

/* The output was emptied: what was drawn before is not there any more. */
void frame_forget_drawn(struct frame *frame);

/* From now on this call stands in that lane; NULL: none does. */
void frame_set_open(struct frame *frame, enum story_side side, int lane, const struct story_call *call);

/* The line for second states, if no other line has brought them yet. */
void frame_flush_states(struct frame *frame);

#endif
