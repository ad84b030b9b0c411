/* The shapes of a ladder: bands, life lines, bars, arrows, and the thin lines of causes and wakes. */
#include "viz/svg/svg_ladder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/plan/words.h"
#include "viz/svg/svg_lay.h"

static const char *const line_of[STORY_SIDES] = {"w-lc", "w-ls"};
static const char *const area_of[STORY_SIDES] = {"w-fc", "w-fs"};

/* ---- states ---- */

static void draw_band(struct lay *lay, enum story_side side, int y, int y_end, const char *name, long row, struct buf *out)
{
    int x = lay->band_x[side], edge = side == STORY_CLIENT ? x : x + lay->band_width - 6;
    buf_printf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", area_of[side], x, y + 1, lay->band_width,
               y_end - y - 2 > 0 ? y_end - y - 2 : 1);
    if (row >= 0) buf_printf(out, " data-row=\"%ld\"", row);
    buf_printf(out, "/>\n<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"6\" height=\"%d\"/>\n", svg_side[side], edge, y + 1,
               y_end - y - 2 > 0 ? y_end - y - 2 : 1);
    struct layout_text text = layout_text_new(lay->ascii);
    layout_add(&text, STYLE_PLAIN, name);
    struct svg_place place = {.x = side == STORY_CLIENT ? x + 14 : x + 8,
                              .y = y + lay->size.state + 3,
                              .font = {FONT_BOLD, lay->size.state},
                              .width = lay->band_width,
                              .line = lay->size.state,
                              .role = svg_side[side],
                              .row = row};
    svg_words(&lay->texts, &text, &place);
    layout_text_free(&text);
}

static const char *first_state(const struct lay *lay, enum story_side side)
{
    const struct story *story = lay->plan->story;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && !step->state->kernel) return step->state->from;
    }
    return story->end[side].state == STATE_UNKNOWN ? NULL : tcp_state_name(story->end[side].state);
}

static void draw_bands(struct lay *lay, struct buf *out)
{
    if (lay->plan->story->udp) return;
    for (int side = 0; side < STORY_SIDES; side++) {
        const char *name = first_state(lay, (enum story_side)side);
        int y = lay->top;
        long row = -1;
        for (size_t i = 0; i < lay->band_count; i++) {
            const struct lay_band *band = &lay->bands[i];
            if ((int)band->side != side) continue;
            if (name && band->y - y > lay->size.state) draw_band(lay, (enum story_side)side, y, band->y, name, row, out);
            name = band->name;
            y = band->y;
            row = (long)band->row;
        }
        if (name) draw_band(lay, (enum story_side)side, y, lay->bottom, name, row, out);
    }
}

/* ---- calls ---- */

static void bar_piece(const struct lay *lay, enum story_side side, int x, int y, int y_end, const char *fill, struct buf *out)
{
    if (y_end <= y) return;
    buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" %s/>\n", x - LAY_BAR / 2, y, LAY_BAR, y_end - y, fill);
    (void)lay, (void)side;
}

static void draw_bar(struct lay *lay, size_t k, struct buf *out)
{
    static const char *const solid[] = {"class=\"w-c\"", "class=\"w-s\""};
    static const char *const asleep[] = {"class=\"w-lc\" fill=\"url(#w-sleep-c)\"", "class=\"w-ls\" fill=\"url(#w-sleep-s)\""};
    static const char *const maybe[] = {"class=\"w-fc w-lc\"", "class=\"w-fs w-ls\""};
    const struct plan_call *at = &lay->plan->calls[k];
    const struct lay_call *stands = &lay->calls[k];
    enum story_side side = at->call->side;
    if (at->lane >= (uint32_t)lay->lanes[side] || (!stands->y && !stands->y_end && at->first_row != PLAN_NONE)) return;
    int x = lay_lane_x(lay, side, at->lane), y = stands->y ? stands->y : lay->top,
        y_end = stands->y_end ? stands->y_end : lay->bottom;
    if (y_end - y < 8) { /* one instant */
        int middle = (y + y_end) / 2;
        buf_printf(out, "<rect %s x=\"%d\" y=\"%d\" width=\"%d\" height=\"8\" rx=\"3\"/>\n", solid[side], x - LAY_BAR / 2,
                   middle - 4, LAY_BAR);
        lay->signs |= SIGN_RUNS;
        return;
    }
    if (at->sleep_to_ns) {
        int from = lay_y_of(lay, at->sleep_from_ns), to = lay_y_of(lay, at->sleep_to_ns);
        from = from < y ? y : from > y_end ? y_end : from;
        to = to < from ? from : to > y_end ? y_end : to;
        bar_piece(lay, side, x, y, from, solid[side], out);
        bar_piece(lay, side, x, from, to, asleep[side], out);
        bar_piece(lay, side, x, to, y_end, solid[side], out);
        lay->signs |= SIGN_SLEEPS | (from > y || to < y_end ? SIGN_RUNS : 0u);
        return;
    }
    bool unknown = at->call->waits && (at->call->slept_ns < 0 || at->call->wake.kind == WAKE_NOT_YET);
    bar_piece(lay, side, x, y, y_end, unknown ? maybe[side] : solid[side], out);
    lay->signs |= unknown ? SIGN_MAY_SLEEP : SIGN_RUNS;
}

/* From the words to the bar, over the lanes between. */
static void draw_leaders(const struct lay *lay, struct buf *out)
{
    for (size_t k = 0; k < lay->plan->call_count; k++) {
        const struct plan_call *at = &lay->plan->calls[k];
        enum story_side side = at->call->side;
        if (at->lane == 0 || at->lane >= (uint32_t)lay->lanes[side]) continue;
        int from = lay_lane_x(lay, side, 0), to = lay_lane_x(lay, side, at->lane), out_by = side == STORY_CLIENT ? -10 : 10;
        if (lay->calls[k].y) svg_line(out, "w-th w-ld", from + out_by, lay->calls[k].y, to, lay->calls[k].y);
        if (lay->calls[k].y_end && lay->calls[k].y_end != lay->calls[k].y)
            svg_line(out, "w-th w-ld", from + out_by, lay->calls[k].y_end, to, lay->calls[k].y_end);
    }
}

/* From the segment that ended the sleep to the end of the call, with a dot. */
static void draw_wakes(struct lay *lay, struct buf *out)
{
    for (size_t k = 0; k < lay->plan->call_count; k++) {
        const struct plan_call *at = &lay->plan->calls[k];
        const struct story_wake *wake = &at->call->wake;
        const struct lay_flight *flight = wake->kind == WAKE_SEGMENT ? lay_flight_of(lay, wake->step) : NULL;
        if (!flight || at->call->slept_ns == 0 || !lay->calls[k].y_end || at->lane >= (uint32_t)lay->lanes[at->call->side])
            continue;
        if (flight->side == at->call->side) continue;
        int life = lay->life_x[at->call->side], x = lay_lane_x(lay, at->call->side, at->lane);
        int y = flight->y_end ? flight->y_end : flight->y, to = lay->calls[k].y_end;
        if (to < y) continue;
        buf_printf(out, "<path class=\"w-ln w-th %s\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", line_of[at->call->side], life, y,
                   (life + x) / 2, y, (life + x) / 2, to, x, to);
        buf_printf(out,
                   "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"4.5\"/>\n<circle class=\"w-bg\" cx=\"%d\" cy=\"%d\" r=\"2\"/>\n",
                   svg_side[at->call->side], x, to, x, to);
        lay->signs |= SIGN_WOKE;
    }
}

/* ---- causes ---- */

static const struct story_cause *cause_of(const struct lay *lay, uint32_t step)
{
    const struct story_step *at = &lay->plan->story->steps[step];
    return at->kind == STEP_SEGMENT ? &at->segment->cause : &at->datagram->cause;
}

static const struct plan_call *call_of_step(const struct lay *lay, uint32_t step, size_t *ret_index)
{
    for (size_t k = 0; k < lay->plan->call_count; k++) {
        const struct plan_call *at = &lay->plan->calls[k];
        if (at->call->enter_step != step && at->call->exit_step != step) continue;
        *ret_index = k;
        return at;
    }
    return NULL;
}

static void draw_made(struct lay *lay, const struct lay_flight *flight, uint32_t step, struct buf *out)
{
    size_t k = 0;
    const struct plan_call *at = call_of_step(lay, step, &k);
    if (!at || at->lane >= (uint32_t)lay->lanes[flight->side] || at->call->side != flight->side) return;
    int life = lay->life_x[flight->side], x = lay_lane_x(lay, flight->side, at->lane), toward = life > x ? 1 : -1;
    int from = lay->calls[k].y_end && lay->calls[k].y_end < flight->y ? lay->calls[k].y_end : flight->y;
    if (lay->calls[k].y > flight->y) return;
    x += toward * (LAY_BAR / 2);
    buf_printf(out, "<path class=\"w-ln w-th %s\" d=\"M%d %dL%d %dL%d %d\"/>\n", line_of[flight->side], x, from, x + toward * 6,
               flight->y, life - toward * 3, flight->y);
    buf_printf(out, "<path class=\"%s\" d=\"M%d %dl%d -4v8z\"/>\n", svg_side[flight->side], life - toward, flight->y, -toward * 8);
    lay->signs |= SIGN_MADE;
}

/* The kernel answers by itself: a loop at the life line that touches no call. */
static void draw_answer(struct lay *lay, const struct lay_flight *flight, uint32_t step, struct buf *out)
{
    const struct lay_flight *by = lay_flight_of(lay, step);
    if (!by || by->side == flight->side) return;
    int y = by->y_end ? by->y_end : by->y, life = lay->life_x[flight->side], outward = flight->side == STORY_CLIENT ? -1 : 1;
    if (y >= flight->y) return;
    int reach = life + outward * 22;
    buf_printf(out, "<path class=\"w-ln w-th w-do %s\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", line_of[flight->side], life + outward,
               y, reach, y + 1, reach, flight->y - 1, life + outward * 7, flight->y);
    buf_printf(out, "<path class=\"%s\" d=\"M%d %dl%d -4v8z\"/>\n", svg_side[flight->side], life + outward, flight->y, outward * 8);
    lay->signs |= SIGN_ANSWER;
}

static void draw_timer(struct lay *lay, const struct lay_flight *flight, struct buf *out)
{
    const struct story_step *at = &lay->plan->story->steps[flight->step];
    int life = lay->life_x[flight->side], outward = flight->side == STORY_CLIENT ? -1 : 1, x = life + outward * 14;
    const struct lay_flight *first = at->kind == STEP_SEGMENT ? lay_flight_of(lay, at->segment->of_step) : NULL;
    if (first && first->side == flight->side && first->y < flight->y - 16)
        buf_printf(out, "<path class=\"w-ln w-th w-do %s\" d=\"M%d %dL%d %dV%d\"/>\n", line_of[flight->side], life, first->y, x,
                   first->y + 6, flight->y - 8);
    buf_printf(out, "<circle class=\"w-bg w-ln w-th %s\" cx=\"%d\" cy=\"%d\" r=\"7\"/>\n", line_of[flight->side], x, flight->y);
    buf_printf(out, "<path class=\"w-ln w-th %s\" d=\"M%d %dv-4M%d %dh3M%d %dH%d\"/>\n", line_of[flight->side], x, flight->y, x,
               flight->y, x - outward * 7, flight->y, life);
    lay->signs |= SIGN_TIMER;
}

static void draw_causes(struct lay *lay, struct buf *out)
{
    for (size_t i = 0; i < lay->flight_count; i++) {
        const struct lay_flight *flight = &lay->flights[i];
        const struct story_cause *cause = cause_of(lay, flight->step);
        if (flight->flight == PLAN_ARRIVES) continue; /* nobody here made it */
        if (cause->kind == CAUSE_CALL && cause->step != STORY_NO_STEP) draw_made(lay, flight, cause->step, out);
        if (cause->kind == CAUSE_SEGMENT && cause->step != STORY_NO_STEP) draw_answer(lay, flight, cause->step, out);
        if (cause->kind == CAUSE_TIMER) draw_timer(lay, flight, out);
    }
}

/* ---- arrows ---- */

static void draw_cross(int x, int y, struct buf *out)
{
    buf_printf(out, "<path class=\"w-ln w-la\" stroke-width=\"2.6\" d=\"M%d %dl12 12m0 -12l-12 12\"/>\n", x - 6, y - 6);
}

static void draw_flight(struct lay *lay, const struct lay_flight *flight, struct buf *out)
{
    char class[48];
    int from = lay->life_x[flight->side], to = lay->life_x[!flight->side], y_end = flight->y_end;
    bool whole = flight->flight != PLAN_LOST && flight->flight != PLAN_ARRIVES;
    if (flight->flight == PLAN_LOST) to = from + (to - from) * 4 / 5;
    if (flight->flight == PLAN_ARRIVES) from = from + (to - from) / 4;
    snprintf(class, sizeof(class), "%s%s", flight->alarming ? "w-la" : line_of[flight->side],
             flight->again || flight->flight == PLAN_ARRIVES ? " w-da" : "");
    int short_of = to > from ? -10 : 10, dy = to == from ? 0 : (y_end - flight->y) * short_of / (to - from);
    bool has_head = flight->flight != PLAN_LOST;
    buf_printf(out, "<path class=\"w-ln %s\" d=\"M%d %dL%d %d\" data-row=\"%u\"/>\n", class, from, flight->y,
               has_head ? to + short_of : to, has_head ? y_end + dy : y_end, flight->row);
    if (has_head)
        svg_arrow_head(out, flight->alarming ? "w-a" : svg_side[flight->side], from, flight->y, to, y_end, flight->alarming);
    else
        draw_cross(to, y_end, out);
    if (flight->again) lay->signs |= SIGN_AGAIN;
    if (flight->alarming) lay->signs |= SIGN_RESET;
    lay->signs |= flight->flight == PLAN_LOST ? SIGN_LOST : whole && flight->arrives_ns ? SIGN_SLOPE : SIGN_LEVEL;
}

/* ---- folds ---- */

static void draw_slashes(int x, int y, const char *class, struct buf *out)
{
    buf_printf(out, "<path class=\"w-ln w-th %s\" d=\"M%d %dl14 -7M%d %dl14 -7\"/>\n", class, x - 7, y - 2, x - 7, y + 9);
}

static void draw_fold(const struct lay *lay, int y, struct buf *out)
{
    int left = lay->band_x[STORY_CLIENT], right = lay->band_x[STORY_SERVER] + lay->band_width;
    buf_printf(out, "<path class=\"w-bg\" d=\"M%d %dL%d %dV%dL%d %dZ\"/>\n", left - 2, y - 5, right + 2, y - 5, y + 5, left - 2,
               y + 5);
    buf_printf(out, "<path class=\"w-ln w-th w-do w-ld\" d=\"M%d %dH%d\"/>\n", lay->life_x[STORY_CLIENT] + 16, y,
               lay->life_x[STORY_SERVER] - 16);
    for (int side = 0; side < STORY_SIDES; side++) {
        draw_slashes(lay->life_x[side], y, "w-ld", out);
        if (lay->band_width && first_state(lay, (enum story_side)side))
            draw_slashes(side == STORY_CLIENT ? left + 3 : right - 3, y, "w-ld", out);
    }
}

void draw_shapes(struct lay *lay, struct buf *out)
{
    draw_bands(lay, out);
    for (int side = 0; side < STORY_SIDES; side++)
        svg_line(out, line_of[side], lay->life_x[side], lay->top, lay->life_x[side], lay->bottom);
    draw_leaders(lay, out);
    for (size_t k = 0; k < lay->plan->call_count; k++) draw_bar(lay, k, out);
    for (size_t i = 0; i < lay->fold_count; i++) draw_fold(lay, lay->folds[i].y, out);
    draw_causes(lay, out);
    draw_wakes(lay, out);
    for (size_t i = 0; i < lay->flight_count; i++) draw_flight(lay, &lay->flights[i], out);
}

int svg_ladder(const struct plan *plan, int top, int *ret_bottom, unsigned *signs, struct buf *out)
{
    struct lay lay;
    int code = lay_ladder(&lay, plan, top);
    if (!code) {
        draw_shapes(&lay, out);
        buf_append(out, lay.texts.data, lay.texts.length);
        if (lay.texts.failed || out->failed) code = -ENOMEM;
        *ret_bottom = lay.bottom;
        *signs |= lay.signs;
    }
    lay_free(&lay);
    return code;
}
