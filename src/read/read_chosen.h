/* Of a stored run, the events of chosen connections alone: to tell them, and to save them as a run of their own. */
#ifndef TCPWHY_READ_READ_CHOSEN_H
#define TCPWHY_READ_READ_CHOSEN_H

#include "base/err.h"
#include "event/log.h"
#include "read/read_capture.h"
#include "story/tell/teller.h"

/* Whether this connection is chosen; without ranges all are. `apart`: its number counts UDP flows alone. */
bool read_is_chosen(const struct read_range *ranges, size_t count, uint32_t number, bool apart);
/* Why a capture's events have no recorder. */
#define READ_CAPTURE_REASON "read from a capture file"
/* Whether these events were a capture's: then its UDP flows have numbers of their own. */
bool read_is_of_capture(const struct event_log *log);
/* The number that people know a connection by: the one that its packets carry, where they carry one. */
void read_renumber(struct story *story, bool of_capture);
/* *ret_chosen: a new log with what belongs to the chosen connections of `log` (which is sorted): their packets with what the kernel
 * said of them, the calls that their stories tell with what woke them, their processes; and what a run says of itself. It has
 * copies of all it refers to. 0; -ENOENT where one is not there; -ENOMEM. */
int read_choose(struct event_log *log, const struct read_range *ranges, size_t count, struct event_log **ret_chosen,
                struct err *err);

#endif
