/* Moments: nanoseconds since 1970, as far from it as lets the difference of any two fit 64 bits, with half an hour to spare. Files
 * hold any times: what reads them brings them into these bounds, so that nobody behind it has to think of overflow. */
#ifndef TCPWHY_BASE_MOMENT_H
#define TCPWHY_BASE_MOMENT_H

#include <stdint.h>

/* The year 2116; 32 bits of seconds end in 2106. */
#define MOMENT_MOST_NS ((INT64_C(1) << 62) - (INT64_C(1) << 40))

/* As near as that allows. */
static inline int64_t moment_clamp(int64_t ns)
{
    return ns < -MOMENT_MOST_NS ? -MOMENT_MOST_NS : ns > MOMENT_MOST_NS ? MOMENT_MOST_NS : ns;
}

/* From the earlier of both to the later. */
static inline int64_t moment_apart(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
}

#endif
