/* A lesson at a terminal, row by row: Enter or → goes on, ← back, q ends.
 *
 * The terminal is as it was before when it returns, signals included. */
#ifndef TCPWHY_PLAY_LESSON_STEPPER_H
#define TCPWHY_PLAY_LESSON_STEPPER_H

#include <stdbool.h>

#include "base/err.h"
#include "play/lesson/lesson.h"

/* Whether both standard input and output are a terminal that can be drawn on (not TERM=dumb). */
bool stepper_is_possible(void);
/* Steps through it, and leaves what was shown last on the screen. 0; -EINTR with *ret_signal, which came meanwhile; else -errno
 * with a sentence. */
int stepper_run(const struct lesson *lesson, int *ret_signal, struct err *err);

#endif
