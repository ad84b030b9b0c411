/* What the flight recorder writes a trace for: the words of --on. */
#ifndef TCPWHY_WATCH_ON_H
#define TCPWHY_WATCH_ON_H

#include <stdbool.h>

#include "watch/watch.h"

enum { ON_NAMES_BYTES = 56 };

/* Whether what is called `name` (a finding's id, a trouble's name) is asked for; without any word all is but notes. */
bool on_is_asked_for(const struct watch_ring *ring, const char *name, bool note);
/* The story's findings that are asked for, each once, with "+" between them, as far as there is room. False: none is. */
bool on_names(const struct watch_ring *ring, const struct story *story, char ret_names[ON_NAMES_BYTES]);

#endif
