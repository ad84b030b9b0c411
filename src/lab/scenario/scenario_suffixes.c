/* What stands behind a step, in any order: v6, on, as … */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"
#include "lab/scenario/scenario_step.h"

static const struct {
    const char *word;
    unsigned bit;
} suffixes[] = {{"v6", MAY_V6},
                {"udp", MAY_UDP},
                {"mptcp", MAY_MPTCP},
                {"uring", MAY_URING},
                {"nonblocking", MAY_NONBLOCKING},
                {"on", MAY_ON | MAY_ON_ADDRESS},
                {"as", MAY_AS},
                {"backlog", MAY_BACKLOG},
                {"with", MAY_WITH}};
enum { SUFFIXES = sizeof(suffixes) / sizeof(suffixes[0]) };

static bool unknown_suffix(struct scenario_parser *parser, const struct scenario_step *step, const struct scenario_word *word)
{
    const char *words[SUFFIXES];
    char list[120] = "";
    size_t used = 0;
    for (size_t i = 0; i < SUFFIXES; i++) {
        words[i] = scenario_shapes[step->verb].may & suffixes[i].bit ? suffixes[i].word : NULL;
        if (words[i]) used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", words[i]);
    }
    const char *near = nearest_word(word->text, words, SUFFIXES);
    if (near && !word->quoted) return scenario_mistake(parser, word, "what is '%.60s'? Did you mean '%s'?", word->text, near);
    if (!list[0]) return scenario_finished(parser);
    return scenario_mistake(parser, word, "'%.60s' can't stand here; behind '%s' there may be %s", word->text,
                            scenario_shapes[step->verb].word, list);
}

static bool parse_suffix(struct scenario_parser *parser, struct scenario_step *step, unsigned bit,
                         const struct scenario_word **ret_said)
{
    const struct scenario_word *word;
    char text[ADDRESS_TEXT_BYTES + 8];
    uint16_t port = step->address.port;
    switch (bit) {
    case MAY_V6:
        step->ipv6 = true;
        return true;
    case MAY_UDP:
        step->udp = true;
        return true;
    case MAY_MPTCP:
        step->mptcp = true;
        return true;
    case MAY_URING:
        step->uring = true;
        return true;
    case MAY_NONBLOCKING:
        step->nonblocking = true;
        return true;
    case MAY_AS:
        return scenario_take_name(parser, "a new name", &step->name);
    case MAY_BACKLOG:
        return scenario_take_number(parser, "the backlog", 0, 65535, &step->number);
    case MAY_WITH:
        return scenario_take_text(parser, step);
    case MAY_ON_ADDRESS:
        word = scenario_peek(parser);
        if (scenario_take_if(parser, "client") || scenario_take_if(parser, "server")) {
            step->host = strcmp(word->text, "client") == 0 ? SCENARIO_HOST_CLIENT : SCENARIO_HOST_SERVER;
            return true;
        }
        step->host = SCENARIO_HOST_LITERAL;
        if (!word || word->quoted || snprintf(text, sizeof(text), "%s", word->text) >= (int)sizeof(text) ||
            !address_parse(text, &step->address) || step->address.port)
            return scenario_mistake(parser, word, "expected an IP address here (without port), or client or server");
        step->address.port = port;
        parser->at++;
        return true;
    default: { /* MAY_ON */
        const char *name;
        *ret_said = scenario_peek(parser);
        return scenario_take_name(parser, "the name of a socket", &name);
    }
    }
}

bool scenario_parse_suffixes(struct scenario_parser *parser, struct scenario_step *step, const struct scenario_word **ret_said)
{
    unsigned may = scenario_shapes[step->verb].may;
    for (const struct scenario_word *word; (word = scenario_peek(parser));) {
        unsigned bit = 0;
        for (size_t i = 0; i < SUFFIXES && !word->quoted; i++)
            if (strcmp(word->text, suffixes[i].word) == 0) bit = suffixes[i].bit & may;
        if (!bit) return unknown_suffix(parser, step, word);
        parser->at++;
        if (!parse_suffix(parser, step, bit, ret_said)) return false;
    }
    return true;
}
