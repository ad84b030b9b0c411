/* Data that was sent again. A watch captures no data, so no story shows that: the kernel's own word of each retransmission does,
 * and its call chain says what for. Kept until their connection is told. */
#ifndef TCPWHY_WATCH_RESENDS_H
#define TCPWHY_WATCH_RESENDS_H

#include "event/event.h"
#include "story/story.h"

struct resends;

/* NULL: out of memory. Release with resends_free (NULL is fine). */
struct resends *resends_new(void);
void resends_free(struct resends *resends);
/* How many segments of data the event says were sent again, and what for; 0: it is about a SYN or a FIN, which are captured. */
uint32_t resends_of(const struct event_resend *resend, enum story_repeat *ret_repeat);
/* Keeps them for their connection. Of more connections than 65,536 nothing more is kept. */
void resends_keep(struct resends *resends, const struct event *event);
/* Adds what was kept of this connection to `counts`, by what it repeats for, and forgets it. */
void resends_add(struct resends *resends, const struct story *story, uint32_t counts[STORY_REPEATS]);

#endif
