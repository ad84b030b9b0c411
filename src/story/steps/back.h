/* Looking back from a packet: what had arrived by then, which packet ends where an ACK points, which one carried a number before.
 * Each is asked of every packet, so each is answered without going through all that lie between.
 *
 * Internal to src/story; owned by the telling. Made once the packets' order and fates are known. */
#ifndef TCPWHY_STORY_STEPS_BACK_H
#define TCPWHY_STORY_STEPS_BACK_H

#include "story/story.h"

struct telling;

/* A packet by when it had arrived. */
struct back_arrival {
    int64_t t_ns;
    uint32_t packet;
};
/* A packet by one of its numbers. */
struct back_border {
    uint32_t number;
    uint32_t packet;
};

struct back {
    struct back_arrival *arrivals[STORY_SIDES]; /* at this side, in order of time; what was lost is left out */
    struct back_border *borders[STORY_SIDES];   /* of this side's segments that take sequence space and were not lost: by one past
                                                   their last numbers */
    size_t arrival_count[STORY_SIDES], border_count[STORY_SIDES];
    uint32_t *previous; /* of each packet: 1 + the newest earlier one of its side with its first number; 0 none */
    struct back_border *firsts[STORY_SIDES]; /* of this side's packets, ICMP errors left out: by their own first numbers (UDP: 0) */
    size_t first_count[STORY_SIDES];
    bool opens[STORY_SIDES];           /* this side sent a SYN that was no answer */
    uint32_t first_close[STORY_SIDES]; /* 1 + this side's first FIN or RST; 0 none */
};

/* Of those that look back each takes so many that had not arrived yet in its stride: clocks that disagree, packets under way. */
enum { BACK_UNDER_WAY_MAX = 4096 };

/* The newest of `borders` with this number and before `packet`: 1 + where it is; 0 none. Those before it with the same number stand
 * just before it. */
size_t back_find(const struct back_border *borders, size_t count, uint32_t number, size_t packet);
/* Sets telling->failed when out of memory. */
void back_make(struct telling *telling);
void back_free(struct back *back);

#endif
