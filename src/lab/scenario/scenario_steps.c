/* The steps of actors, of the wire and of the runner. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"
#include "lab/scenario/scenario_step.h"

static step_parser parse_bind, parse_set, parse_listen, parse_connect, parse_send, parse_recv, parse_shutdown, parse_close,
    parse_poll, parse_replace, parse_fork, parse_exit, parse_sysctl, parse_destroy;

const struct shape scenario_shapes[SCENARIO_VERBS] = {
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
    return verb < SCENARIO_VERBS ? scenario_shapes[verb].word : NULL;
}

const char *const *scenario_verb_words(size_t *ret_count)
{
    static const char *words[SCENARIO_VERBS];
    for (size_t i = 0; i < SCENARIO_VERBS; i++) words[i] = scenario_shapes[i].word;
    *ret_count = SCENARIO_VERBS;
    return words;
}

/* ---- sockets that are known at this point of the text ---- */

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
            return scenario_mistake(parser, word,
                                    unit_ns == 1000000 ? TR("the kernel takes %s in whole milliseconds")
                                                       : TR("the kernel takes %s in whole seconds"),
                                    step->option);
        parser->at++;
        return true;
    }
    if (value == SCENARIO_VALUE_TIMEVAL) return scenario_take_duration(parser, "the timeout", &step->duration_ns);
    return scenario_take_number(parser, unit_ns ? TR("a value (or a duration)") : TR("the option's value"), 0, INT32_MAX,
                                &step->number);
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

bool scenario_take_text(struct scenario_parser *parser, struct scenario_step *step)
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
    return scenario_take_text(parser, step);
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
    return scenario_must_know(parser, step, word, step->socket);
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
    if (!scenario_take_name(parser, "the name of a socket", &step->name) || !scenario_must_know(parser, step, word, step->name))
        return false;
    if (!scenario_require(parser, "with")) return false;
    word = scenario_peek(parser);
    return scenario_take_name(parser, "the name of a socket", &step->socket) &&
           scenario_must_know(parser, step, word, step->socket);
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

static bool scenario_add_step(struct scenario_parser *parser, const struct scenario_step *step)
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
    if (scenario_shapes[index].rest && !scenario_shapes[index].rest(parser, step)) return false;
    if (!scenario_parse_suffixes(parser, step, &said)) return false;
    if (step->verb == SCENARIO_DUP && !step->name) return scenario_mistake(parser, NULL, "expected 'as' and a name for the copy");
    if (step->verb == SCENARIO_ACCEPT && !step->name) step->name = "socket";
    if (!(step->verb == SCENARIO_CLOSE && step->socket) && !scenario_choose_socket(parser, step, said)) return false;
    if (step->runs_on && step->verb >= SCENARIO_FORK)
        return scenario_mistake(parser, &parser->words[1], "'%s' can't run on: it ends at once", scenario_shapes[index].word);
    scenario_note_effect(parser, step);
    return true;
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
    scenario_add_known(cast, "socket");
    scenario_add_known(cast, "listener");
    for (size_t i = 2; i + 1 < parser->count; i++)
        if (strcmp(parser->words[i].text, "as") == 0) scenario_add_known(cast, parser->words[i + 1].text);
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
        good = scenario_parse_wire(parser, &step);
    else if (!first->quoted && strcmp(first->text, "router") == 0)
        good = scenario_parse_router(parser, &step);
    else if (!first->quoted && strcmp(first->text, "kill") == 0)
        good = scenario_parse_kill(parser, &step);
    else if (!first->quoted && strcmp(first->text, "wait") == 0)
        good = scenario_parse_wait(parser, &step);
    else
        return unknown_actor(parser, first);
    if (!good || !scenario_finished(parser)) return false;
    if (actor < 0 && step.runs_on) return scenario_mistake(parser, last, "only a step of an actor can run on");
    return scenario_add_step(parser, &step);
}
