/* Brief, handshake alone, goodbye alone: which rows a plan keeps, and what it says instead of the others. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/plan_own.h"
#include "viz/plan/words.h"

enum { BRIEF_ROWS = 18 /* more than that a slide doesn't take: then the middle goes, too */ };

enum { HANDSHAKE = 1, GOODBYE = 2 };

static bool is_step(const struct story *story, uint32_t step)
{
    return step < story->step_count;
}

static unsigned part_of_state(const struct story_state *state)
{
    if (state->kernel) return 0;
    switch (state->to_state) {
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_SYN_RCVD:
    case STATE_ESTABLISHED:
        return HANDSHAKE;
    default:
        return GOODBYE;
    }
}

/* The part of a packet; 0 between both. Of a flow without connections everything belongs to either. */
static unsigned part_of_packet(const struct story *story, uint32_t step)
{
    const struct story_step *at = &story->steps[step];
    if (at->kind == STEP_DATAGRAM) return story->udp || at->datagram->icmp ? HANDSHAKE | GOODBYE : 0;
    if (at->kind != STEP_SEGMENT) return 0;
    uint8_t flags = at->segment->flags; /* one that was lost took no part, and was meant to */
    return (at->segment->handshake || flags & TCP_SYN ? HANDSHAKE : 0u) |
           (at->segment->teardown || flags & (TCP_FIN | TCP_RST) ? GOODBYE : 0u);
}

/* Of a call: that it made such a segment, or waited for one, or changed such a state; listen and accept in any case. */
static void mark_call(const struct story *story, const struct story_call *call, unsigned part, unsigned char *parts)
{
    if (is_step(story, call->enter_step)) parts[call->enter_step] |= (unsigned char)part;
    if (is_step(story, call->exit_step)) parts[call->exit_step] |= (unsigned char)part;
}

static void mark_cause(const struct story *story, const struct story_cause *cause, unsigned part, unsigned char *parts)
{
    if (cause->kind != CAUSE_CALL || !is_step(story, cause->step)) return;
    const struct story_step *at = &story->steps[cause->step];
    if (at->kind == STEP_ENTER || at->kind == STEP_EXIT) mark_call(story, at->call, part, parts);
}

static void mark_waiter(const struct story *story, const struct story_call *call, unsigned char *parts)
{
    if (call->traits & CALL_LISTENS || (call->traits & CALL_ACCEPTS && call->ret >= 0)) mark_call(story, call, HANDSHAKE, parts);
    if (call->wake.kind == WAKE_SEGMENT && is_step(story, call->wake.step))
        mark_call(story, call, part_of_packet(story, call->wake.step), parts);
}

/* Which part each step belongs to. */
static void mark_steps(const struct story *story, unsigned char *parts)
{
    for (uint32_t i = 0; i < story->step_count; i++) {
        const struct story_step *at = &story->steps[i];
        unsigned part = part_of_packet(story, i);
        if (at->kind == STEP_STATE) part = part_of_state(at->state);
        if (at->kind == STEP_PROCESS_EXIT && at->exit->signal) part = GOODBYE;
        parts[i] |= (unsigned char)part;
        if (!part) continue;
        if (at->kind == STEP_SEGMENT) mark_cause(story, &at->segment->cause, part, parts);
        if (at->kind == STEP_DATAGRAM) mark_cause(story, &at->datagram->cause, part, parts);
        if (at->kind == STEP_STATE) mark_cause(story, &at->state->cause, part, parts);
    }
    for (uint32_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_EXIT) mark_waiter(story, story->steps[i].call, parts);
}

static unsigned parts_of_row(const struct plan_row *row, const unsigned char *parts)
{
    unsigned part = parts[row->step];
    for (int side = 0; side < STORY_SIDES; side++) {
        if (row->states[side] != STORY_NO_STEP) part |= parts[row->states[side]];
        if (row->further[side] != STORY_NO_STEP) part |= parts[row->further[side]];
    }
    return part;
}

/* In brief an end of a call is worth a row only where it tells something: it failed, it slept, a peer's word came of it. */
static bool is_dull_end(const struct story *story, const struct plan_row *row)
{
    if (row->kind != PLAN_EXIT) return false;
    const struct story_call *call = story->steps[row->step].call;
    for (int side = 0; side < STORY_SIDES; side++)
        if (row->states[side] != STORY_NO_STEP) return false;
    return call->ret == 0 && call->slept_ns <= 0 && !(call->traits & (CALL_CONNECTS | CALL_READS));
}

static bool marks_step(const struct view_options *options, uint32_t step)
{
    for (size_t i = 0; step != STORY_NO_STEP && i < options->mark_count; i++)
        if (options->marks[i] == step) return true;
    return false;
}

bool plan_marks(const struct story *story, const struct view_options *options, const struct plan_row *row)
{
    if (!options->mark_count || row->kind == PLAN_SKIP || row->kind == PLAN_ARRIVE) return false;
    if (marks_step(options, row->step)) return true;
    if (row->kind == PLAN_CALL && marks_step(options, story->steps[row->step].call->exit_step)) return true;
    for (int side = 0; side < STORY_SIDES; side++)
        if (marks_step(options, row->states[side]) || marks_step(options, row->further[side])) return true;
    return false;
}

bool plan_is_marked(const struct plan *plan, const struct plan_row *row)
{
    return plan_marks(plan->story, plan->options, row);
}

/* The beginning of a call whose end is pointed at: both are kept. */
static bool begins_marked(const struct story *story, const struct view_options *options, const struct plan_row *row)
{
    return row->kind == PLAN_ENTER && marks_step(options, story->steps[row->step].call->exit_step);
}

static bool is_kept(const struct story *story, const struct view_options *options, const struct plan_row *row,
                    const unsigned char *parts)
{
    unsigned wanted = options->part == VIEW_HANDSHAKE ? HANDSHAKE : options->part == VIEW_GOODBYE ? GOODBYE : HANDSHAKE | GOODBYE;
    if (plan_marks(story, options, row) || begins_marked(story, options, row)) return true;
    if (!(parts_of_row(row, parts) & wanted)) return false;
    return !options->brief || !is_dull_end(story, row);
}

static void count_skipped(const struct story *story, const struct plan_row *row, struct plan_row *skip)
{
    /* A state that came with what is left out holds behind it. */
    for (int side = 0; side < STORY_SIDES; side++) {
        if (row->states[side] != STORY_NO_STEP) skip->states[side] = row->states[side];
        if (row->further[side] != STORY_NO_STEP) skip->states[side] = row->further[side];
    }
    if (row->kind == PLAN_SKIP) {
        skip->skipped.segments += row->skipped.segments;
        skip->skipped.data += row->skipped.data;
        skip->skipped.datagrams += row->skipped.datagrams;
    }
    if (row->kind != PLAN_PACKET && row->kind != PLAN_DEPART) return;
    const struct story_step *step = &story->steps[row->step];
    if (step->kind == STEP_DATAGRAM) skip->skipped.datagrams++;
    if (step->kind == STEP_SEGMENT) skip->skipped.segments++;
    if (step->kind == STEP_SEGMENT && step->segment->length_bytes) skip->skipped.data++;
}

/* Keeps the rows of which `kept` says so; packets left out between them become a row, calls left out are not missed. */
static size_t leave_out(const struct story *story, struct plan_row *rows, size_t count, const bool *kept)
{
    size_t left = 0, i = 0;
    while (i < count) {
        if (kept[i]) {
            rows[left++] = rows[i++];
            continue;
        }
        struct plan_row skip = {.kind = PLAN_SKIP,
                                .step = STORY_NO_STEP,
                                .t_ns = rows[i].t_ns,
                                .states = {STORY_NO_STEP, STORY_NO_STEP},
                                .further = {STORY_NO_STEP, STORY_NO_STEP},
                                .call = PLAN_NONE};
        for (; i < count && !kept[i]; i++) {
            count_skipped(story, &rows[i], &skip);
            skip.t_ns = rows[i].t_ns;
        }
        bool any_state = skip.states[STORY_CLIENT] != STORY_NO_STEP || skip.states[STORY_SERVER] != STORY_NO_STEP;
        if (skip.skipped.segments || skip.skipped.datagrams || any_state) rows[left++] = skip;
    }
    return left;
}

/* More than a slide takes: its middle goes, with what was left out there already. A packet arrives where it left, or not at all. */
static size_t leave_out_middle(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count,
                               size_t most, bool *kept)
{
    size_t head = most / 2 + 1, tail = count - (most - head - 1);
    for (size_t i = 0; i < count; i++) {
        bool is_marked = plan_marks(story, options, &rows[i]) || begins_marked(story, options, &rows[i]);
        kept[i] = i < head || i >= tail || is_marked;
        if (rows[i].kind == PLAN_SKIP && ((i + 1 >= head && i < head) || i == tail)) kept[i] = false;
        for (size_t k = 0; rows[i].kind == PLAN_ARRIVE && k < i; k++)
            if (rows[k].kind == PLAN_DEPART && rows[k].step == rows[i].step) kept[i] = kept[k];
        for (size_t k = 0; rows[i].kind == PLAN_EXIT && !is_marked && k < i;
             k++) /* nor does a call end that was not seen to begin */
            if (rows[k].kind == PLAN_ENTER && story->steps[rows[k].step].call == story->steps[rows[i].step].call) kept[i] = kept[k];
    }
    return leave_out(story, rows, count, kept);
}

size_t plan_choose(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count)
{
    if (!options->brief && options->part == VIEW_WHOLE) return count;
    unsigned char *parts = calloc(story->step_count, sizeof(*parts));
    bool *kept = calloc(count + 1, sizeof(*kept));
    if (!parts || !kept) {
        free(parts);
        free(kept);
        return PLAN_FAILED;
    }
    mark_steps(story, parts);
    for (size_t i = 0; i < count; i++) kept[i] = is_kept(story, options, &rows[i], parts);
    count = leave_out(story, rows, count, kept);
    size_t most = options->brief_rows ? options->brief_rows : BRIEF_ROWS;
    if (options->brief) count = plan_join(story, options, rows, count, most);
    if (options->brief && count > most) count = leave_out_middle(story, options, rows, count, most, kept);
    free(parts);
    free(kept);
    return count;
}

/* ---- what stands above ---- */

void plan_title(const struct story *story, const struct view_options *options, struct phrase *title)
{
    const struct view_run *run = options->run;
    if (run && run->title) {
        phrase_add(title, STYLE_BOLD, run->title);
        return;
    }
    char address[ADDRESS_TEXT_BYTES];
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &story->end[side];
        enum layout_style style = side == STORY_CLIENT ? STYLE_CLIENT_BOLD : STYLE_SERVER_BOLD;
        if (side) phrase_add(title, STYLE_BOLD, " → ");
        if (end->process.comm) {
            phrase_add(title, style, end->process.comm);
            phrase_add(title, STYLE_BOLD, " ");
        }
        phrase_add(title, STYLE_BOLD, address_format(&end->address, address));
    }
}

/* A question that the ladder answers. */
static const char *question_of(const struct story *story)
{
    static const struct {
        const char *finding, *question;
    } asked[] = {
        {"accept-late", TR("Nobody is in accept(). Who answers the SYN?")},
        {"reset-unread-data", TR("Why does close() send a RST, and no FIN?")},
        {"simultaneous-close", TR("Both close at once. Which states does that lead through?")},
        {"retransmitted", TR("Something was lost. Who sends it again, and when?")},
    };
    for (size_t k = 0; k < sizeof(asked) / sizeof(asked[0]); k++)
        for (size_t i = 0; i < story->finding_count; i++)
            if (strcmp(story->findings[i].id, asked[k].finding) == 0) return tr(asked[k].question);
    if (story->udp) return tr("Who sends each datagram, and why?");
    static const char *const by_outcome[OUTCOMES] = {
        [OUTCOME_OPEN] = TR("Who sends each segment, and why?"),       [OUTCOME_CLOSED] = TR("Who sends each segment, and why?"),
        [OUTCOME_RESET] = TR("Who resets the connection, and why?"),   [OUTCOME_REFUSED] = TR("Who refuses the connection?"),
        [OUTCOME_TIMED_OUT] = TR("Who gives up, and after how long?"), [OUTCOME_HALF_OPEN] = TR("Why is it open at one end alone?"),
    };
    return tr(by_outcome[story->outcome]);
}

void plan_question(const struct story *story, const struct view_options *options, struct phrase *question)
{
    const struct view_run *run = options->run;
    phrase_add(question, STYLE_PLAIN, run && run->question ? tr(run->question) : question_of(story));
}
