#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

void pages_ask(void *at, size_t bytes)
{
    uintptr_t from = ((uintptr_t)at + PAGES_LARGE - 1) / PAGES_LARGE * PAGES_LARGE;
    uintptr_t to = ((uintptr_t)at + bytes) / PAGES_LARGE * PAGES_LARGE;
    if (from < to) madvise((char *)at + (from - (uintptr_t)at), to - from, MADV_HUGEPAGE);
}

void *pages_take(void)
{
    void *page = aligned_alloc(PAGES_LARGE, PAGES_LARGE);
    if (page) pages_ask(page, PAGES_LARGE);
    return page;
}
