/* The steps of actors, of the wire and of the runner. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"

/* What may stand behind a step, in any order. */
enum {
    MAY_V6 = 1,
    MAY_UDP = 2,
    MAY_MPTCP = 4,
    MAY_URING = 8,
    MAY_NONBLOCKING = 16,
    MAY_ON = 32, /* a socket */
    MAY_AS = 64, /* a new name */
    MAY_BACKLOG = 128,
    MAY_ON_ADDRESS = 256,
    MAY_WITH = 512
};

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

typedef bool step_parser(struct scenario_parser *parser, struct scenario_step *step);

static step_parser parse_bind, parse_set, parse_listen, parse_connect, parse_send, parse_recv, parse_shutdown, parse_close,
    parse_poll, parse_replace, parse_fork, parse_exit, parse_sysctl, parse_destroy;

/* Which socket a step works on when none is said. */
enum need { NEEDS_NOTHING, NEEDS_SOCKET, NEEDS_LISTENER, MAKES_SOCKET };

static const struct shape {
    const char *word;
    step_parser *rest; /* what stands between the verb and the suffixes; NULL: nothing */
    unsigned may;
    enum need need;
} shapes[SCENARIO_VERBS] = {
    [SCENARIO_BIND] = {"bind", parse_bind, MAY_V6 | MAY_UDP | MAY_MPTCP | MAY_ON | MAY_AS, MAKES_SOCKET},
    [SCENARIO_SET] = {"set", parse_set, MAY_V6 | MAY_UDP | MAY_MPTCP | MAY_ON | MAY_AS, MAKES_SOCKET},
    [SCENARIO_LISTEN] = {"listen", parse_listen, MAY_V6 | MAY_MPTCP | MAY_BACKLOG | MAY_ON_ADDRESS | MAY_AS, MAKES_SOCKET},
    [SCENARIO_CONNECT] = {"connect", parse_connect,
                          MAY_V6 | MAY_UDP | MAY_MPTCP | MAY_URING | MAY_NONBLOCKING | MAY_ON | MAY_AS | MAY_WITH, MAKES_SOCKET},
    [SCENARIO_ACCEPT] = {"accept", NULL, MAY_ON | MAY_AS | MAY_NONBLOCKING | MAY_URING, NEEDS_LISTENER},
    [SCENARIO_SEND] = {"send", parse_send, MAY_ON | MAY_NONBLOCKING, NEEDS_SOCKET},
    [SCENARIO_RECV] = {"recv", parse_recv, MAY_ON | MAY_NONBLOCKING, NEEDS_SOCKET},
    [SCENARIO_SHUTDOWN] = {"shutdown", parse_shutdown, MAY_ON, NEEDS_SOCKET},
    [SCENARIO_CLOSE] = {"close", parse_close, MAY_URING | MAY_ON, NEEDS_SOCKET},
    [SCENARIO_POLL] = {"poll", parse_poll, MAY_ON, NEEDS_SOCKET},
    [SCENARIO_ERROR] = {"error", NULL, MAY_ON, NEEDS_SOCKET},
    [SCENARIO_DISCONNECT] = {"disconnect", NULL, MAY_ON, NEEDS_SOCKET},
    [SCENARIO_DUP] = {"dup", NULL, MAY_ON | MAY_AS, NEEDS_SOCKET},
    [SCENARIO_REPLACE] = {"replace", parse_replace, 0, NEEDS_NOTHING},
    [SCENARIO_FORK] = {"fork", parse_fork, 0, NEEDS_NOTHING},
    [SCENARIO_EXEC] = {"exec", NULL, 0, NEEDS_NOTHING},
    [SCENARIO_EXIT] = {"exit", parse_exit, 0, NEEDS_NOTHING},
    [SCENARIO_SYSCTL] = {"sysctl", parse_sysctl, 0, NEEDS_NOTHING},
    [SCENARIO_FIREWALL] = {"firewall", scenario_parse_firewall, 0, NEEDS_NOTHING},
    [SCENARIO_DESTROY] = {"destroy", parse_destroy, 0, NEEDS_NOTHING},
    [SCENARIO_DONE] = {"done", NULL, 0, NEEDS_NOTHING},
};

const char *scenario_verb_name(enum scenario_verb verb)
{
    return verb < SCENARIO_VERBS ? shapes[verb].word : NULL;
}

const char *const *scenario_verb_words(size_t *ret_count)
{
    static const char *words[SCENARIO_VERBS];
    for (size_t i = 0; i < SCENARIO_VERBS; i++) words[i] = shapes[i].word;
    *ret_count = SCENARIO_VERBS;
    return words;
}

/* ---- sockets that are known at this point of the text ---- */

static struct scenario_known *find_known(const struct scenario_cast *cast, const char *name)
{
    for (size_t i = 0; i < cast->count; i++)
        if (strcmp(cast->sockets[i].name, name) == 0) return (struct scenario_known *)(uintptr_t)&cast->sockets[i];
    return NULL;
}

static struct scenario_known *add_known(struct scenario_cast *cast, const char *name)
{
    static struct scenario_known overflow; /* an actor says no to a socket too many when it is asked for one */
    struct scenario_known *known = find_known(cast, name);
    if (!known) known = cast->count < SCENARIO_SOCKETS_MAX ? &cast->sockets[cast->count++] : &overflow;
    *known = (struct scenario_known){.name = name};
    return known;
}

static void remove_known(struct scenario_cast *cast, const char *name)
{
    struct scenario_known *known = find_known(cast, name);
    if (known) *known = cast->sockets[--cast->count];
}

static bool must_know(struct scenario_parser *parser, const struct scenario_step *step, const struct scenario_word *word,
                      const char *name)
{
    const struct scenario_cast *cast = &parser->cast[step->actor];
    const char *actor = parser->scenario->actors[step->actor].name;
    if (find_known(cast, name)) return true;
    if (strcmp(name, "listener") == 0 && !word->quoted && strcmp(word->text, "listener") != 0)
        return scenario_mistake(parser, word, "%s does not listen: a step such as '%s listen 3333' must come before", actor, actor);
    char list[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < cast->count && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", cast->sockets[i].name);
    if (!cast->count)
        return scenario_mistake(parser, word, "%s has no socket here: connect, accept or bind must come before", actor);
    return scenario_mistake(parser, word, "%s has no socket called '%s' here; it has %s", actor, name, list);
}

/* The socket that a step means, or makes; `said` is the word behind `on` or close, NULL where nothing is said. */
static bool choose_socket(struct scenario_parser *parser, struct scenario_step *step, const struct scenario_word *said)
{
    const struct shape *shape = &shapes[step->verb];
    const struct scenario_word *verb = &parser->words[1];
    if (shape->need == NEEDS_NOTHING) return true;
    if (said) {
        step->socket = said->text;
        return must_know(parser, step, said, step->socket);
    }
    if (shape->need == NEEDS_LISTENER || shape->need == NEEDS_SOCKET) {
        step->socket = shape->need == NEEDS_LISTENER ? "listener" : "socket";
        return must_know(parser, step, verb, step->socket);
    }
    step->fresh = true;
    step->socket = step->name ? step->name : "socket";
    if (step->verb != SCENARIO_LISTEN) return true;
    step->socket = "socket";
    if (!step->name) step->name = "listener";
    return true;
}

/* What the step leaves its actor with, if all goes well. */
static void note_effect(struct scenario_parser *parser, const struct scenario_step *step)
{
    struct scenario_cast *cast = &parser->cast[step->actor];
    struct scenario_known *known;
    switch (step->verb) {
    case SCENARIO_BIND:
    case SCENARIO_SET:
        if (!find_known(cast, step->socket) && (step->name || !find_known(cast, "listener")))
            add_known(cast, step->socket)->idle = true;
        break;
    case SCENARIO_LISTEN:
        known = find_known(cast, "socket");
        if (known && known->idle) remove_known(cast, "socket");
        add_known(cast, step->name)->listens = true;
        break;
    case SCENARIO_CONNECT:
        add_known(cast, step->socket)->idle = false;
        break;
    case SCENARIO_ACCEPT:
    case SCENARIO_DUP:
        add_known(cast, step->name);
        break;
    case SCENARIO_CLOSE:
        remove_known(cast, step->socket);
        break;
    case SCENARIO_EXEC: /* which sockets stay is the kernel's to say */
        break;
    case SCENARIO_EXIT:
    case SCENARIO_KILL:
        cast->gone_line = step->line;
        break;
    default:
        break;
    }
}

/* ---- what stands behind the verbs ---- */

static bool parse_bind(struct scenario_parser *parser, struct scenario_step *step)
{
    return scenario_take_place(parser, true, &step->host, &step->address);
}

static bool parse_set(struct scenario_parser *parser, struct scenario_step *step)
{
    size_t count, index;
    int level, name;
    enum scenario_value value;
    int64_t unit_ns;
    const char *const *words = scenario_option_words(&count);
    if (!scenario_take_choice(parser, "socket option", words, count, &index)) return false;
    step->option = words[index];
    scenario_option(step->option, &level, &name, &value, &unit_ns);
    const struct scenario_word *word = scenario_peek(parser);
    if (value == SCENARIO_VALUE_LINGER && scenario_take_if(parser, "off")) {
        step->off = true;
        return true;
    }
    if (unit_ns && word && !word->quoted && scenario_duration(word->text, &step->duration_ns)) {
        step->number = step->duration_ns / unit_ns;
        if (step->number * unit_ns != step->duration_ns)
            return scenario_mistake(parser, word, "the kernel takes %s in whole %s", step->option,
                                    unit_ns == 1000000 ? "milliseconds" : "seconds");
        parser->at++;
        return true;
    }
    if (value == SCENARIO_VALUE_TIMEVAL) return scenario_take_duration(parser, "the timeout", &step->duration_ns);
    return scenario_take_number(parser, unit_ns ? "a value (or a duration)" : "the option's value", 0, INT32_MAX, &step->number);
}

static bool parse_listen(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    int64_t port = 0;
    step->number = 128;
    /* A bind has said where; or nobody does, and the kernel takes an ephemeral port. */
    if (!word || word->quoted || word->text[0] < '0' || word->text[0] > '9') return true;
    if (!scenario_take_number(parser, "the port to listen at", 1, 65535, &port)) return false;
    step->address.port = (uint16_t)port;
    return true;
}

static bool parse_connect(struct scenario_parser *parser, struct scenario_step *step)
{
    return scenario_take_place(parser, false, &step->host, &step->address);
}

static bool take_text(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || !word->quoted) return scenario_mistake(parser, word, "expected a text in double quotes here, such as \"hello\"");
    size_t length = strlen(word->text);
    if (length == 0 || length > SCENARIO_DATA_BYTES)
        return scenario_mistake(parser, word, "a text to send has 1 to %d bytes; for more: send N bytes", SCENARIO_DATA_BYTES);
    step->data = word->text;
    step->number = (int64_t)length;
    parser->at++;
    return true;
}

static bool parse_send(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (word && !word->quoted && word->text[0] >= '0' && word->text[0] <= '9')
        return scenario_take_number(parser, "how many bytes", 1, SCENARIO_SEND_BYTES, &step->number) &&
               scenario_require(parser, "bytes");
    if (!word || !word->quoted) return scenario_mistake(parser, word, "expected what to send: a \"text\", or N bytes");
    return take_text(parser, step);
}

static bool parse_recv(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    step->number = 65536;
    if (scenario_take_if(parser, "until")) {
        step->until_end = true;
        return scenario_require(parser, "end");
    }
    step->all = scenario_take_if(parser, "all");
    if (!step->all && !(word && !word->quoted && word->text[0] >= '0' && word->text[0] <= '9')) return true;
    return scenario_take_number(parser, "how many bytes", 1, SCENARIO_SEND_BYTES, &step->number) &&
           scenario_require(parser, "bytes");
}

static bool parse_shutdown(struct scenario_parser *parser, struct scenario_step *step)
{
    static const char *const ways[] = {"read", "write", "both"};
    size_t index;
    if (!scenario_take_choice(parser, "way to shut down", ways, 3, &index)) return false;
    step->number = (int64_t)index + 1;
    return true;
}

/* The name stands right behind the verb. */
static bool parse_close(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || strcmp(word->text, "uring") == 0 || strcmp(word->text, "on") == 0) return true;
    if (!scenario_take_name(parser, "the name of a socket", &step->socket)) return false;
    return must_know(parser, step, word, step->socket);
}

static bool parse_poll(struct scenario_parser *parser, struct scenario_step *step)
{
    static const char *const ways[] = {"read", "write"};
    size_t index;
    step->duration_ns = -1;
    if (!scenario_take_choice(parser, "thing to poll for", ways, 2, &index)) return false;
    step->number = (int64_t)index + 1;
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || strcmp(word->text, "on") == 0) return true;
    return scenario_take_duration(parser, "the timeout", &step->duration_ns);
}

static bool parse_replace(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!scenario_take_name(parser, "the name of a socket", &step->name) || !must_know(parser, step, word, step->name))
        return false;
    if (!scenario_require(parser, "with")) return false;
    word = scenario_peek(parser);
    return scenario_take_name(parser, "the name of a socket", &step->socket) && must_know(parser, step, word, step->socket);
}

/* With which a line may begin, besides an actor's name. */
static const char *const line_words[] = {"wire",  "router", "wait",  "kill",   "tell", "expect", "title",   "section",
                                         "place", "limit",  "needs", "repeat", "end",  "claim",  "because", "group"};
enum { LINE_WORDS = sizeof(line_words) / sizeof(line_words[0]) };

static bool parse_fork(struct scenario_parser *parser, struct scenario_step *step)
{
    if (!scenario_require(parser, "as")) return false;
    const struct scenario_word *word = scenario_peek(parser);
    if (!scenario_take_name(parser, "the new process's name", &step->name)) return false;
    for (size_t i = 0; i < LINE_WORDS; i++)
        if (strcmp(line_words[i], step->name) == 0)
            return scenario_mistake(parser, word, "'%s' is a word of the language", step->name);
    if (strlen(step->name) > 15) /* TASK_COMM_LEN */
        return scenario_mistake(parser, word, "a process's name has 15 characters at most");
    struct scenario *scenario = parser->scenario;
    if (scenario_find_actor(scenario, step->name) >= 0)
        return scenario_mistake(parser, word, "there is a '%s' already", step->name);
    if (scenario->actor_count == SCENARIO_ACTORS_MAX)
        return scenario_mistake(parser, word, "more than %d actors", SCENARIO_ACTORS_MAX);
    parser->cast[scenario->actor_count] = parser->cast[step->actor];
    scenario->actors[scenario->actor_count++] =
        (struct scenario_actor){step->name, scenario->actors[step->actor].host, step->actor};
    return true;
}

static bool parse_exit(struct scenario_parser *parser, struct scenario_step *step)
{
    if (!scenario_peek(parser)) return true;
    return scenario_take_number(parser, "the exit status", 0, 255, &step->number);
}

static bool parse_sysctl(struct scenario_parser *parser, struct scenario_step *step)
{
    const struct scenario_word *word = scenario_take(parser);
    if (!word || word->quoted || strncmp(word->text, "net.", 4) != 0 || strstr(word->text, "..") || strchr(word->text, '/'))
        return scenario_mistake(parser, word, "expected the name of a sysctl here, such as net.ipv4.tcp_syncookies");
    step->option = word->text;
    word = scenario_take(parser);
    if (!word || !word->text[0]) return scenario_mistake(parser, word, "expected the sysctl's value here (several in quotes)");
    step->value = word->text;
    return true;
}

static bool parse_destroy(struct scenario_parser *parser, struct scenario_step *step)
{
    parser->scenario->needs |= SCENARIO_NEEDS_DESTROY;
    return scenario_take_number(parser, "the port of the connections to destroy", 1, UINT16_MAX, &step->number);
}

/* ---- suffixes ---- */

static bool unknown_suffix(struct scenario_parser *parser, const struct scenario_step *step, const struct scenario_word *word)
{
    const char *words[SUFFIXES];
    char list[120] = "";
    size_t used = 0;
    for (size_t i = 0; i < SUFFIXES; i++) {
        words[i] = shapes[step->verb].may & suffixes[i].bit ? suffixes[i].word : NULL;
        if (words[i]) used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", words[i]);
    }
    const char *near = nearest_word(word->text, words, SUFFIXES);
    if (near && !word->quoted) return scenario_mistake(parser, word, "what is '%.60s'? Did you mean '%s'?", word->text, near);
    if (!list[0]) return scenario_finished(parser);
    return scenario_mistake(parser, word, "'%.60s' can't stand here; behind '%s' there may be %s", word->text,
                            shapes[step->verb].word, list);
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
        return take_text(parser, step);
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

static bool parse_suffixes(struct scenario_parser *parser, struct scenario_step *step, const struct scenario_word **ret_said)
{
    unsigned may = shapes[step->verb].may;
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

/* ---- whole lines ---- */

static void keep_port(uint16_t ports[8], uint16_t port)
{
    for (size_t i = 0; i < 8 && port; i++) {
        if (ports[i] == port) return;
        if (!ports[i]) {
            ports[i] = port;
            return;
        }
    }
}

static bool add_step(struct scenario_parser *parser, const struct scenario_step *step)
{
    struct scenario *scenario = parser->scenario;
    if (scenario->step_count == SCENARIO_STEPS_MAX)
        return scenario_mistake(parser, &parser->words[0], "more than %d steps", SCENARIO_STEPS_MAX);
    struct scenario_step *steps =
        scenario_grow(parser, scenario->steps, scenario->step_count, &parser->step_room, sizeof(scenario->steps[0]));
    if (!steps) return false;
    scenario->steps = steps;
    scenario->steps[scenario->step_count++] = *step;
    keep_port(scenario->ports, step->address.port);
    bool serves = step->verb == SCENARIO_LISTEN || (step->verb == SCENARIO_CONNECT && step->host == SCENARIO_HOST_SERVER) ||
                  (step->verb == SCENARIO_BIND && step->udp && parser->scenario->actors[step->actor].host == SCENARIO_SERVER);
    if (serves) keep_port(scenario->server_ports, step->address.port);
    return true;
}

static bool parse_actor_step(struct scenario_parser *parser, struct scenario_step *step)
{
    struct scenario_cast *cast = &parser->cast[step->actor];
    const struct scenario_word *actor = &parser->words[0], *said = NULL;
    size_t count, index;
    const char *const *words = scenario_verb_words(&count);
    if (cast->gone_line) return scenario_mistake(parser, actor, "%s is gone since line %" PRIu32, actor->text, cast->gone_line);
    if (!scenario_take_choice(parser, "verb", words, count, &index)) return false;
    step->verb = (enum scenario_verb)index;
    if (shapes[index].rest && !shapes[index].rest(parser, step)) return false;
    if (!parse_suffixes(parser, step, &said)) return false;
    if (step->verb == SCENARIO_DUP && !step->name) return scenario_mistake(parser, NULL, "expected 'as' and a name for the copy");
    if (step->verb == SCENARIO_ACCEPT && !step->name) step->name = "socket";
    if (!(step->verb == SCENARIO_CLOSE && step->socket) && !choose_socket(parser, step, said)) return false;
    if (step->runs_on && step->verb >= SCENARIO_FORK)
        return scenario_mistake(parser, &parser->words[1], "'%s' can't run on: it ends at once", shapes[index].word);
    note_effect(parser, step);
    return true;
}

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

static bool parse_wire(struct scenario_parser *parser, struct scenario_step *step)
{
    enum { DROP, DUPLICATE, HOLD, REORDER, DELAY, RELEASE, CUT, MEND, FORGET, INJECT, WIRE_WORDS };
    static const char *const words[WIRE_WORDS] = {"drop",    "duplicate", "hold", "reorder", "delay",
                                                  "release", "cut",       "mend", "forget",  "inject"};
    static const enum wire_action actions[] = {WIRE_DROP, WIRE_DUPLICATE, WIRE_HOLD, WIRE_REORDER};
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

static bool parse_kill(struct scenario_parser *parser, struct scenario_step *step)
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
    note_effect(parser, step);
    return true;
}

static bool parse_wait(struct scenario_parser *parser, struct scenario_step *step)
{
    step->verb = SCENARIO_WAIT;
    if (!scenario_take_if(parser, "for"))
        return scenario_take_duration(parser, "how long to wait (or 'for' and a segment)", &step->duration_ns);
    step->verb = SCENARIO_WAIT_FOR;
    return scenario_take_match(parser, false, 1, &step->match);
}

static bool unknown_actor(struct scenario_parser *parser, const struct scenario_word *word)
{
    const char *words[SCENARIO_ACTORS_MAX + LINE_WORDS];
    size_t count = LINE_WORDS;
    memcpy(words, line_words, sizeof(line_words));
    if (word->quoted) return scenario_mistake(parser, word, "a line begins with who acts: client, server, wire, router, wait …");
    for (size_t i = 0; i < parser->scenario->actor_count; i++) words[count++] = parser->scenario->actors[i].name;
    const char *near = nearest_word(word->text, words, count);
    if (near) return scenario_mistake(parser, word, "no line begins with '%.60s': did you mean '%s'?", word->text, near);
    return scenario_mistake(parser, word,
                            "there is no '%.60s' here; a line begins with client, server, wire, router, wait, kill, tell or expect",
                            word->text);
}

/* A step with a mistake might have made sockets: later steps should not be blamed for its absence. */
static void forgive(struct scenario_parser *parser, const struct scenario_step *step)
{
    struct scenario_cast *cast = &parser->cast[step->actor];
    size_t count;
    const char *const *words = scenario_verb_words(&count);
    size_t verb = SCENARIO_VERBS;
    for (size_t i = 0; i < count && parser->count > 1; i++)
        if (words[i] && strcmp(words[i], parser->words[1].text) == 0) verb = i;
    cast->botched[verb]++;
    add_known(cast, "socket");
    add_known(cast, "listener");
    for (size_t i = 2; i + 1 < parser->count; i++)
        if (strcmp(parser->words[i].text, "as") == 0) add_known(cast, parser->words[i + 1].text);
}

bool scenario_parse_step(struct scenario_parser *parser)
{
    struct scenario_step step = {.line = parser->line, .text = scenario_copy(parser, parser->line_text)};
    const struct scenario_word *last = &parser->words[parser->count - 1], *first;
    if (parser->count > 1 && !last->quoted && strcmp(last->text, "&") == 0) {
        step.runs_on = true;
        parser->count--;
    }
    first = scenario_take(parser);
    int actor = first->quoted ? -1 : scenario_find_actor(parser->scenario, first->text);
    bool good;
    if (actor >= 0) {
        step.actor = (uint8_t)actor;
        good = parse_actor_step(parser, &step);
        if (!good) forgive(parser, &step);
    } else if (!first->quoted && strcmp(first->text, "wire") == 0)
        good = parse_wire(parser, &step);
    else if (!first->quoted && strcmp(first->text, "router") == 0)
        good = scenario_parse_router(parser, &step);
    else if (!first->quoted && strcmp(first->text, "kill") == 0)
        good = parse_kill(parser, &step);
    else if (!first->quoted && strcmp(first->text, "wait") == 0)
        good = parse_wait(parser, &step);
    else
        return unknown_actor(parser, first);
    if (!good || !scenario_finished(parser)) return false;
    if (actor < 0 && step.runs_on) return scenario_mistake(parser, last, "only a step of an actor can run on");
    return add_step(parser, &step);
}
