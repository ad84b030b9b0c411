/* The sentences of causes, in one place: the same cause reads the same whatever its evidence. No full stop at the end. */
#ifndef TCPWHY_STORY_CAUSES_WORDS_H
#define TCPWHY_STORY_CAUSES_WORDS_H

#include "story/steps/telling.h"

/* `call` may be NULL: the kernel's chain names a call that was not recorded. */
const char *words_sent_by_call(struct telling *telling, const struct tale_packet *packet, const struct tale_call *call);
/* The kernel's answer to (or a release by) another packet. */
const char *words_sent_by_packet(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by);
/* A timer or the kernel's own doing: packet->cause->kind and name are set. */
const char *words_sent_by_itself(struct telling *telling, const struct tale_packet *packet);
/* A netfilter rule; `by` is the packet that it answered, NULL not known. */
const char *words_sent_by_firewall(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by);
const char *words_sent_by_exit(struct telling *telling, const struct tale_packet *packet, const struct story_exit *exit);

#endif
