/* What is told of stored events, as lines of text: as of a stored run (""), or
 *
 *     live quiet=1000000 closed=8 open=1 packets=1024 idle=1
 *             as in a run without end, with these bounds: when which story was told, what is open at the end by glance and so far,
 * what was lost figure  the arrows of RFC 9293's figure 5 that were seen, and which section each segment, call and state belongs to
 */
#ifndef TCPWHY_TESTS_TOLD_WAYS_H
#define TCPWHY_TESTS_TOLD_WAYS_H

#include "base/buf.h"

/* Fails the running cmocka test on anything that goes wrong. */
void told_ways(struct buf *lines, const char *way, const char *text);

#endif
