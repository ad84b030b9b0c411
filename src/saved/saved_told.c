#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "saved/saved_own.h"
#include "viz/pen/escape.h"
#include "viz/plan/words.h"

/* ---- stories' rows ---- */

static int keep_row(struct saved *saved, int64_t t_ns, const struct buf *entry)
{
    if (entry->failed) return -ENOMEM;
    if (saved->row_count == saved->row_room) {
        size_t room = saved->row_room ? saved->row_room * 2 : 64;
        struct saved_row *rows = reallocarray(saved->rows, room, sizeof(*rows));
        if (!rows) return -ENOMEM;
        saved->rows = rows;
        saved->row_room = room;
    }
    char *copy = malloc(entry->length);
    if (!copy) return -ENOMEM;
    memcpy(copy, entry->data, entry->length);
    saved->rows[saved->row_count++] = (struct saved_row){t_ns, saved->row_order++, copy, entry->length};
    saved->held_bytes += entry->length + sizeof(struct saved_row);
    return 0;
}

static void say_ends(struct buf *out, const struct story *story, enum story_side from)
{
    char one[ADDRESS_TEXT_BYTES], other[ADDRESS_TEXT_BYTES];
    enum story_side to = from == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    buf_printf(out, " · %s → %s\n", address_format(&story->end[from].address, one), address_format(&story->end[to].address, other));
}

static int take_state(struct saved *saved, const struct story *story, const struct story_step *step, int64_t t_ns)
{
    const struct story_state *state = step->state;
    struct buf *out = &saved->entry;
    buf_clear(out);
    buf_printf(out, "MESSAGE=%s: %s → %s: ", story_side_name(step->side), state->from, state->to);
    escape_text(out, state->cause.why, false);
    say_ends(out, story, step->side);
    const struct story_process *process = &story->end[step->side].process;
    if (process->pid) saved_put_number(out, "_PID", process->pid);
    if (process->comm) saved_put_text(out, "_COMM", process->comm);
    saved_end_entry(out, LEVEL_NOTICE, "state");
    saved_put_number(out, "TCPWHY_CONN", story->number);
    buf_printf(out, "TCPWHY_FROM=%s\nTCPWHY_TO=%s\n", state->from, state->to);
    return keep_row(saved, t_ns, out);
}

static int take_finding(struct saved *saved, const struct story *story, const struct story_finding *finding)
{
    struct buf *out = &saved->entry;
    int64_t t_ns = story->start_ns;
    for (size_t i = 0; i < finding->step_count; i++) {
        const struct story_step *step = finding->steps[i] < story->step_count ? &story->steps[finding->steps[i]] : NULL;
        int64_t seen_ns = !step ? 0 : step->kind == STEP_SEGMENT ? step->segment->place.t_ns : step->t_ns;
        if (seen_ns > t_ns) t_ns = seen_ns;
    }
    bool error = !strcmp(finding->severity, "error"), warning = !strcmp(finding->severity, "warning");
    buf_clear(out);
    buf_printf(out, "MESSAGE=%s: ", finding->severity);
    escape_text(out, finding->text, false);
    say_ends(out, story, STORY_CLIENT);
    saved_end_entry(out, error ? LEVEL_ERROR : warning ? LEVEL_WARNING : LEVEL_NOTICE, "finding");
    saved_put_number(out, "TCPWHY_CONN", story->number);
    buf_printf(out, "TCPWHY_FINDING=%s\n", finding->id);
    return keep_row(saved, t_ns, out);
}

/* ---- what calls waited for ---- */

/* The table's key (saved.c makes the table). */
struct call_key {
    int64_t exit_ns;
    int32_t tid, pad;
};
_Static_assert(sizeof(struct call_key) == SAVED_WORDS_KEY_BYTES, "without padding");

static struct call_key call_key(int64_t exit_ns, int32_t tid)
{
    return (struct call_key){.exit_ns = exit_ns, .tid = tid};
}

const char *saved_words_of(const struct saved *saved, const struct event *leave)
{
    const struct call_key key = call_key(leave->t_ns, leave->call.thread.tid);
    return table_get(saved->words, &key);
}

/* A ladder's spaces that no line is broken at are spaces here, where people search. */
static void unbind(struct buf *text)
{
    size_t length = 0;
    for (size_t i = 0; i < text->length; i++)
        if (text->data[i] == '\xc2' && i + 1 < text->length && text->data[i + 1] == '\xa0')
            text->data[length++] = ' ', i++;
        else
            text->data[length++] = text->data[i];
    if (text->length) text->data[text->length = length] = '\0';
}

/* "connect(3) = 0 · slept 43 µs, woken by the SYN-ACK (#2)" */
static int take_call(struct saved *saved, const struct story *story, const struct story_call *call)
{
    struct arena arena = arena_new();
    struct phrase phrase = phrase_new(&arena);
    struct buf *out = &saved->entry;
    buf_clear(out);
    words_call_end(&phrase, story, call);
    for (size_t i = 0; i < phrase.count; i++) escape_text(out, phrase.runs[i].text, false);
    unbind(out);
    const struct call_key key = call_key(call->exit_ns, call->tid);
    char *words = phrase.failed || out->failed ? NULL : strdup(buf_string(out));
    arena_free(&arena);
    if (!words) return -ENOMEM;
    free(table_remove(saved->words, &key));
    int code = table_put(saved->words, &key, words);
    if (code) free(words);
    saved->held_bytes += out->length + sizeof(key);
    return code;
}

/* A change of state stands behind the packet that brings it, which was captured a moment later than it was sent. */
int saved_take_rows(struct saved *saved, const struct story *story)
{
    const struct story_segment *last = NULL;
    int code = 0;
    for (size_t i = 0; i < story->step_count && !code; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_SEGMENT) last = step->segment;
        if (step->kind == STEP_EXIT) code = take_call(saved, story, step->call);
        if (step->kind != STEP_STATE || step->state->kernel) continue;
        bool brought = last && last->sent_ns == step->t_ns && last->place.t_ns > step->t_ns;
        code = take_state(saved, story, step, brought ? last->place.t_ns : step->t_ns);
    }
    for (size_t i = 0; i < story->finding_count && !code; i++) code = take_finding(saved, story, &story->findings[i]);
    return code;
}
