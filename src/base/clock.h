/* The clock for deadlines and for how long something took. */
#ifndef TCPWHY_BASE_CLOCK_H
#define TCPWHY_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);

#endif
