/* Inside src/clocks: the steps of match_run, each in a file of its own. */
#ifndef TCPWHY_CLOCKS_MATCH_OWN_H
#define TCPWHY_CLOCKS_MATCH_OWN_H

#include "clocks/match.h"

/* Longer than any segment is on its way. */
#define MATCH_FLIGHT_NS 10000000000LL
/* Later than this nobody acknowledges what came. */
#define MATCH_ANSWER_NS 60000000000LL

/* Pairs two packets, index in a, index in b. */
void match_pair(struct match *match, size_t a, size_t b);
/* The capture that is nearer to the sender of this one. */
static inline int match_sender_side(const struct match *match, const struct match_packet *packet)
{
    return match->flow[packet->flow].low_near_a == packet->from_low ? MATCH_A : MATCH_B;
}
/* By how much an arrival may seem to come before its sending, for all that is known of the clocks. */
int64_t match_tolerance(const struct match *match, uint64_t order);

/* match_equal.c: packets that look the same. In one capture, on two interfaces (tcpdump -i any): one of them is doubled. In two:
 * First those that are alone of their look in both captures (`equals` false), then, once clocks are known, those that were sent
 * again. 0 or -ENOMEM. */
int match_doubles(struct match *match);
int match_unique(struct match *match);
int match_equals(struct match *match);
/* What came once more than it was sent gets FATE_COPY. */
int match_copies(struct match *match);
/* match_side.c: which capture is nearer to which end. */
int match_find_sides(struct match *match);
/* match_pieces.c: large packets that a network card has cut or joined. */
int match_pieces(struct match *match);
/* acked.c: what a capture lacks although its own ends have acknowledged it. */
struct acked {
    struct acked_range *range; /* sorted by flow and direction; owned */
    size_t count, room;
};
int acked_find(const struct match *match, int capture, struct acked *ret_acked);
/* Whether bytes of this packet, seen at the other capture alone, were acknowledged at this one before they came in any packet that
 * it holds. */
bool acked_has(const struct match *match, const struct acked *acked, const struct match_packet *packet);
/* watched.c: marks flows that are in one capture alone, while it can be seen that the other one looked for such. 0 or -ENOMEM. */
int match_find_watched(struct match *match);
/* fate.c: what became of the rest. */
int match_find_fates(struct match *match);

#endif
