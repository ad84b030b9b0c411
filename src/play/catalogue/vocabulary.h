/* What a scenario's expectations may name: the findings that src/story has, and the calls that a recorder tells of. */
#ifndef TCPWHY_PLAY_CATALOGUE_VOCABULARY_H
#define TCPWHY_PLAY_CATALOGUE_VOCABULARY_H

#include "lab/scenario/scenario.h"

/* Made at the first call; not for several threads at once. */
const struct scenario_vocabulary *play_vocabulary(void);

#endif
