/* Every key there is, in one table: what it does, and what the help says. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "watch/tui/own.h"

static int page(void)
{
    return LINES > 6 ? LINES - 5 : 1;
}

static void up(struct tui *tui)
{
    tui->panel->move(tui, -1);
}
static void down(struct tui *tui)
{
    tui->panel->move(tui, 1);
}
static void page_up(struct tui *tui)
{
    tui->panel->move(tui, -page());
}
static void page_down(struct tui *tui)
{
    tui->panel->move(tui, page());
}
static void first(struct tui *tui)
{
    tui->panel->move(tui, INT_MIN);
}
static void last(struct tui *tui)
{
    tui->panel->move(tui, INT_MAX);
}

static void enter(struct tui *tui)
{
    if (tui->panel == &panel_list && tui->selected) ladder_open(tui, tui->selected);
    if (tui->panel == &panel_findings && tui->finding_count)
        ladder_open(tui, tui->findings[(tui->finding_count - 1 - tui->finding_top) % TUI_FINDINGS_MAX].number);
}

static void other_panel(struct tui *tui)
{
    tui->panel = tui->panel == &panel_list ? &panel_findings : &panel_list;
}

static void search(struct tui *tui)
{
    tui->input = INPUT_SEARCH;
    tui->typed[0] = 0;
}

static void filter_by(struct tui *tui)
{
    tui->input = INPUT_FILTER;
    snprintf(tui->typed, sizeof(tui->typed), "%s", tui->filter);
}

static void search_on(struct tui *tui)
{
    size_t from = rows_selected(tui);
    for (size_t i = 1; tui->search[0] && i <= tui->row_count; i++) {
        const struct tui_row *row = &tui->rows[(from + i) % tui->row_count];
        if (!rows_has(row, tui->search)) continue;
        tui->selected = row->number;
        return;
    }
    snprintf(tui->note, sizeof(tui->note), "%s", tui->search[0] ? tr("not found") : tr("search for what? (/)"));
}

static void sort_next(struct tui *tui)
{
    static const char *const names[SORTS] = {TR("newest"), TR("age"), TR("client"), TR("server"), TR("state"), TR("findings")};
    tui->sort = (enum tui_sort)((tui->sort + 1) % SORTS);
    snprintf(tui->note, sizeof(tui->note), tr("sorted by %s"), tr(names[tui->sort]));
}

static void reverse(struct tui *tui)
{
    tui->reverse = !tui->reverse;
}

static void hide_ended(struct tui *tui)
{
    tui->hides_ended = !tui->hides_ended;
    snprintf(tui->note, sizeof(tui->note), "%s", tui->hides_ended ? tr("open connections alone") : tr("ended ones too"));
}

static void findings_only(struct tui *tui)
{
    tui->findings_only = !tui->findings_only;
    snprintf(tui->note, sizeof(tui->note), "%s", tui->findings_only ? tr("those with findings alone") : tr("all connections"));
}

static void hold(struct tui *tui)
{
    tui->paused = !tui->paused;
}

static void save(struct tui *tui)
{
    tui->input = INPUT_SAVE;
}

static void help(struct tui *tui)
{
    tui->panel = &panel_help;
    tui->help_top = 0;
}

static void back(struct tui *tui)
{
    if (tui->panel == &panel_list)
        tui->quit = true;
    else
        tui->panel = &panel_list;
}

static void quit(struct tui *tui)
{
    tui->quit = true;
}

const struct tui_key tui_keys[] = {
    {KEY_UP, 'k', "Up k", TR("one line up"), up},
    {KEY_DOWN, 'j', "Down j", TR("one line down"), down},
    {KEY_PPAGE, 0, "PgUp", TR("a page up"), page_up},
    {KEY_NPAGE, ' ', "PgDn Space", TR("a page down"), page_down},
    {KEY_HOME, 'g', "Home g", TR("to the first line"), first},
    {KEY_END, 'G', "End G", TR("to the last; a ladder is followed as it grows"), last},
    {'\n', KEY_ENTER, "Enter", TR("the ladder of this connection"), enter},
    {'\t', 0, "Tab", TR("from the connections to what was found, and back"), other_panel},
    {'/', 0, "/", TR("search: a name, an address, a state"), search},
    {'n', 0, "n", TR("search on"), search_on},
    {'f', 0, "f", TR("filter: show only rows with this text; empty: all"), filter_by},
    {'o', 0, "o", TR("open connections alone, or ended ones too"), hide_ended},
    {'F', 0, "F", TR("only those with findings or troubles, or all"), findings_only},
    {'S', '>', "S >", TR("sort by the next column"), sort_next},
    {'r', 0, "r", TR("the other way round"), reverse},
    {'p', 0, "p", TR("hold the list still, and let it go"), hold},
    {'s', 0, "s", TR("save this connection: text, svg, html, jsonl, pcapng"), save},
    {'?', 'h', "? h", TR("these keys"), help},
    {'q', 27, "q Esc", TR("back; from the list, end"), back},
    {'Q', 0, "Q", TR("end the watch"), quit},
};
const size_t tui_key_count = sizeof(tui_keys) / sizeof(tui_keys[0]);

static void input_done(struct tui *tui)
{
    if (tui->input == INPUT_FILTER) {
        snprintf(tui->filter, sizeof(tui->filter), "%s", tui->typed);
        tui->input = INPUT_NONE;
        return;
    }
    snprintf(tui->search, sizeof(tui->search), "%s", tui->typed);
    tui->input = INPUT_NONE;
    search_on(tui);
}

static void type(struct tui *tui, int key)
{
    size_t length = strlen(tui->typed);
    if (tui->input == INPUT_SAVE) {
        tui->input = INPUT_NONE;
        save_as(tui, key);
    } else if (key == '\n' || key == KEY_ENTER || key == '\r') {
        input_done(tui);
    } else if (key == 27) {
        tui->input = INPUT_NONE;
    } else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && length) {
        do length--;
        while (length && ((unsigned char)tui->typed[length] & 0xc0) == 0x80); /* the whole character */
        tui->typed[length] = 0;
    } else if (((key >= 0x20 && key < 0x7f) || (key >= 0x80 && key <= 0xff)) && length + 1 < sizeof(tui->typed)) {
        tui->typed[length] = (char)key;
        tui->typed[length + 1] = 0;
    }
}

void keys_take(struct tui *tui, int key)
{
    tui->note[0] = 0;
    tui->dirty = true;
    if (key == KEY_RESIZE) return;
    if (tui->input != INPUT_NONE) {
        type(tui, key);
        return;
    }
    if (key == '\r') key = '\n';
    for (size_t i = 0; i < tui_key_count; i++)
        if (tui_keys[i].key == key || (tui_keys[i].other && tui_keys[i].other == key)) {
            tui_keys[i].act(tui);
            return;
        }
    snprintf(tui->note, sizeof(tui->note), tr("no such key: ? shows them"));
}
