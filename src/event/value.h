/* Short values of event lines, from text to their place in an event: numbers, words, flags, addresses, lists of them. */
#ifndef TCPWHY_EVENT_VALUE_H
#define TCPWHY_EVENT_VALUE_H

#include "event/fields.h"

/* Reads `length` bytes at `text`, a string without NUL inside, into the field's place in a zeroed event. False where it is no such
 * value or does not fit; the place is then undefined. Not for TEXT, CHAIN and HEX, whose length has no bound here. */
bool value_read(const struct event_field *field, const char *text, size_t length, struct event *event);

#endif
