/* pcap-filter(7) expressions on packets from files: compiled by libpcap for each link type as it comes up.
 *
 * Says what tcpdump -r FILE EXPRESSION says: a packet in a VLAN or in a tunnel is matched by what the expression says of its
 * outside. */
#ifndef TCPWHY_CAPTURE_FILTER_H
#define TCPWHY_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct filter;

/* Checks and keeps a copy of `expression` ("": everything passes). 0; -EINVAL with libpcap's reason where it is right for no common
 * link type; -ENOMEM. Release with filter_close (NULL is fine). */
int filter_open(struct filter **ret_filter, const char *expression, struct err *err);
void filter_close(struct filter *filter);
/* Whether a packet passes. 0; -EINVAL: the expression makes no sense on this link type (DLT_*), such as "ether host" where there
 * are no Ethernet addresses, or libpcap does not know that type (the reason is in the sentence); -ENOMEM. */
int filter_passes(struct filter *filter, int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire, bool *ret_passes,
                  struct err *err);

#endif
