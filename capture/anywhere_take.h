/* What becomes of a network's packets, wherever they were read: which interface is which vantage, what was left out. */
#ifndef TCPWHY_CAPTURE_ANYWHERE_TAKE_H
#define TCPWHY_CAPTURE_ANYWHERE_TAKE_H

#include "capture/anywhere.h"

enum { ANYWHERE_INTERFACES_MAX = 64 };

struct anywhere_interface {
    int index;
    uint32_t vantage;
    uint64_t packets;
};

/* Begins with its options and nothing else. */
struct anywhere_taken {
    struct anywhere_options options;
    struct anywhere_interface interfaces[ANYWHERE_INTERFACES_MAX];
    size_t interface_count;
    uint64_t packets, untold;
};

/* Appends the packet, and before the first of its interface the vantage that this is. 1: it was appended; 0: there is nothing in it
 * to be told, or it came from more interfaces than can be told apart; -ENOMEM. */
int anywhere_take(struct anywhere_taken *taken, const struct ring_packet *packet, struct event_log *log);
/* As anywhere_report, with what the ring has dropped. */
int anywhere_take_report(const struct anywhere_taken *taken, uint64_t dropped, struct event_log *log);

#endif
