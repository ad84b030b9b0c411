/* The straight lines that pass above some points and below others: what can be true of a clock, when each point is a bound on it.
 *
 * Points above which a line has to stay are the floor, those below which it has to stay the ceiling; only their convex hulls
 * matter. Between them is a corridor (Moon, Skelly and Towsley, "Estimation and removal of clock skew from network delay
 * measurements", INFOCOM 1999, use one of the two hulls; here there are both). Pure: doubles in, doubles out. */
#ifndef TCPWHY_CLOCKS_CORRIDOR_H
#define TCPWHY_CLOCKS_CORRIDOR_H

#include <stdbool.h>
#include <stddef.h>

struct corridor_point {
    double x, y;
};

struct corridor {
    struct corridor_point *floor, *ceiling; /* hulls, from left to right; owned */
    size_t floor_count, ceiling_count, room;
    double slope_limit;          /* no line is steeper, up or down */
    double slope_useful;         /* slopes that are not known to within this are not worth having */
    double slope_from, slope_to; /* lines of these slopes fit: valid after corridor_fit said true */
    double slope;                /* the one to take */
    double offset;               /* its height at x = 0: in the middle between floor and ceiling, or on the only one of them */
};

/* Room for hulls of `points` points each. 0 or -ENOMEM. Release with corridor_free. */
int corridor_new(struct corridor *ret_corridor, size_t points, double slope_limit, double slope_useful);
void corridor_free(struct corridor *corridor);
void corridor_clear(struct corridor *corridor);
/* Adds a bound. Within the floor, and within the ceiling, x never goes down from one call to the next. */
void corridor_add(struct corridor *corridor, bool is_floor, double x, double y);

/* How high a line of that slope must and may be at x = 0: HUGE_VAL with a sign where nothing bounds it. */
double corridor_floor(const struct corridor *corridor, double slope);
double corridor_ceiling(const struct corridor *corridor, double slope);

/* Finds slope and offset. False: no line fits. The slope is 0 where that fits, unless the points bound the slope usefully and
 * another one makes the corridor wider by more than a tenth: a tilt that they don't ask for is none. With floor or ceiling alone it
 * is 0. */
bool corridor_fit(struct corridor *corridor);
/* How high and how low the lines that fit come at x; needs both floor and ceiling, and corridor_fit. */
double corridor_highest(const struct corridor *corridor, double x);
double corridor_lowest(const struct corridor *corridor, double x);

#endif
