/* Where the packets of captures were seen: each interface is a place of its own, so that a segment that passed through two of them
 * (a veth and a bridge, say) is told as one, and not as sent again.
 *
 * Where a file says which way a packet went, coming and going are two places: on loopback, one packet is seen both ways.
 *
 * In pcapng an interface is known by its name, else by its place in its section: the same in rotated files. In Linux cooked
 * captures (tcpdump -i any) it is the interface's index (version 2), or whether the packet came or went (version 1). */
#ifndef TCPWHY_READ_PLACES_H
#define TCPWHY_READ_PLACES_H

#include "capture/stored/savefile.h"
#include "event/event.h"

enum { PLACES_MAX = 63 }; /* all beyond are one */

struct places {
    struct place_key {
        uint64_t kind; /* enum in places.c */
        uint64_t index;
        enum savefile_way way;
        char name[EVENT_NAME_BYTES];
    } keys[PLACES_MAX];
    size_t count;
    struct place_last {                   /* what the last packet was like, and its place: most are like it */
        uint32_t interface, index, place; /* place 0: there was none */
        int link_type;
        enum savefile_way way;
    } last;
};

/* The place's number, from 1; a new one gets its name. */
uint32_t places_of(struct places *places, struct savefile *file, const struct savefile_packet *packet);
/* The same, where a look at the packet is enough to know that it is the last one's; else 0. */
static inline uint32_t places_same(const struct places *places, const struct savefile_packet *packet)
{
    const struct place_last *last = &places->last;
    bool same = last->index == UINT32_MAX && last->interface == packet->interface && last->link_type == packet->link_type &&
                last->way == SAVEFILE_WAY_UNKNOWN && !packet->options_bytes;
    return same ? last->place : 0;
}

#endif
