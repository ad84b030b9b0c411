/* Numbers in network byte order, and the Internet checksum (RFC 1071), for frames that are made or changed. Bounds are the
 * caller's. */
#ifndef TCPWHY_LAB_WIRE_WIRE_BYTES_H
#define TCPWHY_LAB_WIRE_WIRE_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* The sum so far and that of these bytes, of which there may be an odd number only at the end of all. */
static inline uint32_t checksum_add(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2) sum += get16(bytes + i);
    return length & 1 ? sum + ((uint32_t)bytes[length - 1] << 8) : sum;
}

/* The checksum of what was summed up. */
static inline unsigned checksum_of(uint32_t sum)
{
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

#endif
