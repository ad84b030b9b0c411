/* Between the files that lay and draw a ladder: where each instant, flight, call, state and fold stands. Heights and columns in
 * points. */
#ifndef TCPWHY_VIZ_SVG_LAY_H
#define TCPWHY_VIZ_SVG_LAY_H

#include "viz/plan/words.h"
#include "viz/svg/svg_ladder.h"

enum { LAY_LANES = 8, LAY_GUTTER = 30, LAY_LANE = 14, LAY_BAR = 9, LAY_WIRE_PAD = 12, LAY_ROWS_MAX = 1200 };

struct lay_sizes {
    int label, cause, evidence, call, time, state, head; /* fonts, points */
    int tick;                                            /* least distance of two instants */
    int lean;                                            /* least fall of an arrow whose flight was seen */
    int fold;                                            /* height of a fold */
    int same_way;                                        /* room for an earlier arrow of the same end that is still under way */
};

struct lay_mark {
    int64_t t_ns;
    int y;
};
struct lay_band {
    enum story_side side;
    int y;
    const char *name;
    uint32_t row;
};
struct lay_fold {
    int y;
};
struct lay_flight {
    uint32_t row, step;
    int64_t arrives_ns; /* 0: not seen to */
    int y, y_end;       /* where it leaves, where it arrives; y_end 0: still under way */
    bool above;         /* its words stand above it, at its sender: others fly meanwhile */
    enum plan_flight flight;
    bool alarming, again;
    bool lands; /* its arrival has a row of its own */
    enum story_side side;
};
struct lay_call {
    int y, y_end;    /* 0: from before; until behind the end */
    bool unreturned; /* it had not returned when recording ended */
};

struct lay {
    const struct plan *plan;
    struct lay_sizes size;
    bool ascii;
    int top, bottom; /* of bands and life lines */
    int time_x, band_x[STORY_SIDES], band_width, life_x[STORY_SIDES], words_width;
    int lanes[STORY_SIDES];
    /* how far each column is filled */
    int state_y[STORY_SIDES], call_y[STORY_SIDES], wire_y, tick_y, y;
    struct lay_mark *marks;
    size_t mark_count;
    struct lay_band *bands;
    size_t band_count;
    struct lay_fold *folds;
    size_t fold_count;
    struct lay_flight *flights;
    size_t flight_count, flights_open;
    struct lay_call *calls; /* as the plan's */
    uint32_t *flight_of;    /* by step: index into flights + 1; 0 none */
    unsigned signs;
    char last_time[WORDS_BYTES]; /* beside the last instant that has one */
    struct buf texts;            /* drawn over the shapes */
    bool failed;
};

/* Lays everything, words included. 0 or -ENOMEM; release with lay_free. */
int lay_ladder(struct lay *lay, const struct plan *plan, int top);
void lay_free(struct lay *lay);

/* The words of packets, calls and folds: they fill lay->texts and push the columns down. */
void lay_packet_above(struct lay *lay, const struct plan_words *words, uint32_t row, enum story_side side, int y);
int lay_packet_above_height(const struct lay *lay, const struct plan_words *words);
int lay_label_height(const struct lay *lay, const struct plan_words *words);
void lay_label(struct lay *lay, const struct plan_words *words, const struct lay_flight *flight);
void lay_sentences(struct lay *lay, const struct plan_words *words, const struct lay_flight *flight);
void lay_call_words(struct lay *lay, const struct plan_words *words, uint32_t row, enum story_side side, int y);
int lay_call_height(const struct lay *lay, const struct plan_words *words);
void lay_fold_words(struct lay *lay, const struct phrase *words, uint32_t row, int y);
void lay_time(struct lay *lay, int64_t t_ns, int y);
void lay_head(struct lay *lay, int top);

/* For these: the words as cells; the wire; where a packet's name stands. */
struct layout_text lay_cells(const struct lay *lay, const struct phrase *phrase);
int lay_wire_width(const struct lay *lay);
int lay_wire_middle(const struct lay *lay);
struct svg_place lay_label_place(const struct lay *lay, int width);
/* A sentence and, less loud behind or below it, its evidence; from place.y down, at its anchor. Returns the height it took; writes
 * nothing where `out` is NULL. */
int lay_put_note(const struct lay *lay, const struct plan_note *note, struct svg_place place, struct buf *out);

/* The middle of a call's bar. */
int lay_lane_x(const struct lay *lay, enum story_side side, uint32_t lane);
/* The height of an instant, between those that have one. */
int lay_y_of(const struct lay *lay, int64_t t_ns);
/* The flight of a packet's step; NULL: it has none here. */
const struct lay_flight *lay_flight_of(const struct lay *lay, uint32_t step);

/* Appends the shapes of what was laid. */
void draw_shapes(struct lay *lay, struct buf *out);

#endif
