#include "support/guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard guard_new(const void *bytes, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t area = (length / page + 1) * page;
    uint8_t *map = mmap(NULL, area + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + area, page, PROT_NONE) != 0) abort();
    struct guard guard = {.bytes = map + area - length, .length = length, .map = map, .map_bytes = area + page};
    if (bytes && length) memcpy(guard.bytes, bytes, length);
    return guard;
}

void guard_free(struct guard *guard)
{
    if (guard->map) munmap(guard->map, guard->map_bytes);
    *guard = (struct guard){0};
}
