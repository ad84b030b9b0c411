#include "viz/plan/clock_words.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "viz/pen/layout.h"
#include "viz/plan/words.h"

/* To the microsecond, or to a tenth of it where that is much. Returns `words`. */
static const char *precisely(int64_t ns, char words[WORDS_BYTES])
{
    double size = ns < 0 ? -(double)ns : (double)ns;
    if (size < 1e5)
        snprintf(words, WORDS_BYTES, "%.1f µs", size / 1e3);
    else if (size < 1e11)
        snprintf(words, WORDS_BYTES, "%.3f ms", size / 1e6);
    else
        snprintf(words, WORDS_BYTES, "%.6f s", size / 1e9);
    return words;
}

static const char *plus_minus(const struct layout_text *text)
{
    return text->ascii ? "+/-" : "±";
}

static void add_drift(struct layout_text *text, const struct story_clock *clock)
{
    char words[WORDS_BYTES];
    if (clock->drift_within_ppb >= 0)
        layout_addf(text, STYLE_PLAIN, tr(", drift %+.1f ppm %s %.1f"), (double)clock->drift_ppb / 1e3, plus_minus(text),
                    (double)clock->drift_within_ppb / 1e3);
    else
        layout_addf(text, STYLE_PLAIN, tr(", drift not measurable over %s"), words_duration(clock->span_ns, words));
}

/* Segments that went one way alone bound the offset from one side: what went from a to b makes b's clock seem too far ahead by its
 * delay, what came back too far behind. */
static void add_one_sided(struct layout_text *text, const struct story_clock *clock)
{
    char words[WORDS_BYTES];
    bool is_behind = clock->offset_ns < 0, forth = clock->forth != 0;
    /* Whose segments went that way may be a guess, and then so is on which side the truth lies. */
    const char *side = clock->guessed ? "about" : forth == is_behind ? tr("at least") : tr("at most");
    layout_addf(text, STYLE_BOLD, "%s %s %s", side, precisely(clock->offset_ns, words), is_behind ? "behind" : tr("ahead of"));
    layout_addf(text, STYLE_PLAIN, " %s", clock->against ? clock->against : "?");
    layout_add(text, STYLE_ALARM, tr(" (segments went one way only)"));
}

/* "12.3 ± 1.2 ms": no more digits than the bound leaves any meaning, and the bound holds what rounding took. */
static void add_bounded(struct layout_text *text, const struct story_clock *clock)
{
    static const struct {
        int64_t below_ns, unit_ns;
        const char *name;
    } units[] = {{100000, 1000, "µs"}, {100000000000, 1000000, "ms"}, {INT64_MAX, 1000000000, "s"}};
    int64_t offset_ns = clock->offset_ns < 0 ? -clock->offset_ns : clock->offset_ns, bound_ns = clock->uncertainty_ns;
    int64_t grain_ns = 1;
    size_t unit = 0;
    int decimals = 0;
    while (bound_ns / grain_ns >= 100) grain_ns *= 10; /* two digits of the bound */
    while ((offset_ns > bound_ns ? offset_ns : bound_ns) >= units[unit].below_ns) unit++;
    for (int64_t size = units[unit].unit_ns; size > grain_ns; size /= 10) decimals++;
    int64_t told_ns = (offset_ns + grain_ns / 2) / grain_ns * grain_ns;
    int64_t rounded_ns = told_ns > offset_ns ? told_ns - offset_ns : offset_ns - told_ns;
    int64_t within_ns = (bound_ns + rounded_ns + grain_ns - 1) / grain_ns * grain_ns;
    double size = (double)units[unit].unit_ns;
    layout_addf(text, STYLE_BOLD, "%.*f %s %.*f %s", decimals, (double)told_ns / size, plus_minus(text), decimals,
                (double)within_ns / size, units[unit].name);
}

static void add_offset(struct layout_text *text, const struct story_clock *clock)
{
    add_bounded(text, clock);
    layout_addf(text, STYLE_PLAIN, " %s %s", clock->offset_ns < 0 ? "behind" : tr("ahead of"),
                clock->against ? clock->against : "?");
}

/* How that is known: for who asks. */
static void add_details(struct layout_text *text, const struct story_clock *clock)
{
    char words[WORDS_BYTES];
    uint32_t segments = clock->forth + clock->back;
    if (clock->uncertainty_ns < 0 && clock->guessed) {
        layout_addf(text, STYLE_PLAIN, tr(": %" PRIu32 " that both saw, and their least delay nothing tells"), segments);
    } else if (clock->uncertainty_ns < 0) {
        bool forth = clock->forth != 0;
        const char *from = forth ? clock->against : clock->vantage, *to = forth ? clock->vantage : clock->against;
        layout_addf(
            text, STYLE_PLAIN,
            tr(": all %" PRIu32 " that both saw went from %s to %s, so it is further %s by the least delay, which nothing tells"),
            segments, from ? from : "?", to ? to : "?", forth ? "behind" : "ahead");
    } else {
        layout_addf(text, STYLE_PLAIN, ": %s", precisely(clock->offset_ns, words));
        layout_addf(text, STYLE_PLAIN, " %s %s", plus_minus(text), precisely(clock->uncertainty_ns, words));
        if (clock->most_ns > clock->uncertainty_ns && clock->most_ns - clock->uncertainty_ns > clock->uncertainty_ns / 2)
            layout_addf(text, STYLE_PLAIN, tr(" (%s %s at its ends)"), plus_minus(text), precisely(clock->most_ns, words));
        layout_addf(text, STYLE_PLAIN, tr(" (from %" PRIu32 " segment%s in both directions)"), segments, segments == 1 ? "" : "s");
        add_drift(text, clock);
    }
    if (clock->stepped) layout_add(text, STYLE_PLAIN, tr("; it was set about then, or changed its speed"));
    if (clock->left_out)
        layout_addf(text, STYLE_PLAIN, tr("; %" PRIu32 " segment%s contradicted that and %s left out"), clock->left_out,
                    clock->left_out == 1 ? "" : "s", clock->left_out == 1 ? "was" : "were");
}

int clock_sentence(struct buf *out, const struct story_clock *clock, const struct clock_style *style)
{
    char words[WORDS_BYTES];
    struct layout_text text = layout_text_new(style->ascii);
    layout_addf(&text, STYLE_PLAIN, tr("clock of %s"), clock->vantage ? clock->vantage : "?");
    if (clock->stepped) layout_addf(&text, STYLE_ALARM, tr(" from %s on"), words_clock(clock->from_ns, words));
    layout_add(&text, STYLE_PLAIN, ": ");
    if (clock->uncertainty_ns < 0)
        add_one_sided(&text, clock);
    else
        add_offset(&text, clock);
    if (clock->stepped) layout_add(&text, STYLE_PLAIN, tr(" (one of the two was set)"));
    if (style->detailed) add_details(&text, clock);
    if (clock->guessed) layout_add(&text, STYLE_ALARM, tr("; which of them is nearer to whom is a guess"));
    size_t cursor = 0, from, to;
    struct layout_row row;
    int columns = style->width > 0 && style->width < LAYOUT_WIDTH_MAX ? style->width : LAYOUT_WIDTH_MAX;
    while (layout_wrap(&text, cursor ? columns - 2 : columns, &cursor, &from, &to)) {
        layout_row_clear(&row, columns, style->ascii);
        layout_put(&row, from ? 2 : 0, &text, from, to);
        layout_emit(&row, style->color, out);
    }
    bool failed = text.failed || out->failed;
    layout_text_free(&text);
    return failed ? -ENOMEM : 0;
}

void clock_line(struct json *json, const struct story_clock *clock)
{
    json_object(json, NULL);
    json_string(json, "type", "clock");
    json_string(json, "vantage", clock->vantage);
    json_string(json, "against", clock->against);
    json_int(json, "t", clock->at_ns);
    json_maybe_int(json, "from", clock->stepped, clock->from_ns);
    json_int(json, "offset", clock->offset_ns);
    json_maybe_int(json, "uncertainty", clock->uncertainty_ns >= 0, clock->uncertainty_ns);
    json_maybe_int(json, "uncertainty_most", clock->most_ns >= 0, clock->most_ns);
    json_int(json, "drift_ppb", clock->drift_ppb);
    json_maybe_int(json, "drift_uncertainty_ppb", clock->drift_within_ppb >= 0, clock->drift_within_ppb);
    json_int(json, "span", clock->span_ns);
    json_uint(json, "forth", clock->forth);
    json_uint(json, "back", clock->back);
    json_uint(json, "left_out", clock->left_out);
    json_bool(json, "stepped", clock->stepped);
    json_bool(json, "guessed", clock->guessed);
    json_end_object(json);
    json_newline(json);
}
