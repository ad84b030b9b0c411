/* What a capture holds that is not looked into: counted by kind, and said in a line. */
#ifndef TCPWHY_READ_READ_UNREAD_H
#define TCPWHY_READ_READ_UNREAD_H

#include "out/output.h"
#include "viz/lists/rows.h"

/* One more packet of this content. */
void read_unread_count(struct rows_source *seen, uint32_t content);
/* Brings the largest to the front. */
void read_unread_sort(struct rows_source *seen);
/* Says on standard error what is in the capture instead of TCP, where there is none; and else what may hide TCP (a tunnel that is
 * not looked into, what is encrypted), with -v all of it. */
void read_unread_say(const struct rows_source *seen, const struct output_options *output, bool stories, bool filtered);

#endif
