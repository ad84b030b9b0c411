/* The system's clock while a watch runs: it may be set, and a machine that sleeps finds it further on. What is measured goes by a
 * clock that knows neither; times are shown by the system's. */
#ifndef TCPWHY_WATCH_WALL_H
#define TCPWHY_WATCH_WALL_H

#include <stdbool.h>
#include <stdint.h>

#include "viz/plan/words.h"

/* Of one moment, in nanoseconds. */
struct wall_clocks {
    int64_t wall_ns;   /* the system's clock (clock_wall_ns) */
    int64_t event_ns;  /* as events' times have it (session_now_ns) */
    int64_t asleep_ns; /* how long the machine has slept since it was started (clock_asleep_ns) */
};

/* Zero it to begin: `shift_ns` is what to add to an event's time to get the system's. */
struct wall {
    int64_t shift_ns, asleep_ns;
    bool looked; /* asleep_ns is set */
};

enum { WALL_TEXT_BYTES = WORDS_BYTES + 256 };

/* True: the clock has stepped by a tenth of a second or more since the last look, `shift_ns` follows it, and the sentence says so.
 * Less is the noise between two looks at clocks. */
bool wall_look(struct wall *wall, const struct wall_clocks *now, char text[WALL_TEXT_BYTES]);

#endif
