/* Reading a saved file back: its events, as they were recorded. What other programs put between them (a re-save's blocks, other
 * journals) is passed over. */
#ifndef TCPWHY_SAVED_SAVED_READ_H
#define TCPWHY_SAVED_SAVED_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "event/log.h"

enum { SAVED_HEAD_BYTES_MOST = 4096 };

/* How many of a file's first bytes have to be seen to tell whether it is a saved run; not more than are there: it can be told.
 * Never above SAVED_HEAD_BYTES_MOST. */
size_t saved_head_needs(const void *head, size_t length);
/* Whether these first bytes are those of a saved run. One that was written with packets alone is a capture as any other. */
bool saved_is_run(const void *head, size_t length);
/* Appends its events to the log. 0; -ENOMEM; or -EBADMSG with a sentence that says at which packet and offset what is wrong; what
 * stood before that is in the log. `name` is what the sentence calls the file. */
int saved_read(const char *name, const void *bytes, size_t length, struct event_log *log, struct err *err);

#endif
