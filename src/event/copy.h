/* An event of one log, taken over into another. */
#ifndef TCPWHY_EVENT_COPY_H
#define TCPWHY_EVENT_COPY_H

#include "event/log.h"

/* Appends a copy of the event with all that it refers to: nothing of it is the other log's. 0 or -ENOMEM. */
int event_copy(struct event_log *to, const struct event *event);

#endif
