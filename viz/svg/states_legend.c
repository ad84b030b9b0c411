/* Below the figure: for each arrow what showed it, or why nothing can. */
#include <errno.h>
#include <inttypes.h>

#include "base/lang.h"
#include "viz/pen/layout.h"
#include "viz/plan/words.h"
#include "viz/svg/states_figure.h"

enum { INDENT = 4, WIDTH_DEFAULT = 80, WIDTH_MAX = 140 };

struct legend {
    const struct arrow_map *map;
    const struct figure_arrow *arrows;
    size_t count;
    struct layout_text text;
    struct buf *out;
    int width;
    bool color, ascii;
};

static void flush(struct legend *legend, int first, int indent)
{
    size_t cursor = 0, from, to;
    while (layout_wrap(&legend->text, legend->width - indent, &cursor, &from, &to)) {
        struct layout_row row;
        layout_row_clear(&row, legend->width, legend->ascii);
        layout_put(&row, from ? indent : first, &legend->text, from, to);
        layout_emit(&row, legend->color, legend->out);
    }
    layout_text_clear(&legend->text);
}

static void title(struct legend *legend, const char *text)
{
    buf_char(legend->out, '\n');
    layout_add(&legend->text, STYLE_BOLD, text);
    flush(legend, 0, 0);
}

static const char *state_name(enum tcp_state state)
{
    return state == STATE_UNKNOWN ? tr("any state") : tcp_state_name(state);
}

static void put_arrow(struct legend *legend, size_t index, enum layout_style style)
{
    const struct figure_arrow *arrow = &legend->arrows[index];
    layout_addf(&legend->text, style, "%2zu  %s → %s", index + 1, state_name(arrow->from), state_name(arrow->to));
    layout_addf(&legend->text, STYLE_PLAIN, "  %s%s%s", arrow->event, arrow->action[0] ? " / " : "", arrow->action);
}

static void put_sight(struct legend *legend, size_t index)
{
    const struct arrow_sight *sight = &legend->map->sights[index];
    put_arrow(legend, index, STYLE_BOLD);
    flush(legend, 0, INDENT);
    layout_addf(&legend->text, STYLE_PLAIN, "%s · ", sight->scenario);
    layout_add(&legend->text, STYLE_PLAIN, sight->step);
    layout_add(&legend->text, STYLE_PLAIN, " · ");
    layout_add(&legend->text, words_evidence_style(sight->kind, sight->evidence), words_evidence(sight->kind, sight->evidence));
    if (sight->kernel[0]) layout_addf(&legend->text, STYLE_PLAIN, tr(" · the kernel says %s"), sight->kernel);
    if (sight->count > 1) layout_addf(&legend->text, STYLE_DIM, tr(" · seen %" PRIu32 " times"), sight->count);
    flush(legend, INDENT, INDENT);
}

static void put_missing(struct legend *legend, size_t index)
{
    const struct figure_arrow *arrow = &legend->arrows[index];
    put_arrow(legend, index, STYLE_PLAIN);
    flush(legend, 0, INDENT);
    layout_addf(&legend->text, STYLE_DIM, "%s", arrow->function);
    if (arrow->note) layout_addf(&legend->text, STYLE_DIM, tr("; %s"), tr(arrow->note));
    flush(legend, INDENT, INDENT);
}

static void put_never(struct legend *legend, size_t index)
{
    const struct figure_arrow *arrow = &legend->arrows[index];
    put_arrow(legend, index, STYLE_ALARM);
    flush(legend, 0, INDENT);
    layout_addf(&legend->text, STYLE_PLAIN, tr("%s: "), tr(arrow->never));
    layout_addf(&legend->text, STYLE_DIM, "%s", arrow->function);
    flush(legend, INDENT, INDENT);
}

static void put_key(struct legend *legend)
{
    bool ascii = legend->ascii;
    buf_char(legend->out, '\n');
    layout_addf(&legend->text, STYLE_BOLD, tr("%s seen"), ascii ? "===" : "━━━");
    layout_addf(&legend->text, STYLE_DIM, tr("   %s not seen"), ascii ? "---" : "───");
    layout_addf(&legend->text, STYLE_ALARM, tr("   %s Linux can't take it"), ascii ? "..." : "┄┄┄");
    flush(legend, 0, 0);
    layout_addf(
        &legend->text, STYLE_PLAIN,
        tr("%zu of the %zu arrows that figure 5 draws and Linux can take were seen, and %zu of %zu that only its notes and section "
           "3.10 give (21 to %zu), in %" PRIu32 " %s."),
        arrows_seen(legend->map, 1, FIGURE_DRAWN), arrows_possible(1, FIGURE_DRAWN),
        arrows_seen(legend->map, FIGURE_DRAWN + 1, legend->count), arrows_possible(FIGURE_DRAWN + 1, legend->count), legend->count,
        legend->map->stories, legend->map->stories == 1 ? tr("story") : tr("stories"));
    flush(legend, 0, 0);
}

/* What is a list, not a figure: for who wants to know more. */
static void put_lists(struct legend *legend)
{
    const struct arrow_map *map = legend->map;
    if (arrows_seen(map, 1, legend->count)) title(legend, tr("Seen: where, by what, with which evidence"));
    for (size_t i = 0; i < legend->count; i++)
        if (map->sights[i].count) put_sight(legend, i);
    if (map->stories && arrows_seen(map, 1, legend->count) < arrows_possible(1, legend->count)) {
        title(legend, tr("Not seen: the kernel's function that takes it"));
        for (size_t i = 0; i < legend->count; i++)
            if (!map->sights[i].count && !legend->arrows[i].never) put_missing(legend, i);
    }
    title(legend, tr("Linux can't take: why, and the kernel's function that rules it out"));
    for (size_t i = 0; i < legend->count; i++)
        if (legend->arrows[i].never && !map->sights[i].count) put_never(legend, i);
    buf_char(legend->out, '\n');
}

int states_draw(const struct arrow_map *map, const struct view_options *options, struct buf *out)
{
    struct legend legend = {.map = map, .out = out, .color = options->color, .ascii = options->ascii};
    legend.width = options->width < WIDTH_DEFAULT ? WIDTH_DEFAULT : options->width > WIDTH_MAX ? WIDTH_MAX : options->width;
    legend.arrows = figure_arrows(&legend.count);
    legend.text = layout_text_new(options->ascii);
    if (options->verbose) put_lists(&legend);
    int code = states_draw_figure(map, options, out);
    put_key(&legend);
    bool failed = legend.text.failed || out->failed;
    layout_text_free(&legend.text);
    return code ? code : failed ? -ENOMEM : 0;
}
