/* A lesson on one screen: title, question and section, the ladder in few words, what its signs mean. Pure: stories in, text out. */
#ifndef TCPWHY_PLAY_LESSON_LESSON_H
#define TCPWHY_PLAY_LESSON_LESSON_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "play/stage/play.h"
#include "viz/view.h"

/* What a screen of a class takes: a terminal of 24 lines with its command and its prompt. */
enum { LESSON_SCREEN_ROWS = 22 };

struct lesson {
    const char *name; /* as the command has it */
    const struct scenario *scenario;
    const struct play_stories *stories;
    struct view_options look; /* width, colours and character set count */
    size_t rows;              /* of the screen */
};

/* The first question that its author asks aloud; NULL: none. */
const char *lesson_question(const struct scenario *scenario);
/* How many rows its ladder grows by, at least 1. 0 or -errno with a sentence. */
int lesson_count(const struct lesson *lesson, size_t *ret_count, struct err *err);
/* Appends it: with the ladder's first `shown` rows, 0 for all; at most lesson->rows lines where that can be done. Of several
 * connections it is the one with most to be found, and says so. 0 or -errno with a sentence. */
int lesson_draw(const struct lesson *lesson, size_t shown, struct buf *out, struct err *err);

#endif
