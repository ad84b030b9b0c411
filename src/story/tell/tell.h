/* From a flow to a story. Internal to src/story. */
#ifndef TCPWHY_STORY_TELL_TELL_H
#define TCPWHY_STORY_TELL_TELL_H

#include "story/steps/telling.h"

/* tell.c: the story of a flow as it is now, which changes nothing; NULL: nothing of it was captured. 0 or -ENOMEM. */
int tell_so_far(struct teller *teller, struct flow *flow, int64_t now_ns, struct story **ret_story);
/* forget.c: makes the story of a flow and gives it to the listener; the flow is freed. 0 or -errno. */
int tell_flow(struct teller *teller, struct flow *flow);

/* Makes the story of a flow; `telling` is zero but for `now_ns` and `so_far`. False: out of memory, and nothing is to be
 * ended. */
bool telling_begin(struct telling *telling, struct teller *teller, struct flow *flow);
/* Tells it once more in English, where sentences are in another language (story.english). False: out of memory. */
bool tell_english(const struct telling *told, struct story *story);
/* Frees all but the story, which is the caller's; NULL: out of memory on the way. */
struct story *telling_over(struct telling *telling);

#endif
