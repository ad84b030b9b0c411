/* Who holds a socket: a descriptor, and how it was made. */
#ifndef TCPWHY_STORY_TRACK_HOLDER_H
#define TCPWHY_STORY_TRACK_HOLDER_H

#include <stdint.h>

#include "event/event.h"

/* How a descriptor was made, as far as it was seen. */
enum holder_made {
    HOLDER_MADE_UNSEEN, /* sent through a Unix socket, or before recording */
    HOLDER_MADE_FIRST,  /* with its socket: socket(), accept() */
    HOLDER_MADE_DUP,    /* a copy, by dup() and its kin */
    HOLDER_MADE_FORK,
    HOLDER_MADE_TAKEN /* out of another process, by pidfd_getfd() */
};

/* A descriptor through which a process holds a socket, as far as calls and forks were seen. */
struct holder {
    int32_t pid, fd;
    enum holder_made made;
    char comm[EVENT_COMM_BYTES];
};

#endif
