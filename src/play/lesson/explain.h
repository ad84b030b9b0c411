/* --explain: a play told as a teacher would, sentence by sentence, each with the section of the RFC that it belongs to. */
#ifndef TCPWHY_PLAY_LESSON_EXPLAIN_H
#define TCPWHY_PLAY_LESSON_EXPLAIN_H

#include <stdbool.h>

#include "base/err.h"
#include "play/stage/play.h"

struct explain_options {
    bool ascii, color;
    bool step; /* waits for Enter (a line of standard input) after each step of the scenario */
    int width; /* columns */
};

/* Writes to standard output. 0, -EPIPE when its reader has gone, or -errno. */
int explain_play(const struct scenario *scenario, const struct play *play, const struct play_stories *stories,
                 const struct explain_options *options, struct err *err);

#endif
