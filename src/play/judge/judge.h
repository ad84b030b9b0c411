/* What a scenario expects, held against the stories of its play. */
#ifndef TCPWHY_PLAY_JUDGE_JUDGE_H
#define TCPWHY_PLAY_JUDGE_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lab/scenario/scenario.h"
#include "play/stage/play.h"
#include "story/story.h"

enum judge_verdict {
    JUDGE_MET,
    JUDGE_UNMET,
    JUDGE_UNKNOWN /* this recorder's evidence is too weak to tell, and the story says so */
};

enum { JUDGE_PROOFS = 8 };

struct judge_finding {
    enum judge_verdict verdict;
    uint32_t line;                 /* of the scenario */
    size_t story;                  /* MET: whose steps prove it, an index into the stories */
    uint32_t proofs[JUDGE_PROOFS]; /* these, the first few; what is proved by absence has none */
    size_t proof_count;
    char text[400]; /* UNMET, UNKNOWN: a sentence; it holds text from outside */
};

struct judgement {
    struct judge_finding *list; /* one for each expectation, then one for each step that failed although nothing expected
                                 * it, and for each rule of the wire that never acted */
    size_t count;
    size_t met, unmet, unknown;
};

/* 0 or -ENOMEM. Release with judgement_free. */
int judge(const struct scenario *scenario, const struct play *play, const struct play_stories *stories,
          struct judgement *ret_judgement, struct err *err);
void judgement_free(struct judgement *judgement);
/* Which end of the story is this host's. */
enum story_side judge_side(const struct scenario *scenario, const struct story *story, enum scenario_side host);
/* The RFC's states that an end passed, with blanks between them; "" none. Returns `text`. */
const char *judge_states(const struct story *story, enum story_side side, char *text, size_t text_bytes);

#endif
