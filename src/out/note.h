/* Notes to the person at the terminal: what they should know besides the result. Failures go through `err`. */
#ifndef TCPWHY_OUT_NOTE_H
#define TCPWHY_OUT_NOTE_H

#include <stdbool.h>

/* One line to standard error, with control characters disarmed; nothing when `quiet`. */
void note_say(bool quiet, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
