/* The lines of a scenario that no actor, wire or expectation is in: its head, what it tells, repeats, claims. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lab/scenario/scenario_parse.h"

static const int64_t LIMIT_MOST_NS = INT64_C(120000000000);

static bool twice(struct scenario_parser *parser, unsigned *line)
{
    if (*line)
        return scenario_mistake(parser, &parser->words[0], "there is a %s already, in line %u", parser->words[0].text, *line);
    *line = parser->line;
    return true;
}

static bool parse_title(struct scenario_parser *parser)
{
    if (!twice(parser, &parser->title_line)) return false;
    if (!parser->line_rest[0]) return scenario_mistake(parser, NULL, "expected the title here");
    if (strlen(parser->line_rest) > 200) return scenario_mistake(parser, &parser->words[1], "a title has 200 bytes at most");
    parser->scenario->title = scenario_copy(parser, parser->line_rest);
    return true;
}

static bool is_section(const char *text)
{
    return text[0] >= '1' && text[0] <= '9' && strspn(text, "0123456789.") == strlen(text) && strlen(text) < 16;
}

static bool parse_section(struct scenario_parser *parser)
{
    struct scenario_section section = {.rfc = 9293};
    struct scenario *scenario = parser->scenario;
    int64_t rfc = 9293;
    bool other = scenario_take_if(parser, "RFC");
    if (other && !scenario_take_number(parser, "the RFC's number", 1, 99999, &rfc)) return false;
    section.rfc = (uint32_t)rfc;
    const struct scenario_word *word = scenario_take(parser);
    if (word && is_section(word->text))
        section.section = word->text;
    else if (word || !other)
        return scenario_mistake(parser, word, "expected a section here, such as 3.5, or 'RFC' and a number");
    struct scenario_section *sections =
        scenario_grow(parser, scenario->sections, scenario->section_count, &parser->section_room, sizeof(section));
    if (!sections) return false;
    scenario->sections = sections;
    scenario->sections[scenario->section_count++] = section;
    return true;
}

static const char *const groups[SCENARIO_GROUPS] = {"handshake", "goodbye", "resets", "loss", "queues",
                                                    "options",   "calls",   "UDP",    "path"};

const char *scenario_group_name(enum scenario_group group)
{
    return group < SCENARIO_GROUPS ? groups[group] : NULL;
}

static bool parse_group(struct scenario_parser *parser)
{
    size_t index;
    if (!twice(parser, &parser->group_line) || !scenario_take_choice(parser, "group", groups, SCENARIO_GROUPS, &index))
        return false;
    parser->scenario->group = (enum scenario_group)index;
    return true;
}

static bool parse_place(struct scenario_parser *parser)
{
    static const char *const places[] = {"wire", "loopback"};
    size_t index;
    if (!twice(parser, &parser->place_line) || !scenario_take_choice(parser, "place", places, 2, &index)) return false;
    parser->scenario->place = (enum scenario_place)index;
    return true;
}

static bool parse_limit(struct scenario_parser *parser)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!twice(parser, &parser->limit_line) || !scenario_take_duration(parser, "the longest time", &parser->scenario->limit_ns))
        return false;
    if (parser->scenario->limit_ns > 0 && parser->scenario->limit_ns <= LIMIT_MOST_NS) return true;
    return scenario_mistake(parser, word, "a limit is more than nothing and at most 120s");
}

static bool parse_needs(struct scenario_parser *parser)
{
    static const char *const things[] = {"io_uring", "mptcp", "ipv6"};
    size_t index;
    do {
        if (!scenario_take_choice(parser, "thing to need", things, 3, &index)) return false;
        parser->scenario->needs |= 1U << index;
    } while (scenario_peek(parser));
    return true;
}

static bool parse_tell(struct scenario_parser *parser)
{
    struct scenario *scenario = parser->scenario;
    if (!parser->line_rest[0]) return scenario_mistake(parser, NULL, "expected a sentence here");
    if (scenario->step_count == SCENARIO_STEPS_MAX)
        return scenario_mistake(parser, &parser->words[0], "more than %d steps", SCENARIO_STEPS_MAX);
    struct scenario_step *steps =
        scenario_grow(parser, scenario->steps, scenario->step_count, &parser->step_room, sizeof(scenario->steps[0]));
    if (!steps) return false;
    scenario->steps = steps;
    scenario->steps[scenario->step_count++] =
        (struct scenario_step){.verb = SCENARIO_TELL, .line = parser->line, .text = scenario_copy(parser, parser->line_rest)};
    return true;
}

static bool parse_repeat(struct scenario_parser *parser)
{
    struct scenario_repeat *repeat = &parser->repeat;
    int64_t rounds;
    if (repeat->state != REPEAT_NONE)
        return scenario_mistake(parser, &parser->words[0], "a repeat can't stand in another one (line %" PRIu32 ")", repeat->line);
    *repeat = (struct scenario_repeat){.state = REPEAT_BEGUN, .line = parser->line, .rounds = 1};
    if (!scenario_take_number(parser, "how often", 1, SCENARIO_ROUNDS_MAX, &rounds)) return false;
    repeat->rounds = (uint32_t)rounds;
    return scenario_require(parser, "times");
}

static bool parse_end(struct scenario_parser *parser)
{
    if (parser->repeat.state == REPEAT_NONE) return scenario_mistake(parser, &parser->words[0], "there is no repeat to end here");
    parser->repeat.state = REPEAT_ENDED;
    return true;
}

static const struct scenario_head heads[] = {
    {"title", parse_title, true, false, false},
    {"section", parse_section, false, false, false},
    {"group", parse_group, false, false, false},
    {"place", parse_place, false, false, false},
    {"limit", parse_limit, false, false, false},
    {"needs", parse_needs, false, false, false},
    {"tell", parse_tell, true, true, false},
    {"repeat", parse_repeat, false, true, false},
    {"end", parse_end, false, true, false},
    {"claim", scenario_parse_claim, false, true, true},
    {"because", scenario_parse_because, false, true, true},
};

const struct scenario_head *scenario_find_head(const char *line)
{
    size_t length = strcspn(line, " \t");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        if (strlen(heads[i].word) == length && memcmp(heads[i].word, line, length) == 0) return &heads[i];
    return NULL;
}

bool scenario_parse_head(struct scenario_parser *parser, const struct scenario_head *head)
{
    const struct scenario *scenario = parser->scenario;
    for (size_t i = 0; i < scenario->step_count && !head->anywhere; i++)
        if (scenario->steps[i].verb != SCENARIO_TELL)
            return scenario_mistake(parser, &parser->words[0], "'%s' must stand before the first step (line %" PRIu32 ")",
                                    head->word, scenario->steps[i].line);
    parser->at = 1;
    return head->parse(parser) && (head->text || scenario_finished(parser));
}
