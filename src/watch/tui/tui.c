#include "watch/tui/tui.h"
#include "base/lang.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "viz/pen/escape.h"
#include "watch/tui/own.h"

enum { REDRAW_MS = 500, ESCAPE_MS = 50 };

/* ---- the terminal ---- */

int tui_check(struct err *err)
{
    const char *term = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(err, -ENOTTY, "--tui: standard input and output are no terminal; without --tui it writes lines");
    if (!term || !*term || strcmp(term, "dumb") == 0)
        return err_set(err, -ENOTTY, "--tui: this terminal (TERM=%s) can't be drawn on; without --tui it writes lines",
                       term ? term : "");
    return 0;
}

/* What leaves the other screen and shows the cursor again, as this terminal has it. */
static void leave_words(char *words, size_t bytes)
{
    static const char *const names[] = {"sgr0", "cnorm", "rmcup"};
    size_t used = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *word = tigetstr(names[i]);
        if (word && word != (const char *)-1 && used + strlen(word) < bytes)
            used += (size_t)snprintf(words + used, bytes - used, "%s", word);
    }
}

/* Waits for this process's end; if that did not put the terminal back, it does. */
static void guard(int fd, const struct termios *before, const char *words)
{
    char byte;
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    ssize_t got;
    do got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 0) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
        (void)!write(STDOUT_FILENO, words, strlen(words));
    }
    _exit(0);
}

static int begin_guard(struct tui *tui, const struct termios *before, struct err *err)
{
    int ends[2];
    char words[128] = "";
    leave_words(words, sizeof(words));
    if (pipe(ends)) return err_set_errno(err, -errno, "--tui");
    tui->guard = fork();
    if (tui->guard < 0) return err_set_errno(err, -errno, "--tui");
    if (tui->guard == 0) {
        close(ends[1]);
        guard(ends[0], before, words);
    }
    close(ends[0]);
    tui->guard_fd = ends[1];
    return 0;
}

static int screen_open(void *data, const struct watch_open *open, struct err *err)
{
    struct tui *tui = data;
    struct termios before;
    const struct drawer_limits any = {UINT64_MAX, UINT64_MAX};
    int code = drawer_open(&tui->drawer, tui->options.folder, &any, err);
    if (code) return code;
    tui->open = *open;
    if (tcgetattr(STDIN_FILENO, &before)) return err_set_errno(err, -errno, "--tui");
    tui->screen = newterm(NULL, stdout, stdin);
    if (!tui->screen) return err_set(err, -ENOTTY, "--tui: this terminal (TERM=%s) is not known", getenv("TERM"));
    code = begin_guard(tui, &before, err);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    if (tui->options.color && has_colors()) {
        start_color();
        use_default_colors();
        init_pair(LOOK_OPEN, COLOR_GREEN, -1);
        init_pair(LOOK_ENDED, -1, -1);
        init_pair(LOOK_WARNING, COLOR_YELLOW, -1);
        init_pair(LOOK_ERROR, COLOR_RED, -1);
    }
    return code;
}

static void screen_close(void *data)
{
    struct tui *tui = data;
    if (tui->screen) {
        endwin();
        delscreen(tui->screen);
        tui->screen = NULL;
    }
    if (tui->guard_fd >= 0) {
        (void)!write(tui->guard_fd, "x", 1);
        close(tui->guard_fd);
        tui->guard_fd = -1;
        while (waitpid(tui->guard, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    drawer_free(tui->drawer);
    tui->drawer = NULL;
}

/* ---- what happens ---- */

/* Where it was said of that connection before, with what was known then; NULL: it is new. */
static struct tui_finding *said_before(const struct tui *tui, uint32_t number, const char *id)
{
    enum { FAR = 64 };
    size_t length = strlen(id);
    for (uint64_t back = 1; back <= FAR && back <= tui->finding_count && back <= TUI_FINDINGS_MAX; back++) {
        struct tui_finding *finding = &tui->findings[(tui->finding_count - back) % TUI_FINDINGS_MAX];
        if (finding->number == number && strncmp(finding->text, id, length) == 0 && finding->text[length] == ':') return finding;
    }
    return NULL;
}

static void add_finding(struct tui *tui, uint32_t number, const struct story_finding *finding)
{
    char text[512];
    struct tui_finding *place = said_before(tui, number, finding->id);
    if (!place) place = &tui->findings[tui->finding_count++ % TUI_FINDINGS_MAX];
    place->number = number;
    snprintf(place->severity, sizeof(place->severity), "%s", finding->severity);
    snprintf(text, sizeof(text), "%s: %s", finding->id, finding->text);
    draw_escape(text, tui->options.ascii, place->text, sizeof(place->text));
}

static void screen_ended(void *data, struct story *story)
{
    struct tui *tui = data;
    struct story **place = &tui->ended[tui->ended_count++ % TUI_ENDED_MAX];
    for (size_t i = 0; i < story->finding_count; i++) add_finding(tui, story->number, &story->findings[i]);
    tui->troubles[story->number % TROUBLES_KEPT] = TROUBLE_NONE;
    story_free(*place);
    *place = story;
}

static void screen_trouble(void *data, const struct teller_glance *glance, enum watch_trouble trouble, const struct story *story)
{
    struct tui *tui = data;
    tui->troubles[glance->number % TROUBLES_KEPT] = (uint8_t)trouble;
    for (size_t i = 0; story && i < story->finding_count; i++) add_finding(tui, glance->number, &story->findings[i]);
}

/* ---- the picture ---- */

/* Of the selected row what a narrow list has no room for, at the right end of the first line. */
static void draw_selected(struct tui *tui, int used)
{
    char text[TUI_WORD_BYTES + ADDRESS_TEXT_BYTES + 32], from[ADDRESS_TEXT_BYTES];
    if (tui->panel != &panel_list || !tui->row_count) return;
    const struct tui_row *row = &tui->rows[rows_selected(tui)];
    snprintf(text, sizeof(text), "%u: %s %s ", row->number, row->process[STORY_CLIENT],
             address_format(&row->end[STORY_CLIENT], from));
    int wide = escape_text_columns(text);
    if (used + wide + 1 < COLS) draw_text(tui, 0, COLS - wide, wide, text);
}

static void draw_frame(struct tui *tui)
{
    const char *save = tr("save as: t text, v svg, h html, j jsonl, p pcapng; any other key: not");
    char head[160], foot[320], typed[sizeof(tui->typed) * 4];
    size_t open = 0;
    draw_escape(tui->typed, tui->options.ascii, typed, sizeof(typed));
    for (size_t i = 0; i < tui->row_count; i++) open += !tui->rows[i].ended;
    if (tui->panel == &panel_ladder)
        snprintf(head, sizeof(head), tr(" tcpwhy watch: connection %u"), tui->ladder_number);
    else
        snprintf(head, sizeof(head), tr(" tcpwhy watch: %s  %zu open, %zu shown%s%s%s"), tr(tui->panel->name), open, tui->row_count,
                 tui->paused ? tr(", held") : "", tui->filter[0] ? tr(", filter ") : "", tui->filter);
    if (tui->input == INPUT_SAVE)
        snprintf(foot, sizeof(foot), "%s", save);
    else if (tui->input != INPUT_NONE)
        snprintf(foot, sizeof(foot), "%s%s_", tui->input == INPUT_SEARCH ? "/" : tr("filter: "), typed);
    else if (tui->note[0])
        snprintf(foot, sizeof(foot), "%s", tui->note);
    else
        snprintf(foot, sizeof(foot), "%s",
                 tui->panel == &panel_list ? tr("? keys   q end   Enter ladder   Tab findings   / search   f filter   s save")
                                           : tr("? keys   q back   Enter ladder   Tab findings   / search   f filter   s save"));
    draw_on(draw_color(tui, LOOK_HEAD));
    draw_text(tui, 0, 0, COLS, head);
    draw_selected(tui, escape_text_columns(head));
    /* The last cell of the screen is left alone: some terminals scroll. */
    draw_text(tui, LINES - 1, 0, COLS - 1, foot);
    draw_off(draw_color(tui, LOOK_HEAD));
}

static void draw(struct tui *tui)
{
    erase();
    rows_collect(tui);
    tui->panel->draw(tui);
    draw_frame(tui);
    refresh();
    tui->drawn_ms = clock_ms();
    tui->dirty = false;
}

static bool screen_step(void *data)
{
    struct tui *tui = data;
    for (int key; (key = getch()) != ERR;) {
        keys_take(tui, key);
        if (tui->quit) return false;
    }
    if (tui->dirty || clock_ms() - tui->drawn_ms >= REDRAW_MS) draw(tui);
    return true;
}

const struct watch_screen tui_screen = {screen_open, screen_step, screen_ended, screen_trouble, screen_close};

struct tui *tui_new(const struct tui_options *options)
{
    struct tui *tui = calloc(1, sizeof(*tui));
    if (!tui) return NULL;
    tui->options = *options;
    tui->guard_fd = -1;
    tui->panel = &panel_list;
    tui->dirty = true;
    tui->findings = calloc(TUI_FINDINGS_MAX, sizeof(*tui->findings));
    tui->troubles = calloc(TROUBLES_KEPT, 1);
    if (tui->findings && tui->troubles) return tui;
    tui_free(tui);
    return NULL;
}

void tui_free(struct tui *tui)
{
    if (!tui) return;
    screen_close(tui);
    for (size_t i = 0; i < TUI_ENDED_MAX; i++) story_free(tui->ended[i]);
    free(tui->findings);
    free(tui->troubles);
    free(tui->rows);
    free(tui->ladder);
    free(tui);
}
