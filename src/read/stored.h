/* A stored run, read back: event lines, as -o FILE.events writes them, or the saved file of -o FILE.pcapng. */
#ifndef TCPWHY_READ_STORED_H
#define TCPWHY_READ_STORED_H

#include "base/err.h"
#include "event/log.h"
#include "out/keeper.h"

/* Appends what is in the file ("-": standard input) to the log; `keeper` (out/keeper.h; may be NULL) opens it; `head` (may be NULL)
 * are bytes that were read of standard input already. 0, or -errno with a sentence that names the file and says what it is instead,
 * where that is known: -EBADMSG for what is no sound event log. */
int stored_load(const char *path, struct keeper *keeper, const void *head, size_t head_bytes, struct event_log *log,
                struct err *err);

#endif
