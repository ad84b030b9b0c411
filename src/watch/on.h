/* What the flight recorder writes a trace for: the words of --on. */
#ifndef TCPWHY_WATCH_ON_H
#define TCPWHY_WATCH_ON_H

#include <stdbool.h>

#include "watch/watch.h"

/* Whether what is called `name` (a finding's id, a trouble's name) is asked for; without any word all is but notes. */
bool on_is_asked_for(const struct watch_ring *ring, const char *name, bool note);

#endif
