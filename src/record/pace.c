#include "record/pace.h"

#include <unistd.h>

#include "event/event.h"

size_t pace_waiting_most(void)
{
    enum { MOST_BYTES = 1 << 29, SHARE = 8 };
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    size_t share = pages > 0 && page_bytes > 0 ? (size_t)pages / SHARE * (size_t)page_bytes : MOST_BYTES;
    return (share < MOST_BYTES ? share : MOST_BYTES) / sizeof(struct event);
}

size_t pace_portion(int total)
{
    enum { LEAST = 16384 };
    size_t twice = total > 0 ? (size_t)total * 2 : 0;
    return twice > LEAST ? twice : LEAST;
}
