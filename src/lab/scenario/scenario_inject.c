/* wire inject KIND from SIDE [seq NUMBER] [ack NUMBER] [window N] [length N] [with TEXT] [in connection K] */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "lab/scenario/scenario_parse.h"

/* What a segment of each kind carries by itself. SYN and RST acknowledge something where `ack` is said. */
static const struct {
    const char *word;
    enum wire_match match;
    uint8_t flags;
} kinds[] = {
    {"SYN", WIRE_SYN, TCP_SYN},           {"SYN-ACK", WIRE_SYN_ACK, TCP_SYN | TCP_ACK},
    {"ACK", WIRE_ACK, TCP_ACK},           {"data", WIRE_DATA, TCP_PSH | TCP_ACK},
    {"FIN", WIRE_FIN, TCP_FIN | TCP_ACK}, {"RST", WIRE_RST, TCP_RST},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Digits, up to a sequence number's; -1 where there is something else. */
static int64_t digits(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > 10 || strspn(text, "0123456789") != length) return -1;
    int64_t number = strtoll(text, NULL, 10);
    return number <= UINT32_MAX ? number : -1;
}

/* N, -N, next, next+N, next-N */
static bool take_number(struct scenario_parser *parser, const char *what, struct wire_number *ret_number)
{
    const struct scenario_word *word = scenario_peek(parser);
    const char *rest = word && !word->quoted ? word->text : "";
    *ret_number = (struct wire_number){.said = true, .from_next = strncmp(rest, "next", 4) == 0};
    if (ret_number->from_next) rest += 4;
    bool signed_one = *rest == '-' || (*rest == '+' && ret_number->from_next), minus = *rest == '-';
    bool bare = ret_number->from_next && !*rest;
    int64_t number = bare ? 0 : digits(rest + signed_one);
    if (number < 0 || (ret_number->from_next && !bare && !signed_one))
        return scenario_mistake(parser, word,
                                "expected %s: a number as the ladder shows it (from the end's first one), or next, next+N, next-N",
                                tr(what));
    ret_number->offset = minus ? -number : number;
    parser->at++;
    return true;
}

static bool take_payload(struct scenario_parser *parser, struct wire_forgery *forgery)
{
    const struct scenario_word *word = scenario_take(parser);
    size_t length = word ? strlen(word->text) : 0;
    if (!word || !word->quoted || length == 0 || length > WIRE_PAYLOAD_MAX)
        return scenario_mistake(parser, word, "expected a text in double quotes here, of 1 to %d bytes", WIRE_PAYLOAD_MAX);
    memcpy(forgery->data, word->text, length);
    forgery->length_bytes = (uint16_t)length;
    return true;
}

static bool take_length(struct scenario_parser *parser, struct wire_forgery *forgery)
{
    int64_t length;
    if (!scenario_take_number(parser, "how many bytes", 0, WIRE_PAYLOAD_MAX, &length)) return false;
    memset(forgery->data, 'x', (size_t)length);
    forgery->length_bytes = (uint16_t)length;
    return true;
}

static bool take_detail(struct scenario_parser *parser, struct wire_forgery *forgery)
{
    enum { SEQ, ACK, WINDOW, LENGTH, WITH, IN, DETAILS };
    static const char *const words[DETAILS] = {"seq", "ack", "window", "length", "with", "in"};
    size_t index;
    int64_t number = 0;
    if (!scenario_take_choice(parser, "detail of a segment", words, DETAILS, &index)) return false;
    switch (index) {
    case SEQ:
        return take_number(parser, TR("the sequence number"), &forgery->seq);
    case ACK:
        forgery->flags |= TCP_ACK;
        return take_number(parser, TR("the acknowledgment number"), &forgery->ack);
    case WINDOW:
        forgery->has_window = true;
        if (!scenario_take_number(parser, "the window, in bytes", 0, 1 << 30, &number)) return false;
        forgery->window = (uint32_t)number;
        return true;
    case LENGTH:
        return take_length(parser, forgery);
    case WITH:
        return take_payload(parser, forgery);
    default:
        if (!scenario_require(parser, "connection") || !scenario_take_number(parser, "which connection", 1, 10000, &number))
            return false;
        forgery->connection = (uint32_t)number;
        return true;
    }
}

bool scenario_parse_inject(struct scenario_parser *parser, struct scenario_step *step)
{
    const char *words[KINDS];
    size_t kind;
    const struct scenario_word *word = scenario_peek(parser);
    struct wire_forgery *forgery = arena_alloc(&parser->scenario->arena, sizeof(*forgery));
    if (!forgery) return parser->failed = true, false;
    *forgery = (struct wire_forgery){.connection = 0};
    for (size_t i = 0; i < KINDS; i++) words[i] = kinds[i].word;
    if (!scenario_take_choice(parser, "kind of segment to make", words, KINDS, &kind)) return false;
    step->verb = SCENARIO_WIRE_INJECT;
    step->match.segment = kinds[kind].match;
    step->forgery = forgery;
    forgery->flags = kinds[kind].flags;
    forgery->seq.said = forgery->flags & TCP_SYN; /* a SYN is the first of its numbers */
    if (!scenario_require(parser, "from") || !scenario_take_side(parser, &step->match.from)) return false;
    forgery->from = step->match.from == SCENARIO_CLIENT ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
    while (scenario_peek(parser))
        if (!take_detail(parser, forgery)) return false;
    if (kinds[kind].match == WIRE_DATA && !forgery->length_bytes)
        return scenario_mistake(parser, word, "data has some: say 'length N' or 'with' and a text");
    return true;
}
