/* Internal to src/lab/scenario: what the files that read steps share. */
#ifndef TCPWHY_LAB_SCENARIO_SCENARIO_STEP_H
#define TCPWHY_LAB_SCENARIO_SCENARIO_STEP_H

#include "base/nearest.h"
#include "lab/scenario/scenario_parse.h"

/* Which socket a step works on when none is said. */
enum need { NEEDS_NOTHING, NEEDS_SOCKET, NEEDS_LISTENER, MAKES_SOCKET };

struct scenario_known *scenario_add_known(struct scenario_cast *cast, const char *name);
bool scenario_must_know(struct scenario_parser *parser, const struct scenario_step *step, const struct scenario_word *word,
                        const char *name);
/* The socket that a step means, or makes; `said` is the word behind `on` or close, NULL where nothing is said. */
bool scenario_choose_socket(struct scenario_parser *parser, struct scenario_step *step, const struct scenario_word *said);
/* What the step leaves its actor with, if all goes well. */
void scenario_note_effect(struct scenario_parser *parser, const struct scenario_step *step);

bool scenario_parse_wire(struct scenario_parser *parser, struct scenario_step *step);
bool scenario_parse_kill(struct scenario_parser *parser, struct scenario_step *step);
bool scenario_parse_wait(struct scenario_parser *parser, struct scenario_step *step);

typedef bool step_parser(struct scenario_parser *parser, struct scenario_step *step);

/* What may stand in a step of each verb. */
struct shape {
    const char *word;
    step_parser *rest; /* what stands between the verb and the suffixes; NULL: nothing */
    unsigned may;
    enum need need;
};
extern const struct shape scenario_shapes[SCENARIO_VERBS];

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

bool scenario_take_text(struct scenario_parser *parser, struct scenario_step *step);
bool scenario_parse_suffixes(struct scenario_parser *parser, struct scenario_step *step, const struct scenario_word **ret_said);

#endif
