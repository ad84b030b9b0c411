/* How much of a struct event says something: a mark or a packet takes less than half of it, and a run holds millions. */
#ifndef TCPWHY_EVENT_EXTENT_H
#define TCPWHY_EVENT_EXTENT_H

#include <stddef.h>

#include "event/event.h"

/* How many bytes, from its first on, hold the event: what lies behind them is of other kinds, or an empty list's. Of a call without
 * arguments the first byte of those is among them. */
size_t event_extent(const struct event *event);
/* Copies an event, of which no more than its extent need be there. The rest of `to` is zero. */
void event_assign(struct event *to, const struct event *from);

#endif
