/* The keys, as their table has them. */
#include <limits.h>
#include <stdio.h>

#include "base/lang.h"
#include "watch/tui/own.h"

static void draw(struct tui *tui)
{
    size_t lines = LINES > 3 ? (size_t)LINES - 3 : 1, last = tui_key_count > lines ? tui_key_count - lines : 0;
    if (tui->help_top > last) tui->help_top = last;
    for (size_t i = 0; i < lines && tui->help_top + i < tui_key_count; i++) {
        const struct tui_key *key = &tui_keys[tui->help_top + i];
        char line[160];
        snprintf(line, sizeof(line), "  %-12s %s", key->name, tr(key->help));
        draw_text(tui, 1 + (int)i, 0, COLS, line);
    }
}

static void move_by(struct tui *tui, int by)
{
    if (by < 0)
        tui->help_top = by == INT_MIN || (size_t)-by > tui->help_top ? 0 : tui->help_top - (size_t)-by;
    else
        tui->help_top = by == INT_MAX ? tui_key_count : tui->help_top + (size_t)by;
}

const struct tui_panel panel_help = {TR("keys"), draw, move_by};
