/* Internal to pcapng.c and pcapng_cut.c. */
#ifndef TCPWHY_PCAPNG_OWN_H
#define TCPWHY_PCAPNG_OWN_H

#include "base/moment.h"
#include "pcapng/reader.h"
#include "support/captures.h"
#include "support/guard.h"

enum { LIMIT = 1 << 20 };

/* Feeds the bytes to a reader; returns the result of the first step that is no PCAPNG_BLOCK (or the last step's). */
enum pcapng_result feed(struct pcapng_reader *reader, const struct buf *bytes, size_t *at, struct pcapng_step *step);
void every_cut_asks_for_more_and_reads_nothing_behind_it(void **state);
void only_where_both_lengths_agree_a_block_is_believed(void **state);
void a_section_describes_no_more_interfaces_than_are_kept(void **state);

#endif
