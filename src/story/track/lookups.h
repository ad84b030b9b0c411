/* Names that a process looked up: its exchanges with port 53 (RFC 1035), as its own calls show them, and the connect() that they
 * were for.
 *
 * Internal to src/story. A lookup is counted for one connect() at most, and for none where it may have been for another's. */
#ifndef TCPWHY_STORY_TRACK_LOOKUPS_H
#define TCPWHY_STORY_TRACK_LOOKUPS_H

#include <stdint.h>

#include "base/address.h"

struct call;
struct process;
struct sock;
struct teller;

/* What a connect() had to wait for before it could be called. */
struct lookup {
    int64_t from_ns, to_ns;      /* from the first question to the last answer, or to where the program gave up waiting for one */
    uint32_t questions, answers; /* of UDP; 0 of TCP */
    struct address server;       /* that was asked last */
};

/* A process has so many at most that no connect() has followed yet; of more the newest are known. */
enum { LOOKUPS_MAX = 64 };
/* What is looked up for a connection is used at once: so long may the next step be in coming. */
#define LOOKUP_STEP_NS ((int64_t)1000000000)

struct lookups;

/* The call, on this socket (or NULL), has returned: what it means to the lookups of its process. 0 or -ENOMEM. */
int lookups_take_call(struct call *call, const struct sock *sock);
/* A connect() on this socket (or NULL) begins. Of a stream: the lookups of its thread that lead to it (or of one other thread of
 * its process, where that alone looked anything up) are put into call->lookup, and are nobody else's. 0 or -ENOMEM. */
int lookups_take_connect(struct teller *teller, struct call *call, const struct sock *sock);
void lookups_free(struct lookups *lookups);

#endif
