#include "clocks/clocks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clocks/corridor.h"

/* Two clocks don't differ by more in speed: adjtimex(2) allows 500 parts in a million on each side, quartz adds about 100. */
static const double SLOPE_MOST = 1200e-6;
/* Most clocks are better than this: a statement on speed that is no sharper is none. */
static const double SLOPE_USEFUL = 100e-6;
/* How many single pairs may contradict all others, and how many of the next are asked whether one is such. */
enum { LEFT_OUT_MAX = 8, ASKED = 4, ASKED_BEHIND = 4096 };

struct bound {
    double x, y;
    bool is_floor;
};

struct fitter {
    const struct clocks_pair *pairs;
    bool *left_out;
    struct bound *bounds; /* of the pairs that are tried */
    struct corridor corridor;
    int64_t b0_ns, y0_ns; /* times are kept relative to these, so that doubles hold them */
    int64_t slack_ns;
    size_t left_out_count;
};

static int64_t minus(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_sub_overflow(a, b, &result) ? (a < b ? INT64_MIN : INT64_MAX) : result;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? (a < 0 ? INT64_MIN : INT64_MAX) : result;
}

/* What is beyond 64 bits, or no number at all, is as large as fits. */
static int64_t rounded(double value)
{
    if (value <= -9.2e18) return INT64_MIN;
    return value < 9.2e18 ? llround(value) : INT64_MAX;
}

static int64_t within_times(int64_t ns)
{
    return ns < -CLOCKS_TIME_MOST_NS ? -CLOCKS_TIME_MOST_NS : ns > CLOCKS_TIME_MOST_NS ? CLOCKS_TIME_MOST_NS : ns;
}

static int by_order(const void *left, const void *right)
{
    const struct clocks_pair *a = left, *b = right;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    return (a->b_ns > b->b_ns) - (a->b_ns < b->b_ns);
}

static int by_x(const void *left, const void *right)
{
    const struct bound *a = left, *b = right;
    return (a->x > b->x) - (a->x < b->x);
}

/* b's clock showed x when a's showed a_ns or more (what was sent then arrives at x), or a_ns or less. */
static struct bound bound_of(const struct fitter *fitter, const struct clocks_pair *pair)
{
    double slack = (double)fitter->slack_ns;
    double y = (double)minus(minus(pair->a_ns, pair->b_ns), fitter->y0_ns);
    return (struct bound){(double)minus(pair->b_ns, fitter->b0_ns), pair->forth ? y - slack : y + slack, pair->forth};
}

/* Whether one line fits pairs [from, to), and `extra` unless that is SIZE_MAX; it is then in the corridor. */
static bool fits(struct fitter *fitter, size_t from, size_t to, size_t extra)
{
    size_t count = 0;
    bool sorted = true;
    for (size_t i = from; i <= to; i++) {
        size_t at = i < to ? i : extra;
        if (at == SIZE_MAX || fitter->left_out[at]) continue;
        fitter->bounds[count] = bound_of(fitter, &fitter->pairs[at]);
        sorted = sorted && (!count || fitter->bounds[count - 1].x <= fitter->bounds[count].x);
        count++;
    }
    if (!sorted) qsort(fitter->bounds, count, sizeof(struct bound), by_x);
    corridor_clear(&fitter->corridor);
    for (size_t i = 0; i < count; i++)
        corridor_add(&fitter->corridor, fitter->bounds[i].is_floor, fitter->bounds[i].x, fitter->bounds[i].y);
    return corridor_fit(&fitter->corridor);
}

/* How far pairs from `from` on go with one line; `known` of them do. */
static size_t reach(struct fitter *fitter, size_t from, size_t known, size_t count)
{
    if (fits(fitter, from, count, SIZE_MAX)) return count;
    size_t good = known, step = 1;
    while (good + step < count && fits(fitter, from, good + step, SIZE_MAX)) {
        good += step;
        step *= 2;
    }
    size_t bad = good + step < count ? good + step : count;
    while (good + 1 < bad) {
        size_t middle = good + (bad - good) / 2;
        if (fits(fitter, from, middle, SIZE_MAX))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

/* Whether those behind a pair that doesn't fit do fit: then it is the odd one, and no clock was set. Only those that went the same
 * way can say so: a clock that was set makes delays impossible one way, and just long the other. */
static bool is_odd(struct fitter *fitter, size_t from, size_t at, size_t count)
{
    size_t asked = 0, fitting = 0;
    for (size_t i = at + 1; i < count && i - at < ASKED_BEHIND && asked < ASKED; i++) {
        if (fitter->pairs[i].forth != fitter->pairs[at].forth) continue;
        fitting += fits(fitter, from, at, i);
        asked++;
    }
    return asked == 0 || fitting * 2 > asked;
}

/* Pair `at` is the first that shows that a clock was set. It was between there and the last before it that went the same way: where
 * the two clocks' difference changes most from one pair to the next. */
static size_t find_step(const struct clocks_pair *pairs, size_t from, size_t at)
{
    size_t step = at, i = at;
    uint64_t most = 0;
    do {
        int64_t before = minus(pairs[i - 1].a_ns, pairs[i - 1].b_ns), behind = minus(pairs[i].a_ns, pairs[i].b_ns);
        uint64_t change = before > behind ? (uint64_t)before - (uint64_t)behind : (uint64_t)behind - (uint64_t)before;
        if (change > most) {
            most = change;
            step = i;
        }
        i--;
    } while (i > from && at - i < ASKED_BEHIND && pairs[i].forth != pairs[at].forth);
    return step;
}

static void tell_uncertainty(struct clocks_piece *piece, const struct corridor *corridor, double x, double first, double last)
{
    piece->uncertainty_ns = piece->most_ns = piece->drift_within_ppb = -1;
    if (!piece->forth || !piece->back) return;
    double most[3], places[3] = {x, first, last};
    for (int i = 0; i < 3; i++) {
        double line = corridor->offset + corridor->slope * places[i];
        most[i] = fmax(corridor_highest(corridor, places[i]) - line, line - corridor_lowest(corridor, places[i]));
    }
    /* One nanosecond for what is lost when doubles become whole nanoseconds. */
    piece->uncertainty_ns = plus(rounded(ceil(fmax(most[0], 0))), 1);
    piece->most_ns = plus(rounded(ceil(fmax(fmax(most[0], most[1]), most[2]))), 1);
    double within = fmax(corridor->slope_to - corridor->slope, corridor->slope - corridor->slope_from);
    if (within <= SLOPE_USEFUL || corridor->slope != 0) piece->drift_within_ppb = plus(rounded(ceil(within * 1e9)), 1);
}

static void tell_piece(struct fitter *fitter, struct clocks_piece *piece, size_t from, size_t to)
{
    double first = HUGE_VAL, last = -HUGE_VAL;
    fits(fitter, from, to, SIZE_MAX);
    *piece = (struct clocks_piece){.from_order = fitter->pairs[from].order, .first_ns = fitter->pairs[from].b_ns};
    for (size_t i = from; i < to; i++) {
        struct bound bound = bound_of(fitter, &fitter->pairs[i]);
        if (fitter->left_out[i]) {
            piece->left_out++;
            continue;
        }
        *(bound.is_floor ? &piece->forth : &piece->back) += 1;
        first = fmin(first, bound.x);
        last = fmax(last, bound.x);
    }
    const struct corridor *corridor = &fitter->corridor;
    double x = round(first + (last - first) / 2);
    piece->b_ns = plus(fitter->b0_ns, rounded(x));
    piece->offset_ns = within_times(plus(fitter->y0_ns, rounded(corridor->offset + corridor->slope * x)));
    piece->slope = corridor->slope;
    piece->span_ns = rounded(last - first);
    tell_uncertainty(piece, corridor, x, first, last);
}

static int find_pieces(struct fitter *fitter, struct clocks *clocks, size_t count)
{
    for (size_t from = 0; from < count;) {
        /* What the piece before left out may lie behind the step that was found: a piece rests on others, of which there is one. */
        size_t held = from;
        while (fitter->left_out[held]) held++;
        size_t to = held;
        for (;;) {
            to = reach(fitter, from, to, count);
            if (to == count || fitter->left_out_count == LEFT_OUT_MAX || !is_odd(fitter, from, to, count)) break;
            fitter->left_out[to++] = true;
            fitter->left_out_count++;
        }
        if (clocks->count == CLOCKS_PIECES_MAX) return -ERANGE;
        if (to < count) to = find_step(fitter->pairs, held, to);
        tell_piece(fitter, &clocks->piece[clocks->count++], from, to);
        from = to;
    }
    return 0;
}

/* One or two pairs between many are no clock that was set twice: a segment was taken for another. */
static void drop_scraps(struct clocks *clocks)
{
    enum { SCRAP = 2, MANY = 8 };
    for (size_t i = 0; i < clocks->count && clocks->count > 1;) {
        struct clocks_piece *piece = &clocks->piece[i], *next = i + 1 < clocks->count ? piece + 1 : piece - 1;
        if (piece->forth + piece->back > SCRAP || next->forth + next->back < MANY) {
            i++;
            continue;
        }
        next->left_out += piece->forth + piece->back + piece->left_out;
        if (next > piece) next->from_order = piece->from_order;
        memmove(piece, piece + 1, (--clocks->count - i) * sizeof(*piece));
    }
}

int clocks_estimate(struct clocks *ret_clocks, struct clocks_pair *pairs, size_t count, int64_t slack_ns)
{
    memset(ret_clocks, 0, sizeof(*ret_clocks));
    if (!count) return -ENODATA;
    struct fitter fitter = {.pairs = pairs, .slack_ns = slack_ns};
    fitter.left_out = calloc(count + 1, sizeof(bool));
    fitter.bounds = calloc(count + 1, sizeof(struct bound));
    int code = fitter.left_out && fitter.bounds ? corridor_new(&fitter.corridor, count, SLOPE_MOST, SLOPE_USEFUL) : -ENOMEM;
    if (!code) {
        qsort(pairs, count, sizeof(*pairs), by_order);
        fitter.b0_ns = pairs[0].b_ns;
        fitter.y0_ns = minus(pairs[0].a_ns, pairs[0].b_ns);
        code = find_pieces(&fitter, ret_clocks, count);
        if (!code) drop_scraps(ret_clocks);
    }
    corridor_free(&fitter.corridor);
    free(fitter.left_out);
    free(fitter.bounds);
    return code;
}

const struct clocks_piece *clocks_at(const struct clocks *clocks, uint64_t order)
{
    size_t at = 0;
    while (at + 1 < clocks->count && clocks->piece[at + 1].from_order <= order) at++;
    return &clocks->piece[at];
}

int64_t clocks_to_a(const struct clocks *clocks, uint64_t order, int64_t b_ns)
{
    const struct clocks_piece *piece = clocks_at(clocks, order);
    int64_t drifted_ns = rounded(piece->slope * (double)minus(b_ns, piece->b_ns));
    return within_times(plus(plus(b_ns, piece->offset_ns), drifted_ns));
}
