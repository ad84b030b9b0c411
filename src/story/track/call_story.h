/* What a call says of itself in a story, whatever story that is. Internal to src/story. */
#ifndef TCPWHY_STORY_TRACK_CALL_STORY_H
#define TCPWHY_STORY_TRACK_CALL_STORY_H

#include "story/track/track.h"

/* Fills all of `story` that the call alone decides; not its number, side, `listener` and what woke it. 0 or -ENOMEM. */
int call_story_fill(struct story_call *story, const struct call *call, struct arena *arena);
/* The address that "3, 127.0.0.1:3333" ends in; version 0: it ends in none. */
struct address call_story_address(const struct call *call);

#endif
