#include "support/captures.h"

#include <stdlib.h>

void put_u16(struct buf *buf, uint16_t value, bool big)
{
    const char bytes[2] = {(char)(big ? value >> 8 : value), (char)(big ? value : value >> 8)};
    if (buf_append(buf, bytes, sizeof(bytes))) abort();
}

void put_u32(struct buf *buf, uint32_t value, bool big)
{
    put_u16(buf, (uint16_t)(big ? value >> 16 : value), big);
    put_u16(buf, (uint16_t)(big ? value : value >> 16), big);
}

void put_fill(struct buf *buf, uint8_t value, size_t count)
{
    while (count--)
        if (buf_char(buf, (char)value)) abort();
}

void put_pcap(struct buf *buf, uint32_t magic, uint16_t major, uint16_t minor, uint32_t link_type, bool big)
{
    put_u32(buf, magic, big);
    put_u16(buf, major, big);
    put_u16(buf, minor, big);
    put_fill(buf, 0, 8);
    put_u32(buf, 262144, big);
    put_u32(buf, link_type, big);
}

void put_record(struct buf *buf, uint32_t s, uint32_t fraction, uint32_t captured, uint32_t wire, uint8_t fill, bool big)
{
    put_u32(buf, s, big);
    put_u32(buf, fraction, big);
    put_u32(buf, captured, big);
    put_u32(buf, wire, big);
    put_fill(buf, fill, captured);
}

void put_block(struct buf *buf, uint32_t type, const void *content, size_t length, bool big)
{
    put_u32(buf, type, big);
    put_u32(buf, (uint32_t)length + 12, big);
    if (length && buf_append(buf, content, length)) abort();
    put_u32(buf, (uint32_t)length + 12, big);
}

void put_section(struct buf *buf, bool big)
{
    struct buf content = buf_new(64);
    put_u32(&content, 0x1a2b3c4d, big);
    put_u16(&content, 1, big);
    put_u16(&content, 0, big);
    put_fill(&content, 0xff, 8);
    put_block(buf, 0x0a0d0d0a, content.data, content.length, big);
    buf_free(&content);
}

void put_interface(struct buf *buf, uint16_t link_type, uint32_t snap, const void *options, size_t length, bool big)
{
    struct buf content = buf_new(1 << 17);
    put_u16(&content, link_type, big);
    put_u16(&content, 0, big);
    put_u32(&content, snap, big);
    if (length && buf_append(&content, options, length)) abort();
    put_block(buf, 1, content.data, content.length, big);
    buf_free(&content);
}

void put_packet(struct buf *buf, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t wire, uint8_t fill, bool big)
{
    struct buf content = buf_new((size_t)captured + 64);
    put_u32(&content, interface, big);
    put_u32(&content, (uint32_t)(ticks >> 32), big);
    put_u32(&content, (uint32_t)ticks, big);
    put_u32(&content, captured, big);
    put_u32(&content, wire, big);
    put_fill(&content, fill, captured);
    put_fill(&content, 0, -(size_t)captured % 4);
    put_block(buf, 6, content.data, content.length, big);
    buf_free(&content);
}
