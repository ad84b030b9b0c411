/* Internal to src/story/track: what join.c asks about sights of one segment in several places (join_sights.c). */
#ifndef TCPWHY_STORY_TRACK_JOIN_OWN_H
#define TCPWHY_STORY_TRACK_JOIN_OWN_H

#include "story/track/track.h"

/* A mark and its packet are microseconds apart; the clocks of two sources may disagree by less than this. */
static const int64_t JOIN_WINDOW_NS = 1000000000;
/* The same segment seen at a second vantage: further apart than any wire delay a lesson uses, it is a retransmission. */
static const int64_t SAME_SEGMENT_NS = 10000000000;

bool join_near(int64_t a, int64_t b, int64_t window_ns);
/* The first of a flow's newest sightings that a packet or mark is compared with. */
size_t join_start(const struct flow *flow);
/* Of a vantage; 0: not known. */
uint64_t join_netns(const struct teller *teller, uint32_t number);
/* Two vantages are on two hosts where both say so; of captures that say nothing nobody knows, and nothing is concluded. */
bool join_on_other_host(const struct teller *teller, uint32_t a, uint32_t b);
bool join_has_arrived(const struct sighting *seen, uint32_t vantage);
/* A segment that is sent again has the same numbers, but another timestamp: without that, what was lost would seem to arrive when
 * its repetition does. */
bool join_is_same(const struct event_packet *a, const struct event_packet *b);
/* Which of two earlier sights an arrival is of: the one whose very bytes it has (IPv4 numbers what is sent again anew); else one
 * that has not arrived there; of equals with timestamps the oldest (a wire keeps the order), without them the newest (an older one
 * would have come before: it was lost). */
bool join_is_better(const struct sighting *so_far, const struct sighting *seen, const struct event_packet *arrival);
/* The sight of this segment at its sender's, among those that are too many for the usual search. */
struct sighting *join_find_far(const struct teller *teller, struct flow *flow, const struct event *event);
/* The kernel's own word that this was sent in another network, whose capture lacks it (it was opened again just now, or lost it):
 * what comes here is that segment. One that a larger packet was cut from is not looked for. */
struct sighting *join_find_uncaptured(struct flow *flow, const struct event *event, uint64_t netns);
/* It came to its receiver's host, and its sender's, which is watched as well, had not sent it: neither packet nor mark is there. */
bool join_was_never_sent(const struct teller *teller, const struct flow *flow, const struct event *event, uint64_t netns);

#endif
