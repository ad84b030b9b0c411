/* The list of connections. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "viz/pen/line.h"
#include "watch/tui/own.h"

/* So many lines at the bottom show what was found last, where the screen is tall enough. */
enum { PANE_LINES = 6, PANE_FROM_LINES = 20 };

static int pane_lines(void)
{
    return LINES >= PANE_FROM_LINES ? PANE_LINES : 0;
}

static int visible(void)
{
    int lines = LINES - 3 - pane_lines();
    return lines > 1 ? lines : 1;
}

struct columns {
    int process, address, state;
};

static struct columns choose_columns(void)
{
    if (COLS >= 140) return (struct columns){20, 21, 12};
    if (COLS >= 110) return (struct columns){15, 21, 11};
    if (COLS >= 80) return (struct columns){(COLS - 64) / 2, 0, 11};
    if (COLS >= 64) return (struct columns){0, 0, 11};
    return (struct columns){0, 0, 0};
}

/* The name alone where the number would be cut. */
static void draw_process(const struct tui *tui, int y, int x, int width, const char *text)
{
    char name[TUI_WORD_BYTES];
    const char *number = strrchr(text, '[');
    if (!number || strlen(text) <= (size_t)width) {
        draw_text(tui, y, x, width, text);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(number - text), text);
    draw_text(tui, y, x, width, name);
}

/* The column behind them. */
static int draw_cells(const struct tui *tui, int y, const struct columns *columns, const char *const text[7])
{
    int x = 0;
    const int widths[7] = {6,
                           columns->process,
                           columns->address,
                           columns->address ? columns->address : 21,
                           columns->process,
                           columns->state,
                           columns->state};
    for (int i = 0; i < 7; i++) {
        if (!widths[i]) continue;
        if (i == 1 || i == 4)
            draw_process(tui, y, x, widths[i], text[i]);
        else
            draw_text(tui, y, x, widths[i], text[i]);
        x += widths[i] + 1;
        if (x - 1 < COLS) mvaddch(y, x - 1, ' ');
    }
    return x;
}

static const char *age_text(const struct tui_row *row, int64_t now_ns, bool ascii, char text[64])
{
    struct line_scaled scaled = line_duration((row->ended ? row->last_ns : now_ns) - row->start_ns, ascii);
    *line_scaled(text, &scaled) = 0;
    return text;
}

static void draw_row(struct tui *tui, int y, const struct columns *columns, const struct tui_row *row, int64_t now_ns)
{
    char age[64], from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES], tail[64];
    enum tui_look color = row->trouble != TROUBLE_NONE ? LOOK_ERROR
                          : row->findings              ? LOOK_WARNING
                          : row->ended                 ? LOOK_ENDED
                                                       : LOOK_OPEN;
    const char *const text[7] = {
        age_text(row, now_ns, tui->options.ascii, age), row->process[STORY_CLIENT], address_format(&row->end[STORY_CLIENT], from),
        address_format(&row->end[STORY_SERVER], to),    row->process[STORY_SERVER], tcp_state_name(row->state[STORY_CLIENT]),
        tcp_state_name(row->state[STORY_SERVER])};
    attr_t look = draw_color(tui, color) | (row->number == tui->selected ? A_REVERSE : A_NORMAL);
    draw_on(look);
    draw_text(tui, y, 0, COLS, "");
    int x = draw_cells(tui, y, columns, text);
    if (row->trouble != TROUBLE_NONE)
        snprintf(tail, sizeof(tail), "%s", lines_trouble_name(row->trouble));
    else if (row->ended)
        snprintf(tail, sizeof(tail), "%s%s", row->findings ? "! " : "", story_outcome_name(row->outcome));
    else /* where the states have no column, the one that tells more */
        snprintf(tail, sizeof(tail), "%s", columns->state ? "" : tcp_state_name(row->state[STORY_CLIENT]));
    draw_text(tui, y, x, COLS - x, tail);
    draw_off(look);
}

static void draw_pane(struct tui *tui)
{
    int lines = pane_lines(), top = LINES - 1 - lines;
    if (!lines) return;
    draw_on(draw_color(tui, LOOK_HEAD));
    draw_text(tui, top, 0, COLS, tr(" found (Tab: all)"));
    draw_off(draw_color(tui, LOOK_HEAD));
    for (int i = 1; i < lines; i++) {
        uint64_t back = (uint64_t)i;
        if (back > tui->finding_count || back > TUI_FINDINGS_MAX) break;
        const struct tui_finding *finding = &tui->findings[(tui->finding_count - back) % TUI_FINDINGS_MAX];
        char line[480];
        snprintf(line, sizeof(line), "%6u %s", finding->number, finding->text);
        attr_t look = draw_color(tui, finding->severity[0] == 'e' ? LOOK_ERROR : LOOK_WARNING);
        draw_on(look);
        draw_text(tui, top + i, 0, COLS, line);
        draw_off(look);
    }
}

static void draw(struct tui *tui)
{
    struct columns columns = choose_columns();
    const bool narrow = columns.process < (int)strlen("OPENED BY");
    const char *const heads[7] = {tr("AGE"),      narrow ? tr("OPENER") : tr("OPENED BY"), tr("CLIENT"),
                                  tr("SERVER"),   narrow ? tr("TAKER") : tr("SERVED BY"),  tr("CLIENT IS"),
                                  tr("SERVER IS")};
    size_t selected = rows_selected(tui), lines = (size_t)visible();
    int64_t now_ns = tui->open.now(tui->open.now_data);
    if (selected < tui->top) tui->top = selected;
    if (selected >= tui->top + lines) tui->top = selected - lines + 1;
    if (tui->top >= tui->row_count) tui->top = 0;
    draw_on(A_UNDERLINE);
    draw_text(tui, 1, 0, COLS, "");
    draw_cells(tui, 1, &columns, heads);
    draw_off(A_UNDERLINE);
    for (size_t i = 0; i < lines && tui->top + i < tui->row_count; i++)
        draw_row(tui, 2 + (int)i, &columns, &tui->rows[tui->top + i], now_ns);
    if (!tui->row_count) draw_text(tui, 3, 2, COLS - 2, tui->filter[0] ? tr("nothing passes the filter") : tr("no connection yet"));
    draw_pane(tui);
}

static void move_by(struct tui *tui, int by)
{
    size_t at = rows_selected(tui);
    if (!tui->row_count) return;
    if (by == INT_MIN || (by < 0 && (size_t)-by > at))
        at = 0;
    else if (by == INT_MAX || (by > 0 && at + (size_t)by >= tui->row_count))
        at = tui->row_count - 1;
    else
        at = by < 0 ? at - (size_t)-by : at + (size_t)by;
    tui->selected = tui->rows[at].number;
}

const struct tui_panel panel_list = {TR("connections"), draw, move_by};
