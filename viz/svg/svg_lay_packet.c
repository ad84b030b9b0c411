/* The words of packets in SVG: over their arrow, below it, or on one line with it. */
#include "viz/svg/svg_lay.h"

enum { WIRE_PAD = LAY_WIRE_PAD, GAP = 8 };

/* "#2 SYN-ACK  S. seq 0 ack 1", the numbers less loud. */
static struct layout_text label_cells(const struct lay *lay, const struct plan_words *words)
{
    struct layout_text text = lay_cells(lay, &words->label);
    if (words->detail.count) layout_add(&text, STYLE_PLAIN, "  ");
    for (size_t i = 0; i < words->detail.count; i++) {
        const struct phrase_run *run = &words->detail.runs[i];
        layout_add(&text, run->style == STYLE_PLAIN ? STYLE_DIM : run->style, run->text);
    }
    return text;
}

struct svg_place lay_label_place(const struct lay *lay, int width)
{
    return (struct svg_place){.x = lay_wire_middle(lay),
                              .anchor = SVG_MIDDLE,
                              .font = {FONT_SANS, lay->size.label},
                              .width = width,
                              .line = lay->size.label + 3,
                              .halo = true,
                              .row = -1};
}

/* On a slide name, cause and evidence stand on one line over the arrow, where they fit. */
struct beside {
    struct layout_text label, cause, evidence;
    struct svg_place place[3];
    int width;
};

static const struct plan_note *only_cause(const struct plan_words *words)
{
    return words->note_count == 1 && words->notes[0].kind == NOTE_CAUSE ? &words->notes[0] : NULL;
}

static void beside_free(struct beside *beside)
{
    layout_text_free(&beside->label);
    layout_text_free(&beside->cause);
    layout_text_free(&beside->evidence);
}

/* False: it has to stand above and below. Release with beside_free only after true. */
static bool beside_make(const struct lay *lay, const struct plan_words *words, struct beside *beside)
{
    const struct plan_note *note = lay->plan->options->brief ? only_cause(words) : NULL;
    if (!note) return false;
    int room = lay_wire_width(lay) - 2 * WIRE_PAD;
    *beside = (struct beside){lay_cells(lay, &words->label), lay_cells(lay, &note->words), layout_text_new(lay->ascii), {{0}}, 0};
    layout_add(&beside->evidence, STYLE_PLAIN, note->evidence);
    const struct layout_text *texts[] = {&beside->label, &beside->cause, &beside->evidence};
    const int sizes[] = {lay->size.label, lay->size.cause, lay->size.evidence};
    int lines = 0;
    for (int i = 0; i < 3; i++) {
        beside->place[i] = lay_label_place(lay, room);
        beside->place[i].font.size = sizes[i];
        beside->place[i].anchor = i ? SVG_START : SVG_END;
        lines += svg_count_lines(texts[i], &beside->place[i]);
        beside->width += svg_width(texts[i], &beside->place[i]) + (i ? GAP : 0);
    }
    beside->place[2].role = note->evidence_style == STYLE_ALARM ? "w-a" : "w-d";
    if (lines == 3 && beside->width <= room) return true;
    beside_free(beside);
    return false;
}

static void beside_put(struct lay *lay, struct beside *beside, uint32_t row, int left, int y)
{
    int x = left + svg_width(&beside->label, &beside->place[0]);
    beside->place[0].x = x;
    beside->place[1].x = x + GAP;
    beside->place[2].x = x + 2 * GAP + svg_width(&beside->cause, &beside->place[1]);
    const struct layout_text *texts[] = {&beside->label, &beside->cause, &beside->evidence};
    for (int i = 0; i < 3; i++) {
        beside->place[i].y = y;
        beside->place[i].row = row;
        svg_words(&lay->texts, texts[i], &beside->place[i]);
    }
}

int lay_label_height(const struct lay *lay, const struct plan_words *words)
{
    struct beside beside;
    if (beside_make(lay, words, &beside)) {
        beside_free(&beside);
        return lay->size.cause + 5;
    }
    struct layout_text text = label_cells(lay, words);
    struct svg_place place = lay_label_place(lay, lay_wire_width(lay) - 2 * WIRE_PAD);
    int lines = svg_count_lines(&text, &place);
    layout_text_free(&text);
    return lines * place.line + 3;
}

/* How far the arrow has fallen, at least, where words in the middle of the wire begin. */
static int fall_before(const struct lay *lay, const struct lay_flight *flight, int width)
{
    int wire = lay_wire_width(lay);
    return flight->arrives_ns ? lay->size.lean * (wire - width) / (2 * wire) : 0;
}

/* Over the middle of the arrow. */
void lay_label(struct lay *lay, const struct plan_words *words, const struct lay_flight *flight)
{
    struct beside beside;
    if (beside_make(lay, words, &beside)) {
        beside_put(lay, &beside, flight->row, lay_wire_middle(lay) - beside.width / 2,
                   flight->y + fall_before(lay, flight, beside.width) - 6);
        beside_free(&beside);
        return;
    }
    struct layout_text text = label_cells(lay, words);
    struct svg_place place = lay_label_place(lay, lay_wire_width(lay) - 2 * WIRE_PAD);
    int lines = svg_count_lines(&text, &place);
    place.y = flight->y + fall_before(lay, flight, svg_width(&text, &place)) - 5 - (lines - 1) * place.line;
    place.row = flight->row;
    svg_words(&lay->texts, &text, &place);
    layout_text_free(&text);
}

int lay_put_note(const struct lay *lay, const struct plan_note *note, struct svg_place place, struct buf *out)
{
    bool is_cause = note->kind == NOTE_CAUSE && !note->of_state;
    struct layout_text text = lay_cells(lay, &note->words), tail = layout_text_new(lay->ascii);
    layout_add(&tail, STYLE_PLAIN, note->evidence);
    place.font = (struct font){FONT_SANS, is_cause ? lay->size.cause : lay->size.evidence + 1};
    place.line = place.font.size + 3;
    place.role = note->kind == NOTE_CHAIN ? "w-d" : "w-i";
    struct svg_place evidence = place;
    evidence.font = (struct font){FONT_SANS, lay->size.evidence};
    evidence.line = evidence.font.size + 3;
    evidence.role = note->evidence_style == STYLE_ALARM ? "w-a" : "w-d";
    int lines = svg_count_lines(&text, &place), width = svg_width(&text, &place), tail_width = svg_width(&tail, &evidence);
    int height = lines * place.line;
    place.y += place.font.size;
    evidence.y = place.y;
    bool behind = lines == 1 && tail.count && width + GAP + tail_width <= place.width;
    if (behind && place.anchor == SVG_MIDDLE) {
        int left = place.x - (width + GAP + tail_width) / 2;
        place.x = left + width;
        place.anchor = SVG_END;
        evidence.x = place.x + GAP;
        evidence.anchor = SVG_START;
    } else if (behind && place.anchor == SVG_START)
        evidence.x += width + GAP;
    else if (behind)
        place.x -= tail_width + GAP;
    else if (tail.count) {
        evidence.y = place.y + (lines - 1) * place.line + evidence.line;
        height += evidence.line;
    }
    if (out) svg_words(out, &text, &place);
    if (out && tail.count) svg_words(out, &tail, &evidence);
    layout_text_free(&text);
    layout_text_free(&tail);
    return height + 1;
}

static bool is_shown(const struct lay *lay, const struct plan_note *note, const struct svg_place *place)
{
    if (note->of_state) return false; /* they stand beside the band */
    if (!note->only_if_short) return true;
    struct layout_text text = lay_cells(lay, &note->words);
    struct svg_place one = *place;
    one.font = (struct font){FONT_SANS, lay->size.cause};
    bool is_short = svg_count_lines(&text, &one) <= 1;
    layout_text_free(&text);
    return is_short;
}

static int put_notes(const struct lay *lay, const struct plan_words *words, struct svg_place place, struct buf *out)
{
    int height = 0, top = place.y;
    for (size_t i = 0; i < words->note_count; i++) {
        if (!is_shown(lay, &words->notes[i], &place)) continue;
        place.y = top + height;
        height += lay_put_note(lay, &words->notes[i], place, out);
    }
    return height;
}

/* How far below its beginning the arrow is at the end of words `width` wide in the middle of the wire. */
static int fall_at(const struct lay *lay, const struct lay_flight *flight, int width)
{
    int wire = lay_wire_width(lay), fall = flight->y_end - flight->y;
    return fall * (wire / 2 + width / 2) / wire;
}

/* Below the middle of the arrow. */
void lay_sentences(struct lay *lay, const struct plan_words *words, const struct lay_flight *flight)
{
    struct beside beside;
    if (beside_make(lay, words, &beside)) { /* they are said */
        beside_free(&beside);
        lay->wire_y = flight->y_end + 3;
        return;
    }
    struct svg_place place = lay_label_place(lay, lay_wire_width(lay) - 2 * WIRE_PAD);
    int widest = place.width;
    if (words->note_count) {
        struct layout_text text = lay_cells(lay, &words->notes[0].words);
        place.font = (struct font){FONT_SANS, lay->size.cause};
        widest = svg_width(&text, &place);
        layout_text_free(&text);
    }
    place.y = flight->y + fall_at(lay, flight, widest > place.width ? place.width : widest) + 3;
    if (flight->flight == PLAN_LOST) place.y = flight->y_end + 7; /* clear of the cross */
    place.row = flight->row;
    int height = put_notes(lay, words, place, &lay->texts);
    int bottom = place.y + height + (height ? 4 : 0), end = flight->y_end + 6;
    lay->wire_y = bottom > end ? bottom : end;
}

/* Above the arrow, at its sender: name, sentence, evidence. */
static struct svg_place above_place(const struct lay *lay, enum story_side side)
{
    struct svg_place place =
        lay_label_place(lay, lay->plan->options->brief ? lay_wire_width(lay) * 3 / 4 : lay_wire_width(lay) * 3 / 5);
    place.anchor = side == STORY_CLIENT ? SVG_START : SVG_END;
    place.x = side == STORY_CLIENT ? lay->life_x[side] + WIRE_PAD : lay->life_x[side] - WIRE_PAD;
    return place;
}

int lay_packet_above_height(const struct lay *lay, const struct plan_words *words)
{
    struct beside beside;
    if (beside_make(lay, words, &beside)) {
        beside_free(&beside);
        return lay->size.cause + 8;
    }
    struct svg_place place = above_place(lay, STORY_CLIENT);
    struct layout_text text = label_cells(lay, words);
    int height = svg_count_lines(&text, &place) * place.line + put_notes(lay, words, place, NULL) + 8;
    layout_text_free(&text);
    return height;
}

void lay_packet_above(struct lay *lay, const struct plan_words *words, uint32_t row, enum story_side side, int y)
{
    struct beside beside;
    if (beside_make(lay, words, &beside)) {
        int left = side == STORY_CLIENT ? lay->life_x[side] + WIRE_PAD : lay->life_x[side] - WIRE_PAD - beside.width;
        beside_put(lay, &beside, row, left, y - 6);
        beside_free(&beside);
        return;
    }
    struct svg_place place = above_place(lay, side);
    struct layout_text text = label_cells(lay, words);
    place.row = row;
    place.y = y - lay_packet_above_height(lay, words) + place.font.size + 1;
    int lines = svg_words(&lay->texts, &text, &place);
    place.y += lines * place.line - place.font.size;
    put_notes(lay, words, place, &lay->texts);
    layout_text_free(&text);
}
