/* Which ports a pcap-filter(7) expression takes for granted: so that whoever captures for it need not look at others. */
#ifndef TCPWHY_CAPTURE_FILTER_PORTS_H
#define TCPWHY_CAPTURE_FILTER_PORTS_H

#include <stdbool.h>

#include "capture/port_set.h"

/* Adds to `set` (empty) ports of which a TCP segment has one at either end if the expression is true of it. False: it may be true
 * of any, or nothing is known of it; what is in `set` then is of no use. What is not understood counts as true of any, so the
 * answer is never too narrow. */
bool filter_ports(const char *expression, struct port_set *set);

#endif
