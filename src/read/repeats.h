/* A file that holds one capture twice (appended to itself, or named twice): its packets come again, each with the time
 * that it had. What is sent again has another. */
#ifndef TCPWHY_READ_REPEATS_H
#define TCPWHY_READ_REPEATS_H

#include <stddef.h>
#include <stdint.h>

#include "capture/stored/savefile.h"

enum { REPEATS_MAX = 1 << 18 }; /* packets remembered, 8 bytes each: of captures that are longer nothing is left out */

/* Zero it to begin; release with repeats_close. */
struct repeats {
    uint64_t *kept; /* what makes a packet this one, of the first `count` */
    size_t count, room;
    size_t at;         /* so many have come again in a row; 0: none */
    uint64_t first;    /* the first packet's bytes */
    int64_t latest_ns; /* the latest time so far */
    uint64_t left_out; /* packets that came again */
};

/* Of these packets those that are not there for the second time, in place, in their order. Returns how many are left. A first
 * packet that comes again, byte by byte and at its own time, after time had gone on for longer than a further sight of a packet
 * takes (conn/sights.c), begins a repetition; it goes on while each packet has the time and length of the next of the first ones.
 * Out of memory: fewer are remembered. */
size_t repeats_leave_out(struct repeats *repeats, struct savefile_packet *packets, size_t count);
void repeats_close(struct repeats *repeats);

#endif
