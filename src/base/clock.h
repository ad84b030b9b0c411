/* The clocks: one for deadlines and for how long something took, one for when it happened. */
#ifndef TCPWHY_BASE_CLOCK_H
#define TCPWHY_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);
/* CLOCK_MONOTONIC in nanoseconds. */
int64_t clock_steady_ns(void);
/* CLOCK_REALTIME in nanoseconds, as events have it. */
int64_t clock_wall_ns(void);
/* How long the machine has slept since it was started, in nanoseconds: the steady clock stood still. */
int64_t clock_asleep_ns(void);

#endif
