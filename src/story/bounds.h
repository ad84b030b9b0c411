/* How much a teller keeps: a run that was stored is finite, one that is watched has no end. */
#ifndef TCPWHY_STORY_BOUNDS_H
#define TCPWHY_STORY_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a teller keeps of connections that are over, or seem to be. */
struct teller_bounds {
    /* A closed connection is told when nothing came for so long; at the latest when TIME_WAIT's minute is over. What comes in the
     * rest of that minute is told as a sequel of the same number. */
    int64_t quiet_ns;
    size_t closed_max; /* so many closed ones wait for that; of more the oldest is told */
    size_t open_max;   /* so many are open; of more the one that was silent longest is told as it is, and that is counted. 0: any */
    /* A connection of more packets keeps its first quarter of so many and its last half; between them what is plain is folded, and
     * that is said. The same of its sockets' calls. 1,024 at least: joins go back by 512. 0: all are kept. */
    size_t packets_max;
    bool ends_idle; /* what was silent for a long time is told as it is: 131 s an attempt, 180 s UDP, 2 h 4 min (RFC 5382) else */
};
/* Of a run that was stored: it is finite, and all its connections are told whole. */
extern const struct teller_bounds teller_stored;
/* Of a run without end. */
extern const struct teller_bounds teller_live;

#endif
