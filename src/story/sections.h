/* Which section of RFC 9293 a step belongs to: what a reader looks up. */
#ifndef TCPWHY_STORY_SECTIONS_H
#define TCPWHY_STORY_SECTIONS_H

#include "story/story.h"

/* "3.10.1" for connect(); NULL where the RFC has no such call. Static storage, as of all here. */
const char *section_of_call(const char *name);
/* By its cause where that is a timer, else by what it is. Never NULL. */
const char *section_of_segment(const struct story_segment *segment);
/* Of the arrow that was taken; "3.3.2" where the table has none. Not for what the kernel reported. */
const char *section_of_state(const struct story_state *state);

#endif
