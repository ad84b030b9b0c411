/* Translation of addresses on the very host that sends (NAT by a rule of nftables or iptables, a service's address, REDIRECT): the
 * packet on the wire has other addresses than its socket. A connection is told under those of the wire; what is said of the socket,
 * and what comes back under the socket's, is put under them before anything else looks at it. */
#ifndef TCPWHY_STORY_TRACK_TRANSLATE_H
#define TCPWHY_STORY_TRACK_TRANSLATE_H

#include "event/event.h"

struct teller;
struct translations;

/* What a socket's own two addresses become on the wire. */
struct translation {
    struct address local, remote;  /* the socket's; version 0: none */
    struct address source, target; /* those of what it sends */
};

/* The event with the wire's addresses in it, in `room` where it had to be changed. A mark whose socket has other addresses than its
 * packet teaches what they become. */
const struct event *translate(struct teller *teller, const struct event *event, struct event *room);
/* Of the connection between these two, as on the wire; NULL: nothing is known to translate it on its own host. */
const struct translation *translation_of(const struct teller *teller, const struct address *source, const struct address *target,
                                         uint64_t netns);
/* NULL is fine. */
void translations_free(struct translations *translations);

#endif
