/* Which event of a story led to which: an arrow, in Perfetto a flow, from the cause of each segment and state to it, and from the
 * segment that let a call return to that call. */
#ifndef TCPWHY_VIZ_PERFETTO_FLOWS_H
#define TCPWHY_VIZ_PERFETTO_FLOWS_H

#include "story/story.h"

struct flows {
    uint64_t first; /* the id of edge 0 */
    uint32_t *into; /* for each step the edge that leads to it, FLOW_NONE: none */
    uint32_t *out;  /* and the first of those that lead away */
    uint32_t *next; /* for each edge the next one that leads away from the same step */
    uint32_t count;
    size_t steps;
};

enum { FLOW_NONE = UINT32_MAX };

/* Edges of the story, without those from or to a step that has no event: `told` has a yes for each that has. Their ids follow
 * *next_id, which moves on. A call is known by the step where it begins. Release with flows_free. 0 or -ENOMEM. */
int flows_make(const struct story *story, const bool *told, uint64_t *next_id, struct flows *ret_flows);
void flows_free(struct flows *flows);

/* The step of the event that stands for this one: of a call where it begins (or, where that is not known, ends); else itself.
 * STORY_NO_STEP for none. */
uint32_t flows_step(const struct story *story, uint32_t step);
/* When it happened, as a cause: a segment at its arrival, where that was seen. */
int64_t flows_time(const struct story_step *step);

#endif
