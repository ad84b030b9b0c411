/* Between the files that make a plan. */
#ifndef TCPWHY_VIZ_PLAN_OWN_H
#define TCPWHY_VIZ_PLAN_OWN_H

#include "viz/plan/plan.h"

bool plan_is_packet(const struct plan_row *row);
/* The step of the peer's FIN that the FIN of this step acknowledges, where no segment before it did (RFC 9293 3.6); STORY_NO_STEP:
 * it is no such FIN. */
uint32_t plan_carried_fin(const struct story *story, uint32_t step);
bool plan_marks(const struct story *story, const struct view_options *options, const struct plan_row *row);
bool plan_is_call(const struct plan_row *row);
/* Leaves out what brief and only don't want; what was left out between kept rows becomes a row. Returns how many are left;
 * PLAN_FAILED: out of memory. */
#define PLAN_FAILED SIZE_MAX
size_t plan_choose(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count);
/* Brief: makes one row of two where that tells the same, and with more than `most` left, fewer where little is lost. Returns how
 * many are left. */
size_t plan_join(const struct story *story, const struct view_options *options, struct plan_row *rows, size_t count, size_t most);
/* Gives each call its lane, first and last row and sleep; the rows are complete. 0 or -ENOMEM. */
int plan_lay_calls(struct plan *plan);

/* A pause worth folding. */
enum { PLAN_SILENCE_NS = 50000000 };

#endif
