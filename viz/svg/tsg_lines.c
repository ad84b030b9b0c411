#include <inttypes.h>

#include "base/lang.h"
#include "viz/plan/words.h"
#include "viz/svg/tsg_graph.h"

/* A line that steps: it holds until the next ACK. */
static void draw_acks(const struct graph *g, bool window, struct buf *out)
{
    int64_t acked = 0;
    bool begun = false;
    int x_last = 0, y_last = 0;
    for (size_t i = 0; i < g->story->step_count; i++) {
        const struct story_segment *segment = g->story->steps[i].kind == STEP_SEGMENT ? g->story->steps[i].segment : NULL;
        if (!segment || segment->side == g->side || !(segment->flags & TCP_ACK) || segment->lost) continue;
        if (window && segment->window_kind != WINDOW_BYTES && segment->window_kind != WINDOW_UNSCALED) continue;
        acked = unwrapped(acked, segment->ack);
        int x = x_of(g, seen_at_sender(segment)), y = y_of(g, acked + (window ? segment->window_bytes : 0));
        if (!begun)
            buf_printf(out, "<path class=\"w-ln %s\" d=\"M%d %d", window ? "w-th w-da w-ld" : g->side ? "w-lc" : "w-ls", x, y);
        else if (x != x_last || y != y_last)
            buf_printf(out, x > x_last ? "H%dV%d" : "L%d %d", x, y);
        begun = true;
        x_last = x;
        y_last = y;
    }
    if (begun) buf_printf(out, "H%d\"/>\n", RIGHT);
}

/* How far its own congestion window let this end send, as each segment left: from what was acknowledged then. */
static bool draw_congestion(const struct graph *g, struct buf *out)
{
    int64_t acked = 0;
    bool begun = false;
    for (size_t i = 0; i < g->story->step_count; i++) {
        const struct story_segment *segment = g->story->steps[i].kind == STEP_SEGMENT ? g->story->steps[i].segment : NULL;
        if (!segment) continue;
        bool arrived = segment->side != g->side && !segment->lost;
        if (arrived && segment->flags & TCP_ACK) acked = unwrapped(acked, segment->ack);
        if (segment->side != g->side || !segment->congestion.window) continue;
        int x = x_of(g, segment->sent_ns);
        int y = y_of(g, acked + (int64_t)segment->congestion.window * segment->congestion.mss);
        buf_printf(out, begun ? "H%dV%d" : "<path class=\"w-ln w-th w-do w-ld\" d=\"M%d %d", x, y);
        begun = true;
    }
    if (begun) buf_printf(out, "H%d\"/>\n", RIGHT);
    return begun;
}

/* What a pointer on it shows: how long it will be waited for this time. */
static void title_repeated(const struct story_segment *segment, struct buf *out)
{
    char words[WORDS_BYTES];
    if (!segment->congestion.rto_us) return;
    buf_text(out, "<title>");
    buf_printf(out, tr("sent again; from now on the RTO is %s"), words_duration((int64_t)segment->congestion.rto_us * 1000, words));
    buf_text(out, "</title>");
}

static void draw_segment(const struct graph *g, const struct story_segment *segment, int64_t seq, struct buf *out)
{
    const char *line = g->side == STORY_CLIENT ? "w-lc" : "w-ls", *area = g->side == STORY_CLIENT ? "w-c" : "w-s";
    int x = x_of(g, segment->sent_ns), y = y_of(g, seq), to = y_of(g, seq + length_of(segment));
    if (segment->flags & TCP_RST) {
        buf_printf(out, "<path class=\"w-a\" d=\"M%d %dl6 6l-6 6l-6 -6z\"/>\n", x, y - 6);
        return;
    }
    if (segment->retransmission) { /* wider and red */
        buf_printf(out, "<path class=\"w-ln w-hv w-la\" d=\"M%d %dV%dM%d %dh10M%d %dh10\">", x, y, to, x - 5, y, x - 5, to);
        title_repeated(segment, out);
        buf_text(out, "</path>\n");
    } else if (segment->length_bytes)
        buf_printf(out, "<path class=\"w-ln %s\" d=\"M%d %dV%dM%d %dh6M%d %dh6\"/>\n", line, x, y, to, x - 3, y, x - 3, to);
    if (segment->flags & TCP_SYN) buf_printf(out, "<path class=\"%s\" d=\"M%d %dl6 11h-12z\"/>\n", area, x, y - 11);
    if (segment->flags & TCP_FIN) buf_printf(out, "<path class=\"%s\" d=\"M%d %dl6 -11h-12z\"/>\n", area, x, to);
    if (segment->lost) buf_printf(out, "<path class=\"w-ln w-la\" d=\"M%d %dl8 8m0 -8l-8 8\"/>\n", x - 4, (y + to) / 2 - 4);
}

static bool is_plain(const struct story_segment *segment)
{
    return !segment->retransmission && !segment->lost && !(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

/* Where a hundred thousand stand on a thousand points, those that would cover each other are drawn once. */
static void draw_segments(const struct graph *g, struct buf *out)
{
    int64_t sent = 0;
    int x_last = -1, y_last = -1, to_last = -1;
    for (size_t i = 0; i < g->story->step_count; i++) {
        const struct story_segment *segment = g->story->steps[i].kind == STEP_SEGMENT ? g->story->steps[i].segment : NULL;
        if (!segment || segment->side != g->side || segment->copy || segment->unsent) continue;
        sent = unwrapped(sent, segment->seq);
        if (!length_of(segment) && !(segment->flags & TCP_RST)) continue;
        int x = x_of(g, segment->sent_ns), y = y_of(g, sent), to = y_of(g, sent + length_of(segment));
        if (is_plain(segment) && x == x_last && y == y_last && to == to_last) continue;
        draw_segment(g, segment, sent, out);
        x_last = x;
        y_last = y;
        to_last = to;
    }
}

bool tsg_draw_lines(const struct graph *g, struct buf *out)
{
    draw_acks(g, true, out);
    draw_acks(g, false, out);
    bool has_congestion = draw_congestion(g, out);
    draw_segments(g, out);
    return has_congestion;
}
