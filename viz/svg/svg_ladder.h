/* A ladder in SVG: where everything of a plan stands, and its drawing.
 *
 * Client left, server right, time downward. From outside to inside: clock time, states as bands, calls as words and bars, the life
 * line; between the life lines the wire. Every instant has a height of its own, later ones lower, each with its time beside it: the
 * order is to scale, the distances are not. */
#ifndef TCPWHY_VIZ_SVG_LADDER_H
#define TCPWHY_VIZ_SVG_LADDER_H

#include "base/buf.h"
#include "viz/plan/plan.h"
#include "viz/svg/svg_pen.h"

/* What a drawing uses, and so its legend has to explain. */
enum svg_sign {
    SIGN_RUNS = 1 << 0,
    SIGN_SLEEPS = 1 << 1,
    SIGN_MAY_SLEEP = 1 << 2,
    SIGN_MADE = 1 << 3,
    SIGN_ANSWER = 1 << 4,
    SIGN_TIMER = 1 << 5,
    SIGN_WOKE = 1 << 6,
    SIGN_SLOPE = 1 << 7,
    SIGN_LEVEL = 1 << 8,
    SIGN_LOST = 1 << 9,
    SIGN_AGAIN = 1 << 10,
    SIGN_RESET = 1 << 11,
    SIGN_FOLD = 1 << 12,
    SIGNS = 13
};

enum { SVG_WIDTH = 1280, SVG_MARGIN = 36 };

/* Appends the ladder from height `top` on, *ret_bottom: where it ends; adds to *signs. 0 or -ENOMEM. */
int svg_ladder(const struct plan *plan, int top, int *ret_bottom, unsigned *signs, struct buf *out);

/* The signs, explained, from height `top` on; returns the baseline of their last line, and how far that is filled. */
int svg_legend(unsigned signs, int top, int size, bool ascii, int *ret_x, struct buf *out);

#endif
