/* Ladders from captures: the packets of the chosen connections become events, and the story engine tells them.
 *
 * The engine keeps every packet of an open connection with all that belongs to it, so how many packets may be told is bounded. */
#ifndef TCPWHY_READ_READ_STORIES_H
#define TCPWHY_READ_READ_STORIES_H

#include "capture/stored/savefile.h"
#include "read/read_capture.h"
#include "viz/lists/rows.h"

struct stories;

/* Codes as output_open. Release with stories_close (NULL is fine). */
int stories_open(struct stories **ret_stories, const struct read_options *options, struct err *err);
/* The same, but what is found is all that is kept of them: for stories_found instead of stories_finish. */
int stories_open_found(struct stories **ret_stories, const struct read_options *options, struct err *err);
/* What was found in all that was taken; valid until stories_close. *ret_findings NULL: there were too many packets. 0 or -ENOMEM.
 */
int stories_found(struct stories *stories, const struct rows_findings **ret_findings, struct err *err);
enum { STORIES_FULL = 1 };
/* `conn`: the number of its connection, in the ledger or, with `udp`, of its UDP flow; an ICMP error has that of what it quotes; 0:
 * none. Copies the packet if it was chosen. 0; STORIES_FULL: it and those behind it are too many, stories_finish will say so;
 * -ENOMEM. */
int stories_take(struct stories *stories, struct savefile *file, const struct savefile_packet *packet, uint32_t conn, bool udp,
                 struct err *err);
/* Tells what was taken; `dropped`: packets that the capture says it lost; -ENOENT where a chosen connection is not there. Else as
 * output_tell. */
int stories_finish(struct stories *stories, uint64_t dropped, struct err *err);
void stories_close(struct stories *stories);

#endif
