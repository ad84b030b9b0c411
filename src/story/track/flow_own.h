/* Internal to src/story/track: what the files of a flow share. */
#ifndef TCPWHY_STORY_TRACK_FLOW_OWN_H
#define TCPWHY_STORY_TRACK_FLOW_OWN_H

#include "story/track/track.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

struct flow_key flow_key_of(const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns);

#endif
