/* Findings: sentences a person can act on. Each file looks for those of one part of a connection's life.
 *
 * Internal to src/story. A rule adds nothing unless the steps that prove it are there. */
#ifndef TCPWHY_STORY_FINDINGS_H
#define TCPWHY_STORY_FINDINGS_H

#include "story/telling.h"

enum { FINDING_PROOF_MAX = 4 };

/* Adds a finding (one of an id is enough: later ones are dropped). `severity` is "note", "warning" or "error"; of `proof` those
 * that are steps are kept. `id`, `severity` are static, `text` the story's. */
void finding_add(struct telling *telling, const char *id, const char *severity, const char *text, const uint32_t *proof,
                 size_t proof_count);

/* The n-th (from 0) segment of this label and side (side < 0: any); NULL none. */
struct tale_packet *finding_segment(const struct telling *telling, int side, const char *label, size_t n);
/* The call that this step is of; NULL: none. */
struct tale_call *finding_call_at(const struct telling *telling, uint32_t step);
/* The first call of this side, name (up to its length: "accept" finds accept4) and result; NULL none. */
struct tale_call *finding_call(const struct telling *telling, int side, const char *name, int64_t ret);
/* The state that an end was in just before the step. */
enum tcp_state finding_state_before(const struct telling *telling, enum story_side side, uint32_t step);
static inline enum story_side finding_other(enum story_side side)
{
    return side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
}

void findings_open(struct telling *telling);   /* findings_open.c: the handshake, and what came of it */
void findings_reset(struct telling *telling);  /* findings_reset.c: connections that ended with RST */
void findings_close(struct telling *telling);  /* findings_close.c: FINs, CLOSE_WAIT, TIME_WAIT */
void findings_linger(struct telling *telling); /* findings_linger.c: close() that waits */
void findings_way(struct telling *telling);    /* findings_way.c: what happened between two captures */
void findings_silent(struct telling *telling); /* findings_silent.c: what was sent again, what never came */

#endif
