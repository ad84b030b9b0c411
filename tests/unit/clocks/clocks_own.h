/* Internal to clocks.c and clocks_left_out.c. */
#ifndef TCPWHY_CLOCKS_OWN_H
#define TCPWHY_CLOCKS_OWN_H

#include "clocks/clocks.h"
#include "clocks/corridor.h"

enum { PAIRS_MAX = 4000 };
static const int64_t EPOCH_NS = 1700000000000000000;

/* A network between two clocks. */
struct world {
    int64_t offset_ns; /* b's clock less a's at the beginning */
    double drift;      /* by how much faster b's runs */
    int64_t there_ns, back_ns, jitter_ns;
    int64_t span_ns;
    size_t count; /* segments */
    bool only_there;
    int64_t step_at_ns, step_ns; /* b's clock is set by so much, then; 0: never */
    int64_t tick_ns;             /* both files show times cut to this */
    uint64_t seed;
};

static const struct world ordinary = {
    .offset_ns = -12345678, .there_ns = 5000000, .back_ns = 5000000, .jitter_ns = 300000, .span_ns = 2000000000, .count = 400};

uint64_t next_random(uint64_t *seed);
int64_t below(uint64_t *seed, int64_t limit);
size_t play(const struct world *world, struct clocks_pair *pairs);
int64_t distance(int64_t a, int64_t b);
void single_segments_that_contradict_all_others_are_left_out(void **state);
/* Of the eight that may be left out the last is where the clock seems to have been set: what is behind is known by others. */
void a_step_that_is_found_at_what_was_left_out_makes_no_piece_of_nothing(void **state);
void times_that_contradict_each_other_all_over_are_refused(void **state);
void the_ends_of_time_overflow_nothing(void **state);
void an_uncertainty_beyond_64_bits_is_as_large_as_fits(void **state);
/* A clock that begins in 1970 at power-on, while the other one has run for a day already. */
void a_corrected_time_may_lie_before_1970(void **state);
void a_corridor_is_what_lies_between_two_hulls(void **state);

#endif
