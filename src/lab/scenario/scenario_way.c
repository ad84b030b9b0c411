/* What stands in the way between the hosts: the lines of the router, and those of a host's firewall. */
#include <netinet/in.h>
#include <string.h>

#include "lab/scenario/scenario_parse.h"
#include "lab/wire/firewall.h"

/* `with RST`, `with port-unreachable` … */
static bool take_answer(struct scenario_parser *parser, enum router_answer *ret_answer)
{
    const char *words[ROUTER_ANSWERS];
    size_t index;
    for (size_t i = 0; i < ROUTER_ANSWERS; i++) words[i] = router_answer_name((enum router_answer)i);
    if (!scenario_require(parser, "with")) return false;
    if (!scenario_take_choice(parser, "kind of refusal", words, ROUTER_ANSWERS, &index)) return false;
    *ret_answer = (enum router_answer)index;
    return true;
}

/* ---- router … ---- */

static bool parse_reject(struct scenario_parser *parser, struct scenario_step *step)
{
    return scenario_take_match(parser, true, 1, &step->match) && take_answer(parser, &step->answer);
}

static bool parse_match(struct scenario_parser *parser, struct scenario_step *step)
{
    return scenario_take_match(parser, true, 1, &step->match);
}

static bool parse_translate(struct scenario_parser *parser, struct scenario_step *step)
{
    return scenario_take_side(parser, &step->side);
}

static bool parse_forget(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word) return true;
    if (!take_answer(parser, &step->answer)) return false;
    if (step->answer == ROUTER_RST) return true;
    return scenario_mistake(parser, word, "what a router has forgotten it answers 'with RST', or (without a word) not at all");
}

static bool parse_mtu(struct scenario_parser *parser, struct scenario_step *step)
{
    if (!scenario_take_number(parser, "the router's MTU in bytes", ROUTER_MTU_MIN, ROUTER_MTU_MAX, &step->number)) return false;
    step->answer = scenario_take_if(parser, "silent") ? ROUTER_SILENCE : ROUTER_HOST_UNREACHABLE;
    return true;
}

static const struct {
    const char *word;
    enum router_verb verb;
    bool (*rest)(struct scenario_parser *parser, struct scenario_step *step);
} router_lines[] = {
    {"drop", ROUTER_REFUSE, parse_match}, {"reject", ROUTER_REFUSE, parse_reject}, {"translate", ROUTER_TRANSLATE, parse_translate},
    {"skip", ROUTER_SKIP, parse_match},   {"forget", ROUTER_FORGET, parse_forget}, {"mtu", ROUTER_MTU, parse_mtu},
};
enum { ROUTER_LINES = sizeof(router_lines) / sizeof(router_lines[0]) };

bool scenario_parse_router(struct scenario_parser *parser, struct scenario_step *step)
{
    const char *words[ROUTER_LINES];
    size_t index;
    if (parser->scenario->place == SCENARIO_LOOPBACK)
        return scenario_mistake(parser, &parser->words[0], "there is no way between two hosts with 'place loopback'");
    step->verb = SCENARIO_ROUTER;
    step->router = ROUTER_ROUTE;
    step->answer = ROUTER_SILENCE;
    parser->scenario->routed = true;
    if (!scenario_peek(parser)) return true;
    for (size_t i = 0; i < ROUTER_LINES; i++) words[i] = router_lines[i].word;
    if (!scenario_take_choice(parser, "thing for the router to do", words, ROUTER_LINES, &index)) return false;
    step->router = router_lines[index].verb;
    return router_lines[index].rest(parser, step);
}

bool scenario_is_rule(const struct scenario_step *step)
{
    bool of_router = step->verb == SCENARIO_ROUTER && (step->router == ROUTER_REFUSE || step->router == ROUTER_SKIP);
    return step->verb == SCENARIO_WIRE_RULE || of_router;
}

/* ---- ACTOR firewall … ---- */

static bool take_rule(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || !word->quoted)
        return scenario_mistake(parser, word,
                                "expected a rule in double quotes here, as nft(8) has them, such as \"tcp dport 3333 drop\"");
    if (!firewall_is_rule(word->text))
        return scenario_mistake(parser, word, "one rule of nft(8), of less than %d bytes, without quotes, ; and # in it",
                                FIREWALL_RULE_BYTES);
    step->data = word->text;
    parser->at++;
    return true;
}

bool scenario_parse_firewall(struct scenario_parser *parser, struct scenario_step *step)
{
    enum { DROP, REJECT, INPUT, OUTPUT, OPEN, FIREWALL_WORDS };
    static const char *const words[FIREWALL_WORDS] = {"drop", "reject", "input", "output", "open"};
    const struct scenario_word *word = scenario_peek(parser);
    size_t index;
    parser->scenario->needs |= SCENARIO_NEEDS_NFTABLES;
    if (word && word->quoted) return take_rule(parser, step);
    if (!scenario_take_choice(parser, "thing for the firewall to do", words, FIREWALL_WORDS, &index)) return false;
    step->off = index == OPEN;
    step->outgoing = index == OUTPUT;
    if (index == OPEN) return true;
    if (index == INPUT || index == OUTPUT) return take_rule(parser, step);
    return scenario_take_number(parser, "the port (of TCP)", 1, 65535, &step->number) &&
           (index == DROP || take_answer(parser, &step->answer));
}

/* ---- expect icmp … ---- */

static const struct {
    const char *word;
    uint8_t v4_type, v4_code, v6_type, v6_code;
} icmps[SCENARIO_ICMP_KINDS] = {
    [SCENARIO_NET_UNREACHABLE] = {"net-unreachable", 3, 0, 1, 0},
    [SCENARIO_HOST_UNREACHABLE] = {"host-unreachable", 3, 1, 1, 3},
    [SCENARIO_PORT_UNREACHABLE] = {"port-unreachable", 3, 3, 1, 4},
    [SCENARIO_ADMIN_PROHIBITED] = {"admin-prohibited", 3, 13, 1, 1},
    [SCENARIO_TOO_BIG] = {"too-big", 3, 4, 2, 0},
    [SCENARIO_TIME_EXCEEDED] = {"time-exceeded", 11, 0, 3, 0},
};

bool scenario_icmp_matches(enum scenario_icmp icmp, const struct event_packet *packet)
{
    const struct event_icmp *error = &packet->icmp;
    if (packet->header.protocol == IPPROTO_ICMP) return error->type == icmps[icmp].v4_type && error->code == icmps[icmp].v4_code;
    return packet->header.protocol == IPPROTO_ICMPV6 && error->type == icmps[icmp].v6_type && error->code == icmps[icmp].v6_code;
}

bool scenario_parse_icmp(struct scenario_parser *parser, struct scenario_expect *expect)
{
    static const char *const senders[] = {"client", "server", "router"}; /* the first two as enum scenario_side has them */
    const char *words[SCENARIO_ICMP_KINDS];
    size_t kind, sender;
    for (size_t i = 0; i < SCENARIO_ICMP_KINDS; i++) words[i] = icmps[i].word;
    expect->kind = EXPECT_ICMP;
    if (!scenario_take_choice(parser, "kind of ICMP error", words, SCENARIO_ICMP_KINDS, &kind)) return false;
    if (!scenario_require(parser, "from") || !scenario_take_choice(parser, "sender", senders, 3, &sender)) return false;
    expect->icmp = (enum scenario_icmp)kind;
    expect->side = sender == 2 ? SCENARIO_BOTH : (enum scenario_side)sender;
    if (sender < 2 || parser->scenario->routed) return true;
    return scenario_mistake(parser, &parser->words[parser->at - 1],
                            "there is no router: a line 'router' puts one between the hosts");
}
