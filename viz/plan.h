/* What rows a ladder has, before anything is drawn: which steps share a row, which stand alone.
 *
 * - a call that begins and ends with nothing in between is one row;
 * - a packet is one row, or two (it leaves, it arrives) where it was on its way for a millisecond, or for a tenth of one while
 *   something else happened;
 * - a state stands on the row of what changed it. */
#ifndef TCPWHY_VIZ_PLAN_H
#define TCPWHY_VIZ_PLAN_H

#include "story/story.h"

enum plan_kind {
    PLAN_ENTER,  /* a call begins */
    PLAN_EXIT,   /* a call ends */
    PLAN_CALL,   /* both in one */
    PLAN_PACKET, /* a segment or datagram, all of it */
    PLAN_DEPART,
    PLAN_ARRIVE,
    PLAN_STATE,  /* a state that found no other row */
    PLAN_KERNEL, /* a transition the kernel reported */
    PLAN_END     /* a process ended */
};

struct plan_row {
    enum plan_kind kind;
    uint32_t step;
    int64_t t_ns;
    enum story_side side;
    uint32_t states[STORY_SIDES];  /* the step of the state that each side gets on this row; STORY_NO_STEP none */
    uint32_t further[STORY_SIDES]; /* of a second one: a FIN that acknowledges ours too leads through FIN_WAIT_2 to TIME_WAIT */
};

struct plan {
    struct plan_row *rows;
    size_t count;
    size_t lanes[STORY_SIDES]; /* how many calls of a side are open at once, at most */
};

/* Fills *ret_plan; release with plan_free. 0 or -ENOMEM. Kernel transitions only if `with_kernel`. */
int plan_make(const struct story *story, bool with_kernel, struct plan *ret_plan);
void plan_free(struct plan *plan);

/* When a packet was sent and when it arrived (0: not seen to). False, and zeroes: the step is no packet. */
bool plan_packet_times(const struct story_step *step, int64_t *ret_sent_ns, int64_t *ret_received_ns);

#endif
