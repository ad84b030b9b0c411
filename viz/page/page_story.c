/* Everything is an array, and a field is known by its place: a page may hold ten thousand stories. Times are nanoseconds from the
 * story's beginning. "word" is a number of the table of words, or the word itself (viz/page/page_words.h).
 *
 * list row   [name, outcome, severity, [finding ids], took ns, bytes of client, of server, address and process of client, of
 *            server, bits (1 goes on, 2 UDP, 4 stragglers), packets, beginning in µs since the epoch]
 * story      [title, question, headline, [both ends], [[key, words], …], [first state of both], [lanes of both],
 *            [bases of both's numbers], rows, packets, calls, findings, [processes of the calls]]
 * finding    [id, severity, words, [rows that prove it]]
 *
 * Rows, packets and calls are flat: each is its shape, a word that connections which are alike have in common, and behind it what
 * differs all the same.
 *
 * row        shape, label, ns since the row before, then for each of its states the ns behind the row, and the pause if it has one
 *   shape    [kind, side, which packet or call (0 the next that no row had, -1 the one before, …; or null), notes,
 *            1 if a pause was folded, then for each state: side, name, arrow of figure 5]
 *   notes    word: [kind, bits (1 drawn, 2 of a state, 4 only if short, 8 weak), words, evidence, …] */
#include "viz/page/page_story.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/page/page_own.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"

/* ---- which row shows a step ---- */

static void show(struct page_telling *t, uint32_t step, uint32_t row)
{
    if (step < t->story->step_count && t->row_of[step] == PLAN_NONE) t->row_of[step] = row;
}

static int map_rows(struct page_telling *t)
{
    size_t count = t->story->step_count + 1;
    t->row_of = malloc(count * sizeof(*t->row_of));
    t->packet_of = malloc(count * sizeof(*t->packet_of));
    t->call_of = malloc(count * sizeof(*t->call_of));
    t->processes = calloc(t->plan.call_count + 1, sizeof(struct story_call *));
    if (!t->row_of || !t->packet_of || !t->call_of || !t->processes) return -ENOMEM;
    for (size_t i = 0; i < count; i++) t->row_of[i] = t->packet_of[i] = t->call_of[i] = PLAN_NONE;
    for (uint32_t k = 0; k < t->plan.call_count; k++) {
        const struct story_call *call = t->plan.calls[k].call;
        if (call->enter_step < count) t->call_of[call->enter_step] = k;
        if (call->exit_step < count) t->call_of[call->exit_step] = k;
    }
    for (uint32_t i = 0; i < t->plan.count; i++) {
        const struct plan_row *row = &t->plan.rows[i];
        if (row->kind != PLAN_UNRETURNED) show(t, row->step, i);
        if (row->kind == PLAN_CALL) show(t, t->story->steps[row->step].call->exit_step, i);
        for (int side = 0; side < STORY_SIDES; side++) {
            show(t, row->states[side], i);
            show(t, row->further[side], i);
        }
        bool is_packet = row->kind == PLAN_PACKET || row->kind == PLAN_DEPART || row->kind == PLAN_ARRIVE;
        if (is_packet && t->packet_of[row->step] == PLAN_NONE) t->packet_of[row->step] = t->packet_count++;
    }
    return 0;
}

/* ---- rows ---- */

/* Whether the drawing says it too. */
static bool is_drawn(const struct plan_words *drawn, const struct plan_note *note)
{
    for (size_t i = 0; i < drawn->note_count; i++) {
        const struct plan_note *at = &drawn->notes[i];
        if (at->kind != note->kind || at->of_state != note->of_state || at->words.count != note->words.count) continue;
        bool same = true;
        for (size_t k = 0; k < at->words.count; k++) same = same && strcmp(at->words.runs[k].text, note->words.runs[k].text) == 0;
        if (same) return true;
    }
    return false;
}

static void write_note(struct page_telling *t, const struct plan_note *note, unsigned bits, struct json *json)
{
    bits |= (note->of_state ? 2u : 0) | (note->only_if_short ? 4u : 0) | (note->evidence_style == STYLE_ALARM ? 8u : 0);
    json_int(json, NULL, note->kind);
    json_uint(json, NULL, bits);
    page_phrase(t->words, json, &note->words);
    page_text(t->words, json, note->evidence);
}

/* Those that are drawn, and what is to be read besides. Connections that are alike have many lists in common. */
static void write_notes(struct page_telling *t, const struct plan_words *drawn, const struct plan_words *all, struct json *shape)
{
    struct buf list = buf_new(1 << 16);
    struct json json = json_new(&list, t->options->ascii);
    json_array(&json, NULL);
    for (size_t i = 0; i < drawn->note_count; i++) write_note(t, &drawn->notes[i], 1, &json);
    for (size_t i = 0; i < all->note_count; i++)
        if (!is_drawn(drawn, &all->notes[i])) write_note(t, &all->notes[i], 0, &json);
    json_end_array(&json);
    page_value(t->words, shape, &list);
    buf_free(&list);
}

/* Counted from the next packet or call that no row had: so it is the same in most rows. */
static void write_which(struct page_telling *t, const struct plan_row *row, struct json *json)
{
    uint32_t *seen = &t->calls_seen, index = row->call;
    if (row->step != STORY_NO_STEP && t->packet_of[row->step] != PLAN_NONE) {
        seen = &t->packets_seen;
        index = t->packet_of[row->step];
    }
    json_maybe_int(json, NULL, index != PLAN_NONE, (int64_t)index - *seen);
    if (index != PLAN_NONE && index >= *seen) *seen = index + 1;
}

static size_t states_of(const struct plan_row *row, uint32_t states[2 * STORY_SIDES])
{
    size_t count = 0;
    for (int side = 0; side < STORY_SIDES; side++) {
        if (row->states[side] != STORY_NO_STEP) states[count++] = row->states[side];
        if (row->further[side] != STORY_NO_STEP) states[count++] = row->further[side];
    }
    return count;
}

static void write_shape(struct page_telling *t, const struct plan_row *row, const struct plan_words *drawn,
                        const struct plan_words *all, bool has_pause)
{
    uint32_t states[2 * STORY_SIDES];
    size_t count = states_of(row, states);
    struct buf shape = buf_new(1 << 16);
    struct json json = json_new(&shape, t->options->ascii);
    json_array(&json, NULL);
    json_int(&json, NULL, row->kind);
    json_int(&json, NULL, row->side);
    write_which(t, row, &json);
    write_notes(t, drawn, all, &json);
    json_uint(&json, NULL, has_pause);
    for (size_t i = 0; i < count; i++) {
        const struct story_state *state = t->story->steps[states[i]].state;
        json_int(&json, NULL, state->side);
        page_text(t->words, &json, state->to);
        json_uint(&json, NULL, state->kernel ? 0 : figure_number(state->from_state, state->to_state, state->cause.why));
    }
    json_end_array(&json);
    page_value(t->words, &t->json, &shape);
    buf_free(&shape);
}

static void write_row(struct page_telling *t, size_t i, struct arena *arena)
{
    const struct plan_row *row = &t->plan.rows[i];
    struct plan in_detail = t->plan;
    struct plan_words drawn, all;
    struct phrase pause = phrase_new(arena);
    uint32_t states[2 * STORY_SIDES];
    size_t count = states_of(row, states);
    in_detail.options = &t->detailed;
    plan_tell(&t->plan, i, arena, &drawn);
    plan_tell(&in_detail, i, arena, &all);
    if (drawn.failed || all.failed) t->failed = true;
    if (row->pause_ns && row->kind != PLAN_SKIP) plan_tell_pause(row, &pause);
    write_shape(t, row, &drawn, &all, pause.count != 0);
    page_phrase(t->words, &t->json, &drawn.label);
    json_int(&t->json, NULL, row->t_ns - t->last_ns);
    for (size_t k = 0; k < count; k++) json_int(&t->json, NULL, t->story->steps[states[k]].t_ns - row->t_ns);
    if (pause.count) page_phrase(t->words, &t->json, &pause);
    t->last_ns = row->t_ns;
}

static void write_rows(struct page_telling *t)
{
    json_array(&t->json, NULL);
    for (size_t i = 0; i < t->plan.count; i++) {
        struct arena arena = arena_new();
        write_row(t, i, &arena);
        arena_free(&arena);
    }
    json_end_array(&t->json);
}

/* ---- what stands around the ladder ---- */

static int severity_of(const struct story_finding *finding)
{
    return strcmp(finding->severity, "error") == 0 ? 3 : strcmp(finding->severity, "warning") == 0 ? 2 : 1;
}

static void write_findings(struct page_telling *t)
{
    json_array(&t->json, NULL);
    for (size_t i = 0; i < t->story->finding_count; i++) {
        const struct story_finding *finding = &t->story->findings[i];
        json_array(&t->json, NULL);
        page_text(t->words, &t->json, finding->id);
        json_int(&t->json, NULL, severity_of(finding));
        page_text(t->words, &t->json, finding->text);
        json_array(&t->json, NULL);
        for (size_t k = 0; k < finding->step_count; k++) {
            uint32_t step = finding->steps[k];
            if (step < t->story->step_count && t->row_of[step] != PLAN_NONE) json_uint(&t->json, NULL, t->row_of[step]);
        }
        json_end_array(&t->json);
        json_end_array(&t->json);
    }
    json_end_array(&t->json);
}

static void write_facts(struct page_telling *t, struct arena *arena)
{
    struct facts facts = facts_new(arena);
    facts_story(t->story, true, &facts);
    if (facts.failed) t->failed = true;
    json_array(&t->json, NULL);
    for (size_t i = 0; i < facts.count; i++) {
        const struct fact *fact = &facts.list[i];
        if (fact->key[0] == '!' || strcmp(fact->key, "  note") == 0) continue; /* findings have a place of their own */
        page_text(t->words, &t->json, fact->key + strspn(fact->key, " "));
        page_phrase(t->words, &t->json, &fact->words);
    }
    json_end_array(&t->json);
}

static const char *first_state(const struct story *story, enum story_side side)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && !step->state->kernel) return step->state->from;
    }
    return story->udp || story->end[side].state == STATE_UNKNOWN ? "" : tcp_state_name(story->end[side].state);
}

static void write_head(struct page_telling *t)
{
    struct arena arena = arena_new();
    struct phrase title = phrase_new(&arena), question = phrase_new(&arena), headline = phrase_new(&arena);
    plan_title(t->story, t->options, &title);
    plan_question(t->story, t->options, &question);
    facts_headline(t->story, &headline);
    page_phrase(t->words, &t->json, &title);
    page_phrase(t->words, &t->json, &question);
    page_phrase(t->words, &t->json, &headline);
    json_array(&t->json, NULL);
    for (int side = 0; side < STORY_SIDES; side++) {
        struct phrase end = phrase_new(&arena);
        facts_end(t->story, (enum story_side)side, &end);
        page_phrase(t->words, &t->json, &end);
    }
    json_end_array(&t->json);
    write_facts(t, &arena);
    json_array(&t->json, NULL);
    for (int side = 0; side < STORY_SIDES; side++) page_text(t->words, &t->json, first_state(t->story, (enum story_side)side));
    json_end_array(&t->json);
    json_array(&t->json, NULL);
    for (int side = 0; side < STORY_SIDES; side++) json_uint(&t->json, NULL, t->plan.lanes[side]);
    json_end_array(&t->json);
    arena_free(&arena);
}

static void write_story(struct page_telling *t)
{
    t->last_ns = t->story->start_ns;
    json_array(&t->json, NULL);
    write_head(t);
    page_write_bases(t);
    write_rows(t);
    page_write_packets(t);
    page_write_calls(t);
    write_findings(t);
    page_write_processes(t);
    json_end_array(&t->json);
}

/* ---- the list ---- */

static void write_list_end(struct page_telling *t, enum story_side side)
{
    struct arena arena = arena_new();
    struct phrase process = phrase_new(&arena);
    char address[ADDRESS_TEXT_BYTES];
    const struct story_end *end = &t->story->end[side];
    page_text(t->words, &t->json, address_format(&end->address, address));
    words_process(&process, STYLE_PLAIN, &end->process);
    page_phrase(t->words, &t->json, &process);
    arena_free(&arena);
}

static void write_list_row(struct page_telling *t)
{
    const struct story *story = t->story;
    char name[16];
    int severity = 0;
    for (size_t i = 0; i < story->finding_count; i++)
        if (severity_of(&story->findings[i]) > severity) severity = severity_of(&story->findings[i]);
    int64_t last_ns = story->step_count ? story->steps[story->step_count - 1].t_ns : story->start_ns;
    snprintf(name, sizeof(name), "%s%" PRIu32, story->numbered_apart ? "u" : "", story->number);
    json_array(&t->json, NULL);
    json_string(&t->json, NULL, name);
    page_text(t->words, &t->json, story->udp && story->outcome == OUTCOME_OPEN ? "UDP" : story_outcome_word(story->outcome));
    json_int(&t->json, NULL, severity);
    json_array(&t->json, NULL);
    for (size_t i = 0; i < story->finding_count; i++) page_text(t->words, &t->json, story->findings[i].id);
    json_end_array(&t->json);
    json_int(&t->json, NULL, last_ns - story->start_ns);
    for (int side = 0; side < STORY_SIDES; side++) json_uint(&t->json, NULL, story->end[side].bytes_sent);
    for (int side = 0; side < STORY_SIDES; side++) write_list_end(t, (enum story_side)side);
    json_uint(&t->json, NULL, (story->so_far ? 1u : 0) | (story->udp ? 2u : 0) | (story->sequel ? 4u : 0));
    json_uint(&t->json, NULL, story->summary.segments + story->summary.datagrams);
    json_int(&t->json, NULL, story->start_ns / 1000);
    json_end_array(&t->json);
}

int page_story(const struct story *story, const struct view_options *options, struct page_words *words, struct buf *out)
{
    struct page_telling t = {
        .story = story, .options = options, .detailed = *options, .words = words, .json = json_new(out, options->ascii)};
    t.detailed.verbose = 2;
    t.detailed.brief = false;
    int code = plan_make(story, options, &t.plan);
    if (!code) code = map_rows(&t);
    if (!code) {
        write_list_row(&t);
        buf_text(out, ",\n");
        t.json = json_new(out, options->ascii);
        write_story(&t);
        if (t.failed || out->failed || page_words_failed(words)) code = -ENOMEM;
    }
    free(t.row_of);
    free(t.packet_of);
    free(t.call_of);
    free(t.processes);
    plan_free(&t.plan);
    return code;
}
