/* What a capture file holds besides packets, and what must be known of them: comments, blocks that nobody reads, drops, places. */
#ifndef TCPWHY_READ_READ_BESIDE_H
#define TCPWHY_READ_READ_BESIDE_H

#include <stdbool.h>

#include "capture/stored/savefile.h"
#include "out/output.h"
#include "read/places.h"
#include "viz/lists/rows.h"

/* At the end of the file: notes its counts and comments in *seen (comments are borrowed from the file), and says on standard error
 * what a reader has to know (drops), with -v all of it. */
void read_beside(struct savefile *file, const struct output_options *output, struct rows_source *seen);
/* Says that packets were captured more than once: `sights` of them, of which `elsewhere` behind a router. Nothing where there were
 * none. */
void read_beside_sights(const struct places *places, uint64_t sights, uint64_t elsewhere, bool quiet);

/* Packets that repeats.h left out. */
void read_beside_repeats(uint64_t left_out, bool quiet);
/* Says that segments came when their connections' rows had been shown (ledger_options.tells_soon). */
void read_beside_late(uint64_t late, bool quiet);

#endif
