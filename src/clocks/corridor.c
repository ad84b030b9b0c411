#include "clocks/corridor.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Slopes are searched by thirds and halves: so many steps leave nothing that a double could show. */
enum { THIRDS = 100, HALVES = 60 };
/* A slope is worth having where it widens the corridor to more than 1/0.9 of what it is without. */
static const double WORTH = 0.9;

int corridor_new(struct corridor *ret_corridor, size_t points, double slope_limit, double slope_useful)
{
    *ret_corridor = (struct corridor){.room = points, .slope_limit = slope_limit, .slope_useful = slope_useful};
    ret_corridor->floor = calloc(points + 1, sizeof(struct corridor_point));
    ret_corridor->ceiling = calloc(points + 1, sizeof(struct corridor_point));
    if (ret_corridor->floor && ret_corridor->ceiling) return 0;
    corridor_free(ret_corridor);
    return -ENOMEM;
}

void corridor_free(struct corridor *corridor)
{
    free(corridor->floor);
    free(corridor->ceiling);
    corridor->floor = corridor->ceiling = NULL;
}

void corridor_clear(struct corridor *corridor)
{
    corridor->floor_count = corridor->ceiling_count = 0;
}

/* Positive: b lies to the left of the way from a to c, that is, above it where x grows. */
static double bend(struct corridor_point a, struct corridor_point b, struct corridor_point c)
{
    return (b.y - a.y) * (c.x - a.x) - (c.y - a.y) * (b.x - a.x);
}

/* The upper hull for sign 1, the lower one for -1 (Andrew's monotone chain). */
static size_t add_to_hull(struct corridor_point *hull, size_t count, struct corridor_point point, double sign)
{
    if (count && hull[count - 1].x == point.x) {
        if (sign * (point.y - hull[count - 1].y) <= 0) return count;
        count--;
    }
    while (count >= 2 && sign * bend(hull[count - 2], hull[count - 1], point) <= 0) count--;
    hull[count] = point;
    return count + 1;
}

void corridor_add(struct corridor *corridor, bool is_floor, double x, double y)
{
    const struct corridor_point point = {x, y};
    if (is_floor)
        corridor->floor_count = add_to_hull(corridor->floor, corridor->floor_count, point, 1);
    else
        corridor->ceiling_count = add_to_hull(corridor->ceiling, corridor->ceiling_count, point, -1);
}

/* sign * (y - slope * x) rises along a hull up to its extreme, and falls behind it. */
static double extreme(const struct corridor_point *hull, size_t count, double slope, double sign)
{
    size_t from = 0, to = count - 1;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        double step = (hull[middle + 1].y - hull[middle].y) - slope * (hull[middle + 1].x - hull[middle].x);
        if (sign * step > 0)
            from = middle + 1;
        else
            to = middle;
    }
    return hull[from].y - slope * hull[from].x;
}

double corridor_floor(const struct corridor *corridor, double slope)
{
    return corridor->floor_count ? extreme(corridor->floor, corridor->floor_count, slope, 1) : -HUGE_VAL;
}

double corridor_ceiling(const struct corridor *corridor, double slope)
{
    return corridor->ceiling_count ? extreme(corridor->ceiling, corridor->ceiling_count, slope, -1) : HUGE_VAL;
}

static double gap(const struct corridor *corridor, double slope)
{
    return corridor_ceiling(corridor, slope) - corridor_floor(corridor, slope);
}

/* The gap is concave in the slope: the lowest of straight lines, less the highest of others. */
static double widest(const struct corridor *corridor)
{
    double from = -corridor->slope_limit, to = corridor->slope_limit;
    for (int i = 0; i < THIRDS; i++) {
        double left = from + (to - from) / 3, right = to - (to - from) / 3;
        if (gap(corridor, left) < gap(corridor, right))
            from = left;
        else
            to = right;
    }
    return (from + to) / 2;
}

/* Between a slope where the gap is at least `wanted` and one where it may not be: the last where it is. */
static double last_with(const struct corridor *corridor, double good, double other, double wanted)
{
    if (gap(corridor, other) >= wanted) return other;
    for (int i = 0; i < HALVES; i++) {
        double middle = (good + other) / 2;
        if (gap(corridor, middle) >= wanted)
            good = middle;
        else
            other = middle;
    }
    return good;
}

bool corridor_fit(struct corridor *corridor)
{
    corridor->slope = corridor->offset = 0;
    corridor->slope_from = -corridor->slope_limit;
    corridor->slope_to = corridor->slope_limit;
    if (!corridor->floor_count && !corridor->ceiling_count) return false;
    if (!corridor->floor_count || !corridor->ceiling_count) {
        corridor->offset = corridor->floor_count ? corridor_floor(corridor, 0) : corridor_ceiling(corridor, 0);
        return true;
    }
    double best = widest(corridor), width = gap(corridor, best);
    if (width < 0) return false;
    corridor->slope_from = last_with(corridor, best, -corridor->slope_limit, 0);
    corridor->slope_to = last_with(corridor, best, corridor->slope_limit, 0);
    double level = gap(corridor, 0);
    bool is_useful = corridor->slope_to - corridor->slope_from <= 2 * corridor->slope_useful;
    /* Where many slopes are as good, the least of them. */
    if (level < 0 || (is_useful && level < WORTH * width)) corridor->slope = last_with(corridor, best, 0, width * (1 - 1e-6));
    double low = corridor_floor(corridor, corridor->slope), high = corridor_ceiling(corridor, corridor->slope);
    corridor->offset = low + (high - low) / 2;
    return true;
}

/* sign 1: the highest point at x of a line that fits; -1: the lowest. Concave in the slope (for -1: convex). */
static double reach(const struct corridor *corridor, double slope, double x, double sign)
{
    return sign > 0 ? corridor_ceiling(corridor, slope) + slope * x : -corridor_floor(corridor, slope) - slope * x;
}

static double farthest(const struct corridor *corridor, double x, double sign)
{
    double from = corridor->slope_from, to = corridor->slope_to;
    for (int i = 0; i < THIRDS; i++) {
        double left = from + (to - from) / 3, right = to - (to - from) / 3;
        if (reach(corridor, left, x, sign) < reach(corridor, right, x, sign))
            from = left;
        else
            to = right;
    }
    return sign * reach(corridor, (from + to) / 2, x, sign);
}

double corridor_highest(const struct corridor *corridor, double x)
{
    return farthest(corridor, x, 1);
}

double corridor_lowest(const struct corridor *corridor, double x)
{
    return farthest(corridor, x, -1);
}
