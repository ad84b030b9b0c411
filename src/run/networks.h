/* Captures that follow what is followed: into networks that it enters (setns, unshare, containers), and to interfaces that come up
 * later. */
#ifndef TCPWHY_RUN_NETWORKS_H
#define TCPWHY_RUN_NETWORKS_H

#include <stdbool.h>

#include "record/session.h"
#include "run/captures.h"
#include "run/opener.h"

enum { NETWORKS_KNOWN_MAX = 64 };

struct networks {
    const struct captures_options *options;
    struct session *session;
    struct opener opener;
    uint64_t own;
    struct {
        uint64_t netns;
        bool captured;
    } known[NETWORKS_KNOWN_MAX];
    size_t known_count;
    int excluded[RING_EXCLUDED_MAX]; /* interfaces that were captured from the beginning */
    size_t excluded_count;
    int spare; /* a packet socket of this network, not yet bound; -1 none */
    int news;  /* rtnetlink(7): what becomes of this network's interfaces; -1 none */
    bool quiet, said;
};

/* While there are all rights, and nothing else is open. Where interfaces are named (-i) nothing is followed. 0 or -errno. */
int networks_begin(struct networks *networks, const struct captures_options *options, bool quiet, struct err *err);
/* When the captures of what is there already are open. */
void networks_set(struct networks *networks, struct session *session);
/* calls_options.entered: `data` is the networks. */
bool networks_entered(void *data, pid_t tid, uint64_t netns);
/* Takes what rtnetlink says; does not block. 0 or -errno. */
int networks_look(void *data, struct err *err);
void networks_end(struct networks *networks);

#endif
