/* Internal to match.c and match_pieces.c. */
#ifndef TCPWHY_MATCH_OWN_H
#define TCPWHY_MATCH_OWN_H

#include "clocks/match.h"
#include "support/guard.h"

enum { PACKETS_MAX = 64, SERVER_SKEW_US = 777000000, DELAY_US = 5000 };
static const int64_t EPOCH_NS = 1700000000000000000;

/* Two captures of one connection: a at the client, b at the server, whose clock is 777 s ahead; the way takes 5 ms. */
struct scene {
    struct match_packet packet[MATCH_CAPTURES][PACKETS_MAX];
    size_t count[MATCH_CAPTURES];
    struct match match;
    bool timestamps, ids, swapped; /* swapped: a is at the server */
    uint16_t port, id;
};

enum way { THERE, BACK };

struct address host(const char *text, uint16_t port);
struct match_packet segment(const struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length);
struct match_packet *see(struct scene *scene, bool at_server, struct match_packet packet, int64_t at_us);
/* Leaves at `at_us` and arrives (where it is seen to). */
void pass(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us);
/* Leaves, and is never seen again. */
void vanish(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us);
/* Arrives, and was never seen to leave. */
void appear(struct scene *scene, enum way way, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length, int64_t at_us);
void open(struct scene *scene);
/* The end: what both see, so that both captures are known to have been running until then. */
void close_both(struct scene *scene, uint32_t seq, uint32_t ack, int64_t at_us);
int compare(struct scene *scene);
void end(struct scene *scene);
/* The n-th packet (from 1) of a capture. */
const struct match_packet *at(const struct scene *scene, int capture, size_t n);
void assert_same(const struct scene *scene, size_t a, size_t b);
void a_large_packet_has_come_when_its_pieces_have(void **state);
void a_piece_that_is_missing_leaves_a_hole_that_was_lost(void **state);
void several_packets_that_came_as_one_have_all_come(void **state);
void one_direction_is_sided_by_the_hop_limit(void **state);
void what_nothing_tells_is_a_guess_and_said_to_be(void **state);
void a_connection_that_is_in_one_capture_alone_is_not_lost(void **state);
void a_syn_to_a_port_that_the_other_capture_watches_is_lost(void **state);
void addresses_that_were_rewritten_on_the_way_are_found_by_the_syn(void **state);
void a_syn_with_another_timestamp_or_between_several_ends_says_nothing(void **state);
void nothing_at_all_is_refused(void **state);
void identification_and_hop_limit_are_read_out_of_the_frame(void **state);
/* One way only, and all but the first sent at the very beginning of 64 bits and arrived at their very end: what is usual then. */
void times_that_no_file_should_hold_are_clamped_and_overflow_nothing(void **state);
void times_up_to_the_last_of_32_bits_and_from_1970_on_are_taken_as_they_are(void **state);

#endif
