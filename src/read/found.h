/* What the story engine finds in the connections of a capture, for its list: the stories themselves are dropped. */
#ifndef TCPWHY_READ_FOUND_H
#define TCPWHY_READ_FOUND_H

#include "event/log.h"
#include "viz/rows.h"

struct found;

/* NULL: no memory. */
struct found *found_new(void);
void found_free(struct found *found);
/* Tells all events of the log (sorts it). `look` gives each story the number that its row has. 0 or -ENOMEM. */
int found_tell(struct found *found, struct event_log *log, void (*look)(void *data, struct story *story), void *data);
/* Valid until found_free. */
const struct rows_findings *found_rows(const struct found *found);

#endif
