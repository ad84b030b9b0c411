/* The mermaid view: each ladder as a sequence diagram, the way GitHub, GitLab and many wikis draw them.
 *
 * One connection that fits is one diagram, and the file is nothing else. Several connections, or one too long for what GitHub
 * takes, are several diagrams: then the file is Markdown, a fenced block for each, and says so. So the last diagram is always kept
 * until it is known whether another one follows. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/export/mermaid_text.h"
#include "viz/plan/facts.h"
#include "viz/plan/plan.h"
#include "viz/plan/words.h"
#include "viz/view.h"

enum {
    BARS_MAX = 8,
    /* calls at once that are drawn as bars; each has its words anyway */ BAR_BYTES = 32,
    LOSSES_MAX = 4,
    KEPT_BYTES = 1 << 17
};

struct mermaid {
    struct buf diagram; /* the last one, kept back; empty: there was none */
    size_t edges;
    size_t bars[STORY_SIDES]; /* calls that are drawn as going on */
    unsigned part;            /* of this story, from 1 */
    size_t blocks;            /* diagrams that were written */
    struct facts_totals totals;
};

struct drawing {
    struct mermaid *mermaid;
    const struct sink *sink;
    const struct view_options *options;
    const struct story *story;
    struct err *err;
    int code;
};

static const char *const end_names[STORY_SIDES] = {"c", "s"};
static const char *const notes_beside[STORY_SIDES] = {"Note left of c: ", "Note right of s: "};
static const char note_over[] = "Note over c,s: ";

static int no_memory(struct err *err)
{
    return err_set(err, -ENOMEM, "out of memory for the Mermaid diagram");
}

/* The kept diagram goes out, in a fence of its own: it is one of several. */
static int write_fenced(struct mermaid *mermaid, const struct sink *sink, struct err *err)
{
    static const char head[] =
        "<!-- Several Mermaid diagrams: a diagram takes 50,000 characters and 500 edges, and one connection. As Markdown (x.md) "
        "this file is drawn by GitHub, GitLab and mermaid-cli. -->\n";
    int code = mermaid->blocks++ ? 0 : view_write(sink, head, sizeof(head) - 1, err);
    if (!code) code = view_write(sink, "\n```mermaid\n", strlen("\n```mermaid\n"), err);
    if (!code) code = view_write(sink, mermaid->diagram.data, mermaid->diagram.length, err);
    if (!code) code = view_write(sink, "```\n", 4, err);
    buf_clear(&mermaid->diagram);
    return code;
}

static void put_bars(struct buf *out, const struct mermaid *mermaid, const char *verb)
{
    for (int side = 0; side < STORY_SIDES; side++)
        for (size_t i = 0; i < mermaid->bars[side]; i++) buf_printf(out, "    %s %s\n", verb, end_names[side]);
}

static void put_title(struct drawing *drawing)
{
    struct arena arena = arena_new();
    struct phrase title = phrase_new(&arena), question = phrase_new(&arena);
    struct mermaid *mermaid = drawing->mermaid;
    char part[32];
    if (drawing->options->brief) {
        plan_title(drawing->story, drawing->options, &title);
        plan_question(drawing->story, drawing->options, &question);
    } else
        facts_headline(drawing->story, &title);
    struct mermaid_statement line = mermaid_statement_new("title ");
    mermaid_say_phrase(&line, &title);
    snprintf(part, sizeof(part), tr(", part %u"), mermaid->part);
    if (mermaid->part > 1) mermaid_say(&line, part);
    if (question.count) mermaid_say(&line, " · ");
    mermaid_say_phrase(&line, &question);
    if (mermaid_statement_end(&line, drawing->options->ascii, &mermaid->diagram)) drawing->code = no_memory(drawing->err);
    arena_free(&arena);
}

static void put_end(struct drawing *drawing, enum story_side side)
{
    static const char *const participants[] = {"participant c as ", "participant s as "};
    struct arena arena = arena_new();
    struct phrase words = phrase_new(&arena);
    facts_end(drawing->story, side, &words);
    struct mermaid_statement line = mermaid_statement_new(participants[side]);
    mermaid_say(&line, side == STORY_CLIENT ? "client " : "server ");
    mermaid_say_phrase(&line, &words);
    if (mermaid_statement_end(&line, drawing->options->ascii, &drawing->mermaid->diagram)) drawing->code = no_memory(drawing->err);
    arena_free(&arena);
}

/* Another diagram: of this story's beginning, or of what found no room. */
static void begin_diagram(struct drawing *drawing)
{
    struct mermaid *mermaid = drawing->mermaid;
    if (mermaid->diagram.length && !drawing->code) {
        put_bars(&mermaid->diagram, mermaid, "deactivate");
        drawing->code = write_fenced(mermaid, drawing->sink, drawing->err);
    }
    mermaid->edges = 0;
    mermaid->part++;
    buf_text(&mermaid->diagram, "sequenceDiagram\n");
    put_title(drawing);
    for (int side = 0; side < STORY_SIDES; side++) put_end(drawing, (enum story_side)side);
    put_bars(&mermaid->diagram, mermaid, "activate");
}

/* Where a statement's text begins: in this diagram, or in a new one if this is full. */
static void make_room(struct drawing *drawing, size_t edges)
{
    struct mermaid *mermaid = drawing->mermaid;
    size_t reserve = BAR_BYTES * (mermaid->bars[0] + mermaid->bars[1] + 2) + (size_t)LOSSES_MAX * MERMAID_STATEMENT_BYTES;
    if (mermaid->diagram.length + MERMAID_STATEMENT_BYTES + reserve > MERMAID_CHARACTERS_MAX ||
        mermaid->edges + edges > MERMAID_EDGES_MAX)
        begin_diagram(drawing);
    mermaid->edges += edges;
}

static void finish_statement(struct drawing *drawing, struct mermaid_statement *line)
{
    if (mermaid_statement_end(line, drawing->options->ascii, &drawing->mermaid->diagram) && !drawing->code)
        drawing->code = no_memory(drawing->err);
}

static void put_note(struct drawing *drawing, const char *where, const char *before, const struct phrase *words, const char *behind)
{
    make_room(drawing, 0);
    struct mermaid_statement line = mermaid_statement_new(where);
    mermaid_say(&line, before);
    mermaid_say_phrase(&line, words);
    mermaid_say(&line, behind);
    finish_statement(drawing, &line);
}

static void say_time(struct mermaid_statement *line, const struct story *story, int64_t t_ns)
{
    char words[WORDS_BYTES];
    mermaid_say(line, words_time(t_ns - story->start_ns, words));
    mermaid_say(line, strchr(words, 's') ? " · " : " ms · ");
}

/* The notes below a row: why it was sent, why the state changed. */
static void put_notes(struct drawing *drawing, const struct plan_words *words)
{
    for (size_t i = 0; i < words->note_count; i++) {
        const struct plan_note *note = &words->notes[i];
        char evidence[64] = "";
        if (note->only_if_short && !drawing->options->verbose) continue;
        if (note->evidence[0]) snprintf(evidence, sizeof(evidence), " [%s]", note->evidence);
        put_note(drawing, note_over, "↳ ", &note->words, evidence);
    }
}

static void put_state(struct drawing *drawing, int side, uint32_t step)
{
    if (step == STORY_NO_STEP) return;
    make_room(drawing, 0);
    struct mermaid_statement line = mermaid_statement_new(notes_beside[side]);
    mermaid_say(&line, "state ");
    mermaid_say(&line, drawing->story->steps[step].state->to);
    finish_statement(drawing, &line);
}

static void put_states(struct drawing *drawing, const struct plan_row *row)
{
    for (int side = 0; side < STORY_SIDES; side++) {
        put_state(drawing, side, row->states[side]);
        put_state(drawing, side, row->further[side]);
    }
}

/* One of a long connection's middle, which stands for those beside it. */
static void say_folded(struct mermaid_statement *line, const struct story_step *step)
{
    char words[64];
    if (step->kind != STEP_SEGMENT || !step->segment->folded) return;
    snprintf(words, sizeof(words), tr(" · stands for %" PRIu32 " segments"), step->segment->folded);
    mermaid_say(line, words);
}

static void put_packet(struct drawing *drawing, const struct plan_row *row, const struct plan_words *words)
{
    static const char *const arrows[STORY_SIDES][2][2] = {/* [side][lost][again] */
                                                          {{"c->>s: ", "c-->>s: "}, {"c-xs: ", "c--xs: "}},
                                                          {{"s->>c: ", "s-->>c: "}, {"s-xc: ", "s--xc: "}}};
    bool departs = words->flight == PLAN_DEPARTS, lost = words->flight == PLAN_LOST;
    make_room(drawing, departs ? 0 : 1);
    struct mermaid_statement line =
        mermaid_statement_new(departs ? notes_beside[row->side] : arrows[row->side][lost][words->again]);
    say_time(&line, drawing->story, row->t_ns);
    mermaid_say_phrase(&line, &words->label);
    if (words->detail.count) mermaid_say(&line, " · ");
    mermaid_say_phrase(&line, &words->detail);
    say_folded(&line, &drawing->story->steps[row->step]);
    if (departs) mermaid_say(&line, tr(" leaves"));
    if (row->kind == PLAN_ARRIVE) mermaid_say(&line, tr(" arrives"));
    if (lost) mermaid_say(&line, tr(" · lost"));
    finish_statement(drawing, &line);
}

static void put_bar(struct drawing *drawing, enum story_side side, bool begins)
{
    struct mermaid *mermaid = drawing->mermaid;
    if (begins ? mermaid->bars[side] == BARS_MAX : mermaid->bars[side] == 0) return;
    buf_printf(&mermaid->diagram, "    %s %s\n", begins ? "activate" : "deactivate", end_names[side]);
    if (begins)
        mermaid->bars[side]++;
    else
        mermaid->bars[side]--;
}

/* What stands beside a life line: a call, a process that ended, a state that found no packet's row. */
static void put_beside(struct drawing *drawing, const struct plan_row *row, const struct plan_words *words)
{
    make_room(drawing, 0);
    struct mermaid_statement line = mermaid_statement_new(notes_beside[row->side]);
    if (row->kind != PLAN_UNRETURNED) say_time(&line, drawing->story, row->t_ns);
    mermaid_say_phrase(&line, &words->label);
    finish_statement(drawing, &line);
    if (row->kind == PLAN_ENTER) put_bar(drawing, row->side, true);
    if (row->kind == PLAN_EXIT) put_bar(drawing, row->side, false);
}

static void put_pause(struct drawing *drawing, const struct plan_row *row, struct arena *arena)
{
    struct phrase words = phrase_new(arena);
    plan_tell_pause(row, &words);
    put_note(drawing, note_over, "⋮ ", &words, "");
}

static void put_row(struct drawing *drawing, const struct plan *plan, size_t i, struct plan_words *words)
{
    struct arena arena = arena_new(); /* words live for a row: there may be a million */
    const struct plan_row *row = &plan->rows[i];
    if (row->pause_ns && row->kind != PLAN_SKIP) put_pause(drawing, row, &arena);
    plan_tell(plan, i, &arena, words);
    bool packet = row->kind == PLAN_PACKET || row->kind == PLAN_DEPART || row->kind == PLAN_ARRIVE;
    if (row->kind == PLAN_SKIP)
        put_note(drawing, note_over, "", &words->label, "");
    else if (packet)
        put_packet(drawing, row, words);
    else
        put_beside(drawing, row, words);
    put_states(drawing, row);
    put_notes(drawing, words);
    if (words->failed && !drawing->code) drawing->code = no_memory(drawing->err);
    arena_free(&arena);
}

static void put_findings(struct drawing *drawing)
{
    const struct story *story = drawing->story;
    for (size_t i = 0; i < story->finding_count && !drawing->options->brief; i++) {
        make_room(drawing, 0);
        struct mermaid_statement line = mermaid_statement_new(note_over);
        mermaid_say(&line, story->findings[i].severity);
        mermaid_say(&line, ": ");
        mermaid_say(&line, story->findings[i].text);
        finish_statement(drawing, &line);
    }
}

static int mermaid_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct mermaid *mermaid = calloc(1, sizeof(*mermaid));
    *state = mermaid;
    if (!mermaid) return no_memory(err);
    mermaid->diagram = buf_new(KEPT_BYTES);
    return 0;
}

static int mermaid_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                         struct err *err)
{
    struct mermaid *mermaid = state;
    struct drawing drawing = {mermaid, sink, options, story, err, 0};
    struct plan_words *words = malloc(sizeof(*words)); /* some KB */
    struct plan plan;
    int code = words ? plan_make(story, options, &plan) : -ENOMEM;
    if (code) {
        free(words);
        return no_memory(err);
    }
    facts_count(&mermaid->totals, story);
    mermaid->part = 0;
    begin_diagram(&drawing);
    for (size_t i = 0; i < plan.count && !drawing.code; i++) put_row(&drawing, &plan, i, words);
    put_findings(&drawing);
    put_bars(&mermaid->diagram, mermaid, "deactivate");
    mermaid->bars[STORY_CLIENT] = mermaid->bars[STORY_SERVER] = 0;
    plan_free(&plan);
    free(words);
    if (!drawing.code && mermaid->diagram.failed) drawing.code = no_memory(err);
    return drawing.code;
}

/* What was lost belongs to the picture; it stands below the last of several. */
static int put_losses(struct mermaid *mermaid, const struct view_options *options, const struct story_trace *trace)
{
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    facts_losses(trace, &facts);
    int code = facts.failed ? -ENOMEM : 0;
    for (size_t i = 0; i < facts.count && i < LOSSES_MAX && !code; i++) {
        struct mermaid_statement line = mermaid_statement_new(note_over);
        mermaid_say(&line, facts.list[i].key);
        mermaid_say(&line, facts.list[i].key[0] ? " " : "");
        mermaid_say_phrase(&line, &facts.list[i].words);
        code = mermaid_statement_end(&line, options->ascii, &mermaid->diagram);
    }
    arena_free(&arena);
    return code;
}

static int write_last(struct mermaid *mermaid, const struct sink *sink, const struct view_options *options,
                      const struct story_trace *trace, struct err *err)
{
    bool none = !mermaid->diagram.length;
    if (none)
        buf_text(&mermaid->diagram, "sequenceDiagram\n    title no connection was seen\n    participant c\n    participant s\n");
    if (put_losses(mermaid, options, trace) || mermaid->diagram.failed) return no_memory(err);
    if (mermaid->blocks) return write_fenced(mermaid, sink, err);
    return view_write(sink, mermaid->diagram.data, mermaid->diagram.length, err);
}

static int mermaid_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                       struct err *err)
{
    struct mermaid *mermaid = state;
    if (!mermaid) return 0;
    int code = trace ? write_last(mermaid, sink, options, trace, err) : 0;
    buf_free(&mermaid->diagram);
    free(mermaid);
    return code;
}

const struct view view_mermaid = {.name = "mermaid",
                                  .suffix = ".mmd",
                                  .summary = TR("a Mermaid sequence diagram, as GitHub and wikis draw it"),
                                  .ladder = true,
                                  .begin = mermaid_begin,
                                  .story = mermaid_story,
                                  .end = mermaid_end};
