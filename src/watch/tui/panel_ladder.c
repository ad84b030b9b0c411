/* The ladder of one connection, while it grows: the text view, drawn for the screen's width. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "viz/view.h"
#include "watch/tui/own.h"

static const size_t ladder_limit = (size_t)4 << 20;

static int take(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

void ladder_refresh(struct tui *tui)
{
    bool owned;
    struct story *story = rows_story(tui, tui->ladder_number, &owned);
    struct buf text = buf_new(ladder_limit);
    const struct sink sink = {take, &text};
    const struct view_options options = {.width = COLS, .ascii = tui->options.ascii};
    void *state = NULL;
    struct err err;
    if (!story) return; /* it stays as it was drawn last */
    int code = view_text.begin(&state, &sink, &options, &err);
    if (!code) code = view_text.story(state, &sink, &options, story, &err);
    view_text.end(state, &sink, &options, NULL, &err);
    if (owned) story_free(story);
    if (code || !text.length) {
        buf_free(&text);
        return;
    }
    free(tui->ladder);
    tui->ladder = text.data;
    tui->ladder_lines = 0;
    for (size_t i = 0; i < text.length; i++) tui->ladder_lines += text.data[i] == '\n';
}

void ladder_open(struct tui *tui, uint32_t number)
{
    free(tui->ladder);
    tui->ladder = NULL;
    tui->ladder_number = number;
    tui->ladder_lines = tui->ladder_top = 0;
    tui->ladder_follows = false;
    ladder_refresh(tui);
    if (!tui->ladder) {
        snprintf(tui->note, sizeof(tui->note), tr("that connection is gone"));
        return;
    }
    tui->panel = &panel_ladder;
}

static size_t last_top(const struct tui *tui)
{
    size_t lines = LINES > 3 ? (size_t)LINES - 3 : 1;
    return tui->ladder_lines > lines ? tui->ladder_lines - lines : 0;
}

static void draw(struct tui *tui)
{
    char line[1024];
    size_t number = 0;
    ladder_refresh(tui);
    const char *at = tui->ladder;
    if (tui->ladder_follows || tui->ladder_top > last_top(tui)) tui->ladder_top = last_top(tui);
    for (int y = 1; at && *at && y < LINES - 1;) {
        const char *end = strchr(at, '\n');
        size_t length = end ? (size_t)(end - at) : strlen(at);
        if (number++ >= tui->ladder_top) {
            if (length >= sizeof(line)) length = sizeof(line) - 1;
            memcpy(line, at, length);
            line[length] = 0;
            draw_text(tui, y++, 0, COLS, line);
        }
        if (!end) break;
        at = end + 1;
    }
}

static void move_by(struct tui *tui, int by)
{
    size_t last = last_top(tui);
    tui->ladder_follows = by == INT_MAX;
    if (by == INT_MIN || (by < 0 && (size_t)-by > tui->ladder_top))
        tui->ladder_top = 0;
    else if (by == INT_MAX || (by > 0 && tui->ladder_top + (size_t)by > last))
        tui->ladder_top = last;
    else
        tui->ladder_top = by < 0 ? tui->ladder_top - (size_t)-by : tui->ladder_top + (size_t)by;
}

const struct tui_panel panel_ladder = {TR("ladder"), draw, move_by};
