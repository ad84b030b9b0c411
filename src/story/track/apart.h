/* Calls that stand in no story: no packet of their socket was seen, and they say why there was none.
 *
 * A socket whose connect() found no port, whose bind() was refused, that listened where nobody asked; an accept() that found
 * nothing; a socket() that was not made. Internal to src/story; what it finds is the trace's. */
#ifndef TCPWHY_STORY_TRACK_APART_H
#define TCPWHY_STORY_TRACK_APART_H

#include "story/track/track.h"

/* Remembers a call that failed without concerning any connection. At most a few hundred are kept; more are counted. 0 or -ENOMEM.
 */
int apart_take(struct teller *teller, struct call *call);
/* What a socket that no connection has, and that is forgotten now, has to say. 0 or -ENOMEM. */
int apart_take_socket(struct teller *teller, const struct sock *sock);
/* Once all connections are told: what is left, for the trace. 0 or -ENOMEM. */
int apart_find_all(struct teller *teller);
/* apart_words.c: why there was no packet; NULL where there is nothing to say. `sock`: the call's, NULL none. 0 or -ENOMEM. */
int apart_say(struct teller *teller, const struct call *call, const struct sock *sock, const char **ret_why);
void apart_free(struct teller *teller);

#endif
