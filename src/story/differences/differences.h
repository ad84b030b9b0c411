/* Where Linux is not the RFC: one sentence each where it shows in a story, with the place to read on.
 *
 * Not findings: nothing is wrong and nothing is to be done. A sentence is told only where the story holds the steps that show it,
 * so that a story of a capture file, which knows nothing of a kernel, tells none of those that only a kernel's own word can show.
 */
#ifndef TCPWHY_STORY_DIFFERENCES_DIFFERENCES_H
#define TCPWHY_STORY_DIFFERENCES_DIFFERENCES_H

#include <stddef.h>

struct telling;

/* Fills story->differences, once causes are known. */
void differences_find_all(struct telling *telling);
/* The rules' ids ("linux-request-socket" …), for tests; NULL behind the last. */
const char *differences_id(size_t rule);

#endif
