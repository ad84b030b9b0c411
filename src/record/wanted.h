/* What of a host's traffic concerns sockets that are followed: their connections, where they listen, and which addresses this host
 * has. The sieve's memory.
 *
 * Each network of a host has a loopback of its own, and what listens at any address listens at those of its own network. So where a
 * network is known (the inode of its namespace; 0: it is not) connections between loopback addresses are kept apart by it, and
 * addresses and ends have theirs. A connection between other addresses may have its ends in two networks: it is one in all. */
#ifndef TCPWHY_RECORD_WANTED_H
#define TCPWHY_RECORD_WANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

struct wanted;

/* What is known of a connection, as bits. */
enum { FLOW_WANTED = 1, FLOW_FIN_LOW = 2, FLOW_FIN_HIGH = 4, FLOW_OVER = 8, FLOW_BEGINS = 16 };

/* NULL when out of memory. */
struct wanted *wanted_new(void);
/* NULL is fine. */
void wanted_free(struct wanted *wanted);
/* An address (its port says nothing) that this network has. 0 or -ENOMEM. */
int wanted_learn_own(struct wanted *wanted, const struct address *address, uint64_t netns);
/* A followed socket waits there, at any address perhaps; or (`connects`: one more, or one less) is about to connect to there. 0 or
 * -ENOMEM. */
int wanted_add_end(struct wanted *wanted, const struct address *address, uint8_t protocol, uint64_t netns);
int wanted_count_connects(struct wanted *wanted, const struct address *address, uint8_t protocol, int connects);
/* Whether a followed socket waits at this address: at it, or at any of the network that has it. `netns`: where that was seen. */
bool wanted_is_end(struct wanted *wanted, const struct address *address, uint8_t protocol, uint64_t netns);
/* A connection is of interest. 0 or -ENOMEM. */
int wanted_add_flow(struct wanted *wanted, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns);
/* Whether it is, as a followed socket's own or for one of its ends; from then on for good, also when the listener has gone. */
bool wanted_has_flow(struct wanted *wanted, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns);
/* What is known of it; `from` is the lower of its ends or the higher, in whatever order. */
uint64_t wanted_flow(struct wanted *wanted, const struct address *from, const struct address *to, uint8_t protocol, uint64_t netns,
                     bool *ret_is_low);
/* Out of memory: it is as if it were not known. */
void wanted_set_flow(struct wanted *wanted, const struct address *from, const struct address *to, uint8_t protocol, uint64_t netns,
                     uint64_t bits);
/* Nobody's any more. */
void wanted_drop_flow(struct wanted *wanted, const struct address *from, const struct address *to, uint8_t protocol,
                      uint64_t netns);

#endif
