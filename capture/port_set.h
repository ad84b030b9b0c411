/* A set of port numbers, a bit each. Zero it to begin: empty. */
#ifndef TCPWHY_CAPTURE_PORT_SET_H
#define TCPWHY_CAPTURE_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

enum { PORT_SET_WORDS = 65536 / 64 };
struct port_set {
    uint64_t bits[PORT_SET_WORDS];
};

static inline void port_set_add(struct port_set *set, uint16_t port)
{
    set->bits[port / 64] |= UINT64_C(1) << port % 64;
}

static inline bool port_set_has(const struct port_set *set, uint16_t port)
{
    return set->bits[port / 64] >> port % 64 & 1;
}

/* Adds all of the other. */
static inline void port_set_join(struct port_set *set, const struct port_set *other)
{
    for (int i = 0; i < PORT_SET_WORDS; i++) set->bits[i] |= other->bits[i];
}

#endif
