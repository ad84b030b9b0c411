#include "story/story.h"
#include "base/lang.h"

#include "base/arena.h"
#include "story/own.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
    return value < count ? names[value] : "?";
}
#define NAME(names, value) name_of(names, sizeof(names) / sizeof(names[0]), (unsigned)(value))

const char *story_evidence_name(enum story_evidence evidence)
{
    static const char *const names[] = {"none", TR("rule"), TR("interval"), TR("context"), TR("stack")};
    return NAME(names, evidence);
}

const char *story_cause_name(enum story_cause_kind kind)
{
    static const char *const names[] = {"unknown", "call", "segment", "timer", "exit", "kernel"};
    return NAME(names, kind);
}

const char *story_outcome_name(enum story_outcome outcome)
{
    static const char *const names[] = {TR("open"), TR("closed"), TR("reset"), TR("refused"), TR("timed-out"), TR("half-open")};
    return NAME(names, outcome);
}

const char *story_wake_name(enum story_wake_kind kind)
{
    static const char *const names[] = {"unknown", "never-slept", "segment", "timer", "signal", "call", "not-yet"};
    return NAME(names, kind);
}

const char *story_repeat_name(enum story_repeat repeat)
{
    static const char *const names[] = {NULL,       "unknown", "rto",     "loss-probe", "fast",
                                        "recovery", "syn",     "syn-ack", "path-mtu",   "fast-open"};
    return NAME(names, repeat);
}

const char *story_kind_name(enum story_kind kind)
{
    static const char *const names[] = {"SYN", "SYN-ACK", "ACK", TR("data"), "FIN", "RST"};
    return NAME(names, kind);
}

const char *story_side_name(enum story_side side)
{
    static const char *const names[] = {"client", "server"};
    return NAME(names, side);
}

const char *story_outcome_word(enum story_outcome outcome)
{
    return tr(story_outcome_name(outcome));
}

const char *story_side_word(enum story_side side)
{
    static const char *const words[] = {TR("client"), TR("server")};
    return tr(NAME(words, side));
}

const char *story_label_word(const struct story_segment *segment)
{
    return tr(segment->label);
}

static bool is_one_of(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(id, ids[i]) == 0) return true;
    return false;
}

bool story_finding_needs_kernel(const char *id)
{
    /* On the wire a cookie is a sequence number like any other, and a full queue or a rule that drops is silence like any other. */
    static const char *const ids[] = {"ack-dropped-full-queue", "backlog-clipped",   "destroyed-from-outside", "firewall-dropped",
                                      "kernel-dropped",         "listens-elsewhere", "refused-by-firewall",    "reset-by-firewall",
                                      "reset-full-queue",       "syn-cookies",       "syn-dropped-full-queue"};
    return is_one_of(id, ids, sizeof(ids) / sizeof(ids[0]));
}

bool story_finding_yields_to_kernel(const char *id)
{
    static const char *const ids[] = {"refused", "syn-unanswered", "time-wait-assassination"};
    return is_one_of(id, ids, sizeof(ids) / sizeof(ids[0]));
}

const struct story *story_in_english(const struct story *story)
{
    return story->english ? story->english : story;
}

void story_free(struct story *story)
{
    if (!story) return;
    struct story_own *own = (struct story_own *)story; /* the story is its first member */
    story_free((struct story *)story->english);
    arena_free(&own->arena);
    free(own);
}

static const struct {
    const char *name, *words;
} spent_names[SPENTS] = {
    [SPENT_LOOKUP] = {"name-lookup", TR("the name lookup")},
    [SPENT_FULL_QUEUE] = {"full-queue", TR("a full accept queue")},
    [SPENT_SYN_AGAIN] = {"syn-again", TR("the SYN or its answer sent again")},
    [SPENT_RETRANSMISSION] = {"retransmission", "retransmission"},
    [SPENT_READER] = {"reader", TR("the reader's closed window")},
    [SPENT_DELAYED_ACK] = {"delayed-ack", TR("a delayed ACK")},
    [SPENT_NAGLE] = {"nagle", TR("Nagle's algorithm")},
    [SPENT_ACCEPT] = {"accept", TR("waiting for accept()")},
    [SPENT_UNREAD] = {"unread", TR("lying unread")},
    [SPENT_RUN_QUEUE] = {"run-queue", TR("ready, and not yet run")},
    [SPENT_CLOSE] = {"close", TR("waiting for close()")},
    [SPENT_SERVER] = {"server", TR("the server's process")},
    [SPENT_CLIENT] = {"client", TR("the client's process")},
    [SPENT_NETWORK] = {"network", TR("the network")},
    [SPENT_ANSWER] = {"answer", TR("the answer (server and network)")},
    [SPENT_IDLE] = {"idle", TR("nothing was asked")},
    [SPENT_UNKNOWN] = {"unknown", TR("not known")},
};

const char *story_spent_name(enum story_spent spent)
{
    return (unsigned)spent < SPENTS ? spent_names[spent].name : "?";
}

const char *story_spent_words(enum story_spent spent)
{
    return (unsigned)spent < SPENTS ? tr(spent_names[spent].words) : "?";
}
