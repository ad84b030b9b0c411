/* Claims: what people say of TCP, each with the expectations that show whether it is so. They are read with the expectations. */
#include <string.h>

#include "base/lang.h"
#include "lab/scenario/scenario_parse.h"

enum { CLAIM_BYTES = 160, BECAUSE_BYTES = 400 };

static const char *const verdicts[SCENARIO_CLAIM_VERDICTS] = {
    [SCENARIO_CLAIM_WRONG] = TR("wrong"), [SCENARIO_CLAIM_HALF] = TR("half"), [SCENARIO_CLAIM_RIGHT] = TR("right")};

const char *scenario_claim_verdict(enum scenario_claim_verdict verdict)
{
    return verdicts[verdict];
}

static bool take_sentence(struct scenario_parser *parser, const char *what, size_t most, const char **ret_text)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || !word->quoted || !word->text[0]) return scenario_mistake(parser, word, "expected %s here, in quotes", tr(what));
    if (strlen(word->text) > most) return scenario_mistake(parser, word, "%s has %zu bytes at most", tr(what), most);
    if (strpbrk(word->text, "\n\t")) return scenario_mistake(parser, word, "%s is one line, without tabs", tr(what));
    *ret_text = scenario_copy(parser, word->text);
    parser->at++;
    return true;
}

/* "…" [zh "…"] */
static bool take_both(struct scenario_parser *parser, const char *what, size_t most, const char **ret_text, const char **ret_zh)
{
    if (!take_sentence(parser, what, most, ret_text)) return false;
    if (!scenario_take_if(parser, "zh")) return scenario_finished(parser);
    return take_sentence(parser, what, most, ret_zh) && scenario_finished(parser);
}

static bool is_number(const struct scenario_word *word)
{
    return word && !word->quoted && word->text[0] >= '0' && word->text[0] <= '9';
}

static bool take_claim_number(struct scenario_parser *parser, struct scenario_claim *claim)
{
    const struct scenario *scenario = parser->scenario;
    const struct scenario_word *word = scenario_peek(parser);
    int64_t number;
    if (!is_number(word)) return true;
    if (!scenario_take_number(parser, "the claim's number", 1, 999, &number)) return false;
    claim->number = (uint32_t)number;
    for (size_t i = 0; i < scenario->claim_count; i++)
        if (scenario->claims[i].number == claim->number)
            return scenario_mistake(parser, word, "there is a claim %u already, in line %u", claim->number,
                                    scenario->claims[i].line);
    return true;
}

bool scenario_parse_claim(struct scenario_parser *parser)
{
    struct scenario *scenario = parser->scenario;
    struct scenario_claim claim = {.line = parser->line, .first_expect = scenario->expect_count};
    size_t index;
    scenario_end_claim(parser);
    if (scenario->claim_count == SCENARIO_CLAIMS_MAX)
        return scenario_mistake(parser, &parser->words[0], "more than %d claims", SCENARIO_CLAIMS_MAX);
    if (!take_claim_number(parser, &claim)) return false;
    if (!scenario_take_choice(parser, "verdict", verdicts, SCENARIO_CLAIM_VERDICTS, &index)) return false;
    claim.verdict = (enum scenario_claim_verdict)index;
    if (!take_both(parser, TR("the claim"), CLAIM_BYTES, &claim.text, &claim.zh)) return false;
    struct scenario_claim *claims =
        scenario_grow(parser, scenario->claims, scenario->claim_count, &parser->claim_room, sizeof(claim));
    if (!claims) return false;
    scenario->claims = claims;
    scenario->claims[scenario->claim_count++] = claim;
    parser->in_claim = true;
    parser->claim_column = parser->words[0].column;
    parser->claim_mistakes = parser->mistakes->total;
    return true;
}

bool scenario_parse_because(struct scenario_parser *parser)
{
    struct scenario *scenario = parser->scenario;
    if (!parser->in_claim) return scenario_mistake(parser, &parser->words[0], "'because' stands below a claim");
    struct scenario_claim *claim = &scenario->claims[scenario->claim_count - 1];
    if (claim->because) return scenario_mistake(parser, &parser->words[0], "this claim has a reason already");
    return take_both(parser, TR("the reason"), BECAUSE_BYTES, &claim->because, &claim->because_zh);
}

void scenario_end_claim(struct scenario_parser *parser)
{
    struct scenario *scenario = parser->scenario;
    if (!parser->in_claim) return;
    parser->in_claim = false;
    struct scenario_claim *claim = &scenario->claims[scenario->claim_count - 1];
    claim->expect_count = scenario->expect_count - claim->first_expect;
    size_t least = claim->verdict == SCENARIO_CLAIM_HALF ? 2 : 1;
    if (claim->expect_count >= least || parser->mistakes->total != parser->claim_mistakes) return;
    struct scenario_word word = {.column = parser->claim_column, .width = 5};
    uint32_t line = parser->line;
    parser->line = claim->line;
    scenario_mistake(
        parser, &word,
        least == 2 ? TR("a claim that is half right needs two lines 'expect …' directly below it: what is so, and what is not")
                   : TR("a claim needs lines 'expect …' directly below it, which show whether it is so"));
    parser->line = line;
}
