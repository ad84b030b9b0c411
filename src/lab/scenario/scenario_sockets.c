/* The sockets that are known at a point of the text, and which of them a step works on. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"
#include "lab/scenario/scenario_step.h"

static struct scenario_known *find_known(const struct scenario_cast *cast, const char *name)
{
    for (size_t i = 0; i < cast->count; i++)
        if (strcmp(cast->sockets[i].name, name) == 0) return (struct scenario_known *)(uintptr_t)&cast->sockets[i];
    return NULL;
}

struct scenario_known *scenario_add_known(struct scenario_cast *cast, const char *name)
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

bool scenario_must_know(struct scenario_parser *parser, const struct scenario_step *step, const struct scenario_word *word,
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
bool scenario_choose_socket(struct scenario_parser *parser, struct scenario_step *step, const struct scenario_word *said)
{
    const struct shape *shape = &scenario_shapes[step->verb];
    const struct scenario_word *verb = &parser->words[1];
    if (shape->need == NEEDS_NOTHING) return true;
    if (said) {
        step->socket = said->text;
        return scenario_must_know(parser, step, said, step->socket);
    }
    if (shape->need == NEEDS_LISTENER || shape->need == NEEDS_SOCKET) {
        step->socket = shape->need == NEEDS_LISTENER ? "listener" : "socket";
        return scenario_must_know(parser, step, verb, step->socket);
    }
    step->fresh = true;
    step->socket = step->name ? step->name : "socket";
    if (step->verb != SCENARIO_LISTEN) return true;
    step->socket = "socket";
    if (!step->name) step->name = "listener";
    return true;
}

/* What the step leaves its actor with, if all goes well. */
void scenario_note_effect(struct scenario_parser *parser, const struct scenario_step *step)
{
    struct scenario_cast *cast = &parser->cast[step->actor];
    struct scenario_known *known;
    switch (step->verb) {
    case SCENARIO_BIND:
    case SCENARIO_SET:
        if (!find_known(cast, step->socket) && (step->name || !find_known(cast, "listener")))
            scenario_add_known(cast, step->socket)->idle = true;
        break;
    case SCENARIO_LISTEN:
        known = find_known(cast, "socket");
        if (known && known->idle) remove_known(cast, "socket");
        scenario_add_known(cast, step->name)->listens = true;
        break;
    case SCENARIO_CONNECT:
        scenario_add_known(cast, step->socket)->idle = false;
        break;
    case SCENARIO_ACCEPT:
    case SCENARIO_DUP:
        scenario_add_known(cast, step->name);
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
