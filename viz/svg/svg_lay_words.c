/* The words of a ladder in SVG: where they begin, how wide they may be, how far they push what comes below. */
#include <string.h>

#include "base/lang.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"
#include "viz/svg/svg_lay.h"

struct layout_text lay_cells(const struct lay *lay, const struct phrase *phrase)
{
    struct layout_text text = layout_text_new(lay->ascii);
    layout_add_phrase(&text, phrase);
    return text;
}

int lay_wire_width(const struct lay *lay)
{
    return lay->life_x[STORY_SERVER] - lay->life_x[STORY_CLIENT];
}

int lay_wire_middle(const struct lay *lay)
{
    return (lay->life_x[STORY_SERVER] + lay->life_x[STORY_CLIENT]) / 2;
}

void lay_time(struct lay *lay, int64_t t_ns, int y)
{
    if (y - lay->tick_y < lay->size.time) return;
    char words[WORDS_BYTES];
    words_time(t_ns - lay->plan->story->start_ns, words);
    if (strcmp(words, lay->last_time) == 0) return;
    memcpy(lay->last_time, words, sizeof(words));
    struct layout_text text = layout_text_new(lay->ascii);
    layout_add(&text, STYLE_PLAIN, words);
    struct svg_place place = {.x = lay->time_x,
                              .y = y + lay->size.time / 3,
                              .anchor = SVG_END,
                              .font = {FONT_SANS, lay->size.time},
                              .width = lay->time_x,
                              .line = lay->size.time,
                              .role = "w-d",
                              .row = -1};
    /* What doesn't fit its column gets smaller rather than cut. */
    while (measure_cells(&text, 0, text.count, place.font) > (lay->time_x - 4) * 10 && place.font.size > 6) place.font.size--;
    svg_words(&lay->texts, &text, &place);
    layout_text_free(&text);
    lay->tick_y = y;
}

/* ---- calls, and what else stands at one end ---- */

static struct svg_place call_place(const struct lay *lay, enum story_side side)
{
    int away = LAY_GUTTER + LAY_LANE * (lay->lanes[side] - 1) + 14;
    return (struct svg_place){.x = side == STORY_CLIENT ? lay->life_x[side] - away : lay->life_x[side] + away,
                              .anchor = side == STORY_CLIENT ? SVG_END : SVG_START,
                              .font = {FONT_MONO, lay->size.call},
                              .width = lay->words_width,
                              .line = lay->size.call + 2,
                              .halo = true,
                              .row = -1};
}

void lay_call_words(struct lay *lay, const struct plan_words *words, uint32_t row, enum story_side side, int y)
{
    struct svg_place place = call_place(lay, side);
    struct layout_text text = lay_cells(lay, &words->label);
    place.row = row;
    place.y = y + lay->size.call / 3;
    int lines = svg_words(&lay->texts, &text, &place);
    int bottom = place.y + (lines - 1) * place.line + 5;
    layout_text_free(&text);
    for (size_t i = 0; i < words->note_count; i++) {
        place.y = bottom - 3;
        bottom += lay_put_note(lay, &words->notes[i], place, &lay->texts) + 2;
    }
    lay->call_y[side] = bottom;
}

void lay_fold_words(struct lay *lay, const struct phrase *words, uint32_t row, int y)
{
    struct svg_place place = lay_label_place(lay, lay_wire_width(lay) - 2 * LAY_WIRE_PAD);
    struct layout_text text = lay_cells(lay, words);
    place.y = y + place.font.size / 3;
    place.row = row;
    place.halo = false;
    place.ground = true;
    svg_words(&lay->texts, &text, &place);
    layout_text_free(&text);
}

/* ---- above the columns ---- */

static int head_of(struct lay *lay, enum story_side side, int top)
{
    struct arena arena = arena_new();
    struct phrase end = phrase_new(&arena);
    struct layout_text text = layout_text_new(lay->ascii);
    int inner = lay->band_width + LAY_GUTTER + lay->words_width;
    struct svg_place place = {.x = lay->life_x[side],
                              .y = top + lay->size.head,
                              .anchor = side == STORY_CLIENT ? SVG_END : SVG_START,
                              .font = {FONT_BOLD, lay->size.head},
                              .width = inner,
                              .line = lay->size.head + 3,
                              .role = svg_side[side],
                              .row = -1};
    layout_add(&text, STYLE_PLAIN, side == STORY_CLIENT ? tr("CLIENT") : tr("SERVER"));
    svg_words(&lay->texts, &text, &place);
    layout_text_clear(&text);
    const struct view_options *options = lay->plan->options;
    bool is_said = options->brief && !(options->run && options->run->title); /* the slide's title has both ends */
    if (!is_said) facts_end(lay->plan->story, side, &end);
    layout_add_phrase(&text, &end);
    place.y += lay->size.time + 4;
    place.font = (struct font){FONT_SANS, lay->size.time};
    place.line = lay->size.time + 3;
    place.role = "w-d";
    int lines = svg_words(&lay->texts, &text, &place);
    lay->failed = lay->failed || end.failed || text.failed;
    layout_text_free(&text);
    arena_free(&arena);
    return lines ? place.y + (lines - 1) * place.line : top + lay->size.head;
}

void lay_head(struct lay *lay, int top)
{
    int client = head_of(lay, STORY_CLIENT, top), server = head_of(lay, STORY_SERVER, top);
    lay->top = (client > server ? client : server) + 12;
    struct layout_text text = layout_text_new(lay->ascii);
    struct svg_place place = {.x = lay->time_x,
                              .y = lay->top - 10,
                              .anchor = SVG_END,
                              .font = {FONT_SANS, lay->size.time},
                              .width = lay->time_x,
                              .line = lay->size.time,
                              .role = "w-d",
                              .row = -1};
    layout_add(&text, STYLE_PLAIN, "ms");
    svg_words(&lay->texts, &text, &place);
    layout_text_free(&text);
    lay->tick_y = lay->top - 10;
}
