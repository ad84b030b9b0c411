/* What a line says of a connection, taken from its story. */
#ifndef TCPWHY_WATCH_FACTS_H
#define TCPWHY_WATCH_FACTS_H

#include "story/story.h"

enum { FACTS_HOW_BYTES = 64 };

/* Times in ns; -1 not known. The story is borrowed. */
struct watch_facts {
    const struct story *story;
    int64_t end_ns;              /* of its last step */
    int closer;                  /* enum story_side of who ended it: the first FIN, or the RST; -1 nobody */
    char how[FACTS_HOW_BYTES];   /* by which call, or what else made it: "close(4)", "SIGKILL"; raw; "" not known */
    char brief[FACTS_HOW_BYTES]; /* the same in fewer words, for a narrow column */
    enum story_evidence how_evidence;
    int64_t connect_ns;              /* SYN → handshake's last ACK */
    int64_t accept_ns;               /* in the accept queue: handshake complete → accept() returned */
    int64_t first_byte_ns;           /* SYN → the server's first data */
    int64_t told_ns;                 /* its steps that were sent until then have been told; set by who knows it */
    bool touched;                    /* events were lost while it was open: some of it may be missing */
    const char *cgroup[STORY_SIDES]; /* of each end's process: a path (cgroups.h), set by who knows it; NULL not known */
    uint64_t resent;                 /* segments of data that were sent again (resends.h); set by who knows it */
    uint32_t repeats[STORY_REPEATS]; /* retransmissions of segments that were captured, by what they repeat for */
};

/* Whether it is open: what becomes of it is not known, and its ends have not both said goodbye. */
bool facts_are_open(const struct story *story);
void facts_of(const struct story *story, struct watch_facts *ret_facts);

#endif
