#include "base/clock.h"

#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_steady_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_asleep_ns(void)
{
    struct timespec now;
    int64_t least_ns = INT64_MAX;
    for (int i = 0; i < 3; i++) { /* between the two readings this process may have had to wait */
        int64_t steady_ns = clock_steady_ns();
        clock_gettime(CLOCK_BOOTTIME, &now);
        int64_t apart_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - steady_ns;
        if (apart_ns < least_ns) least_ns = apart_ns;
    }
    return least_ns;
}
