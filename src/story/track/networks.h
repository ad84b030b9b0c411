/* The same two addresses and ports may be in use in several networks of one host at once (containers, labs): each pair of hosts has
 * a connection of its own, though nothing on the wire tells them apart. A connection remembers in which networks it was seen; an
 * event of another network is of it only when its numbers say so (its SYN, what answers that, a segment that was seen before).
 *
 * Internal to src/story. Where the network is not known, and of loopback (whose flow_key names it), nothing is told apart by it. */
#ifndef TCPWHY_STORY_TRACK_NETWORKS_H
#define TCPWHY_STORY_TRACK_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_packet;
struct event_packet_header;
struct flow;
struct flow_key;
struct teller;

/* Both ends', and two that pass it on; of more it is asked each time. */
enum { NETWORKS_MAX = 4 };
struct networks {
    uint64_t seen[NETWORKS_MAX]; /* those that are known first */
    unsigned count;
};

/* 0, not known, is in any. */
static inline bool networks_have(const struct networks *networks, uint64_t netns)
{
    if (!netns) return true;
    for (unsigned i = 0; i < networks->count; i++)
        if (networks->seen[i] == netns) return true;
    return false;
}
void networks_note(struct networks *networks, uint64_t netns);
/* Whether there is a network in both; true where nothing is known of one. */
bool networks_meet(const struct networks *a, const struct networks *b);
/* Of those with these ends the one that an event in this network is of; NULL: none, or nobody can tell. `header` NULL: no packet.
 */
struct flow *networks_choose(struct teller *teller, const struct flow_key *key, uint64_t netns,
                             const struct event_packet_header *header);
/* The same of a packet, under which key it stands, or is to stand where there is none: another one where that is another network's.
 */
struct flow *networks_flow(struct teller *teller, struct flow_key *key, const struct event_packet *packet, uint64_t netns);
/* Whether a socket in this network may be an end of the flow: it was seen there; or only in one so far, and no other connection has
 * these ends. */
bool networks_may_be(struct teller *teller, const struct flow *flow, uint64_t netns);

#endif
