#include "base/bytes.h"

struct bytes bytes_new(const void *data, size_t length)
{
    return (struct bytes){.at = data, .left = length};
}

const uint8_t *bytes_take(struct bytes *bytes, size_t length)
{
    if (bytes->failed || length > bytes->left) {
        bytes->failed = true;
        return NULL;
    }
    const uint8_t *at = bytes->at;
    bytes->at += length;
    bytes->left -= length;
    return at;
}

uint8_t bytes_u8(struct bytes *bytes)
{
    const uint8_t *b = bytes_take(bytes, 1);
    return b ? b[0] : 0;
}

uint16_t bytes_u16(struct bytes *bytes)
{
    const uint8_t *b = bytes_take(bytes, 2);
    return (uint16_t)(b ? b[0] << 8 | b[1] : 0);
}

uint32_t bytes_u32(struct bytes *bytes)
{
    const uint8_t *b = bytes_take(bytes, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

struct bytes bytes_slice(struct bytes *bytes, size_t length)
{
    size_t have = length;
    if (length > bytes->left) {
        have = bytes->left;
        bytes->failed = true;
    }
    struct bytes slice = {.at = bytes->at, .left = have};
    bytes->at += have;
    bytes->left -= have;
    return slice;
}
