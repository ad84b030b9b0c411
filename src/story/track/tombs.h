/* What is left of a connection that was told before TIME_WAIT's minute was over: a hundred bytes by which its stragglers are known.
 *
 * Internal to src/story. Kept in order of their making, so the oldest goes first; found by its addresses. Owned by the teller. */
#ifndef TCPWHY_STORY_TRACK_TOMBS_H
#define TCPWHY_STORY_TRACK_TOMBS_H

#include "conn/conn.h"
#include "story/track/networks.h"

struct tombs;

/* One, in full. */
struct tomb {
    uint64_t key; /* of its two addresses: tombs_key */
    int64_t last_ns;
    uint32_t number, connection; /* as struct flow */
    struct networks networks;
    bool low_is_client;   /* of the two addresses the lower one */
    bool first_is_client; /* it sent the first segment: conn.end[0] */
    struct conn conn;     /* as it was told; what no straggler asks for is not kept */
};

/* NULL: out of memory. */
struct tombs *tombs_new(void);
void tombs_free(struct tombs *tombs);
/* For a table's key of `bytes` bytes: seeded at random, so that hostile input can't choose equal ones. */
uint64_t tombs_key(const struct tombs *tombs, const void *key, size_t bytes);
/* The newest with a key counts. 0 or -ENOMEM. True in *ret_full: the oldest had to go before its time. */
int tombs_add(struct tombs *tombs, const struct tomb *tomb, bool *ret_full);
/* Whether there is one with this key; false: nothing is known of it. */
bool tombs_find(const struct tombs *tombs, uint64_t key, struct tomb *ret_tomb);
/* Forgets the one with this key, if there is one. */
void tombs_forget(struct tombs *tombs, uint64_t key);
/* Forgets those that were seen last before `until_ns`. */
void tombs_pass(struct tombs *tombs, int64_t until_ns);
size_t tombs_count(const struct tombs *tombs);

/* So many at most: a minute of 17,000 connections a second. */
enum { TOMBS_MAX = 1 << 20 };

#endif
