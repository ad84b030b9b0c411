/* Arithmetic on 32-bit sequence numbers, modulo 2^32 (RFC 9293 section 3.4). */
#ifndef TCPWHY_TCP_SEQ_H
#define TCPWHY_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* How far `b` is ahead of `a`; negative when it is behind. */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a);
}
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return seq_diff(a, b) > 0;
}
static inline bool seq_at_or_before(uint32_t a, uint32_t b)
{
    return seq_diff(a, b) >= 0;
}

#endif
