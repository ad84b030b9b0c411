/* Every finding there is: a row an id, in the order of the alphabet, so that a new one is a line. tests/unit/finding_ids.c holds
 * the rules in findings_*.c to it. */
#include "story/story.h"

static const char *const ids[] = {
    "accept-late",
    "ack-dropped-full-queue",
    "address-in-use",
    "black-hole",
    "capture-missed-client",
    "capture-missed-server",
    "close-not-last",
    "close-wait-leak",
    "closed-by-exec",
    "closed-by-signal",
    "closed-listener",
    "deferred-accept",
    "duplicated",
    "epipe-after-rst",
    "fast-open",
    "fast-open-cookie",
    "fin-wait-2-timeout",
    "half-close",
    "half-open-forgotten",
    "half-open-rst",
    "keepalive-dead",
    "linger-blocked",
    "linger-zero",
    "lost-to-client",
    "lost-to-server",
    "no-arrow",
    "orphaned-socket",
    "refused",
    "reset-by-disconnect",
    "reset-from-between",
    "reset-full-queue",
    "reset-late-data",
    "reset-unread-data",
    "retransmitted",
    "self-connect",
    "simultaneous-close",
    "simultaneous-open",
    "syn-cookies",
    "syn-data",
    "syn-dropped-full-queue",
    "time-wait-answers",
    "time-wait-assassination",
    "time-wait-reuse",
    "udp-unreachable",
    "unsent-client",
    "unsent-server",
    "user-timeout",
};

const char *const *story_finding_ids(size_t *ret_count)
{
    *ret_count = sizeof(ids) / sizeof(ids[0]);
    return ids;
}
