/* Bytes that end where memory ends: a read of one byte past them is a crash, whatever the allocator does.
 *
 * For tests of parsers. Aborts when there is no memory. */
#ifndef TCPWHY_SUPPORT_GUARD_H
#define TCPWHY_SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct guard {
    uint8_t *bytes; /* `length` of them, writable; a PROT_NONE page begins right behind */
    size_t length;
    void *map;
    size_t map_bytes;
};

/* A copy of `length` bytes in front of a guard page (zeroes where `bytes` is NULL). Release with guard_free. */
struct guard guard_new(const void *bytes, size_t length);
void guard_free(struct guard *guard);

#endif
