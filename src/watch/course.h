/* The steps of handshake and goodbye of connections that are open, told as they happen: how far each one's have been told. */
#ifndef TCPWHY_WATCH_COURSE_H
#define TCPWHY_WATCH_COURSE_H

#include <stdint.h>

#include "story/tell/teller.h"
#include "watch/choose.h"

struct course;

/* Given the story so far (borrowed) of a connection with new steps, and when the last was sent that was told of before (INT64_MIN:
 * none was). Returns that of the last one now. */
typedef int64_t course_taker(void *data, const struct story *story, int64_t told_ns);

/* NULL: out of memory. Release with course_free (NULL is fine). */
struct course *course_new(course_taker *take, void *data);
void course_free(struct course *course);
/* Looks at all that is open and chosen: where a state has changed since the last look there are new steps. */
void course_look(struct course *course, struct teller *teller, struct chooser *chooser, int64_t now_ns);
/* A connection is told for good: when the last step was sent that was told of before. */
int64_t course_end(struct course *course, uint32_t number);

#endif
