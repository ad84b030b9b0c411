/* A packet socket (packet(7), SOCK_DGRAM) that somebody with the right to it has opened, read through a ring in memory: no right is
 * needed for that. It sees all interfaces of the network in which it was opened, those too that come later; of what lo sees twice,
 * once. */
#ifndef TCPWHY_CAPTURE_RING_H
#define TCPWHY_CAPTURE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ring;

/* One packet, from its IP header on; `bytes` hold until the next is asked for. */
struct ring_packet {
    int64_t t_ns; /* CLOCK_REALTIME */
    const uint8_t *bytes;
    uint32_t captured_bytes, wire_bytes;
    int32_t interface; /* its index in that network */
    uint16_t hardware; /* ARPHRD_* */
};

enum { RING_EXCLUDED_MAX = 64 };
struct ring_options {
    const char *filter; /* pcap-filter(7) of what stands from the IP header on; "": everything */
    uint32_t snap_bytes, ring_bytes;
    const int *excluded; /* interfaces that it does not look at */
    size_t excluded_count;
};

/* Owns `fd`, in failure too. 0; -EINVAL for a filter that asks for a link layer; else -errno. */
int ring_open(struct ring **ret_ring, int fd, const struct ring_options *options, struct err *err);
/* To poll(2) for reading. */
int ring_fd(const struct ring *ring);
/* How many packets it has room for. */
size_t ring_frames(const struct ring *ring);
/* 1 and a packet, or 0: there is none now. */
int ring_next(struct ring *ring, struct ring_packet *ret_packet);
/* How many found no room. */
uint64_t ring_dropped(struct ring *ring);
/* NULL is fine. */
void ring_close(struct ring *ring);

#endif
