/* Internal to the programs savefile and savefile_packed. */
#ifndef TCPWHY_SAVEFILE_OWN_H
#define TCPWHY_SAVEFILE_OWN_H

#include "capture/stored/savefile.h"
#include "support/captures.h"
#include "support/guard.h"

enum { LIMIT = 1 << 26, SECOND = 1000000000, NOW = 1700000000 };
static const uint32_t MICRO = 0xa1b2c3d4, NANO = 0xa1b23c4d, MODIFIED = 0xa1b2cd34;

/* A file without a name that holds the bytes; `path` to open it with. Close with close(). */
int file_of(const void *bytes, size_t length, char path[32]);
struct savefile *open_bytes(const struct buf *bytes);
struct buf two_packets(uint32_t magic, bool big);
struct buf packets_ng(size_t count, bool big);
struct buf pack_gzip(const void *bytes, size_t length);
void what_stands_beside_the_packets_is_kept_and_counted(void **state);
void of_many_comments_of_a_capture_the_first_are_kept(void **state);
void standard_input_can_have_been_begun(void **state);
void what_is_not_a_file_from_its_beginning_is_not_looked_ahead_in(void **state);
void a_file_that_shrinks_while_it_is_read_ends_early(void **state);
void a_batch_gives_the_same_packets_all_at_once(void **state);
void a_batch_reads_no_block_twice(void **state);
void a_chain_reads_its_files_as_one(void **state);

/* What a file gives, in few words: "P" a packet, "D" damage, "E" the end, "F" failure; checks that the end stays the end. */
const char *outline(struct savefile *file, char *text, size_t room);
void assert_outline(const struct buf *bytes, const char *expected);

void behind_a_damaged_block_reading_goes_on(void **state);
void behind_the_last_block_nothing_is_resumed(void **state);
void a_cut_pcapng_gives_all_packets_before_the_cut(void **state);
void nothing_behind_the_last_byte_is_looked_at(void **state);
void a_huge_block_is_passed_over_without_being_held(void **state);
void packets_larger_than_the_window_are_whole(void **state);
void a_packet_without_a_time_has_that_of_the_one_before(void **state);
void which_way_a_packet_went_its_flags_say(void **state);

void a_record_is_likely_by_its_time_and_lengths(void **state);
void a_record_is_no_longer_than_the_file_says(void **state);
void before_the_first_record_any_time_but_0_is_likely(void **state);
void a_record_beyond_the_end_is_cut_where_it_is_likely(void **state);
void a_block_is_found_again_up_to_a_mebibyte(void **state);

#endif
