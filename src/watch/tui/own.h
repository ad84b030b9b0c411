/* What the panels share. Internal to src/watch/tui. */
#ifndef TCPWHY_WATCH_TUI_OWN_H
#define TCPWHY_WATCH_TUI_OWN_H

#define NCURSES_NOMACROS /* "move" and the like are names of ours, too */
#include <curses.h>
#include <sys/types.h>

#include "story/tell/teller.h"
#include "watch/facts.h"
#include "watch/flight/drawer.h"
#include "watch/tui/tui.h"

enum { TUI_ENDED_MAX = 512, TUI_FINDINGS_MAX = 256, TUI_WORD_BYTES = 48, TUI_NOTE_BYTES = 160 };

/* A connection of the list. */
struct tui_row {
    uint32_t number;
    struct address end[STORY_SIDES];
    char process[STORY_SIDES][TUI_WORD_BYTES]; /* escaped */
    enum tcp_state state[STORY_SIDES];
    int64_t start_ns, last_ns;
    uint64_t bytes[STORY_SIDES]; /* of one that has ended */
    bool ended;
    enum story_outcome outcome; /* with `ended` */
    size_t findings;
    enum watch_trouble trouble;
};

struct tui_finding {
    uint32_t number;
    char severity[12];
    char text[400]; /* "id: sentence", escaped */
};

enum tui_sort { SORT_NUMBER, SORT_AGE, SORT_CLIENT, SORT_SERVER, SORT_STATE, SORT_FINDINGS, SORTS };
enum tui_input { INPUT_NONE, INPUT_SEARCH, INPUT_FILTER, INPUT_SAVE };

struct tui;

/* A panel draws into the whole screen but its first and last line. */
struct tui_panel {
    const char *name;
    void (*draw)(struct tui *tui);
    void (*move)(struct tui *tui, int by); /* rows; INT_MIN: to the first, INT_MAX: to the last */
};
extern const struct tui_panel panel_list, panel_ladder, panel_findings, panel_help;

struct tui {
    struct tui_options options;
    struct watch_open open;
    SCREEN *screen;
    int guard_fd; /* a byte there tells the guard that the terminal was put back */
    pid_t guard;
    struct drawer *drawer;
    const struct tui_panel *panel;
    bool quit, dirty, paused;
    bool hides_ended, findings_only;
    enum tui_sort sort;
    bool reverse;
    char filter[64], search[64], typed[64];
    enum tui_input input;
    char note[TUI_NOTE_BYTES]; /* on the last line, until the next key */
    int64_t drawn_ms;
    /* the list */
    struct tui_row *rows;
    size_t row_count, row_room;
    uint32_t selected; /* a connection's number; 0: none */
    size_t top;
    /* connections that ended, the newest at (ended_count - 1) % TUI_ENDED_MAX */
    struct story *ended[TUI_ENDED_MAX];
    uint64_t ended_count;
    uint8_t *troubles; /* of open connections, by their number modulo TROUBLES_KEPT */
    /* what was found */
    struct tui_finding *findings;
    uint64_t finding_count;
    size_t finding_top;
    /* the ladder */
    uint32_t ladder_number;
    char *ladder; /* drawn text */
    size_t ladder_lines, ladder_top;
    bool ladder_follows; /* its end is shown as it grows */
    size_t help_top;
};
enum { TROUBLES_KEPT = 65536 };

/* rows.c: makes the rows anew, chosen and sorted. */
void rows_collect(struct tui *tui);
/* The place of the selected row, or 0. */
size_t rows_selected(const struct tui *tui);
/* Whether the row has that text somewhere, in any case. */
bool rows_has(const struct tui_row *row, const char *text);
/* The story of a connection as it is now; *ret_owned: story_free is due. NULL: it is gone. */
struct story *rows_story(const struct tui *tui, uint32_t number, bool *ret_owned);

/* draw.c: text at a place, in so many columns or up to the screen's edge; what is too long ends in "…". `text` is harmless
 * already. */
void draw_text(const struct tui *tui, int y, int x, int width, const char *text);
void draw_on(attr_t look);
void draw_off(attr_t look);
/* Escapes `text` into `out`. */
void draw_escape(const char *text, bool ascii, char *out, size_t bytes);
enum tui_look { LOOK_PLAIN, LOOK_HEAD, LOOK_OPEN, LOOK_ENDED, LOOK_WARNING, LOOK_ERROR, LOOKS };
attr_t draw_color(const struct tui *tui, enum tui_look color);

/* keys.c: what each key does, and what the help says of it. */
struct tui_key {
    int key, other; /* two keys that do the same; 0: none */
    const char *name, *help;
    void (*act)(struct tui *tui);
};
extern const struct tui_key tui_keys[];
extern const size_t tui_key_count;
void keys_take(struct tui *tui, int key);

/* ladder.c */
void ladder_open(struct tui *tui, uint32_t number);
void ladder_refresh(struct tui *tui);
/* save.c: what is seen, as the typed letter says. */
void save_as(struct tui *tui, int letter);

#endif
