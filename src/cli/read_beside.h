/* What a capture file holds besides packets, and what must be known of them: comments, blocks that nobody reads, drops, places. */
#ifndef TCPWHY_CLI_READ_BESIDE_H
#define TCPWHY_CLI_READ_BESIDE_H

#include <stdbool.h>

#include "capture/savefile.h"
#include "cli/output.h"
#include "cli/places.h"
#include "viz/rows.h"

/* At the end of the file: notes its counts and comments in *seen (comments are borrowed from the file), and says on standard error
 * what a reader has to know (drops), with -v all of it. */
void read_beside(struct savefile *file, const struct output_options *output, struct rows_source *seen);
/* Says that a table counts what was seen at several places several times, as Wireshark does. Where that shows: call it when there
 * are retransmissions. */
void read_beside_places(const struct places *places, bool quiet);

#endif
