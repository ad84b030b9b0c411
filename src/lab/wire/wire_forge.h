/* A segment in somebody's name: made on the wire, and told by nothing from one that its sender's TCP has made. Pure. */
#ifndef TCPWHY_LAB_WIRE_WIRE_FORGE_H
#define TCPWHY_LAB_WIRE_WIRE_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/wire/wire_rules.h"
#include "lab/wire/wire_track.h"

enum { WIRE_PAYLOAD_MAX = 1400, WIRE_FORGED_MAX = WIRE_HEADER_BYTES + 20 + 12 + WIRE_PAYLOAD_MAX };

/* A sequence number: so far from its end's initial one, or from the next that this end would send. */
struct wire_number {
    bool said; /* false: just the next one */
    bool from_next;
    int64_t offset;
};

struct wire_forgery {
    enum wire_from from;         /* in whose name; the other host gets it */
    uint32_t connection;         /* 0: the one that was opened last */
    uint8_t flags;               /* TCP_* */
    struct wire_number seq, ack; /* `ack` of the other end's numbers; it counts with TCP_ACK alone */
    bool has_window;
    uint32_t window; /* in bytes: it is scaled down as the connection's windows are */
    uint16_t length_bytes;
    uint8_t data[WIRE_PAYLOAD_MAX];
};

/* Whether it makes sense at all: a direction, a length in its range. */
bool wire_forgery_is_sound(const struct wire_forgery *forgery);
/* Writes the Ethernet frame, with the addresses, hop limit, window scale and timestamps that the end's own segments have, and right
 * checksums. The number of bytes; -ENOENT: there is no such connection (yet). */
int64_t wire_forge(const struct wire_track *track, const struct wire_forgery *forgery, uint8_t ret_frame[WIRE_FORGED_MAX]);

#endif
