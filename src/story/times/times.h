/* What a story says as a whole: its summary, and where the time went.
 *
 * Internal to src/story. Adds to the story, and changes nothing that is told. */
#ifndef TCPWHY_STORY_TIMES_TIMES_H
#define TCPWHY_STORY_TIMES_TIMES_H

#include "story/findings/findings.h"

/* summary.c: the summary, once causes and wakes are known. */
void summary_make(struct telling *telling);
/* spent.c: where the time went, once the summary is made. */
void spent_find(struct telling *telling);
/* handshake_time.c: the summary's times of the handshake; summary_make calls it. */
void handshake_time_find(struct telling *telling);

#endif
