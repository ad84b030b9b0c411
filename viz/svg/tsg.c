/* The time-sequence graph, as W. R. Stevens drew it and tcptrace does: for each direction that carried data, numbers over time, the
 * ACKs that came back as a line below them, the window that the peer offered as a line above, and this end's own congestion window
 * where its kernel was watched. To scale, both ways. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/facts.h"
#include "viz/plan/plan.h"
#include "viz/plan/words.h"
#include "viz/svg/svg_ladder.h"
#include "viz/svg/svg_pen.h"
#include "viz/svg/tsg_graph.h"
#include "viz/view.h"

enum { GRAPHS_MAX = 32, TITLE = 26, HEAD = 17, SMALL = 13 };
enum { TICKS = 8, WINDOW_TIMES = 3 /* a window that many times the data is drawn as far as it fits */ };
#define PICTURE_BYTES_MAX ((size_t)256 << 20)

struct graphs {
    struct facts_totals totals;
    struct buf body, title;
    int y;
    uint64_t drawn, left_out;
    bool has_congestion; /* of one the congestion window is known */
};

/* ---- its frame ---- */

/* Whether this side sent data; and the range that is drawn. */
static bool measure(struct graph *g)
{
    bool any = false, first = true;
    int64_t sent = 0, acked = 0, window = 0, data_end = 1;
    for (size_t i = 0; i < g->story->step_count; i++) {
        const struct story_segment *segment = g->story->steps[i].kind == STEP_SEGMENT ? g->story->steps[i].segment : NULL;
        if (!segment) continue;
        if (first || segment->sent_ns < g->from_ns) g->from_ns = segment->sent_ns;
        if (first || seen_at_sender(segment) > g->to_ns) g->to_ns = seen_at_sender(segment);
        first = false;
        if (segment->side == g->side) {
            sent = unwrapped(sent, segment->seq);
            any = any || segment->length_bytes;
            if (sent < g->low) g->low = sent;
            if (sent + length_of(segment) > data_end) data_end = sent + length_of(segment);
        } else if (segment->flags & TCP_ACK) {
            acked = unwrapped(acked, segment->ack);
            if (acked > data_end) data_end = acked;
            bool known = segment->window_kind == WINDOW_BYTES || segment->window_kind == WINDOW_UNSCALED;
            if (known && acked + segment->window_bytes > window) window = acked + segment->window_bytes;
        }
    }
    int64_t size = data_end - g->low;
    g->clipped = window - g->low > size * WINDOW_TIMES;
    g->high = g->clipped || window < data_end ? data_end + size / 8 + 1 : window + size / 16 + 1;
    if (g->to_ns <= g->from_ns) g->to_ns = g->from_ns + 1000;
    return any;
}

/* 1, 2 or 5 times a power of ten: the least that makes no more than TICKS steps. */
static int64_t step_of(int64_t range)
{
    int64_t step = 1;
    for (int i = 0; range / step > TICKS; i++) step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

static void put(struct buf *out, const char *words, bool ascii, int x, int y, enum svg_anchor anchor, int size, const char *role)
{
    struct svg_place place = {.x = x,
                              .y = y,
                              .anchor = anchor,
                              .font = {FONT_SANS, size},
                              .width = SVG_WIDTH,
                              .line = size + 4,
                              .role = role,
                              .ground = true,
                              .row = -1};
    struct layout_text text = layout_text_new(ascii);
    layout_add(&text, STYLE_PLAIN, words);
    if (text.failed) out->failed = true;
    svg_words(out, &text, &place);
    layout_text_free(&text);
}

static void draw_axes(const struct graph *g, bool ascii, struct buf *out)
{
    char words[WORDS_BYTES];
    int bottom = g->top + PLOT_HEIGHT;
    buf_printf(out, "<path class=\"w-ln w-th w-ld\" d=\"M%d %dV%dH%d\"/>\n", LEFT, g->top, bottom, RIGHT);
    int64_t step = step_of(g->high - g->low), begin = g->low <= 0 ? 0 : (g->low + step - 1) / step * step;
    for (int64_t number = begin; number <= g->high; number += step) {
        int y = y_of(g, number);
        buf_printf(out, "<path class=\"w-ln w-th w-do w-ru\" d=\"M%d %dH%d\"/>\n", LEFT, y, RIGHT);
        put(out, words_grouped((uint64_t)number, words), ascii, LEFT - 8, y + SMALL / 3, SVG_END, SMALL, "w-d");
    }
    step = step_of(g->to_ns - g->from_ns);
    for (uint64_t at = 0; at <= (uint64_t)(g->to_ns - g->from_ns); at += (uint64_t)step) { /* which may be all of 63 bits */
        int64_t t = (int64_t)at;
        int x = x_of(g, g->from_ns + t);
        buf_printf(out, "<path class=\"w-ln w-th w-ld\" d=\"M%d %dv5\"/>\n", x, bottom);
        if (x > RIGHT - 96) continue; /* the unit stands there */
        put(out, t ? words_duration(t, words) : "0", ascii, x, bottom + 20, SVG_MIDDLE, SMALL, "w-d");
    }
    put(out, "time", ascii, RIGHT, bottom + 20, SVG_END, SMALL, "w-d");
}

static void draw_graph(struct graphs *graphs, struct graph *g, const struct view_options *options)
{
    struct arena arena = arena_new();
    struct phrase head = phrase_new(&arena);
    struct layout_text text = layout_text_new(options->ascii);
    facts_headline(g->story, &head);
    phrase_addf(&head, STYLE_PLAIN, tr(" · what the %s sent: "), story_side_name(g->side));
    facts_end(g->story, g->side, &head);
    layout_add_phrase(&text, &head);
    struct svg_place place = {.x = SVG_MARGIN,
                              .y = graphs->y + 34,
                              .font = {FONT_SANS, HEAD},
                              .width = SVG_WIDTH - 2 * SVG_MARGIN,
                              .line = HEAD + 5,
                              .row = -1};
    int lines = svg_words(&graphs->body, &text, &place);
    g->top = place.y + (lines - 1) * place.line + 22;
    draw_axes(g, options->ascii, &graphs->body);
    if (tsg_draw_lines(g, &graphs->body)) graphs->has_congestion = true;
    if (g->clipped)
        put(&graphs->body, tr("the window is larger than what is drawn"), options->ascii, RIGHT - 10, g->top + SMALL + 8, SVG_END,
            SMALL, "w-d");
    graphs->y = g->top + PLOT_HEIGHT + 26;
    if (text.failed || head.failed) graphs->body.failed = true;
    layout_text_free(&text);
    arena_free(&arena);
}

/* ---- the view ---- */

static int tsg_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct graphs *graphs = calloc(1, sizeof(*graphs));
    *state = graphs;
    if (!graphs) return err_set(err, -ENOMEM, "out of memory for the graph");
    graphs->body = buf_new(PICTURE_BYTES_MAX);
    graphs->title = buf_new(1 << 16);
    graphs->y = 84;
    return 0;
}

static void take_title(struct graphs *graphs, const struct story *story, const struct view_options *options)
{
    struct arena arena = arena_new();
    struct phrase title = phrase_new(&arena);
    plan_title(story, options, &title);
    for (size_t i = 0; i < title.count; i++) buf_text(&graphs->title, title.runs[i].text);
    arena_free(&arena);
}

static int tsg_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                     struct err *err)
{
    (void)sink;
    struct graphs *graphs = state;
    if (!graphs->totals.stories) take_title(graphs, story, options);
    facts_count(&graphs->totals, story);
    for (int side = 0; !story->udp && side < STORY_SIDES; side++) {
        struct graph graph = {.story = story, .side = (enum story_side)side};
        if (!measure(&graph)) continue;
        if (graphs->drawn == GRAPHS_MAX) {
            graphs->left_out++;
            continue;
        }
        graphs->drawn++;
        draw_graph(graphs, &graph, options);
    }
    return graphs->body.failed || graphs->title.failed
               ? err_set(err, -ENOMEM, "out of memory while drawing connection %u", story->number)
               : 0;
}

/* How far the next one stands from it. */
static int draw_shape(int x, int y, bool ascii, const char *shape, const char *words, struct buf *out)
{
    struct layout_text text = layout_text_new(ascii);
    layout_add(&text, STYLE_PLAIN, words);
    struct svg_place place = {
        .x = x + 40, .y = y, .font = {FONT_SANS, SMALL}, .width = SVG_WIDTH, .line = SMALL, .role = "w-d", .row = -1};
    buf_printf(out, "<g transform=\"translate(%d,%d)\">%s</g>\n", x, y - 5, shape);
    svg_words(out, &text, &place);
    int width = 40 + svg_width(&text, &place) + 18;
    layout_text_free(&text);
    return width;
}

static int draw_key(int y, bool has_congestion, bool ascii, struct buf *out)
{
    static const struct {
        const char *shape, *words;
    } keys[] = {{"<path class=\"w-ln w-lc\" d=\"M16 -8V8M13 -8h6M13 8h6\"/>", TR("data, from its first number to its last")},
                {"<path class=\"w-ln w-hv w-la\" d=\"M16 -8V8M11 -8h10M11 8h10\"/>", TR("sent again")},
                {"<path class=\"w-ln w-ls\" d=\"M4 4H18V-4H30\"/>", TR("acknowledged by the peer")},
                {"<path class=\"w-ln w-th w-da w-ld\" d=\"M2 0H32\"/>", TR("window offered by the peer")},
                {"<path class=\"w-c\" d=\"M16 -6l6 11h-12z\"/>", "SYN"},
                {"<path class=\"w-c\" d=\"M16 6l6 -11h-12z\"/>", "FIN"},
                {"<path class=\"w-a\" d=\"M16 -6l6 6l-6 6l-6 -6z\"/>", "RST"},
                {"<path class=\"w-ln w-la\" d=\"M12 -4l8 8m0 -8l-8 8\"/>", TR("lost")}};
    int x = SVG_MARGIN;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) x += draw_shape(x, y, ascii, keys[i].shape, tr(keys[i].words), out);
    if (!has_congestion) return y;
    y += SMALL + 9;
    draw_shape(SVG_MARGIN, y, ascii, "<path class=\"w-ln w-th w-do w-ld\" d=\"M2 0H32\"/>",
               tr("how far the sender's own congestion window let it send"), out);
    return y;
}

static int draw_losses(int y, const struct story_trace *trace, bool ascii, struct buf *out)
{
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    facts_losses(trace, &facts);
    for (size_t i = 0; i < facts.count; i++) {
        struct layout_text text = layout_text_new(ascii);
        layout_add_phrase(&text, &facts.list[i].words);
        struct svg_place place = {.x = SVG_MARGIN,
                                  .y = y + SMALL + 8,
                                  .font = {FONT_SANS, SMALL},
                                  .width = SVG_WIDTH - 2 * SVG_MARGIN,
                                  .line = SMALL + 5,
                                  .role = "w-d",
                                  .row = -1};
        y += svg_words(out, &text, &place) * place.line;
        if (text.failed) out->failed = true;
        layout_text_free(&text);
    }
    if (facts.failed) out->failed = true;
    arena_free(&arena);
    return y;
}

static int write_graphs(struct graphs *graphs, const struct sink *sink, const struct view_options *options,
                        const struct story_trace *trace, struct err *err)
{
    char words[160];
    struct buf head = buf_new(1 << 20), foot = buf_new(1 << 20);
    char many[48];
    snprintf(many, sizeof(many), tr("%" PRIu64 " connections"), graphs->totals.stories);
    bool is_named = graphs->totals.stories == 1 || (options->run && options->run->title && graphs->totals.stories);
    const char *title = is_named ? buf_string(&graphs->title) : graphs->totals.stories ? many : tr("no connection was seen");
    int y = graphs->y;
    if (!graphs->drawn)
        put(&foot, tr("No connection carried data: there is nothing to draw."), options->ascii, SVG_MARGIN, y += 30, SVG_START,
            HEAD, "w-i");
    snprintf(words, sizeof(words), tr("%" PRIu64 " more graphs are not drawn: --conn chooses"), graphs->left_out);
    if (graphs->left_out) put(&foot, words, options->ascii, SVG_MARGIN, y += 30, SVG_START, HEAD, "w-a");
    y = draw_key(y + 34, graphs->has_congestion, options->ascii, &foot);
    y = draw_losses(y, trace, options->ascii, &foot);
    snprintf(words, sizeof(words),
             tr("Sequence numbers over time, %" PRIu64 " graph%s: data, acknowledgements, window, retransmissions."), graphs->drawn,
             graphs->drawn == 1 ? "" : "s");
    struct svg_place place = {
        .x = SVG_MARGIN, .y = 44, .font = {FONT_BOLD, TITLE}, .width = SVG_WIDTH - 2 * SVG_MARGIN, .line = 32, .row = -1};
    struct layout_text text = layout_text_new(options->ascii);
    layout_add(&text, STYLE_PLAIN, title);
    int more = (svg_count_lines(&text, &place) - 1) * place.line;
    svg_begin(&head, SVG_WIDTH, y + 16 + more, title, words, options->ascii);
    svg_words(&head, &text, &place);
    put(&head, tr("Sequence numbers over time"), options->ascii, SVG_MARGIN, 72 + more, SVG_START, HEAD - 1, "w-d");
    buf_printf(&head, "<g transform=\"translate(0,%d)\">\n", more);
    buf_text(&foot, "</g>\n");
    svg_end(&foot);
    bool failed = text.failed || head.failed || foot.failed;
    layout_text_free(&text);
    int code = failed ? err_set(err, -ENOMEM, "out of memory for the graph") : 0;
    if (!code) code = view_write(sink, head.data, head.length, err);
    if (!code) code = view_write(sink, graphs->body.data, graphs->body.length, err);
    if (!code) code = view_write(sink, foot.data, foot.length, err);
    buf_free(&head);
    buf_free(&foot);
    return code;
}

static int tsg_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                   struct err *err)
{
    struct graphs *graphs = state;
    if (!graphs) return 0;
    int code = trace ? write_graphs(graphs, sink, options, trace, err) : 0;
    buf_free(&graphs->body);
    buf_free(&graphs->title);
    free(graphs);
    return code;
}

const struct view view_tsg = {.name = "tsg",
                              .suffix = ".tsg.svg",
                              .summary = TR("a picture of the sequence numbers over time, a graph a direction"),
                              .begin = tsg_begin,
                              .story = tsg_story,
                              .end = tsg_end};
