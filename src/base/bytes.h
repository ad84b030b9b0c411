/* A bounded reader over bytes from outside: it can't read past the end.
 *
 * It borrows the bytes. A read past the end returns zeroes, sets `failed` and keeps it set: a decoder can read on and ask
 * once. Multi-byte reads are network byte order unless they say otherwise. */
#ifndef TCPWHY_BASE_BYTES_H
#define TCPWHY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *at;
    size_t left;
    bool failed;
};

struct bytes bytes_new(const void *data, size_t length);
uint8_t bytes_u8(struct bytes *bytes);
uint16_t bytes_u16(struct bytes *bytes);
uint32_t bytes_u32(struct bytes *bytes);
/* Moves on by `length` and returns where it was; NULL (and `failed`) when fewer are left. */
const uint8_t *bytes_take(struct bytes *bytes, size_t length);
/* A reader over the next `length` bytes alone (fewer when fewer are left: then `failed` is set here, not there). */
struct bytes bytes_slice(struct bytes *bytes, size_t length);

#endif
