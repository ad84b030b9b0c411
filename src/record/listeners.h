/* Who listened already as a session began, told to its stream. */
#ifndef TCPWHY_RECORD_LISTENERS_H
#define TCPWHY_RECORD_LISTENERS_H

#include "record/session.h"

/* In the networks with these inodes (none: in all that have a process), at the ports whose bit is set (capture/listening.h; NULL:
 * at all). Call it once the recorder looks: who begins to listen before is in the tables, who connects behind shows its SYN. 0, or
 * -ENOMEM with a sentence. */
int listeners_tell(struct session *session, const uint64_t *netns, size_t count, const uint8_t *ports, struct err *err);

#endif
