/* By which addresses others reach this host through an interface. */
#ifndef TCPWHY_CAPTURE_OWN_ADDRESSES_H
#define TCPWHY_CAPTURE_OWN_ADDRESSES_H

#include <ifaddrs.h>

#include "event/event.h"

/* Sets the vantage's v4 and v6: the first of each that is not of loopback and not link-local; none where that can't be read. Rests
 * on getifaddrs(3). */
void own_addresses(const char *interface, struct event_vantage *vantage);
/* The same of such a list. */
void own_addresses_choose(const struct ifaddrs *all, const char *interface, struct event_vantage *vantage);

#endif
