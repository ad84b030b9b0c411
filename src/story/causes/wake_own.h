/* What a call was waiting for: what both files of it share.
 *
 * Internal to src/story/causes. */
#ifndef TCPWHY_STORY_CAUSES_WAKE_OWN_H
#define TCPWHY_STORY_CAUSES_WAKE_OWN_H

#include "story/steps/telling.h"

/* poll(), epoll_wait() and the like. */
bool wake_waits_for_many(const struct tale_call *call);
/* What the call could not return as it did without. NULL: nothing that shows on the wire, or not to be told. */
struct tale_packet *wake_needed(struct telling *telling, const struct tale_call *call);
/* "the data (#4)" */
const char *wake_what(struct telling *telling, const struct tale_packet *packet);
void wake_set(struct tale_call *call, enum story_wake_kind kind, enum story_evidence evidence, const struct tale_packet *packet,
              const char *why);

/* wake_waker.c: what the context of who woke the thread shows; false: nothing. */
bool wake_by_waker(struct telling *telling, struct tale_call *tale);

#endif
