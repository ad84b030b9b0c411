/* A process beside this one that keeps the right to open packet sockets in other networks, when this one has given its rights up.
 *
 * It is asked for a network by a thread that is in it, and looks at no byte from outside. It ends with its channel. */
#ifndef TCPWHY_RUN_OPENER_H
#define TCPWHY_RUN_OPENER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/err.h"

struct opener {
    pid_t pid; /* 0: there is none */
    int channel;
};

enum { OPENER_ADDRESSES = 48 };
struct opener_answer {
    int32_t code; /* 0, or -errno: why not */
    uint32_t address_count;
    struct address addresses[OPENER_ADDRESSES]; /* that the network has now, without ports */
};

/* Before there are other threads or descriptors that it must not hold. 0 or -errno. */
int opener_begin(struct opener *opener, struct err *err);
/* A packet socket in the network with this inode, in which that thread is, not yet bound. The descriptor, or -errno (as in the
 * answer). */
int opener_ask(struct opener *opener, pid_t tid, uint64_t netns, struct opener_answer *ret_answer);
void opener_end(struct opener *opener);

#endif
