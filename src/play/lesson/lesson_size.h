/* How large a lesson is where a class sees it. Pure: a log in, two numbers out. */
#ifndef TCPWHY_PLAY_LESSON_LESSON_SIZE_H
#define TCPWHY_PLAY_LESSON_LESSON_SIZE_H

#include <stdint.h>

#include "play/stage/play.h"

struct lesson_size {
    uint32_t rows, columns;
};

/* The lesson (lesson.h) of a scenario's play whose log this is, on a screen of 80 columns and LESSON_SCREEN_ROWS rows, in the
 * languages that need the most of each. The log is told anew in each language, for a story's sentences are in the one in which it
 * was told. {0, 0}: in one of them it can't be drawn. Sorts the log. */
struct lesson_size lesson_size(const char *name, const struct scenario *scenario, struct event_log *log);

#endif
