/* The words of a line, and the small values that words can be. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"

bool scenario_mistake(struct scenario_parser *parser, const struct scenario_word *word, const char *format, ...)
{
    struct scenario_mistakes *mistakes = parser->mistakes;
    mistakes->total++;
    if (mistakes->count == SCENARIO_MISTAKES_MAX) return false;
    struct scenario_mistake *mistake = &mistakes->list[mistakes->count++];
    mistake->line = parser->line;
    mistake->column = word ? word->column : parser->line_end;
    mistake->width = word && word->width ? word->width : 1;
    va_list args;
    va_start(args, format);
    int used = vsnprintf(mistake->text, sizeof(mistake->text), tr(format), args);
    va_end(args);
    if (parser->repeat.state != REPEAT_NONE && parser->repeat.round > 1 && used > 0 && used < (int)sizeof(mistake->text))
        snprintf(mistake->text + used, sizeof(mistake->text) - (size_t)used, tr(" (round %" PRIu32 ")"), parser->repeat.round);
    return false;
}

const struct scenario_word *scenario_peek(const struct scenario_parser *parser)
{
    return parser->at < parser->count ? &parser->words[parser->at] : NULL;
}

const struct scenario_word *scenario_take(struct scenario_parser *parser)
{
    return parser->at < parser->count ? &parser->words[parser->at++] : NULL;
}

bool scenario_take_if(struct scenario_parser *parser, const char *text)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || word->quoted || strcmp(word->text, text) != 0) return false;
    parser->at++;
    return true;
}

bool scenario_require(struct scenario_parser *parser, const char *text)
{
    if (scenario_take_if(parser, text)) return true;
    return scenario_mistake(parser, scenario_peek(parser), "expected '%s' here", text);
}

bool scenario_finished(struct scenario_parser *parser)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word) return true;
    return scenario_mistake(parser, word, "nothing more was expected here, but there is '%.60s'", word->text);
}

/* Digits only, and few enough of them. */
static bool parse_digits(const char *text, size_t length, int64_t *ret_number)
{
    int64_t number = 0;
    if (length == 0 || length > 12) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        number = number * 10 + (text[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool scenario_take_number(struct scenario_parser *parser, const char *what, int64_t low, int64_t high, int64_t *ret_number)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || word->quoted || !parse_digits(word->text, strlen(word->text), ret_number) || *ret_number < low ||
        *ret_number > high)
        return scenario_mistake(parser, word, "expected %s: a number from %" PRId64 " to %" PRId64, tr(what), low, high);
    parser->at++;
    return true;
}

bool scenario_duration(const char *text, int64_t *ret_ns)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}};
    size_t digits = strspn(text, "0123456789");
    int64_t number;
    if (!parse_digits(text, digits, &number)) return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text + digits, units[i].unit) == 0 && number <= INT64_C(3600000000000) / units[i].ns) {
            *ret_ns = number * units[i].ns;
            return true;
        }
    return false;
}

bool scenario_take_duration(struct scenario_parser *parser, const char *what, int64_t *ret_ns)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || word->quoted || !scenario_duration(word->text, ret_ns))
        return scenario_mistake(parser, word, "expected %s, such as 20ms, 2s or 1m (an hour at most)", tr(what));
    parser->at++;
    return true;
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return length > 0 && length < SCENARIO_NAME_BYTES && strspn(text, letters) > 0 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == length;
}

bool scenario_take_name(struct scenario_parser *parser, const char *what, const char **ret_name)
{
    const struct scenario_word *word = scenario_peek(parser);
    if (!word || word->quoted || !is_name(word->text))
        return scenario_mistake(parser, word, "expected %s here: a letter, then letters, digits, - and _, %d at most", tr(what),
                                SCENARIO_NAME_BYTES - 1);
    *ret_name = word->text;
    parser->at++;
    return true;
}

bool scenario_take_choice(struct scenario_parser *parser, const char *what, const char *const *choices, size_t count,
                          size_t *ret_index)
{
    const struct scenario_word *word = scenario_peek(parser);
    for (size_t i = 0; word && !word->quoted && i < count; i++)
        if (choices[i] && strcmp(choices[i], word->text) == 0) {
            *ret_index = i;
            parser->at++;
            return true;
        }
    const char *near = word ? nearest_word(word->text, choices, count) : NULL;
    if (near) return scenario_mistake(parser, word, "no %s '%.60s': did you mean '%s'?", tr(what), word->text, near);
    char list[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof(list); i++)
        if (choices[i]) used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", choices[i]);
    if (strchr("aeiou", what[0])) return scenario_mistake(parser, word, "expected an %s: %s", tr(what), list);
    return scenario_mistake(parser, word, "expected a %s: %s", tr(what), list);
}

bool scenario_take_side(struct scenario_parser *parser, enum scenario_side *ret_side)
{
    static const char *const sides[] = {"client", "server"};
    size_t index = 0;
    if (!scenario_take_choice(parser, "side", sides, 2, &index)) return false;
    *ret_side = (enum scenario_side)index;
    return true;
}

bool scenario_take_match(struct scenario_parser *parser, bool every, uint32_t nth_default, struct scenario_match *ret_match)
{
    const char *kinds[WIRE_MATCHES];
    size_t kind = 0;
    int64_t nth = nth_default;
    for (int i = 0; i < WIRE_MATCHES; i++) kinds[i] = wire_match_name((enum wire_match)i);
    *ret_match = (struct scenario_match){.every = every && scenario_take_if(parser, "every")};
    if (!scenario_take_choice(parser, "kind of segment", kinds, WIRE_MATCHES, &kind)) return false;
    ret_match->segment = (enum wire_match)kind;
    const struct scenario_word *word = scenario_peek(parser);
    if (word && !word->quoted && strcmp(word->text, "from") != 0) {
        if (ret_match->every) return scenario_require(parser, "from");
        if (!scenario_take_number(parser, "'from', or which of them", 1, 1000000, &nth)) return false;
    }
    ret_match->nth = (uint32_t)nth;
    return scenario_require(parser, "from") && scenario_take_side(parser, &ret_match->from);
}

/* The port behind the last colon; *ret_host_length is what stands before it. */
static bool split_port(const char *text, bool port_alone, size_t *ret_host_length, uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon && !port_alone) return false;
    const char *digits = colon ? colon + 1 : text;
    *ret_host_length = colon ? (size_t)(colon - text) : 0;
    if ((colon && *ret_host_length == 0) || !parse_digits(digits, strlen(digits), &port) || port < 1 || port > 65535) return false;
    *ret_port = (uint16_t)port;
    return true;
}

static const char *near_host(const char *text, size_t length)
{
    static const char *const hosts[] = {"client", "server"};
    char name[16] = "";
    if (length >= sizeof(name)) return NULL;
    memcpy(name, text, length);
    return nearest_word(name, hosts, 2);
}

bool scenario_take_place(struct scenario_parser *parser, bool port_alone, enum scenario_host *ret_host, struct address *ret_address)
{
    const struct scenario_word *word = scenario_peek(parser);
    size_t length = 0;
    uint16_t port = 0;
    const char *example = port_alone ? TR("a port from 1 to 65535, or HOST:PORT such as client:40000")
                                     : TR("HOST:PORT with a port from 1 to 65535, such as server:3333, 192.0.2.2:3333 or "
                                          "[2001:db8::2]:3333");
    if (!word || word->quoted || !split_port(word->text, port_alone, &length, &port))
        return scenario_mistake(parser, word, "expected %s", tr(example));
    *ret_address = (struct address){.port = port};
    if (length == 0)
        *ret_host = SCENARIO_HOST_ANY;
    else if (length == 6 && strncmp(word->text, "client", 6) == 0)
        *ret_host = SCENARIO_HOST_CLIENT;
    else if (length == 6 && strncmp(word->text, "server", 6) == 0)
        *ret_host = SCENARIO_HOST_SERVER;
    else if (length == 6 && strncmp(word->text, "router", 6) == 0)
        *ret_host = SCENARIO_HOST_ROUTER;
    else if (address_parse(word->text, ret_address) && ret_address->port == port)
        *ret_host = SCENARIO_HOST_LITERAL;
    else if (near_host(word->text, length))
        return scenario_mistake(parser, word, "no host '%.*s': did you mean '%s'?", (int)length, word->text,
                                near_host(word->text, length));
    else
        return scenario_mistake(parser, word, "'%.*s' is neither client, server, router nor an IP address: expected %s",
                                (int)(length < 60 ? length : 60), word->text, tr(example));
    parser->at++;
    return true;
}

int scenario_find_actor(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->actor_count; i++)
        if (strcmp(scenario->actors[i].name, name) == 0) return (int)i;
    return -1;
}

const char *scenario_copy(struct scenario_parser *parser, const char *text)
{
    const char *copy = arena_text(&parser->scenario->arena, text);
    if (!copy) parser->failed = true;
    return copy;
}

void *scenario_grow(struct scenario_parser *parser, void *array, size_t used, size_t *room, size_t size)
{
    if (used < *room) return array;
    size_t more = *room ? *room * 2 : 16;
    void *larger = arena_alloc(&parser->scenario->arena, more * size);
    if (!larger) {
        parser->failed = true;
        return NULL;
    }
    if (used) memcpy(larger, array, used * size);
    *room = more;
    return larger;
}
