/* All that takes a place in a story's order of time, before it is steps. Internal to src/story/steps. */
#ifndef TCPWHY_STORY_STEPS_MOMENTS_H
#define TCPWHY_STORY_STEPS_MOMENTS_H

#include "story/steps/telling.h"

enum moment_kind { MOMENT_SENT, MOMENT_RECEIVED, MOMENT_ENTER, MOMENT_EXIT, MOMENT_CHANGE, MOMENT_EXPIRY, MOMENT_PROCESS };
struct moment {
    int64_t t_ns;
    uint64_t order; /* of its event: decides between equal times */
    enum moment_kind kind;
    size_t index;
};

struct moments {
    struct moment *items;
    size_t count, room;
};

/* In order; `items` are the caller's to free. Sets telling->failed when out of memory. */
void moments_collect(struct telling *telling, struct moments *moments);
/* Whether that process had a part in this story, and at which side. */
bool moments_process_is_here(const struct telling *telling, const struct process_end *end, enum story_side *ret_side);

/* beginning.c. The judge takes its place, and the ends their first states; `listener` may be NULL. */
void beginning_make(struct telling *telling, const struct sock *listener);
/* Notes of a FIN that it reached its receiver only after that had sent its own (tale_packet.behind). */
void beginning_find_crossing(struct telling *telling);

#endif
