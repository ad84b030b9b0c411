/* The rows of the list: what is open, and what ended a short while ago. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch/cgroups.h"
#include "watch/tui/own.h"

static void name_process(const struct tui *tui, const struct story_process *process, bool is_guess, char out[TUI_WORD_BYTES])
{
    const char *before = is_guess ? "?" : "";
    char text[64 + CGROUPS_LABEL_BYTES], label[CGROUPS_LABEL_BYTES];
    if (!process->pid && !process->comm) {
        snprintf(out, TUI_WORD_BYTES, "%s-", before);
        return;
    }
    const char *path = cgroups_path(tui->open.cgroups, process->pid);
    bool contained = path && cgroups_container(path, label);
    snprintf(text, sizeof(text), "%s%s[%d]%s%s", before, process->comm ? process->comm : "", process->pid, contained ? " in " : "",
             contained ? label : "");
    draw_escape(text, tui->options.ascii, out, TUI_WORD_BYTES);
}

static struct tui_row *add(struct tui *tui)
{
    if (tui->row_count == tui->row_room) {
        size_t room = tui->row_room ? tui->row_room * 2 : 256;
        struct tui_row *rows = reallocarray(tui->rows, room, sizeof(*rows));
        if (!rows) return NULL; /* the list is shorter */
        tui->rows = rows;
        tui->row_room = room;
    }
    struct tui_row *row = &tui->rows[tui->row_count++];
    memset(row, 0, sizeof(*row));
    return row;
}

bool rows_has(const struct tui_row *row, const char *text)
{
    char whole[2 * TUI_WORD_BYTES + 2 * ADDRESS_TEXT_BYTES + 64], from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
    snprintf(whole, sizeof(whole), "%s %s %s %s %s %s %s", row->process[0], address_format(&row->end[0], from),
             address_format(&row->end[1], to), row->process[1], tcp_state_name(row->state[0]), tcp_state_name(row->state[1]),
             row->ended ? story_outcome_name(row->outcome) : "open");
    return !text[0] || strcasestr(whole, text);
}

static void keep_if_wanted(struct tui *tui)
{
    const struct tui_row *row = &tui->rows[tui->row_count - 1];
    bool wanted = rows_has(row, tui->filter) && !(tui->hides_ended && row->ended) &&
                  !(tui->findings_only && !row->findings && row->trouble == TROUBLE_NONE);
    if (!wanted) tui->row_count--;
}

static void add_open(void *data, const struct teller_glance *glance)
{
    struct tui *tui = data;
    if (!chooser_wants_ends(tui->open.chooser, glance->end, glance->process)) return;
    struct tui_row *row = add(tui);
    if (!row) return;
    *row = (struct tui_row){.number = glance->number, .start_ns = glance->start_ns, .last_ns = glance->last_ns};
    for (int side = 0; side < STORY_SIDES; side++) {
        row->end[side] = glance->end[side];
        row->state[side] = glance->state[side];
        name_process(tui, &glance->process[side], glance->roles_guessed && side == STORY_CLIENT, row->process[side]);
    }
    row->trouble = glance->over ? TROUBLE_NONE : (enum watch_trouble)tui->troubles[glance->number % TROUBLES_KEPT];
    keep_if_wanted(tui);
}

static void add_ended(struct tui *tui, const struct story *story)
{
    struct tui_row *row = add(tui);
    if (!row) return;
    *row = (struct tui_row){.number = story->number,
                            .start_ns = story->start_ns,
                            .last_ns = story->step_count ? story->steps[story->step_count - 1].t_ns : story->start_ns,
                            .ended = true,
                            .outcome = story->outcome,
                            .findings = story->finding_count};
    for (int side = 0; side < STORY_SIDES; side++) {
        row->end[side] = story->end[side].address;
        row->state[side] = story->end[side].state;
        row->bytes[side] = story->end[side].bytes_sent + story->end[side].bytes_missed;
        name_process(tui, &story->end[side].process, story->roles_guessed && side == STORY_CLIENT, row->process[side]);
    }
    keep_if_wanted(tui);
}

static int in_order(const void *a, const void *b, void *data)
{
    const struct tui_row *x = a, *y = b;
    const struct tui *tui = data;
    int order = 0;
    switch (tui->sort) {
    case SORT_AGE:
        order = (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
        break;
    case SORT_CLIENT:
        order = strcmp(x->process[STORY_CLIENT], y->process[STORY_CLIENT]);
        break;
    case SORT_SERVER:
        order = strcmp(x->process[STORY_SERVER], y->process[STORY_SERVER]);
        break;
    case SORT_STATE:
        order = x->ended != y->ended ? (int)x->ended - (int)y->ended : (int)x->state[0] - (int)y->state[0];
        break;
    case SORT_FINDINGS: {
        size_t of_x = x->findings + (size_t)100 * (x->trouble != TROUBLE_NONE),
               of_y = y->findings + (size_t)100 * (y->trouble != TROUBLE_NONE);
        order = (of_x < of_y) - (of_x > of_y);
        break;
    }
    default:
        break;
    }
    if (!order) order = (x->number < y->number) - (x->number > y->number); /* the newest first */
    return tui->reverse ? -order : order;
}

void rows_collect(struct tui *tui)
{
    if (!tui->paused) {
        tui->row_count = 0;
        teller_glance_open(tui->open.teller, add_open, tui);
        uint64_t first = tui->ended_count > TUI_ENDED_MAX ? tui->ended_count - TUI_ENDED_MAX : 0;
        for (uint64_t i = first; i < tui->ended_count; i++) add_ended(tui, tui->ended[i % TUI_ENDED_MAX]);
    }
    if (tui->row_count) qsort_r(tui->rows, tui->row_count, sizeof(*tui->rows), in_order, tui);
    if (!tui->row_count)
        tui->selected = 0;
    else if (!tui->selected || (!rows_selected(tui) && tui->rows[0].number != tui->selected))
        tui->selected = tui->rows[0].number;
}

size_t rows_selected(const struct tui *tui)
{
    for (size_t i = 0; i < tui->row_count; i++)
        if (tui->rows[i].number == tui->selected) return i;
    return 0;
}

struct story *rows_story(const struct tui *tui, uint32_t number, bool *ret_owned)
{
    struct story *story = NULL;
    *ret_owned = false;
    for (uint64_t i = tui->ended_count; i-- > 0 && tui->ended_count - i <= TUI_ENDED_MAX;)
        if (tui->ended[i % TUI_ENDED_MAX]->number == number) return tui->ended[i % TUI_ENDED_MAX];
    /* It reads alone: the teller is asked as who watches may. */
    if (teller_story_of((struct teller *)(uintptr_t)tui->open.teller, number, 0, &story)) return NULL;
    *ret_owned = story != NULL;
    return story;
}
