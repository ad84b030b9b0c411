/* The lines that begin with `expect`. They are read after all steps, so that they may stand anywhere. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/lang.h"
#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"

static const char *const state_names[] = {"CLOSED",     "LISTEN",     "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
                                          "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK", "TIME_WAIT"};
static const char *const timer_names[] = {"retransmit",      "delayed-ack", "keepalive",  "syn-ack",       "zero-window-probe",
                                          "tail-loss-probe", "time-wait",   "reordering", "compressed-ack"};
static const char *const outcome_names[] = {"open", "closed", "reset", "refused", "timed-out", "half-open"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_number(const struct scenario_word *word)
{
    return word && !word->quoted && word->text[0] >= '0' && word->text[0] <= '9';
}

static bool parse_states(struct scenario_parser *parser, struct scenario_expect *expect)
{
    size_t index;
    do {
        if (expect->word_count == SCENARIO_WORDS_MAX)
            return scenario_mistake(parser, scenario_peek(parser), "more than %d states", SCENARIO_WORDS_MAX);
        if (!scenario_take_choice(parser, "state", state_names, COUNT(state_names), &index)) return false;
        expect->words[expect->word_count++] = state_names[index];
    } while (scenario_peek(parser));
    return true;
}

/* The rest of the line, as one name. */
static bool take_rest(struct scenario_parser *parser, const char **ret_name)
{
    char text[64] = "";
    size_t used = 0;
    for (const struct scenario_word *word; (word = scenario_take(parser));) {
        size_t length = strlen(word->text);
        if (used + length + 2 > sizeof(text)) return scenario_mistake(parser, word, "this name is too long");
        if (used) text[used++] = ' ';
        memcpy(text + used, word->text, length + 1);
        used += length;
    }
    *ret_name = used ? scenario_copy(parser, text) : NULL;
    return true;
}

static bool is_among(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words[i] && strcmp(words[i], name) == 0) return true;
    return false;
}

/* Notes that the word is no name of its kind, and what may be meant. */
static bool unknown_name(struct scenario_parser *parser, const struct scenario_word *word, const char *what, const char *name,
                         const char *near)
{
    if (near) return scenario_mistake(parser, word, "no %s '%.60s': did you mean '%s'?", tr(what), name, near);
    return scenario_mistake(parser, word, "there is no %s '%.60s'", tr(what), name);
}

/* A system call, or the word of the language for it. */
static bool take_call(struct scenario_parser *parser, const char **ret_name)
{
    const struct scenario_vocabulary *vocabulary = parser->vocabulary;
    const struct scenario_word *word = scenario_peek(parser);
    size_t count;
    const char *const *verbs = scenario_verb_words(&count);
    if (!word) return scenario_mistake(parser, NULL, "expected the call's name, such as close");
    if (!take_rest(parser, ret_name) || !*ret_name) return false;
    if (!vocabulary->calls || is_among(*ret_name, verbs, SCENARIO_ACTOR_VERBS) ||
        is_among(*ret_name, vocabulary->calls, vocabulary->call_count))
        return true;
    const char *near = nearest_word(*ret_name, verbs, SCENARIO_ACTOR_VERBS);
    if (!near) near = nearest_word(*ret_name, vocabulary->calls, vocabulary->call_count);
    return unknown_name(parser, word, TR("call"), *ret_name, near);
}

static bool is_signal(const char *name)
{
    if (strncmp(name, "SIG", 3) != 0) return false;
    for (int number = 1; number < NSIG; number++) {
        const char *known = sigabbrev_np(number);
        if (known && strcmp(known, name + 3) == 0) return true;
    }
    return false;
}

/* How a process ended: nothing, a signal, or `status N`. */
static bool take_exit(struct scenario_parser *parser, const char **ret_name)
{
    const struct scenario_word *word = scenario_peek(parser);
    int64_t status;
    size_t first = parser->at;
    if (!word) return true;
    if (is_signal(word->text)) {
        *ret_name = word->text;
        parser->at++;
        return true;
    }
    if (!scenario_take_if(parser, "status"))
        return scenario_mistake(parser, word, "expected a signal here, such as SIGKILL, or 'status' and a number");
    if (!scenario_take_number(parser, "the exit status", 0, 255, &status) || !scenario_finished(parser)) return false;
    parser->at = first;
    return take_rest(parser, ret_name);
}

/* KIND of the other side, or a whole SEGMENT. */
static bool parse_origin(struct scenario_parser *parser, struct scenario_expect *expect)
{
    if (parser->at + 1 < parser->count) return scenario_take_match(parser, false, 1, &expect->origin);
    const char *kinds[WIRE_MATCHES];
    size_t kind;
    for (int i = 0; i < WIRE_MATCHES; i++) kinds[i] = wire_match_name((enum wire_match)i);
    if (!scenario_take_choice(parser, "kind of segment", kinds, WIRE_MATCHES, &kind)) return false;
    expect->origin = (struct scenario_match){
        .segment = (enum wire_match)kind,
        .from = expect->match.from == SCENARIO_CLIENT ? SCENARIO_SERVER : SCENARIO_CLIENT,
    };
    return true;
}

static bool parse_cause(struct scenario_parser *parser, struct scenario_expect *expect)
{
    static const char *const kinds[] = {
        [SCENARIO_CAUSE_CALL] = "call", [SCENARIO_CAUSE_SEGMENT] = "segment", [SCENARIO_CAUSE_TIMER] = "timer",
        [SCENARIO_CAUSE_EXIT] = "exit", [SCENARIO_CAUSE_KERNEL] = "kernel",   [SCENARIO_CAUSE_UNKNOWN] = "unknown"};
    size_t kind, timer;
    expect->kind = EXPECT_CAUSE;
    if (!scenario_require(parser, "of") || !scenario_take_match(parser, false, 1, &expect->match)) return false;
    if (!scenario_require(parser, ":") || !scenario_take_choice(parser, "cause", kinds, COUNT(kinds), &kind)) return false;
    expect->cause = (enum scenario_cause)kind;
    switch (expect->cause) {
    case SCENARIO_CAUSE_CALL:
        return take_call(parser, &expect->name);
    case SCENARIO_CAUSE_SEGMENT:
        return parse_origin(parser, expect);
    case SCENARIO_CAUSE_TIMER:
        if (!scenario_peek(parser)) return true;
        if (!scenario_take_choice(parser, "timer", timer_names, COUNT(timer_names), &timer)) return false;
        expect->name = timer_names[timer];
        return true;
    case SCENARIO_CAUSE_EXIT:
        return take_exit(parser, &expect->name);
    case SCENARIO_CAUSE_UNKNOWN:
        return true;
    default: /* the kernel names its functions as it likes */
        return take_rest(parser, &expect->name);
    }
}

static bool is_errno(const char *name)
{
    for (int number = 1; number < 140; number++) {
        const char *known = err_errno_name(number);
        if (known && strcmp(known, name) == 0) return true;
    }
    return false;
}

static bool parse_fails(struct scenario_parser *parser, struct scenario_expect *expect)
{
    expect->kind = EXPECT_FAILS;
    if (!scenario_require(parser, "with")) return false;
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || word->quoted || !is_errno(word->text))
        return scenario_mistake(parser, word, "expected the name of an errno here, such as ECONNREFUSED");
    expect->name = word->text;
    parser->at++;
    return true;
}

static bool parse_woken(struct scenario_parser *parser, struct scenario_expect *expect)
{
    expect->wake = SCENARIO_WOKEN_BY_SEGMENT;
    if (!scenario_require(parser, "by")) return false;
    if (scenario_take_if(parser, "timer")) return expect->wake = SCENARIO_WOKEN_BY_TIMER, true;
    if (scenario_take_if(parser, "signal")) return expect->wake = SCENARIO_WOKEN_BY_SIGNAL, true;
    expect->match.from = expect->side; /* a segment of the other side */
    return parse_origin(parser, expect);
}

/* The n-th step of that kind of the actor must be there. */
static bool has_step(struct scenario_parser *parser, const struct scenario_expect *expect, const struct scenario_word *word)
{
    const struct scenario *scenario = parser->scenario;
    uint32_t count = 0;
    for (size_t i = 0; i < scenario->step_count; i++)
        count += scenario->steps[i].actor == expect->actor && (int)scenario->steps[i].verb == expect->call;
    const unsigned *botched = parser->cast[expect->actor].botched;
    if (count + botched[expect->call] + botched[SCENARIO_VERBS] >= expect->nth) return true;
    return scenario_mistake(parser, word, "%s has %u such step%s here", scenario->actors[expect->actor].name, count,
                            count == 1 ? "" : "s");
}

static bool parse_call(struct scenario_parser *parser, struct scenario_expect *expect)
{
    enum { FAILS, SUCCEEDS, RETURNS, WOKEN, NEVER, STILL, ENDS };
    static const char *const ends[] = {"fails", "succeeds", "returns", "woken", "never", "still"};
    const struct scenario_word *word = scenario_peek(parser);
    size_t count, index;
    int64_t nth = 1;
    const char *const *verbs = scenario_verb_words(&count);
    if (!scenario_take_choice(parser, "step of it (or 'states', 'passes')", verbs, SCENARIO_ACTOR_VERBS, &index)) return false;
    expect->call = (int)index;
    if (is_number(scenario_peek(parser)) && !scenario_take_number(parser, "which of them", 1, 1000, &nth)) return false;
    expect->nth = (uint32_t)nth;
    if (!has_step(parser, expect, word)) return false;
    if (!scenario_take_choice(parser, "end of a call", ends, ENDS, &index)) return false;
    switch (index) {
    case FAILS:
        return parse_fails(parser, expect);
    case SUCCEEDS:
        expect->kind = EXPECT_SUCCEEDS;
        return true;
    case RETURNS:
        expect->kind = EXPECT_RETURNS;
        return scenario_take_number(parser, "what it returns", 0, INT32_MAX, &expect->number);
    case WOKEN:
        expect->kind = EXPECT_WOKEN;
        return parse_woken(parser, expect);
    default:
        expect->kind = EXPECT_WOKEN;
        expect->wake = index == NEVER ? SCENARIO_NEVER_SLEPT : SCENARIO_STILL_WAITS;
        return scenario_require(parser, index == NEVER ? "slept" : "waits");
    }
}

static bool parse_actor(struct scenario_parser *parser, struct scenario_expect *expect, int actor)
{
    expect->actor = (uint8_t)actor;
    expect->side = parser->scenario->actors[actor].host;
    if (scenario_take_if(parser, "states")) {
        expect->kind = EXPECT_STATES;
        return parse_states(parser, expect);
    }
    if (scenario_take_if(parser, "passes")) {
        expect->kind = EXPECT_PASSES;
        return parse_states(parser, expect);
    }
    return parse_call(parser, expect);
}

static bool parse_finding(struct scenario_parser *parser, struct scenario_expect *expect, enum scenario_expect_kind kind)
{
    const struct scenario_vocabulary *vocabulary = parser->vocabulary;
    const struct scenario_word *word = scenario_peek(parser);
    expect->kind = kind;
    if (!scenario_take_name(parser, "the id of a finding, such as reset-unread-data", &expect->name)) return false;
    if (!vocabulary->findings || is_among(expect->name, vocabulary->findings, vocabulary->finding_count)) return true;
    return unknown_name(parser, word, TR("finding"), expect->name,
                        nearest_word(expect->name, vocabulary->findings, vocabulary->finding_count));
}

static bool parse_segment(struct scenario_parser *parser, struct scenario_expect *expect)
{
    static const char *const fates[] = {"lost", "arrives"};
    size_t index;
    if (is_number(scenario_peek(parser))) {
        expect->kind = EXPECT_COUNT;
        return scenario_take_number(parser, "how many", 0, 1000000, &expect->number) &&
               scenario_take_match(parser, false, 0, &expect->match);
    }
    if (!scenario_take_match(parser, false, 1, &expect->match)) return false;
    if (!scenario_take_choice(parser, "fate of a segment", fates, 2, &index)) return false;
    expect->kind = index ? EXPECT_ARRIVES : EXPECT_LOST;
    if (index == 0 && parser->scenario->place == SCENARIO_LOOPBACK)
        return scenario_mistake(parser, &parser->words[parser->at - 1], "nothing is lost with 'place loopback'");
    return true;
}

static bool parse_outcome(struct scenario_parser *parser, struct scenario_expect *expect)
{
    size_t index;
    expect->kind = EXPECT_OUTCOME;
    if (!scenario_take_choice(parser, "outcome", outcome_names, COUNT(outcome_names), &index)) return false;
    expect->name = outcome_names[index];
    return true;
}

static bool is_segment_word(const struct scenario_word *word)
{
    for (int i = 0; i < WIRE_MATCHES; i++)
        if (!strcmp(wire_match_name((enum wire_match)i), word->text)) return true;
    return is_number(word);
}

static bool unknown_expectation(struct scenario_parser *parser, const struct scenario_word *word)
{
    static const char *const words[] = {"client", "server", "cause", "finding", "no",  "outcome", "connections",
                                        "icmp",   "SYN",    "FIN",   "ACK",     "RST", "SYN-ACK", "data"};
    const char *near = word && !word->quoted ? nearest_word(word->text, words, COUNT(words)) : NULL;
    if (near) return scenario_mistake(parser, word, "nothing can be expected of '%.60s': did you mean '%s'?", word->text, near);
    return scenario_mistake(parser, word,
                            "expected what is expected: client states …, cause of …, SYN 1 from client lost, finding …, outcome …");
}

static bool parse_subject(struct scenario_parser *parser, struct scenario_expect *expect)
{
    const struct scenario_word *word = scenario_peek(parser);
    int actor = word && !word->quoted ? scenario_find_actor(parser->scenario, word->text) : -1;
    if (!word || word->quoted) return unknown_expectation(parser, word);
    if (scenario_take_if(parser, "cause")) return parse_cause(parser, expect);
    if (scenario_take_if(parser, "finding")) return parse_finding(parser, expect, EXPECT_FINDING);
    if (scenario_take_if(parser, "no"))
        return scenario_require(parser, "finding") && parse_finding(parser, expect, EXPECT_NO_FINDING);
    if (scenario_take_if(parser, "outcome")) return parse_outcome(parser, expect);
    if (scenario_take_if(parser, "icmp")) return scenario_parse_icmp(parser, expect);
    if (scenario_take_if(parser, "connections")) {
        expect->kind = EXPECT_CONNECTIONS;
        return scenario_take_number(parser, "how many", 0, 10000, &expect->number);
    }
    if (actor >= 0) return parser->at++, parse_actor(parser, expect, actor);
    if (is_segment_word(word)) return parse_segment(parser, expect);
    return unknown_expectation(parser, word);
}

bool scenario_parse_expect(struct scenario_parser *parser)
{
    struct scenario_expect expect = {.line = parser->line, .text = scenario_copy(parser, parser->line_text), .connection = 1};
    struct scenario *scenario = parser->scenario;
    parser->at = 1;
    size_t count = parser->count;
    if (count > 3 && !strcmp(parser->words[count - 3].text, "in") && !strcmp(parser->words[count - 2].text, "connection")) {
        int64_t number = 0;
        parser->at = count - 1;
        if (!scenario_take_number(parser, "which connection", 1, 10000, &number)) return false;
        expect.connection = (uint32_t)number;
        parser->count = count - 3;
        parser->at = 1;
    }
    if (!parse_subject(parser, &expect) || !scenario_finished(parser)) return false;
    struct scenario_expect *expects =
        scenario_grow(parser, scenario->expects, scenario->expect_count, &parser->expect_room, sizeof(expect));
    if (!expects) return false;
    scenario->expects = expects;
    scenario->expects[scenario->expect_count++] = expect;
    return true;
}
