/* What is said around a ladder: who talked, how it went and ended, what is to be looked at; and of the whole run. A phrase each,
 * with the key it is looked up by: pens give them a place. */
#ifndef TCPWHY_VIZ_FACTS_H
#define TCPWHY_VIZ_FACTS_H

#include "story/story.h"
#include "viz/plan/phrase.h"

struct fact {
    enum layout_style style; /* of the key */
    const char *key;         /* "handshake", "! warning"; "" none. Static storage */
    struct phrase words;
};

struct facts {
    struct fact *list;
    size_t count, capacity;
    bool failed;        /* out of memory: something is missing */
    struct phrase text; /* of the fact in the making */
};

/* How the stories of a run ended, counted as they pass. */
struct facts_totals {
    uint64_t stories, udp, findings;
    uint64_t outcomes[OUTCOMES];
};

void facts_count(struct facts_totals *totals, const struct story *story);

/* All memory is the arena's. */
struct facts facts_new(struct arena *arena);
/* What was said so far (facts->text) becomes a fact; nothing said, no fact. */
void facts_put(struct facts *facts, enum layout_style style, const char *key);
/* How a word for an outcome looks. */
enum layout_style facts_outcome_style(enum story_outcome outcome);
/* Each appends. "conn 3: closed"; "127.0.0.1:40112 echo-client[812]". */
void facts_headline(const struct story *story, struct phrase *text);
void facts_end(const struct story *story, enum story_side side, struct phrase *text);
/* The story's summary and findings; with `in_detail` also where Linux is not the RFC. */
void facts_story(const struct story *story, bool in_detail, struct facts *facts);
/* Totals, who recorded, and what was lost. */
void facts_run(const struct facts_totals *totals, const struct story_trace *trace, struct facts *facts);
/* The latter alone. */
void facts_losses(const struct story_trace *trace, struct facts *facts);

#endif
