/* What was found, the newest first, in whole sentences. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "watch/columns.h"
#include "watch/tui/own.h"

static size_t count_of(const struct tui *tui)
{
    return tui->finding_count < TUI_FINDINGS_MAX ? (size_t)tui->finding_count : TUI_FINDINGS_MAX;
}

/* One sentence over as many lines as it takes. The line behind it. */
static int draw_sentence(const struct tui *tui, int y, const char *text)
{
    int width = COLS > 20 ? COLS - 9 : 11;
    for (size_t at = 0; text[at] && y < LINES - 1; y++) {
        size_t take = columns_line(text + at, width);
        char line[512];
        snprintf(line, sizeof(line), "%.*s", (int)(take < sizeof(line) - 1 ? take : sizeof(line) - 1), text + at);
        draw_text(tui, y, 9, width, line);
        at += take;
        while (text[at] == ' ') at++;
    }
    return y;
}

static void draw(struct tui *tui)
{
    int y = 1;
    size_t count = count_of(tui);
    if (!count) draw_text(tui, 2, 2, COLS - 2, tr("nothing found yet"));
    for (size_t i = tui->finding_top; i < count && y < LINES - 1; i++) {
        const struct tui_finding *finding = &tui->findings[(tui->finding_count - 1 - i) % TUI_FINDINGS_MAX];
        char number[16];
        attr_t look = draw_color(tui, finding->severity[0] == 'e'   ? LOOK_ERROR
                                      : finding->severity[0] == 'w' ? LOOK_WARNING
                                                                    : LOOK_PLAIN);
        snprintf(number, sizeof(number), "%8u", finding->number);
        draw_on(look);
        draw_text(tui, y, 0, 9, number);
        y = draw_sentence(tui, y, finding->text);
        draw_off(look);
    }
}

static void move_by(struct tui *tui, int by)
{
    size_t last = count_of(tui) ? count_of(tui) - 1 : 0;
    if (by == INT_MIN || (by < 0 && (size_t)-by > tui->finding_top))
        tui->finding_top = 0;
    else if (by == INT_MAX || (by > 0 && tui->finding_top + (size_t)by > last))
        tui->finding_top = last;
    else
        tui->finding_top = by < 0 ? tui->finding_top - (size_t)-by : tui->finding_top + (size_t)by;
}

const struct tui_panel panel_findings = {TR("findings"), draw, move_by};
