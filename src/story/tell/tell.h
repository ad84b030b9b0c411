/* From a flow to a story. Internal to src/story. */
#ifndef TCPWHY_STORY_TELL_TELL_H
#define TCPWHY_STORY_TELL_TELL_H

#include "story/track/track.h"

/* Makes the story of a flow and gives it to the listener; the flow is freed. */
int tell_flow(struct teller *teller, struct flow *flow);

#endif
