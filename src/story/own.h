/* A story together with the memory it stands on: what the teller makes and story_free takes apart. */
#ifndef TCPWHY_STORY_OWN_H
#define TCPWHY_STORY_OWN_H

#include "base/arena.h"
#include "story/story.h"

struct story_own {
    struct story story; /* first: a story's address is its owner's */
    struct arena arena;
};

#endif
