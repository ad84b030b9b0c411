/* What a call says of itself in a story, whatever story that is. Internal to src/story. */
#ifndef TCPWHY_STORY_TRACK_CALL_STORY_H
#define TCPWHY_STORY_TRACK_CALL_STORY_H

#include "story/track/track.h"

/* Fills all of `story` that the call alone decides; not its number, side, `listener` and what woke it. 0 or -ENOMEM. */
int call_story_fill(struct story_call *story, const struct call *call, struct arena *arena);
/* The address that "3, 127.0.0.1:3333" ends in; version 0: it ends in none. */
struct address call_story_address(const struct call *call);

/* A connect() that found no port to connect from: its own port was the kernel's to choose (inet_hash_connect), and none was free
 * for that peer, or no address of this host leads there. */
bool call_story_found_no_port(const struct call *call);
/* Whether this socket is in the call's list of what it watched, or closed. */
bool call_story_lists(const struct call *call, uint64_t cookie);
/* Whether what the kernel closes at this call's return to the program can be `own` (NULL: not known): the call closed its
 * descriptor, or that of the listener in whose queue it waited, or io_uring did within it; or it worked on the socket while another
 * thread closed the descriptor, and was the last to let go. The last call that was recorded of a thread need not be the last that
 * it made. */
bool call_story_can_let_go(const struct call *call, const struct sock *own);

/* When it was first seen: at its begin, or at its end where that alone was recorded. */
int64_t call_story_begin_ns(const struct call *call);

#endif
