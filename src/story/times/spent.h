/* Where the time went: what an exchange waited for at each moment.
 *
 * Internal to src/story. Each thing that took time is a claim: an interval, and what it was. Where claims lie over one another the
 * one of the first kind (enum story_spent) counts; what nobody claims is unknown. So the parts are disjoint, and add up. */
#ifndef TCPWHY_STORY_TIMES_SPENT_H
#define TCPWHY_STORY_TIMES_SPENT_H

#include "story/times/times.h"

struct spent_claims {
    struct spent_claim {
        int64_t from_ns, to_ns;
        uint8_t spent; /* enum story_spent */
    } * list;
    size_t count, room;
    int64_t start_ns, end_ns; /* claims are cut to these */
    bool failed;
};

/* Nothing, where it is empty. */
void spent_claim(struct spent_claims *claims, enum story_spent spent, int64_t from_ns, int64_t to_ns);

/* spent_segments.c: what the segments show. spent_calls.c: what the calls do. */
void spent_of_handshake(const struct telling *telling, struct spent_claims *claims);
void spent_of_segments(const struct telling *telling, struct spent_claims *claims);
void spent_of_calls(const struct telling *telling, struct spent_claims *claims);
/* Whether any call of this side on the connection itself was recorded. */
bool spent_has_calls(const struct telling *telling, enum story_side side);

/* The parts, from the claims: reorders them. */
void spent_add_up(struct spent_claims *claims, int64_t ret_spent_ns[static SPENTS]);

#endif
