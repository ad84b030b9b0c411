/* The connections that pass the wire: what one has to know of an end to speak in its name. Pure: no I/O, no clock, no allocation.
 *
 * A connection begins with a SYN; the same addresses with another initial sequence number are another one (RFC 9293 section 3.4).
 * Of more than WIRE_TRACKED_MAX the oldest are forgotten. */
#ifndef TCPWHY_LAB_WIRE_WIRE_TRACK_H
#define TCPWHY_LAB_WIRE_WIRE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

enum { WIRE_TRACKED_MAX = 64, WIRE_HEADER_BYTES = 14 + 40 };

/* One end, as its own segments show it. */
struct wire_end {
    bool seen; /* it has sent something: else only its address is known */
    struct address address;
    uint32_t isn, next; /* `next`: one more than the highest number it has sent */
    uint16_t window;    /* as on the wire */
    uint8_t wscale;     /* that its windows are shifted by */
    bool has_timestamps;
    uint32_t ts_value, ts_echo;
    uint8_t header[WIRE_HEADER_BYTES]; /* Ethernet and IP, without options, of its last frame */
};

struct wire_connection {
    uint32_t number;        /* in the order of their SYNs, from 1; 0: none */
    bool scaled;            /* both have offered window scaling (RFC 7323 section 2.2) */
    struct wire_end end[2]; /* at the client's host, at the server's */
};

struct wire_track {
    struct wire_connection connections[WIRE_TRACKED_MAX]; /* number N is at (N - 1) % WIRE_TRACKED_MAX */
    uint32_t count;                                       /* ever */
};

/* Takes a TCP segment from the client's host (0) or the server's (1), with its Ethernet frame. */
void wire_track_take(struct wire_track *track, size_t side, const struct event_packet *packet, const uint8_t *frame,
                     uint32_t length);
/* The connection of this number (0: the one that was opened last); NULL: there is none (any more). */
const struct wire_connection *wire_track_find(const struct wire_track *track, uint32_t number);

#endif
