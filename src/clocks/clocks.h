/* Two clocks, seen through the segments that both saw.
 *
 * No segment arrives before it was sent. So each one that went from place a to place b bounds how far b's clock can be behind a's,
 * and each one that went the other way how far it can be ahead; what is between is a corridor (clocks/corridor.h), and the clock is
 * taken to run in its middle. Nothing is assumed of delays but that they are not negative: how the round trip is divided between
 * the two ways can't be known from the ends, and the uncertainty covers every division of it. It is assumed that each clock runs at
 * one speed. Where no straight line fits, one of them was set (or its speed changed much): from there on there is another piece.
 *
 * Pure: no I/O, no clock of its own. */
#ifndef TCPWHY_CLOCKS_CLOCKS_H
#define TCPWHY_CLOCKS_CLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"

/* Files hold any times. Those that are compared lie from 0 (1970) to this (the year 2116; 32 bits of seconds end in 2106),
 * corrected ones as far below 0 as above: so the difference of any two fits 64 bits, with half an hour more on either side of it.
 */
#define CLOCKS_TIME_MOST_NS MOMENT_MOST_NS

/* A captured time, as near to it as that allows. */
static inline int64_t clocks_time(int64_t t_ns)
{
    return t_ns < 0 ? 0 : t_ns > CLOCKS_TIME_MOST_NS ? CLOCKS_TIME_MOST_NS : t_ns;
}

/* A segment that both saw. */
struct clocks_pair {
    int64_t a_ns, b_ns; /* when, each by its own clock; as clocks_time gives them */
    uint64_t order;     /* its number in b's capture: what came first there, though b's clock may have been set back */
    bool forth;         /* it went from a to b */
};

enum { CLOCKS_PIECES_MAX = 8 };

struct clocks_piece {
    uint64_t from_order;          /* holds from this number of b's capture on */
    int64_t first_ns;             /* by b's clock: the first of what it rests on */
    int64_t b_ns;                 /* by b's clock: the middle of what it rests on */
    int64_t offset_ns;            /* a's clock less b's, then; within ±CLOCKS_TIME_MOST_NS */
    double slope;                 /* by how much that grows for each nanosecond of b's clock */
    int64_t uncertainty_ns;       /* the truth at b_ns is no further away; -1: bounded from one side only */
    int64_t most_ns;              /* the same at the worst place between the first and the last of what it rests on; -1 */
    int64_t drift_within_ppb;     /* the true slope is no further from `slope`, in 1e-9; -1: nothing useful can be said */
    int64_t span_ns;              /* of what it rests on, by b's clock */
    size_t forth, back, left_out; /* segments; left out: single ones that contradict all others */
};

struct clocks {
    struct clocks_piece piece[CLOCKS_PIECES_MAX];
    size_t count;
};

/* `pairs` are sorted by this function (by order). `slack_ns`: how much times may be off by themselves, such as the resolution of
 * the files. 0; -ENODATA: no pairs; -ERANGE: they contradict each other in too many places; -ENOMEM. */
int clocks_estimate(struct clocks *ret_clocks, struct clocks_pair *pairs, size_t count, int64_t slack_ns);
/* What a's clock showed when b's showed `b_ns` (any) at packet `order` of its capture, within ±CLOCKS_TIME_MOST_NS. */
int64_t clocks_to_a(const struct clocks *clocks, uint64_t order, int64_t b_ns);
/* The piece that holds at that packet. */
const struct clocks_piece *clocks_at(const struct clocks *clocks, uint64_t order);

#endif
