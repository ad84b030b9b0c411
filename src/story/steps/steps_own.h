/* Internal to src/story/steps: the walk through one flow, as its files share it. */
#ifndef TCPWHY_STORY_STEPS_STEPS_OWN_H
#define TCPWHY_STORY_STEPS_STEPS_OWN_H

#include "base/lang.h"
#include "story/steps/moments.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

struct walk {
    size_t room;       /* of the story's steps */
    uint32_t question; /* of flow.questions_ns the next */
};

/* The next step; it may move all of them. NULL: out of memory, and the telling has failed. */
struct story_step *steps_add(struct telling *telling, size_t *room, enum story_step_kind kind, int64_t t_ns, enum story_side side);
void steps_take_input(struct telling *telling, struct walk *walk, enum story_side side, int64_t t_ns, enum tcp_input input,
                      struct tale_state made_by);
/* Ends that nothing on the wire shows: a timer gave up, or a socket went while its SYN was still unanswered. */
void steps_silent_end(struct telling *telling, struct walk *walk, const struct change *change);
/* A timewait socket's timer ran: the end of TIME_WAIT, or of an orphan's FIN_WAIT_2. */
void steps_expiry(struct telling *telling, struct walk *walk, const struct expiry *expiry);
void steps_process(struct telling *telling, struct walk *walk, const struct process_end *end);
/* Where the kernel's timers are not seen, the end of TIME_WAIT shows only in the clock: it is told where recording went on so long.
 * Where they are, one that did not run although a minute has gone by is no end: the clock was set, or the machine slept, which the
 * kernel's timers do not count. */
void steps_end_time_wait(struct telling *telling, struct walk *walk, enum story_side side);

#endif
