/* Which questions a paper asks: all that can be asked are ranked by the seed, the fields take turns. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/lang.h"
#include "quiz/own.h"
#include "viz/pen/escape.h"

static const struct {
    const char *name;
    quiz_asker *ask;
} fields[QUIZ_FIELDS] = {
    [QUIZ_CAUSE] = {"cause", quiz_ask_cause}, [QUIZ_STATE] = {"state", quiz_ask_state},
    [QUIZ_FLAGS] = {"flags", quiz_ask_flags}, [QUIZ_SEQ] = {"seq", quiz_ask_seq},
    [QUIZ_ACK] = {"ack", quiz_ask_ack},       [QUIZ_RETURNS] = {"returns", quiz_ask_returns},
    [QUIZ_NEXT] = {"next", quiz_ask_next},    [QUIZ_WAKE] = {"wake", quiz_ask_wake},
};

const char *quiz_field_name(enum quiz_field field)
{
    return fields[field].name;
}

struct candidate {
    uint64_t rank;
    uint32_t story, step;
};

struct candidates { /* of one field */
    struct candidate *list;
    size_t count, room, next;
};

struct making {
    struct story *const *stories;
    size_t story_count;
    const struct quiz_options *options;
    struct candidates of[QUIZ_FIELDS];
    struct quiz_paper *paper;
    size_t wanted;
};

/* What a step is, whatever its place in the story: so that one step more or less leaves the other questions as they are. */
static uint64_t identity(const struct story *story, uint32_t step)
{
    const struct story_step *at = &story->steps[step];
    uint64_t hash = quiz_mix(story->number, at->kind * 2u + (unsigned)at->side);
    switch (at->kind) {
    case STEP_ENTER:
    case STEP_EXIT:
        return quiz_mix(hash, at->call->number);
    case STEP_SEGMENT:
        return quiz_mix(hash, at->segment->number);
    case STEP_DATAGRAM:
        return quiz_mix(hash, at->datagram->number);
    case STEP_STATE:
        return quiz_mix(hash, (uint64_t)at->state->from_state << 8 | at->state->to_state);
    case STEP_PROCESS_EXIT:
        break;
    }
    return hash;
}

/* A socket that is connected to itself has no other end to ask about. */
static bool can_be_asked(const struct story *story)
{
    return !story->sequel && !address_equal(&story->end[STORY_CLIENT].address, &story->end[STORY_SERVER].address);
}

/* False: it can't be asked, or (asking->failed) memory is short. */
static bool ask(struct asking *asking, const struct making *making, enum quiz_field field, uint32_t story, uint32_t step)
{
    struct quiz_question *question = asking->question;
    const struct story *of = making->stories[story];
    uint64_t seed = quiz_mix(quiz_mix(making->options->seed, field), identity(of, step));
    *question = (struct quiz_question){.field = field, .story = story, .step = step};
    *asking =
        (struct asking){.story = of, .seed = seed, .arena = asking->arena, .ascii = making->options->ascii, .question = question};
    if (!fields[field].ask(asking, step) || asking->failed) return false;
    bool is_number = field == QUIZ_SEQ || field == QUIZ_ACK;
    return is_number || quiz_shuffle(asking);
}

static int note(struct candidates *candidates, uint64_t rank, uint32_t story, uint32_t step)
{
    if (candidates->count == candidates->room) {
        size_t room = candidates->room ? candidates->room * 2 : 64;
        struct candidate *list = reallocarray(candidates->list, room, sizeof(*list));
        if (!list) return -ENOMEM;
        candidates->list = list;
        candidates->room = room;
    }
    candidates->list[candidates->count++] = (struct candidate){rank, story, step};
    return 0;
}

/* Steps that a field may be about; whether they can be asked is found out when their turn comes. */
static bool is_of(enum quiz_field field, const struct story_step *step)
{
    switch (field) {
    case QUIZ_STATE:
        return step->kind == STEP_STATE && !step->state->kernel;
    case QUIZ_RETURNS:
    case QUIZ_WAKE:
        return step->kind == STEP_EXIT;
    case QUIZ_CAUSE:
        return step->kind == STEP_SEGMENT || step->kind == STEP_DATAGRAM;
    default:
        return step->kind == STEP_SEGMENT;
    }
}

static int collect(struct making *making, enum quiz_field field)
{
    unsigned wanted = making->options->fields;
    int code = 0;
    if (wanted && !(wanted & 1u << field)) return 0;
    for (uint32_t i = 0; i < making->story_count && !code; i++) {
        const struct story *story = making->stories[i];
        if (!can_be_asked(story)) continue;
        for (uint32_t step = 0; step < story->step_count && !code; step++) {
            if (!is_of(field, &story->steps[step])) continue;
            uint64_t rank = quiz_mix(quiz_mix(making->options->seed, field), identity(story, step));
            code = note(&making->of[field], rank, i, step);
        }
    }
    return code;
}

static int by_rank(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    if (one->rank != other->rank) return one->rank < other->rank ? -1 : 1;
    if (one->story != other->story) return one->story < other->story ? -1 : 1;
    return one->step < other->step ? -1 : one->step > other->step;
}

/* Says what the question is about: "connection 2, #5". */
static void name(struct asking *asking)
{
    struct quiz_question *question = asking->question;
    const struct story *story = asking->story;
    const struct story_step *step = &story->steps[question->step];
    const char *of = story->udp ? tr("flow") : tr("connection");
    question->conn = quiz_text(asking, "%s%u", story->numbered_apart ? "u" : "", story->number);
    question->side = step->side;
    switch (step->kind) {
    case STEP_SEGMENT:
    case STEP_DATAGRAM:
        question->kind = step->kind == STEP_SEGMENT ? "segment" : "datagram";
        question->which = step->kind == STEP_SEGMENT ? step->segment->number : step->datagram->number;
        question->about = quiz_text(asking, tr("%s %s, #%u"), of, question->conn, question->which);
        return;
    case STEP_EXIT:
        question->kind = "call";
        question->which = step->call->number;
        question->about = quiz_text(asking, tr("%s %s, %s"), of, question->conn, quiz_call(asking, step->call));
        return;
    default:
        question->kind = "state";
        question->about = quiz_text(asking, tr("%s %s, %s"), of, question->conn, quiz_side(step->side));
    }
}

/* What askers said may hold bytes from outside. */
static void make_safe(struct asking *asking)
{
    struct quiz_question *question = asking->question;
    const char **texts[] = {&question->about,      &question->prompt,     &question->answer,
                            &question->why,        &question->reference,  &question->choices[0],
                            &question->choices[1], &question->choices[2], &question->choices[3]};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (*texts[i]) *texts[i] = quiz_safe(asking, *texts[i]);
}

/* ---- what would answer another question ---- */

static bool says(const struct quiz_question *question, const char *words)
{
    if (strstr(question->prompt, words)) return true;
    for (size_t i = 0; i < question->choice_count; i++)
        if (strstr(question->choices[i], words)) return true;
    return false;
}

/* Whether the words of one name the segment whose flags the other asks for. */
static bool names_flags(const struct making *making, const struct quiz_question *flags, const struct quiz_question *other)
{
    if (flags->field != QUIZ_FLAGS || flags->story != other->story) return false;
    const struct story_segment *segment = making->stories[flags->story]->steps[flags->step].segment;
    char name[32];
    snprintf(name, sizeof(name), "#%u %s", segment->number, segment->label);
    return says(other, name);
}

/* Whether the ladder of one shows what comes next, which the other asks. */
static bool shows_next(const struct quiz_question *next, const struct quiz_question *other)
{
    return next->field == QUIZ_NEXT && next->story == other->story && (other->field == QUIZ_NEXT || other->until > next->until);
}

static bool spoils(const struct making *making, const struct quiz_question *question)
{
    for (size_t i = 0; i < making->paper->count; i++) {
        const struct quiz_question *other = &making->paper->questions[i];
        if (names_flags(making, question, other) || names_flags(making, other, question)) return true;
        if (shows_next(question, other) || shows_next(other, question)) return true;
    }
    return false;
}

/* ---- choosing ---- */

/* The next of this field that can be asked, into the paper. 0, -ENOENT: there is none left; -ENOMEM. */
static int take_next(struct making *making, enum quiz_field field, struct err *err)
{
    struct candidates *candidates = &making->of[field];
    struct quiz_paper *paper = making->paper;
    while (candidates->next < candidates->count) {
        const struct candidate *candidate = &candidates->list[candidates->next++];
        struct quiz_question *question = &paper->questions[paper->count];
        struct asking asking = {.arena = &paper->arena, .question = question};
        bool can = ask(&asking, making, field, candidate->story, candidate->step);
        if (can) name(&asking);
        can = can && !spoils(making, question);
        if (can) make_safe(&asking);
        if (asking.failed) return err_set_errno(err, -ENOMEM, "can't write the paper");
        if (!can) continue;
        paper->count++;
        return 0;
    }
    return -ENOENT;
}

static void lay_order(uint64_t seed, enum quiz_field order[QUIZ_FIELDS])
{
    for (int i = 0; i < QUIZ_FIELDS; i++) {
        int k = i;
        for (; k > 0 && quiz_hash(seed, fields[order[k - 1]].name) > quiz_hash(seed, fields[i].name); k--) order[k] = order[k - 1];
        order[k] = (enum quiz_field)i;
    }
}

/* Fields take turns, in an order that the seed makes, until there are `most`; those of `without` have none. */
static int take_turns(struct making *making, size_t most, unsigned without, struct err *err)
{
    enum quiz_field order[QUIZ_FIELDS];
    lay_order(making->options->seed, order);
    bool any = true;
    while (any && making->paper->count < most) {
        any = false;
        for (int i = 0; i < QUIZ_FIELDS && making->paper->count < most; i++) {
            if (without & 1u << order[i]) continue;
            int code = take_next(making, order[i], err);
            if (code && code != -ENOENT) return code;
            any = any || !code;
        }
    }
    return 0;
}

/* On a sheet all is seen at once: what comes next can be asked only behind all that is shown. So it is the last to be chosen. */
static int choose(struct making *making, struct err *err)
{
    bool keeps_one = making->of[QUIZ_NEXT].count && making->wanted > 1;
    int code = 0;
    if (keeps_one) code = take_turns(making, making->wanted - 1, 1u << QUIZ_NEXT, err);
    if (keeps_one && !code) code = take_next(making, QUIZ_NEXT, err);
    if (!code || code == -ENOENT) code = take_turns(making, making->wanted, 0, err);
    return code;
}

static int in_order(const void *a, const void *b)
{
    const struct quiz_question *one = a, *other = b;
    if (one->story != other->story) return one->story < other->story ? -1 : 1;
    if (one->until != other->until) return one->until < other->until ? -1 : 1;
    if (one->step != other->step) return one->step < other->step ? -1 : 1;
    return one->field < other->field ? -1 : one->field > other->field;
}

static int draw(struct making *making, struct err *err)
{
    struct quiz_paper *paper = making->paper;
    int code = 0;
    for (size_t i = 0; i < paper->count && !code; i++)
        code =
            quiz_draw(paper, i, making->options->printed ? 0 : i, making->stories[paper->questions[i].story], making->options, err);
    return code;
}

/* Whose connection it is; of several, how many there are. */
static const char *title_of(const struct making *making, struct asking *words)
{
    char from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
    if (making->story_count != 1) return quiz_text(words, tr("%zu connections"), making->story_count);
    const struct story_end *end = making->stories[0]->end;
    const char *client = end[STORY_CLIENT].process.comm, *server = end[STORY_SERVER].process.comm;
    return quiz_text(words, "%s%s%s → %s%s%s", client ? client : "", client ? " " : "",
                     address_format(&end[STORY_CLIENT].address, from), server ? server : "", server ? " " : "",
                     address_format(&end[STORY_SERVER].address, to));
}

static int make(struct making *making, struct err *err)
{
    struct quiz_paper *paper = making->paper;
    int code = 0;
    size_t all = 0;
    for (int field = 0; field < QUIZ_FIELDS && !code; field++) {
        struct candidates *candidates = &making->of[field];
        code = collect(making, (enum quiz_field)field);
        if (candidates->count) qsort(candidates->list, candidates->count, sizeof(*candidates->list), by_rank);
        all += candidates->count;
    }
    if (making->wanted > all) making->wanted = all;
    paper->questions = calloc(making->wanted + 1, sizeof(*paper->questions));
    struct asking words = {.arena = &paper->arena, .ascii = making->options->ascii};
    paper->title = quiz_safe(&words, title_of(making, &words));
    if (code || !paper->questions || words.failed) return err_set_errno(err, -ENOMEM, "can't write the paper");
    code = choose(making, err);
    if (!code) qsort(paper->questions, paper->count, sizeof(*paper->questions), in_order);
    return code ? code : draw(making, err);
}

int quiz_make(struct story *const *stories, size_t count, const struct quiz_options *options, struct quiz_paper *ret_paper,
              struct err *err)
{
    struct making making = {.stories = stories,
                            .story_count = count,
                            .options = options,
                            .paper = ret_paper,
                            .wanted = options->count ? options->count : QUIZ_QUESTIONS_USUAL};
    *ret_paper = (struct quiz_paper){.seed = options->seed, .arena = arena_new()};
    int code = make(&making, err);
    for (int field = 0; field < QUIZ_FIELDS; field++) free(making.of[field].list);
    if (code) quiz_free(ret_paper);
    return code;
}

void quiz_free(struct quiz_paper *paper)
{
    free(paper->questions);
    arena_free(&paper->arena);
    *paper = (struct quiz_paper){0};
}

/* ---- answers ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without blanks around it, and without the bracket or full stop behind a letter. */
static const char *trim(const char *line, size_t *ret_length)
{
    size_t length = strlen(line);
    while (length && is_blank(line[length - 1])) length--;
    while (length && is_blank(*line)) line++, length--;
    if (length == 2 && (line[length - 1] == ')' || line[length - 1] == '.')) length--;
    *ret_length = length;
    return line;
}

static bool is_word(const char *line, size_t length, const char *words)
{
    return length == strlen(words) && strncasecmp(line, words, length) == 0;
}

bool quiz_is_right(const struct quiz_question *question, const char *line)
{
    size_t length;
    line = trim(line, &length);
    bool is_letter = length == 1 && (line[0] | 0x20) >= 'a' && (line[0] | 0x20) <= 'z';
    if (question->choice_count && is_letter) return (line[0] | 0x20) == (char)('a' + (char)question->right);
    return is_word(line, length, question->answer);
}

bool quiz_is_answer(const struct quiz_question *question, const char *line)
{
    size_t length;
    line = trim(line, &length);
    if (!question->choice_count) return length && strspn(line, "0123456789") >= length;
    for (size_t i = 0; i < question->choice_count; i++)
        if (is_word(line, length, question->choices[i]) || (length == 1 && (line[0] | 0x20) == (char)('a' + (char)i))) return true;
    return false;
}
