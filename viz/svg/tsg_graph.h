/* One direction of a time-sequence graph: where its moments and numbers lie, and its lines.
 *
 * Internal to viz/svg. */
#ifndef TCPWHY_VIZ_SVG_TSG_GRAPH_H
#define TCPWHY_VIZ_SVG_TSG_GRAPH_H

#include "base/buf.h"
#include "story/story.h"
#include "viz/svg/svg_ladder.h"

enum { LEFT = 132, RIGHT = SVG_WIDTH - SVG_MARGIN, PLOT_HEIGHT = 380 };

/* One direction. */
struct graph {
    const struct story *story;
    enum story_side side; /* whose data */
    int64_t from_ns, to_ns;
    int64_t low, high; /* numbers, unwrapped */
    int top;
    bool clipped; /* the window goes on above */
};

static inline int x_of(const struct graph *g, int64_t t_ns)
{
    double part = g->to_ns > g->from_ns ? (double)(t_ns - g->from_ns) / (double)(g->to_ns - g->from_ns) : 0;
    return LEFT + (int)(part * (RIGHT - LEFT));
}

static inline int y_of(const struct graph *g, int64_t number)
{
    if (number > g->high) number = g->high;
    if (number < g->low) number = g->low;
    return g->top + PLOT_HEIGHT - (int)((double)(number - g->low) / (double)(g->high - g->low) * PLOT_HEIGHT);
}

/* A number near `last`: they wrap at 2^32. */
static inline int64_t unwrapped(int64_t last, uint32_t number)
{
    return last + (int32_t)(number - (uint32_t)last);
}

static inline uint32_t length_of(const struct story_segment *segment)
{
    return segment->length_bytes + ((segment->flags & TCP_SYN) != 0) + ((segment->flags & TCP_FIN) != 0);
}

static inline int64_t seen_at_sender(const struct story_segment *segment)
{
    return segment->received_ns ? segment->received_ns : segment->sent_ns;
}

/* The peer's window, what it acknowledged, this end's own congestion window where it is known, and the segments. Returns whether it
 * was. */
bool tsg_draw_lines(const struct graph *g, struct buf *out);

#endif
