#include "viz/clock_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "viz/layout.h"
#include "viz/text_words.h"

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
        layout_addf(text, STYLE_PLAIN, ", drift %+.1f ppm %s %.1f", (double)clock->drift_ppb / 1e3, plus_minus(text),
                    (double)clock->drift_within_ppb / 1e3);
    else
        layout_addf(text, STYLE_PLAIN, ", drift not measurable over %s", words_duration(clock->span_ns, words));
}

static void add_offset(struct layout_text *text, const struct story_clock *clock)
{
    char words[WORDS_BYTES];
    layout_addf(text, STYLE_BOLD, "%s %s", precisely(clock->offset_ns, words), clock->offset_ns < 0 ? "behind" : "ahead of");
    layout_addf(text, STYLE_PLAIN, " %s", clock->against ? clock->against : "?");
    uint32_t segments = clock->forth + clock->back;
    const char *plural = segments == 1 ? "" : "s";
    if (clock->uncertainty_ns < 0) {
        /* What went there makes b's clock seem too far ahead by its delay, what came back too far behind. */
        bool forth = clock->forth != 0;
        const char *from = forth ? clock->against : clock->vantage, *to = forth ? clock->vantage : clock->against;
        layout_add(text, STYLE_ALARM, " if the fastest segment took no time");
        layout_addf(text, STYLE_PLAIN,
                    ": all %" PRIu32
                    " that both saw went from %s to %s, so it is further %s by the least delay, which nothing tells",
                    segments, from ? from : "?", to ? to : "?", forth ? "behind" : "ahead");
        return;
    }
    layout_addf(text, STYLE_PLAIN, " %s %s", plus_minus(text), precisely(clock->uncertainty_ns, words));
    if (clock->most_ns > clock->uncertainty_ns && clock->most_ns - clock->uncertainty_ns > clock->uncertainty_ns / 2)
        layout_addf(text, STYLE_PLAIN, " (%s %s at its ends)", plus_minus(text), precisely(clock->most_ns, words));
    layout_addf(text, STYLE_PLAIN, " (from %" PRIu32 " segment%s in both directions)", segments, plural);
    add_drift(text, clock);
}

int clock_sentence(struct buf *out, const struct story_clock *clock, int width, bool color, bool ascii)
{
    char words[WORDS_BYTES];
    struct layout_text text = layout_text_new(ascii);
    layout_addf(&text, STYLE_PLAIN, "clock of %s", clock->vantage ? clock->vantage : "?");
    if (clock->stepped) layout_addf(&text, STYLE_ALARM, " from %s on", words_clock(clock->from_ns, words));
    layout_add(&text, STYLE_PLAIN, ": ");
    add_offset(&text, clock);
    if (clock->stepped) layout_add(&text, STYLE_PLAIN, "; about then one of the two clocks was set, or changed its speed");
    if (clock->left_out)
        layout_addf(&text, STYLE_PLAIN, "; %" PRIu32 " segment%s contradicted that and %s left out", clock->left_out,
                    clock->left_out == 1 ? "" : "s", clock->left_out == 1 ? "was" : "were");
    if (clock->guessed) layout_add(&text, STYLE_ALARM, "; which of the two is nearer to whom is a guess");
    size_t cursor = 0, from, to;
    struct layout_row row;
    int columns = width > 0 && width < LAYOUT_WIDTH_MAX ? width : LAYOUT_WIDTH_MAX;
    while (layout_wrap(&text, cursor ? columns - 2 : columns, &cursor, &from, &to)) {
        layout_row_clear(&row, columns, ascii);
        layout_put(&row, from ? 2 : 0, &text, from, to);
        layout_emit(&row, color, out);
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
