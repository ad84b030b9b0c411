/* Lines of the wire and of the runner: wire, kill, wait. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"
#include "lab/scenario/scenario_step.h"

static bool parse_from(struct scenario_parser *parser, enum scenario_side *ret_side)
{
    *ret_side = SCENARIO_BOTH;
    return !scenario_take_if(parser, "from") || scenario_take_side(parser, ret_side);
}

static bool parse_wire_delay(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (word && !word->quoted && word->text[0] >= '0' && word->text[0] <= '9') {
        step->verb = SCENARIO_WIRE_DELAY;
        return scenario_take_duration(parser, "the delay", &step->duration_ns) && parse_from(parser, &step->side);
    }
    step->action = WIRE_DELAY;
    return scenario_take_match(parser, true, 1, &step->match) && scenario_require(parser, "by") &&
           scenario_take_duration(parser, "the extra delay", &step->duration_ns);
}

bool scenario_parse_wire(struct scenario_parser *parser, struct scenario_step *step)
{
    enum { DROP, DUPLICATE, HOLD, REORDER, CORRUPT, DELAY, RELEASE, CUT, MEND, FORGET, INJECT, WIRE_WORDS };
    static const char *const words[WIRE_WORDS] = {"drop",    "duplicate", "hold", "reorder", "corrupt", "delay",
                                                  "release", "cut",       "mend", "forget",  "inject"};
    static const enum wire_action actions[] = {WIRE_DROP, WIRE_DUPLICATE, WIRE_HOLD, WIRE_REORDER, WIRE_CORRUPT};
    size_t index;
    if (parser->scenario->place == SCENARIO_LOOPBACK)
        return scenario_mistake(parser, &parser->words[0], "there is no wire with 'place loopback'");
    if (step->runs_on) return scenario_mistake(parser, &parser->words[0], "what the wire is told can't run on: it is done at once");
    if (!scenario_take_choice(parser, "thing for the wire to do", words, WIRE_WORDS, &index)) return false;
    step->verb = SCENARIO_WIRE_RULE;
    switch (index) {
    case DELAY:
        return parse_wire_delay(parser, step);
    case RELEASE:
        step->verb = SCENARIO_WIRE_RELEASE;
        return !scenario_peek(parser) || scenario_take_name(parser, "the name of what is held", &step->name);
    case CUT:
    case MEND:
        step->verb = index == CUT ? SCENARIO_WIRE_CUT : SCENARIO_WIRE_MEND;
        return parse_from(parser, &step->side);
    case FORGET:
        step->verb = SCENARIO_WIRE_FORGET;
        return true;
    case INJECT:
        return scenario_parse_inject(parser, step);
    default:
        step->action = actions[index];
        if (!scenario_take_match(parser, true, 1, &step->match)) return false;
        if (index != HOLD || !scenario_take_if(parser, "as")) return true;
        return scenario_take_name(parser, "a name for what is held", &step->name);
    }
}

bool scenario_parse_kill(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_take(parser);
    int actor = word && !word->quoted ? scenario_find_actor(parser->scenario, word->text) : -1;
    if (actor < 0) return scenario_mistake(parser, word, "expected whom to kill: client, server or one made by fork");
    if (parser->cast[actor].gone_line)
        return scenario_mistake(parser, word, "%s is gone since line %" PRIu32, word->text, parser->cast[actor].gone_line);
    step->verb = SCENARIO_KILL;
    step->actor = (uint8_t)actor;
    word = scenario_take(parser);
    for (int number = 1; word && number < 32; number++) {
        const char *name = sigabbrev_np(number);
        if (name && strncmp(word->text, "SIG", 3) == 0 && strcmp(word->text + 3, name) == 0) step->number = number;
    }
    if (!step->number) return scenario_mistake(parser, word, "expected a signal here, such as SIGKILL or SIGTERM");
    scenario_note_effect(parser, step);
    return true;
}

bool scenario_parse_wait(struct scenario_parser *parser, struct scenario_step *step)
{
    step->verb = SCENARIO_WAIT;
    if (!scenario_take_if(parser, "for"))
        return scenario_take_duration(parser, "how long to wait (or 'for' and a segment)", &step->duration_ns);
    step->verb = SCENARIO_WAIT_FOR;
    return scenario_take_match(parser, false, 1, &step->match);
}
