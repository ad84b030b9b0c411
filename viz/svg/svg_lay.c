/* Heights: one for each instant, so that what is later is lower and no words meet. */
#include "viz/svg/svg_lay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct lay_sizes full = {.label = 13,
                                      .cause = 15,
                                      .evidence = 11,
                                      .call = 12,
                                      .time = 12,
                                      .state = 12,
                                      .head = 15,
                                      .tick = 14,
                                      .lean = 16,
                                      .fold = 40,
                                      .same_way = 28};
static const struct lay_sizes brief = {.label = 15,
                                       .cause = 17,
                                       .evidence = 14,
                                       .call = 14,
                                       .time = 14,
                                       .state = 14,
                                       .head = 16,
                                       .tick = 14,
                                       .lean = 12,
                                       .fold = 28,
                                       .same_way = 14};

static int max(int a, int b)
{
    return a > b ? a : b;
}

int lay_lane_x(const struct lay *lay, enum story_side side, uint32_t lane)
{
    int inner = lay->lanes[side] - 1 - (int)lane;
    int away = LAY_GUTTER + inner * LAY_LANE;
    return side == STORY_CLIENT ? lay->life_x[side] - away : lay->life_x[side] + away;
}

const struct lay_flight *lay_flight_of(const struct lay *lay, uint32_t step)
{
    if (step >= lay->plan->story->step_count || !lay->flight_of[step]) return NULL;
    return &lay->flights[lay->flight_of[step] - 1];
}

int lay_y_of(const struct lay *lay, int64_t t_ns)
{
    if (lay->mark_count == 0 || t_ns <= lay->marks[0].t_ns) return lay->top;
    for (size_t i = 1; i < lay->mark_count; i++) {
        const struct lay_mark *a = &lay->marks[i - 1], *b = &lay->marks[i];
        if (t_ns > b->t_ns) continue;
        if (b->t_ns <= a->t_ns) return b->y;
        return a->y + (int)((double)(b->y - a->y) * ((double)(t_ns - a->t_ns) / (double)(b->t_ns - a->t_ns)));
    }
    return lay->marks[lay->mark_count - 1].y;
}

/* ---- instants ---- */

/* An instant at least as low as `least`. Returns its height. */
static int mark(struct lay *lay, int64_t t_ns, int least)
{
    bool same = lay->mark_count && lay->marks[lay->mark_count - 1].t_ns == t_ns;
    int y = max(lay->y + (same ? 2 : lay->size.tick), least);
    lay->marks[lay->mark_count++] = (struct lay_mark){t_ns, y};
    lay->y = y;
    lay_time(lay, t_ns, y);
    return y;
}

static int room_for_state(const struct lay *lay, const struct plan_row *row, bool client, bool server)
{
    int least = 0;
    if (client && row->states[STORY_CLIENT] != STORY_NO_STEP) least = max(least, lay->state_y[STORY_CLIENT]);
    if (server && row->states[STORY_SERVER] != STORY_NO_STEP) least = max(least, lay->state_y[STORY_SERVER]);
    return least;
}

static void add_band(struct lay *lay, enum story_side side, uint32_t step, uint32_t row, int y)
{
    const struct story_state *state = lay->plan->story->steps[step].state;
    lay->bands[lay->band_count++] = (struct lay_band){side, y, state->to, row};
    lay->state_y[side] = y + lay->size.state + 9;
}

/* The states that this row brings to the ends asked for, from height y on; a second one stands below the first. */
static void add_states(struct lay *lay, uint32_t i, bool client, bool server, int y)
{
    const struct plan_row *row = &lay->plan->rows[i];
    for (int side = 0; side < STORY_SIDES; side++) {
        if (side == STORY_CLIENT ? !client : !server) continue;
        if (row->states[side] != STORY_NO_STEP) add_band(lay, (enum story_side)side, row->states[side], i, y);
        if (row->further[side] == STORY_NO_STEP) continue;
        int below = mark(lay, lay->plan->story->steps[row->further[side]].t_ns, lay->state_y[side]);
        add_band(lay, (enum story_side)side, row->further[side], i, below);
    }
}

/* ---- packets ---- */

/* Whether another packet leaves or arrives before this one arrives. */
static bool is_crossed(const struct lay *lay, uint32_t i, int64_t arrives_ns)
{
    if (lay->flights_open) return true;
    for (size_t k = i + 1; k < lay->plan->count; k++) {
        const struct plan_row *row = &lay->plan->rows[k];
        if (row->t_ns > arrives_ns || (row->kind == PLAN_ARRIVE && row->step == lay->plan->rows[i].step)) return false;
        bool on_wire = row->kind == PLAN_PACKET || row->kind == PLAN_DEPART || row->kind == PLAN_ARRIVE;
        if (on_wire && row->t_ns < arrives_ns) return true;
    }
    return false;
}

static void arrive(struct lay *lay, struct lay_flight *flight, uint32_t state_row)
{
    const struct plan_row *row = &lay->plan->rows[state_row];
    bool at_client = flight->side == STORY_SERVER;
    int least = max(flight->y + lay->size.lean, room_for_state(lay, row, at_client, !at_client));
    flight->y_end = mark(lay, flight->arrives_ns, least);
    lay->flights_open--;
    if (flight->above)
        lay->wire_y = max(lay->wire_y, flight->y_end + 4);
    else {
        struct arena arena = arena_new();
        struct plan_words words;
        plan_tell(lay->plan, flight->row, &arena, &words);
        lay_sentences(lay, &words, flight);
        lay->failed = lay->failed || words.failed;
        arena_free(&arena);
    }
    add_states(lay, state_row, at_client, !at_client, flight->y_end);
}

/* Packets whose arrival has no row of its own arrive when their time has come. */
static void arrive_until(struct lay *lay, int64_t t_ns)
{
    while (lay->flights_open) {
        struct lay_flight *next = NULL;
        for (size_t i = 0; i < lay->flight_count; i++) {
            struct lay_flight *flight = &lay->flights[i];
            bool waits = flight->arrives_ns && !flight->y_end && !flight->lands;
            if (waits && flight->arrives_ns <= t_ns && (!next || flight->arrives_ns < next->arrives_ns)) next = flight;
        }
        if (!next) return;
        arrive(lay, next, next->row);
    }
}

/* Whether an earlier packet of this end is still under way. */
static bool flies_from(const struct lay *lay, enum story_side side)
{
    for (size_t i = 0; i + 1 < lay->flight_count; i++) {
        const struct lay_flight *flight = &lay->flights[i];
        if (flight->side == side && flight->arrives_ns && !flight->y_end) return true;
    }
    return false;
}

/* Whether the arrival has a row of its own: it may have been left out. */
static bool has_landing(const struct lay *lay, uint32_t i)
{
    size_t count = lay->plan->count > LAY_ROWS_MAX ? LAY_ROWS_MAX : lay->plan->count;
    for (size_t k = i + 1; k < count; k++)
        if (lay->plan->rows[k].kind == PLAN_ARRIVE && lay->plan->rows[k].step == lay->plan->rows[i].step) return true;
    return false;
}

static void leave(struct lay *lay, uint32_t i, const struct plan_words *words)
{
    const struct plan_row *row = &lay->plan->rows[i];
    int64_t sent, received;
    plan_flight_times(lay->plan->story, row->step, &sent, &received);
    bool is_seen = received > 0 && words->flight != PLAN_LOST && words->flight != PLAN_ARRIVES;
    struct lay_flight *flight = &lay->flights[lay->flight_count++];
    *flight = (struct lay_flight){.row = i,
                                  .step = row->step,
                                  .arrives_ns = is_seen ? received : 0,
                                  .flight = words->flight,
                                  .alarming = words->alarming,
                                  .again = words->again,
                                  .side = row->side};
    lay->flight_of[row->step] = (uint32_t)lay->flight_count;
    flight->lands = words->flight == PLAN_DEPARTS && has_landing(lay, i);
    flight->above = is_seen && is_crossed(lay, i, received);
    bool from_client = row->side == STORY_CLIENT;
    int above = flight->above ? lay_packet_above_height(lay, words) : lay_label_height(lay, words);
    if (flight->above && flies_from(lay, row->side)) above += lay->size.same_way; /* whose arrow passes there */
    int least = max(lay->wire_y + above, room_for_state(lay, row, from_client || !is_seen, !from_client || !is_seen));
    flight->y = mark(lay, row->t_ns, least);
    if (flight->above)
        lay_packet_above(lay, words, i, row->side, flight->y);
    else
        lay_label(lay, words, flight);
    lay->wire_y = flight->y + 4;
    if (is_seen)
        lay->flights_open++;
    else {
        flight->y_end = flight->y + (words->flight == PLAN_LOST ? lay->size.lean : 0);
        lay_sentences(lay, words, flight);
    }
    add_states(lay, i, from_client || !is_seen, !from_client || !is_seen, flight->y);
}

static void land(struct lay *lay, uint32_t i)
{
    const struct plan_row *row = &lay->plan->rows[i];
    struct lay_flight *flight = lay->flight_of[row->step] ? &lay->flights[lay->flight_of[row->step] - 1] : NULL;
    if (flight && flight->arrives_ns && !flight->y_end) arrive(lay, flight, i);
}

/* ---- the rest ---- */

static void lay_call_row(struct lay *lay, uint32_t i, const struct plan_words *words)
{
    const struct plan_row *row = &lay->plan->rows[i];
    int least = max(lay->call_y[row->side] + lay->size.call, room_for_state(lay, row, true, true));
    int y = mark(lay, row->t_ns, least);
    struct lay_call *call = row->call == PLAN_NONE ? NULL : &lay->calls[row->call];
    if (call && (row->kind == PLAN_ENTER || row->kind == PLAN_CALL)) call->y = y;
    if (call && (row->kind == PLAN_EXIT || row->kind == PLAN_CALL)) call->y_end = y;
    if (call && row->kind == PLAN_UNRETURNED) call->unreturned = true;
    lay_call_words(lay, words, i, row->side, y);
    add_states(lay, i, true, true, y);
}

static void fold(struct lay *lay, uint32_t i, const struct phrase *words)
{
    int y = max(lay->y + 6, lay->wire_y);
    for (int side = 0; side < STORY_SIDES; side++) y = max(y, max(lay->call_y[side], lay->state_y[side] - 4));
    lay->folds[lay->fold_count++] = (struct lay_fold){y + lay->size.fold / 2};
    lay_fold_words(lay, words, i, y + lay->size.fold / 2);
    lay->y = y + lay->size.fold - lay->size.tick;
    lay->wire_y = lay->call_y[STORY_CLIENT] = lay->call_y[STORY_SERVER] = y + lay->size.fold;
    lay->state_y[STORY_CLIENT] = max(lay->state_y[STORY_CLIENT], y + lay->size.fold);
    lay->state_y[STORY_SERVER] = max(lay->state_y[STORY_SERVER], y + lay->size.fold);
    lay->signs |= SIGN_FOLD;
}

/* A call of which the plan does not tell the end. */
static void end_untold(struct lay *lay, uint32_t i)
{
    for (size_t k = 0; k < lay->plan->call_count; k++)
        if (lay->plan->calls[k].last_row == i && !lay->calls[k].y_end) lay->calls[k].y_end = lay->y + 6;
}

static void lay_row(struct lay *lay, uint32_t i, struct arena *arena)
{
    const struct plan_row *row = &lay->plan->rows[i];
    struct plan_words words;
    plan_tell(lay->plan, i, arena, &words);
    lay->failed = lay->failed || words.failed;
    if (row->kind != PLAN_UNRETURNED) arrive_until(lay, row->t_ns);
    if (row->pause_ns && row->kind != PLAN_SKIP) {
        struct phrase pause = phrase_new(arena);
        plan_tell_pause(row, &pause);
        fold(lay, i, &pause);
    }
    switch (row->kind) {
    case PLAN_SKIP:
        fold(lay, i, &words.label);
        for (int side = 0; side < STORY_SIDES; side++)
            if (row->states[side] != STORY_NO_STEP)
                add_band(lay, (enum story_side)side, row->states[side], i, lay->folds[lay->fold_count - 1].y + 4);
        break;
    case PLAN_PACKET:
    case PLAN_DEPART:
        leave(lay, i, &words);
        break;
    case PLAN_ARRIVE:
        land(lay, i);
        break;
    default:
        lay_call_row(lay, i, &words);
    }
    end_untold(lay, i);
}

static void measure(struct lay *lay)
{
    const struct plan *plan = lay->plan;
    bool is_brief = plan->options->brief;
    lay->size = is_brief ? brief : full;
    lay->ascii = plan->options->ascii;
    lay->band_width = plan->story->udp ? 0 : is_brief ? 132 : 112;
    for (int side = 0; side < STORY_SIDES; side++) {
        size_t lanes = plan->lanes[side];
        lay->lanes[side] = lanes < 1 ? 1 : lanes > LAY_LANES ? LAY_LANES : (int)lanes;
    }
    int most = max(lay->lanes[STORY_CLIENT], lay->lanes[STORY_SERVER]), wire = is_brief ? 440 : 430;
    if (most > 3) wire -= 14 * (most - 3);
    lay->time_x = SVG_MARGIN + (is_brief ? 74 : 66);
    lay->band_x[STORY_CLIENT] = lay->time_x + 12;
    lay->band_x[STORY_SERVER] = SVG_WIDTH - SVG_MARGIN - lay->band_width;
    int left = lay->band_x[STORY_CLIENT] + lay->band_width, right = lay->band_x[STORY_SERVER], sides = (right - left - wire) / 2;
    lay->life_x[STORY_CLIENT] = left + sides;
    lay->life_x[STORY_SERVER] = right - sides;
    lay->words_width = sides - LAY_GUTTER - LAY_LANE * (most - 1) - 22;
}

static bool allocate(struct lay *lay)
{
    const struct plan *plan = lay->plan;
    size_t rows = plan->count + 1;
    lay->marks = calloc(4 * rows, sizeof(*lay->marks));
    lay->bands = calloc(4 * rows, sizeof(*lay->bands));
    lay->folds = calloc(rows, sizeof(*lay->folds));
    lay->flights = calloc(rows, sizeof(*lay->flights));
    lay->calls = calloc(plan->call_count + 1, sizeof(*lay->calls));
    lay->flight_of = calloc(plan->story->step_count + 1, sizeof(*lay->flight_of));
    return lay->marks && lay->bands && lay->folds && lay->flights && lay->calls && lay->flight_of;
}

int lay_ladder(struct lay *lay, const struct plan *plan, int top)
{
    *lay = (struct lay){.plan = plan, .texts = buf_new((size_t)64 << 20)};
    measure(lay);
    if (!allocate(lay)) return -ENOMEM;
    lay_head(lay, top);
    lay->y = lay->top - lay->size.tick + 16;
    lay->wire_y = lay->call_y[0] = lay->call_y[1] = lay->top + 4;
    lay->state_y[0] = lay->state_y[1] = lay->top + lay->size.state + 9;
    size_t count = plan->count > LAY_ROWS_MAX ? LAY_ROWS_MAX : plan->count;
    for (uint32_t i = 0; i < count && !lay->failed; i++) {
        struct arena arena = arena_new();
        lay_row(lay, i, &arena);
        arena_free(&arena);
    }
    arrive_until(lay, INT64_MAX);
    lay->bottom = max(max(lay->y, lay->wire_y), max(lay->call_y[0], lay->call_y[1])) + 10;
    for (int side = 0; side < STORY_SIDES; side++) lay->bottom = max(lay->bottom, lay->state_y[side] + 2);
    return lay->failed || lay->texts.failed ? -ENOMEM : 0;
}

void lay_free(struct lay *lay)
{
    free(lay->marks);
    free(lay->bands);
    free(lay->folds);
    free(lay->flights);
    free(lay->calls);
    free(lay->flight_of);
    buf_free(&lay->texts);
}
